/*
   The solver's penalties, set and changed. The rules are in penalty.c; with a penalty U, lambda and the factor of the
   consensus step change as well.
*/
#include "admm.h"
#include "base/base.h"

PetscReal PsdAdmmInitialPenalty(PsdAdmm admm)
{
  const PsdLoss *loss = &admm->problem->loss;
  const PetscReal curvature = loss->ops->curvature * PsdLossSlope(loss);
  const PetscReal low = 2 * curvature * PsdConsensusShiftFloor(admm->consensus);
  return PsdPenaltyStart(&admm->penalty.spectrum, curvature, low, admm->problem->beta, admm->blocks->pairs);
}

/* One ratio of the penalties is one factorisation: rounding of a ratio that is meant to stay is not a change. */
#define SAME_RATIO 1e-12

PetscErrorCode PsdAdmmSetPenalty(PsdAdmm admm, PetscReal rho, PetscReal sigma)
{
  PetscFunctionBeginUser;
  if (!admm->split) sigma = 1;
  rho = PetscMax(rho, 2 * sigma * PsdConsensusShiftFloor(admm->consensus));
  if (rho == admm->penalty.rho && (!admm->split || sigma == admm->split->sigma)) PetscFunctionReturn(0);
  const PetscReal shift = rho / 2 / sigma;
  const PetscBool first = (PetscBool)(admm->penalty.rho == 0);
  PsdAcceleratorReset(admm->accelerator);
  for (PetscInt s = 0; s < 2 && !first; s++) PetscCall(VecScale(admm->iterate.U[s], admm->penalty.rho / rho));
  if (!first) PetscCall(PsdConsensusRescale(admm->consensus, admm->penalty.rho / rho));
  if (admm->split) PetscCall(PsdSplittingSetPenalty(admm->split, sigma));
  admm->penalty.rho = rho;
  if (first || PetscAbsReal(shift / PsdConsensusGetShift(admm->consensus) - 1) > SAME_RATIO)
    PetscCall(PsdConsensusFactor(admm->consensus, shift));
  PetscFunctionReturn(0);
}

/* Both penalties of a loss that is split: by the bounds, when these have spoken, with their ratio as it is; else by
   the residuals together. */
static PetscErrorCode ProposeSplit(PsdAdmm admm, PetscReal primal, PetscReal dual, PetscReal *rho, PetscReal *sigma)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  PsdSplitting *split = admm->split;
  if (admm->penalty.trend.acted) {
    *sigma = split->sigma * (*rho / admm->penalty.rho);
    PetscFunctionReturn(0);
  }
  PetscCall(PsdSplittingResiduals(split));
  const PetscReal primals[2] = {primal, split->primal}, duals[2] = {dual, split->dual};
  const PsdPenalties next = PsdPenaltyProposeBoth(
      admm->checks.previous, status->iteration, (PsdPenalties){admm->penalty.rho, split->sigma},
      (PsdPenalties){admm->penalty.initial, split->sigma_initial}, primals, duals, (PetscBool)(status->neurons == 0));
  *rho = next.rho;
  *sigma = next.sigma;
  if (*sigma != split->sigma)
    PetscCall(PetscInfo(NULL, "iteration %" PetscInt_FMT ": sigma %g -> %g (relative residuals %g, %g)\n",
                        status->iteration, (double)split->sigma, (double)*sigma, (double)split->primal,
                        (double)split->dual));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmAdapt(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  const PetscBool none = (PetscBool)(status->neurons == 0);
  PetscReal sigma = admm->split ? admm->split->sigma : 1;
  PetscReal rho = admm->penalty.rho, primal, dual;
  PetscCall(PsdAdmmRelativeResiduals(admm, &primal, &dual));
  /* the end of a run is long with losses that have corners, and goes faster when the penalties stay */
  if (none || !admm->problem->loss.ops->has_corners)
    rho = PsdPenaltyFollowBounds(&admm->penalty.trend, status->iteration, admm->penalty.rho, admm->penalty.initial,
                                 status->objective, status->bound, none);
  if (admm->split) PetscCall(ProposeSplit(admm, primal, dual, &rho, &sigma));
  else if (!admm->penalty.trend.acted)
    rho = PsdPenaltyPropose(admm->checks.previous, status->iteration, admm->penalty.rho, admm->penalty.initial, primal,
                            dual, none);
  if (rho == admm->penalty.rho && (!admm->split || sigma == admm->split->sigma)) PetscFunctionReturn(0);
  PetscCall(PetscInfo(NULL, "iteration %" PetscInt_FMT ": rho %g -> %g (relative residuals %g, %g)\n",
                      admm->status.iteration, (double)admm->penalty.rho, (double)rho, (double)primal, (double)dual));
  PetscCall(PsdAdmmSetPenalty(admm, rho, sigma));
  PetscFunctionReturn(0);
}
