/*
   The distributed positive definite matrix: its parts, Cholesky factor and its inverse. Products and
   solves are in grid_solve.c.

   Triangular solves with few right-hand sides make ranks wait for each other at every block. So when the system is well
   enough conditioned a few large triangles on the diagonal of the factor are inverted, with each factorisation, and a solve
   is products with them and with what is below them (grid_parts.c). Otherwise pdpotrs solves.
*/
#include "grid_cholesky.h"
#include "grid_impl.h"
#include "base/base.h"
#include "base/nodes.h"
#include <stdlib.h>

/* Products with inverses lose about eps times the condition number, here at most 1e8: small beside any gap. */
#define INVERSE_CONDITION 1e8

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridinit(int *, const char *, int, int);
void Cblacs_gridexit(int);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);

/* ---------------------------------------------------------------- creation */

/* Memory that may not be there: an error of all ranks, in one line. */
static PetscErrorCode AllocatePart(PsdGrid grid, size_t entries, PetscReal **part)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  *part = calloc(PetscMax(1, entries), sizeof(**part));
  if (!*part)
    PsdFailureRecord(&failure, "no memory for %.1f GB of a matrix of order %" PetscInt_FMT " on rank %d",
                     (double)entries * sizeof(**part) / 1e9, grid->N, (int)grid->rank);
  PetscCall(PsdFailureAgree(grid->comm, &failure));
  PetscFunctionReturn(0);
}

/* BLACS' context, and what the matrix is like in it. */
static PetscErrorCode CreateContext(PsdGrid it)
{
  PetscFunctionBeginUser;
  const int order = (int)it->N, block = (int)it->block, zero = 0, ld = (int)PetscMax(1, it->rows.count);
  int info;
  it->context = it->handle;
  Cblacs_gridinit(&it->context, "R", it->shape.height, it->shape.width);
  it->description[1] = -1; /* where this rank has no place */
  if (it->row < 0) PetscFunctionReturn(0);
  descinit_(it->description, &order, &order, &block, &block, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscFunctionReturn(0);
}

static PetscErrorCode TakePlace(PsdGrid it)
{
  PetscFunctionBeginUser;
  const PsdGridShape *shape = &it->shape;
  PetscCallMPI(MPI_Comm_rank(it->comm, &it->rank));
  const PetscBool used = (PetscBool)(it->rank < shape->used);
  it->row = used ? it->rank / shape->width : -1;
  it->column = used ? it->rank % shape->width : -1;
  it->columns = PsdGridColumns(it->N, it->block, shape, it->rank);
  it->rows.count = PsdCyclicCount(it->N, it->block, it->row, shape->height);
  it->cols.count = PsdCyclicCount(it->N, it->block, it->column, shape->width);
  PetscCallMPI(MPI_Comm_split(it->comm, used ? it->row : MPI_UNDEFINED, it->column, &it->line));
  PetscCallMPI(MPI_Comm_split(it->comm, used ? it->column : MPI_UNDEFINED, it->row, &it->file));
  it->handle = Csys2blacs_handle(it->comm);
  PetscCall(CreateContext(it));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateSides(PsdGrid it, const PetscMPIInt node[])
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, *found;
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  PetscCall(PetscMalloc1(ranks, &found));
  if (node) PetscCall(PetscArraycpy(found, node, ranks));
  else PetscCall(PsdNodesFind(it->comm, found));
  PetscCall(PsdGridSidesCreate(it, found));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridCreate(MPI_Comm comm, PetscInt N, PetscInt block, const PsdGridShape *shape, PetscInt rhs,
                             const PetscMPIInt node[], PsdGrid *grid)
{
  PetscFunctionBeginUser;
  PsdGrid it;
  PsdCheckInput(PsdGridCountable((PetscReal)N, shape->used),
                "a matrix of order %" PetscInt_FMT
                " over %d ranks: ScaLAPACK counts to 2^31 numbers on each, take more "
                "ranks",
                N, (int)shape->used);
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->N = N;
  it->block = block;
  it->rhs = rhs;
  it->shape = *shape;
  it->parts = PsdGridPartsOf((PetscReal)N, shape->used);
  PetscCall(TakePlace(it));
  PetscCall(CreateSides(it, node));
  *grid = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridAllocate(PsdGrid it)
{
  PetscFunctionBeginUser;
  PetscCall(AllocatePart(it, (size_t)it->rows.count * (size_t)it->cols.count, &it->matrix));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridDestroy(PsdGrid *grid)
{
  PetscFunctionBeginUser;
  PsdGrid it = *grid;
  if (!it) PetscFunctionReturn(0);
  free(it->matrix);
  free(it->factor);
  PetscCall(PsdGridSidesDestroy(it));
  PetscCall(PsdGridCholeskyDestroy(&it->cholesky));
  if (it->row >= 0) {
    Cblacs_gridexit(it->context);
    PetscCallMPI(MPI_Comm_free(&it->line));
    PetscCallMPI(MPI_Comm_free(&it->file));
  }
  Cfree_blacs_system_handle(it->handle);
  PetscCall(PetscFree(*grid));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- matrix and factor */

/* The diagonal's entry in this rank's column `local`; NULL: another rank's. above: rows here above it. */
static PetscReal *Diagonal(PsdGrid it, PetscReal *part, PetscInt local, PetscInt *above)
{
  const PetscInt number = PsdCyclicNumber(local, it->block, it->column, it->shape.width);
  *above = PsdCyclicCount(number, it->block, it->row, it->shape.height);
  if (*above >= it->rows.count || PsdCyclicNumber(*above, it->block, it->row, it->shape.height) != number) return NULL;
  return part + (size_t)local * (size_t)it->rows.count + (size_t)*above;
}

PetscErrorCode PsdGridTrace(PsdGrid it, PetscReal *trace)
{
  PetscFunctionBeginUser;
  *trace = 0;
  for (PetscInt k = 0, above; k < it->cols.count; k++) {
    const PetscReal *entry = Diagonal(it, it->matrix, k, &above);
    if (entry) *trace += *entry;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, trace, 1, MPIU_REAL, MPI_SUM, it->comm));
  PetscFunctionReturn(0);
}

/* factor <- matrix + shift I, zero above the diagonal */
static PetscErrorCode CopyShifted(PsdGrid it, PetscReal shift)
{
  PetscFunctionBeginUser;
  const PetscInt rows = it->rows.count;
  for (PetscInt k = 0; k < it->cols.count; k++) {
    const size_t at = (size_t)k * (size_t)rows;
    PetscInt above;
    PetscReal *diagonal = Diagonal(it, it->factor, k, &above);
    PetscCall(PetscArrayzero(it->factor + at, above));
    PetscCall(PetscArraycpy(it->factor + at + above, it->matrix + at + above, rows - above));
    if (diagonal) *diagonal += shift;
  }
  PetscFunctionReturn(0);
}

/* The factor of what is in grid->factor; *row: the first whose pivot is not positive, on all ranks, or 0 */
static PetscErrorCode FactorInPlace(PsdGrid it, PetscInt *row)
{
  PetscFunctionBeginUser;
  PetscInt failed = 0;
  if (it->row >= 0) {
    if (!it->cholesky) PetscCall(PsdGridCholeskyCreate(it, &it->cholesky));
    PetscCall(PsdGridCholeskyFactor(it, it->cholesky, &failed));
  }
  if (failed == 0) failed = PETSC_MAX_INT;
  PetscCallMPI(MPI_Allreduce(&failed, row, 1, MPIU_INT, MPI_MIN, it->comm));
  if (*row == PETSC_MAX_INT) *row = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridFactor(PsdGrid it, PetscReal trace, PetscReal shift)
{
  PetscFunctionBeginUser;
  PetscInt row;
  it->inverse = (PetscBool)(trace < INVERSE_CONDITION * shift);
  if (!it->factor) PetscCall(AllocatePart(it, (size_t)it->rows.count * (size_t)it->cols.count, &it->factor));
  if (it->row >= 0) PetscCall(CopyShifted(it, shift));
  /* rounding alone does not do it (PsdConsensusShiftFloor) */
  PetscCall(FactorInPlace(it, &row));
  PsdCheckInput(row == 0, "A'A + %g I is not positive definite at row %" PetscInt_FMT ": A'A is not that of images",
                (double)shift, row);
  if (it->row < 0) PetscFunctionReturn(0);
  const PetscLogDouble N = (PetscLogDouble)it->N;
  const PetscLogDouble inverse = it->inverse ? 1. / (PetscLogDouble)(it->parts * it->parts) : 0;
  PetscCall(PetscLogFlops((1 + inverse) / 3 * N * N * N / it->shape.used));
  PetscFunctionReturn(0);
}
