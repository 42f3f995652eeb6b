/*
   Moments of images, from the pass over all images that gathers the statistics of their patches until the images are
   lifted: in 40 bits a number, in the memory where the lifted features will be. What is written there of lifted images
   must not reach the moments of those that are not (PSD_HELD_BYTES).
*/
#ifndef PSD_HELD_MOMENTS_PRIVATE_H
#define PSD_HELD_MOMENTS_PRIVATE_H

#include <petscsys.h>

#define PSD_HELD_BYTES 5 /* a number */

typedef struct _p_PsdHeldMoments *PsdHeldMoments;

/* PsdHeldCreate - for as many of the first `images` images as have room in `bytes` bytes at `place`, which is borrowed.
   regions, length: of them in an image, and numbers in the moments of each. None of these is collective. */
PetscErrorCode PsdHeldCreate(PetscInt regions, const PetscInt length[], PetscInt images, size_t bytes, void *place,
                             PsdHeldMoments *held);
PetscInt PsdHeldCount(PsdHeldMoments held); /* of NULL: 0 */
void PsdHeldPut(PsdHeldMoments held, PetscInt image, const PetscReal moments[]);
/* PsdHeldGet - moments of an image, and what they have lost: for each region a bound of what its matrix and its mean are
   off in their norms, see PsdPatchesLiftErrors; borrowed. */
void PsdHeldGet(PsdHeldMoments held, PetscInt image, PetscReal moments[], const PetscReal *lost[]);
PetscErrorCode PsdHeldDestroy(PsdHeldMoments *held);

#endif
