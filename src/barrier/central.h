/*
   The central path of the dual program (docs/mathematics.md, section 8), on one rank that has all samples: the maximisers, over
   nu and a theta for each block, of

     D(nu) + mu B(nu) + mu sum log det X,       X = beta e e' + theta J - s smat(A'nu)   for each pair's two signs s

   for mu that go to 0. All that is positive semidefinite here is a dual feasible point, and Z = mu X^-1, moved to first
   order, is a network.
*/
#ifndef PSD_CENTRAL_PRIVATE_H
#define PSD_CENTRAL_PRIVATE_H

#include "cone/blocks.h"
#include "losses/losses.h"
#include "network/neurons.h"

typedef struct _p_PsdCentral *PsdCentral;

/* PsdCentralCreate - n samples: features A, n x D row-major, and targets Y, n x C; both are taken over, with
   PetscMalloc's memory. Not collective. */
PetscErrorCode PsdCentralCreate(PsdBlocks blocks, const PsdLoss *loss, PetscInt n, PetscReal *A, PetscReal *Y,
                                PsdCentral *central);
PetscErrorCode PsdCentralDestroy(PsdCentral *central);

/* PsdCentralStart - far inside of the domain: nu is a small part of nu0 (n x C), which is feasible for a large beta. */
PetscErrorCode PsdCentralStart(PsdCentral central, PetscReal beta, const PetscReal nu0[]);

/* PsdCentralDirection - Newton's direction at the point at hand. *done: false where rounding allows none. */
PetscErrorCode PsdCentralDirection(PsdCentral central, PetscBool *done);
/* PsdCentralMove - along the direction, as far as is good; mu becomes smaller at a point that is central enough. *moved: false
   where rounding hid what was gained, if anything. */
PetscErrorCode PsdCentralMove(PsdCentral central, PetscBool *moved);

/* PsdCentralNetwork - of the direction at hand; eigenvalues of Z below `least` of the largest one are left out. neurons has
   room for 2 d a pair. */
PetscErrorCode PsdCentralNetwork(PsdCentral central, PetscReal least, PsdNeurons *neurons);
/* PsdCentralObjective - of any network. */
PetscErrorCode PsdCentralObjective(PsdCentral central, const PsdNeurons *neurons, PetscReal *objective);

/* Where the path is. */
typedef struct {
  PetscReal beta, mu, first_mu;
  PetscInt steps;   /* at this mu, so far */
  PetscReal value;  /* D(nu) */
  PetscReal *nu;    /* n x C */
  PetscReal *theta; /* 2 pairs: of s = 1 and s = -1, pair after pair */
} PsdCentralPoint;

PsdCentralPoint *PsdCentralGetPoint(PsdCentral central);
const PetscReal *PsdCentralGetTargets(PsdCentral central);
/* PsdCentralResume - of a point whose beta, mu, steps, nu and theta were filled in: what follows from them. *inside: whether it
   is dual feasible, and not at the boundary. */
PetscErrorCode PsdCentralResume(PsdCentral central, PetscBool *inside);

#endif
