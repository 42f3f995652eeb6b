/*
   The distributed positive definite matrix: BLACS grid, Cholesky factor and its inverse, products.

   Triangular solves with few right-hand sides make ranks wait for each other at every block. So when the system is well
   enough conditioned the factor is inverted, once a factorisation, and a solve is two products, each rank with its own
   columns of L^-1 and one sum over ranks in between:  x = L^-T (L^-1 x). Otherwise pdpotrs solves.
*/
#include "grid.h"
#include "base/base.h"
#include <petscblaslapack.h>
#include <stdlib.h>

/* Products with L^-1 lose about eps times the condition number, here at most 1e8: small beside any gap. */
#define INVERSE_CONDITION 1e8

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridinit(int *, const char *, int, int);
void Cblacs_gridexit(int);
int numroc_(const int *, const int *, const int *, const int *, const int *);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);
void pdpotrf_(const char *, const int *, double *, const int *, const int *, const int *, int *);
void pdtrtri_(const char *, const char *, const int *, double *, const int *, const int *, const int *, int *);
void pdpotrs_(const char *, const int *, const int *, double *, const int *, const int *, const int *, double *,
              const int *, const int *, const int *, int *);

PetscInt PsdGridColumns(PetscInt N, PetscMPIInt ranks, PetscMPIInt rank)
{
  const int order = (int)N, block = PSD_GRID_BLOCK, zero = 0;
  return numroc_(&order, &block, &rank, &zero, &ranks);
}

/* Memory that may not be there: an error of all ranks, in one line. */
static PetscErrorCode AllocateMatrix(PsdGrid grid, PetscReal **matrix)
{
  PetscFunctionBeginUser;
  const size_t entries = (size_t)grid->N * (size_t)PetscMax(1, grid->columns);
  PsdFailure failure = {PETSC_FALSE, ""};
  *matrix = calloc(entries, sizeof(**matrix));
  if (!*matrix)
    PsdFailureRecord(&failure, "no memory for %.1f GB of a matrix of order %" PetscInt_FMT " on rank %d",
                     (double)entries * sizeof(**matrix) / 1e9, grid->N, (int)grid->rank);
  PetscCall(PsdFailureAgree(grid->comm, &failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridCreate(MPI_Comm comm, PetscInt N, PetscInt width, PsdGrid *grid)
{
  PetscFunctionBeginUser;
  const int order = (int)N, block = PSD_GRID_BLOCK, zero = 0, ld = (int)PetscMax(1, N);
  PsdGrid it;
  int info;
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->N = N;
  it->width = width;
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  PetscCallMPI(MPI_Comm_size(comm, &it->ranks));
  it->columns = PsdGridColumns(N, it->ranks, it->rank);
  it->handle = Csys2blacs_handle(comm);
  it->context = it->handle;
  Cblacs_gridinit(&it->context, "R", 1, it->ranks);
  descinit_(it->description, &order, &order, &block, &block, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscCall(AllocateMatrix(it, &it->matrix));
  PetscCall(PetscMalloc1((size_t)N * width, &it->all));
  *grid = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridFactor(PsdGrid it, PetscReal trace, PetscReal shift)
{
  PetscFunctionBeginUser;
  const int N = (int)it->N, one = 1;
  int info;
  if (!it->factor) PetscCall(AllocateMatrix(it, &it->factor));
  for (PetscInt k = 0; k < it->columns; k++) {
    const PetscInt diagonal = PsdGridColumn(it, k);
    PetscReal *column = it->factor + (size_t)k * N;
    PetscCall(PetscArrayzero(column, diagonal));
    PetscCall(PetscArraycpy(column + diagonal, it->matrix + (size_t)k * N + diagonal, N - diagonal));
    column[diagonal] += shift;
  }
  pdpotrf_("L", &N, it->factor, &one, &one, it->description, &info);
  PsdCheckInput(info == 0, "A'A + %g I is not positive definite at row %d: A'A is not that of images", (double)shift,
                info);
  it->inverse = (PetscBool)(trace < INVERSE_CONDITION * shift);
  if (it->inverse) {
    pdtrtri_("L", "N", &N, it->factor, &one, &one, it->description, &info);
    PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdtrtri returned %d", info);
  }
  PetscCall(PetscLogFlops((it->inverse ? 2.0 / 3 : 1.0 / 3) * N * (PetscLogDouble)N * N / it->ranks));
  PetscFunctionReturn(0);
}

/* all (N x count) <- its sum over ranks, in messages whose lengths are ints */
static PetscErrorCode SumAll(PsdGrid it, PetscInt count)
{
  PetscFunctionBeginUser;
  for (PetscInt t = 0; t < count; t++)
    PetscCallMPI(
        MPI_Allreduce(MPI_IN_PLACE, it->all + (size_t)t * it->N, (PetscMPIInt)it->N, MPIU_REAL, MPI_SUM, it->comm));
  PetscFunctionReturn(0);
}

/* Products with this rank's columns of L^-1, block by block so that the zeros above the diagonal are left out:
   transposed: x = L^-T all (columns x count); else all = this rank's share of L^-1 x */
static PetscErrorCode MultiplyInverse(PsdGrid it, PetscBool transposed, PetscInt count, PetscReal *x)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt N, C, ld;
  PetscCall(PetscBLASIntCast(it->N, &N));
  PetscCall(PetscBLASIntCast(count, &C));
  PetscCall(PetscBLASIntCast(PetscMax(1, it->columns), &ld));
  if (!transposed) PetscCall(PetscArrayzero(it->all, (size_t)N * C));
  for (PetscInt k = 0; k < it->columns; k += PSD_GRID_BLOCK) {
    const PetscBLASInt first = (PetscBLASInt)PsdGridColumn(it, k), rows = N - first;
    const PetscBLASInt width = (PetscBLASInt)PetscMin(PSD_GRID_BLOCK, it->columns - k);
    const PetscReal *block = it->factor + (size_t)k * N + first;
    if (transposed)
      PetscCallBLAS("BLASgemm",
                    BLASgemm_("T", "N", &width, &C, &rows, &one, block, &N, it->all + first, &N, &zero, x + k, &ld));
    else
      PetscCallBLAS("BLASgemm",
                    BLASgemm_("N", "N", &rows, &C, &width, &one, block, &N, x + k, &ld, &one, it->all + first, &N));
  }
  PetscCall(PetscLogFlops(1.0 * N * (PetscLogDouble)it->columns * C));
  PetscFunctionReturn(0);
}

/* all <- x of every rank, in its rows: zeros elsewhere, then the sum */
static PetscErrorCode Gather(PsdGrid it, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(it->all, (size_t)it->N * count));
  for (PetscInt t = 0; t < count; t++)
    for (PetscInt k = 0; k < it->columns; k++)
      it->all[(size_t)t * it->N + PsdGridColumn(it, k)] = x[(size_t)t * it->columns + k];
  PetscCall(SumAll(it, count));
  PetscFunctionReturn(0);
}

/* pdpotrs with all right-hand sides in the root's column of the grid */
static PetscErrorCode SolveByFactor(PsdGrid it, PetscInt count, PetscReal x[])
{
  PetscFunctionBeginUser;
  const int N = (int)it->N, C = (int)count, block = PSD_GRID_BLOCK, zero = 0, one = 1, ld = PetscMax(1, N);
  int description[9], info;
  descinit_(description, &N, &C, &block, &C, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscCall(Gather(it, count, x));
  pdpotrs_("L", &N, &C, it->factor, &one, &one, it->description, it->all, &one, &one, description, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdpotrs returned %d", info);
  for (int t = 0; t < C; t++) PetscCallMPI(MPI_Bcast(it->all + (size_t)t * N, N, MPIU_REAL, 0, it->comm));
  for (PetscInt t = 0; t < count; t++)
    for (PetscInt k = 0; k < it->columns; k++)
      x[(size_t)t * it->columns + k] = it->all[(size_t)t * N + PsdGridColumn(it, k)];
  PetscCall(PetscLogFlops(2.0 * N * (PetscLogDouble)N * C / it->ranks));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSolve(PsdGrid it, PetscInt count, PetscReal x[])
{
  PetscFunctionBeginUser;
  if (!it->inverse) {
    PetscCall(SolveByFactor(it, count, x));
    PetscFunctionReturn(0);
  }
  PetscCall(MultiplyInverse(it, PETSC_FALSE, count, x));
  PetscCall(SumAll(it, count));
  PetscCall(MultiplyInverse(it, PETSC_TRUE, count, x));
  PetscFunctionReturn(0);
}

/*
   With B the part of a block of columns on and below the diagonal, strictly below it B_, and `first` its first row:
     all[first..] += B x_block            what the lower triangle gives to all rows
     y_block      += (B_)' x[rows]        what the upper one gives to these
   x on all rows is gathered first; the shares of `all` are then summed.
*/
PetscErrorCode PsdGridMultiply(PsdGrid it, PetscInt count, const PetscReal x[], PetscReal y[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  const PetscInt block = PSD_GRID_BLOCK;
  PetscReal *everywhere, *diagonal;
  PetscBLASInt N, C, ld, size = PSD_GRID_BLOCK;
  PetscCall(PetscBLASIntCast(it->N, &N));
  PetscCall(PetscBLASIntCast(count, &C));
  PetscCall(PetscBLASIntCast(PetscMax(1, it->columns), &ld));
  PetscCall(PetscMalloc2((size_t)N * C, &everywhere, block * block, &diagonal));
  PetscCall(Gather(it, count, x));
  PetscCall(PetscArraycpy(everywhere, it->all, (size_t)N * C));
  PetscCall(PetscArrayzero(it->all, (size_t)N * C));
  for (PetscInt k = 0; k < it->columns; k += block) {
    const PetscBLASInt first = (PetscBLASInt)PsdGridColumn(it, k);
    const PetscBLASInt width = (PetscBLASInt)PetscMin(block, it->columns - k), below = N - first - width;
    const PetscReal *columns = it->matrix + (size_t)k * N + first, *rows = everywhere + first + width;
    /* the diagonal block by itself, both triangles, as what is above its diagonal is not to be read */
    for (PetscInt j = 0; j < width; j++)
      for (PetscInt i = j; i < width; i++)
        diagonal[j * block + i] = diagonal[i * block + j] = columns[(size_t)j * N + i];
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "N", &width, &C, &width, &one, diagonal, &size, x + k, &ld, &zero, y + k, &ld));
    if (below <= 0) continue;
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("T", "N", &width, &C, &below, &one, columns + width, &N, rows, &N, &one, y + k, &ld));
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &below, &C, &width, &one, columns + width, &N, x + k, &ld, &one,
                                        it->all + first + width, &N));
  }
  PetscCall(SumAll(it, count));
  for (PetscInt t = 0; t < count; t++)
    for (PetscInt k = 0; k < it->columns; k++)
      y[(size_t)t * it->columns + k] += it->all[(size_t)t * N + PsdGridColumn(it, k)];
  PetscCall(PetscFree2(everywhere, diagonal));
  PetscCall(PetscLogFlops(2.0 * N * (PetscLogDouble)it->columns * C));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridDestroy(PsdGrid *grid)
{
  PetscFunctionBeginUser;
  if (!*grid) PetscFunctionReturn(0);
  free((*grid)->matrix);
  free((*grid)->factor);
  PetscCall(PetscFree((*grid)->all));
  Cblacs_gridexit((*grid)->context);
  Cfree_blacs_system_handle((*grid)->handle);
  PetscCall(PetscFree(*grid));
  PetscFunctionReturn(0);
}

/* Of dgemm's rate: pdpotrf and pdtrtri together, measured at orders of 5,000 to 20,000. */
#define EFFICIENCY 0.65

PsdCost PsdGridFactorCost(PetscReal N, PetscInt ranks, const PsdRates *rates)
{
  return PsdCostWork(2 * (N * N * N / 3) / (PetscReal)ranks, EFFICIENCY * rates->gemm);
}

PsdCost PsdGridMultiplyCost(PetscReal N, PetscReal width, PetscInt ranks, const PsdRates *rates)
{
  return PsdCostSum(PsdCostMove(PSD_BYTES_REAL * N * N / 2 / (PetscReal)ranks, rates),
                    PsdCostWork(N * N * width / (PetscReal)ranks, rates->gemm));
}
