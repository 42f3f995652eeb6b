/* The objective of factors is that of their features; gradient and Hessian are its differences, for every smooth loss,
 * one and two branches, coarse and complete levels, patches that are kept and that are cut again. What the preconditioner
 * is made of is what its formula says. */
#include "lowrank_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#define BETA 0.3

typedef struct {
  LowrankSetting setting;
  PsdLevel coarse, level;
  PsdObjective objective;
  PsdColumns columns;
  PetscInt groups;
  PetscBool active[8];
} Case;

static void CaseCreate(PetscInt classes, PetscInt branches, const char loss[], size_t memory, PetscInt K,
                       PetscBool pixels, Case *at)
{
  *at = (Case){.setting = LowrankSettingCreate(classes, branches, loss, memory)};
  MUST(PsdLevelCreate(PETSC_COMM_WORLD, at->setting.matrix, &at->setting.components, K, memory, &at->level));
  if (pixels) {
    at->coarse = at->level;
    MUST(PsdLevelCreateComplete(at->coarse, 2, memory, &at->level));
  }
  at->columns = SampleColumns(&at->setting, at->level, 0.4, 7);
  MUST(PsdObjectiveCreate(at->setting.problem, &at->objective));
  MUST(PsdObjectiveSet(at->objective, at->level, &at->columns, BETA));
  at->groups = PsdObjectiveGroups(at->objective);
  for (PetscInt k = 0; k < at->groups; k++) at->active[k] = PETSC_TRUE;
}

static void CaseDestroy(Case *it)
{
  MUST(PsdObjectiveDestroy(&it->objective));
  MUST(PsdColumnsDestroy(&it->columns));
  MUST(PsdLevelDestroy(&it->level));
  MUST(PsdLevelDestroy(&it->coarse));
  LowrankSettingDestroy(&it->setting);
}

static PetscReal Total(Case *it, const PetscReal F[], PetscReal gradient[])
{
  PetscReal value[8], sum = 0;
  MUST(PsdObjectiveEvaluate(it->objective, PETSC_TRUE, it->active, F, value, gradient));
  for (PetscInt k = 0; k < it->groups; k++) sum += value[k];
  return sum;
}

/* L of the scores <Phi, S> of all images plus beta sum w^2, from lifted features */
static PetscReal FromFeatures(Case *it)
{
  const PsdProblem problem = it->setting.problem;
  const PsdBlocks blocks = problem->blocks;
  const PsdColumns *columns = &it->columns;
  PetscReal *moments, *phi, *u, sum = 0, yhat[8];
  const unsigned char *images;
  PetscInt bytes = (PetscInt)(image_size[0] * image_size[1] * image_size[2]);
  MUST(PetscMalloc3(PsdPatchesMomentsLength(it->setting.patches), &moments, blocks->D, &phi, blocks->d_max, &u));
  MUST(PsdDataGetShard(it->setting.data, &images, NULL, NULL));
  for (PetscInt i = 0; i < problem->n_local; i++) {
    for (PetscInt t = 0; t < blocks->C; t++) yhat[t] = 0;
    MUST(PsdPatchesMoments(it->setting.patches, images + i * bytes, moments));
    MUST(PsdPatchesLift(it->setting.patches, problem->activation, moments, phi));
    for (PetscInt j = 0; j < columns->count; j++) {
      const PetscInt g = PsdBlockRegion(columns, columns->block[j]), t = PsdBlockClass(columns, columns->block[j]);
      const PetscInt d = blocks->region[g].d;
      const PetscReal *svec = phi + blocks->region[g].at;
      MUST(PsdLevelToPatches(it->level, g, 1, columns->F + columns->at[j], columns->K[g], u, d - 1));
      u[d - 1] = columns->F[columns->at[j + 1] - 1];
      for (PetscInt c = 0; c < d; c++)
        for (PetscInt r = 0; r <= c; r++)
          yhat[t] += PsdBlockSign(columns->block[j]) * *svec++ * u[r] * u[c] * (r < c ? PETSC_SQRT2 : 1);
    }
    sum += (*problem->loss.ops->value)(&problem->loss, 1, blocks->C, yhat, problem->Y + i * blocks->C);
  }
  MUST(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  for (PetscInt j = 0; j < columns->count; j++) {
    const PetscReal w = columns->F[columns->at[j + 1] - 1];
    sum += BETA * w * w;
  }
  MUST(PetscFree3(moments, phi, u));
  return sum;
}

static void CheckDerivatives(Case *it)
{
  const size_t length = it->columns.at[it->columns.count];
  const PetscReal step = 1e-4,
                  exact = PsdLevelIsComplete(it->level) ? 1e-12 : 1e-6; /* a coarse level rounds its patches */
  PetscReal *gradient, *direction, *moved, *before, *after, *product, value[8];
  MUST(PetscMalloc6(length, &gradient, length, &direction, length, &moved, length, &before, length, &after, length,
                    &product));
  Fill(11, length, direction);
  const PetscReal here = Total(it, it->columns.F, gradient), expected = FromFeatures(it);
  assert_true(PetscAbsReal(here - expected) <= exact * expected);

  /* single precision says the same, roughly */
  MUST(PsdObjectiveEvaluate(it->objective, PETSC_FALSE, it->active, it->columns.F, value, before));
  PetscReal sum = 0, distance = 0, size = 0;
  for (PetscInt k = 0; k < it->groups; k++) sum += value[k];
  for (size_t k = 0; k < length; k++) {
    distance += (before[k] - gradient[k]) * (before[k] - gradient[k]);
    size += gradient[k] * gradient[k];
  }
  assert_true(PetscAbsReal(sum - here) <= 1e-5 * here && distance <= 1e-10 * size && size > 0);
  MUST(PsdObjectiveHessian(it->objective, it->active, it->columns.F, direction, product));

  PetscReal slope = 0;
  for (size_t k = 0; k < length; k++) slope += gradient[k] * direction[k];
  for (size_t k = 0; k < length; k++) moved[k] = it->columns.F[k] + step * direction[k];
  const PetscReal above = Total(it, moved, after);
  for (size_t k = 0; k < length; k++) moved[k] = it->columns.F[k] - step * direction[k];
  const PetscReal below = Total(it, moved, before);
  const PetscReal size_of_slope = PetscSqrtReal(size * PsdSquare((PetscInt)length, direction));
  assert_true(PetscAbsReal((above - below) / (2 * step) - slope) <= 1e-6 * size_of_slope);
  distance = size = 0;
  for (size_t k = 0; k < length; k++) {
    const PetscReal difference = (after[k] - before[k]) / (2 * step);
    distance += (difference - product[k]) * (difference - product[k]);
    size += difference * difference;
  }
  assert_true(distance <= 1e-10 * size && size > 0);
  MUST(PetscFree6(gradient, direction, moved, before, after, product));
}

static void Derivatives(void **state)
{
  (void)state;
  static const char *const losses[] = {"squared", "logistic", "softmax", "huber"};
  for (int k = 0; k < 4; k++)
    for (PetscInt branches = 1; branches <= 2; branches++)
      for (PetscInt classes = 2; classes <= 3; classes++)
        for (int kind = 0; kind < 3; kind++) {
          Case it;
          CaseCreate(classes, branches, losses[k], kind % 2 ? 0 : SIZE_MAX, 2 + (kind == 2), kind == 1, &it);
          CheckDerivatives(&it);
          CaseDestroy(&it);
        }
}

/* Groups that are not active are left as they are. */
static void Groups(void **state)
{
  (void)state;
  Case it;
  CaseCreate(3, 2, "logistic", SIZE_MAX, 3, PETSC_FALSE, &it);
  const size_t length = it.columns.at[it.columns.count];
  PetscReal *all, *some, *moved, value[8], partly[8] = {-1, -1, -1};
  MUST(PetscMalloc3(length, &all, length, &some, length, &moved));
  for (size_t k = 0; k < length; k++) {
    some[k] = -7;
    moved[k] = 2 * it.columns.F[k];
  }
  MUST(PsdObjectiveEvaluate(it.objective, PETSC_TRUE, it.active, it.columns.F, value, all));
  it.active[1] = PETSC_FALSE;
  /* class 1 is where it was, whatever its factors are said to be */
  for (PetscInt j = 0; j < it.columns.count; j++)
    if (PsdObjectiveGroupOf(it.objective, j) != 1)
      for (size_t k = it.columns.at[j]; k < it.columns.at[j + 1]; k++) moved[k] = it.columns.F[k];
  MUST(PsdObjectiveEvaluate(it.objective, PETSC_TRUE, it.active, moved, partly, some));
  assert_true(partly[0] == value[0] && partly[1] == -1 && partly[2] == value[2]);
  for (PetscInt j = 0; j < it.columns.count; j++)
    for (size_t k = it.columns.at[j]; k < it.columns.at[j + 1]; k++)
      assert_true(PsdObjectiveGroupOf(it.objective, j) == 1 ? some[k] == -7 : PetscAbsReal(some[k] - all[k]) <= 1e-12);
  MUST(PetscFree3(all, some, moved));
  CaseDestroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Derivatives), cmocka_unit_test(Groups)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
