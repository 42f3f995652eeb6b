/*
   What the loop does next (loop.c), as a pure function of what it has done and of what was asked of it.
*/
#ifndef PSD_LOOP_PRIVATE_H
#define PSD_LOOP_PRIVATE_H

#include <psdsolver.h>

/* What others than the solver ask for, the same on all ranks. */
typedef struct {
  PetscBool signal, time; /* the end: by a signal, or as the time is over */
  PetscBool save;         /* a checkpoint: the last one is old enough */
} PsdRequests;

/* Where the loop stands between two iterations. */
typedef struct {
  PetscInt iteration, max_it;
  PetscBool due;   /* the bounds are to be checked after this iteration */
  PetscBool keeps; /* there is a file for checkpoints */
  /* since the last iteration, or, before the first one, since the loop began: */
  PetscBool begins;  /* there was no iteration yet, ... */
  PetscBool resumed; /* ... and the state is that of a file */
  PetscBool asked;   /* for requests */
  PetscBool checked; /* the bounds are known, ... */
  PetscBool reached; /* ... and as near to each other as was asked for */
  PetscBool spent;   /* rounding allows no progress */
  PetscBool adapted; /* the penalty is that of this check */
  PetscBool saved;   /* a checkpoint was begun, ... */
  PetscBool written; /* ... and is there */
  PsdRequests requests;
} PsdLoop;

typedef enum {
  PSD_LOOP_ITERATE,
  PSD_LOOP_ASK,   /* clock and signals */
  PSD_LOOP_CHECK, /* the bounds */
  PSD_LOOP_ADAPT, /* the penalty */
  PSD_LOOP_SAVE,  /* a checkpoint */
  PSD_LOOP_END
} PsdLoopAction;

/* PsdLoopReason - why the run is to end; PSD_RUNNING: it goes on. */
PsdSolverReason PsdLoopReason(const PsdLoop *loop);

/* PsdLoopDecide - what is to be done now; *reason: as PsdLoopReason, or PSD_CHECKPOINTED. */
PsdLoopAction PsdLoopDecide(const PsdLoop *loop, PsdSolverReason *reason);

#endif
