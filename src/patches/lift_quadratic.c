/*
   The lift of quadratic neurons, s(x . u) = a (x . u)^2 + b x . u + c (docs/mathematics.md, section 1, "Lift"):

     Phi_ig = mean over l in g of [ a x x'   (b/2) x ; (b/2) x'   c ],   as svec: the packed upper triangle, column by
     column, off-diagonal entries times sqrt 2.

   x = (p - mean) transform is linear in p, so the mean of [x;1][x;1]' follows from that of [p;1][p;1]', which are the
   moments: the packed upper triangle.
*/
#include "lift_impl.h"
#include "patches_impl.h"
#include <petscblaslapack.h>

static PetscInt Length(PetscInt numbers)
{
  return PsdPackedLength(numbers + 1);
}

static PetscErrorCode Moments(PsdPatches branch, PetscInt count, const PetscReal rows[], PetscReal moments[])
{
  PetscFunctionBeginUser;
  const PetscInt q = branch->q;
  const PetscReal scale = 1 / (PetscReal)count;
  PetscReal *square = branch->square;
  PetscReal *first = moments + PsdPackedLength(q); /* the last column: mean of p, then 1 */
  PetscCall(PsdPatchesProduct(q, count, scale, rows, square, first));
  for (PetscInt column = 0; column < q; column++)
    PetscCall(PetscArraycpy(moments + PsdPackedLength(column), square + (size_t)column * q, column + 1));
  first[q] = 1;
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

/* Of moments that are taken as they are. */
static PetscErrorCode WeighMoments(PsdPatches branch, const PetscReal activation[3], const PetscReal moments[],
                                   PetscReal phi[])
{
  PetscFunctionBeginUser;
  const PetscInt q = branch->q;
  PetscReal *square = branch->square, *first = branch->patch_rows;
  for (PetscInt j = 0; j < q; j++)
    PetscCall(PetscArraycpy(square + (size_t)j * q, moments + PsdPackedLength(j), j + 1));
  PetscCall(PetscArraycpy(first, moments + PsdPackedLength(q), q));
  Weigh(q, activation, square, q, first, phi);
  PetscFunctionReturn(0);
}

static PetscErrorCode Lift(PsdPatches branch, const PetscReal activation[3], const PetscReal moments[], PetscReal phi[])
{
  PetscFunctionBeginUser;
  const PetscInt q = branch->q, f = branch->f;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt inc = 1;
  PetscReal *square = branch->square, *product = branch->product;
  PetscReal *first = branch->patch_rows, *x = first + q; /* room for at least two vectors */
  PetscBLASInt bq, bf;
  if (!branch->transform) {
    PetscCall(WeighMoments(branch, activation, moments, phi));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(q, &bq));
  PetscCall(PetscBLASIntCast(f, &bf));
  Centre(q, moments, branch->mean, square, first);
  /* row-major q x f is column-major f x q: T' M, then (T' M) T */
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "N", &bf, &bq, &bq, &one, branch->transform, &bf, square, &bq, &zero, product, &bf));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "T", &bf, &bf, &bq, &one, product, &bf, branch->transform, &bf, &zero, square, &bf));
  PetscCallBLAS("BLASgemv", BLASgemv_("N", &bf, &bq, &one, branch->transform, &bf, first, &inc, &zero, x, &inc));
  Weigh(f, activation, square, f, x, phi);
  PetscFunctionReturn(0);
}

static PetscLogDouble MomentsFlops(PsdPatches branch)
{
  return (PetscLogDouble)branch->q * (branch->q + 2);
}

static PetscLogDouble LiftFlops(PsdPatches branch)
{
  const PetscLogDouble q = branch->q, f = branch->f;
  return branch->transform ? 2 * q * q * f + q * f * f : f * f / 2;
}

const PsdLift PsdLiftQuadratic = {.name = "quadratic",
                                  .help = "neurons a u^2 + b u + c",
                                  .vector = PETSC_FALSE,
                                  .transform = PETSC_TRUE,
                                  .length = Length,
                                  .moments = Moments,
                                  .lift = Lift,
                                  .error = PsdLiftQuadraticError,
                                  .moments_flops = MomentsFlops,
                                  .lift_flops = LiftFlops};
