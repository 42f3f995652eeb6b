/*
   Products with the distributed matrix, and vectors between the ranks that hold them and the rows and columns of the grid.

   A rank's part meets the numbers of a vector that belong to its columns, and gives numbers that belong to its rows, or
   the other way round with its transpose. Both are brought from the ranks that hold the vector, and back, where what
   ranks of one row or column of the grid have found is added up.
*/
#include "grid_impl.h"
#include "base/base.h"

void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);
void pdpotrs_(const char *, const int *, const int *, double *, const int *, const int *, const int *, double *,
              const int *, const int *, const int *, int *);

/* ---------------------------------------------------------------- vectors */

/* Where number `row` of the first column of a vector is among the numbers of all ranks, and how far on those of the
   next columns are. start, count: of each rank. */
static PetscInt Place(PsdGrid it, const PetscInt start[], const PetscInt count[], PetscInt row, PetscInt column)
{
  const PetscInt block = row / it->block, rank = block % it->shape.used;
  return start[rank] + column * count[rank] + block / it->shape.used * it->block + row % it->block;
}

static PetscErrorCode SideCreate(PsdGrid it, PetscMPIInt at, PetscMPIInt places, const PetscInt start[],
                                 const PetscInt count[], PsdGridSide *side)
{
  PetscFunctionBeginUser;
  const PetscInt length = side->count * it->rhs;
  PetscInt *from;
  IS from_set, to_set;
  PetscCall(PetscMalloc1(length, &from));
  for (PetscInt t = 0; t < it->rhs; t++)
    for (PetscInt k = 0; k < side->count; k++)
      from[t * side->count + k] = Place(it, start, count, PsdCyclicNumber(k, it->block, at, places), t);
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, length, &side->x));
  PetscCall(VecDuplicate(side->x, &side->y));
  PetscCall(ISCreateGeneral(PETSC_COMM_SELF, length, from, PETSC_OWN_POINTER, &from_set));
  PetscCall(ISCreateStride(PETSC_COMM_SELF, length, 0, 1, &to_set));
  PetscCall(VecScatterCreate(it->vector, from_set, side->x, to_set, &side->gather));
  PetscCall(ISDestroy(&from_set));
  PetscCall(ISDestroy(&to_set));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSidesCreate(PsdGrid it)
{
  PetscFunctionBeginUser;
  const PetscMPIInt used = it->shape.used;
  PetscInt *start, *count, sum = 0;
  PetscCall(PetscMalloc2(used, &start, used, &count));
  for (PetscMPIInt rank = 0; rank < used; rank++) {
    start[rank] = sum;
    count[rank] = PsdGridColumns(it->N, it->block, &it->shape, rank);
    sum += count[rank] * it->rhs;
  }
  PetscCall(VecCreateMPIWithArray(it->comm, 1, it->columns * it->rhs, PETSC_DETERMINE, NULL, &it->vector));
  PetscCall(SideCreate(it, it->row, it->shape.height, start, count, &it->rows));
  PetscCall(SideCreate(it, it->column, it->shape.width, start, count, &it->cols));
  PetscCall(PetscMalloc1((size_t)PetscMax(it->rows.count, it->cols.count) * (size_t)it->rhs + 1, &it->packed));
  PetscCall(PetscFree2(start, count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSidesDestroy(PsdGrid it)
{
  PetscFunctionBeginUser;
  PsdGridSide *const sides[2] = {&it->rows, &it->cols};
  for (size_t k = 0; k < 2; k++) {
    PetscCall(VecDestroy(&sides[k]->x));
    PetscCall(VecDestroy(&sides[k]->y));
    PetscCall(VecScatterDestroy(&sides[k]->gather));
  }
  PetscCall(VecDestroy(&it->vector));
  PetscCall(PetscFree(it->packed));
  PetscFunctionReturn(0);
}

/* side->x <- the numbers of x that it is made of */
static PetscErrorCode Gather(PsdGrid it, const PetscReal x[], PsdGridSide *side)
{
  PetscFunctionBeginUser;
  PetscCall(VecPlaceArray(it->vector, x));
  PetscCall(VecScatterBegin(side->gather, it->vector, side->x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(side->gather, it->vector, side->x, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecResetArray(it->vector));
  PetscFunctionReturn(0);
}

/* x += what all ranks have of it in `part`, side->x or side->y */
static PetscErrorCode AddUp(PsdGrid it, PsdGridSide *side, Vec part, PetscReal x[])
{
  PetscFunctionBeginUser;
  PetscCall(VecPlaceArray(it->vector, x));
  PetscCall(VecScatterBegin(side->gather, part, it->vector, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(side->gather, part, it->vector, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecResetArray(it->vector));
  PetscFunctionReturn(0);
}

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
  PetscCall(Gather(it, x, it->inverse ? &it->cols : &it->rows));
  PetscCall(PetscArrayzero(x, it->columns * it->rhs));
  if (it->inverse) {
    PetscCall(PsdGridSolveParts(it));
    PetscCall(AddUp(it, &it->cols, it->cols.x, x));
  } else {
    PetscCall(SolveByFactor(it));
    PetscCall(AddUp(it, &it->rows, it->rows.x, x));
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
  PetscCall(Gather(it, x, &it->rows));
  PetscCall(Gather(it, x, &it->cols));
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
  PetscCall(AddUp(it, &it->rows, it->rows.y, y));
  PetscCall(AddUp(it, &it->cols, it->cols.y, y));
  PetscFunctionReturn(0);
}
