/*
   Mirror images of images: left and right exchanged.
*/
#ifndef PSD_MIRROR_IMAGES_PRIVATE_H
#define PSD_MIRROR_IMAGES_PRIVATE_H

#include <petscsys.h>

/* PsdMirrorImages - rows: of all images and planes, `width` pixels each, which are of `pixel` bytes. Not collective. */
void PsdMirrorImages(PetscInt64 rows, PetscInt width, size_t pixel, const unsigned char from[], unsigned char to[]);

#endif
