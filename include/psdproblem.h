/*
   PsdProblem: the convex program that training is (docs/mathematics.md, section 1), made of a data set and its
   patches.

     min  L(A S) + beta * sum (Z[4] + Z'[4])   over PSD blocks Z, Z' with <J,Z> = <J,Z'> = 0,  S = Z - Z'
*/
#ifndef PSDPROBLEM_H
#define PSDPROBLEM_H

#include <psdbase.h>
#include <psddata.h>
#include <psdpatches.h>

typedef struct _p_PsdProblem *PsdProblem;

/*
   PsdProblemCreate - Creates the problem of a data set and patches on the same communicator. Both are borrowed and
   must outlive it; data may be NULL for a problem that is planned only (psdplan.h). Squared loss, activation 0.09 u^2 +
   0.5 u + 0.47, beta 0.01 of random targets' beta_max, 1024 MB a rank for lifted features.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdProblemCreate(PsdData data, PsdPatches patches, PsdProblem *problem);

/*
   PsdProblemSetFromOptions - Reads the options of a problem:
     -loss squared|logistic|softmax|hinge|huber|l1
     -huber_delta D     residual beyond which the Huber loss is linear; with -loss huber only
     -activation a,b,c  s(u) = a u^2 + b u + c
     -beta B            weight of the regularisation, absolute; or
     -beta_rel F        as a fraction of beta_max; or
     -beta_noise F      as a fraction of the beta_max of random targets
     -memory MB         a rank's memory for lifted features; what exceeds it is lifted again at each pass

   Collective; before PsdProblemSetUp. Errors: values out of range, several weights, -huber_delta with another loss.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetFromOptions(PsdProblem problem);

/*
   PsdProblemSetOptionsPrefix - What the names of this problem's options have in front: with "inner_" its -beta is
   -inner_beta. NULL or "" is nothing, as at first. Values may come from PetscOptionsSetValue, so that what options
   reach is reached of every problem by itself.

   Logically collective; before PsdProblemSetFromOptions. prefix: without a dash; copied. Errors (PSD_ERR_INPUT): it
   begins with a dash, or is too long.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetOptionsPrefix(PsdProblem problem, const char prefix[]);

/*
   PsdProblemSetMemory - MB that this rank may use for lifted features, 0 or more; what exceeds it is lifted again at
   each pass.

   Not collective; before PsdProblemSetUp. Option: -memory.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetMemory(PsdProblem problem, PetscReal megabytes);

/*
   PsdProblemSetLoss - Chooses the loss by the name that -loss has for it. loss_parameter > 0: of a loss that has one
   (huber: its threshold, in units of a score), 0 standing for what it is when no option gives it; not used by others.
   PsdProblemSetActivation - the coefficients a, b, c of s(u) = a u^2 + b u + c.

   Logically collective; before PsdProblemSetUp. Options: -loss, -huber_delta; -activation. Errors (PSD_ERR_INPUT): no
   loss of that name.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetLoss(PsdProblem problem, const char name[], PetscReal loss_parameter);
PSD_EXTERN PetscErrorCode PsdProblemSetActivation(PsdProblem problem, const PetscReal activation[3]);

/*
   PsdProblemSetBeta - The weight of the regularisation, absolute, above 0. PsdProblemSetBetaRel, PsdProblemSetBetaNoise -
   The same as a fraction, above 0, of beta_max, and of the beta_max that random targets have. The last one called counts.

   Logically collective; before PsdProblemSetUp (later: PsdSolverSetBeta). Options: -beta; -beta_rel; -beta_noise.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetBeta(PsdProblem problem, PetscReal beta);
PSD_EXTERN PetscErrorCode PsdProblemSetBetaRel(PsdProblem problem, PetscReal fraction);
PSD_EXTERN PetscErrorCode PsdProblemSetBetaNoise(PsdProblem problem, PetscReal fraction);

/*
   PsdProblemSetUp - Settles sizes, blocks and targets. Nothing is lifted yet, and beta_max is known after
   PsdSolverSetUp only, which decides in which form the samples are kept.

   Collective; after PsdDataSetUp and PsdPatchesSetImageSize. Errors: blocks too large for PETSc's indices.
*/
PSD_EXTERN PetscErrorCode PsdProblemSetUp(PsdProblem problem);

/*
   PsdProblemGetSizes - Samples on all ranks, numbers f in a patch, C, G and D (see psdnet.h). Any may be NULL.

   Not collective; after PsdProblemSetUp.
*/
PSD_EXTERN PetscErrorCode PsdProblemGetSizes(PsdProblem problem, PetscInt *n, PetscInt *f, PetscInt *C, PetscInt *G,
                                             PetscInt *D);

/*
   PsdProblemGetOrder - The order of A'A: D, or about half of it where images and mirror images are folded.

   Not collective; after PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdProblemGetOrder(PsdProblem problem, PetscInt *order);

/*
   PsdProblemGetBeta - The weight of the regularisation now, and beta_max, above which the network without neurons is
   optimal; either may be NULL. PsdProblemGetBetaAsked - The weight that -beta, -beta_rel, -beta_noise or a Set
   function asked for, absolute, whatever PsdSolverSetBeta made of it since.

   Not collective; after PsdSolverSetUp.
*/
PSD_EXTERN PetscErrorCode PsdProblemGetBeta(PsdProblem problem, PetscReal *beta, PetscReal *beta_max);
PSD_EXTERN PetscErrorCode PsdProblemGetBetaAsked(PsdProblem problem, PetscReal *beta);

/*
   PsdProblemGetLoss - The name of the loss, borrowed. PsdProblemGetActivation - a, b, c of the activation.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdProblemGetLoss(PsdProblem problem, const char *name[]);
PSD_EXTERN PetscErrorCode PsdProblemGetActivation(PsdProblem problem, PetscReal activation[3]);

/*
   PsdPathBeta - Returns number k = 1..count of a path of betas from beta_max, which is number 0, to `last`, evenly
   spaced by ratio; number `count` is `last` exactly. beta_max > 0, last > 0.

   Not collective.
*/
PSD_EXTERN PetscReal PsdPathBeta(PetscReal beta_max, PetscReal last, PetscInt k, PetscInt count);

/*
   PsdProblemScoresLoss - Mean loss an image of scores that a network has given to other images of the problem's
   classes.

   Collective; after PsdProblemSetUp, and PsdDataSetUp of the data. scores: this rank's n_local x C, as
   PsdNetworkApply leaves them.
*/
PSD_EXTERN PetscErrorCode PsdProblemScoresLoss(PsdProblem problem, PsdData data, const PetscReal scores[],
                                               PetscReal *mean);

/*
   PsdProblemDestroy - Frees a problem, and sets the handle to NULL; NULL is left as it is.

   Collective. Solvers made of the problem must have been destroyed before; data and patches are the caller's.
*/
PSD_EXTERN PetscErrorCode PsdProblemDestroy(PsdProblem *problem);

#endif
