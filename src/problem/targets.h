/*
   Targets of the samples, and what follows of them alone, before there are scores.
*/
#ifndef PSD_TARGETS_PRIVATE_H
#define PSD_TARGETS_PRIVATE_H

#include "problem.h"

/* PsdTargetsFindUnits - the part of the units that real targets have a say in; signs have none. After units of features
   are found. Errors (PSD_ERR_INPUT): a loss that is of signs alone, targets that are all 0, or that no double can carry
   through. Collective. */
PetscErrorCode PsdTargetsFindUnits(PsdProblem problem);

/* PsdTargetsSetUp - Y, the representative samples, L(0), nu0 = -L'(0) and the random signs that stand in its place.
   folded: images and mirror images will be. After blocks and loss. Collective. */
PetscErrorCode PsdTargetsSetUp(PsdProblem problem, PetscBool folded);

#endif
