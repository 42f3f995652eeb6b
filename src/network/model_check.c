/*
   What must hold of a model, whether it is about to be written or has been read: sizes that agree and can be worked
   with, numbers that are finite, neurons that point at regions and classes there are, filters of unit length.
*/
#include "network.h"
#include <math.h>

#define MAX_IMAGE_SIDE 16384 /* beyond these a file is taken to be damaged */
#define MAX_CHANNELS 65536
#define MAX_PATCH_NUMBERS 65536
#define UNIT_TOLERANCE 1e-8

static void CheckRange(const char path[], const char name[], PetscInt value, PetscInt low, PetscInt high,
                       PsdStatus *status)
{
  if (value < low || value > high)
    PsdStatusFail(status, "%s: %s is %" PetscInt_FMT ", expected %" PetscInt_FMT " to %" PetscInt_FMT, path, name,
                  value, low, high);
}

static void CheckGeometry(const PsdPatchGeometry *g, const char path[], PsdStatus *status)
{
  CheckRange(path, "channels", g->channels, 1, MAX_CHANNELS, status);
  CheckRange(path, "height", g->height, 1, MAX_IMAGE_SIDE, status);
  CheckRange(path, "width", g->width, 1, MAX_IMAGE_SIDE, status);
  CheckRange(path, "patch_height", g->patch_height, 1, g->height, status);
  CheckRange(path, "patch_width", g->patch_width, 1, g->width, status);
  CheckRange(path, "stride", g->stride, 1, PETSC_MAX_INT, status);
  if (status->failed) return;
  const PetscInt rows = (g->height - g->patch_height) / g->stride + 1;
  const PetscInt columns = (g->width - g->patch_width) / g->stride + 1;
  CheckRange(path, "pool", g->pool, 1, PetscMin(rows, columns), status);
}

void PsdModelCheckSizes(const PsdModel *model, const char path[], PsdStatus *status)
{
  const PsdPatchGeometry *g = &model->geometry;

  if (status->failed) return;
  CheckGeometry(g, path, status);
  if (status->failed) return;
  const PetscInt64 q = (PetscInt64)g->channels * g->patch_height * g->patch_width;
  if (q > MAX_PATCH_NUMBERS)
    PsdStatusFail(status, "%s: a patch has %" PetscInt64_FMT " numbers, expected at most %d", path, q,
                  MAX_PATCH_NUMBERS);
  if (model->has_transform && model->q != q)
    PsdStatusFail(status,
                  "%s: the transform takes patches of %" PetscInt_FMT " numbers, but they have %" PetscInt64_FMT, path,
                  model->q, q);
  CheckRange(path, model->has_transform ? "columns of the transform" : "columns of the filters", model->f,
             model->has_transform ? 1 : (PetscInt)q, (PetscInt)q, status);
  CheckRange(path, "number of classes", model->count, 2, PETSC_MAX_INT, status);
  CheckRange(path, "flip", model->training.flip, 0, 1, status);
  CheckRange(path, "n_train", model->training.n_train, 0, PETSC_MAX_INT, status);
}

static void CheckFinite(const char path[], const char name[], size_t count, const PetscReal values[], PsdStatus *status)
{
  for (size_t k = 0; k < count && !status->failed; k++)
    if (!isfinite(values[k])) PsdStatusFail(status, "%s: %s is not finite: found %g", path, name, (double)values[k]);
}

static void CheckTraining(const PsdModel *model, const char path[], PsdStatus *status)
{
  const PsdTraining *t = &model->training;
  const PsdPatchGeometry *g = &model->geometry;

  CheckFinite(path, "beta", 1, &t->beta, status);
  CheckFinite(path, "beta_max", 1, &t->beta_max, status);
  CheckFinite(path, "objective_primal", 1, &t->objective_primal, status);
  CheckFinite(path, "objective_dual", 1, &t->objective_dual, status);
  CheckFinite(path, "gap", 1, &t->gap, status);
  CheckFinite(path, "activation", 3, t->activation, status);
  CheckFinite(path, "pixel_shift", 1, &g->pixel_shift, status);
  CheckFinite(path, "pixel_scale", 1, &g->pixel_scale, status);
  CheckFinite(path, "patch_normalize", 1, &g->normalize, status);
  if (t->beta < 0) PsdStatusFail(status, "%s: beta is %g, expected at least 0", path, (double)t->beta);
  if (g->pixel_scale <= 0)
    PsdStatusFail(status, "%s: pixel_scale is %g, expected above 0", path, (double)g->pixel_scale);
  if (g->normalize < 0)
    PsdStatusFail(status, "%s: patch_normalize is %g, expected at least 0", path, (double)g->normalize);
}

static void CheckLabels(const PsdModel *model, const char path[], PsdStatus *status)
{
  for (PetscInt k = 0; k < model->count && !status->failed; k++)
    for (PetscInt j = 0; j < k; j++)
      if (model->labels[j] == model->labels[k])
        PsdStatusFail(status, "%s: label %" PetscInt_FMT " stands for two classes", path, model->labels[k]);
}

static void CheckUnit(const PsdModel *model, PetscInt neuron, const char path[], PsdStatus *status)
{
  const PetscReal *filter = model->filters + (size_t)neuron * model->f;
  PetscReal square = 0;

  for (PetscInt k = 0; k < model->f; k++) square += filter[k] * filter[k];
  if (!(PetscAbsReal(PetscSqrtReal(square) - 1) <= UNIT_TOLERANCE))
    PsdStatusFail(status, "%s: filter %" PetscInt_FMT " has length %.12g, expected 1", path, neuron,
                  (double)PetscSqrtReal(square));
}

static void CheckNeurons(const PsdModel *model, const char path[], PsdStatus *status)
{
  const PetscInt G = model->geometry.pool * model->geometry.pool, C = PsdScoreCount(model->count);

  CheckFinite(path, "a weight", (size_t)model->N, model->weights, status);
  CheckFinite(path, "a filter", (size_t)model->N * model->f, model->filters, status);
  for (PetscInt k = 0; k < model->N && !status->failed; k++) {
    CheckRange(path, "the region of a neuron", model->regions[k], 0, G - 1, status);
    CheckRange(path, "the class of a neuron", model->classes[k], 0, C - 1, status);
    CheckUnit(model, k, path, status);
  }
}

void PsdModelCheckNumbers(const PsdModel *model, const char path[], PsdStatus *status)
{
  if (status->failed) return;
  CheckTraining(model, path, status);
  CheckLabels(model, path, status);
  if (model->has_transform) {
    CheckFinite(path, "the transform", (size_t)model->q * model->f, model->transform, status);
    CheckFinite(path, "the mean", (size_t)model->q, model->mean, status);
  }
  CheckNeurons(model, path, status);
}
