/*
   One pass over the samples for the certificate (docs/mathematics.md, section 3): the predictions A S and their loss,
   and for each dual point nu, in the domain of the dual function, A'nu, with bounds of what rounding has done to
   either.
*/
#ifndef PSD_DUAL_POINT_PRIVATE_H
#define PSD_DUAL_POINT_PRIVATE_H

#include "problem.h"

/* What the pass is told of a network, ... */
typedef struct {
  Vec S;                  /* C columns of D, as its neurons were added up, ... */
  Vec error;              /* ... and one number a pair: a bound of || S_gt - that of the network ||_F */
  PetscReal weight;       /* sum of |alpha|, ... */
  PetscReal weight_error; /* ... and a bound of its error */
} PsdNetworkMatrix;

/* ... what it finds for the predictions A S, ... */
typedef struct {
  PetscReal loss, rounding; /* the loss, and a bound of its error */
  PetscReal accuracy;       /* 0..1, or R2 of real targets, at most 1 */
  PetscReal feature_error;  /* bound of the error of all features, relative to their size */
} PsdPrimalPoint;

/* ... and for one dual point W nu: nu is what a sample of weight 1 has, W the samples' weights (losses/weighted.h). The squared loss needs two sums to know the dual function on the ray of nu, losses
   that are split nu itself. */
typedef struct {
  PetscReal linear, quadratic;             /* <W nu,Y> and <W nu,nu>, ... */
  PetscReal linear_error, quadratic_error; /* ... and bounds of their errors */
  PetscReal *nu;                           /* n_local x C row-major, in the dual function's domain; NULL: not kept */
  Vec gradient;                            /* P A'W nu */
  Vec rounding; /* one number a pair: a bound of ||error of smat(A'nu)_gt||_F (see dual_point.c) */
} PsdDualPoint;

/* How a dual point is given: nu = -L'(A w), or, where w is NULL, nu itself, of this rank's representative samples, or of
   each of its samples, x C row-major. gradient: becomes A'W nu of a certificate; NULL: not wanted. */
typedef struct {
  Vec w;
  const PetscReal *nu;
  PetscBool each;
  Vec gradient;
} PsdDualSource;

/*
   PsdProblemEvaluate - the network's predictions A S and the dual points of `sources`, from the samples themselves
   rather than from A'A.

   Collective. S, w: C columns of D, distributed over pairs. points[k]: made by PsdDualPointCreate.
*/
PetscErrorCode PsdProblemEvaluate(PsdProblem problem, const PsdNetworkMatrix *network, PetscInt count,
                                  const PsdDualSource sources[], PsdPrimalPoint *primal, PsdDualPoint points[]);
/* PsdDualPointCreate - keep: nu as well; it is kept in any case for a loss that is split. Collective. */
PetscErrorCode PsdDualPointCreate(PsdProblem problem, PetscBool keep, PsdDualPoint *point);
PetscErrorCode PsdDualPointDestroy(PsdDualPoint *point);

/* R*(A'nu) over all pairs: of A'nu as computed; an upper bound, with |[u;1]' E [u;1]| <= 2 ||E||_F of the error E
   added to each pair's; and the largest such addition. */
typedef struct {
  PetscReal computed, bound, hidden;
} PsdPointPolar;

/* PsdDualPointPolar - all three by one evaluation of each pair. Collective. */
PetscErrorCode PsdDualPointPolar(PsdProblem problem, const PsdDualPoint *point, PsdPointPolar *polar);

#endif
