/*
   The polar of large blocks: polar_large.c. Callers use PsdPolar (polar.h), which takes it from the order on where it is
   cheaper than a complete eigendecomposition.
*/
#ifndef PSD_POLAR_LARGE_PRIVATE_H
#define PSD_POLAR_LARGE_PRIVATE_H

#include "polar_proof.h"

typedef struct _p_PsdPolarLarge *PsdPolarLarge;

PetscErrorCode PsdPolarLargeCreate(PetscInt f, PsdPolarLarge *polar);
/* PsdPolarLargeSearch - theta and phi of +M and -M, near the best ones and not proved, of an M whose largest entry is of the
   size of 1. Remembers where it ended, as M changes little. Not collective. */
PetscErrorCode PsdPolarLargeSearch(PsdPolarLarge polar, const PetscReal M[], PsdPolarSide sides[2]);
PetscErrorCode PsdPolarLargeDestroy(PsdPolarLarge *polar);

#endif
