/* A plan as a program asks for it: sizes, memory and time of a run on any number of ranks, the same on all ranks,
   from no images. */
#include <psdnet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MUST(call) assert_int_equal((call), 0)

static const PetscReal rates[PSD_RATES] = {40, 35, 30, 12, 2.5, 0.8, 72};

typedef struct {
  PsdPatches patches;
  PsdProblem problem;
  PsdPlan plan;
} Setting;

/* Patches 4 x 4 of three channels: f = 48, D = 49 * 50 / 2. */
static void SetUp(Setting *it)
{
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it->patches));
  MUST(PsdProblemCreate(NULL, it->patches, &it->problem));
  MUST(PsdPlanCreate(it->problem, &it->plan));
  MUST(PsdPlanSetSamples(it->plan, 50000, 3, 32, 32, 10));
  MUST(PsdPlanSetRates(it->plan, PSD_RATES, rates));
}

static void TearDown(Setting *it)
{
  MUST(PsdPlanDestroy(&it->plan));
  assert_null(it->plan);
  MUST(PsdPlanDestroy(&it->plan));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
}

static PsdPlanTotals TotalsOf(const Setting *it)
{
  PsdPlanTotals totals;
  MUST(PsdPlanSetUp(it->plan));
  MUST(PsdPlanGetTotals(it->plan, &totals));
  return totals;
}

/* The sum of the items of rank 0 that are there in a phase, of the items that the plan lists. */
static PetscReal BytesIn(const Setting *it, const PsdPlanTotals *totals, int phase)
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < totals->items; k++) {
    const char *name;
    PetscReal root;
    PsdPhase first, last;
    MUST(PsdPlanGetMemory(it->plan, k, &name, &root, NULL, &first, &last));
    assert_true(strlen(name) > 0 && root >= 0 && first <= last);
    if ((int)first <= phase && phase <= (int)last) sum += root;
  }
  return sum;
}

static void SizesAreThoseOfTheProblem(void **state)
{
  Setting it;
  (void)state;
  SetUp(&it);
  MUST(PsdPlanSetRanks(it.plan, 3, 0, 0));
  MUST(PsdPlanSetIterations(it.plan, 77));
  const PsdPlanTotals totals = TotalsOf(&it);
  assert_true(totals.n == 50000 && totals.f == 48 && totals.D == 1225);
  assert_true(totals.blocks == 20 && totals.ranks == 3 && totals.iterations == 77);
  assert_string_equal(totals.solver, "admm");
  assert_true(totals.kernels == 3);
  assert_string_equal(totals.kernel[0].kernel, "root");
  MUST(PsdPlanSetMirror(it.plan, PETSC_TRUE));
  assert_true(TotalsOf(&it).n == 100000);
  TearDown(&it);
}

static void PeakIsThatOfTheFullestPhase(void **state)
{
  Setting it;
  PetscReal peak = 0;
  (void)state;
  SetUp(&it);
  MUST(PsdPlanSetRanks(it.plan, 8, 4, 2));
  const PsdPlanTotals totals = TotalsOf(&it);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) peak = PetscMax(peak, BytesIn(&it, &totals, phase));
  assert_true(peak > 0 && PetscAbsReal(peak / totals.peak_root - 1) < 1e-12);
  assert_true(PetscAbsReal((peak + 3 * totals.peak_others) / totals.node_needed - 1) < 1e-12);
  assert_true(totals.node_memory == 2e9);
  TearDown(&it);
}

/* Work that all ranks share takes half the time on twice as many, and twice the time at half the rate. */
static void TimeFollowsRanksAndRates(void **state)
{
  Setting it;
  const PetscReal half[PSD_RATES_LEAST] = {20, 17.5, 15, 6}, whole[PSD_RATES_LEAST] = {40, 35, 30, 12};
  (void)state;
  SetUp(&it);
  MUST(PsdPlanSetRanks(it.plan, 4, 0, 0));
  MUST(PsdPlanSetRates(it.plan, PSD_RATES_LEAST, whole));
  const PsdPlanTotals four = TotalsOf(&it);
  MUST(PsdPlanSetRates(it.plan, PSD_RATES_LEAST, half));
  const PsdPlanTotals slow = TotalsOf(&it);
  MUST(PsdPlanSetRanks(it.plan, 8, 0, 0));
  const PsdPlanTotals eight = TotalsOf(&it);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++)
    if (phase != PSD_PHASE_READ && phase != PSD_PHASE_WRITE)
      assert_true(PetscAbsReal(slow.seconds[phase] - 2 * four.seconds[phase]) <= 1e-9 * slow.seconds[phase]);
  assert_true(PetscAbsReal(slow.seconds[PSD_PHASE_LIFT] / eight.seconds[PSD_PHASE_LIFT] - 2) < 1e-9);
  assert_true(PetscAbsReal(slow.flops[PSD_PHASE_LIFT] / eight.flops[PSD_PHASE_LIFT] - 1) < 1e-9);
  TearDown(&it);
}

static void AllRanksPlanAlike(void **state)
{
  Setting it;
  PetscReal least[2], most[2];
  (void)state;
  SetUp(&it);
  const PsdPlanTotals totals = TotalsOf(&it);
  least[0] = most[0] = totals.peak_root;
  least[1] = most[1] = totals.seconds[PSD_PHASE_SOLVE];
  MPI_Allreduce(MPI_IN_PLACE, least, 2, MPIU_REAL, MPI_MIN, PETSC_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD);
  assert_true(least[0] == most[0] && least[1] == most[1]);
  TearDown(&it);
}

static void BadQuestionsAreRefused(void **state)
{
  Setting it;
  PsdPlan empty;
  (void)state;
  SetUp(&it);
  MUST(PsdPlanCreate(it.problem, &empty));
  assert_int_equal(PsdPlanSetUp(empty), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "-images"));
  MUST(PsdPlanDestroy(&empty));
  assert_int_equal(PsdPlanSetRates(it.plan, 3, rates), PSD_ERR_INPUT);
  assert_int_equal(PsdPlanSetRates(it.plan, 4, (const PetscReal[]){1, 1, 0, 1}), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "place 3"));
  /* no kernel fits 1 MB */
  MUST(PsdPlanSetRanks(it.plan, 1, 0, 1e-3));
  assert_int_equal(PsdPlanSetUp(it.plan), PSD_ERR_INPUT);
  TearDown(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(SizesAreThoseOfTheProblem), cmocka_unit_test(PeakIsThatOfTheFullestPhase),
      cmocka_unit_test(TimeFollowsRanksAndRates),  cmocka_unit_test(AllRanksPlanAlike),
      cmocka_unit_test(BadQuestionsAreRefused),
  };
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
