/*
   A symmetric matrix over a team: whole columns to each rank, so that a rank's columns give it rows of the product.
*/
#include "team_matrix.h"
#include "base/base.h"
#include <petscblaslapack.h>

/* What the first rank asks for: a number of vectors to multiply with, or one of these. */
enum { RELEASE = 0, LOAD = -1 };

struct _p_PsdTeamMatrix {
  MPI_Comm comm;
  PetscMPIInt ranks, rank;
  PetscInt d, first, columns; /* here */
  PetscMPIInt *count, *begin; /* columns of each rank, and where they begin; times `unit` in a message */
  PetscReal *part;            /* d x columns */
  PetscReal *V, *product;     /* d x room on the others, columns x room; on the first rank product is d x room */
  PetscInt room;
  MPI_Datatype column; /* d numbers */
};

PetscErrorCode PsdTeamMatrixCreate(MPI_Comm comm, PetscInt d, PsdTeamMatrix *team_matrix)
{
  PetscFunctionBeginUser;
  PsdTeamMatrix it;
  PetscMPIInt length;
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->d = d;
  PetscCallMPI(MPI_Comm_size(comm, &it->ranks));
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  PetscCall(PetscMalloc2(it->ranks, &it->count, it->ranks, &it->begin));
  for (PetscMPIInt r = 0; r < it->ranks; r++) {
    it->begin[r] = (PetscMPIInt)((PetscInt64)d * r / it->ranks);
    it->count[r] = (PetscMPIInt)((PetscInt64)d * (r + 1) / it->ranks) - it->begin[r];
  }
  it->first = it->begin[it->rank];
  it->columns = it->count[it->rank];
  PetscCall(PetscMalloc1((size_t)d * it->columns + 1, &it->part));
  PetscCall(PetscMPIIntCast(d, &length));
  PetscCallMPI(MPI_Type_contiguous(length, MPIU_REAL, &it->column));
  PetscCallMPI(MPI_Type_commit(&it->column));
  *team_matrix = it;
  PetscFunctionReturn(0);
}

void PsdMirror(PetscInt d, PetscReal sign, const PetscReal *X, PetscReal *full)
{
  /* tile by tile so that both triangles stay in cache */
  enum { TILE = 64 };
  const size_t n = d;
  for (size_t j0 = 0; j0 < n; j0 += TILE)
    for (size_t i0 = 0; i0 <= j0; i0 += TILE)
      for (size_t j = j0; j < PetscMin(j0 + TILE, n); j++)
        for (size_t i = i0; i < PetscMin(i0 + TILE, j + 1); i++)
          full[j * n + i] = full[i * n + j] = sign * X[j * n + i];
}

static PetscErrorCode Reserve(PsdTeamMatrix it, PetscInt columns)
{
  PetscFunctionBeginUser;
  if (columns <= it->room) PetscFunctionReturn(0);
  PetscCall(PetscFree2(it->V, it->product));
  PetscCall(PetscMalloc2(it->rank > 0 ? (size_t)it->d * columns : 0, &it->V,
                         (size_t)(it->rank > 0 ? it->columns : it->d + it->columns) * columns + 1, &it->product));
  it->room = columns;
  PetscFunctionReturn(0);
}

/* Everyone's part of a product: my rows of X V, to the first rank, one rank's rows after the other. */
static PetscErrorCode Multiply(PsdTeamMatrix it, PetscInt columns, PetscReal *V)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscMPIInt width;
  PetscBLASInt d, rows, vectors;
  MPI_Datatype row;
  PetscReal *mine = it->rank > 0 ? it->product : it->product + (size_t)it->d * columns;
  PetscCall(PetscMPIIntCast(columns, &width));
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)it->d * (size_t)columns, V));
  PetscCall(PetscBLASIntCast(it->d, &d));
  PetscCall(PetscBLASIntCast(it->columns, &rows));
  PetscCall(PetscBLASIntCast(columns, &vectors));
  if (rows > 0)
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &rows, &vectors, &d, &one, it->part, &d, V, &d, &zero, mine, &rows));
  PetscCall(PetscLogFlops(2.0 * it->d * (PetscLogDouble)it->columns * columns));
  PetscCallMPI(MPI_Type_contiguous(width, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Gatherv(mine, it->count[it->rank], row, it->product, it->count, it->begin, row, 0, it->comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTeamMatrixServe(PsdTeamMatrix it)
{
  PetscFunctionBeginUser;
  for (;;) {
    PetscInt command;
    PetscCallMPI(MPI_Bcast(&command, 1, MPIU_INT, 0, it->comm));
    if (command == RELEASE) PetscFunctionReturn(0);
    if (command == LOAD) {
      PetscCallMPI(
          MPI_Scatterv(NULL, it->count, it->begin, it->column, it->part, it->count[it->rank], it->column, 0, it->comm));
    } else {
      PetscCall(Reserve(it, command));
      PetscCall(Multiply(it, command, it->V));
    }
  }
}

static PetscErrorCode Tell(PsdTeamMatrix it, PetscInt command)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&command, 1, MPIU_INT, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTeamMatrixLoad(PsdTeamMatrix it, PetscReal *X)
{
  PetscFunctionBeginUser;
  PsdMirror(it->d, 1, X, X);
  PetscCall(Tell(it, LOAD));
  PetscCallMPI(
      MPI_Scatterv(X, it->count, it->begin, it->column, it->part, it->count[it->rank], it->column, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTeamMatrixMultiply(PsdTeamMatrix it, PetscReal sign, PetscInt columns, const PetscReal V[],
                                     PetscReal AV[])
{
  PetscFunctionBeginUser;
  PetscCall(Reserve(it, columns));
  PetscCall(Tell(it, columns));
  PetscCall(Multiply(it, columns, (PetscReal *)V)); /* the root of a broadcast only reads */
  for (PetscMPIInt r = 0; r < it->ranks; r++) {
    const PetscReal *from = it->product + (size_t)it->begin[r] * columns;
    for (PetscInt k = 0; k < columns; k++, from += it->count[r])
      for (PetscInt i = 0; i < it->count[r]; i++) AV[(size_t)k * it->d + it->begin[r] + i] = sign * from[i];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTeamMatrixRelease(PsdTeamMatrix it)
{
  PetscFunctionBeginUser;
  PetscCall(Tell(it, RELEASE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTeamMatrixDestroy(PsdTeamMatrix *team_matrix)
{
  PetscFunctionBeginUser;
  if (!*team_matrix) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Type_free(&(*team_matrix)->column));
  PetscCall(PetscFree2((*team_matrix)->count, (*team_matrix)->begin));
  PetscCall(PetscFree2((*team_matrix)->V, (*team_matrix)->product));
  PetscCall(PetscFree((*team_matrix)->part));
  PetscCall(PetscFree(*team_matrix));
  PetscFunctionReturn(0);
}
