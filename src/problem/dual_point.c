/*
   One pass over the samples for the certificate: predictions A S, their loss, and for each candidate w the dual point
   nu = -L'(A w), or a nu that was given, pulled into the dual function's domain; and A'nu.

   Nothing here goes through A'A, whose rounding is of the order of eps ||A||^2 and drowns a small beta. What remains
   is the rounding of sums over samples, and that is bounded: a computed sum of k terms differs from the exact one by
   at most k eps times the sum of absolute values, here in blocks of a chunk's rows, then chunks, then ranks. As
   matrices,

     || error of smat(A'nu)_gt ||_F  <=  gamma sum_i |nu_it| ||Phi_ig||_F,     gamma = roundings eps,

   where `roundings` also counts the operations that made Phi itself of pixels. Those of a change of coordinates are
   relative to what it may cancel, which is added to ||Phi_ig||_F (PsdPatchesFeatureBound). The error of a prediction
   <Phi_ig, S_gt> summed over g is at most gamma sum_g ||Phi_ig||_F ||S_gt||_F, and moves the loss by that times its
   slope: at all events the steepest of a loss that has one, else, as the squared loss has not, to first order the
   slope at yhat.

   Samples kept as features go through in chunks, all products of a chunk at once; samples kept as patches go through
   once for each product (rows.h).
*/
#include "dual_point.h"
#include "base/base.h"
#include "patches/transform.h"
#include "samples.h"
#include <petscblaslapack.h>

/* What is summed over the samples: of predictions, and of each dual point. */
typedef struct {
  PetscReal loss;
  PetscReal sensitivity; /* of the loss to rounding: sum of slope ||Phi_ig|| ||S_gt|| */
  PetscReal correct;     /* samples whose largest score is that of their class */
} PredictionSums;
typedef struct {
  PetscReal linear, quadratic; /* <nu,Y> and ||nu||^2 */
} PointSums;
#define SUMS(candidates) ((sizeof(PredictionSums) + (size_t)(candidates) * sizeof(PointSums)) / sizeof(PetscReal))

/* Everything of one pass: `sets` column sets (S, then each w), each D x C, the same on every rank. */
typedef struct {
  PsdProblem problem;
  PetscInt sets, rows_max;
  const PsdDualSource *sources;
  PsdDualPoint *points;
  PetscReal *columns;      /* D x (sets C) */
  PetscReal *yhat;         /* rows x (sets C), row-major */
  PetscReal *gradient;     /* D x ((sets - 1) C) */
  PetscReal *rounding;     /* (sets - 1) C G */
  PetscReal feature_bound; /* PsdPatchesFeatureBound */
  PetscReal *norm;         /* rows x G: ||Phi_ig|| */
  PetscReal *S_norm;       /* C x G: ||S_gt|| */
  PetscReal *region_norm;  /* G: ||A_g||_F^2 */
  PetscReal *slope;        /* C: of the loss, one for each score of a sample */
  PetscReal *sums;         /* one array, to be added over ranks: the next two */
  PredictionSums *prediction;
  PointSums *point; /* sets - 1 */
} Pass;

PetscErrorCode PsdDualPointCreate(PsdProblem problem, PetscBool keep, PsdDualPoint *point)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  point->linear = point->quadratic = 0;
  point->nu = NULL;
  if (keep || problem->loss.ops->splits) PetscCall(PetscMalloc1((size_t)problem->n_local * blocks->C, &point->nu));
  PetscCall(PsdBlocksCreateVec(blocks, &point->gradient));
  PetscCall(VecCreate(blocks->comm, &point->rounding));
  PetscCall(VecSetSizes(point->rounding, blocks->local, blocks->pairs));
  PetscCall(VecSetType(point->rounding, VECSTANDARD));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualPointDestroy(PsdDualPoint *point)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&point->gradient));
  PetscCall(VecDestroy(&point->rounding));
  PetscCall(PetscFree(point->nu));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualPointPolar(PsdProblem problem, const PsdDualPoint *point, PetscReal *value, PetscReal *hidden)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *M, *rounding;
  PetscReal largest[2] = {0, 0};
  PetscCall(VecGetArrayRead(point->gradient, &M));
  PetscCall(VecGetArrayRead(point->rounding, &rounding));
  for (PetscInt k = 0; k < blocks->local; k++) {
    PetscReal one;
    PetscCall(PsdPolarEvaluate(problem->polar, M + (size_t)k * blocks->m, &one));
    largest[0] = PetscMax(largest[0], one + 2 * rounding[k]);
    largest[1] = PetscMax(largest[1], 2 * rounding[k]);
  }
  PetscCall(VecRestoreArrayRead(point->rounding, &rounding));
  PetscCall(VecRestoreArrayRead(point->gradient, &M));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, 2, MPIU_REAL, MPI_MAX, blocks->comm));
  *value = largest[0];
  if (hidden) *hidden = largest[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode PassCreate(PsdProblem problem, PetscInt candidates, const PsdDualSource sources[],
                                 PsdDualPoint points[], Pass *pass)
{
  PetscFunctionBeginUser;
  const size_t D = problem->blocks->D, C = problem->blocks->C, G = problem->blocks->G;
  /* patches go through one set at a time, without chunks and columns */
  const size_t gathered = problem->rows ? 0 : D * C;
  *pass = (Pass){.problem = problem, .sources = sources, .points = points, .sets = candidates + 1};
  pass->rows_max = problem->rows ? problem->n_local : PsdFeaturesChunkRows(problem->features);
  pass->feature_bound = PsdPatchesFeatureBound(problem->patches, problem->activation);
  PetscCall(PetscMalloc4(gathered * pass->sets, &pass->columns, C * pass->sets * pass->rows_max, &pass->yhat,
                         G * pass->rows_max, &pass->norm, C * G, &pass->S_norm));
  PetscCall(PetscCalloc5(gathered * candidates, &pass->gradient, C * G * candidates, &pass->rounding, SUMS(candidates),
                         &pass->sums, G, &pass->region_norm, C, &pass->slope));
  pass->prediction = (PredictionSums *)pass->sums;
  pass->point = (PointSums *)(pass->prediction + 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode PassDestroy(Pass *pass)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(pass->columns, pass->yhat, pass->norm, pass->S_norm));
  PetscCall(PetscFree5(pass->gradient, pass->rounding, pass->sums, pass->region_norm, pass->slope));
  PetscFunctionReturn(0);
}

/* columns <- all of x, on every rank */
static PetscErrorCode GatherColumns(Vec x, PetscReal columns[])
{
  PetscFunctionBeginUser;
  VecScatter scatter;
  Vec all;
  const PetscReal *values;
  PetscInt length;
  PetscCall(VecScatterCreateToAll(x, &scatter, &all));
  PetscCall(VecScatterBegin(scatter, x, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(scatter, x, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetSize(all, &length));
  PetscCall(VecGetArrayRead(all, &values));
  PetscCall(PetscArraycpy(columns, values, length));
  PetscCall(VecRestoreArrayRead(all, &values));
  PetscCall(VecScatterDestroy(&scatter));
  PetscCall(VecDestroy(&all));
  PetscFunctionReturn(0);
}

static PetscReal Norm(PetscInt length, const PetscReal x[])
{
  PetscReal squares = 0;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < length; k++) squares += x[k] * x[k];
  return PetscSqrtReal(squares);
}

/* norm[i G + g]: what the rounding error of Phi_ig is relative to, ||Phi_ig||_F and more when a transform cancels */
static void FeatureNorms(const Pass *pass, PetscInt rows, const PetscReal *phi, PetscInt ld)
{
  const PetscInt G = pass->problem->blocks->G, m = pass->problem->blocks->m;
  for (PetscInt i = 0; i < rows; i++)
    for (PetscInt g = 0; g < G; g++)
      pass->norm[i * G + g] = pass->feature_bound + Norm(m, phi + (size_t)i * ld + (size_t)g * m);
}

/* slope[t] <- the most that score t changes the loss by, near yhat */
static void Slopes(Pass *pass, const PetscReal yhat[], const PetscReal y[])
{
  const PetscInt C = pass->problem->blocks->C;
  const PsdLoss *loss = &pass->problem->loss;
  const PetscReal steepest = (*loss->ops->steepness)(loss);
  if (PetscIsInfReal(steepest)) (*loss->ops->dual_point)(loss, 1, C, yhat, y, pass->slope);
  for (PetscInt t = 0; t < C; t++) pass->slope[t] = PetscIsInfReal(steepest) ? PetscAbsReal(pass->slope[t]) : steepest;
}

/* Loss, its sensitivity to rounding, and correctness of one sample's prediction. */
static void AddPrediction(Pass *pass, const PetscReal yhat[], const PetscReal y[], const PetscReal norm[])
{
  const PetscInt C = pass->problem->blocks->C, G = pass->problem->blocks->G;
  const PsdLoss *loss = &pass->problem->loss;
  PredictionSums *sums = pass->prediction;
  PetscInt best = 0;
  sums->loss += (*loss->ops->value)(loss, 1, C, yhat, y);
  Slopes(pass, yhat, y);
  for (PetscInt t = 0; t < C; t++) {
    for (PetscInt g = 0; g < G; g++) sums->sensitivity += pass->slope[t] * norm[g] * pass->S_norm[t * G + g];
    if (yhat[t] > yhat[best]) best = t;
  }
  if (C == 1 ? (yhat[0] > 0) == (y[0] > 0) : y[best] > 0) sums->correct += 1;
  for (PetscInt g = 0; g < G; g++) {
    const PetscReal feature = norm[g] - pass->feature_bound;
    pass->region_norm[g] += feature * feature;
  }
}

/* yhat of candidate k <- its dual point for sample i, and what is summed of it */
static PetscErrorCode AddDualPoint(Pass *pass, PetscInt k, PetscInt i, PetscReal yhat[], const PetscReal y[],
                                   const PetscReal norm[])
{
  PetscFunctionBeginUser;
  const PetscInt C = pass->problem->blocks->C, G = pass->problem->blocks->G;
  const PsdLoss *loss = &pass->problem->loss;
  const PetscInt copies = pass->sources[k].each ? 1 : pass->problem->representatives.copies;
  const PetscReal *given = pass->sources[k].w ? NULL : pass->sources[k].nu + (size_t)(i / copies) * C;
  PointSums *sums = &pass->point[k];
  PetscReal *rounding = pass->rounding + (size_t)k * C * G, *nu = yhat;
  if (given) PetscCall(PetscArraycpy(nu, given, C));
  else (*loss->ops->dual_point)(loss, 1, C, yhat, y, nu);
  (*loss->ops->to_domain)(loss, 1, C, nu, y);
  if (pass->points[k].nu) PetscCall(PetscArraycpy(pass->points[k].nu + (size_t)i * C, nu, C));
  for (PetscInt t = 0; t < C; t++) {
    sums->linear += nu[t] * y[t];
    sums->quadratic += nu[t] * nu[t];
    for (PetscInt g = 0; g < G; g++) rounding[t * G + g] += PetscAbsReal(nu[t]) * norm[g];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PassChunk(Pass *pass, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = pass->problem->blocks;
  const PetscInt C = blocks->C, width = pass->sets * C;
  const PetscReal one = 1, zero = 0, *y = pass->problem->Y + (size_t)first * C;
  PetscBLASInt D, bwidth, brows, bld, candidates;
  PetscCall(PetscBLASIntCast(blocks->D, &D));
  PetscCall(PetscBLASIntCast(width, &bwidth));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCall(PetscBLASIntCast(ld, &bld));
  candidates = bwidth - (PetscBLASInt)C;
  PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &bwidth, &brows, &D, &one, pass->columns, &D, phi, &bld, &zero,
                                      pass->yhat, &bwidth));
  FeatureNorms(pass, rows, phi, ld);
  for (PetscInt i = 0; i < rows; i++, y += C) {
    PetscReal *yhat = pass->yhat + (size_t)i * width;
    const PetscReal *norm = pass->norm + (size_t)i * blocks->G;
    AddPrediction(pass, yhat, y, norm);
    for (PetscInt k = 0; k < pass->sets - 1; k++)
      PetscCall(AddDualPoint(pass, k, first + i, yhat + (size_t)(k + 1) * C, y, norm));
  }
  if (candidates > 0)
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &D, &candidates, &brows, &one, phi, &bld, pass->yhat + C, &bwidth,
                                        &one, pass->gradient, &D));
  PetscCall(PetscLogFlops(2.0 * rows * blocks->D * (bwidth + candidates)));
  PetscFunctionReturn(0);
}

static PetscErrorCode PassChunks(Pass *pass)
{
  PetscFunctionBeginUser;
  const PsdFeatures features = pass->problem->features;
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(features); k++) {
    PetscInt first, rows, ld;
    const PetscReal *phi;
    PetscCall(PsdFeaturesGetChunk(features, k, &first, &rows, &phi, &ld));
    PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
    PetscCall(PassChunk(pass, first, rows, phi, ld));
    PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  }
  PetscFunctionReturn(0);
}

/* The same by patches: predictions of S, then one dual point after the other. */
static PetscErrorCode PassPatches(Pass *pass, Vec S, PsdDualPoint points[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = pass->problem;
  const PetscInt C = problem->blocks->C, G = problem->blocks->G;
  const PetscReal *feature_norm;
  PetscReal *yhat = pass->yhat;
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PsdRowsGetNorms(problem->rows, &feature_norm);
  for (PetscInt k = 0; k < problem->n_local * G; k++) pass->norm[k] = pass->feature_bound + feature_norm[k];
  PetscCall(PsdRowsForward(problem->rows, S, yhat));
  for (PetscInt i = 0; i < problem->n_local; i++)
    AddPrediction(pass, yhat + (size_t)i * C, problem->Y + (size_t)i * C, pass->norm + (size_t)i * G);
  for (PetscInt k = 0; k < pass->sets - 1; k++) {
    if (pass->sources[k].w) PetscCall(PsdRowsForward(problem->rows, pass->sources[k].w, yhat));
    for (PetscInt i = 0; i < problem->n_local; i++)
      PetscCall(AddDualPoint(pass, k, i, yhat + (size_t)i * C, problem->Y + (size_t)i * C, pass->norm + (size_t)i * G));
    PetscCall(PsdRowsAdjoint(problem->rows, yhat, points[k].gradient));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}

/* Additions, multiplications and roundings on the way from a pixel to an entry of A'nu, as the number of eps that the
   head of this file speaks of. */
static PetscReal CountRoundings(const Pass *pass)
{
  PetscMPIInt ranks;
  PetscInt q, positions;
  MPI_Comm_size(pass->problem->comm, &ranks);
  (void)PsdPatchesGetSizes(pass->problem->patches, &q, NULL, NULL, &positions);
  const PetscInt longest = pass->problem->rows ? PsdRowsLongestSum(pass->problem->rows)
                                               : pass->rows_max + PsdFeaturesCountChunks(pass->problem->features);
  /* nu of a split loss is in the domain but for rounding, and is scaled: see softmax.c */
  const PetscReal domain = pass->problem->loss.ops->splits ? 8 + 8 * (PetscReal)pass->problem->blocks->C : 0;
  return (PetscReal)longest + (PetscReal)ranks + (PetscReal)positions + 4 * (PetscReal)q + 16 + domain;
}

/* ||A_g||_F of all samples, with what rounding may have hidden of it. */
static PetscErrorCode KeepRegionNorms(Pass *pass, PetscReal gamma)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = pass->problem;
  PetscMPIInt G;
  PetscCall(PetscMPIIntCast(problem->blocks->G, &G));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pass->region_norm, G, MPIU_REAL, MPI_SUM, problem->comm));
  if (!problem->region_norm) PetscCall(PetscMalloc1(G, &problem->region_norm));
  for (PetscInt g = 0; g < G; g++)
    problem->region_norm[g] = PetscSqrtReal(pass->region_norm[g]) * (1 + gamma) +
                              gamma * PetscSqrtReal((PetscReal)problem->n) * pass->feature_bound;
  PetscFunctionReturn(0);
}

static PetscErrorCode PassReduce(Pass *pass, PsdPrimalPoint *primal, PsdDualPoint points[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = pass->problem;
  const PsdBlocks blocks = problem->blocks;
  const PetscInt candidates = pass->sets - 1;
  const size_t length = (size_t)blocks->D * blocks->C, pairs = blocks->pairs;
  PetscReal gamma = CountRoundings(pass) * PETSC_MACHINE_EPSILON;
  PetscMPIInt count;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &gamma, 1, MPIU_REAL, MPI_MAX, problem->comm));
  PetscCall(KeepRegionNorms(pass, gamma));
  PetscCall(PetscMPIIntCast((PetscInt)SUMS(candidates), &count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pass->sums, count, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCall(PetscMPIIntCast((PetscInt)pairs * candidates, &count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pass->rounding, count, MPIU_REAL, MPI_SUM, problem->comm));
  primal->loss = pass->prediction->loss;
  primal->rounding = gamma * pass->prediction->sensitivity;
  primal->accuracy = pass->prediction->correct / (PetscReal)problem->n;
  for (PetscInt k = 0; k < candidates; k++) {
    PetscReal *local;
    points[k].linear = pass->point[k].linear;
    points[k].quadratic = pass->point[k].quadratic;
    PetscCall(VecGetArray(points[k].rounding, &local));
    for (PetscInt p = 0; p < blocks->local; p++) local[p] = gamma * pass->rounding[k * pairs + blocks->first + p];
    PetscCall(VecRestoreArray(points[k].rounding, &local));
    if (problem->rows) continue; /* the gradient is there */
    PetscReal *gradient = pass->gradient + k * length;
    PetscCall(PetscMPIIntCast((PetscInt)length, &count));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, gradient, count, MPIU_REAL, MPI_SUM, problem->comm));
    PetscCall(VecGetArray(points[k].gradient, &local));
    PetscCall(PetscArraycpy(local, gradient + (size_t)blocks->first * blocks->m, (size_t)blocks->local * blocks->m));
    PetscCall(VecRestoreArray(points[k].gradient, &local));
  }
  PetscFunctionReturn(0);
}

/* S_norm[pair] = ||S_gt||, on all ranks */
static PetscErrorCode BlockNorms(PsdBlocks blocks, Vec S, PetscReal S_norm[])
{
  PetscFunctionBeginUser;
  const PetscReal *local;
  PetscMPIInt count;
  PetscCall(PetscArrayzero(S_norm, blocks->pairs));
  PetscCall(VecGetArrayRead(S, &local));
  for (PetscInt k = 0; k < blocks->local; k++)
    S_norm[blocks->first + k] = Norm(blocks->m, local + (size_t)k * blocks->m);
  PetscCall(VecRestoreArrayRead(S, &local));
  PetscCall(PetscMPIIntCast(blocks->pairs, &count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, S_norm, count, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemEvaluate(PsdProblem problem, Vec S, PetscInt candidates, const PsdDualSource sources[],
                                  PsdPrimalPoint *primal, PsdDualPoint points[])
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)problem->blocks->D * problem->blocks->C;
  Pass pass;
  /* not yet, where A'A came from a file */
  if (!problem->rows) PetscCall(PsdProblemLift(problem));
  PetscCall(PassCreate(problem, candidates, sources, points, &pass));
  PetscCall(BlockNorms(problem->blocks, S, pass.S_norm));
  if (problem->rows) {
    PetscCall(PassPatches(&pass, S, points));
  } else {
    PetscCall(GatherColumns(S, pass.columns));
    for (PetscInt k = 0; k < candidates; k++) {
      if (sources[k].w) PetscCall(GatherColumns(sources[k].w, pass.columns + (k + 1) * length));
      else PetscCall(PetscArrayzero(pass.columns + (k + 1) * length, length));
    }
    PetscCall(PassChunks(&pass));
  }
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(PassReduce(&pass, primal, points));
  PetscCall(PassDestroy(&pass));
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}
