/*
   The convex program (docs/mathematics.md, section 1): min L(A S) + beta R(S), as the solver and the certificate see
   it.

   A is the n x D matrix of lifted features, sharded by rows over the ranks. It is kept as A P: the component along J is
   removed from every feature, because <Phi, S> is asked only of S with <J,S> = 0 and R* does not see J either. So
   A'A and A'Y below are P A'A P and P A'Y, and everything made of them lies in the range of P by itself.
*/
#ifndef PSD_PROBLEM_PRIVATE_H
#define PSD_PROBLEM_PRIVATE_H

#include <psdproblem.h>
#include <petscvec.h>
#include "cone/blocks.h"
#include "cone/polar.h"
#include "features.h"
#include "losses/weighted.h"
#include "products.h"
#include "rows.h"
#include "units.h"

/* The samples that a loss that is split is followed by: all of them, or, where mirror images are folded, the images,
   each of which stands for its mirror image as well. Their scores are the same, and so are v, lambda and every dual
   point of the solver. */
typedef struct {
  PetscInt n_local, copies; /* here; samples that each stands for */
  PetscReal *Y;             /* targets, n_local x C row-major; the problem's own where copies is 1 */
  const PetscReal *weights; /* of each here; NULL: all are 1 */
} PsdRepresentatives;

/* What the user has asked for, in the user's units. */
typedef struct {
  PetscReal activation[3];
  PetscReal loss_parameter;       /* 0: the loss has none */
  PetscReal beta;                 /* 0: not */
  PetscReal beta_rel, beta_noise; /* 0: not */
} PsdProblemRequest;

struct _p_PsdProblem {
  MPI_Comm comm;
  char *prefix; /* of its options; NULL: none */
  PsdData data;
  PsdPatches patches;
  PsdBlocks blocks;
  PsdFeatures features; /* what the samples are kept as: lifted features, ... */
  PsdRows rows;         /* ... or, when not NULL, patches */
  PsdSymmetry symmetry; /* of samples that are images and mirror images, when lifted; else NULL */
  PsdFeatures folded;   /* what A'A is made of and the products are with: features themselves, or their folded form */
  PetscInt order;       /* of A'A: D, or that of the symmetry */
  PsdPolars polars;
  PsdLoss loss;
  PsdProducts products; /* of a loss that is split; NULL otherwise */
  PsdProblemRequest request;
  PsdUnits units; /* of all numbers below */
  PetscReal activation[3];
  PetscReal beta, beta_max;
  PetscReal beta_asked; /* what was asked for; beta is another one on a path */
  PetscReal memory;     /* MB a rank for lifted features */
  PetscInt n, n_local;
  PetscInt outputs;                   /* real targets of a sample; 0: targets are +1/-1, of its class */
  PetscReal *Y;                       /* targets, at most 1, n_local x C row-major */
  const PetscReal *weights;           /* n_local, the data set's; NULL: all samples of all ranks have the weight 1 */
  PetscReal *own_weights;             /* those of the representatives where they are fewer */
  PetscReal weight_sum, weight_most;  /* of all samples */
  PetscReal YY;                       /* sum of squares of all targets, with weights */
  PetscReal deviation;                /* sum of squares of real targets, each less the mean of its output */
  PsdRepresentatives representatives; /* of the squared loss all samples */
  PetscReal *nu0;         /* -L'(0) of the representative samples, without weights; Y itself for the squared loss */
  PetscReal *region_norm; /* G: ||W^1/2 A_g||_F, rounded up; NULL before the first pass over the samples */
  PetscReal loss_at_zero; /* L(0), the objective of the network without neurons */
  Vec h;                  /* P A'nu0, as C columns of D; NULL before PsdProblemCreateGradient */
  PetscReal *signs;       /* random ones in the place of nu0, see targets.c; NULL from A'A on */
  Vec h_random;           /* P A' signs; NULL once beta is found */
  PetscBool single;     /* A'A is made of rounded features, in single precision: it is not quite that of the samples */
  float *gram_work;     /* of it, as long as it is made */
  PetscReal *gram_rows; /* a chunk of rows with weights, as long as A'A is made */
  PetscReal *gram;      /* this rank's part of P A'A P, upper triangle, order x order; NULL once handed on */
};

/* PsdProblemTakeBeta - a weight of the user's becomes the problem's. Errors (PSD_ERR_INPUT): it is out of range in the
   problem's units. Not collective, alike on all ranks; after PsdProblemSetUp. */
PetscErrorCode PsdProblemTakeBeta(PsdProblem problem, PetscReal beta);

/* PsdProblemCreateGradient - makes room for h and h_random, of a solver that holds vectors of C columns of D; what else
   it has of this form is a duplicate of h. A second time does nothing. Collective; after PsdProblemSetUp. */
PetscErrorCode PsdProblemCreateGradient(PsdProblem problem);

/* PsdProblemSetSingle - has A'A made in single precision, and lifted features kept in it; before the samples are lifted.
   PsdProblemLeaveSingle - what was made so is given up, to be made anew in double precision. Not collective. */
PetscErrorCode PsdProblemSetSingle(PsdProblem problem);
PetscErrorCode PsdProblemLeaveSingle(PsdProblem problem);

#endif
