/*
   Going on from a checkpoint. A file of another problem is refused before anything of this one is computed; the state
   is read once everything is allocated; and the loop begins with what the run that wrote it would have done next, had
   it gone on to this run's gap and limit.
*/
#include "base/base.h"
#include "problem/identity.h"
#include "solver.h"

/* A part of the file. */
static PetscErrorCode Read(PsdSolver solver, PsdVisit visit)
{
  PetscFunctionBeginUser;
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(solver->problem, &layout));
  PetscCall(PsdStateRead(solver->checkpoint.archive, &layout, visit, solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdResumeOpen(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  const MPI_Comm comm = solver->problem->comm;
  PetscBool exists;
  it->type[0] = '\0';
  if (!it->path[0] || !it->resume) PetscFunctionReturn(0);
  PetscCall(PsdArchiveExists(comm, it->path, &exists));
  if (!exists) {
    PetscCall(PetscPrintf(comm, "resume   there is no %s: from the start\n", it->path));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdArchiveOpen(comm, it->path, PSD_CHECKPOINT_FORMAT, PSD_CHECKPOINT_VERSION, &it->archive));
  PetscCall(Read(solver, PsdSolverVisitIdentity));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdResumeForm(PsdSolver solver)
{
  PetscFunctionBeginUser;
  if (solver->checkpoint.archive) PetscCall(Read(solver, PsdSolverVisitForm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdResumeLoad(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  if (!it->archive) PetscFunctionReturn(0);
  PetscCall(Read(solver, PsdSolverVisitState));
  PetscCall(PsdArchiveClose(&it->archive));
  it->resumed = PETSC_TRUE;
  solver->status.seconds = solver->clock.elapsed;
  const PsdSolverStatus told = PsdSolverStatusNow(solver);
  PetscCall(PetscPrintf(solver->problem->comm,
                        "resume   iteration %5" PetscInt_FMT "  objective %.8g  bound %.8g  gap %.2e  from %s\n",
                        told.iteration, (double)told.objective, (double)told.bound, (double)told.gap, it->path));
  PetscFunctionReturn(0);
}

/* The last iteration was checked if the run was still to adapt to that. */
PetscErrorCode PsdResumeLoop(PsdSolver solver, PsdLoop *loop)
{
  PetscFunctionBeginUser;
  loop->resumed = PETSC_TRUE;
  loop->checked = solver->pending;
  loop->reached = (PetscBool)(loop->checked && solver->status.gap <= solver->target &&
                              solver->status.iteration >= solver->patience);
  solver->checkpoint.resumed = PETSC_FALSE;
  if (PsdLoopReason(loop) == PSD_RUNNING) PetscFunctionReturn(0);
  PetscCall((*solver->type->complete)(solver, loop->checked));
  PetscFunctionReturn(0);
}
