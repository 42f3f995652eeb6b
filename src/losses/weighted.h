/*
   Losses of samples that have weights (docs/mathematics.md, section 1, "Weights of images"): a sample of weight w counts
   as w samples do, so that what is summed over samples has w as a factor and everything else is the loss's own, eta =
   nu/w standing in the place of nu. weights: one number a sample, above 0; NULL: all are 1, and nothing is done.
*/
#ifndef PSD_WEIGHTED_PRIVATE_H
#define PSD_WEIGHTED_PRIVATE_H

#include "losses.h"

static inline PetscReal PsdWeightOf(const PetscReal weights[], PetscInt i)
{
  return weights ? weights[i] : 1;
}

/* What belongs to the samples from number `first` on. */
static inline const PetscReal *PsdWeightsFrom(const PetscReal weights[], PetscInt first)
{
  return weights ? weights + first : NULL;
}

/* PsdWeightedValue - sum of w L(yhat). PsdWeightedDual - sum of w (-L*(-s eta)), -infinity outside the domain; to *size is
   added what PsdLossOps.dual says, times w. */
PetscReal PsdWeightedValue(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal weights[],
                           const PetscReal yhat[], const PetscReal y[]);
PetscReal PsdWeightedDual(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal s, const PetscReal weights[],
                          const PetscReal eta[], const PetscReal y[], PetscReal *size);
/* PsdWeightedDualDerivatives - value of s = 1 and derivatives with respect to eta, as PsdLossOps.dual_derivatives. */
PetscReal PsdWeightedDualDerivatives(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal weights[],
                                     const PetscReal eta[], const PetscReal y[], PetscReal slope[],
                                     PetscReal curvature[]);
/* PsdWeightRows - rows x C numbers, each times its sample's weight: eta becomes nu. */
void PsdWeightRows(PetscInt rows, PetscInt C, const PetscReal weights[], PetscReal x[]);
/* PsdWeightedSquare - sum of w x^2. */
PetscReal PsdWeightedSquare(PetscInt rows, PetscInt C, const PetscReal weights[], const PetscReal x[]);

#endif
