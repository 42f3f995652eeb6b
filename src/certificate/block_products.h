/*
   What the certificate needs to know of M = smat(A'nu)_gt of some pairs, in one pass over the patches: the products of M1 with
   the vectors of a basis, and M2.
*/
#ifndef PSD_BLOCK_PRODUCTS_PRIVATE_H
#define PSD_BLOCK_PRODUCTS_PRIVATE_H

#include "factored.h"

/* A pair, B = [V Q], V being the basis of its region. */
typedef struct {
  PetscInt g, t, f;
  PetscInt k;      /* columns of B; without a basis B is the identity and k = f */
  PetscInt own;    /* columns of Q */
  PetscReal *B;    /* f x k by columns; NULL: the identity */
  PetscReal *W;    /* f x (k+1) by columns: [M1 B, M2], this rank's samples' part of it */
  PetscReal trace; /* of M1, likewise */
} PsdBlockProduct;

/* PsdBlockProductsAdd - W and trace of each, of this rank's samples. nu: n_local x C row-major. Not collective. Cost: 4 f k flops
   a patch and pair. */
PetscErrorCode PsdBlockProductsAdd(PsdPatchMatrix patches, const PetscReal activation[3], PetscInt C,
                                   const PetscReal nu[], PetscInt count, PsdBlockProduct products[]);

/* PsdBlockProductsRoundings - the Frobenius norm of the error of W of region g is at most this number of roundings
   (base/rounding.h) of sum_i |nu_it| ||Phi_ig||, on this rank. B_norm: that of B. Not collective. */
PetscReal PsdBlockProductsRoundings(PsdPatchMatrix patches, PetscInt g, PetscBool identity, PetscReal B_norm);

#endif
