/*
   The powers of two that make the numbers of a feature, a x x', b x and c, and targets of the order of 1. x is known by
   the largest number that a patch can have, rounded up to a power of two as well: what decides are exponents alone.
*/
#include "units.h"
#include "base/base.h"
#include "patches/transform.h"
#include <float.h>
#include <math.h>

/* Fourth powers of numbers of patches, and rho, which has 2^2k in it, are to be representable, with room for sums. */
#define LARGEST_PATCH 1e70
#define LARGEST_EXPONENT 460

/* The least k with |x| <= 2^k. */
static int ExponentAbove(PetscReal x)
{
  int exponent;
  return PetscAbsReal(frexp(x, &exponent)) == 0.5 ? exponent - 1 : exponent;
}

/* The largest exponent of a x^2, b x and c, as frexp has them; none: 0. */
static int ExponentOfFeatures(const PetscReal activation[3], int x)
{
  int largest = 0;
  PetscBool found = PETSC_FALSE;
  for (int k = 0; k < 3; k++) {
    int exponent;
    if (activation[k] == 0) continue;
    (void)frexp(activation[k], &exponent);
    exponent += (2 - k) * x;
    largest = found ? PetscMax(largest, exponent) : exponent;
    found = PETSC_TRUE;
  }
  return largest;
}

PetscErrorCode PsdUnitsFind(PsdPatches patches, const PetscReal activation[3], PsdUnits *units)
{
  PetscFunctionBeginUser;
  PsdPatchRange range;
  PsdPatchesGetRange(patches, &range);
  PsdCheckInput(range.least >= 1 / LARGEST_PATCH && range.largest <= LARGEST_PATCH,
                "patches have numbers of up to %g, expected %g to %g: see -pixel_shift, -pixel_scale, -patch_normalize "
                "and -whiten",
                (double)(range.least >= 1 / LARGEST_PATCH ? range.largest : range.least), 1 / LARGEST_PATCH,
                LARGEST_PATCH);
  const int exponent = ExponentOfFeatures(activation, ExponentAbove(range.x));
  PsdCheckInput(abs(exponent) <= LARGEST_EXPONENT,
                "lifted features have numbers of up to 2^%d, expected 2^-%d to 2^%d: see -activation, -pixel_shift and "
                "-pixel_scale",
                exponent, LARGEST_EXPONENT, LARGEST_EXPONENT);
  units->exponent = -exponent;
  PetscFunctionReturn(0);
}

void PsdUnitsFindTargets(PetscReal largest, int degree, PsdUnits *units)
{
  (void)frexp(largest, &units->targets);
  units->degree = degree;
}

/* The power of two that a number of the user's is multiplied by. */
static int ExponentOf(PsdUnits units, PsdUnit unit)
{
  const int k = units.exponent, j = units.targets, p = units.degree;
  switch (unit) {
  case PSD_UNIT_FEATURE:
    return k;
  case PSD_UNIT_WEIGHT:
    return -k - j;
  case PSD_UNIT_BETA:
    return k - (p - 1) * j;
  case PSD_UNIT_PENALTY:
    return 2 * k + (2 - p) * j;
  case PSD_UNIT_CURVATURE:
    return (2 - p) * j;
  case PSD_UNIT_TARGET:
    return -j;
  case PSD_UNIT_SLOPE:
    return -(p - 1) * j;
  case PSD_UNIT_OBJECTIVE:
    return -p * j;
  }
  return 0;
}

PetscReal PsdToUnits(PsdUnits units, PsdUnit unit, PetscReal number)
{
  return ldexp(number, ExponentOf(units, unit));
}

PetscReal PsdFromUnits(PsdUnits units, PsdUnit unit, PetscReal number)
{
  return ldexp(number, -ExponentOf(units, unit));
}

PetscBool PsdIsRepresentable(PetscReal number)
{
  return (PetscBool)(number >= DBL_MIN && number <= DBL_MAX);
}
