/*
   Services for programs that use libpsdnet, as the command does: errors that all ranks agree on, options read
   strictly, phases and their times, progress lines, output files that appear whole or not at all, checksums,
   archives, and signals that end a run in order.

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

/*
   PsdFailureRecord - Records a failure on this rank, in the manner of printf; only the first one is kept.

   Not collective.
*/
PSD_EXTERN void PsdFailureRecord(PsdFailure *failure, const char format[], ...) PSD_FORMAT(2, 3);

/*
   PsdFailureAgree - Ends every rank's part of a piece of work that may have failed on some of them.

   Collective on comm. Returns 0 on all ranks, or PSD_ERR_INPUT on all of them, with the message of the lowest rank
   that failed.
*/
PSD_EXTERN PetscErrorCode PsdFailureAgree(MPI_Comm comm, const PsdFailure *failure);

/*
   PsdInputError - Records a message that every rank is known to have come to, in the manner of printf, and returns
   PSD_ERR_INPUT.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdInputError(const char format[], ...) PSD_FORMAT(1, 2);

/* Ends the calling function when a condition that is the same on all ranks does not hold. */
#define PsdCheckInput(condition, ...)                                                                                  \
  do {                                                                                                                 \
    if (PetscUnlikely(!(condition))) PetscFunctionReturn(PsdInputError(__VA_ARGS__));                                  \
  } while (0)

/* ---------------------------------------------------------------- options

   A value that is not of the kind asked for, or out of range, is an input error that names the option. Each call also
   registers the name, for -help and for finding what a misspelt option was meant to be. Every rank makes the same
   calls. `set` may be NULL; `value` is left as it was, which is the default, when the option is absent. `text` is
   printed by -help. */

typedef struct {
  PetscReal low, high;
  PetscBool low_open; /* the value must be > low rather than >= low */
} PsdRange;

#define PSD_ANY_REAL ((PsdRange){-PETSC_MAX_REAL, PETSC_MAX_REAL, PETSC_FALSE})
#define PSD_POSITIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_TRUE})
#define PSD_NONNEGATIVE ((PsdRange){0, PETSC_MAX_REAL, PETSC_FALSE})

/*
   PsdOptionsHeading - Starts a group of options in -help.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdOptionsHeading(const char title[]);

/*
   PsdOptionInt - Reads a whole number in low..high. PsdOptionReal - a finite number in `range`. PsdOptionBool -
   nothing for true, or true, false, yes, no, 1, 0, on, off. PsdOptionString - a text of fewer than `size` bytes.
   PsdOptionEnum - one of the words `names`, which end with NULL; *value is an index into them, below 0 for no
   default.

   Logically collective. name: with its dash. Errors (PSD_ERR_INPUT): a value of another kind or out of range.
*/
PSD_EXTERN PetscErrorCode PsdOptionInt(const char name[], const char text[], PetscInt low, PetscInt high,
                                       PetscInt *value, PetscBool *set);
PSD_EXTERN PetscErrorCode PsdOptionReal(const char name[], const char text[], PsdRange range, PetscReal *value,
                                        PetscBool *set);
PSD_EXTERN PetscErrorCode PsdOptionBool(const char name[], const char text[], PetscBool *value, PetscBool *set);
PSD_EXTERN PetscErrorCode PsdOptionString(const char name[], const char text[], char value[], size_t size,
                                          PetscBool *set);
PSD_EXTERN PetscErrorCode PsdOptionEnum(const char name[], const char text[], const char *const names[],
                                        PetscInt *value, PetscBool *set);

/*
   PsdOptionIntList - Reads whole numbers in low..high, separated by `separator`, ',' or 'x'. PsdOptionRealList -
   finite numbers, separated by commas. On entry *count is the room in values, on return the number given.

   Logically collective. Errors (PSD_ERR_INPUT): as above, and more numbers than there is room for.
*/
PSD_EXTERN PetscErrorCode PsdOptionIntList(const char name[], const char text[], char separator, PetscInt low,
                                           PetscInt high, PetscInt values[], PetscInt *count, PetscBool *set);
PSD_EXTERN PetscErrorCode PsdOptionRealList(const char name[], const char text[], PetscReal values[], PetscInt *count,
                                            PetscBool *set);

/*
   PsdOptionsSetHelp - Has every option asked for from now on printed by rank 0: name, default and text.
   PsdOptionsGetHelp - Returns whether that is on; it is off at first.

   Logically collective.
*/
PSD_EXTERN void PsdOptionsSetHelp(PetscBool on);
PSD_EXTERN PetscBool PsdOptionsGetHelp(void);

/*
   PsdOptionsCheckUnknown - Returns PSD_ERR_INPUT for the first option given that no call has asked for; the message
   names the nearest one that was. PETSc's and SLEPc's own are known.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdOptionsCheckUnknown(void);

/* ---------------------------------------------------------------- decimals */

/* Towards -infinity or +infinity. */
typedef enum { PSD_ROUND_DOWN, PSD_ROUND_UP } PsdRounding;

#define PSD_DECIMAL_LENGTH 32

/*
   PsdDecimal - Writes a number with `digits` significant decimal digits, in the manner of %.Ng ('g') or %.Ne ('e', which
   counts the digits after the point: one less), so that what is read is never above (PSD_ROUND_DOWN) or never below
   (PSD_ROUND_UP) the number itself: printf's nearest decimal may be either. Returns the text.

   Not collective. digits: 1..17. text: PSD_DECIMAL_LENGTH bytes.
*/
PSD_EXTERN const char *PsdDecimal(PetscReal value, int digits, char style, PsdRounding rounding,
                                  char text[PSD_DECIMAL_LENGTH]);

/* ---------------------------------------------------------------- phases

   The phases of a run, as report.json names them: each is a PetscLog stage and a wall clock. They do not nest. */

typedef enum {
  PSD_PHASE_READ,
  PSD_PHASE_LIFT,
  PSD_PHASE_GRAM,
  PSD_PHASE_FACTOR,
  PSD_PHASE_SOLVE,
  PSD_PHASE_CERTIFY,
  PSD_PHASE_WRITE,
  PSD_PHASE_COUNT
} PsdPhase;

/*
   PsdPhaseName - Returns "read", "lift", ...; the text lasts.

   Not collective.
*/
PSD_EXTERN const char *PsdPhaseName(PsdPhase phase);

/*
   PsdPhaseBegin, PsdPhaseEnd - Stand around a phase. One that begins ends another that was left open.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdPhaseBegin(PsdPhase phase);
PSD_EXTERN PetscErrorCode PsdPhaseEnd(PsdPhase phase);

/*
   PsdPhaseCurrent - Returns the phase that is open, or -1.

   Not collective.
*/
PSD_EXTERN int PsdPhaseCurrent(void);

/*
   PsdPhaseSeconds - Returns the wall seconds that this rank has spent in a phase so far. PsdWallSeconds - those since
   PsdInitialize.

   Not collective.
*/
PSD_EXTERN PetscLogDouble PsdPhaseSeconds(PsdPhase phase);
PSD_EXTERN PetscLogDouble PsdWallSeconds(void);

/* ---------------------------------------------------------------- progress

   Rank 0 prints, for itself and (shards being even) for all. On a terminal it is one line that renews itself;
   elsewhere a plain line every -progress_interval seconds and one at the end. */

/*
   PsdProgressSetFromOptions - Reads -progress auto|live|plain|none and -progress_interval S, which is seconds.
   Without this call nothing is printed.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdProgressSetFromOptions(void);

/*
   PsdProgressLine - Prints a line, in the manner of printf, about something that has no known end, as the solve;
   last: it stays. Lines that come too soon after another are dropped unless they are the last.

   Not collective; rank 0 of comm prints.
*/
PSD_EXTERN PetscErrorCode PsdProgressLine(MPI_Comm comm, PetscBool last, const char format[], ...) PSD_FORMAT(3, 4);

/* ---------------------------------------------------------------- output files

   An output file is written under a temporary name beside it, synced, and renamed: whoever looks finds the old one or
   the new one, whole. These run on one rank; what fails is recorded. */

typedef struct {
  char path[PETSC_MAX_PATH_LEN];      /* where the name that was given leads, through symbolic links */
  char temporary[PETSC_MAX_PATH_LEN]; /* PATH.tmp.HOST.PID */
  int descriptor;                     /* open for reading and writing; below 0: not open */
} PsdFile;

/*
   PsdFileBegin - Makes the temporary file, empty; whatever stood under its name is removed and not followed.
   PsdFileStream - Opens it as a stream, which the caller closes before the end; NULL after a failure. PsdFileCommit -
   Syncs what was written, and gives it its name; owner and mode of a file that it replaces are kept. PsdFileAbandon -
   Removes it instead. PsdFileAbandonAll - Removes all that were begun here and not ended, as PsdFinalize does; for those
   who are about to end the process otherwise.

   Not collective.
*/
PSD_EXTERN void PsdFileBegin(PsdFile *file, const char path[], PsdFailure *failure);
PSD_EXTERN FILE *PsdFileStream(PsdFile *file, PsdFailure *failure);
PSD_EXTERN void PsdFileCommit(PsdFile *file, PsdFailure *failure);
PSD_EXTERN void PsdFileAbandon(PsdFile *file);
PSD_EXTERN void PsdFileAbandonAll(void);

/*
   PsdFileCheckWritable - Finds out before a long run whether `path` can be written after it, and removes what runs
   that were killed have left under temporary names: of this machine at once, of others after a day.

   Collective on comm. option: the name that messages begin with. Errors (PSD_ERR_INPUT): it cannot be written.
*/
PSD_EXTERN PetscErrorCode PsdFileCheckWritable(MPI_Comm comm, const char option[], const char path[]);

/* ---------------------------------------------------------------- the files of a run

   A run knows every file that it was given a name of, so that no output replaces what is read or another output. */

typedef enum { PSD_PATH_INPUT, PSD_PATH_OUTPUT } PsdPathRole;

/*
   PsdOptionPath - Reads an option that names a file, "" when it is absent, and keeps the name. required: its absence is
   an error of PsdPathsCheck. PsdPathDeclare - Keeps a name that follows from options or comes from elsewhere; what: what
   messages call it.

   Logically collective. A file that is read and written as well, as a checkpoint is, has PSD_PATH_OUTPUT. Errors
   (PSD_ERR_INPUT): as of PsdOptionString.
*/
PSD_EXTERN PetscErrorCode PsdOptionPath(const char name[], const char text[], PsdPathRole role, PetscBool required,
                                        char path[PETSC_MAX_PATH_LEN]);
PSD_EXTERN PetscErrorCode PsdPathDeclare(const char what[], const char path[], PsdPathRole role);

/*
   PsdPathsCheck - Finds out before anything is read whether the names that are kept go together.

   Collective on comm; rank 0 looks at the files. reads: whether a file of that name in that directory, which is an input, is
   read (PsdDataReadsName). Errors (PSD_ERR_INPUT): a required option that is missing; an output that is the same file as
   an input, as a file read in a directory that is an input, or as another output, by whatever names and links, also
   when it is not there yet; an output that cannot be written, see PsdFileCheckWritable. Outputs of PETSc's
   own options (-log_view :FILE) count.
*/
PSD_EXTERN PetscErrorCode PsdPathsCheck(MPI_Comm comm, PetscBool (*reads)(const char directory[], const char name[]));

/*
   PsdPathsRefuse - Has PETSc write none of the files at its end that its own options name, as -log_view :FILE, for a run
   that was refused: those names may not have been looked at, or be why.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdPathsRefuse(void);

/* ---------------------------------------------------------------- checksums */

/*
   PsdChecksumRanks - CRC-32 of the `count` bytes of rank 0, followed by those of rank 1, and so on: the same on every
   rank, and whatever the number of ranks that hold the same bytes between them.

   Collective on comm. count may differ between ranks, and be 0.
*/
PSD_EXTERN PetscErrorCode PsdChecksumRanks(MPI_Comm comm, const void *bytes, size_t count, unsigned *checksum);

/* ---------------------------------------------------------------- archives */

/*
   PsdArchiveView - Prints what a certificate file, a checkpoint or another archive of psdnet's says of itself, after all
   of its checksums were found to be right. known: false, and nothing is printed, for what is no archive.

   Collective. viewer: an ASCII viewer on comm. Errors (PSD_ERR_INPUT): damaged.
*/
PSD_EXTERN PetscErrorCode PsdArchiveView(MPI_Comm comm, const char path[], PetscViewer viewer, PetscBool *known);

/* ---------------------------------------------------------------- signals */

/*
   PsdSignalsCatch - Has SIGTERM, SIGUSR1 and SIGINT noted from now on rather than end this rank; a second SIGINT
   does. The solver then ends between two iterations (see PsdSolverSolve).

   Every rank calls it.
*/
PSD_EXTERN void PsdSignalsCatch(void);

/* ---------------------------------------------------------------- threads */

/*
   PsdThreadsGet - Returns the number of BLAS threads of this rank.

   Not collective.
*/
PSD_EXTERN PetscInt PsdThreadsGet(void);

#endif
