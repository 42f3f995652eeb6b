/*
   One picture in a file: PNG or JPEG, read by libpng and libjpeg. A picture is grey (one channel) or in colours (red, green,
   blue) of 8 bits each; what is more than that (transparency, 16 bits) would be lost, and is refused. None of it is
   collective.
*/
#ifndef PSD_PICTURE_PRIVATE_H
#define PSD_PICTURE_PRIVATE_H

#include "base/base.h"
#include <stdio.h>

typedef struct {
  PetscInt channels, height, width; /* 1 or 3 channels */
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
   green and blue alike, and one of another height or width is averaged over areas. */
PetscErrorCode PsdPictureRead(const char path[], PsdPictureSize wanted, unsigned char image[], PsdFailure *failure);

/* PsdPictureResize - the planes of `from` averaged over the areas that pixels of `to` cover, rounded to bytes. */
PetscErrorCode PsdPictureResize(PetscInt channels, PetscInt from_height, PetscInt from_width,
                                const unsigned char from[], PetscInt to_height, PetscInt to_width, unsigned char to[]);

#endif
