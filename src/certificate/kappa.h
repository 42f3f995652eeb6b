/*
   How much of the patches a basis leaves out, proved: kappa.c.
*/
#ifndef PSD_KAPPA_PRIVATE_H
#define PSD_KAPPA_PRIVATE_H

#include "coordinates.h"

/* Of a Gram matrix that are made at a time, about. Tests lower it. */
extern PetscInt PsdKappaNumbers;

/* By a Cholesky factorisation of f x f numbers on one rank, or by the norm of as many that are not kept. AUTO: the former, but
   for very large f. */
typedef enum { PSD_KAPPA_AUTO, PSD_KAPPA_FACTOR, PSD_KAPPA_NORM } PsdKappaKind;

/* PsdKappaProve - kappa >= ||X w||^2/||w||^2 for every w with V'w = 0; X: the patches of the basis's region of all ranks' samples,
   as they are kept. Infinite where they are not finite.

   Collective; kappa is the same on all ranks. It is near the best there is where V is orthonormal. Cost: N f (f + 2 K) flops in
   single precision for N patches, twice as many by the norm, and f^3/3 in double on one rank. */
PetscErrorCode PsdKappaProve(MPI_Comm comm, PsdPatchMatrix patches, const PsdCoordinates *basis, PsdKappaKind kind,
                             PetscReal *kappa);

#endif
