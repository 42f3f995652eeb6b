/*
   model.h5, versions 1 and 2 (docs/formats.md): tables of what the file holds and where in PsdModel it belongs, used
   for writing and for reading. On one rank; what fails is recorded.
*/
#include "network.h"
#include "losses/losses.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "psdnet-model"
#define MOST_VERSION 2

typedef struct {
  const char *name;
  PsdH5Kind kind;
  PetscInt count; /* 0: a scalar */
  size_t offset;
  PetscBool optional; /* 0 when absent: files from before there was one */
} Place;

/* Of the root, in PsdModel. Channels, height and width are kept with the first branch. */
static const Place attributes[] = {
    {"beta", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta), 0},
    {"beta_max", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta_max), 0},
    {"objective_primal", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_primal), 0},
    {"objective_dual", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_dual), 0},
    {"gap", PSD_H5_REAL, 0, offsetof(PsdModel, training.gap), 0},
    {"n_train", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.n_train), 0},
    {"flip", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.flip), 1},
    {"activation", PSD_H5_REAL, 3, offsetof(PsdModel, training.activation), 0},
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static const Place image_attributes[] = {
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.channels), 0},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.height), 0},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.width), 0},
};
#define IMAGE_ATTRIBUTES (sizeof(image_attributes) / sizeof(image_attributes[0]))

/* Of a branch, in PsdModelBranch: attributes of the root in version 1, of /branch/K in version 2. */
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
  free(model->labels);
  model->labels = NULL;
}

/* A branch by itself needs no more than version 1 has room for. */
static PetscInt VersionOf(const PsdModel *model)
{
  const PsdPatchGeometry *first = &model->branch[0].geometry;

  return model->branches > 1 || first->reduce > 1 || first->overlap > 0 ? 2 : 1;
}

static void GroupName(PetscInt branch, char name[32])
{
  snprintf(name, 32, "/branch/%" PetscInt_FMT, branch);
}

/* ---------------------------------------------------------------- reading */

static void ReadPlaces(PsdH5File file, const Place places[], size_t count, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++)
    if (!places[k].optional || PsdH5HasAttribute(file, places[k].name))
      PsdH5ReadAttribute(file, places[k].name, places[k].kind, PetscMax(1, places[k].count),
                         Member(whole, places[k].offset), failure);
}

/* Each parameter that a loss has is an attribute, of which only that of the network's own loss says something;
   absent: 0. */
static void ReadLossParameter(PsdH5File file, PsdTraining *training, PsdFailure *failure)
{
  const PsdLossOps *ops = PsdLossFind(training->loss);

  if (ops && ops->parameter && PsdH5HasAttribute(file, ops->parameter->name))
    PsdH5ReadAttribute(file, ops->parameter->name, PSD_H5_REAL, 1, &training->loss_parameter, failure);
}

static void ReadHeader(PsdH5File file, PsdModel *model, PetscInt *version, PsdFailure *failure)
{
  char format[32] = "";

  *version = 1;
  model->branches = 1;
  PsdH5ReadText(file, "format", format, sizeof(format), failure);
  if (!failure->failed && strcmp(format, FORMAT))
    PsdFailureRecord(failure, "%s: format is '%s', expected '%s'", file.path, format, FORMAT);
  PsdH5ReadAttribute(file, "version", PSD_H5_INTEGER, 1, version, failure);
  if (!failure->failed && (*version < 1 || *version > MOST_VERSION))
    PsdFailureRecord(failure, "%s: model file of version %" PetscInt_FMT ", this program reads versions 1 to %d",
                     file.path, *version, MOST_VERSION);
  ReadPlaces(file, attributes, ATTRIBUTES, model, failure);
  ReadPlaces(file, image_attributes, IMAGE_ATTRIBUTES, model, failure);
  PsdH5ReadText(file, "loss", model->training.loss, sizeof(model->training.loss), failure);
  ReadLossParameter(file, &model->training, failure);
  PsdH5ReadLabels(file, "classes", &model->count, &model->labels, failure);
  if (*version > 1) PsdH5ReadAttribute(file, "branches", PSD_H5_INTEGER, 1, &model->branches, failure);
  if (!failure->failed && (model->branches < 1 || model->branches > PSD_MOST_BRANCHES))
    PsdFailureRecord(failure, "%s: branches is %" PetscInt_FMT ", expected 1 to %d", file.path, model->branches,
                     PSD_MOST_BRANCHES);
}

/* The first data set that has an extent says what it is; the others must agree. Extents begin as -1. */
static void ReadShapes(PsdH5File file, const ArrayPlace list[], size_t count, void *whole, PsdFailure *failure)
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

static void ReadArrays(PsdH5File file, const ArrayPlace list[], size_t count, void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < count; k++) {
    void **values = Member(whole, list[k].offset);
    *values = PsdH5ReadArray(file, list[k].name, list[k].kind, failure);
  }
}

/* Geometry, and the shape of what follows it. */
static void ReadBranch(PsdH5File file, const PsdModel *model, PsdModelBranch *branch, PsdFailure *failure)
{
  branch->geometry = model->branch[0].geometry;
  branch->geometry.reduce = 1;
  branch->geometry.overlap = 0;
  branch->q = branch->f = -1;
  ReadPlaces(file, branch_attributes, BRANCH_ATTRIBUTES, branch, failure);
  if (failure->failed) return;
  branch->has_transform = PsdH5Exists(file, "preprocess");
  if (branch->has_transform) ReadShapes(file, branch_arrays, BRANCH_ARRAYS, branch, failure);
}

/* Where branch b is described: the root itself, or its group, which is then opened. */
static PsdH5File BranchOf(PsdH5File file, PetscInt version, PetscInt b, PsdFailure *failure)
{
  char name[32];

  if (version == 1) return file;
  GroupName(b, name);
  return PsdH5OpenGroup(file, name, failure);
}

void PsdModelRead(const char path[], PsdModel *model, PsdFailure *failure)
{
  PsdH5File file = PsdH5Open(path, failure);
  PetscInt version;

  memset(model, 0, sizeof(*model));
  ReadHeader(file, model, &version, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    PsdH5File where = BranchOf(file, version, b, failure);
    ReadBranch(where, model, &model->branch[b], failure);
    if (version > 1) PsdH5CloseGroup(&where);
  }
  model->N = model->f = -1;
  ReadShapes(file, arrays, ARRAYS, model, failure);
  PsdModelCheckSizes(model, path, failure);
  ReadArrays(file, arrays, failure->failed ? 0 : ARRAYS, model, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    PsdH5File where = BranchOf(file, version, b, failure);
    if (model->branch[b].has_transform) ReadArrays(where, branch_arrays, BRANCH_ARRAYS, &model->branch[b], failure);
    if (version > 1) PsdH5CloseGroup(&where);
  }
  PsdModelCheckNumbers(model, path, failure);
  PsdH5Close(&file);
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
  const char *format = FORMAT, *loss = model->training.loss;
  const PetscInt version = VersionOf(model);

  PsdH5WriteTexts(file, "format", 0, &format, failure);
  PsdH5WriteAttribute(file, "version", PSD_H5_INTEGER, 0, &version, failure);
  PsdH5WriteTexts(file, "loss", 0, &loss, failure);
  WritePlaces(file, attributes, ATTRIBUTES, model, failure);
  WriteLossParameters(file, &model->training, failure);
  WritePlaces(file, image_attributes, IMAGE_ATTRIBUTES, model, failure);
  WriteLabels(file, model, failure);
  if (version > 1) PsdH5WriteAttribute(file, "branches", PSD_H5_INTEGER, 0, &model->branches, failure);
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

static void WriteBranch(PsdH5File file, const PsdModelBranch *branch, PsdFailure *failure)
{
  WritePlaces(file, branch_attributes, BRANCH_ATTRIBUTES, branch, failure);
  if (branch->has_transform) WriteArrays(file, branch_arrays, BRANCH_ARRAYS, branch, failure);
}

static void WriteBranches(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  if (VersionOf(model) == 1) {
    WriteBranch(file, &model->branch[0], failure);
    return;
  }
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    char name[32];
    GroupName(b, name);
    PsdH5File group = PsdH5CreateGroup(file, name, failure);
    WriteBranch(group, &model->branch[b], failure);
    PsdH5CloseGroup(&group);
  }
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
  WriteArrays(file, arrays, ARRAYS, model, failure);
  WriteBranches(file, model, failure);
  PsdH5Save(file, &output, failure);
  PsdH5Close(&file);
  PsdFileCommit(&output, failure);
}
