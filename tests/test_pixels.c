/* What stands in files as numbers of any type is held as bytes, as whole numbers of 16 bits, or as levels of real numbers: exactly where
   it says so, and otherwise within half a step. */
#include "data/pixels.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const PsdNumberType real = {'f', sizeof(double), PETSC_FALSE}, single = {'f', sizeof(float), PETSC_FALSE},
                           whole = {'i', sizeof(int32_t), PETSC_FALSE};

static PsdPixelScale Settle(PsdNumberType type, size_t count, const void *numbers, PetscInt levels, PsdPixels *pixels)
{
  PsdPixelScan scan = PsdPixelScanBegin();
  PsdPixelScale scale;
  assert_int_equal(PsdPixelScanAdd(&scan, type, count, numbers), count);
  PsdPixelScanSettle(&scan, type, levels, pixels, &scale);
  return scale;
}

/* ---------------------------------------------------------------- what numbers are */

static void WhatIsWholeStaysWhole(void **state)
{
  (void)state;
  const float bytes[] = {0, 255, 7}, parts[] = {0, 1, 7 / 255.F, 100 * (1 / 255.F)}, wide[] = {3, 65535, 256};
  const float between[] = {0, 1, 0.3F}, beyond[] = {0, 65536}, negative[] = {-1, 0, 1}, uneven[] = {0, 255, 7.5F};
  const int32_t signs[] = {-1024, 3071}, ones[] = {0, 1};
  const struct {
    PsdNumberType type;
    const void *numbers;
    size_t count;
    PsdPixelScale scale;
    PetscInt bits;
  } cases[] = {{single, bytes, 3, PSD_PIXELS_WHOLE, 8},    {single, parts, 4, PSD_PIXELS_255THS, 8},
               {single, wide, 3, PSD_PIXELS_WHOLE, 16},    {single, between, 3, PSD_PIXELS_LEVELS, 16},
               {single, beyond, 2, PSD_PIXELS_LEVELS, 16}, {single, negative, 3, PSD_PIXELS_LEVELS, 16},
               {single, uneven, 3, PSD_PIXELS_LEVELS, 16}, {whole, signs, 2, PSD_PIXELS_LEVELS, 16},
               {whole, ones, 2, PSD_PIXELS_WHOLE, 8}};
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    PsdPixels pixels = {0};
    assert_int_equal(Settle(cases[k].type, cases[k].count, cases[k].numbers, 65536, &pixels), cases[k].scale);
    assert_int_equal(pixels.bits, cases[k].bits);
    assert_true((pixels.step > 0) == (cases[k].scale == PSD_PIXELS_LEVELS));
  }
}

/* A network's are taken, whatever the numbers are. */
static void WhatIsWantedIsTaken(void **state)
{
  (void)state;
  const PsdPixels wanted = {.bits = 16, .step = 0.25, .low = -3};
  const double numbers[] = {0, 255};
  PsdPixels pixels = wanted, wide = {.bits = 16}, narrow = {.bits = 8};
  assert_int_equal(Settle(real, 2, numbers, 65536, &pixels), PSD_PIXELS_LEVELS);
  assert_memory_equal(&pixels, &wanted, sizeof(wanted));
  assert_true(Settle(real, 2, numbers, 65536, &wide) == PSD_PIXELS_WHOLE && wide.bits == 16);
  assert_true(Settle(real, 1, numbers, 65536, &narrow) == PSD_PIXELS_255THS && narrow.bits == 8);
}

static void NumbersThatAreNoneAreFound(void **state)
{
  (void)state;
  const double bad[] = {NAN, INFINITY, -INFINITY, 1.1e30};
  for (size_t k = 0; k < 4; k++) {
    double numbers[] = {1, -1e30, bad[k], 4};
    uint16_t held[4];
    PsdPixelTally tally = {0, 0};
    const PsdPixels pixels = {.bits = 16, .step = 1};
    PsdPixelScan scan = PsdPixelScanBegin();
    assert_int_equal(PsdPixelScanAdd(&scan, real, 4, numbers), 2);
    if (k < 3)
      assert_int_equal(PsdPixelsToBytes(real, PSD_PIXELS_LEVELS, &pixels, 4, numbers, (unsigned char *)held, &tally),
                       2);
  }
}

/* ---------------------------------------------------------------- levels */

#define COUNT 2000

/* Numbers of least .. largest, both of them among these. */
static void MakeNumbers(double least, double largest, double numbers[COUNT])
{
  uint64_t seed = 17;
  for (int k = 0; k < COUNT; k++) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    numbers[k] = least + (largest - least) * ((double)(seed >> 11) * 0x1p-53);
  }
  numbers[0] = least;
  numbers[COUNT - 1] = largest;
}

static PetscBool IsPowerOfTwo(double x)
{
  int exponent;
  return (PetscBool)(frexp(x, &exponent) == 0.5);
}

/* Steps that it takes from one to the other, at either's nearest multiple on its side. */
static double StepsBetween(double least, double largest, double step)
{
  return ceil(largest / step) - floor(least / step);
}

static void CheckLevels(double least, double largest, PetscInt levels)
{
  double numbers[COUNT];
  unsigned char held[2 * COUNT];
  PsdPixels pixels = {0};
  PsdPixelTally tally = {0, 0};
  PetscInt64 rounded = 0;
  MakeNumbers(least, largest, numbers);
  if (Settle(real, COUNT, numbers, levels, &pixels) != PSD_PIXELS_LEVELS) return;
  const double most = levels > 256 ? 65535 : 255, step = pixels.step, first = pixels.low / step;
  assert_int_equal(pixels.bits, levels > 256 ? 16 : 8);
  assert_true(IsPowerOfTwo(step) && first == floor(first) && fabs(first) <= 0x1p37);
  assert_true(pixels.least == least && pixels.largest == largest);
  /* no finer step would do, but one that takes more bits than sums have room for */
  assert_true(StepsBetween(least, largest, step) <= levels - 1);
  assert_true(StepsBetween(least, largest, step / 2) > levels - 1 ||
              PetscMax(fabs(least), fabs(largest)) / step >= 0x1p35);
  assert_true(!(least >= 0) || pixels.low >= 0);
  assert_int_equal(PsdPixelsToBytes(real, PSD_PIXELS_LEVELS, &pixels, COUNT, numbers, held, &tally), COUNT);
  for (size_t k = 0; k < COUNT; k++) {
    uint16_t level = held[k];
    if (pixels.bits == 16) memcpy(&level, held + 2 * k, sizeof(level));
    const double number = step * (first + level);
    assert_true(level <= most && fabs(number - numbers[k]) <= step / 2);
    rounded += number != numbers[k];
  }
  assert_true(tally.clipped == 0 && tally.rounded == rounded);
}

static void RealNumbersAreHeldWithinHalfAStep(void **state)
{
  (void)state;
  const double ends[][2] = {{0, 0.7},     {-1, 1},         {-2.118, 2.64},    {-1024, 3071},     {1e6, 1e6 + 1e-3},
                            {-7e-9, 3e5}, {0.5, 0.5},      {1e-300, 3.3},     {-1e30, 1e30},     {3e-33, 4e-33},
                            {-3, -2.99},  {65535, 131071}, {-0.25, 65535.75}, {0.1, 1e-5 + 0.1}, {-1e-12, 1e-12}};
  const PetscInt levels[] = {65536, 257, 256, 4};
  for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++)
    for (size_t l = 0; l < 4; l++) CheckLevels(ends[k][0], ends[k][1], levels[l]);
}

/* Whole numbers of a range of 65535 are all levels. */
static void WholeNumbersAreLevels(void **state)
{
  (void)state;
  int32_t numbers[] = {-30000, -1, 0, 12345, 35535};
  uint16_t held[5];
  PsdPixels pixels = {0};
  PsdPixelTally tally = {0, 0};
  assert_int_equal(Settle(whole, 5, numbers, 65536, &pixels), PSD_PIXELS_LEVELS);
  assert_true(pixels.step == 1 && pixels.low == -30000);
  assert_int_equal(PsdPixelsToBytes(whole, PSD_PIXELS_LEVELS, &pixels, 5, numbers, (unsigned char *)held, &tally), 5);
  for (int k = 0; k < 5; k++) assert_int_equal(held[k] - 30000, numbers[k]);
  assert_true(tally.rounded == 0 && tally.clipped == 0);
}

static void WhatIsBeyondIsClippedAndCounted(void **state)
{
  (void)state;
  const PsdPixels pixels = {.bits = 8, .step = 0.5, .low = -4};
  const double numbers[] = {-4, -4.2, -4.3, 123.5, 123.74, 123.8, 1e300, -1e300};
  const unsigned char expected[] = {0, 0, 0, 255, 255, 255, 255, 0};
  unsigned char held[8];
  PsdPixelTally tally = {0, 0};
  (void)PsdPixelsToBytes(real, PSD_PIXELS_LEVELS, &pixels, 8, numbers, held, &tally);
  assert_memory_equal(held, expected, 8);
  assert_true(tally.clipped == 4 && tally.rounded == 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(WhatIsWholeStaysWhole),      cmocka_unit_test(WhatIsWantedIsTaken),
      cmocka_unit_test(NumbersThatAreNoneAreFound), cmocka_unit_test(RealNumbersAreHeldWithinHalfAStep),
      cmocka_unit_test(WholeNumbersAreLevels),      cmocka_unit_test(WhatIsBeyondIsClippedAndCounted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
