/*
   What the distributed matrix costs (grid.h): flops, and messages on a grid of H x W.

   A factorisation sends its panels to those who have no part of them, (W - 1)/(H W) + (H - 1)/(H W) of N^2/2 numbers, and
   blocks on the diagonal down columns, N b (H - 1)/(H W) with blocks of b. The inverse of p parts sends its block rows down
   columns, a p-th of (H - 1)/(H W) of N^2/2, and the blocks on the diagonal along rows, N b (W - 1)/(H W).
*/
#include "grid_cholesky.h"
#include "grid_impl.h"

/* Of dgemm's rate, measured: the factor at orders of 4,900 and 9,800, and its inverse at 4,900. */
#define EFFICIENCY 0.8

/* A panel down log2 H and along log2 W ranks, and its block on the diagonal. */
static PsdCost Panels(PetscReal N, const PsdGridShape *shape)
{
  const PetscReal H = shape->height, W = shape->width, block = (PetscReal)PsdGridBlockOf((PetscInt)N, shape->used);
  const PetscReal numbers = N * N / 2 * (W + H - 2) + N * block * (H - 1);
  return PsdCostSend(N / block * (2 * PetscLog2Real(H) + PetscLog2Real(W)), PSD_BYTES_REAL * numbers / (H * W));
}

/* Block rows of the inverses down log2 H ranks, and blocks on the diagonal along log2 W. */
static PsdCost BlockRows(PetscReal N, PetscReal parts, const PsdGridShape *shape)
{
  const PetscReal H = shape->height, W = shape->width, block = (PetscReal)PsdGridBlockOf((PetscInt)N, shape->used);
  const PetscReal numbers = N * N / 2 / parts * (H - 1) + N * block * (W - 1);
  return PsdCostSend(N / block * (PetscLog2Real(H) + PetscLog2Real(W)), PSD_BYTES_REAL * numbers / (H * W));
}

PsdCost PsdGridFactorCost(PetscReal N, const PsdGridShape *shape, const PsdRates *rates)
{
  const PetscReal parts = (PetscReal)PsdGridPartsOf(N, shape->used), cubic = N * N * N / 3 / shape->used;
  const PsdCost work = PsdCostWork(cubic * (1 + 1 / (parts * parts)), EFFICIENCY * rates->gemm);
  if (shape->used == 1) return work;
  return PsdCostSum(work, PsdCostSum(Panels(N, shape), BlockRows(N, parts, shape)));
}

static PsdCost Product(PetscReal N, PetscReal rhs, const PsdGridShape *shape, const PsdRates *rates)
{
  return PsdCostSum(PsdCostMove(PSD_BYTES_REAL * N * N / 2 / shape->used, rates),
                    PsdCostWork(N * N * rhs / shape->used, rates->gemm));
}

typedef enum { TO_COLUMNS, TO_ROWS } Side;

/* Ranks of a node that are in one column, or row, of the grid, where there are several nodes (grid_sides.c). */
static PetscReal Team(Side side, const PsdGridShape *shape, PetscInt per_node)
{
  if (shape->used <= per_node) return 1;
  return (PetscReal)(side == TO_COLUMNS ? PetscMax(1, per_node / shape->width) : PetscMin(shape->width, per_node));
}

/* A vector that is brought to one side of the grid, on average: each block goes from its rank to those of a column of the
   grid, of which that rank is one, or to those of a row, of which it is one every H-th time. A team hands what it has
   fetched to its members without a network. */
static PsdCost Bring(PetscReal N, PetscReal rhs, Side side, const PsdGridShape *shape, PetscInt per_node)
{
  const PetscReal places = side == TO_COLUMNS ? shape->width : shape->height, team = Team(side, shape, per_node);
  const PetscReal own = side == TO_COLUMNS ? 1 : 1. / shape->height, all = PSD_BYTES_REAL * N * rhs / places;
  const PetscReal partners = PetscMin(shape->used - 1., N / PSD_GRID_LARGEST_BLOCK / places);
  PsdCost cost = PsdCostSend(partners / team, PetscMax(0, all / team - PSD_BYTES_REAL * N * rhs * own / shape->used));
  if (team > 1) cost.given += all;
  return cost;
}

/* Sums of a part along lines of `ranks` ranks, and `spreads` of one along the others: bytes of a whole vector on either. */
static PsdCost Steps(PetscReal parts, PetscReal sums, PetscReal summed, PetscMPIInt ranks, PetscReal spreads,
                     PetscReal spread, PetscMPIInt others)
{
  return PsdCostSum(PsdCostCollective(PSD_COLLECTIVE_SUM, sums, sums / parts * summed, ranks),
                    PsdCostCollective(PSD_COLLECTIVE_SPREAD, spreads, spreads / parts * spread, others));
}

PsdCost PsdGridSolveCost(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node,
                         const PsdRates *rates)
{
  const PetscReal bytes = PSD_BYTES_REAL * N * rhs, parts = (PetscReal)PsdGridPartsOf(N, shape->used);
  const PetscReal of_rows = bytes / shape->height, of_columns = bytes / shape->width, between = 2 * (parts - 1);
  const PsdCost forward = Steps(parts, between + 1, of_rows, shape->width, between, of_columns, shape->height);
  const PsdCost backward = Steps(parts, between, of_columns, shape->height, between, of_rows, shape->width);
  return PsdCostSum(
      PsdCostTimes(2, Product(N, rhs, shape, rates)),
      PsdCostSum(PsdCostSum(forward, backward), PsdCostTimes(2, Bring(N, rhs, TO_COLUMNS, shape, per_node))));
}

PsdCost PsdGridMultiplyCost(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node,
                            const PsdRates *rates)
{
  const PsdCost sides = PsdCostSum(Bring(N, rhs, TO_COLUMNS, shape, per_node), Bring(N, rhs, TO_ROWS, shape, per_node));
  return PsdCostSum(Product(N, rhs, shape, rates), PsdCostTimes(2, sides));
}

/* Two vectors of each side, and the shares of teams. */
PetscReal PsdGridVectorBytes(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node)
{
  const PetscReal of_columns = Team(TO_COLUMNS, shape, per_node) > 1 ? 1 / Team(TO_COLUMNS, shape, per_node) : 0;
  const PetscReal of_rows = Team(TO_ROWS, shape, per_node) > 1 ? 1 / Team(TO_ROWS, shape, per_node) : 0;
  return PSD_BYTES_REAL * N * rhs * ((2 + of_rows) / shape->height + (2 + of_columns) / shape->width);
}

PetscReal PsdGridCholeskyBytes(PetscReal N, const PsdGridShape *shape)
{
  const PetscReal block = (PetscReal)PsdGridBlockOf((PetscInt)N, shape->used);
  return 2 * PSD_BYTES_REAL * N * block * (1. / shape->height + 3. / shape->width);
}
