/*
   Targets, and what follows of them alone: L(0), the objective of the network without neurons, and nu0 = -L'(0),
   whose A'nu0 = h is the gradient there; and random signs, which are to nu0 what targets would be that have nothing
   to do with the images (beta.c).
*/
#include "targets.h"

static PetscReal Target(PetscInt C, PetscInt class, PetscInt t)
{
  return class == (C == 1 ? 1 : t) ? 1 : -1;
}

/* Targets: one column of -1 (class 0) and +1 (class 1) for two classes, else +1 in the column of the class and -1
   elsewhere. */
static PetscErrorCode SetTargets(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscInt C = problem->blocks->C;
  const PetscInt *classes;
  PetscCall(PsdDataGetShard(problem->data, NULL, &classes, NULL));
  PetscCall(PetscMalloc1((size_t)problem->n_local * C, &problem->Y));
  for (PetscInt i = 0; i < problem->n_local; i++)
    for (PetscInt t = 0; t < C; t++) problem->Y[(size_t)i * C + t] = Target(C, classes[i], t);
  problem->YY = (PetscReal)problem->n * (PetscReal)C;
  PetscFunctionReturn(0);
}

/* Of images and mirror images that will be folded the images, and their targets. */
static PetscErrorCode SetRepresentatives(PsdProblem problem, PetscBool folded)
{
  PetscFunctionBeginUser;
  PsdRepresentatives *it = &problem->representatives;
  const PetscInt C = problem->blocks->C;
  *it = (PsdRepresentatives){problem->n_local, 1, problem->Y};
  if (!folded || !problem->loss.ops->splits) PetscFunctionReturn(0);
  PetscCall(PsdDataGetCopies(problem->data, &it->copies));
  it->n_local /= it->copies;
  PetscCall(PetscMalloc1((size_t)it->n_local * C, &it->Y));
  for (PetscInt i = 0; i < it->n_local; i++)
    PetscCall(PetscArraycpy(it->Y + (size_t)i * C, problem->Y + (size_t)i * it->copies * C, C));
  PetscFunctionReturn(0);
}

/* L(0) and -L'(0). Without scores all images lose alike, so that L(0) needs no sum over ranks. */
static PetscErrorCode SetStart(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdLoss *loss = &problem->loss;
  const PetscInt C = problem->blocks->C;
  PetscReal *zero, *y;
  PetscCall(PetscCalloc2((size_t)PetscMax(1, problem->n_local) * C, &zero, C, &y));
  for (PetscInt t = 0; t < C; t++) y[t] = Target(C, 0, t);
  problem->loss_at_zero = (PetscReal)problem->n * (*loss->ops->value)(loss, 1, C, zero, y);
  problem->nu0 = problem->Y;
  if (loss->ops->splits) {
    PetscCall(PetscMalloc1((size_t)problem->representatives.n_local * C, &problem->nu0));
    (*loss->ops->dual_point)(loss, problem->representatives.n_local, C, zero, problem->representatives.Y, problem->nu0);
  }
  PetscCall(PetscFree2(zero, y));
  PetscFunctionReturn(0);
}

/* A bit that looks random, of image i and column t: the finaliser of the generator SplitMix64. */
static PetscReal Sign(PetscInt64 i, PetscInt t)
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
  PetscCall(PsdDataGetSizes(problem->data, NULL, NULL, &first));
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PetscCall(PetscMalloc1((size_t)problem->representatives.n_local * C, &problem->signs));
  for (PetscInt i = 0; i < problem->representatives.n_local; i++)
    for (PetscInt t = 0; t < C; t++) problem->signs[(size_t)i * C + t] = Sign((first + i * each) / copies, t);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTargetsSetUp(PsdProblem problem, PetscBool folded)
{
  PetscFunctionBeginUser;
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
  PetscInt n, n_local;
  PetscReal sum = 0, *y;
  PetscCall(PsdDataGetSizes(data, &n, &n_local, NULL));
  PetscCall(PsdDataGetShard(data, NULL, &classes, NULL));
  PetscCall(PetscMalloc1(C, &y));
  for (PetscInt i = 0; i < n_local; i++) {
    for (PetscInt t = 0; t < C; t++) y[t] = Target(C, classes[i], t);
    sum += (*problem->loss.ops->value)(&problem->loss, 1, C, scores + (size_t)i * C, y);
  }
  PetscCall(PetscFree(y));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, problem->comm));
  *mean = sum / (PetscReal)n;
  PetscFunctionReturn(0);
}
