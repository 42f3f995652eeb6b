/*
   Huber loss of r = yhat - y with threshold delta, its parameter: r^2/2 up to it, delta |r| - delta^2/2 beyond;
   L*(x) = x y + x^2/2 on |x| <= delta.
*/
#include "separable.h"

static inline PetscReal Value(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  const PetscReal r = PetscAbsReal(yhat - y), delta = loss->parameter;
  return r <= delta ? r * r / 2 : delta * (r - delta / 2);
}

static inline PetscReal Clip(const PsdLoss *loss, PetscReal x)
{
  return PetscMin(loss->parameter, PetscMax(-loss->parameter, x));
}

static inline PetscReal DualPoint(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  return Clip(loss, y - yhat);
}

static inline PetscReal Second(const PsdLoss *loss, PetscReal yhat, PetscReal y)
{
  return PetscAbsReal(yhat - y) <= loss->parameter ? 1 : 0;
}

/* v = x + nu/sigma with nu = -L'(v), which is (y - x) sigma/(1 + sigma) or the threshold */
static inline PetscReal Prox(const PsdLoss *loss, PetscReal sigma, PetscReal x, PetscReal y)
{
  const PetscReal delta = loss->parameter;
  if (PetscAbsReal(y - x) * sigma <= delta * (1 + sigma)) return (y + sigma * x) / (1 + sigma);
  return x + (y > x ? delta : -delta) / sigma;
}

static inline PetscReal Dual(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  return PetscAbsReal(nu) <= loss->parameter ? nu * y - nu * nu / 2 : -INFINITY;
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
  (void)y;
  return (PsdInterval){-loss->parameter, loss->parameter};
}

static inline PetscReal ToDomain(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)y;
  return Clip(loss, nu);
}

static inline PetscReal MaxScale(const PsdLoss *loss, PetscReal nu, PetscReal y)
{
  (void)y;
  return loss->parameter / PetscAbsReal(nu);
}

static inline PetscReal Steepness(const PsdLoss *loss)
{
  return loss->parameter;
}

/* The steepest slope on the way; delta is that of the prediction here. */
static inline PetscReal Change(const PsdLoss *loss, PetscReal yhat, PetscReal y, PetscReal delta)
{
  return PetscMin(loss->parameter, PetscAbsReal(yhat - y) + delta) * delta;
}

static const PsdLossParameter delta_parameter = {
    .name = "huber_delta", .text = "residual beyond which the Huber loss is linear", .initial = 1};

PSD_SEPARABLE_LOSS(PsdLossHuber, .name = "huber", .help = "(yhat - y)^2/2, linear beyond huber_delta", .degree = 2,
                   .smooth = PETSC_TRUE, .value_roundings = 6, .curvature = 1, .sigma = 0.3, .splits = PETSC_TRUE,
                   .parameter = &delta_parameter);
