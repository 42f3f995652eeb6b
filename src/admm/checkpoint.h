/*
   Checkpoints: when the state is written (checkpoint.c), what it consists of (state.c), the checks so far, which are
   a part of it (history.c), and how a run goes on from it (resume.c).
*/
#ifndef PSD_CHECKPOINT_PRIVATE_H
#define PSD_CHECKPOINT_PRIVATE_H

#include <psdadmm.h>
#include "base/visitor.h"
#include "loop.h"

typedef struct {
  PsdAdmmStatus *row;
  PetscInt rows, room;
} PsdHistory;

PetscErrorCode PsdHistoryAppend(PsdHistory *history, const PsdAdmmStatus *status);
PetscErrorCode PsdHistoryVisit(PsdHistory *history, PsdVisitor visitor);
PetscErrorCode PsdHistoryDestroy(PsdHistory *history);

/* Where the state is kept, and when. */
typedef struct {
  char path[PETSC_MAX_PATH_LEN], gram_path[PETSC_MAX_PATH_LEN]; /* "": none */
  PetscReal every;                                              /* seconds */
  PetscBool resume;
  char *identity;         /* which problem this is, as text */
  PsdAdmmRecord *record;  /* the caller's, or NULL */
  PsdArchive archive;     /* open between PsdResumeOpen and PsdResumeLoad */
  PetscBool resumed;      /* the loop has to begin where the file ends */
  PetscLogDouble last;    /* when the last one was written, or the loop begun */
  PetscLogDouble seconds; /* that the slowest one took */
} PsdCheckpoint;

#define PSD_CHECKPOINT_FORMAT "psdnet-checkpoint"
#define PSD_CHECKPOINT_VERSION 3

/* All collective. PsdCheckpointBegin - which problem this is; before it is lifted. Does nothing without a
   checkpoint. */
PetscErrorCode PsdCheckpointBegin(PsdAdmm admm);
/* PsdCheckpointSave - the state to the file. A failure is a warning, and *written is false. */
PetscErrorCode PsdCheckpointSave(PsdAdmm admm, PetscBool *written);
PetscErrorCode PsdCheckpointDestroy(PsdCheckpoint *checkpoint);

/* PsdResumeOpen - before the problem is lifted: opens the file to continue from, if there is one, and finds out
   whether it is of this problem. */
PetscErrorCode PsdResumeOpen(PsdAdmm admm);
/* PsdResumeLoad - once everything is allocated: the state. */
PetscErrorCode PsdResumeLoad(PsdAdmm admm);
/* PsdResumeLoop - where the loop stands that begins with that state. */
PetscErrorCode PsdResumeLoop(PsdAdmm admm, PsdLoop *loop);

/* The two parts of a checkpoint, each a PsdVisit of a PsdAdmm: which problem it is of, and the transforms of its
   patches, without which it cannot be lifted; and the solver's state. */
PetscErrorCode PsdAdmmVisitProblem(PsdVisitor visitor, void *admm);
PetscErrorCode PsdAdmmVisitState(PsdVisitor visitor, void *admm);

/* Of PsdAdmmSolve, whose rounds are among the state. */
#define PSD_MOST_ROUNDS 8

#endif
