/*
   ADMM for the convex program (docs/mathematics.md, section 2). The names are the page's: Z, U, S, T, W, Sh, rho, beta.

   Index s = 0 is Z, W, U and s = 1 is Z', W', U'. All vectors hold one svec a pair on the pair's owner.
*/
#ifndef PSD_ADMM_PRIVATE_H
#define PSD_ADMM_PRIVATE_H

#include "accelerate.h"
#include "certificate/bounds.h"
#include "cone/cone.h"
#include "network/neurons.h"
#include "penalty.h"
#include "solver/solver.h"
#include "split.h"

#define PSD_CHECK_EVERY 10 /* iterations between checks of the bounds, unless -check_every says otherwise */

/* Of A'A and of the features that it is made of: choose_precision.c. */
typedef enum { PSD_PRECISION_AUTO, PSD_PRECISION_DOUBLE, PSD_PRECISION_MIXED } PsdPrecision;

typedef struct {
  PetscReal relaxation; /* over-relaxation, 1.6 */
  PetscReal rho;        /* initial penalty; 0 = estimated */
  PetscReal sigma;      /* initial penalty of v = A S; 0 = the loss's own */
  PetscInt check_every; /* iterations between checks of the bounds */
  PetscBool screening;  /* leave out blocks that are known to be zero when beta changes */
  PsdPrecision precision;
} PsdAdmmSettings;

/* Sums over pairs: of squares of W - Z, Z - Z_last, W, Z, U, and of the last diagonal entries of W + W'. */
typedef struct {
  PetscReal primal, change, W, Z, U, T4;
} PsdResidualSums;

/* Where the iteration stands. */
typedef struct {
  Vec Z[2], Z_last[2], U[2], X[2]; /* X: what is projected */
  Vec S, Sh;                       /* Sh is P (V - V') */
  PsdResidualSums sums;            /* of the last iteration */
  PsdResidualSums all;             /* the same over all ranks, of the last check */
} PsdVariables;

/* The network that the blocks contain now, and the terms of Z - Z'. */
typedef struct {
  PsdFactors local_factors, factors; /* Z - Z' or the network by their terms: here, and all */
  PsdNeurons neurons;                /* this rank's */
  Vec S;                             /* of the network */
  PetscReal *factor;                 /* work: d x d */
} PsdExtraction;

/* The best network so far. */
typedef struct {
  PsdNeurons neurons; /* this rank's */
  Vec S;
  PetscReal weight;       /* sum of |alpha|, all ranks */
  Vec error;              /* of S, and ... */
  PetscReal weight_error; /* ... of the weight; when it is certified, or was given */
  PetscBool fixed;        /* it was given; only bounds are sought */
} PsdBestNetwork;

/* rho, and what its changes are decided by. */
typedef struct {
  PetscReal rho;
  PsdSpectrum spectrum; /* what h sees of G_P; no steps: rho was given */
  PsdGapParts parts;    /* at the last check */
  PsdPenaltyChanges changes;
} PsdPenaltyState;

struct _p_PsdAdmm {
  PsdSolver solver; /* that this is the state of */
  PsdProblem problem;
  PsdBlocks blocks;
  PsdConsensus consensus;
  PsdCone cone;
  PsdBounds bounds;
  PsdAdmmSettings settings;

  PsdVariables iterate;
  PsdSplitting *split;         /* v and lambda; NULL for the squared loss */
  PsdAccelerator *accelerator; /* of losses that are split; else NULL */
  PetscBool resumes_single;    /* the run that is continued has A'A in single precision, ... */
  PetscBool resumes_double;    /* ... or not */
  PetscInt corrections;        /* of it, at this beta */
  PsdExtraction extracted;
  PsdBestNetwork best;
  PsdPenaltyState penalty;
  char cone_use[128]; /* what PsdSolverGetKernels says of the cone */
};

/* The functions of the type, as the comments at PsdSolverType say: */

/* start.c: from nothing, with the penalty that was given or one that is estimated; from a network; from where it stands */
PetscErrorCode PsdAdmmStart(PsdSolver solver);
PetscErrorCode PsdAdmmSetInitial(PsdSolver solver, PsdNetwork network);
PetscErrorCode PsdAdmmSetBeta(PsdSolver solver, PetscReal beta);
/* iterate.c */
PetscErrorCode PsdAdmmIterate(PsdSolver solver, PetscBool *due);
/* check.c: residuals, extracted network, bounds */
PetscErrorCode PsdAdmmCheck(PsdSolver solver);
/* adapt.c: the penalties */
PetscErrorCode PsdAdmmAdapt(PsdSolver solver);
/* prove.c: what is proved, of the network found or of one that is given */
PetscErrorCode PsdAdmmFixNetwork(PsdSolver solver, PsdNetwork network);
PetscErrorCode PsdAdmmCertify(PsdSolver solver, PsdCertificate *certificate);
/* state.c */
PetscErrorCode PsdAdmmVisitForm(PsdSolver solver, PsdVisitor visitor);
PetscErrorCode PsdAdmmVisitState(PsdSolver solver, PsdVisitor visitor);
PetscErrorCode PsdAdmmResume(PsdSolver solver);
PetscErrorCode PsdAdmmComplete(PsdSolver solver, PetscBool checked);

/* What several of them share: */

/* spectrum.c: what h sees of G_P, by a few Lanczos steps. Collective; before the first factorisation. */
PetscErrorCode PsdSpectrumFind(PsdConsensus consensus, PsdSpectrum *spectrum);

/* adapt.c */
/* PsdAdmmInitialPenalty - rho of the order of beta over the size of Z. Not collective. */
PetscReal PsdAdmmInitialPenalty(PsdAdmm admm, PetscReal beta);
/* PsdAdmmSetPenalty - changes rho, and sigma where the loss is split: rescales U and lambda; factorises anew unless their
   ratio stays. Collective. */
PetscErrorCode PsdAdmmSetPenalty(PsdAdmm admm, PetscReal rho, PetscReal sigma);

/* PsdAdmmScreen - finds the pairs of blocks that are zero for the problem's beta now, and has the projection leave them so, until
   it is called again; their number. Needs bounds for this beta; nothing is screened before the first certificate, without A'A or
   with a loss that is split. Collective. */
PetscErrorCode PsdAdmmScreen(PsdAdmm admm, PetscInt *screened);

/* check.c */
/* PsdAdmmSum - adds the sums of the last iteration to a tally, whose reduction gives what the penalties are adapted by.
   Not collective. */
PetscErrorCode PsdAdmmSum(PsdAdmm admm, PsdTally *tally);

#endif
