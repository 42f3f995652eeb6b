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
  PetscReal accuracy; /* of the network on the training samples, 0..1; of real targets R2, of all outputs together */
  /* The error of the lifted features that rounding explains, as a bound relative to their size: what primal_error and
     the rounding of the dual value mostly come from. */
  PetscReal feature_error;
  PetscReal rounding; /* the part of the gap that is there because rounding is counted on the safe side */
} PsdCertificate;

/* What a bound is proved by: a dual point, and a multiplier for each block. */
typedef struct _p_PsdWitness *PsdWitness;

/* What came of a witness that was checked. */
typedef struct {
  PetscBool holds;    /* the bound that the file claims is proved */
  char reason[128];   /* why not; "" when it holds */
  PetscReal claimed;  /* the file's bound */
  PetscBool feasible; /* R*(s A'nu) <= beta is proved, by the file's multipliers if it has any */
  /* dual: no network has less, proved here from the witness's nu and beta. The rest is of the network that was given, or
     0 */
  PsdCertificate certificate;
} PsdVerdict;

/*
   PsdCertifyNetwork - Makes the certificate of a network for a problem from the two alone: nothing of the solver that
   found the network is used.

   Collective; after PsdProblemSetUp. The problem must be of the network's patches (PsdNetworkGetPatches), loss,
   activation and beta (PsdNetworkGetTraining). Its A'A is consumed: the problem can only be destroyed afterwards.

   Input:
     type   - of the solver that looks for a bound, as for PsdSolverSetType; NULL: auto
     target - stop looking for a better bound when the gap is this small, above 0
     max_it - most iterations of the search; 0: only what the network's own residual gives
   Output:
     certificate - the gap may be above the target; it is a proof all the same
     witness     - what its bound is proved by, the caller's to destroy; NULL: not wanted

   Errors (PSD_ERR_INPUT): filters that are not of length 1 (PsdNetworkNormalize).

   Errors (PSD_ERR_INPUT): a filter goes on beyond its branch's patches.

   Source: docs/mathematics.md, section 3.
*/
PSD_EXTERN PetscErrorCode PsdCertifyNetwork(PsdProblem problem, PsdNetwork network, const char type[], PetscReal target,
                                            PetscInt max_it, PsdCertificate *certificate, PsdWitness *witness);

/*
   PsdNetworkSetCertificate - Notes objective, bound and gap in the network's training record, for PsdNetworkSave.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetCertificate(PsdNetwork network, const PsdCertificate *certificate);

/*
   PsdWitnessSave - Writes a certificate file (docs/formats.md), all ranks their own part of it: temporary name, sync,
   rename. PsdWitnessGetBound - The bound that the file claims, which is lower than the certificate's by what adding up
   in another order may change.

   Collective; the problem is the one that the witness is of. Not collective. Errors (PSD_ERR_INPUT): the file cannot be
   written, and then one of that name is as it was.
*/
PSD_EXTERN PetscErrorCode PsdWitnessSave(PsdWitness witness, PsdProblem problem, const char path[]);
PSD_EXTERN PetscErrorCode PsdWitnessGetBound(PsdWitness witness, PetscReal *bound);

/*
   PsdWitnessLoad - Reads a certificate file, but for its arrays, which PsdWitnessCheck reads. PsdWitnessGetNetwork - The
   problem that it is of, as a network without neurons: patches, classes, loss, activation, beta, number of images.
   Borrowed.

   Collective. Not collective. Errors (PSD_ERR_INPUT): missing, damaged, or no certificate file. On an error *witness is
   NULL.
*/
PSD_EXTERN PetscErrorCode PsdWitnessLoad(MPI_Comm comm, const char path[], PsdWitness *witness);
PSD_EXTERN PetscErrorCode PsdWitnessGetNetwork(PsdWitness witness, PsdNetwork *network);

/*
   PsdWitnessCheck - Proves the bound of a certificate file again, from the samples, without a solver.

   Collective; after PsdProblemSetUp of a problem of PsdWitnessGetNetwork's patches, loss, activation and beta. The
   witness and the problem can only be destroyed afterwards.

   Input:
     network - of the same patches, loss, activation and beta, its filters of length 1; or NULL
   Output:
     verdict - what the file claims is not believed: a file that claims more than can be proved does not hold

   Errors (PSD_ERR_INPUT): the file is damaged, or of other images or labels. Source: docs/mathematics.md, section 3.
*/
PSD_EXTERN PetscErrorCode PsdWitnessCheck(PsdWitness witness, PsdProblem problem, PsdNetwork network,
                                          PsdVerdict *verdict);

/*
   PsdWitnessDestroy - Frees a witness, and sets the handle to NULL; NULL is left as it is.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdWitnessDestroy(PsdWitness *witness);

#endif
