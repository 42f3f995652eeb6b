/*
   Eigenpairs of one block from the largest down to the first that is not positive, by a SLEPc EPS on a dense matrix, here or
   spread over a team.

   The EPS and its matrix are kept; each solve starts from the vectors it is given, and asks for twice as many pairs until
   one of them is not positive.
*/
#include "cone_impl.h"
#include <slepceps.h>

struct _p_PsdEps {
  PetscInt d;
  EPS eps;
  Mat matrix;
  PetscReal *values; /* d x d, both triangles */
  Mat team_shell;    /* products by a team; NULL: there is none */
  PsdTeamMatrix team_matrix;
  PetscReal sign;
};

/* y = sign X x, by the team */
static PetscErrorCode MultiplyByTeam(Mat matrix, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PsdEps it;
  const PetscReal *from;
  PetscReal *to;
  PetscCall(MatShellGetContext(matrix, &it));
  PetscCall(VecGetArrayRead(x, &from));
  PetscCall(VecGetArray(y, &to));
  PetscCall(PsdTeamMatrixMultiply(it->team_matrix, it->sign, 1, from, to));
  PetscCall(VecRestoreArray(y, &to));
  PetscCall(VecRestoreArrayRead(x, &from));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdEpsCreate(PetscInt d, const char type[], PsdTeamMatrix team_matrix, PsdEps *eps)
{
  PetscFunctionBeginUser;
  PsdEps it;
  PetscCall(PetscNew(&it));
  it->d = d;
  PetscCall(PetscMalloc1((size_t)d * d, &it->values));
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, d, d, it->values, &it->matrix));
  PetscCall(EPSCreate(PETSC_COMM_SELF, &it->eps));
  PetscCall(EPSSetProblemType(it->eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(it->eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetConvergenceTest(it->eps, EPS_CONV_ABS));
  PetscCall(EPSSetType(it->eps, type));
  it->team_matrix = team_matrix;
  if (team_matrix) {
    PetscCall(MatCreateShell(PETSC_COMM_SELF, d, d, d, d, it, &it->team_shell));
    PetscCall(MatShellSetOperation(it->team_shell, MATOP_MULT, (void (*)(void))MultiplyByTeam));
    PetscCall(MatSetOption(it->team_shell, MAT_SYMMETRIC, PETSC_TRUE));
  }
  PetscCall(EPSSetFromOptions(it->eps));
  *eps = it;
  PetscFunctionReturn(0);
}

/* The matrix at hand, whose values are new ones. */
static PetscErrorCode SetMatrix(PsdEps it, PetscBool by_team, PetscReal sign, const PetscReal *X)
{
  PetscFunctionBeginUser;
  const Mat matrix = by_team ? it->team_shell : it->matrix;
  BV basis;
  it->sign = sign;
  if (!by_team) PsdMirror(it->d, sign, X, it->values);
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  /* dense: products with all vectors at once */
  PetscCall(EPSGetBV(it->eps, &basis));
  PetscCall(BVSetMatMultMethod(basis, by_team ? BV_MATMULT_VECS : BV_MATMULT_MAT));
  PetscCall(EPSSetOperators(it->eps, matrix, NULL));
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

PetscErrorCode PsdEpsSolve(PsdEps it, PetscBool by_team, PetscReal sign, PetscReal *X, PetscInt wanted, PetscInt count,
                           const PetscReal start[], PetscReal tolerance, PetscInt most, PetscInt *found,
                           PetscReal theta[], PetscReal U[], PetscInt *columns)
{
  PetscFunctionBeginUser;
  PetscCall(SetMatrix(it, by_team, sign, X));
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
  PetscCall(MatDestroy(&(*eps)->team_shell));
  PetscCall(PetscFree((*eps)->values));
  PetscCall(PetscFree(*eps));
  PetscFunctionReturn(0);
}
