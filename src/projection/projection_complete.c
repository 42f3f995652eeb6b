/*
   The complete projection: all eigenpairs of A, and of these the products that are fewer, Z = V+ L+ V+' or Z = A + V- |L-| V-'.
*/
#include "projection_impl.h"
#include "base/base.h"
#include "base/eigen.h"

void pdsyrk_(const char *, const char *, const int *, const int *, const double *, const double *, const int *,
             const int *, const int *, const double *, double *, const int *, const int *, const int *);

static PetscErrorCode SetUp(PsdProjection it)
{
  PetscFunctionBeginUser;
  if (it->lambda) PetscFunctionReturn(0);
  PetscCall(PsdLayoutEigenCreate(it->layout, &it->eigen));
  PetscCall(PsdLayoutAllocate(it->layout, &it->V));
  PetscCall(PetscMalloc1(it->layout->order, &it->lambda));
  PetscFunctionReturn(0);
}

/* Columns first .. first + count - 1 of V as vectors: each is on the ranks of one column of the grid. */
static PetscErrorCode KeepVectors(PsdProjection it, PetscInt first, PetscInt count)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const size_t rows = layout->rows;
  PetscReal *columns;
  if (!it->start) PetscCall(PetscMalloc1((size_t)it->rows * (size_t)it->most + 1, &it->start));
  PetscCall(PetscCalloc1(rows * (size_t)count + 1, &columns));
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscInt number = PsdLayoutColumn(layout, k) - first;
    if (number >= 0 && number < count)
      PetscCall(PetscArraycpy(columns + (size_t)number * rows, it->V + (size_t)k * rows, layout->rows));
  }
  PetscCall(PsdLayoutVectorsSumRows(it->vectors, count, columns, it->start));
  PetscCall(PetscFree(columns));
  PetscFunctionReturn(0);
}

/* A <- the lower triangle of add A + the sum of |lambda_j| v_j v_j' over those columns, which are overwritten. */
static PetscErrorCode AddPairs(PsdProjection it, PetscReal add, PetscInt first, PetscInt count)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const int order = (int)layout->order, terms = (int)count, one = 1, from = (int)first + 1;
  const double plus = 1;
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscInt number = PsdLayoutColumn(layout, k);
    const PetscReal root = PetscSqrtReal(PetscAbsReal(it->lambda[number]));
    if (number < first || number >= first + count) continue;
    for (PetscInt i = 0; i < layout->rows; i++) it->V[(size_t)k * (size_t)layout->rows + (size_t)i] *= root;
  }
  if (terms == 0 && add == 0) PetscCall(PetscArrayzero(it->A, layout->numbers));
  if (terms > 0 && layout->row >= 0)
    pdsyrk_("L", "N", &order, &terms, &plus, it->V, &one, &from, layout->description, &add, it->A, &one, &one,
            layout->description);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionComplete(PsdProjection it)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->layout->order;
  PetscInt negative = 0, positive = 0;
  PetscBool done;
  PetscCall(SetUp(it));
  PetscCall(PetscArraycpy(it->work, it->A, it->layout->numbers));
  PetscCall(PsdLayoutEigenSolve(it->eigen, 'L', it->work, it->lambda, it->V, &done));
  PetscCheck(done, it->layout->comm, PETSC_ERR_LIB, "pdsyevd failed");
  const PetscReal floor = PsdEigenFloor(d, PetscMax(-it->lambda[0], it->lambda[d - 1]));
  while (negative < d && it->lambda[negative] < -floor) negative++;
  while (positive < d && it->lambda[d - 1 - positive] > floor) positive++;
  const PetscInt side = positive <= negative ? 1 : -1, found = PetscMin(positive, negative);
  const PetscInt first = side > 0 ? d - positive : 0;
  it->result.method = PSD_PROJECTION_COMPLETE;
  it->result.side = side;
  it->result.found = found;
  it->result.residual = it->result.missed = 0;
  it->kept_sign = found <= it->most ? side : 0;
  it->kept = it->kept_sign && it->method != PSD_PROJECTION_COMPLETE ? found : 0;
  if (it->kept > 0) PetscCall(KeepVectors(it, first, found));
  PetscCall(AddPairs(it, side > 0 ? 0 : 1, first, found));
  PetscFunctionReturn(0);
}
