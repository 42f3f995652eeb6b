/*
   Targets, signs of classes or real ones, and what follows of them alone: L(0), the objective of the network without
   neurons, and nu0 = -L'(0), whose A'nu0 = h is the gradient there; and random signs, which are to nu0 what targets
   would be that have nothing to do with the images (beta.c), of real targets times the size of each output.
*/
#include "targets.h"
#include "base/explained.h"

/* The objective of the user's is a number of the files, which go up to 1e100 (base/visitor.h). */
#define LARGEST_LOSS 1e100

static PetscReal Sign(PetscInt C, PetscInt class, PetscInt t)
{
  return class == (C == 1 ? 1 : t) ? 1 : -1;
}

/* The targets of a data set's image i: one column of -1 (class 0) and +1 (class 1) for two classes, else +1 in the
   column of the class and -1 elsewhere; or its real targets, in the problem's units. */
static void TargetsOf(PsdProblem problem, const PetscInt classes[], const PetscReal targets[], PetscInt i,
                      PetscReal y[])
{
  const PetscInt C = problem->blocks->C;
  for (PetscInt t = 0; t < C; t++)
    y[t] = problem->outputs > 0 ? PsdToUnits(problem->units, PSD_UNIT_TARGET, targets[(size_t)i * C + t])
                                : Sign(C, classes[i], t);
}

/* The largest target, and the smallest that is not 0, of all samples. */
static PetscErrorCode FindRange(PsdProblem problem, PetscReal *largest, PetscReal *smallest)
{
  PetscFunctionBeginUser;
  const PetscReal *targets;
  PetscInt n_local;
  PetscReal most[2] = {0, -PETSC_MAX_REAL};
  PetscCall(PsdDataGetTargets(problem->data, NULL, &targets));
  PetscCall(PsdDataGetSizes(problem->data, NULL, &n_local, NULL));
  for (size_t k = 0; k < (size_t)n_local * (size_t)problem->outputs; k++) {
    const PetscReal size = PetscAbsReal(targets[k]);
    most[0] = PetscMax(most[0], size);
    if (size > 0) most[1] = PetscMax(most[1], -size);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_REAL, MPI_MAX, problem->comm));
  *largest = most[0];
  *smallest = -most[1];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTargetsFindUnits(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscReal largest, smallest;
  const PsdLossOps *ops = problem->loss.ops;
  if (problem->outputs == 0) PetscFunctionReturn(0);
  PsdCheckInput(ops->degree > 0, "-loss %s: is of classes, expected squared, huber or l1 for images with real targets",
                ops->name);
  PetscCall(FindRange(problem, &largest, &smallest));
  PsdCheckInput(largest > 0, "all targets are 0, which the network without neurons says: nothing is to be trained");
  PsdUnitsFindTargets(largest, ops->degree, &problem->units);
  const PetscReal most = PsdFromUnits(problem->units, PSD_UNIT_OBJECTIVE, 1) * (PetscReal)problem->n * problem->outputs;
  PsdCheckInput(most <= LARGEST_LOSS && most >= 1 / LARGEST_LOSS,
                "targets of up to %g make a loss of up to about %g, expected %g to %g: give targets in other units",
                (double)largest, (double)most, 1 / LARGEST_LOSS, LARGEST_LOSS);
  PsdCheckInput(PsdIsRepresentable(PsdToUnits(problem->units, PSD_UNIT_TARGET, smallest)),
                "targets of %g to %g are too far apart for double precision", (double)smallest, (double)largest);
  PetscFunctionReturn(0);
}

/* Of real targets, the sum of squares about the mean of each output. */
static PetscErrorCode FindDeviation(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscInt C = problem->blocks->C;
  PetscReal *deviations;
  PetscCall(PetscMalloc1(C, &deviations));
  PetscCall(PsdDeviations(problem->comm, problem->n, problem->n_local, C, problem->Y, deviations));
  problem->deviation = 0;
  for (PetscInt t = 0; t < C; t++) problem->deviation += (PetscReal)problem->n * deviations[t];
  PetscCall(PetscFree(deviations));
  PetscFunctionReturn(0);
}

/* Weights that are all 1 are none. */
static PetscErrorCode SetWeights(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscReal *weights;
  PetscReal sum = 0, most[2] = {0, -PETSC_MAX_REAL};
  PetscCall(PsdDataGetWeights(problem->data, &weights));
  for (PetscInt i = 0; i < problem->n_local; i++) {
    const PetscReal weight = PsdWeightOf(weights, i);
    sum += weight;
    most[0] = PetscMax(most[0], weight);
    most[1] = PetscMax(most[1], -weight);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_REAL, MPI_MAX, problem->comm));
  const PetscBool plain = (PetscBool)(most[0] == 1 && most[1] == -1);
  problem->weights = plain ? NULL : weights;
  problem->weight_sum = plain ? (PetscReal)problem->n : sum;
  problem->weight_most = most[0];
  PetscFunctionReturn(0);
}

static PetscErrorCode SetTargets(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscInt C = problem->blocks->C;
  const PetscInt *classes;
  const PetscReal *targets;
  PetscCall(PsdDataGetShard(problem->data, NULL, &classes, NULL));
  PetscCall(PsdDataGetTargets(problem->data, NULL, &targets));
  PetscCall(PetscMalloc1((size_t)problem->n_local * C, &problem->Y));
  for (PetscInt i = 0; i < problem->n_local; i++) TargetsOf(problem, classes, targets, i, problem->Y + (size_t)i * C);
  problem->YY = problem->weight_sum * (PetscReal)C;
  if (problem->outputs == 0) PetscFunctionReturn(0);
  problem->YY = PsdWeightedSquare(problem->n_local, C, problem->weights, problem->Y);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &problem->YY, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCall(FindDeviation(problem));
  PetscFunctionReturn(0);
}

/* Of images and mirror images that will be folded the images, and their targets. */
static PetscErrorCode SetRepresentatives(PsdProblem problem, PetscBool folded)
{
  PetscFunctionBeginUser;
  PsdRepresentatives *it = &problem->representatives;
  const PetscInt C = problem->blocks->C;
  *it = (PsdRepresentatives){problem->n_local, 1, problem->Y, problem->weights};
  if (!folded || !problem->loss.ops->splits) PetscFunctionReturn(0);
  PetscCall(PsdDataGetCopies(problem->data, &it->copies));
  it->n_local /= it->copies;
  PetscCall(PetscMalloc1((size_t)it->n_local * C, &it->Y));
  for (PetscInt i = 0; i < it->n_local; i++)
    PetscCall(PetscArraycpy(it->Y + (size_t)i * C, problem->Y + (size_t)i * it->copies * C, C));
  if (!problem->weights) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(it->n_local, &problem->own_weights));
  for (PetscInt i = 0; i < it->n_local; i++) problem->own_weights[i] = problem->weights[(size_t)i * it->copies];
  it->weights = problem->own_weights;
  PetscFunctionReturn(0);
}

/* Without scores all images with signs lose alike, so that their L(0) needs no sum over ranks. */
static PetscErrorCode SetLossAtZero(PsdProblem problem, const PetscReal zero[])
{
  PetscFunctionBeginUser;
  const PsdLoss *loss = &problem->loss;
  const PetscInt C = problem->blocks->C;
  PetscReal *y;
  PetscCall(PetscMalloc1(C, &y));
  for (PetscInt t = 0; t < C; t++) y[t] = Sign(C, 0, t);
  problem->loss_at_zero = problem->weight_sum * (*loss->ops->value)(loss, 1, C, zero, y);
  PetscCall(PetscFree(y));
  if (problem->outputs == 0) PetscFunctionReturn(0);
  problem->loss_at_zero = PsdWeightedValue(loss, problem->n_local, C, problem->weights, zero, problem->Y);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &problem->loss_at_zero, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscFunctionReturn(0);
}

/* L(0) and -L'(0). */
static PetscErrorCode SetStart(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdLoss *loss = &problem->loss;
  const PetscInt C = problem->blocks->C;
  PetscReal *zero;
  PetscCall(PetscCalloc1((size_t)PetscMax(1, problem->n_local) * C, &zero));
  PetscCall(SetLossAtZero(problem, zero));
  problem->nu0 = problem->Y;
  if (loss->ops->splits) {
    PetscCall(PetscMalloc1((size_t)problem->representatives.n_local * C, &problem->nu0));
    (*loss->ops->dual_point)(loss, problem->representatives.n_local, C, zero, problem->representatives.Y, problem->nu0);
  }
  PetscCall(PetscFree(zero));
  PetscFunctionReturn(0);
}

/* The size of random targets of each output: 1, or the root of the mean square of what they stand in the place of, a mean
   over weights. */
static PetscErrorCode SizesOfChance(PsdProblem problem, PetscReal sizes[])
{
  PetscFunctionBeginUser;
  const PetscInt C = problem->blocks->C, copies = problem->representatives.copies;
  for (PetscInt t = 0; t < C; t++) sizes[t] = problem->outputs > 0 ? 0 : 1;
  if (problem->outputs == 0) PetscFunctionReturn(0);
  for (size_t k = 0; k < (size_t)problem->representatives.n_local * (size_t)C; k++)
    sizes[k % (size_t)C] += (PetscReal)copies *
                            PsdWeightOf(problem->representatives.weights, (PetscInt)(k / (size_t)C)) * problem->nu0[k] *
                            problem->nu0[k];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sizes, (PetscMPIInt)C, MPIU_REAL, MPI_SUM, problem->comm));
  for (PetscInt t = 0; t < C; t++) sizes[t] = PetscSqrtReal(sizes[t] / problem->weight_sum);
  PetscFunctionReturn(0);
}

/* A bit that looks random, of image i and column t: the finaliser of the generator SplitMix64. */
static PetscReal RandomSign(PetscInt64 i, PetscInt t)
{
  uint64_t z = ((uint64_t)i << 20 | (uint64_t)t) * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z >> 63 ? 1 : -1; /* z ^ z >> 31 has the same first bit */
}

/* The same on any number of ranks, and for an image and its mirror image. */
static PetscErrorCode DrawSigns(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscInt C = problem->blocks->C, each = problem->representatives.copies;
  PetscInt first, copies;
  PetscReal *sizes;
  PetscCall(PetscMalloc1(C, &sizes));
  PetscCall(SizesOfChance(problem, sizes));
  PetscCall(PsdDataGetSizes(problem->data, NULL, NULL, &first));
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PetscCall(PetscMalloc1((size_t)problem->representatives.n_local * C, &problem->signs));
  for (PetscInt i = 0; i < problem->representatives.n_local; i++)
    for (PetscInt t = 0; t < C; t++)
      problem->signs[(size_t)i * C + t] = sizes[t] * RandomSign((first + i * each) / copies, t);
  PetscCall(PetscFree(sizes));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTargetsSetUp(PsdProblem problem, PetscBool folded)
{
  PetscFunctionBeginUser;
  PetscCall(SetWeights(problem));
  PetscCall(SetTargets(problem));
  PetscCall(SetRepresentatives(problem, folded));
  PetscCall(SetStart(problem));
  PetscCall(DrawSigns(problem));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemScoresLoss(PsdProblem problem, PsdData data, const PetscReal scores[], PetscReal *mean)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  const PetscInt C = problem->blocks->C;
  const PetscInt *classes;
  const PetscReal *targets;
  PetscInt n_local;
  const PetscReal *weights;
  PetscReal sums[2] = {0, 0}, *y, *yhat; /* of losses and of weights */
  PetscCall(PsdDataGetWeights(data, &weights));
  PetscCall(PsdDataGetSizes(data, NULL, &n_local, NULL));
  PetscCall(PsdDataGetShard(data, NULL, &classes, NULL));
  PetscCall(PsdDataGetTargets(data, NULL, &targets));
  PetscCall(PetscMalloc2(C, &y, C, &yhat));
  for (PetscInt i = 0; i < n_local; i++) {
    TargetsOf(problem, classes, targets, i, y);
    for (PetscInt t = 0; t < C; t++) yhat[t] = PsdToUnits(problem->units, PSD_UNIT_TARGET, scores[(size_t)i * C + t]);
    sums[0] += PsdWeightedValue(&problem->loss, 1, C, PsdWeightsFrom(weights, i), yhat, y);
    sums[1] += PsdWeightOf(weights, i);
  }
  PetscCall(PetscFree2(y, yhat));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPIU_REAL, MPI_SUM, problem->comm));
  *mean = PsdFromUnits(problem->units, PSD_UNIT_OBJECTIVE, sums[0]) / sums[1];
  PetscFunctionReturn(0);
}
