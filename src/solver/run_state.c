/*
   The state of a run in a checkpoint, whatever type of solver it is: everything that is the handle's, a line an item.
   The type visits its own.
*/
#include "maps/maps_state.h"
#include "problem/identity.h"
#include "solver.h"
#include <string.h>

/* The name of the type, which is short; a file that has another text is of a type that is not known. */
static PetscErrorCode VisitType(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  char *text;
  PetscCall(PsdVisitorWork(v, PSD_ARCHIVE_TEXT, &text));
  if (!PsdVisitorIsReading(v)) PetscCall(PetscStrncpy(text, solver->type->name, PSD_ARCHIVE_TEXT));
  PetscCall(PsdVisitText(v, "solver", text));
  if (PsdVisitorIsReading(v)) PetscCall(PetscStrncpy(it->type, text, sizeof(it->type)));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverVisitIdentity(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdSolver solver = context;
  PetscCall(PsdIdentityVisit(v, solver->checkpoint.identity));
  PetscCall(VisitType(solver, v));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverVisitForm(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdSolver solver = context;
  PetscCall((*solver->type->visit_form)(solver, v));
  PetscCall(PsdMapsVisit(solver->problem->patches, v));
  PetscFunctionReturn(0);
}

/* beta_max is made of sums over all images, whose rounding differs from one number of ranks to another: by a part n eps /
   1e-6 at most where they are not nothing but rounding (problem/beta.c), which for millions of images is below this. */
#define SAME_BETA 1e-2

/* The factor within which the file's number is that of this run; `own` was found from the same images. */
static void Expect(PsdVisitor v, const char name[], PetscReal found, PetscReal own, PetscReal part)
{
  if (!(PetscAbsReal(found - own) <= part * PetscMax(found, own)))
    PsdVisitorFail(v, "'%s' is %.9g, expected %.9g as of this run", name, (double)found, (double)own);
}

/* This run has found its own, which are those of the file but for rounding. Where beta_max is nothing but rounding, so
   is a beta that is a part of it. On a path beta is another one, that of the record's next row. */
static PetscErrorCode VisitBeta(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = solver->problem;
  const PetscReal most = problem->beta_max, asked = problem->beta_asked;
  const PetscReal part = most > 0 ? SAME_BETA : 0.9;
  PetscCall(PsdVisitReal(v, "beta", PSD_POSITIVE, &problem->beta));
  PetscCall(PsdVisitReal(v, "beta_max", PSD_NONNEGATIVE, &problem->beta_max));
  PetscCall(PsdVisitReal(v, "beta_asked", PSD_POSITIVE, &problem->beta_asked));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  Expect(v, "beta_max", problem->beta_max, most, SAME_BETA);
  Expect(v, "beta_asked", problem->beta_asked, asked, part);
  if (!solver->checkpoint.record) Expect(v, "beta", problem->beta, problem->beta_asked, 0);
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitStatus(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdSolverStatus *status = &solver->status;
  PetscCall(PsdVisitInt(v, "iteration", 0, PETSC_MAX_INT - 1, &status->iteration));
  PetscCall(PsdVisitInt(v, "rank", 0, PETSC_MAX_INT, &status->rank_Z));
  PetscCall(PsdVisitInt(v, "neurons", 0, PETSC_MAX_INT, &status->neurons));
  PetscCall(PsdVisitInt(v, "screened", 0, solver->problem->blocks->pairs, &status->screened));
  PetscCall(PsdVisitReal(v, "primal_residual", PSD_STATE_NONNEGATIVE, &status->primal_residual));
  PetscCall(PsdVisitReal(v, "dual_residual", PSD_STATE_NONNEGATIVE, &status->dual_residual));
  PetscCall(PsdVisitReal(v, "objective", PSD_STATE_REAL, &status->objective));
  PetscCall(PsdVisitReal(v, "bound", PSD_STATE_REAL, &status->bound));
  PetscCall(PsdVisitReal(v, "gap", PSD_STATE_REAL, &status->gap));
  PetscFunctionReturn(0);
}

/* The caller's results: the same on all ranks, and room for one more row. */
static PetscErrorCode VisitRecord(PsdSolverRecord *record, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitRowCount(v, "/record", record->columns, record->most - 1, &record->rows));
  PetscCall(PsdVisitReplicated(v, "/record", record->rows, record->columns, record->numbers));
  if (PsdVisitorIsReading(v)) record->resumed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* The rounds of PsdSolverSolve so far are worth something for the gap that they were for. */
static PetscErrorCode VisitRounds(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscReal gap = solver->settings.gap;
  PetscCall(PsdVisitInt(v, "round", 0, PSD_MOST_ROUNDS - 1, &solver->round));
  PetscCall(PsdVisitInt(v, "patience", 0, PETSC_MAX_INT, &solver->patience));
  PetscCall(PsdVisitReal(v, "gap_asked_for", PSD_POSITIVE, &gap));
  if (gap != solver->settings.gap) solver->round = solver->patience = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverVisitState(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdSolver solver = context;
  PetscCall(PsdVisitReal(v, "elapsed", PSD_STATE_NONNEGATIVE, &solver->clock.elapsed));
  PetscCall(VisitBeta(solver, v));
  PetscCall(VisitRounds(solver, v));
  PetscCall(VisitStatus(solver, v));
  PetscCall(PsdVisitBool(v, "checked", &solver->pending));
  PetscCall((*solver->type->visit_state)(solver, v));
  PetscCall(PsdHistoryVisit(&solver->history, v));
  if (solver->checkpoint.record) PetscCall(VisitRecord(solver->checkpoint.record, v));
  PetscFunctionReturn(0);
}
