/*
   Consensus on all ranks: G_P accumulated, factorised and applied on a grid of all ranks (grid.h).

   A right-hand side comes from the owners of pairs as rows: those that a rank has of the grid's vectors.
*/
#include "base/nodes.h"
#include "exchange.h"
#include "gram_based.h"
#include "gram_file.h"
#include "grid.h"
#include "grid_cholesky.h"
#include "problem/gram.h"
#include "problem/samples.h"

typedef struct {
  PsdGrid grid;
  PsdExchange exchange;
  Vec product; /* as the exchange's rows: columns x C here */
} Scalapack;

/* The grid, zero, and ways for right-hand sides. */
static PetscErrorCode Create(PsdConsensus consensus, Scalapack *it)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = consensus->blocks->comm;
  const PetscInt D = consensus->problem->order;
  PetscMPIInt ranks, *node;
  PetscInt per_node, *row;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PsdNodesMostRanks(comm, &per_node));
  PetscCall(PetscMalloc1(ranks, &node));
  PetscCall(PsdNodesFind(comm, node));
  const PsdGridShape shape = PsdGridShapeOf(ranks, per_node, PETSC_FALSE);
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdGridCreate(comm, D, PsdGridBlockOf(D, shape.used), &shape, consensus->blocks->C, node, &it->grid));
  PetscCall(PsdGridAllocate(it->grid));
  PetscCall(PetscMalloc1(it->grid->columns, &row));
  for (PetscInt k = 0; k < it->grid->columns; k++) row[k] = PsdGridColumn(it->grid, k);
  PetscCall(PsdExchangeCreate(consensus->problem, it->grid->columns, row, consensus->rhs, &it->exchange));
  PetscCall(VecDuplicate(it->exchange->rows, &it->product));
  PetscCall(PetscFree(row));
  PetscCall(PetscFree(node));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

/* A'A by tiles, of the samples or from a file */
static PetscErrorCode Fill(PsdConsensus consensus, PsdGrid grid, PetscBool found)
{
  PetscFunctionBeginUser;
  if (found) {
    PetscErrorCode code = PsdGramRead(consensus, grid, NULL);
    PetscFunctionReturn(code);
  }
  const PsdTiles tiles = {grid->block, grid->shape.height, grid->shape.width};
  PetscCall(PsdProblemAccumulateTiles(consensus->problem, &tiles, grid->matrix));
  PetscCall(PsdGramWrite(consensus, grid, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  PetscBool found;
  Scalapack *it;
  PetscCall(PsdGramFind(consensus, &found));
  PetscCall(PsdProblemFold(consensus->problem));
  if (!found) PetscCall(PsdProblemLift(consensus->problem));
  PetscCall(PetscNew(&it));
  consensus->data = it;
  PetscCall(Create(consensus, it));
  PetscCall(Fill(consensus, it->grid, found));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdGridTrace(it->grid, &consensus->trace));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->data;
  PetscCall(PsdGridFactor(it->grid, consensus->trace, shift));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->data;
  PetscReal *rows;
  PetscCall(PsdExchangeToRows(it->exchange, rhs));
  PetscCall(VecGetArray(it->exchange->rows, &rows));
  PetscCall(PsdGridSolve(it->grid, rows));
  PetscCall(VecRestoreArray(it->exchange->rows, &rows));
  PetscCall(PsdExchangeToOwners(it->exchange, it->exchange->rows, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Multiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->data;
  const PetscReal *rows;
  PetscReal *product;
  PetscCall(PsdExchangeToRows(it->exchange, x));
  PetscCall(VecGetArrayRead(it->exchange->rows, &rows));
  PetscCall(VecGetArrayWrite(it->product, &product));
  PetscCall(PsdGridMultiply(it->grid, rows, product));
  PetscCall(VecRestoreArrayWrite(it->product, &product));
  PetscCall(VecRestoreArrayRead(it->exchange->rows, &rows));
  PetscCall(PsdExchangeToOwners(it->exchange, it->product, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->data;
  PetscCall(PsdGridDestroy(&it->grid));
  PetscCall(PsdExchangeDestroy(&it->exchange));
  PetscCall(VecDestroy(&it->product));
  PetscCall(PetscFree(consensus->data));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* Below this order the root alone is done in a second or less; messages would cost more than they save. */
#define LEAST_ORDER 2000

static PsdGridShape Shape(const PsdSizes *s)
{
  return PsdGridShapeOf((PetscMPIInt)s->ranks, s->per_node, PETSC_FALSE);
}

static PsdTiles Tiles(const PsdSizes *s)
{
  const PsdGridShape shape = Shape(s);
  return (PsdTiles){PsdGridBlockOf((PetscInt)s->order, shape.used), shape.height, shape.width};
}

/* Of the matrix the lower triangle alone is touched. */
static void Memory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal square = PSD_BYTES_REAL * s->order * s->order / (PetscReal)s->ranks;
  const PsdGridShape shape = Shape(s);
  const PsdTiles tiles = Tiles(s);
  const PetscReal panels = PsdGridCholeskyBytes(s->order, &shape);
  const PetscReal all = PsdGridVectorBytes(s->order, s->C, &shape, s->per_node) +
                        2 * PSD_BYTES_REAL * s->order * s->C / (PetscReal)s->ranks;
  PsdMemoryAdd(memory, "A'A", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY, square / 2, square / 2);
  PsdGramTilesMemory(s, &tiles, memory);
  PsdMemoryAdd(memory, "its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, square, square);
  PsdMemoryAdd(memory, "panels of the factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, panels, panels);
  PsdMemoryAdd(memory, "right-hand sides", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, all, all);
}

static void Costs(const PsdSizes *s, const PsdRates *rates, PsdConsensusCosts *costs)
{
  const PsdGridShape shape = Shape(s);
  const PsdTiles tiles = Tiles(s);
  const PsdCost exchange = PsdExchangeCost(s);
  costs->assemble = PsdGramTilesCost(s, &tiles, rates);
  costs->factor = PsdGridFactorCost(s->order, &shape, rates);
  costs->multiply = PsdCostSum(PsdGridMultiplyCost(s->order, s->C, &shape, s->per_node, rates), exchange);
  costs->step = PsdCostSum(PsdGridSolveCost(s->order, s->C, &shape, s->per_node, rates), exchange);
}

static PetscReal GridOrder(const PsdSizes *s)
{
  return s->order;
}

static const PsdConsensusOps operations = {.assemble = Assemble,
                                           .factor = Factor,
                                           .step = PsdConsensusGramStep,
                                           .residual = PsdConsensusGramResidual,
                                           .step_residual = PsdConsensusGramStepResidual,
                                           .krylov_start = PsdConsensusGramStart,
                                           .krylov_multiply = Multiply,
                                           .destroy = Destroy,
                                           .gram = {.solve = Solve, .multiply = Multiply}};

const PsdConsensusKernel PsdConsensusScalapack = {.name = "scalapack",
                                                  .help = "A'A over all ranks",
                                                  .form = PSD_FORM_GRAM,
                                                  .samples = PSD_SAMPLES_LIFTED,
                                                  .grid_order = GridOrder,
                                                  .any_loss = PETSC_TRUE,
                                                  .branches = PETSC_TRUE,
                                                  .least_ranks = 2,
                                                  .least_order = LEAST_ORDER,
                                                  .advantage = 1,
                                                  .memory = Memory,
                                                  .costs = Costs,
                                                  .ops = &operations};
