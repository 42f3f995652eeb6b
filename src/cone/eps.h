/*
   The positive eigenpairs of one block, or of its negative, by one EPS of SLEPc, which is kept.

   The block is a matrix of which only products are asked for: with the upper triangle that is at hand, or by a team that has the
   matrix. The types are SLEPc's, and psdnet's own one (eps_block.h). Not collective: a team serves.
*/
#ifndef PSD_EPS_H
#define PSD_EPS_H

#include "team_matrix.h"
#include <slepceps.h>

typedef struct _p_PsdEps *PsdEps;

/* PsdEpsCreate - for blocks of order d of which no more than `most` eigenvalues are wanted. type: an EPSType; the options database
   has the last word. team_matrix: borrowed, or NULL. */
PetscErrorCode PsdEpsCreate(PetscInt d, PetscInt most, EPSType type, PsdTeamMatrix team_matrix, PsdEps *eps);

/* PsdEpsMostPairs - room that PsdEpsSolve needs for pairs. */
PetscInt PsdEpsMostPairs(PsdEps eps);

/* PsdEpsSetMatrix - the block is sign X, X the upper triangle of d x d by columns, borrowed. by_team: the team serves, and has it. */
void PsdEpsSetMatrix(PsdEps eps, PetscReal sign, const PetscReal X[], PetscBool by_team);

/*
   PsdEpsSolve - the pairs from the largest down: all positive ones and one below zero at least.

   expected: so many are asked for at first. start: d x count, orthogonal columns, the vectors to start from. seed: of the random ones, on which
   nothing else depends. tolerance: allowed sqrt(2) ||A U - U Theta||_F of the positive pairs. *found pairs, theta descending, U d x *found by columns;
   none when there are more positive ones than wanted or the solver does not converge. *columns: the block was multiplied with
   so many vectors.
*/
PetscErrorCode PsdEpsSolve(PsdEps eps, PetscInt expected, PetscInt count, const PetscReal start[], unsigned long seed,
                           PetscReal tolerance, PetscInt *found, PetscReal theta[], PetscReal U[], PetscInt *columns);
PetscErrorCode PsdEpsDestroy(PsdEps *eps);

#endif
