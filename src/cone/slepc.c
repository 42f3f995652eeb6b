/*
   Eigenpairs of one block from the largest down to the first that is not positive, by a SLEPc EPS on a dense matrix.

   The EPS and its matrix are kept; each solve starts from the vectors it is given, and asks for twice as many pairs until
   one of them is not positive.
*/
#include "cone.h"
#include <slepceps.h>

struct _p_PsdEps {
  PetscInt d;
  EPS eps;
  Mat matrix;
  PetscReal *values; /* d x d, both triangles */
};

PetscErrorCode PsdEpsCreate(PetscInt d, const char type[], PsdEps *eps)
{
  PetscFunctionBeginUser;
  PsdEps it;
  BV basis;
  PetscCall(PetscNew(&it));
  it->d = d;
  PetscCall(PetscMalloc1((size_t)d * d, &it->values));
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, d, d, it->values, &it->matrix));
  PetscCall(EPSCreate(PETSC_COMM_SELF, &it->eps));
  PetscCall(EPSSetProblemType(it->eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(it->eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetConvergenceTest(it->eps, EPS_CONV_ABS));
  PetscCall(EPSSetType(it->eps, type));
  PetscCall(EPSGetBV(it->eps, &basis));
  PetscCall(BVSetMatMultMethod(basis, BV_MATMULT_MAT)); /* products with all vectors at once */
  PetscCall(EPSSetFromOptions(it->eps));
  *eps = it;
  PetscFunctionReturn(0);
}

/* The matrix is read both ways: the lower triangle from the upper one, tile by tile so that both stay in cache. */
static PetscErrorCode Fill(PsdEps it, PetscReal sign, const PetscReal *X)
{
  PetscFunctionBeginUser;
  enum { TILE = 64 };
  const size_t d = it->d;
  for (size_t j0 = 0; j0 < d; j0 += TILE)
    for (size_t i0 = 0; i0 <= j0; i0 += TILE)
      for (size_t j = j0; j < PetscMin(j0 + TILE, d); j++)
        for (size_t i = i0; i < PetscMin(i0 + TILE, j + 1); i++)
          it->values[j * d + i] = it->values[i * d + j] = sign * X[j * d + i];
  PetscCall(MatAssemblyBegin(it->matrix, MAT_FINAL_ASSEMBLY)); /* it has changed */
  PetscCall(MatAssemblyEnd(it->matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetStart(PsdEps it, PetscInt count, const PetscReal start[])
{
  PetscFunctionBeginUser;
  Vec *vectors;
  PetscReal *values;
  if (count == 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(count, &vectors));
  for (PetscInt k = 0; k < count; k++) {
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, it->d, &vectors[k]));
    PetscCall(VecGetArrayWrite(vectors[k], &values));
    PetscCall(PetscArraycpy(values, start + (size_t)k * it->d, it->d));
    PetscCall(VecRestoreArrayWrite(vectors[k], &values));
  }
  PetscCall(EPSSetInitialSpace(it->eps, count, vectors));
  for (PetscInt k = 0; k < count; k++) PetscCall(VecDestroy(&vectors[k]));
  PetscCall(PetscFree(vectors));
  PetscFunctionReturn(0);
}

/* The first `count` converged pairs, largest first. */
static PetscErrorCode TakePairs(PsdEps it, PetscInt count, PetscReal theta[], PetscReal U[])
{
  PetscFunctionBeginUser;
  Vec u;
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, it->d, NULL, &u));
  for (PetscInt k = 0; k < count; k++) {
    PetscScalar value;
    PetscCall(VecPlaceArray(u, U + (size_t)k * it->d));
    PetscCall(EPSGetEigenpair(it->eps, k, &value, NULL, u, NULL));
    PetscCall(VecResetArray(u));
    theta[k] = PetscRealPart(value);
  }
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(0);
}

/* Some types break down where a space is exactly invariant; that is no convergence, not an error of the run. */
static PetscErrorCode Solve(PsdEps it, PetscBool *failed)
{
  PetscFunctionBeginUser;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  const PetscErrorCode code = EPSSolve(it->eps);
  PetscCall(PetscPopErrorHandler());
  *failed = (PetscBool)(code != 0);
  if (*failed) {
    PetscCall(PetscInfo(NULL, "EPSSolve returned %d\n", (int)code));
    PetscCall(EPSReset(it->eps));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEpsSolve(PsdEps it, PetscReal sign, PetscReal *X, PetscInt wanted, PetscInt count,
                           const PetscReal start[], PetscReal tolerance, PetscInt most, PetscInt *found,
                           PetscReal theta[], PetscReal U[], PetscInt *columns)
{
  PetscFunctionBeginUser;
  PetscCall(Fill(it, sign, X));
  PetscCall(EPSSetOperators(it->eps, it->matrix, NULL)); /* the values are new ones */
  *columns = *found = 0;
  for (PetscInt ask = PetscMax(1, wanted);; ask = PetscMin(2 * ask, most)) {
    PetscInt iterations, converged, space;
    PetscBool failed;
    /* each of `ask` residuals takes its share of the tolerance of them all */
    PetscCall(EPSSetTolerances(it->eps, tolerance / (2 * PetscSqrtReal((PetscReal)ask)), 500));
    PetscCall(EPSSetDimensions(it->eps, ask, PETSC_DEFAULT, PETSC_DEFAULT));
    PetscCall(SetStart(it, count, start));
    PetscCall(Solve(it, &failed));
    if (failed) PetscFunctionReturn(0);
    PetscCall(EPSGetConverged(it->eps, &converged));
    PetscCall(EPSGetIterationNumber(it->eps, &iterations));
    PetscCall(EPSGetDimensions(it->eps, NULL, &space, NULL));
    *columns += iterations * PetscMax(1, space / 2); /* about: what it does is its own affair */
    *found = PetscMin(converged, most);
    PetscCall(TakePairs(it, *found, theta, U));
    if (converged < ask || theta[*found - 1] <= 0 || ask == most) PetscFunctionReturn(0);
  }
}

PetscErrorCode PsdEpsDestroy(PsdEps *eps)
{
  PetscFunctionBeginUser;
  if (!*eps) PetscFunctionReturn(0);
  PetscCall(EPSDestroy(&(*eps)->eps));
  PetscCall(MatDestroy(&(*eps)->matrix));
  PetscCall(PetscFree((*eps)->values));
  PetscCall(PetscFree(*eps));
  PetscFunctionReturn(0);
}
