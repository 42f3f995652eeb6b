/*
   What the folders of psdnet use beyond the public services of psdsys.h: events, progress of counted work, signals that were
   noted, faults and threads. Eigenproblems and exact sums have headers of their own.
*/
#ifndef PSD_BASE_PRIVATE_H
#define PSD_BASE_PRIVATE_H

#include <psdsys.h>

/* ---------------------------------------------------------------- handles */

/* A public function was given an object where it needs one. */
#define PsdCheckHandle(handle)                                                                                         \
  PetscCheck(handle, PETSC_COMM_SELF, PETSC_ERR_ARG_NULL, "Found NULL, expected an object: argument " #handle)

/* ---------------------------------------------------------------- options: options.c */

/* One of the words that an option takes: its name, what it was called once (or NULL), and what it stands for, a phrase that
   -help prints on a line of its own (or NULL). */
typedef struct {
  const char *name, *old_name, *help;
} PsdChoice;

/* PsdOptionChoice - as PsdOptionEnum, of `count` words. Old names are still taken. Collective. */
PetscErrorCode PsdOptionChoice(const char name[], const char text[], PetscInt count, const PsdChoice choices[],
                               PetscInt *value, PetscBool *set);

/* PsdOptionsFilesCheck - before PETSc starts: options files that cannot be read to an end are a failure. Not collective.
   options_files.c */
void PsdOptionsFilesCheck(int argc, char **argv, PsdFailure *failure);

/* ---------------------------------------------------------------- phases and events: phase.c, event.c */

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

/* ---------------------------------------------------------------- progress of counted work: progress.c */

typedef struct _p_PsdProgress *PsdProgress;

PetscErrorCode PsdProgressCreate(MPI_Comm comm, const char what[], const char unit[], PetscInt64 local_total,
                                 PetscInt64 global_total, PsdProgress *progress);
PetscErrorCode PsdProgressUpdate(PsdProgress progress, PetscInt64 local_done); /* not collective */
PetscErrorCode PsdProgressDestroy(PsdProgress *progress);                      /* prints the closing line */

/* ---------------------------------------------------------------- arrays of any length between ranks: messages.c */

/* Elements in one message; an MPI count is an int. Tests lower it, and the build with sanitizers is one of a low limit. */
extern size_t PsdMessageLimit;

/* Both sides know the count. PsdPassArray - one array to a rank and one from a rank, either of which may be this one.
   PsdBroadcastArray - from rank 0. PsdSumArray - over all ranks, in place; both collective. */
PetscErrorCode PsdSendArray(MPI_Comm comm, PetscMPIInt to, PetscMPIInt tag, MPI_Datatype type, size_t count,
                            const void *array);
PetscErrorCode PsdReceiveArray(MPI_Comm comm, PetscMPIInt from, PetscMPIInt tag, MPI_Datatype type, size_t count,
                               void *array);
PetscErrorCode PsdBroadcastArray(MPI_Comm comm, MPI_Datatype type, size_t count, void *array);
PetscErrorCode PsdBroadcastArrayFrom(MPI_Comm comm, PetscMPIInt root, MPI_Datatype type, size_t count, void *array);
PetscErrorCode PsdPassArray(MPI_Comm comm, MPI_Datatype type, PetscMPIInt to, size_t sent_count, const void *sent,
                            PetscMPIInt from, size_t count, void *array);
PetscErrorCode PsdSumArray(MPI_Comm comm, MPI_Datatype type, size_t count, void *array);

/* ---------------------------------------------------------------- signals: signals.c */

PetscBool PsdSignalsCaught(void); /* whether PsdSignalsCatch was called */
int PsdSignalsNoted(void);        /* the last one noted on this rank; 0: none */

/* PsdSignalsSetUp - what signals do to a process that is psdnet's own, as far as nobody has said so before: a crash
   (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) ends it at once, after one line, so that the launcher ends all ranks; one
   that ends a process by default does so, without leaving temporary files; a file that grows beyond its limit (SIGXFSZ)
   is an error of write(). Called by PsdInitialize. */
void PsdSignalsSetUp(int rank);

/* ---------------------------------------------------------------- names of files: file.c, temporary.c */

/* PsdFileResolve - the real name of the file that `path` leads to, through links also where there is no file yet.
   Returns 0, or as errno that a name is too long or links go in a circle. */
int PsdFileResolve(const char path[], char resolved[PETSC_MAX_PATH_LEN]);

/* PsdPathsForget - frees the names of the files of a run (paths.c). Called by PsdFinalize. */
void PsdPathsForget(void);

/* PsdFileOpenRegular - a descriptor to read from, or -1 and a failure, unless `path` is a regular file: opening a pipe
   would wait for one who writes. PsdFileCheckRegular - whether that can be done. */
int PsdFileOpenRegular(const char path[], PsdFailure *failure);
void PsdFileCheckRegular(const char path[], PsdFailure *failure);

/* Temporary names of this process: those kept are removed by PsdFileAbandonAll, also from a signal handler. */
void PsdTemporaryKeep(const char path[]);
void PsdTemporaryForget(const char path[]);
PetscBool PsdTemporaryIsKept(const char path[]);

/* ---------------------------------------------------------------- threads: threads.c */

PetscErrorCode PsdThreadsSetUp(void); /* one BLAS thread a rank unless the environment says otherwise */

/* ---------------------------------------------------------------- options of one object: options.c */

/* What the names of all options have in front from now on, "" or NULL for nothing, which is borrowed; gives back what
   it was. */
const char *PsdOptionsSetPrefix(const char prefix[]);
/* PetscCall of what reads options, with a handle's prefix in front of their names. */
#define PsdCallWithPrefix(prefix, ...)                                                                                 \
  do {                                                                                                                 \
    const char *before_ = PsdOptionsSetPrefix(prefix);                                                                 \
    const PetscErrorCode code_ = __VA_ARGS__;                                                                          \
    (void)PsdOptionsSetPrefix(before_);                                                                                \
    PetscCall(code_);                                                                                                  \
  } while (0)
/* PetscCall of what reads options, as if this one were given and no other, which are left as they are; it is an input error
   when it is none of them. */
#define PsdCallWithOption(name, value, ...)                                                                            \
  do {                                                                                                                 \
    PsdOptionsGiveAlone(name, value);                                                                                  \
    const PetscErrorCode code_ = __VA_ARGS__;                                                                          \
    const PetscBool asked_ = PsdOptionsWasAsked();                                                                     \
    PsdOptionsGiveAlone(NULL, NULL);                                                                                   \
    PetscCall(code_);                                                                                                  \
    PsdCheckInput(asked_, "option %s is none of these", name);                                                         \
  } while (0)
/* name: with its dash, NULL: the database counts again; borrowed as value is, of which NULL is an option without one. */
void PsdOptionsGiveAlone(const char name[], const char value[]);
PetscBool PsdOptionsWasAsked(void);
/* The name as users have it, until the next call: "-gap" as "-inner_gap". */
const char *PsdOptionsName(const char name[]);
PetscErrorCode PsdOptionsGiven(const char name[], PetscBool *given);
/* Keeps a copy of a handle's prefix in the place of the one before; NULL and "" are none. */
PetscErrorCode PsdOptionsKeepPrefix(const char prefix[], char **kept);

#endif
