/*
   PsdPatches: from an image to patches x in R^f and to pooled lifted features (docs/mathematics.md, sections 1 and 2).

   Patches are taken at every `stride` pixels, channel-row-column order, q = channels * patch_height * patch_width
   numbers each: (value - pixel_shift) / pixel_scale, then, when on, patch normalisation (p - mean p)/sqrt(var p +
   E/scale^2), then, when a transform is set, x = (p - mean) transform in R^f. What neurons make of a patch is its lift:
   s(x . u) = a (x . u)^2 + b x . u + c, or, of linear neurons, b x . u + c. The grid of positions is divided into
   pool x pool regions, each of which then grows by `overlap` positions on every side, as far as the grid goes.
*/
#ifndef PSDPATCHES_H
#define PSDPATCHES_H

#include <psdbase.h>
#include <psddata.h>

typedef struct _p_PsdPatches *PsdPatches;
typedef struct _p_PsdMaps *PsdMaps; /* psdmaps.h */

/*
   Several branches look at the same image, each with a geometry and a preprocessing of its own. Their regions are
   counted through, branch after branch; blocks and filters of a branch have the length of its own patches.
*/
#define PSD_MOST_BRANCHES 4
#define PSD_MOST_STAGES 8 /* of maps, one on another (psdmaps.h) */

/* The lift: the functions of x that neurons of a branch are made of. Linear ones take patches as they are, without
   whitening or principal components. */
enum { PSD_LIFT_QUADRATIC, PSD_LIFT_LINEAR, PSD_LIFTS };

/* Everything that defines how an image is cut up; what model.h5 stores of it. */
typedef struct {
  PetscInt channels, height, width;
  PetscInt reduce; /* images are averaged over reduce x reduce pixels first; 0 as 1: not at all */
  PetscInt patch_height, patch_width, stride;
  PetscInt pool;    /* pool x pool regions */
  PetscInt overlap; /* positions that a region reaches into its neighbours, on every side; 0: not at all */
  /* 1: part k of n positions is from n k/pool, rounded down, to n (k+1)/pool, rounded up, so that regions are their own
     mirror images, and share positions where pool does not divide n; 0: each has its own */
  PetscInt shared;
  PetscReal pixel_shift, pixel_scale; /* raw pixel values */
  PetscReal normalize;                /* E in squared raw pixel units; 0 = off */
  PetscReal step,
      low;        /* raw values of images of real numbers are low + step level (PsdPixels); step 0: whole numbers */
  PetscBool map;  /* images are maps: numbers in single precision, taken as they are, pixel_shift 0, pixel_scale 1 */
  PetscInt stage; /* of maps: that of which stage, counted from the images; 0: of the last (PsdMapsSetSizes) */
  PetscInt responses; /* 1: of the responses that the stage keeps beside that map, and not of the map */
  PetscInt begin;     /* numbers before these where several follow each other; set with the sizes */
  PetscInt lift;      /* PSD_LIFT_QUADRATIC, or PSD_LIFT_LINEAR */
  PetscInt
      bits; /* of a pixel: 16, or 8 (0 as 8). Those of 16 bits count 257 for 1 of 8: raw values above are of 0 .. 255 */
} PsdPatchGeometry;

/*
   PsdPatchesCreate - Creates patches: 4 x 4 pixels at every pixel, one region, (value - 128)/255, no preprocessing,
   no image size yet. PsdPatchesDestroy frees them.

   Collective on comm, which is duplicated.
*/
PSD_EXTERN PetscErrorCode PsdPatchesCreate(MPI_Comm comm, PsdPatches *patches);

/*
   PsdPatchesSetPlace - Of patches of one kind that are cut of maps: sets `stage` and `begin` of their geometry. PsdMapsSetSizes
   does so by itself.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetPlace(PsdPatches patches, PetscInt stage, PetscInt begin);

/*
   PsdPatchesSetPixels - How images are held, of all branches; bytes at first. Of images of real numbers, what was not
   asked for of -pixel_shift, -pixel_scale and the recipe's -patch_normalize is settled from their least and their
   largest number: as for bytes, of which 0 is the least and 255 the largest.

   Logically collective; after the image size.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetPixels(PsdPatches patches, const PsdPixels *pixels);

/*
   PsdPatchesSetFromOptions - Reads the options of patches:
     -branches B           kinds of patches, 1 to 4
     -reduce R             average the image over R x R pixels first
     -patch P or PxQ       patch height and width
     -stride S             pixels between patches
     -pool g               g x g regions
     -pool_overlap K       positions that a region reaches into its neighbours
     -pixel_shift A        with -pixel_scale B, (value - A)/B is taken of a pixel
     -patch_normalize E    patch normalisation; 0 = off
     -whiten EPS           ZCA whitening, EPS relative to the mean eigenvalue; 0 = off
     -pca K                principal components to keep; 0 = all
     -lift quadratic       or linear: what its neurons are
     -stage K              of maps: that of which stage, counted from the images; 0 = the last
     -responses            of the responses that the stage keeps beside its map (psdmaps.h), and not of the map
   and, from -reduce to -responses, the same of branch 2 as -branch2_reduce ... -branch2_responses, of branches 3 and 4
   likewise.
   When none of -branches, -reduce, -patch, -stride, -pool, -pool_overlap, -patch_normalize, -whiten, -pca and -lift
   is given, PsdPatchesSetImageSize sets all of them by the recipe of docs/guide.md.

   Collective; before PsdPatchesSetImageSize. Errors: values out of range.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetFromOptions(PsdPatches patches);

/*
   PsdPatchesSetOptionsPrefix - What the names of this handle's options have in front: with "inner_" its -pool is
   -inner_pool. NULL or "" is nothing, as at first. Values may come from PetscOptionsSetValue, so that what options
   reach is reached of every handle by itself.

   Logically collective; before PsdPatchesSetFromOptions. prefix: without a dash; copied. Errors (PSD_ERR_INPUT): it
   begins with a dash, or is too long.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetOptionsPrefix(PsdPatches patches, const char prefix[]);

/*
   PsdPatchesSetBranches - Makes of patches that have no image size yet a list of `count` such, as PsdPatchesCreate
   leaves them.

   Logically collective. count: 1 .. PSD_MOST_BRANCHES. Option: -branches, by PsdPatchesSetFromOptions.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetBranches(PsdPatches patches, PetscInt count);

/*
   PsdPatchesGetBranchCount - Number of branches, 1 when nothing was said about them.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetBranchCount(PsdPatches patches, PetscInt *count);

/*
   PsdPatchesGetBranch - Branch k = 0, 1, ... as patches by themselves, borrowed: to be set and asked, not destroyed.
   With one branch it is the patches themselves.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetBranch(PsdPatches patches, PetscInt k, PsdPatches *branch);

/*
   PsdPatchesSetMaps - Has patches be cut of maps, which a stage makes of the images (psdmaps.h), and hold that stage.
   PsdPatchesGetMaps - The stage, borrowed; *maps is NULL when there is none. Numbers of maps are taken as they are.

   Collective; after PsdPatchesSetFromOptions or PsdPatchesSetBranches, before the image size. Errors (PSD_ERR_INPUT):
   -pixel_shift or -pixel_scale was given.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetMaps(PsdPatches patches, PsdMaps maps);
PSD_EXTERN PetscErrorCode PsdPatchesGetMaps(PsdPatches patches, PsdMaps *maps);

/*
   PsdPatchesSetImageSize - Says of what size the images are, which settles all other sizes.

   Logically collective; before PsdProblemSetUp. Errors (PSD_ERR_INPUT): the patch, the regions or -pca do not fit the
   images.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetImageSize(PsdPatches patches, PetscInt channels, PetscInt height,
                                                 PetscInt width);

/*
   PsdPatchesSetGeometry - Sets size of the images and geometry together, as a model file gives them, and takes
   whitening, principal components and any transform out. PsdPatchesSetTransform - then sets the transform: q x f, and
   the mean, q; both are copied. Without it f = q.

   Logically collective; of patches without branches, or of one branch. 1 <= f <= q. Errors: as of
   PsdPatchesSetImageSize.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetGeometry(PsdPatches patches, const PsdPatchGeometry *geometry);
PSD_EXTERN PetscErrorCode PsdPatchesSetTransform(PsdPatches patches, PetscInt f, const PetscReal transform[],
                                                 const PetscReal mean[]);

/*
   PsdPatchesGetGeometry - The geometry; with branches, that of the first.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetGeometry(PsdPatches patches, PsdPatchGeometry *geometry);

/*
   PsdPatchesSetPreprocessing - Asks for whitening (EPS; 0: none) and principal components (0: all), as -whiten and -pca do.

   Logically collective; of patches without branches, or of one branch, that have their geometry and no transform. Errors
   (PSD_ERR_INPUT): more components than numbers in a patch.
*/
PSD_EXTERN PetscErrorCode PsdPatchesSetPreprocessing(PsdPatches patches, PetscReal whiten, PetscInt pca);

/*
   PsdPatchesGetPreprocessing - What -whiten and -pca or the recipe asked for, with branches of the first: EPS, relative
   to the mean eigenvalue of the covariance of the patches, and the principal components to keep. 0 where nothing was
   asked for, as in patches of a model file, which has the transform itself. Either argument may be NULL.

   Not collective; after PsdPatchesSetImageSize, which settles the recipe.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetPreprocessing(PsdPatches patches, PetscReal *whiten, PetscInt *pca);

/*
   PsdPatchesGetTransform - The transform (q x f) and the mean (q), borrowed, with branches those of the first; NULL
   when there is none: that of -whiten and -pca is computed from the training images in PsdSolverSetUp. Either argument
   may be NULL.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetTransform(PsdPatches patches, const PetscReal *transform[],
                                                 const PetscReal *mean[]);

/*
   PsdPatchesGetSizes - q: numbers in a raw patch; f: in a patch of the program; G: pooling regions; positions:
   patches in the regions of an image, those of two regions twice. f is that of the transform, whether or not it has
   been computed. With branches: the largest q and f, all regions and patches. Any may be NULL.

   Not collective; after PsdPatchesSetImageSize or PsdPatchesSetGeometry.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetSizes(PsdPatches patches, PetscInt *q, PetscInt *f, PetscInt *G,
                                             PetscInt *positions);

/*
   PsdPatchesGetComm - The communicator of the patches, borrowed.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdPatchesGetComm(PsdPatches patches, MPI_Comm *comm);

/*
   PsdPatchesCountRegions - Patches of an image in each of the G regions of one branch; count: G.

   Not collective; after PsdPatchesSetImageSize or PsdPatchesSetGeometry.
*/
PSD_EXTERN PetscErrorCode PsdPatchesCountRegions(PsdPatches patches, PetscInt count[]);

/*
   PsdPatchesExtract - Cuts one image into the raw patches of one branch (scaled and normalised, before any
   transform), grouped by region.

   Not collective. Allocates nothing.

   Input:  image - channels x height x width bytes, or numbers of type float of a map
   Output: rows  - positions x q, region after region in row-major order over the pool x pool grid
           count - G: patches in each region
*/
PSD_EXTERN PetscErrorCode PsdPatchesExtract(PsdPatches patches, const void *image, PetscReal rows[], PetscInt count[]);

/*
   PsdPatchesDestroy - Frees patches with all branches, and sets the handle to NULL; NULL is left as it is.

   Collective. Problems made of the patches must have been destroyed before.
*/
PSD_EXTERN PetscErrorCode PsdPatchesDestroy(PsdPatches *patches);

#endif
