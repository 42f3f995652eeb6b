/*
   What patches are made of, for the files of this folder alone. Others ask psdpatches.h, lift.h, transform.h and
   mirror.h.

   Patches are one branch, or a list of branches each of which is patches without branches.
*/
#ifndef PSD_PATCHES_IMPL_H
#define PSD_PATCHES_IMPL_H

#include <psdpatches.h>
#include "pixel_values.h"

struct _p_PsdPatches {
  MPI_Comm comm;                        /* our own duplicate */
  char *prefix;                         /* of its options; NULL: none */
  PetscInt branches;                    /* 0: what follows is meant; else only what these do */
  PsdPatches branch[PSD_MOST_BRANCHES]; /* each without branches */
  PsdMaps maps;                         /* what images go through before they are cut; NULL: nothing */
  PsdPatchGeometry geometry;
  PetscBool recipe;            /* nothing was asked for: the size of the images decides, see UseRecipe */
  PsdPixelChoices asked;       /* of what the geometry has of pixels */
  PetscReal normalize;         /* the recipe's, of bytes */
  PetscReal whiten;            /* EPS of ZCA, relative to the mean eigenvalue of the covariance; 0 = off */
  PetscInt pca;                /* coordinates to keep; 0 = all */
  PetscInt q, f, G, positions; /* see PsdPatchesGetSizes; f as far as the transform is known */
  PetscInt height, width;      /* of the reduced image */
  PetscInt rows, columns;      /* the grid of places that patches are cut at */
  PetscReal *transform, *mean; /* q x f row-major and q; NULL: none (yet) */
  /* bounds of the transform's Frobenius and spectral norm, and of the mean's; see transform_norm.c */
  PetscReal frobenius, spectral, mean_norm;
  PetscBool mirrored; /* statistics are those of images and mirror images: the transform respects the symmetry */
  /* of maps: which channel each is in the mirrored map, up to these signs; borrowed; NULL: not known */
  const PetscInt *channel;
  const PetscReal *channel_sign;
  PetscReal *image;            /* work: one reduced image */
  PetscReal *scales;           /* work: four planes, see PatchScales */
  PetscReal *patch_rows;       /* work: positions x q */
  PetscReal *square, *product; /* work of the lift: q x q, q x f */
  PetscInt *region_count;      /* G */
};

/* PsdPatchesFinalDimension - f once the transform is known, whether or not it is yet; with branches the largest. Not
   collective. */
PetscInt PsdPatchesFinalDimension(PsdPatches patches);

/* PsdPatchesMeasureTransform - the norms of a transform that has just been set. Not collective. */
PetscErrorCode PsdPatchesMeasureTransform(PsdPatches patches);

/* PsdPatchesCountPositions - the sum of PsdPatchesCountRegions, of one branch. Not collective. */
PetscInt64 PsdPatchesCountPositions(PsdPatches patches);

#endif
