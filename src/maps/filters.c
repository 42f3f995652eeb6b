/*
   Where the filters of a stage come from: a table of the alternatives, each K unit vectors in the coordinates of the
   transformed patches. What is drawn at random is drawn by number, from the seed, so that it is the same on any number of
   ranks.
*/
#include "filters.h"
#include "base/base.h"
#include "mirror_maps.h"

/* In (0, 1). */
static PetscReal DrawUniform(PetscInt64 seed, PetscInt64 k)
{
  return ((PetscReal)(PsdMapsDraw(seed, k) >> 11) + 0.5) / 9007199254740992.; /* 2^53 */
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
  PsdMapsMakeUnit(maps->map.count, f, filters);
  PetscCall(PsdMapsMirrorFilters(maps, filters));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- patches of the images */

/* raw (K x q): patch k where its image is, zeros elsewhere. */
static PetscErrorCode DrawPatches(PsdMaps maps, PsdData data, PetscReal raw[])
{
  PetscFunctionBeginUser;
  const PetscInt q = maps->q;
  const unsigned char *images;
  size_t bytes;
  PetscInt copies, n, n_local, first, positions;
  PetscCall(PsdDataGetShard(data, &images, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, &bytes));
  PetscCall(PsdDataGetSizes(data, &n, &n_local, &first));
  PetscCall(PsdDataGetCopies(data, &copies));
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, NULL, NULL, &positions));
  PetscCall(PetscArrayzero(raw, (size_t)maps->map.count * q));
  for (PetscInt k = 0; k < maps->map.count; k++) {
    const PetscInt image =
        (PetscInt)(PsdMapsDraw(maps->seed, 2 * (PetscInt64)k) % (uint64_t)(n / copies)) * copies - first;
    const PetscInt position = (PetscInt)(PsdMapsDraw(maps->seed, 2 * (PetscInt64)k + 1) % (uint64_t)positions);
    if (image < 0 || image >= n_local) continue;
    PetscCall(PsdMapsCut(maps, images + (size_t)image * bytes, maps->rows));
    PetscCall(PetscArraycpy(raw + (size_t)k * q, maps->rows + (size_t)position * q, q));
  }
  PetscFunctionReturn(0);
}

/* Patches of training images, as the transform has them. */
static PetscErrorCode MakePatches(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  const PetscInt K = maps->map.count, q = maps->q;
  PetscReal *raw;
  PetscInt f;
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  PetscCall(PetscMalloc1((size_t)K * q, &raw));
  PetscCall(DrawPatches(maps, data, raw));
  PetscCall(PsdSumArray(maps->comm, MPIU_REAL, (size_t)K * q, raw)); /* of one number and zeros */
  PetscCall(PsdMapsTransform(maps, K, raw, filters));
  PsdMapsMakeUnit(K, f, filters);
  PetscCall(PsdMapsMirrorFilters(maps, filters));
  PetscCall(PetscFree(raw));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeMeans(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  PetscCall(MakePatches(maps, data, filters));
  PetscCall(PsdMapsImproveFilters(maps, data, filters));
  PetscFunctionReturn(0);
}

/* Not there to be made. */
static PetscErrorCode MakeNone(PsdMaps maps, PsdData data, PetscReal filters[])
{
  PetscFunctionBeginUser;
  (void)data, (void)filters;
  SETERRQ(maps->comm, PETSC_ERR_ORDER, "The filters of a network have not been given to the maps");
}

static const PsdFilterKind kinds[] = {
    {"patches", "random patches of the training images, whitened", PETSC_FALSE, MakePatches},
    {"random", "random directions", PETSC_FALSE, MakeRandom},
    {"kmeans", "whitened patches, improved by spherical k-means", PETSC_FALSE, MakeMeans},
    {"neurons", "those of the network -layer1_model, the heaviest ones", PETSC_TRUE, MakeNone}};

const PsdFilterKind *const PsdFilterKinds[] = {&kinds[0], &kinds[1], &kinds[2], &kinds[3], NULL};
