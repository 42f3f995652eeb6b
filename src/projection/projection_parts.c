/*
   What the methods of the projection do with parts of symmetric matrices: mirror the lower triangle, sum squares, add U U'.
*/
#include "projection_impl.h"
#include "base/base.h"
#include <petscblaslapack.h>

void pdtran_(const int *, const int *, const double *, const double *, const int *, const int *, const int *,
             const double *, double *, const int *, const int *, const int *);

PetscErrorCode PsdProjectionMirror(PsdProjection it, PetscReal part[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const int order = (int)layout->order, one = 1;
  const double plus = 1, zero = 0;
  if (layout->row < 0) PetscFunctionReturn(0);
  pdtran_(&order, &order, &plus, part, &one, &one, layout->description, &zero, it->work, &one, &one,
          layout->description);
  for (PetscInt k = 0; k < layout->columns; k++) {
    const size_t at = (size_t)k * (size_t)layout->rows;
    PetscCall(PetscArraycpy(part + at, it->work + at, PsdLayoutRowsBefore(layout, PsdLayoutColumn(layout, k))));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionSquare(PsdProjection it, const PetscReal part[], PetscReal *square)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  *square = 0;
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscReal *column = part + (size_t)k * (size_t)layout->rows;
    const PetscInt diagonal = PsdLayoutDiagonal(layout, k);
    PetscReal below = 0;
    for (PetscInt i = PsdLayoutRowsBefore(layout, PsdLayoutColumn(layout, k)); i < layout->rows; i++)
      below += column[i] * column[i];
    *square += 2 * below - (diagonal >= 0 ? column[diagonal] * column[diagonal] : 0);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, square, 1, MPIU_REAL, MPI_SUM, layout->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionAddProduct(PsdProjection it, PetscInt number, const PetscReal s[], const PetscReal U[],
                                       PetscReal C[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const PetscReal one = 1;
  PetscBLASInt rows, columns, terms;
  if (number == 0) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < number; k++)
    for (size_t i = (size_t)k * (size_t)it->rows; i < (size_t)(k + 1) * (size_t)it->rows; i++)
      it->AU[i] = PetscSqrtReal(s[k]) * U[i];
  PetscCall(PsdLayoutVectorsToRows(it->vectors, number, it->AU, it->of_rows));
  PetscCall(PsdLayoutVectorsToColumns(it->vectors, number, it->AU, it->of_columns));
  PetscCall(PetscBLASIntCast(layout->rows, &rows));
  PetscCall(PetscBLASIntCast(layout->columns, &columns));
  PetscCall(PetscBLASIntCast(number, &terms));
  if (rows > 0 && columns > 0)
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &rows, &columns, &terms, &one, it->of_rows, &rows, it->of_columns,
                                        &columns, &one, C, &rows));
  PetscCall(PetscLogFlops(2.0 * (PetscLogDouble)layout->numbers * number));
  PetscFunctionReturn(0);
}
