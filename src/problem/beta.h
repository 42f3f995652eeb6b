/*
   beta_max, and beta as a fraction of it or of the beta_max of random targets (docs/mathematics.md, section 1).
*/
#ifndef PSD_BETA_PRIVATE_H
#define PSD_BETA_PRIVATE_H

#include "problem.h"

/* PsdProblemFindBeta - beta_max from h, and beta when it was asked for as a fraction of it; beta_max = 0 when all of
   h is within rounding, and then eight times the least beta for which that can be proved. trace: of P A'A P. Collective. */
PetscErrorCode PsdProblemFindBeta(PsdProblem problem, PetscReal trace);

#endif
