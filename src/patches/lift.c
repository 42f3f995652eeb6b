/*
   From patches to pooled lifted features (docs/mathematics.md, section 1):

     Phi_ig = mean over l in g of [ a x x'   (b/2) x ; (b/2) x'   c ],   as svec: the packed upper triangle, column by
     column, off-diagonal entries times sqrt 2.

   x = (p - mean) transform is linear in p, so the mean of [x;1][x;1]' follows from that of [p;1][p;1]'.
*/
#include "lift.h"
#include "patches_impl.h"
#include <petscblaslapack.h>

PetscInt PsdPatchesMomentsLength(PsdPatches patches)
{
  PetscInt length = patches->G * PsdPackedLength(patches->q + 1);
  for (PetscInt k = 0; k < patches->branches; k++) length += PsdPatchesMomentsLength(patches->branch[k]);
  return length;
}

PetscErrorCode PsdPatchesMoments(PsdPatches patches, const void *image, PetscReal moments[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < patches->branches; k++) {
    PetscCall(PsdPatchesMoments(patches->branch[k], image, moments));
    moments += PsdPatchesMomentsLength(patches->branch[k]);
  }
  if (patches->branches) PetscFunctionReturn(0);
  const PetscInt q = patches->q, packed = PsdPackedLength(q + 1);
  const PetscReal *rows = patches->patch_rows;
  PetscReal *square = patches->square;
  PetscCall(PsdPatchesExtract(patches, image, patches->patch_rows, patches->region_count));

  for (PetscInt g = 0; g < patches->G; g++, moments += packed) {
    const PetscInt count = patches->region_count[g];
    const PetscReal scale = 1 / (PetscReal)count;
    PetscReal *first = moments + PsdPackedLength(q); /* the last column: mean of p, then 1 */
    PetscCall(PsdPatchesProduct(q, count, scale, rows, square, first));
    for (PetscInt column = 0; column < q; column++)
      PetscCall(PetscArraycpy(moments + PsdPackedLength(column), square + (size_t)column * q, column + 1));
    rows += (size_t)count * (size_t)q;
    first[q] = 1;
  }
  PetscFunctionReturn(0);
}

/* svec of Phi from the mean of x x' (upper triangle, leading dimension ld) and of x. */
static void Weigh(PetscInt f, const PetscReal activation[3], const PetscReal *square, PetscInt ld,
                  const PetscReal *first, PetscReal *phi)
{
  const PetscReal off_diagonal = PETSC_SQRT2 * activation[0], linear = PETSC_SQRT2 * activation[1] / 2;
  for (PetscInt column = 0; column < f; column++, phi += column) {
    for (PetscInt k = 0; k < column; k++) phi[k] = off_diagonal * square[(size_t)column * ld + k];
    phi[column] = activation[0] * square[(size_t)column * ld + column];
  }
  for (PetscInt k = 0; k < f; k++) phi[k] = linear * first[k];
  phi[f] = activation[2];
}

/* The full symmetric matrix mean (p - mu)(p - mu)' and the vector mean p - mu of one region. */
static void Centre(PetscInt q, const PetscReal *moments, const PetscReal *mu, PetscReal *square, PetscReal *first)
{
  const PetscReal *p = moments + PsdPackedLength(q);
  for (PetscInt j = 0; j < q; j++, moments += j)
    for (PetscInt i = 0; i <= j; i++)
      square[(size_t)j * q + i] = square[(size_t)i * q + j] = moments[i] - p[i] * mu[j] - mu[i] * p[j] + mu[i] * mu[j];
  for (PetscInt k = 0; k < q; k++) first[k] = p[k] - mu[k];
}

PetscInt PsdPatchesLiftedLength(PsdPatches patches)
{
  PetscInt length = patches->G * PsdPackedLength(PsdPatchesFinalDimension(patches) + 1);
  for (PetscInt k = 0; k < patches->branches; k++) length += PsdPatchesLiftedLength(patches->branch[k]);
  return length;
}

static PetscErrorCode LiftBranches(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                                   PetscReal phi[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < patches->branches; k++) {
    const PsdPatches branch = patches->branch[k];
    PetscCall(PsdPatchesLift(branch, activation, moments, phi));
    moments += PsdPatchesMomentsLength(branch);
    phi += PsdPatchesLiftedLength(branch);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesLift(PsdPatches patches, const PetscReal activation[3], const PetscReal moments[],
                              PetscReal phi[])
{
  PetscFunctionBeginUser;
  if (patches->branches) {
    PetscCall(LiftBranches(patches, activation, moments, phi));
    PetscFunctionReturn(0);
  }
  const PetscInt q = patches->q, f = patches->f;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt inc = 1;
  PetscReal *square = patches->square, *product = patches->product;
  PetscReal *first = patches->patch_rows, *x = first + q; /* room for at least two vectors */
  PetscBLASInt bq, bf;
  PetscCall(PetscBLASIntCast(q, &bq));
  PetscCall(PetscBLASIntCast(f, &bf));
  for (PetscInt g = 0; g < patches->G; g++, moments += PsdPackedLength(q + 1), phi += PsdPackedLength(f + 1)) {
    if (patches->transform) {
      Centre(q, moments, patches->mean, square, first);
      /* row-major q x f is column-major f x q: T' M, then (T' M) T */
      PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &bf, &bq, &bq, &one, patches->transform, &bf, square, &bq, &zero,
                                          product, &bf));
      PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &bf, &bf, &bq, &one, product, &bf, patches->transform, &bf, &zero,
                                          square, &bf));
      PetscCallBLAS("BLASgemv", BLASgemv_("N", &bf, &bq, &one, patches->transform, &bf, first, &inc, &zero, x, &inc));
      Weigh(f, activation, square, f, x, phi);
    } else {
      for (PetscInt j = 0; j < q; j++)
        PetscCall(PetscArraycpy(square + (size_t)j * q, moments + PsdPackedLength(j), j + 1));
      PetscCall(PetscArraycpy(first, moments + PsdPackedLength(q), q));
      Weigh(f, activation, square, q, first, phi);
    }
  }
  PetscFunctionReturn(0);
}

PetscLogDouble PsdPatchesMomentsFlops(PsdPatches patches)
{
  PetscLogDouble flops = (PetscLogDouble)patches->positions * patches->q * (patches->q + 2);
  for (PetscInt k = 0; k < patches->branches; k++) flops += PsdPatchesMomentsFlops(patches->branch[k]);
  return flops;
}

PetscLogDouble PsdPatchesLiftFlops(PsdPatches patches)
{
  const PetscLogDouble q = patches->q, f = patches->f;
  PetscLogDouble flops = patches->transform ? patches->G * (2 * q * q * f + q * f * f) : patches->G * f * f / 2;
  for (PetscInt k = 0; k < patches->branches; k++) flops += PsdPatchesLiftFlops(patches->branch[k]);
  return flops;
}
