/*
   model.h5 into PsdModel, of versions 1 to 8 (docs/formats.md). On one rank; what fails is recorded.
*/
#include "losses/losses.h"
#include "model_layout.h"
#include <string.h>
#include <unistd.h>

static void ReadPlaces(PsdH5Group file, const PsdPlaces *list, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < list->count; k++)
    if (!list->place[k].optional || PsdH5HasAttribute(file, list->place[k].name))
      PsdH5ReadAttribute(file, list->place[k].name, list->place[k].kind, PetscMax(1, list->place[k].count),
                         PsdModelMember(whole, list->place[k].offset), failure);
}

/* Each parameter that a loss has is an attribute, of which only that of the network's own loss says something;
   absent: 0. */
static void ReadLossParameter(PsdH5Group file, PsdTraining *training, PsdFailure *failure)
{
  const PsdLossOps *ops = PsdLossFind(training->loss);

  if (ops && ops->parameter && PsdH5HasAttribute(file, ops->parameter->name))
    PsdH5ReadAttribute(file, ops->parameter->name, PSD_H5_REAL, 1, &training->loss_parameter, failure);
}

/* *version: what the seal says, 0 without one; then what the attribute says. */
static void ReadHeader(PsdH5Group file, PetscInt *version, PsdFailure *failure)
{
  char format[32] = "";
  PetscInt found = 0;

  PsdH5ReadText(file, "format", format, sizeof(format), failure);
  if (!failure->failed && strcmp(format, PSD_MODEL_FORMAT))
    PsdFailureRecord(failure, "%s: format is '%s', expected '%s'", file.path, format, PSD_MODEL_FORMAT);
  PsdH5ReadAttribute(file, "version", PSD_H5_INTEGER, 1, &found, failure);
  if (!failure->failed && *version != 0 && found != *version)
    PsdFailureRecord(failure,
                     "%s: attribute 'version' is %" PetscInt_FMT ", but the file begins as version %" PetscInt_FMT,
                     file.path, found, *version);
  if (!failure->failed && *version == 0 && (found < 1 || found > PSD_MODEL_LAST_UNSEALED))
    PsdFailureRecord(
        failure, "%s: model file of version %" PetscInt_FMT ", expected version 1 or 2, or a checksum at the beginning",
        file.path, found);
  *version = found;
}

/* Of classes or of outputs. */
static void ReadNames(PsdH5Group file, const char name[], PetscInt count, PsdModel *model, PsdFailure *failure)
{
  if (PsdH5HasAttribute(file, name))
    model->names = (char(*)[PSD_CLASS_NAME_LENGTH])PsdH5ReadTexts(file, name, count, PSD_CLASS_NAME_LENGTH, failure);
}

static void ReadClasses(PsdH5Group file, PsdModel *model, PsdFailure *failure)
{
  PsdH5ReadLabels(file, "classes", &model->count, &model->labels, failure);
  ReadNames(file, PSD_MODEL_CLASS_NAMES, model->count, model, failure);
}

/* What the root says of the problem. */
static void ReadProblem(PsdH5Group file, PetscInt version, PsdModel *model, PsdFailure *failure)
{
  model->branches = 1;
  ReadPlaces(file, &PsdProblemAttributes, model, failure);
  PsdH5ReadText(file, "loss", model->training.loss, sizeof(model->training.loss), failure);
  ReadLossParameter(file, &model->training, failure);
  ReadPlaces(file, &PsdLaterAttributes, model, failure);
  if (model->outputs == 0) ReadClasses(file, model, failure);
  if (model->outputs > 0) ReadNames(file, PSD_MODEL_OUTPUT_NAMES, model->outputs, model, failure);
  if (version > 1) PsdH5ReadAttribute(file, "branches", PSD_H5_INTEGER, 1, &model->branches, failure);
  if (!failure->failed && (model->branches < 1 || model->branches > PSD_MOST_BRANCHES))
    PsdFailureRecord(failure, "%s: branches is %" PetscInt_FMT ", expected 1 to %d", file.path, model->branches,
                     PSD_MOST_BRANCHES);
  if (!failure->failed && (model->stages < 0 || model->stages > PSD_MOST_STAGES))
    PsdFailureRecord(failure, "%s: stage is %" PetscInt_FMT ", expected 0 to %d", file.path, model->stages,
                     PSD_MOST_STAGES);
}

/* The first data set that has an extent says what it is; the others must agree. Extents begin as -1. */
static void ReadShapes(PsdH5Group file, const PsdArrayPlaces *list, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < list->count; k++) {
    PetscInt shape[2] = {0, 0};
    PsdH5ReadShape(file, list->place[k].name, list->place[k].axes, shape, failure);
    for (int axis = 0; axis < list->place[k].axes && !failure->failed; axis++) {
      PetscInt *extent = PsdModelMember(whole, list->place[k].extent[axis]);
      if (*extent < 0) *extent = shape[axis];
      if (*extent != shape[axis])
        PsdFailureRecord(failure, "%s: data set %s has %" PetscInt_FMT " along axis %d, expected %" PetscInt_FMT,
                         file.path, list->place[k].name, shape[axis], axis, *extent);
    }
  }
}

static void ReadArrays(PsdH5Group file, const PsdArrayPlaces *list, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < list->count; k++) {
    void **values = PsdModelMember(whole, list->place[k].offset);
    *values = PsdH5ReadArray(file, list->place[k].name, list->place[k].kind, failure);
  }
}

static void ReadGeometry(PsdH5Group file, PsdModelBranch *branch, PsdFailure *failure)
{
  ReadPlaces(file, &PsdBranchAttributes, branch, failure);
  ReadPlaces(file, &PsdBitsAttributes, branch, failure);
  ReadPlaces(file, &PsdLevelAttributes, branch, failure);
  ReadPlaces(file, &PsdSharedAttributes, branch, failure);
}

static void ReadOrigin(PsdH5Group group, PsdModelStage *stage, PsdFailure *failure)
{
  if (!PsdH5HasAttribute(group, PSD_MODEL_ORIGIN_LOSS)) return;
  PsdH5ReadText(group, PSD_MODEL_ORIGIN_LOSS, stage->origin.loss, sizeof(stage->origin.loss), failure);
  ReadPlaces(group, &PsdOriginAttributes, stage, failure);
}

/* A stage, but for its arrays. */
static void ReadStage(PsdH5Group file, PetscInt l, PsdModelStage *stage, PsdFailure *failure)
{
  char name[PSD_GROUP_NAME];

  PsdModelStageName(l, name);
  PsdH5Group group = PsdH5OpenGroup(file, name, failure);
  stage->images.geometry.reduce = 1;
  stage->images.geometry.map = (PetscBool)(l > 0);
  stage->images.q = stage->images.f = stage->f = stage->rows = stage->columns = -1;
  ReadPlaces(group, &PsdStageAttributes, stage, failure);
  ReadGeometry(group, &stage->images, failure);
  ReadOrigin(group, stage, failure);
  stage->map.split = (PetscBool)(stage->split != 0);
  stage->images.has_transform = failure->failed ? PETSC_FALSE : PsdH5Exists(group, "preprocess", failure);
  if (stage->images.has_transform) ReadShapes(group, &PsdTransformArrays, &stage->images, failure);
  ReadShapes(group, &PsdFilterArrays, stage, failure);
  if (!failure->failed && stage->map.channels > 0) ReadShapes(group, &PsdChannelArrays, stage, failure);
  PsdH5CloseGroup(&group);
}

static void ReadStageArrays(PsdH5Group file, PetscInt l, PsdModelStage *stage, PsdFailure *failure)
{
  char name[PSD_GROUP_NAME];

  PsdModelStageName(l, name);
  PsdH5Group group = PsdH5OpenGroup(file, name, failure);
  if (stage->images.has_transform) ReadArrays(group, &PsdTransformArrays, &stage->images, failure);
  ReadArrays(group, &PsdFilterArrays, stage, failure);
  if (stage->map.channels > 0) ReadArrays(group, &PsdChannelArrays, stage, failure);
  PsdH5CloseGroup(&group);
}

/* Where the number of stages was refused, `stage` has no such. */
static void ReadStages(PsdH5Group file, PsdModel *model, PsdFailure *failure)
{
  for (PetscInt l = 0; l < model->stages && !failure->failed; l++) ReadStage(file, l, &model->stage[l], failure);
  PsdModelCheckStages(model, file.path, failure);
}

static void ReadArraysOfStages(PsdH5Group file, PsdModel *model, PsdFailure *failure)
{
  for (PetscInt l = 0; l < model->stages && !failure->failed; l++) ReadStageArrays(file, l, &model->stage[l], failure);
}

/* What `/` says of channels, height and width is of the first branch. */
static void TakeMapSize(const PsdModelStage *stage, PsdPatchGeometry *g)
{
  g->channels = PsdModelChannels(stage, g);
  g->height = g->width = PsdModelSide(stage, g);
}

/* Geometry, and the shape of what follows it. */
static void ReadBranch(PsdH5Group file, const PsdModel *model, PsdModelBranch *branch, PsdFailure *failure)
{
  branch->geometry = model->branch[0].geometry;
  branch->geometry.map = (PetscBool)(model->stages > 0);
  branch->geometry.reduce = 1;
  branch->geometry.overlap = branch->geometry.shared = 0;
  branch->geometry.lift = PSD_LIFT_QUADRATIC;
  branch->geometry.stage = branch->geometry.responses = 0;
  branch->q = branch->f = -1;
  ReadGeometry(file, branch, failure);
  ReadPlaces(file, &PsdLaterBranchAttributes, branch, failure);
  if (!failure->failed && (branch->geometry.stage < 0 || branch->geometry.stage > model->stages))
    PsdFailureRecord(failure, "%s: of_stage is %" PetscInt_FMT ", expected 0 to %" PetscInt_FMT, file.path,
                     branch->geometry.stage, model->stages);
  if (failure->failed) return;
  if (branch != model->branch && model->stages > 0) TakeMapSize(PsdModelMapOf(model, branch), &branch->geometry);
  branch->has_transform = PsdH5Exists(file, "preprocess", failure);
  if (branch->has_transform) ReadShapes(file, &PsdTransformArrays, branch, failure);
}

/* Where branch b is described: the root itself, or its group, which is then opened. */
static PsdH5Group BranchOf(PsdH5Group file, PetscBool grouped, PetscInt b, PsdFailure *failure)
{
  char name[PSD_GROUP_NAME];

  if (!grouped) return file;
  PsdModelBranchName(b, name);
  return PsdH5OpenGroup(file, name, failure);
}

static void ReadBranches(PsdH5Group file, PetscBool grouped, PsdModel *model, PsdFailure *failure)
{
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    PsdH5Group where = BranchOf(file, grouped, b, failure);
    ReadBranch(where, model, &model->branch[b], failure);
    if (grouped) PsdH5CloseGroup(&where);
  }
}

static void ReadTransforms(PsdH5Group file, PetscBool grouped, PsdModel *model, PsdFailure *failure)
{
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    PsdH5Group where = BranchOf(file, grouped, b, failure);
    if (model->branch[b].has_transform) ReadArrays(where, &PsdTransformArrays, &model->branch[b], failure);
    if (grouped) PsdH5CloseGroup(&where);
  }
}

static void ReadModel(PsdH5Group file, PetscInt version, PsdModel *model, PsdFailure *failure)
{
  ReadHeader(file, &version, failure);
  ReadPlaces(file, &PsdResultAttributes, model, failure);
  ReadProblem(file, version, model, failure);
  const PetscBool grouped = PsdModelIsGrouped(version, model->branches);
  ReadStages(file, model, failure);
  ReadBranches(file, grouped, model, failure);
  model->N = model->f = -1;
  ReadShapes(file, &PsdNeuronArrays, model, failure);
  PsdModelCheckSizes(model, file.path, failure);
  if (!failure->failed) ReadArrays(file, &PsdNeuronArrays, model, failure);
  ReadTransforms(file, grouped, model, failure);
  ReadArraysOfStages(file, model, failure);
  PsdModelCheckNumbers(model, file.path, failure);
}

void PsdModelRead(const char path[], PsdModel *model, PsdFailure *failure)
{
  memset(model, 0, sizeof(*model));
  const int descriptor = failure->failed ? -1 : PsdFileOpenRegular(path, failure);
  if (descriptor < 0) return;
  const PetscInt version = PsdH5CheckSeal(descriptor, path, PSD_MODEL_FORMAT, PSD_MODEL_LAST, failure);
  PsdH5Group file = PsdH5Open(descriptor, path, version ? PSD_H5_SEAL : 0, failure);
  ReadModel(file, version, model, failure);
  PsdH5Close(&file);
  (void)close(descriptor);
}

void PsdModelReadProblem(PsdH5Group file, PsdModel *model, PsdFailure *failure)
{
  memset(model, 0, sizeof(*model));
  ReadProblem(file, PSD_MODEL_VERSION, model, failure);
  ReadStages(file, model, failure);
  ReadBranches(file, PETSC_TRUE, model, failure);
  PsdModelCheckBranches(model, file.path, failure);
  if (!failure->failed) model->f = PsdModelDimension(model);
  PsdModelCheckSizes(model, file.path, failure);
  ReadTransforms(file, PETSC_TRUE, model, failure);
  ReadArraysOfStages(file, model, failure);
  PsdModelCheckNumbers(model, file.path, failure);
}
