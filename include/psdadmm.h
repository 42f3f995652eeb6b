/*
   PsdAdmm: the solver (docs/mathematics.md, section 2). ADMM with transpose reduction, certified as it goes.
*/
#ifndef PSDADMM_H
#define PSDADMM_H

#include <psdcertificate.h>
#include <psdnetwork.h>
#include <psdproblem.h>

typedef struct _p_PsdAdmm *PsdAdmm;

/* PSD_ROUNDING_LIMIT: what the certificate counts for rounding is all of the gap that was asked for. PSD_SIGNAL: a
   signal asked for the end. PSD_CHECKPOINTED: a signal or the time limit ended the run, whose state is in its
   checkpoint; nothing was certified. */
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

/*
   PsdAdmmCreate - Creates a solver for a problem, which is borrowed and must outlive it. Gap 1e-4, 5000 iterations,
   no time limit, relaxation 1.6, checks every 10 iterations, kernels by size, penalty estimated.

   Collective on the problem's communicator.
*/
PSD_EXTERN PetscErrorCode PsdAdmmCreate(PsdProblem problem, PsdAdmm *admm);

/*
   PsdAdmmSetFromOptions - Reads the options of the solver:
     -gap G             stop at this certified relative gap
     -max_it N          most iterations
     -time_limit S      seconds since PsdInitialize after which the run ends; 0 = none
     -rho R             initial penalty; 0 = estimated
     -sigma S           initial penalty of the splitting v = A S, losses other than squared; 0 = by the loss
     -relaxation A      over-relaxation, 1 <= A <= 1.9
     -check_every N     iterations between checks of the bounds
     -screening B       after PsdAdmmSetBeta, leave out pairs of blocks that are proved to be zero
     -cone auto|lapack|partial|scalapack            kernel of the projection
     -cone_partial block|krylovschur|lobpcg|gd|jd   eigensolver of partial decompositions, an EPS of SLEPc, which takes
                                                    its options -eps_..., -st_..., -bv_... and -ds_...
     -cone_lapack auto|syevd|syevr                  complete, or the range of positive eigenvalues
     -consensus auto|root|scalapack|dual            kernel of the least-squares step

   Collective; before PsdAdmmSetUp. Errors: values out of range.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetFromOptions(PsdAdmm admm);

/*
   PsdAdmmSetCheckpointFromOptions - Reads -checkpoint FILE, -checkpoint_every S, -checkpoint_gram and -resume: the
   state of the run is kept in FILE, A'A as well in FILE.gram when asked for, and with -resume the run goes on from
   them (docs/guide.md, "Checkpoints"). Without -checkpoint nothing is kept.

   Collective; before PsdAdmmSetUp, which reads FILE. Errors (PSD_ERR_INPUT): FILE cannot be written, one of the
   others without -checkpoint; in PsdAdmmSetUp: FILE is damaged, or another problem's.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetCheckpointFromOptions(PsdAdmm admm);

/*
   PsdAdmmGetHistory - What was known at the checks before the run was continued, `count` of them, for a monitor that
   wants them all; 0 in a run from the start. Borrowed, until PsdAdmmSolve.

   Not collective; after PsdAdmmSetUp.
*/
PSD_EXTERN PetscErrorCode PsdAdmmGetHistory(PsdAdmm admm, PetscInt *count, const PsdAdmmStatus *rows[]);

/* Results of a caller that goes from beta to beta: a row for each beta that is done. */
typedef struct {
  const char *identity; /* lines that say what the rows are results of */
  PetscInt columns, rows, most;
  PetscReal *numbers; /* most x columns, of which rows x columns are in use */
  PetscBool resumed;  /* set: the run is continued */
} PsdAdmmRecord;

/*
   PsdAdmmKeepRecord - Has checkpoints keep a record of the caller beside the solver's state. In a run that is
   continued PsdAdmmSetUp fills it, and the solver stands in the midst of the next beta.

   Logically collective; before PsdAdmmSetUp. The record is borrowed for as long as the solver lives; the caller adds
   rows to it, alike on all ranks. Errors (PSD_ERR_INPUT), in PsdAdmmSetUp: a checkpoint of another identity.
*/
PSD_EXTERN PetscErrorCode PsdAdmmKeepRecord(PsdAdmm admm, PsdAdmmRecord *record);

/*
   PsdAdmmSetTolerances - gap: stop at this certified relative gap, above 0. max_it: most iterations, 1 or more.
   PsdAdmmGetTolerances - the same back; either may be NULL.

   Logically collective; before PsdAdmmSolve. Options: -gap, -max_it.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetTolerances(PsdAdmm admm, PetscReal gap, PetscInt max_it);
PSD_EXTERN PetscErrorCode PsdAdmmGetTolerances(PsdAdmm admm, PetscReal *gap, PetscInt *max_it);

/*
   PsdAdmmSetMonitor - Has `monitor` called with `context` at each check of the bounds; NULL: none. An error that it
   returns ends PsdAdmmSolve, so it must return it on all ranks.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetMonitor(PsdAdmm admm, PsdAdmmMonitor monitor, void *context);

/*
   PsdAdmmSetUp - Makes the problem's A'A (or A A'), finds beta_max and a penalty, factorises; everything the loop
   needs is allocated. With a checkpoint to go on from, the state is read.

   Collective; after PsdProblemSetUp. Errors (PSD_ERR_INPUT): no consensus kernel fits the memory of the node, or not
   the one asked for; a checkpoint that cannot be used.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetUp(PsdAdmm admm);

/*
   PsdAdmmSetInitial - Starts from a network's Z and Z' instead of zero.

   Collective; after PsdAdmmSetUp, before PsdAdmmSolve. The network must be of the problem's patches and classes. Errors
   (PSD_ERR_INPUT): a filter goes on beyond its branch's patches.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetInitial(PsdAdmm admm, PsdNetwork network);

/*
   PsdAdmmSetBeta - Goes on to another weight of the regularisation, from where the solver stands; for PsdAdmmSolve to
   be called again. Nothing of the samples is computed anew, and A'A is factorised anew only when the penalty changes.

   Collective; after PsdAdmmSetUp. beta: absolute, above 0. Option: -screening, by PsdAdmmSetFromOptions.
*/
PSD_EXTERN PetscErrorCode PsdAdmmSetBeta(PsdAdmm admm, PetscReal beta);

/*
   PsdAdmmFixNetwork - Makes this network the one to be certified: the solver then looks for bounds only.

   Collective; after PsdAdmmSetUp. The network must be of the problem's patches and classes.
*/
PSD_EXTERN PetscErrorCode PsdAdmmFixNetwork(PsdAdmm admm, PsdNetwork network);

/*
   PsdAdmmSolve - Iterates until the certified gap is reached, or a limit; PsdAdmmGetStatus says which.

   Collective; after PsdAdmmSetUp. With a checkpoint, a signal or the time limit ends in PSD_CHECKPOINTED, and then
   there is no certificate.

   Output:
     certificate - of the best network found, from the samples. There is a network for every training set and beta: when
                   a limit ends the run first, the certificate says how far it is from the optimum
*/
PSD_EXTERN PetscErrorCode PsdAdmmSolve(PsdAdmm admm, PsdCertificate *certificate);

/*
   PsdAdmmGetStatus - What was known at the last check, and why the solver ended (PSD_RUNNING until it does); either
   may be NULL.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdAdmmGetStatus(PsdAdmm admm, PsdAdmmStatus *status, PsdAdmmReason *reason);

/*
   PsdAdmmGetKernels - Names what was used: "root", "lapack", "auto: lapack 6, slepc 94", ... Borrowed, for as long as
   the solver lives; either may be NULL.

   Collective; after PsdAdmmSetUp.
*/
PSD_EXTERN PetscErrorCode PsdAdmmGetKernels(PsdAdmm admm, const char *consensus[], const char *cone[]);

/*
   PsdAdmmGetNetwork - Gives the best network found, complete but for the certificate in its training record, which
   PsdNetworkSetCertificate adds. The caller destroys it.

   Collective; after PsdAdmmSetUp.
*/
PSD_EXTERN PetscErrorCode PsdAdmmGetNetwork(PsdAdmm admm, PsdNetwork *network);

/*
   PsdAdmmDestroy - Frees a solver, and sets the handle to NULL; NULL is left as it is.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdAdmmDestroy(PsdAdmm *admm);

#endif
