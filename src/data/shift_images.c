/*
   Shifted images as further samples: the image itself, then moved by two pixels along both diagonals, which are 5 samples,
   and along both axes, which are 9.
*/
#include "shift_images.h"
#include <stdlib.h>
#include <string.h>
#include "data.h"

#define PIXELS 2
static const PetscInt moves[9][2] = {{0, 0}, {-1, -1}, {-1, 1}, {1, -1}, {1, 1}, {-1, 0}, {0, -1}, {0, 1}, {1, 0}};

void PsdShiftImages(PetscInt64 planes, PetscInt height, PetscInt width, PetscInt bits, PetscInt down, PetscInt across,
                    const unsigned char from[], unsigned char to[])
{
  const size_t pixel = (size_t)(bits / 8), bytes = (size_t)width * pixel;
  for (PetscInt64 plane = 0; plane < planes; plane++, from += (size_t)height * bytes) {
    for (PetscInt row = 0; row < height; row++) {
      const unsigned char *line = from + (size_t)PetscMin(height - 1, PetscMax(0, row - down)) * bytes;
      for (PetscInt column = 0; column < width; column++, to += pixel)
        memcpy(to, line + (size_t)PetscMin(width - 1, PetscMax(0, column - across)) * pixel, pixel);
    }
  }
}

PetscErrorCode PsdDataAddShifts(PsdData data)
{
  PetscFunctionBeginUser;
  const size_t bytes = (size_t)data->channels * data->height * data->width * (size_t)(data->pixels.bits / 8);
  const PetscInt n = data->n_local;
  unsigned char *images, *to;
  PetscCall(PsdDataRepeat(data, data->shifts, "-shifts", &images));
  to = data->images;
  for (PetscInt k = 0; k < n; k++)
    for (PetscInt shift = 0; shift < data->shifts; shift++, to += bytes)
      PsdShiftImages(data->channels, data->height, data->width, data->pixels.bits, PIXELS * moves[shift][0],
                     PIXELS * moves[shift][1], images + (size_t)k * bytes, to);
  free(images);
  PetscFunctionReturn(0);
}
