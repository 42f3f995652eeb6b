/*
   yhat_it = sum over neurons of alpha mean_l s(x_il . u), by products of patches with the filters of a region.

   With p = x . u off by gamma eps ||x|| ||u||, gamma the roundings of a product of f terms, s(p) = a p^2 + b p + c is off by (2
   gamma + 4) eps (|a| ||x||^2 + |b| ||x|| + |c|), and that is at most 2 (2 gamma + 4) eps ||phi(x)||, phi(x) = [a x x' (b/2) x; (b/2)
   x' c]. A term alpha [u;1][u;1]' has the norm 2 |alpha|; that ||u||^2 is 1 + tau moves it by 2.5 |tau| |alpha| at most
   (network/neurons.c).
*/
#include "filter_sums.h"
#include "base/base.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "problem/sample_sums.h"

typedef struct {
  PsdProblem problem;
  const PsdNeurons *neurons;
  const PetscInt *of_sample; /* G: patches of a sample */
  PetscInt *begin;           /* G + 1: neurons of a region */
  PetscInt *class;           /* N, region by region, as the next two */
  PetscReal *weight;
  PetscReal **filter; /* G: f_g x its neurons, by columns */
  PetscReal *p;       /* N x PSD_PRODUCT_ROWS */
  PetscReal *yhat;    /* n_local x C */
} Filters;

/* Neurons sorted by their regions. */
static PetscErrorCode FiltersCreate(PsdProblem problem, PsdPatchMatrix patches, const PsdNeurons *neurons, Filters *it)
{
  PetscFunctionBeginUser;
  const PetscInt G = problem->blocks->G, N = neurons->N;
  *it = (Filters){.problem = problem, .neurons = neurons};
  PsdPatchMatrixGetSizes(patches, NULL, NULL, &it->of_sample, NULL);
  PetscCall(PetscCalloc2(G + 1, &it->begin, G, &it->filter));
  PetscCall(PetscMalloc3(N, &it->class, N, &it->weight, (size_t)N * PSD_PRODUCT_ROWS, &it->p));
  PetscCall(PetscCalloc1((size_t)problem->n_local * problem->blocks->C, &it->yhat));
  for (PetscInt g = 0, at = 0; g < G; g++) {
    const PetscInt f = problem->blocks->region[g].f;
    it->begin[g] = at;
    PetscInt count = 0;
    for (PetscInt k = 0; k < N; k++) count += neurons->region[k] == g;
    PetscCall(PetscMalloc1((size_t)count * f, &it->filter[g]));
    PetscReal *to = it->filter[g];
    for (PetscInt k = 0; k < N; k++) {
      if (neurons->region[k] != g) continue;
      PetscCall(PetscArraycpy(to, neurons->filter + (size_t)k * neurons->f, f));
      it->class[at] = neurons->class[k];
      it->weight[at++] = neurons->weight[k];
      to += f;
    }
    it->begin[g + 1] = at;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FiltersDestroy(Filters *it)
{
  PetscFunctionBeginUser;
  for (PetscInt g = 0; g < it->problem->blocks->G; g++) PetscCall(PetscFree(it->filter[g]));
  PetscCall(PetscFree2(it->begin, it->filter));
  PetscCall(PetscFree3(it->class, it->weight, it->p));
  PetscCall(PetscFree(it->yhat));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Filters *it = context;
  const PetscReal *activation = it->problem->activation, a = activation[0], b = activation[1], c = activation[2];
  const PetscInt f = it->problem->blocks->region[g].f, C = it->problem->blocks->C, of_sample = it->of_sample[g];
  const PetscInt begin = it->begin[g], N = it->begin[g + 1] - begin;
  size_t at = (size_t)first * of_sample;
  for (PetscInt rest = N > 0 ? count * of_sample : 0, rows; rest > 0; rest -= rows, x += (size_t)rows * f) {
    rows = PetscMin(PSD_PRODUCT_ROWS, rest);
    PetscCall(PsdProductTransposed(N, rows, f, it->filter[g], x, N, it->p));
    for (PetscInt l = 0; l < rows; l++, at++) {
      const PetscReal *p = it->p + (size_t)l * N;
      PetscReal *yhat = it->yhat + at / of_sample * C;
      for (PetscInt k = 0; k < N; k++)
        yhat[it->class[begin + k]] += it->weight[begin + k] / of_sample * ((a * p[k] + b) * p[k] + c);
    }
  }
  PetscFunctionReturn(0);
}

/* S_norm >= ||S_gt||, S_error >= what filters that are not of length 1 do to it; most: neurons of a class. */
static void BoundMatrix(const Filters *it, PetscReal S_norm[], PetscReal S_error[], PetscInt *most)
{
  const PsdNeurons *neurons = it->neurons;
  const PsdBlocks blocks = it->problem->blocks;
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt pair = neurons->class[k] * blocks->G + neurons->region[k], f = blocks->region[neurons->region[k]].f;
    const PetscReal square = PsdSquare(f, neurons->filter + (size_t)k * neurons->f);
    const PetscReal tau = PetscAbsReal(square - 1) + PsdRoundings((PetscReal)f + 2) * square;
    S_norm[pair] += (1 + square) * PetscAbsReal(neurons->weight[k]);
    S_error[pair] += PetscAbsReal(neurons->weight[k]) * (2.5 * tau + (PetscReal)f * PSD_TINY);
  }
  *most = 0;
  for (PetscInt g = 0; g < blocks->G; g++) *most += (it->begin[g + 1] - it->begin[g]) * it->of_sample[g];
}

/* Of p, of s(p), of the weight, and of the sum over neurons and patches, in whatever class they are. */
static PetscReal Roundings(const Filters *it, PetscInt terms)
{
  return 2 * PsdProductRoundings((PetscReal)it->problem->blocks->f_max) + 8 + (PetscReal)terms;
}

static PetscErrorCode SumLosses(Filters *it, PsdPatchMatrix patches, PsdPrimalPoint *primal)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C, G = problem->blocks->G;
  PetscReal *S_norm, *S_error, *delta;
  const PetscReal *norm, *error;
  PetscInt terms;
  PsdPredictionSums sums = {.change = 0};
  PetscCall(PetscCalloc3(C * G, &S_norm, C * G, &S_error, C, &delta));
  BoundMatrix(it, S_norm, S_error, &terms);
  PetscCall(PsdPatchMatrixGetBounds(patches, &norm, &error));
  const PsdMatrixBounds bounds = {S_norm, S_error, PsdRoundings(Roundings(it, terms))};
  for (PetscInt i = 0; i < problem->n_local; i++) {
    const PsdSampleFeatures sample = {norm + (size_t)i * G, error + (size_t)i * G, PsdWeightOf(problem->weights, i)};
    PsdPredictionSumsAdd(&sums, problem, &bounds, it->yhat + (size_t)i * C, problem->Y + (size_t)i * C, &sample, delta);
  }
  PetscCall(PsdPredictionSumsFinish(&sums, problem, primal));
  PetscCall(PetscFree3(S_norm, S_error, delta));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFiltersEvaluate(PsdProblem problem, PsdPatchMatrix patches, const PsdNeurons *neurons,
                                  PsdPrimalPoint *primal, PetscReal *weight, PetscReal *weight_error)
{
  PetscFunctionBeginUser;
  Filters it;
  PetscCall(FiltersCreate(problem, patches, neurons, &it));
  PetscCall(PsdPatchMatrixPass(patches, AddTile, &it));
  PetscCall(SumLosses(&it, patches, primal));
  PetscCall(FiltersDestroy(&it));
  *weight = 0;
  for (PetscInt k = 0; k < neurons->N; k++) *weight += PetscAbsReal(neurons->weight[k]);
  *weight_error = PsdRoundings((PetscReal)neurons->N) * *weight;
  PetscFunctionReturn(0);
}
