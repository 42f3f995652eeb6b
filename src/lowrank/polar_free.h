/*
   R*(A'nu) over all pairs without a matrix of the order of the patches: beta_max, and the beta_max of random targets.
*/
#ifndef PSD_POLAR_FREE_PRIVATE_H
#define PSD_POLAR_FREE_PRIVATE_H

#include "level.h"
#include "problem/problem.h"

/* PsdPolarFree - to 1e-12 of itself as far as double precision has it. nu: C x n, class after class. Collective. */
PetscErrorCode PsdPolarFree(PsdProblem problem, PsdPatchMatrix patches, PsdLevel level, const PetscReal nu[],
                            PetscReal *polar);

#endif
