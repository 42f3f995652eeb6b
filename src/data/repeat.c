/*
   Several samples of one image, all with its label or targets and its weight: they follow each other, so that the samples of a rank
   are still a contiguous piece of all of them.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

static void RepeatTargets(PsdData data, PetscInt times, PetscReal targets[])
{
  const size_t outputs = (size_t)data->outputs, n = (size_t)data->n_local * (size_t)times;
  for (size_t k = 0; k < n && outputs > 0; k++)
    memcpy(targets + k * outputs, data->targets + k / (size_t)times * outputs, outputs * sizeof(*targets));
}

static PetscErrorCode RepeatLabels(PsdData data, PetscInt times)
{
  PetscFunctionBeginUser;
  const size_t n = (size_t)data->n_local * times;
  PetscReal *weights = NULL;
  PetscInt *classes;
  PetscInt64 *indices;
  PetscCall(PetscMalloc1(n, &classes));
  PetscCall(PetscMalloc1(n, &indices));
  for (size_t k = 0; k < n; k++) {
    classes[k] = data->classes[k / (size_t)times];
    indices[k] = data->indices[k / (size_t)times];
  }
  if (data->weights) PetscCall(PetscMalloc1(n, &weights));
  for (size_t k = 0; k < n && data->weights; k++) weights[k] = data->weights[k / (size_t)times];
  PetscCall(PetscFree(data->weights));
  data->weights = weights;
  PetscCall(PetscFree(data->classes));
  PetscCall(PetscFree(data->indices));
  data->classes = classes;
  data->indices = indices;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataRepeat(PsdData data, PetscInt times, const char option[], unsigned char **old)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  const size_t bytes = (size_t)data->channels * data->height * data->width * (size_t)(data->pixels.bits / 8);
  PsdCheckInput(data->n <= PSD_MAX_IMAGES / times, "%s: %" PetscInt_FMT " images, expected %" PetscInt_FMT " or fewer",
                option, data->n, PSD_MAX_IMAGES / times);
  unsigned char *images = PsdAllocate((size_t)times * data->n_local, bytes, "the samples of all images", &failure);
  PetscReal *targets = PsdAllocate((size_t)times * data->n_local, (size_t)data->outputs * sizeof(PetscReal),
                                   "the targets of all samples", &failure);
  const PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (code) {
    free(images);
    free(targets);
    PetscFunctionReturn(code);
  }
  RepeatTargets(data, times, targets);
  free(data->targets);
  data->targets = targets;
  PetscCall(RepeatLabels(data, times));
  *old = data->images;
  data->images = images;
  data->n *= times;
  data->n_local *= times;
  data->first *= times;
  PetscFunctionReturn(0);
}
