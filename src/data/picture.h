/*
   One picture in a file: PNG or JPEG, read by libpng and libjpeg. A picture is grey (one channel) or in colours (red, green,
   blue) of 8 or 16 bits each, the latter in the machine's order of bytes; what is more than that (transparency) would
   be lost, and is refused. None of it is collective.
*/
#ifndef PSD_PICTURE_PRIVATE_H
#define PSD_PICTURE_PRIVATE_H

#include "base/base.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  PetscInt channels, height, width; /* 1 or 3 channels */
  PetscInt bits;                    /* of each, 8 or 16 */
} PsdPictureSize;

/* A kind of file. A file at fault is recorded as the failure. */
typedef struct {
  const char *suffixes[3]; /* in small letters; NULL-terminated */
  /* size alone */
  void (*inspect)(const char path[], FILE *file, PsdPictureSize *size, PsdFailure *failure);
  /* pixels: height x width x channels of a picture whose size inspect has told */
  void (*read)(const char path[], FILE *file, PsdPictureSize size, unsigned char pixels[], PsdFailure *failure);
} PsdPictureKind;

extern const PsdPictureKind PsdPicturePng, PsdPictureJpeg;

/* PsdPictureIsName - whether a file of that name is a picture, by its ending, in capital letters or small ones. */
PetscBool PsdPictureIsName(const char name[]);
PetscErrorCode PsdPictureInspect(const char path[], PsdPictureSize *size, PsdFailure *failure);
/* PsdPictureRead - channels x height x width of a picture that is made to be of size `wanted`: a grey one in colours is red,
   green and blue alike, one of 8 bits has 257 times its numbers in 16, and one of another height or width is averaged
   over areas. */
PetscErrorCode PsdPictureRead(const char path[], PsdPictureSize wanted, unsigned char image[], PsdFailure *failure);

/* PsdPictureResize - the planes of `from` averaged over the areas that pixels of `to` cover, rounded to whole numbers.
   bits: of a pixel, in both. */
PetscErrorCode PsdPictureResize(PetscInt channels, PetscInt bits, PetscInt from_height, PetscInt from_width,
                                const unsigned char from[], PetscInt to_height, PetscInt to_width, unsigned char to[]);

/* PsdPixelAt, PsdPixelSet - the k-th pixel of an array of so many bits each. */
static inline PetscInt PsdPixelAt(PetscInt bits, const unsigned char pixels[], size_t k)
{
  uint16_t word = pixels[bits == 16 ? 0 : k];
  if (bits == 16) memcpy(&word, pixels + k * sizeof(word), sizeof(word));
  return word;
}

static inline void PsdPixelSet(PetscInt bits, unsigned char pixels[], size_t k, PetscInt value)
{
  const uint16_t word = (uint16_t)value;
  if (bits == 16) memcpy(pixels + k * sizeof(word), &word, sizeof(word));
  else pixels[k] = (unsigned char)value;
}

#endif
