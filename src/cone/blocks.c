/*
   Which rank owns which blocks, and the form a block has in a vector: its svec.
*/
#include "blocks.h"
#include "base/base.h"
#include "base/nodes.h"

/* The regions' blocks, one after the other in a class's column. */
static PetscErrorCode PlaceRegions(PsdBlocks b, const PetscInt f[], const PetscBool vector[])
{
  PetscFunctionBeginUser;
  PetscInt64 D = 0;
  PetscCall(PetscMalloc1(b->G, &b->region));
  for (PetscInt g = 0; g < b->G; g++) {
    const PetscBool is_vector = (PetscBool)(vector && vector[g]);
    const PetscInt64 d = f[g] + 1, m = is_vector ? d : d * (d + 1) / 2;
    b->f_max = PetscMax(b->f_max, f[g]);
    PsdCheckInput((D + m) * b->C <= PETSC_MAX_INT,
                  "%" PetscInt_FMT " pairs of blocks of order up to %" PetscInt_FMT " need a PETSc with 64-bit indices",
                  b->C * b->G, b->f_max + 1);
    b->region[g] = (PsdShape){f[g], f[g] + 1, (PetscInt)m, (PetscInt)D, is_vector};
    b->m_max = PetscMax(b->m_max, (PetscInt)m);
    D += m;
  }
  b->D = (PetscInt)D;
  b->d_max = b->f_max + 1;
  PetscFunctionReturn(0);
}

/* As many pairs on each rank, but for one more on some of them, which are spread over the nodes. */
static PetscErrorCode ChooseOwners(PsdBlocks b, const PetscMPIInt node[])
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, ranks;
  PetscBool *more;
  PetscCallMPI(MPI_Comm_rank(b->comm, &rank));
  PetscCallMPI(MPI_Comm_size(b->comm, &ranks));
  PetscCall(PetscMalloc2(ranks + 1, &b->before, ranks, &b->order));
  PetscCall(PetscMalloc1(ranks, &more));
  PetscCall(PsdNodesOrder(ranks, node, b->order));
  PetscCall(PsdNodesSpread(ranks, node, b->pairs % ranks, more));
  b->before[0] = 0;
  for (PetscMPIInt r = 0; r < ranks; r++) b->before[r + 1] = b->before[r] + b->pairs / ranks + (more[r] ? 1 : 0);
  PetscCall(PetscFree(more));
  b->first = b->before[rank];
  b->local = b->before[rank + 1] - b->first;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreateOnNodes(MPI_Comm comm, PetscInt C, PetscInt G, const PetscInt f[],
                                      const PetscBool vector[], const PetscMPIInt node[], PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PsdBlocks b;
  PetscCall(PetscNew(&b));
  b->comm = comm;
  b->C = C;
  b->G = G;
  PetscCall(PlaceRegions(b, f, vector));
  b->pairs = C * G;
  PetscCall(ChooseOwners(b, node));
  b->begin = PsdBlocksPair(b, b->first).at;
  b->length = PsdBlocksPair(b, b->first + b->local).at - b->begin;
  *blocks = b;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreateRegions(MPI_Comm comm, PetscInt C, PetscInt G, const PetscInt f[],
                                      const PetscBool vector[], PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, *node;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMalloc1(ranks, &node));
  PetscCall(PsdNodesFind(comm, node));
  PetscCall(PsdBlocksCreateOnNodes(comm, C, G, f, vector, node, blocks));
  PetscCall(PetscFree(node));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreate(MPI_Comm comm, PetscInt C, PetscInt G, PetscInt f, PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PetscInt *all;
  PetscCall(PetscMalloc1(G, &all));
  for (PetscInt g = 0; g < G; g++) all[g] = f;
  PetscCall(PsdBlocksCreateRegions(comm, C, G, all, NULL, blocks));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscMPIInt PsdBlocksOwner(PsdBlocks blocks, PetscInt pair)
{
  PetscMPIInt low = 0, high;
  (void)MPI_Comm_size(blocks->comm, &high);
  while (high - low > 1) { /* before[low] <= pair < before[high] */
    const PetscMPIInt middle = low + (high - low) / 2;
    if (blocks->before[middle] <= pair) low = middle;
    else high = middle;
  }
  return low;
}

PetscErrorCode PsdBlocksDestroy(PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  if (!*blocks) PetscFunctionReturn(0);
  PetscCall(PetscFree((*blocks)->region));
  PetscCall(PetscFree2((*blocks)->before, (*blocks)->order));
  PetscCall(PetscFree(*blocks));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreateVec(PsdBlocks blocks, Vec *x)
{
  PetscFunctionBeginUser;
  PetscCall(VecCreate(blocks->comm, x));
  PetscCall(VecSetSizes(*x, blocks->length, blocks->D * blocks->C));
  PetscCall(VecSetType(*x, VECSTANDARD));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreatePairVec(PsdBlocks blocks, Vec *x)
{
  PetscFunctionBeginUser;
  PetscCall(VecCreate(blocks->comm, x));
  PetscCall(VecSetSizes(*x, blocks->local, blocks->pairs));
  PetscCall(VecSetType(*x, VECSTANDARD));
  PetscCall(VecSet(*x, 0));
  PetscFunctionReturn(0);
}

void PsdUnpack(PetscInt d, const PetscReal svec[], PetscReal full[])
{
  const PetscReal scale = 1 / PETSC_SQRT2;
  for (PetscInt column = 0; column < d; column++, svec += column) {
    PetscReal *restrict to = full + (size_t)column * d;
    for (PetscInt row = 0; row < column; row++) to[row] = scale * svec[row];
    to[column] = svec[column];
  }
}

void PsdPack(PetscInt d, const PetscReal full[], PetscReal svec[])
{
  for (PetscInt column = 0; column < d; column++, svec += column) {
    const PetscReal *restrict from = full + (size_t)column * d;
    for (PetscInt row = 0; row < column; row++) svec[row] = PETSC_SQRT2 * from[row];
    svec[column] = from[column];
  }
}

void PsdRemoveJ(PetscInt d, PetscReal x[])
{
  PetscReal inner = -x[PsdDiagonal(d - 1)];
  for (PetscInt k = 0; k < d - 1; k++) inner += x[PsdDiagonal(k)];
  inner /= (PetscReal)d; /* ||J||^2 = d */
  for (PetscInt k = 0; k < d - 1; k++) x[PsdDiagonal(k)] -= inner;
  x[PsdDiagonal(d - 1)] += inner;
}

void PsdShapeRemoveJ(const PsdShape *shape, PetscReal x[])
{
  if (!shape->vector) PsdRemoveJ(shape->d, x);
}

PetscReal PsdSquare(PetscInt n, const PetscReal x[])
{
  PetscReal sum = 0;
#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

PetscReal PsdSquareDistance(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < n; k++) sum += (x[k] - y[k]) * (x[k] - y[k]);
  return sum;
}

PetscErrorCode PsdOwnDot(Vec x, Vec y, PetscReal *value)
{
  PetscFunctionBeginUser;
  const PetscReal *a, *b;
  PetscInt length;
  PetscReal sum = 0;
  PetscCall(VecGetLocalSize(x, &length));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArrayRead(y, &b));
#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < length; k++) sum += a[k] * b[k];
  PetscCall(VecRestoreArrayRead(y, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  *value = sum;
  PetscFunctionReturn(0);
}
