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

/* Terms as rows of d + 2 numbers: the column, the weight and the pair. */
static void Pack(const PsdFactors *terms, PetscReal rows[])
{
  const PetscInt d = terms->d;
  for (PetscInt k = 0; k < terms->count; k++, rows += d + 2) {
    (void)PetscArraycpy(rows, terms->column + (size_t)k * (size_t)d, d);
    rows[d] = terms->weight[k];
    rows[d + 1] = (PetscReal)terms->pair[k];
  }
}

static void Unpack(const PetscReal rows[], PsdFactors *terms)
{
  const PetscInt d = terms->d;
  for (PetscInt k = 0; k < terms->count; k++, rows += d + 2) {
    (void)PetscArraycpy(terms->column + (size_t)k * (size_t)d, rows, d);
    terms->weight[k] = rows[d];
    terms->pair[k] = (PetscInt)rows[d + 1];
  }
}

PetscErrorCode PsdFactorsGather(MPI_Comm comm, const PsdFactors *local, PsdFactors *all)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, count, total = 0, *counts, *offsets;
  MPI_Datatype row;
  PetscReal *send, *receive;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMPIIntCast(local->count, &count));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &offsets));
  PetscCallMPI(MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    offsets[r] = total;
    total += counts[r];
  }
  const size_t length = (size_t)local->d + 2;
  PetscCall(PetscMalloc2((size_t)count * length, &send, (size_t)total * length, &receive));
  Pack(local, send);
  PetscCallMPI(MPI_Type_contiguous((PetscMPIInt)length, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgatherv(send, count, row, receive, counts, offsets, row, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(Reserve(all, total));
  all->count = total;
  Unpack(receive, all);
  PetscCall(PetscFree2(send, receive));
  PetscCall(PetscFree2(counts, offsets));
  PetscFunctionReturn(0);
}
