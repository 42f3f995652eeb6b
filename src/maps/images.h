/*
   The images of this rank's shard as patches are cut of them: their bytes, or, where the patches have a stage before them,
   maps. Maps are kept in single precision where the memory stated has room for all of them, each made when it is first
   asked for; otherwise they are made again each time.
*/
#ifndef PSD_IMAGES_PRIVATE_H
#define PSD_IMAGES_PRIVATE_H

#include <psdmaps.h>

/* Images that the statistics of a stage come from, at most: a covariance of a few hundred numbers is then known to a
   hundredth. */
#define PSD_STATISTICS_IMAGES 10000

typedef struct _p_PsdImages *PsdImages;

/* PsdImagesCreate - of patches that have their image size. memory: bytes for maps that are kept. Not collective. */
PetscErrorCode PsdImagesCreate(PsdData data, PsdPatches patches, size_t memory, PsdImages *images);
PetscErrorCode PsdImagesDestroy(PsdImages *images);

/* PsdImagesFit - the stage's filters and statistics, where there is a stage without. Collective. */
PetscErrorCode PsdImagesFit(PsdImages images);

/* PsdImagesGet - sample i of the shard, as PsdPatchesExtract takes it; borrowed until the next one is asked for. Not
   collective. */
PetscErrorCode PsdImagesGet(PsdImages images, PetscInt i, const void **image);

#endif
