/* What a run gets that asks for nothing about patches: by the size of the images alone, and nothing as soon as one thing is asked for. */
#include "data_files.h"
#include <psdpatches.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct {
  PetscInt channels, side, patch, pool, pca;
} Choice;

static PsdPatches PatchesOf(PetscInt channels, PetscInt side)
{
  PsdPatches patches;
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  MUST(PsdPatchesSetFromOptions(patches));
  MUST(PsdPatchesSetImageSize(patches, channels, side, side));
  return patches;
}

static void BySizeOfTheImages(void **state)
{
  /* CIFAR, Fashion-MNIST; larger ones; ones that patches of 6 x 6 and pooling hardly fit in; single pixels */
  const Choice choices[] = {{3, 32, 6, 3, 32}, {1, 28, 5, 4, 0}, {3, 224, 6, 3, 32}, {4, 64, 6, 3, 32},
                            {1, 8, 4, 4, 0},   {3, 4, 2, 3, 0},  {1, 2, 1, 2, 0},    {1, 1, 1, 1, 0}};
  (void)state;
  for (size_t k = 0; k < sizeof(choices) / sizeof(*choices); k++) {
    const Choice *expected = &choices[k];
    PsdPatches patches = PatchesOf(expected->channels, expected->side);
    PsdPatchGeometry g;
    PetscReal whiten;
    PetscInt pca;
    MUST(PsdPatchesGetGeometry(patches, &g));
    MUST(PsdPatchesGetPreprocessing(patches, &whiten, &pca));
    assert_int_equal(g.patch_height, expected->patch);
    assert_int_equal(g.patch_width, expected->patch);
    assert_int_equal(g.stride, 1);
    assert_int_equal(g.pool, expected->pool);
    assert_int_equal(pca, expected->pca);
    /* a single number has no mean to take off */
    assert_true((g.normalize > 0) == (expected->channels * expected->patch > 1) && whiten > 0);
    MUST(PsdPatchesDestroy(&patches));
  }
}

static void NotWhenSomethingIsAskedFor(void **state)
{
  static const char *const asked[][2] = {{"-stride", "2"}, {"-pool_overlap", "1"}, {"-whiten", "0.1"}};
  (void)state;
  for (size_t k = 0; k < sizeof(asked) / sizeof(*asked); k++) {
    PsdPatchGeometry g;
    PetscInt pca;
    MUST(PetscOptionsSetValue(NULL, asked[k][0], asked[k][1]));
    PsdPatches patches = PatchesOf(3, 32);
    MUST(PetscOptionsClearValue(NULL, asked[k][0]));
    MUST(PsdPatchesGetGeometry(patches, &g));
    MUST(PsdPatchesGetPreprocessing(patches, NULL, &pca));
    assert_true(g.patch_height == 4 && g.pool == 1 && g.normalize == 0 && pca == 0);
    MUST(PsdPatchesDestroy(&patches));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(BySizeOfTheImages), cmocka_unit_test(NotWhenSomethingIsAskedFor)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
