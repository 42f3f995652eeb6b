/*
   The values of pixels in the units of the options, and the defaults of images of real numbers.
*/
#include "pixel_values.h"

#define BYTE 255
#define BYTE_SHIFT 128

void PsdPixelsSettle(const PsdPixels *pixels, PsdPixelChoices asked, PetscReal normalize, PsdPatchGeometry *g)
{
  g->bits = pixels->bits == 16 ? 16 : 0;
  g->step = pixels->step;
  g->low = pixels->low;
  if (!(pixels->step > 0)) return;
  const PetscReal range = pixels->largest - pixels->least, unit = range > 0 ? range / BYTE : pixels->step;
  if (!asked.shift) g->pixel_shift = pixels->least + BYTE_SHIFT * unit;
  if (!asked.scale) g->pixel_scale = BYTE * unit;
  if (!asked.normalize) g->normalize = normalize * unit * unit;
}

PetscReal PsdPixelsLargest(const PsdPatchGeometry *g)
{
  return g->step > 0 ? g->step * PsdPixelsMost(g) : BYTE;
}

PetscReal PsdPixelsFarthest(const PsdPatchGeometry *g)
{
  const PetscReal low = g->step > 0 ? g->low : 0, high = low + PsdPixelsLargest(g);
  return PetscMax(PetscAbsReal(low - g->pixel_shift), PetscAbsReal(high - g->pixel_shift));
}
