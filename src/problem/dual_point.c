/*
   One pass over the samples for the certificate: predictions A S, their loss, and for each candidate w the dual point
   nu = -L'(A w), or a nu that was given, pulled into the dual function's domain; and A'nu.

   Nothing here goes through A'A, whose rounding is of the order of eps ||A||^2 and drowns a small beta. What remains is
   bounded (docs/mathematics.md, section 6). With e_ig the bound of the error of a feature (patches/lift_error.c), and
   sums in blocks of BLAS and, of blocks, in twice the working precision,

     || error of smat(A'nu)_gt ||_F  <=  sum_i |nu_it| (e_ig + k eps ||Phi_ig||_F),                   k: AdjointRoundings
     | error of yhat_it |  <=  sum_g [ (e_ig + k' eps ||Phi_ig||) (||S_gt|| + s_gt) + ||Phi_ig|| s_gt ],  k': of forward

   s_gt being the bound of the error of S_gt. What the latter does to the loss is the loss's own to say (PsdLossOps,
   change); nu as computed is a dual point, however A w was rounded.

   Samples kept as features go through in chunks, all products of a chunk at once; samples kept as patches go through
   once for each product (rows.h).
*/
#include "dual_point.h"
#include "base/base.h"
#include "base/rounding.h"
#include "limits.h"
#include "sample_sums.h"
#include "samples.h"
#include <petscblaslapack.h>

#define BLOCK_ROWS 64     /* samples in one product A'nu, ... */
#define BLOCK_COLUMNS 128 /* ... and numbers of a feature in one product A S */

/* Everything of one pass: `sets` column sets (S, then each w), each D x C, the same on every rank. */
typedef struct {
  PsdProblem problem;
  PetscInt sets, rows_max;
  PetscReal forward, adjoint; /* relative errors of the products, see PsdRoundings */
  const PsdDualSource *sources;
  PsdDualPoint *points;
  PetscReal *columns;          /* D x (sets C) */
  PetscReal *yhat, *lost;      /* rows x (sets C), row-major, and what their sums lose */
  PetscReal *product;          /* one block's: rows x (sets C) */
  PetscReal *gradient, *rest;  /* D x ((sets - 1) C), and what its sums lose */
  PetscReal *part;             /* one block's */
  PetscReal *rounding;         /* (sets - 1) C G */
  PetscReal *norm;             /* rows x G: ||Phi_ig|| */
  PetscReal *S_norm, *S_error; /* C x G: ||S_gt||, and its error */
  PetscReal *region_norm;      /* G: ||A_g||_F^2 */
  PetscReal *delta;            /* C: errors of a sample's predictions */
  PsdPredictionSums prediction;
  PsdPointSums *point; /* sets - 1 */
} Pass;

PetscErrorCode PsdDualPointCreate(PsdProblem problem, PetscBool keep, PsdDualPoint *point)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  *point = (PsdDualPoint){0};
  if (keep || problem->loss.ops->splits) PetscCall(PetscMalloc1((size_t)problem->n_local * blocks->C, &point->nu));
  PetscCall(PsdBlocksCreateVec(blocks, &point->gradient));
  PetscCall(PsdBlocksCreatePairVec(blocks, &point->rounding));
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

PetscErrorCode PsdDualPointPolar(PsdProblem problem, const PsdDualPoint *point, PsdPointPolar *polar)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *M, *rounding;
  PsdPointPolar largest = {0, 0, 0};
  PetscCall(VecGetArrayRead(point->gradient, &M));
  PetscCall(VecGetArrayRead(point->rounding, &rounding));
  for (PetscInt k = 0; k < blocks->local; k++) {
    PetscReal one = INFINITY;
    PetscCall(PsdPolarsEvaluate(problem->polars, blocks->first + k, M + PsdBlocksOwn(blocks, k).at, &one));
    largest.computed = PetscMax(largest.computed, one);
    /* not a number: not known */
    const PetscReal hides = 2 * rounding[k] <= PETSC_MAX_REAL ? 2 * rounding[k] : INFINITY;
    one = one + hides <= PETSC_MAX_REAL ? PsdRoundUp(one + hides) : INFINITY;
    largest.bound = PetscMax(largest.bound, one);
    largest.hidden = PetscMax(largest.hidden, hides);
  }
  PetscCall(VecRestoreArrayRead(point->rounding, &rounding));
  PetscCall(VecRestoreArrayRead(point->gradient, &M));
  PetscCallMPI(MPI_Allreduce(&largest, polar, sizeof(largest) / sizeof(PetscReal), MPIU_REAL, MPI_MAX, blocks->comm));
  PetscFunctionReturn(0);
}

/* Of a block, of the sum of blocks in twice the precision, of the sum over ranks, and of nu. */
static PetscReal AdjointRoundings(PsdProblem problem)
{
  PetscMPIInt ranks;
  (void)MPI_Comm_size(problem->comm, &ranks);
  return (problem->rows ? PsdRowsAdjointRoundings(problem->rows) : BLOCK_ROWS + 3) + (PetscReal)ranks +
         PsdDomainRoundings(problem);
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
  pass->forward = PsdRoundings(problem->rows ? PsdRowsForwardRoundings(problem->rows) : BLOCK_COLUMNS + 3);
  pass->adjoint = PsdRoundings(AdjointRoundings(problem));
  const size_t predictions = C * pass->sets * pass->rows_max, products = problem->rows ? 0 : predictions;
  PetscCall(PetscMalloc7(gathered * pass->sets, &pass->columns, predictions, &pass->yhat, products, &pass->lost,
                         products, &pass->product, G * pass->rows_max, &pass->norm, C * G, &pass->S_norm, C * G,
                         &pass->S_error));
  PetscCall(PetscMalloc1(gathered * candidates, &pass->part));
  PetscCall(PetscCalloc6(gathered * candidates, &pass->gradient, gathered * candidates, &pass->rest, C * G * candidates,
                         &pass->rounding, G, &pass->region_norm, C, &pass->delta, candidates, &pass->point));
  PetscFunctionReturn(0);
}

static PetscErrorCode PassDestroy(Pass *pass)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree7(pass->columns, pass->yhat, pass->lost, pass->product, pass->norm, pass->S_norm, pass->S_error));
  PetscCall(PetscFree(pass->part));
  PetscCall(PetscFree6(pass->gradient, pass->rest, pass->rounding, pass->region_norm, pass->delta, pass->point));
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

/* norm[i G + g]: ||Phi_ig||_F */
static void FeatureNorms(const Pass *pass, PetscInt rows, const PetscReal *phi, PetscInt ld)
{
  const PetscInt G = pass->problem->blocks->G;
  const PsdShape *region = pass->problem->blocks->region;
  for (PetscInt i = 0; i < rows; i++)
    for (PetscInt g = 0; g < G; g++)
      pass->norm[i * G + g] = PsdNormBound(region[g].m, phi + (size_t)i * ld + region[g].at);
}

/* Loss of one sample's prediction, what may be wrong of it, and its correctness. */
static void AddPrediction(Pass *pass, const PetscReal yhat[], const PetscReal y[], const PsdSampleFeatures *sample)
{
  const PsdMatrixBounds bounds = {pass->S_norm, pass->S_error, pass->forward};
  PsdPredictionSumsAdd(&pass->prediction, pass->problem, &bounds, yhat, y, sample, pass->delta);
  for (PetscInt g = 0; g < pass->problem->blocks->G; g++) {
    const PetscReal largest = sample->norm[g] + sample->error[g];
    pass->region_norm[g] += sample->weight * (largest * largest);
  }
}

/* yhat of candidate k <- its dual point for sample i, times the weight, and what is summed of it */
static PetscErrorCode AddDualPoint(Pass *pass, PetscInt k, PetscInt i, PetscReal yhat[], const PetscReal y[],
                                   const PsdSampleFeatures *sample)
{
  PetscFunctionBeginUser;
  const PetscInt C = pass->problem->blocks->C, G = pass->problem->blocks->G;
  const PsdLoss *loss = &pass->problem->loss;
  const PetscInt copies = pass->sources[k].each ? 1 : pass->problem->representatives.copies;
  const PetscReal *given = pass->sources[k].w ? NULL : pass->sources[k].nu + (size_t)(i / copies) * C;
  PetscReal *rounding = pass->rounding + (size_t)k * C * G, *nu = yhat;
  if (given) PetscCall(PetscArraycpy(nu, given, C));
  else (*loss->ops->dual_point)(loss, 1, C, yhat, y, nu);
  (*loss->ops->to_domain)(loss, 1, C, nu, y);
  if (pass->points[k].nu) PetscCall(PetscArraycpy(pass->points[k].nu + (size_t)i * C, nu, C));
  PsdPointSumsAdd(&pass->point[k], C, sample->weight, nu, y);
  for (PetscInt t = 0; t < C; t++) nu[t] *= sample->weight;
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt g = 0; g < G; g++)
      rounding[t * G + g] += PetscAbsReal(nu[t]) * (sample->error[g] + pass->adjoint * sample->norm[g]);
  PetscFunctionReturn(0);
}

/* sum + rest += x, in twice the working precision; fresh: they are zero */
static void AddInPairs(size_t length, PetscBool fresh, const PetscReal *restrict x, PetscReal *restrict sum,
                       PetscReal *restrict rest)
{
  for (size_t k = 0; k < length; k++) {
    PsdPairSum pair = {fresh ? 0 : sum[k], fresh ? 0 : rest[k]};
    PsdPairSumAdd(&pair, x[k]);
    sum[k] = pair.high;
    rest[k] = pair.low;
  }
}

/* yhat <- phi times all columns, by blocks of a feature's numbers */
static PetscErrorCode Predict(Pass *pass, PetscInt rows, const PetscReal *phi, PetscInt ld)
{
  PetscFunctionBeginUser;
  const PetscInt D = pass->problem->blocks->D, width = pass->sets * pass->problem->blocks->C;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt bD, bwidth, brows, bld, some;
  PetscCall(PetscBLASIntCast(D, &bD));
  PetscCall(PetscBLASIntCast(width, &bwidth));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCall(PetscBLASIntCast(ld, &bld));
  for (PetscInt first = 0; first < D; first += BLOCK_COLUMNS) {
    some = (PetscBLASInt)PetscMin(BLOCK_COLUMNS, D - first);
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &bwidth, &brows, &some, &one, pass->columns + first, &bD, phi + first,
                                        &bld, &zero, pass->product, &bwidth));
    AddInPairs((size_t)rows * width, (PetscBool)(first == 0), pass->product, pass->yhat, pass->lost);
  }
  PetscCall(PetscLogFlops(2.0 * rows * D * width));
  PetscFunctionReturn(0);
}

/* gradient += phi' times the dual points, which are where the predictions were, by blocks of samples */
static PetscErrorCode AddGradients(Pass *pass, PetscInt rows, const PetscReal *phi, PetscInt ld)
{
  PetscFunctionBeginUser;
  const PetscInt C = pass->problem->blocks->C, D = pass->problem->blocks->D, width = pass->sets * C;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt bD, candidates, bwidth, bld, some;
  PetscCall(PetscBLASIntCast(D, &bD));
  PetscCall(PetscBLASIntCast(width, &bwidth));
  PetscCall(PetscBLASIntCast(width - C, &candidates));
  PetscCall(PetscBLASIntCast(ld, &bld));
  for (PetscInt first = 0; first < rows && candidates > 0; first += BLOCK_ROWS) {
    some = (PetscBLASInt)PetscMin(BLOCK_ROWS, rows - first);
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &bD, &candidates, &some, &one, phi + (size_t)first * ld, &bld,
                                        pass->yhat + (size_t)first * width + C, &bwidth, &zero, pass->part, &bD));
    AddInPairs((size_t)D * candidates, PETSC_FALSE, pass->part, pass->gradient, pass->rest);
  }
  PetscCall(PetscLogFlops(2.0 * rows * D * candidates));
  PetscFunctionReturn(0);
}

static PetscErrorCode PassChunk(Pass *pass, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld,
                                const PetscReal errors[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = pass->problem->blocks;
  const PetscInt C = blocks->C, G = blocks->G, width = pass->sets * C;
  const PetscReal *y = pass->problem->Y + (size_t)first * C;
  PetscCall(Predict(pass, rows, phi, ld));
  FeatureNorms(pass, rows, phi, ld);
  for (PetscInt i = 0; i < rows; i++, y += C) {
    const PsdSampleFeatures sample = {pass->norm + (size_t)i * G, errors + (size_t)i * G,
                                      PsdWeightOf(pass->problem->weights, first + i)};
    PetscReal *yhat = pass->yhat + (size_t)i * width;
    AddPrediction(pass, yhat, y, &sample);
    for (PetscInt k = 0; k < pass->sets - 1; k++)
      PetscCall(AddDualPoint(pass, k, first + i, yhat + (size_t)(k + 1) * C, y, &sample));
  }
  PetscCall(AddGradients(pass, rows, phi, ld));
  PetscFunctionReturn(0);
}

/* By parts of a chunk, so that rows which are made again of whole numbers stay in the cache. */
static PetscErrorCode PassChunks(Pass *pass)
{
  PetscFunctionBeginUser;
  const PsdFeatures features = pass->problem->features;
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(features); k++) {
    PetscInt first, rows, ld;
    const PetscReal *errors;
    PetscCall(PsdFeaturesFindChunk(features, k, &first, &rows, &ld));
    PsdFeaturesGetErrors(features, k, &errors);
    PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
    for (PetscInt row = 0; row < rows; row += PSD_PASS_ROWS) {
      const PetscInt part = PetscMin(PSD_PASS_ROWS, rows - row);
      const PetscReal *phi = PsdFeaturesGetRows(features, k, row, part);
      PetscCall(PassChunk(pass, first + row, part, phi, ld, errors + (size_t)row * pass->problem->blocks->G));
    }
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
  const PetscReal *norm, *error;
  PetscReal *yhat = pass->yhat;
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(PsdRowsGetNorms(problem->rows, &norm, &error));
  PetscCall(PsdRowsForward(problem->rows, S, yhat));
  for (PetscInt i = 0; i < problem->n_local; i++) {
    const PsdSampleFeatures sample = {norm + (size_t)i * G, error + (size_t)i * G, PsdWeightOf(problem->weights, i)};
    AddPrediction(pass, yhat + (size_t)i * C, problem->Y + (size_t)i * C, &sample);
  }
  for (PetscInt k = 0; k < pass->sets - 1; k++) {
    if (pass->sources[k].w) PetscCall(PsdRowsForward(problem->rows, pass->sources[k].w, yhat));
    for (PetscInt i = 0; i < problem->n_local; i++) {
      const PsdSampleFeatures sample = {norm + (size_t)i * G, error + (size_t)i * G, PsdWeightOf(problem->weights, i)};
      PetscCall(AddDualPoint(pass, k, i, yhat + (size_t)i * C, problem->Y + (size_t)i * C, &sample));
    }
    PetscCall(PsdRowsAdjoint(problem->rows, yhat, points[k].gradient));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}

/* ||W^1/2 A_g||_F of all samples, with what rounding may have hidden of it. */
static PetscErrorCode KeepRegionNorms(Pass *pass)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = pass->problem;
  const PetscReal roundings = PsdRoundings((PetscReal)problem->n + (problem->weights ? 1 : 0));
  PetscMPIInt G;
  PetscCall(PetscMPIIntCast(problem->blocks->G, &G));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pass->region_norm, G, MPIU_REAL, MPI_SUM, problem->comm));
  if (!problem->region_norm) PetscCall(PetscMalloc1(G, &problem->region_norm));
  for (PetscInt g = 0; g < G; g++)
    problem->region_norm[g] = PsdRoundUp(PetscSqrtReal(pass->region_norm[g]) * (1 + roundings));
  PetscFunctionReturn(0);
}

static PetscErrorCode PassReduce(Pass *pass, PsdPrimalPoint *primal, PsdDualPoint points[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = pass->problem;
  const PsdBlocks blocks = problem->blocks;
  const PetscInt candidates = pass->sets - 1;
  const size_t length = (size_t)blocks->D * blocks->C, pairs = blocks->pairs;
  PetscCall(KeepRegionNorms(pass));
  PetscCall(PsdPredictionSumsFinish(&pass->prediction, problem, primal));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, pairs * (size_t)candidates, pass->rounding));
  for (PetscInt k = 0; k < candidates; k++) {
    PetscReal *local;
    PetscCall(PsdPointSumsFinish(&pass->point[k], problem, &points[k]));
    PetscCall(VecGetArray(points[k].rounding, &local));
    for (PetscInt p = 0; p < blocks->local; p++) local[p] = pass->rounding[k * pairs + blocks->first + p];
    PetscCall(VecRestoreArray(points[k].rounding, &local));
    if (problem->rows) continue; /* the gradient is there */
    PetscReal *gradient = pass->gradient + k * length;
    PetscCall(PsdSumArray(problem->comm, MPIU_REAL, length, gradient));
    PetscCall(VecGetArray(points[k].gradient, &local));
    PetscCall(PetscArraycpy(local, gradient + blocks->begin, blocks->length));
    PetscCall(VecRestoreArray(points[k].gradient, &local));
  }
  PetscFunctionReturn(0);
}

/* S_norm[pair] = ||S_gt|| and S_error[pair], on all ranks */
static PetscErrorCode BlockNorms(PsdBlocks blocks, const PsdNetworkMatrix *network, PetscReal S_norm[],
                                 PetscReal S_error[])
{
  PetscFunctionBeginUser;
  const PetscReal *local, *error;
  PetscMPIInt count;
  PetscCall(PetscArrayzero(S_norm, blocks->pairs));
  PetscCall(PetscArrayzero(S_error, blocks->pairs));
  PetscCall(VecGetArrayRead(network->S, &local));
  PetscCall(VecGetArrayRead(network->error, &error));
  for (PetscInt k = 0; k < blocks->local; k++) {
    const PsdShape own = PsdBlocksOwn(blocks, k);
    S_norm[blocks->first + k] = PsdNormBound(own.m, local + own.at);
    S_error[blocks->first + k] = error[k];
  }
  PetscCall(VecRestoreArrayRead(network->error, &error));
  PetscCall(VecRestoreArrayRead(network->S, &local));
  PetscCall(PetscMPIIntCast(blocks->pairs, &count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, S_norm, count, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, S_error, count, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemEvaluate(PsdProblem problem, const PsdNetworkMatrix *network, PetscInt candidates,
                                  const PsdDualSource sources[], PsdPrimalPoint *primal, PsdDualPoint points[])
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)problem->blocks->D * problem->blocks->C;
  Pass pass;
  /* not yet, where A'A came from a file */
  if (!problem->rows) PetscCall(PsdProblemLift(problem));
  PetscCall(PassCreate(problem, candidates, sources, points, &pass));
  PetscCall(BlockNorms(problem->blocks, network, pass.S_norm, pass.S_error));
  if (problem->rows) {
    PetscCall(PassPatches(&pass, network->S, points));
  } else {
    PetscCall(GatherColumns(network->S, pass.columns));
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
