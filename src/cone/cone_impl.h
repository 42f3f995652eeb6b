/*
   Inside the projection: its struct, what is remembered of a block, the struct that a kernel fills, and what kernels share.

   A new kernel is a file that fills PsdConeOps and a line in cone_table.c.
*/
#ifndef PSD_CONE_IMPL_H
#define PSD_CONE_IMPL_H

#include "base/eigen.h"
#include "cone.h"
#include "team.h"

/* ---------------------------------------------------------------- states of blocks */

/* A matrix that was proved to have no more than `count` eigenvalues above -margin; see partial.c. */
typedef struct {
  PetscReal *x; /* svec; NULL: none */
  PetscReal sign, margin;
  PetscInt count, trusted; /* trusted: projections beyond its reach since */
} PsdConeProof;

/* What is remembered of one block from one projection to the next. Arrays are made by the first projection that needs them and
   stay; F alone grows, when Z has a larger rank than ever before. */
typedef struct {
  PetscInt block;   /* 2 pair + s */
  PetscInt d;       /* its order */
  PetscInt rank_Z;  /* of Z at the last projection; -1: there was none */
  PetscInt kept;    /* vectors in V: the last eigenvectors of the side wanted, and guards */
  PetscReal *V;     /* d x PsdConeMostKept */
  PetscReal *F;     /* d x rank, Z = F F' */
  size_t room;      /* of F, in numbers */
  PetscReal change; /* ||Z - Z_last||_F; < 0: not known */
  PetscInt columns; /* X was multiplied with as many vectors at the last partial projection */
  PsdConeProof proof;
  PetscBool zero;       /* Z is known to be zero, and X not looked at: PsdConeSetZero */
  PetscBool unfactored; /* only N = Z - X is known by factors: F is made of Z when it is asked for */
  PetscReal *Z;         /* svec, for that */
} PsdBlockState;

/* Vectors that a partial projection keeps for the next one, at most: of a quarter of the order, and guards. */
#define PSD_CONE_GUARDS 3
static inline PetscInt PsdConeMostKept(PetscInt d)
{
  return PetscMax(1, d / 4) + PSD_CONE_GUARDS;
}

/* ---------------------------------------------------------------- kernels */

/* What -cone names. Kernels are numbered by their places in the table; `auto` chooses for each block and iteration. */
typedef struct {
  const char *name;
  const char *old_name; /* another word that -cone takes, or NULL */
  const char *help;     /* one phrase */
  PetscBool complete;   /* all eigenvalues are found, whatever the tolerance */
  PetscBool
      uses_team; /* all ranks of a team take part, and functions are collective on it; else its first rank alone */
  PetscErrorCode (*setup)(PsdCone, PetscInt d, void **kernel); /* for blocks of order d */
  /*
     One block, of the order that the kernel is for: X (upper triangle of d x d by columns, may be overwritten but for that triangle when it does not settle) to
     Z = proj_PSD(X). Leaves F, or Z to make it of, and what the next projection starts from in the state. x: svec of X. tolerance: allowed ||error||_F.
     z (svec) is written unless it is NULL. *settled: whether Z was found; if not, state->columns is what it has cost and a
     complete kernel is asked.
  */
  PetscErrorCode (*project)(PsdCone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                            PetscReal tolerance, PetscReal z[], PetscBool *settled);
  PetscErrorCode (*destroy)(void *kernel);
  /* for blocks of order d: of a rank that projects, beyond X and the states; one projection, on the rank that does it */
  void (*memory)(const PsdSizes *, PetscReal d, PsdMemory *);
  PsdCost (*cost)(PetscReal d, const PsdRates *rates);
} PsdConeOps;

extern const PsdConeOps *const PsdConeTable[];
extern const PetscInt PsdConeKernels;
#define PSD_CONE_AUTO (-1)
/* The kernel of a name; PSD_CONE_AUTO if there is none. */
PetscInt PsdConeFind(const char name[]);
/* The first kernel of a kind. */
PetscInt PsdConeFirst(PetscBool complete, PetscBool uses_team);

/* LAPACK's drivers, as -cone_lapack names them: complete, the range of positive eigenvalues, or what the last rank suggests. */
typedef enum { PSD_LAPACK_AUTO, PSD_LAPACK_COMPLETE, PSD_LAPACK_RANGE } PsdConeDriver;

/* ---------------------------------------------------------------- the projection */

struct _p_PsdCone {
  PsdBlocks blocks;
  PetscInt choice;      /* of a kernel, or PSD_CONE_AUTO */
  PsdConeDriver driver; /* of lapack */
  const char *eps_type; /* of partial */
  PetscInt orders;      /* different ones that blocks have, on all ranks, ... */
  PetscInt *order;      /* ... in the order of the regions */
  void **kernel;        /* what each of the table keeps for each order; NULL: it is not going to be used */
  PetscInt iteration;   /* projections so far */
  PetscBool shared;     /* more ranks than pairs: blocks are worked on by teams */
  PsdConeTeam team;
  PsdBlockState *state[2];     /* of each local block; [0] Z, [1] Z' */
  PsdBlockState work_state[2]; /* of blocks worked on for others */
  /* work space for the largest block */
  PetscReal *X, *x;  /* d x d; svec of a block that is another rank's */
  PsdEigen eigen;    /* complete decompositions, of kernels as well */
  PetscReal *lambda; /* d, for them */
  PetscReal *panel;  /* d x PSD_CONE_PANEL */
  PetscReal *last_F,
      *products;          /* of the change of Z: d x d/4, d/4 x d/4; NULL: blocks are small, and it is not asked for */
  MPI_Request *requests;  /* of blocks that are sent to teams */
  PetscLogDouble seconds; /* in projections, here */
  PetscInt *uses;         /* projections by each kernel of the table, here */
};

/* What kernel number `which` keeps for blocks of order d. */
void **PsdConeKernel(PsdCone cone, PetscInt which, PetscInt d);

/* Which kernel is taken for this block now; a function of numbers that do not depend on clocks. */
PetscInt PsdConeChoose(PsdCone cone, const PsdBlockState *state);

/* Up to this order LAPACK takes a fraction of a millisecond and nothing else is worth its overhead. */
#define PSD_CONE_SMALL_ORDER 80
/* From this order on a projection is worth sending a block to another rank. */
#define PSD_CONE_TEAM_ORDER 100

/* ---------------------------------------------------------------- shared by kernels */

/* The state of a block: block_state.c. PsdBlockStateReserve - room for `rank` columns of F. */
PetscErrorCode PsdBlockStateReserve(PsdBlockState *state, PetscInt rank);
PetscErrorCode PsdBlockStateDestroy(PsdBlockState *state);
#define PSD_CONE_PANEL 48
/* z <- svec of F F' (d x rank), panel by panel so that no d x d array is written. */
PetscErrorCode PsdConePackProduct(PsdCone cone, PetscInt d, PetscInt rank, const PetscReal F[], PetscReal z[]);
/* state: Z of a complete decomposition, V (columns) and lambda ascending: F, and what a partial projection starts from. */
PetscErrorCode PsdConeTakeDecomposition(PsdBlockState *state, PetscInt negative, const PetscReal lambda[],
                                        const PetscReal V[]);

#endif
