/*
   Images moved by a few pixels, whose edge is repeated where something moves in.
*/
#ifndef PSD_SHIFT_IMAGES_PRIVATE_H
#define PSD_SHIFT_IMAGES_PRIVATE_H

#include <petscsys.h>

/* PsdShiftImages - moves down and across; planes: of all images, height x width each; bits: of a pixel. Not collective.
   */
void PsdShiftImages(PetscInt64 planes, PetscInt height, PetscInt width, PetscInt bits, PetscInt down, PetscInt across,
                    const unsigned char from[], unsigned char to[]);

#endif
