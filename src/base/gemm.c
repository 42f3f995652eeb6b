/*
   BLAS of two precisions behind one form of call.
*/
#include "gemm.h"
#include <petscblaslapack.h>

#if defined(PETSC_BLASLAPACK_CAPS)
#define sgemm SGEMM
#define ssyrk SSYRK
#define dsymv DSYMV
#define dtrsv DTRSV
#elif defined(PETSC_BLASLAPACK_UNDERSCORE)
#define sgemm sgemm_
#define ssyrk ssyrk_
#define dsymv dsymv_
#define dtrsv dtrsv_
#endif

extern void sgemm(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *, const PetscBLASInt *,
                  const float *, const float *, const PetscBLASInt *, const float *, const PetscBLASInt *,
                  const float *, float *, const PetscBLASInt *);
extern void ssyrk(const char *, const char *, const PetscBLASInt *, const PetscBLASInt *, const float *, const float *,
                  const PetscBLASInt *, const float *, float *, const PetscBLASInt *);

extern void dsymv(const char *, const PetscBLASInt *, const PetscReal *, const PetscReal *, const PetscBLASInt *,
                  const PetscReal *, const PetscBLASInt *, const PetscReal *, PetscReal *, const PetscBLASInt *);
extern void dtrsv(const char *, const char *, const char *, const PetscBLASInt *, const PetscReal *,
                  const PetscBLASInt *, PetscReal *, const PetscBLASInt *);

/* m, n, k and three leading dimensions, as BLAS has them */
static PetscErrorCode Cast(const PetscInt sizes[6], PetscBLASInt blas[6])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < 6; k++) PetscCall(PetscBLASIntCast(sizes[k], &blas[k]));
  PetscFunctionReturn(0);
}

/* OpenBLAS copies both operands to a form of its own before it multiplies them, which takes as long as a product with few
   columns does; products of up to this many terms it makes in place, of A' B when C is no larger than this. Others lose
   nothing by it. */
#define IN_PLACE 1000000
#define IN_PLACE_TRANSPOSED 1200
#define FEW_COLUMNS 24
#define LEAST_BLOCK 16

/* Rows of C, or of B, that are multiplied at once. */
static PetscInt BlockOf(char transA, PetscInt m, PetscInt n, PetscInt k)
{
  const PetscInt divided = transA == 'T' ? m : k, other = transA == 'T' ? k : m;
  if (n > FEW_COLUMNS || n == 0) return divided;
  if ((PetscReal)n * m * k <= IN_PLACE && (transA != 'T' || (PetscReal)m * n <= IN_PLACE_TRANSPOSED)) return divided;
  const PetscInt block = IN_PLACE / (n * PetscMax(1, other));
  return PetscMax(LEAST_BLOCK, transA == 'T' ? PetscMin(block, IN_PLACE_TRANSPOSED / n) : block);
}

PetscErrorCode PsdGemmSingle(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const float A[],
                             PetscInt lda, const float B[], PetscInt ldb, float C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const float one = 1, zero = 0;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc}, block = BlockOf(transA, m, n, k);
  const PetscBool inner = (PetscBool)(transA != 'T');
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  PetscBLASInt *divided = inner ? &s[2] : &s[0];
  for (PetscInt first = 0; first < (inner ? PetscMax(1, k) : m) && m > 0 && n > 0; first += block) {
    const size_t skipped = (size_t)first;
    *divided = (PetscBLASInt)PetscMin(block, (inner ? k : m) - first);
    PetscCallBLAS("sgemm", sgemm(&transA, &transB, &s[0], &s[1], &s[2], &one, A + skipped * (size_t)lda, &s[3],
                                 B + (!inner          ? 0
                                      : transB == 'T' ? skipped * (size_t)ldb
                                                      : skipped),
                                 &s[4], inner && first > 0 ? &one : &zero, inner ? C : C + skipped, &s[5]));
  }
  PetscCall(PetscLogFlops(2.0 * m * n * k));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGemmSingleAdd(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, float alpha,
                                const float A[], PetscInt lda, const float B[], PetscInt ldb, float C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const float one = 1;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (m > 0 && n > 0 && k > 0)
    PetscCallBLAS("sgemm", sgemm(&transA, &transB, &s[0], &s[1], &s[2], &alpha, A, &s[3], B, &s[4], &one, C, &s[5]));
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

PetscErrorCode PsdSyrkSingleAdd(char trans, PetscInt n, PetscInt k, const float A[], PetscInt lda, float C[],
                                PetscInt ldc)
{
  PetscFunctionBeginUser;
  const float one = 1;
  const PetscInt sizes[] = {n, n, k, lda, lda, ldc};
  PetscBLASInt s[6];
  PetscCall(Cast(sizes, s));
  if (n > 0) PetscCallBLAS("ssyrk", ssyrk("U", &trans, &s[0], &s[2], &one, A, &s[3], &one, C, &s[5]));
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

PetscErrorCode PsdSymmDouble(PetscInt n, PetscInt columns, const PetscReal A[], const PetscReal B[], PetscReal C[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt step = 1;
  PetscBLASInt order, count;
  PetscCall(PetscBLASIntCast(n, &order));
  PetscCall(PetscBLASIntCast(columns, &count));
  if (columns == 1) PetscCallBLAS("dsymv", dsymv("U", &order, &one, A, &order, B, &step, &zero, C, &step));
  else PetscCallBLAS("BLASsymm", BLASsymm_("L", "U", &order, &count, &one, A, &order, B, &order, &zero, C, &order));
  PetscCall(PetscLogFlops(2.0 * n * (PetscLogDouble)n * columns));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPotrsDouble(PetscInt n, PetscInt columns, const PetscReal L[], PetscReal B[])
{
  PetscFunctionBeginUser;
  const PetscBLASInt step = 1;
  PetscBLASInt order, count, info = 0;
  PetscCall(PetscBLASIntCast(n, &order));
  PetscCall(PetscBLASIntCast(columns, &count));
  if (columns == 1) {
    PetscCallBLAS("dtrsv", dtrsv("L", "N", "N", &order, L, &order, B, &step));
    PetscCallBLAS("dtrsv", dtrsv("L", "T", "N", &order, L, &order, B, &step));
  } else {
    PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("L", &order, &count, L, &order, B, &order, &info));
  }
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACKpotrs returned %d", (int)info);
  PetscCall(PetscLogFlops(2.0 * n * (PetscLogDouble)n * columns));
  PetscFunctionReturn(0);
}
