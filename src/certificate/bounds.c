/*
   Bounds while the solver runs. For the squared loss a network's residual nu = Y - A S gives the primal, ||nu||^2/2 +
   beta sum |alpha|; a candidate's gives the dual value along the ray s nu, s <= beta/R*(A'nu). For losses that are
   split the candidates are nu itself, sample by sample (candidates_split.c).

   Every w gives a valid bound; the candidates differ in how good it is. Those that move nu within range(A) solve with
   A'A and are left out where there is none; the solution of the consensus step, which closes the gap, is always
   there.
*/
#include "bounds.h"
#include "base/base.h"
#include "ray.h"

PetscErrorCode PsdBoundsCreate(PsdProblem problem, PsdConsensus consensus, PsdBounds *bounds)
{
  PetscFunctionBeginUser;
  PsdBounds it;
  PetscCall(PetscNew(&it));
  it->problem = problem;
  it->consensus = consensus;
  PetscCall(VecDuplicate(problem->h, &it->w));
  PetscCall(VecDuplicate(problem->h, &it->M));
  PetscCall(VecDuplicate(problem->h, &it->M_network));
  PetscCall(VecDuplicate(problem->h, &it->work));
  PetscCall(VecDuplicate(problem->h, &it->best_w));
  /* w = 0 is nu = -L'(0), for the squared loss Y; its R* is beta_max */
  PetscCall(VecSet(it->best_w, 0));
  it->best_source.w = it->best_w;
  const size_t length = (size_t)problem->representatives.n_local * problem->blocks->C;
  if (PsdConsensusUsesSamples(consensus)) PetscCall(PetscMalloc1(length, &it->best_nu));
  if (problem->loss.ops->splits) {
    PetscCall(PetscMalloc1(length, &it->best_nu));
    PetscCall(PetscMalloc2(length, &it->nu, length, &it->nu_network));
    PetscCall(PetscArraycpy(it->best_nu, problem->nu0, length));
    it->best_source = (PsdDualSource){.nu = it->best_nu};
  }
  it->best_residual = (PsdResidual){.linear = problem->YY, .quadratic = problem->YY};
  it->best_polar = problem->beta_max;
  PetscCall(PsdBoundsSetBeta(it));
  it->best_name = "no scores";
  *bounds = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsSetBeta(PsdBounds bounds)
{
  PetscFunctionBeginUser;
  const PsdDualRay ray = {.problem = bounds->problem,
                          .linear = bounds->best_residual.linear,
                          .quadratic = bounds->best_residual.quadratic,
                          .nu = bounds->problem->loss.ops->splits ? bounds->best_nu : NULL,
                          .samples = bounds->problem->representatives};
  PetscReal rounding;
  PetscCall(PsdDualAlongRay(&ray, bounds->problem->beta / bounds->best_polar, &bounds->best, &rounding));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsVisit(PsdBounds bounds, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscBool is_nu = (PetscBool)(bounds->best_source.nu != NULL);
  PetscCall(PsdVisitReal(v, "bound_best", PSD_STATE_REAL, &bounds->best));
  PetscCall(PsdVisitReal(v, "bound_linear", PSD_STATE_REAL, &bounds->best_residual.linear));
  PetscCall(PsdVisitReal(v, "bound_quadratic", PSD_STATE_NONNEGATIVE, &bounds->best_residual.quadratic));
  PetscCall(PsdVisitReal(v, "bound_polar", PSD_STATE_NONNEGATIVE, &bounds->best_polar));
  PetscCall(PsdVisitBool(v, "bound_of_samples", &is_nu));
  PetscCall(PsdVisitPairs(v, "/pairs/bound", bounds->best_w));
  if (bounds->best_nu) PetscCall(PsdVisitSamples(v, "/samples/bound", bounds->best_nu));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  is_nu = (PetscBool)(is_nu && bounds->best_nu);
  bounds->best_source = is_nu ? (PsdDualSource){.nu = bounds->best_nu} : (PsdDualSource){.w = bounds->best_w};
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsDestroy(PsdBounds *bounds)
{
  PetscFunctionBeginUser;
  if (!*bounds) PetscFunctionReturn(0);
  PetscCall(VecDestroy(&(*bounds)->w));
  PetscCall(VecDestroy(&(*bounds)->M));
  PetscCall(VecDestroy(&(*bounds)->M_network));
  PetscCall(VecDestroy(&(*bounds)->work));
  PetscCall(VecDestroy(&(*bounds)->best_w));
  PetscCall(PetscFree((*bounds)->best_nu));
  PetscCall(PetscFree2((*bounds)->nu, (*bounds)->nu_network));
  PetscCall(PetscFree(*bounds));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsPrimalBegin(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient, PsdTally *tally)
{
  PetscFunctionBeginUser;
  if (bounds->problem->loss.ops->splits) {
    PetscCall(PsdBoundsSplitPrimal(bounds, iterate, gradient, &bounds->network_loss));
  } else {
    PetscCall(PsdConsensusResidual(bounds->consensus, iterate->network, iterate->factors, &bounds->network_part,
                                   gradient ? bounds->M_network : NULL));
    bounds->network_loss = bounds->network_part.quadratic / 2;
  }
  PetscCall(PsdTallySum(tally, &bounds->network_loss));
  PetscFunctionReturn(0);
}

void PsdBoundsPrimalEnd(PsdBounds bounds, const PsdIterate *iterate)
{
  bounds->primal = bounds->network_loss + bounds->problem->beta * iterate->weight;
}

/* The solver's own S. Its optimality in the consensus step says A'(Y - A S) = rho/2 (S - Sh): no product is needed. */
static PetscErrorCode BuildSolution(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  bounds->point = iterate->S;
  PetscCall(VecWAXPY(bounds->M, -1, iterate->Sh, iterate->S));
  PetscCall(VecScale(bounds->M, iterate->rho / 2));
  PetscCall(PsdConsensusStepResidual(bounds->consensus, iterate->S, bounds->M, &bounds->residual));
  PetscFunctionReturn(0);
}

/* P x, pair by pair */
static PetscErrorCode RemoveJ(PsdBlocks blocks, Vec x)
{
  PetscFunctionBeginUser;
  PetscReal *values;
  PetscCall(VecGetArray(x, &values));
  for (PetscInt k = 0; k < blocks->local; k++) {
    const PsdShape own = PsdBlocksOwn(blocks, k);
    PsdShapeRemoveJ(&own, values + own.at);
  }
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

/*
   nu <- nu + A (A'A)^+ (M_f - A'nu), which for nu = Y - A w is w <- w + (A'A)^+ (A'nu - M_f); `difference` holds the
   bracket. (G_P + rho/2 I)^-1, whose factor is at hand, stands for the pseudo-inverse: it is right where A'A is
   large, and it leaves alone the directions that A hardly sees.
*/
static PetscErrorCode Correct(PsdBounds bounds, Vec w, Vec difference)
{
  PetscFunctionBeginUser;
  PetscCall(PsdConsensusSolve(bounds->consensus, difference, bounds->w));
  PetscCall(RemoveJ(bounds->problem->blocks, bounds->w));
  PetscCall(VecAXPY(bounds->w, 1, w));
  bounds->point = bounds->w;
  PetscCall(PsdConsensusResidual(bounds->consensus, bounds->w, NULL, &bounds->residual, bounds->M));
  PetscFunctionReturn(0);
}

/* (b): M_f from the multipliers Lam = -rho U: P ((beta e4 - Lam) + (Lam' - beta e4))/2 = rho/2 P (U - U') */
static PetscErrorCode BuildMultipliers(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  PetscCall(BuildSolution(bounds, iterate));
  PetscCall(VecWAXPY(bounds->work, -1, iterate->U[1], iterate->U[0]));
  PetscCall(RemoveJ(bounds->problem->blocks, bounds->work));
  PetscCall(VecAYPX(bounds->work, -iterate->rho / 2, bounds->M));
  PetscCall(Correct(bounds, iterate->S, bounds->work));
  PetscFunctionReturn(0);
}

/* The network's own residual. */
static PetscErrorCode BuildResidual(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  bounds->point = iterate->network;
  PetscCall(VecCopy(bounds->M_network, bounds->M));
  bounds->residual = bounds->network_part;
  PetscFunctionReturn(0);
}

/* (a): M_f = A'nu min(1, beta/R*) for the network's own residual */
static PetscErrorCode BuildScaled(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  PetscReal polar;
  PetscCall(PsdPolarsMax(bounds->problem->polars, bounds->M_network, &polar));
  PetscCall(VecCopy(bounds->M_network, bounds->work));
  PetscCall(VecScale(bounds->work, 1 - PetscMin(1, bounds->problem->beta / polar)));
  PetscCall(Correct(bounds, iterate->network, bounds->work));
  PetscFunctionReturn(0);
}

static const PsdCandidateOps candidates[] = {
    {.name = "solution", .group = PSD_CANDIDATES_SOLVER, .build = BuildSolution},
    {.name = "multipliers", .group = PSD_CANDIDATES_SOLVER, .solves = PETSC_TRUE, .build = BuildMultipliers},
    {.name = "residual", .group = PSD_CANDIDATES_NETWORK, .build = BuildResidual},
    {.name = "scaled", .group = PSD_CANDIDATES_NETWORK, .solves = PETSC_TRUE, .build = BuildScaled},
    {.name = "prox", .group = PSD_CANDIDATES_SOLVER, .of_split = PETSC_TRUE, .build = PsdBoundsBuildProx},
    {.name = "step", .group = PSD_CANDIDATES_SOLVER, .of_split = PETSC_TRUE, .build = PsdBoundsBuildStep},
    {.name = "slope", .group = PSD_CANDIDATES_NETWORK, .of_split = PETSC_TRUE, .build = PsdBoundsBuildSlope}};

/* A candidate becomes the best one. Where the loss is split nu itself is kept; where the consensus works with the
   samples, the solution's is: a network's is made again from its w. */
static PetscErrorCode Keep(PsdBounds bounds, const PsdTrial *trial)
{
  PetscFunctionBeginUser;
  const PsdCandidateOps *candidate = trial->candidate;
  const PetscReal *nu;
  const size_t length = (size_t)bounds->problem->representatives.n_local * bounds->problem->blocks->C;
  bounds->best_name = candidate->name;
  PsdConsensusGetStepResidual(bounds->consensus, &nu);
  if (candidate->of_split) nu = bounds->nu;
  if (candidate->of_split || (nu && candidate->group == PSD_CANDIDATES_SOLVER)) {
    PetscCall(PetscArraycpy(bounds->best_nu, nu, length));
    bounds->best_source = (PsdDualSource){.nu = bounds->best_nu};
  } else {
    PetscCall(VecCopy(trial->w, bounds->best_w));
    bounds->best_source = (PsdDualSource){.w = bounds->best_w};
  }
  PetscFunctionReturn(0);
}

/* The dual value of a candidate whose sums are those of all ranks; it is kept when it is the best. */
static PetscErrorCode Try(PsdBounds bounds, const PsdTrial *trial)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PsdCandidateOps *candidate = trial->candidate;
  const PsdDualRay ray = {.problem = problem,
                          .linear = trial->residual.linear,
                          .quadratic = trial->residual.quadratic,
                          .nu = candidate->of_split ? bounds->nu : NULL,
                          .samples = problem->representatives};
  PetscReal value, rounding;
  PetscCall(PsdDualAlongRay(&ray, problem->beta / trial->polar, &value, &rounding));
  PetscCall(PetscInfo(NULL, "dual candidate %s: R*/beta %g, value %.12g\n", candidate->name,
                      (double)(trial->polar / problem->beta), (double)value));
  if (candidate->group == PSD_CANDIDATES_SOLVER && value > bounds->at_hand.value) {
    bounds->at_hand.value = value;
    bounds->at_hand.product = trial->product;
    PetscCall(PsdDualOfPoint(&ray, &bounds->at_hand.infeasible));
  }
  if (value > bounds->best) {
    bounds->best = value;
    bounds->best_residual = trial->residual;
    bounds->best_polar = trial->polar;
    PetscCall(Keep(bounds, trial));
  }
  PetscFunctionReturn(0);
}

#define CANDIDATES (sizeof(candidates) / sizeof(*candidates))

static PetscBool IsTried(PsdBounds bounds, const PsdCandidateOps *candidate, PsdCandidateGroup group)
{
  const PetscBool suits = (PetscBool)(candidate->of_split == bounds->problem->loss.ops->splits);
  const PetscBool can = (PetscBool)(!candidate->solves || PsdConsensusCanSolve(bounds->consensus));
  return (PetscBool)(candidate->group == group && suits && can);
}

/* One more trial, of which the tally gets this rank's part. */
static PetscErrorCode Build(PsdBounds bounds, const PsdCandidateOps *candidate, const PsdIterate *iterate,
                            PsdTally *tally)
{
  PetscFunctionBeginUser;
  PsdTrial *trial = &bounds->trial[bounds->trials++];
  *trial = (PsdTrial){.candidate = candidate};
  bounds->residual = (PsdResidual){0, 0}; /* a loss that is split has none */
  PetscCall((*candidate->build)(bounds, iterate));
  trial->w = bounds->point;
  trial->residual = bounds->residual;
  PetscCall(PsdPolarsOwnMax(bounds->problem->polars, bounds->M, &trial->polar));
  if (candidate->group == PSD_CANDIDATES_SOLVER) PetscCall(PsdOwnDot(bounds->M, iterate->S, &trial->product));
  PetscCall(PsdTallySum(tally, &trial->residual.linear));
  PetscCall(PsdTallySum(tally, &trial->residual.quadratic));
  PetscCall(PsdTallySum(tally, &trial->product));
  PetscCall(PsdTallyMax(tally, &trial->polar));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsDualBegin(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group, PsdTally *tally)
{
  PetscFunctionBeginUser;
  bounds->trials = 0;
  if (bounds->problem->loss.ops->splits) PetscFunctionReturn(0);
  for (size_t k = 0; k < CANDIDATES; k++)
    if (IsTried(bounds, &candidates[k], group)) PetscCall(Build(bounds, &candidates[k], iterate, tally));
  PetscFunctionReturn(0);
}

/* One after the other, as there is room for one nu. */
static PetscErrorCode TrySplit(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group)
{
  PetscFunctionBeginUser;
  PsdTally tally = {0};
  for (size_t k = 0; k < CANDIDATES; k++) {
    if (!IsTried(bounds, &candidates[k], group)) continue;
    bounds->trials = 0;
    PetscCall(Build(bounds, &candidates[k], iterate, &tally));
    PetscCall(PsdTallyReduce(bounds->problem->comm, &tally));
    PetscCall(Try(bounds, &bounds->trial[0]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsDualEnd(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group)
{
  PetscFunctionBeginUser;
  if (group == PSD_CANDIDATES_SOLVER) bounds->at_hand.value = PETSC_NINFINITY;
  if (bounds->problem->loss.ops->splits) {
    PetscCall(TrySplit(bounds, iterate, group));
    PetscFunctionReturn(0);
  }
  for (PetscInt k = 0; k < bounds->trials; k++) PetscCall(Try(bounds, &bounds->trial[k]));
  PetscFunctionReturn(0);
}
