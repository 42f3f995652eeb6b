/*
   Mirror images (left and right exchanged) as further samples: each follows the image that it was made of, so that the
   samples of a rank are still a contiguous piece of all of them.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

static void MirrorImage(PetscInt rows, PetscInt width, const unsigned char image[], unsigned char mirrored[])
{
  for (PetscInt row = 0; row < rows; row++, image += width, mirrored += width)
    for (PetscInt column = 0; column < width; column++) mirrored[column] = image[width - 1 - column];
}

/* Every sample twice, in order: indices and classes. */
static PetscErrorCode RepeatLabels(PsdData data)
{
  PetscFunctionBeginUser;
  PetscInt *classes;
  PetscInt64 *indices;
  PetscCall(PetscMalloc1(2 * data->n_local, &classes));
  PetscCall(PetscMalloc1(2 * data->n_local, &indices));
  for (PetscInt k = 0; k < 2 * data->n_local; k++) {
    classes[k] = data->classes[k / 2];
    indices[k] = data->indices[k / 2];
  }
  PetscCall(PetscFree(data->classes));
  PetscCall(PetscFree(data->indices));
  data->classes = classes;
  data->indices = indices;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataAddMirrors(PsdData data)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  const PetscInt rows = data->channels * data->height;
  const size_t bytes = (size_t)rows * data->width;
  PsdCheckInput(data->n <= PSD_MAX_IMAGES / 2, "-flip: %" PetscInt_FMT " images, expected %d or fewer", data->n,
                PSD_MAX_IMAGES / 2);
  unsigned char *images =
      (unsigned char *)PsdAllocate(2 * (size_t)data->n_local, bytes, "images and their mirrors", &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  for (PetscInt k = 0; k < data->n_local; k++) {
    const unsigned char *image = data->images + (size_t)k * bytes;
    memcpy(images + 2 * (size_t)k * bytes, image, bytes);
    MirrorImage(rows, data->width, image, images + (2 * (size_t)k + 1) * bytes);
  }
  free(data->images);
  data->images = images;
  PetscCall(RepeatLabels(data));
  data->n *= 2;
  data->n_local *= 2;
  data->first *= 2;
  PetscFunctionReturn(0);
}
