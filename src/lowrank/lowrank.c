/*
   The low-rank solver as a type of solver: what it can do, its settings, its set-up, and beta.
*/
#include "lowrank.h"
#include "base/base.h"
#include "polar_free.h"
#include "problem/beta.h"

static PetscErrorCode Create(PsdSolver solver, void **data)
{
  PetscFunctionBeginUser;
  PsdLowrank it;
  PetscCall(PetscNew(&it));
  it->solver = solver;
  it->problem = solver->problem;
  it->settings = (PsdLowrankSettings){.coarse = 256, .plan_columns = 12, .plan_passes = 15};
  *data = it;
  PetscFunctionReturn(0);
}

static const char *const own_options[] = {"-coarse", NULL};

static PetscErrorCode SetFromOptions(void *data)
{
  PetscFunctionBeginUser;
  PsdLowrankSettings *settings = &((PsdLowrank)data)->settings;
  PetscCall(PsdOptionInt("-coarse", "principal components of the patches that the path of betas is followed in", 1,
                         PETSC_MAX_INT, &settings->coarse, NULL));
  PetscFunctionReturn(0);
}

#define USUAL_ITERATIONS 100 /* of ADMM */
#define OF_CUBE 0.2          /* flops of a partial projection, over f^3 */
#define OF_LEVELS 2000     /* flops of this solver a class and number of the patches: 15 passes with 12 columns, ... */
#define OF_ONE_LEVEL 30000 /* ... or 240, where there is no coarser level for most of them */
#define SURELY 2
#define LONG 384   /* patches of more numbers have a coarse level */
#define SMALL 8000 /* matrices up to this order take ADMM seconds */

/* Flops of ADMM: its matrix of order D or n and the factor of it, and iterations with products and projections. */
static PetscReal AdmmWork(const PsdSizes *s)
{
  const PetscReal n = s->n, D = s->order, f = s->f_max, C = s->C, G = s->G, patches = n * s->positions;
  const PetscReal cone = C * G * 2 * OF_CUBE * f * f * f;
  if (D <= n) return n * D * D + D * D * D + USUAL_ITERATIONS * (2 * C * D * D + cone);
  return patches * patches * f / G + n * n * n + USUAL_ITERATIONS * (2 * C * patches * f * f + cone);
}

/* Where ADMM surely does more (docs/performance.md has what was measured). */
static PetscBool Prefers(const PsdSizes *s)
{
  const PetscReal passes = s->f_max > LONG ? OF_LEVELS : OF_ONE_LEVEL;
  const PetscReal work = passes * (PetscReal)s->C * s->n * s->positions * s->f_max;
  return (PetscBool)(s->D > SMALL && SURELY * work < AdmmWork(s));
}

/* ---------------------------------------------------------------- set-up */

/* planes <- C x n of something that is n/copies x C row-major, times weights */
static void ToPlanes(PetscInt n, PetscInt C, PetscInt copies, const PetscReal weights[], const PetscReal rows[],
                     PetscReal planes[])
{
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt t = 0; t < C; t++)
      planes[(size_t)t * n + i] = PsdWeightOf(weights, i) * rows[(size_t)(i / copies) * C + t];
}

/* beta_max, and what beta it makes; of a beta_max that is 0 there are no fractions. */
static PetscErrorCode FindBeta(PsdLowrank it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt n = problem->n_local, C = problem->blocks->C, copies = problem->representatives.copies;
  PetscReal *planes, beta_max, random = 0;
  PetscCall(PetscMalloc1((size_t)n * C, &planes));
  ToPlanes(n, C, copies, problem->weights, problem->nu0, planes);
  PetscCall(PsdPolarFree(problem, it->patches, it->coarse, planes, &beta_max));
  if (problem->request.beta_noise > 0) {
    ToPlanes(n, C, copies, problem->weights, problem->signs, planes);
    PetscCall(PsdPolarFree(problem, it->patches, it->coarse, planes, &random));
  }
  PetscCall(PetscFree(planes));
  PetscCall(PetscFree(problem->signs));
  PetscCall(PsdProblemSettleBeta(problem, beta_max, random));
  PsdCheckInput(
      problem->beta > 0,
      "beta_max is 0, as the features say nothing of the targets: give -solver lowrank an absolute -beta, or take "
      "another solver");
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  const PsdProblem problem = it->problem;
  const PetscInt blocks = 2 * problem->blocks->pairs, *K;
  solver->wait = 1;
  PetscCall(PsdFeaturesGatherStatistics(problem->features));
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(PsdPatchMatrixCreate(problem->data, problem->patches, problem->activation,
                                 (size_t)(problem->memory * 1024 * 1024), &it->patches));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscCall(PsdLowrankMakeLevels(it));
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(FindBeta(it));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscCall(PsdObjectiveCreate(problem, &it->objective));
  PetscCall(PetscCalloc5(blocks, &it->mu, problem->blocks->C, &it->value, problem->blocks->C, &it->radius, blocks,
                         &it->blocks, (size_t)blocks * problem->blocks->f_max, &it->u));
  PetscCall(PetscCalloc2((size_t)problem->n_local * problem->blocks->C, &it->best.nu, blocks, &it->best.theta));
  PsdLevelGetSizes(it->coarse, NULL, NULL, &K, NULL);
  PetscCall(PsdColumnsCreate(problem->blocks->G, problem->blocks->C, K, 0, NULL, &it->columns));
  PetscFunctionReturn(0);
}

/* What is known of a beta before anything is done for it. From beta_max on that is all there is to know. */
static PetscErrorCode BeginBeta(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  it->best.known = PETSC_FALSE;
  it->bound = 0;
  it->place.stage = PSD_LOWRANK_LOOK;
  it->place.tighten = it->place.share = it->place.aim = 1;
  it->place.polished = it->place.grown = 0;
  solver->status = (PsdSolverStatus){.objective = it->problem->loss_at_zero, .gap = 1};
  if (it->problem->beta < it->problem->beta_max) PetscFunctionReturn(0);
  const PetscInt *K;
  PetscCall(PsdLowrankMoveTo(it, PETSC_FALSE));
  PetscCall(PsdColumnsDestroy(&it->columns));
  PsdLevelGetSizes(it->coarse, NULL, NULL, &K, NULL);
  PetscCall(PsdColumnsCreate(it->problem->blocks->G, it->problem->blocks->C, K, 0, NULL, &it->columns));
  it->place.beta = it->problem->beta;
  PetscCall(PsdLowrankCheck(solver));
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  it->place = (PsdLowrankPlace){.beta = PetscMax(it->problem->beta, PSD_FIRST_BETA * it->problem->beta_max)};
  PetscCall(BeginBeta(solver));
  PetscCall(PsdLowrankEvaluate(it, PETSC_FALSE));
  PetscCall(PsdLowrankRaise(it));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetBeta(PsdSolver solver, PetscReal beta)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  PetscCall(PsdProblemTakeBeta(it->problem, beta));
  PetscCall(PsdLowrankMoveTo(it, PETSC_FALSE));
  it->fixed = PETSC_FALSE;
  /* from above by the path; from below at once */
  if (it->place.beta < it->problem->beta || !it->columns.count) it->place.beta = it->problem->beta;
  PetscCall(BeginBeta(solver));
  PetscCall(PsdLowrankEvaluate(it, PETSC_FALSE));
  PetscFunctionReturn(0);
}

static PetscErrorCode Resume(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PetscCall(PsdLowrankEvaluate(solver->data, PETSC_TRUE)); /* as the last check has left it */
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- results */

static PetscReal BestBound(PsdSolver solver)
{
  return ((PsdLowrank)solver->data)->bound;
}

static void Learn(PsdSolver solver, PetscReal most)
{
  const PsdLowrank it = solver->data;
  it->bound = PetscMin(it->bound, most);
}

static PetscErrorCode Complete(PsdSolver solver, PetscBool checked)
{
  PetscFunctionBeginUser;
  if (!checked) PetscCall(PsdLowrankCheck(solver));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetNeurons(PsdSolver solver, PsdNeurons *all)
{
  PetscFunctionBeginUser;
  const PsdNeurons *best = &((PsdLowrank)solver->data)->best.neurons;
  PetscCall(PsdNeuronsCreate(best->N, solver->problem->blocks->f_max, all));
  if (best->N) PetscCall(PsdNeuronsCopy(best, all));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetKernels(PsdSolver solver, PetscInt *count, PsdSolverKernel kernels[])
{
  PetscFunctionBeginUser;
  (void)solver, (void)kernels;
  *count = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void **data)
{
  PetscFunctionBeginUser;
  PsdLowrank it = *data;
  PetscCall(PsdFactoredDestroy(&it->factored));
  PetscCall(PsdObjectiveDestroy(&it->objective));
  PetscCall(PsdColumnsDestroy(&it->columns));
  PetscCall(PsdLevelDestroy(&it->complete));
  PetscCall(PsdLevelDestroy(&it->coarse));
  if (it->components) PetscCall(PsdComponentsDestroy(it->components));
  PetscCall(PetscFree(it->components));
  PetscCall(PsdPatchMatrixDestroy(&it->patches));
  PetscCall(PsdNeuronsDestroy(&it->best.neurons));
  PetscCall(PetscFree2(it->best.nu, it->best.theta));
  PetscCall(PetscFree5(it->mu, it->value, it->radius, it->blocks, it->u));
  PetscCall(PetscFree(*data));
  PetscFunctionReturn(0);
}

const PsdSolverType PsdSolverLowrank = {.name = "lowrank",
                                        .help = "Newton's method over the factors of blocks of low rank",
                                        .own = own_options,
                                        .prefers = Prefers,
                                        .create = Create,
                                        .set_from_options = SetFromOptions,
                                        .set_plan_from_options = PsdLowrankSetPlanFromOptions,
                                        .destroy = Destroy,
                                        .plan = PsdLowrankPlan,
                                        .set_up = SetUp,
                                        .start = Start,
                                        .resume = Resume,
                                        .set_initial = PsdLowrankSetInitial,
                                        .fix_network = PsdLowrankFixNetwork,
                                        .set_beta = SetBeta,
                                        .best_bound = BestBound,
                                        .iterate = PsdLowrankIterate,
                                        .check = PsdLowrankCheck,
                                        .adapt = PsdLowrankAdapt,
                                        .complete = Complete,
                                        .certify = PsdLowrankCertify,
                                        .learn = Learn,
                                        .visit_form = PsdLowrankVisitForm,
                                        .visit_state = PsdLowrankVisitState,
                                        .get_neurons = GetNeurons,
                                        .get_kernels = GetKernels};
