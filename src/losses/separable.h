/*
   Losses that are sums over scores: functions of one score, and from them the functions of whole rows that losses.h
   asks for.

   A loss defines Value, DualPoint, Second, Prox, Dual, DualSlope, DualCurvature, Domain, ToDomain, MaxScale and Change of one
   score, and Steepness, as static inline functions, and then PSD_SEPARABLE_LOSS(its name in C, what else there is to say of
   it as designated initialisers of PsdLossOps).
*/
#ifndef PSD_LOSSES_SEPARABLE_H
#define PSD_LOSSES_SEPARABLE_H

#include "losses.h"
#include <math.h>

/* Where the dual function of one score is finite. */
typedef struct {
  PetscReal low, high; /* or infinite */
} PsdInterval;

#define PSD_SEPARABLE_LOSS(Variable, ...)                                                                              \
  static PetscReal ValueRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[],                   \
                             const PetscReal y[])                                                                      \
  {                                                                                                                    \
    PetscReal sum = 0;                                                                                                 \
    for (PetscInt k = 0; k < rows * C; k++) sum += Value(loss, yhat[k], y[k]);                                         \
    return sum;                                                                                                        \
  }                                                                                                                    \
  static void DualPointRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[],                    \
                            const PetscReal y[], PetscReal nu[])                                                       \
  {                                                                                                                    \
    for (PetscInt k = 0; k < rows * C; k++) nu[k] = DualPoint(loss, yhat[k], y[k]);                                    \
  }                                                                                                                    \
  static void SecondRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],  \
                         const PetscReal direction[], PetscReal product[])                                             \
  {                                                                                                                    \
    for (PetscInt k = 0; k < rows * C; k++) product[k] = Second(loss, yhat[k], y[k]) * direction[k];                   \
  }                                                                                                                    \
  static void ProxRows(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal sigma, const PetscReal x[],           \
                       const PetscReal y[], PetscReal v[])                                                             \
  {                                                                                                                    \
    for (PetscInt k = 0; k < rows * C; k++) v[k] = Prox(loss, sigma, x[k], y[k]);                                      \
  }                                                                                                                    \
  static PetscReal DualRows(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal s, const PetscReal nu[],         \
                            const PetscReal y[], PetscReal *size)                                                      \
  {                                                                                                                    \
    PetscReal sum = 0, sizes = 0;                                                                                      \
    for (PetscInt k = 0; k < rows * C; k++) {                                                                          \
      const PetscReal term = Dual(loss, s * nu[k], y[k]);                                                              \
      sum += term;                                                                                                     \
      sizes += PetscAbsReal(term) + s * PetscAbsReal(nu[k]) * (1 + s * PetscAbsReal(nu[k]));                           \
    }                                                                                                                  \
    *size += sizes;                                                                                                    \
    return sum;                                                                                                        \
  }                                                                                                                    \
  static PetscReal DualDerivativesRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[],           \
                                       const PetscReal y[], PetscReal slope[], PetscReal curvature[])                  \
  {                                                                                                                    \
    PetscReal sum = 0;                                                                                                 \
    for (PetscInt k = 0; k < rows * C; k++) {                                                                          \
      const PsdInterval domain = Domain(loss, y[k]);                                                                   \
      if (!(nu[k] > domain.low) || !(nu[k] < domain.high)) return -INFINITY;                                           \
      sum += Dual(loss, nu[k], y[k]);                                                                                  \
      if (slope) slope[k] = DualSlope(loss, nu[k], y[k]);                                                              \
      if (curvature) curvature[k] = DualCurvature(loss, nu[k], y[k]);                                                  \
    }                                                                                                                  \
    return sum;                                                                                                        \
  }                                                                                                                    \
  static void DualRoomRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[],  \
                           PetscReal low[], PetscReal high[])                                                          \
  {                                                                                                                    \
    for (PetscInt k = 0; k < rows * C; k++) {                                                                          \
      const PsdInterval domain = Domain(loss, y[k]);                                                                   \
      low[k] = nu[k] - domain.low;                                                                                     \
      high[k] = domain.high - nu[k];                                                                                   \
    }                                                                                                                  \
  }                                                                                                                    \
  static void ToDomainRows(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal nu[], const PetscReal y[])        \
  {                                                                                                                    \
    for (PetscInt k = 0; k < rows * C; k++) nu[k] = ToDomain(loss, nu[k], y[k]);                                       \
  }                                                                                                                    \
  static PetscReal MaxScaleRows(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[],                  \
                                const PetscReal y[])                                                                   \
  {                                                                                                                    \
    PetscReal least = INFINITY;                                                                                        \
    for (PetscInt k = 0; k < rows * C; k++) least = PetscMin(least, MaxScale(loss, nu[k], y[k]));                      \
    return least;                                                                                                      \
  }                                                                                                                    \
  static PetscReal ChangeOfSample(const PsdLoss *loss, PetscInt C, const PetscReal yhat[], const PetscReal y[],        \
                                  const PetscReal delta[])                                                             \
  {                                                                                                                    \
    PetscReal sum = 0;                                                                                                 \
    for (PetscInt t = 0; t < C; t++) sum += Change(loss, yhat[t], y[t], delta[t]);                                     \
    return sum;                                                                                                        \
  }                                                                                                                    \
  const PsdLossOps Variable = {.value = ValueRows,                                                                     \
                               .dual_point = DualPointRows,                                                            \
                               .second = SecondRows,                                                                   \
                               .separable = PETSC_TRUE,                                                                \
                               .prox = ProxRows,                                                                       \
                               .dual = DualRows,                                                                       \
                               .dual_derivatives = DualDerivativesRows,                                                \
                               .dual_room = DualRoomRows,                                                              \
                               .to_domain = ToDomainRows,                                                              \
                               .max_scale = MaxScaleRows,                                                              \
                               .steepness = Steepness,                                                                 \
                               .change = ChangeOfSample,                                                               \
                               __VA_ARGS__}

#endif
