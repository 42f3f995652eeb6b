/*
   Checkpoints: where the state is kept, which problem it is of, and its writing. What it consists of is in run_state.c,
   how a run goes on from it in resume.c, how the file is made in base/archive.h.

   The last checkpoint stays until the next one is whole. With -resume a run goes on from the file when it is there
   and starts afresh when it is not, so that a job that is submitted again unchanged goes on; without, the file is
   replaced by the first checkpoint. A file of another problem is refused, and one of another type of solver.
*/
#include "base/base.h"
#include "problem/identity.h"
#include "solver.h"
#include <string.h>

#define SECONDS 60 /* between checkpoints, unless somebody says otherwise */

static PetscErrorCode SetCheckpoint(PsdSolver solver, const char path[], PetscReal every, PetscBool gram,
                                    PetscBool resume)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  PsdCheckInput(strlen(path) + sizeof(".gram") <= PETSC_MAX_PATH_LEN, "checkpoint: the file name is too long: %s",
                path);
  PsdCheckInput(every >= 0, "checkpoint: %g seconds, expected 0 or more", (double)every);
  it->every = every;
  it->resume = resume;
  it->gram_path[0] = '\0';
  PetscCall(PetscStrncpy(it->path, path, sizeof(it->path)));
  if (path[0] && gram) (void)snprintf(it->gram_path, sizeof(it->gram_path), "%s.gram", path);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetCheckpoint(PsdSolver solver, const char path[], PetscReal every, PetscBool gram,
                                      PetscBool resume)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PetscCall(SetCheckpoint(solver, path ? path : "", every, gram, resume));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(PsdSolver solver)
{
  PetscFunctionBeginUser;
  char path[PETSC_MAX_PATH_LEN];
  PetscReal every = SECONDS;
  PetscBool timed, gram = PETSC_FALSE, resume = PETSC_FALSE;
  PetscCall(PsdOptionsHeading("Checkpoints"));
  PetscCall(
      PsdOptionPath("-checkpoint", "file the state of the run is kept in (HDF5)", PSD_PATH_OUTPUT, PETSC_FALSE, path));
  PetscCall(PsdOptionReal("-checkpoint_every", "seconds between checkpoints", PSD_NONNEGATIVE, &every, &timed));
  PetscCall(PsdOptionBool("-checkpoint_gram", "keep A'A as well, in FILE.gram", &gram, NULL));
  PetscCall(PsdOptionBool("-resume", "go on from the checkpoint, when there is one", &resume, NULL));
  if (PsdOptionsGetHelp()) PetscFunctionReturn(0);
  PsdCheckInput(path[0] || !(timed || gram || resume), "option %s needs -checkpoint FILE",
                resume ? "-resume"
                : gram ? "-checkpoint_gram"
                       : "-checkpoint_every");
  if (!path[0]) PetscFunctionReturn(0);
  PetscCall(SetCheckpoint(solver, path, every, gram, resume));
  if (gram) PetscCall(PsdPathDeclare("-checkpoint_gram", solver->checkpoint.gram_path, PSD_PATH_OUTPUT));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverSetCheckpointFromOptions(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  PsdCallWithPrefix(solver->prefix, ReadOptions(solver));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSolverKeepRecord(PsdSolver solver, PsdSolverRecord *record)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(solver);
  solver->checkpoint.record = record;
  PetscFunctionReturn(0);
}

/* The problem's own lines, those of the program that A'A does not depend on, and the caller's. */
static PetscErrorCode Identify(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = solver->problem;
  char *text;
  size_t length;
  if (solver->checkpoint.identity) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &text));
  PetscCall(PsdProblemIdentify(problem, text));
  PetscCall(PetscStrlen(text, &length));
  const PsdProblemRequest *asked = &problem->request;
  const char *name = asked->beta_rel > 0 ? "beta_rel" : asked->beta_noise > 0 ? "beta_noise" : "beta";
  const PetscReal value = asked->beta_rel > 0     ? asked->beta_rel
                          : asked->beta_noise > 0 ? asked->beta_noise
                                                  : asked->beta;
  PetscCall(PetscSNPrintf(text + length, PSD_ARCHIVE_TEXT - length, "%s %.17g\n", name, (double)value));
  if (solver->checkpoint.record) PetscCall(PetscStrlcat(text, solver->checkpoint.record->identity, PSD_ARCHIVE_TEXT));
  solver->checkpoint.identity = text;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointBegin(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  if (!it->path[0]) PetscFunctionReturn(0);
  PetscCall(Identify(solver));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitAll(PsdVisitor v, void *solver)
{
  PetscFunctionBeginUser;
  PetscCall(PsdSolverVisitIdentity(v, solver));
  PetscCall(PsdSolverVisitForm(v, solver));
  PetscCall(PsdSolverVisitState(v, solver));
  PetscFunctionReturn(0);
}

/* Returns PSD_ERR_INPUT when the file cannot be written. */
static PetscErrorCode Write(PsdSolver solver)
{
  PetscFunctionBeginUser;
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(solver->problem, &layout));
  PetscFunctionReturn(PsdStateWrite(solver->problem->comm, solver->checkpoint.path, PSD_CHECKPOINT_FORMAT,
                                    PSD_CHECKPOINT_VERSION, &layout, VisitAll, solver));
}

PetscErrorCode PsdCheckpointSave(PsdSolver solver, PetscBool *written)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &solver->checkpoint;
  const PetscLogDouble begun = PsdWallSeconds();
  *written = PETSC_FALSE;
  if (!it->path[0]) PetscFunctionReturn(0);
  PetscCall(PsdEventBegin(PSD_EVENT_CHECKPOINT));
  const PetscErrorCode code = Write(solver);
  PetscCall(PsdEventEnd(PSD_EVENT_CHECKPOINT));
  if (code && code != PSD_ERR_INPUT) PetscFunctionReturn(code);
  it->last = solver->clock.pass = PsdWallSeconds();
  it->seconds = PetscMax(it->seconds, it->last - begun);
  *written = (PetscBool)!code;
  if (code)
    PetscCall(PetscFPrintf(solver->problem->comm, stderr,
                           "psdnet: warning: no checkpoint at iteration %" PetscInt_FMT ": %s\n",
                           solver->status.iteration, PsdErrorMessage()));
  else
    PetscCall(PetscInfo(NULL, "checkpoint at iteration %" PetscInt_FMT ", %.3f s\n", solver->status.iteration,
                        it->last - begun));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointDestroy(PsdCheckpoint *checkpoint)
{
  PetscFunctionBeginUser;
  PetscCall(PsdArchiveDestroy(&checkpoint->archive));
  PetscCall(PetscFree(checkpoint->identity));
  PetscFunctionReturn(0);
}
