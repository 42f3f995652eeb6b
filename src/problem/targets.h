/*
   Targets of the samples, and what follows of them alone, before there are scores.
*/
#ifndef PSD_TARGETS_PRIVATE_H
#define PSD_TARGETS_PRIVATE_H

#include "problem.h"

/* PsdTargetsSetUp - Y, the representative samples, L(0), nu0 = -L'(0) and the random signs that stand in its place.
   folded: images and mirror images will be. After blocks and loss. Not collective. */
PetscErrorCode PsdTargetsSetUp(PsdProblem problem, PetscBool folded);

#endif
