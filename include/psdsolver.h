/*
   PsdSolver: what trains (docs/mathematics.md, section 2). One handle, of one of several types, each certified as it
   goes; what is asked of it and what it answers are the same for all of them.
*/
#ifndef PSDSOLVER_H
#define PSDSOLVER_H

#include <psdcertificate.h>
#include <psdnetwork.h>
#include <psdproblem.h>

typedef struct _p_PsdSolver *PsdSolver;

/* PSD_ROUNDING_LIMIT: what the certificate counts for rounding is all of the gap that was asked for, or rounding leaves the
   solver nothing to gain. PSD_SIGNAL: a
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
} PsdSolverReason;

/* What is known at a check of the bounds; the columns of history.csv. What a type of solver does not have is 0 there:
   residuals and rho belong to one with a penalty. */
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
} PsdSolverStatus;

/* Called at each check, on every rank with the same numbers. */
typedef PetscErrorCode (*PsdSolverMonitor)(PsdSolver solver, const PsdSolverStatus *status, void *context);

/*
   PsdSolverCreate - Creates a solver for a problem, which is borrowed and must outlive it. Type auto, gap 1e-4, 5000
   iterations, no time limit, and what each type has of its own: relaxation 1.6, checks every 10 iterations, kernels by
   size, penalty estimated.

   Collective on the problem's communicator.
*/
PSD_EXTERN PetscErrorCode PsdSolverCreate(PsdProblem problem, PsdSolver *solver);

/*
   PsdSolverSetType - Chooses the type by its name: "admm", "barrier", "lowrank", or "auto", with which PsdSolverSetUp takes the one that a
   checkpoint to go on from is of; or the one that an option of its own was given for; or the one for the sizes of the
   problem (docs/architecture.md, "Solver types"). PsdSolverGetType - the name of the type in use, which lasts; after
   PsdSolverSetUp.

   Logically collective; before PsdSolverSetUp. Option: -solver. Errors (PSD_ERR_INPUT): no type of that name.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetType(PsdSolver solver, const char type[]);
PSD_EXTERN PetscErrorCode PsdSolverGetType(PsdSolver solver, const char *type[]);

/*
   PsdSolverTypeFromOptions - Reads -solver alone, for PsdCertifyNetwork: *type becomes its word, which lasts, or "auto".

   Collective. Errors (PSD_ERR_INPUT): no type of that name.
*/
PSD_EXTERN PetscErrorCode PsdSolverTypeFromOptions(const char *type[]);

/*
   PsdSolverSetFromOptions - Reads the options of the solver:
     -solver auto|admm|barrier|lowrank   its type
     -gap G             stop at this certified relative gap
     -max_it N          most iterations
     -time_limit S      seconds since PsdInitialize after which the run ends; 0 = none
   and those of type admm:
     -rho R             initial penalty; 0 = estimated
     -sigma S           initial penalty of the splitting v = A S, losses other than squared; 0 = by the loss
     -relaxation A      over-relaxation, 1 <= A <= 1.9
     -check_every N     iterations between checks of the bounds
     -screening B       after PsdSolverSetBeta, leave out pairs of blocks that are proved to be zero
     -cone auto|lapack|partial|scalapack            kernel of the projection
     -cone_partial block|krylovschur|lobpcg|gd|jd   eigensolver of partial decompositions, an EPS of SLEPc, which takes
                                                    its options -eps_..., -st_..., -bv_... and -ds_...
     -cone_lapack auto|syevd|syevr                  complete, or the range of positive eigenvalues
     -consensus auto|root|scalapack|dual            kernel of the least-squares step
     -precision auto|double|mixed                   of lifted features and A'A
   and those of type lowrank:
     -coarse K          principal components of the patches that its path of betas is followed in

   Collective; before PsdSolverSetUp. Errors (PSD_ERR_INPUT): values out of range; an option of another type than
   -solver names, or options of several types.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetFromOptions(PsdSolver solver);

/*
   PsdSolverSetOption - Sets for this solver alone what an option of PsdSolverSetFromOptions sets, whatever the database of
   options has: PsdSolverSetOption(solver, "-rho", "0.5"). All other settings stay as they are.

   Logically collective; before PsdSolverSetUp, in any order with PsdSolverSetFromOptions, of which the last one counts.
   option: with its dash, and no prefix; value: as on the command line, NULL for none. An option of a type's own asks for
   that type. Errors (PSD_ERR_INPUT): no such option; a value of the wrong kind or out of range; an option of another type
   than PsdSolverSetType or -solver named. Source: tests/test_set_option.c
*/
PSD_EXTERN PetscErrorCode PsdSolverSetOption(PsdSolver solver, const char option[], const char value[]);

/*
   PsdSolverSetCheckpoint - Keeps the state of the run in a file, and goes on from it, as
   PsdSolverSetCheckpointFromOptions does.

   Logically collective; before PsdSolverSetUp. path: of the file, NULL for none; every: seconds between checkpoints, 0 or
   more; gram: keeps A'A as well, in path.gram; resume: the run goes on from the file where there is one. Errors
   (PSD_ERR_INPUT): a name that is too long, and those of PsdSolverSetCheckpointFromOptions in PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetCheckpoint(PsdSolver solver, const char path[], PetscReal every, PetscBool gram,
                                                 PetscBool resume);

/*
   PsdSolverSetOptionsPrefix - What the names of this solver's options have in front: with "inner_" its -gap is
   -inner_gap. NULL or "" is nothing, as at first. Values may come from PetscOptionsSetValue, so that what options reach
   is reached of every solver by itself. SLEPc's own options, such as -eps_type, have no prefix.

   Logically collective; before PsdSolverSetFromOptions. prefix: without a dash; copied. Errors (PSD_ERR_INPUT): it
   begins with a dash, or is too long.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetOptionsPrefix(PsdSolver solver, const char prefix[]);

/*
   PsdSolverSetCheckpointFromOptions - Reads -checkpoint FILE, -checkpoint_every S, -checkpoint_gram and -resume: the
   state of the run is kept in FILE, A'A as well in FILE.gram when asked for, and with -resume the run goes on from
   them (docs/guide.md, "Checkpoints"). Without -checkpoint nothing is kept, or what PsdSolverSetCheckpoint said.

   Collective; before PsdSolverSetUp, which reads FILE. Errors (PSD_ERR_INPUT): FILE cannot be written, one of the
   others without -checkpoint; in PsdSolverSetUp: FILE is damaged, or another problem's, or of another type than was
   asked for.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetCheckpointFromOptions(PsdSolver solver);

/*
   PsdSolverGetHistory - What was known at the checks before the run was continued, `count` of them, for a monitor that
   wants them all; 0 in a run from the start. Borrowed, until PsdSolverSolve.

   Not collective; after PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdSolverGetHistory(PsdSolver solver, PetscInt *count, const PsdSolverStatus *rows[]);

/* Results of a caller that goes from beta to beta: a row for each beta that is done. */
typedef struct {
  const char *identity; /* lines that say what the rows are results of */
  PetscInt columns, rows, most;
  PetscReal *numbers; /* most x columns, of which rows x columns are in use */
  PetscBool resumed;  /* set: the run is continued */
} PsdSolverRecord;

/*
   PsdSolverKeepRecord - Has checkpoints keep a record of the caller beside the solver's state. In a run that is
   continued PsdSolverSetUp fills it, and the solver stands in the midst of the next beta.

   Logically collective; before PsdSolverSetUp. The record is borrowed for as long as the solver lives; the caller adds
   rows to it, alike on all ranks. Errors (PSD_ERR_INPUT), in PsdSolverSetUp: a checkpoint of another identity.
*/
PSD_EXTERN PetscErrorCode PsdSolverKeepRecord(PsdSolver solver, PsdSolverRecord *record);

/*
   PsdSolverSetTolerances - gap: stop at this certified relative gap, above 0. max_it: most iterations, 1 or more.
   PsdSolverGetTolerances - the same back; either may be NULL.

   Logically collective; before PsdSolverSolve. Options: -gap, -max_it.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetTolerances(PsdSolver solver, PetscReal gap, PetscInt max_it);
PSD_EXTERN PetscErrorCode PsdSolverGetTolerances(PsdSolver solver, PetscReal *gap, PetscInt *max_it);

/*
   PsdSolverSetMonitor - Has `monitor` called with `context` at each check of the bounds; NULL: none. An error that it
   returns ends PsdSolverSolve, so it must return it on all ranks.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetMonitor(PsdSolver solver, PsdSolverMonitor monitor, void *context);

/*
   PsdSolverSetUp - Settles the type, finds beta_max, and makes and allocates everything the loop needs; type admm: the
   problem's A'A (or A A'), a penalty and the first factorisation. With a checkpoint to go on from, the state is read.

   Collective; after PsdProblemSetUp. Errors (PSD_ERR_INPUT): the type asked for cannot do what is asked of it, or no
   kernel of it fits the memory of the node, or not the one asked for; a checkpoint that cannot be used.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetUp(PsdSolver solver);

/*
   PsdSolverSetInitial - Starts from a network instead of from nothing.

   Collective; after PsdSolverSetUp, before PsdSolverSolve. The network must be of the problem's patches and classes.
   Errors (PSD_ERR_INPUT): a filter goes on beyond its branch's patches.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetInitial(PsdSolver solver, PsdNetwork network);

/*
   PsdSolverSetBeta - Goes on to another weight of the regularisation, from where the solver stands; for PsdSolverSolve
   to be called again. Nothing of the samples is computed anew; of type admm A'A is factorised anew only when the
   penalty changes.

   Collective; after PsdSolverSetUp. beta: absolute, above 0. Option: -screening, by PsdSolverSetFromOptions.
*/
PSD_EXTERN PetscErrorCode PsdSolverSetBeta(PsdSolver solver, PetscReal beta);

/*
   PsdSolverFixNetwork - Makes this network the one to be certified: the solver then looks for bounds only.

   Collective; after PsdSolverSetUp. The network must be of the problem's patches and classes.
   Errors (PSD_ERR_INPUT): filters that are not of length 1 (PsdNetworkNormalize).
*/
PSD_EXTERN PetscErrorCode PsdSolverFixNetwork(PsdSolver solver, PsdNetwork network);

/*
   PsdSolverSolve - Iterates until the certified gap is reached, or a limit; PsdSolverGetStatus says which.

   Collective; after PsdSolverSetUp. With a checkpoint, a signal or the time limit ends in PSD_CHECKPOINTED, and then
   there is no certificate.

   Output:
     certificate - of the best network found, from the samples. There is a network for every training set and beta: when
                   a limit ends the run first, the certificate says how far it is from the optimum
*/
PSD_EXTERN PetscErrorCode PsdSolverSolve(PsdSolver solver, PsdCertificate *certificate);

/*
   PsdSolverKeepWitness - Has PsdSolverSolve keep what its bound is proved by. PsdSolverGetWitness - The witness of the
   last certificate, borrowed until the next one; NULL: none is kept.

   Collective; before PsdSolverSolve. Not collective; after it.
*/
PSD_EXTERN PetscErrorCode PsdSolverKeepWitness(PsdSolver solver);
PSD_EXTERN PetscErrorCode PsdSolverGetWitness(PsdSolver solver, PsdWitness *witness);

/*
   PsdSolverGetStatus - What was known at the last check, and why the solver ended (PSD_RUNNING until it does); either
   may be NULL.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdSolverGetStatus(PsdSolver solver, PsdSolverStatus *status, PsdSolverReason *reason);

#define PSD_MOST_KERNELS 4

/* A part of a solver that there are kernels for, and the one that was used: "consensus" and "root", "cone" and "auto:
   lapack 6, partial 94", ... */
typedef struct {
  const char *part, *kernel;
} PsdSolverKernel;

/*
   PsdSolverGetKernels - Names what was used, `count` lines, 0 of a type that has no kernels to choose from. Borrowed,
   until the next call.

   Collective; after PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdSolverGetKernels(PsdSolver solver, PetscInt *count, const PsdSolverKernel *kernels[]);

/*
   PsdSolverGetNetwork - Gives the best network found, complete but for the certificate in its training record, which
   PsdNetworkSetCertificate adds. The caller destroys it.

   Collective; after PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdSolverGetNetwork(PsdSolver solver, PsdNetwork *network);

/*
   PsdSolverDestroy - Frees a solver, and sets the handle to NULL; NULL is left as it is.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdSolverDestroy(PsdSolver *solver);

#endif
