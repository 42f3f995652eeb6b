/*
   Losses: value and dual point of one prediction. A table of one so far; the solver's closed-form consensus step is the
   squared loss's own.
*/
#include "problem.h"

static PetscReal SquaredValue(PetscReal yhat, PetscReal y)
{
  return (yhat - y) * (yhat - y) / 2;
}

static PetscReal SquaredDualPoint(PetscReal yhat, PetscReal y)
{
  return y - yhat;
}

const PsdLossOps PsdLossSquared = {"squared", SquaredValue, SquaredDualPoint};
