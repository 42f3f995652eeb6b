/*
   Acceleration of losses that are split: records of iterations, and jumps to where they point to (accelerate.c).
*/
#ifndef PSD_ACCELERATE_PRIVATE_H
#define PSD_ACCELERATE_PRIVATE_H

#include "base/visitor.h"
#include "problem/problem.h"

/* The solver that iterations are of (admm.h). */
typedef struct _p_PsdAdmm *PsdAdmm;

/* Where an iteration led to, g, and how far, f: of X = Z + U and X' (vectors), and of q = v + lambda of the
   representative samples. */
typedef struct {
  Vec g[2], f[2];
  PetscReal *g_samples, *f_samples;
} PsdRecord;

/* What comes of the records at the next iteration: nothing; a jump; nothing, as a jump is being tried until the next
   record is due; the way back. */
typedef enum { PSD_JUMP_NONE, PSD_JUMP_DUE, PSD_JUMP_TRIED, PSD_JUMP_BACK } PsdJumpStage;

#define PSD_RECORDS 6
#define PSD_JUMP_EVERY 5 /* iterations from record to record */
typedef struct {
  PetscInt count, next; /* records there are, and the place of the next one */
  PetscInt stage;       /* PsdJumpStage */
  PetscBool steady;     /* the jump goes along the last residual, ... */
  PetscReal stretch;    /* ... this far, in iterations */
  PetscReal share;      /* of the way to where the records point that other jumps go: 1 or less */
  PetscReal norm;       /* of the residual of the last record */
  PetscBool noting;     /* the iteration at hand is recorded, which is the judgement of a jump before it */
  size_t length;        /* representative samples here times C */
  PsdRecord record[PSD_RECORDS];
} PsdAccelerator;

/* Begin and End do nothing without an accelerator. Collective but for Reset and Mix. */
PetscErrorCode PsdAcceleratorCreate(PsdProblem problem, PsdAccelerator **accelerator);
PetscErrorCode PsdAcceleratorDestroy(PsdAccelerator **accelerator);
/* PsdAcceleratorReset - forgets all records, as the map has changed. accelerator: or NULL. */
void PsdAcceleratorReset(PsdAccelerator *accelerator);
/* PsdAcceleratorGoesBack - whether the next iteration begins with the way back from a jump, which a change of the map
   would cut off. accelerator: or NULL. */
PetscBool PsdAcceleratorGoesBack(const PsdAccelerator *accelerator);
/* PsdAcceleratorBegin, PsdAcceleratorEnd - around an iteration: jumps when records say where to, and records. */
PetscErrorCode PsdAcceleratorBegin(PsdAdmm admm);
PetscErrorCode PsdAcceleratorEnd(PsdAdmm admm);
/* PsdAcceleratorMix - coefficients c, of sum 1, of the smallest combination of `count` residuals whose products are
   given, count x count; a pure function. False: none that is to be trusted. */
PetscBool PsdAcceleratorMix(PetscInt count, const PetscReal products[], PetscReal c[]);
/* PsdAcceleratorVisit - what a checkpoint has of it, between two iterations. */
PetscErrorCode PsdAcceleratorVisit(PsdAccelerator *accelerator, PsdVisitor visitor);

#endif
