/*
   Weighted second moments by two symmetric products a tile, of the samples whose weight is positive and of those whose
   weight is negative; and the problem on the sphere by the secular equation, sum (b_k/(theta - e_k))^2 = 1.
*/
#include "moments.h"
#include "base/base.h"
#include "precision.h"

#define BATCH_BYTES ((size_t)128 << 20) /* of the matrices that are added up in one pass */

typedef struct {
  PsdProblem problem;
  const PsdPrecisionOps *precision;
  const PetscReal *nu;
  const PetscInt *K, *count;
  PetscInt n, first, last; /* pairs of this pass */
  PetscReal **M;           /* of the pairs from first on */
  void *rows, *square;
} Pass;

static PetscErrorCode AddTile(void *context, PetscInt first, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  const PetscReal *activation = pass->problem->activation;
  const PetscInt C = pass->problem->blocks->C;
  for (PetscInt pair = pass->first; pair < pass->last; pair++) {
    const PetscInt g = pair / C, K = pass->K[g], patches = pass->count[g], d = K + 1;
    const PetscReal *nu = pass->nu + (size_t)(pair % C) * pass->n + first, mean = 1 / (PetscReal)patches;
    PetscReal *M = pass->M[pair - pass->first], *last = M + (size_t)K * d;
    for (int sign = 1; sign >= -1; sign -= 2) {
      const PetscInt rows =
          (*pass->precision->select)(count, patches, K, sign, PetscAbsReal(activation[0]) * mean, nu, x[g], pass->rows);
      if (!rows) continue;
      PetscCall((*pass->precision->syrk)(K, rows, pass->rows, pass->square));
      (*pass->precision->add_upper)(K, activation[0] < 0 ? -sign : sign, pass->square, M, d);
    }
    (*pass->precision->add_weighted)(count, patches, K, activation[1] / 2 * mean, nu, x[g], last);
    for (PetscInt i = 0; i < count; i++) last[K] += activation[2] * nu[i];
  }
  PetscFunctionReturn(0);
}

/* The sum over ranks of a pair's matrix on its rank, and the work there. */
static PetscErrorCode Finish(Pass *pass, PetscInt pair, PsdPairWork work, void *context)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = pass->problem->comm;
  const PetscInt K = pass->K[pair / pass->problem->blocks->C];
  PetscReal *M = pass->M[pair - pass->first];
  PetscMPIInt rank, ranks, length;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMPIIntCast((K + 1) * (K + 1), &length));
  const PetscMPIInt owner = (PetscMPIInt)(pair % ranks);
  PetscCallMPI(MPI_Reduce(rank == owner ? MPI_IN_PLACE : M, M, length, MPIU_REAL, MPI_SUM, owner, comm));
  if (rank == owner) PetscCall((*work)(context, pair, K, M));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMomentsEach(PsdProblem problem, PsdLevel level, PetscBool precise, const PetscReal nu[],
                              PsdPairWork work, void *context)
{
  PetscFunctionBeginUser;
  const PetscInt pairs = problem->blocks->pairs;
  size_t most = 1, tile = 0;
  Pass pass = {.problem = problem, .precision = precise ? &PsdDouble : &PsdSingle, .nu = nu};
  PetscInt G;
  PsdLevelGetSizes(level, &pass.n, &G, &pass.K, &pass.count);
  for (PetscInt g = 0; g < G; g++) {
    most = PetscMax(most, ((size_t)pass.K[g] + 1) * ((size_t)pass.K[g] + 1));
    tile = PetscMax(tile, (size_t)PsdLevelGetTile(level) * pass.count[g] * pass.K[g]);
  }
  const PetscInt batch = (PetscInt)PetscMin((size_t)pairs, PetscMax(1, BATCH_BYTES / (most * sizeof(PetscReal))));
  PetscCall(PetscMalloc1(batch, &pass.M));
  for (PetscInt k = 0; k < batch; k++) PetscCall(PetscMalloc1(most, &pass.M[k]));
  PetscCall(PetscMalloc(tile * pass.precision->size, &pass.rows));
  PetscCall(PetscMalloc(most * pass.precision->size, &pass.square));
  for (pass.first = 0; pass.first < pairs; pass.first = pass.last) {
    pass.last = PetscMin(pass.first + batch, pairs);
    for (PetscInt k = 0; k < batch; k++) PetscCall(PetscArrayzero(pass.M[k], most));
    if (precise) PetscCall(PsdLevelPassDouble(level, AddTile, &pass));
    else PetscCall(PsdLevelPass(level, AddTile, &pass));
    for (PetscInt pair = pass.first; pair < pass.last; pair++) PetscCall(Finish(&pass, pair, work, context));
  }
  for (PetscInt k = 0; k < batch; k++) PetscCall(PetscFree(pass.M[k]));
  PetscCall(PetscFree(pass.M));
  PetscCall(PetscFree(pass.rows));
  PetscCall(PetscFree(pass.square));
  PetscFunctionReturn(0);
}

/* sum (b_k/(theta - s e_k))^2 */
static PetscReal SquareAt(PetscInt K, const PetscReal e[], const PetscReal b[], PetscReal sign, PetscReal theta)
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < K; k++) {
    const PetscReal y = b[k] == 0 ? 0 : b[k] / (theta - sign * e[k]);
    sum += y * y;
  }
  return sum;
}

static void FindOne(PetscInt K, const PetscReal e[], const PetscReal Q[], PetscReal b[], PetscReal y[], PetscReal m4,
                    PetscReal sign, PsdLargestForm *form)
{
  const PetscInt top = sign > 0 ? K - 1 : 0;
  PetscReal norm = 0, low = sign * e[top], missing = 0;
  for (PetscInt k = 0; k < K; k++) norm += b[k] * b[k];
  PetscReal high = low + PetscSqrtReal(norm) * (1 + 4 * PETSC_MACHINE_EPSILON);
  const PetscReal least = low + 4 * PETSC_MACHINE_EPSILON * PetscMax(PetscAbsReal(e[0]), PetscAbsReal(e[K - 1]));
  high = PetscMax(high, least + PETSC_MACHINE_EPSILON * PetscAbsReal(least));
  low = least;
  if (SquareAt(K, e, b, sign, low) > 1) {
    for (int step = 0; step < 200 && low < (low + high) / 2 && (low + high) / 2 < high; step++) {
      const PetscReal middle = (low + high) / 2;
      if (SquareAt(K, e, b, sign, middle) > 1) low = middle;
      else high = middle;
    }
    low = high;
  }
  form->theta = low;
  form->value = low + sign * m4;
  norm = 0;
  for (PetscInt k = 0; k < K; k++) {
    y[k] = b[k] == 0 ? 0 : b[k] / (low - sign * e[k]);
    form->value += b[k] * y[k];
    norm += y[k] * y[k];
  }
  /* the hard case: what the length lacks is along the top eigenvector */
  if (norm < 1) {
    missing = PetscSqrtReal(1 - norm);
    y[top] += y[top] < 0 ? -missing : missing;
    norm = 0;
    for (PetscInt k = 0; k < K; k++) norm += y[k] * y[k];
  }
  for (PetscInt i = 0; i < K; i++) form->u[i] = 0;
  for (PetscInt k = 0; k < K; k++)
    for (PetscInt i = 0; i < K; i++) form->u[i] += Q[(size_t)k * K + i] * y[k] / PetscSqrtReal(norm);
}

PetscErrorCode PsdLargestFormFind(PetscInt K, const PetscReal e[], const PetscReal Q[], const PetscReal m2[],
                                  PetscReal m4, PsdLargestForm forms[2])
{
  PetscFunctionBeginUser;
  PetscReal *b, *y;
  PetscCall(PetscMalloc2(K, &b, K, &y));
  for (int s = 0; s < 2; s++) {
    const PetscReal sign = s ? -1 : 1;
    for (PetscInt k = 0; k < K; k++) {
      b[k] = 0;
      for (PetscInt i = 0; i < K; i++) b[k] += sign * Q[(size_t)k * K + i] * m2[i];
    }
    FindOne(K, e, Q, b, y, m4, sign, &forms[s]);
  }
  PetscCall(PetscFree2(b, y));
  PetscFunctionReturn(0);
}
