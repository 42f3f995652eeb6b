/*
   What exchanging left and right does to patches (docs/mathematics.md, section 2, "Mirror images").

   When the grid of positions and its regions are their own mirror image, the patches of a mirrored image are those of
   the image, mirrored, in mirrored regions. In the program's coordinates that is a permutation (raw and ZCA) or a
   change of signs (principal components, each of which is even or odd). Of maps, channels change places or signs as
   well (maps/mirror_maps.c).
*/
#include "mirror.h"
#include "patches_impl.h"

void PsdPatchesSetMirrored(PsdPatches patches)
{
  patches->mirrored = PETSC_TRUE;
  for (PetscInt k = 0; k < patches->branches; k++) PsdPatchesSetMirrored(patches->branch[k]);
}

PetscBool PsdPatchesAreMirrored(PsdPatches patches)
{
  return patches->mirrored;
}

void PsdPatchesSetChannelMirror(PsdPatches patches, const PetscInt channel[], const PetscReal sign[])
{
  patches->channel = channel;
  patches->channel_sign = sign;
}

void PsdPatchesShareMiddle(PsdPatches patches)
{
  patches->geometry.shared = 1;
}

/* Numbers of a patch in one channel. */
static PetscInt Plane(PsdPatches patches)
{
  return patches->geometry.patch_height * patches->geometry.patch_width;
}

PetscInt PsdPatchesMirrorPixel(PsdPatches patches, PetscInt k)
{
  const PetscInt width = patches->geometry.patch_width, plane = Plane(patches), here = k / plane;
  const PetscInt there = patches->channel ? patches->channel[here] : here;
  return k - k % width + (width - 1 - k % width) + (there - here) * plane;
}

PetscReal PsdPatchesMirrorSign(PsdPatches patches, PetscInt k)
{
  return patches->channel ? patches->channel_sign[k / Plane(patches)] : 1;
}

/* The branch that region g of all is in, and its number there. */
static PsdPatches BranchOf(PsdPatches patches, PetscInt *g)
{
  for (PetscInt k = 0; k < patches->branches; k++) {
    const PsdPatches branch = patches->branch[k];
    if (*g < branch->G) return branch;
    *g -= branch->G;
  }
  return patches;
}

/* Whether every coordinate is even (sign 1) or odd (-1), exactly: those of principal components are, others need not
   be. */
static PetscBool FindParities(PsdPatches patches, PetscReal sign[])
{
  const PetscInt q = patches->q, f = patches->f;
  const PetscReal *T = patches->transform;
  if (!T) return PETSC_FALSE;
  for (PetscInt k = 0; k < f; k++) {
    PetscBool even = PETSC_TRUE, odd = PETSC_TRUE;
    for (PetscInt i = 0; i < q; i++) {
      const PetscReal here = T[i * f + k];
      const PetscReal there = PsdPatchesMirrorSign(patches, i) * T[PsdPatchesMirrorPixel(patches, i) * f + k];
      even = (PetscBool)(even && here == there);
      odd = (PetscBool)(odd && here == -there);
    }
    if (!even && !odd) return PETSC_FALSE;
    sign[k] = even ? 1 : -1;
  }
  return PETSC_TRUE;
}

/* Whether mirroring permutes the coordinates as it does the pixels, exactly. */
static PetscBool Permutes(PsdPatches patches)
{
  const PetscInt q = patches->q;
  const PetscReal *T = patches->transform;
  if (!T) return PETSC_TRUE;
  if (patches->f != q) return PETSC_FALSE;
  for (PetscInt i = 0; i < q; i++)
    for (PetscInt j = 0; j < q; j++) {
      const PetscReal sign = PsdPatchesMirrorSign(patches, i) * PsdPatchesMirrorSign(patches, j);
      const size_t there = (size_t)PsdPatchesMirrorPixel(patches, i) * q + PsdPatchesMirrorPixel(patches, j);
      if (T[(size_t)i * q + j] != sign * T[there]) return PETSC_FALSE;
    }
  return PETSC_TRUE;
}

/* A transform that a file gave need not be that of mirrored statistics. */
static PetscBool TransformIsSymmetric(PsdPatches patches)
{
  PetscReal *sign;
  if (!patches->transform) return PETSC_TRUE;
  for (PetscInt k = 0; k < patches->q; k++)
    if (patches->mean[k] != PsdPatchesMirrorSign(patches, k) * patches->mean[PsdPatchesMirrorPixel(patches, k)])
      return PETSC_FALSE;
  if (PetscMalloc1(patches->f, &sign)) return PETSC_FALSE;
  const PetscBool symmetric = (PetscBool)(FindParities(patches, sign) || Permutes(patches));
  (void)PetscFree(sign);
  return symmetric;
}

PetscBool PsdPatchesAreSymmetric(PsdPatches patches)
{
  const PsdPatchGeometry *g = &patches->geometry;
  for (PetscInt k = 0; k < patches->branches; k++)
    if (!PsdPatchesAreSymmetric(patches->branch[k])) return PETSC_FALSE;
  if (patches->branches) return PETSC_TRUE;
  if (g->map && !patches->channel) return PETSC_FALSE; /* filters of maps need not come in pairs */
  return (PetscBool)(g->width % g->reduce == 0 && (patches->width - g->patch_width) % g->stride == 0 &&
                     (g->shared || patches->columns % g->pool == 0) && TransformIsSymmetric(patches));
}

void PsdPatchesGetMirror(PsdPatches patches, PetscInt g, PsdRegionMirror *mirror)
{
  PetscInt here = g;
  const PsdPatches branch = BranchOf(patches, &here);
  const PetscInt pool = branch->geometry.pool, column = here % pool;
  mirror->region = g - column + (pool - 1 - column);
  for (PetscInt k = 0; k < branch->f; k++) mirror->coordinate[k] = k;
  if (FindParities(branch, mirror->sign)) return;
  for (PetscInt k = 0; k < branch->f; k++) {
    mirror->coordinate[k] = PsdPatchesMirrorPixel(branch, k);
    mirror->sign[k] = PsdPatchesMirrorSign(branch, k);
  }
}
