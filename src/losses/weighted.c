/*
   A sample of weight w as w samples of one loss, whichever it is.
*/
#include "weighted.h"

PetscReal PsdWeightedValue(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal weights[],
                           const PetscReal yhat[], const PetscReal y[])
{
  PetscReal sum = 0;
  if (!weights) return (*loss->ops->value)(loss, rows, C, yhat, y);
  for (PetscInt i = 0; i < rows; i++, yhat += C, y += C) sum += weights[i] * (*loss->ops->value)(loss, 1, C, yhat, y);
  return sum;
}

PetscReal PsdWeightedDual(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal s, const PetscReal weights[],
                          const PetscReal eta[], const PetscReal y[], PetscReal *size)
{
  PetscReal sum = 0;
  if (!weights) return (*loss->ops->dual)(loss, rows, C, s, eta, y, size);
  for (PetscInt i = 0; i < rows; i++, eta += C, y += C) {
    PetscReal own = 0;
    sum += weights[i] * (*loss->ops->dual)(loss, 1, C, s, eta, y, &own);
    *size += weights[i] * own;
  }
  return sum;
}

PetscReal PsdWeightedDualDerivatives(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal weights[],
                                     const PetscReal eta[], const PetscReal y[], PetscReal slope[],
                                     PetscReal curvature[])
{
  PetscReal sum = 0;
  if (!weights) return (*loss->ops->dual_derivatives)(loss, rows, C, eta, y, slope, curvature);
  for (size_t i = 0; i < (size_t)rows; i++) {
    const size_t at = i * (size_t)C;
    sum += weights[i] * (*loss->ops->dual_derivatives)(loss, 1, C, eta + at, y + at, slope ? slope + at : NULL,
                                                       curvature ? curvature + at : NULL);
  }
  if (slope) PsdWeightRows(rows, C, weights, slope);
  if (curvature) PsdWeightRows(rows, C, weights, curvature);
  return sum;
}

void PsdWeightRows(PetscInt rows, PetscInt C, const PetscReal weights[], PetscReal x[])
{
  for (PetscInt i = 0; i < rows && weights; i++, x += C)
    for (PetscInt t = 0; t < C; t++) x[t] *= weights[i];
}

PetscReal PsdWeightedSquare(PetscInt rows, PetscInt C, const PetscReal weights[], const PetscReal x[])
{
  PetscReal sum = 0;
  for (PetscInt i = 0; i < rows; i++, x += C)
    for (PetscInt t = 0; t < C; t++) sum += weights ? weights[i] * (x[t] * x[t]) : x[t] * x[t];
  return sum;
}
