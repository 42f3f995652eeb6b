/*
   Inside the distributed matrix: where blocks are. For the files of this folder that carry it out.
*/
#ifndef PSD_GRID_IMPL_H
#define PSD_GRID_IMPL_H

#include "grid.h"

/* Rows, columns or blocks of N that place `at` of `places` has, blocks being dealt out in turn. */
PetscInt PsdGridCount(PetscInt N, PetscInt block, PetscMPIInt at, PetscMPIInt places);
/* Global number of row or column `local` of that place. */
static inline PetscInt PsdGridNumber(PetscInt local, PetscInt block, PetscMPIInt at, PetscMPIInt places)
{
  return (local / block * places + at) * block + local % block;
}

/* PsdGridSidesCreate, PsdGridSidesDestroy - grid->rows, grid->cols and grid->vector. Collective. */
PetscErrorCode PsdGridSidesCreate(PsdGrid grid);
PetscErrorCode PsdGridSidesDestroy(PsdGrid grid);

#endif
