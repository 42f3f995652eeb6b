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
#define LAPACKsyevr_ PETSCBLAS(syevr, SYEVR)
BLAS_EXTERN void LAPACKsyevr_(const char *, const char *, const char *, const PetscBLASInt *, PetscReal *,
                              const PetscBLASInt *, const PetscReal *, const PetscReal *, const PetscBLASInt *,
                              const PetscBLASInt *, const PetscReal *, PetscBLASInt *, PetscReal *, PetscReal *,
                              const PetscBLASInt *, PetscBLASInt *, PetscReal *, const PetscBLASInt *, PetscBLASInt *,
                              const PetscBLASInt *, PetscBLASInt *);

#define MODERATE 300 /* largest exponent of two of entries whose squares are far from overflow */

struct _p_PsdEigen {
  PetscBLASInt order, lwork, liwork;
  PetscReal *work;
  PetscBLASInt *iwork, *support;
  PetscReal *kept; /* packed upper triangle of the matrix that is being decomposed */
  PetscInt failures[PSD_EIGEN_RUNGS];
  PetscBool distrusted[PSD_EIGEN_RUNGS];
};

static const char *const drivers[PSD_EIGEN_RUNGS] = {"dsyevr", "dsyevd", "dsyev"};

/* ---------------------------------------------------------------- drivers */

static PetscErrorCode Range(PsdEigen it, PetscBLASInt n, PetscReal low, PetscReal high, PetscReal A[],
                            PetscBLASInt *found, PetscReal lambda[], PetscReal V[], PetscBLASInt *info)
{
  PetscFunctionBeginUser;
  const PetscReal zero = 0;
  const PetscBLASInt one = 1;
  PetscCallBLAS("LAPACKsyevr", LAPACKsyevr_("V", "V", "U", &n, A, &n, &low, &high, &one, &one, &zero, found, lambda, V,
                                            &n, it->support, it->work, &it->lwork, it->iwork, &it->liwork, info));
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

/* What the drivers want at this order: the most of them all. */
static PetscErrorCode FindWork(PsdEigen it)
{
  PetscFunctionBeginUser;
  struct _p_PsdEigen query = {.lwork = -1, .liwork = -1};
  PetscReal unused = 0, wanted[PSD_EIGEN_RUNGS] = {0};
  PetscBLASInt integers[PSD_EIGEN_RUNGS] = {0}, found, info;
  for (int rung = 0; rung < PSD_EIGEN_RUNGS; rung++) {
    query.work = &wanted[rung];
    query.iwork = &integers[rung];
    if (rung == PSD_EIGEN_RANGE) PetscCall(Range(&query, it->order, 0, 1, &unused, &found, &unused, &unused, &info));
    if (rung == PSD_EIGEN_DIVIDE) PetscCall(Divide(&query, it->order, &unused, &unused, &info));
    if (rung == PSD_EIGEN_QR) PetscCall(Qr(&query, it->order, &unused, &unused, &info));
    it->lwork = PetscMax(it->lwork, (PetscBLASInt)wanted[rung]);
    it->liwork = PetscMax(it->liwork, integers[rung]);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  PsdEigen it;
  PetscCall(PetscNew(&it));
  PetscCall(PetscBLASIntCast(order, &it->order));
  PetscCall(FindWork(it));
  PetscCall(PetscMalloc4(it->lwork, &it->work, it->liwork, &it->iwork, 2 * order, &it->support,
                         (size_t)order * (order + 1) / 2, &it->kept));
  *eigen = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenDestroy(PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  if (!*eigen) PetscFunctionReturn(0);
  PetscCall(PetscFree4((*eigen)->work, (*eigen)->iwork, (*eigen)->support, (*eigen)->kept));
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
