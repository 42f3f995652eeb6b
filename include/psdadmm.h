/*
   PsdAdmm: the solver (docs/mathematics.md, section 2). ADMM with transpose reduction, certified as it goes.
*/
#ifndef PSDADMM_H
#define PSDADMM_H

#include <psdcertificate.h>
#include <psdnetwork.h>
#include <psdproblem.h>

typedef struct _p_PsdAdmm *PsdAdmm;

/* PSD_ROUNDING_LIMIT: the bounds met in the solver's arithmetic, but what can be proved is further apart. PSD_SIGNAL: a signal
   asked for the end. PSD_CHECKPOINTED: a signal or the time limit ended the run, whose state is in its checkpoint; nothing
   was certified. */
typedef enum {
  PSD_RUNNING,
  PSD_GAP_REACHED,
  PSD_ITERATION_LIMIT,
  PSD_TIME_LIMIT,
  PSD_ROUNDING_LIMIT,
  PSD_SIGNAL,
  PSD_CHECKPOINTED
} PsdAdmmReason;

/* What is known at a check of the bounds, every -check_every iterations; the columns of history.csv. */
typedef struct {
  PetscInt iteration;
  PetscReal seconds;                        /* since the first iteration */
  PetscReal primal_residual, dual_residual; /* ||W - Z||, rho ||Z - Z_last|| */
  PetscReal rho;
  PetscReal objective; /* smallest so far of a network */
  PetscReal bound;     /* largest so far */
  PetscReal gap;
  PetscInt rank_Z;   /* sum of the ranks of all blocks now */
  PetscInt neurons;  /* of the best network */
  PetscInt screened; /* pairs of blocks left out for this beta, as they are zero at the optimum */
} PsdAdmmStatus;

/* Called at each check, on every rank with the same numbers. */
typedef PetscErrorCode (*PsdAdmmMonitor)(PsdAdmm admm, const PsdAdmmStatus *status, void *context);

/* PsdAdmmCreate - for a problem, which must be set up before PsdAdmmSetUp and outlive the solver. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmCreate(PsdProblem problem, PsdAdmm *admm);

/* PsdAdmmSetFromOptions - -gap, -max_it, -time_limit, -rho, -relaxation, -check_every, -cone, -consensus. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmSetFromOptions(PsdAdmm admm);
/*
   PsdAdmmSetCheckpointFromOptions - -checkpoint FILE, -checkpoint_every S, -resume, -checkpoint_gram: the state of the run is kept
   in FILE, and with -resume the run goes on from it (docs/guide.md, "Checkpoints"). Without -checkpoint nothing is kept.

   Collective; before PsdAdmmSetUp, which reads FILE. Errors: FILE cannot be written; in PsdAdmmSetUp: damaged, another problem's.
*/
PETSC_EXTERN PetscErrorCode PsdAdmmSetCheckpointFromOptions(PsdAdmm admm);
/* PsdAdmmGetHistory - what was known at the checks before the run was continued, `count` of them, for a monitor that wants
   them all; 0 in a run from the start. Borrowed, until PsdAdmmSolve. After PsdAdmmSetUp. Not collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmGetHistory(PsdAdmm admm, PetscInt *count, const PsdAdmmStatus *rows[]);

/*
   PsdAdmmKeepRecord - results of a caller that goes from beta to beta, to be kept in checkpoints beside the solver's state: a row for
   each beta that is done. In a run that is continued PsdAdmmSetUp fills it, and the solver stands in the midst of the next beta.

   The record is borrowed for as long as the solver lives; the caller adds rows to it. Not collective, alike on all ranks; before
   PsdAdmmSetUp. Errors, in PsdAdmmSetUp: a checkpoint of another identity.
*/
typedef struct {
  const char *identity; /* lines that say what the rows are results of */
  PetscInt columns, rows, most;
  PetscReal *numbers; /* most x columns, of which rows x columns are in use */
  PetscBool resumed;  /* set: the run is continued */
} PsdAdmmRecord;
PETSC_EXTERN PetscErrorCode PsdAdmmKeepRecord(PsdAdmm admm, PsdAdmmRecord *record);

PETSC_EXTERN PetscErrorCode PsdAdmmSetTolerances(PsdAdmm admm, PetscReal gap, PetscInt max_it);
PETSC_EXTERN PetscErrorCode PsdAdmmSetMonitor(PsdAdmm admm, PsdAdmmMonitor monitor, void *context);

/* PsdAdmmSetUp - takes the problem's A'A, finds a penalty, factorises; everything the loop needs is allocated. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmSetUp(PsdAdmm admm);

/* PsdAdmmSetInitial - starts from a network's Z and Z' instead of zero; after PsdAdmmSetUp. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmSetInitial(PsdAdmm admm, PsdNetwork network);

/*
   PsdAdmmSetBeta - goes on to another weight of the regularisation, from where the solver stands; for PsdAdmmSolve to be called
   again. After PsdAdmmSetUp. Nothing of the samples is computed anew, and A'A is factorised anew only when the penalty changes.

   Collective. beta > 0, absolute.
*/
PETSC_EXTERN PetscErrorCode PsdAdmmSetBeta(PsdAdmm admm, PetscReal beta);

/* PsdAdmmFixNetwork - makes this network the one to be certified: the solver then looks for bounds only. After
   PsdAdmmSetUp. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmFixNetwork(PsdAdmm admm, PsdNetwork network);

/*
   PsdAdmmSolve - iterates until the certified gap is reached, or a limit. Collective.

   With a checkpoint, a signal or the time limit ends in PSD_CHECKPOINTED, and then there is no certificate.

   certificate: of the best network found, from the samples (PsdCertificate). A network for every training set and beta:
   when a limit ends the run first, the certificate says how far it is from the optimum.
*/
PETSC_EXTERN PetscErrorCode PsdAdmmSolve(PsdAdmm admm, PsdCertificate *certificate);

PETSC_EXTERN PetscErrorCode PsdAdmmGetStatus(PsdAdmm admm, PsdAdmmStatus *status, PsdAdmmReason *reason);
/* What was used: "root", "lapack", "auto: lapack 6, slepc 94", ... Collective; the texts live as long as the solver. */
PETSC_EXTERN PetscErrorCode PsdAdmmGetKernels(PsdAdmm admm, const char *consensus[], const char *cone[]);
/* PsdAdmmGetNetwork - the best network, complete but for its training record's certificate. Collective. */
PETSC_EXTERN PetscErrorCode PsdAdmmGetNetwork(PsdAdmm admm, PsdNetwork *network);
PETSC_EXTERN PetscErrorCode PsdAdmmDestroy(PsdAdmm *admm);

#endif
