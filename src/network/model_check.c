/*
   What must hold of a model, whether it is about to be written or has been read: sizes that agree and can be worked
   with, numbers that are finite, neurons that point at regions and classes there are, filters of unit length.
*/
#include "network.h"
#include "losses/losses.h"
#include <float.h>
#include <math.h>

#define MAX_IMAGE_SIDE 16384 /* beyond these a file is taken to be damaged */
#define MAX_CHANNELS 65536
#define MAX_PATCH_NUMBERS 65536

static void CheckRange(const char path[], const char name[], PetscInt value, PetscInt low, PetscInt high,
                       PsdFailure *failure)
{
  if (value >= low && value <= high) return;
  if (low == high)
    PsdFailureRecord(failure, "%s: %s is %" PetscInt_FMT ", expected %" PetscInt_FMT, path, name, value, low);
  else
    PsdFailureRecord(failure, "%s: %s is %" PetscInt_FMT ", expected %" PetscInt_FMT " to %" PetscInt_FMT, path, name,
                     value, low, high);
}

static void CheckGeometry(const PsdPatchGeometry *g, const char path[], PsdFailure *failure)
{
  CheckRange(path, "channels", g->channels, 1, MAX_CHANNELS, failure);
  CheckRange(path, "height", g->height, 1, MAX_IMAGE_SIDE, failure);
  CheckRange(path, "width", g->width, 1, MAX_IMAGE_SIDE, failure);
  CheckRange(path, "reduce", g->reduce, 1, PetscMin(g->height, g->width), failure);
  if (failure->failed) return;
  const PetscInt height = g->height / g->reduce, width = g->width / g->reduce;
  CheckRange(path, "patch_height", g->patch_height, 1, height, failure);
  CheckRange(path, "patch_width", g->patch_width, 1, width, failure);
  CheckRange(path, "stride", g->stride, 1, PETSC_MAX_INT, failure);
  if (failure->failed) return;
  const PetscInt rows = (height - g->patch_height) / g->stride + 1;
  const PetscInt columns = (width - g->patch_width) / g->stride + 1;
  CheckRange(path, "pool", g->pool, 1, PetscMin(rows, columns), failure);
  CheckRange(path, "pool_overlap", g->overlap, 0, PetscMin(rows, columns) - 1, failure);
  CheckRange(path, "pool_shared", g->shared, 0, 1, failure);
}

static void CheckBranch(const PsdModelBranch *branch, const char path[], PsdFailure *failure)
{
  const PsdPatchGeometry *g = &branch->geometry;

  CheckGeometry(g, path, failure);
  if (failure->failed) return;
  const PetscInt64 q = (PetscInt64)g->channels * g->patch_height * g->patch_width;
  if (q > MAX_PATCH_NUMBERS)
    PsdFailureRecord(failure, "%s: a patch has %" PetscInt64_FMT " numbers, expected at most %d", path, q,
                     MAX_PATCH_NUMBERS);
  CheckRange(path, "lift", g->lift, 0, PSD_LIFTS - 1, failure);
  if (!branch->has_transform) return;
  if (g->lift == PSD_LIFT_LINEAR)
    PsdFailureRecord(failure, "%s: a branch with linear neurons has a transform, expected none", path);
  if (branch->q != q)
    PsdFailureRecord(failure,
                     "%s: the transform takes patches of %" PetscInt_FMT " numbers, but they have %" PetscInt64_FMT,
                     path, branch->q, q);
  CheckRange(path, "columns of the transform", branch->f, 1, (PetscInt)q, failure);
}

/* Numbers in a patch of the program. */
static PetscInt Dimension(const PsdModelBranch *branch)
{
  const PsdPatchGeometry *g = &branch->geometry;
  return branch->has_transform ? branch->f : g->channels * g->patch_height * g->patch_width;
}

PetscInt PsdModelDimension(const PsdModel *model)
{
  PetscInt f = 0;

  for (PetscInt b = 0; b < model->branches; b++) f = PetscMax(f, Dimension(&model->branch[b]));
  return f;
}

/* That what patches are cut of is the map of a stage, or its responses. */
static void CheckMap(const PsdModelStage *stage, const PsdPatchGeometry *patches, const char path[],
                     PsdFailure *failure)
{
  const PetscInt channels = PsdModelChannels(stage, patches), side = PsdModelSide(stage, patches);

  CheckRange(path, "channels", patches->channels, channels, channels, failure);
  CheckRange(path, "height", patches->height, side, side, failure);
  CheckRange(path, "width", patches->width, side, side, failure);
}

static void CheckStage(const PsdModelStage *stage, const char path[], PsdFailure *failure)
{
  const PsdMapGeometry *map = &stage->map;

  CheckBranch(&stage->images, path, failure);
  CheckRange(path, "count", map->count, 1, MAX_CHANNELS / 2, failure);
  CheckRange(path, "split", stage->split, 0, 1, failure);
  if (failure->failed) return;
  const PetscInt raw = (map->split ? 2 : 1) * map->count;
  CheckRange(path, "map_channels", map->channels, 0, raw, failure);
  if (map->responses != 0)
    CheckRange(path, "side of the responses", map->responses, 1, stage->images.geometry.pool, failure);
  if (map->responses > 0 && stage->images.geometry.pool % map->responses != 0)
    PsdFailureRecord(failure,
                     "%s: the side of the responses is %" PetscInt_FMT ", expected a divisor of %" PetscInt_FMT, path,
                     map->responses, stage->images.geometry.pool);
  const PetscInt f = Dimension(&stage->images);
  CheckRange(path, "columns of the stage's filters", stage->f, f, f, failure);
  if (map->channels > 0) {
    CheckRange(path, "rows of the transform of channels", stage->rows, raw, raw, failure);
    CheckRange(path, "columns of the transform of channels", stage->columns, map->channels, map->channels, failure);
  }
}

/* Each stage's patches are of the map below. */
void PsdModelCheckStages(const PsdModel *model, const char path[], PsdFailure *failure)
{
  CheckRange(path, "stage", model->stages, 0, PSD_MOST_STAGES, failure);
  for (PetscInt l = 0; l < model->stages && !failure->failed; l++) {
    CheckStage(&model->stage[l], path, failure);
    if (!failure->failed && l + 1 < model->stages)
      CheckMap(&model->stage[l], &model->stage[l + 1].images.geometry, path, failure);
  }
}

/* The branches are of the map of their stage, or of its responses. */
static void CheckStageOf(const PsdModel *model, const PsdModelBranch *branch, const char path[], PsdFailure *failure)
{
  const PsdPatchGeometry *g = &branch->geometry;

  CheckRange(path, "of_stage", g->stage, 0, model->stages, failure);
  CheckRange(path, "responses of a branch", g->responses, 0, model->stages > 0, failure);
  if (failure->failed || model->stages == 0) return;
  const PsdModelStage *stage = PsdModelMapOf(model, branch);
  if (g->responses && stage->map.responses == 0)
    PsdFailureRecord(failure, "%s: a branch is cut of responses, but its stage keeps none", path);
  else CheckMap(stage, g, path, failure);
}

void PsdModelCheckBranches(const PsdModel *model, const char path[], PsdFailure *failure)
{
  PsdModelCheckStages(model, path, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++)
    CheckStageOf(model, &model->branch[b], path, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) CheckBranch(&model->branch[b], path, failure);
}

void PsdModelCheckSizes(const PsdModel *model, const char path[], PsdFailure *failure)
{
  PsdModelCheckBranches(model, path, failure);
  if (failure->failed) return;
  const PetscInt f = PsdModelDimension(model);
  CheckRange(path, "columns of the filters", model->f, f, f, failure);
  CheckRange(path, "outputs", model->outputs, 0, PETSC_MAX_INT, failure);
  if (model->outputs == 0) CheckRange(path, "number of classes", model->count, 2, PETSC_MAX_INT, failure);
  CheckRange(path, "flip", model->training.flip, 0, 1, failure);
  if (model->training.shifts > 1 && model->training.shifts != 5)
    CheckRange(path, "shifts", model->training.shifts, 9, 9, failure);
  CheckRange(path, "n_train", model->training.n_train, 0, PETSC_MAX_INT, failure);
}

static void CheckFinite(const char path[], const char name[], size_t count, const PetscReal values[],
                        PsdFailure *failure)
{
  for (size_t k = 0; k < count && !failure->failed; k++)
    if (!isfinite(values[k]))
      PsdFailureRecord(failure, "%s: %s is not finite: found %g", path, name, (double)values[k]);
}

/* What makes numbers and their sums exact in double precision: step a power of two, low a multiple of it, and neither so
   large that numbers of levels are lost. */
#define LEAST_STEP_EXPONENT (-200)
#define MOST_STEP_EXPONENT 200
#define MOST_LOW_LEVEL 137438953472. /* 2^37 */
#define MOST_SUM 4503599627370496.   /* 2^52 */

static void CheckLevels(const PsdPatchGeometry *g, const char path[], PsdFailure *failure)
{
  int exponent;

  CheckFinite(path, "pixel_step", 1, &g->step, failure);
  CheckFinite(path, "pixel_low", 1, &g->low, failure);
  if (failure->failed || (g->step == 0 && g->low == 0)) return;
  if (g->map || frexp(g->step, &exponent) != 0.5 || exponent < LEAST_STEP_EXPONENT || exponent > MOST_STEP_EXPONENT)
    PsdFailureRecord(failure, "%s: pixel_step is %g, expected a power of two, and of maps none", path, (double)g->step);
  else if (floor(g->low / g->step) != g->low / g->step || fabs(g->low / g->step) > MOST_LOW_LEVEL)
    PsdFailureRecord(failure, "%s: pixel_low is %g, expected a multiple of pixel_step, %g, by 2^37 at most", path,
                     (double)g->low, (double)g->step);
  else if ((fabs(g->low / g->step) + UINT16_MAX) * g->reduce * g->reduce > MOST_SUM)
    PsdFailureRecord(failure, "%s: pixel_low is %g, too far away for sums over %" PetscInt_FMT " x %" PetscInt_FMT,
                     path, (double)g->low, g->reduce, g->reduce);
}

static void CheckPixels(const PsdPatchGeometry *g, const char path[], PsdFailure *failure)
{
  if (g->map && (g->reduce > 1 || g->normalize != 0 || g->pixel_shift != 0 || g->pixel_scale != 1))
    PsdFailureRecord(
        failure, "%s: patches of maps take their numbers as they are, found reduce, patch_normalize or pixels", path);
  if (g->bits) CheckRange(path, "bits", g->bits, 16, 16, failure);
  CheckLevels(g, path, failure);
  CheckFinite(path, "pixel_shift", 1, &g->pixel_shift, failure);
  CheckFinite(path, "pixel_scale", 1, &g->pixel_scale, failure);
  CheckFinite(path, "patch_normalize", 1, &g->normalize, failure);
  if (g->pixel_scale <= 0)
    PsdFailureRecord(failure, "%s: pixel_scale is %g, expected above 0", path, (double)g->pixel_scale);
  if (g->normalize < 0)
    PsdFailureRecord(failure, "%s: patch_normalize is %g, expected at least 0", path, (double)g->normalize);
}

static void CheckLossParameter(const PsdTraining *training, const char path[], PsdFailure *failure)
{
  const PsdLossOps *ops = PsdLossFind(training->loss);

  if (!ops || !ops->parameter) return;
  CheckFinite(path, ops->parameter->name, 1, &training->loss_parameter, failure);
  if (training->loss_parameter < 0)
    PsdFailureRecord(failure, "%s: %s is %g, expected at least 0", path, ops->parameter->name,
                     (double)training->loss_parameter);
}

static void CheckTraining(const PsdModel *model, const char path[], PsdFailure *failure)
{
  const PsdTraining *t = &model->training;

  CheckFinite(path, "beta", 1, &t->beta, failure);
  CheckFinite(path, "beta_max", 1, &t->beta_max, failure);
  CheckFinite(path, "objective_primal", 1, &t->objective_primal, failure);
  CheckFinite(path, "objective_dual", 1, &t->objective_dual, failure);
  CheckFinite(path, "gap", 1, &t->gap, failure);
  CheckFinite(path, "activation", 3, t->activation, failure);
  CheckLossParameter(t, path, failure);
  if (t->beta < 0) PsdFailureRecord(failure, "%s: beta is %g, expected at least 0", path, (double)t->beta);
}

static void CheckLabels(const PsdModel *model, const char path[], PsdFailure *failure)
{
  for (PetscInt k = 0; k < model->count && !failure->failed; k++)
    for (PetscInt j = 0; j < k; j++)
      if (model->labels[j] == model->labels[k])
        PsdFailureRecord(failure, "%s: label %" PetscInt_FMT " stands for two classes", path, model->labels[k]);
}

/* A filter that was divided by its length in single precision: the sum of f squares and its root are off by (f/2 + 1)
   roundings, and each quotient is rounded once more. */
static PetscReal UnitTolerance(PetscInt f)
{
  return ((PetscReal)f / 2 + 4) * FLT_EPSILON / 2;
}

static void CheckUnit(const PsdModel *model, PetscInt neuron, const char path[], PsdFailure *failure)
{
  const PetscReal length = PsdFilterLength(model->f, model->filters + (size_t)neuron * model->f);

  if (!(PetscAbsReal(length - 1) <= UnitTolerance(model->f)))
    PsdFailureRecord(failure, "%s: filter %" PetscInt_FMT " has length %.12g, expected 1 within %.2g", path, neuron,
                     (double)length, (double)UnitTolerance(model->f));
}

static void CheckNeurons(const PsdModel *model, const char path[], PsdFailure *failure)
{
  const PetscInt C = PsdScoreCount(model->count, model->outputs);
  PetscInt G = 0;

  for (PetscInt b = 0; b < model->branches; b++) G += model->branch[b].geometry.pool * model->branch[b].geometry.pool;

  CheckFinite(path, "a weight", (size_t)model->N, model->weights, failure);
  CheckFinite(path, "a filter", (size_t)model->N * model->f, model->filters, failure);
  for (PetscInt k = 0; k < model->N && !failure->failed; k++) {
    CheckRange(path, "the region of a neuron", model->regions[k], 0, G - 1, failure);
    CheckRange(path, "the class of a neuron", model->classes[k], 0, C - 1, failure);
    CheckUnit(model, k, path, failure);
  }
}

/* The branch of a neuron in region g. */
static const PsdModelBranch *BranchOf(const PsdModel *model, PetscInt g)
{
  const PsdModelBranch *branch = model->branch;
  for (PetscInt regions; g >= (regions = branch->geometry.pool * branch->geometry.pool); branch++) g -= regions;
  return branch;
}

void PsdModelCheckPadding(const PsdModel *model, const char path[], PsdFailure *failure)
{
  for (PetscInt k = 0; k < model->N && !failure->failed; k++) {
    const PetscReal *filter = model->filters + (size_t)k * model->f;
    const PetscInt own = Dimension(BranchOf(model, model->regions[k]));
    for (PetscInt i = own; i < model->f; i++)
      if (filter[i] != 0)
        PsdFailureRecord(
            failure,
            "%s: filter %" PetscInt_FMT " goes on beyond the %" PetscInt_FMT
            " numbers of its branch's patches, where it has to end: such a network predicts, but it can be "
            "neither certified nor started from",
            path, k, own);
  }
}

static void CheckBranchNumbers(const PsdModelBranch *branch, const char path[], PsdFailure *failure)
{
  CheckPixels(&branch->geometry, path, failure);
  if (!branch->has_transform) return;
  CheckFinite(path, "the transform", (size_t)branch->q * branch->f, branch->transform, failure);
  CheckFinite(path, "the mean", (size_t)branch->q, branch->mean, failure);
}

/* What a stage says of the network that its filters are of. */
static void CheckOrigin(const PsdMapOrigin *origin, const char path[], PsdFailure *failure)
{
  CheckRange(path, "network_neurons", origin->neurons, 0, PETSC_MAX_INT, failure);
  CheckFinite(path, "network_beta", 1, &origin->beta, failure);
  CheckFinite(path, "network_objective_primal", 1, &origin->primal, failure);
  CheckFinite(path, "network_objective_dual", 1, &origin->bound, failure);
  CheckFinite(path, "network_gap", 1, &origin->gap, failure);
}

static void CheckStageNumbers(const PsdModelStage *stage, const char path[], PsdFailure *failure)
{
  CheckOrigin(&stage->origin, path, failure);
  CheckBranchNumbers(&stage->images, path, failure);
  CheckFinite(path, "a filter of the stage", (size_t)stage->map.count * stage->f, stage->filters, failure);
  CheckFinite(path, "threshold", 1, &stage->map.threshold, failure);
  CheckFinite(path, "map_normalize", 1, &stage->map.normalize, failure);
  CheckFinite(path, "response_scale", 1, &stage->map.response_scale, failure);
  if (stage->map.response_scale < 0)
    PsdFailureRecord(failure, "%s: response_scale is %g, expected at least 0", path, (double)stage->map.response_scale);
  if (stage->map.threshold < 0 || stage->map.normalize < 0)
    PsdFailureRecord(failure, "%s: threshold and map_normalize are %g and %g, expected at least 0", path,
                     (double)stage->map.threshold, (double)stage->map.normalize);
  if (stage->map.channels == 0) return;
  CheckFinite(path, "the transform of channels", (size_t)stage->rows * stage->columns, stage->transform, failure);
  CheckFinite(path, "the mean of channels", (size_t)stage->rows, stage->mean, failure);
}

void PsdModelCheckNumbers(const PsdModel *model, const char path[], PsdFailure *failure)
{
  if (failure->failed) return;
  CheckTraining(model, path, failure);
  CheckLabels(model, path, failure);
  for (PetscInt l = 0; l < model->stages; l++) CheckStageNumbers(&model->stage[l], path, failure);
  for (PetscInt b = 1; b < model->branches; b++) {
    const PsdPatchGeometry *g = &model->branch[b].geometry, *first = &model->branch[0].geometry;
    if (g->bits != first->bits || g->step != first->step || g->low != first->low)
      PsdFailureRecord(failure, "%s: branches are of images of different bits a pixel, or different levels", path);
  }
  for (PetscInt b = 0; b < model->branches; b++) CheckBranchNumbers(&model->branch[b], path, failure);
  CheckNeurons(model, path, failure);
}
