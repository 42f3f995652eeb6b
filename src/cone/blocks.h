/*
   The blocks of the convex program: symmetric, positive semidefinite, with <J,Z> = 0 (docs/mathematics.md, section 1). Who
   owns which, the form a block has in a vector, and the removal of its component along J.

   Blocks come in pairs, Z_gt and Z'_gt, of order f_g + 1, where f_g is the length of the patches of the region's
   branch; of a branch with linear neurons they are vectors (w, t) with ||w|| <= t (docs/mathematics.md, section 1,
   "Linear branches"). A pair is the unit of ownership, because S = Z - Z' and T = Z + Z' need both. Pair number t G +
   g; a distributed vector of all pairs' svecs is therefore, gathered, the D x C matrix S by columns.
*/
#ifndef PSD_BLOCKS_PRIVATE_H
#define PSD_BLOCKS_PRIVATE_H

#include <petscvec.h>

/* One block: the length of its patches, its order d = f + 1, the length m of its svec, and where this begins in what is spoken
   of. The last of the m numbers is what beta weighs. */
typedef struct {
  PetscInt f, d, m, at;
  PetscBool vector; /* (w, t) of d numbers, which are its svec: m = d */
} PsdShape;

typedef struct _p_PsdBlocks {
  MPI_Comm comm;
  PetscInt C, G;                /* classes (columns of S), regions */
  PsdShape *region;             /* G; at: in a class's column */
  PetscInt f_max, d_max, m_max; /* of the largest block, for work space */
  PetscInt D;                   /* length of a class's column, the sum of m over the regions */
  PetscInt pairs;               /* C G on all ranks, ... */
  PetscInt *before;             /* ... of which so many are owned by the ranks before each one, ... */
  PetscInt first, local;        /* ... and `local` by this one, from `first` on, ... */
  PetscInt begin, length;       /* ... with `length` numbers, from `begin` on in D x C */
  PetscMPIInt *order;           /* ranks, node by node */
} * PsdBlocks;

/* PsdBlocksCreate - divides the pairs evenly over the ranks of comm, in order, and those that have one more evenly over the
   nodes; f: the same in all regions. Collective. */
PetscErrorCode PsdBlocksCreate(MPI_Comm comm, PetscInt C, PetscInt G, PetscInt f, PsdBlocks *blocks);
/* PsdBlocksCreateRegions - the same with f[g] in region g, and vectors where vector[g]; NULL: nowhere. */
PetscErrorCode PsdBlocksCreateRegions(MPI_Comm comm, PetscInt C, PetscInt G, const PetscInt f[],
                                      const PetscBool vector[], PsdBlocks *blocks);
/* PsdBlocksCreateOnNodes - the same with nodes as PsdNodesFind gives them (base/nodes.h). */
PetscErrorCode PsdBlocksCreateOnNodes(MPI_Comm comm, PetscInt C, PetscInt G, const PetscInt f[],
                                      const PetscBool vector[], const PetscMPIInt node[], PsdBlocks *blocks);
/* The rank that owns a pair. */
PetscMPIInt PsdBlocksOwner(PsdBlocks blocks, PetscInt pair);
PetscErrorCode PsdBlocksDestroy(PsdBlocks *blocks);

/* PsdBlocksCreateVec - a vector with one svec a pair, on the pair's owner. Collective. */
PetscErrorCode PsdBlocksCreateVec(PsdBlocks blocks, Vec *x);
/* PsdBlocksCreatePairVec - one number a pair, on the pair's owner. Collective. */
PetscErrorCode PsdBlocksCreatePairVec(PsdBlocks blocks, Vec *x);

/* A pair's blocks; at: in the D x C matrix S. */
static inline PsdShape PsdBlocksPair(PsdBlocks blocks, PetscInt pair)
{
  PsdShape shape = blocks->region[pair % blocks->G];
  shape.at += pair / blocks->G * blocks->D;
  return shape;
}

/* Those of pair first + k, which is this rank's; at: in its part of a vector. */
static inline PsdShape PsdBlocksOwn(PsdBlocks blocks, PetscInt k)
{
  PsdShape shape = PsdBlocksPair(blocks, blocks->first + k);
  shape.at -= blocks->begin;
  return shape;
}

/* svec (packed upper triangle by columns, off-diagonals times sqrt 2) to the upper triangle of a d x d array, and back */
void PsdUnpack(PetscInt d, const PetscReal svec[], PetscReal full[]);
void PsdPack(PetscInt d, const PetscReal full[], PetscReal svec[]);

/* x <- x - <j,x> j for one svec of order d: the operator P; j = svec(J)/||J||, J = diag(1,...,1,-1). PsdShapeRemoveJ -
   of one block: a vector has no j, and stays. */
void PsdRemoveJ(PetscInt d, PetscReal x[]);
void PsdShapeRemoveJ(const PsdShape *shape, PetscReal x[]);
/* sum of squares; of differences */
PetscReal PsdSquare(PetscInt n, const PetscReal x[]);
PetscReal PsdSquareDistance(PetscInt n, const PetscReal x[], const PetscReal y[]);
/* <x,y> of this rank's numbers of two vectors; not collective */
PetscErrorCode PsdOwnDot(Vec x, Vec y, PetscReal *value);
/* entry k of the diagonal of a packed upper triangle */
static inline PetscInt PsdDiagonal(PetscInt k)
{
  return k * (k + 3) / 2;
}

#endif
