/*
   Consensus by the dual matrix K = A A' of order n, for D > n (docs/mathematics.md, section 2): with y of order n x C,

     S = Sh + A'y,   (K + shift I) y = Y - A Sh        is the solution of   (G_P + shift I) S = A'Y + shift Sh,

   and the residual Y - A S = shift y comes with it. K's entries are a polynomial kernel of patches, so that no feature
   is lifted; samples are numbered so that a rank's own ones are its columns of the distributed matrix.

   A Sh = A(Z - Z') - A(U - U') is never computed from Sh. A(Z - Z') follows from the few factors of Z and Z'; A(U - U')
   obeys the recurrence of U itself, whose A S is Y - shift y. An error in A(U - U') is multiplied by 1 - relaxation at
   each iteration, so that rounding does not accumulate.

   Samples of weights W have W^1/2 A and W^1/2 Y in the place of A and Y. K, y and right-hand sides are of these; residuals
   and scores, as everywhere, of the samples themselves.
*/
#include "base/base.h"
#include "base/nodes.h"
#include "consensus_impl.h"
#include "grid.h"
#include "grid_cholesky.h"
#include "problem/dual_matrix.h"
#include "problem/samples.h"

typedef struct {
  PsdGrid grid;
  PetscInt n;          /* samples here */
  PetscReal *solution; /* columns x C by columns: y, zero beyond the samples */
  PetscReal *root;     /* n: roots of the weights; NULL: all are 1 */
  /* n x C row-major each, U and Z standing for U - U' and Z - Z' */
  PetscReal *residual, *AZ, *AU, *work;
} Dual;

static PetscErrorCode Allocate(PsdConsensus consensus, Dual *it)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = consensus->blocks->comm;
  const PetscInt C = consensus->blocks->C;
  PetscMPIInt ranks;
  PetscInt most, per_node;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PsdNodesMostRanks(comm, &per_node));
  it->n = consensus->problem->n_local;
  PetscCallMPI(MPI_Allreduce(&it->n, &most, 1, MPIU_INT, MPI_MAX, comm));
  const PetscInt blocks = PetscMax(1, (most + PSD_GRID_LARGEST_BLOCK - 1) / PSD_GRID_LARGEST_BLOCK);
  const PetscInt block = PetscMax(1, (most + blocks - 1) / blocks); /* fits the rank with most samples */
  const PsdGridShape shape = PsdGridShapeOf(ranks, per_node, PETSC_TRUE);
  PetscCall(PsdGridCreate(comm, ranks * block * blocks, block, &shape, C, NULL, &it->grid));
  PetscCall(PsdGridAllocate(it->grid));
  const size_t length = (size_t)it->n * C;
  PetscCall(PetscMalloc1((size_t)it->grid->columns * C, &it->solution));
  PetscCall(PetscCalloc4(length, &it->residual, length, &it->AZ, length, &it->AU, length, &it->work));
  PetscFunctionReturn(0);
}

/* Of number k of block b. */
static PetscReal RootAt(const PetscReal all[], PetscInt own, PetscInt nb, PetscInt ranks, PetscInt b, PetscInt k)
{
  return all[(size_t)(b % ranks) * (size_t)own + (size_t)(b / ranks) * (size_t)nb + (size_t)k];
}

/* K <- W^1/2 K W^1/2. Block b of samples is with rank b mod (height width), as its block number b/(height width). */
static PetscErrorCode WeighMatrix(PsdConsensus consensus, Dual *it)
{
  PetscFunctionBeginUser;
  const PsdGrid grid = it->grid;
  const PetscReal *weights = consensus->problem->weights;
  const PetscInt nb = grid->block, height = grid->shape.height, width = grid->shape.width, own = grid->columns;
  PetscReal *mine, *all;
  PetscMPIInt count;
  if (!weights) PetscFunctionReturn(0);
  PetscCall(PetscMPIIntCast(own, &count));
  PetscCall(PetscMalloc1(it->n, &it->root));
  PetscCall(PetscMalloc2(own, &mine, grid->N, &all));
  for (PetscInt i = 0; i < it->n; i++) it->root[i] = PetscSqrtReal(weights[i]);
  for (PetscInt i = 0; i < own; i++) mine[i] = i < it->n ? it->root[i] : 1;
  PetscCallMPI(MPI_Allgather(mine, count, MPIU_REAL, all, count, MPIU_REAL, consensus->blocks->comm));
  for (PetscInt j = 0; j < grid->cols.count; j++) {
    const PetscReal right = RootAt(all, own, nb, height * width, j / nb * width + grid->column, j % nb);
    for (PetscInt i = 0; i < grid->rows.count; i++)
      grid->matrix[(size_t)j * (size_t)grid->rows.count + (size_t)i] *=
          right * RootAt(all, own, nb, height * width, i / nb * height + grid->row, i % nb);
  }
  PetscCall(PetscFree2(mine, all));
  PetscFunctionReturn(0);
}

/* h <- A'W x, of samples x C */
static PetscErrorCode WeightedAdjoint(PsdConsensus consensus, Dual *it, const PetscReal x[], Vec h)
{
  PetscFunctionBeginUser;
  const PetscInt C = consensus->blocks->C;
  if (x != it->work) PetscCall(PetscArraycpy(it->work, x, (size_t)it->n * (size_t)C));
  PsdWeightRows(it->n, C, consensus->problem->weights, it->work);
  PetscCall(PsdRowsAdjoint(consensus->problem->rows, it->work, h));
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  Dual *it;
  PetscCall(PsdProblemKeepPatches(problem));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PetscNew(&it));
  consensus->data = it;
  PetscCall(Allocate(consensus, it));
  const PsdTiles tiles = {it->grid->block, it->grid->shape.height, it->grid->shape.width};
  PetscCall(PsdRowsDualMatrix(problem->rows, &tiles, it->grid->N, it->grid->matrix));
  PetscCall(WeighMatrix(consensus, it));
  PetscCall(PsdGridTrace(it->grid, &consensus->trace));
  PetscCall(WeightedAdjoint(consensus, it, problem->Y, problem->h));
  PetscCall(WeightedAdjoint(consensus, it, problem->signs, problem->h_random));
  PetscCall(PetscFree(problem->signs));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGridFactor(((Dual *)consensus->data)->grid, consensus->trace, shift));
  PetscFunctionReturn(0);
}

/* The two layouts of numbers that belong to samples: as they are, and times the roots of the weights. */
static void ToColumns(const Dual *it, PetscInt C, const PetscReal rows[], PetscReal columns[])
{
  for (PetscInt t = 0; t < C; t++, columns += it->grid->columns)
    for (PetscInt i = 0; i < it->grid->columns; i++)
      columns[i] = i < it->n ? PsdWeightOf(it->root, i) * rows[(size_t)i * C + t] : 0;
}

static void ToRows(const Dual *it, PetscInt C, const PetscReal columns[], PetscReal rows[])
{
  for (PetscInt t = 0; t < C; t++, columns += it->grid->columns)
    for (PetscInt i = 0; i < it->n; i++) rows[(size_t)i * C + t] = PsdWeightOf(it->root, i) * columns[i];
}

static PetscErrorCode Step(PsdConsensus consensus, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  const PsdProblem problem = consensus->problem;
  const PetscInt C = consensus->blocks->C;
  for (size_t k = 0; k < (size_t)it->n * C; k++) it->work[k] = problem->Y[k] - (it->AZ[k] - it->AU[k]);
  ToColumns(it, C, it->work, it->solution);
  PetscCall(PsdGridSolve(it->grid, it->solution));
  ToRows(it, C, it->solution, it->work); /* W times the residual, but for the shift */
  for (size_t k = 0; k < (size_t)it->n * C; k++)
    it->residual[k] = consensus->shift * it->work[k] / PsdWeightOf(problem->weights, (PetscInt)(k / (size_t)C));
  PetscCall(PsdRowsAdjoint(problem->rows, it->work, S));
  PetscCall(VecAXPY(S, 1, Sh));
  PetscFunctionReturn(0);
}

static PetscErrorCode Follow(PsdConsensus consensus, const PsdFactors *difference, PetscReal relaxation)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  const PetscReal *Y = consensus->problem->Y;
  PetscCall(PsdRowsForwardFactors(consensus->problem->rows, difference, it->work));
  for (size_t k = 0; k < (size_t)it->n * consensus->blocks->C; k++) {
    it->AU[k] += relaxation * (Y[k] - it->residual[k]) + (1 - relaxation) * it->AZ[k] - it->work[k];
    it->AZ[k] = it->work[k];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Restart(PsdConsensus consensus, Vec difference)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  PetscCall(PsdRowsForward(consensus->problem->rows, difference, it->AZ));
  PetscCall(PetscArrayzero(it->AU, (size_t)it->n * consensus->blocks->C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Rescale(PsdConsensus consensus, PetscReal factor)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  for (size_t k = 0; k < (size_t)it->n * consensus->blocks->C; k++) it->AU[k] *= factor;
  PetscFunctionReturn(0);
}

static PsdResidual Measure(PsdConsensus consensus, const PetscReal nu[])
{
  const Dual *it = consensus->data;
  PsdResidual part = {0, 0};
  for (size_t k = 0; k < (size_t)it->n * consensus->blocks->C; k++) {
    const PetscReal weight = PsdWeightOf(consensus->problem->weights, (PetscInt)(k / (size_t)consensus->blocks->C));
    part.linear += weight * (nu[k] * consensus->problem->Y[k]);
    part.quadratic += weight * (nu[k] * nu[k]);
  }
  return part;
}

static PetscErrorCode Residual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *part, Vec M)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  const PsdRows rows = consensus->problem->rows;
  if (factors) PetscCall(PsdRowsForwardFactors(rows, factors, it->work));
  else PetscCall(PsdRowsForward(rows, w, it->work));
  for (size_t k = 0; k < (size_t)it->n * consensus->blocks->C; k++)
    it->work[k] = consensus->problem->Y[k] - it->work[k];
  *part = Measure(consensus, it->work);
  if (M) PetscCall(WeightedAdjoint(consensus, it, it->work, M));
  PetscFunctionReturn(0);
}

static PetscErrorCode StepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *part)
{
  PetscFunctionBeginUser;
  (void)S, (void)M;
  *part = Measure(consensus, ((Dual *)consensus->data)->residual);
  PetscFunctionReturn(0);
}

static void GetResidual(PsdConsensus consensus, const PetscReal *nu[])
{
  *nu = ((Dual *)consensus->data)->residual;
}

static PetscErrorCode Visit(PsdConsensus consensus, PsdVisitor v)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  PetscCall(PsdVisitSamples(v, "/samples/AZ", it->AZ));
  PetscCall(PsdVisitSamples(v, "/samples/AU", it->AU));
  PetscCall(PsdVisitSamples(v, "/samples/residual", it->residual));
  PetscFunctionReturn(0);
}

static PetscErrorCode KrylovStart(PsdConsensus consensus, Vec *start)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  PetscReal *columns;
  PetscCall(VecCreateMPI(consensus->blocks->comm, it->grid->columns * consensus->blocks->C, PETSC_DETERMINE, start));
  PetscCall(VecGetArrayWrite(*start, &columns));
  ToColumns(it, consensus->blocks->C, consensus->problem->Y, columns);
  PetscCall(VecRestoreArrayWrite(*start, &columns));
  PetscFunctionReturn(0);
}

static PetscErrorCode KrylovMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  const PetscReal *columns;
  PetscReal *product;
  PetscCall(VecGetArrayRead(x, &columns));
  PetscCall(VecGetArrayWrite(y, &product));
  PetscCall(PsdGridMultiply(((Dual *)consensus->data)->grid, columns, product));
  PetscCall(VecRestoreArrayWrite(y, &product));
  PetscCall(VecRestoreArrayRead(x, &columns));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Dual *it = consensus->data;
  PetscCall(PsdGridDestroy(&it->grid));
  PetscCall(PetscFree(it->solution));
  PetscCall(PetscFree(it->root));
  PetscCall(PetscFree4(it->residual, it->AZ, it->AU, it->work));
  PetscCall(PetscFree(consensus->data));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* With A'A the root alone is done in a second or less below this order; patches would cost more than they save. */
#define LEAST_ORDER 2000

/* Samples of the rank with most of them, a few more where several blocks of one size have to hold them, on all. */
static PetscReal GridOrder(const PsdSizes *s)
{
  const PetscReal blocks = PetscMax(1, PetscCeilReal(s->n_local / PSD_GRID_LARGEST_BLOCK));
  return (PetscReal)s->ranks * blocks * PetscCeilReal(s->n_local / blocks);
}

static PsdGridShape Shape(const PsdSizes *s)
{
  return PsdGridShapeOf((PetscMPIInt)s->ranks, s->per_node, PETSC_TRUE);
}

static PsdTiles Tiles(const PsdSizes *s)
{
  const PsdGridShape shape = Shape(s);
  const PetscReal blocks = PetscMax(1, PetscCeilReal(s->n_local / PSD_GRID_LARGEST_BLOCK));
  return (PsdTiles){(PetscInt)PetscCeilReal(s->n_local / blocks), shape.height, shape.width};
}

/* On and below the diagonal the grid's matrix is filled, tiles as a whole. */
static void Memory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal ranks = (PetscReal)s->ranks, N = GridOrder(s), bytes = PSD_BYTES_REAL * N * N / ranks;
  const PsdTiles tiles = Tiles(s);
  const PsdGridShape shape = Shape(s);
  const PetscReal panels = PsdGridCholeskyBytes(N, &shape);
  PsdDualMatrixMemory(s, N, &tiles, memory);
  PsdMemoryAdd(memory, "dual matrix A A'", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY, bytes, bytes);
  PsdMemoryAdd(memory, "its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, bytes, bytes);
  PsdMemoryAdd(memory, "panels of the factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, panels, panels);
}

static void Costs(const PsdSizes *s, const PsdRates *rates, PsdConsensusCosts *costs)
{
  const PsdCost adjoint = PsdRowsAdjointCost(s, rates);
  const PsdGridShape shape = Shape(s);
  const PsdTiles tiles = Tiles(s);
  /* numbers of terms and terms of Z - Z', which are few */
  const PsdCost terms = PsdCostCollective(PSD_COLLECTIVE_SPREAD, 2, 0, s->ranks);
  costs->assemble = PsdCostSum(PsdDualMatrixCost(s, GridOrder(s), &tiles, rates), PsdCostTimes(2, adjoint));
  costs->factor = PsdGridFactorCost(s->n, &shape, rates);
  costs->multiply = PsdGridMultiplyCost(s->n, s->C, &shape, s->per_node, rates);
  costs->step = PsdCostSum(PsdGridSolveCost(s->n, s->C, &shape, s->per_node, rates), PsdCostSum(adjoint, terms));
}

static const PsdConsensusOps operations = {
    .assemble = Assemble,
    .factor = Factor,
    .step = Step,
    .residual = Residual,
    .step_residual = StepResidual,
    .krylov_start = KrylovStart,
    .krylov_multiply = KrylovMultiply,
    .destroy = Destroy,
    .samples = {.follow = Follow, .restart = Restart, .rescale = Rescale, .get_residual = GetResidual, .visit = Visit}};

/* It has fewer dual candidates than the kernels of A'A: it has to be clearly faster. */
const PsdConsensusKernel PsdConsensusDual = {.name = "dual",
                                             .old_name = "kernel",
                                             .help = "A A' of patches over all ranks, for D > n",
                                             .form = PSD_FORM_SAMPLES,
                                             .samples = PSD_SAMPLES_PATCHES,
                                             .grid_order = GridOrder,
                                             .any_loss = PETSC_FALSE,
                                             .branches = PETSC_FALSE,
                                             .least_ranks = 1,
                                             .least_order = LEAST_ORDER,
                                             .advantage = 1.3,
                                             .memory = Memory,
                                             .costs = Costs,
                                             .ops = &operations};
