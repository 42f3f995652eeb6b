/*
   The loop: iterate, check the bounds now and then, adapt the penalty, write a checkpoint when it is due, stop; then prove what
   was found.

   Decisions that depend on a clock are the root's alone and are broadcast, so that every rank takes the same branch.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/certificate.h"
#include <math.h>

/* Both penalties of a loss that is split: by the bounds, when these have spoken, with their ratio as it is; else by the residuals
   together. */
static PetscErrorCode ProposeSplit(PsdAdmm admm, PetscInt previous, PetscReal primal, PetscReal dual, PetscReal *rho,
                                   PetscReal *sigma)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  PsdSplitting *split = admm->split;
  if (admm->trend.acted) {
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
  if (none || !admm->problem->loss.ops->has_corners)
    rho = PsdPenaltyFollowBounds(&admm->trend, status->iteration, admm->rho, admm->rho_initial, status->objective,
                                 status->bound, none);
  if (admm->split) PetscCall(ProposeSplit(admm, previous, primal, dual, &rho, &sigma));
  else if (!admm->trend.acted)
    rho = PsdPenaltyPropose(previous, status->iteration, admm->rho, admm->rho_initial, primal, dual, none);
  if (rho == admm->rho && (!admm->split || sigma == admm->split->sigma)) PetscFunctionReturn(0);
  PetscCall(PetscInfo(NULL, "iteration %" PetscInt_FMT ": rho %g -> %g (relative residuals %g, %g)\n",
                      admm->status.iteration, (double)admm->rho, (double)rho, (double)primal, (double)dual));
  PetscCall(PsdAdmmSetPenalty(admm, rho, sigma));
  PetscFunctionReturn(0);
}

/* Looks at the bounds; the penalty is adapted unless the run ends here. */
static PetscErrorCode Check(PsdAdmm admm, PetscReal target)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscReal primal, dual;
  PetscCall(PsdAdmmRelativeResiduals(admm, &primal, &dual));
  PetscCall(PsdAdmmCheck(admm));
  status->seconds = PsdWallSeconds() - admm->start;
  if (status->gap <= target) admm->reason = PSD_GAP_REACHED;
  if (admm->monitor) PetscCall((*admm->monitor)(admm, status, admm->monitor_context));
  PetscCall(PsdCheckpointNote(admm));
  admm->previous = admm->last_check;
  if (admm->reason == PSD_RUNNING) PetscCall(AdaptPenalty(admm, admm->previous, primal, dual));
  else admm->checked = PETSC_TRUE;
  admm->last_check = status->iteration;
  PetscFunctionReturn(0);
}

static PsdAdmmReason ReasonToEnd(PsdAdmm admm, const PsdStop *stop)
{
  if (admm->status.iteration >= admm->settings.max_it) return PSD_ITERATION_LIMIT;
  if (stop->signal) return PSD_SIGNAL;
  return stop->time ? PSD_TIME_LIMIT : PSD_RUNNING;
}

/* A checkpoint when it is due, and whenever the run ends. One that a signal or the clock ends is done then: the next one
   goes on with it. */
static PetscErrorCode Save(PsdAdmm admm, const PsdStop *stop)
{
  PetscFunctionBeginUser;
  PetscBool written;
  if (!admm->checkpoint.path[0] || (!stop->save && admm->reason == PSD_RUNNING)) PetscFunctionReturn(0);
  admm->elapsed = PsdWallSeconds() - admm->start;
  PetscCall(PsdCheckpointSave(admm, &written));
  if (written && (admm->reason == PSD_SIGNAL || admm->reason == PSD_TIME_LIMIT)) admm->reason = PSD_CHECKPOINTED;
  PetscFunctionReturn(0);
}

/* What the run that wrote the checkpoint would have done next had it gone on to this target and limit. */
static PetscErrorCode Resume(PsdAdmm admm, PetscReal target)
{
  PetscFunctionBeginUser;
  const PsdAdmmStatus *status = &admm->status;
  const PetscBool at_limit = (PetscBool)(status->iteration >= admm->settings.max_it);
  PetscReal primal, dual;
  admm->checkpoint.resumed = PETSC_FALSE;
  if (admm->checked && status->gap <= target) {
    admm->reason = PSD_GAP_REACHED;
    if (admm->split) PetscCall(PsdSplittingDualPoint(admm->split)); /* for the certificate */
  } else if (at_limit) {
    admm->reason = PSD_ITERATION_LIMIT;
    if (!admm->checked) {
      PetscCall(PsdConeRefactor(admm->cone, admm->Z));
      PetscCall(Check(admm, target));
    }
  } else if (admm->checked) {
    PetscCall(PsdAdmmRelativeResiduals(admm, &primal, &dual));
    PetscCall(AdaptPenalty(admm, admm->previous, primal, dual));
  }
  PetscFunctionReturn(0);
}

/* Where beta_max is 0 the network without neurons and -L'(0) are solutions, and there is nothing to iterate for. */
static PetscBool IsSolved(PsdAdmm admm)
{
  PsdAdmmStatus *status = &admm->status;
  if (admm->problem->beta_max > 0 || status->objective > admm->problem->loss_at_zero) return PETSC_FALSE;
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  return PETSC_TRUE;
}

/* Before the first iteration: a signal may have come while A'A was made. */
static PetscErrorCode Begin(PsdAdmm admm, PetscReal target)
{
  PetscFunctionBeginUser;
  PsdStop stop;
  admm->reason = IsSolved(admm) ? PSD_GAP_REACHED : PSD_RUNNING;
  admm->checkpoint.last = PsdWallSeconds();
  /* what was done since the last iteration, a certificate and what callers do from beta to beta, is a pass of its own */
  if (admm->pass == 0) admm->pass = admm->checkpoint.last;
  if (admm->checkpoint.resumed) PetscCall(Resume(admm, target));
  admm->checked = PETSC_FALSE;
  if (!admm->checkpoint.path[0] || admm->reason != PSD_RUNNING) PetscFunctionReturn(0);
  PetscCall(PsdAdmmAskStop(admm, &stop));
  if (stop.signal) admm->reason = PSD_SIGNAL;
  else if (stop.time) admm->reason = PSD_TIME_LIMIT;
  PetscCall(Save(admm, &stop));
  if (admm->reason != PSD_CHECKPOINTED) admm->reason = PSD_RUNNING;
  PetscFunctionReturn(0);
}

/* Iterates until the bounds are `target` apart, or a limit is met. */
static PetscErrorCode RunTo(PsdAdmm admm, PetscReal target)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscCall(PsdPhaseBegin(PSD_PHASE_ADMM));
  PetscCall(Begin(admm, target));
  while (admm->reason == PSD_RUNNING) {
    PsdStop stop;
    PetscCall(PsdAdmmIterate(admm));
    status->iteration++;
    PetscCall(PsdAdmmAskStop(admm, &stop));
    admm->checked = PETSC_FALSE;
    admm->reason = ReasonToEnd(admm, &stop);
    if (status->iteration % admm->settings.check_every == 0) PetscCall(Check(admm, target));
    PetscCall(Save(admm, &stop));
    if (admm->reason == PSD_RUNNING || admm->reason == PSD_CHECKPOINTED || admm->checked) continue;
    PetscCall(Check(admm, target));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_ADMM));
  PetscFunctionReturn(0);
}

/* Rounding separates the bounds that the loop sees from those that can be proved: a little of the gap is left to it, half in the next
   round, and when it is all that is left, a few more rounds will not change it. */
#define MOST_ROUNDS 8
#define FOR_ROUNDING 0.02

PetscErrorCode PsdAdmmSolve(PsdAdmm admm, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PetscReal gap = admm->settings.gap;
  *certificate = (PsdCertificate){0};
  admm->start = PsdWallSeconds() - admm->elapsed;
  if (!admm->checkpoint.resumed) admm->round = 0;
  for (; admm->round < MOST_ROUNDS; admm->round++) {
    PsdDualSource sources[2] = {{NULL, NULL}, {admm->S, NULL}};
    PetscCall(RunTo(admm, ldexp((1 - FOR_ROUNDING) * gap, -(int)admm->round)));
    if (admm->reason == PSD_CHECKPOINTED) PetscFunctionReturn(0);
    sources[0] = admm->bounds->best_source;
    PsdConsensusGetStepResidual(admm->consensus, &sources[1].nu);
    if (admm->split) sources[1].nu = admm->split->nu_prox;
    if (sources[1].nu) sources[1].w = NULL;
    /* without an iteration there is no second point */
    PetscCall(PsdCertify(admm->problem, admm->best_network, admm->best_weight, admm->status.iteration > 0 ? 2 : 1,
                         sources, certificate));
    if (admm->reason != PSD_GAP_REACHED || certificate->gap <= gap) break;
    admm->reason = PSD_ROUNDING_LIMIT;
    if (admm->status.iteration == 0) break;
  }
  if (certificate->gap <= gap) admm->reason = PSD_GAP_REACHED;
  PetscFunctionReturn(0);
}
