/*
   A symmetric positive definite matrix spread over all ranks by blocks of columns, with ScaLAPACK: what the distributed
   consensus kernels share. Only the lower triangle is stored and read.

   The grid of processes is 1 x P: a rank holds whole columns, in blocks of PSD_GRID_BLOCK dealt out in turn. So a
   product needs one sum over ranks, and whoever fills the matrix writes columns.
*/
#ifndef PSD_GRID_PRIVATE_H
#define PSD_GRID_PRIVATE_H

#include "cost/cost.h"
#include <petscvec.h>

#define PSD_GRID_BLOCK 64

typedef struct _p_PsdGrid {
  MPI_Comm comm;
  PetscInt N;       /* order */
  PetscInt columns; /* here */
  PetscMPIInt rank, ranks;
  int handle, context; /* BLACS */
  int description[9];
  PetscReal *matrix; /* N x columns by columns; on and below the diagonal, the rest is not read */
  PetscReal *factor; /* L, or L^-1; zero above the diagonal */
  PetscBool inverse; /* what `factor` is */
  PetscReal *all;    /* work of products: N x width */
  PetscInt width;    /* most columns of a product or solve */
} * PsdGrid;

/* PsdGridColumns - columns of a matrix of order N that this rank would hold: for sizing before anything exists. */
PetscInt PsdGridColumns(PetscInt N, PetscMPIInt ranks, PetscMPIInt rank);

/* PsdGridCreate - allocates the matrix (not its factor), zero. width: most right-hand sides. Collective. */
PetscErrorCode PsdGridCreate(MPI_Comm comm, PetscInt N, PetscInt width, PsdGrid *grid);

/* Global number of this rank's column `local`. */
static inline PetscInt PsdGridColumn(const struct _p_PsdGrid *grid, PetscInt local)
{
  return (local / PSD_GRID_BLOCK * grid->ranks + grid->rank) * PSD_GRID_BLOCK + local % PSD_GRID_BLOCK;
}

/* PsdGridFactor - Cholesky factor of matrix + shift I; inverted when trace < 1e8 shift (see grid.c). Collective. */
PetscErrorCode PsdGridFactor(PsdGrid grid, PetscReal trace, PetscReal shift);

/* PsdGridSolve - x <- (matrix + shift I)^-1 x. x: this rank's rows, those with the numbers of its columns:
   grid->columns x count by columns. Collective. */
PetscErrorCode PsdGridSolve(PsdGrid grid, PetscInt count, PetscReal x[]);

/* PsdGridMultiply - y <- matrix x, same layout. x and y differ. Collective. */
PetscErrorCode PsdGridMultiply(PsdGrid grid, PetscInt count, const PetscReal x[], PetscReal y[]);

PetscErrorCode PsdGridDestroy(PsdGrid *grid);

/* PsdGridFactorCost, PsdGridMultiplyCost - of a matrix of order N on so many ranks; a solve costs two products. Not
   collective. */
PsdCost PsdGridFactorCost(PetscReal N, PetscInt ranks, const PsdRates *rates);
PsdCost PsdGridMultiplyCost(PetscReal N, PetscReal width, PetscInt ranks, const PsdRates *rates);

#endif
