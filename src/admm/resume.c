/*
   Going on from a checkpoint. A file of another problem is refused before anything of this one is computed; the state
   is read once everything is allocated; and the loop begins with what the run that wrote it would have done next, had
   it gone on to this run's gap and limit.
*/
#include "admm.h"
#include "base/base.h"
#include "problem/identity.h"

PetscErrorCode PsdResumeOpen(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  const MPI_Comm comm = admm->blocks->comm;
  PsdStateLayout layout;
  PetscBool exists;
  if (!it->path[0] || !it->resume) PetscFunctionReturn(0);
  PetscCall(PsdArchiveExists(comm, it->path, &exists));
  if (!exists) {
    PetscCall(PetscPrintf(comm, "resume   there is no %s: from the start\n", it->path));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdProblemGetLayout(admm->problem, &layout));
  PetscCall(PsdArchiveOpen(comm, it->path, PSD_CHECKPOINT_FORMAT, PSD_CHECKPOINT_VERSION, &it->archive));
  PetscCall(PsdStateRead(it->archive, &layout, PsdAdmmVisitProblem, admm));
  PetscFunctionReturn(0);
}

/* No penalty is below what A'A can be factorised with (adapt.c); the trace on another number of ranks is rounded otherwise. */
static PetscErrorCode CheckPenalties(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PetscReal rho = admm->penalty.rho, sigma = admm->split ? admm->split->sigma : 1;
  const PetscReal least = 0.999 * PsdConsensusShiftFloor(admm->consensus), shift = rho / 2 / sigma;
  PsdCheckInput(shift >= least && shift <= PSD_STATE_LARGEST,
                "%s: 'rho' is %g%s%.3g, expected %g to %g after division by 2 sigma", admm->checkpoint.path,
                (double)rho, admm->split ? " and 'sigma' " : ", sigma ", (double)sigma, (double)least,
                PSD_STATE_LARGEST);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdResumeLoad(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(admm->problem, &layout));
  PetscCall(PsdStateRead(it->archive, &layout, PsdAdmmVisitState, admm));
  PetscCall(PsdArchiveClose(&it->archive));
  PetscCall(CheckPenalties(admm));
  it->resumed = PETSC_TRUE;
  admm->status.rho = admm->penalty.rho;
  admm->status.seconds = admm->clock.elapsed;
  PetscCall(PetscPrintf(admm->blocks->comm,
                        "resume   iteration %5" PetscInt_FMT "  objective %.8g  bound %.8g  gap %.2e  from %s\n",
                        admm->status.iteration, (double)admm->status.objective, (double)admm->status.bound,
                        (double)admm->status.gap, it->path));
  PetscFunctionReturn(0);
}

/* The last iteration was checked if the penalty waits for that. What a check or a certificate needs of the iteration
   before it, which was not made here, is made good. */
PetscErrorCode PsdResumeLoop(PsdAdmm admm, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  loop->resumed = PETSC_TRUE;
  loop->checked = admm->checks.pending;
  loop->reached =
      (PetscBool)(loop->checked && admm->status.gap <= admm->target && admm->status.iteration >= admm->patience);
  admm->checkpoint.resumed = PETSC_FALSE;
  if (PsdLoopReason(loop) == PSD_RUNNING) PetscFunctionReturn(0);
  if (!loop->checked) PetscCall(PsdConeRefactor(admm->cone, admm->iterate.Z));
  else if (admm->split) PetscCall(PsdSplittingDualPoint(admm->split));
  PetscFunctionReturn(0);
}
