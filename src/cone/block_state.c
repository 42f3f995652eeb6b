/*
   What a projection leaves of one block: the factor F of Z = F F', made of a complete decomposition or by a kernel, and its
   svec. Kernels and the interface share it.
*/
#include "cone_impl.h"
#include <petscblaslapack.h>

PetscErrorCode PsdBlockStateReserve(PsdBlockState *state, PetscInt rank)
{
  PetscFunctionBeginUser;
  const size_t numbers = (size_t)state->d * rank;
  if (numbers <= state->room && state->F) PetscFunctionReturn(0);
  PetscCall(PetscFree(state->F));
  PetscCall(PetscMalloc1(PetscMax(1, numbers), &state->F));
  state->room = numbers;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeTakeDecomposition(PsdBlockState *state, PetscInt negative, const PetscReal lambda[],
                                        const PetscReal V[])
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d;
  PetscCall(PsdBlockStateReserve(state, d - negative));
  state->rank_Z = d - negative;
  for (PetscInt k = 0; k < state->rank_Z; k++) {
    const PetscReal scale = PetscSqrtReal(PetscMax(0, lambda[negative + k]));
    const PetscReal *v = V + (size_t)(negative + k) * d;
    for (PetscInt i = 0; i < d; i++) state->F[(size_t)k * d + i] = scale * v[i];
  }
  state->kept = 0; /* a partial projection starts from F */
  state->columns = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConePackProduct(PsdCone cone, PetscInt d, PetscInt rank, const PetscReal F[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscReal *panel = cone->panel;
  PetscBLASInt rows, width, terms, ld;
  if (rank == 0) {
    PetscCall(PetscArrayzero(z, (size_t)d * (d + 1) / 2));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(d, &ld));
  PetscCall(PetscBLASIntCast(rank, &terms));
  for (PetscInt first = 0; first < d; first += PSD_CONE_PANEL) {
    width = (PetscBLASInt)PetscMin(PSD_CONE_PANEL, d - first);
    rows = (PetscBLASInt)first + width;
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "T", &rows, &width, &terms, &one, F, &ld, F + first, &ld, &zero, panel, &rows));
    for (PetscInt j = 0; j < width; j++) {
      const PetscInt column = first + j;
      const PetscReal *restrict from = panel + (size_t)j * rows;
      for (PetscInt i = 0; i < column; i++) z[i] = PETSC_SQRT2 * from[i];
      z[column] = from[column];
      z += column + 1;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlockStateDestroy(PsdBlockState *state)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(state->V));
  PetscCall(PetscFree(state->proof.x));
  PetscCall(PetscFree(state->F));
  PetscCall(PetscFree(state->Z));
  PetscFunctionReturn(0);
}
