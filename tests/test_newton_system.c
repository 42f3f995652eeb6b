/* The Newton system of the barrier method: what comes out satisfies the three equations, whichever of the unknowns is eliminated, of classes
 * alone and together, with numbers of one size and of very different ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <psdbase.h>
#include "barrier/newton_system.h"

#define MU 0.01
#define G 2

static PetscReal Uniform(void)
{
  static uint64_t seed = 7;
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (PetscReal)(seed >> 11) / 9007199254740992.0;
}

/* 1, or from 10^-decades to 10^decades */
static PetscReal Size(PetscReal decades)
{
  return PetscPowReal(10, decades * (2 * Uniform() - 1));
}

typedef struct {
  PetscInt n, classes, at[G + 1];
  PetscReal *Psi, *H, *Q, *u[2], *weight, *r[3], *dnu, *S, *dtheta;
} System;

static PetscErrorCode Fill(System *it, PetscReal decades)
{
  PetscFunctionBeginUser;
  const size_t D = (size_t)it->at[G], C = (size_t)it->classes, n = (size_t)it->n;
  PetscCall(PetscMalloc6(C * n * D, &it->Psi, C * n, &it->H, C * D, &it->Q, C * D, &it->u[0], C * D, &it->u[1],
                         C * G * 2, &it->weight));
  PetscCall(PetscMalloc6(C * n, &it->r[0], C * D, &it->r[1], C * G * 2, &it->r[2], C * n, &it->dnu, C * D, &it->S,
                         C * G * 2, &it->dtheta));
  for (size_t k = 0; k < C * n * D; k++) it->Psi[k] = 2 * Uniform() - 1;
  for (size_t k = 0; k < C * n; k++) it->H[k] = Size(decades);
  for (size_t k = 0; k < C * n; k++) it->r[0][k] = 2 * Uniform() - 1;
  for (size_t k = 0; k < C * D; k++) it->r[1][k] = 2 * Uniform() - 1;
  for (size_t k = 0; k < C * G * 2; k++) it->r[2][k] = 2 * Uniform() - 1, it->weight[k] = 0;
  for (size_t k = 0; k < C * D; k++) {
    const PetscReal j = 2 * Uniform() - 1, inverse = Size(decades);
    const size_t pair = k / D * G + (k % D >= (size_t)it->at[1]);
    it->Q[k] = MU * (1 + inverse);
    it->u[0][k] = MU * j;
    it->u[1][k] = -MU * inverse * j;
    it->weight[2 * pair] += MU * j * j;
    it->weight[2 * pair + 1] += MU * inverse * j * j;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Empty(System *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(it->Psi, it->H, it->Q, it->u[0], it->u[1], it->weight));
  PetscCall(PetscFree6(it->r[0], it->r[1], it->r[2], it->dnu, it->S, it->dtheta));
  PetscFunctionReturn(0);
}

/* A sum whose terms may cancel, and what it is small beside. */
typedef struct {
  PetscReal sum, size;
} Sum;

static void Add(Sum *to, PetscReal term)
{
  to->sum += term;
  to->size += PetscAbsReal(term);
}

static void Vanishes(const char name[], Sum residual, PetscReal tolerance)
{
  if (PetscAbsReal(residual.sum) <= tolerance * residual.size) return;
  print_error("%s: residual %g beside %g\n", name, (double)residual.sum, (double)residual.size);
  fail();
}

/* H dnu + Psi S = r1, where classes go together but for a number for each sample */
static void FirstEquation(const System *it, PetscReal tolerance)
{
  const PetscInt D = it->at[G], n = it->n;
  for (PetscInt i = 0; i < n; i++) {
    PetscReal multiplier = 0;
    Sum zero = {0, 0};
    for (PetscInt t = it->classes - 1; t >= 0; t--) {
      Sum row = {0, 0};
      Add(&row, it->H[t * n + i] * it->dnu[t * n + i]);
      for (PetscInt k = 0; k < D; k++) Add(&row, it->Psi[(t * n + i) * D + k] * it->S[t * D + k]);
      Add(&row, -it->r[0][t * n + i]);
      Add(&zero, it->dnu[t * n + i]);
      if (it->classes > 1 && t == it->classes - 1) multiplier = row.sum;
      else Add(&row, -multiplier);
      if (it->classes == 1 || t < it->classes - 1) Vanishes("first equation", row, tolerance);
    }
    if (it->classes > 1) Vanishes("sum over classes", zero, tolerance);
  }
}

static void SecondEquation(const System *it, PetscReal tolerance)
{
  const PetscInt D = it->at[G], n = it->n;
  for (PetscInt t = 0; t < it->classes; t++)
    for (PetscInt k = 0; k < D; k++) {
      const PetscInt j = t * D + k, pair = t * G + (k >= it->at[1]);
      Sum row = {0, 0};
      Add(&row, it->S[j] / it->Q[j]);
      for (PetscInt s = 0; s < 2; s++) Add(&row, it->u[s][j] / it->Q[j] * it->dtheta[2 * pair + s]);
      for (PetscInt i = 0; i < n; i++) Add(&row, -it->Psi[(t * n + i) * D + k] * it->dnu[t * n + i]);
      Add(&row, -it->r[1][j]);
      Vanishes("second equation", row, tolerance);
    }
}

static void ThirdEquation(const System *it, PetscReal tolerance)
{
  const PetscInt D = it->at[G];
  for (PetscInt theta = 0; theta < 2 * G * it->classes; theta++) {
    const PetscInt pair = theta / 2, t = pair / G, g = pair % G;
    Sum row = {0, 0};
    for (PetscInt k = it->at[g]; k < it->at[g + 1]; k++) {
      const PetscInt j = t * D + k;
      Add(&row, it->u[theta % 2][j] / it->Q[j] * it->S[j]);
      for (PetscInt s = 0; s < 2; s++)
        Add(&row, it->u[theta % 2][j] * it->u[s][j] / it->Q[j] * it->dtheta[2 * pair + s]);
    }
    Add(&row, -it->weight[theta] * it->dtheta[theta]);
    Add(&row, -it->r[2][theta]);
    Vanishes("third equation", row, tolerance);
  }
}

static void Solve(PetscInt n, PetscInt classes, PetscReal decades, PetscReal tolerance)
{
  System it = {.n = n, .classes = classes, .at = {0, 3, 13}};
  PsdNewtonSystem system;
  PetscBool done;
  assert_int_equal(Fill(&it, decades), 0);
  const PsdNewtonData data = {it.Psi, it.H, it.Q, {it.u[0], it.u[1]}, it.weight};
  assert_int_equal(PsdNewtonSystemCreate(n, classes, G, it.at, &system), 0);
  assert_int_equal(PsdNewtonSystemFactor(system, &data, &done), 0);
  assert_true(done);
  assert_int_equal(PsdNewtonSystemSolve(system, it.r[0], it.r[1], it.r[2], it.dnu, it.S, it.dtheta), 0);
  FirstEquation(&it, tolerance);
  SecondEquation(&it, tolerance);
  ThirdEquation(&it, tolerance);
  assert_int_equal(PsdNewtonSystemDestroy(&system), 0);
  assert_int_equal(Empty(&it), 0);
}

/* Refined solutions: residuals of some roundings, of sums of up to 160 terms. */
static void OfOneSize(void **state)
{
  (void)state;
  for (PetscInt classes = 1; classes <= 4; classes += 3)
    for (PetscInt n = 1; n <= 40; n += 13) Solve(n, classes, 0, 1e-13);
}

/* What is lost in an elimination comes back by refinement, as long as the condition number times the rounding is below 1. */
static void OfVeryDifferentSizes(void **state)
{
  (void)state;
  for (PetscInt classes = 1; classes <= 4; classes += 3)
    for (PetscInt n = 5; n <= 40; n += 7) Solve(n, classes, 5, 1e-9);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OfOneSize), cmocka_unit_test(OfVeryDifferentSizes)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
