/*
   What is looked at every few iterations: residuals, the network that the blocks contain, and the bounds.
*/
#include "admm.h"
#include "base/base.h"

PetscErrorCode PsdAdmmRelativeResiduals(PsdAdmm admm, PetscReal *primal, PetscReal *dual)
{
  PetscFunctionBeginUser;
  PsdResidualSums sums;
  PetscCallMPI(MPI_Allreduce(&admm->iterate.sums, &sums, sizeof(sums) / sizeof(PetscReal), MPIU_REAL, MPI_SUM,
                             admm->blocks->comm));
  const PetscReal difference = PetscSqrtReal(sums.primal), change = PetscSqrtReal(sums.change);
  const PetscReal size = PetscMax(PetscSqrtReal(sums.W), PetscSqrtReal(sums.Z)), size_U = PetscSqrtReal(sums.U);
  *primal = size > 0 ? difference / size : 0;
  *dual = size_U > 0 ? change / size_U : 0; /* rho ||Z - Z_last|| over rho ||U|| */
  admm->status.primal_residual = difference;
  admm->status.dual_residual = admm->penalty.rho * change;
  PetscFunctionReturn(0);
}

/* The neurons of all blocks, and their S. */
static PetscErrorCode ExtractNetwork(PsdAdmm admm, PetscReal *weight, PetscInt *rank, PetscInt *neurons)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PetscInt counts[2] = {0, 0};
  PetscCall(PsdEventBegin(PSD_EVENT_DECOMPOSE));
  admm->extracted.neurons.N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < blocks->local; k++) {
      const PetscInt pair = blocks->first + k, d = PsdBlocksOwn(blocks, k).d;
      PetscInt columns;
      const PetscReal *F;
      PetscCall(PsdConeGetFactor(admm->cone, s, k, &columns, &F));
      PetscCall(PetscArraycpy(admm->extracted.factor, F, (size_t)columns * d));
      PsdDecompose(d, columns, admm->extracted.factor, s == 0 ? 1 : -1, pair % blocks->G, pair / blocks->G,
                   &admm->extracted.neurons);
      counts[0] += columns;
    }
  }
  counts[1] = admm->extracted.neurons.N;
  PetscCall(PsdNeuronsAssemble(&admm->extracted.neurons, blocks, admm->extracted.S, weight));
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
  PetscInt neurons = 0;
  PetscCall(ExtractNetwork(admm, &iterate->weight, &status->rank_Z, &neurons));
  if (PsdConsensusUsesSamples(admm->consensus)) {
    PetscCall(PsdNeuronsGetFactors(&admm->extracted.neurons, admm->blocks, &admm->extracted.local_factors));
    PetscCall(PsdFactorsGather(admm->blocks->comm, &admm->extracted.local_factors, &admm->extracted.factors));
    iterate->factors = &admm->extracted.factors;
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
    admm->best.weight = iterate->weight;
    PetscCall(PsdNeuronsCopy(&admm->extracted.neurons, &admm->best.neurons));
    PetscCall(VecCopy(admm->extracted.S, admm->best.S));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmCheck(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscReal primal, dual;
  PsdIterate iterate = {.S = admm->iterate.S,
                        .Sh = admm->iterate.Sh,
                        .U = {admm->iterate.U[0], admm->iterate.U[1]},
                        .rho = admm->penalty.rho,
                        .network = admm->extracted.S};
  PetscCall(PsdAdmmRelativeResiduals(admm, &primal, &dual));
  if (admm->split) {
    PetscCall(PsdSplittingDualPoint(admm->split));
    iterate.nu_prox = admm->split->nu_prox;
    iterate.M_prox = admm->split->M_prox;
    iterate.nu_step = admm->split->nu_step;
  }
  if (!admm->best.fixed) PetscCall(TakeNetwork(admm, &iterate));
  PetscCall(PsdBoundsDual(admm->bounds, &iterate, PSD_CANDIDATES_SOLVER));
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  status->rho = admm->penalty.rho;
  PetscFunctionReturn(0);
}
