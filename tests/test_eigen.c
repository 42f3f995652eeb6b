/* Every rung of the eigensolver's ladder finds the eigenpairs of random, deficient, padded and zero matrices of ordinary and
 * extreme size when the rungs above it fail, and a matrix that is not finite is an error. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/eigen.h"

#define ROOM 40 /* largest order here */

/* PADDED: a matrix that has coordinates of its own on the diagonal alone, all with the same entry. */
typedef enum { RANDOM, DEFICIENT, PADDED, ZERO, KINDS } Kind;

/* Both triangles, with entries up to about `size`. */
static void MakeMatrix(Kind kind, PetscInt n, PetscReal size, PetscReal A[])
{
  const PetscInt own = kind == PADDED ? (n + 1) / 2 : n, terms = kind == ZERO ? 0 : kind == DEFICIENT ? (n + 2) / 3 : n;
  PetscReal vectors[ROOM * ROOM];
  Fill((uint64_t)(17 * n + kind), (size_t)(n * n), vectors);
  MUST(PetscArrayzero(A, n * n));
  for (PetscInt k = 0; k < terms; k++)
    for (PetscInt j = 0; j < own; j++)
      for (PetscInt i = 0; i < own; i++)
        A[j * n + i] += (k % 3 == 1 ? -size : size) / n * vectors[k * n + i] * vectors[k * n + j];
  for (PetscInt k = own; k < n; k++) A[k * n + k] = size / 3;
}

static PetscReal NormOf(PetscInt n, const PetscReal A[])
{
  PetscReal largest = 0, sum = 0;
  for (PetscInt k = 0; k < n * n; k++) largest = PetscMax(largest, PetscAbsReal(A[k]));
  for (PetscInt k = 0; k < n * n && largest > 0; k++) sum += PetscSqr(A[k] / largest);
  return largest * PetscSqrtReal(sum);
}

/* LAPACK's pairs are those of A + E with ||E|| a modest multiple of n eps ||A||, and its vectors are as orthonormal. */
static void CheckPairs(PetscInt n, const PetscReal A[], PetscInt count, const PetscReal lambda[], const PetscReal V[])
{
  const PetscReal norm = NormOf(n, A), unit = norm > 0 ? norm : 1, error = 16 * n * PETSC_MACHINE_EPSILON;
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *v = V + k * n;
    PetscReal square = 0;
    for (PetscInt i = 0; i < n; i++) {
      PetscReal sum = 0;
      for (PetscInt j = 0; j < n; j++) sum += A[j * n + i] / unit * v[j];
      square += PetscSqr(sum - lambda[k] / unit * v[i]);
    }
    Require(PetscSqrtReal(square) <= error, "A v = lambda v");
    for (PetscInt l = 0; l <= k; l++) {
      PetscReal product = l == k ? -1 : 0;
      for (PetscInt i = 0; i < n; i++) product += v[i] * V[l * n + i];
      Require(PetscAbsReal(product) <= error, "V'V = I");
    }
    Require(k == 0 || lambda[k] >= lambda[k - 1], "ascending");
  }
}

/* The first `failing` rungs of the ladder fail; all eigenvalues, and those above zero but for rounding. */
static void SolveBy(PsdEigen eigen, PetscInt failing, PetscInt n, const PetscReal A[])
{
  PetscReal work[ROOM * ROOM], all[ROOM], some[ROOM], V[ROOM * ROOM];
  PetscInt before[PSD_EIGEN_RUNGS], found, positive = 0;
  for (PetscInt rung = 0; rung < PSD_EIGEN_RUNGS; rung++) {
    PsdEigenDistrust(eigen, (PsdEigenRung)rung, (PetscBool)(rung < failing));
    before[rung] = PsdEigenFailures(eigen, (PsdEigenRung)rung);
  }
  MUST(PetscArraycpy(work, A, n * n));
  MUST(PsdEigenSolveUpTo(eigen, n, work, all));
  CheckPairs(n, A, n, all, work);
  const PetscReal norm = NormOf(n, A), floor = 16 * n * PETSC_MACHINE_EPSILON * norm;
  MUST(PetscArraycpy(work, A, n * n));
  MUST(PsdEigenSolveRange(eigen, n, floor, 1.5 * norm + PETSC_MACHINE_EPSILON, work, &found, some, V));
  CheckPairs(n, A, found, some, V);
  while (positive < n && all[n - 1 - positive] > floor) positive++;
  Require(found == positive, "eigenvalues in the range");
  for (PetscInt k = 0; k < found; k++)
    Require(PetscAbsReal(some[k] - all[n - found + k]) <= floor, "the same eigenvalues");
  /* a range takes every rung in turn, the whole spectrum the last two */
  for (PetscInt rung = 0; rung < failing; rung++)
    Require(PsdEigenFailures(eigen, (PsdEigenRung)rung) - before[rung] == (rung == PSD_EIGEN_RANGE ? 1 : 2),
            "failures counted");
}

static void EveryRung(void **state)
{
  static const PetscReal sizes[] = {1, 1e-160, 1e160, 1e-290, 1e300};
  PetscReal A[ROOM * ROOM];
  PsdEigen eigen;
  (void)state;
  MUST(PsdEigenCreate(ROOM, &eigen));
  for (PetscInt n = 1; n <= ROOM; n = n < 6 ? n + 1 : 2 * n - 4) {
    for (int kind = 0; kind < KINDS; kind++) {
      for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
        MakeMatrix((Kind)kind, n, sizes[k], A);
        for (PetscInt failing = 0; failing < PSD_EIGEN_RUNGS; failing++) SolveBy(eigen, failing, n, A);
      }
    }
  }
  MUST(PsdEigenDestroy(&eigen));
}

/* An extreme power of two as a factor scales eigenvalues and changes nothing else. */
static void ScalingIsExact(void **state)
{
  PetscReal A[ROOM * ROOM], B[ROOM * ROOM], lambda[2][ROOM];
  PsdEigen eigen;
  (void)state;
  MUST(PsdEigenCreate(ROOM, &eigen));
  MakeMatrix(RANDOM, ROOM, 0.75, A);
  /* to where the scaling itself brings entries: the largest one in [1/2, 1) */
  int exponent;
  (void)frexp(PsdLargestEntry(ROOM, A), &exponent);
  for (PetscInt k = 0; k < ROOM * ROOM; k++) {
    A[k] = ldexp(A[k], -exponent);
    B[k] = ldexp(A[k], 900);
  }
  MUST(PsdEigenSolve(eigen, A, lambda[0]));
  MUST(PsdEigenSolve(eigen, B, lambda[1]));
  for (PetscInt k = 0; k < ROOM; k++) Require(ldexp(lambda[0][k], 900) == lambda[1][k], "eigenvalues");
  for (PetscInt k = 0; k < ROOM * ROOM; k++) Require(A[k] == B[k], "vectors");
  MUST(PsdEigenDestroy(&eigen));
}

static void NotFinite(void **state)
{
  static const PetscReal bad[] = {NAN, INFINITY, -INFINITY};
  PetscReal A[9], lambda[3], V[9];
  PetscInt found;
  PsdEigen eigen;
  (void)state;
  MUST(PsdEigenCreate(3, &eigen));
  for (int k = 0; k < 3; k++) {
    MakeMatrix(RANDOM, 3, 1, A);
    A[7] = bad[k];
    Require(PsdEigenSolve(eigen, A, lambda) == PETSC_ERR_FP, "all eigenvalues");
    Require(PsdEigenSolveRange(eigen, 3, 0, 1, A, &found, lambda, V) == PETSC_ERR_FP, "a range");
  }
  MUST(PsdEigenDestroy(&eigen));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryRung), cmocka_unit_test(ScalingIsExact),
                                     cmocka_unit_test(NotFinite)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
