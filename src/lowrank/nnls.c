/*
   Lawson and Hanson's method: the unknowns that may be positive are the passive set. The one with the steepest descent
   joins, the problem of the passive set is solved without bounds, and as long as its solution is not positive the step
   ends at the first bound that it meets, where that unknown leaves.
*/
#include "nnls.h"
#include <petscblaslapack.h>

typedef struct {
  PetscInt n, count, *passive; /* those of the passive set, in the order that they joined */
  PetscBool *is_passive;
  PetscReal *matrix, *solution;
} ActiveSet;

static PetscReal Entry(PetscInt n, const PetscReal H[], PetscInt i, PetscInt j)
{
  return H[(size_t)PetscMax(i, j) * n + PetscMin(i, j)];
}

/* solution <- the minimiser over the passive set; *solved: whether its part of H is definite as computed */
static PetscErrorCode SolvePassive(ActiveSet *it, const PetscReal H[], const PetscReal c[], PetscBool *solved)
{
  PetscFunctionBeginUser;
  PetscBLASInt order, one = 1, info;
  PetscCall(PetscBLASIntCast(it->count, &order));
  for (PetscInt j = 0; j < it->count; j++) {
    it->solution[j] = -c[it->passive[j]];
    for (PetscInt i = 0; i <= j; i++)
      it->matrix[(size_t)j * it->count + i] = Entry(it->n, H, it->passive[i], it->passive[j]);
  }
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, it->matrix, &order, &info));
  *solved = (PetscBool)(info == 0);
  if (*solved)
    PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("U", &order, &one, it->matrix, &order, it->solution, &order, &info));
  PetscFunctionReturn(0);
}

static void Leave(ActiveSet *it, PetscInt k)
{
  it->is_passive[it->passive[k]] = PETSC_FALSE;
  for (PetscInt i = k + 1; i < it->count; i++) it->passive[i - 1] = it->passive[i];
  it->count--;
}

/* From x towards the solution of the passive set, to the first bound; those at a bound leave. *inside: none was met. */
static void StepTowards(ActiveSet *it, PetscReal x[], PetscBool *inside)
{
  PetscReal step = 1;
  for (PetscInt k = 0; k < it->count; k++)
    if (it->solution[k] <= 0)
      step = PetscMin(step, x[it->passive[k]] / PetscMax(x[it->passive[k]] - it->solution[k], PETSC_MIN_REAL));
  *inside = PETSC_TRUE;
  for (PetscInt k = it->count - 1; k >= 0; k--) {
    const PetscInt i = it->passive[k];
    const PetscReal before = x[i];
    x[i] += step * (it->solution[k] - x[i]);
    if (it->solution[k] > 0 || (x[i] > 0 && before / (before - it->solution[k]) > step)) continue;
    x[i] = 0;
    *inside = PETSC_FALSE;
    Leave(it, k);
  }
}

/* The unknown at its bound whose slope is steepest; -1: none descends. */
static PetscInt Steepest(const ActiveSet *it, const PetscReal H[], const PetscReal c[], const PetscReal x[])
{
  PetscInt steepest = -1;
  PetscReal most = 0;
  for (PetscInt i = 0; i < it->n; i++) {
    if (it->is_passive[i]) continue;
    PetscReal slope = c[i], size = PetscAbsReal(c[i]);
    for (PetscInt j = 0; j < it->n; j++) {
      const PetscReal term = Entry(it->n, H, i, j) * x[j];
      slope += term;
      size += PetscAbsReal(term);
    }
    if (-slope > most && -slope > 16 * (PetscReal)it->n * PETSC_MACHINE_EPSILON * size) {
      most = -slope;
      steepest = i;
    }
  }
  return steepest;
}

PetscErrorCode PsdNonnegative(PetscInt n, const PetscReal H[], const PetscReal c[], PetscReal x[])
{
  PetscFunctionBeginUser;
  ActiveSet it = {.n = n};
  PetscCall(PetscCalloc4(n, &it.passive, n, &it.is_passive, (size_t)n * n, &it.matrix, n, &it.solution));
  PetscCall(PetscArrayzero(x, n));
  /* each unknown joins a few times at most; the bound is for rounding that makes them come and go */
  for (PetscInt round = 0; round < 10 * n; round++) {
    const PetscInt joins = Steepest(&it, H, c, x);
    PetscBool inside = PETSC_FALSE, solved = PETSC_TRUE;
    if (joins < 0) break;
    it.passive[it.count++] = joins;
    it.is_passive[joins] = PETSC_TRUE;
    while (!inside && it.count > 0) {
      PetscCall(SolvePassive(&it, H, c, &solved));
      if (!solved) break;
      StepTowards(&it, x, &inside);
    }
    if (!solved) break; /* x is feasible, and no worse than before */
  }
  PetscCall(PetscFree4(it.passive, it.is_passive, it.matrix, it.solution));
  PetscFunctionReturn(0);
}
