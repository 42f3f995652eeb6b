/*
   The checks so far, so that a run that is continued reports all of them: a row of numbers for each in the file.
*/
#include "checkpoint.h"

#define ROWS "/history"
#define COLUMNS 10

PetscErrorCode PsdHistoryAppend(PsdHistory *history, const PsdSolverStatus *status)
{
  PetscFunctionBeginUser;
  if (history->rows == history->room) {
    const PetscInt room = 2 * history->room + 64;
    PetscCall(PetscRealloc((size_t)room * sizeof(*history->row), &history->row));
    history->room = room;
  }
  history->row[history->rows++] = *status;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdHistoryDestroy(PsdHistory *history)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(history->row));
  *history = (PsdHistory){0};
  PetscFunctionReturn(0);
}

static void ToNumbers(const PsdSolverStatus *status, PetscReal x[COLUMNS])
{
  x[0] = (PetscReal)status->iteration;
  x[1] = status->seconds;
  x[2] = status->primal_residual;
  x[3] = status->dual_residual;
  x[4] = status->rho;
  x[5] = status->objective;
  x[6] = status->bound;
  x[7] = status->gap;
  x[8] = (PetscReal)status->rank_Z;
  x[9] = (PetscReal)status->neurons;
}

static PsdSolverStatus FromNumbers(const PetscReal x[COLUMNS])
{
  return (PsdSolverStatus){.iteration = (PetscInt)x[0],
                           .seconds = x[1],
                           .primal_residual = x[2],
                           .dual_residual = x[3],
                           .rho = x[4],
                           .objective = x[5],
                           .bound = x[6],
                           .gap = x[7],
                           .rank_Z = (PetscInt)x[8],
                           .neurons = (PetscInt)x[9]};
}

/* The columns that are counts, which are printed alone, fit one. */
static PetscBool CountsAreSound(const PetscReal x[COLUMNS])
{
  const PetscReal most = (PetscReal)PETSC_MAX_INT;
  return (PetscBool)(x[0] >= 0 && x[0] <= most && x[8] >= 0 && x[8] <= most && x[9] >= 0 && x[9] <= most);
}

static PetscErrorCode Take(PsdHistory *history, PsdVisitor v, PetscInt rows, const PetscReal numbers[])
{
  PetscFunctionBeginUser;
  history->rows = 0;
  for (PetscInt k = 0; k < rows; k++) {
    const PetscReal *x = numbers + (size_t)k * COLUMNS;
    if (!CountsAreSound(x)) PsdVisitorFail(v, "array " ROWS " has a count that is out of range");
    PetscCall(PsdVisitorAgree(v));
    const PsdSolverStatus status = FromNumbers(x);
    PetscCall(PsdHistoryAppend(history, &status));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdHistoryVisit(PsdHistory *history, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscInt rows = history->rows;
  PetscReal *numbers;
  PetscCall(PsdVisitRowCount(v, ROWS, COLUMNS, PETSC_MAX_INT / COLUMNS, &rows));
  PetscCall(PsdVisitorWork(v, (size_t)rows * COLUMNS * sizeof(PetscReal), &numbers));
  if (PsdVisitorIsWriting(v))
    for (PetscInt k = 0; k < rows; k++) ToNumbers(&history->row[k], numbers + (size_t)k * COLUMNS);
  PetscCall(PsdVisitReplicated(v, ROWS, rows, COLUMNS, numbers));
  if (PsdVisitorIsReading(v)) PetscCall(Take(history, v, rows, numbers));
  PetscFunctionReturn(0);
}
