/*
   The two precisions that products with the patches are made in. What depends on the type is a table of functions on one
   column's products p = x . v with the patches of a tile; precision_functions.h has them, once for each type.

   q = a p^2 + b w p + c w^2 of a patch; a sample's score is the mean of s q over its patches.
*/
#ifndef PSD_PRECISION_PRIVATE_H
#define PSD_PRECISION_PRIVATE_H

#include <petscsys.h>

/* Activation, and the sign of the column's block over the patches of a sample. */
typedef struct {
  PetscReal a, b, c, factor;
} PsdColumnScale;

typedef struct {
  size_t size; /* of a number */
  /* K x columns from F, whose columns have K+1 numbers */
  void (*pack)(PetscInt K, PetscInt columns, const PetscReal F[], void *V);
  PetscErrorCode (*gemm)(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const void *A, PetscInt lda,
                         const void *B, PetscInt ldb, void *C, PetscInt ldc);
  /* yhat += the scores of `samples`, of `count` patches each */
  void (*add_scores)(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, const void *p,
                     PetscReal yhat[]);
  /* p becomes factor slope (2 a p + b w), which X' is applied to for the gradient in v; returns that in w */
  PetscReal (*slopes)(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, const PetscReal slope[],
                      void *p);
  /* products that are kept are in single precision */
  void (*keep)(PetscInt rows, const void *p, float kept[]);
  /* rows <- the patches of samples with sign nu > 0, times the root of factor |nu|; returns how many */
  PetscInt (*select)(PetscInt samples, PetscInt count, PetscInt K, PetscReal sign, PetscReal factor,
                     const PetscReal nu[], const void *x, void *rows);
  /* upper triangle of S (K x K, by columns) = the sum of products of `rows` rows with themselves */
  PetscErrorCode (*syrk)(PetscInt K, PetscInt rows, const void *x, void *S);
  /* upper triangle of M, by columns with a leading dimension, += scale S */
  void (*add_upper)(PetscInt K, PetscReal scale, const void *S, PetscReal M[], PetscInt ld);
  /* sum += factor times the sum of nu x over all patches */
  void (*add_weighted)(PetscInt samples, PetscInt count, PetscInt K, PetscReal factor, const PetscReal nu[],
                       const void *x, PetscReal sum[]);
  /* F, whose columns have K+1 numbers, += K x columns */
  void (*unpack_add)(PetscInt K, PetscInt columns, const void *V, PetscReal F[]);
} PsdPrecisionOps;

extern const PsdPrecisionOps PsdSingle, PsdDouble;

#endif
