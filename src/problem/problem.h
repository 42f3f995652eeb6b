/*
   The convex program (docs/mathematics.md, section 1): min L(A S) + beta R(S), as the solver and the certificate see it.

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
#include "losses/losses.h"

/* ---------------------------------------------------------------- features: features.c

   This rank's rows of A P in chunks: kept when they fit the memory stated, made again from the images when they do not. */

typedef struct _p_PsdFeatures *PsdFeatures;

/* memory: bytes this rank may use for them. activation: a, b, c. Not collective. */
PetscErrorCode PsdFeaturesCreate(PsdData data, PsdPatches patches, const PetscReal activation[3], size_t memory,
                                 PsdFeatures *features);
/* PsdFeaturesSetUp - computes the transform of the patches when one is wanted, and lifts all images that can be kept.
   Collective. */
PetscErrorCode PsdFeaturesSetUp(PsdFeatures features);
/* PsdFeaturesGatherStatistics - the transform alone, for those who need no lifted features. Collective. */
PetscErrorCode PsdFeaturesGatherStatistics(PsdFeatures features);
/* PsdFeaturesSetSymmetry - streams rows that mirror images share the making of; fold: one row for both, see symmetry.h, kept when
   those fit the memory. Before SetUp; needs data with mirror images. Not collective. */
struct _p_PsdSymmetry;
PetscErrorCode PsdFeaturesSetSymmetry(PsdFeatures features, struct _p_PsdSymmetry *symmetry, PetscBool fold);
PetscInt PsdFeaturesLength(PsdFeatures features);        /* of a row */
PetscInt PsdFeaturesSamplesPerRow(PsdFeatures features); /* 2 when folded, else 1 */
PetscBool PsdFeaturesAreKept(PsdFeatures features);      /* here */
PetscInt PsdFeaturesCountChunks(PsdFeatures features);
PetscInt PsdFeaturesChunkRows(PsdFeatures features); /* at most */
/* Chunk k: rows of this rank's samples from `first` on, row i of it at phi + i ld. Borrowed until the next call. Not
   collective. */
PetscErrorCode PsdFeaturesGetChunk(PsdFeatures features, PetscInt k, PetscInt *first, PetscInt *rows,
                                   const PetscReal *phi[], PetscInt *ld);
PetscErrorCode PsdFeaturesDestroy(PsdFeatures *features);

/* ---------------------------------------------------------------- products with A: products.c

   One pass over this rank's rows of A P with C columns: A x, something made of it row by row, and A' of that. Rows go through
   in tiles that stay in cache between the two products.

   Of folded features a row is an image and its mirror image: x enters as Q Q'x, so that both have the same A x, and are given the
   same coefficients. Samples are counted as PsdRepresentatives counts them, below. */

typedef struct _p_PsdProducts *PsdProducts;

/* yhat: A x for `rows` samples from `first` on, rows x C row-major, or NULL; may be overwritten. coefficients: to be filled when
   A' is wanted, room for rows x C in any case. */
typedef PetscErrorCode (*PsdRowWork)(void *context, PetscInt first, PetscInt rows, PetscReal yhat[],
                                     PetscReal coefficients[]);

/* symmetry: of features that are folded, else NULL; borrowed. Collective. */
PetscErrorCode PsdProductsCreate(PsdFeatures features, struct _p_PsdSymmetry *symmetry, PsdBlocks blocks,
                                 PsdProducts *products);
/* PsdProductsPass - x, y: C columns of D over the owners of pairs; y = A' coefficients. NULL: not wanted. Collective. */
PetscErrorCode PsdProductsPass(PsdProducts products, Vec x, Vec y, PsdRowWork work, void *context);
/* PsdProductsAdjoint - y = A' nu, nu representative samples x C row-major. Collective. */
PetscErrorCode PsdProductsAdjoint(PsdProducts products, const PetscReal nu[], Vec y);
PetscErrorCode PsdProductsDestroy(PsdProducts *products);

/* ---------------------------------------------------------------- the program: problem.c, beta.c, gram.c, evaluate.c */

/* The samples that a loss that is split is followed by: all of them, or, where mirror images are folded, the images, each of which
   stands for its mirror image as well. Their scores are the same, and so are v, lambda and every dual point of the solver. */
typedef struct {
  PetscInt n_local, copies; /* here; samples that each stands for */
  PetscReal *Y;             /* targets, n_local x C row-major; the problem's own where copies is 1 */
} PsdRepresentatives;

struct _p_PsdProblem {
  MPI_Comm comm;
  PsdData data;
  PsdPatches patches;
  PsdBlocks blocks;
  PsdFeatures features;            /* what the samples are kept as: lifted features, ... */
  struct _p_PsdRows *rows;         /* ... or, when not NULL, patches */
  struct _p_PsdSymmetry *symmetry; /* of samples that are images and mirror images, when lifted; else NULL */
  PsdFeatures folded; /* what A'A is made of and the products are with: features themselves, or their folded form */
  PetscInt order;     /* of A'A: D, or that of the symmetry */
  PsdPolar polar;
  PsdLoss loss;
  PsdProducts products; /* of a loss that is split; NULL otherwise */
  PetscReal activation[3];
  PetscReal beta, beta_max;
  PetscReal beta_rel, beta_noise; /* as asked for; 0: not */
  PetscReal beta_asked;           /* what it comes to; beta is another one on a path */
  PetscReal memory;               /* MB a rank for lifted features */
  PetscInt n, n_local;
  PetscReal *Y;                       /* targets +1/-1, n_local x C row-major */
  PetscReal YY;                       /* sum of squares of all targets */
  PsdRepresentatives representatives; /* of the squared loss all samples */
  PetscReal *nu0;                     /* -L'(0) of the representative samples; Y itself for the squared loss */
  PetscReal *region_norm;             /* G: ||A_g||_F, rounded up; NULL before the first pass over the samples */
  PetscReal loss_at_zero;             /* L(0), the objective of the network without neurons */
  Vec h;                              /* P A'nu0, as C columns of D */
  PetscReal *signs;                   /* random ones in the place of nu0, see beta.c; NULL from A'A on */
  Vec h_random;                       /* P A' signs; NULL once beta is found */
  PetscReal *gram; /* this rank's part of P A'A P, upper triangle, order x order; NULL once handed on */
};

/* PsdProblemIsSymmetric - whether the samples, once lifted, will be folded: images and mirror images, and patches that are their
   own mirror image. Not collective. */
PetscErrorCode PsdProblemIsSymmetric(PsdProblem problem, PetscBool *symmetric);

/* PsdProblemFold - settles the order of A'A: gathers the statistics of the patches where they are wanted, and folds mirror images.
   Collective; a second time does nothing. */
PetscErrorCode PsdProblemFold(PsdProblem problem);

/* PsdProblemLift, PsdProblemKeepPatches - the two forms samples are kept in; one of them, before anything that asks for the
   samples. Lifting a second time does nothing. Collective. */
PetscErrorCode PsdProblemLift(PsdProblem problem);
PetscErrorCode PsdProblemKeepPatches(PsdProblem problem);

/* PsdProblemDrawSigns - random signs for images and columns, the same on any number of ranks, and for an image and its mirror image.
   Not collective. */
PetscErrorCode PsdProblemDrawSigns(PsdProblem problem);

/* PsdProblemFindBeta - beta_max from h, and beta when it was asked for as a fraction of it; beta_max = 0 when all of h is within
   rounding, and then the least beta for which that can be proved. trace: of P A'A P. Collective. */
PetscErrorCode PsdProblemFindBeta(PsdProblem problem, PetscReal trace);

/* PsdProblemComputeGram - this rank's part of A'A, and h. Collective. */
PetscErrorCode PsdProblemComputeGram(PsdProblem problem);

/* PsdProblemAccumulateColumns - A'A directly into a block-cyclic distribution: this rank's columns (ascending global numbers
   column[0..columns-1]) of the sum over all ranks' samples, and h. No rank holds it all. matrix: order x columns, zero on
   entry, lower triangle used. Collective. */
PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, PetscInt columns, const PetscInt column[],
                                           PetscReal *matrix);

/* PsdProblemTakeGram - hands on this rank's part of A'A; the caller frees it. Not collective. */
PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[]);

/* What one pass over the samples (PsdProblemEvaluate) finds for the predictions A S, ... */
typedef struct {
  PetscReal loss, rounding; /* the loss, and a bound of its rounding error */
  PetscReal accuracy;       /* 0..1 */
} PsdPrimalPoint;

/* ... and for one dual point nu. The squared loss needs two sums to know the dual function on the ray of nu, others nu itself. */
typedef struct {
  PetscReal linear, quadratic; /* <nu,Y> and ||nu||^2 */
  PetscReal *nu;               /* n_local x C row-major, in the dual function's domain; NULL for the squared loss */
  Vec gradient;                /* P A'nu */
  Vec rounding;                /* one number a pair: a bound of ||error of smat(A'nu)_gt||_F (see evaluate.c) */
} PsdDualPoint;

/* How a dual point is given: nu = -L'(A w), or, where w is NULL, nu itself, of this rank's representative samples x C row-major. */
typedef struct {
  Vec w;
  const PetscReal *nu;
} PsdDualSource;

/*
   PsdProblemEvaluate - the predictions A S and the dual points of `sources`, from the samples themselves rather than from A'A.

   Collective. S, w: C columns of D, distributed over pairs. points[k]: made by PsdDualPointCreate.
*/
PetscErrorCode PsdProblemEvaluate(PsdProblem problem, Vec S, PetscInt count, const PsdDualSource sources[],
                                  PsdPrimalPoint *primal, PsdDualPoint points[]);
PetscErrorCode PsdDualPointCreate(PsdProblem problem, PsdDualPoint *point);
PetscErrorCode PsdDualPointDestroy(PsdDualPoint *point);

/* PsdDualPointPolar - an upper bound of R*(A'nu), over all pairs: |[u;1]' E [u;1]| <= 2 ||E||_F of the error E is added to what was
   found. hidden, or NULL: the largest such addition. Collective. */
PetscErrorCode PsdDualPointPolar(PsdProblem problem, const PsdDualPoint *point, PetscReal *value, PetscReal *hidden);

#endif
