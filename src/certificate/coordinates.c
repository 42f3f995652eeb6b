/*
   Coordinates of patches, by blocks of PSD_PRODUCT_ROWS of a tile.
*/
#include "coordinates.h"
#include "base/base.h"
#include "base/long_product.h"
#include <math.h>

typedef struct {
  PsdPatchMatrix patches;
  PsdCoordinates *of;
  PetscReal largest;
} Making;

static PetscErrorCode Make(const PsdCoordinates *it, PetscInt rows, const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdProductTransposed(it->K, rows, it->f, it->V, x, PetscMax(1, it->K), z));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Making *making = context;
  PsdCoordinates *it = making->of;
  const PetscInt *of_sample;
  PsdPatchMatrixGetSizes(making->patches, NULL, NULL, &of_sample, NULL);
  if (g != it->g) PetscFunctionReturn(0);
  size_t at = (size_t)first * of_sample[g];
  for (size_t k = 0; k < (size_t)count * of_sample[g] * it->f; k++)
    making->largest = PetscMax(making->largest, PetscAbsReal(x[k]));
  for (PetscInt rest = count * of_sample[g], rows; rest > 0 && it->z; rest -= rows, at += rows) {
    rows = PetscMin(PSD_PRODUCT_ROWS, rest);
    PetscCall(Make(it, rows, x, it->z + at * it->K));
    x += (size_t)rows * it->f;
  }
  PetscFunctionReturn(0);
}

size_t PsdCoordinatesBytes(PsdPatchMatrix patches, const PsdCoordinates *it)
{
  const PetscInt *of_sample;
  PetscInt n;
  PsdPatchMatrixGetSizes(patches, &n, NULL, &of_sample, NULL);
  return (size_t)n * of_sample[it->g] * it->K * sizeof(PetscReal);
}

PetscErrorCode PsdCoordinatesCreate(MPI_Comm comm, PsdPatchMatrix patches, PetscInt g, PetscInt K, const PetscReal V[],
                                    size_t memory, PsdCoordinates *it)
{
  PetscFunctionBeginUser;
  const PetscInt *f;
  PsdPatchMatrixGetSizes(patches, NULL, NULL, NULL, &f);
  *it = (PsdCoordinates){.g = g, .f = f[g], .K = K, .V = V};
  Making making = {.patches = patches, .of = it};
  const size_t bytes = PsdCoordinatesBytes(patches, it);
  if (bytes <= memory) PetscCall(PetscMalloc1(bytes / sizeof(PetscReal) + 1, &it->z));
  PetscCall(PsdPatchMatrixPass(patches, AddTile, &making));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &making.largest, 1, MPIU_REAL, MPI_MAX, comm));
  if (making.largest <= PETSC_MAX_REAL) (void)frexp(making.largest, &it->exponent);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCoordinatesDestroy(PsdCoordinates *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(it->z));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCoordinatesOf(const PsdCoordinates *it, size_t first, PetscInt rows, const PetscReal x[],
                                PetscReal work[], const PetscReal **z)
{
  PetscFunctionBeginUser;
  if (!it->z) PetscCall(Make(it, rows, x, work));
  *z = it->z ? it->z + first * it->K : work;
  PetscFunctionReturn(0);
}
