/*
   Grids of ranks that a matrix is dealt out over in square blocks: their shape, the size of blocks, and what ScaLAPACK can
   count.
*/
#ifndef PSD_GRID_SHAPE_PRIVATE_H
#define PSD_GRID_SHAPE_PRIVATE_H

#include "cyclic.h"

/* H, W, and H W, which may leave out a few of the last ranks: those hold nothing. */
typedef struct {
  PetscMPIInt height, width, used;
} PsdGridShape;

/* PsdGridShapeOf - of so many ranks, `per_node` of them on a node at most. all: none may be left out. PsdGridBlockOf -
   the size of blocks that leaves each rank a few, as far as products gain by large ones. Not collective. */
PsdGridShape PsdGridShapeOf(PetscMPIInt ranks, PetscInt per_node, PetscBool all);
PetscInt PsdGridBlockOf(PetscInt N, PetscMPIInt ranks);
#define PSD_GRID_LARGEST_BLOCK 64

/* PsdGridColumns - rows of a vector of N that a rank has, whose block J is with rank J mod (H W). */
PetscInt PsdGridColumns(PetscInt N, PetscInt block, const PsdGridShape *shape, PetscMPIInt rank);

/* PsdGridCountable - whether ScaLAPACK, whose indices into a rank's part are ints, can have such a matrix. */
PetscBool PsdGridCountable(PetscReal N, PetscReal ranks);

#endif
