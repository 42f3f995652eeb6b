/*
   The step of v and lambda, sample by sample, between the two products of one pass (docs/mathematics.md, section 2).

   What S is fitted to, the pull, is A'(v - lambda) with an A'A that may be another one, G, as in single precision: the
   pass makes A'(v - lambda - A S), and G S = pull_last - shift (S - Sh) by the equation of the consensus step, so that

     pull = A'(v - lambda - A S) + G S

   and S stays where it solves the program, whatever G is.

   A'lambda is wanted by itself, for the dual point -sigma lambda and when sigma changes, and comes for nothing. With
   q = relaxed A S + lambda = v + lambda (the new ones),

     A'q = alpha G S + (1 - alpha) A'v_last + A'lambda_last,

   so that A'v and A'lambda are half the sum and half the difference of A'q and the pull. An error in the last ones
   comes back multiplied by at most (1 + |1 - alpha|)/2 < 1, and (G - A'A) S, once S stays, is in A'v alone.

   Where samples have weights W, A' stands for A'W throughout: products.c has them, and sums of squares. A sample of weight w
   is w samples of one v and one lambda, as an image and its mirror image are.

   Softmax does not see what is added to all scores of a sample. With v = A S that part of S would be held back by its own last
   value, through sigma, and creep. So what is split is v = (A S less its mean over the classes), and the mean of S is that of Sh.
*/
#include "split.h"
#include "base/base.h"

PetscErrorCode PsdSplittingCreate(PsdProblem problem, PetscReal sigma, PsdSplitting **split)
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)problem->representatives.n_local * problem->blocks->C;
  /* s nu0 is feasible; sigma times lambda has to come down to the size of beta, where it begins above it */
  const PetscReal s = problem->beta < problem->beta_max ? problem->beta / problem->beta_max : 1;
  PsdSplitting *it;
  PetscCall(PetscNew(&it));
  it->problem = problem;
  it->sigma = sigma;
  PetscCall(PetscCalloc4(length, &it->v, length, &it->lambda, length, &it->nu_step, length, &it->nu_prox));
  PetscCall(VecDuplicate(problem->h, &it->pull));
  PetscCall(VecDuplicate(problem->h, &it->A_v));
  PetscCall(VecDuplicate(problem->h, &it->A_lambda));
  PetscCall(VecDuplicate(problem->h, &it->M_prox));
  PetscCall(VecDuplicate(problem->h, &it->change));
  for (size_t k = 0; k < length; k++) it->lambda[k] = -s * problem->nu0[k] / sigma;
  PetscCall(VecSet(it->A_v, 0));
  PetscCall(VecCopy(problem->h, it->A_lambda));
  PetscCall(VecScale(it->A_lambda, -s / sigma));
  PetscCall(VecWAXPY(it->pull, -1, it->A_lambda, it->A_v));
  if (PsdLossIgnoresMean(&problem->loss, problem->blocks->C)) PetscCall(PetscMalloc1(problem->blocks->D, &it->mean));
  *split = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingDestroy(PsdSplitting **split)
{
  PetscFunctionBeginUser;
  if (!*split) PetscFunctionReturn(0);
  PetscCall(PetscFree4((*split)->v, (*split)->lambda, (*split)->nu_step, (*split)->nu_prox));
  PetscCall(PetscFree((*split)->mean));
  PetscCall(VecDestroy(&(*split)->pull));
  PetscCall(VecDestroy(&(*split)->A_v));
  PetscCall(VecDestroy(&(*split)->A_lambda));
  PetscCall(VecDestroy(&(*split)->M_prox));
  PetscCall(VecDestroy(&(*split)->change));
  PetscCall(PetscFree(*split));
  PetscFunctionReturn(0);
}

/* S <- S + mean over the classes of (Sh - S) */
PetscErrorCode PsdSplittingFreeMean(PsdSplitting *it, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  if (!it->mean) PetscFunctionReturn(0);
  const PsdBlocks blocks = it->problem->blocks;
  const PetscReal *pull;
  PetscReal *local;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(blocks->D, &length));
  PetscCall(PetscArrayzero(it->mean, blocks->D));
  PetscCall(VecGetArrayRead(Sh, &pull));
  PetscCall(VecGetArray(S, &local));
  for (PetscInt k = 0; k < blocks->local; k++) {
    const PsdShape own = PsdBlocksOwn(blocks, k);
    PetscReal *mean = it->mean + blocks->region[(blocks->first + k) % blocks->G].at;
    for (PetscInt j = 0; j < own.m; j++) mean[j] += (pull[own.at + j] - local[own.at + j]) / (PetscReal)blocks->C;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, it->mean, length, MPIU_REAL, MPI_SUM, blocks->comm));
  for (PetscInt k = 0; k < blocks->local; k++) {
    const PsdShape own = PsdBlocksOwn(blocks, k);
    const PetscReal *mean = it->mean + blocks->region[(blocks->first + k) % blocks->G].at;
    for (PetscInt j = 0; j < own.m; j++) local[own.at + j] += mean[j];
  }
  PetscCall(VecRestoreArray(S, &local));
  PetscCall(VecRestoreArrayRead(Sh, &pull));
  PetscFunctionReturn(0);
}

/* Scores become what v is to be: themselves, or less their mean over the classes. */
static void Centre(const PsdSplitting *it, PetscInt rows, PetscReal yhat[])
{
  const PetscInt C = it->problem->blocks->C;
  if (!it->mean) return;
  for (PetscInt i = 0; i < rows; i++, yhat += C) {
    PetscReal mean = 0;
    for (PetscInt t = 0; t < C; t++) mean += yhat[t] / (PetscReal)C;
    for (PetscInt t = 0; t < C; t++) yhat[t] -= mean;
  }
}

static PetscErrorCode StepRows(void *context, PetscInt first, PetscInt rows, PetscReal yhat[], PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  PsdSplitting *it = context;
  const PsdLoss *loss = &it->problem->loss;
  const PetscInt C = it->problem->blocks->C;
  const size_t at = (size_t)first * C, length = (size_t)rows * C;
  const PetscReal alpha = it->relaxation, sigma = it->sigma;
  PetscReal *v = it->v + at, *lambda = it->lambda + at, *nu = it->nu_step + at, *target = it->nu_prox + at;
  const PetscReal *weights = PsdWeightsFrom(it->problem->representatives.weights, first);
  Centre(it, rows, yhat);
  for (size_t k = 0; k < length; k++) {
    nu[k] = sigma * (v[k] - lambda[k] - yhat[k]);
    target[k] = alpha * yhat[k] + (1 - alpha) * v[k] + lambda[k];
  }
  (*loss->ops->prox)(loss, rows, C, sigma, target, it->problem->representatives.Y + at, v);
  for (size_t k = 0; k < length; k++) {
    lambda[k] = target[k] - v[k];
    coefficients[k] = v[k] - lambda[k] - yhat[k];
  }
  it->sums.fit += PsdWeightedSquare(rows, C, weights, yhat);
  it->sums.v += PsdWeightedSquare(rows, C, weights, v);
  it->sums.lambda += PsdWeightedSquare(rows, C, weights, lambda);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingStep(PsdSplitting *it, Vec S, Vec Sh, PetscReal shift, PetscReal relaxation)
{
  PetscFunctionBeginUser;
  it->relaxation = relaxation;
  /* G S, in the place of the pull, and A'q, in that of A'lambda */
  PetscCall(VecAXPBYPCZ(it->pull, -shift, shift, 1, S, Sh));
  PetscCall(VecAXPBYPCZ(it->A_lambda, relaxation, 1 - relaxation, 1, it->pull, it->A_v));
  it->sums = (PsdSplittingSums){0};
  PetscCall(PsdProductsPass(it->problem->products, S, it->change, StepRows, it));
  PetscCall(VecAXPY(it->pull, 1, it->change));
  PetscCall(VecWAXPY(it->A_v, 1, it->A_lambda, it->pull));
  PetscCall(VecScale(it->A_v, 0.5));
  PetscCall(VecAXPBY(it->A_lambda, -0.5, 0.5, it->pull));
  PetscFunctionReturn(0);
}

static PetscErrorCode RestartRows(void *context, PetscInt first, PetscInt rows, PetscReal yhat[],
                                  PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  PsdSplitting *it = context;
  const PsdLoss *loss = &it->problem->loss;
  const PetscInt C = it->problem->blocks->C;
  const size_t at = (size_t)first * C, length = (size_t)rows * C;
  PetscReal *v = it->v + at, *lambda = it->lambda + at;
  Centre(it, rows, yhat);
  PetscCall(PetscArraycpy(v, yhat, length));
  (*loss->ops->dual_point)(loss, rows, C, v, it->problem->representatives.Y + at, lambda);
  for (size_t k = 0; k < length; k++) coefficients[k] = lambda[k] = -lambda[k] / it->sigma;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingRestart(PsdSplitting *it, Vec S)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProductsPass(it->problem->products, S, it->A_lambda, RestartRows, it));
  PetscCall(PsdProductsAdjoint(it->problem->products, it->v, it->A_v));
  PetscCall(VecWAXPY(it->pull, -1, it->A_lambda, it->A_v));
  PetscFunctionReturn(0);
}

/* change <- (G - A'A) S, which the pull is above A'(v - lambda): in double precision next to nothing. */
static PetscErrorCode FindSurplus(PsdSplitting *it)
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)it->problem->representatives.n_local * it->problem->blocks->C;
  PetscCall(VecSet(it->change, 0));
  if (!it->problem->single) PetscFunctionReturn(0);
  for (size_t k = 0; k < length; k++) it->nu_prox[k] = it->v[k] - it->lambda[k];
  PetscCall(PsdProductsAdjoint(it->problem->products, it->nu_prox, it->change));
  PetscCall(VecAYPX(it->change, -1, it->pull));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingPlace(PsdSplitting *it, const PetscReal q[])
{
  PetscFunctionBeginUser;
  const PsdLoss *loss = &it->problem->loss;
  const PsdRepresentatives *samples = &it->problem->representatives;
  const PetscInt C = it->problem->blocks->C;
  PetscCall(FindSurplus(it)); /* S is at the end of its way whatever q is, or a place would be a step back */
  (*loss->ops->prox)(loss, samples->n_local, C, it->sigma, q, samples->Y, it->v);
  for (size_t k = 0; k < (size_t)samples->n_local * C; k++) it->lambda[k] = q[k] - it->v[k];
  PetscCall(PsdProductsAdjoint(it->problem->products, it->v, it->A_v));
  PetscCall(VecAXPY(it->A_v, 1, it->change));
  PetscCall(PsdProductsAdjoint(it->problem->products, it->lambda, it->A_lambda));
  PetscCall(VecWAXPY(it->pull, -1, it->A_lambda, it->A_v));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingSetPenalty(PsdSplitting *it, PetscReal sigma)
{
  PetscFunctionBeginUser;
  const PetscReal factor = it->sigma / sigma;
  const size_t length = (size_t)it->problem->representatives.n_local * it->problem->blocks->C;
  for (size_t k = 0; k < length; k++) it->lambda[k] *= factor;
  it->sigma = sigma;
  PetscCall(VecScale(it->A_lambda, factor));
  PetscCall(VecWAXPY(it->pull, -1, it->A_lambda, it->A_v));
  PetscFunctionReturn(0);
}

void PsdSplittingSizes(const PsdSplitting *it, PetscReal *multipliers, PetscReal *variables)
{
  *multipliers = it->sigma * PetscSqrtReal(it->all.lambda);
  *variables = PetscSqrtReal(PetscMax(it->all.fit, it->all.v));
}

PetscErrorCode PsdSplittingDualPoint(PsdSplitting *it)
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)it->problem->representatives.n_local * it->problem->blocks->C;
  for (size_t k = 0; k < length; k++) it->nu_prox[k] = -it->sigma * it->lambda[k];
  PetscCall(VecCopy(it->A_lambda, it->M_prox));
  PetscCall(VecScale(it->M_prox, -it->sigma));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSplittingVisit(PsdSplitting *it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitReal(v, "sigma", PSD_POSITIVE, &it->sigma));
  PetscCall(PsdVisitSum(v, "sum_fit", PSD_STATE_NONNEGATIVE, &it->sums.fit));
  PetscCall(PsdVisitSum(v, "sum_v", PSD_STATE_NONNEGATIVE, &it->sums.v));
  PetscCall(PsdVisitSum(v, "sum_lambda", PSD_STATE_NONNEGATIVE, &it->sums.lambda));
  PetscCall(PsdVisitSamples(v, "/samples/v", it->v));
  PetscCall(PsdVisitSamples(v, "/samples/lambda", it->lambda));
  PetscCall(PsdVisitSamples(v, "/samples/nu_step", it->nu_step));
  PetscCall(PsdVisitPairs(v, "/pairs/pull", it->pull));
  PetscCall(PsdVisitPairs(v, "/pairs/A_v", it->A_v));
  PetscCall(PsdVisitPairs(v, "/pairs/A_lambda", it->A_lambda));
  PetscFunctionReturn(0);
}
