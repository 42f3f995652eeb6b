/*
   The solver's penalties, set and changed. The rules are in penalty.c; with a penalty U, lambda and the factor of the
   consensus step change as well.
*/
#include "admm.h"
#include "base/base.h"

PetscReal PsdAdmmInitialPenalty(PsdAdmm admm, PetscReal beta)
{
  const PsdLoss *loss = &admm->problem->loss;
  const PetscReal curvature = loss->ops->curvature * PsdLossSlope(loss);
  const PetscReal low = 2 * curvature * PsdConsensusShiftFloor(admm->consensus);
  return PsdPenaltyStart(&admm->penalty.spectrum, curvature, low, beta, admm->blocks->pairs);
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
  if (shift < PsdConsensusSingleFloor(admm->consensus)) PetscCall(PsdConsensusLeaveSingle(admm->consensus));
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

/* What the last check has found; of the last iteration's sizes the larger one of W and Z counts. */
static void Gather(PsdAdmm admm, PsdPenaltyEvidence *evidence)
{
  const PsdSolverStatus *status = &admm->solver->status;
  const PsdResidualSums *sums = &admm->iterate.all;
  PetscReal multipliers, variables;
  *evidence = (PsdPenaltyEvidence){.iteration = status->iteration,
                                   .gap = status->gap,
                                   .open = status->objective - status->bound,
                                   .parts = admm->penalty.parts,
                                   .corners = admm->problem->loss.ops->has_corners};
  evidence->natural.rho =
      PsdPenaltyNaturalRho(admm->penalty.rho * PetscSqrtReal(sums->U), PetscSqrtReal(PetscMax(sums->W, sums->Z)));
  if (!admm->split) return;
  PsdSplittingSizes(admm->split, &multipliers, &variables);
  evidence->natural.sigma = PsdPenaltyNaturalSigma(multipliers, variables);
}

PetscErrorCode PsdAdmmAdapt(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  const PsdPenalties now = {admm->penalty.rho, admm->split ? admm->split->sigma : 1};
  PsdPenaltyEvidence evidence;
  if (PsdAcceleratorGoesBack(admm->accelerator)) PetscFunctionReturn(0);
  Gather(admm, &evidence);
  const PsdPenalties next = PsdPenaltyPropose(&admm->penalty.changes, &evidence, now);
  if (next.rho == now.rho && next.sigma == now.sigma) PetscFunctionReturn(0);
  PetscCall(PetscInfo(
      NULL,
      "iteration %" PetscInt_FMT ": rho %g -> %g (natural %g), sigma %g -> %g (natural %g); parts of the "
      "gap: primal %g, dual %g\n",
      evidence.iteration, (double)now.rho, (double)next.rho, (double)evidence.natural.rho, (double)now.sigma,
      (double)next.sigma, (double)evidence.natural.sigma, (double)evidence.parts.primal, (double)evidence.parts.dual));
  PetscCall(PsdAdmmSetPenalty(admm, next.rho, next.sigma));
  PetscFunctionReturn(0);
}
