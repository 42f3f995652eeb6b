/*
   The arithmetic that bounds of rounding are derived from (docs/mathematics.md, section 6).

   Every operation gives (x op y)(1 + delta) + eta with |delta| <= eps/2 and |eta| <= eps TINY/2. A number that k of them
   have touched one after the other is therefore off by at most (k eps/2)/(1 - k eps/2) of itself. k eps is twice that
   for small k; the other half covers that bounds are themselves computed: as sums and products of numbers that are not
   negative, by as many roundings as they have terms.
*/
#ifndef PSD_ROUNDING_PRIVATE_H
#define PSD_ROUNDING_PRIVATE_H

#include <petscsys.h>
#include <float.h>
#include <math.h>

/* What underflow loses is eps of this at most. */
#define PSD_TINY DBL_MIN

/* A bound of the relative error of a number that `count` roundings have gone into. */
static inline PetscReal PsdRoundings(PetscReal count)
{
  return count * PETSC_MACHINE_EPSILON;
}

/* The same of single precision. */
#define PSD_TINY_SINGLE ((PetscReal)FLT_MIN)

static inline PetscReal PsdRoundingsSingle(PetscReal count)
{
  return count * (PetscReal)FLT_EPSILON;
}

/* x, known to be at least 0 and computed by a few operations, rounded up and down. */
static inline PetscReal PsdRoundUp(PetscReal x)
{
  return x * (1 + 8 * PETSC_MACHINE_EPSILON) + PSD_TINY;
}

static inline PetscReal PsdRoundDown(PetscReal x)
{
  return PetscMax(0, x * (1 - 8 * PETSC_MACHINE_EPSILON) - PSD_TINY);
}

/* Not below ||x||, although the squares of small numbers may vanish. */
static inline PetscReal PsdNormBound(PetscInt length, const PetscReal x[])
{
  PetscReal squares = 0;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < length; k++) squares += x[k] * x[k];
  return PetscSqrtReal(squares * (1 + PsdRoundings((PetscReal)length + 8)) + (PetscReal)length * PSD_TINY);
}

/* A sum in twice the working precision, by Knuth's error-free addition: high + low is off by at most 2^-100 of the sum
   of the absolute values, for up to 2^40 terms. */
typedef struct {
  PetscReal high, low;
} PsdPairSum;

static inline void PsdPairSumAdd(PsdPairSum *sum, PetscReal x)
{
  const PetscReal total = sum->high + x, part = total - sum->high;
  const PetscReal error = ((sum->high - (total - part)) + (x - part)) + sum->low;
  sum->high = total + error;
  sum->low = error - (sum->high - total);
}

#endif
