/*
   What is looked at every few iterations: residuals, the network that the blocks contain, and the bounds.
*/
#include "admm.h"
#include "base/base.h"

PetscErrorCode PsdAdmmRelativeResiduals(PsdAdmm admm, PetscReal *primal, PetscReal *dual)
{
  PetscFunctionBeginUser;
  PetscReal sums[5];
  PetscCall(PetscArraycpy(sums, admm->sums, 5));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 5, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  for (PetscInt k = 0; k < 5; k++) sums[k] = PetscSqrtReal(sums[k]);
  const PetscReal size = PetscMax(sums[2], sums[3]);
  *primal = size > 0 ? sums[0] / size : 0;
  *dual = sums[4] > 0 ? sums[1] / sums[4] : 0; /* rho ||Z - Z_last|| over rho ||U|| */
  admm->status.primal_residual = sums[0];
  admm->status.dual_residual = admm->rho * sums[1];
  PetscFunctionReturn(0);
}

/* The neurons of all blocks, and their S. */
static PetscErrorCode ExtractNetwork(PsdAdmm admm, PetscReal *weight, PetscInt *rank, PetscInt *neurons)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PetscInt counts[2] = {0, 0};
  PetscCall(PsdEventBegin(PSD_EVENT_DECOMPOSE));
  admm->neurons.N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < blocks->local; k++) {
      const PetscInt pair = blocks->first + k;
      PetscInt columns;
      const PetscReal *F;
      PetscCall(PsdConeGetFactor(admm->cone, s, k, &columns, &F));
      PetscCall(PetscArraycpy(admm->factor, F, (size_t)columns * blocks->d));
      PsdDecompose(blocks->d, columns, admm->factor, s == 0 ? 1 : -1, pair % blocks->G, pair / blocks->G,
                   &admm->neurons);
      counts[0] += columns;
    }
  }
  counts[1] = admm->neurons.N;
  PetscCall(PsdNeuronsAssemble(&admm->neurons, blocks, admm->network, weight));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, weight, 1, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPIU_INT, MPI_SUM, blocks->comm));
  PetscCall(PsdEventEnd(PSD_EVENT_DECOMPOSE));
  *rank = counts[0];
  *neurons = counts[1];
  PetscFunctionReturn(0);
}

/* The network at hand, kept when it is the best so far. */
static PetscErrorCode TakeNetwork(PsdAdmm admm, PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscInt neurons;
  PetscCall(ExtractNetwork(admm, &iterate->weight, &status->rank_Z, &neurons));
  if (PsdConsensusUsesSamples(admm->consensus)) {
    PetscCall(PsdNeuronsGetFactors(&admm->neurons, admm->blocks, &admm->local_factors));
    PetscCall(PsdFactorsGather(admm->blocks->comm, &admm->local_factors, &admm->factors));
    iterate->factors = &admm->factors;
  }
  PetscCall(PsdBoundsPrimal(admm->bounds, iterate, PETSC_FALSE));
  PetscCheck(!PetscIsInfOrNanReal(admm->bounds->primal), admm->blocks->comm, PETSC_ERR_FP,
             "The objective is not a number at iteration %" PetscInt_FMT, status->iteration);
  PetscCall(PetscInfo(NULL,
                      "iteration %" PetscInt_FMT ": network of %" PetscInt_FMT " neurons, objective %.12g, weight %g\n",
                      status->iteration, neurons, (double)admm->bounds->primal, (double)iterate->weight));
  if (admm->bounds->primal < status->objective) {
    status->objective = admm->bounds->primal;
    status->neurons = neurons;
    admm->best_weight = iterate->weight;
    PetscCall(PsdNeuronsCopy(&admm->neurons, &admm->best));
    PetscCall(VecCopy(admm->network, admm->best_network));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmCheck(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PsdIterate iterate = {
      .S = admm->S, .Sh = admm->Sh, .U = {admm->U[0], admm->U[1]}, .rho = admm->rho, .network = admm->network};
  if (admm->split) {
    PetscCall(PsdSplittingDualPoint(admm->split));
    iterate.nu_prox = admm->split->nu_prox;
    iterate.M_prox = admm->split->M_prox;
    iterate.nu_step = admm->split->nu_step;
  }
  if (!admm->network_fixed) PetscCall(TakeNetwork(admm, &iterate));
  PetscCall(PsdBoundsDual(admm->bounds, &iterate, PSD_CANDIDATES_SOLVER));
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  status->rho = admm->rho;
  PetscFunctionReturn(0);
}
