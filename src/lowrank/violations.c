/*
   With M = smat(A'nu)_gt, the block of sign s is right at the multiplier mu when

     S = mu J + beta e4 e4' - s M

   is positive semidefinite, and its polar is beta then. Where it is not, every eigenvector of S with a negative eigenvalue
   is a direction z whose z z' lowers the objective to first order: many of them at once are what a block of rank 50 needs.
   A block without columns has no mu; it takes the filter where its form is largest.
*/
#include "violations.h"
#include "base/base.h"
#include "base/eigen.h"
#include "moments.h"

#define PART_OF_TOLERANCE 0.3 /* a polar that is off by less does not count */
#define SEEN 0.02             /* of the tolerance: eigenvalues nearer to 0 are not computed */
#define PART_OF_LOWEST 0.1    /* nor an eigenvalue that is above this part of the lowest */

/* What this rank has found: records of block, mu and a vector. */
typedef struct {
  const PsdColumns *columns;
  const PetscReal *mu;
  const PsdViolationSettings *settings;
  PetscReal *polar;
  PetscReal *record;
  size_t length, room;
} Search;

static PetscErrorCode Append(Search *it, PetscInt block, PetscReal mu, PetscInt d, const PetscReal z[])
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)d + 2;
  if (it->length + length > it->room) {
    PetscReal *larger;
    it->room = 2 * (it->length + length);
    PetscCall(PetscMalloc1(it->room, &larger));
    PetscCall(PetscArraycpy(larger, it->record, it->length));
    PetscCall(PetscFree(it->record));
    it->record = larger;
  }
  it->record[it->length] = block;
  it->record[it->length + 1] = mu;
  PetscCall(PetscArraycpy(it->record + it->length + 2, z, d));
  it->length += length;
  PetscFunctionReturn(0);
}

static PetscBool HasColumns(const PsdColumns *columns, PetscInt block)
{
  const PetscInt g = PsdBlockRegion(columns, block);
  for (PetscInt j = columns->first[g]; j < columns->first[g + 1]; j++)
    if (columns->block[j] == block) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The eigenvectors of S with negative eigenvalues. As [u;1]'S[u;1] = beta - s [u;1]'M[u;1], the lowest eigenvalue says what the
   polar is at most. work, vectors: d x d, lambda: d */
static PetscErrorCode SearchBlock(Search *it, PetscInt block, PetscInt d, const PetscReal M[], PetscReal work[],
                                  PetscReal vectors[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  const PetscReal sign = PsdBlockSign(block), mu = it->mu[block] / 2, beta = it->settings->beta;
  const PetscReal seen = SEEN * it->settings->tolerance * beta;
  PetscReal size = 0;
  PetscInt found = 0;
  PsdEigen eigen;
  for (PetscInt l = 0; l < d; l++) {
    PetscReal *column = work + (size_t)l * d;
    for (PetscInt k = 0; k <= l; k++)
      column[k] = (k < l ? 0 : l < d - 1 ? mu : beta - mu) - sign * M[(size_t)l * d + k];
    for (PetscInt k = 0; k <= l; k++) size += (k < l ? 2 : 1) * column[k] * column[k];
  }
  PetscCall(PsdEigenCreate(d, &eigen));
  PetscCall(PsdEigenSolveRange(eigen, d, -2 * PetscSqrtReal(size), -seen, work, &found, lambda, vectors));
  PetscCall(PsdEigenDestroy(&eigen));
  it->polar[block] = beta + 2 * (found > 0 ? -lambda[0] : seen);
  if (!(it->polar[block] > beta * (1 + PART_OF_TOLERANCE * it->settings->tolerance))) PetscFunctionReturn(0);
  const PetscReal most = PetscMin(-it->settings->tolerance * beta, PART_OF_LOWEST * lambda[0]);
  for (PetscInt k = 0; k < PetscMin(found, it->settings->most) && lambda[k] < most; k++)
    PetscCall(Append(it, block, mu, d, vectors + (size_t)k * d));
  PetscFunctionReturn(0);
}

/* [u; 1]/sqrt 2 */
static PetscErrorCode AppendFilter(Search *it, PetscInt block, const PsdLargestForm *form, PetscInt K, PetscReal work[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < K; k++) work[k] = form->u[k] / PETSC_SQRT2;
  work[K] = 1 / PETSC_SQRT2;
  PetscCall(Append(it, block, form->theta, K + 1, work));
  PetscFunctionReturn(0);
}

/* The blocks of a pair that have no columns. */
static PetscErrorCode SearchEmpty(Search *it, PetscInt pair, PetscInt K, const PetscReal M[], PetscReal work[],
                                  PetscReal lambda[])
{
  PetscFunctionBeginUser;
  const PetscInt d = K + 1;
  PsdLargestForm forms[2];
  PsdEigen eigen;
  for (PetscInt s = 0; s < 2; s++) PetscCall(PetscMalloc1(K, &forms[s].u));
  for (PetscInt l = 0; l < K; l++) PetscCall(PetscArraycpy(work + (size_t)l * K, M + (size_t)l * d, l + 1));
  PetscCall(PsdEigenCreate(K, &eigen));
  PetscCall(PsdEigenSolve(eigen, work, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdLargestFormFind(K, lambda, work, M + (size_t)K * d, M[(size_t)d * d - 1], forms));
  for (PetscInt s = 0; s < 2; s++) {
    const PetscInt block = 2 * pair + s;
    if (!HasColumns(it->columns, block)) {
      it->polar[block] = forms[s].value;
      if (forms[s].value > it->settings->beta * (1 + PART_OF_TOLERANCE * it->settings->tolerance))
        PetscCall(AppendFilter(it, block, &forms[s], K, work));
    }
    PetscCall(PetscFree(forms[s].u));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SearchPair(void *context, PetscInt pair, PetscInt K, PetscReal M[])
{
  PetscFunctionBeginUser;
  Search *it = context;
  const PetscInt d = K + 1;
  PetscBool empty = PETSC_FALSE;
  PetscReal *work, *vectors, *lambda;
  PetscCall(PetscMalloc3((size_t)d * d, &work, (size_t)d * d, &vectors, d, &lambda));
  for (PetscInt s = 0; s < 2; s++)
    if (HasColumns(it->columns, 2 * pair + s)) PetscCall(SearchBlock(it, 2 * pair + s, d, M, work, vectors, lambda));
    else empty = PETSC_TRUE;
  if (empty) PetscCall(SearchEmpty(it, pair, K, M, work, lambda));
  PetscCall(PetscFree3(work, vectors, lambda));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- from all ranks */

/* all <- the records of all ranks */
static PetscErrorCode GatherRecords(MPI_Comm comm, const Search *it, size_t *length, PetscReal **all)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, own, total = 0, *counts, *offsets;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMPIIntCast((PetscInt)it->length, &own));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &offsets));
  PetscCallMPI(MPI_Allgather(&own, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    offsets[r] = total;
    total += counts[r];
  }
  PetscCall(PetscMalloc1(total, all));
  PetscCallMPI(MPI_Allgatherv(it->record, own, MPIU_REAL, *all, counts, offsets, MPIU_REAL, comm));
  *length = (size_t)total;
  PetscCall(PetscFree2(counts, offsets));
  PetscFunctionReturn(0);
}

/* Records in the order of blocks; those of a block are of one rank and in their order. */
static PetscErrorCode ToColumns(const PsdColumns *columns, size_t length, const PetscReal all[], PsdViolations *it)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = PsdBlockCount(columns);
  PetscInt count = 0, *block, *start;
  PetscCall(PetscCalloc1(blocks + 1, &start));
  for (size_t at = 0; at < length; count++) {
    const PetscInt b = (PetscInt)all[at];
    start[b + 1]++;
    at += (size_t)columns->K[PsdBlockRegion(columns, b)] + 3;
  }
  for (PetscInt b = 0; b < blocks; b++) start[b + 1] += start[b];
  PetscCall(PetscMalloc1(count, &block));
  for (PetscInt b = 0; b < blocks; b++)
    for (PetscInt j = start[b]; j < start[b + 1]; j++) block[j] = b;
  PetscCall(PsdColumnsCreate(columns->G, columns->C, columns->K, count, block, &it->direction));
  PetscCall(PetscMalloc1(count, &it->mu));
  for (size_t at = 0; at < length;) {
    const PetscInt b = (PetscInt)all[at], j = start[b]++, d = columns->K[PsdBlockRegion(columns, b)] + 1;
    it->mu[j] = all[at + 1];
    PetscCall(PetscArraycpy(it->direction.F + it->direction.at[j], all + at + 2, d));
    at += (size_t)d + 2;
  }
  PetscCall(PetscFree(block));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}

/* In double precision a complete level is gone through in the coordinates of the patches. */
static PetscErrorCode ToLevel(PsdLevel level, PsdColumns *direction)
{
  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < direction->count; j++) {
    const PetscInt g = PsdBlockRegion(direction, direction->block[j]), K = direction->K[g];
    PetscReal *z = direction->F + direction->at[j], *v;
    PetscCall(PetscMalloc1(K, &v));
    PetscCall(PetscArraycpy(v, z, K));
    PetscCall(PsdLevelFromPatches(level, g, 1, v, K, z, K));
    PetscCall(PetscFree(v));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdViolationsFind(PsdProblem problem, PsdLevel level, const PsdColumns *columns, const PetscReal nu[],
                                 const PetscReal mu[], const PsdViolationSettings *settings, PsdViolations *violations)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = PsdBlockCount(columns);
  PetscReal *all;
  size_t length;
  Search search = {.columns = columns, .mu = mu, .settings = settings};
  *violations = (PsdViolations){0};
  PetscCall(PetscCalloc1(blocks, &violations->polar));
  search.polar = violations->polar;
  PetscCall(PsdMomentsEach(problem, level, settings->precise, nu, SearchPair, &search));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, (size_t)blocks, violations->polar));
  PetscCall(GatherRecords(problem->comm, &search, &length, &all));
  PetscCall(ToColumns(columns, length, all, violations));
  if (settings->precise && PsdLevelIsComplete(level)) PetscCall(ToLevel(level, &violations->direction));
  PetscCall(PetscFree(all));
  PetscCall(PetscFree(search.record));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdViolationsDestroy(PsdViolations *violations)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(violations->polar));
  PetscCall(PetscFree(violations->mu));
  if (violations->direction.K) PetscCall(PsdColumnsDestroy(&violations->direction));
  PetscFunctionReturn(0);
}
