/*
   BLAS of two precisions behind one form of call.
*/
#include "gemm.h"
#include <petscblaslapack.h>

#if defined(PETSC_BLASLAPACK_CAPS)
#define sgemm SGEMM
#define ssyrk SSYRK
#elif defined(PETSC_BLASLAPACK_UNDERSCORE)
#define sgemm sgemm_
#define ssyrk ssyrk_
#endif

extern void sgemm(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *, const PetscBLASInt *,
                  const float *, const float *, const PetscBLASInt *, const float *, const PetscBLASInt *,
                  const float *, float *, const PetscBLASInt *);
extern void ssyrk(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *, const float *, const float *,
                  const PetscBLASInt *, const float *, float *, const PetscBLASInt *);

/* m, n, k and three leading dimensions, as BLAS has them */
static PetscErrorCode Cast(const PetscInt sizes[6], PetscBLASInt blas[6])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < 6; k++) PetscCall(PetscBLASIntCast(sizes[k], &blas[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGemmSingle(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const float A[],
                             PetscInt lda, const float B[], PetscInt ldb, float C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const float one = 1, zero = 0;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (m > 0 && n > 0)
    PetscCallBLAS("sgemm", sgemm(&transA, &transB, &s[0], &s[1], &s[2], &one, A, &s[3], B, &s[4], &zero, C, &s[5]));
  PetscCall(PetscLogFlops(2.0 * m * n * k));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGemmDouble(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const PetscReal A[],
                             PetscInt lda, const PetscReal B[], PetscInt ldb, PetscReal C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (m > 0 && n > 0)
    PetscCallBLAS("BLASgemm",
                  BLASgemm_(&transA, &transB, &s[0], &s[1], &s[2], &one, A, &s[3], B, &s[4], &zero, C, &s[5]));
  PetscCall(PetscLogFlops(2.0 * m * n * k));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSyrkSingle(char trans, PetscInt n, PetscInt k, const float A[], PetscInt lda, float C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const float one = 1, zero = 0;
  const PetscInt sizes[] = {n, n, k, lda, lda, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (n > 0) PetscCallBLAS("ssyrk", ssyrk("U", &trans, &s[0], &s[2], &one, A, &s[3], &zero, C, &s[5]));
  PetscCall(PetscLogFlops(1.0 * n * n * k));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSyrkDouble(char trans, PetscInt n, PetscInt k, const PetscReal A[], PetscInt lda, PetscReal C[],
                             PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  const PetscInt sizes[] = {n, n, k, lda, lda, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (n > 0) PetscCallBLAS("BLASsyrk", BLASsyrk_("U", &trans, &s[0], &s[2], &one, A, &s[3], &zero, C, &s[5]));
  PetscCall(PetscLogFlops(1.0 * n * n * k));
  PetscFunctionReturn(0);
}
