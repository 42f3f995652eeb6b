/*
   The barrier method as a type of solver: its set-up, its iterations and its results.
*/
#include "barrier.h"
#include "base/base.h"
#include "problem/beta.h"
#include "problem/gram.h"
#include "problem/samples.h"

static PetscErrorCode Create(PsdSolver solver, void **data)
{
  PetscFunctionBeginUser;
  PsdBarrierSolver it;
  PetscCall(PetscNew(&it));
  it->solver = solver;
  it->problem = solver->problem;
  *data = it;
  PetscFunctionReturn(0);
}

static const char *const own_options[] = {NULL};

static PetscErrorCode SetFromOptions(void *data)
{
  PetscFunctionBeginUser;
  (void)data;
  PetscFunctionReturn(0);
}

static PetscBool Prefers(const PsdSizes *sizes)
{
  (void)sizes;
  return PETSC_FALSE;
}

/* ---------------------------------------------------------------- set-up */

static PetscErrorCode CountSamples(PsdBarrierSolver it)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(it->problem->comm, &ranks));
  PetscCallMPI(MPI_Comm_rank(it->problem->comm, &it->rank));
  PetscCall(PetscMalloc2(ranks, &it->samples, ranks, &it->first));
  PetscCallMPI(MPI_Allgather(&it->problem->n_local, 1, MPIU_INT, it->samples, 1, MPIU_INT, it->problem->comm));
  it->first[0] = 0;
  for (PetscMPIInt rank = 1; rank < ranks; rank++) it->first[rank] = it->first[rank - 1] + it->samples[rank - 1];
  PetscFunctionReturn(0);
}

/* This rank's lifted features, n_local x D. */
static PetscErrorCode CopyFeatures(PsdProblem problem, PetscReal rows[])
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->blocks->D;
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->features); k++) {
    PetscInt first, count, ld;
    const PetscReal *phi;
    PetscCall(PsdFeaturesGetChunk(problem->features, k, &first, &count, &phi, &ld));
    for (PetscInt i = 0; i < count; i++)
      PetscCall(PetscArraycpy(rows + (size_t)(first + i) * D, phi + (size_t)i * ld, D));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateCentral(PsdBarrierSolver it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  PetscReal *rows, *A, *Y, *weights = NULL;
  PetscCall(PetscMalloc1((size_t)problem->n_local * problem->blocks->D, &rows));
  PetscCall(CopyFeatures(problem, rows));
  PetscCall(PsdBarrierGather(it, problem->blocks->D, rows, &A));
  PetscCall(PetscFree(rows));
  PetscCall(PsdBarrierGather(it, problem->blocks->C, problem->Y, &Y));
  if (problem->weights) PetscCall(PsdBarrierGather(it, 1, problem->weights, &weights));
  if (it->rank == 0)
    PetscCall(PsdCentralCreate(problem->blocks, &problem->loss, problem->n, A, Y, weights, &it->central));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckMemory(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdSizes sizes;
  PsdNode node;
  PetscCall(PsdProblemFindSizes(problem, &sizes));
  PetscCall(PsdNodeThis(problem->comm, &node));
  const PetscReal needed = PsdBarrierBytes(&sizes, &problem->loss);
  PsdCheckInput(needed <= node.memory,
                "D = %.0f, n = %.0f: solver barrier needs %.1f GB, and a node has %.1f GB: take another -solver, or a "
                "smaller -patch or -limit",
                (double)sizes.D, (double)sizes.n, (double)needed / 1e9, (double)node.memory / 1e9);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  PetscInt capacity = 0; /* a neuron for each coordinate of Z and Z' */
  solver->wait = 1;
  PetscCall(CheckMemory(problem));
  PetscCall(PsdProblemLift(problem));
  if (!problem->polars) { /* beta is not known yet */
    PetscReal trace;
    PetscCall(PsdProblemComputeGradient(problem, &trace));
    PetscCall(PsdProblemFindBeta(problem, trace));
  }
  PetscCall(CountSamples(it));
  PetscCall(CreateCentral(it));
  for (PetscInt pair = 0; pair < problem->blocks->pairs; pair++) capacity += 2 * PsdBlocksPair(problem->blocks, pair).d;
  PetscCall(PsdNeuronsCreate(capacity, problem->blocks->f_max, &it->trial));
  PetscCall(PsdNeuronsCreate(capacity, problem->blocks->f_max, &it->best));
  const size_t count = (size_t)problem->n * problem->blocks->C;
  PetscCall(PetscCalloc2(count, &it->nu, it->rank == 0 ? count : 0, &it->trial_nu));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- loop */

/* The path begins, and the bound is that of -L'(0) made feasible. */
static PetscErrorCode BeginBeta(PsdBarrierSolver it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C;
  const size_t count = (size_t)problem->n * C;
  const PetscReal part = problem->beta < problem->beta_max ? problem->beta / problem->beta_max : 1;
  PetscReal *slopes, size = 0;
  PetscCall(PsdBarrierGatherSlopes(it, &slopes));
  if (it->rank == 0) {
    PetscCall(PsdCentralStart(it->central, problem->beta, slopes));
    it->bound = PsdWeightedDual(&problem->loss, problem->n, C, part, PsdCentralGetWeights(it->central), slopes,
                                PsdCentralGetTargets(it->central), &size);
    for (size_t k = 0; k < count; k++) it->nu[k] = part * slopes[k];
  }
  PetscCall(PetscFree(slopes));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, 1, &it->bound));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, count, it->nu));
  it->idle = 0;
  it->solver->spent = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  it->best.N = 0;
  it->weight = 0;
  solver->status = (PsdSolverStatus){.objective = it->problem->loss_at_zero, .gap = 1};
  PetscCall(BeginBeta(it));
  PetscFunctionReturn(0);
}

static PetscErrorCode Resume(PsdSolver solver)
{
  PetscFunctionBeginUser;
  (void)solver;
  PetscFunctionReturn(0);
}

/* The best network so far stays, with its new objective. */
static PetscErrorCode SetBeta(PsdSolver solver, PetscReal beta)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  const PetscReal last = problem->beta;
  PetscCall(PsdProblemTakeBeta(problem, beta));
  const PetscReal objective = solver->status.objective + (problem->beta - last) * it->weight;
  it->fixed = PETSC_FALSE;
  if (objective >= problem->loss_at_zero) it->best.N = 0;
  if (it->best.N == 0) it->weight = 0;
  solver->status =
      (PsdSolverStatus){.objective = PetscMin(objective, problem->loss_at_zero), .gap = 1, .neurons = it->best.N};
  PetscCall(BeginBeta(it));
  PetscFunctionReturn(0);
}

#define MOST_IDLE 5 /* iterations in a row that gain nothing but rounding, after which there is no more to gain */

static PetscErrorCode Iterate(PsdSolver solver, PetscBool *due)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  PetscBool moved = PETSC_FALSE;
  if (it->rank == 0) PetscCall(PsdCentralStep(it->central, &moved));
  PetscCallMPI(MPI_Bcast(&moved, 1, MPIU_BOOL, 0, it->problem->comm));
  if (moved) PetscCall(PsdBarrierTakeNetwork(it, solver->target));
  it->idle = moved ? 0 : it->idle + 1;
  solver->spent = (PetscBool)(it->idle >= MOST_IDLE);
  *due = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Adapt(PsdSolver solver)
{
  PetscFunctionBeginUser;
  (void)solver;
  PetscFunctionReturn(0);
}

static PetscErrorCode Complete(PsdSolver solver, PetscBool checked)
{
  PetscFunctionBeginUser;
  (void)solver, (void)checked;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- results */

static PetscReal BestBound(PsdSolver solver)
{
  return ((PsdBarrierSolver)solver->data)->bound;
}

static void Learn(PsdSolver solver, PetscReal most)
{
  const PsdBarrierSolver it = solver->data;
  it->bound = PetscMin(it->bound, most);
}

static PetscErrorCode GetNeurons(PsdSolver solver, PsdNeurons *all)
{
  PetscFunctionBeginUser;
  const PsdNeurons *best = &((PsdBarrierSolver)solver->data)->best;
  PetscCall(PsdNeuronsCreate(best->N, best->f, all));
  PetscCall(PsdNeuronsCopy(best, all));
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
  PsdBarrierSolver it = *data;
  PetscCall(PsdCentralDestroy(&it->central));
  PetscCall(PsdNeuronsDestroy(&it->trial));
  PetscCall(PsdNeuronsDestroy(&it->best));
  PetscCall(PetscFree2(it->samples, it->first));
  PetscCall(PetscFree2(it->nu, it->trial_nu));
  PetscCall(PetscFree(*data));
  PetscFunctionReturn(0);
}

const PsdSolverType PsdSolverBarrier = {.name = "barrier",
                                        .help = "a primal-dual interior-point method, for small problems",
                                        .takes_corners = PETSC_TRUE,
                                        .relieves = PETSC_TRUE,
                                        .iteration_flops = PsdBarrierWork,
                                        .iterations = PsdBarrierIterations,
                                        .root_bytes = PsdBarrierBytes,
                                        .own = own_options,
                                        .prefers = Prefers,
                                        .create = Create,
                                        .set_from_options = SetFromOptions,
                                        .set_plan_from_options = SetFromOptions,
                                        .destroy = Destroy,
                                        .plan = PsdBarrierPlan,
                                        .set_up = SetUp,
                                        .start = Start,
                                        .resume = Resume,
                                        .set_initial = PsdBarrierSetInitial,
                                        .fix_network = PsdBarrierFixNetwork,
                                        .set_beta = SetBeta,
                                        .best_bound = BestBound,
                                        .iterate = Iterate,
                                        .check = PsdBarrierCheck,
                                        .adapt = Adapt,
                                        .complete = Complete,
                                        .certify = PsdBarrierCertify,
                                        .learn = Learn,
                                        .visit_form = PsdBarrierVisitForm,
                                        .visit_state = PsdBarrierVisitState,
                                        .get_neurons = GetNeurons,
                                        .get_kernels = GetKernels};
