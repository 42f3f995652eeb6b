/* Numbers as multiples of a unit, of 32 and of 40 bits: what is made of them again is off by no more than the bound says, and the
 * bound is half a unit of each. Moments are held so. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "problem/held_moments.h"
#include "problem/kept_rows.h"
#include "problem/whole.h"

#define M 1225

typedef enum { RANDOM, ONE_LARGE, ZEROS, ALIKE, HUGE_ONES, TINY_ONES, DENORMAL, KINDS } Kind;

static void MakeNumbers(Kind kind, PetscInt seed, PetscReal x[M])
{
  const PetscReal scale[KINDS] = {1, 1, 0, 0, 1e130, 1e-290, 1e-310};
  Fill((uint64_t)seed, M, x);
  for (PetscInt k = 0; k < M; k++) x[k] *= kind == ONE_LARGE && k != 7 ? 1e-9 : scale[kind];
  for (PetscInt k = 0; k < M && kind == ALIKE; k++) x[k] = k % 2 ? -0.3 : 0.3;
}

/* in extended precision */
static long double Distance(const PetscReal x[M], const PetscReal y[M])
{
  long double squares = 0, largest = 0;
  for (PetscInt k = 0; k < M; k++) largest = fmaxl(largest, fabsl((long double)x[k] - y[k]));
  for (PetscInt k = 0; k < M && largest > 0; k++) {
    const long double part = ((long double)x[k] - y[k]) / largest;
    squares += part * part;
  }
  return largest * sqrtl(squares);
}

static void CheckLost(const PetscReal x[M], const PetscReal back[M], PetscReal lost, PetscReal values)
{
  PetscReal largest = 0;
  for (PetscInt k = 0; k < M; k++) largest = PetscMax(largest, PetscAbsReal(x[k]));
  assert_true(Distance(x, back) <= lost);
  /* numbers below 2^-1022 may vanish altogether */
  assert_true(lost <= 35 * (1.01 * largest / values + 1e-307) + 1e-150);
}

static void WithinTheirBounds(void **state)
{
  (void)state;
  PetscReal x[M], back[M], unit;
  int32_t high[M];
  uint8_t low[M];
  for (Kind kind = 0; kind < KINDS; kind++)
    for (PetscInt seed = 1; seed < 6; seed++) {
      MakeNumbers(kind, seed, x);
      const PetscReal whole = PsdWhole(M, x, &unit, high);
      PsdFromWhole(M, unit, high, back);
      CheckLost(x, back, whole, 4294967296.0);
      const PetscReal wide = PsdWide(M, x, &unit, high, low);
      PsdFromWide(M, unit, high, low, back);
      CheckLost(x, back, wide, 1099511627776.0);
      if (kind == RANDOM) assert_true(wide < whole / 200 && Distance(x, back) > 0);
    }
}

/* What is a multiple of the unit comes back as it was, the ends of the range and what is next to a carry as well. */
static void MultiplesAreExact(void **state)
{
  (void)state;
  const PetscReal most = 549755813887.0;
  const PetscReal x[] = {most, -most, 0, 1, -1, 255, 256, 257, -255, -256, -257, most - 255, 256 - most, 65535, -65536};
  PetscReal back[sizeof(x) / sizeof(*x)], unit;
  int32_t high[sizeof(x) / sizeof(*x)];
  uint8_t low[sizeof(x) / sizeof(*x)];
  const PetscInt m = (PetscInt)(sizeof(x) / sizeof(*x));
  (void)PsdWide(m, x, &unit, high, low);
  assert_true(unit == 1);
  PsdFromWide(m, unit, high, low, back);
  for (PetscInt k = 0; k < m; k++) assert_true(back[k] == x[k]);
}

#define REGIONS 3
#define IMAGES 40
#define NUMBERS 64
#define ROW (NUMBERS - 4)
static const PetscInt order[REGIONS] = {6, 7, 5}, length[REGIONS] = {21, 28, 15}; /* triangles of these orders */

/* Rows are put one after the other where moments are held: each image's moments are there until its own row is put, and are off by
   what is said of the whole matrix. */
static void HeldUntilRowsArePut(void **state)
{
  (void)state;
  const PetscInt pieces[2] = {ROW - 10, 10};
  PetscReal moments[NUMBERS], held_moments[NUMBERS], row[ROW], back[ROW];
  const PetscReal *lost;
  PsdKeptRows kept;
  PsdHeldMoments held;
  size_t bytes;
  MUST(PsdKeptRowsCreate(IMAGES, 2, pieces, &kept));
  void *place = PsdKeptRowsPlace(kept, &bytes);
  assert_true(bytes == (size_t)4 * IMAGES * ROW);
  MUST(PsdHeldCreate(REGIONS, length, IMAGES, bytes, place, &held));
  const PetscInt count = PsdHeldCount(held);
  assert_true(count >= 28 && count <= 30); /* of 64 numbers of 5 bytes */
  for (PetscInt i = 0; i < count; i++) {
    Fill((uint64_t)i + 1, NUMBERS, moments);
    PsdHeldPut(held, i, moments);
  }
  for (PetscInt i = 0; i < count; i++) {
    Fill((uint64_t)i + 1, NUMBERS, moments);
    PsdHeldGet(held, i, held_moments, &lost);
    for (PetscInt g = 0, k = 0; g < REGIONS; g++) {
      long double squares = 0;
      for (PetscInt column = 0; column < order[g]; column++)
        for (PetscInt at = 0; at <= column; at++, k++) {
          const long double part = (long double)moments[k] - held_moments[k];
          squares += (at == column ? 1 : 2) * part * part;
        }
      assert_true(squares > 0 && sqrtl(squares) <= lost[g] && lost[g] < 1e-10);
    }
    Fill((uint64_t)(100 + i), ROW, row);
    PsdKeptRowsPut(kept, (size_t)i, row, NULL);
  }
  for (PetscInt i = 0; i < count; i++) {
    PetscReal errors[2] = {0.5, 0.5};
    Fill((uint64_t)(100 + i), ROW, row);
    PsdKeptRowsGet(kept, (size_t)i, back);
    for (PetscInt k = 0; k < ROW; k++) assert_true(PetscAbsReal(back[k] - row[k]) < 1e-9);
    PsdKeptRowsPut(kept, (size_t)i, row, errors);
    assert_true(errors[0] > 0.5 && errors[0] < 0.5 + 1e-7 && errors[1] > 0.5); /* added to what there was */
  }
  MUST(PsdHeldDestroy(&held));
  MUST(PsdKeptRowsDestroy(&kept));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(WithinTheirBounds), cmocka_unit_test(MultiplesAreExact),
                                     cmocka_unit_test(HeldUntilRowsArePut)};
  MUST(PsdInitialize(&argc, &argv, NULL));
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MUST(PsdFinalize());
  return failed;
}
