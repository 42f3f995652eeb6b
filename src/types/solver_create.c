/*
   PsdSolver: how it comes to be, of which type, and its set-up. A handle has settings of every type until the sizes of
   the problem, or a checkpoint, have settled which one it is.
*/
#include "base/base.h"
#include "certificate/witness.h"
#include "choose_solver.h"
#include "solver_table.h"
#include <string.h>

PetscErrorCode PsdSolverCreate(PsdProblem problem, PsdSolver *solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdSolver it;
  PetscCall(PetscNew(&it));
  it->problem = problem;
  it->settings = (PsdSolverSettings){.gap = 1e-4, .max_it = 5000};
  for (PetscInt k = 0; PsdSolverTable[k]; k++) PetscCall((*PsdSolverTable[k]->create)(it, &it->candidate[k]));
  *solver = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetType(PsdSolver solver, const char type[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  char names[PSD_MESSAGE_LENGTH / 4];
  PsdSolverTypeNames(sizeof(names), names);
  solver->asked = PsdSolverTypeFind(type);
  PsdCheckInput(solver->asked || !strcmp(type, "auto"), "solver '%s' is unknown: expected auto or %s", type, names);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverTypeFromOptions(const char *type[])
{
  PetscFunctionBeginUser;
  const PsdSolverType *asked = NULL;
  PetscCall(PsdSolverTypeAsk(&asked));
  *type = asked ? asked->name : "auto";
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdSolverSettings *settings = &solver->settings;
  PetscCall(PsdOptionsHeading("Solver"));
  PetscCall(PsdSolverTypeAsk(&solver->asked));
  PetscCall(PsdOptionReal("-gap", "stop at this certified relative gap", PSD_POSITIVE, &settings->gap, NULL));
  PetscCall(PsdOptionInt("-max_it", "most iterations", 1, PETSC_MAX_INT, &settings->max_it, NULL));
  PetscCall(PsdOptionReal("-time_limit", "seconds after which the run ends with what it has; 0 = none", PSD_NONNEGATIVE,
                          &settings->time_limit, NULL));
  for (PetscInt k = 0; PsdSolverTable[k]; k++) {
    char title[64];
    (void)snprintf(title, sizeof(title), "Solver %s", PsdSolverTable[k]->name);
    PetscCall(PsdOptionsHeading(title));
    PetscCall((*PsdSolverTable[k]->set_from_options)(solver->candidate[k]));
  }
  PetscCall(PsdSolverReadOwn(solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetFromOptions(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCallWithPrefix(solver->prefix, ReadOptions(solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetOption(PsdSolver solver, const char option[], const char value[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCallWithOption(option, value, ReadOptions(solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetOptionsPrefix(PsdSolver solver, const char prefix[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PetscCall(PsdOptionsKeepPrefix(prefix, &solver->prefix));
  PetscFunctionReturn(0);
}

static PetscErrorCode SettleType(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdSizes sizes;
  const PsdCheckpoint *checkpoint = &solver->checkpoint;
  PetscCall(PsdProblemFindSizes(solver->problem, &sizes));
  PetscCall(PsdSolverChoose(solver, &sizes));
  if (checkpoint->gram_path[0] && !solver->type->has_gram)
    PetscCall(PetscPrintf(solver->problem->comm, "gram     solver %s has no A'A to keep in %s\n", solver->type->name,
                          checkpoint->gram_path));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetUp(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PetscCall(PsdCheckpointBegin(solver));
  PetscCall(PsdResumeOpen(solver));
  PetscCall(SettleType(solver));
  PetscCall(PsdResumeForm(solver));
  PetscCall((*solver->type->set_up)(solver));
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(PsdResumeLoad(solver));
  if (solver->checkpoint.resumed) PetscCall((*solver->type->resume)(solver));
  else PetscCall((*solver->type->start)(solver));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverDestroy(PsdSolver *solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  if (!*solver) PetscFunctionReturn(0);
  for (PetscInt k = 0; PsdSolverTable[k]; k++) PetscCall((*PsdSolverTable[k]->destroy)(&(*solver)->candidate[k]));
  PetscCall(PsdWitnessDestroy(&(*solver)->witness));
  PetscCall(PsdCheckpointDestroy(&(*solver)->checkpoint));
  PetscCall(PsdHistoryDestroy(&(*solver)->history));
  PetscCall(PetscFree((*solver)->prefix));
  PetscCall(PetscFree(*solver));
  PetscFunctionReturn(0);
}
