/*
   The loop: what is to be done next is decided in loop.c, from numbers that are the same on all ranks; here it is
   done. Then what was found is proved.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/certificate.h"
#include <math.h>

/* What is known before the first iteration may be enough: from beta_max on the network without neurons and -L'(0) are
   solutions. */
static PetscBool IsSolved(PsdAdmm admm)
{
  PsdAdmmStatus *status = &admm->status;
  if (status->iteration > 0 || admm->patience > 0) return PETSC_FALSE;
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  return (PetscBool)(status->gap <= admm->target);
}

static PetscErrorCode Begin(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *checkpoint = &admm->checkpoint;
  *loop = (PsdLoop){.iteration = admm->status.iteration,
                    .max_it = admm->settings.max_it,
                    .check_every = admm->settings.check_every,
                    .keeps = (PetscBool)(checkpoint->path[0] != '\0'),
                    .begins = PETSC_TRUE};
  checkpoint->last = PsdWallSeconds();
  /* what was done since the last iteration, a certificate and what callers do from beta to beta, is a pass of its
     own */
  if (admm->clock.pass == 0) admm->clock.pass = checkpoint->last;
  if (checkpoint->resumed) PetscCall(PsdResumeLoop(admm, loop));
  if (IsSolved(admm)) loop->checked = loop->reached = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Ask(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscCall(PsdAdmmAskRequests(admm, &loop->requests));
  loop->asked = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Iterate(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscCall(PsdAdmmIterate(admm));
  admm->status.iteration++;
  *loop = (PsdLoop){admm->status.iteration, loop->max_it, loop->check_every, .keeps = loop->keeps};
  PetscCall(Ask(admm, loop));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscCall(PsdAdmmCheck(admm));
  status->seconds = PsdWallSeconds() - admm->clock.start;
  admm->checks.last = status->iteration;
  loop->checked = PETSC_TRUE;
  loop->reached = (PetscBool)(status->gap <= admm->target && status->iteration >= admm->patience);
  admm->reason = PsdLoopReason(loop);
  const PsdAdmmStatus told = PsdAdmmStatusNow(admm);
  if (admm->monitor) PetscCall((*admm->monitor)(admm, &told, admm->monitor_context));
  if (loop->keeps) PetscCall(PsdHistoryAppend(&admm->history, &told));
  PetscFunctionReturn(0);
}

static PetscErrorCode Adapt(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscCall(PsdAdmmAdapt(admm));
  loop->adapted = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  admm->checks.pending = (PetscBool)(loop->checked && !loop->adapted);
  admm->clock.elapsed = PsdWallSeconds() - admm->clock.start;
  PetscCall(PsdCheckpointSave(admm, &loop->written));
  loop->saved = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Iterates until the bounds are admm->target apart, or a limit is met. */
static PetscErrorCode Run(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  static PetscErrorCode (*const act[])(PsdAdmm, PsdLoop *) = {[PSD_LOOP_ITERATE] = Iterate,
                                                              [PSD_LOOP_ASK] = Ask,
                                                              [PSD_LOOP_CHECK] = Check,
                                                              [PSD_LOOP_ADAPT] = Adapt,
                                                              [PSD_LOOP_SAVE] = Save};
  PsdLoop loop;
  PsdLoopAction next;
  PetscCall(PsdPhaseBegin(PSD_PHASE_ADMM));
  PetscCall(Begin(admm, &loop));
  while ((next = PsdLoopDecide(&loop, &admm->reason)) != PSD_LOOP_END) PetscCall((*act[next])(admm, &loop));
  PetscCall(PsdPhaseEnd(PSD_PHASE_ADMM));
  PetscFunctionReturn(0);
}

/* From the best dual point so far and, once there was an iteration, the last one. */
static PetscErrorCode Certify(PsdAdmm admm, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdBestNetwork *best = &admm->best;
  PsdDualSource sources[2] = {admm->bounds->best_source, {.w = admm->iterate.S}};
  PsdConsensusGetStepResidual(admm->consensus, &sources[1].nu);
  if (admm->split) sources[1].nu = admm->split->nu_prox;
  if (sources[1].nu) sources[1].w = NULL;
  if (!best->fixed)
    PetscCall(PsdNeuronsBoundErrors(&best->neurons, admm->blocks, best->weight, best->error, &best->weight_error));
  const PsdNetworkMatrix network = {best->S, best->error, best->weight, best->weight_error};
  PetscCall(
      PsdCertify(admm->problem, &network, admm->status.iteration > 0 ? 2 : 1, sources, admm->witness, certificate));
  PetscFunctionReturn(0);
}

#define LEAST_WAIT 10 /* iterations, however often bounds are looked at */

/* What was proved takes the place of what the solver's arithmetic said of the same network and the same dual point. When
   that was wrong it may be so again: the next certificate comes after more iterations each time. */
static void Learn(PsdAdmm admm, const PsdCertificate *certificate)
{
  PsdAdmmStatus *status = &admm->status;
  const PetscReal most = certificate->dual + certificate->rounding * PetscAbsReal(certificate->primal);
  status->objective = certificate->primal;
  status->bound = admm->bounds->best = PetscMin(admm->bounds->best, most);
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  const PetscInt64 least = PetscMax(LEAST_WAIT, admm->settings.check_every),
                   wait = admm->round > 0 ? least << admm->round : 1;
  admm->patience = (PetscInt)PetscMin(status->iteration + wait, PETSC_MAX_INT);
  admm->round = PetscMin(admm->round + 1, PSD_MOST_ROUNDS - 1);
}

/* Rounding separates the bounds that the loop sees from those that can be proved: a little of the gap is left to it,
   half in the next round, until what the certificate counts for it is all that was asked for, and half of what there
   is: iterations could not halve it. */
#define FOR_ROUNDING 0.02

static PetscBool IsAllRounding(const PsdCertificate *certificate, PetscReal gap)
{
  return (PetscBool)(certificate->rounding >= gap && 2 * certificate->rounding >= certificate->gap);
}

PetscErrorCode PsdAdmmSolve(PsdAdmm admm, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  const PetscReal gap = admm->settings.gap;
  *certificate = (PsdCertificate){0};
  admm->clock.start = PsdWallSeconds() - admm->clock.elapsed;
  if (!admm->checkpoint.resumed) admm->round = admm->patience = 0;
  while (PETSC_TRUE) {
    admm->target = ldexp((1 - FOR_ROUNDING) * gap, -(int)admm->round);
    PetscCall(Run(admm));
    if (admm->reason == PSD_CHECKPOINTED) PetscFunctionReturn(0);
    PetscCall(Certify(admm, certificate));
    if (certificate->gap <= gap) admm->reason = PSD_GAP_REACHED;
    else if (admm->reason == PSD_GAP_REACHED && IsAllRounding(certificate, gap)) admm->reason = PSD_ROUNDING_LIMIT;
    if (admm->reason != PSD_GAP_REACHED || certificate->gap <= gap) break;
    Learn(admm, certificate);
  }
  PetscFunctionReturn(0);
}
