/*
   What goes from the solver to its user and back, and is in the user's units there: status and network.
*/
#include "base/base.h"
#include "certificate/user_network.h"
#include "solver.h"

PsdSolverStatus PsdSolverStatusNow(PsdSolver solver)
{
  const PsdUnits units = solver->problem->units;
  PsdSolverStatus status = solver->status;
  status.rho = PsdFromUnits(units, PSD_UNIT_PENALTY, status.rho);
  status.primal_residual = PsdFromUnits(units, PSD_UNIT_WEIGHT, status.primal_residual);
  status.dual_residual = PsdFromUnits(units, PSD_UNIT_BETA, status.dual_residual);
  status.objective = PsdFromUnits(units, PSD_UNIT_OBJECTIVE, status.objective);
  status.bound = PsdFromUnits(units, PSD_UNIT_OBJECTIVE, status.bound);
  return status;
}

PetscErrorCode PsdSolverGetStatus(PsdSolver solver, PsdSolverStatus *status, PsdSolverReason *reason)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  if (status) *status = PsdSolverStatusNow(solver);
  if (reason) *reason = solver->reason;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverGetNetwork(PsdSolver solver, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCheckReady(solver);
  const PsdProblem problem = solver->problem;
  PsdNeurons all;
  PetscCall((*solver->type->get_neurons)(solver, &all));
  for (PetscInt k = 0; k < all.N; k++) all.weight[k] = PsdFromUnits(problem->units, PSD_UNIT_WEIGHT, all.weight[k]);
  PetscCall(PsdProblemDescribe(problem, network));
  PetscCall(PsdNetworkSetNeurons(*network, all.N, all.f, all.filter, all.weight, all.region, all.class));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}
