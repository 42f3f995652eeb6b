/*
   Grids as near to a square as the number of ranks allows, and blocks that leave each rank a few.
*/
#include "grid_shape.h"

#define MOST_OBLONG 4    /* W/H of a grid that is near enough to a square */
#define LEAST_USED 0.9   /* ranks that a grid which leaves some out has to use */
#define LEAST_BLOCK 16   /* products with narrower blocks are slow */
#define BLOCKS_A_RANK 4. /* so that the triangle is even */

static PetscMPIInt LargestFactorToRoot(PetscMPIInt number)
{
  PetscMPIInt factor = 1;
  for (PetscMPIInt k = 2; (PetscInt64)k * k <= number; k++)
    if (number % k == 0) factor = k;
  return factor;
}

PsdGridShape PsdGridShapeOf(PetscMPIInt ranks, PetscBool all)
{
  for (PetscMPIInt used = ranks; used >= LEAST_USED * ranks && !(all && used < ranks); used--) {
    const PetscMPIInt height = LargestFactorToRoot(used);
    if (used / height <= MOST_OBLONG * height) return (PsdGridShape){height, used / height, used};
  }
  const PetscMPIInt height = LargestFactorToRoot(ranks);
  return (PsdGridShape){height, ranks / height, ranks};
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
