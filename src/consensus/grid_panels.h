/*
   Panels of the distributed matrix: a block of columns as a whole, on and below the diagonal, on one of the ranks that
   have it. For a file, where a panel is contiguous.
*/
#ifndef PSD_GRID_PANELS_PRIVATE_H
#define PSD_GRID_PANELS_PRIVATE_H

#include "grid.h"

typedef struct _p_PsdGridPanels *PsdGridPanels;

/* A panel: columns first .. first+width-1, each from the diagonal down, one after the other. */
typedef struct {
  PetscInt first, width;
  PetscBool here;     /* on this rank */
  PetscReal *numbers; /* there; borrowed until the next one */
} PsdPanel;

/* PsdGridPanelsCreate - collective on the grid's communicator. */
PetscErrorCode PsdGridPanelsCreate(PsdGrid grid, PsdGridPanels *panels);
PetscErrorCode PsdGridPanelsDestroy(PsdGridPanels *panels);
/* PsdGridPanelsCount - those of this rank's column of the grid; 0 on ranks that have no part. Not collective. */
PetscInt PsdGridPanelsCount(PsdGridPanels panels);
/* PsdGridPanelsAt - what panel k is; its numbers are undefined. Not collective. */
PsdPanel PsdGridPanelsAt(PsdGridPanels panels, PetscInt k);
/* PsdGridPanelsGather - its numbers from the matrix; PsdGridPanelsScatter - the other way round. Collective on the ranks
   of a column of the grid. */
PetscErrorCode PsdGridPanelsGather(PsdGridPanels panels, PetscInt k);
PetscErrorCode PsdGridPanelsScatter(PsdGridPanels panels, PetscInt k);

#endif
