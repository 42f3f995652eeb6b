/*
   Rows of a kernel of A'A by PETSc's scatters. A symmetric coordinate has two places in x, weighted; of one that has a
   single place the second weight is zero.
*/
#include "exchange.h"

/* Between this rank's rows and place[row[k]] of each column of x; place NULL: row[k] itself. */
static PetscErrorCode CreateScatter(PsdExchange it, PsdBlocks blocks, const PetscInt row[], const PetscInt *place,
                                    Vec x, VecScatter *scatter)
{
  PetscFunctionBeginUser;
  PetscInt *to, first;
  const PetscInt C = blocks->C, D = blocks->D, count = it->count;
  IS from_set, to_set;
  PetscCall(VecGetOwnershipRange(it->rows, &first, NULL));
  PetscCall(PetscMalloc1(count * C, &to));
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt k = 0; k < count; k++) to[t * count + k] = t * D + (place ? place[row[k]] : row[k]);
  PetscCall(ISCreateStride(blocks->comm, count * C, first, 1, &from_set));
  PetscCall(ISCreateGeneral(blocks->comm, count * C, to, PETSC_OWN_POINTER, &to_set));
  PetscCall(VecScatterCreate(it->rows, from_set, x, to_set, scatter));
  PetscCall(ISDestroy(&from_set));
  PetscCall(ISDestroy(&to_set));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdExchangeCreate(PsdProblem problem, PetscInt count, const PetscInt row[], Vec x, PsdExchange *exchange)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PsdSymmetry symmetry = problem->symmetry;
  PsdExchange it;
  PetscCall(PetscNew(&it));
  it->count = count;
  PetscCall(VecCreateMPI(blocks->comm, count * blocks->C, PETSC_DETERMINE, &it->rows));
  for (PetscInt side = 0; side < (symmetry ? 2 : 1); side++) {
    PetscCall(CreateScatter(it, blocks, row, symmetry ? symmetry->place[side] : NULL, x, &it->to_owners[side]));
    if (!symmetry) continue;
    PetscCall(PetscMalloc1(count, &it->weight[side]));
    for (PetscInt k = 0; k < count; k++) it->weight[side][k] = symmetry->weight[side][row[k]];
  }
  if (symmetry) PetscCall(VecDuplicate(it->rows, &it->partner));
  *exchange = it;
  PetscFunctionReturn(0);
}

/* to <- the numbers of `side` in x */
static PetscErrorCode Fetch(PsdExchange it, PetscInt side, Vec x, Vec to)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(it->to_owners[side], x, to, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(it->to_owners[side], x, to, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdExchangeToRows(PsdExchange it, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(Fetch(it, 0, x, it->rows));
  if (!it->partner) PetscFunctionReturn(0);
  const PetscReal *partner;
  PetscReal *rows;
  PetscInt length;
  PetscCall(Fetch(it, 1, x, it->partner));
  PetscCall(VecGetLocalSize(it->rows, &length));
  PetscCall(VecGetArray(it->rows, &rows));
  PetscCall(VecGetArrayRead(it->partner, &partner));
  for (PetscInt k = 0; k < length; k++)
    rows[k] = it->weight[0][k % it->count] * rows[k] + it->weight[1][k % it->count] * partner[k];
  PetscCall(VecRestoreArrayRead(it->partner, &partner));
  PetscCall(VecRestoreArray(it->rows, &rows));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdExchangeToOwners(PsdExchange it, Vec rows, Vec x)
{
  PetscFunctionBeginUser;
  if (!it->partner) {
    PetscCall(VecScatterBegin(it->to_owners[0], rows, x, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(it->to_owners[0], rows, x, INSERT_VALUES, SCATTER_FORWARD));
    PetscFunctionReturn(0);
  }
  /* what no column of Q reaches is zero */
  PetscCall(VecSet(x, 0));
  for (PetscInt side = 0; side < 2; side++) {
    const PetscReal *from;
    PetscReal *weighted;
    PetscInt length;
    PetscCall(VecGetLocalSize(rows, &length));
    PetscCall(VecGetArrayRead(rows, &from));
    PetscCall(VecGetArray(it->partner, &weighted));
    for (PetscInt k = 0; k < length; k++) weighted[k] = it->weight[side][k % it->count] * from[k];
    PetscCall(VecRestoreArray(it->partner, &weighted));
    PetscCall(VecRestoreArrayRead(rows, &from));
    PetscCall(VecScatterBegin(it->to_owners[side], it->partner, x, ADD_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(it->to_owners[side], it->partner, x, ADD_VALUES, SCATTER_FORWARD));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdExchangeDestroy(PsdExchange *exchange)
{
  PetscFunctionBeginUser;
  PsdExchange it = *exchange;
  if (!it) PetscFunctionReturn(0);
  for (PetscInt side = 0; side < 2; side++) {
    PetscCall(VecScatterDestroy(&it->to_owners[side]));
    PetscCall(PetscFree(it->weight[side]));
  }
  PetscCall(VecDestroy(&it->rows));
  PetscCall(VecDestroy(&it->partner));
  PetscCall(PetscFree(*exchange));
  PetscFunctionReturn(0);
}

/* On average: all numbers but a rank's own go there and back, and owners are no more than there are pairs. */
PsdCost PsdExchangeCost(const PsdSizes *s)
{
  const PetscReal ranks = (PetscReal)s->ranks, sides = s->folded ? 2 : 1;
  const PetscReal messages = s->ranks > 1 ? PetscMin(ranks - 1, (PetscReal)s->pairs) : 0;
  return PsdCostSend(2 * sides * messages, 2 * sides * PSD_BYTES_REAL * s->order * s->C / ranks * (1 - 1 / ranks));
}
