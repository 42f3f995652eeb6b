/*
   Choice of the consensus kernel, and what the kernels share.
*/
#include "consensus.h"
#include "base/base.h"
#include "patches/transform.h"
#include "plan/plan.h"
#include "problem/samples.h"

static const PsdConsensusOps *const kernels[] = {&PsdConsensusRoot, &PsdConsensusScalapack, &PsdConsensusDual};

PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(consensus));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"auto", "root", "scalapack", "kernel", NULL};
  PetscInt choice = 0;
  PetscCall(PsdOptionEnum("-consensus", "where the least-squares step is done", names, &choice, NULL));
  consensus->ops = choice > 0 ? kernels[choice - 1] : NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode Sizes(PsdProblem problem, PsdPlanSizes *sizes)
{
  PetscFunctionBeginUser;
  PetscInt channels, height, width, q, positions, branches;
  PetscBool symmetric;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PsdDataGetImageSize(problem->data, &channels, &height, &width));
  PetscCall(PsdPatchesGetSizes(problem->patches, &q, NULL, NULL, &positions));
  PsdPlanSetSizes(problem->n, ranks, problem->blocks->C, problem->blocks->G, positions, q, problem->blocks->f,
                  channels * height * width, sizes);
  sizes->transform = PsdPatchesNeedStatistics(problem->patches);
  PetscCall(PsdPatchesGetBranchCount(problem->patches, &branches));
  sizes->split = problem->loss.ops->splits;
  sizes->lifted_only = (PetscBool)(branches > 1 || sizes->split);
  PetscCall(PsdProblemIsSymmetric(problem, &symmetric));
  if (symmetric) PsdPlanFold(PsdSymmetryEstimateOrder(problem->patches), sizes);
  sizes->feature_memory = problem->memory * 1024 * 1024;
  PetscFunctionReturn(0);
}

/* What `auto` takes, of the kernels that the run can be continued with. */
static PetscErrorCode ChooseInFamily(PsdConsensus consensus, const PsdPlanSizes *sizes, const PsdPlanNode *node)
{
  PetscFunctionBeginUser;
  const PsdRates rates = PsdRatesNominal(sizes);
  PsdPlanKind kind = PSD_PLAN_KERNEL;
  if (consensus->family != PSD_FAMILY_SAMPLES) PetscCall(PsdPlanChoose(sizes, &rates, node, &kind));
  if (consensus->family == PSD_FAMILY_GRAM && kind == PSD_PLAN_KERNEL)
    kind = sizes->ranks > 1 ? PSD_PLAN_SCALAPACK : PSD_PLAN_ROOT;
  consensus->ops = kernels[kind];
  PetscFunctionReturn(0);
}

/* One that was asked for has to fit as well; nominal rates, so that a choice does not depend on clocks. */
static PetscErrorCode ChooseKernel(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  PsdPlanSizes sizes;
  PsdPlanNode node;
  PsdPlanKind kind = PSD_PLAN_ROOT;
  PetscReal needed;
  PetscCall(Sizes(consensus->problem, &sizes));
  PetscCall(PsdPlanThisNode(consensus->blocks->comm, &node));
  if (!consensus->ops) {
    PetscCall(ChooseInFamily(consensus, &sizes, &node));
  } else {
    while (kind < PSD_PLAN_KERNEL && kernels[kind] != consensus->ops) kind++;
    PsdCheckInput(kind != PSD_PLAN_KERNEL || !sizes.split,
                  "options -consensus kernel and -loss %s: the kernel matrix is for the squared loss",
                  consensus->problem->loss.ops->name);
    PsdCheckInput(kind != PSD_PLAN_KERNEL || !sizes.lifted_only,
                  "options -consensus kernel and -branches: the kernel matrix is of one kind of patches");
    PsdCheckInput(PsdPlanFits(&sizes, kind, &node, &needed),
                  "D = %" PetscInt_FMT ", n = %" PetscInt_FMT
                  ": consensus %s needs %.1f GB, and a node has %.1f GB: take -consensus auto, a smaller -patch or "
                  "-pool, -pca or -limit",
                  consensus->blocks->D, consensus->problem->n, consensus->ops->name, (double)needed / 1e9,
                  (double)node.memory / 1e9);
  }
  PetscCall(PetscInfo(NULL, "consensus: %s for D = %" PetscInt_FMT " on %" PetscInt_FMT " ranks\n",
                      consensus->ops->name, consensus->blocks->D, sizes.ranks));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusRequire(PsdConsensus consensus, PetscBool samples, const char path[])
{
  PetscFunctionBeginUser;
  PsdCheckInput(!consensus->ops || (consensus->ops->follow != NULL) == samples,
                "%s: its run used %s, which -consensus %s cannot go on from", path,
                samples ? "-consensus kernel" : "A'A (-consensus root or scalapack)", consensus->ops->name);
  consensus->family = samples ? PSD_FAMILY_SAMPLES : PSD_FAMILY_GRAM;
  PetscFunctionReturn(0);
}

void PsdConsensusKeepGram(PsdConsensus consensus, const char path[], PetscBool resume)
{
  consensus->gram_path = path;
  consensus->gram_resume = resume;
}

PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdProblem problem)
{
  PetscFunctionBeginUser;
  consensus->problem = problem;
  consensus->blocks = problem->blocks;
  PetscCall(ChooseKernel(consensus));
  if (consensus->gram_path && consensus->ops->follow)
    PetscCall(PetscPrintf(problem->comm, "gram     consensus %s has no A'A to keep in %s\n", consensus->ops->name,
                          consensus->gram_path));
  PetscCall(VecDuplicate(problem->h, &consensus->rhs));
  consensus->target = problem->h;
  PetscCall((*consensus->ops->assemble)(consensus));
  PsdCheckInput(!PetscIsInfOrNanReal(consensus->trace),
                "lifted features overflow: see -pixel_shift, -pixel_scale, -activation and the preprocessing");
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_FACTOR));
  PetscCall((*consensus->ops->factor)(consensus, shift));
  PetscCall(PsdEventEnd(PSD_EVENT_FACTOR));
  consensus->shift = shift;
  consensus->factorizations++;
  PetscFunctionReturn(0);
}

void PsdConsensusSetTarget(PsdConsensus consensus, Vec target)
{
  consensus->target = target;
}

PetscErrorCode PsdConsensusStep(PsdConsensus consensus, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_CONSENSUS));
  PetscCall((*consensus->ops->step)(consensus, Sh, S));
  PetscCall(PsdEventEnd(PSD_EVENT_CONSENSUS));
  PetscFunctionReturn(0);
}

PetscBool PsdConsensusUsesSamples(PsdConsensus consensus)
{
  return (PetscBool)(consensus->ops->follow != NULL);
}

PetscErrorCode PsdConsensusFollow(PsdConsensus consensus, const PsdFactors *difference, PetscReal relaxation)
{
  PetscFunctionBeginUser;
  if (!consensus->ops->follow) PetscFunctionReturn(0);
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->ops->follow)(consensus, difference, relaxation));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusRestart(PsdConsensus consensus, Vec difference)
{
  PetscFunctionBeginUser;
  if (consensus->ops->restart) PetscCall((*consensus->ops->restart)(consensus, difference));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusRescale(PsdConsensus consensus, PetscReal factor)
{
  PetscFunctionBeginUser;
  if (consensus->ops->rescale) PetscCall((*consensus->ops->rescale)(consensus, factor));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *residual,
                                    Vec M)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->ops->residual)(consensus, w, factors, residual, M));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *residual)
{
  PetscFunctionBeginUser;
  PetscCall((*consensus->ops->step_residual)(consensus, S, M, residual));
  PetscFunctionReturn(0);
}

void PsdConsensusGetStepResidual(PsdConsensus consensus, const PetscReal *nu[])
{
  *nu = NULL;
  if (consensus->ops->get_residual) (*consensus->ops->get_residual)(consensus, nu);
}

PetscReal *PsdConsensusGetState(PsdConsensus consensus, PetscInt k, const char **name)
{
  return consensus->ops->get_state ? (*consensus->ops->get_state)(consensus, k, name) : NULL;
}

PetscBool PsdConsensusCanSolve(PsdConsensus consensus)
{
  return (PetscBool)(consensus->ops->solve != NULL);
}

PetscErrorCode PsdConsensusSolve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall((*consensus->ops->solve)(consensus, rhs, x));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->ops->multiply)(consensus, x, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusKrylovStart(PsdConsensus consensus, Vec *start, PetscBool *weighted)
{
  PetscFunctionBeginUser;
  *weighted = PsdConsensusUsesSamples(consensus);
  PetscCall((*consensus->ops->krylov_start)(consensus, start));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusKrylovMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->ops->krylov_multiply)(consensus, x, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusDestroy(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  if (!*consensus) PetscFunctionReturn(0);
  if ((*consensus)->kernel) PetscCall((*(*consensus)->ops->destroy)(*consensus));
  PetscCall(VecDestroy(&(*consensus)->rhs));
  PetscCall(PetscFree(*consensus));
  PetscFunctionReturn(0);
}

PetscReal PsdConsensusShiftFloor(PsdConsensus consensus)
{
  return 16 * PETSC_MACHINE_EPSILON * consensus->trace;
}

/* Numbers in one message of the reduction: large enough for bandwidth, small enough that the library's own buffers stay
   small beside the matrix. */
#define PIECE ((PetscInt64)1 << 19)

PetscErrorCode PsdReducePanel(MPI_Comm comm, PetscMPIInt owner, PetscInt D, PetscInt first, PetscInt columns,
                              PetscReal *gram)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  /* the columns' parts above the diagonal, and what lies between them: one contiguous stretch */
  PetscInt64 begin = (PetscInt64)first * D;
  const PetscInt64 end = (PetscInt64)(first + columns - 1) * D + first + columns;
  for (; begin < end; begin += PIECE) {
    const PetscMPIInt count = (PetscMPIInt)PetscMin(PIECE, end - begin);
    PetscReal *piece = gram + begin;
    PetscCallMPI(MPI_Reduce(rank == owner ? MPI_IN_PLACE : piece, piece, count, MPIU_REAL, MPI_SUM, owner, comm));
  }
  PetscFunctionReturn(0);
}
