/*
   beta_max, and beta as a fraction of it or of the beta_max of random targets (docs/mathematics.md, section 1).
*/
#ifndef PSD_BETA_PRIVATE_H
#define PSD_BETA_PRIVATE_H

#include "problem.h"

/*
   PsdProblemSettleBeta - takes beta_max, and the beta_max of random targets, however a solver has found them, and makes
   beta of them when it was asked for as a fraction of one. random: not used unless request.beta_noise > 0.

   PsdProblemSettleNoGradient - afterwards, where all of A'(-L'(0)) is within rounding: beta_max is 0, and a beta that
   was asked for as a fraction becomes eight times `bound`, the least beta for which the network without neurons is proved
   to be optimal.

   Not collective, alike on all ranks. Errors (PSD_ERR_INPUT): beta_max is not a number.
*/
PetscErrorCode PsdProblemSettleBeta(PsdProblem problem, PetscReal beta_max, PetscReal random);
void PsdProblemSettleNoGradient(PsdProblem problem, PetscReal bound);

/* PsdProblemFindBeta - the same with beta_max from h; beta_max = 0 when all of h is within rounding. trace: of
   P A'A P. Collective. */
PetscErrorCode PsdProblemFindBeta(PsdProblem problem, PetscReal trace);

#endif
