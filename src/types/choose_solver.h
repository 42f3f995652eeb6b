/*
   The choice of the type of solver, and what a run of it would take.
*/
#ifndef PSD_CHOOSE_SOLVER_PRIVATE_H
#define PSD_CHOOSE_SOLVER_PRIVATE_H

#include "solver/solver.h"

/* PsdSolverReadOwn - finds out whether an option was given that is one type's own. Errors (PSD_ERR_INPUT): it is of
   another type than the one asked for, or there are such options of several types. Collective. */
PetscErrorCode PsdSolverReadOwn(PsdSolver solver);

/*
   PsdSolverChoose - settles the type: the one of the checkpoint to go on from; the one asked for; the one that an option
   of its own asks for; or the last one of the table that prefers such sizes and takes the loss. Errors (PSD_ERR_INPUT): the
   checkpoint is of another type than the one asked for, or the loss is not for it. Not collective, alike on all ranks.
*/
PetscErrorCode PsdSolverChoose(PsdSolver solver, const PsdSizes *sizes);

/* PsdSolverPlanFromOptions - -solver, and what else a plan depends on; default type: the one a run would have.
   PsdSolverPlanRun - what a run would take, with the type that it would have. Errors (PSD_ERR_INPUT): as for
   PsdSolverChoose and the type's own. Collective. Not collective. */
PetscErrorCode PsdSolverPlanFromOptions(PsdSolver solver);
PetscErrorCode PsdSolverPlanRun(PsdSolver solver, const PsdSolverJob *job, PsdSolverPlan *plan);

#endif
