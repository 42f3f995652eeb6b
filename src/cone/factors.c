/*
   Lists of terms weight c c': growing and gathering.
*/
#include "factors.h"

PetscErrorCode PsdFactorsCreate(PetscInt d, PsdFactors *factors)
{
  PetscFunctionBeginUser;
  *factors = (PsdFactors){.d = d};
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFactorsDestroy(PsdFactors *factors)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(factors->column));
  PetscCall(PetscFree(factors->weight));
  PetscCall(PetscFree(factors->pair));
  *factors = (PsdFactors){0};
  PetscFunctionReturn(0);
}

/* Room for `count` terms; grows by half, so that a list that changes little is not moved often. */
static PetscErrorCode Reserve(PsdFactors *factors, PetscInt count)
{
  PetscFunctionBeginUser;
  if (count <= factors->capacity) PetscFunctionReturn(0);
  const PetscInt capacity = count + count / 2;
  PetscCall(PetscRealloc((size_t)capacity * factors->d * sizeof(*factors->column), &factors->column));
  PetscCall(PetscRealloc(capacity * sizeof(*factors->weight), &factors->weight));
  PetscCall(PetscRealloc(capacity * sizeof(*factors->pair), &factors->pair));
  factors->capacity = capacity;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFactorsAppend(PsdFactors *factors, PetscInt pair, PetscInt count, PetscReal *column[],
                                PetscReal *weight[])
{
  PetscFunctionBeginUser;
  PetscCall(Reserve(factors, factors->count + count));
  *column = factors->column + (size_t)factors->count * factors->d;
  *weight = factors->weight + factors->count;
  for (PetscInt k = 0; k < count; k++) factors->pair[factors->count++] = pair;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFactorsGather(MPI_Comm comm, const PsdFactors *local, PsdFactors *all)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, count, total = 0, *counts, *offsets;
  MPI_Datatype row;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMPIIntCast(local->count, &count));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &offsets));
  PetscCallMPI(MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    offsets[r] = total;
    total += counts[r];
  }
  PetscCall(Reserve(all, total));
  all->count = total;
  PetscCallMPI(MPI_Type_contiguous((PetscMPIInt)local->d, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgatherv(local->column, count, row, all->column, counts, offsets, row, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCallMPI(MPI_Allgatherv(local->weight, count, MPIU_REAL, all->weight, counts, offsets, MPIU_REAL, comm));
  PetscCallMPI(MPI_Allgatherv(local->pair, count, MPIU_INT, all->pair, counts, offsets, MPIU_INT, comm));
  PetscCall(PetscFree2(counts, offsets));
  PetscFunctionReturn(0);
}
