/*
   Sums over samples for the certificate, with bounds of their errors.
*/
#include "sample_sums.h"
#include "base/base.h"
#include "base/explained.h"

PetscReal PsdDomainRoundings(PsdProblem problem)
{
  return (problem->loss.ops->splits ? 8 + 8 * (PetscReal)problem->blocks->C : 0) + (problem->weights ? 1 : 0);
}

/* delta[t]: how far a sample's predictions may be from the network's */
static void PredictionErrors(PsdBlocks blocks, const PsdMatrixBounds *bounds, const PsdSampleFeatures *sample,
                             PetscReal delta[])
{
  const PetscInt C = blocks->C, G = blocks->G;
  for (PetscInt t = 0; t < C; t++) {
    const PetscReal *norm = bounds->S_norm + (size_t)t * G, *error = bounds->S_error + (size_t)t * G;
    delta[t] = 0;
    for (PetscInt g = 0; g < G; g++)
      delta[t] +=
          (sample->error[g] + bounds->forward * sample->norm[g]) * (norm[g] + error[g]) + sample->norm[g] * error[g];
  }
}

void PsdPredictionSumsAdd(PsdPredictionSums *sums, PsdProblem problem, const PsdMatrixBounds *bounds,
                          const PetscReal yhat[], const PetscReal y[], const PsdSampleFeatures *sample,
                          PetscReal delta[])
{
  const PetscInt C = problem->blocks->C, G = problem->blocks->G;
  const PsdLoss *loss = &problem->loss;
  PetscInt best = 0;
  PsdPairSumAdd(&sums->loss, sample->weight * (*loss->ops->value)(loss, 1, C, yhat, y));
  PredictionErrors(problem->blocks, bounds, sample, delta);
  sums->change += sample->weight * (*loss->ops->change)(loss, C, yhat, y, delta);
  for (PetscInt t = 1; t < C; t++)
    if (yhat[t] > yhat[best]) best = t;
  if (C == 1 ? (yhat[0] > 0) == (y[0] > 0) : y[best] > 0) sums->correct += 1;
  for (PetscInt t = 0; t < C; t++) sums->residual += (yhat[t] - y[t]) * (yhat[t] - y[t]);
  for (PetscInt g = 0; g < G; g++) {
    sums->features += sample->norm[g] * sample->norm[g];
    sums->errors += sample->error[g] * sample->error[g];
  }
}

/* The loss is a sum of values that are not negative, each with its own roundings, over samples and ranks. */
PetscErrorCode PsdPredictionSumsFinish(PsdPredictionSums *sums, PsdProblem problem, PsdPrimalPoint *primal)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscReal all[] = {sums->loss.high, sums->change, sums->correct, sums->features, sums->errors, sums->residual};
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 6, MPIU_REAL, MPI_SUM, problem->comm));
  const PetscReal loss = all[0], change = all[1], correct = all[2], features = all[3], errors = all[4];
  const PetscReal roundings = problem->loss.ops->value_roundings + (PetscReal)problem->blocks->C + 3 +
                              (PetscReal)ranks + (problem->weights ? 1 : 0);
  primal->loss = loss;
  primal->rounding =
      change + PsdRoundings(roundings) * loss + PetscMax((PetscReal)problem->n, problem->weight_sum) * PSD_TINY;
  primal->accuracy = problem->outputs > 0 ? PsdExplained(all[5], problem->deviation) : correct / (PetscReal)problem->n;
  primal->feature_error = errors > 0 ? PetscSqrtReal(errors / PetscMax(features, PSD_TINY)) : 0;
  PetscFunctionReturn(0);
}

void PsdPointSumsAdd(PsdPointSums *sums, PetscInt C, PetscReal weight, const PetscReal nu[], const PetscReal y[])
{
  for (PetscInt t = 0; t < C; t++) {
    PsdPairSumAdd(&sums->linear, weight * (nu[t] * y[t]));
    PsdPairSumAdd(&sums->quadratic, weight * (nu[t] * nu[t]));
    sums->size += weight * PetscAbsReal(nu[t]);
  }
}

/* <W nu,Y> and <W nu,nu>, with the product of the latter, the one with a weight, the end of a sum in twice the precision, and
   ranks. */
PetscErrorCode PsdPointSumsFinish(PsdPointSums *sums, PsdProblem problem, PsdDualPoint *point)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscReal all[] = {sums->linear.high, sums->quadratic.high, sums->size};
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 3, MPIU_REAL, MPI_SUM, problem->comm));
  point->linear = all[0];
  point->quadratic = all[1];
  const PetscReal weighing = problem->weights ? 2 : 0; /* of the sum, and of the size that it is measured by */
  point->linear_error = PsdRoundings(2 + (PetscReal)ranks + weighing) * all[2];
  point->quadratic_error = PsdRoundings(3 + (PetscReal)ranks + weighing) * all[1] + PSD_TINY;
  PetscFunctionReturn(0);
}
