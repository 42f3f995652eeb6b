/*
   The choice of the type of solver. Sizes decide, by the preference that each type states, and not clocks, so that a
   run can be made again.
*/
#include "choose_solver.h"
#include "base/base.h"
#include "solver_table.h"

/* The option of this type's own that was given, or NULL. */
static PetscErrorCode OwnOption(const PsdSolverType *type, const char **option)
{
  PetscFunctionBeginUser;
  *option = NULL;
  for (PetscInt k = 0; type->own[k] && !*option; k++) {
    PetscBool given;
    PetscCall(PsdOptionsGiven(type->own[k], &given));
    if (given) *option = type->own[k];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverReadOwn(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const char *first = NULL, *option;
  for (PetscInt k = 0; PsdSolverTable[k]; k++) {
    const PsdSolverType *type = PsdSolverTable[k];
    PetscCall(OwnOption(type, &option));
    if (!option) continue;
    PsdCheckInput(!solver->asked || solver->asked == type, "options -solver %s and %s: %s is for -solver %s",
                  solver->asked->name, option, option, type->name);
    PsdCheckInput(!first, "options %s and %s: %s is for -solver %s, and %s for -solver %s", first, option, first,
                  solver->suggested->name, option, type->name);
    first = option;
    solver->suggested = type;
  }
  PetscFunctionReturn(0);
}

static PetscBool Takes(const PsdSolverType *type, const PsdSizes *sizes, const PsdLoss *loss)
{
  return (PetscBool)((type->takes_corners || loss->ops->smooth) && (type->takes_vectors || !sizes->vectors));
}

static PetscErrorCode CheckTakes(const PsdSolverType *type, const PsdSizes *sizes, const PsdLoss *loss)
{
  PetscFunctionBeginUser;
  PsdCheckInput(type->takes_vectors || !sizes->vectors,
                "options -solver %s and -lift linear: %s is for quadratic neurons", type->name, type->name);
  PsdCheckInput(Takes(type, sizes, loss), "options -solver %s and -loss %s: %s needs a loss that is smooth", type->name,
                loss->ops->name, type->name);
  PetscFunctionReturn(0);
}

/* The type of the file to go on from. */
static PetscErrorCode FindOfFile(PsdSolver solver, const PsdSolverType **type)
{
  PetscFunctionBeginUser;
  const PsdCheckpoint *file = &solver->checkpoint;
  const PsdSolverType *wanted = solver->asked ? solver->asked : solver->suggested;
  char names[PSD_MESSAGE_LENGTH / 4];
  PsdSolverTypeNames(sizeof(names), names);
  *type = PsdSolverTypeFind(file->type);
  PsdCheckInput(*type, "%s: its solver is not one of %s", file->path, names);
  /* a type that was not asked for by its name may have been relieved */
  const PetscBool relieved = (PetscBool)(!solver->asked && wanted && wanted->is_relieved && (*type)->relieves);
  PsdCheckInput(!wanted || wanted == *type || relieved,
                "%s: its run used -solver %s, which -solver %s cannot go on from", file->path, (*type)->name,
                wanted->name);
  PetscFunctionReturn(0);
}

static const PsdSolverType *Preferred(const PsdSizes *sizes, const PsdLoss *loss)
{
  const PsdSolverType *type = NULL;
  for (PetscInt k = 0; PsdSolverTable[k]; k++)
    if (Takes(PsdSolverTable[k], sizes, loss) && (*PsdSolverTable[k]->prefers)(sizes)) type = PsdSolverTable[k];
  return type;
}

#define LEAST_ITERATIONS 500 /* and the other one has in any case: more than most runs need */
#define MOST_WORK 4          /* of the one that relieves, over that of the other one in half of its most iterations */
#define LEAST_BYTES 64e6     /* that the root has, whatever -memory says of features */

static PetscBool CanRelieve(const PsdSolverType *type, const PsdSizes *sizes, const PsdLoss *loss)
{
  if (!type->relieves || !Takes(type, sizes, loss)) return PETSC_FALSE;
  return (PetscBool)((*type->root_bytes)(sizes, loss) <= PetscMax(LEAST_BYTES, sizes->feature_memory));
}

/* Unless the user has asked for a type by its name. */
static void FindRelief(PsdSolver solver, const PsdSizes *sizes, const PsdLoss *loss)
{
  const PsdSolverType *type = solver->type;
  const PetscReal half = PetscMax(LEAST_ITERATIONS, solver->settings.max_it / 2);
  solver->relief = (PsdSolverRelief){0};
  for (PetscInt k = 0; PsdSolverTable[k] && type->is_relieved && !solver->asked; k++) {
    const PsdSolverType *other = PsdSolverTable[k];
    if (other == type || !CanRelieve(other, sizes, loss)) continue;
    const PetscReal work = (*other->iterations)(sizes) * (*other->iteration_flops)(sizes, loss);
    const PetscReal even = work / (*type->iteration_flops)(sizes, loss);
    if (even > MOST_WORK * half) continue;
    solver->relief =
        (PsdSolverRelief){other, solver->candidate[k], (PetscInt)PetscMin(half, PetscMax(LEAST_ITERATIONS, even))};
  }
}

PetscErrorCode PsdSolverChoose(PsdSolver solver, const PsdSizes *sizes)
{
  PetscFunctionBeginUser;
  const PsdLoss *loss = &solver->problem->loss;
  const PsdSolverType *type = solver->asked ? solver->asked : solver->suggested;
  if (solver->checkpoint.archive) PetscCall(FindOfFile(solver, &type));
  if (!type) type = Preferred(sizes, loss);
  PetscCheck(type, PETSC_COMM_SELF, PETSC_ERR_PLIB, "no type of solver is for this problem");
  PetscCall(CheckTakes(type, sizes, loss));
  for (PetscInt k = 0; PsdSolverTable[k]; k++)
    if (PsdSolverTable[k] == type) solver->data = solver->candidate[k];
  solver->type = type;
  FindRelief(solver, sizes, loss);
  PetscCall(PetscInfo(NULL, "solver: %s for D = %.0f, n = %.0f\n", type->name, (double)sizes->D, (double)sizes->n));
  if (solver->relief.type)
    PetscCall(PetscInfo(NULL, "solver: %s goes on after %" PetscInt_FMT " iterations\n", solver->relief.type->name,
                        solver->relief.after));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverPlanFromOptions(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSolverTypeAsk(&solver->asked));
  for (PetscInt k = 0; PsdSolverTable[k]; k++)
    PetscCall((*PsdSolverTable[k]->set_plan_from_options)(solver->candidate[k]));
  PetscCall(PsdSolverReadOwn(solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverPlanRun(PsdSolver solver, const PsdSolverJob *job, PsdSolverPlan *plan)
{
  PetscFunctionBeginUser;
  *plan = (PsdSolverPlan){0};
  PetscCall(PsdSolverChoose(solver, job->sizes));
  PetscCall((*solver->type->plan)(solver->data, job, plan));
  PetscFunctionReturn(0);
}
