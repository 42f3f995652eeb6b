/*
   What stands in files as numbers of any type, and is a pixel of 8 bits or of 16. Pixels are whole numbers to psdnet,
   whose error bounds rest on that (docs/mathematics.md, section 6), so that other numbers are taken where they say the
   same and refused where they do not: whole numbers of 0 .. 255, 255ths of 1, or whole numbers of 0 .. 65535. None of
   it is collective.
*/
#ifndef PSD_PIXELS_PRIVATE_H
#define PSD_PIXELS_PRIVATE_H

#include "base/base.h"

/* How numbers of one data set stand for bytes. */
typedef enum { PSD_PIXELS_WHOLE, PSD_PIXELS_255THS } PsdPixelScale;

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

/* PsdPixelsScale - how numbers whose largest is this stand for bytes. */
PsdPixelScale PsdPixelsScale(PsdNumberType type, double largest);
/* PsdPixelsToBytes - returns the first number of `count` that is no byte of a pixel, or count. */
size_t PsdPixelsToBytes(PsdNumberType type, PsdPixelScale scale, PetscInt bits, size_t count, const void *numbers,
                        unsigned char bytes[]);
/* PsdPixelsExpected - for messages: what was expected. */
const char *PsdPixelsExpected(PsdPixelScale scale, PetscInt bits);

/* PsdPixelsToPlanes - images, count x height x width x channels in place become count x channels x height x width; image:
   room for one. */
void PsdPixelsToPlanes(PetscInt count, PetscInt channels, PetscInt height, PetscInt width, PetscInt bits,
                       unsigned char images[], unsigned char image[]);

/* PsdPixelsFindOrder - channels, height and width of images whose extents behind the number are these (2 or 3 of them), and
   whether channels are last: 1, 3 or 4 of them behind two sides of more than 4. */
void PsdPixelsFindOrder(int rank, const PetscInt64 extent[], PetscInt64 shape[3], PetscBool *channels_last);

#endif
