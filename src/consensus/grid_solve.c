/*
   Solves and products with the distributed matrix.

   A rank's part meets the numbers of a vector that belong to its columns, and gives numbers that belong to its rows, or
   the other way round with its transpose. Both are brought from the ranks that hold the vector, and back (grid_sides.c).
*/
#include "grid_impl.h"
#include "base/base.h"

void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);
void pdpotrs_(const char *, const int *, const int *, double *, const int *, const int *, const int *, double *,
              const int *, const int *, const int *, int *);

/* ---------------------------------------------------------------- solves */

/* pdpotrs with all right-hand sides in the first column of the grid */
static PetscErrorCode SolveByFactor(PsdGrid it)
{
  PetscFunctionBeginUser;
  const int N = (int)it->N, rhs = (int)it->rhs, block = (int)it->block, zero = 0, one = 1,
            ld = (int)PetscMax(1, it->rows.count);
  int description[9], info;
  PetscReal *x;
  if (it->row < 0) PetscFunctionReturn(0);
  descinit_(description, &N, &rhs, &block, &rhs, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscCall(VecGetArray(it->rows.x, &x));
  pdpotrs_("L", &N, &rhs, it->factor, &one, &one, it->description, x, &one, &one, description, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "pdpotrs returned %d", info);
  if (it->column > 0) PetscCall(PetscArrayzero(x, it->rows.count * it->rhs));
  PetscCall(VecRestoreArray(it->rows.x, &x));
  PetscCall(PetscLogFlops(2.0 * N * (PetscLogDouble)N * rhs / it->shape.used));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSolve(PsdGrid it, PetscReal x[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGridGather(it, x, it->inverse ? &it->cols : &it->rows));
  PetscCall(PetscArrayzero(x, it->columns * it->rhs));
  if (it->inverse) {
    PetscCall(PsdGridSolveParts(it));
    PetscCall(PsdGridAddUp(it, &it->cols, it->cols.x, x));
  } else {
    PetscCall(SolveByFactor(it));
    PetscCall(PsdGridAddUp(it, &it->rows, it->rows.x, x));
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the matrix itself */

/* The block on the diagonal, width x width, both triangles of it: what is above the diagonal is not to be read. */
static void Square(const PetscReal *part, PetscInt ld, PetscInt width, PetscReal square[])
{
  for (PetscInt j = 0; j < width; j++)
    for (PetscInt i = j; i < width; i++)
      square[j * width + i] = square[i * width + j] = part[(size_t)j * (size_t)ld + i];
}

/* With B a block strictly below the diagonal: y_rows += B x_cols, y_cols += B' x_rows. */
static PetscErrorCode MultiplyParts(PsdGrid it, const PetscReal x_rows[], const PetscReal x_cols[], PetscReal y_rows[],
                                    PetscReal y_cols[])
{
  PetscFunctionBeginUser;
  const PetscInt rows = it->rows.count, cols = it->cols.count;
  PetscReal *square;
  PetscCall(PetscMalloc1(it->block * it->block, &square));
  for (PetscInt k = 0; k < cols; k += it->block) {
    const PsdGridBlock block = PsdGridBlockAt(it, k);
    const PetscInt width = block.width, first = block.diagonal + (block.square ? width : 0), below = rows - first;
    const PetscReal *part = it->matrix + (size_t)k * (size_t)rows;
    if (block.square) {
      Square(part + block.diagonal, rows, width, square);
      PetscCall(PsdGridAddProduct(it, PETSC_FALSE, width, width, square, width, x_cols + k, cols, y_cols + k, cols));
    }
    PetscCall(
        PsdGridAddProduct(it, PETSC_TRUE, width, below, part + first, rows, x_rows + first, rows, y_cols + k, cols));
    PetscCall(
        PsdGridAddProduct(it, PETSC_FALSE, below, width, part + first, rows, x_cols + k, cols, y_rows + first, rows));
  }
  PetscCall(PetscFree(square));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridMultiply(PsdGrid it, const PetscReal x[], PetscReal y[])
{
  PetscFunctionBeginUser;
  const PetscReal *x_rows, *x_cols;
  PetscReal *y_rows, *y_cols;
  PetscCall(PsdGridGather(it, x, &it->rows));
  PetscCall(PsdGridGather(it, x, &it->cols));
  PetscCall(VecSet(it->rows.y, 0));
  PetscCall(VecSet(it->cols.y, 0));
  PetscCall(VecGetArrayRead(it->rows.x, &x_rows));
  PetscCall(VecGetArrayRead(it->cols.x, &x_cols));
  PetscCall(VecGetArray(it->rows.y, &y_rows));
  PetscCall(VecGetArray(it->cols.y, &y_cols));
  PetscCall(MultiplyParts(it, x_rows, x_cols, y_rows, y_cols));
  PetscCall(VecRestoreArray(it->cols.y, &y_cols));
  PetscCall(VecRestoreArray(it->rows.y, &y_rows));
  PetscCall(VecRestoreArrayRead(it->cols.x, &x_cols));
  PetscCall(VecRestoreArrayRead(it->rows.x, &x_rows));
  PetscCall(PetscArrayzero(y, it->columns * it->rhs));
  PetscCall(PsdGridAddUp(it, &it->rows, it->rows.y, y));
  PetscCall(PsdGridAddUp(it, &it->cols, it->cols.y, y));
  PetscFunctionReturn(0);
}
