/*
   Checkpoints: when the state is written (checkpoint.c), what it consists of (run_state.c, and of its type), the checks
   so far, which are a part of it (history.c), and how a run goes on from it (resume.c).
*/
#ifndef PSD_CHECKPOINT_PRIVATE_H
#define PSD_CHECKPOINT_PRIVATE_H

#include <psdsolver.h>
#include "base/visitor.h"
#include "loop.h"

typedef struct {
  PsdSolverStatus *row;
  PetscInt rows, room;
} PsdHistory;

PetscErrorCode PsdHistoryAppend(PsdHistory *history, const PsdSolverStatus *status);
PetscErrorCode PsdHistoryVisit(PsdHistory *history, PsdVisitor visitor);
PetscErrorCode PsdHistoryDestroy(PsdHistory *history);

/* Where the state is kept, and when. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN], gram_path[PETSC_MAX_PATH_LEN]; /* "": none */
  PetscReal every;                                              /* seconds */
  PetscBool resume;
  char *identity;          /* which problem this is, as text */
  char type[32];           /* of the solver that wrote the file to continue from; "": there is none */
  PsdSolverRecord *record; /* the caller's, or NULL */
  PsdArchive archive;      /* open between PsdResumeOpen and PsdResumeLoad */
  PetscBool resumed;       /* the loop has to begin where the file ends */
  PetscLogDouble last;     /* when the last one was written, or the loop begun */
  PetscLogDouble seconds;  /* that the slowest one took */
} PsdCheckpoint;

#define PSD_CHECKPOINT_FORMAT "psdnet-checkpoint"
#define PSD_CHECKPOINT_VERSION 5

/* All collective. PsdCheckpointBegin - which problem this is; before it is lifted. Does nothing without a
   checkpoint. */
PetscErrorCode PsdCheckpointBegin(PsdSolver solver);
/* PsdCheckpointSave - the state to the file. A failure is a warning, and *written is false. */
PetscErrorCode PsdCheckpointSave(PsdSolver solver, PetscBool *written);
PetscErrorCode PsdCheckpointDestroy(PsdCheckpoint *checkpoint);

/* PsdResumeOpen - before the problem is lifted: opens the file to continue from, if there is one, and finds out
   whether it is of this problem. PsdResumeForm - once the type is settled: what it depends on. PsdResumeLoad - once
   everything is allocated: the state. The latter two do nothing without a file. */
PetscErrorCode PsdResumeOpen(PsdSolver solver);
PetscErrorCode PsdResumeForm(PsdSolver solver);
PetscErrorCode PsdResumeLoad(PsdSolver solver);
/* PsdResumeLoop - where the loop stands that begins with that state. */
PetscErrorCode PsdResumeLoop(PsdSolver solver, PsdLoop *loop);

/* The three parts of a checkpoint, each a PsdVisit of a PsdSolver (run_state.c): which problem it is of, and which type
   of solver; what the type depends on, and the transforms of the patches, without which they cannot be lifted; and the
   state of both the handle and the type. */
PetscErrorCode PsdSolverVisitIdentity(PsdVisitor visitor, void *solver);
PetscErrorCode PsdSolverVisitForm(PsdVisitor visitor, void *solver);
PetscErrorCode PsdSolverVisitState(PsdVisitor visitor, void *solver);

/* Of PsdSolverSolve, whose rounds are among the state. */
#define PSD_MOST_ROUNDS 8

#endif
