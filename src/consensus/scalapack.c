/*
   Consensus on all ranks: G_P distributed by blocks of columns over a 1 x P grid, Cholesky factorisation by ScaLAPACK.

   Triangular solves with few right-hand sides make ranks wait for each other at every block. So when the system is well
   enough conditioned the factor is inverted, once a factorisation, and a solve is two products, each rank with its own
   columns of L^-1 and one sum over ranks in between:  S = L^-T (L^-1 rhs). Otherwise pdpotrs solves.
*/
#include "consensus.h"
#include "base/base.h"
#include <petscblaslapack.h>

#define BLOCK 64
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
void pdtran_(const int *, const int *, const double *, const double *, const int *, const int *, const int *,
             const double *, double *, const int *, const int *, const int *);

typedef struct {
  int handle, context; /* BLACS */
  PetscMPIInt rank, ranks;
  PetscInt columns; /* here, of the D */
  int matrix_description[9], rhs_description[9];
  PetscReal *matrix; /* G_P: D x columns, both triangles */
  PetscReal *factor; /* L^-1, or L: D x columns, zero above the diagonal */
  PetscBool inverse; /* what `factor` is */
  VecScatter to_all, to_root, to_owners;
  Vec all, root; /* D x C on every rank; on the root */
  Vec product;   /* columns x C here */
} Scalapack;

static PetscInt GlobalColumn(const Scalapack *it, PetscInt local)
{
  return (local / BLOCK * it->ranks + it->rank) * BLOCK + local % BLOCK;
}

static PetscErrorCode CreateGrid(PsdConsensus consensus, Scalapack *it)
{
  PetscFunctionBeginUser;
  const int D = (int)consensus->blocks->D, C = (int)consensus->blocks->C, block = BLOCK, zero = 0, ld = PetscMax(1, D);
  int info;
  PetscCallMPI(MPI_Comm_rank(consensus->blocks->comm, &it->rank));
  PetscCallMPI(MPI_Comm_size(consensus->blocks->comm, &it->ranks));
  it->handle = Csys2blacs_handle(consensus->blocks->comm);
  it->context = it->handle;
  Cblacs_gridinit(&it->context, "R", 1, it->ranks);
  it->columns = numroc_(&D, &block, &it->rank, &zero, &it->ranks);
  descinit_(it->matrix_description, &D, &D, &block, &block, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  /* all right-hand sides in one block, so that the first process of the grid, the root, holds them */
  descinit_(it->rhs_description, &D, &C, &block, &C, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscFunctionReturn(0);
}

/* Ways of a D x C matrix: from the owners of pairs to all and to the root, and from products with columns to the owners. */
static PetscErrorCode CreateScatters(PsdConsensus consensus, Scalapack *it)
{
  PetscFunctionBeginUser;
  const PetscInt C = consensus->blocks->C, D = consensus->blocks->D;
  PetscInt *to, first;
  IS from_set, to_set;
  Vec x;
  PetscCall(PsdBlocksCreateVec(consensus->blocks, &x));
  PetscCall(VecScatterCreateToAll(x, &it->to_all, &it->all));
  PetscCall(VecScatterCreateToZero(x, &it->to_root, &it->root));
  PetscCall(VecCreateMPI(consensus->blocks->comm, it->columns * C, PETSC_DETERMINE, &it->product));
  PetscCall(VecGetOwnershipRange(it->product, &first, NULL));
  PetscCall(PetscMalloc1(it->columns * C, &to));
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt k = 0; k < it->columns; k++) to[t * it->columns + k] = t * D + GlobalColumn(it, k);
  PetscCall(ISCreateStride(consensus->blocks->comm, it->columns * C, first, 1, &from_set));
  PetscCall(ISCreateGeneral(consensus->blocks->comm, it->columns * C, to, PETSC_OWN_POINTER, &to_set));
  PetscCall(VecScatterCreate(it->product, from_set, x, to_set, &it->to_owners));
  PetscCall(ISDestroy(&from_set));
  PetscCall(ISDestroy(&to_set));
  PetscCall(VecDestroy(&x));
  PetscFunctionReturn(0);
}

/* matrix: both triangles, from the upper one. */
static PetscErrorCode Symmetrize(PsdConsensus consensus, Scalapack *it)
{
  PetscFunctionBeginUser;
  const int D = (int)consensus->blocks->D, one = 1;
  const double unit = 1;
  for (PetscInt k = 0; k < it->columns; k++) {
    const PetscInt diagonal = GlobalColumn(it, k);
    PetscReal *column = it->matrix + (size_t)k * D, *strict = it->factor + (size_t)k * D;
    PetscCall(PetscArraycpy(strict, column, diagonal));
    PetscCall(PetscArrayzero(strict + diagonal, D - diagonal));
    PetscCall(PetscArrayzero(column + diagonal + 1, D - diagonal - 1));
  }
  pdtran_(&D, &D, &unit, it->factor, &one, &one, it->matrix_description, &unit, it->matrix, &one, &one,
          it->matrix_description);
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PsdConsensus consensus, PetscReal *gram)
{
  PetscFunctionBeginUser;
  const PetscInt D = consensus->blocks->D;
  Scalapack *it;
  PetscCall(PetscNew(&it));
  consensus->kernel = it;
  PetscCall(CreateGrid(consensus, it));
  PetscCall(CreateScatters(consensus, it));
  const size_t local = (size_t)D * PetscMax(1, it->columns);
  PetscCall(PetscMalloc1(local, &it->matrix));
  for (PetscInt first = 0; first < D; first += BLOCK) {
    const PetscInt columns = PetscMin(BLOCK, D - first);
    const PetscMPIInt owner = (PetscMPIInt)(first / BLOCK % it->ranks);
    PetscCall(PsdReducePanel(consensus->blocks->comm, owner, D, first, columns, gram));
    if (owner == it->rank)
      PetscCall(PetscArraycpy(it->matrix + (size_t)(first / BLOCK / it->ranks) * BLOCK * D, gram + (size_t)first * D,
                              (size_t)columns * D));
  }
  PetscCall(PetscFree(gram));
  PetscCall(PetscMalloc1(local, &it->factor));
  PetscCall(Symmetrize(consensus, it));
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  const int D = (int)consensus->blocks->D, one = 1;
  int info;
  for (PetscInt k = 0; k < it->columns; k++) {
    const PetscInt diagonal = GlobalColumn(it, k);
    PetscReal *column = it->factor + (size_t)k * D;
    PetscCall(PetscArrayzero(column, diagonal));
    PetscCall(PetscArraycpy(column + diagonal, it->matrix + (size_t)k * D + diagonal, D - diagonal));
    column[diagonal] += shift;
  }
  pdpotrf_("L", &D, it->factor, &one, &one, it->matrix_description, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_MAT_CH_ZRPVT, "A'A + %g I is not positive definite at row %d of %d",
             (double)shift, info, D);
  it->inverse = (PetscBool)(consensus->trace < INVERSE_CONDITION * shift);
  if (it->inverse) {
    pdtrtri_("L", "N", &D, it->factor, &one, &one, it->matrix_description, &info);
    PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdtrtri returned %d", info);
  }
  PetscCall(PetscLogFlops((it->inverse ? 2.0 / 3 : 1.0 / 3) * D * (PetscLogDouble)D * D / it->ranks));
  PetscFunctionReturn(0);
}

/* Products of this rank's columns of L^-1, block by block so that the zeros above the diagonal are left out:
   transposed: product = L^-T all (columns x C); else all = L^-1 product (D x C, this rank's share of the sum) */
static PetscErrorCode MultiplyInverse(PsdConsensus consensus, PetscBool transposed, PetscReal *all, PetscReal *product)
{
  PetscFunctionBeginUser;
  const Scalapack *it = consensus->kernel;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt D, C, ld;
  PetscCall(PetscBLASIntCast(consensus->blocks->D, &D));
  PetscCall(PetscBLASIntCast(consensus->blocks->C, &C));
  PetscCall(PetscBLASIntCast(PetscMax(1, it->columns), &ld));
  if (!transposed) PetscCall(PetscArrayzero(all, (size_t)D * C));
  for (PetscInt k = 0; k < it->columns; k += BLOCK) {
    const PetscBLASInt first = (PetscBLASInt)GlobalColumn(it, k), rows = D - first;
    const PetscBLASInt width = (PetscBLASInt)PetscMin(BLOCK, it->columns - k);
    const PetscReal *block = it->factor + (size_t)k * D + first;
    if (transposed)
      PetscCallBLAS("BLASgemm",
                    BLASgemm_("T", "N", &width, &C, &rows, &one, block, &D, all + first, &D, &zero, product + k, &ld));
    else
      PetscCallBLAS("BLASgemm",
                    BLASgemm_("N", "N", &rows, &C, &width, &one, block, &D, product + k, &ld, &one, all + first, &D));
  }
  PetscCall(PetscLogFlops(1.0 * D * (PetscLogDouble)it->columns * C));
  PetscFunctionReturn(0);
}

/* x = L^-T (L^-1 rhs) */
static PetscErrorCode SolveByInverse(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscReal *all, *product;
  PetscMPIInt count;
  PetscCall(PetscMPIIntCast(consensus->blocks->D * consensus->blocks->C, &count));
  PetscCall(VecScatterBegin(it->to_owners, rhs, it->product, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(it->to_owners, rhs, it->product, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecGetArray(it->product, &product));
  PetscCall(VecGetArray(it->all, &all));
  PetscCall(MultiplyInverse(consensus, PETSC_FALSE, all, product));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, count, MPIU_REAL, MPI_SUM, consensus->blocks->comm));
  PetscCall(MultiplyInverse(consensus, PETSC_TRUE, all, product));
  PetscCall(VecRestoreArray(it->all, &all));
  PetscCall(VecRestoreArray(it->product, &product));
  PetscCall(VecScatterBegin(it->to_owners, it->product, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_owners, it->product, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  if (it->inverse) {
    PetscCall(SolveByInverse(consensus, rhs, x));
    PetscFunctionReturn(0);
  }
  const int D = (int)consensus->blocks->D, C = (int)consensus->blocks->C, one = 1;
  int info;
  PetscReal *columns;
  PetscCall(VecScatterBegin(it->to_root, rhs, it->root, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_root, rhs, it->root, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArray(it->root, &columns));
  pdpotrs_("L", &D, &C, it->factor, &one, &one, it->matrix_description, columns, &one, &one, it->rhs_description,
           &info);
  PetscCall(VecRestoreArray(it->root, &columns));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdpotrs returned %d", info);
  PetscCall(VecScatterBegin(it->to_root, it->root, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(it->to_root, it->root, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(PetscLogFlops(2.0 * D * (PetscLogDouble)D * C / it->ranks));
  PetscFunctionReturn(0);
}

/* G_P is symmetric: the rows of the product that belong to this rank's columns need only those columns. */
static PetscErrorCode Multiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  const PetscReal one = 1, zero = 0, *columns;
  PetscReal *product;
  PetscBLASInt D, C, rows, ld;
  PetscCall(PetscBLASIntCast(consensus->blocks->D, &D));
  PetscCall(PetscBLASIntCast(consensus->blocks->C, &C));
  PetscCall(PetscBLASIntCast(it->columns, &rows));
  ld = PetscMax(1, rows);
  PetscCall(VecScatterBegin(it->to_all, x, it->all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_all, x, it->all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(it->all, &columns));
  PetscCall(VecGetArrayWrite(it->product, &product));
  PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &rows, &C, &D, &one, it->matrix, &D, columns, &D, &zero, product, &ld));
  PetscCall(VecRestoreArrayWrite(it->product, &product));
  PetscCall(VecRestoreArrayRead(it->all, &columns));
  PetscCall(VecScatterBegin(it->to_owners, it->product, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_owners, it->product, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(PetscLogFlops(2.0 * D * (PetscLogDouble)rows * C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscCall(PetscFree(it->matrix));
  PetscCall(PetscFree(it->factor));
  PetscCall(VecScatterDestroy(&it->to_all));
  PetscCall(VecScatterDestroy(&it->to_root));
  PetscCall(VecScatterDestroy(&it->to_owners));
  PetscCall(VecDestroy(&it->all));
  PetscCall(VecDestroy(&it->root));
  PetscCall(VecDestroy(&it->product));
  Cblacs_gridexit(it->context);
  Cfree_blacs_system_handle(it->handle);
  PetscCall(PetscFree(consensus->kernel));
  PetscFunctionReturn(0);
}

const PsdConsensusOps PsdConsensusScalapack = {"scalapack", Assemble, Factor, Solve, Multiply, Destroy};
