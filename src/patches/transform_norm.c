/*
   How large a transform T and its mean are, rounded up, for bounds of rounding (lift_error.c): Frobenius' norm, and
   ||T||_2^2 = ||T'T||_2, which is at most the largest sum of absolute values in a row of T'T.
*/
#include "patches_impl.h"
#include "base/rounding.h"
#include <petscblaslapack.h>

PetscErrorCode PsdPatchesMeasureTransform(PsdPatches patches)
{
  PetscFunctionBeginUser;
  const PetscInt q = patches->q, f = patches->f;
  const PetscReal one = 1, zero = 0;
  PetscReal *square, *sums, most = 0;
  PetscBLASInt bq, bf;
  PetscCall(PetscBLASIntCast(q, &bq));
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCall(PetscMalloc1((size_t)f * f, &square));
  PetscCall(PetscCalloc1(f, &sums));
  /* row-major q x f is column-major f x q */
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &bf, &bq, &one, patches->transform, &bf, &zero, square, &bf));
  for (PetscInt j = 0; j < f; j++)
    for (PetscInt i = 0; i <= j; i++) {
      const PetscReal size = PetscAbsReal(square[(size_t)j * f + i]);
      sums[i] += size;
      if (i != j) sums[j] += size;
    }
  for (PetscInt k = 0; k < f; k++) most = PetscMax(most, sums[k]);
  patches->frobenius = PsdNormBound(q * f, patches->transform);
  patches->mean_norm = PsdNormBound(q, patches->mean);
  const PetscReal product = PsdRoundings((PetscReal)q + (PetscReal)f) * patches->frobenius * patches->frobenius;
  patches->spectral = PsdRoundUp(PetscMin(patches->frobenius, PetscSqrtReal(most + product)));
  PetscCall(PetscFree(square));
  PetscCall(PetscFree(sums));
  PetscFunctionReturn(0);
}
