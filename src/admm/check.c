/*
   What is looked at every few iterations: residuals, the network that the blocks contain, and the bounds.
*/
#include "admm.h"
#include "base/base.h"

PetscErrorCode PsdAdmmSum(PsdAdmm admm, PsdResidualSums *sums)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(&admm->iterate.sums, sums, sizeof(*sums) / sizeof(PetscReal), MPIU_REAL, MPI_SUM,
                             admm->blocks->comm));
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
  PsdSolverStatus *status = &admm->solver->status;
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

/*
   What the network and the bound at hand are apart is

     [P - (D - <A'nu,S> + beta <e4,T>)]  +  [beta <e4,T> - <A'nu,S>]  +  [D - D(s nu)]

   with the network's objective P and D = -L*(-nu). D - <A'nu,S> is L(A S), when nu = -L'(A S): the first bracket is what
   making W positive semidefinite costs, the last one what making nu feasible costs. Of a network that was given
   neither says anything of the penalty.
*/
static PsdGapParts SplitGap(PsdAdmm admm, PetscReal T4)
{
  const PsdDualAtHand *dual = &admm->bounds->at_hand;
  const PetscReal affine = dual->infeasible - dual->product + admm->problem->beta * T4;
  if (admm->best.fixed) return (PsdGapParts){0, 0};
  return (PsdGapParts){admm->bounds->primal - affine, dual->infeasible - dual->value};
}

PetscErrorCode PsdAdmmCheck(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdSolverStatus *status = &admm->solver->status;
  PsdResidualSums sums;
  PsdIterate iterate = {.S = admm->iterate.S,
                        .Sh = admm->iterate.Sh,
                        .U = {admm->iterate.U[0], admm->iterate.U[1]},
                        .rho = admm->penalty.rho,
                        .network = admm->extracted.S};
  PetscCall(PsdAdmmSum(admm, &sums));
  status->primal_residual = PetscSqrtReal(sums.primal);
  status->dual_residual = admm->penalty.rho * PetscSqrtReal(sums.change);
  if (admm->split) {
    PetscCall(PsdSplittingDualPoint(admm->split));
    iterate.nu_prox = admm->split->nu_prox;
    iterate.M_prox = admm->split->M_prox;
    iterate.nu_step = admm->split->nu_step;
  }
  if (!admm->best.fixed) PetscCall(TakeNetwork(admm, &iterate));
  PetscCall(PsdBoundsDual(admm->bounds, &iterate, PSD_CANDIDATES_SOLVER));
  admm->penalty.parts = SplitGap(admm, sums.T4);
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  status->rho = admm->penalty.rho;
  PetscFunctionReturn(0);
}
