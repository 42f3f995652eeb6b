/*
   Hinge loss: max(0, 1 - y yhat), y = +-1;  L*(x) = x y on -1 <= x y <= 0. So y nu is in [0, 1] and -L*(-nu) is y nu.
*/
#include "separable.h"

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return PetscMax(0, 1 - y * yhat);
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss;
  return y * yhat < 1 ? y : 0;
}

static inline PetscReal Second(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  (void)loss, (void)yhat, (void)y;
  return 0;
}

/* u = y x: stays when it is beyond the corner, goes to it when that is within 1/sigma, else 1/sigma towards it */
static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  (void)loss;
  const PetscReal u = y * x, most = 1 / sigma;
  if (u >= 1) return x;
  return 1 - u <= most ? y : y * (u + most);
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)loss;
  return nu * y >= 0 && nu * y <= 1 ? nu * y : -INFINITY;
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

/* The slope is 1 until the corner. */
static inline PetscReal Change(const PsdLoss *loss, PetscReal yhat, PetscReal y, PetscReal delta)
{
  (void)loss;
  return PetscMin(delta, PetscMax(0, 1 - y * yhat + delta));
}

PSD_SEPARABLE_LOSS(PsdLossHinge, .name = "hinge", .help = "max(0, 1 - y yhat)", .value_roundings = 1, .curvature = 1,
                   .sigma = 3, .splits = PETSC_TRUE, .has_corners = PETSC_TRUE);
