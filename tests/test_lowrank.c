/* The low-rank solver finds the optimum that ADMM finds, of every smooth loss, with one branch and two, with and without a
 * coarse level, from nothing, from a network and from another beta; from beta_max on it is the network without neurons. */
#include "problem_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "lowrank/lowrank.h"
#include "types/solver_table.h"

#define GAP 1e-8

typedef struct {
  PetscInt classes, branches;
  const char *loss;
  PetscReal beta_rel;
  PetscInt coarse; /* components of the coarse level; 0: none is needed */
} Instance;

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
} Run;

static Run RunCreate(const Instance *instance, const char type[])
{
  static const PetscInt labels[] = {3, 0, 5};
  Run it;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, instance->classes, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  if (instance->branches > 1) MUST(PsdPatchesSetBranches(it.patches, instance->branches));
  for (PetscInt k = 0; k < instance->branches; k++) {
    PsdPatches branch;
    MUST(PsdPatchesGetBranch(it.patches, k, &branch));
    branch->geometry.patch_height = k ? 5 : 2;
    branch->geometry.patch_width = k ? 6 : 2;
    branch->geometry.pool = k ? 1 : 2;
    branch->recipe = PETSC_FALSE;
  }
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  MUST(PsdProblemSetLoss(it.problem, instance->loss, 0));
  it.problem->request.beta_noise = 0;
  it.problem->request.beta_rel = instance->beta_rel;
  MUST(PsdProblemSetUp(it.problem));
  MUST(PsdSolverCreate(it.problem, &it.solver));
  MUST(PsdSolverSetType(it.solver, type));
  for (PetscInt k = 0; instance->coarse && PsdSolverTable[k]; k++)
    if (it.solver->asked == PsdSolverTable[k] && !strcmp(type, "lowrank"))
      ((PsdLowrank)it.solver->candidate[k])->settings.coarse = instance->coarse;
  MUST(PsdSolverSetTolerances(it.solver, GAP, 300));
  MUST(PsdSolverSetUp(it.solver));
  return it;
}

static void RunDestroy(Run *it)
{
  MUST(PsdSolverDestroy(&it->solver));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

/* Of two certificates of one program, each holds for the network of the other. */
static void AssertAlike(const PsdCertificate *a, const PsdCertificate *b)
{
  const PetscReal upper = PetscMin(a->primal, b->primal);
  assert_true(a->dual <= upper * (1 + 1e-12) && b->dual <= upper * (1 + 1e-12));
  assert_true(PetscAbsReal(a->primal - b->primal) <= 2 * GAP * upper);
}

static void Compare(const Instance *instance)
{
  Run admm = RunCreate(instance, "admm"), lowrank = RunCreate(instance, "lowrank");
  PsdCertificate a, b;
  PsdSolverStatus status;
  PsdSolverReason reason;
  assert_true(PetscAbsReal(admm.problem->beta / lowrank.problem->beta - 1) < 1e-12);
  MUST(PsdSolverSolve(admm.solver, &a));
  MUST(PsdSolverSolve(lowrank.solver, &b));
  MUST(PsdSolverGetStatus(lowrank.solver, &status, &reason));
  fprintf(stderr,
          "%s %d classes %d branches %g coarse %d: admm %.12g gap %.1e, lowrank %.12g gap %.1e (%d iterations, %d "
          "neurons)\n",
          instance->loss, (int)instance->classes, (int)instance->branches, (double)instance->beta_rel,
          (int)instance->coarse, (double)a.primal, (double)a.gap, (double)b.primal, (double)b.gap,
          (int)status.iteration, (int)status.neurons);
  assert_true(reason == PSD_GAP_REACHED && b.gap <= GAP);
  AssertAlike(&a, &b);
  RunDestroy(&admm);
  RunDestroy(&lowrank);
}

static void SameAsAdmm(void **state)
{
  (void)state;
  static const Instance instances[] = {
      {2, 1, "squared", 1e-1, 0},  {3, 1, "squared", 1e-2, 0},  {3, 2, "squared", 1e-1, 0}, {2, 2, "squared", 1e-1, 6},
      {2, 1, "logistic", 1e-1, 0}, {3, 2, "logistic", 1e-1, 6}, {3, 1, "softmax", 1e-1, 0}, {3, 2, "softmax", 1e-1, 6},
      {2, 1, "softmax", 1e-2, 0},  {2, 1, "huber", 1e-1, 0},    {3, 2, "huber", 1e-1, 6},
  };
  for (size_t k = 0; k < sizeof(instances) / sizeof(*instances); k++) Compare(&instances[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SameAsAdmm)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
