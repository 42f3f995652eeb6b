/* psdblock is an EPS type: all positive eigenvalues of any symmetric matrix to the tolerance, guards below zero, start vectors that it is
 * given, the same as an EPS of SLEPc's; and an end without convergence when there are more of them than nev. */
#include "network_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "cone/eps_block.h"

#define ORDER 50
#define TOLERANCE 1e-9

/* x - 2 u u'x / u'u, u fixed: an orthogonal matrix that is its own inverse */
static void Reflect(PetscReal x[])
{
  PetscReal u[ORDER], square = 0, inner = 0;
  Fill(3, ORDER, u);
  for (PetscInt i = 0; i < ORDER; i++) {
    square += u[i] * u[i];
    inner += u[i] * x[i];
  }
  for (PetscInt i = 0; i < ORDER; i++) x[i] -= 2 * inner / square * u[i];
}

/* The spectrum: `positive` eigenvalues from 1 down to 1/2, the others from -0.1 down. */
static PetscReal Eigenvalue(PetscInt positive, PetscInt k)
{
  return k < positive ? 1 - 0.5 * (PetscReal)k / (PetscReal)positive : -0.1 - 0.01 * (PetscReal)k;
}

/* A dense matrix of that spectrum; eigenvector k is the reflection of unit vector k. */
static Mat Compose(PetscInt positive)
{
  Mat A;
  PetscReal *a;
  MUST(MatCreateSeqDense(PETSC_COMM_SELF, ORDER, ORDER, NULL, &A));
  MUST(MatDenseGetArrayWrite(A, &a));
  for (PetscInt j = 0; j < ORDER; j++) {
    PetscReal *column = a + (size_t)j * ORDER;
    for (PetscInt i = 0; i < ORDER; i++) column[i] = i == j;
    Reflect(column);
    for (PetscInt i = 0; i < ORDER; i++) column[i] *= Eigenvalue(positive, i);
    Reflect(column);
  }
  MUST(MatDenseRestoreArrayWrite(A, &a));
  return A;
}

static EPS Create(Mat A, PetscInt nev)
{
  EPS eps;
  MUST(PsdEpsBlockRegister());
  MUST(EPSCreate(PETSC_COMM_SELF, &eps));
  MUST(EPSSetType(eps, PSD_EPS_BLOCK));
  MUST(EPSSetProblemType(eps, EPS_HEP));
  MUST(EPSSetConvergenceTest(eps, EPS_CONV_ABS));
  MUST(EPSSetOperators(eps, A, NULL));
  MUST(EPSSetDimensions(eps, nev, PETSC_DEFAULT, PETSC_DEFAULT));
  MUST(EPSSetTolerances(eps, TOLERANCE, PETSC_DEFAULT));
  MUST(EPSSetFromOptions(eps));
  return eps;
}

/* ||A u - theta u||, computed here */
static PetscReal Residual(EPS eps, Mat A, PetscInt k, PetscReal *theta)
{
  Vec u, r;
  PetscReal norm;
  MUST(MatCreateVecs(A, &u, &r));
  MUST(EPSGetEigenpair(eps, k, theta, NULL, u, NULL));
  MUST(MatMult(A, u, r));
  MUST(VecAXPY(r, -*theta, u));
  MUST(VecNorm(r, NORM_2, &norm));
  MUST(VecDestroy(&u));
  MUST(VecDestroy(&r));
  return norm;
}

/* all positive ones, together within the tolerance, and the first one below zero known to be there */
static void CheckPairs(EPS eps, Mat A, PetscInt positive)
{
  PetscInt found;
  PetscReal square = 0, theta, residual;
  EPSConvergedReason reason;
  MUST(EPSGetConvergedReason(eps, &reason));
  MUST(EPSGetConverged(eps, &found));
  Require(reason == EPS_CONVERGED_TOL, "converged");
  Require(found > positive && found <= positive + PSD_EPS_BLOCK_GUARDS, "positive ones and guards");
  for (PetscInt k = 0; k < positive; k++) {
    residual = Residual(eps, A, k, &theta);
    square += residual * residual;
    Require(PetscAbsReal(theta - Eigenvalue(positive, k)) <= TOLERANCE, "eigenvalue");
  }
  Require(PetscSqrtReal(2 * square) <= TOLERANCE + 1e-14, "errors together");
  residual = Residual(eps, A, positive, &theta);
  Require(theta <= 0 && theta + residual <= TOLERANCE + 1e-14, "the guard stays below zero");
}

static void AllPositiveOnes(void **state)
{
  (void)state;
  for (PetscInt positive = 0; positive <= 12; positive += 4) {
    Mat A = Compose(positive);
    EPS eps = Create(A, 12);
    MUST(EPSSolve(eps));
    CheckPairs(eps, A, positive);
    MUST(EPSDestroy(&eps));
    MUST(MatDestroy(&A));
  }
}

static void MoreThanWanted(void **state)
{
  Mat A = Compose(9);
  EPS eps = Create(A, 8);
  EPSConvergedReason reason;
  PetscInt found;
  (void)state;
  MUST(EPSSolve(eps));
  MUST(EPSGetConvergedReason(eps, &reason));
  MUST(EPSGetConverged(eps, &found));
  Require(reason < 0 && found == 0, "more positive eigenvalues than nev");
  MUST(EPSSetDimensions(eps, 9, PETSC_DEFAULT, PETSC_DEFAULT));
  MUST(EPSSolve(eps));
  CheckPairs(eps, A, 9);
  MUST(EPSDestroy(&eps));
  MUST(MatDestroy(&A));
}

/* from the eigenvectors themselves one round is enough, and from none it is not */
static void StartVectors(void **state)
{
  enum { POSITIVE = 4, START = POSITIVE + PSD_EPS_BLOCK_GUARDS };
  Mat A = Compose(POSITIVE);
  EPS eps = Create(A, 8);
  Vec start[START];
  PetscReal columns[START * ORDER] = {0};
  PetscInt rounds;
  (void)state;
  for (PetscInt k = 0; k < START; k++) {
    columns[k * ORDER + k] = 1;
    Reflect(columns + k * ORDER);
    MUST(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, ORDER, columns + k * ORDER, &start[k]));
  }
  MUST(EPSSolve(eps));
  MUST(EPSGetIterationNumber(eps, &rounds));
  Require(rounds > 1, "from random vectors");
  MUST(EPSSetInitialSpace(eps, START, start));
  MUST(EPSSolve(eps));
  MUST(EPSGetIterationNumber(eps, &rounds));
  Require(rounds == 1, "from an initial space");
  CheckPairs(eps, A, POSITIVE);
  MUST(EPSSetOperators(eps, A, NULL));
  MUST(EPSSetUp(eps));
  MUST(PsdEpsBlockSetStart(eps, START, columns));
  MUST(EPSSolve(eps));
  MUST(EPSGetIterationNumber(eps, &rounds));
  Require(rounds == 1, "from an array");
  CheckPairs(eps, A, POSITIVE);
  for (PetscInt k = 0; k < START; k++) MUST(VecDestroy(&start[k]));
  MUST(EPSDestroy(&eps));
  MUST(MatDestroy(&A));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AllPositiveOnes), cmocka_unit_test(MoreThanWanted),
                                     cmocka_unit_test(StartVectors)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
