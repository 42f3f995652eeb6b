/*
   A A' from patches, of the order of the samples, by tiles over all ranks.
*/
#ifndef PSD_DUAL_MATRIX_PRIVATE_H
#define PSD_DUAL_MATRIX_PRIVATE_H

#include "rows.h"
#include "tiles.h"

/*
   PsdRowsDualMatrix - K += A A' summed over the regions, on and below the diagonal.

   Collective. Sample i of rank r has the number (i/block R + r) block + i%block with R = height x width, all ranks;
   N = R block ceil(most samples of a rank / block). K: this rank's rows of its columns, N/height x N/width by columns,
   zero on entry; rows and columns without a sample stay zero. Cost: 2 f flops a pair of patches, half of all pairs.
*/
PetscErrorCode PsdRowsDualMatrix(PsdRows rows, const PsdTiles *tiles, PetscInt N, PetscReal K[]);

#endif
