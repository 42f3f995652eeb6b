/*
   A symmetric matrix dealt out in square tiles over a grid of ranks: tile (I, J), block x block, is with the rank in row
   I mod height and column J mod width. A rank holds its rows of its columns, one column after the other, and of these
   what is on or below the diagonal counts.
*/
#ifndef PSD_TILES_PRIVATE_H
#define PSD_TILES_PRIVATE_H

#include "base/cyclic.h"

/* Rank r is in row r / width and column r mod width; ranks beyond height x width hold nothing. */
typedef struct {
  PetscInt block;
  PetscMPIInt height, width;
} PsdTiles;

#endif
