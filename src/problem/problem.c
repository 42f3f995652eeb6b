/*
   PsdProblem: the object, what is set and asked of it, and the order in which it is made: sizes and blocks, targets,
   features.
*/
#include "problem.h"
#include <psdmaps.h>
#include "base/base.h"
#include "patches/lift.h"
#include "patches/mirror.h"
#include "samples.h"
#include "targets.h"

PetscErrorCode PsdProblemCreate(PsdData data, PsdPatches patches, PsdProblem *problem)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  PsdProblem it;
  PetscCall(PetscNew(&it));
  PetscCall(PsdPatchesGetComm(patches, &it->comm));
  it->data = data;
  it->patches = patches;
  it->loss = PsdLossMake(PsdLossTable[0], 0);
  it->request = (PsdProblemRequest){.activation = {0.09, 0.5, 0.47}, .beta_noise = 0.01};
  it->memory = 1024;
  *problem = it;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdProblemRequest *request = &problem->request;
  PetscInt count = 3;
  PetscBool given, given_rel, given_noise;
  PetscCall(PsdOptionsHeading("Problem"));
  PetscCall(PsdLossSetFromOptions(&problem->loss));
  PetscCall(PsdOptionRealList("-activation", "a,b,c of the activation a u^2 + b u + c [0.09,0.5,0.47]",
                              request->activation, &count, &given));
  PsdCheckInput(!given || count == 3, "option -activation: found %" PetscInt_FMT " numbers, expected 3: a,b,c", count);
  PetscCall(PsdOptionReal("-beta", "weight of the regularisation (absolute)", PSD_POSITIVE, &request->beta, &given));
  PetscCall(PsdOptionReal("-beta_rel", "weight of the regularisation as a fraction of beta_max", PSD_POSITIVE,
                          &request->beta_rel, &given_rel));
  PetscCall(PsdOptionReal("-beta_noise", "weight of the regularisation as a fraction of the beta_max of random targets",
                          PSD_POSITIVE, &request->beta_noise, &given_noise));
  PsdCheckInput(given + given_rel + given_noise <= 1,
                "options -beta, -beta_rel and -beta_noise: found several, expected one of them");
  if (given || given_rel) request->beta_noise = 0;
  PetscCall(PsdOptionReal("-memory", "MB a rank for lifted features; more are lifted again at each pass",
                          PSD_NONNEGATIVE, &problem->memory, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetFromOptions(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdCallWithPrefix(problem->prefix, ReadOptions(problem));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetOptionsPrefix(PsdProblem problem, const char prefix[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PetscCall(PsdOptionsKeepPrefix(prefix, &problem->prefix));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetMemory(PsdProblem problem, PetscReal megabytes)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  problem->memory = megabytes;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetLoss(PsdProblem problem, const char name[], PetscReal loss_parameter)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  const PsdLossOps *ops = PsdLossFind(name);
  char expected[PSD_MESSAGE_LENGTH] = "";
  for (int k = 0; PsdLossTable[k] && !ops; k++) {
    if (k) PetscCall(PetscStrlcat(expected, ", ", sizeof(expected)));
    PetscCall(PetscStrlcat(expected, PsdLossTable[k]->name, sizeof(expected)));
  }
  PsdCheckInput(ops, "loss '%s' is unknown: expected one of %s", name, expected);
  problem->loss = PsdLossMake(ops, loss_parameter);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetActivation(PsdProblem problem, const PetscReal activation[3])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PetscCall(PetscArraycpy(problem->request.activation, activation, 3));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetBeta(PsdProblem problem, PetscReal beta)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  problem->request.beta = beta;
  problem->request.beta_rel = problem->request.beta_noise = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetBetaRel(PsdProblem problem, PetscReal fraction)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  problem->request.beta_rel = fraction;
  problem->request.beta = problem->request.beta_noise = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetBetaNoise(PsdProblem problem, PetscReal fraction)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  problem->request.beta_noise = fraction;
  problem->request.beta = problem->request.beta_rel = 0;
  PetscFunctionReturn(0);
}

PetscReal PsdPathBeta(PetscReal beta_max, PetscReal last, PetscInt k, PetscInt count)
{
  if (k == count) return last;
  return beta_max * PetscPowReal(last / beta_max, (PetscReal)k / (PetscReal)count);
}

PetscErrorCode PsdProblemTakeBeta(PsdProblem problem, PetscReal beta)
{
  PetscFunctionBeginUser;
  problem->beta = PsdToUnits(problem->units, PSD_UNIT_BETA, beta);
  PsdCheckInput(PsdIsRepresentable(problem->beta),
                "beta: found %g, which is out of range where the numbers of lifted features are of the order of 2^%d",
                (double)beta, -problem->units.exponent);
  PetscFunctionReturn(0);
}

/* What was asked for, in the program's units. */
static PetscErrorCode SetUpUnits(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdProblemRequest *request = &problem->request;
  /* the square is of no account where no neuron has one */
  const PetscReal own[3] = {PsdPatchesHaveMatrices(problem->patches) ? request->activation[0] : 0,
                            request->activation[1], request->activation[2]};
  PetscCall(PsdUnitsFind(problem->patches, own, &problem->units));
  PetscCall(PsdTargetsFindUnits(problem));
  for (int k = 0; k < 3; k++) problem->activation[k] = PsdToUnits(problem->units, PSD_UNIT_FEATURE, own[k]);
  problem->request.loss_parameter = problem->loss.parameter;
  problem->loss.parameter = PsdToUnits(problem->units, PSD_UNIT_TARGET, problem->loss.parameter);
  if (request->beta > 0) PetscCall(PsdProblemTakeBeta(problem, request->beta));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetUp(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PetscInt C, G, *f;
  PsdPixels pixels;
  PetscBool *vector;
  PetscBool symmetric = PETSC_FALSE;
  PetscCall(PsdDataGetTargets(problem->data, &problem->outputs, NULL));
  PsdCheckInput(problem->outputs > 0 || PsdDataIsLabelled(problem->data), "the images have no labels to train on");
  PetscCall(PsdDataGetSizes(problem->data, &problem->n, &problem->n_local, NULL));
  PetscCall(PsdDataGetScoreCount(problem->data, &C));
  PetscCall(PsdDataGetPixels(problem->data, &pixels));
  PetscCall(PsdMapsSetPixels(problem->patches, &pixels));
  PetscCall(PsdPatchesGetSizes(problem->patches, NULL, NULL, &G, NULL));
  PetscCall(SetUpUnits(problem));
  PetscCall(PetscMalloc2(G, &f, G, &vector));
  PsdPatchesGetDimensions(problem->patches, f, vector);
  PetscCall(PsdBlocksCreateRegions(problem->comm, C, G, f, vector, &problem->blocks));
  PetscCall(PetscFree2(f, vector));
  problem->order = problem->blocks->D;
  PetscCall(PsdProblemIsSymmetric(problem, &symmetric));
  if (symmetric) PsdPatchesSetMirrored(problem->patches);
  PetscCall(PsdTargetsSetUp(problem, symmetric));
  PetscCall(PsdFeaturesCreate(problem->data, problem->patches, problem->activation,
                              (size_t)(problem->memory * 1024 * 1024), &problem->features));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemCreateGradient(PsdProblem problem)
{
  PetscFunctionBeginUser;
  if (problem->h) PetscFunctionReturn(0);
  PetscCall(PsdBlocksCreateVec(problem->blocks, &problem->h));
  PetscCall(VecDuplicate(problem->h, &problem->h_random));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetSizes(PsdProblem problem, PetscInt *n, PetscInt *f, PetscInt *C, PetscInt *G, PetscInt *D)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  if (n) *n = problem->n;
  if (f) *f = problem->blocks->f_max;
  if (C) *C = problem->blocks->C;
  if (G) *G = problem->blocks->G;
  if (D) *D = problem->blocks->D;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetOrder(PsdProblem problem, PetscInt *order)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  *order = problem->order;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetBeta(PsdProblem problem, PetscReal *beta, PetscReal *beta_max)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  if (beta) *beta = PsdFromUnits(problem->units, PSD_UNIT_BETA, problem->beta);
  if (beta_max) *beta_max = PsdFromUnits(problem->units, PSD_UNIT_BETA, problem->beta_max);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetBetaAsked(PsdProblem problem, PetscReal *beta)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  *beta = PsdFromUnits(problem->units, PSD_UNIT_BETA, problem->beta_asked);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetLoss(PsdProblem problem, const char *name[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  *name = problem->loss.ops->name;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemGetActivation(PsdProblem problem, PetscReal activation[3])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PetscCall(PetscArraycpy(activation, problem->request.activation, 3));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemDestroy(PsdProblem *problem)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  if (!*problem) PetscFunctionReturn(0);
  if ((*problem)->folded != (*problem)->features) PetscCall(PsdFeaturesDestroy(&(*problem)->folded));
  PetscCall(PsdFeaturesDestroy(&(*problem)->features));
  PetscCall(PsdSymmetryDestroy(&(*problem)->symmetry));
  PetscCall(PsdRowsDestroy(&(*problem)->rows));
  PetscCall(PsdPolarsDestroy(&(*problem)->polars));
  PetscCall(VecDestroy(&(*problem)->h));
  PetscCall(VecDestroy(&(*problem)->h_random));
  PetscCall(PetscFree((*problem)->prefix));
  PetscCall(PetscFree((*problem)->signs));
  PetscCall(PsdProductsDestroy(&(*problem)->products));
  if ((*problem)->nu0 != (*problem)->Y) PetscCall(PetscFree((*problem)->nu0));
  if ((*problem)->representatives.Y != (*problem)->Y) PetscCall(PetscFree((*problem)->representatives.Y));
  PetscCall(PetscFree((*problem)->own_weights));
  PetscCall(PetscFree((*problem)->Y));
  PetscCall(PetscFree((*problem)->gram));
  PetscCall(PetscFree((*problem)->region_norm));
  PetscCall(PsdBlocksDestroy(&(*problem)->blocks));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(0);
}
