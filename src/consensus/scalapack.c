/*
   Consensus on all ranks: G_P distributed by blocks of columns over a 1 x P grid, Cholesky factorisation by ScaLAPACK.

   A solve with few right-hand sides is bound by reading the matrix, and triangular solves make ranks wait for each other. So
   when the system is well enough conditioned the inverse is formed, once a factorisation, and applying it is a product of
   each rank's own columns with a vector that all have: one all-gather, no waiting. Otherwise pdpotrs solves.
*/
#include "consensus.h"
#include "base/base.h"
#include <petscblaslapack.h>

#define BLOCK 64
/* An inverse loses about eps times the condition number, here at most 1e8: what is left is small beside any gap. */
#define INVERSE_CONDITION 1e8

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridinit(int *, const char *, int, int);
void Cblacs_gridexit(int);
int numroc_(const int *, const int *, const int *, const int *, const int *);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);
void pdpotrf_(const char *, const int *, double *, const int *, const int *, const int *, int *);
void pdpotri_(const char *, const int *, double *, const int *, const int *, const int *, int *);
void pdpotrs_(const char *, const int *, const int *, double *, const int *, const int *, const int *, double *,
              const int *, const int *, const int *, int *);
void pdtran_(const int *, const int *, const double *, const double *, const int *, const int *, const int *,
             const double *, double *, const int *, const int *, const int *);

typedef struct {
  int handle, context; /* BLACS */
  PetscMPIInt rank, ranks;
  PetscInt columns; /* here, of the D */
  int matrix_description[9], rhs_description[9];
  PetscReal *matrix;   /* G_P: D x columns, both triangles */
  PetscReal *factor;   /* the inverse (both triangles) or L */
  PetscReal *triangle; /* work of Symmetrize */
  PetscBool inverse;   /* what `factor` is */
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

/* Both triangles of a matrix of which one is there. lower: which. */
static PetscErrorCode Symmetrize(PsdConsensus consensus, Scalapack *it, PetscBool lower, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const int D = (int)consensus->blocks->D, one = 1;
  const double unit = 1;
  for (PetscInt k = 0; k < it->columns; k++) {
    const PetscInt diagonal = GlobalColumn(it, k);
    PetscReal *column = matrix + (size_t)k * D, *strict = it->triangle + (size_t)k * D;
    for (PetscInt row = 0; row < D; row++) {
      const PetscBool kept = (PetscBool)(lower ? row > diagonal : row < diagonal);
      strict[row] = kept ? column[row] : 0;
      if (!kept && row != diagonal) column[row] = 0;
    }
  }
  pdtran_(&D, &D, &unit, it->triangle, &one, &one, it->matrix_description, &unit, matrix, &one, &one,
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
  PetscCall(PetscMalloc2(local, &it->factor, local, &it->triangle));
  PetscCall(Symmetrize(consensus, it, PETSC_FALSE, it->matrix));
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  const int D = (int)consensus->blocks->D, one = 1;
  int info;
  PetscCall(PetscArraycpy(it->factor, it->matrix, (size_t)D * it->columns));
  for (PetscInt k = 0; k < it->columns; k++) it->factor[(size_t)k * D + GlobalColumn(it, k)] += shift;
  pdpotrf_("L", &D, it->factor, &one, &one, it->matrix_description, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_MAT_CH_ZRPVT, "A'A + %g I is not positive definite at row %d of %d",
             (double)shift, info, D);
  it->inverse = (PetscBool)(consensus->trace < INVERSE_CONDITION * shift);
  if (it->inverse) {
    pdpotri_("L", &D, it->factor, &one, &one, it->matrix_description, &info);
    PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdpotri returned %d", info);
    PetscCall(Symmetrize(consensus, it, PETSC_TRUE, it->factor));
  }
  PetscCall(PetscLogFlops((it->inverse ? 1.0 : 1.0 / 3) * D * (PetscLogDouble)D * D / it->ranks));
  PetscFunctionReturn(0);
}

/* y = matrix x, matrix symmetric: rows of the product are this rank's columns */
static PetscErrorCode Apply(PsdConsensus consensus, const PetscReal *matrix, Vec x, Vec y)
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
  PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &rows, &C, &D, &one, matrix, &D, columns, &D, &zero, product, &ld));
  PetscCall(VecRestoreArrayWrite(it->product, &product));
  PetscCall(VecRestoreArrayRead(it->all, &columns));
  PetscCall(VecScatterBegin(it->to_owners, it->product, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_owners, it->product, y, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(PetscLogFlops(2.0 * D * (PetscLogDouble)rows * C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  if (it->inverse) {
    PetscCall(Apply(consensus, it->factor, rhs, x));
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

static PetscErrorCode Multiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(Apply(consensus, ((Scalapack *)consensus->kernel)->matrix, x, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscCall(PetscFree(it->matrix));
  PetscCall(PetscFree2(it->factor, it->triangle));
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
