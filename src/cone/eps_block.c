/*
   An EPS type: block Krylov with Rayleigh-Ritz (generalised Davidson without preconditioner), for all positive eigenvalues.

   The space grows by the residuals of the wanted vectors and is restarted with the best of it. Products A V with all of them at
   once read A once, which is what a product costs. Ritz values are never above the eigenvalues of the same number, so that more
   than nev positive ones end the search at once. It also ends when the errors of all positive pairs together are below the
   tolerance and the first one not wanted stays on its side of zero. A few random vectors are in every start space, so that the
   search itself finds what is new.

   Each rank has its rows of all vectors. What is decided upon is a sum over ranks or what rank 0 has found, so that all of them
   go the same way.
*/
#include "eps_block.h"
#include "base/base.h"
#include "base/eigen.h"
#include <petscblaslapack.h>
#include <slepc/private/epsimpl.h>

#define GUARDS PSD_EPS_BLOCK_GUARDS
#define RANDOM 2        /* new start vectors every time */
#define CANCELLED 1e-4  /* columns that orthonormalisation shrinks to less have lost digits that matter */
#define DEPENDENT 1e-13 /* eigenvalues of a Gram matrix below this of the largest one are rounding */
#define ROUNDS 40       /* products before a complete decomposition is cheaper */

typedef struct {
  MPI_Comm comm;
  PetscBool alone;        /* one rank has all rows */
  PetscInt d, rows, most; /* order, rows here, and vectors that the space has room for */
  PsdEigen eigen;
  PetscReal *Q, *AQ;        /* rows x most: orthonormal basis, A times it */
  PetscReal *U, *AU;        /* rows x most: Ritz vectors and their products */
  PetscReal *H, *Y, *theta; /* most x most, most */
  PetscReal *triangle;      /* most x most */
  PetscReal *residual;      /* most: norms */
  PetscInt size;            /* of the space now */
  PetscInt given;           /* start vectors that are in Q */
  Mat A;
  PsdBlockProduct product; /* NULL: vector by vector */
} Block;

/* ---------------------------------------------------------------- the space */

/* C (rows x columns) = scale op(A) B + add C, all by columns */
static PetscErrorCode Product(const char transpose[], PetscInt rows, PetscInt columns, PetscInt inner, PetscReal scale,
                              const PetscReal *A, PetscInt lda, const PetscReal *B, PetscInt ldb, PetscReal add,
                              PetscReal *C, PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscBLASInt m = (PetscBLASInt)rows, n = (PetscBLASInt)columns, k = (PetscBLASInt)inner;
  const PetscBLASInt a = (PetscBLASInt)PetscMax(1, lda), b = (PetscBLASInt)PetscMax(1, ldb);
  const PetscBLASInt c = (PetscBLASInt)PetscMax(1, ldc);
  if (rows == 0 || columns == 0) PetscFunctionReturn(0);
  PetscCallBLAS("BLASgemm", BLASgemm_(transpose, "N", &m, &n, &k, &scale, A, &a, B, &b, &add, C, &c));
  PetscCall(PetscLogFlops(2.0 * rows * (PetscLogDouble)columns * inner));
  PetscFunctionReturn(0);
}

/* Sums over ranks, of `count` numbers. */
static PetscErrorCode Sum(const Block *it, size_t count, PetscReal numbers[])
{
  PetscFunctionBeginUser;
  if (!it->alone) PetscCall(PsdSumArray(it->comm, MPIU_REAL, count, numbers));
  PetscFunctionReturn(0);
}

/* triangle (size x count by columns) <- Q'W, of the first `size` vectors of the basis. */
static PetscErrorCode Coefficients(Block *it, PetscInt size, PetscInt count, const PetscReal *W)
{
  PetscFunctionBeginUser;
  PetscCall(Product("T", size, count, it->rows, 1, it->Q, it->rows, W, it->rows, 0, it->triangle, size));
  PetscCall(Sum(it, (size_t)size * (size_t)count, it->triangle));
  PetscFunctionReturn(0);
}

static PetscReal SquareOf(PetscInt rows, const PetscReal w[])
{
  PetscReal square = 0;
  for (PetscInt i = 0; i < rows; i++) square += w[i] * w[i];
  return square;
}

/* Columns of norm 1; those of norm `least` or below are dropped: what is left of them is rounding. */
static PetscErrorCode NormalizeColumns(Block *it, PetscInt *count, PetscReal *W, PetscReal least)
{
  PetscFunctionBeginUser;
  const PetscInt rows = it->rows;
  PetscInt kept = 0;
  for (PetscInt k = 0; k < *count; k++) it->residual[k] = SquareOf(rows, W + (size_t)k * rows);
  PetscCall(Sum(it, *count, it->residual));
  for (PetscInt k = 0; k < *count; k++) {
    const PetscReal *from = W + (size_t)k * rows, norm = PetscSqrtReal(it->residual[k]);
    PetscReal *to = W + (size_t)kept * rows;
    if (!(norm > least)) continue;
    for (PetscInt i = 0; i < rows; i++) to[i] = from[i] / norm;
    kept++;
  }
  *count = kept;
  PetscFunctionReturn(0);
}

/* Eigenpairs of the Gram matrix of W's columns, ascending, in residual and triangle (count x count); alike on all ranks. */
static PetscErrorCode DecomposeGram(Block *it, PetscInt count, const PetscReal *W)
{
  PetscFunctionBeginUser;
  PetscCall(Product("T", count, count, it->rows, 1, W, it->rows, W, it->rows, 0, it->triangle, count));
  PetscCall(Sum(it, (size_t)count * (size_t)count, it->triangle));
  PetscCall(PsdEigenSolveUpTo(it->eigen, count, it->triangle, it->residual));
  if (it->alone) PetscFunctionReturn(0);
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)count, it->residual));
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)count * (size_t)count, it->triangle));
  PetscFunctionReturn(0);
}

/* W <- an orthonormal basis of its columns (of norm 1), W V Lambda^(-1/2) with W'W = V Lambda V', twice; what depends on other
   columns is dropped. *least: what was left of a direction that was not. U is overwritten. */
static PetscErrorCode OrthonormalizeBlock(Block *it, PetscReal *W, PetscInt *count, PetscReal *least)
{
  PetscFunctionBeginUser;
  *least = 1;
  for (int pass = 0; pass < 2 && *count > 0; pass++) {
    const PetscInt columns = *count;
    PetscInt dropped = 0;
    PetscCall(DecomposeGram(it, columns, W));
    while (dropped < columns && !(it->residual[dropped] > DEPENDENT * it->residual[columns - 1])) dropped++;
    *count = columns - dropped;
    if (*count == 0) break;
    *least = PetscMin(*least, PetscSqrtReal(it->residual[dropped]));
    PetscReal *V = it->triangle + (size_t)dropped * (size_t)columns;
    for (PetscInt k = 0; k < *count; k++)
      for (PetscInt i = 0; i < columns; i++)
        V[(size_t)k * (size_t)columns + (size_t)i] /= PetscSqrtReal(it->residual[dropped + k]);
    PetscCall(Product("N", it->rows, *count, columns, 1, W, it->rows, V, columns, 0, it->U, it->rows));
    PetscCall(PetscArraycpy(W, it->U, (size_t)it->rows * (size_t)*count));
  }
  PetscFunctionReturn(0);
}

/* W <- its columns less their components along the basis, of norm 1 again; those that have nothing else are dropped. */
static PetscErrorCode ProjectOut(Block *it, PetscReal *W, PetscInt *count)
{
  PetscFunctionBeginUser;
  const PetscInt rows = it->rows, size = it->size;
  PetscCall(Coefficients(it, size, *count, W));
  PetscCall(Product("N", rows, *count, size, -1, it->Q, rows, it->triangle, size, 1, W, rows));
  PetscCall(NormalizeColumns(it, count, W, 1e-10));
  PetscFunctionReturn(0);
}

/* AW = A W */
static PetscErrorCode Multiply(EPS eps, PetscInt count, PetscReal *W, PetscReal *AW)
{
  PetscFunctionBeginUser;
  const Block *it = eps->data;
  if (it->product) {
    PetscCall((*it->product)(it->A, count, W, AW));
    PetscFunctionReturn(0);
  }
  for (PetscInt k = 0; k < count; k++) {
    PetscCall(VecPlaceArray(eps->work[0], W + (size_t)k * it->rows));
    PetscCall(VecPlaceArray(eps->work[1], AW + (size_t)k * it->rows));
    PetscCall(MatMult(it->A, eps->work[0], eps->work[1]));
    PetscCall(VecResetArray(eps->work[0]));
    PetscCall(VecResetArray(eps->work[1]));
  }
  PetscFunctionReturn(0);
}

/* Appends the `count` vectors behind the basis, orthonormal to it and to each other, with their products. */
static PetscErrorCode Extend(EPS eps, PetscInt count)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  const PetscInt size = it->size;
  PetscReal *W = it->Q + (size_t)size * it->rows, *AW = it->AQ + (size_t)size * it->rows;
  PetscReal least;
  PetscCall(NormalizeColumns(it, &count, W, 0));
  for (int pass = 0; pass < 2; pass++) PetscCall(ProjectOut(it, W, &count));
  PetscCall(OrthonormalizeBlock(it, W, &count, &least));
  /* what little there was along the basis has grown as much as columns have shrunk */
  if (least < CANCELLED) PetscCall(ProjectOut(it, W, &count));
  if (count == 0) PetscFunctionReturn(0);
  PetscCall(Multiply(eps, count, W, AW));
  /* H's new columns; its upper triangle is what dsyevd reads */
  PetscCall(Coefficients(it, size + count, count, AW));
  it->size += count;
  for (PetscInt k = 0; k < count; k++)
    PetscCall(PetscArraycpy(it->H + (size_t)(size + k) * it->most, it->triangle + (size_t)k * it->size, it->size));
  PetscFunctionReturn(0);
}

/* theta descending and Y: eigenpairs of H */
static PetscErrorCode RayleighRitz(Block *it)
{
  PetscFunctionBeginUser;
  const PetscInt n = it->size, most = it->most;
  for (PetscInt k = 0; k < n; k++) PetscCall(PetscArraycpy(it->triangle + (size_t)k * n, it->H + (size_t)k * most, n));
  PetscCall(PsdEigenSolveUpTo(it->eigen, n, it->triangle, it->theta));
  for (PetscInt k = 0; k < n; k++)
    PetscCall(PetscArraycpy(it->Y + (size_t)k * most, it->triangle + (size_t)(n - 1 - k) * n, n));
  for (PetscInt k = 0; k < n / 2; k++) {
    const PetscReal swap = it->theta[k];
    it->theta[k] = it->theta[n - 1 - k];
    it->theta[n - 1 - k] = swap;
  }
  if (it->alone) PetscFunctionReturn(0);
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, n, it->theta));
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)most * (size_t)n, it->Y));
  PetscFunctionReturn(0);
}

/* U, AU <- the first `count` Ritz vectors; residual norms */
static PetscErrorCode RitzVectors(Block *it, PetscInt count)
{
  PetscFunctionBeginUser;
  const PetscInt rows = it->rows;
  PetscCall(Product("N", rows, count, it->size, 1, it->Q, rows, it->Y, it->most, 0, it->U, rows));
  PetscCall(Product("N", rows, count, it->size, 1, it->AQ, rows, it->Y, it->most, 0, it->AU, rows));
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *u = it->U + (size_t)k * rows, *au = it->AU + (size_t)k * rows;
    PetscReal square = 0;
    for (PetscInt i = 0; i < rows; i++) square += (au[i] - it->theta[k] * u[i]) * (au[i] - it->theta[k] * u[i]);
    it->residual[k] = square;
  }
  PetscCall(Sum(it, count, it->residual));
  for (PetscInt k = 0; k < count; k++) it->residual[k] = PetscSqrtReal(it->residual[k]);
  PetscFunctionReturn(0);
}

/* The space becomes that of the first `count` Ritz vectors. */
static PetscErrorCode Restart(Block *it, PetscInt count)
{
  PetscFunctionBeginUser;
  const size_t numbers = (size_t)it->rows * (size_t)count;
  PetscCall(PetscArraycpy(it->Q, it->U, numbers));
  PetscCall(PetscArraycpy(it->AQ, it->AU, numbers));
  for (PetscInt k = 0; k < count; k++)
    for (PetscInt l = 0; l <= k; l++) it->H[(size_t)k * it->most + l] = k == l ? it->theta[k] : 0;
  it->size = count;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the search */

/* `count` random vectors behind the first `begin` ones of Q */
static PetscErrorCode AddRandom(EPS eps, PetscInt begin, PetscInt count)
{
  PetscFunctionBeginUser;
  const Block *it = eps->data;
  PetscReal *W = it->Q + (size_t)begin * it->rows;
  PetscRandom random;
  PetscCall(BVGetRandomContext(eps->V, &random));
  for (size_t k = 0; k < (size_t)count * it->rows; k++) PetscCall(PetscRandomGetValueReal(random, &W[k]));
  PetscFunctionReturn(0);
}

/* Start vectors that there is room for beside the random ones. */
static PetscInt MostGiven(EPS eps)
{
  const Block *it = eps->data;
  return PetscMax(0, PetscMin(it->most - RANDOM, eps->nev + GUARDS));
}

PetscErrorCode PsdEpsBlockSetStart(EPS eps, PetscInt count, const PetscReal start[])
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  it->given = PetscMin(count, MostGiven(eps));
  PetscCall(PetscArraycpy(it->Q, start, (size_t)it->rows * it->given));
  PetscFunctionReturn(0);
}

/* SLEPc has orthonormalised what it was given by EPSSetInitialSpace, into the first columns of V. */
static PetscErrorCode TakeInitialSpace(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  it->given = PetscMin(eps->nini, MostGiven(eps));
  for (PetscInt k = 0; k < it->given; k++) {
    PetscCall(VecPlaceArray(eps->work[0], it->Q + (size_t)k * it->rows));
    PetscCall(BVCopyVec(eps->V, k, eps->work[0]));
    PetscCall(VecResetArray(eps->work[0]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  if (it->given == 0 && eps->nini > 0) PetscCall(TakeInitialSpace(eps));
  const PetscInt random = PetscMin(RANDOM, it->d - it->given);
  PetscCall(AddRandom(eps, it->given, random));
  it->size = 0;
  PetscCall(Extend(eps, it->given + random));
  it->given = 0;
  PetscFunctionReturn(0);
}

/* Whether the positive pairs and the sign change are known well enough. */
static PetscBool Settled(const Block *it, PetscInt positive, PetscInt looked_at, PetscReal tolerance)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < positive; k++) square += it->residual[k] * it->residual[k];
  if (PetscSqrtReal(2 * square) > tolerance) return PETSC_FALSE;
  if (it->size == it->d) return PETSC_TRUE; /* all there is */
  /* the first one not wanted stays on its side of zero */
  return (PetscBool)(positive < looked_at && it->theta[positive] + it->residual[positive] <= tolerance);
}

/* What a residual may be of the tolerance of all. */
static PetscReal Share(EPS eps, PetscInt positive)
{
  return eps->tol / (4 * PetscSqrtReal((PetscReal)PetscMax(1, positive)));
}

/* What a monitor is shown. */
static PetscErrorCode Tell(EPS eps, PetscInt positive, PetscInt looked_at)
{
  PetscFunctionBeginUser;
  const Block *it = eps->data;
  for (PetscInt k = 0; k < looked_at; k++) {
    eps->eigr[k] = it->theta[k];
    PetscCall((*eps->converged)(eps, eps->eigr[k], eps->eigi[k], it->residual[k], &eps->errest[k], eps->convergedctx));
  }
  eps->nconv = 0;
  while (eps->nconv < positive && it->residual[eps->nconv] <= Share(eps, positive)) eps->nconv++;
  PetscCall(EPSMonitor(eps, eps->its, eps->nconv, eps->eigr, eps->eigi, eps->errest, looked_at));
  PetscFunctionReturn(0);
}

static PetscErrorCode RestartIfLong(Block *it, PetscInt looked_at)
{
  PetscFunctionBeginUser;
  /* Rayleigh-Ritz in eight blocks costs about what a product costs */
  const PetscInt limit = PetscMin(it->most, PetscMax(8 * looked_at, 48));
  if (it->size + looked_at <= limit || it->size == it->d) PetscFunctionReturn(0);
  /* what is thrown away is the far side of the spectrum */
  const PetscInt keep = PetscMax(1, PetscMin(it->size, PetscMin(2 * looked_at, limit - looked_at)));
  PetscCall(RitzVectors(it, keep));
  PetscCall(Restart(it, keep));
  PetscFunctionReturn(0);
}

/* Adds the residuals that are larger than their share of the tolerance. */
static PetscErrorCode Grow(EPS eps, PetscInt positive, PetscInt looked_at)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  const PetscInt rows = it->rows;
  PetscReal *W = it->Q + (size_t)it->size * rows;
  const PetscReal share = Share(eps, positive);
  const PetscInt before = it->size;
  PetscInt count = 0;
  for (PetscInt k = 0; k < looked_at && it->size + count < it->most; k++) {
    if (it->residual[k] <= share && k < positive) continue;
    const PetscReal *u = it->U + (size_t)k * rows, *au = it->AU + (size_t)k * rows;
    for (PetscInt i = 0; i < rows; i++) W[(size_t)count * rows + i] = au[i] - it->theta[k] * u[i];
    count++;
  }
  PetscCall(Extend(eps, count));
  if (it->size > before) PetscFunctionReturn(0);
  /* an invariant space: only something new can show whether there is more */
  const PetscInt some = PetscMin(RANDOM, PetscMin(it->most, it->d) - it->size);
  PetscCall(AddRandom(eps, it->size, some));
  PetscCall(Extend(eps, some));
  if (it->size == before) eps->reason = EPS_DIVERGED_BREAKDOWN;
  PetscFunctionReturn(0);
}

/* The first `count` Ritz vectors, to where SLEPc looks for eigenvectors. */
static PetscErrorCode Leave(EPS eps, PetscInt count)
{
  PetscFunctionBeginUser;
  const Block *it = eps->data;
  for (PetscInt k = 0; k < count; k++) {
    PetscCall(VecPlaceArray(eps->work[0], it->U + (size_t)k * it->rows));
    PetscCall(BVInsertVec(eps->V, k, eps->work[0]));
    PetscCall(VecResetArray(eps->work[0]));
  }
  eps->nconv = count;
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  PetscInt looked_at = 0;
  PetscCall(STGetMatrix(eps->st, 0, &it->A));
  PetscCall(PetscObjectQueryFunction((PetscObject)it->A, PSD_BLOCK_PRODUCT, &it->product));
  PetscCall(Start(eps));
  while (eps->reason == EPS_CONVERGED_ITERATING) {
    PetscInt positive = 0;
    eps->its++;
    PetscCall(RayleighRitz(it));
    while (positive < it->size && it->theta[positive] > 0) positive++;
    if (positive > eps->nev) {
      eps->reason = EPS_DIVERGED_BREAKDOWN;
      break;
    }
    looked_at = PetscMin(positive + GUARDS, it->size);
    PetscCall(RitzVectors(it, looked_at));
    PetscCall(Tell(eps, positive, looked_at));
    if (Settled(it, positive, looked_at, eps->tol)) {
      eps->reason = EPS_CONVERGED_TOL;
    } else if (eps->its >= eps->max_it) {
      eps->reason = EPS_DIVERGED_ITS;
    } else {
      PetscCall(RestartIfLong(it, looked_at));
      PetscCall(Grow(eps, positive, looked_at));
    }
  }
  PetscCall(Leave(eps, eps->reason > 0 ? looked_at : 0));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the type */

static PetscErrorCode Reset(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  PetscCall(PsdEigenDestroy(&it->eigen));
  PetscCall(PetscFree4(it->Q, it->AQ, it->U, it->AU));
  PetscCall(PetscFree5(it->H, it->Y, it->theta, it->triangle, it->residual));
  it->d = it->rows = it->most = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode Reserve(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  PetscMPIInt ranks;
  if (it->d == eps->n && it->rows == eps->nloc && it->most == eps->ncv) PetscFunctionReturn(0);
  PetscCall(Reset(eps));
  it->comm = PetscObjectComm((PetscObject)eps);
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  it->alone = (PetscBool)(ranks == 1);
  it->d = eps->n;
  it->rows = eps->nloc;
  it->most = eps->ncv;
  const size_t rows = it->rows, most = it->most;
  PetscCall(PsdEigenCreate(it->most, &it->eigen));
  PetscCall(PetscMalloc4(rows * most, &it->Q, rows * most, &it->AQ, rows * most, &it->U, rows * most, &it->AU));
  PetscCall(PetscMalloc5(most * most, &it->H, most * most, &it->Y, most, &it->theta, most * most, &it->triangle, most,
                         &it->residual));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it = eps->data;
  const MPI_Comm comm = PetscObjectComm((PetscObject)eps);
  EPSCheckHermitianDefinite(eps);
  EPSCheckStandard(eps);
  EPSCheckUnsupported(eps, EPS_FEATURE_ARBITRARY | EPS_FEATURE_REGION | EPS_FEATURE_EXTRACTION | EPS_FEATURE_STOPPING |
                               EPS_FEATURE_TWOSIDED);
  EPSCheckIgnored(eps, EPS_FEATURE_BALANCE);
  if (!eps->which) eps->which = EPS_LARGEST_REAL;
  PetscCheck(eps->which == EPS_LARGEST_REAL, comm, PETSC_ERR_SUP, "psdblock is for the largest real eigenvalues");
  PetscCheck(eps->nds == 0, comm, PETSC_ERR_SUP, "psdblock takes no deflation space");
  eps->nev = PetscMax(1, eps->nev);
  if (eps->max_it <= 0) eps->max_it = ROUNDS;
  if (eps->ncv <= 0) eps->ncv = 4 * (eps->nev + GUARDS) + 8;
  eps->ncv = PetscMin(eps->n, PetscMax(eps->ncv, eps->nev + GUARDS + RANDOM));
  eps->mpd = eps->ncv;
  PetscCall(EPSAllocateSolution(eps, 0));
  PetscCall(EPSSetWorkVecs(eps, 2));
  PetscCall(Reserve(eps));
  it->given = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUpSort(EPS eps)
{
  PetscFunctionBeginUser;
  eps->sc->comparison = SlepcCompareLargestReal;
  eps->sc->comparisonctx = NULL;
  eps->sc->map = NULL;
  eps->sc->mapobj = NULL;
  PetscFunctionReturn(0);
}

/* The matrix itself was multiplied with, whatever the spectral transformation. */
static PetscErrorCode BackTransform(EPS eps)
{
  PetscFunctionBeginUser;
  (void)eps;
  PetscFunctionReturn(0);
}

static PetscErrorCode View(EPS eps, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PetscBool ascii;
  (void)eps;
  PetscCall(PetscObjectTypeCompare((PetscObject)viewer, PETSCVIEWERASCII, &ascii));
  if (ascii)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  all positive eigenvalues, nev at most, and %d guards\n", GUARDS));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(EPS eps)
{
  PetscFunctionBeginUser;
  PetscCall(Reset(eps));
  PetscCall(PetscFree(eps->data));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(EPS eps)
{
  PetscFunctionBeginUser;
  Block *it;
  PetscCall(PetscNew(&it));
  eps->data = it;
  eps->categ = EPS_CATEGORY_OTHER;
  eps->useds = PETSC_FALSE;
  eps->ops->solve = Solve;
  eps->ops->setup = SetUp;
  eps->ops->setupsort = SetUpSort;
  eps->ops->backtransform = BackTransform;
  eps->ops->view = View;
  eps->ops->reset = Reset;
  eps->ops->destroy = Destroy;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEpsBlockRegister(void)
{
  PetscFunctionBeginUser;
  PetscCall(EPSRegister(PSD_EPS_BLOCK, Create));
  PetscFunctionReturn(0);
}
