/*
   The consensus step (docs/mathematics.md, section 2): the one place where all samples meet.

     (G_P + shift I) S = rhs,   G_P = P A'A P of order D,   C right-hand sides,   shift = rho/2

   Every rank brings its own part of A'A once; after that a kernel holds the matrix and its factor where it sees fit, and
   solves for vectors that are distributed over the owners of the blocks.
*/
#ifndef PSD_CONSENSUS_PRIVATE_H
#define PSD_CONSENSUS_PRIVATE_H

#include "cone/cone.h"

typedef struct _p_PsdConsensus *PsdConsensus;

typedef struct {
  const char *name;
  /* gram: this rank's part, upper triangle of D x D by columns; the kernel owns it from now on (PetscFree) */
  PetscErrorCode (*assemble)(PsdConsensus, PetscReal *gram);
  PetscErrorCode (*factor)(PsdConsensus, PetscReal shift);
  PetscErrorCode (*solve)(PsdConsensus, Vec rhs, Vec x);
  PetscErrorCode (*multiply)(PsdConsensus, Vec x, Vec y); /* y = G_P x */
  PetscErrorCode (*destroy)(PsdConsensus);
} PsdConsensusOps;

extern const PsdConsensusOps PsdConsensusRoot;
extern const PsdConsensusOps PsdConsensusScalapack;

struct _p_PsdConsensus {
  PsdBlocks blocks;
  const PsdConsensusOps *ops; /* NULL: chosen in assemble (auto) */
  void *kernel;
  PetscReal trace; /* of G_P; on every rank */
  PetscReal shift; /* of the factor at hand */
  PetscInt factorizations;
};

/* All collective on the blocks' communicator. */
PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus);
PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus); /* -consensus auto|root|scalapack */
/* PsdConsensusAssemble - gram: this rank's part of A'A, upper triangle of D x D by columns; freed by the consensus. */
PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdBlocks blocks, PetscReal *gram);
PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift);
PetscErrorCode PsdConsensusSolve(PsdConsensus consensus, Vec rhs, Vec x);
PetscErrorCode PsdConsensusMultiply(PsdConsensus consensus, Vec x, Vec y);
PetscErrorCode PsdConsensusDestroy(PsdConsensus *consensus);

/* The smallest shift whose factorisation rounding cannot break: G_P is singular, and its computed form is indefinite by up
   to about eps times its norm. */
PetscReal PsdConsensusShiftFloor(PsdConsensus consensus);

/* PsdReducePanel - adds `columns` columns from `first` on of all ranks' upper triangles (order D) into those of `owner`, in
   pieces of bounded size. Collective. */
PetscErrorCode PsdReducePanel(MPI_Comm comm, PetscMPIInt owner, PetscInt D, PetscInt first, PetscInt columns,
                              PetscReal *gram);

#endif
