/*
   The lift of linear neurons, s(x . u) = b x . u + c (docs/mathematics.md, section 1, "Linear branches"):

     Phi_ig = mean over l in g of (b x, c) in R^(f+1),

   of patches as they are. Moments are the mean of the patches p and that of ||p||^2, which bounds what rounding does to
   the former: a mean of N numbers of k roundings each is off by (N + k + 2) eps mean |p_j|, and || mean |p| ||^2 <=
   mean ||p||^2.
*/
#include "base/rounding.h"
#include "lift_impl.h"
#include "patches_impl.h"

static PetscInt Length(PetscInt numbers)
{
  return numbers + 1;
}

static PetscErrorCode Moments(PsdPatches branch, PetscInt count, const PetscReal rows[], PetscReal moments[])
{
  PetscFunctionBeginUser;
  const PetscInt q = branch->q;
  const PetscReal scale = 1 / (PetscReal)count;
  PetscCall(PetscArrayzero(moments, q + 1));
  for (PetscInt l = 0; l < count; l++, rows += q) {
    PetscReal square = 0;
    for (PetscInt k = 0; k < q; k++) {
      moments[k] += rows[k];
      square += rows[k] * rows[k];
    }
    moments[q] += square;
  }
  for (PetscInt k = 0; k <= q; k++) moments[k] *= scale;
  PetscFunctionReturn(0);
}

static PetscErrorCode Lift(PsdPatches branch, const PetscReal activation[3], const PetscReal moments[], PetscReal phi[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < branch->q; k++) phi[k] = activation[1] * moments[k];
  phi[branch->q] = activation[2];
  PetscFunctionReturn(0);
}

/* The weighing is one rounding more. */
static PetscReal Error(PsdPatches branch, PetscInt count, const PetscReal activation[3], const PetscReal moments[],
                       PetscReal lost)
{
  const PetscReal q = (PetscReal)branch->q, N = (PetscReal)count, b = PetscAbsReal(activation[1]);
  const PetscReal square = moments[branch->q] * (1 + PsdRoundings(N + q + 4)) + q * PSD_TINY + lost;
  return b * PsdRoundings(N + PsdPatchesPixelRoundings(branch) + 4) * PetscSqrtReal(square) +
         PsdRoundings(q + 1) * PSD_TINY + b * lost;
}

static PetscLogDouble MomentsFlops(PsdPatches branch)
{
  return 3. * branch->q;
}

static PetscLogDouble LiftFlops(PsdPatches branch)
{
  return branch->q;
}

const PsdLift PsdLiftLinear = {.name = "linear",
                               .help = "neurons b u + c, of patches as they are",
                               .vector = PETSC_TRUE,
                               .transform = PETSC_FALSE,
                               .length = Length,
                               .moments = Moments,
                               .lift = Lift,
                               .error = Error,
                               .moments_flops = MomentsFlops,
                               .lift_flops = LiftFlops};
