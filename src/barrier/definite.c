/*
   Cholesky with a diagonal that is scaled to 1 and shifted where rounding asks for it. The lower triangle keeps what the
   upper one was, for another try.
*/
#include "definite.h"
#include <petscblaslapack.h>

#define GROWTH 10 /* of the shift, from try to try */

PetscErrorCode PsdDefiniteCreate(PetscInt most, PsdDefinite *matrix)
{
  PetscFunctionBeginUser;
  *matrix = (PsdDefinite){.order = most};
  PetscCall(PetscMalloc2((size_t)most * most, &matrix->A, most, &matrix->scale));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDefiniteDestroy(PsdDefinite *matrix)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(matrix->A, matrix->scale));
  PetscFunctionReturn(0);
}

/* In units that make the diagonal 1, both triangles. */
static void Scale(PsdDefinite *it)
{
  const size_t n = (size_t)it->order;
  for (size_t k = 0; k < n; k++) {
    const PetscReal diagonal = it->A[k * n + k];
    it->scale[k] = diagonal > 0 ? 1 / PetscSqrtReal(diagonal) : 1;
  }
  for (size_t column = 0; column < n; column++)
    for (size_t row = 0; row < column; row++)
      it->A[row * n + column] = it->A[column * n + row] *= it->scale[row] * it->scale[column];
}

static void Restore(PsdDefinite *it)
{
  const size_t n = (size_t)it->order;
  for (size_t column = 0; column < n; column++) {
    for (size_t row = 0; row < column; row++) it->A[column * n + row] = it->A[row * n + column];
    it->A[column * n + column] = 1 + it->shift;
  }
}

PetscErrorCode PsdDefiniteFactor(PsdDefinite *it, PetscInt order, PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscBLASInt n, info = 1;
  it->order = order;
  PetscCall(PetscBLASIntCast(order, &n));
  Scale(it);
  for (it->shift = 4 * PETSC_MACHINE_EPSILON * (PetscReal)order; info != 0 && it->shift <= 1; it->shift *= GROWTH) {
    Restore(it);
    if (n > 0) PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &n, it->A, &n, &info));
    else info = 0;
  }
  PetscCall(PetscLogFlops((PetscLogDouble)order * order * order / 3));
  *done = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDefiniteSolve(const PsdDefinite *it, PetscInt columns, PetscReal X[])
{
  PetscFunctionBeginUser;
  PetscBLASInt n, count, info = 0;
  PetscCall(PetscBLASIntCast(it->order, &n));
  PetscCall(PetscBLASIntCast(columns, &count));
  if (n == 0 || count == 0) PetscFunctionReturn(0);
  for (PetscInt j = 0; j < columns; j++)
    for (PetscInt k = 0; k < it->order; k++) X[(size_t)j * it->order + k] *= it->scale[k];
  PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("U", &n, &count, it->A, &n, X, &n, &info));
  for (PetscInt j = 0; j < columns; j++)
    for (PetscInt k = 0; k < it->order; k++) X[(size_t)j * it->order + k] *= it->scale[k];
  PetscFunctionReturn(0);
}
