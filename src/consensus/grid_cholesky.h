/*
   Cholesky factor of the distributed matrix.
*/
#ifndef PSD_GRID_CHOLESKY_PRIVATE_H
#define PSD_GRID_CHOLESKY_PRIVATE_H

#include "grid.h"

/* PsdGridCholeskyCreate - room for the panels that are on their way: two of them, on the ranks of the grid. Not collective.
   PsdGridCholeskyFactor - grid->factor, on and below the diagonal, becomes its Cholesky factor, the triangles on the diagonal of
   its parts inverted when grid->inverse says so. failed: the row of the first
   pivot of this rank that is not positive, from 1 on, or 0; the factor is then not one. Collective on the grid's ranks. */
PetscErrorCode PsdGridCholeskyCreate(PsdGrid grid, PsdGridCholesky *cholesky);
PetscErrorCode PsdGridCholeskyFactor(PsdGrid grid, PsdGridCholesky cholesky, PetscInt *failed);
PetscErrorCode PsdGridCholeskyDestroy(PsdGridCholesky *cholesky);

/* PsdGridCholeskyBytes - of the panels and block rows of the inverse, on the rank with most. Not collective. */
PetscReal PsdGridCholeskyBytes(PetscReal N, const PsdGridShape *shape);

#endif
