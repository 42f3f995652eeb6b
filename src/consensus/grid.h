/*
   A symmetric positive definite matrix spread over all ranks, with ScaLAPACK: what the distributed consensus kernels
   share. Only the lower triangle is stored and read.

   The ranks form a grid of H x W, as near to a square as their number allows, and blocks of the matrix are dealt out in
   turn along both axes: block (I, J) is on the rank in row I mod H and column J mod W. So a factorisation or a product
   moves numbers in proportion to N^2/sqrt(R) and N/sqrt(R) on each rank. Rank r is in row r / W and column r mod W.

   Vectors are dealt out along one axis: block J is on rank J mod (H W).
*/
#ifndef PSD_GRID_PRIVATE_H
#define PSD_GRID_PRIVATE_H

#include "base/grid_shape.h"
#include "cost/cost.h"
#include <petscvec.h>

/* Ranks of one node whose parts have the same rows, or the same columns: of a vector each fetches a share for all of them. */
typedef struct {
  MPI_Comm comm;
  PetscMPIInt size;
  PetscMPIInt *length, *start; /* of each one's share among those of all, numbers of all right-hand sides */
  PetscInt *place;             /* rows of the side, share after share */
  Vec share;                   /* of this rank: its rows x right-hand sides, by columns */
} * PsdGridTeam;

/* Rows or columns of the parts on the grid, as vectors have them. */
typedef struct {
  PetscInt count;    /* here */
  Vec x, y;          /* count x the grid's right-hand sides, by columns, on this rank alone */
  PsdGridTeam team;  /* NULL: this rank fetches what it wants */
  VecScatter gather; /* from the rows of a vector to x or y, or to the share of the team */
} PsdGridSide;

typedef struct _p_PsdGridCholesky *PsdGridCholesky; /* grid_cholesky.h */

typedef struct _p_PsdGrid {
  MPI_Comm comm, line, file; /* line: the ranks of this rank's row of the grid; file: of its column */
  PetscInt N, block;
  PetscInt rhs;     /* right-hand sides of a product or solve */
  PetscInt columns; /* rows of a vector here */
  PsdGridShape shape;
  PetscMPIInt rank, row, column;       /* row, column: below 0 on ranks that are left out */
  int handle, context, description[9]; /* BLACS' */
  PetscReal *matrix; /* rows.count x cols.count by columns; on and below the diagonal, the rest is not read */
  PetscReal *factor; /* L, zero above the diagonal; */
  PetscBool inverse; /* the triangles on its diagonal are inverted, ... */
  PetscInt parts;    /* ... which are so many (grid_parts.c) */
  PsdGridCholesky cholesky;
  PsdGridSide rows, cols;
  PetscReal *packed; /* room for one side's numbers */
  Vec vector;        /* columns x rhs here, by columns: takes the place of the caller's */
} * PsdGrid;

/* PsdGridCreate - without memory for the matrix. rhs: right-hand sides; node: of each rank, NULL for what PsdNodesFind says.
   Collective. Errors (PSD_ERR_INPUT): ScaLAPACK cannot count it. */
PetscErrorCode PsdGridCreate(MPI_Comm comm, PetscInt N, PetscInt block, const PsdGridShape *shape, PetscInt rhs,
                             const PetscMPIInt node[], PsdGrid *grid);

/* PsdGridAllocate - matrix, zero, for the caller to fill on and below the diagonal. Collective.
   Errors (PSD_ERR_INPUT): no memory for it. */
PetscErrorCode PsdGridAllocate(PsdGrid grid);

/* PsdGridTrace - of the matrix, on all ranks. Collective. */
PetscErrorCode PsdGridTrace(PsdGrid grid, PetscReal *trace);

/* Global number of row `local` of this rank's part of a vector. */
static inline PetscInt PsdGridColumn(const struct _p_PsdGrid *grid, PetscInt local)
{
  return PsdCyclicNumber(local, grid->block, grid->rank, grid->shape.used);
}

/* PsdGridFactor - Cholesky factor of matrix + shift I; inverted part by part when trace < 1e8 shift (see grid.c). Collective. */
PetscErrorCode PsdGridFactor(PsdGrid grid, PetscReal trace, PetscReal shift);

/* PsdGridSolve - x <- (matrix + shift I)^-1 x. x: this rank's rows, columns x rhs by columns. Collective. */
PetscErrorCode PsdGridSolve(PsdGrid grid, PetscReal x[]);

/* PsdGridMultiply - y <- matrix x, same layout. x and y differ. Collective. */
PetscErrorCode PsdGridMultiply(PsdGrid grid, const PetscReal x[], PetscReal y[]);

PetscErrorCode PsdGridDestroy(PsdGrid *grid);

/* PsdGridPartsOf - parts of the factor that are inverted, on so many ranks. Not collective. */
PetscInt PsdGridPartsOf(PetscReal N, PetscReal ranks);

/* PsdGridFactorCost, PsdGridSolveCost, PsdGridMultiplyCost - of a matrix of order N on a grid of that shape, per_node ranks of it
   on a node, with so many right-hand sides. PsdGridVectorBytes - of what products hold of vectors. Not collective. */
PsdCost PsdGridFactorCost(PetscReal N, const PsdGridShape *shape, const PsdRates *rates);
PsdCost PsdGridSolveCost(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node,
                         const PsdRates *rates);
PsdCost PsdGridMultiplyCost(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node,
                            const PsdRates *rates);
PetscReal PsdGridVectorBytes(PetscReal N, PetscReal rhs, const PsdGridShape *shape, PetscInt per_node);

#endif
