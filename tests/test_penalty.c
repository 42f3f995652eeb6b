/* The penalty starts where the first step is of the size of beta; it changes only when it is due, by no more than the
 * limits of a step and of the whole run, and never by less than a factor of three; later it follows the bound that
 * lags. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "admm/penalty.h"

static PetscBool Near(PetscReal x, PetscReal y)
{
  return (PetscBool)(PetscAbsReal(x - y) <= 0.05 * y); /* two digits are kept */
}

static void OnlyAtItsIterations(void **state)
{
  (void)state;
  for (PetscInt iteration = 1; iteration <= 2000; iteration++) {
    PetscBool due = PETSC_FALSE;
    for (PetscInt k = 10; k <= 320; k *= 2) due = (PetscBool)(due || iteration == k);
    const PetscReal proposal = PsdPenaltyPropose(iteration - 1, iteration, 1, 1, 1e4, 1, PETSC_FALSE);
    assert_true(due ? proposal > 3 : proposal == 1);
  }
}

/* with checks that are far apart a change is made up for at the next one, once */
static void FirstCheckAfterItIsDue(void **state)
{
  (void)state;
  assert_true(PsdPenaltyPropose(0, 7, 1, 1, 1e4, 1, PETSC_FALSE) == 1);
  assert_true(PsdPenaltyPropose(7, 14, 1, 1, 1e4, 1, PETSC_FALSE) > 3);
  assert_true(PsdPenaltyPropose(14, 19, 1, 1, 1e4, 1, PETSC_FALSE) == 1);
  assert_true(PsdPenaltyPropose(20, 21, 1, 1, 1e4, 1, PETSC_FALSE) == 1);
  assert_true(PsdPenaltyPropose(0, 1000, 1, 1, 1e4, 1, PETSC_FALSE) > 3);
  assert_true(PsdPenaltyPropose(1000, 2000, 1, 1, 1e4, 1, PETSC_FALSE) == 1);
}

static void GrowsAndShrinks(void **state)
{
  (void)state;
  assert_true(Near(PsdPenaltyPropose(9, 10, 2, 2, 16, 1, PETSC_FALSE), 8));
  assert_true(Near(PsdPenaltyPropose(9, 10, 2, 2, 1, 16, PETSC_FALSE), 0.5));
}

static void NotWithinAFactorOfThree(void **state)
{
  (void)state;
  for (PetscReal ratio = 0.12; ratio < 8.9; ratio *= 1.07)
    assert_true(PsdPenaltyPropose(9, 10, 7, 7, ratio, 1, PETSC_FALSE) == 7);
  assert_true(PsdPenaltyPropose(9, 10, 7, 7, 9.6, 1, PETSC_FALSE) > 21);
  assert_true(PsdPenaltyPropose(9, 10, 7, 7, 0.1, 1, PETSC_FALSE) < 7. / 3);
}

static void AtMostAFactorOfFiveAStep(void **state)
{
  (void)state;
  for (PetscReal ratio = 30; ratio < 1e300; ratio *= 1e10) {
    assert_true(Near(PsdPenaltyPropose(39, 40, 3, 3, ratio, 1, PETSC_FALSE), 15));
    assert_true(Near(PsdPenaltyPropose(39, 40, 3, 3, 1, ratio, PETSC_FALSE), 0.6));
  }
}

static void WithinLimitsOfTheWholeRun(void **state)
{
  (void)state;
  PetscReal up = 1, down = 1;
  for (PetscInt k = 10; k <= 320; k *= 2) {
    up = PsdPenaltyPropose(k - 1, k, up, 1, 1e9, 1, PETSC_FALSE);
    down = PsdPenaltyPropose(k - 1, k, down, 1, 1, 1e9, PETSC_FALSE);
    assert_true(up <= 30.5 && down >= 0.095);
  }
  assert_true(up >= 10 && down <= 1. / 3);
}

static void NothingFromResidualsThatSayNothing(void **state)
{
  (void)state;
  assert_true(PsdPenaltyPropose(9, 10, 2, 2, 0, 1, PETSC_FALSE) == 2);
  assert_true(PsdPenaltyPropose(9, 10, 2, 2, 1, 0, PETSC_FALSE) == 2);
  assert_true(PsdPenaltyPropose(9, 10, 2, 2, 0, 0, PETSC_FALSE) == 2);
  assert_true(PsdPenaltyPropose(9, 10, 2, 2, NAN, 1, PETSC_FALSE) == 2);
  assert_true(PsdPenaltyPropose(9, 10, 2, 2, 1, NAN, PETSC_FALSE) == 2);
}

/* rounding of the residuals, as from another number of ranks, does not change the proposal */
static void RoundingDoesNotShow(void **state)
{
  (void)state;
  PetscInt differences = 0;
  for (PetscInt k = 0; k < 1000; k++) {
    const PetscReal ratio = 12 + 0.012345 * k;
    differences += PsdPenaltyPropose(9, 10, 3, 3, ratio, 1, PETSC_FALSE) !=
                   PsdPenaltyPropose(9, 10, 3, 3, ratio * (1 + 1e-12), 1, PETSC_FALSE);
  }
  assert_int_equal(differences, 0);
}

/* objective done, bound lagging: a smaller penalty; the other way round: a larger one; both moving: none */
static void FollowsTheBoundThatLags(void **state)
{
  (void)state;
  PsdBoundTrend trend = {0};
  assert_true(PsdPenaltyFollowBounds(&trend, 49, 1, 1, 20, 0, PETSC_FALSE) == 1);
  assert_true(PsdPenaltyFollowBounds(&trend, 50, 1, 1, 20, 0, PETSC_FALSE) == 1); /* the first look only notes */
  assert_true(PsdPenaltyFollowBounds(&trend, 90, 1, 1, 20, 5, PETSC_FALSE) == 1); /* not due */
  assert_false(trend.acted);
  assert_true(PsdPenaltyFollowBounds(&trend, 100, 1, 1, 15, 5, PETSC_FALSE) == 1); /* both moved */
  assert_false(trend.acted);
  assert_true(Near(PsdPenaltyFollowBounds(&trend, 150, 1, 1, 14.9, 7, PETSC_FALSE), 1. / 3));
  assert_true(trend.acted);
  assert_true(Near(PsdPenaltyFollowBounds(&trend, 225, 1, 1, 12, 7.1, PETSC_FALSE), 3));
}

/* no network yet: the objective lags, whatever has moved, and residuals are followed at once rather than by their root */
static void UntilThereIsANetwork(void **state)
{
  (void)state;
  PsdBoundTrend trend = {0};
  assert_true(PsdPenaltyFollowBounds(&trend, 50, 1, 1, 20, 0, PETSC_TRUE) == 1);
  assert_true(Near(PsdPenaltyFollowBounds(&trend, 100, 1, 1, 20, 7, PETSC_TRUE), 3));
  assert_true(PsdPenaltyPropose(10, 20, 1, 1, 4, 1, PETSC_FALSE) == 1);
  assert_true(Near(PsdPenaltyPropose(10, 20, 1, 1, 4, 1, PETSC_TRUE), 4));
  assert_true(PsdPenaltyPropose(0, 10, 1, 1, 4, 1, PETSC_TRUE) == 1); /* too early to tell */
}

static void FollowsBoundsWithinLimits(void **state)
{
  (void)state;
  PsdBoundTrend trend = {0};
  PetscReal rho = 1, smallest = 1, largest = 1;
  for (PetscInt iteration = 50; iteration < 1000000; iteration += 50) {
    rho = PsdPenaltyFollowBounds(&trend, iteration, rho, 1, 10, -1. / iteration, PETSC_FALSE);
    smallest = PetscMin(smallest, rho);
  }
  trend = (PsdBoundTrend){0};
  for (PetscInt iteration = 50; iteration < 1000000; iteration += 50) {
    rho = PsdPenaltyFollowBounds(&trend, iteration, rho, 1, 10 + 100. / iteration, 0, PETSC_FALSE);
    largest = PetscMax(largest, rho);
  }
  assert_true(smallest >= 0.03 && smallest < 0.1);
  assert_true(largest <= 30);
}

/* rho and sigma: together while their changes are alike, so that the ratio stays; each by itself when they are not */
static void BothTogetherOrAlone(void **state)
{
  (void)state;
  const PsdPenalties one = {1, 2};
  const PetscReal alike[2] = {4, 5}, apart[2] = {25, 0.04}, none[2] = {1, 1}, zero[2] = {0, 0}, little[2] = {1.5, 1.4};
  PsdPenalties next = PsdPenaltyProposeBoth(29, 30, one, one, alike, none, PETSC_FALSE);
  assert_true(Near(next.rho, PetscSqrtReal(PetscSqrtReal(20))) && PetscAbsReal(next.sigma / next.rho - 2) < 1e-14);
  next = PsdPenaltyProposeBoth(9, 10, one, one, apart, none, PETSC_FALSE);
  assert_true(Near(next.rho, 5) && Near(next.sigma, 0.4));
  /* apart, but no factorisation is due: what they have in common, which is nothing */
  next = PsdPenaltyProposeBoth(29, 30, one, one, apart, none, PETSC_FALSE);
  assert_true(next.rho == 1 && next.sigma == 2);
  next = PsdPenaltyProposeBoth(29, 30, one, one, little, none, PETSC_FALSE);
  assert_true(next.rho == 1 && next.sigma == 2);
  next = PsdPenaltyProposeBoth(329, 330, one, one, alike, none, PETSC_FALSE);
  assert_true(next.rho == 1 && next.sigma == 2);
  next = PsdPenaltyProposeBoth(29, 30, one, one, zero, none, PETSC_FALSE);
  assert_true(next.rho == 1 && next.sigma == 2);
}

static void BothWithinLimits(void **state)
{
  (void)state;
  const PsdPenalties initial = {1, 2};
  const PetscReal large[2] = {1e9, 1e9}, small[2] = {1, 1};
  PsdPenalties up = initial, down = initial;
  for (PetscInt k = 10; k <= 1000; k += 10) {
    const PsdPenalties before = up;
    up = PsdPenaltyProposeBoth(k - 1, k, up, initial, large, small, PETSC_FALSE);
    down = PsdPenaltyProposeBoth(k - 1, k, down, initial, small, large, PETSC_FALSE);
    assert_true(up.rho <= 5.05 * before.rho);
    assert_true(up.rho <= 31 && up.sigma <= 62 && down.rho >= 0.09 && down.sigma >= 0.18);
  }
  assert_true(up.rho > 10 && down.rho < 0.2);
}

/* rho ||(curvature G_P + rho/2 I)^-1 h|| of the spectrum */
static PetscReal ScaledNorm(const PsdSpectrum *spectrum, PetscReal curvature, PetscReal rho)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < spectrum->steps; k++)
    square += spectrum->weight[k] / PetscSqr(curvature * spectrum->node[k] + rho / 2);
  return rho * PetscSqrtReal(square);
}

/* It solves its equation, but for two digits; between its ends, where there is anything to solve it for. */
static void StartsWhereTheFirstStepIsOfTheSizeOfBeta(void **state)
{
  const PsdSpectrum spectrum = {.steps = 3, .node = {0.01, 3, 200}, .weight = {2, 5, 900}, .mean = 190};
  const PsdSpectrum nothing = {.steps = 0};
  (void)state;
  for (PetscReal beta = 1e-4; beta < 2; beta *= 3) {
    for (PetscReal curvature = 0.25; curvature <= 1; curvature *= 4) {
      const PetscReal rho = PsdPenaltyStart(&spectrum, curvature, 1e-9, beta, 9);
      assert_true(PetscAbsReal(ScaledNorm(&spectrum, curvature, rho) / (2.5 * beta * 3) - 1) < 0.07);
    }
  }
  assert_true(Near(PsdPenaltyStart(&spectrum, 1, 1e-3, 1e-30, 9), 1e-3));
  assert_true(Near(PsdPenaltyStart(&spectrum, 1, 1e-3, 1e30, 9), 190));
  assert_true(PsdPenaltyStart(&nothing, 1, 1e-3, 0.5, 9) == 1);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(StartsWhereTheFirstStepIsOfTheSizeOfBeta),
                                     cmocka_unit_test(OnlyAtItsIterations),
                                     cmocka_unit_test(FirstCheckAfterItIsDue),
                                     cmocka_unit_test(GrowsAndShrinks),
                                     cmocka_unit_test(NotWithinAFactorOfThree),
                                     cmocka_unit_test(AtMostAFactorOfFiveAStep),
                                     cmocka_unit_test(WithinLimitsOfTheWholeRun),
                                     cmocka_unit_test(NothingFromResidualsThatSayNothing),
                                     cmocka_unit_test(RoundingDoesNotShow),
                                     cmocka_unit_test(FollowsTheBoundThatLags),
                                     cmocka_unit_test(UntilThereIsANetwork),
                                     cmocka_unit_test(FollowsBoundsWithinLimits),
                                     cmocka_unit_test(BothTogetherOrAlone),
                                     cmocka_unit_test(BothWithinLimits)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
