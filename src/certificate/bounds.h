/*
   Primal and dual bounds that follow the solver (docs/mathematics.md, section 3): they ask the consensus for
   residuals, cost a product with its matrix, and say when to stop and which dual candidate was best. PsdCertify
   (certificate.h) then proves.
*/
#ifndef PSD_BOUNDS_PRIVATE_H
#define PSD_BOUNDS_PRIVATE_H

#include "base/tally.h"
#include "base/visitor.h"
#include "consensus/consensus.h"
#include "problem/dual_point.h"

/* Where the solver stands; what dual candidates are made of. All C columns of D over the owners of pairs. */
typedef struct {
  Vec S, Sh; /* the consensus step's solution and what it was pulled towards, both in range(P) */
  Vec U[2];  /* scaled dual variables */
  PetscReal rho;
  Vec network;               /* S of the extracted network */
  const PsdFactors *factors; /* the same by its neurons, all on every rank; NULL: not at hand */
  PetscReal weight;          /* its sum of |alpha| */
  /* A loss that is split: the dual points of its two steps, C numbers for each representative sample. */
  const PetscReal *nu_prox; /* of v's: in the domain but for rounding; ... */
  Vec M_prox;               /* ... its A'nu */
  const PetscReal *nu_step; /* of the consensus step's; its A'nu is rho/2 (S - Sh) */
} PsdIterate;

typedef struct _p_PsdBounds *PsdBounds;

/* What a candidate is made of: where the solver stands, or the network that was extracted. */
typedef enum { PSD_CANDIDATES_SOLVER, PSD_CANDIDATES_NETWORK } PsdCandidateGroup;

/* A dual candidate: builds M = A'nu and, for the squared loss, w and the residual of nu = Y - A w, for others nu
   itself, in the bounds. */
typedef struct {
  const char *name;
  PsdCandidateGroup group;
  PetscBool solves;   /* with A'A: left out where the consensus cannot */
  PetscBool of_split; /* for losses that are split; else for those that are not */
  PetscErrorCode (*build)(PsdBounds, const PsdIterate *);
} PsdCandidateOps;

/* A candidate that was built, and what its dual value is made of: this rank's part, and after a reduction all of it. */
typedef struct {
  const PsdCandidateOps *candidate;
  Vec w; /* borrowed */
  PsdResidual residual;
  PetscReal polar;   /* R*(A'nu) */
  PetscReal product; /* <A'nu, S> */
} PsdTrial;

#define PSD_MOST_TRIALS 2 /* candidates of a group */

/* The solver's dual point that had the best value when they were tried last. */
typedef struct {
  PetscReal value;      /* of s nu, which is feasible */
  PetscReal infeasible; /* of nu itself */
  PetscReal product;    /* <A'nu, S> */
} PsdDualAtHand;

struct _p_PsdBounds {
  PsdProblem problem;
  PsdConsensus consensus;
  Vec w, M;             /* of the candidate at hand, ... */
  Vec point;            /* ... which may have its w elsewhere; borrowed */
  PsdResidual residual; /* its <nu,Y> and ||nu||^2, this rank's part */
  PetscInt trials;
  PsdTrial trial[PSD_MOST_TRIALS];
  Vec M_network;            /* A'(Y - A S) of the network, ... */
  PsdResidual network_part; /* ... and the same of it, this rank's part */
  PetscReal network_loss;
  Vec work;
  /* A loss that is split: C numbers for each representative sample, as in best_nu. */
  PetscReal *nu;             /* of the candidate at hand */
  PetscReal *nu_network;     /* -L'(A S) of the network */
  PsdDualSource best_source; /* of the best bound so far: one of the next two */
  Vec best_w;
  PetscReal *best_nu;        /* where the loss is split or the consensus works with the samples, else NULL */
  PetscReal primal;          /* of the network at hand */
  PetscReal best;            /* largest dual value so far */
  PsdResidual best_residual; /* of that point: <nu,Y> and ||nu||^2, ... */
  PetscReal best_polar;      /* ... and R*(A'nu) */
  const char *best_name;
  PsdDualAtHand at_hand;
};

PetscErrorCode PsdBoundsCreate(PsdProblem problem, PsdConsensus consensus, PsdBounds *bounds);
/* PsdBoundsSetBeta - the best dual point so far, for the problem's beta now. Collective. */
PetscErrorCode PsdBoundsSetBeta(PsdBounds bounds);
/*
   Both bounds in two halves, between which the tally is reduced, so that they share one reduction with whatever else the
   caller has to add up. All are collective.

   PsdBoundsPrimalBegin, PsdBoundsPrimalEnd - L + beta sum |alpha| of the network in `iterate`, whose weight the second
   half reads; gradient: keep its A'nu as well.
   PsdBoundsDualBegin, PsdBoundsDualEnd - a group of candidates; best, best_w and best_name are of the best ever tried.
   Those of the network need its gradient, so PsdBoundsPrimalBegin first. Candidates of losses that are split have to be
   pulled into the domain before anything can be summed: all is done in the second half.
*/
PetscErrorCode PsdBoundsPrimalBegin(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PsdTally *tally);
void PsdBoundsPrimalEnd(PsdBounds bounds, const PsdIterate *iterate);
PetscErrorCode PsdBoundsDualBegin(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group,
                                  PsdTally *tally);
PetscErrorCode PsdBoundsDualEnd(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group);
/* PsdBoundsVisit - the best dual point and what is known of it, in a file that a run is continued from. Collective. */
PetscErrorCode PsdBoundsVisit(PsdBounds bounds, PsdVisitor visitor);
PetscErrorCode PsdBoundsDestroy(PsdBounds *bounds);

/* ---------------------------------------------------------------- candidates of losses that are split:
   candidates_split.c */

/* PsdBoundsSplitPrimal - this rank's part of the loss of the network in `iterate`; gradient: keeps nu_network and
   M_network as well. Collective. */
PetscErrorCode PsdBoundsSplitPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PetscReal *loss);
PetscErrorCode PsdBoundsBuildProx(PsdBounds bounds, const PsdIterate *iterate);
PetscErrorCode PsdBoundsBuildStep(PsdBounds bounds, const PsdIterate *iterate);
PetscErrorCode PsdBoundsBuildSlope(PsdBounds bounds, const PsdIterate *iterate);

#endif
