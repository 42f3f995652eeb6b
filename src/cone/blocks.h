/*
   The blocks of the convex program: symmetric, of order f+1, positive semidefinite, with <J,Z> = 0 (docs/mathematics.md,
   section 1). Who owns which, the form a block has in a vector, and the removal of its component along J.

   Blocks come in pairs, Z_gt and Z'_gt. A pair is the unit of ownership, because S = Z - Z' and T = Z + Z' need both.
   Pair number t G + g; a distributed vector of all pairs' svecs is therefore, gathered, the D x C matrix S by columns.
*/
#ifndef PSD_BLOCKS_PRIVATE_H
#define PSD_BLOCKS_PRIVATE_H

#include <petscvec.h>

typedef struct _p_PsdBlocks {
  MPI_Comm comm;
  PetscInt C, G, f;      /* classes (columns of S), regions, patch dimension */
  PetscInt d, m;         /* order of a block, f+1, and length of its svec */
  PetscInt D;            /* G m: length of a class's column */
  PetscInt pairs;        /* C G on all ranks, ... */
  PetscInt first, local; /* ... of which this rank owns `local`, from `first` on */
} * PsdBlocks;

/* PsdBlocksCreate - divides the pairs evenly over the ranks of comm, in order. Collective. */
PetscErrorCode PsdBlocksCreate(MPI_Comm comm, PetscInt C, PetscInt G, PetscInt f, PsdBlocks *blocks);
/* The rank that owns a pair. */
PetscMPIInt PsdBlocksOwner(PsdBlocks blocks, PetscInt pair);
PetscErrorCode PsdBlocksDestroy(PsdBlocks *blocks);

/* PsdBlocksCreateVec - a vector with one svec a pair, m numbers for every pair on its owner. Collective. */
PetscErrorCode PsdBlocksCreateVec(PsdBlocks blocks, Vec *x);
/* PsdBlocksCreatePairVec - one number a pair, on the pair's owner. Collective. */
PetscErrorCode PsdBlocksCreatePairVec(PsdBlocks blocks, Vec *x);

/* svec (packed upper triangle by columns, off-diagonals times sqrt 2) to the upper triangle of a d x d array, and back */
void PsdUnpack(PetscInt d, const PetscReal svec[], PetscReal full[]);
void PsdPack(PetscInt d, const PetscReal full[], PetscReal svec[]);

/* x <- x - <j,x> j for one svec of order d: the operator P; j = svec(J)/||J||, J = diag(1,...,1,-1) */
void PsdRemoveJ(PetscInt d, PetscReal x[]);
/* sum of squares; of differences */
PetscReal PsdSquare(PetscInt n, const PetscReal x[]);
PetscReal PsdSquareDistance(PetscInt n, const PetscReal x[], const PetscReal y[]);
/* entry k of the diagonal of a packed upper triangle */
static inline PetscInt PsdDiagonal(PetscInt k)
{
  return k * (k + 3) / 2;
}

#endif
