/*
   The program in the coordinates that mirror images leave alone (docs/mathematics.md, section 2, "Mirror images").

   With every image's mirror image among the samples, exchanging left and right maps samples to samples: Phi of a
   mirrored image is Pi Phi, Pi a permutation with signs. The program is convex and its set of minimisers invariant,
   so that a minimiser with Pi S = S exists, and ADMM started from such a point stays there. Q has the `order`
   orthonormal columns that span those S, about D/2: pairs (e_k +- e_Pi(k))/sqrt 2 and coordinates that are their own
   image. Samples enter as Q'Phi, which image and mirror image share: half the columns and half the rows.
*/
#ifndef PSD_SYMMETRY_PRIVATE_H
#define PSD_SYMMETRY_PRIVATE_H

#include <psdpatches.h>
#include "cone/blocks.h"

typedef struct _p_PsdSymmetry {
  PetscInt D, G, order;
  PetscInt *region;  /* G: where what region g of an image has is in the mirrored image */
  PetscInt *partner; /* D: coordinate k of a mirrored image's Phi is that of partner[k] of the image's, ... */
  PetscReal *sign;   /* D: ... times sign[k] */
  /* coordinate k of Q'x is weight[0][k] x[place[0][k]] + weight[1][k] x[place[1][k]]; the second is 0 for those of
     one place */
  PetscInt *place[2];
  PetscReal *weight[2];
} * PsdSymmetry;

/* PsdSymmetryCreate - for symmetric patches whose transform is known. Not collective. */
PetscErrorCode PsdSymmetryCreate(PsdPatches patches, PsdBlocks blocks, PsdSymmetry *symmetry);
/* PsdSymmetryEstimateOrder - about what `order` will be, before the transform is known: half of the coordinates are
   even. Not collective. */
PetscReal PsdSymmetryEstimateOrder(PsdPatches patches);
/* folded <- scale Q'x; x: D, folded: order. */
void PsdSymmetryFold(PsdSymmetry symmetry, PetscReal scale, const PetscReal x[], PetscReal folded[]);
/* local <- the rows of this rank's blocks of Q folded, C columns; folded: order x C, local: one svec a pair owned.
   Not collective. */
void PsdSymmetryUnfold(PsdSymmetry symmetry, PsdBlocks blocks, const PetscReal folded[], PetscReal local[]);
/* mirrored <- Pi x; both D. */
void PsdSymmetryMirror(PsdSymmetry symmetry, const PetscReal x[], PetscReal mirrored[]);
/* mirrored <- one number a region of the image, as they are those of the mirrored image; both G. */
void PsdSymmetryMirrorRegions(PsdSymmetry symmetry, const PetscReal x[], PetscReal mirrored[]);
PetscErrorCode PsdSymmetryDestroy(PsdSymmetry *symmetry);

#endif
