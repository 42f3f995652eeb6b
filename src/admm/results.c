/*
   What goes from the solver to its user and back, and is in the user's units there: status and network. Objective,
   bound and gap are the same in both.
*/
#include "admm.h"
#include "base/base.h"

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
  PetscInt count, copies;
  const PetscInt *labels;
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PsdTraining training = {.n_train = problem->n / copies, .flip = copies == 2};
  PetscCall(PsdProblemGetBeta(problem, &training.beta, &training.beta_max));
  PetscCall(PsdProblemGetActivation(problem, training.activation));
  PetscCall(PsdNeuronsGather(admm->blocks->comm, &admm->best.neurons, &all));
  for (PetscInt k = 0; k < all.N; k++) all.weight[k] = PsdFromUnits(problem->units, PSD_UNIT_WEIGHT, all.weight[k]);
  PetscCall(PsdNetworkCreate(admm->blocks->comm, network));
  PetscCall(PsdNetworkSetPatches(*network, problem->patches));
  PetscCall(PsdDataGetClasses(problem->data, &count, &labels, NULL));
  PetscCall(PsdNetworkSetClasses(*network, count, labels));
  PetscCall(PsdNetworkSetNeurons(*network, all.N, all.f, all.filter, all.weight, all.region, all.class));
  PetscCall(PetscStrncpy(training.loss, problem->loss.ops->name, sizeof(training.loss)));
  training.loss_parameter = problem->loss.parameter;
  PetscCall(PsdNetworkSetTraining(*network, &training));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmReadNeurons(PsdAdmm admm, PsdNetwork network, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  PetscInt N, f;
  const PetscReal *filters, *weights;
  const PetscInt *regions, *classes;
  PetscCall(PsdNetworkGetNeurons(network, &N, &f, &filters, &weights, &regions, &classes));
  PetscCall(PsdNeuronsCreate(N, f, neurons));
  neurons->N = N;
  PetscCall(PetscArraycpy(neurons->filter, filters, (size_t)N * f));
  PetscCall(PetscArraycpy(neurons->region, regions, N));
  PetscCall(PetscArraycpy(neurons->class, classes, N));
  for (PetscInt k = 0; k < N; k++) neurons->weight[k] = PsdToUnits(admm->problem->units, PSD_UNIT_WEIGHT, weights[k]);
  PetscFunctionReturn(0);
}
