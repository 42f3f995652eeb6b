/*
   Vectors beside a matrix that is dealt out over a grid of H x W ranks (base/layout.h), several at once.

   Block J of a vector is with rank J mod (H W), which is in column J mod W of the grid: what a rank's columns of the matrix
   meet is with the ranks of its column. What its rows meet is with those of its row once blocks have changed places, so that
   block J is in row J mod H. A rank sends and receives N (1/H + 1/W + 2/(H W)) numbers a vector.
*/
#ifndef PSD_LAYOUT_VECTORS_PRIVATE_H
#define PSD_LAYOUT_VECTORS_PRIVATE_H

#include "base/layout.h"

typedef struct _p_PsdLayoutVectors *PsdLayoutVectors;

/* PsdLayoutVectorsCreate - layout: borrowed. count: rows of a vector here. All collective on the layout's communicator. */
PetscErrorCode PsdLayoutVectorsCreate(PsdLayout layout, PsdLayoutVectors *vectors, PetscInt *count);
/* v: count x number by columns; x: the layout's columns, or rows, x number. ToColumns, ToRows - x <- v. SumRows - v <- the sum
   of x over the ranks of a row of the grid. */
PetscErrorCode PsdLayoutVectorsToColumns(PsdLayoutVectors vectors, PetscInt number, const PetscReal v[], PetscReal x[]);
PetscErrorCode PsdLayoutVectorsToRows(PsdLayoutVectors vectors, PetscInt number, const PetscReal v[], PetscReal x[]);
PetscErrorCode PsdLayoutVectorsSumRows(PsdLayoutVectors vectors, PetscInt number, const PetscReal x[], PetscReal v[]);
PetscErrorCode PsdLayoutVectorsDestroy(PsdLayoutVectors *vectors);

#endif
