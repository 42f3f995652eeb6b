/* The penalty starts where the first step is of the size of beta; it goes to the natural one from anywhere, then balances the parts of
 * the gap within limits, not before it is due, and settles whatever it is told. */
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

/* nothing to be seen: the natural penalties are those at hand, and the parts of the gap are alike */
static PsdPenaltyEvidence Quiet(PetscInt iteration, PetscReal gap)
{
  return (PsdPenaltyEvidence){
      .iteration = iteration, .natural = {1, 1}, .gap = gap, .open = 100 * gap, .parts = {1, 1}};
}

static const PsdPenalties one = {1, 1};

/* the ratio of norms, or nothing where it says nothing */
static void NaturalOfSizes(void **state)
{
  (void)state;
  assert_true(PetscAbsReal(PsdPenaltyNaturalRho(3e-200, 1e-100) / PsdPenaltyNaturalRho(3, 1) - 1e-100) < 1e-114);
  assert_true(PsdPenaltyNaturalRho(6, 2) == PsdPenaltyNaturalRho(3, 1));
  assert_true(PsdPenaltyNaturalSigma(6, 2) == PsdPenaltyNaturalSigma(3, 1));
  const PetscReal nothing[] = {0, -1, NAN};
  for (int k = 0; k < 3; k++) {
    assert_true(PsdPenaltyNaturalRho(nothing[k], 1) == 0 && PsdPenaltyNaturalRho(1, nothing[k]) == 0);
    assert_true(PsdPenaltyNaturalSigma(nothing[k], 1) == 0 && PsdPenaltyNaturalSigma(1, nothing[k]) == 0);
  }
  assert_true(PsdPenaltyNaturalRho(1e300, 1e-300) == 0 && PsdPenaltyNaturalRho(1e-300, 1e300) == 0);
}

/* from twelve orders of magnitude away the natural penalty is reached, within a factor of three, in a dozen changes */
static void GoesToTheNaturalPenalty(void **state)
{
  (void)state;
  for (PetscReal far = 1e-12; far < 1e13; far *= 1e24) {
    PsdPenaltyChanges changes = {0};
    PsdPenalties now = {far, 1 / far};
    for (PetscInt iteration = 10; iteration <= 1000; iteration += 10) {
      const PsdPenaltyEvidence evidence = Quiet(iteration, 1);
      now = PsdPenaltyPropose(&changes, &evidence, now);
    }
    assert_true(now.rho <= 3 && now.rho >= 1. / 3 && now.sigma <= 3 && now.sigma >= 1. / 3);
    assert_true(changes.count <= 12);
  }
}

static void StaysWhereItIsNatural(void **state)
{
  (void)state;
  for (PetscReal off = 0.34; off < 3; off *= 1.1) {
    PsdPenaltyChanges changes = {0};
    PsdPenaltyEvidence evidence = Quiet(30, 1);
    evidence.natural = (PsdPenalties){off, 1 / off};
    const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
    assert_true(next.rho == 1 && next.sigma == 1 && changes.count == 0);
  }
}

/* early, what is near reaches a little further where the parts of the gap ask for the opposite, but not beside a sigma */
static void StaysLongerWherePartsAskForTheOpposite(void **state)
{
  (void)state;
  const PetscReal off = 3.5; /* further than what is near where nothing is said against it */
  const struct {
    PsdPenalties natural;
    PsdGapParts parts;
    PetscBool stays;
  } cases[] = {{{1 / off, 0}, {2, 1}, PETSC_TRUE},   {{off, 0}, {1, 2}, PETSC_TRUE},
               {{1 / off, 0}, {1, 2}, PETSC_FALSE},  {{off, 0}, {2, 1}, PETSC_FALSE},
               {{1 / off, 1}, {2, 1}, PETSC_FALSE},  {{0.2, 0}, {2, 1}, PETSC_FALSE},
               {{1 / off, 0}, {NAN, 1}, PETSC_FALSE}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    PsdPenaltyChanges changes = {0};
    PsdPenaltyEvidence evidence = Quiet(20, 1);
    evidence.natural = cases[k].natural;
    evidence.parts = cases[k].parts;
    const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
    assert_true(cases[k].stays ? next.rho == 1 : Near(next.rho, cases[k].natural.rho));
  }
}

/* one of the two may be near and the other not; one that is not known stays */
static void EachByItsOwnSizes(void **state)
{
  (void)state;
  PsdPenaltyChanges changes = {0};
  PsdPenaltyEvidence evidence = Quiet(10, 1);
  evidence.natural = (PsdPenalties){0, 7};
  PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho == 1 && Near(next.sigma, 7));
  changes = (PsdPenaltyChanges){0};
  evidence.natural = (PsdPenalties){1. / 7, 1};
  next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(Near(next.rho, 1. / 7) && next.sigma == 1);
}

static void NotBeforeItIsDue(void **state)
{
  (void)state;
  PsdPenaltyChanges changes = {0};
  PetscInt last = 0, made = 0;
  PsdPenalties now = one;
  for (PetscInt iteration = 1; iteration <= 5000; iteration++) {
    PsdPenaltyEvidence evidence = Quiet(iteration, 1);
    evidence.natural.rho = 1e3 * now.rho;
    const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, now);
    if (next.rho == now.rho) continue;
    assert_true(iteration >= 10 && iteration - last >= PetscMax(10, last / 4));
    assert_true(Near(next.rho, 10 * now.rho));
    now = next;
    last = iteration;
    made++;
  }
  assert_true(made > 20);
}

/* late, the parts of the gap move both penalties by one factor; early they do not, nor when the gap is still open */
static void BalancesThePartsOfTheGap(void **state)
{
  (void)state;
  PsdPenaltyChanges changes = {0};
  PsdPenaltyEvidence evidence = Quiet(200, 1e-3);
  evidence.parts = (PsdGapParts){-64e-2, 1e-4};
  PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho > 2 && next.rho < 5 && next.rho == next.sigma);
  changes = (PsdPenaltyChanges){0};
  evidence.parts = (PsdGapParts){64e-3, 1e-4}; /* the primal part comes down by itself */
  assert_true(PsdPenaltyPropose(&changes, &evidence, one).rho == 1);
  evidence.parts = (PsdGapParts){1e-4, 64e-3};
  next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho > 0.2 && next.rho < 0.5 && next.rho == next.sigma);
  changes = (PsdPenaltyChanges){0};
  evidence.corners = PETSC_TRUE; /* these parts are not far enough apart for that */
  assert_true(PsdPenaltyPropose(&changes, &evidence, one).rho == 1);
  evidence.corners = PETSC_FALSE;
  evidence.gap = 0.99;
  next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho == 1 && next.sigma == 1);
  evidence.gap = 1e-3;
  evidence.iteration = 40;
  next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho == 1 && next.sigma == 1);
}

/* parts that are nothing beside what is open, or no numbers at all, ask for nothing or for little */
static void PartsThatSayNothing(void **state)
{
  (void)state;
  const PsdGapParts parts[] = {{0, 0}, {1e-9, 0}, {NAN, 1}, {1, NAN}, {INFINITY, 1}, {1, INFINITY}};
  for (int k = 0; k < 6; k++) {
    PsdPenaltyChanges changes = {0};
    PsdPenaltyEvidence evidence = Quiet(200, 1e-2);
    evidence.parts = parts[k];
    const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
    assert_true(next.rho == 1 && next.sigma == 1);
  }
  PsdPenaltyChanges changes = {0};
  PsdPenaltyEvidence evidence = Quiet(200, 1e-2);
  evidence.parts = (PsdGapParts){1e200, 0};
  const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, one);
  assert_true(next.rho <= 30 && next.sigma <= 30);
}

/* however long the parts of the gap ask for it, penalties do not leave the natural ones by more than a factor of 1000; from
   further out than 30 they are called back as soon as the parts do not ask for the opposite */
static void TheBalanceHasLimits(void **state)
{
  (void)state;
  for (int up = 0; up < 2; up++) {
    PsdPenaltyChanges changes = {0};
    PsdPenalties now = one;
    for (PetscInt iteration = 50; iteration < 100000; iteration += 10) {
      PsdPenaltyEvidence evidence = Quiet(iteration, 1e-2);
      evidence.parts = up ? (PsdGapParts){1, 1e-9} : (PsdGapParts){1e-9, 1};
      now = PsdPenaltyPropose(&changes, &evidence, now);
      assert_true(now.rho <= 1050 && now.rho >= 1. / 1050 && now.sigma == now.rho);
    }
    assert_true(up ? now.rho > 500 : now.rho < 1. / 500);
    PsdPenaltyEvidence evidence = Quiet(200000, 1e-2);
    evidence.parts = up ? (PsdGapParts){2, 1} : (PsdGapParts){1, 2};
    assert_true(PsdPenaltyPropose(&changes, &evidence, now).rho == now.rho);
    evidence.parts = up ? (PsdGapParts){1, 2} : (PsdGapParts){2, 1};
    assert_true(Near(PsdPenaltyPropose(&changes, &evidence, now).rho, up ? now.rho / 10 : now.rho * 10));
  }
}

/* Settles: an adversary, who sees the penalties, never gets more than so many changes out of it, nor any at shorter and
   shorter intervals. */
static void Settles(void **state)
{
  (void)state;
  unsigned random = 1;
  for (int kind = 0; kind < 3; kind++) {
    PsdPenaltyChanges changes = {0};
    PsdPenalties now = one;
    PetscInt made = 0;
    for (PetscInt iteration = 1; iteration < 1 << 28; iteration += 1 + iteration / 16) {
      random = random * 1103515245u + 12345u;
      const PetscBool up = (PetscBool)(kind == 0 ? made % 2 == 1 : kind == 2 || random >> 31 == 1);
      const PetscReal to = up ? 1e9 : 1e-9;
      const PsdPenaltyEvidence evidence = {.iteration = iteration,
                                           .natural = {now.rho * (random & 1 << 20 ? to : 1), now.sigma * to},
                                           .gap = random & 1 << 22 ? 0.1 : 1,
                                           .open = 1,
                                           .parts = {to, 1}};
      const PsdPenalties next = PsdPenaltyPropose(&changes, &evidence, now);
      made += next.rho != now.rho || next.sigma != now.sigma;
      now = next;
    }
    assert_int_equal(made, PSD_MOST_CHANGES);
  }
}

/* rounding of what was found, as from another number of ranks, does not change the proposal */
static void RoundingDoesNotShow(void **state)
{
  (void)state;
  PetscInt differences = 0;
  for (PetscInt k = 0; k < 1000; k++) {
    PsdPenaltyChanges changes[2] = {{0}, {0}};
    PsdPenaltyEvidence evidence[2] = {Quiet(10, 1), Quiet(10, 1)};
    const PetscReal natural = 3.5 + 0.012345 * k;
    evidence[0].natural = (PsdPenalties){natural, 1 / natural};
    evidence[1].natural = (PsdPenalties){natural * (1 + 1e-12), (1 - 1e-12) / natural};
    const PsdPenalties next = PsdPenaltyPropose(&changes[0], &evidence[0], one),
                       again = PsdPenaltyPropose(&changes[1], &evidence[1], one);
    differences += next.rho != again.rho || next.sigma != again.sigma;
  }
  assert_int_equal(differences, 0);
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
                                     cmocka_unit_test(NaturalOfSizes),
                                     cmocka_unit_test(GoesToTheNaturalPenalty),
                                     cmocka_unit_test(StaysWhereItIsNatural),
                                     cmocka_unit_test(StaysLongerWherePartsAskForTheOpposite),
                                     cmocka_unit_test(EachByItsOwnSizes),
                                     cmocka_unit_test(NotBeforeItIsDue),
                                     cmocka_unit_test(BalancesThePartsOfTheGap),
                                     cmocka_unit_test(PartsThatSayNothing),
                                     cmocka_unit_test(TheBalanceHasLimits),
                                     cmocka_unit_test(Settles),
                                     cmocka_unit_test(RoundingDoesNotShow)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
