/*
   What is done in an iteration, and how it goes on from there: a look at where blocks violate, a round of Newton's method, or both.

     coarse   Where blocks violate, and the gap among the coarse filters. Small enough: the next beta, or all filters.
              Else blocks grow, and Newton's method goes on from there.
     complete Newton's method. Then the bounds are looked at (lowrank_certify.c), and where the gap is too large, blocks grow (adapt)
              or, where nothing violates, Newton's method is to come closer.

   The gap goes with the root of the decrement: the dual point is of first order, the network of second.
*/
#include "base/base.h"
#include "growth.h"
#include "lowrank.h"
#include "span.h"
#include <float.h>
#include <math.h>

#define BETA_RATIO 6     /* of the path */
#define PATH_GAP 3e-2    /* among the coarse filters, before the beta asked for */
#define COARSE_GAP 5e-4  /* at it: a neuron that is missing is found more cheaply here than on the complete level */
#define PRECISE_GAP 1e-4 /* below it blocks are looked at in double precision, ... */
#define ERROR_OF_TOLERANCE                                                                                             \
  0.1                  /* ... or where errors of the single one may be more than this part of what is looked for */
#define AIM 0.03       /* of the gap at hand: a point that is no better shows what columns are missing */
#define DECREMENT 0.03 /* of the gap squared: what a gap needs */
#define LEAST_DECREMENT 1e-24
#define ROUGH 1e-6      /* decrement at which columns that vanish are dropped before Newton's method goes on */
#define DROP_ROUGH 5e-3 /* columns shorter than this part of the longest of their block, ... */
#define DROP 2e-3       /* ... and at the end */
#define MOST_DIRECTIONS 40
#define NEARLY_RIGHT 1.02 /* polar over beta, from which on points are to be better */
#define TIGHTEN 0.03
#define SHARE 0.3
#define RIGHT 1.05 /* certified bound over beta, below which a better point comes before new columns */
#define MOST_POLISHING 2
#define MOST_GROWING 5   /* certificates that ask for columns, before bounds are of whole blocks, ... */
#define WHOLE_UP_TO 4096 /* ... of patches up to this length */
#define NEWTON_ROUND 10  /* iterations of Newton's method in one of the solver's, ... */
#define MOST_ROUNDS 6    /* ... and such rounds of a stage */

/* ---------------------------------------------------------------- Newton's method */

/* A few iterations, so that signals and the clock are asked in between. *done: to the tolerance, or as far as it goes. */
static PetscErrorCode Newton(PsdLowrank it, PetscReal tolerance, PetscBool *done)
{
  PetscFunctionBeginUser;
  /* new columns are short, and have little to say in a decrement until they were moved once */
  const PetscBool first = (PetscBool)(it->place.rounds == 0 && it->place.stage != PSD_LOWRANK_FINAL);
  const PsdNewtonSettings settings = {
      .tolerance = tolerance, .forcing = 0.1, .least_it = first ? 1 : 0, .max_it = NEWTON_ROUND, .max_cg = 60};
  PsdNewtonState state = {.radius = it->radius, .precise = it->precise, .value = it->value, .mu = it->mu};
  PetscBool spans;
  PetscCall(PsdSpanPays(PsdLowrankLevel(it), &it->columns, (size_t)(it->problem->memory * 1024 * 1024), &spans));
  PetscCall((spans ? PsdSpanSolve : PsdNewtonSolve)(it->objective, PsdLowrankLevel(it), &it->columns, it->place.beta,
                                                    &settings, &state));
  it->precise = state.precise;
  it->span_evaluations += state.span_evaluations;
  it->span_products += state.span_products;
  *done = (PetscBool)(state.done || ++it->place.rounds == MOST_ROUNDS);
  PetscCall(PetscInfo(NULL, "newton: %" PetscInt_FMT " iterations, decrement %.2e, %" PetscInt_FMT " columns\n",
                      state.iterations, (double)state.decrement, it->columns.count));
  PetscFunctionReturn(0);
}

/* Drops columns that vanish, as they make the Hessian singular; growth brings back one that was needed. */
static PetscErrorCode Compress(PsdLowrank it, PetscReal least, PetscBool *fewer)
{
  PetscFunctionBeginUser;
  const PetscInt before = it->columns.count;
  PetscCall(PsdColumnsCompress(&it->columns, least));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, it->columns.at[it->columns.count], it->columns.F));
  *fewer = (PetscBool)(it->columns.count < before);
  PetscFunctionReturn(0);
}

static void Enter(PsdLowrank it, PsdLowrankStage stage)
{
  it->place.stage = stage;
  it->place.rounds = 0;
  it->precise = PETSC_FALSE;
  for (PetscInt k = 0; k < PsdObjectiveGroups(it->objective); k++) it->radius[k] = INFINITY;
}

/* The decrement that a gap of the aim's size needs. */
static PetscReal Tolerance(PsdLowrank it)
{
  return PetscMax(LEAST_DECREMENT, DECREMENT * it->place.aim * it->place.aim * it->place.tighten);
}

static void BeginMinimising(PsdLowrank it, PetscReal aim)
{
  it->place.aim = aim;
  Enter(it, Tolerance(it) < ROUGH ? PSD_LOWRANK_ROUGH : PSD_LOWRANK_FINE);
}

/* A round of Newton's method; where that is the end of a stage, the next one. */
static PetscErrorCode Minimise(PsdLowrank it)
{
  PetscFunctionBeginUser;
  const PetscBool rough = (PetscBool)(it->place.stage == PSD_LOWRANK_ROUGH);
  PetscBool done = PETSC_FALSE, fewer = PETSC_FALSE;
  PetscCall(Newton(it, rough ? ROUGH : Tolerance(it), &done));
  if (!done) PetscFunctionReturn(0);
  if (it->place.stage != PSD_LOWRANK_FINAL) PetscCall(Compress(it, rough ? DROP_ROUGH : DROP, &fewer));
  Enter(it, rough ? PSD_LOWRANK_FINE : fewer ? PSD_LOWRANK_FINAL : PSD_LOWRANK_LOOK);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- among the filters of a level */

/* The largest -L*(-s nu) of one group that is at hand: s = 1, or as small as its polar wants it. */
static PetscErrorCode DualValue(PsdLowrank it, const PetscReal polar[], PetscReal *sum)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PsdLoss *loss = &problem->loss;
  const PetscInt C = problem->blocks->C, G = problem->blocks->G, groups = PsdObjectiveGroups(it->objective);
  const PetscInt n = problem->n_local, width = groups == 1 ? C : 1;
  const PetscReal *slope = PsdObjectiveGetSlope(it->objective);
  PetscReal *nu, *y, value = 0, size = 0;
  PetscCall(PetscMalloc2((size_t)n * width, &nu, (size_t)n * width, &y));
  for (PetscInt k = 0; k < groups; k++) {
    PetscReal most = 0;
    for (PetscInt block = 0; block < 2 * C * G; block++)
      if (groups == 1 || block / 2 % C == k) most = PetscMax(most, polar[block]);
    for (PetscInt i = 0; i < n; i++)
      for (PetscInt t = 0; t < width; t++) {
        nu[(size_t)i * width + t] = -slope[(size_t)(k + t) * n + i] / PsdWeightOf(problem->weights, i);
        y[(size_t)i * width + t] = problem->Y[(size_t)i * C + k + t];
      }
    (*loss->ops->to_domain)(loss, n, width, nu, y);
    value += PsdWeightedDual(loss, n, width, most > it->place.beta ? it->place.beta / most : 1, problem->weights, nu, y,
                             &size);
  }
  PetscCall(PetscFree2(nu, y));
  PetscCallMPI(MPI_Allreduce(&value, sum, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscFunctionReturn(0);
}

/* Whether blocks are to be looked at in double precision. Scores in single precision are off by about its epsilon times what the
   squares of products with the strongest component come to, sample by sample at random; with these errors for weights, the second
   moment along that component is off by so much, and for small betas that is a violation that no column takes away. */
static PetscBool NeedsDouble(PsdLowrank it, PetscReal tolerance)
{
  const PsdProblem problem = it->problem;
  const PsdColumns *columns = &it->columns;
  const PetscReal n = (PetscReal)problem->n, a = PetscAbsReal(problem->activation[0]);
  PetscReal error = 0;
  for (PetscInt g = 0; g < columns->G; g++) {
    const PetscReal *E, strongest = PsdLevelGetVariance(it->coarse, g, &E)->along[0];
    PetscReal square = 0;
    for (size_t k = columns->at[columns->first[g]]; k < columns->at[columns->first[g + 1]]; k++)
      square += columns->F[k] * columns->F[k];
    const PetscReal score = problem->weight_most * FLT_EPSILON * a * strongest / n * square / (PetscReal)columns->C;
    error = PetscMax(error, score * a * strongest / PetscSqrtReal(n));
  }
  return (PetscBool)(tolerance < PRECISE_GAP || error > ERROR_OF_TOLERANCE * tolerance * it->place.beta);
}

/* What violates, and the relative gap as computed, for all filters of the coarse level. */
static PetscErrorCode LookAround(PsdLowrank it, PetscReal tolerance, PetscBool precise, PsdViolations *violations,
                                 PetscReal *gap, PetscReal *worst)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C;
  const size_t length = (size_t)problem->n_local * C;
  const PsdViolationSettings settings = {it->place.beta, tolerance, MOST_DIRECTIONS, precise};
  const PetscReal *slope = PsdObjectiveGetSlope(it->objective);
  PetscReal *nu, dual, primal = 0;
  PetscCall(PetscMalloc1(length, &nu));
  for (size_t k = 0; k < length; k++) nu[k] = -slope[k];
  PetscCall(PsdViolationsFind(problem, it->coarse, &it->columns, nu, it->mu, &settings, violations));
  PetscCall(PetscFree(nu));
  PetscCall(DualValue(it, violations->polar, &dual));
  for (PetscInt k = 0; k < PsdObjectiveGroups(it->objective); k++) primal += it->value[k];
  *worst = 0;
  for (PetscInt block = 0; block < 2 * problem->blocks->pairs; block++)
    *worst = PetscMax(*worst, violations->polar[block] / it->place.beta);
  *gap = (primal - dual) / primal;
  PetscCall(PetscInfo(NULL,
                      "beta %.4g: %" PetscInt_FMT " columns, objective %.10g, gap %.3e, polar %.6f beta, %" PetscInt_FMT
                      " directions\n",
                      (double)it->place.beta, it->columns.count, (double)primal, (double)*gap, (double)*worst,
                      violations->direction.count));
  PetscFunctionReturn(0);
}

/* The next beta of the path down to the one asked for, the same for all who come from above. */
static PetscReal NextBeta(PsdLowrank it)
{
  const PetscReal last = it->problem->beta, first = PSD_FIRST_BETA * it->problem->beta_max;
  if (!(last < first)) return last;
  const PetscInt steps = (PetscInt)PetscCeilReal(PetscLogReal(first / last) / PetscLogReal((PetscReal)BETA_RATIO));
  for (PetscInt k = 0; k < steps; k++) {
    const PetscReal beta = last * PetscPowReal(first / last, (PetscReal)(steps - k) / (PetscReal)steps);
    if (beta < it->place.beta * (1 - 1e-6)) return beta;
  }
  return last;
}

/* Down the path, from where the values are those of another beta. */
static PetscErrorCode GoToBeta(PsdLowrank it, PetscReal beta)
{
  PetscFunctionBeginUser;
  it->place.beta = beta;
  it->place.tighten = 1;
  PetscCall(PsdLowrankEvaluate(it, PETSC_FALSE));
  PetscCall(PsdLowrankRaise(it));
  PetscFunctionReturn(0);
}

/* At a point of the coarse level: blocks grow, or it goes on to the next beta, or to the complete level; *due: a certificate. */
static PetscErrorCode LookOnCoarse(PsdLowrank it, PetscBool *due)
{
  PetscFunctionBeginUser;
  const PetscReal target = it->solver->target;
  const PetscBool last = (PetscBool)(it->place.beta <= it->problem->beta), ends = PsdLevelIsComplete(it->coarse);
  const PetscReal tolerance = !last ? PATH_GAP : ends ? it->place.share * target : PetscMax(target, COARSE_GAP);
  const PetscBool precise = NeedsDouble(it, tolerance);
  PetscReal gap = 1, worst = 0;
  PsdViolations violations;
  /* slopes and multipliers of these columns, whatever Newton's method has evaluated last: a run that goes on from a file has no others */
  PetscCall(PsdLowrankEvaluate(it, precise));
  PetscCall(LookAround(it, tolerance, precise, &violations, &gap, &worst));
  if (gap >= tolerance) {
    const PetscInt before = it->columns.count;
    PetscCall(PsdGrow(it->problem, it->coarse, it->objective, it->place.beta, &violations, it->value, &it->columns));
    if (it->columns.count == before || worst < NEARLY_RIGHT) it->place.tighten *= TIGHTEN;
    BeginMinimising(it, PetscMax(tolerance, PetscMin(PATH_GAP, AIM * gap)));
  } else if (!last) {
    PetscCall(GoToBeta(it, NextBeta(it)));
  } else {
    it->place.tighten = 1;
    PetscCall(PsdLowrankMoveTo(it, PETSC_TRUE));
    if (it->complete) BeginMinimising(it, target);
    else *due = PETSC_TRUE;
  }
  PetscCall(PsdViolationsDestroy(&violations));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankIterate(PsdSolver solver, PetscBool *due)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  *due = PETSC_FALSE;
  if (it->place.stage == PSD_LOWRANK_LOOK && !it->place.fine) PetscCall(LookOnCoarse(it, due));
  if (it->place.stage == PSD_LOWRANK_LOOK) PetscFunctionReturn(0);
  PetscCall(Minimise(it));
  *due = (PetscBool)(it->place.stage == PSD_LOWRANK_LOOK && it->place.fine);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- after a certificate */

/* A direction for every block whose bound is too large. */
static PetscErrorCode DirectionsOfBounds(PsdLowrank it, PetscReal most, PsdViolations *violations)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = &it->columns;
  const PetscInt blocks = PsdBlockCount(columns), f_max = it->problem->blocks->f_max;
  PetscInt *block, count = 0;
  *violations = (PsdViolations){0};
  PetscCall(PetscMalloc1(blocks, &block));
  for (PetscInt b = 0; b < blocks; b++)
    if (it->blocks[PsdLowrankPairBlock(it, b)].bound > most) block[count++] = b;
  PetscCall(PsdColumnsCreate(columns->G, columns->C, columns->K, count, block, &violations->direction));
  PetscCall(PetscMalloc1(count, &violations->mu));
  for (PetscInt j = 0; j < count; j++) {
    const PetscInt pair = PsdLowrankPairBlock(it, block[j]), g = PsdBlockRegion(columns, block[j]), K = columns->K[g];
    PetscReal *z = violations->direction.F + violations->direction.at[j];
    PetscCall(PsdLevelFromPatches(PsdLowrankLevel(it), g, 1, it->u + (size_t)pair * f_max, f_max, z, K));
    for (PetscInt k = 0; k < K; k++) z[k] /= PETSC_SQRT2;
    z[K] = 1 / PETSC_SQRT2;
    violations->mu[j] = it->mu[block[j]] > 0 ? it->mu[block[j]] / 2 : it->blocks[pair].theta;
  }
  PetscCall(PetscFree(block));
  PetscFunctionReturn(0);
}

/* Where bounds go on asking for columns they may be loose: patches whose components beyond the basis are as large as those in
   it, as whitened ones are, have a large kappa. Then the blocks themselves are formed from now on, where they are not too large
   for that. */
static PetscErrorCode SeeWhole(PsdLowrank it)
{
  PetscFunctionBeginUser;
  it->place.grown++;
  if (it->place.whole || it->place.grown < MOST_GROWING || it->problem->blocks->f_max > WHOLE_UP_TO)
    PetscFunctionReturn(0);
  PetscCall(PetscInfo(NULL, "bounds are of whole blocks from now on\n"));
  it->place.whole = PETSC_TRUE;
  PetscCall(PsdFactoredDestroy(&it->factored));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankAdapt(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  PetscReal worst = 0;
  PsdViolations violations;
  if (!it->place.fine || it->place.stage != PSD_LOWRANK_LOOK) PetscFunctionReturn(0); /* its time has not come */
  if (!it->complete) {
    /* all is seen among the filters of the one level there is */
    it->place.fine = PETSC_FALSE;
    it->place.share *= SHARE;
    PetscFunctionReturn(0);
  }
  for (PetscInt b = 0; b < 2 * it->problem->blocks->pairs; b++) worst = PetscMax(worst, it->blocks[b].bound);
  if (worst < RIGHT * it->problem->beta && it->place.polished < MOST_POLISHING) {
    it->place.polished++;
    it->place.tighten *= TIGHTEN;
  } else {
    it->place.polished = 0;
    PetscCall(SeeWhole(it));
    PetscCall(DirectionsOfBounds(it, it->problem->beta * (1 + solver->target), &violations));
    PetscCall(
        PsdGrow(it->problem, PsdLowrankLevel(it), it->objective, it->place.beta, &violations, it->value, &it->columns));
    PetscCall(PsdViolationsDestroy(&violations));
  }
  BeginMinimising(it, solver->target);
  PetscFunctionReturn(0);
}
