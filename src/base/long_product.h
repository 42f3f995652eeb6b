/*
   A'B over long columns, with few roundings: by blocks of rows, each one product of BLAS.

   An entry is a sum of `length` terms. In blocks of PSD_PRODUCT_ROWS, which BLAS adds up in whatever order, and of which
   each is added to what there is, a term goes through PSD_PRODUCT_ROWS + length/PSD_PRODUCT_ROWS + 1 roundings at most.
*/
#ifndef PSD_LONG_PRODUCT_PRIVATE_H
#define PSD_LONG_PRODUCT_PRIVATE_H

#include <petscsys.h>

#define PSD_PRODUCT_ROWS 256

/* What an entry of A'B, or a sum of `length` products added up as above, loses: this number of roundings (base/rounding.h) of
   the sum of the sizes of its terms. */
static inline PetscReal PsdProductRoundings(PetscReal length)
{
  return PSD_PRODUCT_ROWS + 2 + length / PSD_PRODUCT_ROWS;
}

/* PsdProductTransposed - C = A'B. A: length x m, B: length x n, C: m x n, all by columns, the columns of A and B without gaps.
   Not collective. */
PetscErrorCode PsdProductTransposed(PetscInt m, PetscInt n, PetscInt length, const PetscReal A[], const PetscReal B[],
                                    PetscInt ld, PetscReal C[]);

#endif
