/*
   Patches of an image and what is made of them. Two roads lead from an image into the program:

     extract    the raw patches themselves, for applying filters (network/)
     moments -> lift    their pooled second moments, one per region, then the lifted feature Phi_ig (problem/)

   The second road never holds patches in the program's coordinates: whitening and PCA are linear, so they are applied to
   the (q+1) x (q+1) moments of a region rather than to its patches, which is cheaper by the number of patches in a region.
*/
#ifndef PSD_PATCHES_PRIVATE_H
#define PSD_PATCHES_PRIVATE_H

#include <psdpatches.h>

struct _p_PsdPatches {
  MPI_Comm comm;
  PetscInt branches;                    /* 0: what follows is meant; else only what these do */
  PsdPatches branch[PSD_MOST_BRANCHES]; /* each without branches */
  PsdPatchGeometry geometry;
  PetscBool recipe;            /* nothing was asked for: the size of the images decides, see UseRecipe */
  PetscReal whiten;            /* EPS of ZCA, relative to the mean eigenvalue of the covariance; 0 = off */
  PetscInt pca;                /* coordinates to keep; 0 = all */
  PetscInt q, f, G, positions; /* see PsdPatchesGetSizes */
  PetscInt height, width;      /* of the reduced image */
  PetscInt rows, columns;      /* the grid of places that patches are cut at */
  PetscReal *transform, *mean; /* q x f row-major and q; NULL: none (yet) */
  PetscBool mirrored; /* statistics are those of images and mirror images: the transform respects the symmetry */
  PetscReal
      *parity; /* f: principal component k of a mirrored patch is parity[k] times the patch's; NULL: see mirror.c */
  PetscReal *image;            /* work: one reduced image */
  PetscReal *scales;           /* work: four planes, see PatchScales */
  PetscReal *patch_rows;       /* work: positions x q */
  PetscReal *square, *product; /* work of the lift: q x q, q x f */
  PetscInt *region_count;      /* G */
};

/* Entries of the packed upper triangle (column by column) of a symmetric matrix of order n. */
static inline PetscInt PsdPackedLength(PetscInt n)
{
  return n * (n + 1) / 2;
}

/* Whether a transform was asked for (-whiten, -pca) whose statistics have not been computed yet. */
PetscBool PsdPatchesNeedStatistics(PsdPatches patches);

/* PsdPatchesCountRegions - patches of an image in each of the G regions. Not collective. */
PetscErrorCode PsdPatchesCountRegions(PsdPatches patches, PetscInt count[]);

/* PsdPatchesCountPositions - their sum. Not collective. */
PetscInt64 PsdPatchesCountPositions(PsdPatches patches);

/* ---------------------------------------------------------------- mirror images: mirror.c */

/* Whether the patches of a mirrored image are those of the image, mirrored, in mirrored regions. After PsdPatchesSetImageSize.
   Not collective. */
PetscBool PsdPatchesAreSymmetric(PsdPatches patches);

/* PsdPatchesSetMirrored - the transform to come is that of images and mirror images alike. Before the statistics; needs
   symmetric patches. Logically collective. */
void PsdPatchesSetMirrored(PsdPatches patches);

/* Where number k of a raw patch is in the mirrored patch. */
PetscInt PsdPatchesMirrorPixel(PsdPatches patches, PetscInt k);

/* What becomes of region g: coordinate k of a patch of the mirrored image in `region` is sign[k] times coordinate
   coordinate[k] of one of the image in g. Coordinates from f on are padding. */
typedef struct {
  PetscInt region, f;
  PetscInt *coordinate; /* PsdPatchesFinalDimension */
  PetscReal *sign;      /* PsdPatchesFinalDimension */
} PsdRegionMirror;
void PsdPatchesGetMirror(PsdPatches patches, PetscInt g, PsdRegionMirror *mirror);

/* f once the transform is known, whether or not it is yet. */
PetscInt PsdPatchesFinalDimension(PsdPatches patches);

/* Numbers in the moments of an image, and in the statistics of the transform. */
PetscInt PsdPatchesMomentsLength(PsdPatches patches);
PetscInt PsdPatchesStatisticsLength(PsdPatches patches);

/*
   PsdPatchesMoments - mean over each region's patches p of [p;1][p;1]'.

   Not collective. moments: G packed upper triangles of order q+1, branch after branch.
*/
PetscErrorCode PsdPatchesMoments(PsdPatches patches, const unsigned char image[], PetscReal moments[]);

/*
   PsdPatchesLift - Phi_ig from the moments: transforms them into the program's coordinates and weights them with the
   activation. Not collective. activation: a, b, c. phi: G svecs of order f+1; with one branch it may be the same array as moments.
*/
PetscErrorCode PsdPatchesLift(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                              PetscReal phi[]);

/* The statistics of the transform: add the moments of one image to sum (packed, order q+1, branch after branch; start from
   zeros), ... */
void PsdPatchesAddStatistics(PsdPatches patches, const PetscReal moments[], PetscReal sum[]);
/* ... and make the transform of the sum over all images, which only rank 0 needs to have, and may change. Collective. */
PetscErrorCode PsdPatchesSetStatistics(PsdPatches patches, PetscReal sum[]);

/* PsdPatchesFeatureBound - an upper bound of |Phi's quadratic and linear parts| before cancellation in the change of
   coordinates: what the rounding error of a lifted feature is relative to. 0 without a transform. */
PetscReal PsdPatchesFeatureBound(PsdPatches patches, const PetscReal activation[3]);

/* PsdPatchesProduct - upper triangle of scale sum_l p_l p_l', for `count` patches, rows of q. Reads up to PSD_ROWS_PADDING
   numbers beyond the last row. Not collective. */
#define PSD_ROWS_PADDING 16
PetscErrorCode PsdPatchesProduct(PetscInt q, PetscInt count, PetscReal scale, const PetscReal rows[],
                                 PetscReal square[]);

/* Flops of PsdPatchesMoments and PsdPatchesLift for one image: useful ones, a product of a matrix with its own transpose
   counted as half a general one. */
PetscLogDouble PsdPatchesMomentsFlops(PsdPatches patches);
PetscLogDouble PsdPatchesLiftFlops(PsdPatches patches);

#endif
