/*
   Pi and Q of symmetry.h, from what mirroring does to the regions and coordinates of patches.
*/
#include "symmetry.h"
#include "patches/lift.h"
#include "patches/mirror.h"

/* Place of entry (i,j) in the svec of a block. */
static PetscInt PlaceOf(PetscInt i, PetscInt j)
{
  const PetscInt low = PetscMin(i, j), high = PetscMax(i, j);
  return PsdPackedLength(high) + low;
}

/* Pi on region g, whose mirror image has blocks of the same order; the last row and column of a block, those of the
   constant 1, stay. */
static void MapRegion(PsdSymmetry it, const PsdShape *from, const PsdShape *to, const PsdRegionMirror *mirror)
{
  const PetscInt f = from->f;
  for (PetscInt i = 0; i <= f && from->vector; i++) {
    it->partner[to->at + i] = from->at + (i < f ? mirror->coordinate[i] : i);
    it->sign[to->at + i] = i < f ? mirror->sign[i] : 1;
  }
  if (from->vector) return;
  for (PetscInt j = 0; j <= f; j++) {
    for (PetscInt i = 0; i <= j; i++) {
      const PetscInt from_i = i < f ? mirror->coordinate[i] : i, from_j = j < f ? mirror->coordinate[j] : j;
      const PetscInt at = to->at + PlaceOf(i, j);
      it->partner[at] = from->at + PlaceOf(from_i, from_j);
      it->sign[at] = (i < f ? mirror->sign[i] : 1) * (j < f ? mirror->sign[j] : 1);
    }
  }
}

/* The columns of Q, in the order of the first coordinate each has. */
static void ListColumns(PsdSymmetry it)
{
  PetscInt order = 0;
  for (PetscInt k = 0; k < it->D; k++) {
    const PetscInt partner = it->partner[k];
    if (partner < k || (partner == k && it->sign[k] < 0)) continue;
    it->place[0][order] = k;
    it->place[1][order] = partner;
    it->weight[0][order] = partner == k ? 1 : 1 / PETSC_SQRT2;
    it->weight[1][order] = partner == k ? 0 : it->sign[k] / PETSC_SQRT2;
    order++;
  }
  it->order = order;
}

PetscErrorCode PsdSymmetryCreate(PsdPatches patches, PsdBlocks blocks, PsdSymmetry *symmetry)
{
  PetscFunctionBeginUser;
  PsdSymmetry it;
  PsdRegionMirror mirror;
  PetscCall(PetscNew(&it));
  it->D = blocks->D;
  it->G = blocks->G;
  PetscCall(PetscMalloc1(it->G, &it->region));
  PetscCall(PetscMalloc6(it->D, &it->partner, it->D, &it->sign, it->D, &it->place[0], it->D, &it->place[1], it->D,
                         &it->weight[0], it->D, &it->weight[1]));
  PetscCall(PetscMalloc2(blocks->f_max, &mirror.coordinate, blocks->f_max, &mirror.sign));
  for (PetscInt g = 0; g < blocks->G; g++) {
    PsdPatchesGetMirror(patches, g, &mirror);
    it->region[g] = mirror.region;
    MapRegion(it, &blocks->region[g], &blocks->region[mirror.region], &mirror);
  }
  ListColumns(it);
  PetscCall(PetscFree2(mirror.coordinate, mirror.sign));
  *symmetry = it;
  PetscFunctionReturn(0);
}

PetscReal PsdSymmetryEstimateOrder(PsdPatches patches)
{
  PetscReal order = 0;
  PetscInt branches;
  (void)PsdPatchesGetBranchCount(patches, &branches);
  for (PetscInt k = 0; k < branches; k++) {
    PsdPatches branch;
    PsdPatchGeometry g;
    PetscInt f;
    (void)PsdPatchesGetBranch(patches, k, &branch);
    (void)PsdPatchesGetGeometry(branch, &g);
    (void)PsdPatchesGetSizes(branch, NULL, &f, NULL, NULL);
    const PetscBool vector = PsdPatchesHaveVectors(branch);
    const PetscReal d = f + 1, m = vector ? d : d * (d + 1) / 2, pool = g.pool, middle = g.pool % 2 ? pool : 0;
    order += (pool * pool - middle) / 2 * m + middle * (m + (vector ? 0 : d) + 1) / 2;
  }
  return order;
}

void PsdSymmetryFold(PsdSymmetry it, PetscReal scale, const PetscReal x[], PetscReal folded[])
{
  const PetscReal *w0 = it->weight[0], *w1 = it->weight[1];
  for (PetscInt k = 0; k < it->order; k++)
    folded[k] = scale * (w0[k] * x[it->place[0][k]] + w1[k] * x[it->place[1][k]]);
}

void PsdSymmetryUnfold(PsdSymmetry it, PsdBlocks blocks, const PetscReal folded[], PetscReal local[])
{
  const PetscInt64 begin = blocks->begin, end = begin + blocks->length;
  for (PetscInt64 k = begin; k < end; k++) local[k - begin] = 0;
  for (PetscInt t = 0; t < blocks->C; t++, folded += it->order) {
    for (PetscInt side = 0; side < 2; side++) {
      for (PetscInt k = 0; k < it->order; k++) {
        const PetscInt64 at = (PetscInt64)t * blocks->D + it->place[side][k];
        if (at >= begin && at < end) local[at - begin] += it->weight[side][k] * folded[k];
      }
    }
  }
}

void PsdSymmetryMirror(PsdSymmetry it, const PetscReal x[], PetscReal mirrored[])
{
  for (PetscInt k = 0; k < it->D; k++) mirrored[k] = it->sign[k] * x[it->partner[k]];
}

void PsdSymmetryMirrorRegions(PsdSymmetry it, const PetscReal x[], PetscReal mirrored[])
{
  for (PetscInt g = 0; g < it->G; g++) mirrored[it->region[g]] = x[g];
}

PetscErrorCode PsdSymmetryDestroy(PsdSymmetry *symmetry)
{
  PetscFunctionBeginUser;
  PsdSymmetry it = *symmetry;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PetscFree6(it->partner, it->sign, it->place[0], it->place[1], it->weight[0], it->weight[1]));
  PetscCall(PetscFree(it->region));
  PetscCall(PetscFree(*symmetry));
  PetscFunctionReturn(0);
}
