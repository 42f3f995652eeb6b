/*
   Positive eigenpairs of a block by a SLEPc EPS on a shell matrix.

   EPS, matrix and vectors are kept from one solve to the next. psdnet's own type finds all positive pairs at once; others are asked for a number
   of pairs, and for twice as many until one of them is not positive.
*/
#include "eps.h"
#include "base/base.h"
#include "eps_block.h"

/* Between the seeds of two ranks: their parts of a random vector have to differ. A prime, beyond what callers count to. */
#define RANKS_APART 2147483647UL

struct _p_PsdEps {
  PsdEpsMatrix block;
  PetscInt most;
  EPS eps;
  PetscBool all;             /* the type finds all positive pairs at once, and takes start vectors as an array */
  PetscInt max_it, ncv, mpd; /* as the options have them; the type's defaults where they do not */
  Mat matrix;
  Vec u;            /* for an eigenvector in the caller's array */
  Vec *start;       /* `most` vectors, where start vectors are not taken as an array */
  PetscInt columns; /* the block was multiplied with so many vectors */
};

/* ---------------------------------------------------------------- the matrix */

static PetscErrorCode Multiply(PsdEps it, PetscInt count, const PetscReal V[], PetscReal AV[])
{
  PetscFunctionBeginUser;
  it->columns += count;
  PetscCall((*it->block.product)(it->block.context, count, V, AV));
  PetscFunctionReturn(0);
}

/* As a PsdBlockProduct. */
static PetscErrorCode MultiplyBlock(Mat matrix, PetscInt count, const PetscReal V[], PetscReal AV[])
{
  PetscFunctionBeginUser;
  PsdEps it;
  PetscCall(MatShellGetContext(matrix, &it));
  PetscCall(Multiply(it, count, V, AV));
  PetscFunctionReturn(0);
}

static PetscErrorCode MultiplyVec(Mat matrix, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PsdEps it;
  const PetscReal *from;
  PetscReal *to;
  PetscCall(MatShellGetContext(matrix, &it));
  PetscCall(VecGetArrayRead(x, &from));
  PetscCall(VecGetArrayWrite(y, &to));
  PetscCall(Multiply(it, 1, from, to));
  PetscCall(VecRestoreArrayWrite(y, &to));
  PetscCall(VecRestoreArrayRead(x, &from));
  PetscFunctionReturn(0);
}

/* A dense matrix's columns, when they lie one behind the other. */
static PetscErrorCode MultiplyDense(Mat matrix, Mat V, Mat AV, void *data)
{
  PetscFunctionBeginUser;
  PsdEps it;
  const PetscReal *from;
  PetscReal *to;
  PetscInt columns, rows, from_ld, to_ld;
  (void)data;
  PetscCall(MatShellGetContext(matrix, &it));
  PetscCall(MatGetSize(V, NULL, &columns));
  rows = it->block.rows;
  PetscCall(MatDenseGetLDA(V, &from_ld));
  PetscCall(MatDenseGetLDA(AV, &to_ld));
  PetscCall(MatDenseGetArrayRead(V, &from));
  PetscCall(MatDenseGetArrayWrite(AV, &to));
  if (from_ld == rows && to_ld == rows) PetscCall(Multiply(it, columns, from, to));
  else
    for (PetscInt k = 0; k < columns; k++)
      PetscCall(Multiply(it, 1, from + (size_t)k * from_ld, to + (size_t)k * to_ld));
  PetscCall(MatDenseRestoreArrayWrite(AV, &to));
  PetscCall(MatDenseRestoreArrayRead(V, &from));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateMatrix(PsdEps it)
{
  PetscFunctionBeginUser;
  const PsdEpsMatrix *block = &it->block;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(block->comm, &ranks));
  const MatType dense = ranks > 1 ? MATMPIDENSE : MATSEQDENSE;
  PetscCall(MatCreateShell(block->comm, block->rows, block->rows, block->d, block->d, it, &it->matrix));
  PetscCall(MatShellSetOperation(it->matrix, MATOP_MULT, (void (*)(void))MultiplyVec));
  PetscCall(MatShellSetMatProductOperation(it->matrix, MATPRODUCT_AB, NULL, MultiplyDense, NULL, dense, dense));
  PetscCall(PetscObjectComposeFunction((PetscObject)it->matrix, PSD_BLOCK_PRODUCT, MultiplyBlock));
  PetscCall(MatSetOption(it->matrix, MAT_SYMMETRIC, PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the solver */

/* Without memory of its own. */
static PetscErrorCode CreateVec(PsdEps it, Vec *u)
{
  PetscFunctionBeginUser;
  const PsdEpsMatrix *block = &it->block;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(block->comm, &ranks));
  if (ranks == 1) PetscCall(VecCreateSeqWithArray(block->comm, 1, block->d, NULL, u));
  else PetscCall(VecCreateMPIWithArray(block->comm, 1, block->rows, block->d, NULL, u));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEpsCreate(const PsdEpsMatrix *block, PetscInt most, EPSType type, PsdEps *eps)
{
  PetscFunctionBeginUser;
  PsdEps it;
  PetscCall(PetscNew(&it));
  it->block = *block;
  it->most = most;
  PetscCall(CreateMatrix(it));
  PetscCall(CreateVec(it, &it->u));
  PetscCall(PsdEpsBlockRegister());
  PetscCall(EPSCreate(block->comm, &it->eps));
  PetscCall(EPSSetType(it->eps, type));
  PetscCall(EPSSetOperators(it->eps, it->matrix, NULL));
  PetscCall(EPSSetFromOptions(it->eps));
  /* what is sought is not the options' to say */
  PetscCall(EPSSetProblemType(it->eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(it->eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetConvergenceTest(it->eps, EPS_CONV_ABS));
  PetscCall(PetscObjectTypeCompare((PetscObject)it->eps, PSD_EPS_BLOCK, &it->all));
  PetscCall(EPSGetTolerances(it->eps, NULL, &it->max_it));
  PetscCall(EPSGetDimensions(it->eps, NULL, &it->ncv, &it->mpd));
  if (!it->all) {
    Vec one;
    PetscCall(MatCreateVecs(it->matrix, &one, NULL));
    PetscCall(VecDuplicateVecs(one, most, &it->start));
    PetscCall(VecDestroy(&one));
  }
  *eps = it;
  PetscFunctionReturn(0);
}

PetscInt PsdEpsMostPairs(PsdEps it)
{
  return PetscMin(it->block.d, it->most + PSD_EPS_BLOCK_GUARDS);
}

/* What is random depends on seed and rank alone: a run that is continued from a file goes the same way. */
static PetscErrorCode Seed(PsdEps it, unsigned long seed)
{
  PetscFunctionBeginUser;
  BV basis;
  PetscRandom random;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(it->block.comm, &rank));
  PetscCall(EPSGetBV(it->eps, &basis));
  PetscCall(BVGetRandomContext(basis, &random));
  PetscCall(PetscRandomSetInterval(random, -1, 1));
  PetscCall(PetscRandomSetSeed(random, seed + RANKS_APART * (unsigned long)rank));
  PetscCall(PetscRandomSeed(random));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetStart(PsdEps it, PetscInt count, const PetscReal start[])
{
  PetscFunctionBeginUser;
  if (it->all) {
    PetscCall(EPSSetUp(it->eps));
    PetscCall(PsdEpsBlockSetStart(it->eps, count, start));
    PetscFunctionReturn(0);
  }
  for (PetscInt k = 0; k < count; k++) {
    PetscReal *values;
    PetscCall(VecGetArrayWrite(it->start[k], &values));
    PetscCall(PetscArraycpy(values, start + (size_t)k * it->block.rows, it->block.rows));
    PetscCall(VecRestoreArrayWrite(it->start[k], &values));
  }
  if (count > 0) PetscCall(EPSSetInitialSpace(it->eps, count, it->start));
  PetscFunctionReturn(0);
}

static PetscErrorCode StartAndSolve(PsdEps it, PetscInt count, const PetscReal start[])
{
  PetscFunctionBeginUser;
  PetscCall(SetStart(it, count, start));
  PetscCall(EPSSolve(it->eps));
  PetscFunctionReturn(0);
}

/* Some of SLEPc's types break down where a space is exactly invariant; that is no convergence, not an error of the run. */
static PetscErrorCode TryToSolve(PsdEps it, PetscInt count, const PetscReal start[], PetscInt *converged)
{
  PetscFunctionBeginUser;
  if (it->all) {
    PetscCall(StartAndSolve(it, count, start));
    PetscCall(EPSGetConverged(it->eps, converged));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  const PetscErrorCode code = StartAndSolve(it, count, start);
  PetscCall(PetscPopErrorHandler());
  if (code) {
    PetscCall(PetscInfo(it->eps, "EPSSolve returned %d\n", (int)code));
    PetscCall(EPSReset(it->eps));
    *converged = 0;
  } else {
    PetscCall(EPSGetConverged(it->eps, converged));
  }
  PetscFunctionReturn(0);
}

/* The first `count` converged pairs, largest first. */
static PetscErrorCode TakePairs(PsdEps it, PetscInt count, PetscReal theta[], PetscReal U[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < count; k++) {
    PetscCall(VecPlaceArray(it->u, U + (size_t)k * it->block.rows));
    PetscCall(EPSGetEigenpair(it->eps, k, &theta[k], NULL, it->u, NULL));
    PetscCall(VecResetArray(it->u));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEpsSolve(PsdEps it, PetscInt expected, PetscInt count, const PetscReal start[], unsigned long seed,
                           PetscReal tolerance, PetscInt *found, PetscReal theta[], PetscReal U[], PetscInt *columns)
{
  PetscFunctionBeginUser;
  const PetscInt least = PetscMax(1, PetscMin(expected, it->most)), most = PetscMin(it->most + 1, it->block.d);
  it->columns = 0;
  for (PetscInt ask = it->all ? it->most : least;; ask = PetscMin(2 * ask, most)) {
    PetscInt converged;
    /* of a number of pairs each takes its share of the tolerance of them all */
    const PetscReal share = it->all ? tolerance : tolerance / (2 * PetscSqrtReal((PetscReal)ask));
    PetscCall(EPSSetOperators(it->eps, it->matrix, NULL)); /* its values are new ones */
    PetscCall(EPSSetTolerances(it->eps, share, it->max_it));
    PetscCall(EPSSetDimensions(it->eps, ask, it->ncv, it->mpd));
    PetscCall(Seed(it, seed));
    PetscCall(TryToSolve(it, it->all ? count : PetscMin(count, least), start, &converged));
    *found = PetscMin(converged, it->all ? PsdEpsMostPairs(it) : most);
    PetscCall(TakePairs(it, *found, theta, U));
    *columns = it->columns;
    if (it->all || converged < ask || theta[*found - 1] <= 0 || ask == most) PetscFunctionReturn(0);
  }
}

PetscErrorCode PsdEpsDestroy(PsdEps *eps)
{
  PetscFunctionBeginUser;
  if (!*eps) PetscFunctionReturn(0);
  PetscCall(EPSDestroy(&(*eps)->eps));
  PetscCall(VecDestroyVecs((*eps)->most, &(*eps)->start));
  PetscCall(VecDestroy(&(*eps)->u));
  PetscCall(MatDestroy(&(*eps)->matrix));
  PetscCall(PetscFree(*eps));
  PetscFunctionReturn(0);
}
