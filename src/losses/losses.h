/*
   Convex losses of a sample's C scores (docs/mathematics.md, section 1): L(Yhat) is the sum over samples.

   A loss is a file that defines a PsdLossOps, and a line of loss_table.c. What it can do it states in fields; its
   functions are over `rows` samples at once, all arrays rows x C row-major, so that a call costs nothing beside the
   work. y: targets, +1 in the column of the class and -1 elsewhere, one column for two classes; of a loss that has a
   degree real targets of at most 1 as well.
*/
#ifndef PSD_LOSSES_PRIVATE_H
#define PSD_LOSSES_PRIVATE_H

#include <psdbase.h>

typedef struct _PsdLossOps PsdLossOps;

typedef struct {
  const PsdLossOps *ops;
  PetscReal parameter; /* of a loss that has one, > 0; else 0 */
} PsdLoss;

/* The number that a loss leaves open. */
typedef struct {
  const char *name;  /* of the option, after its dash, and of the attribute of a model file */
  const char *text;  /* for -help */
  PetscReal initial; /* its value when none is given; all values are > 0 */
} PsdLossParameter;

struct _PsdLossOps {
  const char *name; /* for -loss and in model files */
  const char *help; /* the loss as a formula, for -help */
  /* p of L(s yhat, s y) = s^p L(yhat, y), s > 0, the parameter being multiplied by s as well; 0: targets are signs */
  int degree;
  /* The second derivative to begin with, of one score, as far as there is one: rho is estimated with it. */
  PetscReal curvature;
  /* The penalty of v = A S to begin with: a third of it, as scores leave the steepest part, and 3 for losses with
     corners. */
  PetscReal sigma;
  PetscBool splits; /* the consensus step has no closed form, as the squared loss's, and needs the splitting v = A S */
  PetscBool ignores_mean; /* a number added to all scores of a sample, where there are several, changes nothing */
  PetscBool has_corners;  /* linear but for its corners */
  PetscBool separable;    /* a sum over scores; else the scores of a sample belong together */
  PetscBool smooth;       /* the slope is continuous, and there is a second derivative almost everywhere */
  const PsdLossParameter *parameter; /* NULL: there is none */
  /* value: L(yhat). The value of one sample is off by at most value_roundings + C roundings (base/rounding.h) of itself,
     and by PSD_TINY. */
  PetscReal value_roundings;
  PetscReal (*value)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[]);
  /* dual_point: nu = -L'(yhat), of a subgradient where there are several */
  void (*dual_point)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                     PetscReal nu[]);
  /* second: product = L''(yhat) direction, of a loss that is smooth; where the second derivative jumps, that of one side */
  void (*second)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                 const PetscReal direction[], PetscReal product[]);
  /* prox: v = argmin L(v) + (sigma/2) ||v - x||^2, sigma > 0 */
  void (*prox)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal sigma, const PetscReal x[], const PetscReal y[],
               PetscReal v[]);
  /* dual: -L*(-s nu), the dual function on the ray of nu; -infinity outside the domain. Rounding has changed the
     result by at most PSD_DUAL_ROUNDINGS eps times what is added to *size, besides what a sum of `rows` terms may
     lose. */
  PetscReal (*dual)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal s, const PetscReal nu[], const PetscReal y[],
                    PetscReal *size);
  /* dual_derivatives: D(nu); -infinity where nu is not in the interior of the dual function's domain. slope: the first
     derivatives; curvature: minus the second ones, by each score alone, which is all there is of it; both rows x C, or NULL. */
  PetscReal (*dual_derivatives)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[],
                                PetscReal slope[], PetscReal curvature[]);
  /* dual_room: how far each number is from the lower and the upper end of its domain, rows x C; infinity where there is none */
  void (*dual_room)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[],
                    PetscReal low[], PetscReal high[]);
  /* to_domain: nu becomes a point of the dual function's domain, nu itself when it is one */
  void (*to_domain)(const PsdLoss *, PetscInt rows, PetscInt C, PetscReal nu[], const PetscReal y[]);
  /* max_scale: s nu is in the domain for 0 <= s <= max_scale, when nu is */
  PetscReal (*max_scale)(const PsdLoss *, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[]);
  /* steepness: the most that one score can change the loss by, in units of its own change; infinity when there is no
     such number */
  PetscReal (*steepness)(const PsdLoss *);
  /* change: a bound of |L(yhat + e) - L(yhat)| for one sample, over all e with |e_t| <= delta_t */
  PetscReal (*change)(const PsdLoss *, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                      const PetscReal delta[]);
};

#define PSD_DUAL_ROUNDINGS(C) (64 + 64 * (PetscReal)(C))

/* All losses, ended by NULL. The first one is the default. */
extern const PsdLossOps *const PsdLossTable[];

/* PsdLossFind - the loss of that name, or NULL. Not collective. */
const PsdLossOps *PsdLossFind(const char name[]);

/* PsdLossMake - that loss with its parameter, 0 standing for the initial value. Not collective. */
PsdLoss PsdLossMake(const PsdLossOps *ops, PetscReal parameter);

/* PsdLossSetFromOptions - -loss, and the parameter's option of every loss; errors: one of another loss than that of
   -loss. Collective. */
PetscErrorCode PsdLossSetFromOptions(PsdLoss *loss);

/* What sigma and curvature, which are those of a loss of slopes up to 1, are to be multiplied by: a loss that is flatter
   everywhere, as Huber's with a small threshold is, has dual points and a beta_max that are smaller by as much. */
static inline PetscReal PsdLossSlope(const PsdLoss *loss)
{
  return PetscMin(1, (*loss->ops->steepness)(loss));
}

/* Whether the loss of C scores changes with their mean. */
static inline PetscBool PsdLossIgnoresMean(const PsdLoss *loss, PetscInt C)
{
  return (PetscBool)(loss->ops->ignores_mean && C > 1);
}

#endif
