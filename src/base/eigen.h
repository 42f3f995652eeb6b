/*
   Eigendecompositions of symmetric matrices up to a fixed order, by LAPACK; the work space is kept.

   Each of LAPACK's drivers fails now and then on matrices that another one decomposes: inverse iteration among
   eigenvalues that coincide, divide and conquer where deflation goes wrong. So they are rungs of a ladder, and a
   failure of one is the next one's turn.
*/
#ifndef PSD_EIGEN_H
#define PSD_EIGEN_H

#include <petscsys.h>

typedef struct _p_PsdEigen *PsdEigen;

/* The rungs, from the top down: eigenvalues of a range by inverse iteration (dsyevr), all of them by divide and
   conquer (dsyevd), all of them by QR (dsyev). */
typedef enum { PSD_EIGEN_RANGE, PSD_EIGEN_DIVIDE, PSD_EIGEN_QR, PSD_EIGEN_RUNGS } PsdEigenRung;

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen);
/* PsdEigenSolve - A: order x order by columns, upper triangle read, overwritten by the eigenvectors (columns); lambda
   ascending. Not collective. Errors (PETSC_ERR_FP): A is not finite. */
PetscErrorCode PsdEigenSolve(PsdEigen eigen, PetscReal A[], PetscReal lambda[]);
/* The same of a matrix of an order up to the one that the work space is for. */
PetscErrorCode PsdEigenSolveUpTo(PsdEigen eigen, PetscInt order, PetscReal A[], PetscReal lambda[]);
/* PsdEigenSolveRange - the `found` eigenvalues in (low, high] alone, ascending, and their vectors V, order x found by
   columns. lambda: room for `order` numbers, V for order x order; A is overwritten. Errors as above. */
PetscErrorCode PsdEigenSolveRange(PsdEigen eigen, PetscInt order, PetscReal low, PetscReal high, PetscReal A[],
                                  PetscInt *found, PetscReal lambda[], PetscReal V[]);
PetscErrorCode PsdEigenDestroy(PsdEigen *eigen);

/* PsdEigenFailures - how often a rung has failed since the work space was made. */
PetscInt PsdEigenFailures(PsdEigen eigen, PsdEigenRung rung);
/* PsdEigenDistrust - for tests: what this rung finds counts as a failure from now on, or as before. */
void PsdEigenDistrust(PsdEigen eigen, PsdEigenRung rung, PetscBool distrust);

/* PsdLargestEntry - the largest absolute entry of the upper triangle of A, order x order by columns; not finite when one of them
   is not. */
PetscReal PsdLargestEntry(PetscInt order, const PetscReal A[]);
/* PsdIsModerate - whether products of numbers of this size are far from overflow and underflow. */
PetscBool PsdIsModerate(PetscReal size);

/* Eigenvalues up to this count as zero: what rounding makes of them. */
static inline PetscReal PsdEigenFloor(PetscInt order, PetscReal largest)
{
  return (PetscReal)order * PETSC_MACHINE_EPSILON * largest;
}

#endif
