/*
   PsdProblem: options, targets, sizes.
*/
#include "problem.h"
#include "base/base.h"
#include "patches/patches.h"
#include "rows.h"
#include "symmetry.h"

PetscErrorCode PsdProblemCreate(PsdData data, PsdPatches patches, PsdProblem *problem)
{
  PetscFunctionBeginUser;
  PsdProblem it;
  PetscCall(PetscNew(&it));
  it->comm = patches->comm;
  it->data = data;
  it->patches = patches;
  it->loss = (PsdLoss){&PsdLossSquared, 1};
  it->activation[0] = 0.09;
  it->activation[1] = 0.5;
  it->activation[2] = 0.47;
  it->beta_noise = 0.01;
  it->memory = 1024;
  *problem = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetFromOptions(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscInt loss = 0, count = 3;
  PetscBool given, given_rel, given_noise;
  PetscCall(PsdOptionsHeading("Problem"));
  PetscCall(PsdOptionEnum("-loss", "loss function", PsdLossNames, &loss, NULL));
  problem->loss.ops = PsdLossTable[loss];
  PetscCall(PsdOptionReal("-huber_delta", "residual beyond which the Huber loss is linear", PSD_POSITIVE,
                          &problem->loss.huber_delta, &given));
  PsdCheckInput(!given || problem->loss.ops == &PsdLossHuber,
                "option -huber_delta: found with -loss %s, expected huber", problem->loss.ops->name);
  PetscCall(PsdOptionRealList("-activation", "a,b,c of the activation a u^2 + b u + c [0.09,0.5,0.47]",
                              problem->activation, &count, &given));
  PsdCheckInput(!given || count == 3, "option -activation: found %" PetscInt_FMT " numbers, expected 3: a,b,c", count);
  PetscCall(PsdOptionReal("-beta", "weight of the regularisation (absolute)", PSD_POSITIVE, &problem->beta, &given));
  PetscCall(PsdOptionReal("-beta_rel", "weight of the regularisation as a fraction of beta_max", PSD_POSITIVE,
                          &problem->beta_rel, &given_rel));
  PetscCall(PsdOptionReal("-beta_noise", "weight of the regularisation as a fraction of the beta_max of random targets",
                          PSD_POSITIVE, &problem->beta_noise, &given_noise));
  PsdCheckInput(given + given_rel + given_noise <= 1,
                "options -beta, -beta_rel and -beta_noise: found several, expected one of them");
  if (given || given_rel) problem->beta_noise = 0;
  PetscCall(PsdOptionReal("-memory", "MB a rank for lifted features; more are lifted again at each pass",
                          PSD_NONNEGATIVE, &problem->memory, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetMemory(PsdProblem problem, PetscReal megabytes)
{
  PetscFunctionBeginUser;
  problem->memory = megabytes;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetLoss(PsdProblem problem, const char name[], PetscReal huber_delta)
{
  PetscFunctionBeginUser;
  const PsdLossOps *ops = PsdLossFind(name);
  PsdCheckInput(ops, "loss '%s' is unknown: expected squared, logistic, softmax, hinge, huber or l1", name);
  problem->loss = (PsdLoss){ops, huber_delta};
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetActivation(PsdProblem problem, const PetscReal activation[3])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(problem->activation, activation, 3));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetBeta(PsdProblem problem, PetscReal beta)
{
  PetscFunctionBeginUser;
  problem->beta = beta;
  problem->beta_rel = problem->beta_noise = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetBetaNoise(PsdProblem problem, PetscReal fraction)
{
  PetscFunctionBeginUser;
  problem->beta_noise = fraction;
  problem->beta_rel = 0;
  PetscFunctionReturn(0);
}

static PetscReal Target(PetscInt C, PetscInt class, PetscInt t)
{
  return class == (C == 1 ? 1 : t) ? 1 : -1;
}

/* Targets: one column of -1 (class 0) and +1 (class 1) for two classes, else +1 in the column of the class and -1 elsewhere. */
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
  if (!folded || !PsdLossSplits(&problem->loss)) PetscFunctionReturn(0);
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
  if (PsdLossSplits(loss)) {
    PetscCall(PetscMalloc1((size_t)problem->representatives.n_local * C, &problem->nu0));
    (*loss->ops->dual_point)(loss, problem->representatives.n_local, C, zero, problem->representatives.Y, problem->nu0);
  }
  PetscCall(PetscFree2(zero, y));
  PetscFunctionReturn(0);
}

PetscReal PsdPathBeta(PetscReal beta_max, PetscReal last, PetscInt k, PetscInt count)
{
  if (k == count) return last;
  return beta_max * PetscPowReal(last / beta_max, (PetscReal)k / (PetscReal)count);
}

PetscErrorCode PsdProblemScoresLoss(PsdProblem problem, PsdData data, const PetscReal scores[], PetscReal *mean)
{
  PetscFunctionBeginUser;
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

PetscErrorCode PsdProblemIsSymmetric(PsdProblem problem, PetscBool *symmetric)
{
  PetscFunctionBeginUser;
  PetscInt copies;
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  *symmetric = (PetscBool)(copies == 2 && PsdPatchesAreSymmetric(problem->patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetUp(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscInt channels, height, width, classes, G;
  PetscBool symmetric = PETSC_FALSE;
  PetscCall(PsdDataGetSizes(problem->data, &problem->n, &problem->n_local, NULL));
  PetscCall(PsdDataGetImageSize(problem->data, &channels, &height, &width));
  PetscCall(PsdDataGetClasses(problem->data, &classes, NULL, NULL));
  PetscCall(PsdPatchesGetSizes(problem->patches, NULL, NULL, &G, NULL));
  PetscCall(PsdBlocksCreate(problem->comm, classes == 2 ? 1 : classes, G, PsdPatchesFinalDimension(problem->patches),
                            &problem->blocks));
  problem->order = problem->blocks->D;
  PetscCall(PsdProblemIsSymmetric(problem, &symmetric));
  if (symmetric) PsdPatchesSetMirrored(problem->patches);
  PetscCall(PsdBlocksCreateVec(problem->blocks, &problem->h));
  PetscCall(VecDuplicate(problem->h, &problem->h_random));
  PetscCall(SetTargets(problem));
  PetscCall(SetRepresentatives(problem, symmetric));
  PetscCall(SetStart(problem));
  PetscCall(PsdProblemDrawSigns(problem));
  PetscCall(PsdFeaturesCreate(problem->data, problem->patches, problem->activation,
                              (size_t)(problem->memory * 1024 * 1024), &problem->features));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemFold(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscBool symmetric = PETSC_FALSE;
  PetscCall(PsdProblemIsSymmetric(problem, &symmetric));
  if (!symmetric || problem->symmetry) PetscFunctionReturn(0);
  PetscCall(PsdFeaturesGatherStatistics(problem->features));
  PetscCall(PsdSymmetryCreate(problem->patches, problem->blocks, &problem->symmetry));
  problem->order = problem->symmetry->order;
  PetscCall(PetscInfo(NULL, "mirror images: A'A of order %" PetscInt_FMT " instead of D = %" PetscInt_FMT "\n",
                      problem->order, problem->blocks->D));
  PetscFunctionReturn(0);
}

/* Folded features, for A'A and, of a loss that is split, for every iteration, beside those of the certificate. What is passed over
   once is not kept. */
PetscErrorCode PsdProblemLift(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProblemFold(problem));
  if (problem->symmetry && !problem->folded) {
    const PetscReal megabytes = PsdLossSplits(&problem->loss) ? problem->memory : 0;
    PetscCall(PsdFeaturesCreate(problem->data, problem->patches, problem->activation, (size_t)(megabytes * 1024 * 1024),
                                &problem->folded));
    PetscCall(PsdFeaturesSetSymmetry(problem->features, problem->symmetry, PETSC_FALSE));
    PetscCall(PsdFeaturesSetSymmetry(problem->folded, problem->symmetry, PETSC_TRUE));
    PetscCall(PsdFeaturesSetUp(problem->folded));
  }
  PetscCall(PsdFeaturesSetUp(problem->features));
  if (!problem->folded) problem->folded = problem->features;
  if (PsdLossSplits(&problem->loss) && !problem->products)
    PetscCall(PsdProductsCreate(problem->folded, problem->symmetry, problem->blocks, &problem->products));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemKeepPatches(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PsdFeaturesGatherStatistics(problem->features));
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(PsdRowsCreate(problem->data, problem->patches, problem->blocks, problem->activation, &problem->rows));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetSizes(PsdProblem problem, PetscInt *n, PetscInt *f, PetscInt *C, PetscInt *G, PetscInt *D)
{
  PetscFunctionBeginUser;
  if (n) *n = problem->n;
  if (f) *f = problem->blocks->f;
  if (C) *C = problem->blocks->C;
  if (G) *G = problem->blocks->G;
  if (D) *D = problem->blocks->D;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetOrder(PsdProblem problem, PetscInt *order)
{
  PetscFunctionBeginUser;
  *order = problem->order;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetBeta(PsdProblem problem, PetscReal *beta, PetscReal *beta_max)
{
  PetscFunctionBeginUser;
  if (beta) *beta = problem->beta;
  if (beta_max) *beta_max = problem->beta_max;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetBetaAsked(PsdProblem problem, PetscReal *beta)
{
  PetscFunctionBeginUser;
  *beta = problem->beta_asked;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetLoss(PsdProblem problem, const char *name[])
{
  PetscFunctionBeginUser;
  *name = problem->loss.ops->name;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetActivation(PsdProblem problem, PetscReal activation[3])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(activation, problem->activation, 3));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemDestroy(PsdProblem *problem)
{
  PetscFunctionBeginUser;
  if (!*problem) PetscFunctionReturn(0);
  if ((*problem)->folded != (*problem)->features) PetscCall(PsdFeaturesDestroy(&(*problem)->folded));
  PetscCall(PsdFeaturesDestroy(&(*problem)->features));
  PetscCall(PsdSymmetryDestroy(&(*problem)->symmetry));
  PetscCall(PsdRowsDestroy(&(*problem)->rows));
  PetscCall(PsdPolarDestroy(&(*problem)->polar));
  PetscCall(VecDestroy(&(*problem)->h));
  PetscCall(VecDestroy(&(*problem)->h_random));
  PetscCall(PetscFree((*problem)->signs));
  PetscCall(PsdProductsDestroy(&(*problem)->products));
  if ((*problem)->nu0 != (*problem)->Y) PetscCall(PetscFree((*problem)->nu0));
  if ((*problem)->representatives.Y != (*problem)->Y) PetscCall(PetscFree((*problem)->representatives.Y));
  PetscCall(PetscFree((*problem)->Y));
  PetscCall(PetscFree((*problem)->gram));
  PetscCall(PetscFree((*problem)->region_norm));
  PetscCall(PsdBlocksDestroy(&(*problem)->blocks));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(0);
}
