/*
   The second-order cone (docs/mathematics.md, section 1, "Linear branches"). Vectors are scaled by their largest entry
   before they are squared, so that no square overflows or vanishes.
*/
#include "second_order.h"
#include "base/rounding.h"

static PetscReal Largest(PetscInt length, const PetscReal x[])
{
  PetscReal largest = 0;
  for (PetscInt k = 0; k < length; k++) {
    if (!(PetscAbsReal(x[k]) <= PETSC_MAX_REAL)) return INFINITY;
    largest = PetscMax(largest, PetscAbsReal(x[k]));
  }
  return largest;
}

static PetscReal Norm(PetscInt length, const PetscReal x[])
{
  const PetscReal largest = Largest(length, x);
  PetscReal sum = 0;
  if (largest == 0 || PetscIsInfReal(largest)) return largest;
  for (PetscInt k = 0; k < length; k++) sum += x[k] / largest * (x[k] / largest);
  return largest * PetscSqrtReal(sum);
}

void PsdVectorProject(PetscInt f, const PetscReal x[], PetscReal z[])
{
  const PetscReal norm = Norm(f, x), t = x[f];
  const PetscReal scale = norm <= t ? 1 : norm <= -t ? 0 : (1 + t / norm) / 2;
  for (PetscInt k = 0; k < f; k++) z[k] = scale * x[k];
  z[f] = norm <= t ? t : scale * norm;
}

/* Not below ||x||, and 0 of 0: the quotients are off by a rounding each, the sum of their squares, which is at least 1,
   by as many as it has terms, the root and the product by one, and the latter may underflow by one. */
static PetscReal NormAbove(PetscInt length, const PetscReal x[])
{
  const PetscReal norm = Norm(length, x);
  return norm > 0 ? norm * (1 + PsdRoundings((PetscReal)length + 8)) + PsdRoundings(1) * PSD_TINY : norm;
}

void PsdVectorPolarBoth(PetscInt f, const PetscReal M[], PsdPolarSide sides[2])
{
  const PetscReal norm = NormAbove(f, M);
  const PetscBool finite = (PetscBool)(norm + PetscAbsReal(M[f]) <= PETSC_MAX_REAL);
  sides[0] = finite ? (PsdPolarSide){norm, M[f]} : (PsdPolarSide){INFINITY, INFINITY};
  sides[1] = finite ? (PsdPolarSide){norm, -M[f]} : sides[0];
}

PetscReal PsdVectorPolar(PetscInt f, const PetscReal M[])
{
  const PetscReal value = (NormAbove(f, M) + PetscAbsReal(M[f])) * (1 + PsdRoundings(2));
  return value <= PETSC_MAX_REAL ? value : INFINITY;
}

PetscBool PsdVectorPolarHolds(PetscInt f, const PetscReal M[], PetscReal s, PetscReal error, PsdPolarSide side)
{
  const PetscReal size = PetscAbsReal(s) * (1 + PsdRoundings(4)), more = size * error + PSD_TINY;
  const PetscReal norm = size * NormAbove(f, M) + more;
  const PetscReal last = s * M[f] + PsdRoundings(4) * PetscAbsReal(s * M[f]) + more;
  return (PetscBool)(norm <= side.theta && last <= side.phi * (1 - PetscSign(side.phi) * PsdRoundings(1)));
}
