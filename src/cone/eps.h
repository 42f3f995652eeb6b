/*
   The positive eigenpairs of one block, or of its negative, by one EPS of SLEPc, which is kept.

   The block is a matrix of which only products are asked for, on one rank or with its rows dealt out to several. The types are
   SLEPc's, and psdnet's own one (eps_block.h).
*/
#ifndef PSD_EPS_H
#define PSD_EPS_H

#include <slepceps.h>

typedef struct _p_PsdEps *PsdEps;

/* AV = A V, V and AV this rank's rows x count by columns. */
typedef PetscErrorCode (*PsdEpsProduct)(void *context, PetscInt count, const PetscReal V[], PetscReal AV[]);

/* A block as it is multiplied with: of order d, of which `rows` are here. */
typedef struct {
  MPI_Comm comm;
  PetscInt d, rows;
  PsdEpsProduct product; /* with `context`; collective on comm */
  void *context;
} PsdEpsMatrix;

/* PsdEpsCreate - for such blocks, of which no more than `most` eigenvalues are wanted. type: an EPSType; the options database
   has the last word. All functions but PsdEpsMostPairs are collective on the matrix's communicator. */
PetscErrorCode PsdEpsCreate(const PsdEpsMatrix *matrix, PetscInt most, EPSType type, PsdEps *eps);

/* PsdEpsMostPairs - room that PsdEpsSolve needs for pairs. */
PetscInt PsdEpsMostPairs(PsdEps eps);

/*
   PsdEpsSolve - the pairs from the largest down: all positive ones and one below zero at least.

   expected: so many are asked for at first. start: rows x count, orthogonal columns, the vectors to start from. seed: of the random ones, on which
   nothing else depends. tolerance: allowed sqrt(2) ||A U - U Theta||_F of the positive pairs. *found pairs, theta descending, U rows x *found by columns;
   none when there are more positive ones than wanted or the solver does not converge. *columns: the block was multiplied with
   so many vectors.
*/
PetscErrorCode PsdEpsSolve(PsdEps eps, PetscInt expected, PetscInt count, const PetscReal start[], unsigned long seed,
                           PetscReal tolerance, PetscInt *found, PetscReal theta[], PetscReal U[], PetscInt *columns);
PetscErrorCode PsdEpsDestroy(PsdEps *eps);

#endif
