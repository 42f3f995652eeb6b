/*
   Networks go from the user to the problem and back, and certificates to the user: multiplication by a power of two,
   which is exact.
*/
#include "user_network.h"
#include "base/base.h"
#include "network/network.h"

static PetscErrorCode DescribeOutputs(PsdData data, PetscInt outputs, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const char *const *names;
  PetscCall(PsdNetworkSetOutputs(network, outputs));
  PetscCall(PsdDataGetOutputNames(data, &names));
  if (names) PetscCall(PsdNetworkSetClassNames(network, names));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescribeClasses(PsdData data, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscInt count;
  const PetscInt *labels;
  const char *const *names;
  PetscCall(PsdDataGetClasses(data, &count, &labels, &names));
  PetscCall(PsdNetworkSetClasses(network, count, labels));
  if (PsdDataHasClassNames(data)) PetscCall(PsdNetworkSetClassNames(network, names));
  PetscFunctionReturn(0);
}

void PsdCertificateToUser(PsdProblem problem, PsdCertificate *certificate)
{
  const PsdUnits units = problem->units;
  certificate->primal = PsdFromUnits(units, PSD_UNIT_OBJECTIVE, certificate->primal);
  certificate->primal_error = PsdFromUnits(units, PSD_UNIT_OBJECTIVE, certificate->primal_error);
  certificate->dual = PsdFromUnits(units, PSD_UNIT_OBJECTIVE, certificate->dual);
}

PetscErrorCode PsdProblemDescribe(PsdProblem problem, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PetscInt copies, shifts;
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PetscCall(PsdDataGetShifts(problem->data, &shifts));
  PsdTraining training = {.n_train = problem->n / copies / shifts, .flip = copies == 2, .shifts = shifts};
  PetscCall(PsdProblemGetBeta(problem, &training.beta, &training.beta_max));
  PetscCall(PsdProblemGetActivation(problem, training.activation));
  PetscCall(PetscStrncpy(training.loss, problem->loss.ops->name, sizeof(training.loss)));
  training.loss_parameter = problem->request.loss_parameter;
  PetscCall(PsdNetworkCreate(problem->comm, network));
  PetscCall(PsdNetworkSetPatches(*network, problem->patches));
  if (problem->outputs > 0) PetscCall(DescribeOutputs(problem->data, problem->outputs, *network));
  else PetscCall(DescribeClasses(problem->data, *network));
  PetscCall(PsdNetworkSetNeurons(*network, 0, problem->blocks->f_max, NULL, NULL, NULL, NULL));
  PetscCall(PsdNetworkSetTraining(*network, &training));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckUnit(PetscInt N, PetscInt f, const PetscReal filters[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < N; k++) {
    const PetscReal length = PsdFilterLength(f, filters + (size_t)k * f);
    PsdCheckInput(PetscAbsReal(length - 1) <= PSD_UNIT_ROUNDINGS(f) * PETSC_MACHINE_EPSILON,
                  "filter %" PetscInt_FMT " has length %.17g, expected 1 for a certificate: see PsdNetworkNormalize", k,
                  (double)length);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemReadNeurons(PsdProblem problem, PsdNetwork network, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  PetscInt N, f;
  const PetscReal *filters, *weights;
  const PetscInt *regions, *classes;
  PetscCall(PsdNetworkGetNeurons(network, &N, &f, &filters, &weights, &regions, &classes));
  PetscCall(PsdNetworkCheckPadding(network));
  PetscCall(CheckUnit(N, f, filters));
  PetscCall(PsdNeuronsCreate(N, f, neurons));
  neurons->N = N;
  PetscCall(PetscArraycpy(neurons->filter, filters, (size_t)N * f));
  PetscCall(PetscArraycpy(neurons->region, regions, N));
  PetscCall(PetscArraycpy(neurons->class, classes, N));
  for (PetscInt k = 0; k < N; k++) neurons->weight[k] = PsdToUnits(problem->units, PSD_UNIT_WEIGHT, weights[k]);
  PetscFunctionReturn(0);
}
