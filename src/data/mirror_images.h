/*
   Mirror images of images: left and right exchanged.
*/
#ifndef PSD_MIRROR_IMAGES_PRIVATE_H
#define PSD_MIRROR_IMAGES_PRIVATE_H

#include <petscsys.h>

/* PsdMirrorImages - rows: of all images and planes, `width` bytes each. Not collective. */
void PsdMirrorImages(PetscInt64 rows, PetscInt width, const unsigned char from[], unsigned char to[]);

#endif
