/*
   PSD projection by a complete eigendecomposition (LAPACK): the fastest there is at orders up to a few hundred.

   X = V diag(lambda) V'. proj(X) is the sum over positive eigenvalues, or X less the sum over the others, whichever has
   fewer terms. An eigenvalue counts as positive when it is larger than what rounding makes of zero, d eps ||X||.
*/
#include "cone.h"
#include "base/base.h"
#include <petscblaslapack.h>

typedef struct {
  PsdEigen eigen;
  PetscReal *V, *lambda, *square;
} Lapack;

static PetscErrorCode SetUp(PsdCone cone)
{
  PetscFunctionBeginUser;
  const size_t d = cone->blocks->d;
  Lapack *lapack;
  PetscCall(PetscNew(&lapack));
  PetscCall(PsdEigenCreate(cone->blocks->d, &lapack->eigen));
  PetscCall(PetscMalloc3(d * d, &lapack->V, d, &lapack->lambda, d * d, &lapack->square));
  cone->kernel = lapack;
  PetscFunctionReturn(0);
}

/* columns <- v_k sqrt|lambda_k| for k = begin .. end-1 */
static void ScaleColumns(PetscInt d, PetscInt begin, PetscInt end, const PetscReal lambda[], const PetscReal V[],
                         PetscReal columns[])
{
  for (PetscInt k = begin; k < end; k++) {
    const PetscReal scale = PetscSqrtReal(PetscAbsReal(lambda[k]));
    for (PetscInt i = 0; i < d; i++) *columns++ = scale * V[(size_t)k * d + i];
  }
}

static PetscErrorCode Project(PsdCone cone, const PetscReal x[], PetscReal z[], PetscInt *rank, PetscReal F[])
{
  PetscFunctionBeginUser;
  Lapack *lapack = cone->kernel;
  const PetscInt d = cone->blocks->d;
  const PetscReal one = 1, zero = 0, *lambda = lapack->lambda;
  PetscBLASInt order, terms;
  PsdUnpack(d, x, lapack->V);
  PetscCall(PsdEigenSolve(lapack->eigen, lapack->V, lapack->lambda));

  const PetscReal floor = (PetscReal)d * PETSC_MACHINE_EPSILON * PetscMax(-lambda[0], lambda[d - 1]);
  PetscInt negative = 0;
  while (negative < d && lambda[negative] <= floor) negative++;
  *rank = d - negative;
  ScaleColumns(d, negative, d, lambda, lapack->V, F);

  PetscCall(PetscBLASIntCast(d, &order));
  if (*rank <= negative) {
    PetscCall(PetscBLASIntCast(*rank, &terms));
    PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &order, &terms, &one, F, &order, &zero, lapack->square, &order));
    PsdPack(d, lapack->square, z);
  } else {
    /* in place: the columns of V only move to where they are, scaled */
    ScaleColumns(d, 0, negative, lambda, lapack->V, lapack->V);
    PetscCall(PetscBLASIntCast(negative, &terms));
    PetscCallBLAS("BLASsyrk",
                  BLASsyrk_("U", "N", &order, &terms, &one, lapack->V, &order, &zero, lapack->square, &order));
    PsdPack(d, lapack->square, z);
    for (PetscInt k = 0; k < cone->blocks->m; k++) z[k] += x[k];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(PsdCone cone)
{
  PetscFunctionBeginUser;
  Lapack *lapack = cone->kernel;
  PetscCall(PsdEigenDestroy(&lapack->eigen));
  PetscCall(PetscFree3(lapack->V, lapack->lambda, lapack->square));
  PetscCall(PetscFree(cone->kernel));
  PetscFunctionReturn(0);
}

const PsdConeOps PsdConeLapack = {"lapack", SetUp, Project, Destroy};
