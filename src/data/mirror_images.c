/*
   Mirror images (left and right exchanged) as further samples: each follows the image that it was made of, so that the
   samples of a rank are still a contiguous piece of all of them.
*/
#include "mirror_images.h"
#include "data.h"
#include <stdlib.h>
#include <string.h>

void PsdMirrorImages(PetscInt64 rows, PetscInt width, size_t pixel, const unsigned char from[], unsigned char to[])
{
  const size_t line = (size_t)width * pixel;
  for (PetscInt64 row = 0; row < rows; row++, from += line, to += line)
    for (size_t at = 0; at < line; at += pixel) memcpy(to + at, from + line - pixel - at, pixel);
}

PetscErrorCode PsdDataAddMirrors(PsdData data)
{
  PetscFunctionBeginUser;
  const PetscInt rows = data->channels * data->height, n = data->n_local;
  const size_t pixel = (size_t)(data->pixels.bits / 8), bytes = (size_t)rows * data->width * pixel;
  unsigned char *images;
  PetscCall(PsdDataRepeat(data, 2, "-flip", &images));
  for (PetscInt k = 0; k < n; k++) {
    const unsigned char *image = images + (size_t)k * bytes;
    unsigned char *pair = data->images + 2 * (size_t)k * bytes;
    memcpy(pair, image, bytes);
    PsdMirrorImages(rows, data->width, pixel, image, pair + bytes);
  }
  free(images);
  PetscFunctionReturn(0);
}
