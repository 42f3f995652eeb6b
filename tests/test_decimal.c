/* Decimals rounded in a direction: never on the wrong side of the number, as arithmetic with twice the digits finds, never further away
   than one unit of the last digit, and written as printf writes them. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <psdsys.h>

static void Expect(PetscReal value, int digits, char style, const char down[], const char up[])
{
  char text[PSD_DECIMAL_LENGTH];
  assert_string_equal(PsdDecimal(value, digits, style, PSD_ROUND_DOWN, text), down);
  assert_string_equal(PsdDecimal(value, digits, style, PSD_ROUND_UP, text), up);
}

static void KnownOnes(void **state)
{
  (void)state;
  Expect(0, 12, 'g', "0", "0");
  Expect(0, 4, 'e', "0.000e+00", "0.000e+00");
  Expect(-0.0, 12, 'g', "0", "0");
  /* exact in few digits: both ways the same */
  Expect(0.5, 12, 'g', "0.5", "0.5");
  Expect(-3.25, 3, 'g', "-3.25", "-3.25");
  Expect(100, 3, 'g', "100", "100");
  Expect(120, 2, 'e', "1.2e+02", "1.2e+02");
  /* 0.1 is a little above a tenth, 0.3 a little below three */
  Expect(0.1, 12, 'g', "0.1", "0.100000000001");
  Expect(0.3, 12, 'g', "0.299999999999", "0.3");
  Expect(-0.1, 12, 'g', "-0.100000000001", "-0.1");
  Expect(1.0 / 3, 4, 'e', "3.333e-01", "3.334e-01");
  /* carries, and the change of style that may come with them */
  Expect(9.9996, 4, 'g', "9.999", "10");
  Expect(-9.9996, 4, 'g', "-10", "-9.999");
  Expect(99996, 4, 'g', "9.999e+04", "1e+05");
  Expect(9999.6, 4, 'g', "9999", "1e+04");
  Expect(9.9996e-5, 4, 'g', "9.999e-05", "0.0001");
  Expect(0.00099996, 4, 'g', "0.0009999", "0.001");
  Expect(1234.5678, 6, 'g', "1234.56", "1234.57");
  /* the ends of the range */
  Expect(1e300, 3, 'g', "1e+300", "1.01e+300");
  Expect(-1e300, 3, 'g', "-1.01e+300", "-1e+300");
  Expect(5e-324, 3, 'g', "4.94e-324", "4.95e-324");
  Expect(1.7976931348623157e308, 1, 'g', "1e+308", "2e+308");
  Expect(INFINITY, 3, 'g', "inf", "inf");
}

/* A random double of any size and sign. */
static PetscReal Draw(uint64_t *seed)
{
  PetscReal value;
  do {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    const uint64_t bits = *seed ^ *seed >> 31;
    memcpy(&value, &bits, sizeof(value));
  } while (!isfinite(value));
  return value;
}

/* The exact decimal of a double, and any other, compare by their digits when both are written with enough of them. long double has
   room for a double and for what 17 digits add to it. */
static void OnTheRightSide(void **state)
{
  (void)state;
  uint64_t seed = 7;
  for (int k = 0; k < 20000; k++) {
    PetscReal value = Draw(&seed);
    if (k % 2) value = ldexp(value, -ilogb(value) + k % 40 - 20); /* of a usual size as well */
    const int digits = 1 + k % 12;
    char down[PSD_DECIMAL_LENGTH], up[PSD_DECIMAL_LENGTH];
    const long double low = strtold(PsdDecimal(value, digits, k % 3 ? 'g' : 'e', PSD_ROUND_DOWN, down), NULL);
    const long double high = strtold(PsdDecimal(value, digits, k % 3 ? 'g' : 'e', PSD_ROUND_UP, up), NULL);
    assert_true(low <= (long double)value && (long double)value <= high);
    /* one of the two is what is nearest, and they are neighbours */
    char nearest[PSD_DECIMAL_LENGTH];
    (void)snprintf(nearest, sizeof(nearest), k % 3 ? "%.*g" : "%.*e", k % 3 ? digits : digits - 1, (double)value);
    assert_true(!strcmp(nearest, down) || !strcmp(nearest, up));
    const long double unit = powl(10, floorl(log10l(fabsl((long double)value))) - digits + 1);
    /* with what reading three long doubles may be off by */
    assert_true(high - low <= unit + 4 * LDBL_EPSILON * fabsl((long double)value));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(KnownOnes), cmocka_unit_test(OnTheRightSide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
