/*
   Truncated Newton's method over the factors of all blocks, with Steihaug's conjugate gradients (docs/mathematics.md, "The
   low-rank solver"). PETSc's TAO has the same method (TAONTR); its trust region does not keep the path of the conjugate
   gradients, and a step that is rejected costs it new Hessian products, which are what this method spends its time on.
*/
#ifndef PSD_NEWTON_PRIVATE_H
#define PSD_NEWTON_PRIVATE_H

#include "objective.h"

#define PSD_PRECISE_BELOW 3e-8 /* decrement, relative to the value, from which gradients are made in double precision */

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
  PetscInt64 span_evaluations, span_products; /* passes over samples in spans */
  PetscBool done;                             /* no group can come further, or needs to */
} PsdNewtonState;

/* PsdNewtonSolve - minimises the objective over F, in place. The columns' block structure stays. radius, value: groups, mu:
   blocks; they are the caller's. Collective. */
PetscErrorCode PsdNewtonSolve(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                              const PsdNewtonSettings *settings, PsdNewtonState *state);

/* PsdNewtonDirection - z = -P^-1 of the tangential gradient at the columns, of the shape of F and the same on all ranks; 0 for groups
   that are done. state: value, mu and decrement; done when no group needs to come further. Collective. */
PetscErrorCode PsdNewtonDirection(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                                  const PsdNewtonSettings *settings, PsdNewtonState *state, PetscReal z[]);

#endif
