/*
   What is looked at every few iterations: residuals, the network that the blocks contain, and the bounds.
*/
#include "admm.h"
#include "base/base.h"

PetscErrorCode PsdAdmmSum(PsdAdmm admm, PsdTally *tally)
{
  PetscFunctionBeginUser;
  PsdResidualSums *all = &admm->iterate.all;
  PetscReal *const pairs[] = {&all->primal, &all->change, &all->W, &all->Z, &all->U, &all->T4};
  *all = admm->iterate.sums;
  for (size_t k = 0; k < sizeof(pairs) / sizeof(*pairs); k++) PetscCall(PsdTallySum(tally, pairs[k]));
  if (!admm->split) PetscFunctionReturn(0);
  PsdSplittingSums *samples = &admm->split->all;
  *samples = admm->split->sums;
  PetscCall(PsdTallySum(tally, &samples->fit));
  PetscCall(PsdTallySum(tally, &samples->v));
  PetscCall(PsdTallySum(tally, &samples->lambda));
  PetscFunctionReturn(0);
}

/* The network that was extracted: this rank's part, and after a reduction all of it. */
typedef struct {
  PetscReal weight, rank, neurons;
} Extracted;

/* This rank's neurons of all blocks, and their S. */
static PetscErrorCode ExtractNetwork(PsdAdmm admm, Extracted *part)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  *part = (Extracted){0};
  PetscCall(PsdEventBegin(PSD_EVENT_DECOMPOSE));
  admm->extracted.neurons.N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < blocks->local; k++) {
      const PetscInt pair = blocks->first + k;
      const PsdShape own = PsdBlocksOwn(blocks, k);
      const PetscReal sign = s == 0 ? 1 : -1;
      PetscInt columns;
      const PetscReal *F;
      PetscCall(PsdConeGetFactor(admm->cone, s, k, &columns, &F));
      part->rank += (PetscReal)columns;
      if (own.vector) {
        if (columns > 0)
          PsdDecomposeVector(own.f, F, sign, pair % blocks->G, pair / blocks->G, &admm->extracted.neurons);
        continue;
      }
      PetscCall(PetscArraycpy(admm->extracted.factor, F, (size_t)columns * own.d));
      PsdDecompose(own.d, columns, admm->extracted.factor, sign, pair % blocks->G, pair / blocks->G,
                   &admm->extracted.neurons);
    }
  }
  part->neurons = (PetscReal)admm->extracted.neurons.N;
  PetscCall(PsdNeuronsAssemble(&admm->extracted.neurons, blocks, admm->extracted.S, &part->weight));
  PetscCall(PsdEventEnd(PSD_EVENT_DECOMPOSE));
  PetscFunctionReturn(0);
}

/* Extracts the network at hand, and begins its objective. */
static PetscErrorCode BeginNetwork(PsdAdmm admm, PsdIterate *iterate, Extracted *found, PsdTally *tally)
{
  PetscFunctionBeginUser;
  PetscCall(ExtractNetwork(admm, found));
  if (PsdConsensusUsesSamples(admm->consensus)) {
    PetscCall(PsdNeuronsGetFactors(&admm->extracted.neurons, admm->blocks, &admm->extracted.local_factors));
    PetscCall(PsdFactorsGather(admm->blocks->comm, &admm->extracted.local_factors, &admm->extracted.factors));
    iterate->factors = &admm->extracted.factors;
  }
  PetscCall(PsdBoundsPrimalBegin(admm->bounds, iterate, PETSC_FALSE, tally));
  PetscCall(PsdTallySum(tally, &found->weight));
  PetscCall(PsdTallySum(tally, &found->rank));
  PetscCall(PsdTallySum(tally, &found->neurons));
  PetscFunctionReturn(0);
}

/* It is kept when it is the best so far. */
static PetscErrorCode EndNetwork(PsdAdmm admm, PsdIterate *iterate, const Extracted *found)
{
  PetscFunctionBeginUser;
  PsdSolverStatus *status = &admm->solver->status;
  const PetscInt neurons = (PetscInt)found->neurons;
  status->rank_Z = (PetscInt)found->rank;
  iterate->weight = found->weight;
  PsdBoundsPrimalEnd(admm->bounds, iterate);
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

/* Where the solver stands; the network is not there yet. */
static PetscErrorCode Describe(PsdAdmm admm, PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  *iterate = (PsdIterate){.S = admm->iterate.S,
                          .Sh = admm->iterate.Sh,
                          .U = {admm->iterate.U[0], admm->iterate.U[1]},
                          .rho = admm->penalty.rho,
                          .network = admm->extracted.S};
  if (!admm->split) PetscFunctionReturn(0);
  PetscCall(PsdSplittingDualPoint(admm->split));
  iterate->nu_prox = admm->split->nu_prox;
  iterate->M_prox = admm->split->M_prox;
  iterate->nu_step = admm->split->nu_step;
  PetscFunctionReturn(0);
}

/* All ranks' sums and maxima come of one reduction; a loss that is split has more of them for its candidates. */
PetscErrorCode PsdAdmmCheck(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdSolverStatus *status = &admm->solver->status;
  const PsdResidualSums *sums = &admm->iterate.all;
  PsdTally tally = {0};
  PsdIterate iterate;
  Extracted found;
  PetscCall(Describe(admm, &iterate));
  PetscCall(PsdAdmmSum(admm, &tally));
  if (!admm->best.fixed) PetscCall(BeginNetwork(admm, &iterate, &found, &tally));
  PetscCall(PsdBoundsDualBegin(admm->bounds, &iterate, PSD_CANDIDATES_SOLVER, &tally));
  PetscCall(PsdTallyReduce(admm->blocks->comm, &tally));
  status->primal_residual = PetscSqrtReal(sums->primal);
  status->dual_residual = admm->penalty.rho * PetscSqrtReal(sums->change);
  if (!admm->best.fixed) PetscCall(EndNetwork(admm, &iterate, &found));
  PetscCall(PsdBoundsDualEnd(admm->bounds, &iterate, PSD_CANDIDATES_SOLVER));
  admm->penalty.parts = SplitGap(admm, sums->T4);
  status->bound = admm->bounds->best;
  status->gap = (status->objective - status->bound) / PetscAbsReal(status->objective);
  status->rho = admm->penalty.rho;
  PetscFunctionReturn(0);
}
