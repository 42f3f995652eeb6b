/*
   Consensus on all ranks: G_P accumulated, factorised and applied in blocks of columns over all ranks (grid.h). No rank ever
   holds D x D.

   A right-hand side comes from the owners of pairs as rows: those with the numbers of a rank's columns.
*/
#include "base/base.h"
#include "consensus.h"
#include "grid.h"

typedef struct {
  PsdGrid grid;
  Vec rows, product;    /* columns x C here */
  VecScatter to_owners; /* from rows to the owners of pairs */
} Scalapack;

static PetscErrorCode CreateRows(PsdConsensus consensus, Scalapack *it, const PetscInt column[])
{
  PetscFunctionBeginUser;
  const PetscInt C = consensus->blocks->C, D = consensus->blocks->D, columns = it->grid->columns;
  PetscInt *to, first;
  IS from_set, to_set;
  PetscCall(VecCreateMPI(consensus->blocks->comm, columns * C, PETSC_DETERMINE, &it->rows));
  PetscCall(VecDuplicate(it->rows, &it->product));
  PetscCall(VecGetOwnershipRange(it->rows, &first, NULL));
  PetscCall(PetscMalloc1(columns * C, &to));
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt k = 0; k < columns; k++) to[t * columns + k] = t * D + column[k];
  PetscCall(ISCreateStride(consensus->blocks->comm, columns * C, first, 1, &from_set));
  PetscCall(ISCreateGeneral(consensus->blocks->comm, columns * C, to, PETSC_OWN_POINTER, &to_set));
  PetscCall(VecScatterCreate(it->rows, from_set, consensus->rhs, to_set, &it->to_owners));
  PetscCall(ISDestroy(&from_set));
  PetscCall(ISDestroy(&to_set));
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  const PetscInt D = consensus->blocks->D;
  PetscInt *column;
  PetscBool found;
  Scalapack *it;
  PetscCall(PsdGramFind(consensus, &found));
  if (!found) PetscCall(PsdProblemLift(consensus->problem));
  PetscCall(PetscNew(&it));
  consensus->kernel = it;
  PetscCall(PsdGridCreate(consensus->blocks->comm, D, consensus->blocks->C, &it->grid));
  PetscCall(PetscMalloc1(it->grid->columns, &column));
  for (PetscInt k = 0; k < it->grid->columns; k++) column[k] = PsdGridColumn(it->grid, k);
  PetscCall(CreateRows(consensus, it, column));
  if (!found) {
    PetscCall(PsdProblemAccumulateColumns(consensus->problem, it->grid->columns, column, it->grid->matrix));
    PetscCall(PsdGramWrite(consensus, it->grid->columns, column, PETSC_FALSE, it->grid->matrix));
  } else {
    PetscCall(PsdGramRead(consensus, it->grid->columns, column, PETSC_FALSE, it->grid->matrix));
  }
  for (PetscInt k = 0; k < it->grid->columns; k++)
    consensus->trace += it->grid->matrix[(size_t)k * (size_t)D + (size_t)column[k]];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &consensus->trace, 1, MPIU_REAL, MPI_SUM, consensus->blocks->comm));
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

static PetscErrorCode Factor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscCall(PsdGridFactor(it->grid, consensus->trace, shift));
  PetscFunctionReturn(0);
}

static PetscErrorCode ToRows(Scalapack *it, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(it->to_owners, x, it->rows, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(it->to_owners, x, it->rows, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(0);
}

static PetscErrorCode ToOwners(Scalapack *it, Vec rows, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(it->to_owners, rows, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(it->to_owners, rows, x, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscReal *rows;
  PetscCall(ToRows(it, rhs));
  PetscCall(VecGetArray(it->rows, &rows));
  PetscCall(PsdGridSolve(it->grid, consensus->blocks->C, rows));
  PetscCall(VecRestoreArray(it->rows, &rows));
  PetscCall(ToOwners(it, it->rows, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Multiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  const PetscReal *rows;
  PetscReal *product;
  PetscCall(ToRows(it, x));
  PetscCall(VecGetArrayRead(it->rows, &rows));
  PetscCall(VecGetArrayWrite(it->product, &product));
  PetscCall(PsdGridMultiply(it->grid, consensus->blocks->C, rows, product));
  PetscCall(VecRestoreArrayWrite(it->product, &product));
  PetscCall(VecRestoreArrayRead(it->rows, &rows));
  PetscCall(ToOwners(it, it->product, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  Scalapack *it = consensus->kernel;
  PetscCall(PsdGridDestroy(&it->grid));
  PetscCall(VecScatterDestroy(&it->to_owners));
  PetscCall(VecDestroy(&it->rows));
  PetscCall(VecDestroy(&it->product));
  PetscCall(PetscFree(consensus->kernel));
  PetscFunctionReturn(0);
}

const PsdConsensusOps PsdConsensusScalapack = {.name = "scalapack",
                                               .assemble = Assemble,
                                               .factor = Factor,
                                               .step = PsdConsensusGramStep,
                                               .residual = PsdConsensusGramResidual,
                                               .step_residual = PsdConsensusGramStepResidual,
                                               .krylov_start = PsdConsensusGramStart,
                                               .krylov_multiply = Multiply,
                                               .destroy = Destroy,
                                               .solve = Solve,
                                               .multiply = Multiply};
