/*
   A square matrix dealt out over the ranks of a communicator as ScaLAPACK wants it: block (I, J) is with the rank in row
   I mod H and column J mod W of a grid that is as near to a square as the number of ranks allows. Rank r is in row r / W
   and column r mod W. A part is rows x columns by columns.
*/
#ifndef PSD_LAYOUT_PRIVATE_H
#define PSD_LAYOUT_PRIVATE_H

#include "grid_shape.h"

typedef struct _p_PsdLayout {
  MPI_Comm comm, line, file; /* line: the ranks of this rank's row of the grid; file: of its column */
  PetscInt order, block;
  PetscInt rows, columns; /* here */
  size_t numbers;         /* of a part: rows x columns */
  PsdGridShape shape;     /* H, W */
  PetscMPIInt rank, row,
      column; /* row, column: below 0 on ranks that the grid leaves out, which have no line and no file */
  int handle, context, description[9]; /* BLACS' */
} * PsdLayout;

/* PsdLayoutCreate - block: 0 for one that suits order and ranks. Collective. Errors (PSD_ERR_INPUT): ScaLAPACK cannot count
   a part. */
PetscErrorCode PsdLayoutCreate(MPI_Comm comm, PetscInt order, PetscInt block, PsdLayout *layout);
PetscErrorCode PsdLayoutDestroy(PsdLayout *layout);

/* PsdLayoutAllocate - a part, zero, to be freed by free(). Collective. Errors (PSD_ERR_INPUT): no memory for it. */
PetscErrorCode PsdLayoutAllocate(PsdLayout layout, PetscReal **part);

/* PsdLayoutDistribute - rank 0's whole matrix, order x order by columns, to parts. PsdLayoutCollect - the way back. Both
   copy all entries; collective. */
PetscErrorCode PsdLayoutDistribute(PsdLayout layout, const PetscReal whole[], PetscReal part[]);
PetscErrorCode PsdLayoutCollect(PsdLayout layout, const PetscReal part[], PetscReal whole[]);

/* PsdLayoutLargest - the largest absolute entry of a triangle, 'U' or 'L', over all ranks; infinite when one is not a number.
   Collective. */
PetscErrorCode PsdLayoutLargest(PsdLayout layout, char triangle, const PetscReal part[], PetscReal *largest);

/* Global numbers of this rank's rows and columns. */
static inline PetscInt PsdLayoutRow(const struct _p_PsdLayout *layout, PetscInt local)
{
  return PsdCyclicNumber(local, layout->block, layout->row, layout->shape.height);
}

static inline PetscInt PsdLayoutColumn(const struct _p_PsdLayout *layout, PetscInt local)
{
  return PsdCyclicNumber(local, layout->block, layout->column, layout->shape.width);
}

/* Rows here before row `number` of the matrix. */
static inline PetscInt PsdLayoutRowsBefore(const struct _p_PsdLayout *layout, PetscInt number)
{
  return PsdCyclicCount(number, layout->block, layout->row, layout->shape.height);
}

/* The place of the diagonal's entry in local column k, or -1 where another rank has it. */
static inline PetscInt PsdLayoutDiagonal(const struct _p_PsdLayout *layout, PetscInt k)
{
  const PetscInt number = PsdLayoutColumn(layout, k), row = PsdLayoutRowsBefore(layout, number);
  return row < layout->rows && PsdLayoutRow(layout, row) == number ? row : -1;
}

/* ---------------------------------------------------------------- eigendecomposition: layout_eigen.c */

typedef struct _p_PsdLayoutEigen *PsdLayoutEigen;

/* PsdLayoutEigenCreate - work space. Collective. Errors (PSD_ERR_INPUT): ScaLAPACK cannot count it, or there is no memory. */
PetscErrorCode PsdLayoutEigenCreate(PsdLayout layout, PsdLayoutEigen *eigen);
/*
   PsdLayoutEigenSolve - all eigenpairs, by divide and conquer (pdsyevd).

   Collective. triangle: 'U' or 'L', what is read of A, which is overwritten. lambda: order numbers, ascending, on all ranks.
   V: the vectors, dealt out like A. *done: false where ScaLAPACK failed, or A is not finite or of a size that it might fail
   at; A is then as it was only in the second case.
*/
PetscErrorCode PsdLayoutEigenSolve(PsdLayoutEigen eigen, char triangle, PetscReal A[], PetscReal lambda[],
                                   PetscReal V[], PetscBool *done);
PetscErrorCode PsdLayoutEigenDestroy(PsdLayoutEigen *eigen);

#endif
