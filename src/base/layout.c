/*
   The grid of a matrix that is dealt out, its communicators and BLACS' view of it; parts from a whole matrix and back.
*/
#include "layout.h"
#include "base.h"
#include <math.h>
#include <stdlib.h>

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridinit(int *, const char *, int, int);
void Cblacs_gridexit(int);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);

static PetscErrorCode Describe(PsdLayout it)
{
  PetscFunctionBeginUser;
  const int order = (int)it->order, block = (int)it->block, zero = 0, ld = (int)PetscMax(1, it->rows);
  int info;
  it->handle = Csys2blacs_handle(it->comm);
  it->context = it->handle;
  Cblacs_gridinit(&it->context, "R", it->shape.height, it->shape.width);
  it->description[1] = -1; /* where this rank has no place */
  if (it->row < 0) PetscFunctionReturn(0);
  descinit_(it->description, &order, &order, &block, &block, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutCreate(MPI_Comm comm, PetscInt order, PetscInt block, PsdLayout *layout)
{
  PetscFunctionBeginUser;
  PsdLayout it;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  const PsdGridShape shape = PsdGridShapeOf(ranks, ranks, PETSC_FALSE);
  PsdCheckInput(PsdGridCountable((PetscReal)order, shape.used),
                "a matrix of order %" PetscInt_FMT
                " over %d ranks: ScaLAPACK counts to 2^31 numbers on each, take more ranks",
                order, (int)shape.used);
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->order = order;
  it->shape = shape;
  it->block = block > 0 ? block : PsdGridBlockOf(order, shape.used);
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  const PetscBool used = (PetscBool)(it->rank < shape.used);
  it->row = used ? it->rank / shape.width : -1;
  it->column = used ? it->rank % shape.width : -1;
  it->rows = PsdCyclicCount(order, it->block, it->row, shape.height);
  it->columns = PsdCyclicCount(order, it->block, it->column, shape.width);
  it->numbers = (size_t)it->rows * (size_t)it->columns;
  PetscCallMPI(MPI_Comm_split(comm, used ? it->row : MPI_UNDEFINED, it->column, &it->line));
  PetscCallMPI(MPI_Comm_split(comm, used ? it->column : MPI_UNDEFINED, it->row, &it->file));
  PetscCall(Describe(it));
  *layout = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutDestroy(PsdLayout *layout)
{
  PetscFunctionBeginUser;
  PsdLayout it = *layout;
  if (!it) PetscFunctionReturn(0);
  if (it->row >= 0) {
    Cblacs_gridexit(it->context);
    PetscCallMPI(MPI_Comm_free(&it->line));
    PetscCallMPI(MPI_Comm_free(&it->file));
  }
  Cfree_blacs_system_handle(it->handle);
  PetscCall(PetscFree(*layout));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutAllocate(PsdLayout it, PetscReal **part)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  *part = calloc(PetscMax(1, it->numbers), sizeof(**part));
  if (!*part)
    PsdFailureRecord(&failure, "no memory for %.1f GB of a matrix of order %" PetscInt_FMT " on rank %d",
                     (double)it->numbers * sizeof(**part) / 1e9, it->order, (int)it->rank);
  const PetscErrorCode error = PsdFailureAgree(it->comm, &failure);
  if (!error) PetscFunctionReturn(0);
  free(*part);
  *part = NULL;
  PetscFunctionReturn(error);
}

PetscErrorCode PsdLayoutLargest(PsdLayout it, char triangle, const PetscReal part[], PetscReal *largest)
{
  PetscFunctionBeginUser;
  *largest = 0;
  for (PetscInt k = 0; k < it->columns; k++) {
    const PetscReal *column = part + (size_t)k * (size_t)it->rows;
    const PetscInt number = PsdLayoutColumn(it, k);
    const PetscInt begin = triangle == 'L' ? PsdLayoutRowsBefore(it, number) : 0;
    const PetscInt end = triangle == 'L' ? it->rows : PsdLayoutRowsBefore(it, number + 1);
    for (PetscInt i = begin; i < end; i++)
      *largest = isnan(column[i]) ? INFINITY : PetscMax(*largest, PetscAbsReal(column[i]));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, largest, 1, MPIU_REAL, MPI_MAX, it->comm));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- whole matrices */

/* A rank's part where it is in the whole matrix. */
static PetscErrorCode CreateType(PsdLayout it, PetscMPIInt rank, MPI_Datatype *type)
{
  PetscFunctionBeginUser;
  const int order = (int)it->order, block = (int)it->block, sizes[] = {order, order}, blocks[] = {block, block};
  const int kinds[] = {MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_CYCLIC}, grid[] = {it->shape.height, it->shape.width};
  PetscCallMPI(
      MPI_Type_create_darray(it->shape.used, rank, 2, sizes, kinds, blocks, grid, MPI_ORDER_FORTRAN, MPIU_REAL, type));
  PetscCallMPI(MPI_Type_commit(type));
  PetscFunctionReturn(0);
}

/* Of rank 0: each part to where it belongs, or from there; its own one by a message to itself. Numbers of a part are counted by an
   int: PsdGridCountable. */
static PetscErrorCode PassParts(PsdLayout it, PetscReal *whole, PetscReal own[], PetscBool out)
{
  PetscFunctionBeginUser;
  const PetscMPIInt count = (PetscMPIInt)it->numbers;
  for (PetscMPIInt rank = 0; rank < it->shape.used; rank++) {
    MPI_Datatype type;
    PetscCall(CreateType(it, rank, &type));
    if (rank == 0 && out)
      PetscCallMPI(MPI_Sendrecv(whole, 1, type, 0, 0, own, count, MPIU_REAL, 0, 0, it->comm, MPI_STATUS_IGNORE));
    else if (rank == 0)
      PetscCallMPI(MPI_Sendrecv(own, count, MPIU_REAL, 0, 0, whole, 1, type, 0, 0, it->comm, MPI_STATUS_IGNORE));
    else if (out) PetscCallMPI(MPI_Send(whole, 1, type, rank, 0, it->comm));
    else PetscCallMPI(MPI_Recv(whole, 1, type, rank, 0, it->comm, MPI_STATUS_IGNORE));
    PetscCallMPI(MPI_Type_free(&type));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutDistribute(PsdLayout it, const PetscReal whole[], PetscReal part[])
{
  PetscFunctionBeginUser;
  const PetscMPIInt count = (PetscMPIInt)it->numbers;
  if (it->rank == 0) PetscCall(PassParts(it, (PetscReal *)whole, part, PETSC_TRUE)); /* is only read on this way */
  else if (it->row >= 0) PetscCallMPI(MPI_Recv(part, count, MPIU_REAL, 0, 0, it->comm, MPI_STATUS_IGNORE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutCollect(PsdLayout it, const PetscReal part[], PetscReal whole[])
{
  PetscFunctionBeginUser;
  const PetscMPIInt count = (PetscMPIInt)it->numbers;
  if (it->rank == 0) PetscCall(PassParts(it, whole, (PetscReal *)part, PETSC_FALSE));
  else if (it->row >= 0) PetscCallMPI(MPI_Send(part, count, MPIU_REAL, 0, 0, it->comm));
  PetscFunctionReturn(0);
}
