/*
   Inverses X of the triangles L on the diagonal of the Cholesky factor (grid_parts.c), right behind the factor itself:
   block row k by block row,

     X_kj = L_kk^-1 R_kj   (j <= k, R_kk = I),   R_ij -= L_ik X_kj   (i > k >= j),

   from R = 0 on. That is substitution in L X = I, whose residual is as small as that of one right-hand side. What it needs
   of L goes along the rows of the grid as panels of the factor; of its own are X_k, which goes down the columns of the
   grid, and L_kk along one row.
   R takes the place of L: nobody reads panel k when all have it.

   While X_k is on its way the ranks reduce what is left of the matrix. pdtrtri begins when the factor is there, from
   its end, sends what is below each panel to all columns, and sums products along the rows.
*/
#include "grid_inverse.h"
#include "base/base.h"
#include "base/spread.h"
#include "grid_impl.h"
#include <petscblaslapack.h>

void dtrtri_(const char *, const char *, const int *, double *, const int *, int *);

#define CHUNK 4 /* blocks of columns that are multiplied at once */

/* A block row on its way. */
typedef struct {
  PetscInt width;                /* of its block on the diagonal */
  PetscInt first, columns;       /* this rank's columns of its part, up to that block */
  PetscInt row, rows;            /* this rank's rows of its part, behind it */
  PetscBool square;              /* the columns end with the block on the diagonal */
  PetscReal *diagonal, *numbers; /* L_kk, width x width; X_k, width x columns */
  PsdSpread along, down;
} Row;

struct _p_PsdGridInverse {
  Row row[2];
};

/* ---------------------------------------------------------------- memory */

PetscErrorCode PsdGridInverseCreate(PsdGrid it, PsdGridInverse *inverse)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(inverse));
  for (size_t k = 0; k < 2; k++) {
    Row *row = &(*inverse)->row[k];
    PetscCall(
        PetscMalloc2(it->block * it->block, &row->diagonal, (size_t)it->cols.count * (size_t)it->block, &row->numbers));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseDestroy(PsdGridInverse *inverse)
{
  PetscFunctionBeginUser;
  if (!*inverse) PetscFunctionReturn(0);
  for (size_t k = 0; k < 2; k++) PetscCall(PetscFree2((*inverse)->row[k].diagonal, (*inverse)->row[k].numbers));
  PetscCall(PetscFree(*inverse));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a block row's way */

PetscErrorCode PsdGridInverseAnnounce(PsdGrid it, PsdGridInverse inverse, PetscInt k)
{
  PetscFunctionBeginUser;
  Row *row = &inverse->row[k % 2];
  const PetscMPIInt height = it->shape.height, width = it->shape.width;
  const PetscInt behind = PetscMin(it->N, (k + 1) * it->block);
  PetscInt begin, end;
  PsdGridPartWith(it, k * it->block, &begin, &end);
  PetscCall(PsdSpreadEnd(&row->along));
  PetscCall(PsdSpreadEnd(&row->down));
  row->width = behind - k * it->block;
  row->first = PsdCyclicCount(begin, it->block, it->column, width);
  row->columns = PsdCyclicCount(behind, it->block, it->column, width) - row->first;
  row->row = PsdCyclicCount(behind, it->block, it->row, height);
  row->rows = PsdCyclicCount(end, it->block, it->row, height) - row->row;
  row->square = (PetscBool)(k % width == it->column);
  /* under way at once with that of the next row, on a grid of one row: the root of that one is this one's neighbour, which
     hands nothing on, so that both arrive in order */
  if (k % height == it->row)
    PetscCall(PsdSpreadBegin(it->line, (PetscMPIInt)(k % width), PSD_GRID_ON_DIAGONAL, row->width * row->width,
                             row->diagonal, &row->along));
  PetscCall(PsdSpreadBegin(it->file, (PetscMPIInt)(k % height), PSD_GRID_INVERSE,
                           behind < end ? row->width * row->columns : 0, row->numbers, &row->down));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseGive(PsdGridInverse inverse, PetscInt k, const PetscReal diagonal[])
{
  PetscFunctionBeginUser;
  Row *row = &inverse->row[k % 2];
  PetscCall(PetscArraycpy(row->diagonal, diagonal, row->width * row->width));
  PetscCall(PsdSpreadGive(&row->along));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseLook(PsdGridInverse inverse, PetscInt k)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSpreadLook(&inverse->row[k % 2].down));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseAwait(PsdGridInverse inverse, PetscInt k, PetscInt *columns)
{
  PetscFunctionBeginUser;
  Row *row = &inverse->row[k % 2];
  PetscCall(PsdSpreadWait(&row->down));
  *columns = row->columns;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseEnd(PsdGridInverse inverse)
{
  PetscFunctionBeginUser;
  for (size_t k = 0; k < 2; k++) {
    PetscCall(PsdSpreadEnd(&inverse->row[k].along));
    PetscCall(PsdSpreadEnd(&inverse->row[k].down));
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- computing */

/* numbers <- the block row as the factor has it, in columns of length ld, or back */
static PetscErrorCode Copy(Row *row, PetscReal *part, PetscInt ld, PetscBool back)
{
  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < row->columns; j++) {
    PetscReal *numbers = row->numbers + (size_t)j * (size_t)row->width, *entries = part + (size_t)j * (size_t)ld;
    PetscCall(PetscArraycpy(back ? entries : numbers, back ? numbers : entries, row->width));
  }
  PetscFunctionReturn(0);
}

/* X_kj <- L_kk^-1 R_kj of all columns here but those of the block on the diagonal, and its inverse there */
static PetscErrorCode Solve(Row *row)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  const PetscInt left = row->columns - (row->square ? row->width : 0);
  PetscBLASInt width, count, info;
  PetscCall(PetscBLASIntCast(row->width, &width));
  PetscCall(PetscBLASIntCast(left, &count));
  if (count > 0)
    PetscCallBLAS("BLAStrsm",
                  BLAStrsm_("L", "L", "N", "N", &width, &count, &one, row->diagonal, &width, row->numbers, &width));
  if (!row->square) PetscFunctionReturn(0);
  PetscReal *block = row->numbers + (size_t)left * (size_t)row->width;
  PetscCall(PetscArraycpy(block, row->diagonal, row->width * row->width));
  PetscCallBLAS("dtrtri", dtrtri_("L", "N", &width, block, &width, &info));
  /* a zero on the diagonal is that of a matrix that has no factor, as the factor's own check says */
  PetscCheck(info >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dtrtri returned %d", (int)info);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseMake(PsdGrid it, PsdGridInverse inverse, PetscInt k)
{
  PetscFunctionBeginUser;
  Row *row = &inverse->row[k % 2];
  if (k % it->shape.height != it->row) PetscFunctionReturn(0);
  PetscReal *part = it->factor + (size_t)row->first * (size_t)it->rows.count + row->row - row->width;
  PetscCall(PsdSpreadWait(&row->along));
  PetscCall(Copy(row, part, it->rows.count, PETSC_FALSE));
  PetscCall(Solve(row));
  PetscCall(Copy(row, part, it->rows.count, PETSC_TRUE));
  PetscCall(PsdSpreadGive(&row->down));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGridInverseSubtract(PsdGrid it, PsdGridInverse inverse, PetscInt k, PetscInt from,
                                      const PetscReal of_rows[], PetscInt ld, PetscInt *next)
{
  PetscFunctionBeginUser;
  const PetscReal minus = -1, one = 1;
  const Row *row = &inverse->row[k % 2];
  PetscReal *part = it->factor + (size_t)(row->first + from) * (size_t)it->rows.count + row->row;
  PetscBLASInt rows, columns, width, ld_rows, ld_part;
  *next = PetscMin(row->columns, from + CHUNK * it->block);
  if (row->rows == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(row->rows, &rows));
  PetscCall(PetscBLASIntCast(*next - from, &columns));
  PetscCall(PetscBLASIntCast(row->width, &width));
  PetscCall(PetscBLASIntCast(ld, &ld_rows));
  PetscCall(PetscBLASIntCast(it->rows.count, &ld_part));
  /* L_ik is where R_ik begins */
  for (PetscInt j = PetscMax(from, row->columns - row->width); row->square && j < *next; j++)
    PetscCall(PetscArrayzero(part + (size_t)(j - from) * (size_t)it->rows.count, row->rows));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &rows, &columns, &width, &minus, of_rows, &ld_rows,
                                      row->numbers + (size_t)from * (size_t)row->width, &width, &one, part, &ld_part));
  PetscFunctionReturn(0);
}
