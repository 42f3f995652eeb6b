/*
   Cholesky factorisation of matrices that are positive definite but for rounding, as those of Newton systems near the end of
   a central path are: in units that make the diagonal 1, and with as much added to it as lets the factorisation run through.
*/
#ifndef PSD_DEFINITE_PRIVATE_H
#define PSD_DEFINITE_PRIVATE_H

#include <petscsys.h>

typedef struct {
  PetscInt order;
  PetscReal *A;     /* order x order by columns; the upper triangle is filled before PsdDefiniteFactor */
  PetscReal *scale; /* units of the unknowns */
  PetscReal shift;  /* what was added to the diagonal, in these units */
} PsdDefinite;

PetscErrorCode PsdDefiniteCreate(PetscInt most, PsdDefinite *matrix);
/* PsdDefiniteFactor - *done: false where no shift up to 1 helps, as of a matrix that is not finite. Not collective. */
PetscErrorCode PsdDefiniteFactor(PsdDefinite *matrix, PetscInt order, PetscBool *done);
/* PsdDefiniteSolve - X (order x columns) <- (A + shift)^-1 X. */
PetscErrorCode PsdDefiniteSolve(const PsdDefinite *matrix, PetscInt columns, PetscReal X[]);
PetscErrorCode PsdDefiniteDestroy(PsdDefinite *matrix);

#endif
