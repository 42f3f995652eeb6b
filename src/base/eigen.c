/*
   Complete eigendecomposition of symmetric matrices of one order by LAPACK's divide and conquer (dsyevd).
*/
#include "base.h"
#include "eigen.h"
#include <petscblaslapack.h>

#if !defined(PETSC_USE_REAL_DOUBLE) || defined(PETSC_USE_COMPLEX)
#error "psdnet needs a PETSc of real double scalars"
#endif

/* PETSc does not declare this one */
#define LAPACKsyevd_ PETSCBLAS(syevd, SYEVD)
BLAS_EXTERN void LAPACKsyevd_(const char *, const char *, const PetscBLASInt *, PetscReal *, const PetscBLASInt *,
                              PetscReal *, PetscReal *, const PetscBLASInt *, PetscBLASInt *, const PetscBLASInt *,
                              PetscBLASInt *);

struct _p_PsdEigen {
  PetscBLASInt order, lwork, liwork;
  PetscReal *work;
  PetscBLASInt *iwork;
};

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  PetscReal optimal, unused;
  PetscBLASInt optimal_int, info;
  const PetscBLASInt query = -1;
  PetscCall(PetscNew(eigen));
  PetscCall(PetscBLASIntCast(order, &(*eigen)->order));
  PetscCallBLAS("LAPACKsyevd", LAPACKsyevd_("V", "U", &(*eigen)->order, &unused, &(*eigen)->order, &unused, &optimal,
                                            &query, &optimal_int, &query, &info));
  (*eigen)->lwork = (PetscBLASInt)optimal;
  (*eigen)->liwork = optimal_int;
  PetscCall(PetscMalloc2((*eigen)->lwork, &(*eigen)->work, (*eigen)->liwork, &(*eigen)->iwork));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenSolve(PsdEigen eigen, PetscReal A[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdEigenSolveUpTo(eigen, eigen->order, A, lambda));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenSolveUpTo(PsdEigen eigen, PetscInt order, PetscReal A[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  const PetscBLASInt n = (PetscBLASInt)order;
  PetscBLASInt info;
  PetscCallBLAS("LAPACKsyevd", LAPACKsyevd_("V", "U", &n, A, &n, lambda, eigen->work, &eigen->lwork, eigen->iwork,
                                            &eigen->liwork, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACKsyevd returned %d", (int)info);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEigenDestroy(PsdEigen *eigen)
{
  PetscFunctionBeginUser;
  if (!*eigen) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*eigen)->work, (*eigen)->iwork));
  PetscCall(PetscFree(*eigen));
  PetscFunctionReturn(0);
}
