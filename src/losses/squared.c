/*
   Squared loss: (yhat - y)^2/2;  L*(x) = x y + x^2/2 everywhere.
*/
#include "separable.h"

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return (yhat - y) * (yhat - y) / 2;
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return y - yhat;
}

static inline PetscReal Second(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss, (void)yhat, (void)y;
  return 1;
}

static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  (void)loss;
  return (y + sigma * x) / (1 + sigma);
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return nu * y - nu * nu / 2;
}

static inline PetscReal DualSlope(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return y - nu;
}

static inline PetscReal DualCurvature(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)nu, (void)y;
  return 1;
}

static inline PsdInterval Domain(const PsdLoss *loss, PetscReal y)
{
  (void)loss, (void)y;
  return (PsdInterval){-INFINITY, INFINITY};
}

static inline PetscReal ToDomain(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)y;
  return nu;
}

static inline PetscReal MaxScale(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)nu, (void)y;
  return INFINITY;
}

static inline PetscReal Steepness(const PsdLoss *loss)
{
  (void)loss;
  return INFINITY;
}

/* (r + delta)^2/2 - r^2/2 */
static inline PetscReal Change(const PsdLoss *loss, PetscReal yhat, PetscReal y, PetscReal delta)
{
  (void)loss;
  return (PetscAbsReal(yhat - y) + delta / 2) * delta;
}

PSD_SEPARABLE_LOSS(PsdLossSquared, .name = "squared", .help = "(yhat - y)^2/2", .smooth = PETSC_TRUE, .degree = 2,
                   .value_roundings = 4, .curvature = 1, .sigma = 1);
