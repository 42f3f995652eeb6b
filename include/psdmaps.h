/*
   PsdMaps: a stage of fixed features before the patches (docs/mathematics.md, section 1, "Maps").

   Patches of the image, cut and transformed as those of a network are, meet K unit filters w. With z = w . x the
   responses max(z - t, 0) and, split, max(-z - t, 0) are averaged over the pool x pool parts of the grid of positions. The
   channels of this map may be reduced to k whitened principal components, and each place of it divided by sqrt(mean
   square + E). What comes out is an image of k channels in single precision, which patches then cut as they cut bytes.
   The responses themselves may be kept beside it, more coarsely pooled, for branches of their own.

   Filters and statistics come from the training images and are fixed before the convex program is: its certificate is of
   the networks on these maps.

   A stage may stand on another one, whose maps its patches are then cut of in the place of images: a chain, in which the
   filters of each further stage are neurons of a network that was trained on the maps below. Each of these networks is
   certified given the stages below it.
*/
#ifndef PSDMAPS_H
#define PSDMAPS_H

#include <psdbase.h>
#include <psddata.h>
#include <psdpatches.h>

/* What defines a stage beside its patches and arrays; what model.h5 stores of it. */
typedef struct {
  PetscInt count;      /* K filters */
  PetscReal threshold; /* t, 0 or more */
  PetscBool split;     /* 2 K channels: of z and of -z; else K, of z */
  PetscInt channels;   /* k principal components of them; 0: all, as they are */
  PetscReal normalize; /* E of the normalisation of places; 0 = off */
  PetscInt responses; /* r: the responses themselves, as means over r x r parts of the map, follow it; 0: they do not */
  PetscReal response_scale; /* these times so much, which decides what beta asks of neurons on them; 0 as 1 */
} PsdMapGeometry;

/* How filters and statistics are to be made, where they are not given; see the options of the same names below. */
typedef struct {
  char kind[32];                  /* of -layer1_filters */
  char model[PETSC_MAX_PATH_LEN]; /* of -layer1_model; "": filters are made */
  PetscInt branch;                /* of -layer1_branch, from 1 on; 0: of the only one */
  PetscInt64 seed;                /* of the random choice of filters */
  PetscBool mirror;               /* filters come with their mirror images */
  PetscReal whiten;               /* of the patches */
  PetscInt pca;
  PetscReal channel_whiten;
} PsdMapRequest;

/* The network whose neurons are a stage's filters, as its file claims of it: optimal to the gap, given the stages below. */
typedef struct {
  char loss[32];    /* "": the filters are of no network */
  PetscInt neurons; /* that it has, of which the heaviest are the filters */
  PetscReal beta, primal, bound, gap;
} PsdMapOrigin;

/*
   PsdMapsCreate - Creates a stage: 256 split filters, whitened random patches of 6 x 6 pixels, threshold 0.5, a map of 9 x
   9 places with 48 channels. PsdMapsDestroy lets go of it, which frees it once no patches hold it either, and sets the
   handle to NULL; NULL is left as it is.

   Collective on comm, which is duplicated.
*/
PSD_EXTERN PetscErrorCode PsdMapsCreate(MPI_Comm comm, PsdMaps *maps);
PSD_EXTERN PetscErrorCode PsdMapsDestroy(PsdMaps *maps);

/*
   PsdMapsSetFromOptions - Reads the options of a stage:
     -layer1_filters KIND        what filters are made of: patches, random, kmeans or neurons
     -layer1_model FILE          with neurons: the network, which PsdNetworkGiveFilters takes them of
     -layer1_branch B            and its branch, of several
     -layer1_count K             filters
     -layer1_seed S              of the random choice of filters
     -layer1_threshold T         t
     -layer1_split               responses of both signs
     -layer1_patch P or PxQ      patch height and width
     -layer1_stride S            pixels between patches
     -layer1_patch_normalize E   as -patch_normalize; likewise -layer1_whiten and -layer1_pca
     -layer1_pool g              the map has g x g places
     -layer1_channels k          principal components of the channels to keep; 0 = all channels, as they are
     -layer1_channel_whiten EPS  their whitening, EPS relative to the mean eigenvalue
     -layer1_normalize E         normalisation of places; 0 = off
     -layer1_responses r         the responses themselves as well, of r x r places; for -branchN_responses
     -layer1_response_scale S    these times S
     -layer1_mirror              half of the filters, and for each its mirror image

   Collective. Output: wanted - whether -layer1_filters was given: no other asks for a stage. Errors (PSD_ERR_INPUT): values
   out of range; others without -layer1_filters.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetFromOptions(PsdMaps maps, PetscBool *wanted);

/*
   PsdMapsSetGeometry - Sets the size of the images, how patches are cut (their pool is the side of the map) and the rest, as
   a model file gives them. PsdMapsSetFilters - then sets the filters, K rows of f numbers, and the transform of their
   patches, q x f with the mean, q; both NULL: there is none. PsdMapsSetChannels - sets the transform of the channels, k
   columns, and their mean. All are copied. The stage is fitted when it has what its geometry asks for.

   Logically collective. Errors (PSD_ERR_INPUT): as of PsdPatchesSetGeometry; numbers with
   which single precision may overflow.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetGeometry(PsdMaps maps, const PsdPatchGeometry *patches, const PsdMapGeometry *map);
PSD_EXTERN PetscErrorCode PsdMapsSetFilters(PsdMaps maps, PetscInt f, const PetscReal transform[],
                                            const PetscReal mean[], const PetscReal filters[]);
PSD_EXTERN PetscErrorCode PsdMapsSetChannels(PsdMaps maps, const PetscReal transform[], const PetscReal mean[]);

/*
   PsdMapsGetGeometry - What PsdMapsSetGeometry or the options have set. PsdMapsGetFilters, PsdMapsGetChannels - f and the
   arrays, borrowed; NULL where there is none, or none yet. Any but the handle may be NULL.

   Not collective; after PsdMapsSetSizes or PsdMapsSetGeometry.
*/
PSD_EXTERN PetscErrorCode PsdMapsGetGeometry(PsdMaps maps, PsdPatchGeometry *patches, PsdMapGeometry *map);
PSD_EXTERN PetscErrorCode PsdMapsGetFilters(PsdMaps maps, PetscInt *f, const PetscReal *transform[],
                                            const PetscReal *mean[], const PetscReal *filters[]);
PSD_EXTERN PetscErrorCode PsdMapsGetChannels(PsdMaps maps, const PetscReal *transform[], const PetscReal *mean[]);

/*
   PsdMapsSetBelow - Has a stage stand on another one, which it holds from then on. PsdMapsGetBelow - That stage, borrowed;
   NULL: there is none. PsdMapsGetDepth - How many stages there are one on another, this one included.

   Logically collective; before PsdMapsSetGeometry, whose image is then the map below; the stage below is fitted, and no
   other is set. Errors (PSD_ERR_INPUT): more than PSD_MOST_STAGES stages.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetBelow(PsdMaps maps, PsdMaps below);
PSD_EXTERN PetscErrorCode PsdMapsGetBelow(PsdMaps maps, PsdMaps *below);
PSD_EXTERN PetscErrorCode PsdMapsGetDepth(PsdMaps maps, PetscInt *stages);

/*
   PsdMapsGetImages - How patches are cut of the images, by the lowest of the stages.

   Not collective; after PsdMapsSetSizes or PsdMapsSetGeometry.
*/
PSD_EXTERN PetscErrorCode PsdMapsGetImages(PsdMaps maps, PsdPatchGeometry *patches);

/*
   PsdMapsSetOrigin, PsdMapsGetOrigin - What is claimed of the network that the filters are of; PsdNetworkGiveFilters sets it.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetOrigin(PsdMaps maps, const PsdMapOrigin *origin);
PSD_EXTERN PetscErrorCode PsdMapsGetOrigin(PsdMaps maps, PsdMapOrigin *origin);

/*
   PsdMapsGetRequest - What the options have asked for about filters and statistics.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdMapsGetRequest(PsdMaps maps, PsdMapRequest *request);

/*
   PsdMapsSetSizes - Says of what size the images are that patches are cut of in the end, whether or not there is a stage
   before them: in the place of PsdPatchesSetImageSize where there may be one. Branches may be of the maps of several
   stages, which are then handed on by the last one.

   Logically collective. Errors (PSD_ERR_INPUT): as of PsdPatchesSetImageSize, of the stage's patches or of those; a branch
   of a stage that there is not.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetSizes(PsdPatches patches, PetscInt channels, PetscInt height, PetscInt width);

/*
   PsdMapsSetPixels - Says how the images are held that patches are cut of in the end, as PsdPatchesSetPixels; bytes at
   first. PsdProblemSetUp does so by itself.

   Logically collective; after the sizes. Errors (PSD_ERR_INPUT): filters of a stage that are of images held otherwise.
*/
PSD_EXTERN PetscErrorCode PsdMapsSetPixels(PsdPatches patches, const PsdPixels *pixels);

/*
   PsdMapsHandOn - Has the map of a stage, counted from the images, or the responses that it keeps beside its map, be handed on
   by the last stage, behind its own map; stage 0: the last one, whose map always is. PsdMapsGetPlace - Then the size of
   these, and how many numbers are before them. PsdMapsGetLength - All numbers that PsdMapsApply gives for an image.

   Logically collective; after PsdMapsSetSizes or PsdMapsSetGeometry. Places are known once all are handed on that will be.
   Errors (PSD_ERR_INPUT): no such stage, or one that keeps no responses; too many numbers.
*/
PSD_EXTERN PetscErrorCode PsdMapsHandOn(PsdMaps maps, PetscInt stage, PetscInt responses);
PSD_EXTERN PetscErrorCode PsdMapsGetPlace(PsdMaps maps, PetscInt stage, PetscInt responses, PetscInt *channels,
                                          PetscInt *height, PetscInt *width, PetscInt *begin);
PSD_EXTERN PetscErrorCode PsdMapsGetLength(PsdMaps maps, size_t *numbers);

/*
   PsdMapsGetSize - Channels, rows and columns of a map. PsdMapsGetComm - the communicator, borrowed.

   Not collective; sizes after PsdMapsSetSizes or PsdMapsSetGeometry. Any size may be NULL.
*/
PSD_EXTERN PetscErrorCode PsdMapsGetSize(PsdMaps maps, PetscInt *channels, PetscInt *height, PetscInt *width);
PSD_EXTERN PetscErrorCode PsdMapsGetComm(PsdMaps maps, MPI_Comm *comm);

/*
   PsdMapsAreFitted - Returns whether filters and statistics are there.

   Not collective.
*/
PSD_EXTERN PetscBool PsdMapsAreFitted(PsdMaps maps);

/*
   PsdMapsFit - Makes filters and statistics of the images, unless they are there: statistics from 10,000 images spread over
   all of them, or all; the same on any number of ranks. PsdSolverSetUp does so by itself.

   Collective; after PsdMapsSetSizes and PsdDataSetUp. Errors (PSD_ERR_INPUT): patches or responses that are all alike.
*/
PSD_EXTERN PetscErrorCode PsdMapsFit(PsdMaps maps, PsdData data);

/*
   PsdMapsApply - The map of one image, in single precision: its filters, products, sums and means are.

   Not collective. Allocates nothing.

   Input:  image - channels x height x width pixels
   Output: map   - channels x height x width numbers, as PsdMapsGetSize has them, and the responses of this stage; then, from
                   the last stage but one down to the images, maps and responses: each where it is handed on
*/
PSD_EXTERN PetscErrorCode PsdMapsApply(PsdMaps maps, const void *image, float map[]);

#endif
