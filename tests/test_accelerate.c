/* The combination of recorded residuals: of a linear map with as many eigenvalues as differences it is zero, whatever the eigenvalues;
 * its coefficients add up to one and do not show rounding; of residuals that tell nothing there is none. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "admm/accelerate.h"

#define LENGTH 4

/* f_k of x <- M x from x = (1, 1, 1, 1), the last one first: two planes turned and shrunk. */
static void Residuals(PetscInt count, const PetscReal size[2], const PetscReal angle[2], PetscReal f[][LENGTH])
{
  PetscReal x[LENGTH] = {1, 1, 1, 1};
  for (PetscInt k = count - 1; k >= 0; k--) {
    for (PetscInt plane = 0; plane < 2; plane++) {
      PetscReal *at = x + 2 * plane;
      const PetscReal c = size[plane] * cos(angle[plane]), s = size[plane] * sin(angle[plane]);
      const PetscReal next[2] = {c * at[0] - s * at[1], s * at[0] + c * at[1]};
      for (PetscInt i = 0; i < 2; i++) {
        f[k][2 * plane + i] = next[i] - at[i];
        at[i] = next[i];
      }
    }
  }
}

static void Products(PetscInt count, const PetscReal f[][LENGTH], PetscReal relative_error, PetscReal products[])
{
  for (PetscInt a = 0; a < count; a++) {
    for (PetscInt b = 0; b < count; b++) {
      PetscReal dot = 0;
      for (PetscInt i = 0; i < LENGTH; i++) dot += f[a][i] * f[b][i];
      products[a * count + b] = dot * (1 + relative_error * (PetscReal)((a + 1) * (b + 1) % 3 - 1));
    }
  }
}

static PetscReal Combined(PetscInt count, const PetscReal f[][LENGTH], const PetscReal c[])
{
  PetscReal squares = 0;
  for (PetscInt i = 0; i < LENGTH; i++) {
    PetscReal sum = 0;
    for (PetscInt k = 0; k < count; k++) sum += c[k] * f[k][i];
    squares += sum * sum;
  }
  return PetscSqrtReal(squares);
}

static void FindsTheFixedPoint(void **state)
{
  (void)state;
  const PetscReal sizes[][2] = {{0.999, 0.5}, {0.99, 0.9}, {1, 0.3}}, angles[][2] = {{0.3, 0.9}, {0.5, 1.5}, {0.7, 2}};
  for (int k = 0; k < 3; k++) {
    PetscReal f[PSD_RECORDS][LENGTH], products[PSD_RECORDS * PSD_RECORDS], c[PSD_RECORDS], again[PSD_RECORDS];
    PetscReal size = 0, sum = 0;
    Residuals(5, sizes[k], angles[k], f);
    Products(5, f, 0, products);
    assert_true(PsdAcceleratorMix(5, products, c));
    for (PetscInt i = 0; i < 5; i++) sum += c[i];
    for (PetscInt i = 0; i < LENGTH; i++) size += f[0][i] * f[0][i];
    assert_true(PetscAbsReal(sum - 1) < 1e-12);
    assert_true(Combined(5, f, c) < 1e-3 * PetscSqrtReal(size));
    Products(5, f, 1e-15, products);
    assert_true(PsdAcceleratorMix(5, products, again));
    for (PetscInt i = 0; i < 5; i++) assert_true(again[i] == c[i]);
  }
}

static void SaysThatThereIsNone(void **state)
{
  (void)state;
  const PetscReal same[9] = {2, 2, 2, 2, 2, 2, 2, 2, 2}, nan[4] = {1, NAN, NAN, 1};
  PetscReal c[PSD_RECORDS];
  assert_false(PsdAcceleratorMix(3, same, c));
  assert_false(PsdAcceleratorMix(2, nan, c));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(FindsTheFixedPoint), cmocka_unit_test(SaysThatThereIsNone)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
