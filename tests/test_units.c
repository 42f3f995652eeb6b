/* Units: the power of two makes the numbers of a feature of the order of 1, whatever the activation and the pixels are; it moves with
   them exactly, is 1 for the defaults, and what cannot be carried through is refused. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/base.h"
#include "patches/patches_impl.h"
#include "patches/transform.h"
#include "problem/units.h"

static const PetscReal usual[3] = {0.09, 0.5, 0.47};

static PsdPatches PatchesOf(PetscReal shift, PetscReal scale, PetscReal normalize, PetscReal whiten)
{
  PsdPatches patches;
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  patches->geometry.pixel_shift = shift;
  patches->geometry.pixel_scale = scale;
  patches->geometry.normalize = normalize;
  patches->whiten = whiten;
  MUST(PsdPatchesSetImageSize(patches, 1, 8, 8));
  return patches;
}

static int Exponent(PsdPatches patches, const PetscReal activation[3])
{
  PsdUnits units;
  MUST(PsdUnitsFind(patches, activation, &units));
  return units.exponent;
}

static void OneForTheDefaults(void **state)
{
  const PetscReal whiten[] = {0, 0.01, 0.1}, normalize[] = {0, 100};
  (void)state;
  for (size_t k = 0; k < 3; k++) {
    for (size_t l = 0; l < 2; l++) {
      PsdPatches patches = PatchesOf(128, 255, normalize[l], whiten[k]);
      assert_int_equal(Exponent(patches, usual), 0);
      MUST(PsdPatchesDestroy(&patches));
    }
  }
}

/* the largest of |a| x^2, |b| x, |c| in the program's units is in [1/4, 1): a power of two above x may be twice x */
static void FeaturesAreOfOrderOne(void **state)
{
  const PetscReal activations[][3] = {{1e-16, 0, 0},   {1e80, 0, 0},  {-3, 1e5, 2},
                                      {0, -1e-100, 0}, {0, 1e-3, -7}, {1e-40, 1e-20, 0}};
  const PetscReal scales[] = {1e-25, 0.3, 255, 1e25};
  (void)state;
  for (size_t s = 0; s < sizeof(scales) / sizeof(*scales); s++) {
    PsdPatches patches = PatchesOf(0, scales[s], 0, 0);
    const PetscReal x = 255 / scales[s];
    for (size_t k = 0; k < sizeof(activations) / sizeof(*activations); k++) {
      const PetscReal *a = activations[k];
      const PsdUnits units = {.exponent = Exponent(patches, a)};
      const PetscReal largest =
          PetscMax(PetscMax(PetscAbsReal(a[0]) * x * x, PetscAbsReal(a[1]) * x), PetscAbsReal(a[2]));
      const PetscReal ours = PsdToUnits(units, PSD_UNIT_FEATURE, largest);
      assert_true(ours > 0.124 && ours < 1);
    }
    MUST(PsdPatchesDestroy(&patches));
  }
}

static void MovesWithTheActivation(void **state)
{
  PsdPatches patches = PatchesOf(100, 37, 0, 0);
  const int first = Exponent(patches, usual);
  (void)state;
  for (int k = -400; k <= 400; k += 7) {
    const PetscReal scaled[3] = {ldexp(usual[0], k), ldexp(usual[1], k), ldexp(usual[2], k)};
    assert_int_equal(Exponent(patches, scaled), first - k);
  }
  MUST(PsdPatchesDestroy(&patches));
}

/* pixels over 2^j with 2^2j a and 2^j b make the same features */
static void MovesWithThePixels(void **state)
{
  (void)state;
  for (int j = -100; j <= 100; j += 9) {
    const PetscReal scaled[3] = {ldexp(usual[0], 2 * j), ldexp(usual[1], j), usual[2]};
    PsdPatches patches = PatchesOf(128, ldexp(255, j), 0, 0);
    assert_int_equal(Exponent(patches, scaled), 0);
    MUST(PsdPatchesDestroy(&patches));
  }
}

/* a transform T for pixels over 2^j is 2^j T: patches of the program are the same */
static void TransformsUndoPixels(void **state)
{
  const Sample sample = {.geometry = {.channels = 1,
                                      .height = 8,
                                      .width = 8,
                                      .reduce = 1,
                                      .patch_height = 2,
                                      .patch_width = 2,
                                      .stride = 1,
                                      .pool = 1,
                                      .pixel_shift = 128,
                                      .pixel_scale = 255},
                         .f = 3,
                         .count = 2};
  PsdPatches patches = SamplePatches(&sample);
  PsdPatchRange range, scaled;
  (void)state;
  PsdPatchesGetRange(patches, &range);
  patches->geometry.pixel_scale = ldexp(patches->geometry.pixel_scale, 50);
  for (PetscInt k = 0; k < patches->q * patches->f; k++) patches->transform[k] = ldexp(patches->transform[k], 50);
  PsdPatchesGetRange(patches, &scaled);
  assert_true(scaled.x == range.x && range.x > 0);
  MUST(PsdPatchesDestroy(&patches));
}

static void ThereAndBack(void **state)
{
  const PsdUnits units = {.exponent = -77, .targets = 31, .degree = 1};
  (void)state;
  for (int unit = PSD_UNIT_FEATURE; unit <= PSD_UNIT_OBJECTIVE; unit++)
    assert_true(PsdFromUnits(units, (PsdUnit)unit, PsdToUnits(units, (PsdUnit)unit, 0.1)) == 0.1);
  assert_true(PsdIsRepresentable(1e300) && PsdIsRepresentable(1e-300));
  assert_false(PsdIsRepresentable(0) || PsdIsRepresentable(1e-310) || PsdIsRepresentable(INFINITY));
}

static int PowerOf(PsdUnits units, PsdUnit unit)
{
  return ilogb(PsdToUnits(units, unit, 1));
}

/* every product that the program knows: yhat = Phi S, the objective L + beta |alpha|, A'nu, nu y, rho ||S||^2, sigma
   yhat^2; and L has its degree */
static void ProductsAgree(void **state)
{
  (void)state;
  for (int degree = 1; degree <= 2; degree++) {
    for (int targets = -100; targets <= 100; targets += 25) {
      const PsdUnits units = {.exponent = -13, .targets = targets, .degree = degree};
      const int S = PowerOf(units, PSD_UNIT_WEIGHT), Phi = PowerOf(units, PSD_UNIT_FEATURE);
      const int yhat = PowerOf(units, PSD_UNIT_TARGET), nu = PowerOf(units, PSD_UNIT_SLOPE);
      const int L = PowerOf(units, PSD_UNIT_OBJECTIVE), beta = PowerOf(units, PSD_UNIT_BETA);
      assert_int_equal(Phi, -13);
      assert_int_equal(yhat, -targets);
      assert_int_equal(Phi + S, yhat);
      assert_int_equal(L, degree * yhat);
      assert_int_equal(beta + S, L);
      assert_int_equal(Phi + nu, beta);
      assert_int_equal(nu + yhat, L);
      assert_int_equal(PowerOf(units, PSD_UNIT_PENALTY) + 2 * S, L);
      assert_int_equal(PowerOf(units, PSD_UNIT_CURVATURE) + 2 * yhat, L);
    }
  }
}

static void TargetsAreOfOrderOne(void **state)
{
  const PetscReal largest[] = {1, 0.999, 1e-40, 5e33, 0.5};
  (void)state;
  for (size_t k = 0; k < sizeof(largest) / sizeof(*largest); k++) {
    PsdUnits units = {.exponent = 7};
    PsdUnitsFindTargets(largest[k], 2, &units);
    const PetscReal ours = PsdToUnits(units, PSD_UNIT_TARGET, largest[k]);
    assert_true(ours >= 0.5 && ours < 1 && units.exponent == 7);
  }
}

static void WhatIsOutOfRangeIsRefused(void **state)
{
  const struct {
    PetscReal scale, normalize, whiten, a;
  } cases[] = {{1e-160, 0, 0, 1},  {1e160, 0, 0, 1},   {1e-320, 0, 0, 1},  {255, 1e200, 0, 1},
               {255, 0, 1e200, 1}, {255, 0, 0, 1e150}, {255, 0, 0, 1e-150}};
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    PsdPatches patches = PatchesOf(128, cases[k].scale, cases[k].normalize, cases[k].whiten);
    const PetscReal activation[3] = {cases[k].a, 0, 0};
    PsdUnits units;
    assert_int_equal(PsdUnitsFind(patches, activation, &units), PSD_ERR_INPUT);
    MUST(PsdPatchesDestroy(&patches));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OneForTheDefaults),
                                     cmocka_unit_test(FeaturesAreOfOrderOne),
                                     cmocka_unit_test(MovesWithTheActivation),
                                     cmocka_unit_test(MovesWithThePixels),
                                     cmocka_unit_test(TransformsUndoPixels),
                                     cmocka_unit_test(ThereAndBack),
                                     cmocka_unit_test(ProductsAgree),
                                     cmocka_unit_test(TargetsAreOfOrderOne),
                                     cmocka_unit_test(WhatIsOutOfRangeIsRefused)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
