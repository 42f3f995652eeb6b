/*
   ADMM as a type of solver: what it can do, its settings and its set-up. One iteration is in iterate.c, how it starts in
   start.c, what it proves in prove.c.
*/
#include "admm.h"
#include "base/base.h"
#include "choose_consensus.h"
#include "choose_precision.h"
#include "problem/beta.h"
#include "problem/samples.h"
#include "solver_costs.h"

/* ---------------------------------------------------------------- settings */

static PetscErrorCode Create(PsdSolver solver, void **data)
{
  PetscFunctionBeginUser;
  PsdAdmm it;
  PetscCall(PetscNew(&it));
  it->solver = solver;
  it->problem = solver->problem;
  it->settings = (PsdAdmmSettings){.relaxation = 1.6, .check_every = PSD_CHECK_EVERY, .screening = PETSC_TRUE};
  PetscCall(PsdConsensusCreate(&it->consensus));
  PetscCall(PsdConeCreate(&it->cone));
  *data = it;
  PetscFunctionReturn(0);
}

static const char *const own_options[] = {"-rho",  "-sigma",        "-relaxation",  "-check_every", "-screening",
                                          "-cone", "-cone_partial", "-cone_lapack", "-consensus",   "-precision",
                                          NULL};

static PetscErrorCode SetFromOptions(void *data)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = data;
  PsdAdmmSettings *settings = &admm->settings;
  const PsdRange relaxation = {1, 1.9, PETSC_FALSE}; /* where no loss is slow */
  PetscCall(PsdOptionReal("-rho", "penalty to start from, of weights as the network has them; 0 = estimated",
                          PSD_NONNEGATIVE, &settings->rho, NULL));
  PetscCall(PsdOptionReal("-sigma",
                          "penalty of the splitting of losses other than squared, to start from; 0 = estimated",
                          PSD_NONNEGATIVE, &settings->sigma, NULL));
  PetscCall(PsdOptionReal("-relaxation", "over-relaxation of ADMM", relaxation, &settings->relaxation, NULL));
  PetscCall(PsdOptionInt("-check_every", "iterations between checks of the bounds", 1, PETSC_MAX_INT,
                         &settings->check_every, NULL));
  PetscCall(PsdOptionBool("-screening", "path: leave out blocks that are proved zero at the next beta [on]",
                          &settings->screening, NULL));
  PetscCall(PsdConeSetFromOptions(admm->cone));
  PetscCall(PsdConsensusSetFromOptions(admm->consensus));
  PetscCall(PsdPrecisionAsk(&settings->precision));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetPlanFromOptions(void *data)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = data;
  PetscCall(PsdConsensusSetFromOptions(admm->consensus));
  PetscCall(PsdPrecisionAsk(&admm->settings.precision));
  PetscFunctionReturn(0);
}

/* It can do all that is asked of a solver, up to the memory. */
static PetscBool Prefers(const PsdSizes *sizes)
{
  (void)sizes;
  return PETSC_TRUE;
}

/* ---------------------------------------------------------------- set-up */

#define VECTORS 12

static void ListVectors(PsdAdmm admm, Vec *vectors[VECTORS])
{
  PsdVariables *it = &admm->iterate;
  Vec *const all[VECTORS] = {&it->Z[0], &it->Z[1], &it->Z_last[0], &it->Z_last[1], &it->U[0],          &it->U[1],
                             &it->X[0], &it->X[1], &it->S,         &it->Sh,        &admm->extracted.S, &admm->best.S};
  (void)PetscArraycpy(vectors, all, VECTORS);
}

static PetscErrorCode CreateVectors(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  Vec *vectors[VECTORS];
  ListVectors(admm, vectors);
  for (size_t k = 0; k < VECTORS; k++) {
    PetscCall(VecDuplicate(admm->problem->h, vectors[k]));
    PetscCall(VecSet(*vectors[k], 0));
  }
  PetscFunctionReturn(0);
}

/* An iteration of a loss that is split goes through the samples. */
static PetscErrorCode SayIfStreamed(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscBool streamed = (PetscBool)!PsdFeaturesAreKept(problem->folded);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &streamed, 1, MPIU_BOOL, MPI_LOR, problem->comm));
  if (streamed)
    PetscCall(
        PetscPrintf(problem->comm,
                    "memory   the features exceed -memory and are lifted again at each iteration: -loss %s is slow "
                    "that way\n",
                    problem->loss.ops->name));
  PetscFunctionReturn(0);
}

/* What the loop needs; the starting penalty is not there yet. */
static PetscErrorCode CreateParts(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PsdExtraction *extracted = &admm->extracted;
  PetscInt capacity = 0; /* a neuron for each coordinate of Z and Z' */
  for (PetscInt k = 0; k < blocks->local; k++) capacity += 2 * PsdBlocksOwn(blocks, k).d;
  PetscCall(PsdFactorsCreate(blocks->d_max, &extracted->local_factors));
  PetscCall(PsdFactorsCreate(blocks->d_max, &extracted->factors));
  PetscCall(CreateVectors(admm));
  PetscCall(PsdNeuronsCreate(capacity, blocks->f_max, &extracted->neurons));
  PetscCall(PsdNeuronsCreate(capacity, blocks->f_max, &admm->best.neurons));
  PetscCall(PsdBlocksCreatePairVec(blocks, &admm->best.error));
  PetscCall(PetscMalloc1((size_t)blocks->d_max * blocks->d_max, &extracted->factor));
  PetscCall(PsdConeSetUp(admm->cone, blocks));
  PetscCall(PsdBoundsCreate(admm->problem, admm->consensus, &admm->bounds));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateSplitting(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSplittingCreate(admm->problem, admm->settings.sigma, &admm->split));
  PsdConsensusSetTarget(admm->consensus, admm->split->pull);
  PetscCall(PsdAcceleratorCreate(admm->problem, &admm->accelerator));
  PetscCall(SayIfStreamed(admm->problem));
  PetscFunctionReturn(0);
}

/* The penalty that was given has to be one in the problem's units as well. */
static PetscErrorCode CheckPenalty(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdUnits units = admm->problem->units;
  const PetscReal rho = admm->settings.rho;
  PsdCheckInput(rho == 0 || PsdIsRepresentable(PsdToUnits(units, PSD_UNIT_PENALTY, rho)),
                "option -rho: found %g, which is out of range where the numbers of lifted features are of the order of "
                "2^%d",
                (double)rho, -units.exponent);
  PetscFunctionReturn(0);
}

#define LEAST_WAIT 10 /* iterations, however often bounds are looked at */

static PetscErrorCode SetUp(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  const PsdProblem problem = admm->problem;
  const PsdCheckpoint *checkpoint = &solver->checkpoint;
  const PsdLoss *loss = &problem->loss;
  admm->blocks = problem->blocks;
  solver->wait = PetscMax(LEAST_WAIT, admm->settings.check_every);
  admm->settings.sigma = PsdToUnits(problem->units, PSD_UNIT_CURVATURE, admm->settings.sigma);
  if (admm->settings.sigma == 0) admm->settings.sigma = loss->ops->sigma * PsdLossSlope(loss);
  PetscCall(CheckPenalty(admm));
  if (checkpoint->gram_path[0]) PsdConsensusKeepGram(admm->consensus, checkpoint->gram_path, checkpoint->resume);
  if (admm->settings.precision == PSD_PRECISION_MIXED) PsdConsensusPrefer(admm->consensus, PSD_FORM_GRAM);
  PetscCall(PsdConsensusSettle(admm->consensus, problem));
  PetscCall(PsdPrecisionSettle(admm));
  PetscCall(PsdConsensusAssemble(admm->consensus, problem));
  if (loss->ops->splits) { /* not yet, where A'A came from a file */
    PetscCall(PsdProblemLift(problem));
    PetscCall(PsdFeaturesComplete(problem->folded));
  }

  PetscCall(PsdProblemFindBeta(problem, PsdConsensusGetTrace(admm->consensus)));
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(CreateParts(admm));
  if (loss->ops->splits) PetscCall(CreateSplitting(admm));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what it takes */

#define ITERATIONS 150 /* that a plan thinks usual */

/* With the consensus kernel asked for, whether it fits or not, or the one that a run would choose. */
static PetscErrorCode Plan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = data;
  const PsdConsensusKernel *kernel = PsdConsensusGetKernel(admm->consensus);
  const PsdConsensusForm form = admm->settings.precision == PSD_PRECISION_MIXED ? PSD_FORM_GRAM : PSD_FORM_ANY;
  if (kernel) PetscCall(PsdConsensusCheckSupports(kernel, job->sizes, job->loss->ops->name));
  else PetscCall(PsdConsensusChoose(job->sizes, job->node, form, &kernel));
  PsdSizes sizes = *job->sizes;
  PetscCall(PsdPrecisionChoose(admm->settings.precision, &sizes, kernel, admm->solver->settings.gap, &sizes.single));
  plan->iterations = job->iterations > 0 ? job->iterations : ITERATIONS;
  plan->kernels = 3;
  plan->kernel[0] = (PsdSolverKernel){"consensus", kernel->name};
  plan->kernel[1] = (PsdSolverKernel){"cone", PsdConeDescribe(&sizes)};
  plan->kernel[2] = (PsdSolverKernel){"precision", sizes.single ? "mixed" : "double"};
  PsdAdmmMemory(&sizes, kernel, job->node->program, &plan->memory);
  PsdAdmmCosts(&sizes, kernel, job->rates, plan->iterations, plan->cost);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- results */

static PetscReal BestBound(PsdSolver solver)
{
  const PsdAdmm admm = solver->data;
  return admm->bounds->best;
}

static void Learn(PsdSolver solver, PetscReal most)
{
  const PsdAdmm admm = solver->data;
  admm->bounds->best = PetscMin(admm->bounds->best, most);
}

static PetscErrorCode GetNeurons(PsdSolver solver, PsdNeurons *all)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PetscCall(PsdNeuronsGather(admm->blocks->comm, &admm->best.neurons, all));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetKernels(PsdSolver solver, PetscInt *count, PsdSolverKernel kernels[])
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PetscCall(PsdConeGetUse(admm->cone, sizeof(admm->cone_use), admm->cone_use));
  *count = 0;
  kernels[(*count)++] = (PsdSolverKernel){"consensus", PsdConsensusGetKernel(admm->consensus)->name};
  kernels[(*count)++] = (PsdSolverKernel){"cone", admm->cone_use};
  if (PsdConsensusIsSingle(admm->consensus)) kernels[(*count)++] = (PsdSolverKernel){"precision", "mixed"};
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void **data)
{
  PetscFunctionBeginUser;
  PsdAdmm it = *data;
  Vec *vectors[VECTORS];
  ListVectors(it, vectors);
  for (size_t k = 0; k < VECTORS; k++) PetscCall(VecDestroy(vectors[k]));
  PetscCall(PsdFactorsDestroy(&it->extracted.local_factors));
  PetscCall(PsdFactorsDestroy(&it->extracted.factors));
  PetscCall(PsdNeuronsDestroy(&it->extracted.neurons));
  PetscCall(PsdNeuronsDestroy(&it->best.neurons));
  PetscCall(VecDestroy(&it->best.error));
  PetscCall(PetscFree(it->extracted.factor));
  PetscCall(PsdSplittingDestroy(&it->split));
  PetscCall(PsdAcceleratorDestroy(&it->accelerator));
  PetscCall(PsdBoundsDestroy(&it->bounds));
  PetscCall(PsdConeDestroy(&it->cone));
  PetscCall(PsdConsensusDestroy(&it->consensus));
  PetscCall(PetscFree(*data));
  PetscFunctionReturn(0);
}

const PsdSolverType PsdSolverAdmm = {.name = "admm",
                                     .help = "ADMM",
                                     .takes_corners = PETSC_TRUE,
                                     .takes_vectors = PETSC_TRUE,
                                     .has_gram = PETSC_TRUE,
                                     .is_relieved = PETSC_TRUE,
                                     .iteration_flops = PsdAdmmIterationFlops,
                                     .own = own_options,
                                     .prefers = Prefers,
                                     .create = Create,
                                     .set_from_options = SetFromOptions,
                                     .set_plan_from_options = SetPlanFromOptions,
                                     .destroy = Destroy,
                                     .plan = Plan,
                                     .set_up = SetUp,
                                     .start = PsdAdmmStart,
                                     .resume = PsdAdmmResume,
                                     .set_initial = PsdAdmmSetInitial,
                                     .fix_network = PsdAdmmFixNetwork,
                                     .set_beta = PsdAdmmSetBeta,
                                     .best_bound = BestBound,
                                     .iterate = PsdAdmmIterate,
                                     .check = PsdAdmmCheck,
                                     .adapt = PsdAdmmAdapt,
                                     .complete = PsdAdmmComplete,
                                     .certify = PsdAdmmCertify,
                                     .learn = Learn,
                                     .visit_form = PsdAdmmVisitForm,
                                     .visit_state = PsdAdmmVisitState,
                                     .get_neurons = GetNeurons,
                                     .get_kernels = GetKernels};
