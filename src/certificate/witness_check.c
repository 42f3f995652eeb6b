/*
   Proving the bound of a certificate file again, from the samples and without a solver.

   A'nu is added up with its bounds of rounding (problem/dual_point.c), and for each block the matrix of witness.h is
   shown to be positive semidefinite by a Cholesky factorisation (cone/polar_proof.c), and of a vector the two
   inequalities that witness.h has for it; where that fails with features it
   is tried with patches. Nothing that the file claims is believed: its theta are tried, and its bound is compared with
   the one that is found here.
*/
#include "witness.h"
#include "base/base.h"
#include "base/rounding.h"
#include "certificate.h"
#include "cone/second_order.h"
#include "patches/lift.h"
#include "problem/samples.h"
#include "ray.h"
#include "user_network.h"

/* What has been found out of a witness. */
typedef struct {
  PsdWitness witness;
  PsdProblem problem;
  PsdDualPoint point;
  PsdPrimalPoint primal;
  PsdNetworkMatrix network; /* zero where there is none */
  PetscBool inside;         /* nu and s nu are in the domain of the dual function */
  PetscInt open;            /* the first theta of all that proves nothing; -1: all do */
} Check;

/* ---------------------------------------------------------------- blocks */

/* open <- the first of all blocks' theta, counted t G + g and then by sign, that proves nothing. */
static PetscErrorCode ProveBlocks(Check *it)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->problem->blocks;
  const PetscReal *M, *error, *theta = it->witness->theta;
  PetscInt first = PETSC_MAX_INT;
  PetscReal *B;
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(PetscMalloc1((size_t)blocks->d_max * blocks->d_max, &B));
  PetscCall(VecGetArrayRead(it->point.gradient, &M));
  PetscCall(VecGetArrayRead(it->point.rounding, &error));
  for (PetscInt k = 0; k < 2 * blocks->local && first == PETSC_MAX_INT; k++) {
    PetscBool proved;
    const PsdShape shape = PsdBlocksOwn(blocks, k / 2);
    const PetscReal s = k % 2 ? -it->witness->s : it->witness->s;
    const PsdPolarSide side = {theta[k], it->witness->beta - theta[k]};
    if (shape.vector) proved = PsdVectorPolarHolds(shape.f, M + shape.at, s, error[k / 2], side);
    else PetscCall(PsdPolarHolds(shape.f, M + shape.at, s, error[k / 2], side, B, &proved));
    if (!proved) first = 2 * blocks->first + k;
  }
  PetscCall(VecRestoreArrayRead(it->point.rounding, &error));
  PetscCall(VecRestoreArrayRead(it->point.gradient, &M));
  PetscCall(PetscFree(B));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPIU_INT, MPI_MIN, it->problem->comm));
  it->open = first == PETSC_MAX_INT ? -1 : first;
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the dual function */

/* Before nu is pulled into the domain, which moves what is not there, or is there but for rounding. */
static PetscErrorCode LookInside(Check *it)
{
  PetscFunctionBeginUser;
  PsdDualRay ray = PsdDualRayOf(it->problem, &it->point);
  PetscReal value[2] = {0, 0}, rounding;
  if (it->problem->loss.ops->splits) {
    ray.nu = it->witness->nu;
    PetscCall(PsdDualOnRay(&ray, 1, &value[0], &rounding));
    PetscCall(PsdDualOnRay(&ray, it->witness->s, &value[1], &rounding));
  }
  it->inside = (PetscBool) !(PetscIsInfOrNanReal(value[0]) || PetscIsInfOrNanReal(value[1]));
  PetscFunctionReturn(0);
}

/* The network's matrix, zero where there is none, with bounds of its errors. */
static PetscErrorCode AssembleNetwork(Check *it, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->problem->blocks;
  PsdNetworkMatrix *matrix = &it->network;
  PsdNeurons neurons;
  PetscCall(PsdBlocksCreateVec(blocks, &matrix->S));
  PetscCall(PsdBlocksCreatePairVec(blocks, &matrix->error));
  if (!network) PetscFunctionReturn(0);
  PetscCall(PsdProblemReadNeurons(it->problem, network, &neurons));
  PetscCall(PsdNeuronsAssemble(&neurons, blocks, matrix->S, &matrix->weight));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &matrix->weight, 1, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscCall(PsdNeuronsBoundErrors(&neurons, blocks, matrix->weight, matrix->error, &matrix->weight_error));
  PetscCall(PsdNeuronsDestroy(&neurons));
  PetscFunctionReturn(0);
}

/* From the samples: what is to be known of nu and, where there is one, of the network. */
static PetscErrorCode Evaluate(Check *it)
{
  PetscFunctionBeginUser;
  const PsdDualSource source = {.nu = it->witness->nu, .each = PETSC_TRUE};
  PetscCall(PsdProblemEvaluate(it->problem, &it->network, 1, &source, &it->primal, &it->point));
  PetscFunctionReturn(0);
}

/* Features are quadratic in the transform of the patches before they are added up, patches only where they meet: where the
   transform stretches what it then cancels, less is lost of the latter. */
static PetscErrorCode TryPatches(Check *it)
{
  PetscFunctionBeginUser;
  PetscInt branches;
  PetscCall(PsdPatchesGetBranchCount(it->problem->patches, &branches));
  /* patches of one quadratic kind alone are kept */
  if (it->problem->rows || branches > 1 || PsdPatchesHaveVectors(it->problem->patches)) PetscFunctionReturn(0);
  PetscCall(PsdProblemKeepPatches(it->problem));
  PetscCall(Evaluate(it));
  PetscCall(ProveBlocks(it));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the verdict */

/* The bound at s, once the blocks are proved there; else the best that the polar allows of this nu. */
static PetscErrorCode FindBound(Check *it, PsdVerdict *verdict)
{
  PetscFunctionBeginUser;
  const PsdDualRay ray = PsdDualRayOf(it->problem, &it->point);
  const PsdProblem problem = it->problem;
  PsdPointPolar polar;
  PetscReal value, rounding, limit = it->witness->s;
  if (!problem->polars) PetscCall(PsdPolarsCreate(problem->blocks, &problem->polars));
  if (!it->witness->multiplied || it->open >= 0 || !it->inside) {
    PetscCall(PsdDualPointPolar(problem, &it->point, &polar));
    limit = problem->beta / polar.bound * (1 - 2 * PETSC_MACHINE_EPSILON);
  }
  verdict->feasible = (PetscBool)(it->witness->s <= limit && it->open < 0);
  if (verdict->feasible && it->inside) PetscCall(PsdDualOnRay(&ray, it->witness->s, &value, &rounding));
  else PetscCall(PsdDualAlongRay(&ray, limit, &value, &rounding));
  verdict->certificate.dual = PetscMax(0, PsdRoundDown(value - rounding));
  PetscFunctionReturn(0);
}

static PetscErrorCode Judge(const Check *it, PsdVerdict *verdict)
{
  PetscFunctionBeginUser;
  const PetscInt pair = it->open / 2, G = it->problem->blocks->G;
  verdict->claimed = PsdFromUnits(it->problem->units, PSD_UNIT_OBJECTIVE, it->witness->bound);
  verdict->holds = (PetscBool)(it->inside && verdict->feasible && it->witness->bound <= verdict->certificate.dual);
  if (!it->inside)
    PetscCall(PetscSNPrintf(verdict->reason, sizeof(verdict->reason), "nu is not in the domain of the dual function"));
  else if (it->open >= 0)
    PetscCall(PetscSNPrintf(verdict->reason, sizeof(verdict->reason),
                            "theta of region %" PetscInt_FMT ", class %" PetscInt_FMT ", sign %s, proves nothing",
                            pair % G, pair / G, it->open % 2 ? "-" : "+"));
  else if (!verdict->feasible)
    PetscCall(PetscSNPrintf(verdict->reason, sizeof(verdict->reason), "s nu is not feasible for this beta"));
  else if (!verdict->holds)
    PetscCall(PetscSNPrintf(verdict->reason, sizeof(verdict->reason), "it claims more than its nu gives"));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessCheck(PsdWitness witness, PsdProblem problem, PsdNetwork network, PsdVerdict *verdict)
{
  PetscFunctionBeginUser;
  Check it = {.witness = witness, .problem = problem, .open = -1};
  *verdict = (PsdVerdict){0};
  PetscCall(PsdWitnessRead(witness, problem));
  PetscCall(PsdDualPointCreate(problem, PETSC_TRUE, &it.point));
  PetscCall(LookInside(&it));
  PetscCall(AssembleNetwork(&it, network));
  PetscCall(Evaluate(&it));
  if (witness->multiplied) PetscCall(ProveBlocks(&it));
  if (it.open >= 0) PetscCall(TryPatches(&it));
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(FindBound(&it, verdict));
  PetscCall(Judge(&it, verdict));
  if (network) {
    PsdCertificateSetPrimal(problem, &it.network, &it.primal, &verdict->certificate);
    PsdCertificateSetGap(&verdict->certificate, verdict->certificate.dual);
    PetscCall(PsdCertificateCheck(problem, &verdict->certificate));
  }
  PsdCertificateToUser(problem, &verdict->certificate);
  PetscCall(PsdDualPointDestroy(&it.point));
  PetscCall(VecDestroy(&it.network.S));
  PetscCall(VecDestroy(&it.network.error));
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}
