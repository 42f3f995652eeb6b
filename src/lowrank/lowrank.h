/*
   The low-rank solver (docs/mathematics.md, "The low-rank solver") as a type of solver: it holds the factors of all blocks and
   no matrix of the order of a feature.

   An iteration is one Newton solve with what comes before it. First a path of betas among the filters of a coarse level, then,
   at the beta asked for, all filters; there the bounds are looked at after every iteration, by a certificate.
*/
#ifndef PSD_LOWRANK_PRIVATE_H
#define PSD_LOWRANK_PRIVATE_H

#include "certificate/factored.h"
#include "newton.h"
#include "solver/solver.h"
#include "violations.h"

typedef struct _p_PsdLowrank *PsdLowrank;

#define PSD_FIRST_BETA 0.32 /* of beta_max: where the path of betas begins */

typedef struct {
  PetscInt coarse; /* principal components of the coarse level */
  /* what a plan assumes, as it cannot be known before */
  PetscInt plan_columns; /* of a class and region */
  PetscInt plan_passes;  /* over all patches, on the complete level */
} PsdLowrankSettings;

/* What comes next on a level. */
typedef enum {
  PSD_LOWRANK_LOOK,  /* where blocks violate; on the complete level that is a certificate */
  PSD_LOWRANK_ROUGH, /* Newton's method, to where columns that vanish show */
  PSD_LOWRANK_FINE,  /* ... to the decrement that is needed, */
  PSD_LOWRANK_FINAL, /* ... and again, as columns were dropped */
  PSD_LOWRANK_STAGES
} PsdLowrankStage;

/* Where the solver stands on its way. */
typedef struct {
  PsdLowrankStage stage;
  PetscInt rounds; /* of Newton's method in this stage */
  PetscReal aim;   /* the gap that Newton's method is to be good for */
  PetscReal beta;  /* that it is at now, at least the one asked for */
  PetscBool fine;  /* on the complete level, for good */
  PetscReal
      tighten; /* what the tolerance of Newton's method is multiplied by: below 1 where its point was not good enough */
  PetscReal share;   /* of the gap asked for: what is asked of the coarse filters, where these are all there are */
  PetscInt grown;    /* certificates that asked for columns, on the complete level */
  PetscBool whole;   /* bounds are of the blocks themselves, as they are too loose with what is beyond the components */
  PetscInt polished; /* certificates in a row that asked for a better point, and not for columns */
} PsdLowrankPlace;

/* A network and a dual point, and what was proved of them. */
typedef struct {
  PsdNeurons neurons;
  PetscReal *nu;    /* n_local x C row-major */
  PetscReal *theta; /* 2 pairs: multipliers that the bounds were found with */
  PsdCertificate certificate;
  PetscBool has_nu; /* nu and theta are there, as they are not after a run was continued */
  PetscBool known;  /* there is one for this beta */
} PsdLowrankBest;

struct _p_PsdLowrank {
  PsdSolver solver;
  PsdProblem problem;
  PsdLowrankSettings settings;

  PsdPatchMatrix patches;
  PsdComponentList *components;
  PetscInt K;        /* of the coarse level, as far as it was raised */
  PsdLevel coarse;   /* complete where f is small */
  PsdLevel complete; /* NULL: not made yet, or the coarse one is */
  PsdObjective objective;
  PsdFactored factored; /* NULL: not made yet */

  PsdColumns columns; /* of PsdLowrankLevel */
  PetscReal *mu;      /* 2 mu of all blocks */
  PetscReal *value;   /* of all groups, at `columns` and place.beta */
  PetscReal *radius;  /* of their trust regions */
  PetscBool precise;  /* Newton's method has come to gradients in double precision */
  PsdLowrankPlace place;
  PetscInt64 span_evaluations, span_products; /* since the start of this process, of those that the objective counts */

  PsdLowrankBest best;
  PetscBool fixed;       /* the network of `best` was given */
  PetscReal bound;       /* largest so far, for this beta */
  PsdBlockBound *blocks; /* 2 pairs: of the last certificate, ... */
  PetscReal *u;          /* ... and where they are nearly attained: 2 pairs x f_max */
};

/* The level that the columns are of. */
static inline PsdLevel PsdLowrankLevel(PsdLowrank it)
{
  return it->place.fine && it->complete ? it->complete : it->coarse;
}

/* The number in the certificate, 2 (t G + g) + s, of a block of columns.h. */
static inline PetscInt PsdLowrankPairBlock(PsdLowrank it, PetscInt block)
{
  const PsdBlocks blocks = it->problem->blocks;
  return 2 * (block / 2 % blocks->C * blocks->G + block / (2 * blocks->C)) + block % 2;
}

/* levels.c: the coarse level, raised as far as a beta needs; the complete one. Collective. */
PetscErrorCode PsdLowrankMakeLevels(PsdLowrank lowrank);
PetscErrorCode PsdLowrankRaise(PsdLowrank lowrank);
/* PsdLowrankMoveTo - the columns to the complete level, or back to the coarse one. */
PetscErrorCode PsdLowrankMoveTo(PsdLowrank lowrank, PetscBool fine);

/* lowrank_evaluate.c - scores, slopes, values and multipliers at the columns. Collective. */
PetscErrorCode PsdLowrankEvaluate(PsdLowrank lowrank, PetscBool precise);

/* steps.c. Collective. */
PetscErrorCode PsdLowrankIterate(PsdSolver solver, PetscBool *due);
PetscErrorCode PsdLowrankAdapt(PsdSolver solver);

/* lowrank_certify.c. Collective. */
PetscErrorCode PsdLowrankCheck(PsdSolver solver);
PetscErrorCode PsdLowrankCertify(PsdSolver solver, PsdCertificate *certificate);
PetscErrorCode PsdLowrankFixNetwork(PsdSolver solver, PsdNetwork network);
PetscErrorCode PsdLowrankSetInitial(PsdSolver solver, PsdNetwork network);

/* lowrank_state.c. Collective. */
PetscErrorCode PsdLowrankVisitForm(PsdSolver solver, PsdVisitor visitor);
PetscErrorCode PsdLowrankVisitState(PsdSolver solver, PsdVisitor visitor);

/* lowrank_costs.c. Not collective. */
PetscErrorCode PsdLowrankSetPlanFromOptions(void *data);
PetscErrorCode PsdLowrankPlan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan);

#endif
