/*
   A symmetric matrix spread by columns over the ranks of a team, and its products with a few vectors.

   The team's first rank directs: it has the matrix and the vectors, the others serve until they are released. Products with
   few vectors are bound by reading the matrix, and each rank reads its part only.
*/
#ifndef PSD_CONE_SPREAD_H
#define PSD_CONE_SPREAD_H

#include <petscsys.h>

typedef struct _p_PsdSpread *PsdSpread;

/* PsdSpreadCreate - for matrices of order d. Collective on comm; no rank but the first needs room for d x d. */
PetscErrorCode PsdSpreadCreate(MPI_Comm comm, PetscInt d, PsdSpread *spread);
/* PsdSpreadServe - on all ranks but the first: answers until PsdSpreadRelease. */
PetscErrorCode PsdSpreadServe(PsdSpread spread);
/* PsdSpreadLoad - on the first rank: deals out X (upper triangle of d x d by columns; the lower one is written). */
PetscErrorCode PsdSpreadLoad(PsdSpread spread, PetscReal *X);
/* PsdSpreadMultiply - on the first rank: AV = sign X V, V and AV d x columns. The matrix has been loaded. */
PetscErrorCode PsdSpreadMultiply(PsdSpread spread, PetscReal sign, PetscInt columns, const PetscReal V[],
                                 PetscReal AV[]);
/* PsdSpreadRelease - on the first rank: the others return from PsdSpreadServe. */
PetscErrorCode PsdSpreadRelease(PsdSpread spread);
PetscErrorCode PsdSpreadDestroy(PsdSpread *spread);

/* The lower triangle of d x d <- transpose of the upper, times sign both, into `full` (which may be X). */
void PsdMirror(PetscInt d, PetscReal sign, const PetscReal *X, PetscReal *full);

#endif
