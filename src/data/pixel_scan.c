/*
   What the numbers of images are, all of them together: bytes, 255ths of 1, whole numbers of 16 bits, or real numbers, and
   then the levels that are held of them.

   The step is the least power of two of which the range takes no more steps than there are levels. It is not below 2^-36
   of the largest number, so that multiples of it and sums of them are exact in double precision.
*/
#include "pixels.h"
#include <math.h>

#define LARGEST_NUMBER 1e30
#define LEVEL_EXPONENT 36
#define LEAST_EXPONENT (-136)

PsdPixelScan PsdPixelScanBegin(void)
{
  return (PsdPixelScan){INFINITY, -INFINITY, PETSC_TRUE, PETSC_TRUE};
}

size_t PsdPixelScanAdd(PsdPixelScan *scan, PsdNumberType type, size_t count, const void *numbers)
{
  for (size_t k = 0; k < count; k++) {
    const double number = PsdNumberAt(type, numbers, k);
    if (!(fabs(number) <= LARGEST_NUMBER)) return k;
    scan->least = PetscMin(scan->least, number);
    scan->largest = PetscMax(scan->largest, number);
    if (scan->whole && rint(number) != number) scan->whole = PETSC_FALSE;
    if (scan->of_255 && !PsdPixelIs255th(number)) scan->of_255 = PETSC_FALSE;
  }
  return count;
}

/* Multiples of 2^exponent that hold the range: first .. last. */
static void Cover(const PsdPixelScan *scan, int exponent, double *first, double *last)
{
  *first = floor(ldexp(scan->least, -exponent));
  *last = ceil(ldexp(scan->largest, -exponent));
}

/* What is left over of the levels is for other images: half of it on either side, but numbers that are not negative stay
   so. */
static void ChooseLevels(const PsdPixelScan *scan, PetscInt levels, PsdPixels *pixels)
{
  int exponent, of_range = LEAST_EXPONENT;
  double first, last;
  (void)frexp(PetscMax(fabs(scan->least), fabs(scan->largest)), &exponent);
  if (scan->largest > scan->least) (void)frexp((scan->largest - scan->least) / (levels - 1), &of_range);
  exponent = PetscMax(PetscMax(exponent - LEVEL_EXPONENT, LEAST_EXPONENT), of_range - 1);
  for (Cover(scan, exponent, &first, &last); last - first > levels - 1; exponent++)
    Cover(scan, exponent + 1, &first, &last);
  pixels->bits = levels > UINT8_MAX + 1 ? 16 : 8;
  const double spare = (pixels->bits == 16 ? UINT16_MAX : UINT8_MAX) - (last - first);
  const double low = first - floor(spare / 2);
  pixels->step = ldexp(1, exponent);
  pixels->low = ldexp(scan->least >= 0 ? PetscMax(low, 0) : low, exponent);
  pixels->least = scan->least;
  pixels->largest = scan->largest;
}

void PsdPixelScanSettle(const PsdPixelScan *scan, PsdNumberType type, PetscInt levels, PsdPixels *pixels,
                        PsdPixelScale *scale)
{
  const PetscBool small = (PetscBool)(type.kind == 'f' && scan->largest <= 1), given = (PetscBool)(pixels->bits > 0);
  *scale = PSD_PIXELS_WHOLE;
  if (pixels->step > 0) *scale = PSD_PIXELS_LEVELS;
  else if (PsdNumberIsByte(type)) *pixels = (PsdPixels){.bits = 8};
  else if (pixels->bits == 16) *pixels = (PsdPixels){.bits = 16};
  else if (small && (given || (scan->of_255 && scan->least >= 0))) {
    *pixels = (PsdPixels){.bits = 8};
    *scale = PSD_PIXELS_255THS;
  } else if (given || (!small && scan->whole && scan->least >= 0 && scan->largest <= UINT16_MAX)) {
    *pixels = (PsdPixels){.bits = given || scan->largest <= UINT8_MAX ? 8 : 16};
  } else {
    *scale = PSD_PIXELS_LEVELS;
    ChooseLevels(scan, levels, pixels);
  }
}
