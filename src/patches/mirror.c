/*
   What exchanging left and right does to patches (docs/mathematics.md, section 2, "Mirror images").

   When the grid of positions and its regions are their own mirror image, the patches of a mirrored image are those of
   the image, mirrored, in mirrored regions. In the program's coordinates that is a permutation (raw and ZCA) or a
   change of signs (principal components, each of which is even or odd).
*/
#include "mirror.h"
#include "patches_impl.h"

PetscBool PsdPatchesAreSymmetric(PsdPatches patches)
{
  const PsdPatchGeometry *g = &patches->geometry;
  for (PetscInt k = 0; k < patches->branches; k++)
    if (!PsdPatchesAreSymmetric(patches->branch[k])) return PETSC_FALSE;
  if (patches->branches) return PETSC_TRUE;
  return (PetscBool)(g->width % g->reduce == 0 && (patches->width - g->patch_width) % g->stride == 0 &&
                     patches->columns % g->pool == 0);
}

void PsdPatchesSetMirrored(PsdPatches patches)
{
  patches->mirrored = PETSC_TRUE;
  for (PetscInt k = 0; k < patches->branches; k++) PsdPatchesSetMirrored(patches->branch[k]);
}

PetscBool PsdPatchesAreMirrored(PsdPatches patches)
{
  return patches->mirrored;
}

PetscInt PsdPatchesMirrorPixel(PsdPatches patches, PetscInt k)
{
  const PetscInt width = patches->geometry.patch_width;
  return k - k % width + (width - 1 - k % width);
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

/* Whether every coordinate is even (sign 1) or odd (-1): those of principal components are, others need not be. */
static PetscBool FindParities(PsdPatches patches, PetscReal sign[])
{
  const PetscInt q = patches->q, f = patches->f;
  const PetscReal *T = patches->transform;
  if (!T) return PETSC_FALSE;
  for (PetscInt k = 0; k < f; k++) {
    PetscReal size = 0, even = 0, odd = 0;
    for (PetscInt i = 0; i < q; i++) {
      const PetscReal here = T[i * f + k], there = T[PsdPatchesMirrorPixel(patches, i) * f + k];
      size += here * here;
      even += (here + there) * (here + there);
      odd += (here - there) * (here - there);
    }
    /* squares of what rounding may leave of zero */
    const PetscReal none = PETSC_MACHINE_EPSILON * size;
    if (even > none && odd > none) return PETSC_FALSE;
    sign[k] = odd <= none ? 1 : -1;
  }
  return PETSC_TRUE;
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
    mirror->sign[k] = 1;
  }
}
