/*
   PsdAdmm: settings, set-up and results of the solver. The loop is in solve.c, one iteration in iterate.c.
*/
#include "admm.h"
#include "base/base.h"
#include "choose_consensus.h"
#include "problem/beta.h"
#include "problem/samples.h"

PetscErrorCode PsdAdmmCreate(PsdProblem problem, PsdAdmm *admm)
{
  PetscFunctionBeginUser;
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
  PsdAdmmSettings *settings = &admm->settings;
  const PsdRange relaxation = {0, 1.999, PETSC_TRUE};
  PetscCall(PsdOptionsHeading("Solver"));
  PetscCall(PsdOptionReal("-gap", "stop at this certified relative gap", PSD_POSITIVE, &settings->gap, NULL));
  PetscCall(PsdOptionInt("-max_it", "most iterations", 1, PETSC_MAX_INT, &settings->max_it, NULL));
  PetscCall(PsdOptionReal("-time_limit", "seconds after which the run ends with what it has; 0 = none", PSD_NONNEGATIVE,
                          &settings->time_limit, NULL));
  PetscCall(PsdOptionReal("-rho", "initial penalty; 0 = estimated", PSD_NONNEGATIVE, &settings->rho, NULL));
  PetscCall(PsdOptionReal("-sigma", "initial penalty of the splitting of losses other than squared; 0 = estimated",
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
  admm->settings.gap = gap;
  admm->settings.max_it = max_it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetMonitor(PsdAdmm admm, PsdAdmmMonitor monitor, void *context)
{
  PetscFunctionBeginUser;
  admm->monitor = monitor;
  admm->monitor_context = context;
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateVectors(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  Vec *vectors[] = {&admm->Z[0], &admm->Z[1], &admm->Z_last[0], &admm->Z_last[1], &admm->U[0],    &admm->U[1],
                    &admm->X[0], &admm->X[1], &admm->S,         &admm->Sh,        &admm->network, &admm->best_network};
  for (size_t k = 0; k < sizeof(vectors) / sizeof(*vectors); k++) {
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

PetscErrorCode PsdAdmmSetUp(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks = admm->problem->blocks;
  const PsdLoss *loss = &admm->problem->loss;
  PetscReal rho = admm->settings.rho;
  const PetscReal sigma = admm->settings.sigma > 0 ? admm->settings.sigma : loss->ops->sigma;
  PetscCall(PsdCheckpointOpen(admm));
  PetscCall(PsdConsensusSettle(admm->consensus, admm->problem));
  PetscCall(PsdConsensusAssemble(admm->consensus, admm->problem));
  if (loss->ops->splits) PetscCall(PsdProblemLift(admm->problem)); /* not yet, where A'A came from a file */

  PetscCall(PsdProblemFindBeta(admm->problem, PsdConsensusGetTrace(admm->consensus)));
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(PsdFactorsCreate(blocks->d, &admm->local_factors));
  PetscCall(PsdFactorsCreate(blocks->d, &admm->factors));
  PetscCall(CreateVectors(admm));
  PetscCall(PsdNeuronsCreate(2 * blocks->local * blocks->d, blocks->f, &admm->neurons));
  PetscCall(PsdNeuronsCreate(2 * blocks->local * blocks->d, blocks->f, &admm->best));
  PetscCall(PetscMalloc1((size_t)blocks->d * blocks->d, &admm->factor));
  PetscCall(PsdConeSetUp(admm->cone, blocks));
  PetscCall(PsdBoundsCreate(admm->problem, admm->consensus, &admm->bounds));
  if (loss->ops->splits) {
    PetscCall(PsdSplittingCreate(admm->problem, sigma, &admm->split));
    PsdConsensusSetTarget(admm->consensus, admm->split->pull);
    PetscCall(PsdAcceleratorCreate(admm->problem, &admm->accelerator));
    PetscCall(SayIfStreamed(admm->problem));
  }
  if (admm->checkpoint.archive) {
    PetscCall(PsdCheckpointLoad(admm));
    PetscCall(PsdConsensusFactor(admm->consensus, admm->rho / 2 / (admm->split ? admm->split->sigma : 1)));
    PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
    PetscFunctionReturn(0);
  }
  if (rho == 0) {
    PetscCall(PsdAdmmFindSpectrum(admm));
    rho = PsdAdmmInitialPenalty(admm);
    PetscCall(
        PetscInfo(NULL, "initial rho %g, mean eigenvalue seen by h %g\n", (double)rho, (double)admm->spectrum.mean));
  }
  PetscCall(PsdAdmmSetPenalty(admm, rho, sigma));
  admm->rho_initial = admm->rho;
  /* the network without neurons: objective L(0) */
  admm->status = (PsdAdmmStatus){.objective = admm->problem->loss_at_zero, .gap = 1, .rho = admm->rho};
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}

/*
   Z stays, and so does the best network, whose objective is that of its loss and new weight. The multipliers -rho U are of the
   size of beta. The penalty follows the rule of the start by as much as that changes, so that what was learned is kept.
*/
PetscErrorCode PsdAdmmSetBeta(PsdAdmm admm, PetscReal beta)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = admm->problem;
  const PetscReal last = problem->beta, empty = problem->loss_at_zero;
  const PetscReal sigma = admm->split ? admm->split->sigma : 1;
  const PetscBool estimated = (PetscBool)(admm->spectrum.steps > 0); /* rather than given, as -rho */
  const PetscReal start = estimated ? PsdAdmmInitialPenalty(admm) : 1;
  PetscReal objective = admm->status.objective + (beta - last) * admm->best_weight;
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  problem->beta = beta;
  problem->beta_rel = problem->beta_noise = 0;
  PetscCall(PsdBoundsSetBeta(admm->bounds));
  if (estimated) PetscCall(PsdAdmmSetPenalty(admm, admm->rho * PsdAdmmInitialPenalty(admm) / start, sigma));
  for (PetscInt s = 0; s < 2; s++) PetscCall(VecScale(admm->U[s], beta / last));
  PetscCall(PsdConsensusRescale(admm->consensus, beta / last));
  PsdAcceleratorReset(admm->accelerator);
  admm->rho_initial = admm->rho;
  admm->trend = (PsdBoundTrend){0};
  admm->last_check = admm->round = admm->checkpoint.rows = 0;
  admm->elapsed = 0;
  if (objective > empty) {
    objective = empty;
    admm->best.N = 0;
    admm->best_weight = 0;
    PetscCall(VecSet(admm->best_network, 0));
  }
  admm->status = (PsdAdmmStatus){
      .objective = objective, .gap = 1, .rho = admm->rho, .neurons = objective < empty ? admm->status.neurons : 0};
  PetscCall(PsdAdmmScreen(admm, &admm->status.screened));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}

/* The neurons with positive weight (s = 0) or those with negative weight, positive (s = 1), as a list of their own. */
static PetscErrorCode SelectSign(PsdNetwork network, PetscInt s, PsdNeurons *selected)
{
  PetscFunctionBeginUser;
  PetscInt N, f;
  const PetscReal *filters, *weights;
  const PetscInt *regions, *classes;
  PetscCall(PsdNetworkGetNeurons(network, &N, &f, &filters, &weights, &regions, &classes));
  PetscCall(PsdNeuronsCreate(N, f, selected));
  for (PetscInt k = 0; k < N; k++) {
    if ((weights[k] > 0) != (s == 0)) continue;
    PetscCall(PetscArraycpy(selected->filter + (size_t)selected->N * f, filters + (size_t)k * f, f));
    selected->weight[selected->N] = PetscAbsReal(weights[k]);
    selected->region[selected->N] = regions[k];
    selected->class[selected->N] = classes[k];
    selected->N++;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetInitial(PsdAdmm admm, PsdNetwork network)
{
  PetscFunctionBeginUser;
  for (PetscInt s = 0; s < 2; s++) {
    PsdNeurons selected;
    PetscReal weight;
    PetscCall(SelectSign(network, s, &selected));
    PetscCall(PsdNeuronsAssemble(&selected, admm->blocks, admm->Z[s], &weight));
    PetscCall(PsdNeuronsDestroy(&selected));
  }
  /* U = 0, and S is not in use yet */
  PetscCall(VecWAXPY(admm->S, -1, admm->Z[1], admm->Z[0]));
  PetscCall(PsdConsensusRestart(admm->consensus, admm->S));
  if (admm->split) PetscCall(PsdSplittingRestart(admm->split, admm->S));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetStatus(PsdAdmm admm, PsdAdmmStatus *status, PsdAdmmReason *reason)
{
  PetscFunctionBeginUser;
  if (status) *status = admm->status;
  if (reason) *reason = admm->reason;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetKernels(PsdAdmm admm, const char *consensus[], const char *cone[])
{
  PetscFunctionBeginUser;
  if (consensus) *consensus = PsdConsensusGetKernel(admm->consensus)->name;
  if (cone) {
    PetscCall(PsdConeGetUse(admm->cone, sizeof(admm->cone_use), admm->cone_use));
    *cone = admm->cone_use;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetNetwork(PsdAdmm admm, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = admm->problem;
  PsdNeurons all;
  PetscInt count, copies;
  const PetscInt *labels;
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  PsdTraining training = {
      .beta = problem->beta, .beta_max = problem->beta_max, .n_train = problem->n / copies, .flip = copies == 2};
  PetscCall(PsdNeuronsGather(admm->blocks->comm, &admm->best, &all));
  PetscCall(PsdNetworkCreate(admm->blocks->comm, network));
  PetscCall(PsdNetworkSetPatches(*network, problem->patches));
  PetscCall(PsdDataGetClasses(problem->data, &count, &labels, NULL));
  PetscCall(PsdNetworkSetClasses(*network, count, labels));
  PetscCall(PsdNetworkSetNeurons(*network, all.N, all.f, all.filter, all.weight, all.region, all.class));
  PetscCall(PetscStrncpy(training.loss, problem->loss.ops->name, sizeof(training.loss)));
  training.loss_parameter = problem->loss.parameter;
  PetscCall(PetscArraycpy(training.activation, problem->activation, 3));
  PetscCall(PsdNetworkSetTraining(*network, &training));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmDestroy(PsdAdmm *admm)
{
  PetscFunctionBeginUser;
  if (!*admm) PetscFunctionReturn(0);
  PsdAdmm it = *admm;
  Vec *vectors[] = {&it->Z[0], &it->Z[1], &it->Z_last[0], &it->Z_last[1], &it->U[0],    &it->U[1],
                    &it->X[0], &it->X[1], &it->S,         &it->Sh,        &it->network, &it->best_network};
  for (size_t k = 0; k < sizeof(vectors) / sizeof(*vectors); k++) PetscCall(VecDestroy(vectors[k]));
  PetscCall(PsdFactorsDestroy(&it->local_factors));
  PetscCall(PsdFactorsDestroy(&it->factors));
  PetscCall(PsdNeuronsDestroy(&it->neurons));
  PetscCall(PsdNeuronsDestroy(&it->best));
  PetscCall(PetscFree(it->factor));
  PetscCall(PsdSplittingDestroy(&it->split));
  PetscCall(PsdAcceleratorDestroy(&it->accelerator));
  PetscCall(PsdBoundsDestroy(&it->bounds));
  PetscCall(PsdCheckpointDestroy(it));
  PetscCall(PsdConeDestroy(&it->cone));
  PetscCall(PsdConsensusDestroy(&it->consensus));
  PetscCall(PetscFree(*admm));
  PetscFunctionReturn(0);
}
