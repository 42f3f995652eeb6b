/*
   A column's step is a combination of the steps that all columns of its region would take, whatever its class and sign: that
   is what a span has beyond a conjugate gradient, which has one number for all of them. A pass over the samples makes the
   gradient, half a pass the samples' coordinates in the span; what follows there, however many products it takes, is short.

   A subspace of filters is a level (level.h), so that the steps in it are Newton's method as it is. Its minimum in the span
   is not above the point at hand, which is in the span.
*/
#include "span.h"
#include "base/base.h"
#include "base/eigen.h"
#include "base/gemm.h"

#define PARTS 3             /* of a span: columns, directions, and columns before */
#define WORTHWHILE 3        /* times as many numbers a filter has on the level */
#define INNER 0.01          /* of the decrement at hand: what is left of it in the span, ... */
#define INNER_TOLERANCE 0.3 /* ... or of the tolerance */
#define MOST_INNER 20       /* iterations in a span */
#define SAME_COLUMN 1e-13   /* squared lengths, of unit vectors: what is left out of the columns themselves ... */
#define SAME_DIRECTION 1e-8 /* ... and of the directions */
#define LEAST_PROGRESS 0.95 /* a decrement that has not fallen to this part ... */
#define MOST_WITHOUT 2      /* ... so many times in a row: spans bring nothing more */

typedef struct {
  PsdLevel level, span;
  const PsdColumns *columns;
  MPI_Comm comm;
  PetscInt G, *K;           /* K: of the span */
  const PetscInt *of_level; /* K of the level */
  PetscReal **B;            /* G: of_level x K */
} Span;

/* ---------------------------------------------------------------- orthonormal filters */

/* A (K x m) -= B B'A, twice, with columns of length 1 afterwards, or 0 */
static PetscErrorCode Separate(PetscInt K, PetscInt have, const PetscReal B[], PetscInt m, PetscReal A[])
{
  PetscFunctionBeginUser;
  PetscReal *inside, *part;
  PetscCall(PetscMalloc2((size_t)have * m, &inside, (size_t)K * m, &part));
  for (int pass = 0; pass < 2; pass++) {
    if (have) {
      PetscCall(PsdGemmDouble('T', 'N', have, m, K, B, K, A, K, inside, have));
      PetscCall(PsdGemmDouble('N', 'N', K, m, have, B, K, inside, have, part, K));
      for (size_t k = 0; k < (size_t)K * m; k++) A[k] -= part[k];
    }
    for (PetscInt j = 0; j < m; j++) {
      PetscReal square = 0;
      for (PetscInt k = 0; k < K; k++) square += A[(size_t)j * K + k] * A[(size_t)j * K + k];
      for (PetscInt k = 0; k < K && square > 0; k++) A[(size_t)j * K + k] /= PetscSqrtReal(square);
    }
  }
  PetscCall(PetscFree2(inside, part));
  PetscFunctionReturn(0);
}

/* Q (m x m, its last `kept` columns) <- a matrix for which A Q is orthonormal, without what is nearly dependent */
static PetscErrorCode Normalise(PetscInt m, PetscReal least, PetscReal Q[], PetscInt *kept)
{
  PetscFunctionBeginUser;
  PetscReal *lambda;
  PsdEigen eigen;
  PetscCall(PetscMalloc1(m, &lambda));
  PetscCall(PsdEigenCreate(m, &eigen));
  PetscCall(PsdEigenSolve(eigen, Q, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  *kept = 0;
  for (PetscInt j = m - 1; j >= 0 && lambda[j] > least; j--, (*kept)++)
    for (PetscInt k = 0; k < m; k++) Q[(size_t)j * m + k] /= PetscSqrtReal(lambda[j]);
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(0);
}

/* B <- B and an orthonormal basis of what A (K x m, overwritten) has beyond it; have: its columns */
static PetscErrorCode Extend(PetscInt K, PetscInt m, PetscReal A[], PetscReal least, PetscInt *have, PetscReal B[])
{
  PetscFunctionBeginUser;
  PetscInt kept = 0;
  PetscReal *Q;
  PetscCall(PetscMalloc1((size_t)m * m, &Q));
  PetscCall(Separate(K, *have, B, m, A));
  PetscCall(PsdSyrkDouble('T', m, K, A, K, Q, m));
  PetscCall(Normalise(m, least, Q, &kept));
  PetscCall(PsdGemmDouble('N', 'N', K, kept, m, A, K, Q + (size_t)(m - kept) * m, m, B + (size_t)K * *have, K));
  *have += kept;
  PetscCall(PetscFree(Q));
  PetscFunctionReturn(0);
}

/* B <- B U, in whose coordinates the variance is diagonal, as far as the level knows it */
static PetscErrorCode Diagonalise(PsdLevel level, PetscInt g, PetscInt K, PetscInt m, PetscReal B[])
{
  PetscFunctionBeginUser;
  const PetscReal *E;
  const PsdVariance *variance = PsdLevelGetVariance(level, g, &E);
  const PetscInt known = variance->K;
  PetscReal *part, *U, *lambda, *rotated;
  PsdEigen eigen;
  PetscCall(PetscMalloc4((size_t)known * m, &part, (size_t)m * m, &U, m, &lambda, (size_t)K * m, &rotated));
  if (E) PetscCall(PsdGemmDouble('T', 'N', known, m, K, E, K, B, K, part, known));
  else PetscCall(PetscArraycpy(part, B, (size_t)K * m));
  for (PetscInt j = 0; j < m; j++)
    for (PetscInt k = 0; k < known; k++)
      part[(size_t)j * known + k] *= PetscSqrtReal(PetscMax(0, variance->along[k] - variance->rest));
  PetscCall(PsdSyrkDouble('T', m, known, part, known, U, m));
  PetscCall(PsdEigenCreate(m, &eigen));
  PetscCall(PsdEigenSolve(eigen, U, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdGemmDouble('N', 'N', K, m, m, B, K, U, m, rotated, K));
  PetscCall(PetscArraycpy(B, rotated, (size_t)K * m));
  PetscCall(PetscFree4(part, U, lambda, rotated));
  PetscFunctionReturn(0);
}

/* The filters of region g's columns in x, of the shape of F, one after the other. */
static PetscErrorCode CopyFilters(const PsdColumns *columns, PetscInt g, const PetscReal x[], PetscReal filters[])
{
  PetscFunctionBeginUser;
  const PetscInt K = columns->K[g];
  for (PetscInt j = columns->first[g]; j < columns->first[g + 1]; j++, filters += K)
    PetscCall(PetscArraycpy(filters, x + columns->at[j], K));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a span */

/* before: NULL when there is none */
static PetscErrorCode CreateBasis(Span *it, PetscInt g, const PetscReal z[], const PetscReal before[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  const PetscInt r = columns->first[g + 1] - columns->first[g], K = it->of_level[g];
  PetscReal *A;
  it->K[g] = r ? 0 : 1; /* a level has a filter at least */
  PetscCall(PetscCalloc1((size_t)K * PetscMax(1, r * PARTS), &it->B[g]));
  if (!r) it->B[g][0] = 1;
  if (!r) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)K * r * 2, &A));
  PetscCall(CopyFilters(columns, g, columns->F, A));
  PetscCall(Extend(K, r, A, SAME_COLUMN, &it->K[g], it->B[g]));
  PetscCall(CopyFilters(columns, g, z, A));
  if (before) PetscCall(CopyFilters(columns, g, before, A + (size_t)K * r));
  PetscCall(Extend(K, before ? 2 * r : r, A, SAME_DIRECTION, &it->K[g], it->B[g]));
  PetscCall(Diagonalise(it->level, g, K, it->K[g], it->B[g]));
  PetscCall(PetscFree(A));
  PetscFunctionReturn(0);
}

/* The basis is rank 0's. */
static PetscErrorCode SpanCreate(PsdLevel level, const PsdColumns *columns, const PetscReal z[],
                                 const PetscReal before[], Span *it)
{
  PetscFunctionBeginUser;
  PetscMPIInt G;
  *it = (Span){.level = level, .columns = columns};
  PetscCall(PsdLevelGetComm(level, &it->comm));
  PsdLevelGetSizes(level, NULL, &it->G, &it->of_level, NULL);
  PetscCall(PetscMPIIntCast(it->G, &G));
  PetscCall(PetscMalloc2(it->G, &it->K, it->G, &it->B));
  for (PetscInt g = 0; g < it->G; g++) PetscCall(CreateBasis(it, g, z, before));
  PetscCallMPI(MPI_Bcast(it->K, G, MPIU_INT, 0, it->comm));
  for (PetscInt g = 0; g < it->G; g++)
    PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)it->of_level[g] * it->K[g], it->B[g]));
  PetscCall(PsdLevelCreateSpan(level, it->K, it->B, &it->span));
  PetscFunctionReturn(0);
}

static PetscErrorCode SpanDestroy(Span *it)
{
  PetscFunctionBeginUser;
  PetscCall(PsdLevelDestroy(&it->span));
  for (PetscInt g = 0; g < it->G; g++) PetscCall(PetscFree(it->B[g]));
  PetscCall(PetscFree2(it->K, it->B));
  PetscFunctionReturn(0);
}

/* `to` <- the columns in the coordinates of the span (into), or back in those of the level */
static PetscErrorCode Move(const Span *it, PetscBool into, const PsdColumns *from, PsdColumns *to)
{
  PetscFunctionBeginUser;
  const PetscInt *K = into ? it->K : it->of_level;
  PetscCall(PsdColumnsCreate(from->G, from->C, K, from->count, from->block, to));
  for (PetscInt g = 0; g < it->G; g++) {
    const PetscInt r = from->first[g + 1] - from->first[g], large = it->of_level[g], small = it->K[g];
    if (!r) continue;
    const PetscReal *V = from->F + from->at[from->first[g]];
    PetscReal *U = to->F + to->at[to->first[g]];
    if (into) PetscCall(PsdGemmDouble('T', 'N', small, r, large, it->B[g], large, V, large + 1, U, small + 1));
    else PetscCall(PsdGemmDouble('N', 'N', large, r, small, it->B[g], large, V, small + 1, U, large + 1));
  }
  for (PetscInt j = 0; j < from->count; j++) to->F[to->at[j + 1] - 1] = from->F[from->at[j + 1] - 1];
  PsdColumnsRetract(to, to->F);
  PetscFunctionReturn(0);
}

/* Newton's method in the span of the columns, z and, when it is not NULL, before. */
static PetscErrorCode Step(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                           const PsdNewtonSettings *settings, PsdNewtonState *state, const PetscReal z[],
                           const PetscReal before[])
{
  PetscFunctionBeginUser;
  Span span;
  PsdColumns inside, moved;
  PsdNewtonSettings inner = *settings;
  PsdNewtonState found = {.radius = state->radius, .precise = state->precise, .value = state->value, .mu = state->mu};
  const PsdObjectiveCounts start = PsdObjectiveGetCounts(objective);
  inner.tolerance = PetscMax(INNER_TOLERANCE * settings->tolerance, INNER * state->decrement);
  inner.least_it = 1;
  inner.max_it = MOST_INNER;
  PetscCall(SpanCreate(level, columns, z, before, &span));
  PetscCall(Move(&span, PETSC_TRUE, columns, &inside));
  PetscCall(PsdNewtonSolve(objective, span.span, &inside, beta, &inner, &found));
  PetscCall(Move(&span, PETSC_FALSE, &inside, &moved));
  PetscCall(PetscArraycpy(columns->F, moved.F, columns->at[columns->count]));
  const PetscInt64 evaluations = PsdObjectiveGetCounts(objective).evaluations - start.evaluations;
  const PetscInt64 products = PsdObjectiveGetCounts(objective).products - start.products;
  state->span_evaluations += evaluations;
  state->span_products += products;
  PetscCall(PetscInfo(NULL,
                      "span: decrement %.2e, %" PetscInt64_FMT " gradients and %" PetscInt64_FMT " products in it\n",
                      (double)state->decrement, evaluations, products));
  PetscCall(PsdColumnsDestroy(&moved));
  PetscCall(PsdColumnsDestroy(&inside));
  PetscCall(SpanDestroy(&span));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the method */

PetscErrorCode PsdSpanPays(PsdLevel level, const PsdColumns *columns, size_t memory, PetscBool *pays)
{
  PetscFunctionBeginUser;
  MPI_Comm comm;
  PetscInt n, G;
  const PetscInt *K, *count;
  PetscReal numbers = 0, work = 0, of_level = 0;
  PetscMPIInt fits;
  PetscCall(PsdLevelGetComm(level, &comm));
  PsdLevelGetSizes(level, &n, &G, &K, &count);
  for (PetscInt g = 0; g < G; g++) {
    const PetscReal r = columns->first[g + 1] - columns->first[g], patches = count[g];
    numbers += patches * PARTS * r;
    work += patches * PARTS * r * r;
    of_level += patches * K[g] * r;
  }
  fits = (PetscReal)sizeof(float) * n * numbers <= (PetscReal)memory;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &fits, 1, MPI_INT, MPI_MIN, comm));
  *pays = (PetscBool)(fits && columns->count && WORTHWHILE * work <= of_level);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpanSolve(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                            const PsdNewtonSettings *settings, PsdNewtonState *state)
{
  PetscFunctionBeginUser;
  const size_t length = columns->at[columns->count];
  PetscInt iterations, without = 0;
  PetscReal *z, *before, *here;
  PetscCall(PetscMalloc3(length, &z, length, &before, length, &here));
  state->decrement = 0;
  for (iterations = 0; iterations < settings->max_it && without < MOST_WITHOUT; iterations++) {
    const PetscReal last = state->decrement;
    state->iterations = iterations;
    if (iterations && last < PSD_PRECISE_BELOW) state->precise = PETSC_TRUE;
    PetscCall(PsdNewtonDirection(objective, level, columns, beta, settings, state, z));
    if (state->done) break;
    if (iterations && state->decrement > LEAST_PROGRESS * last) without++;
    else without = 0;
    PetscCall(PetscArraycpy(here, columns->F, length));
    PetscCall(Step(objective, level, columns, beta, settings, state, z, iterations ? before : NULL));
    PetscCall(PetscArraycpy(before, here, length));
  }
  PetscCall(PetscFree3(z, before, here));
  if (without == MOST_WITHOUT) PetscCall(PsdNewtonSolve(objective, level, columns, beta, settings, state));
  PetscFunctionReturn(0);
}
