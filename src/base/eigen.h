/*
   Symmetric matrices up to a fixed order, decomposed completely by LAPACK (divide and conquer); the work space is kept.
*/
#ifndef PSD_EIGEN_H
#define PSD_EIGEN_H

#include <petscsys.h>

typedef struct _p_PsdEigen *PsdEigen;

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen);
/* A: order x order by columns, upper triangle read, overwritten by the eigenvectors (columns); lambda ascending */
PetscErrorCode PsdEigenSolve(PsdEigen eigen, PetscReal A[], PetscReal lambda[]);
/* The same of a matrix of an order up to the one that the work space is for. */
PetscErrorCode PsdEigenSolveUpTo(PsdEigen eigen, PetscInt order, PetscReal A[], PetscReal lambda[]);
PetscErrorCode PsdEigenDestroy(PsdEigen *eigen);

#endif
