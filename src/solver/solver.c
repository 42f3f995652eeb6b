/*
   PsdSolver: what is set and asked of it, whatever its type. Its results are in results.c, the loop is in solve.c; it is
   created, and gets its type, in types/.
*/
#include "solver.h"
#include "base/base.h"
#include "certificate/witness.h"

PetscErrorCode PsdSolverSetTolerances(PsdSolver solver, PetscReal gap, PetscInt max_it)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  solver->settings.gap = gap;
  solver->settings.max_it = max_it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetTolerances(PsdSolver solver, PetscReal *gap, PetscInt *max_it)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  if (gap) *gap = solver->settings.gap;
  if (max_it) *max_it = solver->settings.max_it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetMonitor(PsdSolver solver, PsdSolverMonitor monitor, void *context)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  solver->monitor = monitor;
  solver->monitor_context = context;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetType(PsdSolver solver, const char *type[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  *type = solver->type->name;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetHistory(PsdSolver solver, PetscInt *count, const PsdSolverStatus *rows[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  *count = solver->history.rows;
  *rows = solver->history.row;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetKernels(PsdSolver solver, PetscInt *count, const PsdSolverKernel *kernels[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  PetscCall((*solver->type->get_kernels)(solver, count, solver->kernel));
  *kernels = solver->kernel;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetInitial(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  PetscCall((*solver->type->set_initial)(solver, network));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverFixNetwork(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  PetscCall((*solver->type->fix_network)(solver, network));
  solver->fixed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* What the rounds of the last beta have shown is not of this one. */
PetscErrorCode PsdSolverSetBeta(PsdSolver solver, PetscReal beta)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  solver->round = solver->history.rows = 0;
  solver->clock.elapsed = 0;
  PetscCall((*solver->type->set_beta)(solver, beta));
  solver->fixed = PETSC_FALSE;
  solver->problem->request.beta_rel = solver->problem->request.beta_noise = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverKeepWitness(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  if (!solver->witness) PetscCall(PsdWitnessCreate(solver->problem->comm, &solver->witness));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetWitness(PsdSolver solver, PsdWitness *witness)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  *witness = solver->witness;
  PetscFunctionReturn(0);
}
