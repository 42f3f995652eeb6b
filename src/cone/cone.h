/*
   The cone of the convex program: symmetric blocks of order f+1, positive semidefinite, with <J,Z> = 0
   (docs/mathematics.md, section 1). Three functions of it live here: the projection onto the PSD part, the removal of the
   component along J, and the polar R* of its gauge.

   Blocks come in pairs, Z_gt and Z'_gt. A pair is the unit of ownership, because S = Z - Z' and T = Z + Z' need both.
   Pair number t G + g; a distributed vector of all pairs' svecs is therefore, gathered, the D x C matrix S by columns.
*/
#ifndef PSD_CONE_PRIVATE_H
#define PSD_CONE_PRIVATE_H

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

/* svec (packed upper triangle by columns, off-diagonals times sqrt 2) to the upper triangle of a d x d array, and back */
void PsdUnpack(PetscInt d, const PetscReal svec[], PetscReal full[]);
void PsdPack(PetscInt d, const PetscReal full[], PetscReal svec[]);

/* x <- x - <j,x> j for one svec of order d: the operator P; j = svec(J)/||J||, J = diag(1,...,1,-1) */
void PsdRemoveJ(PetscInt d, PetscReal x[]);
/* entry k of the diagonal of a packed upper triangle */
static inline PetscInt PsdDiagonal(PetscInt k)
{
  return k * (k + 3) / 2;
}

/* ---------------------------------------------------------------- projection */

typedef struct _p_PsdCone *PsdCone;

/*
   A kernel projects one block: x (svec) to z = proj_PSD(x), and leaves F (d x rank, columns) with Z = F F'.
   It is called by the block's owner alone.
*/
typedef struct {
  const char *name;
  PetscErrorCode (*setup)(PsdCone);
  PetscErrorCode (*project)(PsdCone, const PetscReal x[], PetscReal z[], PetscInt *rank, PetscReal F[]);
  PetscErrorCode (*destroy)(PsdCone);
} PsdConeOps;

extern const PsdConeOps PsdConeLapack;

struct _p_PsdCone {
  PsdBlocks blocks;
  const PsdConeOps *ops;
  void *kernel;         /* what the kernel keeps */
  PetscInt *rank[2];    /* of each local block at the last projection: [0] Z, [1] Z' */
  PetscReal *factor[2]; /* local x d x d; block k's F begins at k d d */
};

PetscErrorCode PsdConeCreate(PsdCone *cone);
PetscErrorCode PsdConeSetFromOptions(PsdCone cone); /* -cone auto|lapack */
PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks);
/* PsdConeProject - Z[s] = proj_PSD(X[s]), block by block, s = 0, 1. Not collective: each rank its own blocks. */
PetscErrorCode PsdConeProject(PsdCone cone, Vec X[2], Vec Z[2]);
/* F of local block k of Z[s], as the last projection left it: d x rank by columns. Borrowed. */
void PsdConeGetFactor(PsdCone cone, PetscInt s, PetscInt k, PetscInt *rank, const PetscReal *F[]);
PetscErrorCode PsdConeDestroy(PsdCone *cone);

/* ---------------------------------------------------------------- polar */

typedef struct _p_PsdPolar *PsdPolar;

/* PsdPolarCreate - for svecs of order f+1. Not collective. */
PetscErrorCode PsdPolarCreate(PetscInt f, PsdPolar *polar);
/*
   PsdPolarEvaluate - R*(M) = max over ||u|| = 1 of |[u;1]' M [u;1]|, rounded up: never below the exact value for M as given.

   Not collective. M: svec of order f+1. The trust-region problems of +M and -M share one eigendecomposition.
*/
PetscErrorCode PsdPolarEvaluate(PsdPolar polar, const PetscReal M[], PetscReal *value);
PetscErrorCode PsdPolarDestroy(PsdPolar *polar);
/* PsdPolarMax - the largest R* over all pairs' svecs in x. Collective on the blocks' communicator. */
PetscErrorCode PsdPolarMax(PsdPolar polar, PsdBlocks blocks, Vec x, PetscReal *value);

#endif
