/*
   The loop: what is to be done next is decided in loop.c, from numbers that are the same on all ranks; here it is
   done. Then what was found is proved.
*/
#include "base/base.h"
#include "certificate/user_network.h"
#include "solver.h"
#include <math.h>

static void SetGap(PsdSolver solver)
{
  PsdSolverStatus *status = &solver->status;
  status->bound = (*solver->type->best_bound)(solver);
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
}

/* What is known before the first iteration may be enough: from beta_max on the network without neurons and -L'(0) are
   solutions. */
static PetscBool IsSolved(PsdSolver solver)
{
  if (solver->status.iteration > 0 || solver->patience > 0) return PETSC_FALSE;
  SetGap(solver);
  return (PetscBool)(solver->status.gap <= solver->target);
}

static PetscErrorCode Begin(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *checkpoint = &solver->checkpoint;
  *loop = (PsdLoop){.iteration = solver->status.iteration,
                    .max_it = solver->settings.max_it,
                    .keeps = (PetscBool)(checkpoint->path[0] != '\0'),
                    .begins = PETSC_TRUE};
  checkpoint->last = PsdWallSeconds();
  /* what was done since the last iteration, a certificate and what callers do from beta to beta, is a pass of its
     own */
  if (solver->clock.pass == 0) solver->clock.pass = checkpoint->last;
  if (checkpoint->resumed) PetscCall(PsdResumeLoop(solver, loop));
  if (IsSolved(solver)) loop->checked = loop->reached = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Ask(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSolverAskRequests(solver, &loop->requests));
  loop->asked = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Iterate(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscBool due;
  if (solver->relief.type && solver->status.iteration >= solver->relief.after) PetscCall(PsdSolverRelieve(solver));
  PetscCall((*solver->type->iterate)(solver, &due));
  solver->status.iteration++;
  *loop = (PsdLoop){solver->status.iteration, loop->max_it, .due = due, .keeps = loop->keeps};
  PetscCall(Ask(solver, loop));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PsdSolverStatus *status = &solver->status;
  PetscCall((*solver->type->check)(solver));
  status->seconds = PsdWallSeconds() - solver->clock.start;
  loop->checked = PETSC_TRUE;
  loop->spent = solver->spent;
  loop->reached = (PetscBool)(status->gap <= solver->target && status->iteration >= solver->patience);
  solver->reason = PsdLoopReason(loop);
  const PsdSolverStatus told = PsdSolverStatusNow(solver);
  if (solver->monitor) PetscCall((*solver->monitor)(solver, &told, solver->monitor_context));
  if (loop->keeps) PetscCall(PsdHistoryAppend(&solver->history, &told));
  PetscFunctionReturn(0);
}

static PetscErrorCode Adapt(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  PetscCall((*solver->type->adapt)(solver));
  loop->adapted = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  solver->pending = (PetscBool)(loop->checked && !loop->adapted);
  solver->clock.elapsed = PsdWallSeconds() - solver->clock.start;
  PetscCall(PsdCheckpointSave(solver, &loop->written));
  loop->saved = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Iterates until the bounds are solver->target apart, or a limit is met. */
static PetscErrorCode Run(PsdSolver solver)
{
  PetscFunctionBeginUser;
  static PetscErrorCode (*const act[])(PsdSolver, PsdLoop *) = {[PSD_LOOP_ITERATE] = Iterate,
                                                                [PSD_LOOP_ASK] = Ask,
                                                                [PSD_LOOP_CHECK] = Check,
                                                                [PSD_LOOP_ADAPT] = Adapt,
                                                                [PSD_LOOP_SAVE] = Save};
  PsdLoop loop;
  PsdLoopAction next;
  PetscCall(PsdPhaseBegin(PSD_PHASE_SOLVE));
  PetscCall(Begin(solver, &loop));
  while ((next = PsdLoopDecide(&loop, &solver->reason)) != PSD_LOOP_END) PetscCall((*act[next])(solver, &loop));
  PetscCall(PsdPhaseEnd(PSD_PHASE_SOLVE));
  PetscFunctionReturn(0);
}

/* What was proved takes the place of what the solver's arithmetic said of the same network and the same dual point. When
   that was wrong it may be so again: the next certificate comes after more iterations each time. */
static void Learn(PsdSolver solver, const PsdCertificate *certificate)
{
  PsdSolverStatus *status = &solver->status;
  const PetscReal most = certificate->dual + certificate->rounding * PetscAbsReal(certificate->primal);
  status->objective = certificate->primal;
  (*solver->type->learn)(solver, most);
  SetGap(solver);
  const PetscInt64 least = solver->wait, wait = solver->round > 0 ? least << solver->round : 1;
  solver->patience = (PetscInt)PetscMin(status->iteration + wait, PETSC_MAX_INT);
  solver->round = PetscMin(solver->round + 1, PSD_MOST_ROUNDS - 1);
}

/* Rounding separates the bounds that the loop sees from those that can be proved: a little of the gap is left to it,
   half in the next round, until what the certificate counts for it is all that was asked for, and half of what there
   is: iterations could not halve it. */
#define FOR_ROUNDING 0.02

static PetscBool IsAllRounding(const PsdCertificate *certificate, PetscReal gap)
{
  return (PetscBool)(certificate->rounding >= gap && 2 * certificate->rounding >= certificate->gap);
}

PetscErrorCode PsdSolverSolve(PsdSolver solver, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  const PetscReal gap = solver->settings.gap;
  *certificate = (PsdCertificate){0};
  solver->clock.start = PsdWallSeconds() - solver->clock.elapsed;
  if (!solver->checkpoint.resumed) solver->round = solver->patience = 0;
  while (PETSC_TRUE) {
    solver->target = ldexp((1 - FOR_ROUNDING) * gap, -(int)solver->round);
    PetscCall(Run(solver));
    if (solver->reason == PSD_CHECKPOINTED) PetscFunctionReturn(0);
    PetscCall((*solver->type->certify)(solver, certificate));
    if (certificate->gap <= gap) solver->reason = PSD_GAP_REACHED;
    else if (solver->reason == PSD_GAP_REACHED && IsAllRounding(certificate, gap)) solver->reason = PSD_ROUNDING_LIMIT;
    if (solver->reason != PSD_GAP_REACHED || certificate->gap <= gap) break;
    Learn(solver, certificate);
  }
  PsdCertificateToUser(solver->problem, certificate);
  PetscFunctionReturn(0);
}
