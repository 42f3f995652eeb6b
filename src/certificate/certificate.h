/*
   Primal and dual bounds (docs/mathematics.md, section 3).

   Two levels. PsdBounds follows the solver: it asks the consensus for residuals, costs a product with its matrix, and says
   when to stop and which dual candidate was best. PsdCertify then proves: from the samples, with rounding on the safe side.
*/
#ifndef PSD_CERTIFICATE_PRIVATE_H
#define PSD_CERTIFICATE_PRIVATE_H

#include <psdcertificate.h>
#include "base/visitor.h"
#include "consensus/consensus.h"
#include "problem/problem.h"

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

/* A dual candidate: builds M = A'nu and, for the squared loss, w and the residual of nu = Y - A w, for others nu itself, in the
   bounds. Those that correct nu solve with A'A. */
typedef struct {
  const char *name;
  int group; /* PsdCandidateGroup */
  PetscBool solves;
  PetscBool of_split; /* for losses that are split, or for the squared loss */
  PetscErrorCode (*build)(PsdBounds, const PsdIterate *);
} PsdCandidateOps;

struct _p_PsdBounds {
  PsdProblem problem;
  PsdConsensus consensus;
  Vec w, M;                     /* of the candidate at hand */
  PsdResidual residual;         /* its <nu,Y> and ||nu||^2 */
  Vec M_network;                /* A'(Y - A S) of the network, ... */
  PsdResidual network_residual; /* ... and the same of it */
  Vec work;
  PetscReal *nu,
      *nu_network; /* a loss that is split: of the candidate at hand, and -L'(A S) of the network; these and best_nu have C
                                 numbers for each representative sample */
  PsdDualSource best_source; /* of the best bound so far: one of the next two */
  Vec best_w;
  PetscReal *best_nu;        /* where the loss is split or the consensus works with the samples, else NULL */
  PetscReal primal;          /* of the network at hand */
  PetscReal best;            /* largest dual value so far */
  PsdResidual best_residual; /* of that point: <nu,Y> and ||nu||^2, ... */
  PetscReal best_polar;      /* ... and R*(A'nu) */
  const char *best_name;
};

PetscErrorCode PsdBoundsCreate(PsdProblem problem, PsdConsensus consensus, PsdBounds *bounds);
/* PsdBoundsSetBeta - the best dual point so far, for the problem's beta now. Collective. */
PetscErrorCode PsdBoundsSetBeta(PsdBounds bounds);
/* PsdBoundsPrimal - L + beta sum |alpha| of the network in `iterate`; gradient: keep its A'nu as well. Collective. */
PetscErrorCode PsdBoundsPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient);
/* PsdBoundsDual - tries a group of candidates; best, best_w and best_name are of the best ever tried. Those of the network
   need its gradient, so PsdBoundsPrimal first. Collective. */
typedef enum { PSD_CANDIDATES_SOLVER, PSD_CANDIDATES_NETWORK } PsdCandidateGroup;
PetscErrorCode PsdBoundsDual(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group);
/* PsdBoundsVisit - the best dual point and what is known of it, in a file that a run is continued from. Collective. */
PetscErrorCode PsdBoundsVisit(PsdBounds bounds, PsdVisitor visitor);
PetscErrorCode PsdBoundsDestroy(PsdBounds *bounds);

/* ---------------------------------------------------------------- the dual function along a ray: ray.c */

typedef struct {
  PsdProblem problem;
  PetscReal linear, quadratic; /* <nu,Y> and ||nu||^2: all there is to know of the squared loss */
  const PetscReal *nu;         /* other losses: C numbers a sample, in the domain; NULL: squared loss */
  PsdRepresentatives samples;  /* those that nu is of */
} PsdDualRay;

/* PsdDualAlongRay - the largest value of -L*(-s nu) over 0 <= s <= limit, or near it; at least 0. rounding: a bound of what
   rounding did to it. Collective. */
PetscErrorCode PsdDualAlongRay(const PsdDualRay *ray, PetscReal limit, PetscReal *value, PetscReal *rounding);
/* The largest value of s linear - s^2 quadratic/2 over 0 <= s <= limit. */
PetscReal PsdParabolaAlongRay(PetscReal linear, PetscReal quadratic, PetscReal limit);

/* ---------------------------------------------------------------- candidates of losses that are split: candidates_split.c */

/* PsdBoundsSplitPrimal - the loss of the network in `iterate`; gradient: keeps nu_network and M_network as well. Collective. */
PetscErrorCode PsdBoundsSplitPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PetscReal *loss);
PetscErrorCode PsdBoundsBuildProx(PsdBounds bounds, const PsdIterate *iterate);
PetscErrorCode PsdBoundsBuildStep(PsdBounds bounds, const PsdIterate *iterate);
PetscErrorCode PsdBoundsBuildSlope(PsdBounds bounds, const PsdIterate *iterate);

/*
   PsdCertify - primal of the network whose matrix is S and whose sum of |alpha| is weight; best bound of the dual points
   sources[0..count-1]; from the samples.

   Collective. The bound is lowered by what rounding can have done to it and to the primal.
*/
PetscErrorCode PsdCertify(PsdProblem problem, Vec S, PetscReal weight, PetscInt count, const PsdDualSource sources[],
                          PsdCertificate *certificate);

#endif
