/*
   What a lift is: how the patches of a region become the numbers of a feature. A new one is a file that fills PsdLift,
   a line in lift_table.c and a number in psdpatches.h; what its blocks are is said in cone/blocks.h.
*/
#ifndef PSD_LIFT_IMPL_H
#define PSD_LIFT_IMPL_H

#include "lift.h"

typedef struct {
  const char *name, *help;
  PetscBool vector; /* features are vectors of f + 1 numbers, whose last one is constant; else svecs of matrices */
  PetscBool
      transform; /* patches may be transformed first, and the moments are what statistics of patches are made of */
  /* numbers in the moments of a region with raw patches of q numbers, and in the feature of one with f */
  PetscInt (*length)(PetscInt numbers);
  /* of one region: rows: count x q. Not collective. */
  PetscErrorCode (*moments)(PsdPatches branch, PetscInt count, const PetscReal rows[], PetscReal moments[]);
  /* phi may be where the moments are */
  PetscErrorCode (*lift)(PsdPatches branch, const PetscReal activation[3], const PetscReal moments[], PetscReal phi[]);
  /* a bound of the error of phi less its component along J, of `count` patches; lost: see PsdPatchesLiftErrors */
  PetscReal (*error)(PsdPatches branch, PetscInt count, const PetscReal activation[3], const PetscReal moments[],
                     PetscReal lost);
  PetscLogDouble (*moments_flops)(PsdPatches branch); /* of one patch */
  PetscLogDouble (*lift_flops)(PsdPatches branch);    /* of one region */
} PsdLift;

extern const PsdLift PsdLiftQuadratic, PsdLiftLinear;

/* PsdLiftNumber - of the numbers that geometries have. PsdPatchesLiftOf - that of a branch. Not collective. */
const PsdLift *PsdLiftNumber(PetscInt number);
const PsdLift *PsdPatchesLiftOf(PsdPatches branch);

/* PsdLiftQuadraticError - the `error` of the quadratic lift: lift_error.c. */
PetscReal PsdLiftQuadraticError(PsdPatches branch, PetscInt count, const PetscReal activation[3],
                                const PetscReal moments[], PetscReal lost);

#endif
