/*
   Services that have no mathematics in them: agreement on errors, options with ranges, phases and their times, progress
   lines, files that appear whole or not at all.
*/
#ifndef PSD_BASE_PRIVATE_H
#define PSD_BASE_PRIVATE_H

#include <psdbase.h>
#include <stdio.h>

/* lets the compiler check printf-like arguments */
#if defined(__GNUC__)
#define PSD_FORMAT(text, arguments) __attribute__((__format__(__printf__, text, arguments)))
#else
#define PSD_FORMAT(text, arguments)
#endif

/* ---------------------------------------------------------------- errors: status.c */

#define PSD_MESSAGE_LENGTH 1024

/* What went wrong first on this rank, kept until all ranks can agree on it. Start from zeros. */
typedef struct {
  PetscBool failed;
  char message[PSD_MESSAGE_LENGTH];
} PsdFailure;

/* PsdFailureRecord - records a failure on this rank; only the first is kept. Not collective. */
void PsdFailureRecord(PsdFailure *failure, const char format[], ...) PSD_FORMAT(2, 3);

/*
   PsdFailureAgree - ends every rank's part of a piece of work that may have failed on some of them.

   Collective on comm: returns 0 on all ranks, or PSD_ERR_INPUT on all with the message of the lowest rank that failed.
*/
PetscErrorCode PsdFailureAgree(MPI_Comm comm, const PsdFailure *failure);

/* PsdInputError - records a message that every rank is known to have come to, and returns PSD_ERR_INPUT. */
PetscErrorCode PsdInputError(const char format[], ...) PSD_FORMAT(1, 2);

/* Ends the calling function when a condition that is the same on all ranks does not hold. */
#define PsdCheckInput(condition, ...)                                                                                  \
  do {                                                                                                                 \
    if (PetscUnlikely(!(condition))) PetscFunctionReturn(PsdInputError(__VA_ARGS__));                                  \
  } while (0)

/* ---------------------------------------------------------------- options: options.c

   Options are PETSc's (command line, -options_file, PETSC_OPTIONS), read strictly: a value that is not of the kind, or out
   of range, is an input error that names the option. Each call also registers the name, for -help and for finding what a
   misspelt option was meant to be. All are collective in the sense of PETSc's options: every rank calls them alike.
   `set` may be NULL; `value` is left as it was, the default, when the option is absent. */

typedef struct {
  PetscReal low, high;
  PetscBool low_open; /* value must be > low rather than >= low */
} PsdRange;

#define PSD_ANY_REAL ((PsdRange){-PETSC_MAX_REAL, PETSC_MAX_REAL, PETSC_FALSE})
#define PSD_POSITIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_TRUE})
#define PSD_NONNEGATIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_FALSE})

PetscErrorCode PsdOptionsHeading(const char title[]); /* starts a group in -help */
PetscErrorCode PsdOptionInt(const char name[], const char text[], PetscInt low, PetscInt high, PetscInt *value,
                            PetscBool *set);
PetscErrorCode PsdOptionReal(const char name[], const char text[], PsdRange range, PetscReal *value, PetscBool *set);
PetscErrorCode PsdOptionBool(const char name[], const char text[], PetscBool *value, PetscBool *set);
PetscErrorCode PsdOptionString(const char name[], const char text[], char value[], size_t size, PetscBool *set);
/* names: NULL-terminated; *value is an index into it */
PetscErrorCode PsdOptionEnum(const char name[], const char text[], const char *const names[], PetscInt *value,
                             PetscBool *set);
/* numbers separated by `separator` (',' or 'x'); on entry *count is the room in values, on return the number given */
PetscErrorCode PsdOptionIntList(const char name[], const char text[], char separator, PetscInt low, PetscInt high,
                                PetscInt values[], PetscInt *count, PetscBool *set);
PetscErrorCode PsdOptionRealList(const char name[], const char text[], PetscReal values[], PetscInt *count,
                                 PetscBool *set);

void PsdOptionsSetHelp(PetscBool on); /* print name, default and text of every option asked for from now on (rank 0) */
PetscBool PsdOptionsGetHelp(void);

/* PsdOptionsCheckUnknown - an input error for the first option given that no call has asked for; names the nearest. */
PetscErrorCode PsdOptionsCheckUnknown(void);

/* ---------------------------------------------------------------- phases: phase.c

   The phases of a run, as report.json names them: each is a PetscLog stage and a wall clock. They do not nest. */

typedef enum {
  PSD_PHASE_READ,
  PSD_PHASE_LIFT,
  PSD_PHASE_GRAM,
  PSD_PHASE_FACTOR,
  PSD_PHASE_ADMM,
  PSD_PHASE_CERTIFY,
  PSD_PHASE_WRITE,
  PSD_PHASE_COUNT
} PsdPhase;

extern const char *const PsdPhaseNames[PSD_PHASE_COUNT];

PetscErrorCode PsdPhaseBegin(PsdPhase phase);
PetscErrorCode PsdPhaseEnd(PsdPhase phase);
PetscLogDouble PsdPhaseSeconds(PsdPhase phase); /* on this rank, so far */
int PsdPhaseCurrent(void);                      /* the one that is open, or -1 */
/* The parts of the solve, as PetscLog events: what -log_view says of them inside the stages. */
typedef enum {
  PSD_EVENT_FACTOR,
  PSD_EVENT_CONSENSUS,
  PSD_EVENT_MULTIPLY,
  PSD_EVENT_PROJECT,
  PSD_EVENT_POLAR,
  PSD_EVENT_DECOMPOSE,
  PSD_EVENT_CHECKPOINT,
  PSD_EVENT_COUNT
} PsdEvent;

PetscErrorCode PsdEventBegin(PsdEvent event);
PetscErrorCode PsdEventEnd(PsdEvent event);

PetscLogDouble PsdWallSeconds(void); /* since PsdInitialize */

/* ---------------------------------------------------------------- progress: progress.c

   Rank 0 prints, for itself and (shards being even) for all. On a terminal one line that renews itself; elsewhere a plain
   line every -progress_interval seconds and one at the end. */

typedef struct _p_PsdProgress *PsdProgress;

PetscErrorCode PsdProgressSetFromOptions(void); /* -progress auto|live|plain|none, -progress_interval */
PetscErrorCode PsdProgressCreate(MPI_Comm comm, const char what[], const char unit[], PetscInt64 local_total,
                                 PetscInt64 global_total, PsdProgress *progress);
PetscErrorCode PsdProgressUpdate(PsdProgress progress, PetscInt64 local_done); /* not collective */
PetscErrorCode PsdProgressDestroy(PsdProgress *progress);                      /* prints the closing line */
/* PsdProgressLine - a line about something that has no known end (the solve); last: it stays. Only rank 0 prints. */
PetscErrorCode PsdProgressLine(MPI_Comm comm, PetscBool last, const char format[], ...) PSD_FORMAT(3, 4);

/* ---------------------------------------------------------------- files: file.c

   An output file is written under a temporary name beside it, synced, and renamed: whoever looks finds the old one or the
   new one, whole. These run on one rank; they record what fails. */

typedef struct {
  char path[PETSC_MAX_PATH_LEN];
  char temporary[PETSC_MAX_PATH_LEN]; /* PATH.tmp.HOST.PID */
} PsdFile;

void PsdFileBegin(PsdFile *file, const char path[], PsdFailure *failure);
void PsdFileCommit(PsdFile *file, PsdFailure *failure);
void PsdFileAbandon(PsdFile *file);

/* PsdFileCheckWritable - finds out before a long run whether `path` can be written after it, and removes what runs that were
   killed have left under temporary names: of this machine at once, of others after a day. Collective. */
PetscErrorCode PsdFileCheckWritable(MPI_Comm comm, const char option[], const char path[]);

/* ---------------------------------------------------------------- dense eigenproblems: eigen.c

   A symmetric matrix of one fixed order, decomposed completely by LAPACK (divide and conquer); the work space is kept. */

typedef struct _p_PsdEigen *PsdEigen;

PetscErrorCode PsdEigenCreate(PetscInt order, PsdEigen *eigen);
/* A: order x order by columns, upper triangle read, overwritten by the eigenvectors (columns); lambda ascending */
PetscErrorCode PsdEigenSolve(PsdEigen eigen, PetscReal A[], PetscReal lambda[]);
PetscErrorCode PsdEigenDestroy(PsdEigen *eigen);

/* ---------------------------------------------------------------- sums: sum.c

   An array of sums in twice the working precision: rounded at the end, they come out the same whatever the order in which
   terms were added and however they were spread over ranks (but for ties closer than 2^-50 of a unit in the last place). */

typedef struct _p_PsdSum *PsdSum;

PetscErrorCode PsdSumCreate(size_t length, PsdSum *sum);
/* adds x[0..count-1] to entries offset .. offset+count-1 */
void PsdSumAdd(PsdSum sum, size_t offset, size_t count, const PetscReal x[]);
/* total (length) <- the sums over all ranks on rank 0, zeros elsewhere; the sum is spent. Collective. */
PetscErrorCode PsdSumReduce(PsdSum sum, MPI_Comm comm, PetscReal total[]);
PetscErrorCode PsdSumDestroy(PsdSum *sum);

/* ---------------------------------------------------------------- signals: signals.c */

/* PsdSignalsCatch - from now on SIGTERM, SIGUSR1 and SIGINT are noted rather than end this rank; a second SIGINT does. For
   programs whose loop asks PsdSignalsNoted. Every rank calls it. */
void PsdSignalsCatch(void);
PetscBool PsdSignalsCaught(void); /* whether the above was called */
int PsdSignalsNoted(void);        /* the last one noted on this rank; 0: none */

/* PsdFaultsEnd - a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) ends this process at once, after one line, so that the launcher ends
   all ranks. Called by PsdInitialize. */
void PsdFaultsEnd(int rank);

/* ---------------------------------------------------------------- threads: threads.c */

PetscErrorCode PsdThreadsSetUp(void); /* one BLAS thread a rank unless the environment says otherwise */
PetscInt PsdThreadsGet(void);

#endif
