/*
   The cone of the convex program: symmetric blocks of order f+1, positive semidefinite, with <J,Z> = 0
   (docs/mathematics.md, section 1). Three functions of it live here: the projection onto the PSD part, the removal of the
   component along J, and the polar R* of its gauge.

   Blocks come in pairs, Z_gt and Z'_gt. A pair is the unit of ownership, because S = Z - Z' and T = Z + Z' need both.
   Pair number t G + g; a distributed vector of all pairs' svecs is therefore, gathered, the D x C matrix S by columns.
*/
#ifndef PSD_CONE_PRIVATE_H
#define PSD_CONE_PRIVATE_H

#include "team_matrix.h"
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

/* ---------------------------------------------------------------- projection

   A complete eigendecomposition costs d^3; a partial one costs products of X with as many vectors as eigenvalues are wanted,
   which are few once the iteration has settled. Kernels differ in that, and in how many ranks work on a block. */

typedef struct _p_PsdCone *PsdCone;

/* A matrix that was proved to have no more than `count` eigenvalues above -margin; see partial.c. */
typedef struct {
  PetscReal *x; /* svec; NULL: none */
  PetscReal sign, margin;
  PetscInt count, trusted; /* trusted: projections beyond its reach since */
} PsdConeProof;

/* What is remembered of one block from one projection to the next. */
typedef struct {
  PetscInt block;   /* 2 pair + s */
  PetscInt rank_Z;  /* of Z at the last projection; -1: there was none */
  PetscInt kept;    /* vectors in V: the last eigenvectors of the side wanted, and guards */
  PetscReal *V;     /* d x PsdConeMostKept, allocated by the first partial projection */
  PetscReal *F;     /* d x rank, Z = F F' */
  size_t room;      /* of F, in numbers */
  PetscReal change; /* ||Z - Z_last||_F; < 0: not known */
  PetscInt columns; /* X was multiplied with as many vectors at the last partial projection */
  PsdConeProof proof;
  PetscBool zero;        /* Z is known to be zero, and X not looked at: PsdConeSetZero */
  PetscReal *unfactored; /* svec of Z when only N = Z - X is known by factors: F is then made when asked for */
} PsdBlockState;

/*
   A kernel projects one block: X (upper triangle of d x d by columns, may be overwritten) to Z = proj_PSD(X), and leaves F in
   the state. z (svec) is written unless it is NULL. x: svec of X. tolerance: allowed ||error||_F. Collective on the team.
*/
typedef struct {
  const char *name;
  PetscErrorCode (*setup)(PsdCone, void **kernel);
  PetscErrorCode (*project)(PsdCone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                            PetscReal tolerance, PetscReal z[]);
  PetscErrorCode (*destroy)(void *kernel);
} PsdConeOps;

/* The kernels, as -cone names them; `auto` chooses for each block and iteration. */
typedef enum { PSD_CONE_LAPACK, PSD_CONE_SLEPC, PSD_CONE_SCALAPACK, PSD_CONE_KERNELS } PsdConeKernel;
#define PSD_CONE_AUTO PSD_CONE_KERNELS

extern const PsdConeOps PsdConeLapack;    /* lapack.c: complete, dsyevd; or dsyevr of the positive range */
extern const PsdConeOps PsdConeSlepc;     /* partial.c: partial, by block Krylov or a SLEPc EPS (slepc.c) */
extern const PsdConeOps PsdConeScalapack; /* scalapack.c: complete, one block over a team of ranks */

/* LAPACK's drivers, as -cone_lapack names them: complete, the range of positive eigenvalues, or what the last rank suggests. */
typedef enum { PSD_LAPACK_AUTO, PSD_LAPACK_COMPLETE, PSD_LAPACK_RANGE } PsdConeDriver;

/* How blocks are shared out when there are more ranks than pairs (team.c). */
typedef struct {
  PetscInt blocks;   /* worked on here: `block[k]` = 2 pair + s */
  PetscInt block[2]; /* at most 2 when ranks help each other */
  MPI_Comm comm;     /* the ranks that work on it together; its first one gets X and returns F */
  PetscMPIInt size, rank;
} PsdConeTeam;

struct _p_PsdCone {
  PsdBlocks blocks;
  PsdConeKernel choice;
  PsdConeDriver driver;           /* of lapack */
  PetscInt partial;               /* index of the partial solver: see partial.c */
  void *kernel[PSD_CONE_KERNELS]; /* what each keeps; NULL until it is used */
  PetscInt iteration;             /* projections so far */
  PetscBool shared;               /* more ranks than pairs: blocks are worked on by teams */
  PsdConeTeam team;
  PsdBlockState *state[2];         /* of each local block; [0] Z, [1] Z' */
  PsdBlockState work_state[2];     /* of blocks worked on for others */
  PetscReal *X, *x;                /* d x d; svec of a block that is another rank's */
  PetscLogDouble seconds;          /* in projections, here */
  PetscInt uses[PSD_CONE_KERNELS]; /* projections by each kernel, here */
};

PetscErrorCode PsdConeCreate(PsdCone *cone);
PetscErrorCode PsdConeSetFromOptions(PsdCone cone); /* -cone auto|lapack|slepc|scalapack, -cone_partial, -cone_lapack */
PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks);
/* PsdConeProject - Z[s] = proj_PSD(X[s]), block by block, s = 0, 1. Collective. */
PetscErrorCode PsdConeProject(PsdCone cone, Vec X[2], Vec Z[2]);
/* PsdConeSetZero - both blocks of local pair k are zero from now on, or are projected as before. Does nothing where ranks share
   blocks. Not collective. */
void PsdConeSetZero(PsdCone cone, PetscInt k, PetscBool zero);
/* F of local block k of Z[s], as the last projection left it: d x rank by columns, orthogonal ones. Borrowed. Not collective. */
PetscErrorCode PsdConeGetFactor(PsdCone cone, PetscInt s, PetscInt k, PetscInt *rank, const PetscReal *F[]);
/* PsdConeGetUse - what was used: "lapack", or "auto: lapack 20, slepc 480". Collective; the text is the same on all ranks. */
PetscErrorCode PsdConeGetUse(PsdCone cone, size_t size, char text[]);
/* PsdConeRefactor - the factors are those of Z from now on, complete, though Z comes from elsewhere. Collective. */
PetscErrorCode PsdConeRefactor(PsdCone cone, Vec Z[2]);
PetscErrorCode PsdConeDestroy(PsdCone *cone);

/* PsdConeVisit - what the next projections start from, in a file that another number of ranks may read (stored.c);
   after PsdConeSetUp. Proofs are not among it; they are made anew. Collective. */
struct _p_PsdVisitor;
PetscErrorCode PsdConeVisit(PsdCone cone, struct _p_PsdVisitor *visitor);

/* Which kernel `auto` takes for this block now; a function of numbers that do not depend on clocks. */
PsdConeKernel PsdConeChoose(PsdCone cone, const PsdBlockState *state);

/* ---------------------------------------------------------------- shared by kernels */

/* Up to this order LAPACK takes a fraction of a millisecond and nothing else is worth its overhead. */
#define PSD_CONE_SMALL_ORDER 80

/* Vectors that a partial projection keeps for the next one, at most: of a quarter of the order, and guards. */
#define PSD_CONE_GUARDS 3
static inline PetscInt PsdConeMostKept(PetscInt d)
{
  return PetscMax(1, d / 4) + PSD_CONE_GUARDS;
}

/* Room for `rank` columns of F. */
PetscErrorCode PsdBlockStateReserve(PsdBlockState *state, PetscInt d, PetscInt rank);
/* z <- svec of F F' (d x rank), panel by panel so that no d x d array is written. */
PetscErrorCode PsdPackProduct(PetscInt d, PetscInt rank, const PetscReal F[], PetscReal z[]);
/* state: Z of a complete decomposition, V (columns) and lambda ascending: F, and what a partial projection starts from. */
PetscErrorCode PsdConeTakeDecomposition(PsdBlockState *state, PetscInt d, PetscInt negative, const PetscReal lambda[],
                                        const PetscReal V[]);
/* Eigenvalues up to this count as zero: what rounding makes of them. */
static inline PetscReal PsdConeFloor(PetscInt d, PetscReal largest)
{
  return (PetscReal)d * PETSC_MACHINE_EPSILON * largest;
}

/* Teams: team.c */
PetscErrorCode PsdConeTeamCreate(PsdBlocks blocks, PsdConeTeam *team);
PetscErrorCode PsdConeTeamDestroy(PsdConeTeam *team);
/* First rank of the team of a block. */
PetscMPIInt PsdConeTeamRoot(PsdBlocks blocks, PetscInt block);

/* EPS: slepc.c. */
typedef struct _p_PsdEps *PsdEps;
/* team_matrix: products by the team it belongs to, where a solve asks for that; NULL: there is none. */
PetscErrorCode PsdEpsCreate(PetscInt d, const char type[], PsdTeamMatrix team_matrix, PsdEps *eps);
/* Eigenpairs of sign X (upper triangle of d x d) from the largest down, until one is <= 0: at least `wanted` are asked for.
   by_team: the team serves, and has X. start: d x count. theta, U: room for `most`; *found of them, the last one <= 0 unless there are `most`. */
PetscErrorCode PsdEpsSolve(PsdEps eps, PetscBool by_team, PetscReal sign, PetscReal *X, PetscInt wanted, PetscInt count,
                           const PetscReal start[], PetscReal tolerance, PetscInt most, PetscInt *found,
                           PetscReal theta[], PetscReal U[], PetscInt *columns);
PetscErrorCode PsdEpsDestroy(PsdEps *eps);

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
