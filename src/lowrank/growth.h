/*
   New columns for blocks that violate: directions with weights.
*/
#ifndef PSD_GROWTH_PRIVATE_H
#define PSD_GROWTH_PRIVATE_H

#include "objective.h"
#include "violations.h"

/* PsdGrow - joins the directions, times roots of weights, to the columns of the level. The objective was evaluated at these columns
   last, with value of each group, above which it does not rise. Collective. */
PetscErrorCode PsdGrow(PsdProblem problem, PsdLevel level, PsdObjective objective, PetscReal beta,
                       const PsdViolations *violations, const PetscReal value[], PsdColumns *columns);

#endif
