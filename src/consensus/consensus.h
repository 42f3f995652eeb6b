/*
   The consensus step (docs/mathematics.md, section 2): the one place where all samples meet.

     S = argmin over <J,S> = 0 of  L(A S) + (rho/4) ||S - Sh||^2,      shift = rho/2

   For the squared loss (G_P + shift I) S = h + shift Sh with G_P = P A'A P of order D, or, by Woodbury, a system with the
   kernel matrix A A' of order n. A kernel forms its matrix once from the problem's samples, on one rank or on all, holds the
   factor where it sees fit, and answers for vectors that are distributed over the owners of the blocks.
*/
#ifndef PSD_CONSENSUS_PRIVATE_H
#define PSD_CONSENSUS_PRIVATE_H

#include "base/visitor.h"
#include "cone/factors.h"
#include "problem/problem.h"

typedef struct _p_PsdConsensus *PsdConsensus;

/* nu = Y - A w of some w: <nu,Y> and ||nu||^2 */
typedef struct {
  PetscReal linear, quadratic;
} PsdResidual;

/* What a kernel is asked for; see the functions of the same name below. */
typedef struct {
  const char *name;
  PetscErrorCode (*assemble)(PsdConsensus);
  PetscErrorCode (*factor)(PsdConsensus, PetscReal shift);
  PetscErrorCode (*step)(PsdConsensus, Vec Sh, Vec S);
  PetscErrorCode (*residual)(PsdConsensus, Vec w, const PsdFactors *factors, PsdResidual *residual, Vec M);
  PetscErrorCode (*step_residual)(PsdConsensus, Vec S, Vec M, PsdResidual *residual);
  PetscErrorCode (*krylov_start)(PsdConsensus, Vec *start);
  PetscErrorCode (*krylov_multiply)(PsdConsensus, Vec x, Vec y);
  PetscErrorCode (*destroy)(PsdConsensus);
  /* kernels of A'A only; NULL otherwise */
  PetscErrorCode (*solve)(PsdConsensus, Vec rhs, Vec x);
  PetscErrorCode (*multiply)(PsdConsensus, Vec x, Vec y);
  /* kernels that work with the samples only; NULL otherwise */
  PetscErrorCode (*follow)(PsdConsensus, const PsdFactors *difference, PetscReal relaxation);
  PetscErrorCode (*restart)(PsdConsensus, Vec difference);
  PetscErrorCode (*rescale)(PsdConsensus, PetscReal factor);
  void (*get_residual)(PsdConsensus, const PetscReal *nu[]);
  PetscErrorCode (*visit)(PsdConsensus, PsdVisitor visitor);
} PsdConsensusOps;

extern const PsdConsensusOps PsdConsensusRoot;
extern const PsdConsensusOps PsdConsensusScalapack;
extern const PsdConsensusOps PsdConsensusDual;

/* Kernels that an iteration can be handed on between. */
typedef enum { PSD_FAMILY_ANY, PSD_FAMILY_GRAM, PSD_FAMILY_SAMPLES } PsdConsensusFamily;

struct _p_PsdConsensus {
  PsdProblem problem;
  PsdBlocks blocks;
  const PsdConsensusOps *ops; /* NULL: chosen in assemble (auto) */
  void *kernel;
  Vec rhs;         /* work of the kernels of A'A */
  Vec target;      /* what S is fitted to: A'Y, or, with a loss that is split, A'(v - lambda); borrowed */
  PetscReal trace; /* of G_P, which is that of A A'; on every rank */
  PetscReal shift; /* of the factor at hand */
  PetscInt factorizations;
  PsdConsensusFamily family; /* what `auto` may choose */
  const char *gram_path;     /* file that A'A is kept in; NULL: none. Borrowed */
  PetscBool gram_resume;     /* what it holds already may be used */
  PsdArchive gram_archive;   /* that file, from PsdGramFind to PsdGramRead */
};

/* All collective on the blocks' communicator. */
PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus);
PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus); /* -consensus auto|root|scalapack|kernel */
/* PsdConsensusRequire - a run that is continued, from the file `path`, needs a kernel that works with the samples, or one of A'A: `auto`
   will choose among those; an input error when the other kind was asked for. Before PsdConsensusAssemble. */
PetscErrorCode PsdConsensusRequire(PsdConsensus consensus, PetscBool samples, const char path[]);
/* PsdConsensusKeepGram - A'A and h are written to `path` once they are made; resume: they are read from it when it is there,
   and no feature is lifted then. path is borrowed. Before PsdConsensusAssemble. */
void PsdConsensusKeepGram(PsdConsensus consensus, const char path[], PetscBool resume);
/* PsdConsensusAssemble - chooses the kernel, has the samples lifted or kept as patches, forms its matrix and the problem's h.
   Errors: too little memory for every choice, with the numbers; features that overflow. */
PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdProblem problem);
PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift);
/* PsdConsensusSetTarget - has the step fit S to this vector from now on rather than to the problem's h: kernels of A'A only. */
void PsdConsensusSetTarget(PsdConsensus consensus, Vec target);
/* PsdConsensusStep - S of Sh, which lies in range(P). */
PetscErrorCode PsdConsensusStep(PsdConsensus consensus, Vec Sh, Vec S);

/* Whether the samples are needed to follow the iteration: see PsdConsensusFollow. Not collective. */
PetscBool PsdConsensusUsesSamples(PsdConsensus consensus);
/*
   PsdConsensusFollow - tells a kernel that works with the samples what the projection made of the step:

     A(U - U') <- relaxation A S + (1 - relaxation) A(Z - Z')_last + A(U - U') - A(Z - Z')

   difference: Z - Z' by its terms, all on every rank. PsdConsensusRestart: the same from Z - Z' as a vector, with U = U' = 0.
   PsdConsensusRescale: U and U' were multiplied by `factor`. All do nothing for kernels of A'A.
*/
PetscErrorCode PsdConsensusFollow(PsdConsensus consensus, const PsdFactors *difference, PetscReal relaxation);
PetscErrorCode PsdConsensusRestart(PsdConsensus consensus, Vec difference);
PetscErrorCode PsdConsensusRescale(PsdConsensus consensus, PetscReal factor);

/* PsdConsensusResidual - of nu = Y - A w, and M = A'nu unless M is NULL. terms: w once more by its terms, all on every rank,
   or NULL; kernels that work with the samples prefer them. */
PetscErrorCode PsdConsensusResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *residual,
                                    Vec M);
/* PsdConsensusStepResidual - of nu = Y - A S for the S of the last step, M = A'nu = shift (S - Sh) being known. */
PetscErrorCode PsdConsensusStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *residual);
/* That nu itself, n_local x C row-major, where the kernel works with the samples; else NULL. Borrowed. */
void PsdConsensusGetStepResidual(PsdConsensus consensus, const PetscReal *nu[]);

/* PsdConsensusVisit - what a kernel that works with the samples follows of them from one iteration to the next;
   nothing of others. Collective. */
PetscErrorCode PsdConsensusVisit(PsdConsensus consensus, PsdVisitor visitor);

/* x = (G_P + shift I)^-1 rhs and y = G_P x: kernels of A'A only. */
PetscBool PsdConsensusCanSolve(PsdConsensus consensus);
PetscErrorCode PsdConsensusSolve(PsdConsensus consensus, Vec rhs, Vec x);
PetscErrorCode PsdConsensusMultiply(PsdConsensus consensus, Vec x, Vec y);

/*
   The spectrum of G_P as h sees it, for Krylov methods: for every function g

     h' g(G_P) h = start' g(B) start         kernels of A'A: B = G_P, start = h
                 = start' B g(B) start       kernels that work with the samples: B = A A', start = Y

   PsdConsensusKrylovStart creates the start vector; `weighted` says that it is the second form.
*/
PetscErrorCode PsdConsensusKrylovStart(PsdConsensus consensus, Vec *start, PetscBool *weighted);
PetscErrorCode PsdConsensusKrylovMultiply(PsdConsensus consensus, Vec x, Vec y);
PetscErrorCode PsdConsensusDestroy(PsdConsensus *consensus);

/* The smallest shift whose factorisation rounding cannot break: G_P is singular, and its computed form is indefinite by up
   to about eps times its norm. */
PetscReal PsdConsensusShiftFloor(PsdConsensus consensus);

/* ---------------------------------------------------------------- shared by kernels */

/* What the kernels of A'A have in common (gram_based.c). */
PetscErrorCode PsdConsensusGramStep(PsdConsensus consensus, Vec Sh, Vec S);
PetscErrorCode PsdConsensusGramResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *residual,
                                        Vec M);
PetscErrorCode PsdConsensusGramStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *residual);
PetscErrorCode PsdConsensusGramStart(PsdConsensus consensus, Vec *start);

/*
   A'A and h in a file of their own (gram_file.c). columns here, with ascending global numbers; matrix: order x columns by
   columns, the lower triangle; or, upper, order x order with the upper triangle, columns being all or, on other ranks, none.

   PsdGramFind - whether they are to be read, and the transform of the patches when they are; errors: another problem's, damaged.
   PsdGramRead - reads them. PsdGramWrite - writes them when a path is set; a failure is a warning. All collective.
*/
PetscErrorCode PsdGramFind(PsdConsensus consensus, PetscBool *found);
PetscErrorCode PsdGramRead(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                           PetscReal matrix[]);
PetscErrorCode PsdGramWrite(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                            const PetscReal matrix[]);

/* PsdReducePanel - adds `columns` columns from `first` on of all ranks' upper triangles (order D) into those of `owner`, in
   pieces of bounded size. Collective. */
PetscErrorCode PsdReducePanel(MPI_Comm comm, PetscMPIInt owner, PetscInt D, PetscInt first, PetscInt columns,
                              PetscReal *gram);

#endif
