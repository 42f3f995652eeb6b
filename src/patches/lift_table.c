/*
   The lifts there are, by the numbers that geometries and files have.
*/
#include "lift_impl.h"
#include "patches_impl.h"

static const PsdLift *const lifts[PSD_LIFTS] = {
    [PSD_LIFT_QUADRATIC] = &PsdLiftQuadratic, [PSD_LIFT_LINEAR] = &PsdLiftLinear};

const PsdLift *PsdLiftNumber(PetscInt number)
{
  return lifts[number];
}

const PsdLift *PsdPatchesLiftOf(PsdPatches branch)
{
  return lifts[branch->geometry.lift];
}
