/*
   New columns for blocks that violate: directions with weights.
*/
#ifndef PSD_GROWTH_PRIVATE_H
#define PSD_GROWTH_PRIVATE_H

#include "objective.h"
#include "violations.h"

/* PsdGrow - joins the directions, times roots of weights, to the columns of the level. The objective was evaluated at these columns
   last. Collective. */
PetscErrorCode PsdGrow(PsdProblem problem, PsdLevel level, PsdObjective objective, PetscReal beta,
                       const PsdViolations *violations, PsdColumns *columns);

#endif
