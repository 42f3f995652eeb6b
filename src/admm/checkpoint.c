/*
   Checkpoints: where the state is kept, which problem it is of, and its writing. What it consists of is in state.c,
   how a run goes on from it in resume.c, how the file is made in base/archive.h.

   The last checkpoint stays until the next one is whole. With -resume a run goes on from the file when it is there
   and starts afresh when it is not, so that a job that is submitted again unchanged goes on; without, the file is
   replaced by the first checkpoint. A file of another problem is refused, in either consensus family.
*/
#include "admm.h"
#include "base/base.h"
#include "problem/identity.h"

PetscErrorCode PsdAdmmSetCheckpointFromOptions(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  PsdCheckpoint *it = &admm->checkpoint;
  PetscBool timed, gram = PETSC_FALSE;
  it->every = 60;
  PetscCall(PsdOptionsHeading("Checkpoints"));
  PetscCall(PsdOptionPath("-checkpoint", "file the state of the run is kept in (HDF5)", PSD_PATH_OUTPUT, PETSC_FALSE,
                          it->path));
  const PetscBool given = (PetscBool)(it->path[0] != 0);
  PetscCall(PsdOptionReal("-checkpoint_every", "seconds between checkpoints", PSD_NONNEGATIVE, &it->every, &timed));
  PetscCall(PsdOptionBool("-checkpoint_gram", "keep A'A as well, in FILE.gram", &gram, NULL));
  PetscCall(PsdOptionBool("-resume", "go on from the checkpoint, when there is one", &it->resume, NULL));
  if (PsdOptionsGetHelp()) PetscFunctionReturn(0);
  PsdCheckInput(given || !(timed || gram || it->resume), "option %s needs -checkpoint FILE",
                it->resume ? "-resume"
                : gram     ? "-checkpoint_gram"
                           : "-checkpoint_every");
  if (!given || !gram) PetscFunctionReturn(0);
  const int length = snprintf(it->gram_path, sizeof(it->gram_path), "%s.gram", it->path);
  PsdCheckInput(length > 0 && (size_t)length < sizeof(it->gram_path),
                "-checkpoint_gram: the file name is too long: %s.gram", it->path);
  PetscCall(PsdPathDeclare("-checkpoint_gram", it->gram_path, PSD_PATH_OUTPUT));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmKeepRecord(PsdAdmm admm, PsdAdmmRecord *record)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  admm->checkpoint.record = record;
  PetscFunctionReturn(0);
}

/* The problem's own lines, those of the program that A'A does not depend on, and the caller's. */
static PetscErrorCode Identify(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = admm->problem;
  char *text;
  size_t length;
  if (admm->checkpoint.identity) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &text));
  PetscCall(PsdProblemIdentify(problem, text));
  PetscCall(PetscStrlen(text, &length));
  const PsdProblemRequest *asked = &problem->request;
  const char *name = asked->beta_rel > 0 ? "beta_rel" : asked->beta_noise > 0 ? "beta_noise" : "beta";
  const PetscReal value = asked->beta_rel > 0     ? asked->beta_rel
                          : asked->beta_noise > 0 ? asked->beta_noise
                                                  : asked->beta;
  PetscCall(PetscSNPrintf(text + length, PSD_ARCHIVE_TEXT - length, "%s %.17g\n", name, (double)value));
  if (admm->checkpoint.record) PetscCall(PetscStrlcat(text, admm->checkpoint.record->identity, PSD_ARCHIVE_TEXT));
  admm->checkpoint.identity = text;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointBegin(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  if (!it->path[0]) PetscFunctionReturn(0);
  if (it->gram_path[0]) PsdConsensusKeepGram(admm->consensus, it->gram_path, it->resume);
  PetscCall(Identify(admm));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitAll(PsdVisitor v, void *admm)
{
  PetscFunctionBeginUser;
  PetscCall(PsdAdmmVisitProblem(v, admm));
  PetscCall(PsdAdmmVisitState(v, admm));
  PetscFunctionReturn(0);
}

/* Returns PSD_ERR_INPUT when the file cannot be written. */
static PetscErrorCode Write(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdStateLayout layout;
  PetscCall(PsdProblemGetLayout(admm->problem, &layout));
  PetscFunctionReturn(PsdStateWrite(admm->blocks->comm, admm->checkpoint.path, PSD_CHECKPOINT_FORMAT,
                                    PSD_CHECKPOINT_VERSION, &layout, VisitAll, admm));
}

PetscErrorCode PsdCheckpointSave(PsdAdmm admm, PetscBool *written)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  const PetscLogDouble begun = PsdWallSeconds();
  *written = PETSC_FALSE;
  if (!it->path[0]) PetscFunctionReturn(0);
  PetscCall(PsdEventBegin(PSD_EVENT_CHECKPOINT));
  const PetscErrorCode code = Write(admm);
  PetscCall(PsdEventEnd(PSD_EVENT_CHECKPOINT));
  if (code && code != PSD_ERR_INPUT) PetscFunctionReturn(code);
  it->last = admm->clock.pass = PsdWallSeconds();
  it->seconds = PetscMax(it->seconds, it->last - begun);
  *written = (PetscBool)!code;
  if (code)
    PetscCall(PetscFPrintf(admm->blocks->comm, stderr,
                           "psdnet: warning: no checkpoint at iteration %" PetscInt_FMT ": %s\n",
                           admm->status.iteration, PsdErrorMessage()));
  else
    PetscCall(PetscInfo(NULL, "checkpoint at iteration %" PetscInt_FMT ", %.3f s\n", admm->status.iteration,
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
