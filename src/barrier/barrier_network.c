/*
   The networks of the central path, and what is proved of the best one.

   Z has full rank; what belongs to blocks' boundaries goes to 0 with mu. Where the gap is there, the network with
   the fewest neurons that has it is taken.
*/
#include "barrier.h"
#include "base/base.h"
#include "certificate/certificate.h"
#include "certificate/user_network.h"

/* Parts of the largest eigenvalue of all Z, below which eigenvalues are left out: the first one that is good enough. */
static const PetscReal least_parts[] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-8};

#define PATIENCE                                                                                                       \
  16 /* with smaller networks that are not good enough yet: until the whole one's gap is as much below the target */

/* On the root: the network with its objective, whole, or a smaller one that is as good as is asked for. */
static PetscErrorCode FindNetwork(PsdBarrierSolver it, PetscReal target, PetscReal *objective)
{
  PetscFunctionBeginUser;
  const PetscReal bound = PetscMax(it->bound, PsdCentralBound(it->central, it->trial_nu));
  PetscCall(PsdCentralNetwork(it->central, 0, &it->trial));
  PetscCall(PsdCentralObjective(it->central, &it->trial, objective));
  const PetscReal gap = (*objective - bound) / PetscAbsReal(*objective);
  if (!(gap <= target)) PetscFunctionReturn(0);
  for (size_t k = 0; k < sizeof(least_parts) / sizeof(*least_parts); k++) {
    PetscCall(PsdCentralNetwork(it->central, least_parts[k], &it->trial));
    PetscCall(PsdCentralObjective(it->central, &it->trial, objective));
    if (*objective - bound <= target * PetscAbsReal(*objective)) PetscFunctionReturn(0);
  }
  PetscCall(PsdCentralNetwork(it->central, 0, &it->trial));
  if (gap > target / PATIENCE) *objective = INFINITY;
  else PetscCall(PsdCentralObjective(it->central, &it->trial, objective));
  PetscFunctionReturn(0);
}

/* The root's neurons on all ranks. */
static PetscErrorCode Broadcast(PsdBarrierSolver it, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = it->problem->comm;
  PetscCall(PsdBroadcastArray(comm, MPIU_INT, 1, &neurons->N));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)neurons->N * neurons->f, neurons->filter));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)neurons->N, neurons->weight));
  PetscCall(PsdBroadcastArray(comm, MPIU_INT, (size_t)neurons->N, neurons->region));
  PetscCall(PsdBroadcastArray(comm, MPIU_INT, (size_t)neurons->N, neurons->class));
  PetscFunctionReturn(0);
}

static PetscErrorCode Keep(PsdBarrierSolver it, PetscReal objective)
{
  PetscFunctionBeginUser;
  PsdSolverStatus *status = &it->solver->status;
  status->objective = objective;
  status->neurons = it->best.N;
  it->weight = 0;
  for (PetscInt k = 0; k < it->best.N; k++) it->weight += PetscAbsReal(it->best.weight[k]);
  PetscFunctionReturn(0);
}

/* While the gap is too large any network that is better is kept; one that has the gap ends the run. */
PetscErrorCode PsdBarrierTakeNetwork(PsdBarrierSolver it, PetscReal target)
{
  PetscFunctionBeginUser;
  PetscReal objective = 0;
  if (it->rank == 0) PetscCall(FindNetwork(it, target, &objective));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, 1, &objective));
  PetscCall(PetscInfo(NULL, "network of %" PetscInt_FMT " neurons, objective %.12g\n", it->trial.N, (double)objective));
  if (it->fixed || !(objective < it->solver->status.objective)) PetscFunctionReturn(0);
  if (it->rank == 0) PetscCall(PsdNeuronsCopy(&it->trial, &it->best));
  PetscCall(Broadcast(it, &it->best));
  PetscCall(Keep(it, objective));
  PetscFunctionReturn(0);
}

/* The bound at the point where the path is now. */
PetscErrorCode PsdBarrierCheck(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  PsdSolverStatus *status = &solver->status;
  const size_t count = (size_t)problem->n * problem->blocks->C;
  PetscReal value = -INFINITY;
  if (it->rank == 0) value = PsdCentralBound(it->central, it->trial_nu);
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, 1, &value));
  if (value > it->bound) {
    it->bound = value;
    if (it->rank == 0) PetscCall(PetscArraycpy(it->nu, it->trial_nu, count));
    PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, count, it->nu));
  }
  status->bound = it->bound;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierCertify(PsdSolver solver, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  const PsdDualSource source = {.nu = it->nu + (size_t)it->first[it->rank] * problem->blocks->C, .each = PETSC_TRUE};
  PsdNetworkMatrix network = {.weight = 0};
  PetscCall(VecDuplicate(problem->h, &network.S));
  PetscCall(PsdBlocksCreatePairVec(problem->blocks, &network.error));
  PetscCall(PsdNeuronsAssemble(&it->best, problem->blocks, network.S, &network.weight));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &network.weight, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCall(PsdNeuronsBoundErrors(&it->best, problem->blocks, network.weight, network.error, &network.weight_error));
  PetscCall(PsdCertify(problem, &network, 1, &source, solver->witness, certificate));
  PetscCall(VecDestroy(&network.S));
  PetscCall(VecDestroy(&network.error));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- networks that are given */

/* Becomes the best one. */
static PetscErrorCode Take(PsdBarrierSolver it, PsdNetwork network, PetscReal *objective)
{
  PetscFunctionBeginUser;
  PsdNeurons all;
  PetscCall(PsdProblemReadNeurons(it->problem, network, &all));
  if (it->rank == 0) PetscCall(PsdCentralObjective(it->central, &all, objective));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, 1, objective));
  if (it->fixed || *objective < it->solver->status.objective) {
    const PetscInt room = PetscMax(it->trial.capacity, all.N);
    PetscCall(PsdNeuronsDestroy(&it->best));
    PetscCall(PsdNeuronsCreate(room, all.f, &it->best));
    PetscCall(PsdNeuronsCopy(&all, &it->best));
    PetscCall(Keep(it, *objective));
  }
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierSetInitial(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscReal objective = 0;
  PetscCall(Take(solver->data, network, &objective));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierFixNetwork(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  PetscReal objective = 0;
  it->fixed = PETSC_TRUE;
  PetscCall(Take(it, network, &objective));
  PetscFunctionReturn(0);
}
