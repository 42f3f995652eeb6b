/*
   Options with a prefix are those of the handles that have it, and of no others; messages name them as they were given.
*/
#include <psdnet.h>
#include "lowrank/lowrank.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { LOWRANK = 2 }; /* its place in the table of types */

static void Give(const char name[], const char value[])
{
  assert_int_equal(PetscOptionsSetValue(NULL, name, value), 0);
}

static void TestEachHandleHasItsOwn(void **state)
{
  PsdPatches patches[2];
  PsdProblem problem[2];
  PsdSolver solver[2];
  PsdPatchGeometry geometry;
  PetscReal gap, activation[3];
  PetscInt max_it;
  (void)state;
  Give("-gap", "1e-5"), Give("-inner_gap", "1e-2"), Give("-inner_max_it", "7");
  Give("-patch", "4"), Give("-inner_patch", "2x3"), Give("-inner_branches", "1");
  Give("-activation", "1,0,0"), Give("-inner_activation", "0.5,1,0");
  for (int k = 0; k < 2; k++) {
    assert_int_equal(PsdPatchesCreate(PETSC_COMM_WORLD, &patches[k]), 0);
    assert_int_equal(PsdProblemCreate(NULL, patches[k], &problem[k]), 0);
    assert_int_equal(PsdSolverCreate(problem[k], &solver[k]), 0);
  }
  assert_int_equal(PsdPatchesSetOptionsPrefix(patches[1], "inner_"), 0);
  assert_int_equal(PsdProblemSetOptionsPrefix(problem[1], "inner_"), 0);
  assert_int_equal(PsdSolverSetOptionsPrefix(solver[1], "other_"), 0);
  assert_int_equal(PsdSolverSetOptionsPrefix(solver[1], "inner_"), 0);
  for (int k = 1; k >= 0; k--) {
    assert_int_equal(PsdPatchesSetFromOptions(patches[k]), 0);
    assert_int_equal(PsdProblemSetFromOptions(problem[k]), 0);
    assert_int_equal(PsdSolverSetFromOptions(solver[k]), 0);
    assert_int_equal(PsdPatchesGetGeometry(patches[k], &geometry), 0);
    assert_int_equal(geometry.patch_height, k ? 2 : 4);
    assert_int_equal(geometry.patch_width, k ? 3 : 4);
    assert_int_equal(PsdProblemGetActivation(problem[k], activation), 0);
    assert_int_equal(PsdSolverGetTolerances(solver[k], &gap, &max_it), 0);
    assert_true(gap == (k ? 1e-2 : 1e-5));
    assert_int_equal(max_it, k ? 7 : 5000);
  }
  for (int k = 0; k < 2; k++) {
    assert_int_equal(PsdSolverDestroy(&solver[k]), 0);
    assert_int_equal(PsdProblemDestroy(&problem[k]), 0);
    assert_int_equal(PsdPatchesDestroy(&patches[k]), 0);
  }
}

/* After an error as well the next handle reads its own. */
static void TestMessagesNameThem(void **state)
{
  PsdData data, plain;
  (void)state;
  assert_int_equal(PsdDataCreate(PETSC_COMM_WORLD, &data), 0);
  assert_int_equal(PsdDataCreate(PETSC_COMM_WORLD, &plain), 0);
  assert_int_equal(PsdDataSetOptionsPrefix(data, "inner_"), 0);
  Give("-inner_limit", "none");
  assert_int_equal(PsdDataSetFromOptions(data), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "-inner_limit: found 'none'"));
  assert_int_equal(PsdDataSetFromOptions(plain), 0);
  Give("-inner_limit", "3");
  assert_int_equal(PsdDataSetFromOptions(data), 0);
  Give("-inner_limot", "3");
  assert_int_equal(PsdOptionsCheckUnknown(), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "-inner_limot; did you mean -inner_limit?"));
  assert_int_equal(PetscOptionsClearValue(NULL, "-inner_limot"), 0);
  assert_int_equal(PsdOptionsCheckUnknown(), 0);
  assert_int_equal(PsdDataSetOptionsPrefix(data, "-inner_"), PSD_ERR_INPUT);
  assert_int_equal(PsdDataDestroy(&data), 0);
  assert_int_equal(PsdDataDestroy(&plain), 0);
}

/* The type of the solver that an option belongs to is suggested by the handle's own options alone. */
static void TestAnotherTypesOptions(void **state)
{
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  (void)state;
  assert_int_equal(PsdPatchesCreate(PETSC_COMM_WORLD, &patches), 0);
  assert_int_equal(PsdProblemCreate(NULL, patches, &problem), 0);
  assert_int_equal(PsdSolverCreate(problem, &solver), 0);
  Give("-rho", "1"), Give("-second_solver", "lowrank");
  assert_int_equal(PsdSolverSetOptionsPrefix(solver, "second_"), 0);
  assert_int_equal(PsdSolverSetFromOptions(solver), 0);
  assert_int_equal(PsdSolverSetOption(solver, "-coarse", "99"), 0); /* without a prefix, as it is this solver's alone */
  assert_int_equal(((PsdLowrank)solver->candidate[LOWRANK])->settings.coarse, 99);
  Give("-second_rho", "1");
  assert_int_equal(PsdSolverSetFromOptions(solver), PSD_ERR_INPUT);
  assert_int_equal(PsdSolverDestroy(&solver), 0);
  assert_int_equal(PsdProblemDestroy(&problem), 0);
  assert_int_equal(PsdPatchesDestroy(&patches), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestEachHandleHasItsOwn), cmocka_unit_test(TestMessagesNameThem),
                                     cmocka_unit_test(TestAnotherTypesOptions)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
