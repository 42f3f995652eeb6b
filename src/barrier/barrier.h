/*
   The barrier method (docs/mathematics.md, section 8) as a type of solver, for problems that are small: a primal-dual
   interior-point method on the root, which gathers all samples. The bounds are looked at after each iteration.
*/
#ifndef PSD_BARRIER_PRIVATE_H
#define PSD_BARRIER_PRIVATE_H

#include "central.h"
#include "solver/solver.h"

typedef struct _p_PsdBarrierSolver *PsdBarrierSolver;

struct _p_PsdBarrierSolver {
  PsdSolver solver;
  PsdProblem problem;
  PsdCentral central; /* on the root; NULL elsewhere */
  PetscMPIInt rank;
  PetscInt *samples, *first; /* of every rank; where they begin among all */
  PetscInt idle;             /* iterations in a row without progress, by rounding */

  PsdNeurons trial;    /* on the root: a network of the path, ... */
  PetscReal *trial_nu; /* ... and its dual point, n x C */
  PsdNeurons best;     /* the best one so far, all of it on all ranks */
  PetscReal weight;    /* sum of its |alpha| */
  PetscBool fixed;     /* it was given */
  PetscReal bound;     /* the largest so far, ... */
  PetscReal *nu;       /* ... and where: n x C, on all ranks */
};

/* barrier_gather.c: the samples of all ranks on the root, n x width row-major; rows: this rank's. NULL elsewhere; PetscFree.
   Collective. */
PetscErrorCode PsdBarrierGather(PsdBarrierSolver barrier, PetscInt width, const PetscReal rows[], PetscReal *all[]);
/* PsdBarrierGatherSlopes - the same of -L'(0). Collective. */
PetscErrorCode PsdBarrierGatherSlopes(PsdBarrierSolver barrier, PetscReal *all[]);

/* barrier_network.c: the networks of the path. Collective. */
PetscErrorCode PsdBarrierTakeNetwork(PsdBarrierSolver barrier, PetscReal target);
PetscErrorCode PsdBarrierCheck(PsdSolver solver);
PetscErrorCode PsdBarrierCertify(PsdSolver solver, PsdCertificate *certificate);
PetscErrorCode PsdBarrierSetInitial(PsdSolver solver, PsdNetwork network);
PetscErrorCode PsdBarrierFixNetwork(PsdSolver solver, PsdNetwork network);

/* barrier_state.c. Collective. */
PetscErrorCode PsdBarrierVisitForm(PsdSolver solver, PsdVisitor visitor);
PetscErrorCode PsdBarrierVisitState(PsdSolver solver, PsdVisitor visitor);

/* barrier_costs.c. Not collective. */
PetscErrorCode PsdBarrierPlan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan);
/* PsdBarrierIterations - to a gap of 1e-4, about. PsdBarrierWork - floating point operations of an iteration; PsdBarrierBytes - on the root, of its samples and matrices. */
PetscReal PsdBarrierIterations(const PsdSizes *sizes);
PetscReal PsdBarrierWork(const PsdSizes *sizes, const PsdLoss *loss);
PetscReal PsdBarrierBytes(const PsdSizes *sizes, const PsdLoss *loss);

#endif
