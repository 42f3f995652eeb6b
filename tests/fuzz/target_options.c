/*
   All options of all subcommands, read by the objects that they belong to, and a plan made of what was read: numbers, words,
   lists, the recipe and its branches, -rates. Names that nobody asked for get a line with the nearest one that was.
*/
#include "fuzz.h"
#include "solver/solver.h"
#include <psdplan.h>

enum { OPTIONS, KINDS };

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdPlan plan;
} Objects;

static Objects Create(void)
{
  Objects it;
  FUZZ_MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  FUZZ_MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  FUZZ_MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  FUZZ_MUST(PsdSolverCreate(it.problem, &it.solver));
  FUZZ_MUST(PsdPlanCreate(it.problem, &it.plan));
  return it;
}

static void Destroy(Objects *it)
{
  FUZZ_MUST(PsdPlanDestroy(&it->plan));
  FUZZ_MUST(PsdSolverDestroy(&it->solver));
  FUZZ_MUST(PsdProblemDestroy(&it->problem));
  FUZZ_MUST(PsdPatchesDestroy(&it->patches));
  FUZZ_MUST(PsdDataDestroy(&it->data));
}

static PetscErrorCode Ask(const Objects *it)
{
  PetscErrorCode code = PsdProgressSetFromOptions();
  if (!code) code = PsdDataSetFromOptions(it->data);
  if (!code) code = PsdPatchesSetFromOptions(it->patches);
  if (!code) code = PsdProblemSetFromOptions(it->problem);
  if (!code) code = PsdSolverSetFromOptions(it->solver);
  if (!code) code = PsdPlanSetFromOptions(it->plan);
  if (!code) code = PsdOptionsCheckUnknown();
  return code;
}

/* Of given rates: this machine's would have to be measured. */
static PetscErrorCode Plan(const Objects *it)
{
  PetscFunctionBeginUser;
  PetscBool given;
  PsdPlanTotals totals;
  PetscCall(PetscOptionsHasName(NULL, NULL, "-rates", &given));
  if (!given) PetscFunctionReturn(0);
  PetscErrorCode code = PsdPlanSetUp(it->plan);
  if (!code) code = PsdPlanView(it->plan, PETSC_VIEWER_STDOUT_SELF);
  if (!code) code = PsdPlanGetTotals(it->plan, &totals);
  PetscFunctionReturn(code);
}

static PetscErrorCode Read(const FuzzInput *input)
{
  PetscFunctionBeginUser;
  Objects it = Create();
  FuzzTakeOptions(FuzzFind(input, OPTIONS));
  PetscErrorCode code = Ask(&it);
  if (!code) code = Plan(&it);
  Destroy(&it);
  FuzzForgetOptions();
  PsdPathsForget();
  PetscFunctionReturn(code);
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .read = Read};
