/*
   The loop: iterate, check the bounds now and then, adapt the penalty, stop; then prove what was found.

   Decisions that depend on a clock are the root's alone and are broadcast, so that every rank takes the same branch.
*/
#include "admm.h"
#include "base/base.h"

static PetscErrorCode TimeIsUp(PsdAdmm admm, PetscBool *up)
{
  PetscFunctionBeginUser;
  *up = (PetscBool)(admm->settings.time_limit > 0 && PsdWallSeconds() > admm->settings.time_limit);
  if (admm->settings.time_limit > 0) PetscCallMPI(MPI_Bcast(up, 1, MPIU_BOOL, 0, admm->blocks->comm));
  PetscFunctionReturn(0);
}

/* Both penalties of a loss that is split: by the bounds, when these have spoken, with their ratio as it is; else by the residuals
   together. */
static PetscErrorCode ProposeSplit(PsdAdmm admm, PetscInt previous, PetscReal primal, PetscReal dual, PetscReal *rho,
                                   PetscReal *sigma)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  PsdSplitting *split = admm->split;
  if (admm->lag.acted) {
    *sigma = split->sigma * (*rho / admm->rho);
    PetscFunctionReturn(0);
  }
  PetscCall(PsdSplittingResiduals(split));
  const PetscReal primals[2] = {primal, split->primal}, duals[2] = {dual, split->dual};
  const PsdPenalties next = PsdPenaltyProposeBoth(previous, status->iteration, (PsdPenalties){admm->rho, split->sigma},
                                                  (PsdPenalties){admm->rho_initial, split->sigma_initial}, primals,
                                                  duals, (PetscBool)(status->neurons == 0));
  *rho = next.rho;
  *sigma = next.sigma;
  if (*sigma != split->sigma)
    PetscCall(PetscInfo(NULL, "iteration %" PetscInt_FMT ": sigma %g -> %g (relative residuals %g, %g)\n",
                        status->iteration, (double)split->sigma, (double)*sigma, (double)split->primal,
                        (double)split->dual));
  PetscFunctionReturn(0);
}

static PetscErrorCode AdaptPenalty(PsdAdmm admm, PetscInt previous, PetscReal primal, PetscReal dual)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  const PetscBool none = (PetscBool)(status->neurons == 0);
  PetscReal sigma = admm->split ? admm->split->sigma : 1;
  PetscReal rho = admm->rho;
  /* the end of a run is long with losses that have corners, and goes faster when the penalties stay */
  if (none || !PsdLossHasCorners(&admm->problem->loss))
    rho = PsdPenaltyFollowBounds(&admm->lag, status->iteration, admm->rho, admm->rho_initial, status->objective,
                                 status->bound, none);
  if (admm->split) PetscCall(ProposeSplit(admm, previous, primal, dual, &rho, &sigma));
  else if (!admm->lag.acted)
    rho = PsdPenaltyPropose(previous, status->iteration, admm->rho, admm->rho_initial, primal, dual, none);
  if (rho == admm->rho && (!admm->split || sigma == admm->split->sigma)) PetscFunctionReturn(0);
  PetscCall(PetscInfo(NULL, "iteration %" PetscInt_FMT ": rho %g -> %g (relative residuals %g, %g)\n",
                      admm->status.iteration, (double)admm->rho, (double)rho, (double)primal, (double)dual));
  PetscCall(PsdAdmmSetPenalty(admm, rho, sigma));
  PetscFunctionReturn(0);
}

/* Iterates until the bounds are `target` apart, or a limit is met. */
static PetscErrorCode RunTo(PsdAdmm admm, PetscReal target)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscCall(PsdPhaseBegin(PSD_PHASE_ADMM));
  admm->reason = PSD_RUNNING;
  while (admm->reason == PSD_RUNNING) {
    PetscBool up;
    PetscCall(PsdAdmmIterate(admm));
    status->iteration++;
    PetscCall(TimeIsUp(admm, &up));
    if (status->iteration >= admm->settings.max_it) admm->reason = PSD_ITERATION_LIMIT;
    else if (up) admm->reason = PSD_TIME_LIMIT;
    else if (status->iteration % admm->settings.check_every) continue;

    PetscReal primal, dual;
    PetscCall(PsdAdmmRelativeResiduals(admm, &primal, &dual));
    PetscCall(PsdAdmmCheck(admm));
    status->seconds = PsdWallSeconds() - admm->start;
    if (status->gap <= target) admm->reason = PSD_GAP_REACHED;
    if (admm->monitor) PetscCall((*admm->monitor)(admm, status, admm->monitor_context));
    if (admm->reason == PSD_RUNNING) PetscCall(AdaptPenalty(admm, admm->last_check, primal, dual));
    admm->last_check = status->iteration;
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_ADMM));
  PetscFunctionReturn(0);
}

/* Rounding separates the bounds that the loop sees from those that can be proved; when that is what is left of the gap, a
   few more rounds will not change it. */
#define MOST_ROUNDS 8

PetscErrorCode PsdAdmmSolve(PsdAdmm admm, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PetscReal gap = admm->settings.gap;
  PetscReal target = gap;
  admm->start = PsdWallSeconds();
  for (PetscInt round = 0; round < MOST_ROUNDS; round++, target /= 2) {
    PsdDualSource sources[2] = {{NULL, NULL}, {admm->S, NULL}};
    PetscCall(RunTo(admm, target));
    sources[0] = admm->bounds->best_source;
    PsdConsensusGetStepResidual(admm->consensus, &sources[1].nu);
    if (admm->split) sources[1].nu = admm->split->nu_prox;
    if (sources[1].nu) sources[1].w = NULL;
    PetscCall(PsdCertify(admm->problem, admm->best_network, admm->best_weight, 2, sources, certificate));
    if (admm->reason != PSD_GAP_REACHED || certificate->gap <= gap) break;
    admm->reason = PSD_ROUNDING_LIMIT;
  }
  if (certificate->gap <= gap) admm->reason = PSD_GAP_REACHED;
  PetscFunctionReturn(0);
}
