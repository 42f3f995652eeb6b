/* The scaling of a pair of blocks: from V, b, E and lambda come X and Z of both signs again, and W with W Z W = X, of matrices of one size and
 * of ones with eigenvalues of very different sizes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <psdbase.h>
#include "barrier/scaling.h"

#define MOST 7
#define SQUARE ((size_t)MOST * MOST)

static PetscReal Uniform(void)
{
  static uint64_t seed = 11;
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (PetscReal)(seed >> 11) / 9007199254740992.0;
}

/* A (d x d) times B, or times B' */
static void Multiply(PetscInt d, const PetscReal A[], const PetscReal B[], int transposed, PetscReal product[])
{
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++) {
      PetscReal sum = 0;
      for (PetscInt k = 0; k < d; k++) sum += A[k * d + r] * (transposed ? B[k * d + c] : B[c * d + k]);
      product[c * d + r] = sum;
    }
}

/* F diag(size) F', F a matrix of random numbers with ones on the diagonal */
static void Definite(PetscInt d, PetscReal decades, PetscReal M[])
{
  PetscReal F[SQUARE], scaled[SQUARE];
  for (PetscInt c = 0; c < d; c++) {
    const PetscReal size = PetscPowReal(10, decades * (2 * Uniform() - 1));
    for (PetscInt r = 0; r < d; r++) {
      F[c * d + r] = r == c ? 1 : 0.5 * (Uniform() - 0.5);
      scaled[c * d + r] = size * F[c * d + r];
    }
  }
  Multiply(d, scaled, F, 1, M);
}

/* |found - expected| <= error, in the norm of all entries */
static void Near(PetscInt d, const PetscReal found[], const PetscReal expected[], PetscReal error, const char what[])
{
  PetscReal difference = 0, size = 0;
  for (PetscInt k = 0; k < d * d; k++) {
    difference = PetscMax(difference, PetscAbsReal(found[k] - expected[k]));
    size = PetscMax(size, PetscAbsReal(expected[k]));
  }
  if (!(difference <= error * size))
    fail_msg("%s: found a difference of %g, expected %g", what, difference, error * size);
}

/* F diag(lambda^power) F' for F = V E */
static void Compose(PetscInt d, const PsdScaling *scaling, PetscInt s, int inverse, PetscReal M[])
{
  PetscReal F[SQUARE], scaled[SQUARE];
  Multiply(d, scaling->V, scaling->E[s], 0, F);
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++)
      scaled[c * d + r] = F[c * d + r] * (inverse ? 1 / scaling->lambda[s][c] : scaling->lambda[s][c]);
  Multiply(d, scaled, F, 1, M);
}

/* Z = V E diag(lambda) E'V', and X times V E diag(1/lambda) E'V' is the identity; with W^-1 = V diag(1, or 1/b) V', W^-1 X W^-1 = Z. An
   error of rounding is relative to the largest eigenvalue and grows with the condition of X and Z. */
static void Check(PetscInt d, PetscReal decades)
{
  PetscReal X[2][SQUARE], Z[2][SQUARE], kept[2][SQUARE], V[SQUARE], b[MOST], E[2][SQUARE], lambda[2][MOST];
  PetscReal M[SQUARE], product[SQUARE], one[SQUARE];
  PetscReal *const to_X[2] = {X[0], X[1]};
  const PetscReal *const to_Z[2] = {Z[0], Z[1]};
  const PetscReal error = 1e-13 * PetscPowReal(10, 4 * decades);
  PsdScaling scaling = {V, b, {E[0], E[1]}, {lambda[0], lambda[1]}};
  PsdScaler scaler;
  PetscBool done;
  for (PetscInt s = 0; s < 2; s++) {
    Definite(d, decades, X[s]);
    Definite(d, decades, Z[s]);
    for (PetscInt k = 0; k < d * d; k++) kept[s][k] = X[s][k];
  }
  assert_int_equal(PsdScalerCreate(MOST, &scaler), 0);
  assert_int_equal(PsdScalerFind(scaler, d, to_X, to_Z, &scaling, &done), 0);
  assert_true(done);
  for (PetscInt k = 0; k < d * d; k++) one[k] = k % (d + 1) == 0;
  for (PetscInt s = 0; s < 2; s++) {
    Compose(d, &scaling, s, 0, M);
    Near(d, M, Z[s], error, "Z");
    Compose(d, &scaling, s, 1, M);
    Multiply(d, kept[s], M, 0, product);
    Near(d, product, one, error, "X times its inverse");
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r < d; r++) product[c * d + r] = V[c * d + r] / (s == 0 ? 1 : b[c]);
    Multiply(d, product, V, 1, M);
    Multiply(d, M, kept[s], 0, product);
    Multiply(d, product, M, 0, one);
    Near(d, one, Z[s], error, "W^-1 X W^-1");
    for (PetscInt k = 0; k < d * d; k++) one[k] = k % (d + 1) == 0;
  }
  assert_int_equal(PsdScalerDestroy(&scaler), 0);
}

static void OfOneSize(void **state)
{
  (void)state;
  for (PetscInt d = 1; d <= MOST; d++) Check(d, 0);
}

static void OfVeryDifferentSizes(void **state)
{
  (void)state;
  for (PetscInt d = 2; d <= MOST; d++) Check(d, 1.5);
}

/* What is not positive definite has no scaling, and that is said. */
static void OfWhatIsIndefinite(void **state)
{
  (void)state;
  PetscReal X[2][4] = {{1, 0, 0, 1}, {1, 0, 0, -1}}, Z[2][4] = {{1, 0, 0, 1}, {1, 0, 0, 1}};
  PetscReal V[4], b[2], E[2][4], lambda[2][2];
  PetscReal *const to_X[2] = {X[0], X[1]};
  const PetscReal *const to_Z[2] = {Z[0], Z[1]};
  PsdScaling scaling = {V, b, {E[0], E[1]}, {lambda[0], lambda[1]}};
  PsdScaler scaler;
  PetscBool done;
  assert_int_equal(PsdScalerCreate(2, &scaler), 0);
  assert_int_equal(PsdScalerFind(scaler, 2, to_X, to_Z, &scaling, &done), 0);
  assert_false(done);
  X[0][0] = X[0][3] = X[1][0] = X[1][3] = 1;
  Z[0][3] = 0;
  assert_int_equal(PsdScalerFind(scaler, 2, to_X, to_Z, &scaling, &done), 0);
  assert_false(done);
  assert_int_equal(PsdScalerDestroy(&scaler), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OfOneSize), cmocka_unit_test(OfVeryDifferentSizes),
                                     cmocka_unit_test(OfWhatIsIndefinite)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
