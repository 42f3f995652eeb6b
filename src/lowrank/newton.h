/*
   Truncated Newton's method over the factors of all blocks, with Steihaug's conjugate gradients (docs/mathematics.md, "The
   low-rank solver"). PETSc's TAO has the same method (TAONTR); its trust region does not keep the path of the conjugate
   gradients, and a step that is rejected costs it new Hessian products, which are what this method spends its time on.
*/
#ifndef PSD_NEWTON_PRIVATE_H
#define PSD_NEWTON_PRIVATE_H

#include "objective.h"

typedef struct {
  PetscReal tolerance; /* a group is done when half its squared Newton decrement is below this part of its value */
  PetscReal forcing;   /* the residual's norm that conjugate gradients stop at, relative to the gradient's */
  PetscInt least_it;   /* iterations that are made even so */
  PetscInt max_it, max_cg;
} PsdNewtonSettings;

/* What a solve goes on from and what is known at its end. */
typedef struct {
  PetscReal *radius; /* of each group: of the trust region, infinite when there is none yet */
  PetscBool precise; /* gradients are made in double precision */

  PetscReal *value;    /* of each group */
  PetscReal *mu;       /* of each block: 2 mu, <J, F F'>'s multiplier times two */
  PetscReal decrement; /* the largest of a group, relative to its value */
  PetscInt iterations;
  PetscBool done; /* no group can come further, or needs to */
} PsdNewtonState;

/* PsdNewtonSolve - minimises the objective over F, in place. The columns' block structure stays. radius, value: groups, mu:
   blocks; they are the caller's. Collective. */
PetscErrorCode PsdNewtonSolve(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                              const PsdNewtonSettings *settings, PsdNewtonState *state);

#endif
