/*
   Single precision halves the time of A'A and the memory of the features, and takes one pass over the samples more for each
   certificate that needs features in double precision. A loss that is split would need them for its iterations then.
   Sizes and nominal rates decide, and not clocks, so that a run can be made again.
*/
#include "choose_precision.h"
#include "base/base.h"
#include "problem/sizes.h"
#include "solver_costs.h"

PetscErrorCode PsdPrecisionAsk(PsdPrecision *precision)
{
  PetscFunctionBeginUser;
  const PsdChoice choices[] = {
      [PSD_PRECISION_AUTO] = {.name = "auto", .help = "mixed where that is faster"},
      [PSD_PRECISION_DOUBLE] = {.name = "double", .help = "all in double precision"},
      [PSD_PRECISION_MIXED] = {.name = "mixed",
                               .help = "A'A and kept features of single precision, corrected from the samples"}};
  PetscInt choice = (PetscInt)*precision;
  PetscCall(PsdOptionChoice("-precision", "of lifted features and A'A", sizeof(choices) / sizeof(*choices), choices,
                            &choice, NULL));
  *precision = (PsdPrecision)choice;
  PetscFunctionReturn(0);
}

#define ITERATIONS 150 /* that set-up is weighed against */

/* Rounding of the features that are kept counts for about a third of this in a certificate (docs/performance.md): smaller gaps
   are proved from features in double precision, after which the run goes on, ... */
#define LEAST_GAP 2e-5
/* ... and are proved once more. */
#define CERTIFICATES 2
/* Less than that is not worth it. */
#define ADVANTAGE 0.9

static PetscReal NominalSeconds(const PsdSizes *sizes, const PsdConsensusKernel *kernel)
{
  const PsdRates rates = PsdRatesNominal(sizes);
  PsdCost cost[PSD_PHASE_COUNT];
  PetscReal total = 0;
  PsdAdmmCosts(sizes, kernel, &rates, ITERATIONS, cost);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) total += cost[phase].seconds;
  return total;
}

static PetscBool IsWorthwhile(const PsdSizes *sizes, const PsdConsensusKernel *kernel, PetscReal gap)
{
  PsdSizes single = *sizes, other = *sizes;
  single.single = PETSC_TRUE;
  single.exact_passes = gap < LEAST_GAP ? CERTIFICATES : 0;
  other.single = PETSC_FALSE;
  if (sizes->split && gap < LEAST_GAP) return PETSC_FALSE;
  return (PetscBool)(NominalSeconds(&single, kernel) < ADVANTAGE * NominalSeconds(&other, kernel));
}

PetscErrorCode PsdPrecisionChoose(PsdPrecision asked, const PsdSizes *sizes, const PsdConsensusKernel *kernel,
                                  PetscReal gap, PetscBool *single)
{
  PetscFunctionBeginUser;
  const PetscBool possible = (PetscBool)(kernel->form == PSD_FORM_GRAM);
  PsdCheckInput(asked != PSD_PRECISION_MIXED || possible,
                "option -precision mixed: it is A'A that is made in single precision, and -consensus %s has none",
                kernel->name);
  *single = (PetscBool)(possible && (asked == PSD_PRECISION_MIXED ||
                                     (asked == PSD_PRECISION_AUTO && IsWorthwhile(sizes, kernel, gap))));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPrecisionSettle(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdPrecision asked = admm->settings.precision;
  PsdSizes sizes;
  PetscBool single = PETSC_FALSE;
  PetscCall(PsdProblemFindSizes(admm->problem, &sizes));
  PetscCall(
      PsdPrecisionChoose(asked, &sizes, PsdConsensusGetKernel(admm->consensus), admm->solver->settings.gap, &single));
  if (admm->resumes_single) single = (PetscBool)(asked != PSD_PRECISION_DOUBLE);
  if (admm->resumes_double) single = PETSC_FALSE;
  if (single) PetscCall(PsdProblemSetSingle(admm->problem));
  PetscCall(PetscInfo(NULL, "precision: %s\n", single ? "mixed" : "double"));
  PetscFunctionReturn(0);
}
