/*
   PsdPatches: from an image to patches x in R^f and to pooled lifted features (docs/mathematics.md, sections 1 and 2).

   Patches are taken at every `stride` pixels, channel-row-column order, q = channels * patch_height * patch_width numbers
   each: (value - pixel_shift) / pixel_scale, then, when on, patch normalisation (p - mean p)/sqrt(var p + E/scale^2), then,
   when a transform is set, x = (p - mean) transform in R^f. The grid of positions is divided into pool x pool regions.
*/
#ifndef PSDPATCHES_H
#define PSDPATCHES_H

#include <psdbase.h>
#include <psddata.h>

typedef struct _p_PsdPatches *PsdPatches;

/* Everything that defines how an image is cut up; what model.h5 stores of it. */
typedef struct {
  PetscInt channels, height, width;
  PetscInt patch_height, patch_width, stride;
  PetscInt pool;                      /* pool x pool regions */
  PetscReal pixel_shift, pixel_scale; /* raw pixel values */
  PetscReal normalize;                /* E in squared raw pixel units; 0 = off */
} PsdPatchGeometry;

/* PsdPatchesCreate - no geometry yet, no preprocessing. Collective on comm. */
PETSC_EXTERN PetscErrorCode PsdPatchesCreate(MPI_Comm comm, PsdPatches *patches);

/* PsdPatchesSetFromOptions - -patch P|PxQ, -stride, -pool, -pixel_shift, -pixel_scale, -patch_normalize, -whiten, -pca;
   none of -patch, -stride, -pool, -patch_normalize, -whiten, -pca given: the recipe of docs/design.md. Collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetFromOptions(PsdPatches patches);

/* PsdPatchesSetImageSize - the images to come; input errors when the patch or the pooling grid does not fit them. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetImageSize(PsdPatches patches, PetscInt channels, PetscInt height,
                                                   PetscInt width);

/* PsdPatchesSetGeometry, PsdPatchesSetTransform - as a model file gives them. transform: q x f row-major, mean: q; both
   are copied. f = q and no transform when PsdPatchesSetTransform is not called. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetGeometry(PsdPatches patches, const PsdPatchGeometry *geometry);
PETSC_EXTERN PetscErrorCode PsdPatchesSetTransform(PsdPatches patches, PetscInt f, const PetscReal transform[],
                                                   const PetscReal mean[]);

PETSC_EXTERN PetscErrorCode PsdPatchesGetGeometry(PsdPatches patches, PsdPatchGeometry *geometry);
/* transform (q x f) and mean (q), borrowed; NULL when there is none */
PETSC_EXTERN PetscErrorCode PsdPatchesGetTransform(PsdPatches patches, const PetscReal *transform[],
                                                   const PetscReal *mean[]);
/* q: numbers in a raw patch; f: in a patch of the program; G: pooling regions; positions: patches in an image */
PETSC_EXTERN PetscErrorCode PsdPatchesGetSizes(PsdPatches patches, PetscInt *q, PetscInt *f, PetscInt *G,
                                               PetscInt *positions);

/*
   PsdPatchesExtract - the raw patches of one image (scaled and normalised, before any transform), grouped by region.

   Not collective. image: channels x height x width bytes. rows: positions x q, row-major, region after region in row-major
   order over the pool x pool grid; count[g] patches in region g (count has room for G). Allocates nothing.
*/
PETSC_EXTERN PetscErrorCode PsdPatchesExtract(PsdPatches patches, const unsigned char image[], PetscReal rows[],
                                              PetscInt count[]);

PETSC_EXTERN PetscErrorCode PsdPatchesDestroy(PsdPatches *patches);

#endif
