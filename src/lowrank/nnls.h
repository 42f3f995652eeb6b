/*
   Small quadratic programs over the nonnegative orthant: weights of neurons that are added (growth.c).
*/
#ifndef PSD_NNLS_PRIVATE_H
#define PSD_NNLS_PRIVATE_H

#include <petscsys.h>

/* PsdNonnegative - x >= 0 that minimises x'Hx/2 + c'x, H positive definite, n x n, of which the upper triangle is read. Not
   collective. Lawson and Hanson's active set method. */
PetscErrorCode PsdNonnegative(PetscInt n, const PetscReal H[], const PetscReal c[], PetscReal x[]);

#endif
