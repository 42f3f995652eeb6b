/*
   PsdModel into model.h5, in the first version from 3 on that says everything of it (docs/formats.md). On one rank; what
   fails is recorded.
*/
#include "losses/losses.h"
#include "model_layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    PsdH5WriteTexts(file, model->outputs > 0 ? PSD_MODEL_OUTPUT_NAMES : PSD_MODEL_CLASS_NAMES, count, texts, failure);
  free(texts);
}

/* Those that the version has. */
static void WritePlaces(PsdH5File file, const PsdPlaces *list, PetscInt version, const void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < list->count; k++)
    if (list->place[k].since <= version)
      PsdH5WriteAttribute(file, list->place[k].name, list->place[k].kind, list->place[k].count,
                          PsdModelConstMember(whole, list->place[k].offset), failure);
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
  const char *format = PSD_MODEL_FORMAT;
  const PetscInt version = PsdModelVersion(model);

  PsdH5WriteTexts(file, "format", 0, &format, failure);
  PsdH5WriteAttribute(file, "version", PSD_H5_INTEGER, 0, &version, failure);
  WritePlaces(file, &PsdResultAttributes, version, model, failure);
}

static void WriteProblem(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  const char *loss = model->training.loss;

  PsdH5WriteTexts(file, "loss", 0, &loss, failure);
  WritePlaces(file, &PsdProblemAttributes, PSD_MODEL_VERSION, model, failure);
  WriteLossParameters(file, &model->training, failure);
  if (model->outputs == 0) WriteLabels(file, model, failure);
  if (model->names) WriteNames(file, model, failure);
  PsdH5WriteAttribute(file, "branches", PSD_H5_INTEGER, 0, &model->branches, failure);
  WritePlaces(file, &PsdLaterAttributes, PsdModelVersion(model), model, failure);
}

static void WriteArrays(PsdH5File file, const PsdArrayPlaces *list, const void *whole, PsdFailure *failure)
{
  for (size_t k = 0; k < list->count; k++) {
    PetscInt shape[2];
    for (int axis = 0; axis < list->place[k].axes; axis++)
      shape[axis] = *(const PetscInt *)PsdModelConstMember(whole, list->place[k].extent[axis]);
    PsdH5WriteArray(file, list->place[k].name, list->place[k].kind, list->place[k].axes, shape,
                    *(void *const *)PsdModelConstMember(whole, list->place[k].offset), failure);
  }
}

static void WriteGeometry(PsdH5File file, const PsdModelBranch *branch, PsdFailure *failure)
{
  WritePlaces(file, &PsdBranchAttributes, PSD_MODEL_VERSION, branch, failure);
  if (branch->geometry.bits) WritePlaces(file, &PsdBitsAttributes, PSD_MODEL_VERSION, branch, failure);
  if (branch->geometry.step > 0) WritePlaces(file, &PsdLevelAttributes, PSD_MODEL_VERSION, branch, failure);
  if (branch->geometry.shared) WritePlaces(file, &PsdSharedAttributes, PSD_MODEL_VERSION, branch, failure);
}

static void WriteBranch(PsdH5File file, const PsdModelBranch *branch, PetscInt version, PsdFailure *failure)
{
  WriteGeometry(file, branch, failure);
  WritePlaces(file, &PsdLaterBranchAttributes, version, branch, failure);
  if (branch->has_transform) WriteArrays(file, &PsdTransformArrays, branch, failure);
}

static void WriteBranches(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  if (!PsdModelIsGrouped(PSD_MODEL_VERSION, model->branches)) {
    WriteBranch(file, &model->branch[0], PsdModelVersion(model), failure);
    return;
  }
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    char name[PSD_GROUP_NAME];
    PsdModelBranchName(b, name);
    PsdH5File group = PsdH5CreateGroup(file, name, failure);
    WriteBranch(group, &model->branch[b], PsdModelVersion(model), failure);
    PsdH5CloseNewGroup(&group);
  }
}

static void WriteOrigin(PsdH5File group, const PsdModelStage *stage, PsdFailure *failure)
{
  const char *loss = stage->origin.loss;

  if (!loss[0]) return;
  PsdH5WriteTexts(group, PSD_MODEL_ORIGIN_LOSS, 0, &loss, failure);
  WritePlaces(group, &PsdOriginAttributes, PSD_MODEL_VERSION, stage, failure);
}

/* has_arrays: with what the stage has of them. */
static void WriteStage(PsdH5File file, PetscInt l, const PsdModel *model, PetscBool has_arrays, PsdFailure *failure)
{
  const PsdModelStage *stage = &model->stage[l];
  char name[PSD_GROUP_NAME];

  PsdModelStageName(l, name);
  PsdH5File group = PsdH5CreateGroup(file, name, failure);
  WritePlaces(group, &PsdStageAttributes, PsdModelVersion(model), stage, failure);
  WriteOrigin(group, stage, failure);
  if (has_arrays) {
    WriteBranch(group, &stage->images, PSD_MODEL_STAGE, failure);
    WriteArrays(group, &PsdFilterArrays, stage, failure);
    if (stage->map.channels > 0) WriteArrays(group, &PsdChannelArrays, stage, failure);
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
  WriteArrays(file, &PsdNeuronArrays, model, failure);
  WriteBranches(file, model, failure);
  for (PetscInt l = 0; l < model->stages && !failure->failed; l++) WriteStage(file, l, model, PETSC_TRUE, failure);
  PsdH5Save(file, PSD_MODEL_FORMAT, PsdModelVersion(model), &output, failure);
  PsdH5CloseFile(&file);
  PsdFileCommit(&output, failure);
}

void PsdModelWriteProblem(PsdH5File file, const PsdModel *model, PsdFailure *failure)
{
  PsdModelCheckSizes(model, file.path, failure);
  PsdModelCheckNumbers(model, file.path, failure);
  WriteProblem(file, model, failure);
  for (PetscInt b = 0; b < model->branches && !failure->failed; b++) {
    char name[PSD_GROUP_NAME];
    PsdModelBranchName(b, name);
    PsdH5File group = PsdH5CreateGroup(file, name, failure);
    WriteGeometry(group, &model->branch[b], failure);
    WritePlaces(group, &PsdLaterBranchAttributes, PsdModelVersion(model), &model->branch[b], failure);
    PsdH5CloseNewGroup(&group);
  }
  for (PetscInt l = 0; l < model->stages && !failure->failed; l++) WriteStage(file, l, model, PETSC_FALSE, failure);
}
