/*
   Services for programs that use libpsdnet, as the command does: errors that all ranks agree on, options read strictly, phases
   and their times, progress lines, output files that appear whole or not at all, and signals that end a run in order.

   They hold no mathematics. Options are PETSc's: from the command line, -options_file or PETSC_OPTIONS.
*/
#ifndef PSDSYS_H
#define PSDSYS_H

#include <psdbase.h>
#include <stdio.h>

/* lets the compiler check printf-like arguments */
#if defined(__GNUC__)
#define PSD_FORMAT(text, arguments) __attribute__((__format__(__printf__, text, arguments)))
#else
#define PSD_FORMAT(text, arguments)
#endif

/* ---------------------------------------------------------------- failures */

#define PSD_MESSAGE_LENGTH 1024

/* What went wrong first on this rank, kept until all ranks can agree on it. Starts from zeros. */
typedef struct {
  PetscBool failed;
  char message[PSD_MESSAGE_LENGTH];
} PsdFailure;

/* PsdFailureRecord - records a failure on this rank; only the first one is kept. Not collective. */
PETSC_EXTERN void PsdFailureRecord(PsdFailure *failure, const char format[], ...) PSD_FORMAT(2, 3);

/*
   PsdFailureAgree - ends every rank's part of a piece of work that may have failed on some of them.

   Collective on comm. Returns 0 on all ranks, or PSD_ERR_INPUT on all of them, with the message of the lowest rank that failed.
*/
PETSC_EXTERN PetscErrorCode PsdFailureAgree(MPI_Comm comm, const PsdFailure *failure);

/* PsdInputError - records a message that every rank is known to have come to, and returns PSD_ERR_INPUT. Not collective. */
PETSC_EXTERN PetscErrorCode PsdInputError(const char format[], ...) PSD_FORMAT(1, 2);

/* Ends the calling function when a condition that is the same on all ranks does not hold. */
#define PsdCheckInput(condition, ...)                                                                                  \
  do {                                                                                                                 \
    if (PetscUnlikely(!(condition))) PetscFunctionReturn(PsdInputError(__VA_ARGS__));                                  \
  } while (0)

/* ---------------------------------------------------------------- options

   A value that is not of the kind asked for, or out of range, is an input error that names the option. Each call also registers
   the name, for -help and for finding what a misspelt option was meant to be. Every rank makes the same calls. `set` may be
   NULL; `value` is left as it was, which is the default, when the option is absent. `text` is printed by -help. */

typedef struct {
  PetscReal low, high;
  PetscBool low_open; /* the value must be > low rather than >= low */
} PsdRange;

#define PSD_ANY_REAL ((PsdRange){-PETSC_MAX_REAL, PETSC_MAX_REAL, PETSC_FALSE})
#define PSD_POSITIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_TRUE})
#define PSD_NONNEGATIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_FALSE})

/* PsdOptionsHeading - starts a group of options in -help. */
PETSC_EXTERN PetscErrorCode PsdOptionsHeading(const char title[]);
/* PsdOptionInt - a whole number in low..high. */
PETSC_EXTERN PetscErrorCode PsdOptionInt(const char name[], const char text[], PetscInt low, PetscInt high,
                                         PetscInt *value, PetscBool *set);
/* PsdOptionReal - a finite number in `range`. */
PETSC_EXTERN PetscErrorCode PsdOptionReal(const char name[], const char text[], PsdRange range, PetscReal *value,
                                          PetscBool *set);
/* PsdOptionBool - on without a value, or one of PETSc's words for true and false. */
PETSC_EXTERN PetscErrorCode PsdOptionBool(const char name[], const char text[], PetscBool *value, PetscBool *set);
/* PsdOptionString - a text of fewer than `size` characters. */
PETSC_EXTERN PetscErrorCode PsdOptionString(const char name[], const char text[], char value[], size_t size,
                                            PetscBool *set);
/* PsdOptionEnum - one of the words `names`, which end with NULL; *value is an index into them. */
PETSC_EXTERN PetscErrorCode PsdOptionEnum(const char name[], const char text[], const char *const names[],
                                          PetscInt *value, PetscBool *set);
/* PsdOptionIntList, PsdOptionRealList - numbers separated by `separator`, ',' or 'x' (reals: by commas); on entry *count is the room in
   values, on return the number given. */
PETSC_EXTERN PetscErrorCode PsdOptionIntList(const char name[], const char text[], char separator, PetscInt low,
                                             PetscInt high, PetscInt values[], PetscInt *count, PetscBool *set);
PETSC_EXTERN PetscErrorCode PsdOptionRealList(const char name[], const char text[], PetscReal values[], PetscInt *count,
                                              PetscBool *set);

/* PsdOptionsSetHelp - has every option asked for from now on printed by rank 0: name, default and text. Not collective. */
PETSC_EXTERN void PsdOptionsSetHelp(PetscBool on);
PETSC_EXTERN PetscBool PsdOptionsGetHelp(void);

/* PsdOptionsCheckUnknown - an input error for the first option given that no call has asked for; it names the nearest one that
   was. Collective. */
PETSC_EXTERN PetscErrorCode PsdOptionsCheckUnknown(void);

/* ---------------------------------------------------------------- phases

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

/* PsdPhaseName - "read", "lift", ... Not collective. */
PETSC_EXTERN const char *PsdPhaseName(PsdPhase phase);
/* PsdPhaseBegin, PsdPhaseEnd - around a phase. Logically collective. */
PETSC_EXTERN PetscErrorCode PsdPhaseBegin(PsdPhase phase);
PETSC_EXTERN PetscErrorCode PsdPhaseEnd(PsdPhase phase);
/* PsdPhaseSeconds - wall seconds in a phase on this rank, so far. Not collective. */
PETSC_EXTERN PetscLogDouble PsdPhaseSeconds(PsdPhase phase);
/* PsdWallSeconds - since PsdInitialize. Not collective. */
PETSC_EXTERN PetscLogDouble PsdWallSeconds(void);

/* ---------------------------------------------------------------- progress

   Rank 0 prints, for itself and (shards being even) for all. On a terminal it is one line that renews itself; elsewhere a plain
   line every -progress_interval seconds and one at the end. */

/* PsdProgressSetFromOptions - -progress auto|live|plain|none, -progress_interval S. Collective. */
PETSC_EXTERN PetscErrorCode PsdProgressSetFromOptions(void);
/* PsdProgressLine - a line about something that has no known end, as the solve; last: it stays. Only rank 0 prints. Not collective. */
PETSC_EXTERN PetscErrorCode PsdProgressLine(MPI_Comm comm, PetscBool last, const char format[], ...) PSD_FORMAT(3, 4);

/* ---------------------------------------------------------------- output files

   An output file is written under a temporary name beside it, synced, and renamed: whoever looks finds the old one or the new
   one, whole. These run on one rank; what fails is recorded. */

typedef struct {
  char path[PETSC_MAX_PATH_LEN];
  char temporary[PETSC_MAX_PATH_LEN]; /* PATH.tmp.HOST.PID */
} PsdFile;

/* PsdFileBegin - finds the temporary name that the file is to be written under. */
PETSC_EXTERN void PsdFileBegin(PsdFile *file, const char path[], PsdFailure *failure);
/* PsdFileCommit - syncs what was written and closed, and gives it its name. */
PETSC_EXTERN void PsdFileCommit(PsdFile *file, PsdFailure *failure);
/* PsdFileAbandon - removes what was written. */
PETSC_EXTERN void PsdFileAbandon(PsdFile *file);

/* PsdFileCheckWritable - finds out before a long run whether `path` can be written after it, and removes what runs that were
   killed have left under temporary names: of this machine at once, of others after a day. Collective. */
PETSC_EXTERN PetscErrorCode PsdFileCheckWritable(MPI_Comm comm, const char option[], const char path[]);

/* ---------------------------------------------------------------- signals */

/* PsdSignalsCatch - from now on SIGTERM, SIGUSR1 and SIGINT are noted rather than end this rank; a second SIGINT does. The solver
   then ends between two iterations (see PsdAdmmSolve). Every rank calls it. */
PETSC_EXTERN void PsdSignalsCatch(void);

/* ---------------------------------------------------------------- threads */

/* PsdThreadsGet - BLAS threads of this rank. Not collective. */
PETSC_EXTERN PetscInt PsdThreadsGet(void);

#endif
