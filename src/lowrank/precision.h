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
  /* F, whose columns have K+1 numbers, += K x columns */
  void (*unpack_add)(PetscInt K, PetscInt columns, const void *V, PetscReal F[]);
} PsdPrecision;

extern const PsdPrecision PsdSingle, PsdDouble;

#endif
