/*
   Grids as near to a square as the number of ranks allows, and blocks that leave each rank a few.

   On a grid of H x W a factorisation sends N^2/2 (H + W)/(H W) numbers to each rank: panels along rows, and their
   transposes along columns. Where rows are within nodes of q ranks, what enters a node are the transposes alone, q/W of
   each panel, so that a grid that is twice to four times as wide as high is better than a square.
*/
#include "grid_shape.h"

#define MOST_OBLONG 4    /* W/H of a grid that is near enough to a square */
#define LEAST_USED 0.9   /* ranks that a grid which leaves some out has to use */
#define LEAST_BLOCK 32   /* products with narrower blocks are slow, and ranks wait for each other once for each block */
#define BLOCKS_A_RANK 4. /* so that the triangle is even */

/* The highest grid of so many ranks that is at least `oblong` times as wide as high. */
static PsdGridShape Highest(PetscMPIInt ranks, PetscInt oblong)
{
  PetscMPIInt height = 1;
  for (PetscMPIInt k = 2; (PetscInt64)oblong * k * k <= ranks; k++)
    if (ranks % k == 0) height = k;
  return (PsdGridShape){height, ranks / height, ranks};
}

PsdGridShape PsdGridShapeOf(PetscMPIInt ranks, PetscInt per_node, PetscBool all)
{
  for (PetscMPIInt used = ranks; used >= LEAST_USED * ranks && !(all && used < ranks); used--) {
    const PsdGridShape square = Highest(used, 1), wide = Highest(used, 2);
    if (per_node < ranks && wide.width <= per_node && wide.width <= MOST_OBLONG * wide.height) return wide;
    if (square.width <= MOST_OBLONG * square.height) return square;
  }
  return Highest(ranks, 1);
}

PetscInt PsdGridBlockOf(PetscInt N, PetscMPIInt ranks)
{
  const PetscInt block = (PetscInt)PetscCeilReal((PetscReal)N / (BLOCKS_A_RANK * ranks));
  return PetscMax(LEAST_BLOCK, PetscMin(PSD_GRID_LARGEST_BLOCK, block));
}

PetscInt PsdGridColumns(PetscInt N, PetscInt block, const PsdGridShape *shape, PetscMPIInt rank)
{
  return PsdCyclicCount(N, block, rank, shape->used);
}

/* Of the rank with most; blocks make its part a little larger than even. */
PetscBool PsdGridCountable(PetscReal N, PetscReal ranks)
{
  return (PetscBool)(N * (N / ranks + PSD_GRID_LARGEST_BLOCK) < (PetscReal)INT32_MAX);
}
