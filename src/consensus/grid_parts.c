/*
   Solves with the factor L of a distributed matrix, part by part.

   Rows and columns are cut into p parts, and the triangles on the diagonal, L_kk, are inverted with each factorisation
   (grid_inverse.c). Then
   L y = b and L'x = y are p steps each, of products that all ranks take part in:

     y_k = L_kk^-1 (b_k - sum over j < k of L_kj y_j),    x_k = L_kk^-T (y_k - sum over j > k of L_jk' x_j).

   With one part that is x = L^-T (L^-1 b), at the cost of the whole inverse, N^3/3 flops; p parts take N^3/(3 p^2), and
   two sums over a row or column of the grid more in each step.

   A vector is known by the rows that a rank's parts have, or by its columns; what products give are shares of it, to be
   summed up over the ranks of a row of the grid, or of a column.
*/
#include "grid_impl.h"
#include "base/base.h"

/*
   The flops of the inverses of three factorisations, at 0.8 of 40 GFLOP/s, and a dozen messages a part, 68
   microseconds, in each of ninety solves are least together at p = N/(460 R^(1/3)). The least is flat: with N = 4,900
   on 64 ranks three factorisations and 66 solves are simulated to take 0.176, 0.132, 0.125 and 0.123 s with one to
   four parts, on 128 ranks 0.152, 0.122, 0.124 and 0.123 (jobs/scaling). On more ranks p is what it is for 64, as
   block rows of the inverses give a p-th of the numbers: on 1,024 ranks three parts take 0.104 s and one 0.151,
   without what solves compute. Four parts leave a sixteenth of the inverse, and on few ranks nothing is gained by
   more; of large matrices up to eight parts of 2,500 columns or more are worth their messages.
*/
#define PART_ORDER 460
#define FEW_RANKS 64.
#define FEW_PARTS 4
#define MOST_PARTS 8
#define LEAST_ORDER 2500 /* of more parts than a few */

PetscInt PsdGridPartsOf(PetscReal N, PetscReal ranks)
{
  const PetscInt parts = (PetscInt)(N / (PART_ORDER * PetscPowReal(PetscMin(ranks, FEW_RANKS), 1. / 3)) + 0.5);
  const PetscInt most = (PetscInt)PetscMin(MOST_PARTS, N / LEAST_ORDER);
  return PetscMax(1, PetscMin(PetscMax(FEW_PARTS, most), parts));
}

/* ---------------------------------------------------------------- parts */

/* Where part k begins in the matrix; it begins with a block. */
static PetscInt Begin(PsdGrid it, PetscInt k)
{
  const PetscInt blocks = (it->N + it->block - 1) / it->block;
  return PetscMin(it->N, (PetscInt)((PetscInt64)blocks * k / it->parts) * it->block);
}

void PsdGridPartWith(PsdGrid it, PetscInt row, PetscInt *begin, PetscInt *end)
{
  PetscInt k = 0;
  while (Begin(it, k + 1) <= row) k++;
  *begin = Begin(it, k);
  *end = Begin(it, k + 1);
}

/* One of the two ways in which a rank knows a vector: by the blocks with number mod places = at. */
typedef struct {
  PetscMPIInt at, places;
  PetscInt count; /* numbers here */
} Axis;

static Axis Rows(PsdGrid it)
{
  return (Axis){it->row, it->shape.height, it->rows.count};
}

static Axis Columns(PsdGrid it)
{
  return (Axis){it->column, it->shape.width, it->cols.count};
}

/* Numbers first .. first + count - 1 here are those of part k. */
typedef struct {
  PetscInt first, count;
} Range;

static Range PartOf(PsdGrid it, const Axis *axis, PetscInt k)
{
  const PetscInt first = PsdCyclicCount(Begin(it, k), it->block, axis->at, axis->places);
  return (Range){first, PsdCyclicCount(Begin(it, k + 1), it->block, axis->at, axis->places) - first};
}

/* packed <- a range of all right-hand sides, or back. */
static PetscErrorCode Pack(PsdGrid it, const Axis *axis, Range range, PetscReal x[], PetscBool pack)
{
  PetscFunctionBeginUser;
  for (PetscInt t = 0; t < it->rhs; t++) {
    PetscReal *numbers = x + (size_t)t * (size_t)axis->count + range.first,
              *packed = it->packed + (size_t)t * (size_t)range.count;
    PetscCall(PetscArraycpy(pack ? packed : numbers, pack ? numbers : packed, range.count));
  }
  PetscFunctionReturn(0);
}

/* A part of x <- its sum over comm, the `ranks` ranks that know the same numbers. */
static PetscErrorCode SumPart(PsdGrid it, MPI_Comm comm, PetscMPIInt ranks, const Axis *axis, PetscInt k, PetscReal x[])
{
  PetscFunctionBeginUser;
  if (ranks == 1) PetscFunctionReturn(0);
  const Range range = PartOf(it, axis, k);
  PetscCall(Pack(it, axis, range, x, PETSC_TRUE));
  PetscCall(PsdSumArray(comm, MPIU_REAL, (size_t)range.count * (size_t)it->rhs, it->packed));
  PetscCall(Pack(it, axis, range, x, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* Block J's numbers of x, all right-hand sides, to `packed`, or back. */
static PetscErrorCode PackBlock(PsdGrid it, const Axis *axis, PetscInt J, PetscReal packed[], PetscReal x[],
                                PetscBool pack)
{
  PetscFunctionBeginUser;
  const PetscInt first = PsdCyclicCount(J * it->block, it->block, axis->at, axis->places);
  const PetscInt rows = PetscMin(it->block, it->N - J * it->block);
  for (PetscInt t = 0; t < it->rhs; t++) {
    PetscReal *numbers = x + (size_t)t * (size_t)axis->count + first, *at = packed + (size_t)t * (size_t)rows;
    PetscCall(PetscArraycpy(pack ? at : numbers, pack ? numbers : at, rows));
  }
  PetscFunctionReturn(0);
}

/* The blocks of part k that this rank knows by axis `to`, and that rank `root` of comm knows by the other one, to `packed` and
   from there; *length: numbers. */
static PetscErrorCode PackCommon(PsdGrid it, PetscMPIInt root, const Axis *from, const Axis *to, PetscInt k,
                                 const Axis *axis, PetscReal x[], PetscBool pack, size_t *length)
{
  PetscFunctionBeginUser;
  const PetscInt first = Begin(it, k) / it->block, end = (Begin(it, k + 1) + it->block - 1) / it->block;
  *length = 0;
  for (PetscInt J = first; J < end; J++) {
    if (J % to->places != to->at || J % from->places != root) continue;
    if (axis) PetscCall(PackBlock(it, axis, J, it->packed + *length, x, pack));
    *length += (size_t)(PetscMin(it->block, it->N - J * it->block) * it->rhs);
  }
  PetscFunctionReturn(0);
}

/* Part k of y, by `to`, <- that of x, by `from`; comm: the ranks with the same place on `to`, numbered by theirs on `from`. */
static PetscErrorCode HandOver(PsdGrid it, MPI_Comm comm, const Axis *from, PetscReal x[], const Axis *to,
                               PetscReal y[], PetscInt k)
{
  PetscFunctionBeginUser;
  for (PetscMPIInt root = 0; root < from->places; root++) {
    size_t length;
    PetscCall(PackCommon(it, root, from, to, k, root == from->at ? from : NULL, x, PETSC_TRUE, &length));
    if (length == 0) continue;
    if (from->places > 1) PetscCall(PsdBroadcastArrayFrom(comm, root, MPIU_REAL, length, it->packed));
    PetscCall(PackCommon(it, root, from, to, k, to, y, PETSC_FALSE, &length));
  }
  PetscFunctionReturn(0);
}

static void SubtractPart(PsdGrid it, const Axis *axis, PetscInt k, PetscReal x[], const PetscReal y[])
{
  const Range range = PartOf(it, axis, k);
  for (PetscInt t = 0; t < it->rhs; t++)
    for (PetscInt i = t * axis->count + range.first; i < t * axis->count + range.first + range.count; i++) x[i] -= y[i];
}

/* ---------------------------------------------------------------- products with the factor */

/* out += this rank's share of L_kk^-1 in, or of its transpose, block by block so that the zeros above the diagonal are left
   out. rows, columns: vectors by rows and by columns; the transpose takes rows to columns. */
static PetscErrorCode AddDiagonal(PsdGrid it, PetscInt k, PetscBool transposed, PetscReal rows[], PetscReal columns[])
{
  PetscFunctionBeginUser;
  const Axis by_rows = Rows(it), by_columns = Columns(it);
  const Range here = PartOf(it, &by_columns, k), down = PartOf(it, &by_rows, k);
  for (PetscInt c = here.first; c < here.first + here.count; c += it->block) {
    const PsdGridBlock block = PsdGridBlockAt(it, c);
    const PetscInt below = down.first + down.count - block.diagonal;
    const PetscReal *part = it->factor + (size_t)c * (size_t)by_rows.count + block.diagonal;
    PetscReal *of_rows = rows + block.diagonal, *of_columns = columns + c;
    if (transposed)
      PetscCall(PsdGridAddProduct(it, PETSC_TRUE, block.width, below, part, by_rows.count, of_rows, by_rows.count,
                                  of_columns, by_columns.count));
    else
      PetscCall(PsdGridAddProduct(it, PETSC_FALSE, below, block.width, part, by_rows.count, of_columns,
                                  by_columns.count, of_rows, by_rows.count));
  }
  PetscFunctionReturn(0);
}

/* rows of the parts after k += this rank's share of what is below L_kk times part k of columns */
static PetscErrorCode AddBelow(PsdGrid it, PetscInt k, PetscReal rows[], const PetscReal columns[])
{
  PetscFunctionBeginUser;
  const Axis by_rows = Rows(it), by_columns = Columns(it);
  const Range here = PartOf(it, &by_columns, k), down = PartOf(it, &by_rows, k);
  const PetscInt end = down.first + down.count;
  PetscCall(PsdGridAddProduct(it, PETSC_FALSE, by_rows.count - end, here.count,
                              it->factor + (size_t)here.first * (size_t)by_rows.count + end, by_rows.count,
                              columns + here.first, by_columns.count, rows + end, by_rows.count));
  PetscFunctionReturn(0);
}

/* columns of the parts before k += this rank's share of the transpose of what is left of L_kk times part k of rows */
static PetscErrorCode AddLeft(PsdGrid it, PetscInt k, const PetscReal rows[], PetscReal columns[])
{
  PetscFunctionBeginUser;
  const Axis by_rows = Rows(it), by_columns = Columns(it);
  const Range here = PartOf(it, &by_columns, k), down = PartOf(it, &by_rows, k);
  PetscCall(PsdGridAddProduct(it, PETSC_TRUE, here.first, down.count, it->factor + down.first, by_rows.count,
                              rows + down.first, by_rows.count, columns, by_columns.count));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- solves */

/* y by rows <- L^-1 b, b by columns and overwritten; sum by rows, unused by columns: work space. */
static PetscErrorCode Forward(PsdGrid it, PetscReal b[], PetscReal y[], PetscReal sum[], PetscReal work[])
{
  PetscFunctionBeginUser;
  const Axis rows = Rows(it), columns = Columns(it);
  PetscCall(PetscArrayzero(y, rows.count * it->rhs));
  PetscCall(PetscArrayzero(sum, rows.count * it->rhs));
  for (PetscInt k = 0; k < it->parts; k++) {
    if (k > 0) {
      PetscCall(SumPart(it, it->line, columns.places, &rows, k, sum));
      PetscCall(HandOver(it, it->file, &rows, sum, &columns, work, k));
      SubtractPart(it, &columns, k, b, work);
    }
    PetscCall(AddDiagonal(it, k, PETSC_FALSE, y, b));
    PetscCall(SumPart(it, it->line, columns.places, &rows, k, y));
    if (k == it->parts - 1) break;
    PetscCall(HandOver(it, it->file, &rows, y, &columns, work, k));
    PetscCall(AddBelow(it, k, sum, work));
  }
  PetscFunctionReturn(0);
}

/* x by columns <- L^-T y, y by rows and overwritten; of the first part shares. sum by columns, work by rows. */
static PetscErrorCode Backward(PsdGrid it, PetscReal y[], PetscReal x[], PetscReal sum[], PetscReal work[])
{
  PetscFunctionBeginUser;
  const Axis rows = Rows(it), columns = Columns(it);
  PetscCall(PetscArrayzero(x, columns.count * it->rhs));
  PetscCall(PetscArrayzero(sum, columns.count * it->rhs));
  for (PetscInt k = it->parts - 1; k >= 0; k--) {
    if (k < it->parts - 1) {
      PetscCall(SumPart(it, it->file, rows.places, &columns, k, sum));
      PetscCall(HandOver(it, it->line, &columns, sum, &rows, work, k));
      SubtractPart(it, &rows, k, y, work);
    }
    PetscCall(AddDiagonal(it, k, PETSC_TRUE, y, x));
    if (k == 0) break;
    PetscCall(SumPart(it, it->file, rows.places, &columns, k, x));
    PetscCall(HandOver(it, it->line, &columns, x, &rows, work, k));
    PetscCall(AddLeft(it, k, work, sum));
  }
  PetscFunctionReturn(0);
}

/* What is summed up is to be counted once, in the first row of the grid. */
static PetscErrorCode KeepOnce(PsdGrid it, PetscReal x[])
{
  PetscFunctionBeginUser;
  const Axis columns = Columns(it);
  const Range first = PartOf(it, &columns, 0);
  for (PetscInt t = 0; t < it->rhs && it->row > 0; t++)
    PetscCall(PetscArrayzero(x + (size_t)t * (size_t)columns.count + first.count, columns.count - first.count));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridSolveParts(PsdGrid it)
{
  PetscFunctionBeginUser;
  PetscReal *row_x, *row_y, *column_x, *column_y;
  if (it->row < 0) PetscFunctionReturn(0);
  PetscCall(VecGetArray(it->rows.x, &row_x));
  PetscCall(VecGetArray(it->rows.y, &row_y));
  PetscCall(VecGetArray(it->cols.x, &column_x));
  PetscCall(VecGetArray(it->cols.y, &column_y));
  PetscCall(Forward(it, column_x, row_y, row_x, column_y));
  PetscCall(Backward(it, row_y, column_x, column_y, row_x));
  PetscCall(KeepOnce(it, column_x));
  PetscCall(VecRestoreArray(it->cols.y, &column_y));
  PetscCall(VecRestoreArray(it->cols.x, &column_x));
  PetscCall(VecRestoreArray(it->rows.y, &row_y));
  PetscCall(VecRestoreArray(it->rows.x, &row_x));
  PetscFunctionReturn(0);
}
