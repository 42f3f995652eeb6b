/*
   What rounding does to the lifted features of quadratic neurons, as absolute bounds (docs/mathematics.md, section 6).

   The true features are those of the bytes with the transform T and the mean mu as they are stored. With m2 the mean of
   ||p||^2 over the N patches of a region, which is the trace of its moments, rho = sqrt(m2) + ||mu||, c2 the mean of
   ||p - mu||^2, and k roundings in a number of a patch,

     || error of mean p p' ||_F             <=  (N + 3 + 2 k) eps m2 =: K eps m2,        of mean p:  K eps sqrt(m2)
     || error of mean (p - mu)(p - mu)' ||  <=  (K + 4) eps rho^2,                       of mean p - mu:  (K + 1) eps rho
     || error of T' (.) T ||                <=  ||T||_2^2 (K + 4) eps rho^2  +  2 (q + 1) eps ||T||_F^2 c2,
                                                of T' (.):  ||T||_2 (K + 1) eps rho  +  (q + 1) eps ||T||_F sqrt(c2)

   Moments that were stored in fewer digits, so that their matrix and their mean have each lost at most `lost`, add to these
   lost (1 + 2 ||mu||) and lost, times ||T||_2^2 and ||T||_2.

   None of them is relative to the result, which may cancel. Phi has these errors times |a| and |b|/sqrt 2, and those of
   its weighing and of the removal of J, which are relative to Phi.
*/
#include "lift_impl.h"
#include "patches_impl.h"
#include "base/rounding.h"

PetscReal PsdPatchesCoordinateError(PsdPatches patches, PetscReal norm, PetscReal centred)
{
  const PetscReal pixels = PsdPatchesPixelRoundings(patches), q = (PetscReal)patches->q;
  const PetscReal size = norm + q * PSD_TINY;
  if (!patches->transform) return PsdRoundings(pixels) * size;
  return PsdRoundings(pixels + 1) * patches->spectral * (size + patches->mean_norm) +
         PsdRoundings(q + 1) * patches->frobenius * centred + PsdRoundings(1) * q * q * PSD_TINY;
}

/* Errors of the quadratic and the linear part before the activation's weights, and what they are at most. */
typedef struct {
  PetscReal quadratic_error, linear_error, quadratic, linear;
} Parts;

/* Without a transform: m2 of the moments and their errors. */
static Parts PartsOfMoments(PsdPatches patches, PetscInt count, const PetscReal moments[], PetscReal lost)
{
  const PetscReal roundings = (PetscReal)count + 3 + 2 * PsdPatchesPixelRoundings(patches);
  PetscReal m2 = (PetscReal)patches->q * PSD_TINY;
  for (PetscInt k = 0; k < patches->q; k++) m2 += moments[PsdPackedLength(k) + k];
  m2 = m2 * (1 + PsdRoundings(roundings + (PetscReal)patches->q)) + PetscSqrtReal((PetscReal)patches->q) * lost;
  const PetscReal root = PetscSqrtReal(m2);
  return (Parts){PsdRoundings(roundings) * m2 + lost, PsdRoundings(roundings) * root + lost, m2, root};
}

/* With it: c2 = m2 - 2 mu'(mean p) + ||mu||^2, itself known up to the error of the centred moments' trace, which is bounded
   as they are: each entry of the diagonal by (K + 4) eps (sqrt(mean p_i^2) + |mu_i|)^2, and what was lost of mean p. */
static Parts Transform(PsdPatches patches, PetscInt count, const PetscReal moments[], PetscReal lost, const Parts *raw)
{
  const PetscReal q = (PetscReal)patches->q, T2 = patches->spectral, TF = patches->frobenius;
  const PetscReal K = (PetscReal)count + 3 + 2 * PsdPatchesPixelRoundings(patches),
                  rho = raw->linear + patches->mean_norm;
  const PetscReal *p = moments + PsdPackedLength(patches->q);
  PetscReal inner = 0, mean = 0;
  for (PetscInt k = 0; k < patches->q; k++) {
    inner += patches->mean[k] * p[k];
    mean += patches->mean[k] * patches->mean[k];
  }
  const PetscReal c2 = PetscMax(0, raw->quadratic - 2 * inner + mean) + PsdRoundings(K + q + 4) * rho * rho +
                       2 * patches->mean_norm * lost;
  const PetscReal c = PetscSqrtReal(c2), underflow = PsdRoundings(1) * q * q * (1 + TF) * (1 + TF) * PSD_TINY;
  Parts parts = {.quadratic = T2 * T2 * c2, .linear = T2 * c};
  parts.quadratic_error =
      PsdRoundings(K + 4) * T2 * T2 * rho * rho + PsdRoundings(2 * (q + 1)) * TF * TF * c2 + underflow;
  parts.quadratic_error += T2 * T2 * (1 + 2 * patches->mean_norm) * lost;
  parts.linear_error = PsdRoundings(K + 1) * T2 * rho + PsdRoundings(q + 1) * TF * c + underflow + T2 * lost;
  return parts;
}

PetscReal PsdLiftQuadraticError(PsdPatches branch, PetscInt count, const PetscReal activation[3],
                                const PetscReal moments[], PetscReal lost)
{
  const PetscReal d = (PetscReal)PsdPatchesFinalDimension(branch) + 1;
  const PetscReal a = PetscAbsReal(activation[0]), b = PetscAbsReal(activation[1]) / PETSC_SQRT2;
  const PetscReal c = PetscAbsReal(activation[2]);
  Parts parts = PartsOfMoments(branch, count, moments, lost);
  if (branch->transform) parts = Transform(branch, count, moments, lost, &parts);
  const PetscReal size = a * (parts.quadratic + parts.quadratic_error) + b * (parts.linear + parts.linear_error);
  /* 5 roundings of weighing, sqrt 2 among them, and d + 2 of the removal of J, that of the constant included */
  return a * parts.quadratic_error + b * parts.linear_error + PsdRoundings(d + 7) * (size + c + d * d * PSD_TINY);
}
