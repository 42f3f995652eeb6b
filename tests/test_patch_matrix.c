/* The lifted feature that is made of a sample's patches is the one made of its moments, for one branch and for two that
 * differ in everything, with and without a transform; patches that are cut again at each pass are those that are kept. */
#include "problem_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "problem/patch_matrix.h"

typedef struct {
  PsdPatchMatrix matrix;
  const PetscInt *count, *f;
  PetscInt G;
  PetscReal *phi; /* this rank's samples x D */
  PetscInt *at, D, calls;
} Lifted;

static PetscErrorCode LiftTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Lifted *it = context;
  const PetscReal a = activation[0], b = activation[1], c = activation[2];
  const PetscInt f = it->f[g], patches = it->count[g];
  for (PetscInt i = first; i < first + count; i++) {
    PetscReal *phi = it->phi + i * it->D + it->at[g];
    for (PetscInt l = 0; l < patches; l++, x += f) {
      PetscReal *to = phi;
      for (PetscInt column = 0; column < f; column++)
        for (PetscInt row = 0; row <= column; row++)
          *to++ += a * x[row] * x[column] * (row < column ? PETSC_SQRT2 : 1) / (PetscReal)patches;
      for (PetscInt row = 0; row < f; row++) *to++ += b / PETSC_SQRT2 * x[row] / (PetscReal)patches;
      *to = c;
    }
  }
  it->calls++;
  PetscFunctionReturn(0);
}

static Lifted Lift(const Setting *it, size_t memory)
{
  Lifted lifted = {.D = it->problem->blocks->D};
  PetscInt n;
  MUST(PsdPatchMatrixCreate(it->data, it->patches, activation, memory, &lifted.matrix));
  PsdPatchMatrixGetSizes(lifted.matrix, &n, &lifted.G, &lifted.count, &lifted.f);
  MUST(PetscMalloc1(lifted.G, &lifted.at));
  for (PetscInt g = 0; g < lifted.G; g++) lifted.at[g] = it->problem->blocks->region[g].at;
  MUST(PetscCalloc1(n * lifted.D, &lifted.phi));
  MUST(PsdPatchMatrixPass(lifted.matrix, LiftTile, &lifted));
  return lifted;
}

static void LiftedDestroy(Lifted *it)
{
  MUST(PetscFree(it->phi));
  MUST(PetscFree(it->at));
  MUST(PsdPatchMatrixDestroy(&it->matrix));
}

/* Two branches: whole regions of small patches, whitened, and one region of wide ones. */
static Setting TwoKinds(void)
{
  static const PetscInt labels[] = {3, 0, 5};
  Setting it;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, 3, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  MUST(PsdPatchesSetBranches(it.patches, 2));
  for (PetscInt k = 0; k < 2; k++) {
    PsdPatches branch;
    MUST(PsdPatchesGetBranch(it.patches, k, &branch));
    branch->geometry.patch_height = 2;
    branch->geometry.patch_width = k ? 4 : 2;
    branch->geometry.pool = k ? 1 : 2;
    branch->whiten = k ? 0 : 0.1;
    branch->pca = k ? 0 : 3;
    branch->recipe = PETSC_FALSE;
  }
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  it.problem->request.beta_rel = 0.1;
  MUST(PsdProblemSetUp(it.problem));
  MUST(PsdFeaturesGatherStatistics(it.problem->features));
  LiftAll(&it);
  return it;
}

static void Compare(Setting *it)
{
  PetscInt n, first;
  const PetscReal *norm, *error, *norm_again, *error_again;
  MUST(PsdDataGetSizes(it->data, NULL, &n, &first));
  PsdPatchTileBytes = 1000;
  Lifted kept = Lift(it, SIZE_MAX), streamed = Lift(it, 0);
  const PsdBlocks blocks = it->problem->blocks;
  assert_non_null(PsdPatchMatrixGetRegion(kept.matrix, 0));
  assert_null(PsdPatchMatrixGetRegion(streamed.matrix, 0));
  assert_true(n <= 1 || kept.calls > kept.G); /* several tiles */
  assert_memory_equal(kept.phi, streamed.phi, n * kept.D * sizeof(PetscReal));
  MUST(PsdPatchMatrixGetBounds(kept.matrix, &norm, &error));
  MUST(PsdPatchMatrixGetBounds(streamed.matrix, &norm_again, &error_again));
  assert_memory_equal(norm, norm_again, n * kept.G * sizeof(PetscReal));
  assert_memory_equal(error, error_again, n * kept.G * sizeof(PetscReal));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt g = 0; g < kept.G; g++) {
      const PsdShape shape = blocks->region[g];
      const PetscReal *phi = it->Phi + (first + i) * kept.D + shape.at, *found = kept.phi + i * kept.D + shape.at;
      PetscReal distance = 0, size = 0;
      for (PetscInt k = 0; k < shape.m; k++) {
        distance += (phi[k] - found[k]) * (phi[k] - found[k]);
        size += phi[k] * phi[k];
      }
      assert_true(PetscSqrtReal(distance) <= 1e-13 * PetscSqrtReal(size));
      assert_true(PetscSqrtReal(size) <= norm[i * kept.G + g] * (1 + 1e-14));
      assert_true(error[i * kept.G + g] > 0 && error[i * kept.G + g] <= 1e-13 * norm[i * kept.G + g]);
    }
  LiftedDestroy(&kept);
  LiftedDestroy(&streamed);
}

static void OneBranch(void **state)
{
  (void)state;
  Setting it = SettingCreate(2, 0.1);
  Compare(&it);
  SettingDestroy(&it);
}

static void Branches(void **state)
{
  (void)state;
  Setting it = TwoKinds();
  Compare(&it);
  SettingDestroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OneBranch), cmocka_unit_test(Branches)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
