/*
   Numbers as multiples of a part of the largest of them, and what that loses: at most half a unit of each, computed as it
   is lost. A number that is made of its units again is rounded as well, which is next to nothing beside half a unit, and
   counted.
*/
#include "whole.h"
#include "base/rounding.h"

#define TO_WHOLE 6755399441055744.0 /* 1.5 2^52: what is added to it is rounded to a whole number */
#define LOW 256.0                   /* values of the low part of a number of 40 bits */

static const PetscReal most_whole = 2147483647.0, most_wide = 549755813887.0; /* 2^31 - 1, 2^39 - 1 */

/* x[k] in units, rounded */
static inline PetscReal Count(PetscReal x, PetscReal inverse, PetscReal most)
{
  return (PetscMax(-most, PetscMin(x * inverse, most)) + TO_WHOLE) - TO_WHOLE;
}

static PetscReal Largest(PetscInt m, const PetscReal *restrict x)
{
  PetscReal largest = 0;
#pragma omp simd reduction(max : largest)
  for (PetscInt k = 0; k < m; k++) largest = PetscMax(largest, PetscAbsReal(x[k]));
  return largest;
}

/* A bound of the norm of what was lost, from the sum of squares of what was computed of it. */
static PetscReal Lost(PetscInt m, PetscReal squares, PetscReal largest)
{
  return PetscSqrtReal(squares * (1 + PsdRoundings((PetscReal)m + 8)) + (PetscReal)m * PSD_TINY) +
         PetscSqrtReal((PetscReal)m) * PsdRoundings(2) * largest;
}

PetscReal PsdWhole(PetscInt m, const PetscReal *restrict x, PetscReal *unit, int32_t *restrict whole)
{
  const PetscReal largest = Largest(m, x), most = most_whole;
  const PetscReal one = *unit = PetscMax(largest / most, PSD_TINY), inverse = 1 / one;
  PetscReal squares = 0;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < m; k++) {
    const PetscReal count = Count(x[k], inverse, most), left = x[k] - one * count;
    whole[k] = (int32_t)count;
    squares += left * left;
  }
  return Lost(m, squares, largest);
}

void PsdFromWhole(PetscInt m, PetscReal unit, const int32_t *restrict whole, PetscReal *restrict x)
{
  for (PetscInt k = 0; k < m; k++) x[k] = unit * (PetscReal)whole[k];
}

PetscReal PsdWide(PetscInt m, const PetscReal *restrict x, PetscReal *unit, int32_t *restrict high,
                  uint8_t *restrict low)
{
  const PetscReal largest = Largest(m, x), most = most_wide;
  const PetscReal one = *unit = PetscMax(largest / most, PSD_TINY), inverse = 1 / one;
  PetscReal squares = 0;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < m; k++) {
    const PetscReal count = Count(x[k], inverse, most), left = x[k] - one * count;
    /* floor of count/LOW: with all but 1/512 of a half taken off, the nearest whole number is the one below */
    const PetscReal upper = (count / LOW - (0.5 - 0.5 / LOW) + TO_WHOLE) - TO_WHOLE;
    high[k] = (int32_t)upper;
    low[k] = (uint8_t)(int32_t)(count - LOW * upper);
    squares += left * left;
  }
  return Lost(m, squares, largest);
}

void PsdFromWide(PetscInt m, PetscReal unit, const int32_t *restrict high, const uint8_t *restrict low,
                 PetscReal *restrict x)
{
  for (PetscInt k = 0; k < m; k++) x[k] = unit * (LOW * (PetscReal)high[k] + (PetscReal)low[k]);
}
