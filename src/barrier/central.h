/*
   The primal-dual method on the central path (docs/mathematics.md, section 8), on one rank that has all samples: the dual program

     maximise D(nu)  with  X = beta e e' + theta J - s smat(A'nu) positive semidefinite   for each pair's two signs s

   and its primal's Z, and ends of D's domain with their multipliers, all of them inside; what is complementary has products of
   about mu, which goes to 0. beta comes down to what it is to be on the way.
*/
#ifndef PSD_CENTRAL_PRIVATE_H
#define PSD_CENTRAL_PRIVATE_H

#include "cone/blocks.h"
#include "losses/weighted.h"
#include "network/neurons.h"

typedef struct _p_PsdCentral *PsdCentral;

/* PsdCentralCreate - n samples: features A, n x D row-major, targets Y, n x C, and weights, n, or NULL; all are taken over,
   with PetscMalloc's memory. Of samples with weights nu is without them. Not collective. */
PetscErrorCode PsdCentralCreate(PsdBlocks blocks, const PsdLoss *loss, PetscInt n, PetscReal *A, PetscReal *Y,
                                PetscReal *weights, PsdCentral *central);
PetscErrorCode PsdCentralDestroy(PsdCentral *central);

/* PsdCentralStart - far inside: half of nu0 (n x C), at a beta for which that is so, on the way down to `beta`. */
PetscErrorCode PsdCentralStart(PsdCentral central, PetscReal beta, const PetscReal nu0[]);

/* PsdCentralStep - an iteration. *moved: false where rounding allows none. */
PetscErrorCode PsdCentralStep(PsdCentral central, PetscBool *moved);

/* PsdCentralNetwork - of the point at hand; eigenvalues of Z below `least` of the largest one are left out. neurons has
   room for 2 d a pair. */
PetscErrorCode PsdCentralNetwork(PsdCentral central, PetscReal least, PsdNeurons *neurons);
/* PsdCentralBound - D of the point at hand, made feasible for the beta that is the goal; nu: where, n x C. */
PetscReal PsdCentralBound(PsdCentral central, PetscReal nu[]);
/* PsdCentralObjective - of any network, for the beta that is the goal. */
PetscErrorCode PsdCentralObjective(PsdCentral central, const PsdNeurons *neurons, PetscReal *objective);

/* Where the path is. */
typedef struct {
  PetscReal goal, beta; /* what beta is to be; what it is at the point */
  PetscReal mu;         /* mean of what is complementary; follows from the rest */
  PetscReal *nu;        /* n x C */
  PetscReal *theta;     /* 2 pairs: of s = 1 and s = -1, pair after pair */
  PetscReal *Z;         /* 2 pairs x d_max^2: each d x d, both triangles */
  PetscReal *ends[2];   /* n x C: multipliers of the lower and the upper ends of D's domain */
} PsdCentralPoint;

PsdCentralPoint *PsdCentralGetPoint(PsdCentral central);
const PetscReal *PsdCentralGetTargets(PsdCentral central);
const PetscReal *PsdCentralGetWeights(PsdCentral central); /* NULL: all are 1 */
/* PsdCentralResume - of a point that was filled in: what follows from it. *inside: whether it is inside, and not at the boundary. */
PetscErrorCode PsdCentralResume(PsdCentral central, PetscBool *inside);

#endif
