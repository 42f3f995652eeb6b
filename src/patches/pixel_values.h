/*
   What the numbers of a pixel stand for: whole numbers of 8 bits, of 16 bits, which count 257 for 1 of 8, or levels of real
   numbers, low + step level (PsdPixels). step is a power of two and low a multiple of it, so that weights and origins are
   exact.
*/
#ifndef PSD_PIXEL_VALUES_PRIVATE_H
#define PSD_PIXEL_VALUES_PRIVATE_H

#include <psdpatches.h>

/* Which of these were asked for, rather than left to what the images are. */
typedef struct {
  PetscBool shift, scale, normalize;
} PsdPixelChoices;

/* PsdPixelsSettle - has patches be cut of such images. Of real numbers, what was not asked for is what bytes have, 128, 255
   and `normalize`, for numbers whose least is as 0 and whose largest is as 255. */
void PsdPixelsSettle(const PsdPixels *pixels, PsdPixelChoices asked, PetscReal normalize, PsdPatchGeometry *g);

/* The largest number that is held of a pixel. */
static inline PetscReal PsdPixelsMost(const PsdPatchGeometry *g)
{
  return g->bits == 16 ? 65535 : 255;
}

/* w: what a sum of numbers over reduce x reduce pixels is divided by to be a mean in the units of the options. */
static inline PetscReal PsdPixelsWeight(const PsdPatchGeometry *g)
{
  const PetscReal area = (PetscReal)g->reduce * (PetscReal)g->reduce;
  if (g->step > 0) return area / g->step;
  return area * (g->bits == 16 ? 257 : 1);
}

/* What is added to such a sum first. */
static inline PetscReal PsdPixelsOrigin(const PsdPatchGeometry *g)
{
  return g->step > 0 ? (PetscReal)g->reduce * (PetscReal)g->reduce * (g->low / g->step) : 0;
}

/* PsdPixelsLargest - the largest value of a pixel less the least; PsdPixelsFarthest - the largest |value - shift|. */
PetscReal PsdPixelsLargest(const PsdPatchGeometry *g);
PetscReal PsdPixelsFarthest(const PsdPatchGeometry *g);

#endif
