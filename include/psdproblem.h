/*
   PsdProblem: the convex program that training is (docs/mathematics.md, section 1), made of a data set and its patches.

     min  L(A S) + beta * sum (Z[4] + Z'[4])   over PSD blocks Z, Z' with <J,Z> = <J,Z'> = 0,  S = Z - Z'
*/
#ifndef PSDPROBLEM_H
#define PSDPROBLEM_H

#include <psdbase.h>
#include <psddata.h>
#include <psdpatches.h>

typedef struct _p_PsdProblem *PsdProblem;

/* PsdProblemCreate - on data and patches, which must outlive it; patches get their image size from the data. Collective. */
PETSC_EXTERN PetscErrorCode PsdProblemCreate(PsdData data, PsdPatches patches, PsdProblem *problem);

/* PsdProblemSetFromOptions - -loss, the option of its parameter (-huber_delta), -activation a,b,c, -beta B,
   -beta_rel F or -beta_noise F, -memory MB. Collective. */
PETSC_EXTERN PetscErrorCode PsdProblemSetFromOptions(PsdProblem problem);

/* PsdProblemSetMemory - MB this rank may use for lifted features. */
PETSC_EXTERN PetscErrorCode PsdProblemSetMemory(PsdProblem problem, PetscReal megabytes);

/* As a model file gives them. beta > 0, absolute. Loss: by the name -loss has for it, input error when there is none;
   loss_parameter > 0: of the loss that has one (huber: its threshold), 0 standing for what it is when no option gives
   it; not used by others. */
PETSC_EXTERN PetscErrorCode PsdProblemSetLoss(PsdProblem problem, const char name[], PetscReal loss_parameter);
PETSC_EXTERN PetscErrorCode PsdProblemSetActivation(PsdProblem problem, const PetscReal activation[3]);
PETSC_EXTERN PetscErrorCode PsdProblemSetBeta(PsdProblem problem, PetscReal beta);
/* beta as a fraction of the beta_max of random targets, instead; 0.01 from the start. */
PETSC_EXTERN PetscErrorCode PsdProblemSetBetaNoise(PsdProblem problem, PetscReal fraction);

/*
   PsdProblemSetUp - sizes, blocks and targets; nothing is lifted yet, and beta_max is known after PsdAdmmSetUp only, which
   decides in which form the samples are kept.

   Collective. Errors: blocks too large for PETSc's indices.
*/
PETSC_EXTERN PetscErrorCode PsdProblemSetUp(PsdProblem problem);

/* Sizes after PsdProblemSetUp: samples on all ranks, patch dimension, classes C (1: binary), regions G, D = G (f+1)(f+2)/2.
   Any may be NULL. Not collective. */
PETSC_EXTERN PetscErrorCode PsdProblemGetSizes(PsdProblem problem, PetscInt *n, PetscInt *f, PetscInt *C, PetscInt *G,
                                               PetscInt *D);
/* After PsdAdmmSetUp. order: of A'A; D, or about half of it where images and mirror images are folded. */
PETSC_EXTERN PetscErrorCode PsdProblemGetOrder(PsdProblem problem, PetscInt *order);
PETSC_EXTERN PetscErrorCode PsdProblemGetBeta(PsdProblem problem, PetscReal *beta, PetscReal *beta_max);
/* What -beta, -beta_rel or -beta_noise asked for, absolute, whatever PsdAdmmSetBeta made of it since; after PsdAdmmSetUp. */
PETSC_EXTERN PetscErrorCode PsdProblemGetBetaAsked(PsdProblem problem, PetscReal *beta);
PETSC_EXTERN PetscErrorCode PsdProblemGetLoss(PsdProblem problem, const char *name[]);
PETSC_EXTERN PetscErrorCode PsdProblemGetActivation(PsdProblem problem, PetscReal activation[3]);
/* PsdPathBeta - number k = 1..count of a path from beta_max, which is number 0, to `last`: evenly spaced by ratio; number
   `count` is `last` exactly. */
PETSC_EXTERN PetscReal PsdPathBeta(PetscReal beta_max, PetscReal last, PetscInt k, PetscInt count);

/* PsdProblemScoresLoss - mean loss an image of scores (this rank's n_local x C, row-major) given to other images of the problem's
   classes. Collective. */
PETSC_EXTERN PetscErrorCode PsdProblemScoresLoss(PsdProblem problem, PsdData data, const PetscReal scores[],
                                                 PetscReal *mean);
PETSC_EXTERN PetscErrorCode PsdProblemDestroy(PsdProblem *problem);

#endif
