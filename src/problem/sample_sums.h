/*
   What the certificate sums over the samples: the loss of predictions with a bound of what their errors do to it, and of a
   dual point <nu,Y> and ||nu||^2 (docs/mathematics.md, section 6). A sample is added, ranks are added up, and the end is a
   PsdPrimalPoint or the numbers of a PsdDualPoint.
*/
#ifndef PSD_SAMPLE_SUMS_PRIVATE_H
#define PSD_SAMPLE_SUMS_PRIVATE_H

#include "base/rounding.h"
#include "dual_point.h"

/* What is known of a sample's features: G numbers each. */
typedef struct {
  const PetscReal *norm, *error; /* bounds of ||Phi_ig|| as computed, and of its error */
  PetscReal weight;
} PsdSampleFeatures;

/* What is known of a network's matrix: C x G numbers each, and how predictions are made of it. */
typedef struct {
  const PetscReal *S_norm, *S_error; /* ||S_gt||, and a bound of its error */
  PetscReal forward;                 /* relative error of the products, see PsdRoundings */
} PsdMatrixBounds;

/* This rank's part of what is summed of predictions, ... */
typedef struct {
  PsdPairSum loss;
  PetscReal change;           /* a bound of what the errors of predictions do to it */
  PetscReal correct;          /* samples whose largest score is that of their class; of real targets ... */
  PetscReal residual;         /* ... the sum of squared residuals */
  PetscReal features, errors; /* sums of squares of ||Phi_ig|| and of the bounds of their errors */
} PsdPredictionSums;

/* ... and of a dual point. */
typedef struct {
  PsdPairSum linear, quadratic; /* <W nu,Y> and <W nu,nu> */
  PetscReal size;               /* sum of w |nu|, as |Y| <= 1 */
} PsdPointSums;

/* PsdPredictionSumsAdd - a sample's C scores. delta: work space, C. Not collective. */
void PsdPredictionSumsAdd(PsdPredictionSums *sums, PsdProblem problem, const PsdMatrixBounds *bounds,
                          const PetscReal yhat[], const PetscReal y[], const PsdSampleFeatures *sample,
                          PetscReal delta[]);
/* PsdPredictionSumsFinish - over all ranks. Collective. */
PetscErrorCode PsdPredictionSumsFinish(PsdPredictionSums *sums, PsdProblem problem, PsdPrimalPoint *primal);

/* PsdPointSumsAdd - a sample's C numbers, without its weight. Not collective. */
void PsdPointSumsAdd(PsdPointSums *sums, PetscInt C, PetscReal weight, const PetscReal nu[], const PetscReal y[]);
/* PsdPointSumsFinish - linear and quadratic of the point, and their errors. Collective. */
PetscErrorCode PsdPointSumsFinish(PsdPointSums *sums, PsdProblem problem, PsdDualPoint *point);

/* PsdDomainRoundings - that nu of a split loss is in the domain but for rounding, and is scaled (softmax.c), and the product with the sample's weight, change
   each of its numbers by this number of roundings. Not collective. */
PetscReal PsdDomainRoundings(PsdProblem problem);

#endif
