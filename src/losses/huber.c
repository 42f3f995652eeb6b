/*
   Huber loss of r = yhat - y with threshold delta: r^2/2 up to it, delta |r| - delta^2/2 beyond;
   L*(x) = x y + x^2/2 on |x| <= delta.
*/
#include "separable.h"

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  const PetscReal r = PetscAbsReal(yhat - y), delta = loss->huber_delta;
  return r <= delta ? r * r / 2 : delta * (r - delta / 2);
}

static inline PetscReal Clip(const PsdLoss *loss, PetscReal x)
{
  return PetscMin(loss->huber_delta, PetscMax(-loss->huber_delta, x));
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  return Clip(loss, y - yhat);
}

/* v = x + nu/sigma with nu = -L'(v), which is (y - x) sigma/(1 + sigma) or the threshold */
static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  const PetscReal delta = loss->huber_delta;
  if (PetscAbsReal(y - x) * sigma <= delta * (1 + sigma)) return (y + sigma * x) / (1 + sigma);
  return x + (y > x ? delta : -delta) / sigma;
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  return PetscAbsReal(nu) <= loss->huber_delta ? nu * y - nu * nu / 2 : -INFINITY;
}

static inline PetscReal ToDomain(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)y;
  return Clip(loss, nu);
}

static inline PetscReal MaxScale(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)y;
  return loss->huber_delta / PetscAbsReal(nu);
}

PSD_SEPARABLE_LOSS(PsdLossHuber, "huber", 1, 0.3);
