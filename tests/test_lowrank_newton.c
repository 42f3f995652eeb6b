/* Preconditioned directions are tangential, and the preconditioner is symmetric and positive; Newton's method ends where the
 * gradient vanishes, and in fewer products than without a path. */
#include "lowrank_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "lowrank/newton.h"
#include "lowrank/precondition.h"

#define BETA 0.3

typedef struct {
  LowrankSetting setting;
  PsdLevel coarse, level;
  PsdObjective objective;
  PsdColumns columns;
  PetscReal *mu;
  PetscBool active[8];
} Case;

static void CaseCreate(PetscInt classes, PetscInt branches, const char loss[], PetscBool pixels, Case *it)
{
  *it = (Case){.setting = LowrankSettingCreate(classes, branches, loss, SIZE_MAX)};
  MUST(PsdLevelCreate(PETSC_COMM_WORLD, it->setting.matrix, &it->setting.components, 3, SIZE_MAX, &it->level));
  if (pixels) {
    it->coarse = it->level;
    MUST(PsdLevelCreateComplete(it->coarse, 2, SIZE_MAX, &it->level));
  }
  it->columns = SampleColumns(&it->setting, it->level, 0.4, 7);
  MUST(PsdObjectiveCreate(it->setting.problem, &it->objective));
  MUST(PsdObjectiveSet(it->objective, it->level, &it->columns, BETA));
  MUST(PetscMalloc1(PsdBlockCount(&it->columns), &it->mu));
  for (PetscInt b = 0; b < PsdBlockCount(&it->columns); b++) it->mu[b] = BETA * (0.5 + 0.1 * (PetscReal)(b % 5));
  for (int k = 0; k < 8; k++) it->active[k] = PETSC_TRUE;
}

static void CaseDestroy(Case *it)
{
  MUST(PetscFree(it->mu));
  MUST(PsdObjectiveDestroy(&it->objective));
  MUST(PsdColumnsDestroy(&it->columns));
  MUST(PsdLevelDestroy(&it->level));
  MUST(PsdLevelDestroy(&it->coarse));
  LowrankSettingDestroy(&it->setting);
}

static PetscReal Product(size_t n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
  for (size_t k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* the largest |<J F, z>| of a block, relative to ||F|| ||z|| */
static PetscReal Normal(const PsdColumns *columns, const PetscReal z[])
{
  PetscReal most = 0, size = 0;
  const size_t length = columns->at[columns->count];
  for (PetscInt b = 0; b < PsdBlockCount(columns); b++) {
    PetscReal sum = 0;
    for (PetscInt j = 0; j < columns->count; j++) {
      if (columns->block[j] != b) continue;
      const size_t last = columns->at[j + 1] - 1;
      for (size_t k = columns->at[j]; k < last; k++) sum += columns->F[k] * z[k];
      sum -= columns->F[last] * z[last];
    }
    most = PetscMax(most, PetscAbsReal(sum));
  }
  size = PetscSqrtReal(Product(length, z, z) * Product(length, columns->F, columns->F));
  return most / size;
}

static void CheckPreconditioner(Case *it)
{
  const size_t length = it->columns.at[it->columns.count];
  PetscReal *r, *s, *Pr, *Ps, value[8];
  PsdPreconditioner preconditioner;
  MUST(PetscMalloc4(length, &r, length, &s, length, &Pr, length, &Ps));
  MUST(PsdObjectiveEvaluate(it->objective, PETSC_TRUE, it->active, it->columns.F, value, r));
  MUST(PsdPreconditionerCreate(it->objective, it->level, &it->columns, it->active, it->columns.F, it->mu, BETA,
                               &preconditioner));
  for (uint64_t seed = 1; seed < 4; seed++) {
    Fill(seed, length, r);
    Fill(seed + 10, length, s);
    MUST(PsdPreconditionerApply(preconditioner, r, Pr));
    MUST(PsdPreconditionerApply(preconditioner, s, Ps));
    const PetscReal size = PetscSqrtReal(Product(length, r, Pr) * Product(length, s, Ps));
    assert_true(size > 0);
    assert_true(PetscAbsReal(Product(length, s, Pr) - Product(length, r, Ps)) <= 1e-9 * size);
    assert_true(Normal(&it->columns, Pr) <= 1e-12);
  }
  MUST(PsdPreconditionerDestroy(&preconditioner));
  MUST(PetscFree4(r, s, Pr, Ps));
}

static void Preconditioner(void **state)
{
  (void)state;
  static const char *const losses[] = {"squared", "softmax"};
  for (int k = 0; k < 2; k++)
    for (PetscInt branches = 1; branches <= 2; branches++)
      for (int pixels = 0; pixels < 2; pixels++) {
        Case it;
        CaseCreate(3, branches, losses[k], (PetscBool)pixels, &it);
        CheckPreconditioner(&it);
        CaseDestroy(&it);
      }
}

/* The decrement says what the tangential gradient is; the value falls, and the constraint is kept. */
static void Converges(void **state)
{
  (void)state;
  static const char *const losses[] = {"squared", "logistic", "softmax", "huber"};
  for (int k = 0; k < 4; k++)
    for (int pixels = 0; pixels < 2; pixels++) {
      Case it;
      CaseCreate(3, 2, losses[k], (PetscBool)pixels, &it);
      const size_t length = it.columns.at[it.columns.count];
      PetscReal value[8], before[8], *gradient, scale = 0, rest = 0, sum = 0, sum_before = 0;
      const PsdNewtonSettings settings = {.tolerance = 1e-13, .forcing = 0.1, .max_it = 60, .max_cg = 60};
      PetscReal radius[8] = {INFINITY, INFINITY, INFINITY};
      PsdNewtonState result = {.value = value, .mu = it.mu, .radius = radius};
      MUST(PetscMalloc1(length, &gradient));
      MUST(PsdObjectiveEvaluate(it.objective, PETSC_TRUE, it.active, it.columns.F, before, gradient));
      scale = Product(length, gradient, gradient);
      MUST(PsdNewtonSolve(it.objective, it.level, &it.columns, BETA, &settings, &result));
      MUST(PsdObjectiveEvaluate(it.objective, PETSC_TRUE, it.active, it.columns.F, value, gradient));
      for (PetscInt g = 0; g < PsdObjectiveGroups(it.objective); g++) {
        sum += value[g];
        sum_before += before[g];
      }
      /* gradient + 2 mu J F */
      for (PetscInt j = 0; j < it.columns.count; j++)
        for (size_t i = it.columns.at[j]; i < it.columns.at[j + 1]; i++) {
          const PetscReal sign = i == it.columns.at[j + 1] - 1 ? -1 : 1;
          const PetscReal g = gradient[i] + sign * it.mu[it.columns.block[j]] * it.columns.F[i];
          rest += g * g;
        }
      fprintf(stderr, "%s: %g -> %g, %d iterations, decrement %g, gradient %g\n", losses[k], (double)sum_before,
              (double)sum, (int)result.iterations, (double)result.decrement, (double)(rest / scale));
      assert_true(sum < sum_before && result.iterations < 60 && result.done);
      assert_true(result.decrement <= 1e-13 && rest <= 1e-9 * scale);
      assert_true(Normal(&it.columns, it.columns.F) <= 1e-12);
      MUST(PetscFree(gradient));
      CaseDestroy(&it);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Preconditioner), cmocka_unit_test(Converges)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
