/*
   From the bytes of an image to its map (docs/mathematics.md, section 1, "Maps"), by two products of matrices in single
   precision: all patches with all filters, and all places with the components of their channels. Stages that stand on others
   do so stage after stage.

   An image is mapped by itself, so that its map is the same whichever rank holds it and whatever comes with it. Products
   are folded: z = p w + offset of a raw patch p, w = transform filters, offset = -mean w.
*/
#include "base/base.h"
#include "base/gemm.h"
#include "filters.h"
#include <math.h>

/* What a map may hold at most, so that squares of its numbers and sums of them are finite in single precision; and the least
   E that is not lost in it. */
#define LARGEST 1e15
#define LEAST 1e-30

/* The largest number of a patch of an image, or of a map: normalised ones have a mean square below 1. */
static PetscReal LargestOfPatch(PsdMaps maps)
{
  const PsdPatchGeometry *g = &maps->cut;
  if (maps->lower) return PsdMapsLargest(maps->lower);
  return g->normalize > 0 ? PetscSqrtReal((PetscReal)maps->q) : PsdPixelsFarthest(g) / g->pixel_scale;
}

/* The largest column sum of |w| (n x k) times x, and of |shift|: what x' w + shift is at most. */
static PetscReal LargestOfProduct(PetscInt n, PetscInt k, const PetscReal w[], const PetscReal shift[], PetscReal x)
{
  PetscReal most = 0;
  for (PetscInt j = 0; j < k; j++) {
    PetscReal sum = PetscAbsReal(shift[j]);
    for (PetscInt i = 0; i < n; i++) sum += PetscAbsReal(w[(size_t)i * k + j]) * x;
    most = PetscMax(most, sum);
  }
  return most;
}

static PetscErrorCode CheckLargest(PsdMaps maps, PetscReal largest)
{
  PetscFunctionBeginUser;
  const PetscReal E = maps->map.normalize;
  PsdCheckInput(largest <= LARGEST,
                "maps have numbers of up to %g, expected at most %g: see -layer1_whiten, "
                "-layer1_patch_normalize and -layer1_channel_whiten",
                (double)largest, LARGEST);
  PsdCheckInput(E == 0 || E >= LEAST, "option -layer1_normalize: found %g, expected 0 or at least %g", (double)E,
                LEAST);
  PetscFunctionReturn(0);
}

/* to (n x k) = T (n x f) F' (F: k x f), and shift = -mean to; without T, F' itself. */
static PetscErrorCode Fold(PetscInt n, PetscInt f, PetscInt k, const PetscReal T[], const PetscReal mean[],
                           const PetscReal F[], PetscReal to[], PetscReal shift[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(shift, k));
  if (T) PetscCall(PsdGemmDouble('T', 'N', k, n, f, F, f, T, f, to, k));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < k; j++) {
      if (!T) to[(size_t)i * k + j] = F[(size_t)j * n + i];
      else shift[j] -= mean[i] * to[(size_t)i * k + j];
    }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsTransform(PsdMaps maps, PetscInt count, PetscReal raw[], PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscInt q = maps->q;
  const PetscReal *transform, *mean;
  PetscInt f;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  PetscCall(PsdPatchesGetTransform(maps->patches, &transform, &mean));
  if (!transform) {
    PetscCall(PetscArraycpy(x, raw, (size_t)count * q));
    PetscFunctionReturn(0);
  }
  for (PetscInt k = 0; k < count; k++)
    for (PetscInt i = 0; i < q; i++) raw[(size_t)k * q + i] -= mean[i];
  PetscCall(PsdGemmDouble('N', 'N', f, count, q, transform, f, raw, q, x, f));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFold(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const PetscInt K = maps->map.count, q = maps->q;
  const size_t numbers = (size_t)q * K;
  const PetscReal *transform, *mean, t = maps->map.threshold;
  PetscReal *w, *offset;
  PetscCall(PsdPatchesGetTransform(maps->patches, &transform, &mean));
  PetscCall(PetscFree3(maps->w, maps->above, maps->below));
  PetscCall(PetscMalloc3(numbers, &maps->w, K, &maps->above, K, &maps->below));
  PetscCall(PetscMalloc2(numbers, &w, K, &offset));
  PetscCall(Fold(q, maps->f, K, transform, mean, maps->filters, w, offset));
  maps->largest = LargestOfProduct(q, K, w, offset, LargestOfPatch(maps)) + t;
  for (size_t k = 0; k < numbers; k++) maps->w[k] = (float)w[k];
  for (PetscInt k = 0; k < K; k++) {
    maps->above[k] = (float)(offset[k] - t);
    maps->below[k] = (float)(-offset[k] - t);
  }
  PetscCall(PetscFree2(w, offset));
  PetscCall(CheckLargest(maps, maps->largest * PetscMax(1, maps->map.responses > 0 ? PsdMapsResponseScale(maps) : 1)));
  PetscCall(PsdMapsFindMirror(maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFoldChannels(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const PetscInt n = maps->raw_channels, k = maps->map.channels;
  const PetscReal *transform, *mean;
  PetscReal *shift;
  PetscCall(PsdPatchesGetTransform(maps->channels, &transform, &mean));
  PetscCall(PetscFree2(maps->reduce, maps->centre));
  PetscCall(PetscMalloc2((size_t)n * k, &maps->reduce, k, &maps->centre));
  PetscCall(PetscCalloc1(k, &shift));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < k; j++) shift[j] -= mean[i] * transform[(size_t)i * k + j];
  const PetscReal largest = LargestOfProduct(n, k, transform, shift, maps->largest);
  for (PetscInt j = 0; j < k; j++) maps->centre[j] = (float)shift[j];
  for (size_t i = 0; i < (size_t)n * k; i++) maps->reduce[i] = (float)transform[i];
  PetscCall(PetscFree(shift));
  maps->largest_reduced = largest;
  PetscCall(CheckLargest(maps, largest));
  PetscCall(PsdMapsFindMirror(maps));
  PetscFunctionReturn(0);
}

/* sums (K, or 2 K) <- means of the responses of the patches of one place */
static void Rectify(PsdMaps maps, PetscInt patches, const float response[], float sums[restrict])
{
  const PetscInt K = maps->map.count;
  const float *restrict above = maps->above, *restrict below = maps->below;
  float *restrict other = sums + K;
  const float scale = 1 / (float)patches;
  for (PetscInt k = 0; k < maps->raw_channels; k++) sums[k] = 0;
  for (PetscInt l = 0; l < patches; l++, response += K) {
    for (PetscInt k = 0; k < K; k++) sums[k] += PetscMax(response[k] + above[k], 0.f);
    for (PetscInt k = 0; k < K && maps->map.split; k++) other[k] += PetscMax(below[k] - response[k], 0.f);
  }
  for (PetscInt k = 0; k < maps->raw_channels; k++) sums[k] *= scale;
}

static PetscErrorCode MakeMap(PsdMaps maps, const void *image, float map[]);

PetscErrorCode PsdMapsCut(PsdMaps maps, const void *image, PetscReal rows[])
{
  PetscFunctionBeginUser;
  if (maps->lower) PetscCall(MakeMap(maps->lower, image, maps->input));
  PetscCall(PsdPatchesExtract(maps->patches, maps->lower ? maps->input : image, rows, maps->count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsRespond(PsdMaps maps, const void *image)
{
  PetscFunctionBeginUser;
  const PetscInt K = maps->map.count, q = maps->q, places = maps->cut.pool * maps->cut.pool;
  const float *response = maps->response;
  PetscInt positions;
  PetscCall(PsdMapsCut(maps, image, maps->rows));
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, NULL, NULL, &positions));
  for (size_t k = 0; k < (size_t)positions * q; k++) maps->single[k] = (float)maps->rows[k];
  PetscCall(PsdGemmSingle('N', 'N', K, positions, q, maps->w, K, maps->single, q, maps->response, K));
  for (PetscInt g = 0; g < places; g++) {
    Rectify(maps, maps->count[g], response, maps->sums + (size_t)g * maps->raw_channels);
    response += (size_t)maps->count[g] * K;
  }
  PetscFunctionReturn(0);
}

/* x <- x/sqrt(mean square + E) */
static void Normalize(PetscInt n, PetscReal E, float x[])
{
  float square = 0;
#pragma omp simd reduction(+ : square)
  for (PetscInt k = 0; k < n; k++) square += x[k] * x[k];
  const float scale = 1 / sqrtf(square / (float)n + (float)E);
  for (PetscInt k = 0; k < n; k++) x[k] *= scale;
}

/* map (channels x places) <- rows (places x channels) */
static void Transpose(PetscInt places, PetscInt channels, const float rows[], float map[])
{
  for (PetscInt k = 0; k < channels; k++)
    for (PetscInt g = 0; g < places; g++) map[(size_t)k * places + g] = rows[(size_t)g * channels + k];
}

/* coarse (parts x raw_channels) <- means over the r x r even parts of the map with all channels, times their scale */
static void Coarsen(PsdMaps maps)
{
  const PetscInt side = maps->cut.pool, r = maps->map.responses, n = maps->raw_channels, each = side / r;
  const float scale = (float)(PsdMapsResponseScale(maps) / (PetscReal)(each * each));
  PetscInt place = 0;
  for (size_t k = 0; k < (size_t)r * r * n; k++) maps->coarse[k] = 0;
  for (PetscInt i = 0; i < side; i++)
    for (PetscInt j = 0; j < side; j++, place++) {
      const float *restrict row = maps->sums + (size_t)place * n;
      float *restrict part = maps->coarse + (size_t)(i / each * r + j / each) * n;
      for (PetscInt k = 0; k < n; k++) part[k] += scale * row[k];
    }
}

PetscBool PsdMapsAreFitted(PsdMaps maps)
{
  return PsdMapsHaveAll(maps);
}

/* The map of one stage alone. */
static PetscErrorCode MakeMap(PsdMaps maps, const void *image, float map[])
{
  PetscFunctionBeginUser;
  const PetscInt places = maps->cut.pool * maps->cut.pool, n = maps->raw_channels, k = PsdMapsChannels(maps);
  float *rows = maps->sums;
  PetscCall(PsdMapsRespond(maps, image));
  if (maps->map.responses > 0) Coarsen(maps); /* before places are normalised, which may be in their own place */
  if (maps->channels) {
    rows = maps->reduced;
    PetscCall(PsdGemmSingle('N', 'N', k, places, n, maps->reduce, k, maps->sums, n, rows, k));
    for (PetscInt g = 0; g < places; g++)
      for (PetscInt j = 0; j < k; j++) rows[(size_t)g * k + j] += maps->centre[j];
  }
  for (PetscInt g = 0; g < places && maps->map.normalize > 0; g++)
    Normalize(k, maps->map.normalize, rows + (size_t)g * k);
  Transpose(places, k, rows, map);
  PetscFunctionReturn(0);
}

/* A stage's responses, as the image has left them there, where they are handed on. */
static void HandResponses(PsdMaps stage, PetscBool handed, float **map)
{
  if (!handed) return;
  Transpose(stage->map.responses * stage->map.responses, stage->raw_channels, stage->coarse, *map);
  *map += PsdMapsResponseNumbers(stage);
}

PetscErrorCode PsdMapsApply(PsdMaps maps, const void *image, float map[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscCheck(PsdMapsAreFitted(maps), maps->comm, PETSC_ERR_ORDER, "The maps have not been fitted");
  PetscInt stage = PsdMapsDepth(maps);
  PetscCall(MakeMap(maps, image, map));
  map += PsdMapsNumbers(maps);
  HandResponses(maps, maps->responses_handed[stage - 1], &map);
  for (PsdMaps above = maps; stage > 1; above = above->lower) {
    stage--;
    if (maps->handed[stage - 1]) { /* as this image has left it above */
      PetscCall(PetscArraycpy(map, above->input, PsdMapsNumbers(above->lower)));
      map += PsdMapsNumbers(above->lower);
    }
    HandResponses(above->lower, maps->responses_handed[stage - 1], &map);
  }
  PetscFunctionReturn(0);
}
