/*
   From an image to its lifted features Phi_ig (docs/mathematics.md, section 1), by the pooled second moments of raw
   patches.

   Whitening and PCA are linear, so that they are applied to the (q+1) x (q+1) moments of a region rather than to its
   patches, which is cheaper by the number of patches in a region. Patches in the program's coordinates are never
   held.
*/
#ifndef PSD_LIFT_PRIVATE_H
#define PSD_LIFT_PRIVATE_H

#include <psdpatches.h>

/* Entries of the packed upper triangle (column by column) of a symmetric matrix of order n. */
static inline PetscInt PsdPackedLength(PetscInt n)
{
  return n * (n + 1) / 2;
}

/* Numbers in the moments of an image, and in its lifted features. */
PetscInt PsdPatchesMomentsLength(PsdPatches patches);
/* PsdPatchesMomentsLengths - numbers in the moments of each region. lengths: G, the regions of all branches. */
void PsdPatchesMomentsLengths(PsdPatches patches, PetscInt lengths[]);
PetscInt PsdPatchesLiftedLength(PsdPatches patches);

/* PsdPatchesGetDimensions - f[g]: numbers in a patch of the program in each of the G regions of all branches;
   vector[g]: features of the region are vectors of f + 1 numbers, and not svecs of matrices. vector may be NULL. */
void PsdPatchesGetDimensions(PsdPatches patches, PetscInt f[], PetscBool vector[]);

/* PsdPatchesHaveVectors - whether that is so of any region. PsdPatchesHaveMatrices - whether it is not so of any. */
PetscBool PsdPatchesHaveVectors(PsdPatches patches);
PetscBool PsdPatchesHaveMatrices(PsdPatches patches);

/*
   PsdPatchesMoments - mean over each region's patches p of [p;1][p;1]'; of linear neurons, of (p, ||p||^2).

   Not collective. image: as of PsdPatchesExtract. moments: PsdPatchesMomentsLength numbers, region after
   region and branch after branch: packed upper triangles of order q+1, or q+1 numbers.
*/
PetscErrorCode PsdPatchesMoments(PsdPatches patches, const void *image, PetscReal moments[]);

/*
   PsdPatchesLift - Phi_ig from the moments: transforms them into the program's coordinates and weights them with the
   activation. Not collective. activation: a, b, c. phi: G svecs, each of its branch's order f+1, or vectors; with one
   branch it may be the same array as moments.
*/
PetscErrorCode PsdPatchesLift(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                              PetscReal phi[]);

/*
   PsdPatchesLiftErrors - bounds of what rounding does to the lifted features of these moments (lift_error.c), on the way
   from the bytes to Phi_ig less its component along J:  errors[g] >= || computed - exact ||_F.

   Not collective. moments: as PsdPatchesMoments computed them, or not further from that than lost[g], of each region,
   in the norm of its matrix and of its mean; NULL: they are as computed. errors: G.
*/
void PsdPatchesLiftErrors(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                          const PetscReal lost[], PetscReal errors[]);

/* PsdPatchesPixelRoundings - roundings that have gone into a number of a raw patch of one branch: its relative error is at
   most PsdRoundings of it. Not collective. */
PetscReal PsdPatchesPixelRoundings(PsdPatches patches);

/* PsdPatchesCoordinateError - a bound of the error of x = (p - mean) transform of a raw patch p of that norm, computed as a
   product of p - mean, of norm `centred`, with the transform; of p itself without one. Of one branch. Not collective. */
PetscReal PsdPatchesCoordinateError(PsdPatches patches, PetscReal norm, PetscReal centred);

/* PsdPatchesProduct - upper triangle of scale sum_l p_l p_l' and first = scale sum_l p_l, for `count` patches, rows of
   q. Reads up to PSD_ROWS_PADDING numbers beyond the last row. Not collective. */
#define PSD_ROWS_PADDING 16
PetscErrorCode PsdPatchesProduct(PetscInt q, PetscInt count, PetscReal scale, const PetscReal rows[],
                                 PetscReal square[], PetscReal first[]);

/* Flops of PsdPatchesMoments and PsdPatchesLift for one image: useful ones, a product of a matrix with its own
   transpose counted as half a general one. */
PetscLogDouble PsdPatchesMomentsFlops(PsdPatches patches);
PetscLogDouble PsdPatchesLiftFlops(PsdPatches patches);

#endif
