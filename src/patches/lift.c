/*
   From patches to pooled lifted features, branch by branch and region by region (docs/mathematics.md, section 1): what
   is the same for all lifts.
*/
#include "lift.h"
#include "lift_impl.h"
#include "patches_impl.h"

PetscInt PsdPatchesMomentsLength(PsdPatches patches)
{
  PetscInt length = patches->G * (*PsdPatchesLiftOf(patches)->length)(patches->q);
  for (PetscInt k = 0; k < patches->branches; k++) length += PsdPatchesMomentsLength(patches->branch[k]);
  return length;
}

void PsdPatchesMomentsLengths(PsdPatches patches, PetscInt lengths[])
{
  for (PetscInt k = 0; k < patches->branches; k++) {
    PsdPatchesMomentsLengths(patches->branch[k], lengths);
    lengths += patches->branch[k]->G;
  }
  if (patches->branches) return;
  for (PetscInt g = 0; g < patches->G; g++) lengths[g] = (*PsdPatchesLiftOf(patches)->length)(patches->q);
}

PetscErrorCode PsdPatchesMoments(PsdPatches patches, const void *image, PetscReal moments[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < patches->branches; k++) {
    PetscCall(PsdPatchesMoments(patches->branch[k], image, moments));
    moments += PsdPatchesMomentsLength(patches->branch[k]);
  }
  if (patches->branches) PetscFunctionReturn(0);
  const PsdLift *lift = PsdPatchesLiftOf(patches);
  const PetscInt length = (*lift->length)(patches->q);
  const PetscReal *rows = patches->patch_rows;
  PetscCall(PsdPatchesExtract(patches, image, patches->patch_rows, patches->region_count));
  for (PetscInt g = 0; g < patches->G; g++, moments += length) {
    PetscCall((*lift->moments)(patches, patches->region_count[g], rows, moments));
    rows += (size_t)patches->region_count[g] * patches->q;
  }
  PetscFunctionReturn(0);
}

PetscInt PsdPatchesLiftedLength(PsdPatches patches)
{
  PetscInt length = patches->G * (*PsdPatchesLiftOf(patches)->length)(PsdPatchesFinalDimension(patches));
  for (PetscInt k = 0; k < patches->branches; k++) length += PsdPatchesLiftedLength(patches->branch[k]);
  return length;
}

PetscErrorCode PsdPatchesLift(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                              PetscReal phi[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < patches->branches; k++) {
    const PsdPatches branch = patches->branch[k];
    PetscCall(PsdPatchesLift(branch, activation, moments, phi));
    moments += PsdPatchesMomentsLength(branch);
    phi += PsdPatchesLiftedLength(branch);
  }
  if (patches->branches) PetscFunctionReturn(0);
  const PsdLift *lift = PsdPatchesLiftOf(patches);
  const PetscInt from = (*lift->length)(patches->q), to = (*lift->length)(patches->f);
  for (PetscInt g = 0; g < patches->G; g++, moments += from, phi += to)
    PetscCall((*lift->lift)(patches, activation, moments, phi));
  PetscFunctionReturn(0);
}

void PsdPatchesLiftErrors(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                          const PetscReal lost[], PetscReal errors[])
{
  for (PetscInt k = 0; k < patches->branches; k++) {
    PsdPatchesLiftErrors(patches->branch[k], activation, moments, lost, errors);
    moments += PsdPatchesMomentsLength(patches->branch[k]);
    errors += patches->branch[k]->G;
    if (lost) lost += patches->branch[k]->G;
  }
  if (patches->branches) return;
  const PsdLift *lift = PsdPatchesLiftOf(patches);
  for (PetscInt g = 0; g < patches->G; g++, moments += (*lift->length)(patches->q))
    errors[g] = (*lift->error)(patches, patches->region_count[g], activation, moments, lost ? lost[g] : 0);
}

PetscLogDouble PsdPatchesMomentsFlops(PsdPatches patches)
{
  PetscLogDouble flops = patches->positions * (*PsdPatchesLiftOf(patches)->moments_flops)(patches);
  for (PetscInt k = 0; k < patches->branches; k++) flops += PsdPatchesMomentsFlops(patches->branch[k]);
  return flops;
}

PetscLogDouble PsdPatchesLiftFlops(PsdPatches patches)
{
  PetscLogDouble flops = patches->G * (*PsdPatchesLiftOf(patches)->lift_flops)(patches);
  for (PetscInt k = 0; k < patches->branches; k++) flops += PsdPatchesLiftFlops(patches->branch[k]);
  return flops;
}
