/*
   Convex losses of a sample's C scores (docs/mathematics.md, section 1): L(Yhat) is the sum over samples.

   A loss is a table of functions over `rows` samples at once, all arrays rows x C row-major, so that a call costs nothing
   beside the work. y: targets, +1 in the column of the class and -1 elsewhere; one column for two classes.
*/
#ifndef PSD_LOSSES_PRIVATE_H
#define PSD_LOSSES_PRIVATE_H

#include <psdbase.h>

typedef struct _PsdLossOps PsdLossOps;

typedef struct {
  const PsdLossOps *ops;
  PetscReal huber_delta; /* threshold of the Huber loss */
} PsdLoss;

struct _PsdLossOps {
  const char *name;
  /* The second derivative to begin with, of one score, as far as there is one: rho is estimated with it. */
  PetscReal curvature;
  /* The penalty of v = A S to begin with: a third of it, as scores leave the steepest part, and 3 for losses with corners. */
  PetscReal sigma;
  /* value: L(yhat) */
  PetscReal (*value)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[]);
  /* dual_point: nu = -L'(yhat), of a subgradient where there are several */
  void (*dual_point)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                     PetscReal nu[]);
  /* prox: v = argmin L(v) + (sigma/2) ||v - x||^2, sigma > 0 */
  void (*prox)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal sigma, const PetscReal x[], const PetscReal y[],
               PetscReal v[]);
  /* dual: -L*(-s nu), the dual function on the ray of nu; -infinity outside the domain. Rounding has changed the result by
     at most PSD_DUAL_TERMS eps times what is added to *size, besides what a sum of `rows` terms may lose. */
  PetscReal (*dual)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal s, const PetscReal nu[], const PetscReal y[],
                    PetscReal *size);
  /* to_domain: nu becomes a point of the dual function's domain, nu itself when it is one */
  void (*to_domain)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal nu[], const PetscReal y[]);
  /* max_scale: s nu is in the domain for 0 <= s <= max_scale, when nu is */
  PetscReal (*max_scale)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[]);
};

#define PSD_DUAL_TERMS(C) (64 + 64 * (PetscReal)(C))

extern const PsdLossOps PsdLossSquared;
extern const PsdLossOps PsdLossLogistic;
extern const PsdLossOps PsdLossSoftmax;
extern const PsdLossOps PsdLossHinge;
extern const PsdLossOps PsdLossHuber;
extern const PsdLossOps PsdLossL1;

/* Their names, ended by NULL, in the order of PsdLossTable. */
#define PSD_LOSSES 6
extern const char *const PsdLossNames[PSD_LOSSES + 1];
extern const PsdLossOps *const PsdLossTable[PSD_LOSSES];

/* The loss of that name, or NULL. */
const PsdLossOps *PsdLossFind(const char name[]);

/* The squared loss's consensus step has a closed form; the others need the splitting v = A S. */
static inline PetscBool PsdLossSplits(const PsdLoss *loss)
{
  return (PetscBool)(loss->ops != &PsdLossSquared);
}

/* Whether a number added to all scores of a sample changes nothing: the softmax of several columns. */
static inline PetscBool PsdLossIgnoresMean(const PsdLoss *loss, PetscInt C)
{
  return (PetscBool)(loss->ops == &PsdLossSoftmax && C > 1);
}

/* Losses that are linear but for their corners. */
static inline PetscBool PsdLossHasCorners(const PsdLoss *loss)
{
  return (PetscBool)(loss->ops == &PsdLossHinge || loss->ops == &PsdLossL1);
}

/* What one score can change the loss by at most, in units of its own change; of losses that are split. */
static inline PetscReal PsdLossSteepness(const PsdLoss *loss)
{
  return loss->ops == &PsdLossHuber ? loss->huber_delta : 1;
}

#endif
