/*
   The network that the columns stand for, and what is proved of it with the dual point nu = -L'(yhat).
*/
#include "base/base.h"
#include "certificate/certificate.h"
#include "certificate/user_network.h"
#include "lowrank.h"

/* The neurons of all columns, the same on all ranks; columns that are orthogonal within each block. */
static PetscErrorCode ToNeurons(PsdLowrank it, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = &it->columns;
  const PsdBlocks blocks = it->problem->blocks;
  PetscReal *F;
  PetscCall(PsdNeuronsCreate(columns->count, blocks->f_max, neurons));
  PetscCall(PetscArrayzero(neurons->filter, (size_t)columns->count * blocks->f_max));
  PetscCall(PetscMalloc1((size_t)blocks->d_max * columns->count, &F));
  for (PetscInt j = 0, end; j < columns->count; j = end) {
    const PetscInt block = columns->block[j], g = PsdBlockRegion(columns, block), d = blocks->region[g].d;
    const PetscInt K = columns->K[g];
    for (end = j; end < columns->count && columns->block[end] == block; end++) continue;
    PetscCall(PsdLevelToPatches(PsdLowrankLevel(it), g, end - j, columns->F + columns->at[j], K + 1, F, d));
    for (PetscInt i = j; i < end; i++) F[(size_t)(i - j + 1) * d - 1] = columns->F[columns->at[i + 1] - 1];
    PsdDecompose(d, end - j, F, PsdBlockSign(block), g, PsdBlockClass(columns, block), neurons);
  }
  PetscCall(PetscFree(F));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, (size_t)neurons->N * blocks->f_max, neurons->filter));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, (size_t)neurons->N, neurons->weight));
  PetscFunctionReturn(0);
}

/* Bases for the bounds, and kappa, when a certificate is first asked for. */
static PetscErrorCode PrepareCertificates(PsdLowrank it)
{
  PetscFunctionBeginUser;
  const PetscInt G = it->problem->blocks->G, *f;
  PsdBasis *basis;
  if (it->factored) PetscFunctionReturn(0);
  PsdPatchMatrixGetSizes(it->patches, NULL, NULL, NULL, &f);
  PetscCall(PetscMalloc1(G, &basis));
  for (PetscInt g = 0; g < G; g++) {
    const PsdComponents *components = &it->components->of[it->components->branch[g]];
    /* where all components are known M is formed */
    basis[g] =
        components->K < f[g] && !it->place.whole ? (PsdBasis){components->K, components->E} : (PsdBasis){0, NULL};
  }
  PetscCall(PsdFactoredCreate(it->problem, it->patches, basis, &it->factored));
  PetscCall(PetscFree(basis));
  PetscFunctionReturn(0);
}

/* nu = -L'(yhat) at the columns, in double precision, of samples of weight 1. */
static PetscErrorCode DualPoint(PsdLowrank it, PetscReal nu[])
{
  PetscFunctionBeginUser;
  const PetscInt C = it->problem->blocks->C, n = it->problem->n_local;
  PetscCall(PsdLowrankEvaluate(it, PETSC_TRUE));
  const PetscReal *slope = PsdObjectiveGetSlope(it->objective);
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt t = 0; t < C; t++)
      nu[(size_t)i * C + t] = -slope[(size_t)t * n + i] / PsdWeightOf(it->problem->weights, i);
  PetscFunctionReturn(0);
}

/* The certificate of `neurons` with nu; the bounds' multipliers start from theta, and are left there. */
static PetscErrorCode Prove(PsdLowrank it, const PsdNeurons *neurons, const PetscReal nu[], PetscReal theta[],
                            PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * it->problem->blocks->pairs;
  const int phase = PsdPhaseCurrent(); /* the certificate is a phase of its own in the midst of it */
  PsdFactoredPoint point = {nu, it->blocks, it->u};
  PetscCall(PrepareCertificates(it));
  for (PetscInt b = 0; b < blocks; b++) it->blocks[b] = (PsdBlockBound){.theta = theta[b]};
  PetscCall(PsdFactoredCertify(it->factored, neurons, &point, it->solver->target, it->solver->witness, certificate));
  for (PetscInt b = 0; b < blocks; b++) {
    /* no bound was found: a number that a checkpoint can hold */
    if (!(it->blocks[b].bound <= PSD_STATE_LARGEST)) it->blocks[b] = (PsdBlockBound){0, 0, PSD_STATE_LARGEST};
    theta[b] = it->blocks[b].theta;
  }
  if (phase >= 0) PetscCall(PsdPhaseBegin((PsdPhase)phase));
  PetscFunctionReturn(0);
}

static PetscErrorCode Keep(PsdLowrank it, PsdNeurons *neurons, const PetscReal nu[], const PetscReal theta[],
                           const PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdLowrankBest *best = &it->best;
  PetscCall(PsdNeuronsDestroy(&best->neurons));
  best->neurons = *neurons;
  PetscCall(PetscArraycpy(best->nu, nu, (size_t)it->problem->n_local * it->problem->blocks->C));
  PetscCall(PetscArraycpy(best->theta, theta, 2 * it->problem->blocks->pairs));
  best->certificate = *certificate;
  best->known = best->has_nu = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Of a network that was given the objective is its own, and the dual point is the solver's. */
static PetscErrorCode ProveGiven(PsdLowrank it, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdCertificate of_solver = *certificate;
  *certificate = it->best.certificate;
  if (of_solver.dual > certificate->dual) {
    certificate->dual = of_solver.dual;
    PsdCertificateSetGap(certificate, of_solver.dual);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankCheck(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  const PsdProblem problem = it->problem;
  const PetscInt blocks = 2 * problem->blocks->pairs;
  PsdSolverStatus *status = &solver->status;
  PsdNeurons neurons;
  PsdCertificate certificate;
  PetscReal *nu, *theta;
  PetscCall(PetscMalloc2((size_t)problem->n_local * problem->blocks->C, &nu, blocks, &theta));
  /* columns are orthogonal within their blocks after a compression, of which nothing is dropped */
  PetscCall(PsdColumnsCompress(&it->columns, 0));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, it->columns.at[it->columns.count], it->columns.F));
  PetscCall(DualPoint(it, nu));
  PetscCall(ToNeurons(it, &neurons));
  for (PetscInt b = 0; b < blocks; b++)
    theta[PsdLowrankPairBlock(it, b)] = PetscMin(problem->beta, PetscMax(0, it->mu[b] / 2));
  PetscCall(Prove(it, &neurons, nu, theta, &certificate));
  status->rank_Z = it->columns.count;
  const PsdObjectiveCounts counts = PsdObjectiveGetCounts(it->objective);
  PetscCall(PetscInfo(NULL,
                      "so far %" PetscInt64_FMT " gradients and %" PetscInt64_FMT
                      " products on levels, %" PetscInt64_FMT " and %" PetscInt64_FMT " in spans\n",
                      counts.evaluations - it->span_evaluations, counts.products - it->span_products,
                      it->span_evaluations, it->span_products));
  it->bound = PetscMax(it->bound, certificate.dual);
  if (it->fixed) {
    PetscCall(ProveGiven(it, &certificate));
    it->best.certificate = certificate;
    PetscCall(PetscArraycpy(it->best.nu, nu, (size_t)problem->n_local * problem->blocks->C));
    PetscCall(PsdNeuronsDestroy(&neurons));
  } else if (!it->best.known || certificate.gap <= it->best.certificate.gap) {
    PetscCall(Keep(it, &neurons, nu, theta, &certificate));
  } else {
    PetscCall(PsdNeuronsDestroy(&neurons));
  }
  status->objective = it->best.certificate.primal;
  status->bound = it->bound;
  status->neurons = it->best.neurons.N;
  status->gap = it->best.certificate.gap;
  PetscCall(PetscFree2(nu, theta));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankCertify(PsdSolver solver, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  if (solver->witness && !it->best.has_nu && !it->fixed) it->best.known = PETSC_FALSE;
  if (!it->best.known) PetscCall(PsdLowrankCheck(solver));
  /* the witness is that of the network and the point that are handed out */
  if (solver->witness && !it->fixed)
    PetscCall(Prove(it, &it->best.neurons, it->best.nu, it->best.theta, &it->best.certificate));
  *certificate = it->best.certificate;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- networks that are given */

PetscErrorCode PsdLowrankFixNetwork(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  PsdLowrankBest *best = &it->best;
  PetscCall(PsdLowrankSetInitial(solver, network));
  PetscCall(PsdNeuronsDestroy(&best->neurons));
  PetscCall(PsdProblemReadNeurons(it->problem, network, &best->neurons));
  PetscCall(DualPoint(it, best->nu));
  for (PetscInt b = 0; b < 2 * it->problem->blocks->pairs; b++) best->theta[b] = 0;
  PetscCall(Prove(it, &best->neurons, best->nu, best->theta, &best->certificate));
  best->known = best->has_nu = it->fixed = PETSC_TRUE;
  it->bound = best->certificate.dual;
  solver->status.objective = best->certificate.primal;
  solver->status.neurons = best->neurons.N;
  PetscFunctionReturn(0);
}

/* sqrt |alpha| [u; 1] for every neuron, as far as it is a filter of the coarse level */
PetscErrorCode PsdLowrankSetInitial(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = solver->data;
  const PsdBlocks blocks = it->problem->blocks;
  const PetscInt *K;
  PetscInt *block, *order, count = 0;
  PsdNeurons all;
  PsdColumns columns;
  PetscCall(PsdProblemReadNeurons(it->problem, network, &all));
  PetscCall(PetscMalloc2(all.N, &block, all.N, &order));
  for (PetscInt b = 0; b < 2 * blocks->pairs; b++)
    for (PetscInt k = 0; k < all.N; k++) {
      if ((all.region[k] * blocks->C + all.class[k]) * 2 + (all.weight[k] < 0) != b || all.weight[k] == 0) continue;
      order[count] = k;
      block[count++] = b;
    }
  PetscCall(PsdLowrankMoveTo(it, PETSC_FALSE));
  PsdLevelGetSizes(it->coarse, NULL, NULL, &K, NULL);
  PetscCall(PsdColumnsCreate(blocks->G, blocks->C, K, count, block, &columns));
  for (PetscInt j = 0; j < count; j++) {
    const PetscInt g = PsdBlockRegion(&columns, block[j]);
    const PetscReal root = PetscSqrtReal(PetscAbsReal(all.weight[order[j]]));
    PetscReal *F = columns.F + columns.at[j];
    PetscCall(PsdLevelFromPatches(it->coarse, g, 1, all.filter + (size_t)order[j] * all.f, all.f, F, K[g]));
    for (PetscInt k = 0; k < K[g]; k++) F[k] *= root;
    F[K[g]] = root;
  }
  PsdColumnsRetract(&columns, columns.F);
  PetscCall(PsdColumnsDestroy(&it->columns));
  it->columns = columns;
  it->place.beta = it->problem->beta;
  it->place.stage = PSD_LOWRANK_LOOK;
  PetscCall(PsdLowrankEvaluate(it, PETSC_FALSE));
  PetscCall(PetscFree2(block, order));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}
