/*
   PSD projection by a complete eigendecomposition (LAPACK): the fastest there is at orders up to a few hundred.

   X = V diag(lambda) V'. proj(X) is the sum over positive eigenvalues, or X less the sum over the others, whichever has
   fewer terms. An eigenvalue counts as positive when it is larger than what rounding makes of zero, d eps ||X||.
   When few were positive the last time only those eigenvalues and their vectors are asked for (dsyevr), which spares half of
   the work.
*/
#include "cone_impl.h"
#include "base/base.h"
#include <float.h>
#include <petscblaslapack.h>

typedef struct {
  PetscReal *V, *lambda, *square; /* V: of the range */
} Lapack;

static PetscErrorCode SetUp(PsdCone cone, PetscInt d, void **kernel)
{
  PetscFunctionBeginUser;
  const size_t square = (size_t)d * d;
  Lapack *lapack;
  PetscCall(PetscNew(&lapack));
  PetscCall(PetscMalloc2(d, &lapack->lambda, square, &lapack->square));
  if (cone->driver != PSD_LAPACK_COMPLETE) PetscCall(PetscMalloc1(square, &lapack->V));
  *kernel = lapack;
  PetscFunctionReturn(0);
}

/* z of the columns that were kept: their own product, or X plus that of the others. */
static PetscErrorCode Assemble(PetscInt d, PetscInt terms, const PetscReal columns[], const PetscReal x[],
                               PetscReal *square, PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscBLASInt order, bterms;
  PetscCall(PetscBLASIntCast(d, &order));
  PetscCall(PetscBLASIntCast(terms, &bterms));
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &order, &bterms, &one, columns, &order, &zero, square, &order));
  PsdPack(d, square, z);
  if (x)
    for (PetscInt k = 0; k < d * (d + 1) / 2; k++) z[k] += x[k];
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectComplete(PsdCone cone, Lapack *lapack, PsdBlockState *state, const PetscReal x[],
                                      PetscReal *X, PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d;
  const PetscReal *lambda = lapack->lambda;
  PetscCall(PsdEigenSolveUpTo(cone->eigen, d, X, lapack->lambda));
  const PetscReal floor = PsdEigenFloor(d, PetscMax(-lambda[0], lambda[d - 1]));
  PetscInt negative = 0;
  while (negative < d && lambda[negative] <= floor) negative++;
  PetscCall(PsdConeTakeDecomposition(state, negative, lambda, X));
  if (!z) PetscFunctionReturn(0);
  if (state->rank_Z <= negative) {
    PetscCall(Assemble(d, state->rank_Z, state->F, NULL, lapack->square, z));
  } else {
    for (PetscInt k = 0; k < negative; k++) {
      const PetscReal scale = PetscSqrtReal(PetscAbsReal(lambda[k]));
      for (PetscInt i = 0; i < d; i++) X[(size_t)k * d + i] *= scale;
    }
    PetscCall(Assemble(d, negative, X, x, lapack->square, z));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectRange(PsdCone cone, Lapack *lapack, PsdBlockState *state, PetscReal norm, PetscReal *X,
                                   PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d;
  const PetscReal floor = PsdEigenFloor(d, norm), most = 2 * norm + DBL_MIN; /* LAPACK wants an interval, of zero too */
  PetscInt found;
  PetscCall(PsdEigenSolveRange(cone->eigen, d, floor, most, X, &found, lapack->lambda, lapack->V));
  PetscCall(PsdBlockStateReserve(state, found));
  state->rank_Z = found;
  state->kept = state->columns = 0;
  for (PetscInt k = 0; k < found; k++)
    for (PetscInt i = 0; i < d; i++)
      state->F[(size_t)k * d + i] = PetscSqrtReal(lapack->lambda[k]) * lapack->V[(size_t)k * d + i];
  if (z) PetscCall(Assemble(d, found, state->F, NULL, lapack->square, z));
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdCone cone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                              PetscReal tolerance, PetscReal z[], PetscBool *settled)
{
  PetscFunctionBeginUser;
  Lapack *lapack = kernel;
  const PetscInt d = state->d;
  const PetscBool few = (PetscBool)(state->rank_Z >= 0 && state->rank_Z <= d / 4);
  const PetscReal norm = PetscSqrtReal(PsdSquare(d * (d + 1) / 2, x)); /* ||X||_F, never less than ||X||_2 */
  (void)tolerance;
  *settled = PETSC_TRUE;
  if (PsdIsModerate(norm) && (cone->driver == PSD_LAPACK_RANGE || (cone->driver == PSD_LAPACK_AUTO && few)))
    PetscCall(ProjectRange(cone, lapack, state, norm, X, z));
  else PetscCall(ProjectComplete(cone, lapack, state, x, X, z));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *kernel)
{
  PetscFunctionBeginUser;
  Lapack *lapack = kernel;
  PetscCall(PetscFree(lapack->V));
  PetscCall(PetscFree2(lapack->lambda, lapack->square));
  PetscCall(PetscFree(kernel));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* dsyevd wants 2 d^2, half of d^2 is kept for another driver, and the product of the vectors is a square. */
static void Memory(const PsdSizes *s, PetscReal d, PsdMemory *memory)
{
  (void)s;
  const PetscReal bytes = 3.5 * PSD_BYTES_REAL * d * d;
  PsdMemoryAdd(memory, "complete decomposition", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, bytes, bytes);
}

static PsdCost Cost(PetscReal d, const PsdRates *rates)
{
  const PetscReal cube = d * d * d;
  return (PsdCost){.seconds = rates->eigen * cube, .flops = 9 * cube};
}

const PsdConeOps PsdConeLapack = {.name = "lapack",
                                  .old_name = NULL,
                                  .help = "all eigenvalues, or the positive ones",
                                  .complete = PETSC_TRUE,
                                  .uses_team = PETSC_FALSE,
                                  .setup = SetUp,
                                  .project = Project,
                                  .destroy = Destroy,
                                  .memory = Memory,
                                  .cost = Cost};
