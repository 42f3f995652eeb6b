/*
   model.h5 (docs/formats.md): tables of what the file holds and where in PsdModel it belongs, used for writing versions 3
   and, with a stage before the patches or shifted images, 4, of real targets or with linear neurons, 5, or, of images of
   real numbers or with several stages, 6, or with branches on responses, 7, and for reading versions 1 to 7. On one rank;
   what fails is recorded.
*/
#include "network.h"
#include "losses/losses.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "psdnet-model"
#define NAMES "class_names"
#define OUTPUT_NAMES "output_names"
#define VERSION 3       /* that is written where it says everything, as other readers know it, ... */
#define STAGE_VERSION 4 /* ... with a stage or shifts, which they must not pass over, ... */
#define LATER_VERSION 5 /* ... of outputs in the place of classes, with pixels of 16 bits or linear neurons, ... */
#define LEVEL_VERSION 6 /* ... of images of real numbers and of stages one on another, ... */
#define LAST_VERSION 7  /* ... and with branches on the responses of a stage */
#define LAST_UNSEALED 2 /* files of this version and of 1 begin as HDF5 does, without a checksum */

typedef struct {
  const char *name;
  PsdH5Kind kind;
  PetscInt count; /* 0: a scalar */
  size_t offset;
  PetscBool optional; /* 0 when absent: files from before there was one */
} Place;

/* Of the root, in PsdModel: what training found, ... */
static const Place result_attributes[] = {
    {"beta_max", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta_max), 0},
    {"objective_primal", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_primal), 0},
    {"objective_dual", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_dual), 0},
    {"gap", PSD_H5_REAL, 0, offsetof(PsdModel, training.gap), 0},
};
#define RESULT_ATTRIBUTES (sizeof(result_attributes) / sizeof(result_attributes[0]))

/* ... and the problem that it was given. Channels, height and width are kept with the first branch. */
static const Place problem_attributes[] = {
    {"beta", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta), 0},
    {"n_train", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.n_train), 0},
    {"flip", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.flip), 1},
    {"activation", PSD_H5_REAL, 3, offsetof(PsdModel, training.activation), 0},
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.channels), 0},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.height), 0},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.width), 0},
};
#define PROBLEM_ATTRIBUTES (sizeof(problem_attributes) / sizeof(problem_attributes[0]))

/* ... of which these are written where version 3 does not say everything. */
static const Place later_attributes[] = {
    {"stage", PSD_H5_INTEGER, 0, offsetof(PsdModel, stages), 1},
    {"shifts", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.shifts), 1},
    {"outputs", PSD_H5_INTEGER, 0, offsetof(PsdModel, outputs), 1},
};
#define LATER_ATTRIBUTES (sizeof(later_attributes) / sizeof(later_attributes[0]))

/* Of a branch, in PsdModelBranch: attributes of the root or of /branch/K. */
static const Place branch_attributes[] = {
    {"patch_height", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.patch_height), 0},
    {"patch_width", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.patch_width), 0},
    {"stride", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.stride), 0},
    {"pool", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.pool), 0},
    {"pixel_shift", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.pixel_shift), 0},
    {"pixel_scale", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.pixel_scale), 0},
    {"patch_normalize", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.normalize), 0},
    {"reduce", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.reduce), 1},
    {"pool_overlap", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.overlap), 1},
};
#define BRANCH_ATTRIBUTES (sizeof(branch_attributes) / sizeof(branch_attributes[0]))

/* How its images are held: each is written where it says something. */
static const Place bits_attributes[] = {
    {"bits", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.bits), 1},
};
static const Place level_attributes[] = {
    {"pixel_step", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.step), 1},
    {"pixel_low", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.low), 1},
};
#define LEVEL_ATTRIBUTES (sizeof(level_attributes) / sizeof(level_attributes[0]))

/* Written from version 5 on. */
static const Place later_branch_attributes[] = {
    {"lift", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.lift), 1},
    {"of_stage", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.stage), 1}, /* from version 6 on */
};
#define LATER_BRANCH_ATTRIBUTES (sizeof(later_branch_attributes) / sizeof(later_branch_attributes[0]))

/* Written where there are any: that a branch is cut of responses, and the side of those of a stage. */
static const Place branch_responses[] = {
    {"responses", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.responses), 1},
};
static const Place stage_responses[] = {
    {"responses", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.responses), 1},
};

/* Of a stage, in PsdModelStage: attributes of /layer1 and so on, beside those of its patches as of a branch, ... */
static const Place stage_attributes[] = {
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.channels), 0},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.height), 0},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.width), 0},
    {"count", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.count), 0},
    {"threshold", PSD_H5_REAL, 0, offsetof(PsdModelStage, map.threshold), 0},
    {"split", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, split), 0},
    {"map_channels", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.channels), 0},
    {"map_normalize", PSD_H5_REAL, 0, offsetof(PsdModelStage, map.normalize), 0},
};
#define STAGE_ATTRIBUTES (sizeof(stage_attributes) / sizeof(stage_attributes[0]))

/* ... and where its filters are a network's, with `network_loss`, which is a text. */
static const Place origin_attributes[] = {
    {"network_neurons", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, origin.neurons), 0},
    {"network_beta", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.beta), 0},
    {"network_objective_primal", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.primal), 0},
    {"network_objective_dual", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.bound), 0},
    {"network_gap", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.gap), 0},
};
#define ORIGIN_ATTRIBUTES (sizeof(origin_attributes) / sizeof(origin_attributes[0]))
#define ORIGIN_LOSS "network_loss"

typedef struct {
  const char *name;
  PsdH5Kind kind;
  int axes;
  size_t extent[2]; /* where each extent is kept */
  size_t offset;    /* of the pointer to the numbers */
} ArrayPlace;

static const ArrayPlace arrays[] = {
    {"/neurons/filter", PSD_H5_REAL, 2, {offsetof(PsdModel, N), offsetof(PsdModel, f)}, offsetof(PsdModel, filters)},
    {"/neurons/weight", PSD_H5_REAL, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, weights)},
    {"/neurons/region", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, regions)},
    {"/neurons/class", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, classes)},
};
#define ARRAYS (sizeof(arrays) / sizeof(arrays[0]))

/* In the group `preprocess` of the root, or of the branch. */
static const ArrayPlace branch_arrays[] = {
    {"preprocess/transform",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelBranch, q), offsetof(PsdModelBranch, f)},
     offsetof(PsdModelBranch, transform)},
    {"preprocess/mean", PSD_H5_REAL, 1, {offsetof(PsdModelBranch, q), 0}, offsetof(PsdModelBranch, mean)},
};
#define BRANCH_ARRAYS (sizeof(branch_arrays) / sizeof(branch_arrays[0]))

/* In a stage's group, where that has them: filters, and what reduces channels. */
static const ArrayPlace stage_filters[] = {
    {"filter",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelStage, map.count), offsetof(PsdModelStage, f)},
     offsetof(PsdModelStage, filters)},
};
static const ArrayPlace stage_channels[] = {
    {"channels/transform",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelStage, rows), offsetof(PsdModelStage, columns)},
     offsetof(PsdModelStage, transform)},
    {"channels/mean", PSD_H5_REAL, 1, {offsetof(PsdModelStage, rows), 0}, offsetof(PsdModelStage, mean)},
};
#define STAGE_CHANNELS (sizeof(stage_channels) / sizeof(stage_channels[0]))

static PetscInt VersionOf(const PsdModel *model)
{
  for (PetscInt l = 0; l < model->stages; l++)
    if (model->stage[l].map.responses > 0) return LAST_VERSION;
  if (model->stages > 1 || model->branch[0].geometry.step > 0 || model->stage[0].images.geometry.step > 0)
    return LEVEL_VERSION;
  if (model->outputs > 0 || model->branch[0].geometry.bits || model->stage[0].images.geometry.bits)
    return LATER_VERSION;
  for (PetscInt b = 0; b < model->branches; b++)
    if (model->branch[b].geometry.lift != PSD_LIFT_QUADRATIC) return LATER_VERSION;
  return model->stages > 0 || model->training.shifts > 1 ? STAGE_VERSION : VERSION;
}

static void *Member(void *whole, size_t offset)
{
  return (char *)whole + offset;
}

static const void *ConstMember(const void *whole, size_t offset)
{
  return (const char *)whole + offset;
}

static void FreeArrays(const ArrayPlace list[], size_t count, void *whole)
{
  for (size_t k = 0; k < count; k++) {
    void **values = Member(whole, list[k].offset);
    free(*values);
    *values = NULL;
  }
}

void PsdModelFree(PsdModel *model)
{
  FreeArrays(arrays, ARRAYS, model);
  for (PetscInt b = 0; b < PSD_MOST_BRANCHES; b++) FreeArrays(branch_arrays, BRANCH_ARRAYS, &model->branch[b]);
  for (PetscInt l = 0; l < PSD_MOST_STAGES; l++) {
    FreeArrays(branch_arrays, BRANCH_ARRAYS, &model->stage[l].images);
    FreeArrays(stage_filters, 1, &model->stage[l]);
    FreeArrays(stage_channels, STAGE_CHANNELS, &model->stage[l]);
  }
  free(model->labels);
  free(model->names);
  model->labels = NULL;
  model->names = NULL;
}

/* Whether branches have groups of their own: a branch by itself is described in the root, but for version 2. */
static PetscBool IsGrouped(PetscInt version, PetscInt branches)
{
  return (PetscBool)(version == 2 || (version > 2 && branches > 1));
}

static void GroupName(PetscInt branch, char name[32])
{
  snprintf(name, 32, "/branch/%" PetscInt_FMT, branch);
}

/* Of stage l, counted from 0 at the images. */
static void StageName(PetscInt l, char name[32])
{
  snprintf(name, 32, "layer%" PetscInt_FMT, l + 1);
}

/* ---------------------------------------------------------------- reading */

static void ReadPlaces(PsdH5Group file, const Place places[], size_t count, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++)
    if (!places[k].optional || PsdH5HasAttribute(file, places[k].name))
      PsdH5ReadAttribute(file, places[k].name, places[k].kind, PetscMax(1, places[k].count),
                         Member(whole, places[k].offset), failure);
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
  if (!failure->failed && strcmp(format, FORMAT))
    PsdFailureRecord(failure, "%s: format is '%s', expected '%s'", file.path, format, FORMAT);
  PsdH5ReadAttribute(file, "version", PSD_H5_INTEGER, 1, &found, failure);
  if (!failure->failed && *version != 0 && found != *version)
    PsdFailureRecord(failure,
                     "%s: attribute 'version' is %" PetscInt_FMT ", but the file begins as version %" PetscInt_FMT,
                     file.path, found, *version);
  if (!failure->failed && *version == 0 && (found < 1 || found > LAST_UNSEALED))
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
  ReadNames(file, NAMES, model->count, model, failure);
}

/* What the root says of the problem. */
static void ReadProblem(PsdH5Group file, PetscInt version, PsdModel *model, PsdFailure *failure)
{
  model->branches = 1;
  ReadPlaces(file, problem_attributes, PROBLEM_ATTRIBUTES, model, failure);
  PsdH5ReadText(file, "loss", model->training.loss, sizeof(model->training.loss), failure);
  ReadLossParameter(file, &model->training, failure);
  ReadPlaces(file, later_attributes, LATER_ATTRIBUTES, model, failure);
  if (model->outputs == 0) ReadClasses(file, model, failure);
  if (model->outputs > 0) ReadNames(file, OUTPUT_NAMES, model->outputs, model, failure);
  if (version > 1) PsdH5ReadAttribute(file, "branches", PSD_H5_INTEGER, 1, &model->branches, failure);
  if (!failure->failed && (model->branches < 1 || model->branches > PSD_MOST_BRANCHES))
    PsdFailureRecord(failure, "%s: branches is %" PetscInt_FMT ", expected 1 to %d", file.path, model->branches,
                     PSD_MOST_BRANCHES);
  if (!failure->failed && (model->stages < 0 || model->stages > PSD_MOST_STAGES))
    PsdFailureRecord(failure, "%s: stage is %" PetscInt_FMT ", expected 0 to %d", file.path, model->stages,
                     PSD_MOST_STAGES);
}

/* The first data set that has an extent says what it is; the others must agree. Extents begin as -1. */
static void ReadShapes(PsdH5Group file, const ArrayPlace list[], size_t count, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++) {
    PetscInt shape[2] = {0, 0};
    PsdH5ReadShape(file, list[k].name, list[k].axes, shape, failure);
    for (int axis = 0; axis < list[k].axes && !failure->failed; axis++) {
      PetscInt *extent = Member(whole, list[k].extent[axis]);
      if (*extent < 0) *extent = shape[axis];
      if (*extent != shape[axis])
        PsdFailureRecord(failure, "%s: data set %s has %" PetscInt_FMT " along axis %d, expected %" PetscInt_FMT,
                         file.path, list[k].name, shape[axis], axis, *extent);
    }
  }
}

static void ReadArrays(PsdH5Group file, const ArrayPlace list[], size_t count, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++) {
    void **values = Member(whole, list[k].offset);
    *values = PsdH5ReadArray(file, list[k].name, list[k].kind, failure);
  }
}

static void ReadGeometry(PsdH5Group file, PsdModelBranch *branch, PsdFailure *failure)
{
  ReadPlaces(file, branch_attributes, BRANCH_ATTRIBUTES, branch, failure);
  ReadPlaces(file, bits_attributes, 1, branch, failure);
  ReadPlaces(file, level_attributes, LEVEL_ATTRIBUTES, branch, failure);
}

static void ReadOrigin(PsdH5Group group, PsdModelStage *stage, PsdFailure *failure)
{
  if (!PsdH5HasAttribute(group, ORIGIN_LOSS)) return;
  PsdH5ReadText(group, ORIGIN_LOSS, stage->origin.loss, sizeof(stage->origin.loss), failure);
  ReadPlaces(group, origin_attributes, ORIGIN_ATTRIBUTES, stage, failure);
}

/* A stage, but for its arrays. */
static void ReadStage(PsdH5Group file, PetscInt l, PsdModelStage *stage, PsdFailure *failure)
{
  char name[32];

  if (failure->failed) return;
  StageName(l, name);
  PsdH5Group group = PsdH5OpenGroup(file, name, failure);
  stage->images.geometry.reduce = 1;
  stage->images.geometry.map = (PetscBool)(l > 0);
  stage->images.q = stage->images.f = stage->f = stage->rows = stage->columns = -1;
  ReadPlaces(group, stage_attributes, STAGE_ATTRIBUTES, stage, failure);
  ReadPlaces(group, stage_responses, 1, stage, failure);
  ReadGeometry(group, &stage->images, failure);
  ReadOrigin(group, stage, failure);
  stage->map.split = (PetscBool)(stage->split != 0);
  stage->images.has_transform = failure->failed ? PETSC_FALSE : PsdH5Exists(group, "preprocess", failure);
  if (stage->images.has_transform) ReadShapes(group, branch_arrays, BRANCH_ARRAYS, &stage->images, failure);
  ReadShapes(group, stage_filters, 1, stage, failure);
  if (!failure->failed && stage->map.channels > 0) ReadShapes(group, stage_channels, STAGE_CHANNELS, stage, failure);
  PsdH5CloseGroup(&group);
}

static void ReadStageArrays(PsdH5Group file, PetscInt l, PsdModelStage *stage, PsdFailure *failure)
{
  char name[32];

  if (failure->failed) return;
  StageName(l, name);
  PsdH5Group group = PsdH5OpenGroup(file, name, failure);
  if (stage->images.has_transform) ReadArrays(group, branch_arrays, BRANCH_ARRAYS, &stage->images, failure);
  ReadArrays(group, stage_filters, 1, stage, failure);
  if (stage->map.channels > 0) ReadArrays(group, stage_channels, STAGE_CHANNELS, stage, failure);
  PsdH5CloseGroup(&group);
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
  branch->geometry.overlap = 0;
  branch->geometry.lift = PSD_LIFT_QUADRATIC;
  branch->geometry.stage = branch->geometry.responses = 0;
  branch->q = branch->f = -1;
  ReadGeometry(file, branch, failure);
  ReadPlaces(file, later_branch_attributes, LATER_BRANCH_ATTRIBUTES, branch, failure);
  ReadPlaces(file, branch_responses, 1, branch, failure);
  if (!failure->failed && (branch->geometry.stage < 0 || branch->geometry.stage > model->stages))
    PsdFailureRecord(failure, "%s: of_stage is %" PetscInt_FMT ", expected 0 to %" PetscInt_FMT, file.path,
                     branch->geometry.stage, model->stages);
  if (failure->failed) return;
  if (branch != model->branch && model->stages > 0) TakeMapSize(PsdModelMapOf(model, branch), &branch->geometry);
  branch->has_transform = PsdH5Exists(file, "preprocess", failure);
  if (branch->has_transform) ReadShapes(file, branch_arrays, BRANCH_ARRAYS, branch, failure);
}

/* Where branch b is described: the root itself, or its group, which is then opened. */
static PsdH5Group BranchOf(PsdH5Group file, PetscBool grouped, PetscInt b, PsdFailure *failure)
{
  char name[32];

  if (!grouped) return file;
  GroupName(b, name);
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
    if (model->branch[b].has_transform) ReadArrays(where, branch_arrays, BRANCH_ARRAYS, &model->branch[b], failure);
    if (grouped) PsdH5CloseGroup(&where);
  }
}

static void ReadModel(PsdH5Group file, PetscInt version, PsdModel *model, PsdFailure *failure)
{
  ReadHeader(file, &version, failure);
  ReadPlaces(file, result_attributes, RESULT_ATTRIBUTES, model, failure);
  ReadProblem(file, version, model, failure);
  const PetscBool grouped = IsGrouped(version, model->branches);
  for (PetscInt l = 0; l < model->stages; l++) ReadStage(file, l, &model->stage[l], failure);
  PsdModelCheckStages(model, file.path, failure);
  ReadBranches(file, grouped, model, failure);
  model->N = model->f = -1;
  ReadShapes(file, arrays, ARRAYS, model, failure);
  PsdModelCheckSizes(model, file.path, failure);
  ReadArrays(file, arrays, failure->failed ? 0 : ARRAYS, model, failure);
  ReadTransforms(file, grouped, model, failure);
  for (PetscInt l = 0; l < model->stages; l++) ReadStageArrays(file, l, &model->stage[l], failure);
  PsdModelCheckNumbers(model, file.path, failure);
}

void PsdModelRead(const char path[], PsdModel *model, PsdFailure *failure)
{
  memset(model, 0, sizeof(*model));
  const int descriptor = failure->failed ? -1 : PsdFileOpenRegular(path, failure);
  if (descriptor < 0) return;
  const PetscInt version = PsdH5CheckSeal(descriptor, path, FORMAT, LAST_VERSION, failure);
  PsdH5Group file = PsdH5Open(descriptor, path, version ? PSD_H5_SEAL : 0, failure);
  ReadModel(file, version, model, failure);
  PsdH5Close(&file);
  (void)close(descriptor);
}

void PsdModelReadProblem(PsdH5Group file, PsdModel *model, PsdFailure *failure)
{
  memset(model, 0, sizeof(*model));
  ReadProblem(file, VERSION, model, failure);
  for (PetscInt l = 0; l < model->stages; l++) ReadStage(file, l, &model->stage[l], failure);
  PsdModelCheckStages(model, file.path, failure);
  ReadBranches(file, PETSC_TRUE, model, failure);
  PsdModelCheckBranches(model, file.path, failure);
  if (!failure->failed) model->f = PsdModelDimension(model);
  PsdModelCheckSizes(model, file.path, failure);
  ReadTransforms(file, PETSC_TRUE, model, failure);
  for (PetscInt l = 0; l < model->stages; l++) ReadStageArrays(file, l, &model->stage[l], failure);
  PsdModelCheckNumbers(model, file.path, failure);
}

/* ---------------------------------------------------------------- writing */

static void WriteLabels(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  const size_t length = 24, count = (size_t)model->count;
  char *digits = malloc(count * length);
  const char **texts = malloc(count * sizeof(*texts));

  if (!digits || !texts) PsdFailureRecord(failure, "%s: not enough memory for its labels", file.path);
  for (size_t k = 0; digits && texts && k < count; k++) {
    snprintf(digits + k * length, length, "%" PetscInt_FMT, model->labels[k]);
    texts[k] = digits + k * length;
  }
  PsdH5WriteTexts(file, "classes", model->count, texts, failure);
  free(texts);
  free(digits);
}

#define MOST_TEXT 60000 /* bytes that an attribute has room for */

/* Of classes or of outputs; those of very many with long names are left out. */
static void WriteNames(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  const PetscInt count = model->outputs > 0 ? model->outputs : model->count;
  const char **texts = malloc((size_t)count * sizeof(*texts));
  size_t longest = 1;

  if (!texts) PsdFailureRecord(failure, "%s: not enough memory for the names of its classes", file.path);
  for (PetscInt k = 0; texts && k < count; k++) {
    texts[k] = model->names[k];
    longest = PetscMax(longest, strlen(texts[k]));
  }
  if (texts && longest * (size_t)count <= MOST_TEXT)
    PsdH5WriteTexts(file, model->outputs > 0 ? OUTPUT_NAMES : NAMES, count, texts, failure);
  free(texts);
}

static void WritePlaces(PsdH5File file, const Place places[], size_t count, const void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++)
    PsdH5WriteAttribute(file, places[k].name, places[k].kind, places[k].count, ConstMember(whole, places[k].offset),
                        failure);
}

static void WriteLossParameters(PsdH5File file, const PsdTraining *training, PsdFailure *failure)
{
  for (int k = 0; PsdLossTable[k]; k++) {
    const PsdLossParameter *parameter = PsdLossTable[k]->parameter;
    const PetscReal value = strcmp(training->loss, PsdLossTable[k]->name) ? 0 : training->loss_parameter;
    if (parameter) PsdH5WriteAttribute(file, parameter->name, PSD_H5_REAL, 0, &value, failure);
  }
}

static void WriteHeader(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  const char *format = FORMAT;
  const PetscInt version = VersionOf(model);

  PsdH5WriteTexts(file, "format", 0, &format, failure);
  PsdH5WriteAttribute(file, "version", PSD_H5_INTEGER, 0, &version, failure);
  WritePlaces(file, result_attributes, RESULT_ATTRIBUTES, model, failure);
}

/* Those that the version has. */
static size_t LaterAttributes(const PsdModel *model)
{
  return VersionOf(model) == STAGE_VERSION ? LATER_ATTRIBUTES - 1 : LATER_ATTRIBUTES;
}

static void WriteProblem(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  const char *loss = model->training.loss;

  PsdH5WriteTexts(file, "loss", 0, &loss, failure);
  WritePlaces(file, problem_attributes, PROBLEM_ATTRIBUTES, model, failure);
  WriteLossParameters(file, &model->training, failure);
  if (model->outputs == 0) WriteLabels(file, model, failure);
  if (model->names) WriteNames(file, model, failure);
  PsdH5WriteAttribute(file, "branches", PSD_H5_INTEGER, 0, &model->branches, failure);
  if (VersionOf(model) > VERSION) WritePlaces(file, later_attributes, LaterAttributes(model), model, failure);
}

static void WriteArrays(PsdH5File file, const ArrayPlace list[], size_t count, const void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++) {
    PetscInt shape[2];
    for (int axis = 0; axis < list[k].axes; axis++)
      shape[axis] = *(const PetscInt *)ConstMember(whole, list[k].extent[axis]);
    PsdH5WriteArray(file, list[k].name, list[k].kind, list[k].axes, shape,
                    *(void *const *)ConstMember(whole, list[k].offset), failure);
  }
}

static void WriteGeometry(PsdH5File file, const PsdModelBranch *branch, PsdFailure *failure)
{
  WritePlaces(file, branch_attributes, BRANCH_ATTRIBUTES, branch, failure);
  if (branch->geometry.bits) WritePlaces(file, bits_attributes, 1, branch, failure);
  if (branch->geometry.step > 0) WritePlaces(file, level_attributes, LEVEL_ATTRIBUTES, branch, failure);
  if (branch->geometry.responses) WritePlaces(file, branch_responses, 1, branch, failure);
}

static size_t LaterBranchAttributes(PetscInt version)
{
  return version >= LEVEL_VERSION   ? LATER_BRANCH_ATTRIBUTES
         : version == LATER_VERSION ? LATER_BRANCH_ATTRIBUTES - 1
                                    : 0;
}

static void WriteBranch(PsdH5File file, const PsdModelBranch *branch, PetscInt version, PsdFailure *failure)
{
  WriteGeometry(file, branch, failure);
  WritePlaces(file, later_branch_attributes, LaterBranchAttributes(version), branch, failure);
  if (branch->has_transform) WriteArrays(file, branch_arrays, BRANCH_ARRAYS, branch, failure);
}

static void WriteBranches(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  if (!IsGrouped(VERSION, model->branches)) {
    WriteBranch(file, &model->branch[0], VersionOf(model), failure);
    return;
  }
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    char name[32];
    GroupName(b, name);
    PsdH5File group = PsdH5CreateGroup(file, name, failure);
    WriteBranch(group, &model->branch[b], VersionOf(model), failure);
    PsdH5CloseNewGroup(&group);
  }
}

static void WriteOrigin(PsdH5File group, const PsdModelStage *stage, PsdFailure *failure)
{
  const char *loss = stage->origin.loss;

  if (!loss[0]) return;
  PsdH5WriteTexts(group, ORIGIN_LOSS, 0, &loss, failure);
  WritePlaces(group, origin_attributes, ORIGIN_ATTRIBUTES, stage, failure);
}

/* has_arrays: with what the stage has of them. */
static void WriteStage(PsdH5File file, PetscInt l, const PsdModelStage *stage, PetscBool has_arrays,
                       PsdFailure *failure)
{
  char name[32];

  if (failure->failed) return;
  StageName(l, name);
  PsdH5File group = PsdH5CreateGroup(file, name, failure);
  WritePlaces(group, stage_attributes, STAGE_ATTRIBUTES, stage, failure);
  if (stage->map.responses > 0) WritePlaces(group, stage_responses, 1, stage, failure);
  WriteOrigin(group, stage, failure);
  if (has_arrays) {
    WriteBranch(group, &stage->images, STAGE_VERSION, failure);
    WriteArrays(group, stage_filters, 1, stage, failure);
    if (stage->map.channels > 0) WriteArrays(group, stage_channels, STAGE_CHANNELS, stage, failure);
  } else {
    WriteGeometry(group, &stage->images, failure);
  }
  PsdH5CloseNewGroup(&group);
}

void PsdModelWrite(const char path[], const PsdModel *model, PsdFailure *failure)
{
  PsdFile output;

  PsdFileBegin(&output, path, failure);
  PsdModelCheckSizes(model, path, failure);
  PsdModelCheckNumbers(model, path, failure);
  if (!failure->failed) PsdModelCheckPadding(model, path, failure);
  PsdH5File file = PsdH5Create(path, failure);
  WriteHeader(file, model, failure);
  WriteProblem(file, model, failure);
  WriteArrays(file, arrays, ARRAYS, model, failure);
  WriteBranches(file, model, failure);
  for (PetscInt l = 0; l < model->stages; l++) WriteStage(file, l, &model->stage[l], PETSC_TRUE, failure);
  PsdH5Save(file, FORMAT, VersionOf(model), &output, failure);
  PsdH5CloseFile(&file);
  PsdFileCommit(&output, failure);
}

void PsdModelWriteProblem(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  PsdModelCheckSizes(model, file.path, failure);
  PsdModelCheckNumbers(model, file.path, failure);
  WriteProblem(file, model, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    char name[32];
    GroupName(b, name);
    PsdH5File group = PsdH5CreateGroup(file, name, failure);
    WriteGeometry(group, &model->branch[b], failure);
    WritePlaces(group, later_branch_attributes, LaterBranchAttributes(VersionOf(model)), &model->branch[b], failure);
    PsdH5CloseNewGroup(&group);
  }
  for (PetscInt l = 0; l < model->stages; l++) WriteStage(file, l, &model->stage[l], PETSC_FALSE, failure);
}
