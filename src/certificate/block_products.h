/*
   What the certificate needs to know of M = smat(A'nu)_gt of some pairs, in one pass over the patches (docs/mathematics.md,
   section 3, "Polar by Schur complement").

   With B = [V Q], V the region's basis and Q of the pair's own filters, z = B'x and y = [z_1 .. z_L, N'(z_L+1 .. z_k)]:

     inner = [B'M1 B, B'M2]       sums of a w z z' and (b/2) w z
     W = [M1 B P, M2]             of a w x y' and (b/2) w x, y = P'z
     beyond                       of (a w)^2 z z', the coordinates after the first L, in single precision
*/
#ifndef PSD_BLOCK_PRODUCTS_PRIVATE_H
#define PSD_BLOCK_PRODUCTS_PRIVATE_H

#include "coordinates.h"
#include "problem/patch_matrix.h"

/* A pair, and this rank's samples' part of the sums. */
typedef struct {
  PetscInt g, t, f;
  PetscInt k, own;         /* columns of B and of Q; without a basis B is the identity, and k = L = f */
  PetscInt leading;        /* L */
  PetscInt mixed;          /* columns of N */
  const PsdCoordinates *V; /* NULL: B is the identity */
  PetscReal *Q;            /* f x own */
  PetscReal *N;            /* (k - L) x mixed; NULL: the identity */
  int exponent;            /* 2^exponent is above all |a w| */
  PetscReal *W;            /* f x (L + mixed + 1) by columns */
  PetscReal *inner;        /* k x (k+1) by columns, of the square part the upper triangle; NULL without a basis */
  float *beyond; /* (k - L) x (k - L), the upper triangle, times 4^-(exponent + that of the coordinates); NULL: N is */
  PetscReal trace;              /* of M1 */
  PetscReal zz, zx, z;          /* sums of |a w| ||z||^2, |a w| ||z|| ||x||, |b w/2| ||z|| */
  PetscReal square_x, square_z; /* of (a w)^2 ||x||^2, and ||z||^2 of the coordinates of `beyond` */
} PsdBlockProduct;

/* Bounds of the Frobenius norms of errors: of inner, W, and beyond, the last times what it was divided by. */
typedef struct {
  PetscReal inner, W, beyond;
} PsdBlockErrors;

/* PsdBlockProductsAdd - the sums of each, of this rank's samples. nu: n_local x C row-major. Not collective. Cost: 2 f (L + mixed +
   2 own) + k^2 + (k - L)^2 flops a patch and pair, the last in single precision. */
PetscErrorCode PsdBlockProductsAdd(PsdPatchMatrix patches, const PetscReal activation[3], PetscInt C,
                                   const PetscReal nu[], PetscInt count, PsdBlockProduct products[]);

/* PsdBlockProductsRoundings - of a sum over the patches of region g here, in roundings (base/rounding.h) of the sum of the sizes of
   its terms. Not collective. */
PetscReal PsdBlockProductsRoundings(PsdPatchMatrix patches, PetscInt g);

/* PsdBlockProductsErrors - of the sums over all ranks, `roundings` of which go into each. size: sum of |nu_it| ||Phi_ig||.
   B_norm, N_norm: Frobenius norms. Not collective. */
void PsdBlockProductsErrors(const PsdBlockProduct *product, PetscReal roundings, PetscReal size, PetscReal B_norm,
                            PetscReal N_norm, PsdBlockErrors *errors);

#endif
