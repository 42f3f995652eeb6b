/*
   Filters by spherical k-means (Coates, Ng): unit vectors d_k, to each of which the patches x belong whose d_k . x is the
   largest in absolute value, and

     d_k <- d_k + sum over these patches of (d_k . x) x,  divided by its length,

   a few times. The patches are drawn by number from images that are spread over all of them, and sums are in twice the
   working precision, so that the filters are the same on any number of ranks.
*/
#include "base/base.h"
#include "base/gemm.h"
#include "base/sum.h"
#include "filters.h"
#include "mirror_maps.h"

#define ROUNDS 10
#define IMAGES 1000 /* at most */
#define EACH 100    /* patches of an image */

typedef struct {
  PsdMaps maps;
  PetscInt f, n;    /* patches here */
  PetscReal *x;     /* n x f */
  PetscReal *along; /* EACH x K */
} Sample;

/* EACH of the patches of image number `number`, transformed, to x. */
static PetscErrorCode CutImage(Sample *it, PetscInt64 number, const void *image, PetscReal raw[], PetscReal x[])
{
  PetscFunctionBeginUser;
  const PsdMaps maps = it->maps;
  const PetscInt q = maps->q;
  PetscInt positions;
  PetscCall(PsdMapsCut(maps, image, maps->rows));
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, NULL, NULL, &positions));
  for (PetscInt l = 0; l < EACH; l++) {
    const uint64_t drawn = PsdMapsDraw(maps->seed + 1, number * EACH + l); /* not those that begin as filters */
    const PetscInt position = (PetscInt)(drawn % (uint64_t)positions);
    PetscCall(PetscArraycpy(raw + (size_t)l * q, maps->rows + (size_t)position * q, q));
  }
  PetscCall(PsdMapsTransform(maps, EACH, raw, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode SampleCreate(PsdMaps maps, PsdData data, Sample *it)
{
  PetscFunctionBeginUser;
  const unsigned char *images;
  PetscReal *raw;
  size_t bytes;
  PetscInt copies, n, n_local, first;
  PetscCall(PsdDataGetShard(data, &images, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, &bytes));
  PetscCall(PsdDataGetSizes(data, &n, &n_local, &first));
  PetscCall(PsdDataGetCopies(data, &copies));
  const PetscInt step = copies * ((n / copies + IMAGES - 1) / IMAGES), begin = (first + step - 1) / step * step - first;
  *it = (Sample){.maps = maps};
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &it->f, NULL, NULL));
  PetscCall(
      PetscMalloc2((size_t)(n_local / step + 1) * EACH * it->f, &it->x, (size_t)EACH * maps->map.count, &it->along));
  PetscCall(PetscMalloc1((size_t)EACH * maps->q, &raw));
  for (PetscInt i = begin; i < n_local; i += step, it->n += EACH)
    PetscCall(CutImage(it, (first + i) / copies, images + (size_t)i * bytes, raw, it->x + (size_t)it->n * it->f));
  PetscCall(PetscFree(raw));
  PetscFunctionReturn(0);
}

/* Adds (d_k . x) x of this rank's patches to row k of the sum. */
static PetscErrorCode AddPatches(Sample *it, const PetscReal filters[], PsdSum sum, PetscReal work[])
{
  PetscFunctionBeginUser;
  const PetscInt K = it->maps->map.count, f = it->f;
  for (PetscInt l = 0; l < it->n; l += EACH) {
    const PetscReal *x = it->x + (size_t)l * f, *along = it->along;
    PetscCall(PsdGemmDouble('T', 'N', K, EACH, f, filters, f, x, f, it->along, K));
    for (PetscInt i = 0; i < EACH; i++, along += K, x += f) {
      PetscInt best = 0;
      for (PetscInt k = 1; k < K; k++)
        if (PetscAbsReal(along[k]) > PetscAbsReal(along[best])) best = k;
      for (PetscInt j = 0; j < f; j++) work[j] = along[best] * x[j];
      PsdSumAdd(sum, (size_t)best * f, (size_t)f, work);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Improve(Sample *it, PetscReal filters[])
{
  PetscFunctionBeginUser;
  const PetscInt K = it->maps->map.count, f = it->f;
  const size_t length = (size_t)K * f;
  PetscReal *total;
  PsdSum sum;
  PetscCall(PetscMalloc1(length, &total));
  PetscCall(PsdSumCreate(length, &sum));
  PetscCall(AddPatches(it, filters, sum, total));
  PetscCall(PsdSumReduce(sum, it->maps->comm, total));
  PetscCall(PsdBroadcastArray(it->maps->comm, MPIU_REAL, length, total));
  PetscCall(PsdMapsAddMirrors(it->maps, total)); /* mirror images of the patches count as well */
  for (size_t k = 0; k < length; k++) filters[k] += total[k];
  PsdMapsMakeUnit(K, f, filters);
  PetscCall(PsdMapsMirrorFilters(it->maps, filters));
  PetscCall(PsdSumDestroy(&sum));
  PetscCall(PetscFree(total));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsImproveFilters(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  Sample sample;
  PetscCall(SampleCreate(maps, data, &sample));
  for (PetscInt k = 0; k < ROUNDS; k++) PetscCall(Improve(&sample, filters));
  PetscCall(PetscFree2(sample.x, sample.along));
  PetscFunctionReturn(0);
}
