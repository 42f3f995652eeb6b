/*
   Eigendecompositions by LAPACK's drivers, one after the other until one succeeds.

   A driver destroys its matrix, also when it fails: the upper triangle is kept for the next one. A matrix of extreme size is
   scaled by a power of two first, which is exact, so that no driver has to; NaN and infinity, on which drivers may not
   even end, are found before.
*/
#include "eigen.h"
#include "base.h"
#include <math.h>
#include <petscblaslapack.h>

#if !defined(PETSC_USE_REAL_DOUBLE) || defined(PETSC_USE_COMPLEX)
#error "psdnet needs a PETSc of real double scalars"
#endif

/* PETSc does not declare these */
#define LAPACKsyevd_ PETSCBLAS(syevd, SYEVD)
BLAS_EXTERN void LAPACKsyevd_(const char *, const char *, const PetscBLASInt *, PetscReal *, const PetscBLASInt *,
                              PetscReal *, PetscReal *, const PetscBLASInt *, PetscBLASInt *, const PetscBLASInt *,
                              PetscBLASInt *);
#define LAPACKsytrd_ PETSCBLAS(sytrd, SYTRD)
BLAS_EXTERN void LAPACKsytrd_(const char *, const PetscBLASInt *, PetscReal *, const PetscBLASInt *, PetscReal *,
                              PetscReal *, PetscReal *, PetscReal *, const PetscBLASInt *, PetscBLASInt *);
#define LAPACKstemr_ PETSCBLAS(stemr, STEMR)
BLAS_EXTERN void LAPACKstemr_(const char *, const char *, const PetscBLASInt *, PetscReal *, PetscReal *,
                              const PetscReal *, const PetscReal *, const PetscBLASInt *, const PetscBLASInt *,
                              PetscBLASInt *, PetscReal *, PetscReal *, const PetscBLASInt *, const PetscBLASInt *,
                              PetscBLASInt *, PetscBLASInt *, PetscReal *, const PetscBLASInt *, PetscBLASInt *,
                              const PetscBLASInt *, PetscBLASInt *);
#define LAPACKormtr_ PETSCBLAS(ormtr, ORMTR)
BLAS_EXTERN void LAPACKormtr_(const char *, const char *, const char *, const PetscBLASInt *, const PetscBLASInt *,
                              const PetscReal *, const PetscBLASInt *, const PetscReal *, PetscReal *,
                              const PetscBLASInt *, PetscReal *, const PetscBLASInt *, PetscBLASInt *);

#define MODERATE 300 /* largest exponent of two of entries whose squares are far from overflow */

struct _p_PsdEigen {
  PetscBLASInt order, lwork, liwork;
  PetscReal *work, *tridiagonal; /* 3 order: diagonal, what is beside it, scales of reflectors */
  PetscBLASInt *iwork, *support;
  PetscReal *kept; /* packed upper triangle of the matrix that is being decomposed */
  PetscInt failures[PSD_EIGEN_RUNGS];
  PetscBool distrusted[PSD_EIGEN_RUNGS];
};

static const char *const drivers[PSD_EIGEN_RUNGS] = {"dstemr", "dsyevd", "dsyev"};

/* ---------------------------------------------------------------- drivers */

/* By a tridiagonal matrix and relatively robust representations. The driver dsyevr takes them for all eigenvalues alone; of
   a range it does bisection and inverse iteration, which at order 49 takes as long as all of this. */
static PetscErrorCode Range(PsdEigen it, PetscBLASInt n, PetscReal low, PetscReal high, PetscReal A[],
                            PetscBLASInt *found, PetscReal lambda[], PetscReal V[], PetscBLASInt *info)
{
  PetscFunctionBeginUser;
  const PetscBLASInt one = 1;
  PetscReal *diagonal = it->tridiagonal, *beside = diagonal + it->order, *scales = beside + it->order;
  PetscBLASInt accurate = 1; /* relatively, where the matrix allows it */
  *found = 0;
  PetscCallBLAS("LAPACKsytrd", LAPACKsytrd_("U", &n, A, &n, diagonal, beside, scales, it->work, &it->lwork, info));
  if (*info != 0) PetscFunctionReturn(0);
  PetscCallBLAS("LAPACKstemr",
                LAPACKstemr_("V", "V", &n, diagonal, beside, &low, &high, &one, &one, found, lambda, V, &n, &n,
                             it->support, &accurate, it->work, &it->lwork, it->iwork, &it->liwork, info));
  if (*info != 0) PetscFunctionReturn(0);
  PetscCallBLAS("LAPACKormtr",
                LAPACKormtr_("L", "U", "N", &n, found, A, &n, scales, V, &n, it->work, &it->lwork, info));
  PetscFunctionReturn(0);
}

static PetscErrorCode Divide(PsdEigen it, PetscBLASInt n, PetscReal A[], PetscReal lambda[], PetscBLASInt *info)
{
  PetscFunctionBeginUser;
  PetscCallBLAS("LAPACKsyevd",
                LAPACKsyevd_("V", "U", &n, A, &n, lambda, it->work, &it->lwork, it->iwork, &it->liwork, info));
  PetscFunctionReturn(0);
}

static PetscErrorCode Qr(PsdEigen it, PetscBLASInt n, PetscReal A[], PetscReal lambda[], PetscBLASInt *info)
{
  PetscFunctionBeginUser;
  PetscCallBLAS("LAPACKsyev", LAPACKsyev_("V", "U", &n, A, &n, lambda, it->work, &it->lwork, info));
  PetscFunctionReturn(0);
}

/* dstemr's, which may not be asked without a matrix: its documentation has them for each number of the order. */
#define RANGE_WORK 18
#define RANGE_INTEGERS 10

/* What the drivers want at this order: the most of them all. */
static PetscErrorCode FindWork(PsdEigen it)
{
  PetscFunctionBeginUser;
  struct _p_PsdEigen query = {.lwork = -1, .liwork = -1};
  PetscReal unused = 0, wanted[4] = {0};
  PetscBLASInt integers[2] = {0}, info;
  const PetscBLASInt n = it->order, ask = -1;
  query.work = &wanted[0];
  query.iwork = &integers[0];
  PetscCall(Divide(&query, n, &unused, &unused, &info));
  query.work = &wanted[1];
  query.iwork = &integers[1];
  PetscCall(Qr(&query, n, &unused, &unused, &info));
  PetscCallBLAS("LAPACKsytrd", LAPACKsytrd_("U", &n, &unused, &n, &unused, &unused, &unused, &wanted[2], &ask, &info));
  PetscCallBLAS("LAPACKormtr",
                LAPACKormtr_("L", "U", "N", &n, &n, &unused, &n, &unused, &unused, &n, &wanted[3], &ask, &info));
  it->lwork = RANGE_WORK * n;
  it->liwork = PetscMax(RANGE_INTEGERS * n, PetscMax(integers[0], integers[1]));
  for (int k = 0; k < 4; k++) it->lwork = PetscMax(it->lwork, (PetscBLASInt)wanted[k]);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  PsdEigen it;
  PetscCall(PetscNew(&it));
  PetscCall(PetscBLASIntCast(order, &it->order));
  PetscCall(FindWork(it));
  PetscCall(PetscMalloc5(it->lwork, &it->work, it->liwork, &it->iwork, 2 * order, &it->support, 3 * order,
                         &it->tridiagonal, (size_t)order * (order + 1) / 2, &it->kept));
  *eigen = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenDestroy(PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  if (!*eigen) PetscFunctionReturn(0);
  PetscCall(PetscFree5((*eigen)->work, (*eigen)->iwork, (*eigen)->support, (*eigen)->tridiagonal, (*eigen)->kept));
  PetscCall(PetscFree(*eigen));
  PetscFunctionReturn(0);
}

PetscInt PsdEigenFailures(PsdEigen eigen, PsdEigenRung rung)
{
  return eigen->failures[rung];
}

void PsdEigenDistrust(PsdEigen eigen, PsdEigenRung rung, PetscBool distrust)
{
  eigen->distrusted[rung] = distrust;
}

/* ---------------------------------------------------------------- the matrix */

PetscReal PsdLargestEntry(PetscInt order, const PetscReal A[])
{
  PetscReal largest = 0, sum = 0; /* a maximum passes over NaN, a sum of zeros and NaN does not */
  for (PetscInt j = 0; j < order; j++, A += order)
    for (PetscInt i = 0; i <= j; i++) {
      largest = PetscMax(largest, PetscAbsReal(A[i]));
      sum += 0 * A[i];
    }
  return largest + sum;
}

PetscBool PsdIsModerate(PetscReal size)
{
  return (PetscBool)(size == 0 || (size > ldexp(1, -MODERATE) && size < ldexp(1, MODERATE)));
}

/* kept <- A times a power of two, and A as well; *exponent: what to undo it by. */
static PetscErrorCode Keep(PsdEigen it, PetscInt n, PetscReal A[], int *exponent)
{
  PetscFunctionBeginUser;
  const PetscReal size = PsdLargestEntry(n, A);
  PetscReal *kept = it->kept;
  *exponent = 0;
  PetscCheck(isfinite(size), PETSC_COMM_SELF, PETSC_ERR_FP,
             "a symmetric matrix of order %" PetscInt_FMT " has NaN or infinity for an entry: numbers have overflowed",
             n);
  if (!PsdIsModerate(size)) (void)frexp(size, exponent);
  for (PetscInt j = 0; j < n; j++, A += n) {
    for (PetscInt i = 0; i <= j && *exponent; i++) A[i] = ldexp(A[i], -*exponent);
    PetscCall(PetscArraycpy(kept, A, j + 1));
    kept += j + 1;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Restore(PsdEigen it, PetscInt n, PetscReal A[])
{
  PetscFunctionBeginUser;
  const PetscReal *kept = it->kept;
  for (PetscInt j = 0; j < n; j++, A += n, kept += j) PetscCall(PetscArraycpy(A, kept, j + 1));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the ladder */

/* Whether a rung's result is to be used; if not, it is counted. */
static PetscErrorCode Judge(PsdEigen it, PsdEigenRung rung, PetscInt n, PetscBLASInt info, PetscBool *done)
{
  PetscFunctionBeginUser;
  *done = (PetscBool)(info == 0 && !it->distrusted[rung]);
  if (*done) PetscFunctionReturn(0);
  it->failures[rung]++;
  PetscCall(PetscInfo(NULL, "%s of order %" PetscInt_FMT " returned %d, failure %" PetscInt_FMT " of it\n",
                      drivers[rung], n, (int)info, it->failures[rung]));
  PetscFunctionReturn(0);
}

/* All eigenvalues of what is kept, which is in A. */
static PetscErrorCode SolveKept(PsdEigen it, PetscInt n, PetscReal A[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  PetscBLASInt info;
  PetscBool done;
  PetscCall(Divide(it, (PetscBLASInt)n, A, lambda, &info));
  PetscCall(Judge(it, PSD_EIGEN_DIVIDE, n, info, &done));
  if (done) PetscFunctionReturn(0);
  PetscCall(Restore(it, n, A));
  PetscCall(Qr(it, (PetscBLASInt)n, A, lambda, &info));
  PetscCall(Judge(it, PSD_EIGEN_QR, n, info, &done));
  PetscCheck(done, PETSC_COMM_SELF, PETSC_ERR_LIB, "No driver of LAPACK decomposes a matrix of order %" PetscInt_FMT,
             n);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenSolveUpTo(PsdEigen it, PetscInt order, PetscReal A[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  int exponent;
  PetscCall(Keep(it, order, A, &exponent));
  PetscCall(SolveKept(it, order, A, lambda));
  for (PetscInt k = 0; k < order && exponent; k++) lambda[k] = ldexp(lambda[k], exponent);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenSolve(PsdEigen eigen, PetscReal A[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdEigenSolveUpTo(eigen, eigen->order, A, lambda));
  PetscFunctionReturn(0);
}

/* Of all eigenvalues, ascending, with vectors A: those in (low, high], to V. */
static PetscErrorCode Select(PetscInt n, PetscReal low, PetscReal high, const PetscReal A[], PetscInt *found,
                             PetscReal lambda[], PetscReal V[])
{
  PetscFunctionBeginUser;
  *found = 0;
  for (PetscInt k = 0; k < n; k++) {
    if (!(lambda[k] > low && lambda[k] <= high)) continue;
    PetscCall(PetscArraycpy(V + (size_t)*found * n, A + (size_t)k * n, n));
    lambda[(*found)++] = lambda[k];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenSolveRange(PsdEigen it, PetscInt n, PetscReal low, PetscReal high, PetscReal A[],
                                  PetscInt *found, PetscReal lambda[], PetscReal V[])
{
  PetscFunctionBeginUser;
  int exponent;
  PetscBLASInt some, info;
  PetscBool done;
  PetscCall(Keep(it, n, A, &exponent));
  low = ldexp(low, -exponent);
  high = ldexp(high, -exponent);
  PetscCall(Range(it, (PetscBLASInt)n, low, high, A, &some, lambda, V, &info));
  PetscCall(Judge(it, PSD_EIGEN_RANGE, n, info, &done));
  *found = some;
  if (!done) {
    PetscCall(Restore(it, n, A));
    PetscCall(SolveKept(it, n, A, lambda));
    PetscCall(Select(n, low, high, A, found, lambda, V));
  }
  for (PetscInt k = 0; k < *found && exponent; k++) lambda[k] = ldexp(lambda[k], exponent);
  PetscFunctionReturn(0);
}
