/*
   PsdPatches: from an image to patches x in R^f and to pooled lifted features (docs/mathematics.md, sections 1 and 2).

   Patches are taken at every `stride` pixels, channel-row-column order, q = channels * patch_height * patch_width numbers
   each: (value - pixel_shift) / pixel_scale, then, when on, patch normalisation (p - mean p)/sqrt(var p + E/scale^2), then,
   when a transform is set, x = (p - mean) transform in R^f. The grid of positions is divided into pool x pool regions, each of
   which then grows by `overlap` positions on every side, as far as the grid goes.
*/
#ifndef PSDPATCHES_H
#define PSDPATCHES_H

#include <psdbase.h>
#include <psddata.h>

typedef struct _p_PsdPatches *PsdPatches;

/*
   Several branches look at the same image, each with a geometry and a preprocessing of its own. Their regions are counted
   through, branch after branch; f is that of the largest, and patches of fewer numbers are padded with zeros.
*/
#define PSD_MOST_BRANCHES 4

/* Everything that defines how an image is cut up; what model.h5 stores of it. */
typedef struct {
  PetscInt channels, height, width;
  PetscInt reduce; /* images are averaged over reduce x reduce pixels first; 0 as 1: not at all */
  PetscInt patch_height, patch_width, stride;
  PetscInt pool;    /* pool x pool regions */
  PetscInt overlap; /* positions that a region reaches into its neighbours, on every side; 0: not at all */
  PetscReal pixel_shift, pixel_scale; /* raw pixel values */
  PetscReal normalize;                /* E in squared raw pixel units; 0 = off */
} PsdPatchGeometry;

/* PsdPatchesCreate - no geometry yet, no preprocessing. Collective on comm. */
PETSC_EXTERN PetscErrorCode PsdPatchesCreate(MPI_Comm comm, PsdPatches *patches);

/* PsdPatchesSetFromOptions - -branches B; -reduce, -patch P|PxQ, -stride, -pool, -pool_overlap, -pixel_shift, -pixel_scale, -patch_normalize, -whiten, -pca;
   the same of branch 2 as -branch2_patch, ...; none of -patch, -stride, -pool, -pool_overlap, -patch_normalize, -whiten, -pca and -branches
   given: the recipe of docs/guide.md. Collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetFromOptions(PsdPatches patches);

/* PsdPatchesSetBranches - makes of patches that have nothing set yet a list of `count` such, empty ones. Collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetBranches(PsdPatches patches, PetscInt count);
PETSC_EXTERN PetscErrorCode PsdPatchesGetBranchCount(PsdPatches patches, PetscInt *count);
/* Branch k = 0, 1, ...: patches by themselves, borrowed; with one branch, patches as they are. */
PETSC_EXTERN PetscErrorCode PsdPatchesGetBranch(PsdPatches patches, PetscInt k, PsdPatches *branch);

/* PsdPatchesSetImageSize - the images to come; input errors when the patch or the pooling grid does not fit them. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetImageSize(PsdPatches patches, PetscInt channels, PetscInt height,
                                                   PetscInt width);

/* PsdPatchesSetGeometry, PsdPatchesSetTransform - as a model file gives them. transform: q x f row-major, mean: q; both
   are copied. f = q and no transform when PsdPatchesSetTransform is not called. */
PETSC_EXTERN PetscErrorCode PsdPatchesSetGeometry(PsdPatches patches, const PsdPatchGeometry *geometry);
PETSC_EXTERN PetscErrorCode PsdPatchesSetTransform(PsdPatches patches, PetscInt f, const PetscReal transform[],
                                                   const PetscReal mean[]);

/* PsdPatchesGetComm - the communicator that PsdPatchesCreate was given. Not collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesGetComm(PsdPatches patches, MPI_Comm *comm);

/* Of the first branch; any of several outputs may be NULL. Not collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesGetGeometry(PsdPatches patches, PsdPatchGeometry *geometry);
/* PsdPatchesGetPreprocessing - what -whiten and -pca or the recipe asked for: EPS, relative to the mean eigenvalue of
   the covariance of the patches, and the principal components to keep; 0 where nothing was asked for, as in patches of
   a model file, which has the transform itself. The recipe is known after PsdPatchesSetImageSize. */
PETSC_EXTERN PetscErrorCode PsdPatchesGetPreprocessing(PsdPatches patches, PetscReal *whiten, PetscInt *pca);
/* PsdPatchesGetTransform - transform (q x f row-major) and mean (q), borrowed; NULL when there is none (yet). */
PETSC_EXTERN PetscErrorCode PsdPatchesGetTransform(PsdPatches patches, const PetscReal *transform[],
                                                   const PetscReal *mean[]);
/* q: numbers in a raw patch; f: in a patch of the program, once its transform is known; G: pooling regions; positions:
   patches in the regions of an image, those of two regions twice. With branches: the largest q and f, all regions and
   patches. */
PETSC_EXTERN PetscErrorCode PsdPatchesGetSizes(PsdPatches patches, PetscInt *q, PetscInt *f, PetscInt *G,
                                               PetscInt *positions);

/* PsdPatchesCountRegions - patches of an image in each of the G regions of one branch; count has room for G. Not
   collective. */
PETSC_EXTERN PetscErrorCode PsdPatchesCountRegions(PsdPatches patches, PetscInt count[]);

/*
   PsdPatchesExtract - the raw patches of one image for one branch (scaled and normalised, before any transform), grouped by region.

   Not collective. image: channels x height x width bytes. rows: positions x q, row-major, region after region in row-major
   order over the pool x pool grid; count[g] patches in region g (count has room for G). Allocates nothing.
*/
PETSC_EXTERN PetscErrorCode PsdPatchesExtract(PsdPatches patches, const unsigned char image[], PetscReal rows[],
                                              PetscInt count[]);

PETSC_EXTERN PetscErrorCode PsdPatchesDestroy(PsdPatches *patches);

#endif
