/*
   Inside the distributed matrix, for the files that carry it out.
*/
#ifndef PSD_GRID_IMPL_H
#define PSD_GRID_IMPL_H

#include "grid.h"

/* PsdGridSidesCreate, PsdGridSidesDestroy - grid->rows, grid->cols and grid->vector. Collective. */
PetscErrorCode PsdGridSidesCreate(PsdGrid grid);
PetscErrorCode PsdGridSidesDestroy(PsdGrid grid);

#endif
