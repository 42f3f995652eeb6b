/*
   Which rank owns which blocks, and the form a block has in a vector: its svec.
*/
#include "blocks.h"
#include "base/base.h"

/* The regions' blocks, one after the other in a class's column. */
static PetscErrorCode PlaceRegions(PsdBlocks b, const PetscInt f[])
{
  PetscFunctionBeginUser;
  PetscInt64 D = 0;
  PetscCall(PetscMalloc1(b->G, &b->region));
  for (PetscInt g = 0; g < b->G; g++) {
    const PetscInt64 d = f[g] + 1, m = d * (d + 1) / 2;
    b->f_max = PetscMax(b->f_max, f[g]);
    PsdCheckInput((D + m) * b->C <= PETSC_MAX_INT,
                  "%" PetscInt_FMT " pairs of blocks of order up to %" PetscInt_FMT " need a PETSc with 64-bit indices",
                  b->C * b->G, b->f_max + 1);
    b->region[g] = (PsdShape){f[g], f[g] + 1, (PetscInt)m, (PetscInt)D};
    D += m;
  }
  b->D = (PetscInt)D;
  b->d_max = b->f_max + 1;
  b->m_max = b->d_max * (b->d_max + 1) / 2;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreateRegions(MPI_Comm comm, PetscInt C, PetscInt G, const PetscInt f[], PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PsdBlocks b;
  PetscCall(PetscNew(&b));
  b->comm = comm;
  b->C = C;
  b->G = G;
  PetscCall(PlaceRegions(b, f));
  b->pairs = C * G;
  b->local = PETSC_DECIDE;
  PetscCall(PetscSplitOwnership(comm, &b->local, &b->pairs));
  PetscCallMPI(MPI_Scan(&b->local, &b->first, 1, MPIU_INT, MPI_SUM, comm));
  b->first -= b->local;
  b->begin = PsdBlocksPair(b, b->first).at;
  b->length = PsdBlocksPair(b, b->first + b->local).at - b->begin;
  *blocks = b;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreate(MPI_Comm comm, PetscInt C, PetscInt G, PetscInt f, PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PetscInt *all;
  PetscCall(PetscMalloc1(G, &all));
  for (PetscInt g = 0; g < G; g++) all[g] = f;
  PetscCall(PsdBlocksCreateRegions(comm, C, G, all, blocks));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscMPIInt PsdBlocksOwner(PsdBlocks blocks, PetscInt pair)
{
  PetscMPIInt ranks;
  (void)MPI_Comm_size(blocks->comm, &ranks);
  /* PETSc gives the first ranks one more */
  const PetscInt share = blocks->pairs / ranks, larger = blocks->pairs % ranks;
  if (pair < larger * (share + 1)) return (PetscMPIInt)(pair / (share + 1));
  return (PetscMPIInt)(larger + (pair - larger * (share + 1)) / share);
}

PetscErrorCode PsdBlocksDestroy(PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  if (!*blocks) PetscFunctionReturn(0);
  PetscCall(PetscFree((*blocks)->region));
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
