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

PetscErrorCode PsdBoundsPrimal(PsdBounds bounds, const PsdIterate *iterate, PetscBool gradient)
{
  PetscFunctionBeginUser;
  const PetscReal beta = bounds->problem->beta;
  PetscReal loss;
  if (bounds->problem->loss.ops->splits) {
    PetscCall(PsdBoundsSplitPrimal(bounds, iterate, gradient, &loss));
    bounds->primal = loss + beta * iterate->weight;
    PetscFunctionReturn(0);
  }
  PetscCall(PsdConsensusResidual(bounds->consensus, iterate->network, iterate->factors, &bounds->network_residual,
                                 gradient ? bounds->M_network : NULL));
  bounds->primal = bounds->network_residual.quadratic / 2 + beta * iterate->weight;
  PetscFunctionReturn(0);
}

/* The solver's own S. Its optimality in the consensus step says A'(Y - A S) = rho/2 (S - Sh): no product is needed. */
static PetscErrorCode BuildSolution(PsdBounds bounds, const PsdIterate *iterate)
{
  PetscFunctionBeginUser;
  PetscCall(VecCopy(iterate->S, bounds->w));
  PetscCall(VecWAXPY(bounds->M, -1, iterate->Sh, iterate->S));
  PetscCall(VecScale(bounds->M, iterate->rho / 2));
  PetscCall(PsdConsensusStepResidual(bounds->consensus, bounds->w, bounds->M, &bounds->residual));
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
    PsdRemoveJ(own.d, values + own.at);
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
  PetscCall(VecCopy(iterate->network, bounds->w));
  PetscCall(VecCopy(bounds->M_network, bounds->M));
  bounds->residual = bounds->network_residual;
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

/* The candidate at hand becomes the best one. Where the loss is split nu itself is kept; where the consensus works
   with the samples, the solution's is: a network's is made again from its w. */
static PetscErrorCode Keep(PsdBounds bounds, const PsdCandidateOps *candidate)
{
  PetscFunctionBeginUser;
  const PetscReal *nu;
  const size_t length = (size_t)bounds->problem->representatives.n_local * bounds->problem->blocks->C;
  bounds->best_name = candidate->name;
  PsdConsensusGetStepResidual(bounds->consensus, &nu);
  if (candidate->of_split) nu = bounds->nu;
  if (candidate->of_split || (nu && candidate->group == PSD_CANDIDATES_SOLVER)) {
    PetscCall(PetscArraycpy(bounds->best_nu, nu, length));
    bounds->best_source = (PsdDualSource){.nu = bounds->best_nu};
  } else {
    PetscCall(VecCopy(bounds->w, bounds->best_w));
    bounds->best_source = (PsdDualSource){.w = bounds->best_w};
  }
  PetscFunctionReturn(0);
}

/* The dual value of the candidate at hand; it is kept when it is the best. */
static PetscErrorCode Try(PsdBounds bounds, const PsdCandidateOps *candidate, Vec S)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = bounds->problem;
  const PsdDualRay ray = {.problem = problem,
                          .linear = bounds->residual.linear,
                          .quadratic = bounds->residual.quadratic,
                          .nu = candidate->of_split ? bounds->nu : NULL,
                          .samples = problem->representatives};
  PetscReal polar, value, rounding;
  PetscCall(PsdPolarsMax(problem->polars, bounds->M, &polar));
  PetscCall(PsdDualAlongRay(&ray, problem->beta / polar, &value, &rounding));
  PetscCall(PetscInfo(NULL, "dual candidate %s: R*/beta %g, value %.12g\n", candidate->name,
                      (double)(polar / problem->beta), (double)value));
  if (candidate->group == PSD_CANDIDATES_SOLVER && value > bounds->at_hand.value) {
    bounds->at_hand.value = value;
    PetscCall(PsdDualOfPoint(&ray, &bounds->at_hand.infeasible));
    PetscCall(VecDot(bounds->M, S, &bounds->at_hand.product));
  }
  if (value > bounds->best) {
    bounds->best = value;
    bounds->best_residual = bounds->residual;
    bounds->best_polar = polar;
    PetscCall(Keep(bounds, candidate));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBoundsDual(PsdBounds bounds, const PsdIterate *iterate, PsdCandidateGroup group)
{
  PetscFunctionBeginUser;
  if (group == PSD_CANDIDATES_SOLVER) bounds->at_hand.value = PETSC_NINFINITY;
  for (size_t k = 0; k < sizeof(candidates) / sizeof(*candidates); k++) {
    if (candidates[k].group != group) continue;
    if (candidates[k].of_split != bounds->problem->loss.ops->splits) continue;
    if (candidates[k].solves && !PsdConsensusCanSolve(bounds->consensus)) continue;
    PetscCall((*candidates[k].build)(bounds, iterate));
    PetscCall(Try(bounds, &candidates[k], iterate->S));
  }
  PetscFunctionReturn(0);
}
