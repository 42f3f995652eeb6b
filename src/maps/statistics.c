/*
   The statistics of a stage: sums of [p;1][p;1]' over the patches of the images, and over the places of the maps with all
   channels. They come from images that are spread evenly over all of them, and are added in twice the working precision,
   so that they are the same on any number of ranks.
*/
#include "base/base.h"
#include "base/gemm.h"
#include "base/sum.h"
#include "images.h"
#include "maps_impl.h"
#include "patches/lift.h"
#include "patches/transform.h"

typedef struct Statistics Statistics;
struct Statistics {
  PsdMaps maps;
  PsdPatches patches; /* whose transform is wanted */
  /* rows (count x q) <- what these patches are of one image */
  PetscErrorCode (*cut)(Statistics *it, const void *image);
  const char *name; /* for the line of progress */
  PetscInt q, count;
  PetscReal *rows, *square, *packed;
};

/* packed, order q+1 <- sum of [p;1][p;1]' */
static PetscErrorCode SumPatches(Statistics *it)
{
  PetscFunctionBeginUser;
  const PetscInt q = it->q, count = it->count;
  const PetscReal *rows = it->rows;
  PetscReal *first = it->packed + PsdPackedLength(q);
  PetscCall(PsdSyrkDouble('N', q, count, rows, q, it->square, q));
  for (PetscInt column = 0; column < q; column++)
    PetscCall(PetscArraycpy(it->packed + PsdPackedLength(column), it->square + (size_t)column * q, column + 1));
  PetscCall(PetscArrayzero(first, q));
  for (PetscInt l = 0; l < count; l++)
    for (PetscInt k = 0; k < q; k++) first[k] += rows[(size_t)l * q + k];
  first[q] = (PetscReal)count;
  PetscFunctionReturn(0);
}

/* Every step-th image of all, as far as it is here. */
static PetscErrorCode Gather(Statistics *it, PsdData data, PsdSum sum)
{
  PetscFunctionBeginUser;
  const unsigned char *images;
  size_t bytes;
  PetscInt copies, n, n_local, first;
  PsdProgress progress;
  PetscCall(PsdDataGetShard(data, &images, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, &bytes));
  PetscCall(PsdDataGetSizes(data, &n, &n_local, &first));
  PetscCall(PsdDataGetCopies(data, &copies));
  const PetscInt step = copies * ((n / copies + PSD_STATISTICS_IMAGES - 1) / PSD_STATISTICS_IMAGES);
  const PetscInt begin = (first + step - 1) / step * step - first;
  PetscCall(PsdProgressCreate(it->maps->comm, it->name, "images", n_local, n, &progress));
  for (PetscInt i = begin; i < n_local; i += step) {
    PetscCall((*it->cut)(it, images + (size_t)i * bytes));
    PetscCall(SumPatches(it));
    PsdSumAdd(sum, 0, (size_t)PsdPackedLength(it->q + 1), it->packed);
    PetscCall(PsdProgressUpdate(progress, PetscMin(n_local, i + step)));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscFunctionReturn(0);
}

static PetscErrorCode Fit(Statistics *it, PsdData data)
{
  PetscFunctionBeginUser;
  PsdSum sum;
  PetscCall(PsdPatchesGetSizes(it->patches, &it->q, NULL, NULL, &it->count));
  const size_t length = (size_t)PsdPackedLength(it->q + 1), q = (size_t)it->q;
  PetscCall(PetscMalloc3(q * it->count, &it->rows, q * q, &it->square, length, &it->packed));
  PetscCall(PsdSumCreate(length, &sum));
  PetscCall(Gather(it, data, sum));
  PetscCall(PsdSumReduce(sum, it->maps->comm, it->packed));
  const PetscErrorCode code = PsdPatchesSetStatistics(it->patches, it->packed);
  PetscCall(PsdSumDestroy(&sum));
  PetscCall(PetscFree3(it->rows, it->square, it->packed));
  PetscFunctionReturn(code);
}

static PetscErrorCode CutImage(Statistics *it, const void *image)
{
  PetscFunctionBeginUser;
  PetscCall(PsdMapsCut(it->maps, image, it->rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode CutMap(Statistics *it, const void *image)
{
  PetscFunctionBeginUser;
  PetscCall(PsdMapsRespond(it->maps, image));
  for (size_t k = 0; k < (size_t)it->count * it->q; k++) it->rows[k] = it->maps->sums[k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFitPatches(PsdMaps maps, PsdData data)
{
  PetscFunctionBeginUser;
  Statistics it = {.maps = maps, .patches = maps->patches, .cut = CutImage, .name = "filters"};
  if (PsdPatchesNeedStatistics(maps->patches)) PetscCall(Fit(&it, data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFitChannels(PsdMaps maps, PsdData data)
{
  PetscFunctionBeginUser;
  Statistics it = {.maps = maps, .patches = maps->channels, .cut = CutMap, .name = "channels"};
  PetscCall(Fit(&it, data));
  PetscFunctionReturn(0);
}
