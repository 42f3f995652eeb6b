/*
   Which rank owns which blocks, and the form a block has in a vector: its svec.
*/
#include "blocks.h"
#include "base/base.h"

PetscErrorCode PsdBlocksCreate(MPI_Comm comm, PetscInt C, PetscInt G, PetscInt f, PsdBlocks *blocks)
{
  PetscFunctionBeginUser;
  PsdBlocks b;
  PetscCall(PetscNew(&b));
  b->comm = comm;
  b->C = C;
  b->G = G;
  b->f = f;
  b->d = f + 1;
  PsdCheckInput((PetscInt64)b->d * (b->d + 1) / 2 * C * G <= PETSC_MAX_INT,
                "%" PetscInt_FMT " pairs of blocks of order %" PetscInt_FMT " need a PETSc with 64-bit indices", C * G,
                b->d);
  b->m = b->d * (b->d + 1) / 2;
  b->D = G * b->m;
  b->pairs = C * G;
  b->local = PETSC_DECIDE;
  PetscCall(PetscSplitOwnership(comm, &b->local, &b->pairs));
  PetscCallMPI(MPI_Scan(&b->local, &b->first, 1, MPIU_INT, MPI_SUM, comm));
  b->first -= b->local;
  *blocks = b;
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
  PetscCall(PetscFree(*blocks));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlocksCreateVec(PsdBlocks blocks, Vec *x)
{
  PetscFunctionBeginUser;
  PetscCall(VecCreate(blocks->comm, x));
  PetscCall(VecSetSizes(*x, blocks->local * blocks->m, blocks->pairs * blocks->m));
  PetscCall(VecSetBlockSize(*x, blocks->m));
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
