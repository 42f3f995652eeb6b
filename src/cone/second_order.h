/*
   The second-order cone {(w, t): ||w|| <= t}, whose vectors are the blocks of linear neurons (docs/mathematics.md,
   section 1, "Linear branches"): projection, polar and its proof, decomposition into neurons. Nothing here is
   collective.
*/
#ifndef PSD_SECOND_ORDER_PRIVATE_H
#define PSD_SECOND_ORDER_PRIVATE_H

#include "polar_proof.h"

/* z <- the nearest vector of the cone to x; both f + 1 numbers, (w, t). */
void PsdVectorProject(PetscInt f, const PetscReal x[], PetscReal z[]);

/*
   PsdVectorPolar - R*(M) = max over ||u|| = 1 of |M.(u, 1)| = ||M2|| + |M4| of M = (M2, M4), rounded up. Infinite when
   M is not finite. PsdVectorPolarBoth - the same with its proof, for +M and -M: theta >= ||M2|| and phi >= +-M4.
*/
PetscReal PsdVectorPolar(PetscInt f, const PetscReal M[]);
void PsdVectorPolarBoth(PetscInt f, const PetscReal M[], PsdPolarSide sides[2]);

/* PsdVectorPolarHolds - whether s M.(u, 1) <= theta + phi is proved for every unit u and every M within `error`, in
   norm, of the given one: s ||M2|| <= theta and s M4 <= phi. s: any number. */
PetscBool PsdVectorPolarHolds(PetscInt f, const PetscReal M[], PetscReal s, PetscReal error, PsdPolarSide side);

#endif
