/*
   M = smat(A'nu)_gt of every pair at a level: a sum of nu mean of [a x x'  (b/2) x; (b/2) x'  c] over the samples, of order K
   + 1. Each is made for one rank, which works on it, so that what is done with them is shared by all ranks.
*/
#ifndef PSD_MOMENTS_PRIVATE_H
#define PSD_MOMENTS_PRIVATE_H

#include "level.h"
#include "problem/problem.h"

/* A pair has the number of its blocks over two (columns.h): g C + t. M: (K+1) x (K+1) by columns, upper triangle; it may be
   overwritten. Called on the pair's rank alone, and so not collective. */
typedef PetscErrorCode (*PsdPairWork)(void *context, PetscInt pair, PetscInt K, PetscReal M[]);

/* PsdMomentsEach - work for all pairs. nu: C x n, class after class. precise: in double precision; then M is in the coordinates of
   the patches where the level is complete. Collective. */
PetscErrorCode PsdMomentsEach(PsdProblem problem, PsdLevel level, PetscBool precise, const PetscReal nu[],
                              PsdPairWork work, void *context);

/* The largest value of s [u;1]'M[u;1] over unit vectors u, where it is and its multiplier: theta u = s (M1 u + m2). */
typedef struct {
  PetscReal value, theta;
  PetscReal *u; /* K */
} PsdLargestForm;

/* PsdLargestFormFind - for s = 1 and s = -1, from M1 = Q diag(e) Q', e ascending, and the last column of M. Not collective. */
PetscErrorCode PsdLargestFormFind(PetscInt K, const PetscReal e[], const PetscReal Q[], const PetscReal m2[],
                                  PetscReal m4, PsdLargestForm forms[2]);

#endif
