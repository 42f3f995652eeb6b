/*
   The polar of large blocks: polar_large.c. Callers use PsdPolar (polar.h), which takes it from the order on where it is
   cheaper than a complete eigendecomposition.
*/
#ifndef PSD_POLAR_LARGE_PRIVATE_H
#define PSD_POLAR_LARGE_PRIVATE_H

#include <petscsys.h>

typedef struct _p_PsdPolarLarge *PsdPolarLarge;

PetscErrorCode PsdPolarLargeCreate(PetscInt f, PsdPolarLarge *polar);
/* PsdPolarLargeEvaluate - as PsdPolarEvaluate: never below R*(M). Remembers where it ended, as M changes little. */
PetscErrorCode PsdPolarLargeEvaluate(PsdPolarLarge polar, const PetscReal M[], PetscReal *value);
/* PsdPolarLargeGetMultipliers - theta and the bound without M4 of the last evaluation, for +M and -M. */
void PsdPolarLargeGetMultipliers(PsdPolarLarge polar, PetscReal theta[2], PetscReal form[2]);
PetscErrorCode PsdPolarLargeDestroy(PsdPolarLarge *polar);

#endif
