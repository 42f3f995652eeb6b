/*
   kappa >= ||X w||^2/||w||^2 for all w with V'w = 0 (docs/mathematics.md, section 3, "Polar by Schur complement").

   For these w, x.w = (x - V z).w whatever z is. So X may be replaced by Y, whose rows are what is left of the patches beside V,
   and as ||Y||^2 is little more than kappa, single precision is enough: with E = X - XVV' - Y as computed,

     ||X w|| <= ||Y w|| + ||E w||,      kappa = (sqrt lambda_max(Y'Y) + ||E||_F)^2.

   What is claimed is proved: lambda I - Y'Y has a Cholesky factor with all that rounding may have done to Y'Y taken off its
   diagonal (cone/polar_proof.c). One rank has all of Y'Y. Where that is too much, lambda is ||Y'Y||_F.
*/
#include "kappa.h"
#include "base/base.h"
#include "base/gemm.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "cone/polar_proof.h"
#include <slepceps.h>

#define LARGE 16384 /* the largest f of which a rank has f x f numbers */

PetscInt PsdKappaNumbers = 1 << 26;

typedef struct {
  MPI_Comm comm;
  PsdPatchMatrix patches;
  const PsdCoordinates *basis;
  PetscInt g, f, K;
  PetscInt first, columns;   /* columns of Y'Y that are made */
  PetscBool half;            /* of Y'Y the upper triangle */
  float *V, *G;              /* f x K; f x columns, by columns */
  float *y, *z;              /* f and K x PSD_PRODUCT_ROWS */
  PetscReal *error;          /* PSD_PRODUCT_ROWS: of a row of y */
  PetscReal V_longest;       /* a bound of the longest column's length */
  PetscReal products;        /* how many were added up on a rank */
  PetscReal squares, errors; /* ||Y||_F^2 and ||E||_F^2 */
} Kappa;

/* ---------------------------------------------------------------- sums over the patches */

static PetscReal SquareSingle(PetscInt count, const float x[])
{
  PetscReal sum = 0;
#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < count; k++) sum += (PetscReal)x[k] * x[k];
  return sum;
}

/* Bounds of what is lost in each row of Y when columns from `first` on are taken off, by a product of `some` terms added to y. */
static void CountErrors(Kappa *it, PetscInt rows, PetscInt first, PetscInt some)
{
  for (PetscInt l = 0; l < rows; l++) {
    const float *z = it->z + (size_t)l * it->K + first;
    PetscReal sum = PetscSqrtReal(SquareSingle(it->f, it->y + (size_t)l * it->f)) * (1 + PsdRoundingsSingle(1));
    for (PetscInt k = 0; k < some; k++) sum += PetscAbsReal((PetscReal)z[k]) * it->V_longest;
    it->error[l] += PsdRoundingsSingle((PetscReal)some + 3) * sum + (PetscReal)it->f * (some + 2) * PSD_TINY_SINGLE;
  }
}

/* z of `rows` patches, from number `at` here on; y has the patches. */
static PetscErrorCode MakeCoordinates(Kappa *it, size_t at, PetscInt rows)
{
  PetscFunctionBeginUser;
  const PetscReal scale = ldexp(1, -it->basis->exponent), *known = it->basis->z + at * it->K;
  if (it->basis->z)
    for (size_t k = 0; k < (size_t)rows * it->K; k++) it->z[k] = (float)(scale * known[k]);
  else PetscCall(PsdGemmSingle('T', 'N', it->K, rows, it->f, it->V, it->f, it->y, it->f, it->z, PetscMax(1, it->K)));
  PetscFunctionReturn(0);
}

/* y <- what is left of `rows` patches. A few columns are taken off at a time: the first ones leave little, and little is lost by
   the others. */
static PetscErrorCode MakeRows(Kappa *it, size_t at, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  enum { SOME = 64 };
  const PetscReal scale = ldexp(1, -it->basis->exponent);
  const PetscInt ld = PetscMax(1, it->K);
  for (size_t k = 0; k < (size_t)rows * it->f; k++) it->y[k] = (float)(scale * x[k]);
  PetscCall(MakeCoordinates(it, at, rows));
  PetscCall(PetscArrayzero(it->error, rows));
  CountErrors(it, rows, 0, 0); /* of y itself */
  for (PetscInt first = 0, some; first < it->K; first += some) {
    some = PetscMin(SOME, it->K - first);
    CountErrors(it, rows, first, some);
    PetscCall(PsdGemmSingleAdd('N', 'N', it->f, rows, some, -1, it->V + (size_t)first * it->f, it->f, it->z + first, ld,
                               it->y, it->f));
  }
  for (PetscInt l = 0; l < rows; l++) it->errors += it->error[l] * it->error[l];
  it->squares += SquareSingle(rows * it->f, it->y);
  PetscFunctionReturn(0);
}

/* Columns of G += those of y'y; with `half` what is above the diagonal by a product, and the square on it. */
static PetscErrorCode AddRows(Kappa *it, PetscInt rows)
{
  PetscFunctionBeginUser;
  const PetscInt above = it->half ? it->first : it->f;
  PetscCall(
      PsdGemmSingleAdd('N', 'T', above, it->columns, rows, 1, it->y, it->f, it->y + it->first, it->f, it->G, it->f));
  if (it->half) PetscCall(PsdSyrkSingleAdd('N', it->columns, rows, it->y + it->first, it->f, it->G + it->first, it->f));
  it->products++;
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Kappa *it = context;
  const PetscInt *patches;
  if (g != it->g) PetscFunctionReturn(0);
  PsdPatchMatrixGetSizes(it->patches, NULL, NULL, &patches, NULL);
  size_t at = (size_t)first * patches[g];
  for (PetscInt rows = count * patches[g], some; rows > 0; rows -= some, at += some, x += (size_t)some * it->f) {
    some = PetscMin(PSD_PRODUCT_ROWS, rows);
    PetscCall(MakeRows(it, at, some, x));
    PetscCall(AddRows(it, some));
  }
  PetscFunctionReturn(0);
}

/* G <- this rank's part of columns first, first + 1, ... of Y'Y. */
static PetscErrorCode SumOverSamples(Kappa *it, PetscInt first, PetscInt columns)
{
  PetscFunctionBeginUser;
  it->first = first;
  it->columns = columns;
  it->squares = it->errors = it->products = 0;
  PetscCall(PetscArrayzero(it->G, (size_t)it->f * columns));
  PetscCall(PsdPatchMatrixPass(it->patches, AddTile, it));
  PetscReal sums[] = {it->squares, it->errors};
  PetscCall(PsdSumArray(it->comm, MPIU_REAL, 2, sums));
  it->squares = sums[0];
  it->errors = sums[1];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &it->products, 1, MPIU_REAL, MPI_MAX, it->comm));
  PetscFunctionReturn(0);
}

/* Columns of Y'Y that are made at a time. */
static PetscInt SomeColumns(const Kappa *it)
{
  return PetscMin(it->f, PsdKappaNumbers / it->f + 1);
}

/* A <- all of Y'Y, its upper triangle, on the rank `owner`; NULL elsewhere. */
static PetscErrorCode Gather(Kappa *it, PetscMPIInt owner, PetscReal A[])
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, count;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  for (PetscInt first = 0; first < it->f; first += SomeColumns(it)) {
    PetscCall(SumOverSamples(it, first, PetscMin(SomeColumns(it), it->f - first)));
    PetscCall(PetscMPIIntCast(it->f * it->columns, &count));
    PetscCallMPI(MPI_Reduce(rank == owner ? MPI_IN_PLACE : it->G, it->G, count, MPI_FLOAT, MPI_SUM, owner, it->comm));
    for (size_t k = 0; A && k < (size_t)count; k++) A[(size_t)first * it->f + k] = it->G[k];
  }
  PetscFunctionReturn(0);
}

/* A bound of ||computed G - Y'Y||_F: terms of Frobenius norm ||y||^2, with the roundings of a product of PSD_PRODUCT_ROWS,
   of the sum of products, and of that over ranks. */
static PetscErrorCode GramError(const Kappa *it, PetscReal *error)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  *error = PsdRoundingsSingle(PSD_PRODUCT_ROWS + 2 + it->products + (PetscReal)ranks) * it->squares +
           (PetscReal)ranks * it->f * it->f * it->products * PSD_PRODUCT_ROWS * PSD_TINY_SINGLE;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- its largest eigenvalue */

/* A guess. A: both triangles. */
static PetscErrorCode LargestEigenvalue(PetscInt f, PetscReal A[], PetscReal *lambda)
{
  PetscFunctionBeginUser;
  Mat matrix;
  EPS eps;
  PetscInt found;
  *lambda = 0;
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, f, f, A, &matrix));
  PetscCall(EPSCreate(PETSC_COMM_SELF, &eps));
  PetscCall(EPSSetOperators(eps, matrix, NULL));
  PetscCall(EPSSetProblemType(eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetDimensions(eps, 1, PetscMin(f, 24), PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(eps, 1e-2, 50));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, &found));
  if (found > 0) PetscCall(EPSGetEigenvalue(eps, 0, lambda, NULL));
  PetscCall(EPSDestroy(&eps));
  PetscCall(MatDestroy(&matrix));
  PetscFunctionReturn(0);
}

/* x > 0 with its first two digits or so, rounded up, so that rounding of sums over ranks is not seen in it */
static PetscReal FewDigits(PetscReal x)
{
  int exponent;
  const PetscReal mantissa = frexp(x, &exponent);
  return ldexp(PetscCeilReal(mantissa * 256), exponent - 8);
}

/* A's lower triangle <- its upper one */
static void Mirror(PetscInt f, PetscReal A[])
{
  for (size_t j = 0, n = (size_t)f; j < n; j++)
    for (size_t i = 0; i < j; i++) A[i * n + j] = A[j * n + i];
}

/* A's upper triangle <- that of kappa I - A; the lower one and `diagonal` keep what A was */
static void Subtract(PetscInt f, PetscReal kappa, const PetscReal diagonal[], PetscReal A[])
{
  for (size_t j = 0, n = (size_t)f; j < n; j++) {
    for (size_t i = 0; i < j; i++) A[j * n + i] = -A[i * n + j];
    A[j * n + j] = kappa - diagonal[j];
  }
}

/* The least kappa, of those that are tried, for which kappa I - A is proved to be positive semidefinite for every A within
   `error` of this one. A: both triangles, the upper one is overwritten. */
static PetscErrorCode ProveLargest(PetscInt f, PetscReal A[], PetscReal error, PetscReal *kappa)
{
  PetscFunctionBeginUser;
  enum { MOST_TRIES = 12 };
  const PetscReal norm = PsdNormBound(f * f, A);
  PetscReal lambda, more = 1e-3, *diagonal;
  PetscBool holds = PETSC_FALSE;
  *kappa = INFINITY;
  if (!(norm + error <= PETSC_MAX_REAL)) PetscFunctionReturn(0);
  PetscCall(LargestEigenvalue(f, A, &lambda));
  PetscCall(PetscMalloc1(f, &diagonal));
  for (PetscInt j = 0; j < f; j++) diagonal[j] = A[(size_t)j * f + j];
  for (int k = 0; k < MOST_TRIES && !holds; k++, more *= 2) {
    *kappa = FewDigits(PetscMax(lambda, 0) * (1 + more) + (2 + (PetscReal)f * (more - 1e-3)) * error + PSD_TINY);
    Subtract(f, *kappa, diagonal, A);
    PetscCall(PsdIsDefinite(f, A, norm, error, &holds));
  }
  if (!holds) *kappa = PsdRoundUp(norm + error);
  PetscCall(PetscFree(diagonal));
  PetscFunctionReturn(0);
}

static PetscErrorCode ByFactorization(Kappa *it, PetscReal *lambda)
{
  PetscFunctionBeginUser;
  PetscReal error, *A = NULL;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  const PetscMPIInt owner = (PetscMPIInt)(it->g % ranks);
  if (rank == owner) PetscCall(PetscMalloc1((size_t)it->f * it->f, &A));
  PetscCall(Gather(it, owner, A));
  PetscCall(GramError(it, &error));
  if (rank == owner) {
    Mirror(it->f, A);
    PetscCall(ProveLargest(it->f, A, PsdRoundUp(error), lambda));
  }
  PetscCall(PetscFree(A));
  PetscCallMPI(MPI_Bcast(lambda, 1, MPIU_REAL, owner, it->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ByNorm(Kappa *it, PetscReal *lambda)
{
  PetscFunctionBeginUser;
  PetscReal squares = 0, error;
  for (PetscInt first = 0; first < it->f; first += SomeColumns(it)) {
    PetscCall(SumOverSamples(it, first, PetscMin(SomeColumns(it), it->f - first)));
    const size_t count = (size_t)it->f * it->columns;
    PetscCall(PsdSumArray(it->comm, MPI_FLOAT, count, it->G));
    squares += SquareSingle(it->f * it->columns, it->G);
  }
  PetscCall(GramError(it, &error));
  *lambda = PsdRoundUp(PetscSqrtReal(squares) * (1 + PsdRoundings((PetscReal)it->f)) + error);
  PetscCallMPI(MPI_Bcast(lambda, 1, MPIU_REAL, 0, it->comm));
  PetscFunctionReturn(0);
}

/* V in single precision. Its rounding is in CountErrors. */
static PetscErrorCode Allocate(Kappa *it, const PetscReal V[])
{
  PetscFunctionBeginUser;
  const size_t f = (size_t)it->f, K = (size_t)it->K;
  PetscCall(PetscMalloc5(f * K, &it->V, f * SomeColumns(it), &it->G, f * PSD_PRODUCT_ROWS, &it->y, K * PSD_PRODUCT_ROWS,
                         &it->z, PSD_PRODUCT_ROWS, &it->error));
  for (size_t k = 0; k < K; k++) it->V_longest = PetscMax(it->V_longest, PsdNormBound(it->f, V + k * f));
  for (size_t k = 0; k < f * K; k++) it->V[k] = (float)V[k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdKappaProve(MPI_Comm comm, PsdPatchMatrix patches, const PsdCoordinates *basis, PsdKappaKind kind,
                             PetscReal *kappa)
{
  PetscFunctionBeginUser;
  PetscReal lambda = 0;
  Kappa it = {.comm = comm, .patches = patches, .basis = basis, .g = basis->g, .f = basis->f, .K = basis->K};
  it.half = (PetscBool)(kind == PSD_KAPPA_AUTO ? it.f <= LARGE : kind == PSD_KAPPA_FACTOR);
  PetscCall(Allocate(&it, basis->V));
  if (it.half) PetscCall(ByFactorization(&it, &lambda));
  else PetscCall(ByNorm(&it, &lambda));
  const PetscReal root =
      PetscSqrtReal(lambda) + PetscSqrtReal(it.errors * (1 + PsdRoundings(PSD_PRODUCT_ROWS * it.products + 16)));
  *kappa = ldexp(PsdRoundUp(root * root), 2 * basis->exponent);
  if (!(*kappa <= PETSC_MAX_REAL)) *kappa = INFINITY;
  PetscCall(PetscFree5(it.V, it.G, it.y, it.z, it.error));
  PetscFunctionReturn(0);
}
