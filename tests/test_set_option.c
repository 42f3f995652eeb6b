/*
   A program sets of one solver whatever an option sets, and nothing else of it; a checkpoint it may ask for without options.
*/
#include <psdnet.h>
#include "admm/admm.h"
#include "cone/cone_impl.h"
#include "consensus/consensus.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define ADMM 0 /* its place in the table of types */

typedef struct {
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
} Bundle;

static Bundle Create(void)
{
  Bundle it;
  assert_int_equal(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches), 0);
  assert_int_equal(PsdProblemCreate(NULL, it.patches, &it.problem), 0);
  assert_int_equal(PsdSolverCreate(it.problem, &it.solver), 0);
  return it;
}

static void Destroy(Bundle *it)
{
  assert_int_equal(PsdSolverDestroy(&it->solver), 0);
  assert_int_equal(PsdProblemDestroy(&it->problem), 0);
  assert_int_equal(PsdPatchesDestroy(&it->patches), 0);
}

/* Every number and word that options of the solver set. */
typedef struct {
  double number[10];
  const char *word[3];
} Settings;

static Settings SettingsOf(PsdSolver solver)
{
  const PsdAdmm admm = solver->candidate[ADMM];
  const PsdAdmmSettings *s = &admm->settings;
  const PsdConsensusKernel *kernel = PsdConsensusGetKernel(admm->consensus);
  return (Settings){{solver->settings.gap, (double)solver->settings.max_it, solver->settings.time_limit, s->rho,
                     s->sigma, s->relaxation, (double)s->check_every, s->screening, s->precision,
                     (double)admm->cone->choice + 1e3 * admm->cone->driver},
                    {admm->cone->eps_type ? admm->cone->eps_type : "", kernel ? kernel->name : "",
                     solver->asked ? solver->asked->name : ""}};
}

static int Same(Settings a, Settings b)
{
  int same = 1;
  for (int k = 0; k < 10; k++) same &= a.number[k] == b.number[k];
  for (int k = 0; k < 3; k++) same &= !strcmp(a.word[k], b.word[k]);
  return same;
}

static const char *const options[][2] = {
    {"-gap", "1e-3"},         {"-max_it", "17"},           {"-time_limit", "60"},     {"-rho", "0.5"},
    {"-sigma", "2"},          {"-relaxation", "1.25"},     {"-check_every", "3"},     {"-screening", "no"},
    {"-cone", "partial"},     {"-cone_partial", "lobpcg"}, {"-cone_lapack", "syevr"}, {"-consensus", "scalapack"},
    {"-precision", "double"}, {"-solver", "admm"},         {"-coarse", "99"}};
#define OPTIONS (sizeof(options) / sizeof(*options))

/* One after the other they do what the option alone does, and leave what was set before. */
static void TestEachDoesWhatItsOptionDoes(void **state)
{
  Bundle set = Create();
  Settings before = SettingsOf(set.solver);
  (void)state;
  for (size_t k = 0; k < OPTIONS - 1; k++) { /* the last is of another type */
    assert_int_equal(PsdSolverSetOption(set.solver, options[k][0], options[k][1]), 0);
    const Settings now = SettingsOf(set.solver);
    if (Same(now, before)) fail_msg("%s sets nothing", options[k][0]);
    before = now;
  }
  Bundle read = Create();
  for (size_t k = 0; k < OPTIONS - 1; k++) PetscOptionsSetValue(NULL, options[k][0], options[k][1]);
  assert_int_equal(PsdSolverSetFromOptions(read.solver), 0);
  assert_true(Same(SettingsOf(set.solver), SettingsOf(read.solver)));
  for (size_t k = 0; k < OPTIONS - 1; k++) PetscOptionsClearValue(NULL, options[k][0]);
  assert_int_equal(PsdSolverSetFromOptions(read.solver), 0); /* no option: as it is */
  assert_true(Same(SettingsOf(set.solver), SettingsOf(read.solver)));
  Destroy(&set);
  Destroy(&read);
}

/* The database does not see it, and an option of a type's own asks for the type. */
static void TestItIsOfOneSolverAlone(void **state)
{
  Bundle it = Create(), other = Create();
  PetscBool given;
  (void)state;
  assert_int_equal(PsdSolverSetOption(it.solver, options[OPTIONS - 1][0], options[OPTIONS - 1][1]), 0);
  assert_true(it.solver->suggested && !strcmp(it.solver->suggested->name, "lowrank"));
  assert_int_equal(PsdSolverSetFromOptions(other.solver), 0);
  assert_true(!other.solver->suggested);
  assert_int_equal(PetscOptionsHasName(NULL, NULL, "-coarse", &given), 0);
  assert_false(given);
  Destroy(&it);
  Destroy(&other);
}

static void AssertRefused(PsdSolver solver, const char option[], const char value[], const char words[])
{
  assert_int_equal(PsdSolverSetOption(solver, option, value), PSD_ERR_INPUT);
  if (!strstr(PsdErrorMessage(), words)) fail_msg("'%s', expected '%s'", PsdErrorMessage(), words);
}

static void TestWhatIsRefused(void **state)
{
  Bundle it = Create();
  const Settings before = SettingsOf(it.solver);
  (void)state;
  AssertRefused(it.solver, "-rho", "-1", "-rho: found '-1', expected a number of at least 0");
  AssertRefused(it.solver, "-rho", NULL, "-rho: expected a value");
  AssertRefused(it.solver, "rho", "1", "option rho is none");
  AssertRefused(it.solver, "-patch", "4", "option -patch is none");
  AssertRefused(it.solver, "-consensus", "none", "expected one of auto|root|scalapack|dual");
  assert_true(Same(before, SettingsOf(it.solver)));
  assert_int_equal(PsdSolverSetType(it.solver, "barrier"), 0);
  AssertRefused(it.solver, "-coarse", "7", "-coarse is for -solver lowrank");
  assert_int_equal(PsdOptionsCheckUnknown(), 0);
  Destroy(&it);
}

static void TestCheckpointsNeedNoOptions(void **state)
{
  static char long_name[2 * PETSC_MAX_PATH_LEN];
  Bundle it = Create();
  const PsdCheckpoint *checkpoint = &it.solver->checkpoint;
  (void)state;
  memset(long_name, 'a', sizeof(long_name) - 1);
  assert_int_equal(PsdSolverSetCheckpoint(it.solver, long_name, 60, PETSC_FALSE, PETSC_FALSE), PSD_ERR_INPUT);
  assert_int_equal(PsdSolverSetCheckpoint(it.solver, "run.ck", -1, PETSC_FALSE, PETSC_FALSE), PSD_ERR_INPUT);
  assert_int_equal(PsdSolverSetCheckpoint(it.solver, "run.ck", 7, PETSC_TRUE, PETSC_TRUE), 0);
  assert_int_equal(PsdSolverSetCheckpointFromOptions(it.solver), 0); /* says nothing of it */
  assert_string_equal(checkpoint->path, "run.ck");
  assert_string_equal(checkpoint->gram_path, "run.ck.gram");
  assert_true(checkpoint->every == 7 && checkpoint->resume);
  assert_int_equal(PsdSolverSetCheckpoint(it.solver, NULL, 7, PETSC_FALSE, PETSC_FALSE), 0);
  assert_true(!checkpoint->path[0] && !checkpoint->gram_path[0] && !checkpoint->resume);
  Destroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestEachDoesWhatItsOptionDoes),
                                     cmocka_unit_test(TestItIsOfOneSolverAlone), cmocka_unit_test(TestWhatIsRefused),
                                     cmocka_unit_test(TestCheckpointsNeedNoOptions)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
