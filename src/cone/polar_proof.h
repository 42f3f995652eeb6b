/*
   The proof of an upper bound of [u;1]' s M [u;1] over the unit sphere: a Cholesky factorisation. Callers use PsdPolar
   (polar.h).
*/
#ifndef PSD_POLAR_PROOF_PRIVATE_H
#define PSD_POLAR_PROOF_PRIVATE_H

#include <petscsys.h>

/* [theta I - s M1, -s M2; -s M2', phi - s M4] is positive semidefinite, so that [u;1]' s M [u;1] <= theta + phi for
   every unit u. */
typedef struct {
  PetscReal theta, phi;
} PsdPolarSide;

/*
   PsdPolarProve - raises theta and phi, by as little as rounding needs, until that matrix is proved to be positive
   semidefinite.

   Not collective. M: svec of order f+1 whose largest entry is of the size of 1. s: +1 or -1. work: (f+1)^2. Infinite
   where no proof is found, which takes an M or a start that is not finite.
*/
PetscErrorCode PsdPolarProve(PetscInt f, const PetscReal M[], PetscReal s, PetscReal work[], PsdPolarSide *side);

/*
   PsdPolarHolds - whether that matrix, as it is, is proved to be positive semidefinite for every M within `error`, in
   norm, of the given one.

   Not collective. M, work: as above, of any size. s: any number.
*/
PetscErrorCode PsdPolarHolds(PetscInt f, const PetscReal M[], PetscReal s, PetscReal error, PsdPolarSide side,
                             PetscReal work[], PetscBool *holds);

/*
   PsdIsDefinite - whether A is proved to be positive semidefinite, and every matrix within `error` of it, in norm.

   Not collective. A: d x d by columns, the upper triangle, overwritten. Its entries may have 4 roundings of their own, off the
   diagonal of entries of a matrix of norm `norm`, on it of these and of a sum with them.
*/
PetscErrorCode PsdIsDefinite(PetscInt d, PetscReal A[], PetscReal norm, PetscReal error, PetscBool *holds);

#endif
