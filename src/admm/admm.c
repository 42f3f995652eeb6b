/*
   PsdAdmm: settings and set-up of the solver; its results are in results.c. The loop is in solve.c, one iteration in iterate.c.
*/
#include "admm.h"
#include "base/base.h"
#include "choose_consensus.h"
#include "problem/beta.h"
#include "problem/samples.h"

PetscErrorCode PsdAdmmCreate(PsdProblem problem, PsdAdmm *admm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdAdmm it;
  PetscCall(PetscNew(&it));
  it->problem = problem;
  it->settings = (PsdAdmmSettings){
      .gap = 1e-4, .max_it = 5000, .relaxation = 1.6, .check_every = PSD_CHECK_EVERY, .screening = PETSC_TRUE};
  PetscCall(PsdConsensusCreate(&it->consensus));
  PetscCall(PsdConeCreate(&it->cone));
  *admm = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetFromOptions(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  PsdAdmmSettings *settings = &admm->settings;
  const PsdRange relaxation = {1, 1.9, PETSC_FALSE}; /* where no loss is slow */
  PetscCall(PsdOptionsHeading("Solver"));
  PetscCall(PsdOptionReal("-gap", "stop at this certified relative gap", PSD_POSITIVE, &settings->gap, NULL));
  PetscCall(PsdOptionInt("-max_it", "most iterations", 1, PETSC_MAX_INT, &settings->max_it, NULL));
  PetscCall(PsdOptionReal("-time_limit", "seconds after which the run ends with what it has; 0 = none", PSD_NONNEGATIVE,
                          &settings->time_limit, NULL));
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
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetTolerances(PsdAdmm admm, PetscReal gap, PetscInt max_it)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  admm->settings.gap = gap;
  admm->settings.max_it = max_it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetTolerances(PsdAdmm admm, PetscReal *gap, PetscInt *max_it)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  if (gap) *gap = admm->settings.gap;
  if (max_it) *max_it = admm->settings.max_it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetMonitor(PsdAdmm admm, PsdAdmmMonitor monitor, void *context)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  admm->monitor = monitor;
  admm->monitor_context = context;
  PetscFunctionReturn(0);
}

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

static PetscErrorCode CreateSplitting(PsdAdmm admm, PetscReal sigma)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSplittingCreate(admm->problem, sigma, &admm->split));
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

PetscErrorCode PsdAdmmSetUp(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  const PsdLoss *loss = &admm->problem->loss;
  const PetscReal sigma = admm->settings.sigma > 0 ? admm->settings.sigma : loss->ops->sigma * PsdLossSlope(loss);
  admm->blocks = admm->problem->blocks;
  PetscCall(CheckPenalty(admm));
  PetscCall(PsdCheckpointBegin(admm));
  PetscCall(PsdResumeOpen(admm));
  PetscCall(PsdConsensusSettle(admm->consensus, admm->problem));
  PetscCall(PsdConsensusAssemble(admm->consensus, admm->problem));
  if (loss->ops->splits) PetscCall(PsdProblemLift(admm->problem)); /* not yet, where A'A came from a file */

  PetscCall(PsdProblemFindBeta(admm->problem, PsdConsensusGetTrace(admm->consensus)));
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(CreateParts(admm));
  if (loss->ops->splits) PetscCall(CreateSplitting(admm, sigma));
  if (admm->checkpoint.archive) {
    PetscCall(PsdResumeLoad(admm));
    PetscCall(PsdConsensusFactor(admm->consensus, admm->penalty.rho / 2 / (admm->split ? admm->split->sigma : 1)));
  } else {
    PetscCall(PsdAdmmStart(admm, sigma));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetHistory(PsdAdmm admm, PetscInt *count, const PsdAdmmStatus *rows[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  *count = admm->history.rows;
  *rows = admm->history.row;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetKernels(PsdAdmm admm, const char *consensus[], const char *cone[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  if (consensus) *consensus = PsdConsensusGetKernel(admm->consensus)->name;
  if (cone) {
    PetscCall(PsdConeGetUse(admm->cone, sizeof(admm->cone_use), admm->cone_use));
    *cone = admm->cone_use;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmDestroy(PsdAdmm *admm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  if (!*admm) PetscFunctionReturn(0);
  PsdAdmm it = *admm;
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
  PetscCall(PsdCheckpointDestroy(&it->checkpoint));
  PetscCall(PsdHistoryDestroy(&it->history));
  PetscCall(PsdConeDestroy(&it->cone));
  PetscCall(PsdConsensusDestroy(&it->consensus));
  PetscCall(PetscFree(*admm));
  PetscFunctionReturn(0);
}
