/*
   The preconditioner of Newton's method (docs/mathematics.md, "The low-rank solver"): of each class, for the filters of a
   region a Kronecker product, inverted by eigenvectors, and for the last entries w of all its columns a matrix; and with
   it the projection of preconditioned residuals onto the directions that keep <J, F F'> = 0 to first order.
*/
#ifndef PSD_PRECONDITION_PRIVATE_H
#define PSD_PRECONDITION_PRIVATE_H

#include "objective.h"

typedef struct _p_PsdPreconditioner *PsdPreconditioner;

/* PsdPreconditionerCreate - at the F that the objective was evaluated at last. mu: multipliers 2 mu of all blocks.
   Collective. */
PetscErrorCode PsdPreconditionerCreate(PsdObjective objective, PsdLevel level, const PsdColumns *columns,
                                       const PetscBool active[], const PetscReal F[], const PetscReal mu[],
                                       PetscReal beta, PsdPreconditioner *preconditioner);
PetscErrorCode PsdPreconditionerDestroy(PsdPreconditioner *preconditioner);

/* PsdPreconditionerApply - z = P^-1 r - P^-1 A (A'P^-1 A)^-1 A'P^-1 r for the columns of active groups, the columns of A
   being the gradients J F of the constraints; other entries of z are 0. Not collective. */
PetscErrorCode PsdPreconditionerApply(PsdPreconditioner preconditioner, const PetscReal r[], PetscReal z[]);

#endif
