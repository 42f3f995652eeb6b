/*
   What goes from the solver to its user and back, and is in the user's units there: status and network. Objective,
   bound and gap are the same in both.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/user_network.h"

PsdAdmmStatus PsdAdmmStatusNow(PsdAdmm admm)
{
  const PsdUnits units = admm->problem->units;
  PsdAdmmStatus status = admm->status;
  status.rho = PsdFromUnits(units, PSD_UNIT_PENALTY, status.rho);
  status.primal_residual = PsdFromUnits(units, PSD_UNIT_WEIGHT, status.primal_residual);
  status.dual_residual = PsdFromUnits(units, PSD_UNIT_FEATURE, status.dual_residual);
  return status;
}

PetscErrorCode PsdAdmmGetStatus(PsdAdmm admm, PsdAdmmStatus *status, PsdAdmmReason *reason)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  if (status) *status = PsdAdmmStatusNow(admm);
  if (reason) *reason = admm->reason;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetNetwork(PsdAdmm admm, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  const PsdProblem problem = admm->problem;
  PsdNeurons all;
  PetscCall(PsdNeuronsGather(admm->blocks->comm, &admm->best.neurons, &all));
  for (PetscInt k = 0; k < all.N; k++) all.weight[k] = PsdFromUnits(problem->units, PSD_UNIT_WEIGHT, all.weight[k]);
  PetscCall(PsdProblemDescribe(problem, network));
  PetscCall(PsdNetworkSetNeurons(*network, all.N, all.f, all.filter, all.weight, all.region, all.class));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}
