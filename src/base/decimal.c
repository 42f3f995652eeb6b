/*
   Decimals that are rounded in a direction. A double has at most 767 significant decimal digits, which printf gives
   exactly; the first of them are kept, and the last one kept is raised when the value is to be rounded away from zero and
   anything but zeros is left out.
*/
#include "base.h"
#include <stdlib.h>
#include <string.h>

#define EXACT 767 /* significant digits of any double */
#define MOST 17

/* A number as digits d[0].d[1]d[2]... times ten to the power of `exponent`. */
typedef struct {
  char digit[MOST + 1];
  int count, exponent;
} Decimal;

/* The last digit kept goes up by one. */
static void Raise(Decimal *it)
{
  int k = it->count - 1;
  while (k >= 0 && it->digit[k] == '9') it->digit[k--] = '0';
  if (k >= 0) {
    it->digit[k]++;
    return;
  }
  it->digit[0] = '1'; /* 9.99 became 10.0 */
  it->exponent++;
}

static Decimal Cut(PetscReal size, int digits, PetscBool away)
{
  char exact[EXACT + 16];
  Decimal it = {.count = digits};
  (void)snprintf(exact, sizeof(exact), "%.*e", EXACT - 1, (double)size);
  const char *exponent = strchr(exact, 'e');
  it.exponent = (int)strtol(exponent + 1, NULL, 10);
  exact[1] = exact[0]; /* in the place of the point */
  memcpy(it.digit, exact + 1, (size_t)digits);
  const size_t rest = (size_t)(exponent - (exact + 1)) - (size_t)digits;
  if (away && strspn(exact + 1 + digits, "0") < rest) Raise(&it);
  return it;
}

static const char *WriteScientific(const Decimal *it, const char sign[], char text[])
{
  (void)snprintf(text, PSD_DECIMAL_LENGTH, "%s%c%s%.*se%+03d", sign, it->digit[0], it->count > 1 ? "." : "",
                 it->count - 1, it->digit + 1, it->exponent);
  return text;
}

/* Without an exponent, which is -4 .. count - 1. */
static const char *WriteFixed(const Decimal *it, const char sign[], char text[])
{
  const int whole = it->exponent + 1; /* digits before the point; 0 or less: zeros after it */
  if (whole >= it->count || whole <= 0)
    (void)snprintf(text, PSD_DECIMAL_LENGTH, "%s%s%.*s%.*s", sign, whole <= 0 ? "0." : "", whole <= 0 ? -whole : 0,
                   "0000", it->count, it->digit);
  else
    (void)snprintf(text, PSD_DECIMAL_LENGTH, "%s%.*s.%.*s", sign, whole, it->digit, it->count - whole,
                   it->digit + whole);
  return text;
}

const char *PsdDecimal(PetscReal value, int digits, char style, PsdRounding rounding, char text[PSD_DECIMAL_LENGTH])
{
  const char *sign = value < 0 ? "-" : "";
  if (PetscIsInfOrNanReal(value)) {
    (void)snprintf(text, PSD_DECIMAL_LENGTH, "%g", (double)value);
    return text;
  }
  Decimal it = Cut(PetscAbsReal(value), digits, (PetscBool)((value < 0) == (rounding == PSD_ROUND_DOWN)));
  if (style == 'e') return WriteScientific(&it, sign, text);
  const int kept = it.count;
  while (it.count > 1 && it.digit[it.count - 1] == '0') it.count--;
  if (it.exponent < -4 || it.exponent >= kept) return WriteScientific(&it, sign, text);
  while (it.count < it.exponent + 1) it.digit[it.count++] = '0'; /* 1e2 is 100 */
  return WriteFixed(&it, sign, text);
}
