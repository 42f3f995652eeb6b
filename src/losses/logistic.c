/*
   Logistic loss: log(1 + exp(-y yhat)), y = +-1. With p = y nu, nu = -L', p is the probability given to the other
   class: p = 1/(1 + exp(y yhat)), 0 <= p <= 1, and -L*(-nu) = -p log p - (1-p) log(1-p).
*/
#include "separable.h"

/* 1/(1 + exp(w)), without overflow */
static inline PetscReal Other(PetscReal w)
{
  const PetscReal e = PetscExpReal(-PetscAbsReal(w));
  return w > 0 ? e / (1 + e) : 1 / (1 + e);
}

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  const PetscReal w = y * yhat;
  return log1p(PetscExpReal(-PetscAbsReal(w))) + PetscMax(0, -w);
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return y * Other(y * yhat);
}

static inline PetscReal Second(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return Other(y * yhat) * Other(-y * yhat);
}

/*
   v = y w with sigma (w - u) = 1/(1 + exp(w)), u = y x. The root lies in [u, u + 1/sigma]. The difference of the two
   sides grows with w, is convex below w = 0 and concave above: Newton's method from the point of the interval that is
   nearest to 0 comes nearer to the root at every step and cannot pass it.
*/
static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  (void)loss;
  const PetscReal u = y * x;
  PetscReal w = PetscMin(u + 1 / sigma, PetscMax(u, 0));
  for (int k = 0; k < 100; k++) {
    const PetscReal p = Other(w), step = (p - sigma * (w - u)) / (sigma + p * (1 - p));
    w += step;
    if (PetscAbsReal(step) <= 4 * PETSC_MACHINE_EPSILON * (1 + PetscAbsReal(w))) break;
  }
  return y * w;
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  const PetscReal p = y * nu;
  if (p < 0 || p > 1) return -INFINITY;
  return -((p > 0 ? p * PetscLogReal(p) : 0) + (p < 1 ? (1 - p) * log1p(-p) : 0));
}

/* y (log(1 - p) - log p) and 1/p + 1/(1 - p), p = y nu */
static inline PetscReal DualSlope(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return y * (log1p(-y * nu) - PetscLogReal(y * nu));
}

static inline PetscReal DualCurvature(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return 1 / (y * nu) + 1 / (1 - y * nu);
}

static inline PsdInterval Domain(const PsdLoss *loss, PetscReal y)
{
  (void)loss;
  return y > 0 ? (PsdInterval){0, 1} : (PsdInterval){-1, 0};
}

static inline PetscReal ToDomain(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return y * PetscMin(1, PetscMax(0, nu * y));
}

static inline PetscReal MaxScale(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)y;
  return 1 / PetscAbsReal(nu);
}

static inline PetscReal Steepness(const PsdLoss *loss)
{
  (void)loss;
  return 1;
}

/* The slope is steepest where y yhat is smallest. */
static inline PetscReal Change(const PsdLoss *loss, PetscReal yhat, PetscReal y, PetscReal delta)
{
  (void)loss;
  return delta > 0 ? delta * Other(y * yhat - delta) : 0;
}

PSD_SEPARABLE_LOSS(PsdLossLogistic, .name = "logistic", .help = "log(1 + exp(-y yhat))", .smooth = PETSC_TRUE,
                   .value_roundings = 10, .curvature = 0.25, .sigma = 0.08, .splits = PETSC_TRUE);
