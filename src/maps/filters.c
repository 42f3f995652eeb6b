/*
   Where the filters of a stage come from: a table of the alternatives, each K unit vectors in the coordinates of the
   transformed patches. What is drawn at random is drawn by number, from the seed, so that it is the same on any number of
   ranks.
*/
#include "base/base.h"
#include "base/gemm.h"
#include "maps_impl.h"

/* Number k of a sequence that looks random: the generator SplitMix64. */
static uint64_t Draw(PetscInt64 seed, PetscInt64 k)
{
  uint64_t z = ((uint64_t)seed << 40) + (uint64_t)(k + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* In (0, 1). */
static PetscReal DrawUniform(PetscInt64 seed, PetscInt64 k)
{
  return ((PetscReal)(Draw(seed, k) >> 11) + 0.5) / 9007199254740992.; /* 2^53 */
}

/* Rows of length 1, but for those that are 0: their responses are -t everywhere, and no neuron sees them. */
static void MakeUnit(PetscInt K, PetscInt f, PetscReal filters[])
{
  for (PetscInt k = 0; k < K; k++, filters += f) {
    PetscReal square = 0;
    for (PetscInt i = 0; i < f; i++) square += filters[i] * filters[i];
    for (PetscInt i = 0; i < f && square > 0; i++) filters[i] /= PetscSqrtReal(square);
  }
}

/* ---------------------------------------------------------------- directions */

/* Pairs of normal numbers by the formula of Box and Muller. */
static PetscErrorCode MakeRandom(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  PetscInt f;
  (void)data;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  const PetscInt64 numbers = (PetscInt64)maps->map.count * f;
  for (PetscInt64 k = 0; k < numbers; k++) {
    const PetscReal length = PetscSqrtReal(-2 * PetscLogReal(DrawUniform(maps->seed, 2 * k)));
    filters[k] = length * PetscCosReal(2 * PETSC_PI * DrawUniform(maps->seed, 2 * k + 1));
  }
  MakeUnit(maps->map.count, f, filters);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- patches of the images */

/* raw (K x q): patch k where its image is, zeros elsewhere. */
static PetscErrorCode DrawPatches(PsdMaps maps, PsdData data, PetscReal raw[])
{
  PetscFunctionBeginUser;
  const PetscInt q = maps->q;
  const unsigned char *images;
  PetscInt channels, height, width, copies, n, n_local, first, positions;
  PetscCall(PsdDataGetShard(data, &images, NULL, NULL));
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PetscCall(PsdDataGetSizes(data, &n, &n_local, &first));
  PetscCall(PsdDataGetCopies(data, &copies));
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, NULL, NULL, &positions));
  PetscCall(PetscArrayzero(raw, (size_t)maps->map.count * q));
  for (PetscInt k = 0; k < maps->map.count; k++) {
    const PetscInt image = (PetscInt)(Draw(maps->seed, 2 * (PetscInt64)k) % (uint64_t)(n / copies)) * copies - first;
    const PetscInt position = (PetscInt)(Draw(maps->seed, 2 * (PetscInt64)k + 1) % (uint64_t)positions);
    if (image < 0 || image >= n_local) continue;
    PetscCall(
        PsdPatchesExtract(maps->patches, images + (size_t)image * channels * height * width, maps->rows, maps->count));
    PetscCall(PetscArraycpy(raw + (size_t)k * q, maps->rows + (size_t)position * q, q));
  }
  PetscFunctionReturn(0);
}

/* Patches of training images, as the transform has them. */
static PetscErrorCode MakePatches(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  const PetscInt K = maps->map.count, q = maps->q;
  const PetscReal *transform, *mean;
  PetscReal *raw;
  PetscInt f;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  PetscCall(PsdPatchesGetTransform(maps->patches, &transform, &mean));
  PetscCall(PetscMalloc1((size_t)K * q, &raw));
  PetscCall(DrawPatches(maps, data, raw));
  PetscCall(PsdSumArray(maps->comm, MPIU_REAL, (size_t)K * q, raw)); /* of one number and zeros */
  if (transform) {
    for (PetscInt k = 0; k < K; k++)
      for (PetscInt i = 0; i < q; i++) raw[(size_t)k * q + i] -= mean[i];
    PetscCall(PsdGemmDouble('N', 'N', f, K, q, transform, f, raw, q, filters, f));
  } else {
    PetscCall(PetscArraycpy(filters, raw, (size_t)K * q));
  }
  MakeUnit(K, f, filters);
  PetscCall(PetscFree(raw));
  PetscFunctionReturn(0);
}

static const PsdFilterKind patches_kind = {"patches", "random patches of the training images, whitened", MakePatches};
static const PsdFilterKind random_kind = {"random", "random directions", MakeRandom};

const PsdFilterKind *const PsdFilterKinds[] = {&patches_kind, &random_kind, NULL};
