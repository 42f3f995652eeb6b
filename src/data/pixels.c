/*
   Numbers as pixels. A 255th that was made in single precision, by a quotient or by a product with 1/255, is off by at most
   two roundings: 255 v differs from a whole number k <= 255 by less than 3 k 2^-24.
*/
#include "pixels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 255 /* of 8 bits */
#define OFF (3.0 * LARGEST / (1 << 24))

static void Fetch(PsdNumberType type, const void *numbers, size_t k, unsigned char raw[8])
{
  const size_t size = PetscMin((size_t)type.size, 8);
  const unsigned char *from = (const unsigned char *)numbers + k * size;
  for (size_t b = 0; b < size; b++) raw[b] = from[type.swapped ? size - 1 - b : b];
}

#define OF_TYPE(Type)                                                                                                  \
  {                                                                                                                    \
    Type number;                                                                                                       \
    memcpy(&number, raw, sizeof(number));                                                                              \
    return number;                                                                                                     \
  }

static int64_t Signed(int size, const unsigned char raw[8])
{
  if (size == 1) OF_TYPE(int8_t);
  if (size == 2) OF_TYPE(int16_t);
  if (size == 4) OF_TYPE(int32_t);
  OF_TYPE(int64_t);
}

static uint64_t Unsigned(int size, const unsigned char raw[8])
{
  if (size == 1) OF_TYPE(uint8_t);
  if (size == 2) OF_TYPE(uint16_t);
  if (size == 4) OF_TYPE(uint32_t);
  OF_TYPE(uint64_t);
}

double PsdNumberAt(PsdNumberType type, const void *numbers, size_t k)
{
  unsigned char raw[8];
  Fetch(type, numbers, k, raw);
  if (type.kind == 'i') return (double)Signed(type.size, raw);
  if (type.kind == 'u') return (double)Unsigned(type.size, raw);
  if (type.size == 4) OF_TYPE(float);
  OF_TYPE(double);
}

PetscInt64 PsdIntegerAt(PsdNumberType type, const void *numbers, size_t k)
{
  unsigned char raw[8];
  Fetch(type, numbers, k, raw);
  if (type.kind == 'i') return Signed(type.size, raw);
  return (PetscInt64)PetscMin(Unsigned(type.size, raw), (uint64_t)INT64_MAX);
}

PetscBool PsdPixelIs255th(double number)
{
  const double parts = LARGEST * number;
  return (PetscBool)(fabs(parts - rint(parts)) <= OFF);
}

/* negative: it is none */
static int PixelOf(double number, PsdPixelScale scale, double most)
{
  const double parts = scale == PSD_PIXELS_255THS ? LARGEST * number : number, whole = rint(parts);
  const double off = scale == PSD_PIXELS_255THS ? OFF : 0;
  /* which no number that is not one passes */
  return whole >= 0 && whole <= most && fabs(parts - whole) <= off ? (int)whole : -1;
}

/* step is a power of two and low a multiple of it, so that nothing is rounded here but by rint. */
static int LevelOf(double number, const PsdPixels *pixels, double most, PsdPixelTally *tally)
{
  if (!isfinite(number)) return -1;
  const double multiple = number / pixels->step, nearest = rint(multiple), level = nearest - pixels->low / pixels->step;
  if (level < 0 || level > most) tally->clipped++;
  else if (nearest != multiple) tally->rounded++;
  return (int)PetscMin(PetscMax(level, 0), most);
}

size_t PsdPixelsToBytes(PsdNumberType type, PsdPixelScale scale, const PsdPixels *pixels, size_t count,
                        const void *numbers, unsigned char bytes[], PsdPixelTally *tally)
{
  const double most = pixels->bits == 16 ? UINT16_MAX : LARGEST;
  for (size_t k = 0; k < count; k++) {
    const double number = PsdNumberAt(type, numbers, k);
    const int pixel = scale == PSD_PIXELS_LEVELS ? LevelOf(number, pixels, most, tally) : PixelOf(number, scale, most);
    if (pixel < 0) return k;
    const uint16_t word = (uint16_t)pixel;
    if (pixels->bits == 16) memcpy(bytes + k * sizeof(word), &word, sizeof(word));
    else bytes[k] = (unsigned char)pixel;
  }
  return count;
}

const char *PsdPixelsExpected(PsdPixelScale scale, const PsdPixels *pixels)
{
  if (scale == PSD_PIXELS_LEVELS) return PSD_PIXELS_FINITE;
  if (pixels->bits == 16) return "whole numbers of 0..65535";
  return scale == PSD_PIXELS_255THS ? "255ths of 1, as no number is above 1" : "whole numbers of 0..255";
}

void PsdPixelsToPlanes(PetscInt count, PetscInt channels, PetscInt height, PetscInt width, PetscInt bits,
                       unsigned char images[], unsigned char image[])
{
  const size_t pixel = (size_t)(bits / 8), plane = (size_t)height * (size_t)width;
  const size_t size = plane * (size_t)channels * pixel;
  for (PetscInt i = 0; i < count && channels > 1; i++, images += size) {
    memcpy(image, images, size);
    for (size_t c = 0; c < (size_t)channels; c++)
      for (size_t k = 0; k < plane; k++)
        memcpy(images + (c * plane + k) * pixel, image + (k * (size_t)channels + c) * pixel, pixel);
  }
}

#define MOST_STEP_EXPONENT 200
#define MOST_LOW_LEVEL 137438953472. /* 2^37 */

PetscBool PsdPixelsAreLevels(const PsdPixels *pixels)
{
  int exponent;
  const double first = pixels->low / pixels->step;
  return (PetscBool)(frexp(pixels->step, &exponent) == 0.5 && abs(exponent) <= MOST_STEP_EXPONENT &&
                     first == floor(first) && fabs(first) <= MOST_LOW_LEVEL);
}

#define MOST_COLOURS 4

void PsdPixelsFindOrder(int rank, const PetscInt64 extent[], PetscInt64 shape[3], PetscBool *channels_last)
{
  const PetscInt64 last = extent[rank - 1];
  const PetscBool colours = (PetscBool)(last == 1 || last == 3 || last == MOST_COLOURS);
  *channels_last = (PetscBool)(rank == 3 && colours && extent[0] > MOST_COLOURS && extent[1] > MOST_COLOURS);
  const int first = *channels_last || rank == 2 ? 0 : 1;
  shape[0] = *channels_last ? last : rank == 2 ? 1 : extent[0];
  shape[1] = extent[first];
  shape[2] = extent[first + 1];
}
