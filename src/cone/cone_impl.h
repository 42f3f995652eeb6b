/*
   Inside the projection: its struct, what is remembered of a block, the table of kernels and what they share.
*/
#ifndef PSD_CONE_IMPL_H
#define PSD_CONE_IMPL_H

#include "cone.h"
#include "team_matrix.h"

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

/* Which kernel `auto` takes for this block now; a function of numbers that do not depend on clocks. */
PsdConeKernel PsdConeChoose(PsdCone cone, const PsdBlockState *state);

/* ---------------------------------------------------------------- shared by kernels */

/* Up to this order LAPACK takes a fraction of a millisecond and nothing else is worth its overhead. */
#define PSD_CONE_SMALL_ORDER 80
/* From this order on a projection is worth sending a block to another rank. */
#define PSD_CONE_TEAM_ORDER 100

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

#endif
