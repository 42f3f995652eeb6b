/*
   The splitting v = A S of every loss but the squared one (docs/mathematics.md, section 2, "Any other convex loss").

   v and its scaled dual variable lambda live with the samples, as does the prox: arrays are C numbers for each of this rank's
   representative samples (problem.h, PsdRepresentatives), row-major. All that is summed over ranks is A'(v - lambda), which takes the place of
   A'Y in the consensus step.
*/
#ifndef PSD_ADMM_SPLIT_H
#define PSD_ADMM_SPLIT_H

#include "base/visitor.h"
#include "problem/problem.h"

/* Sums of squares over representative samples. */
typedef struct {
  PetscReal fit, v, lambda; /* fit: of A S */
} PsdSplittingSums;

typedef struct {
  /* what a checkpoint has to keep: */
  PetscReal sigma; /* penalty of v = A S */
  PetscReal *v, *lambda;
  /* what follows from it, or from the iteration: */
  PetscReal *mean; /* D: what all classes have in common, where the loss ignores it; else NULL */
  Vec pull;        /* what S is fitted to: A'(v - lambda), and more where the consensus has another A'A; see split.c */
  Vec A_v, A_lambda;          /* A'v and A'lambda, each by itself */
  Vec M_prox;                 /* A' nu_prox */
  Vec change;                 /* work: A'(v - lambda - A S) */
  PetscReal *nu_step;         /* sigma (v - lambda - A S) of the consensus step, whose dual point it is */
  PetscReal *nu_prox;         /* -sigma lambda, the dual point of the prox, when asked for; else work */
  PsdSplittingSums sums, all; /* of the last step; over all ranks, of the last check */
  PetscReal relaxation;       /* of the pass at hand */
  PsdProblem problem;
} PsdSplitting;

/* PsdSplittingCreate - v = 0, and nu = -sigma lambda on the ray of -L'(0), as far as it is feasible. Collective. */
PetscErrorCode PsdSplittingCreate(PsdProblem problem, PetscReal sigma, PsdSplitting **split);
PetscErrorCode PsdSplittingDestroy(PsdSplitting **split);

/* PsdSplittingFreeMean - where the loss ignores what all classes have in common, S has the mean of Sh over the classes, as no
   sample has a say in it: the second half of the consensus step. Collective. */
PetscErrorCode PsdSplittingFreeMean(PsdSplitting *split, Vec Sh, Vec S);
/*
   PsdSplittingStep - v and lambda of the consensus step's S, and A'(v - lambda) for the next one:

     v = prox_{L/sigma}(relaxed A S + lambda),   lambda <- lambda + relaxed A S - v,   relaxed A S = alpha A S + (1 - alpha) v_last

   S solves the consensus step for Sh and shift. Collective; one pass over the samples.
*/
PetscErrorCode PsdSplittingStep(PsdSplitting *split, Vec S, Vec Sh, PetscReal shift, PetscReal relaxation);
/* PsdSplittingRestart - v = A S and lambda = L'(v)/sigma. Collective. */
PetscErrorCode PsdSplittingRestart(PsdSplitting *split, Vec S);
/* PsdSplittingPlace - v = prox(q) and lambda = q - v; q: C numbers for each representative sample, may be nu_step. Collective; two halves of
   a pass over the samples. */
PetscErrorCode PsdSplittingPlace(PsdSplitting *split, const PetscReal q[]);
/* PsdSplittingSetPenalty - another sigma: lambda is rescaled. Collective. */
PetscErrorCode PsdSplittingSetPenalty(PsdSplitting *split, PetscReal sigma);
/* PsdSplittingSizes - sigma ||lambda||, and the larger of ||v|| and ||A S||, of the last check. Not collective. */
void PsdSplittingSizes(const PsdSplitting *split, PetscReal *multipliers, PetscReal *variables);
/* PsdSplittingDualPoint - makes nu_prox and M_prox. Collective. */
PetscErrorCode PsdSplittingDualPoint(PsdSplitting *split);
/* PsdSplittingVisit - what a checkpoint has of it. Collective. */
PetscErrorCode PsdSplittingVisit(PsdSplitting *split, PsdVisitor visitor);

#endif
