/*
   Absolute loss: |yhat - y|;  L*(x) = x y on |x| <= 1.
*/
#include "separable.h"

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return PetscAbsReal(yhat - y);
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return (PetscReal)((y > yhat) - (y < yhat));
}

static inline PetscReal Second(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss, (void)yhat, (void)y;
  return 0;
}

/* y when that is within 1/sigma, else 1/sigma towards it */
static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  (void)loss;
  const PetscReal most = 1 / sigma;
  return PetscAbsReal(y - x) <= most ? y : x + (y > x ? most : -most);
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return PetscAbsReal(nu) <= 1 ? nu * y : -INFINITY;
}

static inline PetscReal DualSlope(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)nu;
  return y;
}

static inline PetscReal DualCurvature(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)nu, (void)y;
  return 0;
}

static inline PsdInterval Domain(const PsdLoss *loss, PetscReal y)
{
  (void)loss, (void)y;
  return (PsdInterval){-1, 1};
}

static inline PetscReal ToDomain(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss, (void)y;
  return PetscMin(1, PetscMax(-1, nu));
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

static inline PetscReal Change(const PsdLoss *loss, PetscReal yhat, PetscReal y, PetscReal delta)
{
  (void)loss, (void)yhat, (void)y;
  return delta;
}

PSD_SEPARABLE_LOSS(PsdLossL1, .name = "l1", .help = "|yhat - y|", .degree = 1, .value_roundings = 1, .curvature = 1,
                   .sigma = 3, .splits = PETSC_TRUE, .has_corners = PETSC_TRUE);
