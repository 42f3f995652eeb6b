/*
   A type of solver takes over from another one in the midst of a run.
*/
#include "base/base.h"
#include "solver.h"

PetscErrorCode PsdSolverRelieve(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdSolverStatus before = solver->status;
  const PsdSolverType *last = solver->type;
  const PsdSolverRelief relief = solver->relief;
  PsdNetwork network;
  PetscCall(PsdSolverGetNetwork(solver, &network));
  PetscCall(PetscPrintf(solver->problem->comm,
                        "solver   %s is at a gap of %.1e after %" PetscInt_FMT " iterations: %s goes on\n", last->name,
                        (double)before.gap, before.iteration, relief.type->name));
  PetscCall(PsdProblemLeaveSingle(solver->problem));
  solver->type = relief.type;
  solver->data = relief.data;
  solver->relief = (PsdSolverRelief){0};
  PetscCall((*solver->type->set_up)(solver));
  PetscCall((*solver->type->start)(solver));
  if (solver->fixed) PetscCall((*solver->type->fix_network)(solver, network));
  else PetscCall((*solver->type->set_initial)(solver, network));
  solver->status.iteration = before.iteration;
  solver->status.seconds = before.seconds;
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdPhaseBegin(PSD_PHASE_SOLVE));
  PetscFunctionReturn(0);
}
