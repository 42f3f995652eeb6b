/*
   How much of the patches a basis leaves out, proved: kappa.c.
*/
#ifndef PSD_KAPPA_PRIVATE_H
#define PSD_KAPPA_PRIVATE_H

#include "problem/patch_matrix.h"

/* Of a Gram matrix that are made at a time, about. Tests lower it. */
extern PetscInt PsdKappaNumbers;

/* By a Cholesky factorisation of f x f numbers on one rank, or by the norm of as many that are not kept. AUTO: the former, but
   for very large f. */
typedef enum { PSD_KAPPA_AUTO, PSD_KAPPA_FACTOR, PSD_KAPPA_NORM } PsdKappaKind;

/* PsdKappaProve - kappa >= ||X w||^2/||w||^2 for every w with V'w = 0; X: the patches of region g of all ranks' samples, as they
   are kept. Infinite where they are not finite.

   Collective; kappa is the same on all ranks. V: f x K by columns, the same on all ranks, of any lengths and angles; kappa is
   near the best there is where they are orthonormal. Cost: a Gram matrix, N f^2 flops for N patches, twice as many by the
   norm, and 6 f^2 K + f^3. */
PetscErrorCode PsdKappaProve(MPI_Comm comm, PsdPatchMatrix patches, PetscInt g, PetscInt K, const PetscReal V[],
                             PsdKappaKind kind, PetscReal *kappa);

#endif
