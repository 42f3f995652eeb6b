/*
   R* over all blocks: each by the polar of its order, that of a vector by its norm; the largest over all ranks.
*/
#include "polar.h"
#include "second_order.h"
#include "base/base.h"
#include <math.h>

struct _p_PsdPolars {
  PsdBlocks blocks;
  PsdPolar *of_region; /* G; regions of one order have one in common, and vectors none */
};

/* The region before g whose blocks are matrices of the same order, or g. */
static PetscInt FirstAlike(PsdBlocks blocks, PetscInt g)
{
  PetscInt first = 0;
  while (first < g && (blocks->region[first].f != blocks->region[g].f || blocks->region[first].vector)) first++;
  return first;
}

PetscErrorCode PsdPolarsCreate(PsdBlocks blocks, PsdPolars *polars)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(polars));
  (*polars)->blocks = blocks;
  PetscCall(PetscCalloc1(blocks->G, &(*polars)->of_region));
  for (PetscInt g = 0; g < blocks->G; g++) {
    const PetscInt first = FirstAlike(blocks, g);
    if (blocks->region[g].vector) continue;
    if (first == g) PetscCall(PsdPolarCreate(blocks->region[g].f, &(*polars)->of_region[g]));
    else (*polars)->of_region[g] = (*polars)->of_region[first];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarsDestroy(PsdPolars *polars)
{
  PetscFunctionBeginUser;
  if (!*polars) PetscFunctionReturn(0);
  for (PetscInt g = 0; g < (*polars)->blocks->G; g++)
    if (FirstAlike((*polars)->blocks, g) == g) PetscCall(PsdPolarDestroy(&(*polars)->of_region[g])); /* or NULL */
  PetscCall(PetscFree((*polars)->of_region));
  PetscCall(PetscFree(*polars));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarsEvaluate(PsdPolars polars, PetscInt pair, const PetscReal M[], PetscReal *value)
{
  PetscFunctionBeginUser;
  const PsdShape *shape = &polars->blocks->region[pair % polars->blocks->G];
  if (shape->vector) *value = PsdVectorPolar(shape->f, M);
  else PetscCall(PsdPolarEvaluate(polars->of_region[pair % polars->blocks->G], M, value));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarsEvaluateBoth(PsdPolars polars, PetscInt pair, const PetscReal M[], PsdPolarSide sides[2])
{
  PetscFunctionBeginUser;
  const PsdShape *shape = &polars->blocks->region[pair % polars->blocks->G];
  if (shape->vector) PsdVectorPolarBoth(shape->f, M, sides);
  else PetscCall(PsdPolarEvaluateBoth(polars->of_region[pair % polars->blocks->G], M, sides));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarsOwnMax(PsdPolars polars, Vec x, PetscReal *value)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = polars->blocks;
  const PetscReal *M;
  PetscCall(PsdEventBegin(PSD_EVENT_POLAR));
  *value = 0;
  PetscCall(VecGetArrayRead(x, &M));
  for (PetscInt k = 0; k < blocks->local; k++) {
    PetscReal one = INFINITY;
    PetscCall(PsdPolarsEvaluate(polars, blocks->first + k, M + PsdBlocksOwn(blocks, k).at, &one));
    *value = PetscMax(*value, one);
  }
  PetscCall(VecRestoreArrayRead(x, &M));
  PetscCall(PsdEventEnd(PSD_EVENT_POLAR));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarsMax(PsdPolars polars, Vec x, PetscReal *value)
{
  PetscFunctionBeginUser;
  PetscCall(PsdPolarsOwnMax(polars, x, value));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, value, 1, MPIU_REAL, MPI_MAX, polars->blocks->comm));
  PetscFunctionReturn(0);
}
