/* Preconditioned directions are tangential, and the preconditioner is symmetric and positive; Newton's method, over all filters or
 * in spans, ends where the gradient vanishes; in a span values and gradients are those of the filters that it has. */
#include "lowrank_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "lowrank/newton.h"
#include "lowrank/precondition.h"
#include "lowrank/span.h"
#include <float.h>

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

typedef PetscErrorCode (*Solver)(PsdObjective, PsdLevel, PsdColumns *, PetscReal, const PsdNewtonSettings *,
                                 PsdNewtonState *);

/* The decrement says what the tangential gradient is; the value falls, and the constraint is kept. */
static void ConvergesBy(Solver solve)
{
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
      MUST((*solve)(it.objective, it.level, &it.columns, BETA, &settings, &result));
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

static void Converges(void **state)
{
  (void)state;
  ConvergesBy(PsdNewtonSolve);
}

static void ConvergesInSpans(void **state)
{
  (void)state;
  ConvergesBy(PsdSpanSolve);
}

/* K_g/2 orthonormal filters of each region that look random, by Gram and Schmidt */
static void MakeFilters(PetscInt G, const PetscInt of_level[], PetscInt K[], PetscReal *B[])
{
  for (PetscInt g = 0; g < G; g++) {
    const PetscInt f = of_level[g];
    K[g] = f / 2;
    MUST(PetscMalloc1((size_t)f * K[g], &B[g]));
    Fill(20 + (uint64_t)g, (size_t)f * K[g], B[g]);
    for (PetscInt j = 0; j < K[g]; j++) {
      PetscReal *own = B[g] + (size_t)j * f;
      for (PetscInt i = 0; i <= j; i++) {
        const PetscReal *other = B[g] + (size_t)i * f;
        const PetscReal part = i < j ? Product(f, own, other) : 1 - 1 / PetscSqrtReal(Product(f, own, own));
        for (PetscInt k = 0; k < f; k++) own[k] -= part * other[k];
      }
    }
  }
}

/* outside <- B times the filters of inside */
static void FromSpan(const PetscInt K[], PetscReal *const B[], const PsdColumns *inside, const PsdColumns *outside)
{
  for (PetscInt j = 0; j < inside->count; j++) {
    const PetscInt g = PsdBlockRegion(inside, inside->block[j]), f = outside->K[g];
    const PetscReal *from = inside->F + inside->at[j];
    PetscReal *to = outside->F + outside->at[j];
    for (PetscInt k = 0; k < f; k++) {
      to[k] = 0;
      for (PetscInt i = 0; i < K[g]; i++) to[k] += B[g][(size_t)i * f + k] * from[i];
    }
    to[f] = from[K[g]];
  }
}

/* Samples in a span are in single precision: a product of f of them is off by f epsilon of its size at most. */
static void CheckSpan(Case *it)
{
  PetscInt G, K[8], most = 0;
  const PetscInt *of_level;
  PetscReal *B[8], value[8], inside_value[8], *gradient, *inside_gradient, size = 0;
  PsdLevel span;
  PsdLevelGetSizes(it->level, NULL, &G, &of_level, NULL);
  assert_true(G <= 8);
  MakeFilters(G, of_level, K, B);
  for (PetscInt g = 0; g < G; g++) most = PetscMax(most, of_level[g]);
  MUST(PsdLevelCreateSpan(it->level, K, B, &span));
  PsdColumns inside = SampleColumns(&it->setting, span, 0.4, 9);
  FromSpan(K, B, &inside, &it->columns);
  MUST(PetscMalloc2(it->columns.at[it->columns.count], &gradient, inside.at[inside.count], &inside_gradient));
  MUST(PsdObjectiveEvaluate(it->objective, PETSC_TRUE, it->active, it->columns.F, value, gradient));
  MUST(PsdObjectiveSet(it->objective, span, &inside, BETA));
  MUST(PsdObjectiveEvaluate(it->objective, PETSC_TRUE, it->active, inside.F, inside_value, inside_gradient));
  const PetscReal tolerance = 8 * (PetscReal)most * FLT_EPSILON;
  for (PetscInt k = 0; k < PsdObjectiveGroups(it->objective); k++)
    assert_true(PetscAbsReal(value[k] - inside_value[k]) <= tolerance * value[k]);
  for (size_t k = 0; k < inside.at[inside.count]; k++) size = PetscMax(size, PetscAbsReal(inside_gradient[k]));
  for (PetscInt j = 0; j < inside.count; j++) {
    const PetscInt g = PsdBlockRegion(&inside, inside.block[j]), f = of_level[g];
    for (PetscInt i = 0; i < K[g]; i++) {
      const PetscReal along = Product(f, B[g] + (size_t)i * f, gradient + it->columns.at[j]);
      assert_true(PetscAbsReal(along - inside_gradient[inside.at[j] + (size_t)i]) <= tolerance * size);
    }
  }
  MUST(PetscFree2(gradient, inside_gradient));
  MUST(PsdColumnsDestroy(&inside));
  for (PetscInt g = 0; g < G; g++) MUST(PetscFree(B[g]));
  MUST(PsdLevelDestroy(&span));
}

static void Spans(void **state)
{
  (void)state;
  for (PetscInt branches = 1; branches <= 2; branches++)
    for (int pixels = 0; pixels < 2; pixels++) {
      Case it;
      CaseCreate(3, branches, "squared", (PetscBool)pixels, &it);
      CheckSpan(&it);
      CaseDestroy(&it);
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Preconditioner), cmocka_unit_test(Converges),
                                     cmocka_unit_test(ConvergesInSpans), cmocka_unit_test(Spans)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
