/*
   The consensus step (docs/mathematics.md, section 2): the one place where all samples meet.

     S = argmin over <J,S> = 0 of  L(A S) + (rho/4) ||S - Sh||^2,      shift = rho/2

   For the squared loss (G_P + shift I) S = h + shift Sh with G_P = P A'A P of order D, or, by Woodbury, a system with A
   A' of order n. A kernel forms its matrix once from the problem's samples, on one rank or on all, holds the factor
   where it sees fit, and answers for vectors that are distributed over the owners of the blocks (consensus_impl.h).
*/
#ifndef PSD_CONSENSUS_PRIVATE_H
#define PSD_CONSENSUS_PRIVATE_H

#include "base/visitor.h"
#include "cone/factors.h"
#include "problem/sample_costs.h"
#include "problem/problem.h"

/* ---------------------------------------------------------------- kernels: consensus_table.c */

/* What an iteration is followed by. One kernel can go on from where another of the same form has stopped. */
typedef enum {
  PSD_FORM_ANY,    /* said of what is wanted alone */
  PSD_FORM_GRAM,   /* A'A: the samples are not needed any more once it is made */
  PSD_FORM_SAMPLES /* numbers of every sample */
} PsdConsensusForm;

/* What the parts of a run take with a kernel, of one rank. */
typedef struct {
  PsdCost assemble; /* its matrix, of samples that are at hand */
  PsdCost factor;   /* of that */
  PsdCost step;     /* PsdConsensusStep */
  PsdCost multiply; /* a product with the matrix */
} PsdConsensusCosts;

/* A kernel, as far as it can be chosen, described and foreseen. */
typedef struct {
  const char *name;
  const char *old_name; /* another word that -consensus takes for it; NULL: none */
  const char *help;     /* what it does, in a phrase */
  PsdConsensusForm form;
  PsdSamplesForm samples;                         /* what it has the samples kept as */
  PetscReal (*grid_order)(const PsdSizes *sizes); /* of the matrix that ScaLAPACK has to hold; 0: none */
  PetscBool any_loss;                             /* or the squared loss alone */
  PetscBool branches;                             /* of patches, linear ones too, or one quadratic kind alone */
  /* Where another kernel fits, `auto` takes this one only on so many ranks, from that order of A'A on, and if it is
     faster by that factor. */
  PetscInt least_ranks;
  PetscReal least_order, advantage;
  void (*memory)(const PsdSizes *sizes, PsdMemory *memory); /* adds what it allocates besides the samples */
  void (*costs)(const PsdSizes *sizes, const PsdRates *rates, PsdConsensusCosts *costs);
  const struct _PsdConsensusOps *ops;
} PsdConsensusKernel;

/* The kernels there are, in the order in which `auto` looks at them; ended by NULL. */
extern const PsdConsensusKernel *const PsdConsensusTable[];

/* PsdConsensusFind - the kernel of that name, or NULL. Not collective. */
const PsdConsensusKernel *PsdConsensusFind(const char name[]);
/* PsdConsensusAsk - the option -consensus; *kernel is NULL for `auto`, and left as it is without the option. Collective. */
PetscErrorCode PsdConsensusAsk(const PsdConsensusKernel **kernel);
/* PsdConsensusSupports - whether a kernel is for such a problem. PsdConsensusCheckSupports - an input error where it is
   not; loss: the name of the problem's. Not collective. */
PetscBool PsdConsensusSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes);
PetscErrorCode PsdConsensusCheckSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes, const char loss[]);

/* ---------------------------------------------------------------- a consensus

   All are collective on the blocks' communicator unless they say otherwise. */

typedef struct _p_PsdConsensus *PsdConsensus;

/* nu = Y - A w of some w: <nu,Y> and ||nu||^2, or a rank's part of these, to be summed over all */
typedef struct {
  PetscReal linear, quadratic;
} PsdResidual;

PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus);
PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus); /* -consensus */
/* PsdConsensusSetKernel - before PsdConsensusAssemble. PsdConsensusGetKernel - NULL as long as it is open. Not
   collective. */
void PsdConsensusSetKernel(PsdConsensus consensus, const PsdConsensusKernel *kernel);
const PsdConsensusKernel *PsdConsensusGetKernel(PsdConsensus consensus);
/* PsdConsensusRequire - a run that is continued, from the file `path`, needs a kernel that works with the samples, or
   one of A'A; an input error when the other kind was asked for. PsdConsensusGetRequired - which it is, or PSD_FORM_ANY;
   not collective. */
PetscErrorCode PsdConsensusRequire(PsdConsensus consensus, PetscBool samples, const char path[]);
PsdConsensusForm PsdConsensusGetRequired(PsdConsensus consensus);
/* PsdConsensusPrefer - kernels of that form alone are chosen among, unless a run that is continued needs another. Not
   collective. */
void PsdConsensusPrefer(PsdConsensus consensus, PsdConsensusForm form);
/* PsdConsensusKeepGram - A'A and h are written to `path` once they are made; resume: they are read from it when it is
   there, and no feature is lifted then. path is borrowed. Before PsdConsensusAssemble. Not collective. */
void PsdConsensusKeepGram(PsdConsensus consensus, const char path[], PetscBool resume);
/* PsdConsensusAssemble - has the samples lifted or kept as patches, forms the kernel's matrix and the problem's h. The
   kernel has been set. Errors: features that overflow. */
PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdProblem problem);
PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift);

/* A'A that was made in single precision (PsdProblemSetSingle): correction.c.

   PsdConsensusIsSingle - whether it was, and still is. Not collective.
   PsdConsensusSingleFloor - the smallest shift that such a matrix is good for; 0 where it is in double precision. Not
   collective.
   PsdConsensusCorrect - from now on the step fits S so that it would not move from w, were it a solution: M is A'(Y - A w) as
   the samples have it.
   PsdConsensusLeaveSingle - makes A'A anew in double precision; its factor is still to be made. */
PetscBool PsdConsensusIsSingle(PsdConsensus consensus);
PetscReal PsdConsensusSingleFloor(PsdConsensus consensus);
PetscErrorCode PsdConsensusCorrect(PsdConsensus consensus, Vec w, Vec M);
PetscErrorCode PsdConsensusLeaveSingle(PsdConsensus consensus);

/* PsdConsensusGetTrace - of G_P, which is that of A A'. PsdConsensusGetShift - of the factor at hand. Not
   collective. */
PetscReal PsdConsensusGetTrace(PsdConsensus consensus);
PetscReal PsdConsensusGetShift(PsdConsensus consensus);
/* PsdConsensusShiftFloor - the smallest shift whose factorisation rounding cannot break: G_P is singular, and its
   computed form is indefinite by up to about eps times its norm. Not collective. */
PetscReal PsdConsensusShiftFloor(PsdConsensus consensus);
/* PsdConsensusSetTarget - has the step fit S to this vector from now on rather than to the problem's h: kernels of A'A
   only. */
void PsdConsensusSetTarget(PsdConsensus consensus, Vec target);
/* PsdConsensusStep - S of Sh, which lies in range(P). */
PetscErrorCode PsdConsensusStep(PsdConsensus consensus, Vec Sh, Vec S);

/* Whether the samples are needed to follow the iteration: see PsdConsensusFollow. Not collective. */
PetscBool PsdConsensusUsesSamples(PsdConsensus consensus);
/*
   PsdConsensusFollow - tells a kernel that works with the samples what the projection made of the step:

     A(U - U') <- relaxation A S + (1 - relaxation) A(Z - Z')_last + A(U - U') - A(Z - Z')

   difference: Z - Z' by its terms, all on every rank. PsdConsensusRestart: the same from Z - Z' as a vector, with U =
   U' = 0. PsdConsensusRescale: U and U' were multiplied by `factor`. All do nothing for kernels of A'A.
*/
PetscErrorCode PsdConsensusFollow(PsdConsensus consensus, const PsdFactors *difference, PetscReal relaxation);
PetscErrorCode PsdConsensusRestart(PsdConsensus consensus, Vec difference);
PetscErrorCode PsdConsensusRescale(PsdConsensus consensus, PetscReal factor);

/* PsdConsensusResidual - this rank's part of nu = Y - A w, and M = A'nu unless M is NULL. terms: w once more by its terms, all on every
   rank, or NULL; kernels that work with the samples prefer them. */
PetscErrorCode PsdConsensusResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *part, Vec M);
/* PsdConsensusStepResidual - this rank's part of nu = Y - A S for the S of the last step, M = A'nu = shift (S - Sh) being
   known. Not collective. */
PetscErrorCode PsdConsensusStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *part);
/* That nu itself, n_local x C row-major, where the kernel works with the samples; else NULL. Borrowed. Not
   collective. */
void PsdConsensusGetStepResidual(PsdConsensus consensus, const PetscReal *nu[]);

/* PsdConsensusVisit - what a kernel that works with the samples follows of them from one iteration to the next, and the
   correction of an A'A in single precision; nothing of others. Collective. */
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

#endif
