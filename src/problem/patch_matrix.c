/*
   Patches by tiles of samples: cut from the images, less their mean, times the transform (one product for a tile and
   region), measured. Kept patches are the same tiles, side by side.
*/
#include "patch_matrix.h"
#include "base/rounding.h"
#include "maps/images.h"
#include "patches/lift.h"
#include <petscblaslapack.h>

size_t PsdPatchTileBytes = (size_t)16 << 20;

struct _p_PsdPatchMatrix {
  PsdPatches patches;
  PsdImages images;
  PetscReal activation[3];
  PetscInt n, G, tile;
  PetscInt *f, *count;
  PetscBool kept, measured;
  PetscReal **x;   /* G: (n count_g) x f_g when kept, else (tile count_g) x f_g */
  PetscReal *norm; /* n x G */
  PetscReal *error;
  PetscReal *image;   /* one image's raw patches, of one branch */
  PetscReal *centred; /* a tile's, region after region, of one branch that has a transform */
  PetscReal *delta;   /* a tile's patches: how far the coordinates are off */
};

/*
   ||Phi_ig|| is at most the mean of ||phi(x)||, phi(x) = [a x x' (b/2) x; (b/2) x' c]. A patch that is off by delta moves
   phi(x) by |a| (2 ||x|| delta + delta^2) + |b| delta/sqrt 2 at most; delta: of each patch.
*/
static void Measure(PsdPatchMatrix it, PetscInt i, PetscInt g, const PetscReal *x, const PetscReal delta[])
{
  const PetscReal a = it->activation[0], b = it->activation[1], c = it->activation[2];
  const size_t at = (size_t)i * it->G + g;
  const PetscInt f = it->f[g];
  PetscReal norms = 0, errors = 0;
  for (PetscInt l = 0; l < it->count[g]; l++, x += f) {
    PetscReal square = 0;
#pragma omp simd reduction(+ : square)
    for (PetscInt k = 0; k < f; k++) square += x[k] * x[k];
    square += (PetscReal)f * PSD_TINY;
    norms += PetscSqrtReal(a * a * square * square + b * b / 2 * square + c * c);
    errors +=
        PetscAbsReal(a) * (2 * PetscSqrtReal(square) + delta[l]) * delta[l] + PetscAbsReal(b) / PETSC_SQRT2 * delta[l];
  }
  it->norm[at] = norms / (PetscReal)it->count[g];
  it->error[at] = errors / (PetscReal)it->count[g];
}

/* Raw patches less their mean to `to`, and delta: how far their coordinates will be off. */
static void CentrePatches(PsdPatches branch, PetscInt q, PetscInt count, const PetscReal *mean, const PetscReal *raw,
                          PetscReal *to, PetscReal delta[])
{
  for (PetscInt l = 0; l < count; l++, raw += q, to += q) {
    const PetscReal norm = PsdNormBound(q, raw);
    for (PetscInt k = 0; k < q; k++) to[k] = mean ? raw[k] - mean[k] : raw[k];
    delta[l] = PsdPatchesCoordinateError(branch, norm, mean ? PsdNormBound(q, to) : norm);
  }
}

/* x <- centred transform for `rows` patches */
static PetscErrorCode Transform(PetscInt q, PetscInt f, PetscInt rows, const PetscReal *transform,
                                const PetscReal *centred, PetscReal *x)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt bq, bf, brows;
  PetscCall(PetscBLASIntCast(q, &bq));
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &bf, &brows, &bq, &one, transform, &bf, centred, &bq, &zero, x, &bf));
  PetscCall(PetscLogFlops(2.0 * rows * q * f));
  PetscFunctionReturn(0);
}

/* The patches of `count` samples from `first` on in the regions g0, g0 + 1, ... of one branch; at: where they go in it->x. */
static PetscErrorCode CutBranch(PsdPatchMatrix it, PsdPatches branch, PetscInt g0, PetscInt first, PetscInt count,
                                PetscInt at)
{
  PetscFunctionBeginUser;
  const void *image;
  const PetscReal *transform, *mean;
  PetscInt q, G, positions;
  PetscCall(PsdPatchesGetSizes(branch, &q, NULL, &G, &positions));
  PetscCall(PsdPatchesGetTransform(branch, &transform, &mean));
  for (PetscInt i = 0; i < count; i++) {
    const PetscReal *raw = it->image;
    PetscReal *centred = it->centred, *delta = it->delta;
    PetscCall(PsdImagesGet(it->images, first + i, &image));
    PetscCall(PsdPatchesExtract(branch, image, it->image, it->count + g0));
    for (PetscInt g = g0; g < g0 + G; g++) {
      const size_t patches = (size_t)it->count[g];
      PetscReal *to = transform ? centred + i * patches * q : it->x[g] + (size_t)(at + i) * patches * it->f[g];
      CentrePatches(branch, q, it->count[g], transform ? mean : NULL, raw, to, delta + i * patches);
      raw += patches * q;
      centred += (size_t)count * patches * q;
      delta += (size_t)count * patches;
    }
  }
  const PetscReal *centred = it->centred, *delta = it->delta;
  for (PetscInt g = g0; g < g0 + G; g++) {
    const size_t patches = (size_t)it->count[g];
    PetscReal *x = it->x[g] + (size_t)at * patches * it->f[g];
    if (transform) PetscCall(Transform(q, it->f[g], count * it->count[g], transform, centred, x));
    for (PetscInt i = 0; i < count; i++) Measure(it, first + i, g, x + i * patches * it->f[g], delta + i * patches);
    centred += (size_t)count * patches * q;
    delta += (size_t)count * patches;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Cut(PsdPatchMatrix it, PetscInt first, PetscInt count, PetscInt at)
{
  PetscFunctionBeginUser;
  PetscInt branches, G;
  PetscCall(PsdPatchesGetBranchCount(it->patches, &branches));
  for (PetscInt k = 0, g = 0; k < branches; k++, g += G) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(it->patches, k, &branch));
    PetscCall(PsdPatchesGetSizes(branch, NULL, NULL, &G, NULL));
    PetscCall(CutBranch(it, branch, g, first, count, at));
  }
  PetscFunctionReturn(0);
}

/* Work space: raw patches of the branch that has most numbers, for an image and a tile. */
static PetscErrorCode CreateWork(PsdPatchMatrix it)
{
  PetscFunctionBeginUser;
  PetscInt branches;
  size_t numbers = 0, transformed = 0, patches = 0;
  PetscCall(PsdPatchesGetBranchCount(it->patches, &branches));
  for (PetscInt k = 0, g = 0, G; k < branches; k++, g += G) {
    PsdPatches branch;
    const PetscReal *transform;
    PetscInt q, positions;
    PetscCall(PsdPatchesGetBranch(it->patches, k, &branch));
    PetscCall(PsdPatchesGetSizes(branch, &q, NULL, &G, &positions));
    PetscCall(PsdPatchesGetTransform(branch, &transform, NULL));
    PetscCall(PsdPatchesCountRegions(branch, it->count + g));
    numbers = PetscMax(numbers, (size_t)positions * q);
    if (transform) transformed = PetscMax(transformed, (size_t)positions * q);
    patches = PetscMax(patches, (size_t)positions);
  }
  it->tile = (PetscInt)PetscMax(1, PetscMin((size_t)it->n, PsdPatchTileBytes / (numbers * sizeof(PetscReal))));
  PetscCall(PetscMalloc3(numbers, &it->image, it->tile * transformed, &it->centred, it->tile * patches, &it->delta));
  PetscFunctionReturn(0);
}

/* Numbers of a sample in all regions. */
static size_t SampleLength(PsdPatchMatrix it)
{
  size_t length = 0;
  for (PetscInt g = 0; g < it->G; g++) length += (size_t)it->count[g] * it->f[g];
  return length;
}

PetscErrorCode PsdPatchMatrixCreate(PsdData data, PsdPatches patches, const PetscReal activation[3], size_t memory,
                                    PsdPatchMatrix *matrix)
{
  PetscFunctionBeginUser;
  PsdPatchMatrix it;
  PetscCall(PetscNew(&it));
  it->patches = patches;
  PetscCall(PetscArraycpy(it->activation, activation, 3));
  PetscCall(PsdDataGetSizes(data, NULL, &it->n, NULL));
  PetscCall(PsdPatchesGetSizes(patches, NULL, NULL, &it->G, NULL));
  PetscCall(PetscCalloc3(it->G, &it->f, it->G, &it->count, it->G, &it->x));
  PsdPatchesGetDimensions(patches, it->f, NULL);
  PetscCall(CreateWork(it));
  it->kept = (PetscBool)((size_t)it->n * SampleLength(it) <= memory / sizeof(PetscReal));
  PetscCall(PsdImagesCreate(data, patches, it->kept ? 0 : memory, &it->images));
  const size_t rows = (size_t)(it->kept ? it->n : it->tile), samples = (size_t)it->n * it->G;
  for (PetscInt g = 0; g < it->G; g++) PetscCall(PetscMalloc1(rows * it->count[g] * it->f[g], &it->x[g]));
  PetscCall(PetscMalloc2(samples, &it->norm, samples, &it->error));
  for (PetscInt first = 0; first < it->n && it->kept; first += it->tile)
    PetscCall(Cut(it, first, PetscMin(it->tile, it->n - first), first));
  it->measured = it->kept;
  *matrix = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchMatrixDestroy(PsdPatchMatrix *matrix)
{
  PetscFunctionBeginUser;
  PsdPatchMatrix it = *matrix;
  if (!it) PetscFunctionReturn(0);
  for (PetscInt g = 0; g < it->G; g++) PetscCall(PetscFree(it->x[g]));
  PetscCall(PetscFree3(it->f, it->count, it->x));
  PetscCall(PetscFree2(it->norm, it->error));
  PetscCall(PetscFree3(it->image, it->centred, it->delta));
  PetscCall(PsdImagesDestroy(&it->images));
  PetscCall(PetscFree(*matrix));
  PetscFunctionReturn(0);
}

void PsdPatchMatrixGetSizes(PsdPatchMatrix it, PetscInt *n, PetscInt *G, const PetscInt *count[], const PetscInt *f[])
{
  if (n) *n = it->n;
  if (G) *G = it->G;
  if (count) *count = it->count;
  if (f) *f = it->f;
}

PetscInt PsdPatchMatrixGetTile(PsdPatchMatrix it)
{
  return it->tile;
}

const PetscReal *PsdPatchMatrixGetRegion(PsdPatchMatrix it, PetscInt g)
{
  return it->kept ? it->x[g] : NULL;
}

PetscErrorCode PsdPatchMatrixPass(PsdPatchMatrix it, PsdPatchWork work, void *context)
{
  PetscFunctionBeginUser;
  for (PetscInt first = 0; first < it->n; first += it->tile) {
    const PetscInt count = PetscMin(it->tile, it->n - first);
    if (!it->kept) PetscCall(Cut(it, first, count, 0));
    for (PetscInt g = 0; g < it->G; g++)
      PetscCall((*work)(context, g, first, count, it->x[g] + (it->kept ? (size_t)first * it->count[g] * it->f[g] : 0)));
  }
  it->measured = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode NoWork(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  (void)context, (void)g, (void)first, (void)count, (void)x;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchMatrixGetBounds(PsdPatchMatrix it, const PetscReal *norm[], const PetscReal *error[])
{
  PetscFunctionBeginUser;
  if (!it->measured) PetscCall(PsdPatchMatrixPass(it, NoWork, NULL));
  *norm = it->norm;
  *error = it->error;
  PetscFunctionReturn(0);
}
