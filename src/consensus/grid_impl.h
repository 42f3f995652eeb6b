/*
   Inside the distributed matrix, for the files that carry it out.
*/
#ifndef PSD_GRID_IMPL_H
#define PSD_GRID_IMPL_H

#include "grid.h"

/* PsdGridSidesCreate, PsdGridSidesDestroy - grid->rows, grid->cols and grid->vector; node: of each rank, as PsdNodesFind gives
   it. PsdGridGather - side->x <- the numbers of x that it is made of. PsdGridAddUp - x += what all ranks have of it in `part`,
   side->x or side->y. x: rows of a vector, columns x rhs here. grid_sides.c; collective. */
PetscErrorCode PsdGridSidesCreate(PsdGrid grid, const PetscMPIInt node[]);
PetscErrorCode PsdGridSidesDestroy(PsdGrid grid);
PetscErrorCode PsdGridGather(PsdGrid grid, const PetscReal x[], PsdGridSide *side);
PetscErrorCode PsdGridAddUp(PsdGrid grid, PsdGridSide *side, Vec part, PetscReal x[]);

/* A block of this rank's columns, and what it has of them on and below the diagonal. */
typedef struct {
  PetscInt first, width; /* columns here */
  PetscInt diagonal;     /* the first row here that is not above the diagonal of the whole block */
  PetscBool square;      /* rows begin with the block on the diagonal, width x width; else all is below it */
} PsdGridBlock;

/* PsdGridBlockAt - the block that begins with local column `first`. PsdGridAddProduct - out (m x rhs, in columns of length
   ld_out) += A in, or A' in; A: m x k, or k x m, in columns of length ld. grid_blocks.c; not collective. */
PsdGridBlock PsdGridBlockAt(PsdGrid grid, PetscInt first);
PetscErrorCode PsdGridAddProduct(PsdGrid grid, PetscBool transposed, PetscInt m, PetscInt k, const PetscReal *A,
                                 PetscInt ld, const PetscReal *in, PetscInt ld_in, PetscReal *out, PetscInt ld_out);

/* Tags of what goes along the rows, and down the columns, of the grid at once; PSD_GRID_DOWN_COLUMNS + h for what row h of it has. */
enum { PSD_GRID_ON_DIAGONAL, PSD_GRID_ALONG_ROWS, PSD_GRID_INVERSE, PSD_GRID_DOWN_COLUMNS };

/* PsdGridPartWith - where the part of the factor that row `row` is in begins, and where the next one does. Not collective.
   PsdGridSolveParts - cols.x <- shares of (L L')^-1 cols.x, the triangles on L's diagonal inverted. Collective. grid_parts.c. */
void PsdGridPartWith(PsdGrid grid, PetscInt row, PetscInt *begin, PetscInt *end);
PetscErrorCode PsdGridSolveParts(PsdGrid grid);

#endif
