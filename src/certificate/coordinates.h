/*
   The coordinates z = V'x of a region's patches in a basis V, which all dual points have in common. They are kept where there is
   room, and made again by each pass where there is not.
*/
#ifndef PSD_COORDINATES_PRIVATE_H
#define PSD_COORDINATES_PRIVATE_H

#include "problem/patch_matrix.h"

typedef struct {
  PetscInt g, f, K;
  const PetscReal *V; /* f x K by columns, borrowed */
  PetscReal *z;       /* K numbers a patch of this rank, patch after patch; NULL: they are not kept */
  int exponent;       /* 2^exponent is above the size of every number of a patch, and of its order for the largest */
} PsdCoordinates;

/* PsdCoordinatesCreate - of region g's patches; V is of any lengths and angles, the same on every rank. memory: bytes that it may
   use for what it keeps. Collective. Cost: 2 f K flops a patch. */
PetscErrorCode PsdCoordinatesCreate(MPI_Comm comm, PsdPatchMatrix patches, PetscInt g, PetscInt K, const PetscReal V[],
                                    size_t memory, PsdCoordinates *coordinates);
PetscErrorCode PsdCoordinatesDestroy(PsdCoordinates *coordinates);

/* PsdCoordinatesBytes - what is kept, or would be. Not collective. */
size_t PsdCoordinatesBytes(PsdPatchMatrix patches, const PsdCoordinates *coordinates);

/* PsdCoordinatesOf - of `rows` <= PSD_PRODUCT_ROWS patches x from number `first` on. work: K x rows. An entry is off by
   PsdProductRoundings(f) roundings of ||x|| ||V||. Not collective. */
PetscErrorCode PsdCoordinatesOf(const PsdCoordinates *coordinates, size_t first, PetscInt rows, const PetscReal x[],
                                PetscReal work[], const PetscReal **z);

#endif
