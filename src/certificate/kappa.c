/*
   kappa >= ||X w||^2/||w||^2 for all w with V'w = 0 (docs/mathematics.md, section 3, "Polar by Schur complement").

   Whatever C is, w'(VC' + CV')w = 0 for these w. So with G = X'X and A = G - VC' - CV' the largest eigenvalue of A is such a
   kappa, and C = GV - V(V'GV)/2 makes A = (I - VV')G(I - VV') as far as V is orthonormal. What is claimed is proved: kappa I - A has
   a Cholesky factor with all that rounding may have done to A taken off its diagonal (cone/polar_proof.c). Columns of G are made
   some at a time, and one rank has all of them. Where that is too much, kappa is ||A||_F.
*/
#include "kappa.h"
#include "base/base.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "cone/blocks.h"
#include "cone/polar_proof.h"
#include <petscblaslapack.h>
#include <slepceps.h>

#define LARGE 16384 /* the largest f of which a rank has f x f numbers */

PetscInt PsdKappaNumbers = 1 << 24;

typedef struct {
  MPI_Comm comm;
  PsdPatchMatrix patches;
  PetscInt g, f, K;
  const PetscReal *V;
  PetscReal *C;     /* f x K */
  PetscReal *A;     /* f x columns, by columns; of G the upper triangle where `half` */
  PetscReal *XV;    /* K x PSD_PRODUCT_ROWS */
  PetscInt first;   /* of the columns of G that are made, ... */
  PetscInt columns; /* ... and how many */
  PetscBool half;
  PetscReal squares, products; /* ||X||_F^2, and how many products were added up on this rank */
} Kappa;

/* ---------------------------------------------------------------- sums over the patches */

/* Columns of G += those of x'x, `rows` patches; with `half` what is above the diagonal by a product, and the square on it. */
static PetscErrorCode AddGram(Kappa *it, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt f, columns, above, count;
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->columns, &columns));
  PetscCall(PetscBLASIntCast(it->half ? it->first : it->f, &above));
  PetscCall(PetscBLASIntCast(rows, &count));
  if (above > 0)
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "T", &above, &columns, &count, &one, x, &f, x + it->first, &f, &one, it->A, &f));
  if (it->half)
    PetscCallBLAS("BLASsyrk",
                  BLASsyrk_("U", "N", &columns, &count, &one, x + it->first, &f, &one, it->A + it->first, &f));
  PetscCall(PetscLogFlops((2.0 * above + (it->half ? columns : 0)) * rows * (PetscLogDouble)columns));
  PetscFunctionReturn(0);
}

/* C += x'(x V) */
static PetscErrorCode AddGramTimesBasis(Kappa *it, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt f, K, count;
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->K, &K));
  PetscCall(PetscBLASIntCast(rows, &count));
  PetscCall(PsdProductTransposed(it->K, rows, it->f, it->V, x, it->K, it->XV));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &f, &K, &count, &one, x, &f, it->XV, &K, &one, it->C, &f));
  PetscCall(PetscLogFlops(2.0 * rows * f * (PetscLogDouble)K));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Kappa *it = context;
  const PetscInt *patches;
  (void)first;
  if (g != it->g) PetscFunctionReturn(0);
  PsdPatchMatrixGetSizes(it->patches, NULL, NULL, &patches, NULL);
  for (PetscInt rows = count * patches[g], some; rows > 0; rows -= some, x += (size_t)some * it->f) {
    some = PetscMin(PSD_PRODUCT_ROWS, rows);
    if (it->columns > 0) PetscCall(AddGram(it, some, x));
    else if (it->K > 0) PetscCall(AddGramTimesBasis(it, some, x));
    it->squares += PsdSquare(some * it->f, x) + (PetscReal)some * (PetscReal)it->f * PSD_TINY;
    it->products++;
  }
  PetscFunctionReturn(0);
}

/* A <- this rank's part of columns first, first + 1, ... of G; columns = 0: C <- that of G V instead. */
static PetscErrorCode SumOverSamples(Kappa *it, PetscInt first, PetscInt columns)
{
  PetscFunctionBeginUser;
  it->first = first;
  it->columns = columns;
  it->squares = it->products = 0;
  PetscCall(PetscArrayzero(columns > 0 ? it->A : it->C, (size_t)it->f * (columns > 0 ? columns : it->K)));
  PetscCall(PsdPatchMatrixPass(it->patches, AddTile, it));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &it->squares, 1, MPIU_REAL, MPI_SUM, it->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &it->products, 1, MPIU_REAL, MPI_MAX, it->comm));
  PetscFunctionReturn(0);
}

/* Columns of G that are made at a time. */
static PetscInt SomeColumns(const Kappa *it)
{
  return PetscMin(it->f, PsdKappaNumbers / it->f + 1);
}

/* G <- all of it, its upper triangle, on the rank `owner`; elsewhere it is not looked at. */
static PetscErrorCode Gather(Kappa *it, PetscMPIInt owner, PetscReal G[])
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, count;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  for (PetscInt first = 0; first < it->f; first += SomeColumns(it)) {
    PetscCall(SumOverSamples(it, first, PetscMin(SomeColumns(it), it->f - first)));
    PetscCall(PetscMPIIntCast(it->f * it->columns, &count));
    PetscCallMPI(MPI_Reduce(it->A, rank == owner ? G + (size_t)first * it->f : NULL, count, MPIU_REAL, MPI_SUM, owner,
                            it->comm));
  }
  PetscFunctionReturn(0);
}

/* A bound of ||computed G - X'X||_F: terms of Frobenius norm ||x||^2, with the roundings of a product of PSD_PRODUCT_ROWS,
   of the sum of products, and of that over ranks. */
static PetscErrorCode GramError(const Kappa *it, PetscReal *error)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  *error = PsdRoundings(PSD_PRODUCT_ROWS + 2 + it->products + (PetscReal)ranks) * it->squares +
           (PetscReal)it->f * (PetscReal)it->f * it->products * PSD_PRODUCT_ROWS * PSD_TINY;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the deflated matrix */

/* C <- H - V (V'H)/2, H = G V, which is in C */
static PetscErrorCode MakeC(Kappa *it)
{
  PetscFunctionBeginUser;
  const PetscReal half = -0.5, one = 1;
  PetscReal *product;
  PetscBLASInt f, K;
  if (it->K == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->K, &K));
  PetscCall(PetscMalloc1((size_t)it->K * it->K, &product));
  PetscCall(PsdProductTransposed(it->K, it->K, it->f, it->V, it->C, it->K, product));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &f, &K, &K, &half, it->V, &f, product, &K, &one, it->C, &f));
  PetscCall(PetscFree(product));
  PetscFunctionReturn(0);
}

/* G <- G - VC' - CV' in its upper triangle */
static PetscErrorCode Deflate(Kappa *it, PetscReal G[])
{
  PetscFunctionBeginUser;
  const PetscReal minus = -1, one = 1, zero = 0;
  PetscBLASInt f, K;
  if (it->K == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->K, &K));
  PetscCallBLAS("BLASsymm", BLASsymm_("L", "U", &f, &K, &one, G, &f, it->V, &f, &zero, it->C, &f));
  PetscCall(MakeC(it));
  PetscCallBLAS("BLASsyr2k", BLASsyr2k_("U", "N", &f, &K, &minus, it->V, &f, it->C, &f, &one, G, &f));
  PetscCall(PetscLogFlops(6.0 * it->f * it->f * (PetscLogDouble)it->K));
  PetscFunctionReturn(0);
}

/* A <- those of its columns */
static PetscErrorCode DeflateColumns(Kappa *it)
{
  PetscFunctionBeginUser;
  const PetscReal minus = -1, one = 1;
  PetscBLASInt f, K, columns;
  if (it->K == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->K, &K));
  PetscCall(PetscBLASIntCast(it->columns, &columns));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "T", &f, &columns, &K, &minus, it->V, &f, it->C + it->first, &f, &one, it->A, &f));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "T", &f, &columns, &K, &minus, it->C, &f, it->V + it->first, &f, &one, it->A, &f));
  PetscFunctionReturn(0);
}

/* Of the two products and their sum: 2 K terms. G_norm: of G. */
static PetscReal DeflationError(const Kappa *it, PetscReal G_norm)
{
  const PetscReal V = PsdNormBound(it->f * it->K, it->V), C = PsdNormBound(it->f * it->K, it->C);
  return PsdRoundings(2 * (PetscReal)it->K + 4) * (G_norm + 2 * V * C) +
         (PetscReal)it->f * (PetscReal)it->f * (2 * (PetscReal)it->K + 1) * PSD_TINY;
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
  PetscCall(EPSSetDimensions(eps, 1, PetscMin(f, 48), PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(eps, 1e-3, 50));
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
    *kappa = FewDigits(PetscMax(lambda, 0) * (1 + more) + (4 + (PetscReal)f * more) * error + PSD_TINY);
    Subtract(f, *kappa, diagonal, A);
    PetscCall(PsdIsDefinite(f, A, norm, error, &holds));
  }
  if (!holds) *kappa = PsdRoundUp(norm + error);
  PetscCall(PetscFree(diagonal));
  PetscFunctionReturn(0);
}

static PetscErrorCode ByFactorization(Kappa *it, PetscReal *kappa)
{
  PetscFunctionBeginUser;
  PetscReal error, *G = NULL;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  const PetscMPIInt owner = (PetscMPIInt)(it->g % ranks);
  if (rank == owner) PetscCall(PetscMalloc1((size_t)it->f * it->f, &G));
  PetscCall(Gather(it, owner, G));
  PetscCall(GramError(it, &error));
  if (rank == owner) {
    PetscCall(Deflate(it, G));
    Mirror(it->f, G);
    /* the trace of X'X is not below its norm */
    PetscCall(ProveLargest(it->f, G, PsdRoundUp(error + DeflationError(it, it->squares + error)), kappa));
  }
  PetscCall(PetscFree(G));
  PetscCallMPI(MPI_Bcast(kappa, 1, MPIU_REAL, owner, it->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ByNorm(Kappa *it, PetscReal *kappa)
{
  PetscFunctionBeginUser;
  PetscReal squares = 0, error;
  PetscCall(SumOverSamples(it, 0, 0));
  PetscCall(PsdSumArray(it->comm, MPIU_REAL, (size_t)it->f * it->K, it->C));
  PetscCall(MakeC(it));
  for (PetscInt first = 0; first < it->f; first += SomeColumns(it)) {
    PetscCall(SumOverSamples(it, first, PetscMin(SomeColumns(it), it->f - first)));
    PetscCall(PsdSumArray(it->comm, MPIU_REAL, (size_t)it->f * it->columns, it->A));
    PetscCall(DeflateColumns(it));
    const PetscReal norm = PsdNormBound(it->f * it->columns, it->A);
    squares += norm * norm;
  }
  PetscCall(GramError(it, &error));
  *kappa = PsdRoundUp(PetscSqrtReal(squares) * (1 + PsdRoundings((PetscReal)it->f)) + error +
                      DeflationError(it, it->squares + error));
  PetscCallMPI(MPI_Bcast(kappa, 1, MPIU_REAL, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdKappaProve(MPI_Comm comm, PsdPatchMatrix patches, PetscInt g, PetscInt K, const PetscReal V[],
                             PsdKappaKind kind, PetscReal *kappa)
{
  PetscFunctionBeginUser;
  const PetscInt *f;
  PsdPatchMatrixGetSizes(patches, NULL, NULL, NULL, &f);
  Kappa it = {.comm = comm, .patches = patches, .g = g, .f = f[g], .K = K, .V = V};
  it.half = (PetscBool)(kind == PSD_KAPPA_AUTO ? it.f <= LARGE : kind == PSD_KAPPA_FACTOR);
  PetscCall(PetscMalloc3((size_t)it.f * K, &it.C, (size_t)it.f * SomeColumns(&it), &it.A, (size_t)K * PSD_PRODUCT_ROWS,
                         &it.XV));
  if (it.half) PetscCall(ByFactorization(&it, kappa));
  else PetscCall(ByNorm(&it, kappa));
  if (!(*kappa <= PETSC_MAX_REAL)) *kappa = INFINITY;
  PetscCall(PetscFree3(it.C, it.A, it.XV));
  PetscFunctionReturn(0);
}
