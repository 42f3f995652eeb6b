/*
   model.h5, version 1 (docs/formats.md): tables of what the file holds and where in PsdModel it belongs, used for
   writing and for reading. On one rank; failures go to the status.
*/
#include "network.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "psdnet-model"
#define VERSION 1

static const struct {
  const char *name;
  PsdH5Kind kind;
  PetscInt count; /* 0: a scalar */
  size_t offset;
  PetscBool optional; /* 0 when absent: files from before there was one */
} attributes[] = {
    {"beta", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta), 0},
    {"beta_max", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta_max), 0},
    {"objective_primal", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_primal), 0},
    {"objective_dual", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_dual), 0},
    {"gap", PSD_H5_REAL, 0, offsetof(PsdModel, training.gap), 0},
    {"n_train", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.n_train), 0},
    {"activation", PSD_H5_REAL, 3, offsetof(PsdModel, training.activation), 0},
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.channels), 0},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.height), 0},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.width), 0},
    {"patch_height", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.patch_height), 0},
    {"patch_width", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.patch_width), 0},
    {"stride", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.stride), 0},
    {"pool", PSD_H5_INTEGER, 0, offsetof(PsdModel, geometry.pool), 0},
    {"pixel_shift", PSD_H5_REAL, 0, offsetof(PsdModel, geometry.pixel_shift), 0},
    {"pixel_scale", PSD_H5_REAL, 0, offsetof(PsdModel, geometry.pixel_scale), 0},
    {"patch_normalize", PSD_H5_REAL, 0, offsetof(PsdModel, geometry.normalize), 0},
    {"flip", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.flip), 1},
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static const struct {
  const char *name;
  PsdH5Kind kind;
  int axes;
  size_t extent[2]; /* where in PsdModel each extent is kept */
  size_t offset;    /* of the pointer to the numbers */
  PetscBool preprocess;
} arrays[] = {
    {"/neurons/filter", PSD_H5_REAL, 2, {offsetof(PsdModel, N), offsetof(PsdModel, f)}, offsetof(PsdModel, filters), 0},
    {"/neurons/weight", PSD_H5_REAL, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, weights), 0},
    {"/neurons/region", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, regions), 0},
    {"/neurons/class", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, classes), 0},
    {"/preprocess/transform",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModel, q), offsetof(PsdModel, f)},
     offsetof(PsdModel, transform),
     1},
    {"/preprocess/mean", PSD_H5_REAL, 1, {offsetof(PsdModel, q), 0}, offsetof(PsdModel, mean), 1},
};
#define ARRAYS (sizeof(arrays) / sizeof(arrays[0]))

static void *Member(PsdModel *model, size_t offset)
{
  return (char *)model + offset;
}

static const void *ConstMember(const PsdModel *model, size_t offset)
{
  return (const char *)model + offset;
}

void PsdModelFree(PsdModel *model)
{
  for (size_t k = 0; k < ARRAYS; k++) {
    void **values = Member(model, arrays[k].offset);
    free(*values);
    *values = NULL;
  }
  free(model->labels);
  model->labels = NULL;
}

/* ---------------------------------------------------------------- reading */

static void ReadHeader(PsdH5File file, PsdModel *model, PsdStatus *status)
{
  char format[32] = "";
  PetscInt version = VERSION;

  PsdH5ReadText(file, "format", format, sizeof(format), status);
  if (!status->failed && strcmp(format, FORMAT))
    PsdStatusFail(status, "%s: format is '%s', expected '%s'", file.path, format, FORMAT);
  PsdH5ReadAttribute(file, "version", PSD_H5_INTEGER, 1, &version, status);
  if (!status->failed && version != VERSION)
    PsdStatusFail(status, "%s: model file of version %" PetscInt_FMT ", this program reads version %d", file.path,
                  version, VERSION);
  for (size_t k = 0; k < ATTRIBUTES; k++)
    if (!attributes[k].optional || PsdH5HasAttribute(file, attributes[k].name))
      PsdH5ReadAttribute(file, attributes[k].name, attributes[k].kind, PetscMax(1, attributes[k].count),
                         Member(model, attributes[k].offset), status);
  PsdH5ReadText(file, "loss", model->training.loss, sizeof(model->training.loss), status);
  PsdH5ReadLabels(file, "classes", &model->count, &model->labels, status);
}

/* The first data set that has an extent says what it is; the others must agree. */
static void ReadShapes(PsdH5File file, PsdModel *model, PsdStatus *status)
{
  model->N = model->f = model->q = -1;
  for (size_t k = 0; k < ARRAYS; k++) {
    PetscInt shape[2] = {0, 0};
    if (arrays[k].preprocess && !model->has_transform) continue;
    PsdH5ReadShape(file, arrays[k].name, arrays[k].axes, shape, status);
    for (int axis = 0; axis < arrays[k].axes && !status->failed; axis++) {
      PetscInt *extent = Member(model, arrays[k].extent[axis]);
      if (*extent < 0) *extent = shape[axis];
      if (*extent != shape[axis])
        PsdStatusFail(status, "%s: data set %s has %" PetscInt_FMT " along axis %d, expected %" PetscInt_FMT, file.path,
                      arrays[k].name, shape[axis], axis, *extent);
    }
  }
}

static void ReadArrays(PsdH5File file, PsdModel *model, PsdStatus *status)
{
  for (size_t k = 0; k < ARRAYS; k++) {
    void **values = Member(model, arrays[k].offset);
    if (!arrays[k].preprocess || model->has_transform)
      *values = PsdH5ReadArray(file, arrays[k].name, arrays[k].kind, status);
  }
}

void PsdModelRead(const char path[], PsdModel *model, PsdStatus *status)
{
  PsdH5File file = PsdH5Open(path, status);

  memset(model, 0, sizeof(*model));
  ReadHeader(file, model, status);
  if (!status->failed) model->has_transform = PsdH5Exists(file, "/preprocess");
  ReadShapes(file, model, status);
  PsdModelCheckSizes(model, path, status);
  if (!status->failed) ReadArrays(file, model, status);
  PsdModelCheckNumbers(model, path, status);
  PsdH5Close(&file);
}

/* ---------------------------------------------------------------- writing */

static void WriteLabels(PsdH5File file, const PsdModel *model, PsdStatus *status)
{
  const size_t length = 24, count = (size_t)model->count;
  char *digits = malloc(count * length);
  const char **texts = malloc(count * sizeof(*texts));

  if (!digits || !texts) PsdStatusFail(status, "%s: not enough memory for its labels", file.path);
  for (size_t k = 0; k < count && !status->failed; k++) {
    snprintf(digits + k * length, length, "%" PetscInt_FMT, model->labels[k]);
    texts[k] = digits + k * length;
  }
  PsdH5WriteTexts(file, "classes", model->count, texts, status);
  free(texts);
  free(digits);
}

static void WriteHeader(PsdH5File file, const PsdModel *model, PsdStatus *status)
{
  const char *format = FORMAT, *loss = model->training.loss;
  const PetscInt version = VERSION;

  PsdH5WriteTexts(file, "format", 0, &format, status);
  PsdH5WriteAttribute(file, "version", PSD_H5_INTEGER, 0, &version, status);
  PsdH5WriteTexts(file, "loss", 0, &loss, status);
  for (size_t k = 0; k < ATTRIBUTES; k++)
    PsdH5WriteAttribute(file, attributes[k].name, attributes[k].kind, attributes[k].count,
                        ConstMember(model, attributes[k].offset), status);
  WriteLabels(file, model, status);
}

static void WriteArrays(PsdH5File file, const PsdModel *model, PsdStatus *status)
{
  for (size_t k = 0; k < ARRAYS; k++) {
    PetscInt shape[2];
    if (arrays[k].preprocess && !model->has_transform) continue;
    for (int axis = 0; axis < arrays[k].axes; axis++)
      shape[axis] = *(const PetscInt *)ConstMember(model, arrays[k].extent[axis]);
    PsdH5WriteArray(file, arrays[k].name, arrays[k].kind, arrays[k].axes, shape,
                    *(void *const *)ConstMember(model, arrays[k].offset), status);
  }
}

void PsdModelWrite(const char path[], const PsdModel *model, PsdStatus *status)
{
  PsdFile output;

  PsdFileBegin(&output, path, status);
  PsdModelCheckSizes(model, path, status);
  PsdModelCheckNumbers(model, path, status);
  PsdH5File file = PsdH5Create(path, status);
  WriteHeader(file, model, status);
  WriteArrays(file, model, status);
  PsdH5Save(file, &output, status);
  PsdH5Close(&file);
  PsdFileCommit(&output, status);
}
