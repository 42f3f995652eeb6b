/*
   Mirror images (left and right exchanged) as further samples: each follows the image that it was made of, so that the
   samples of a rank are still a contiguous piece of all of them.
*/
#include "mirror_images.h"
#include "data.h"
#include <stdlib.h>
#include <string.h>

void PsdMirrorImages(PetscInt64 rows, PetscInt width, const unsigned char from[], unsigned char to[])
{
  for (PetscInt64 row = 0; row < rows; row++, from += width, to += width)
    for (PetscInt column = 0; column < width; column++) to[column] = from[width - 1 - column];
}

PetscErrorCode PsdDataAddMirrors(PsdData data)
{
  PetscFunctionBeginUser;
  const PetscInt rows = data->channels * data->height, n = data->n_local;
  const size_t bytes = (size_t)rows * data->width;
  unsigned char *images;
  PetscCall(PsdDataRepeat(data, 2, "-flip", &images));
  for (PetscInt k = 0; k < n; k++) {
    const unsigned char *image = images + (size_t)k * bytes;
    unsigned char *pair = data->images + 2 * (size_t)k * bytes;
    memcpy(pair, image, bytes);
    PsdMirrorImages(rows, data->width, image, pair + bytes);
  }
  free(images);
  PetscFunctionReturn(0);
}
