/*
   A symmetric matrix spread by columns over the ranks of a team, and its products with a few vectors.

   The team's first rank directs: it has the matrix and the vectors, the others serve until they are released. Products with
   few vectors are bound by reading the matrix, and each rank reads its part only.
*/
#ifndef PSD_TEAM_MATRIX_H
#define PSD_TEAM_MATRIX_H

#include <petscsys.h>

typedef struct _p_PsdTeamMatrix *PsdTeamMatrix;

/* PsdTeamMatrixCreate - for matrices of order d. Collective on comm; no rank but the first needs room for d x d. */
PetscErrorCode PsdTeamMatrixCreate(MPI_Comm comm, PetscInt d, PsdTeamMatrix *team_matrix);
/* PsdTeamMatrixServe - on all ranks but the first: answers until PsdTeamMatrixRelease. */
PetscErrorCode PsdTeamMatrixServe(PsdTeamMatrix team_matrix);
/* PsdTeamMatrixLoad - on the first rank: deals out X (upper triangle of d x d by columns; the lower one is written). */
PetscErrorCode PsdTeamMatrixLoad(PsdTeamMatrix team_matrix, PetscReal *X);
/* PsdTeamMatrixMultiply - on the first rank: AV = sign X V, V and AV d x columns. The matrix has been loaded. */
PetscErrorCode PsdTeamMatrixMultiply(PsdTeamMatrix team_matrix, PetscReal sign, PetscInt columns, const PetscReal V[],
                                     PetscReal AV[]);
/* PsdTeamMatrixRelease - on the first rank: the others return from PsdTeamMatrixServe. */
PetscErrorCode PsdTeamMatrixRelease(PsdTeamMatrix team_matrix);
PetscErrorCode PsdTeamMatrixDestroy(PsdTeamMatrix *team_matrix);

/* The lower triangle of d x d <- transpose of the upper, times sign both, into `full` (which may be X). */
void PsdMirror(PetscInt d, PetscReal sign, const PetscReal *X, PetscReal *full);

#endif
