/*
   Several samples of one image: they follow each other, so that the samples of a rank are still a contiguous piece of all
   of them.
*/
#include "data.h"
#include <stdlib.h>

static PetscErrorCode RepeatLabels(PsdData data, PetscInt times)
{
  PetscFunctionBeginUser;
  const size_t n = (size_t)data->n_local * times;
  PetscInt *classes;
  PetscInt64 *indices;
  PetscCall(PetscMalloc1(n, &classes));
  PetscCall(PetscMalloc1(n, &indices));
  for (size_t k = 0; k < n; k++) {
    classes[k] = data->classes[k / (size_t)times];
    indices[k] = data->indices[k / (size_t)times];
  }
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
  const size_t bytes = (size_t)data->channels * data->height * data->width;
  PsdCheckInput(data->n <= PSD_MAX_IMAGES / times, "%s: %" PetscInt_FMT " images, expected %" PetscInt_FMT " or fewer",
                option, data->n, PSD_MAX_IMAGES / times);
  unsigned char *images = PsdAllocate((size_t)times * data->n_local, bytes, "the samples of all images", &failure);
  if (failure.failed) free(images);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(RepeatLabels(data, times));
  *old = data->images;
  data->images = images;
  data->n *= times;
  data->n_local *= times;
  data->first *= times;
  PetscFunctionReturn(0);
}
