/*
   beta_max = R*(A'(-L'(0))), from which on the network without neurons is optimal, and beta as a fraction of it or of
   what chance reaches: R*(A'e), e random signs, is the beta_max of targets that have nothing to do with the images.
   It grows as sqrt n, the beta_max of targets that have as n, and it is in units of it that one number does for many
   data sets (docs/guide.md, "Recipe").

   Targets that the features know nothing of, as those of images that are all alike, have A'(-L'(0)) = 0, but for what
   rounding leaves of it. Then beta_max is 0: the same network is optimal for every beta, and there is nothing to take
   a fraction of. Eight times the least beta for which that can be proved, R* with all that rounding may have hidden, takes
   its place.
*/
#include "beta.h"
#include "base/base.h"
#include "base/rounding.h"
#include "dual_point.h"

/* ||W^1/2 A_P||_F ||W^1/2 nu0|| is the most that ||h|| can be. Data that say anything stay far above this part of it, whatever
   their number; and what is below it is looked at again, so that the part itself decides nothing. */
#define NEGLIGIBLE 1e-6

static PetscErrorCode GradientIsNegligible(PsdProblem problem, PetscReal trace, PetscBool *nothing)
{
  PetscFunctionBeginUser;
  PetscReal squares = 0;
  const PsdRepresentatives *samples = &problem->representatives;
  for (size_t k = 0; k < (size_t)samples->n_local * problem->blocks->C; k++)
    squares += (PetscReal)samples->copies * PsdWeightOf(samples->weights, (PetscInt)(k / (size_t)problem->blocks->C)) *
               problem->nu0[k] * problem->nu0[k];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &squares, 1, MPIU_REAL, MPI_SUM, problem->comm));
  *nothing = (PetscBool)(problem->beta_max <= NEGLIGIBLE * PetscSqrtReal(PetscMax(0, trace) * squares));
  PetscFunctionReturn(0);
}

/* R* of -L'(0) from the samples: with what rounding may hide, and that alone. */
static PetscErrorCode EvaluateFromSamples(PsdProblem problem, PsdPointPolar *polar)
{
  PetscFunctionBeginUser;
  const PsdDualSource source = {.nu = problem->nu0};
  PsdPrimalPoint primal;
  PsdDualPoint point;
  PsdNetworkMatrix none = {0};
  PetscCall(VecDuplicate(problem->h, &none.S));
  PetscCall(VecSet(none.S, 0));
  PetscCall(PsdDualPointCreate(problem, PETSC_FALSE, &point));
  PetscCall(PsdBlocksCreatePairVec(problem->blocks, &none.error));
  PetscCall(PsdProblemEvaluate(problem, &none, 1, &source, &primal, &point));
  PetscCall(PsdDualPointPolar(problem, &point, polar));
  PetscCall(PsdDualPointDestroy(&point));
  PetscCall(VecDestroy(&none.S));
  PetscCall(VecDestroy(&none.error));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSettleBeta(PsdProblem problem, PetscReal beta_max, PetscReal random)
{
  PetscFunctionBeginUser;
  const PsdProblemRequest *request = &problem->request;
  problem->beta_max = beta_max;
  if (request->beta_noise > 0) {
    PetscCall(PetscInfo(NULL, "beta_max of random targets: %g\n", (double)random));
    problem->beta = request->beta_noise * random;
  }
  PsdCheckInput(!PetscIsInfOrNanReal(beta_max),
                "lifted features overflow: see -pixel_shift, -pixel_scale, -activation and the preprocessing");
  if (request->beta_rel > 0) problem->beta = request->beta_rel * beta_max;
  problem->beta_asked = problem->beta;
  PetscFunctionReturn(0);
}

void PsdProblemSettleNoGradient(PsdProblem problem, PetscReal bound)
{
  problem->beta_max = 0;
  if (problem->request.beta_rel > 0 || problem->request.beta_noise > 0)
    /* on another number of ranks rounding hides a little more or less, and a certificate file needs some of it several
       times over (witness.c); the bound is next to 0 when all features are 0 */
    problem->beta = PetscMax(8 * bound, PETSC_MACHINE_EPSILON);
  problem->beta_asked = problem->beta;
}

/* Where beta_max may be nothing but rounding. */
static PetscErrorCode SeparateFromRounding(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdPointPolar polar;
  PsdFeaturesSetExact(problem->features);
  PetscCall(EvaluateFromSamples(problem, &polar));
  PetscCall(PetscInfo(NULL, "beta_max %g; from the samples at most %g, of which rounding %g\n",
                      (double)problem->beta_max, (double)polar.bound, (double)polar.hidden));
  /* of features that are all 0 the bound is next to the least number there is */
  if (polar.bound <= 2 * polar.hidden + 4 * PSD_TINY) PsdProblemSettleNoGradient(problem, polar.bound);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemFindBeta(PsdProblem problem, PetscReal trace)
{
  PetscFunctionBeginUser;
  PetscReal beta_max, random = 0;
  PetscBool nothing;
  /* A'(-L'(0)) is h */
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(PsdPolarsCreate(problem->blocks, &problem->polars));
  PetscCall(PsdPolarsMax(problem->polars, problem->h, &beta_max));
  if (problem->request.beta_noise > 0) PetscCall(PsdPolarsMax(problem->polars, problem->h_random, &random));
  PetscCall(VecDestroy(&problem->h_random));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscCall(PsdProblemSettleBeta(problem, beta_max, random));
  PetscCall(GradientIsNegligible(problem, trace, &nothing));
  if (nothing) PetscCall(SeparateFromRounding(problem));
  PetscFunctionReturn(0);
}
