/*
   What stands in files as numbers of any type, and is a pixel of 8 bits or of 16. What is held of a pixel is a whole number
   to psdnet, whose error bounds rest on that (docs/mathematics.md, section 6). Other numbers are taken where they say the
   same: whole numbers of 0 .. 255, 255ths of 1, or whole numbers of 0 .. 65535. What is none of it are real numbers, of
   which levels are held (PsdPixels, psddata.h). None of it is collective.
*/
#ifndef PSD_PIXELS_PRIVATE_H
#define PSD_PIXELS_PRIVATE_H

#include <psddata.h>
#include "base/base.h"

/* How numbers of one data set stand for what is held. */
typedef enum { PSD_PIXELS_WHOLE, PSD_PIXELS_255THS, PSD_PIXELS_LEVELS } PsdPixelScale;

/* A type of numbers in a file. */
typedef struct {
  char kind;         /* u, i or f: unsigned, signed, floating point */
  int size;          /* bytes; 1, 2, 4 or 8, of floating point 4 or 8 */
  PetscBool swapped; /* not in this machine's order of bytes */
} PsdNumberType;

static inline PetscBool PsdNumberIsByte(PsdNumberType type)
{
  return (PetscBool)(type.kind == 'u' && type.size == 1);
}

/* PsdNumberAt, PsdIntegerAt - the k-th of an array; the latter of integers, those beyond its range clipped. */
double PsdNumberAt(PsdNumberType type, const void *numbers, size_t k);
PetscInt64 PsdIntegerAt(PsdNumberType type, const void *numbers, size_t k);

/* What all numbers of a data set have in common: pixel_scan.c. */
typedef struct {
  double least, largest;
  PetscBool whole, of_255; /* whole numbers; 255ths of 1 */
} PsdPixelScan;

/* PsdPixelScanBegin - of no numbers. PsdPixelScanAdd - with these as well; returns the first one that is not finite or too
   large to be a pixel, or count. */
PsdPixelScan PsdPixelScanBegin(void);
size_t PsdPixelScanAdd(PsdPixelScan *scan, PsdNumberType type, size_t count, const void *numbers);
/* PsdPixelScanSettle - how such numbers are held, *pixels being how they are wanted (bits 0: as they are), and how they
   stand for that. levels: of real numbers, at most so many between the least and the largest. */
void PsdPixelScanSettle(const PsdPixelScan *scan, PsdNumberType type, PetscInt levels, PsdPixels *pixels,
                        PsdPixelScale *scale);
/* PsdPixelIs255th - whether a number is one, as single precision has it. */
PetscBool PsdPixelIs255th(double number);

/* What became of real numbers that are no levels. */
typedef struct {
  PetscInt64 rounded, clipped;
} PsdPixelTally;

/* PsdPixelsToBytes - returns the first number of `count` that cannot be held, or count; counts those that are rounded or
   clipped. */
size_t PsdPixelsToBytes(PsdNumberType type, PsdPixelScale scale, const PsdPixels *pixels, size_t count,
                        const void *numbers, unsigned char bytes[], PsdPixelTally *tally);
/* PsdPixelsAreLevels - whether step and low are what levels may have. */
PetscBool PsdPixelsAreLevels(const PsdPixels *pixels);
#define PSD_PIXELS_FINITE "finite numbers of no more than 1e30"
/* PsdPixelsExpected - for messages: what was expected. */
const char *PsdPixelsExpected(PsdPixelScale scale, const PsdPixels *pixels);

/* PsdPixelsToPlanes - images, count x height x width x channels in place become count x channels x height x width; image:
   room for one. */
void PsdPixelsToPlanes(PetscInt count, PetscInt channels, PetscInt height, PetscInt width, PetscInt bits,
                       unsigned char images[], unsigned char image[]);

/* PsdPixelsFindOrder - channels, height and width of images whose extents behind the number are these (2 or 3 of them), and
   whether channels are last: 1, 3 or 4 of them behind two sides of more than 4. */
void PsdPixelsFindOrder(int rank, const PetscInt64 extent[], PetscInt64 shape[3], PetscBool *channels_last);

#endif
