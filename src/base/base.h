/*
   What the folders of psdnet use beyond the public services of psdsys.h: events, progress of counted work, signals that were
   noted, faults and threads. Eigenproblems and exact sums have headers of their own.
*/
#ifndef PSD_BASE_PRIVATE_H
#define PSD_BASE_PRIVATE_H

#include <psdsys.h>

/* ---------------------------------------------------------------- options: options.c */

/* PsdOptionEnumRenamed - as PsdOptionEnum; old_names[k], or NULL, is what names[k] was called once, and still taken. */
PetscErrorCode PsdOptionEnumRenamed(const char name[], const char text[], const char *const names[],
                                    const char *const old_names[], PetscInt *value, PetscBool *set);

/* ---------------------------------------------------------------- phases and events: phase.c, event.c */

extern const char *const PsdPhaseNames[PSD_PHASE_COUNT];
int PsdPhaseCurrent(void); /* the one that is open, or -1 */

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

/* ---------------------------------------------------------------- signals: signals.c */

PetscBool PsdSignalsCaught(void); /* whether PsdSignalsCatch was called */
int PsdSignalsNoted(void);        /* the last one noted on this rank; 0: none */

/* PsdFaultsEnd - a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) ends this process at once, after one line, so that the launcher ends
   all ranks. Called by PsdInitialize. */
void PsdFaultsEnd(int rank);

/* ---------------------------------------------------------------- threads: threads.c */

PetscErrorCode PsdThreadsSetUp(void); /* one BLAS thread a rank unless the environment says otherwise */

#endif
