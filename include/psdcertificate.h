/*
   The proof that comes with a network: its objective, a lower bound of every network's, and the gap between the two.
*/
#ifndef PSDCERTIFICATE_H
#define PSDCERTIFICATE_H

#include <psdnetwork.h>
#include <psdproblem.h>

typedef struct {
  PetscReal primal;   /* L(Yhat) + beta sum |alpha| of the network, on the training samples */
  PetscReal dual;     /* no network has less: a value of the dual function at a feasible point, rounded down */
  PetscReal gap;      /* (primal - dual) / |primal| */
  PetscReal accuracy; /* of the network on the training samples, 0..1 */
} PsdCertificate;

/*
   PsdCertifyNetwork - certificate of a network for a problem, made from the two alone: nothing of the solver that found the
   network is used. The problem must be set up with the network's patches, activation and beta.

   Collective. target: stop looking for a better bound when the gap is this small; max_it: most iterations of the search.
   The problem's A'A is consumed. Source: docs/mathematics.md, section 3.
*/
PETSC_EXTERN PetscErrorCode PsdCertifyNetwork(PsdProblem problem, PsdNetwork network, PetscReal target, PetscInt max_it,
                                              PsdCertificate *certificate);

#endif
