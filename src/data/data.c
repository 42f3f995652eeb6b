/*
   The PsdData object: what the caller asks for, and what PsdDataSetUp made of it.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

PetscErrorCode PsdDataCreate(MPI_Comm comm, PsdData *data)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(data));
  PetscCall(PetscCommDuplicate(comm, &(*data)->comm, &(*data)->tag));
  (*data)->shifts = 1;
  (*data)->levels = PSD_MOST_LEVELS;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetPath(PsdData data, const char path[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  size_t length;
  PetscCall(PetscStrlen(path, &length));
  PsdCheckInput(length < sizeof(data->path), "-data: path of %zu bytes, expected fewer than %zu", length,
                sizeof(data->path));
  PetscCall(PetscStrncpy(data->path, path, sizeof(data->path)));
  PetscCall(PsdArraysDestroy(&data->arrays));
  data->origin = length ? &PsdOriginFiles : NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetPurpose(PsdData data, PsdDataPurpose purpose)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  data->purpose = purpose;
  PetscFunctionReturn(0);
}

PetscBool PsdDataIsLabelled(PsdData data)
{
  return (PetscBool)!data->unlabelled;
}

PetscErrorCode PsdDataSetOutputs(PsdData data, PetscInt outputs)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(outputs >= 0, data->comm, PETSC_ERR_ARG_OUTOFRANGE, "%" PetscInt_FMT " outputs", outputs);
  data->wanted_outputs = outputs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetTargets(PsdData data, PetscInt *outputs, const PetscReal *targets[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  if (outputs) *outputs = data->outputs;
  if (targets) *targets = data->targets;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetSplit(PsdData data, PsdSplit split)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  data->split = split;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetClasses(PsdData data, PetscInt count, const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCheckInput(count == 0 || (count > 1 && count <= PSD_MAX_CLASSES),
                "-classes: %" PetscInt_FMT " labels, expected 2..%d", count, PSD_MAX_CLASSES);
  for (PetscInt k = 0; k < count; k++) {
    PsdCheckInput(labels[k] >= 0, "-classes: label %" PetscInt_FMT ", expected 0 or more", labels[k]);
    for (PetscInt earlier = 0; earlier < k; earlier++)
      PsdCheckInput(labels[earlier] != labels[k], "-classes: label %" PetscInt_FMT " is given twice", labels[k]);
  }
  PetscCall(PetscFree(data->class_labels));
  PetscCall(PetscMalloc1(count, &data->class_labels));
  PetscCall(PetscArraycpy(data->class_labels, labels, count));
  data->class_count = count;
  data->classes_from_option = data->classes_found = PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetClassNames(PsdData data, PetscInt count, const PetscInt labels[], const char *const names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdKnownClasses *known = &data->known;
  PetscCall(PetscFree2(known->labels, known->names));
  PetscCall(PetscMalloc2(count, &known->labels, count, &known->names));
  PetscCall(PetscArraycpy(known->labels, labels, count));
  for (PetscInt k = 0; k < count; k++) PetscCall(PetscStrncpy(known->names[k], names[k], PSD_CLASS_NAME_LENGTH));
  known->count = count;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetLimit(PsdData data, PetscInt limit)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCheckInput(limit >= 0, "-limit: %" PetscInt_FMT ", expected 1 or more", limit);
  data->limit = limit;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetValidation(PsdData data, PetscReal fraction, PsdDataPart part)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCheckInput(fraction >= 0 && fraction < 1, "-validation: %g, expected 0 <= fraction < 1", (double)fraction);
  data->validation = fraction;
  data->part = part;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetResize(PsdData data, PetscInt height, PetscInt width)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCheckInput(height >= 0 && width >= 0 && (height > 0) == (width > 0) && height <= PSD_MAX_IMAGE_SIDE &&
                    width <= PSD_MAX_IMAGE_SIDE,
                "-resize: %" PetscInt_FMT "x%" PetscInt_FMT ", expected sides of 1..%d", height, width,
                PSD_MAX_IMAGE_SIDE);
  data->resized_height = height;
  data->resized_width = width;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetCoarse(PsdData data, PetscBool coarse)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  data->coarse = coarse;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetCoarse(PsdData data, PetscBool *coarse)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  *coarse = data->coarse;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetMirror(PsdData data, PetscBool mirror)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  data->mirror = mirror;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetShifts(PsdData data, PetscInt shifts)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(shifts == 1 || shifts == 5 || shifts == 9, data->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt_FMT " shifts of an image", shifts);
  data->shifts = shifts;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetShifts(PsdData data, PetscInt *shifts)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  *shifts = data->shifts;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetCopies(PsdData data, PetscInt *copies)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  *copies = data->mirror ? 2 : 1;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetSizes(PsdData data, PetscInt *n, PetscInt *n_local, PetscInt *first)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  if (n) *n = data->n;
  if (n_local) *n_local = data->n_local;
  if (first) *first = data->first;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetImageSize(PsdData data, PetscInt *channels, PetscInt *height, PetscInt *width)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  if (channels) *channels = data->channels;
  if (height) *height = data->height;
  if (width) *width = data->width;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetPixels(PsdData data, const PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(pixels->bits == 0 || pixels->bits == 8 || pixels->bits == 16, data->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt_FMT " bits", pixels->bits);
  data->wanted_pixels = *pixels;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetLevels(PsdData data, PetscInt levels)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdCheckInput(levels >= PSD_LEAST_LEVELS && levels <= PSD_MOST_LEVELS, "-levels: %" PetscInt_FMT ", expected %d..%d",
                levels, PSD_LEAST_LEVELS, PSD_MOST_LEVELS);
  data->levels = levels;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetPixels(PsdData data, PsdPixels *pixels)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *pixels = data->pixels;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetImageBytes(PsdData data, size_t *bytes)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *bytes = (size_t)data->channels * (size_t)data->height * (size_t)data->width * (size_t)(data->pixels.bits / 8);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetClasses(PsdData data, PetscInt *count, const PetscInt *labels[], const char *const *names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  if (count) *count = data->class_count;
  if (labels) *labels = data->class_labels;
  if (names) *names = (const char *const *)data->class_names;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetScoreCount(PsdData data, PetscInt *C)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *C = data->outputs > 0 ? data->outputs : data->class_count == 2 ? 1 : data->class_count;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetOutputNames(PsdData data, const char *const *names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *names = data->outputs > 0 ? (const char *const *)data->class_names : NULL;
  PetscFunctionReturn(0);
}

PetscBool PsdDataHasClassNames(PsdData data)
{
  for (PetscInt k = 0; k < data->class_count; k++) {
    char digits[PSD_CLASS_NAME_LENGTH];
    (void)snprintf(digits, sizeof(digits), "%" PetscInt_FMT, data->class_labels[k]);
    if (strcmp(digits, data->class_names[k]) != 0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscErrorCode PsdDataGetShard(PsdData data, const unsigned char *images[], const PetscInt *classes[],
                               const PetscInt64 *indices[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  if (images) *images = data->images;
  if (classes) *classes = data->classes;
  if (indices) *indices = data->indices;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataGetFormat(PsdData data, const char *name[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PetscCheck(data->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdDataSetUp was not called");
  *name = data->format;
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyNames(PsdData data)
{
  PetscFunctionBeginUser;
  if (data->class_names)
    for (PetscInt k = 0; k < PetscMax(data->class_count, data->outputs); k++)
      PetscCall(PetscFree(data->class_names[k]));
  PetscCall(PetscFree(data->class_names));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataReset(PsdData data)
{
  PetscFunctionBeginUser;
  PetscCall(DestroyNames(data));
  PetscCall(PetscFree(data->classes));
  PetscCall(PetscFree(data->indices));
  free(data->images);
  free(data->targets);
  PetscCall(PetscFree(data->weights));
  data->images = NULL;
  data->targets = NULL;
  if (data->classes_found) data->class_count = 0;
  data->classes_found = PETSC_FALSE;
  data->ready = PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataDestroy(PsdData *data)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  if (!*data) PetscFunctionReturn(0);
  PetscCall(PsdDataReset(*data));
  PetscCall(PsdArraysDestroy(&(*data)->arrays));
  PetscCall(PetscFree2((*data)->known.labels, (*data)->known.names));
  PetscCall(PetscFree((*data)->prefix));
  PetscCall(PetscFree((*data)->class_labels));
  PetscCall(PetscFree((*data)->kept_labels));
  PetscCall(PetscFree((*data)->class_weights));
  PetscCall(PetscCommDestroy(&(*data)->comm));
  PetscCall(PetscFree(*data));
  PetscFunctionReturn(0);
}
