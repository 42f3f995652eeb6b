/*
   The proof that comes with a network: its objective, a lower bound of every network's, and the gap between the two.
*/
#ifndef PSDCERTIFICATE_H
#define PSDCERTIFICATE_H

#include <psdnetwork.h>
#include <psdproblem.h>

typedef struct {
  PetscReal primal;       /* L(Yhat) + beta sum |alpha| of the network, on the training samples, ... */
  PetscReal primal_error; /* ... as computed, and a bound of what rounding has done to it */
  PetscReal dual;         /* no network has less: a value of the dual function at a feasible point, rounded down */
  PetscReal gap;          /* (upper - dual) / upper, upper = primal + primal_error, rounded up */
  PetscReal accuracy;     /* of the network on the training samples, 0..1 */
  /* The error of the lifted features that rounding explains, as a bound relative to their size: what primal_error and
     the rounding of the dual value mostly come from. */
  PetscReal feature_error;
  PetscReal rounding; /* the part of the gap that is there because rounding is counted on the safe side */
} PsdCertificate;

/*
   PsdCertifyNetwork - Makes the certificate of a network for a problem from the two alone: nothing of the solver that
   found the network is used.

   Collective; after PsdProblemSetUp. The problem must be of the network's patches (PsdNetworkGetPatches), loss,
   activation and beta (PsdNetworkGetTraining). Its A'A is consumed: the problem can only be destroyed afterwards.

   Input:
     target - stop looking for a better bound when the gap is this small, above 0
     max_it - most iterations of the search; 0: only what the network's own residual gives
   Output:
     certificate - the gap may be above the target; it is a proof all the same

   Errors (PSD_ERR_INPUT): a filter goes on beyond its branch's patches.

   Source: docs/mathematics.md, section 3.
*/
PSD_EXTERN PetscErrorCode PsdCertifyNetwork(PsdProblem problem, PsdNetwork network, PetscReal target, PetscInt max_it,
                                            PsdCertificate *certificate);

/*
   PsdNetworkSetCertificate - Notes objective, bound and gap in the network's training record, for PsdNetworkSave.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetCertificate(PsdNetwork network, const PsdCertificate *certificate);

#endif
