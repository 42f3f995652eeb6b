/*
   Products of matrices by columns, C = op(A) op(B), in single and in double precision: BLAS with counted flops and sizes
   that are checked. PETSc declares BLAS of its own precision alone.
*/
#ifndef PSD_GEMM_PRIVATE_H
#define PSD_GEMM_PRIVATE_H

#include <petscsys.h>

/* PsdGemmSingle, PsdGemmDouble - C (m x n) = op(A) op(B), the inner length being k. transA, transB: 'N' or 'T'. Leading
   dimensions are those of the arrays as they are stored. Not collective. */
PetscErrorCode PsdGemmSingle(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const float A[],
                             PetscInt lda, const float B[], PetscInt ldb, float C[], PetscInt ldc);
PetscErrorCode PsdGemmDouble(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const PetscReal A[],
                             PetscInt lda, const PetscReal B[], PetscInt ldb, PetscReal C[], PetscInt ldc);

/* PsdGemmSingleAdd - C += alpha op(A) op(B). Not collective. */
PetscErrorCode PsdGemmSingleAdd(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, float alpha,
                                const float A[], PetscInt lda, const float B[], PetscInt ldb, float C[], PetscInt ldc);

/* PsdSyrkSingle, PsdSyrkDouble - upper triangle of C (n x n) = A'A (trans 'T', A: k x n) or A A' ('N', A: n x k). Not
   collective. */
PetscErrorCode PsdSyrkSingle(char trans, PetscInt n, PetscInt k, const float A[], PetscInt lda, float C[],
                             PetscInt ldc);
PetscErrorCode PsdSyrkDouble(char trans, PetscInt n, PetscInt k, const PetscReal A[], PetscInt lda, PetscReal C[],
                             PetscInt ldc);
/* PsdSyrkSingleAdd - adds it to C. Not collective. */
PetscErrorCode PsdSyrkSingleAdd(char trans, PetscInt n, PetscInt k, const float A[], PetscInt lda, float C[],
                                PetscInt ldc);

/* PsdSymmDouble - C (n x columns) = A B, A: n x n, of which the upper triangle is read. PsdPotrsDouble - B (n x
   columns) becomes (L L')^-1 B, L: n x n, of which the lower triangle is read. Leading dimensions are n. For one column
   BLAS has functions that read A once, where those of several pack it first. Not collective. Cost: 2 n^2 flops a
   column. */
PetscErrorCode PsdSymmDouble(PetscInt n, PetscInt columns, const PetscReal A[], const PetscReal B[], PetscReal C[]);
PetscErrorCode PsdPotrsDouble(PetscInt n, PetscInt columns, const PetscReal L[], PetscReal B[]);

#endif
