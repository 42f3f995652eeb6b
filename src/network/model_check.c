/*
   What must hold of a model, whether it is about to be written or has been read: sizes that agree and can be worked
   with, numbers that are finite, neurons that point at regions and classes there are, filters of unit length.
*/
#include "network.h"
#include "losses/losses.h"
#include <math.h>

#define MAX_IMAGE_SIDE 16384 /* beyond these a file is taken to be damaged */
#define MAX_CHANNELS 65536
#define MAX_PATCH_NUMBERS 65536
#define UNIT_TOLERANCE 1e-8

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
  if (!branch->has_transform) return;
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

void PsdModelCheckSizes(const PsdModel *model, const char path[], PsdFailure *failure)
{
  PetscInt f = 0;

  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    CheckBranch(&model->branch[b], path, failure);
    if (!failure->failed) f = PetscMax(f, Dimension(&model->branch[b]));
  }
  if (failure->failed) return;
  CheckRange(path, "columns of the filters", model->f, f, f, failure);
  CheckRange(path, "number of classes", model->count, 2, PETSC_MAX_INT, failure);
  CheckRange(path, "flip", model->training.flip, 0, 1, failure);
  CheckRange(path, "n_train", model->training.n_train, 0, PETSC_MAX_INT, failure);
}

static void CheckFinite(const char path[], const char name[], size_t count, const PetscReal values[],
                        PsdFailure *failure)
{
  for (size_t k = 0; k < count && !failure->failed; k++)
    if (!isfinite(values[k]))
      PsdFailureRecord(failure, "%s: %s is not finite: found %g", path, name, (double)values[k]);
}

static void CheckPixels(const PsdPatchGeometry *g, const char path[], PsdFailure *failure)
{
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

static void CheckUnit(const PsdModel *model, PetscInt neuron, const char path[], PsdFailure *failure)
{
  const PetscReal *filter = model->filters + (size_t)neuron * model->f;
  PetscReal square = 0;

  for (PetscInt k = 0; k < model->f; k++) square += filter[k] * filter[k];
  if (!(PetscAbsReal(PetscSqrtReal(square) - 1) <= UNIT_TOLERANCE))
    PsdFailureRecord(failure, "%s: filter %" PetscInt_FMT " has length %.12g, expected 1", path, neuron,
                     (double)PetscSqrtReal(square));
}

static void CheckNeurons(const PsdModel *model, const char path[], PsdFailure *failure)
{
  const PetscInt C = PsdScoreCount(model->count);
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

void PsdModelCheckNumbers(const PsdModel *model, const char path[], PsdFailure *failure)
{
  if (failure->failed) return;
  CheckTraining(model, path, failure);
  CheckLabels(model, path, failure);
  for (PetscInt b = 0; b < model->branches; b++) {
    const PsdModelBranch *branch = &model->branch[b];
    CheckPixels(&branch->geometry, path, failure);
    if (!branch->has_transform) continue;
    CheckFinite(path, "the transform", (size_t)branch->q * branch->f, branch->transform, failure);
    CheckFinite(path, "the mean", (size_t)branch->q, branch->mean, failure);
  }
  CheckNeurons(model, path, failure);
}
