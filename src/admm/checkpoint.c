/*
   Checkpoints: when the state is written, and which file a run goes on from. What it consists of is in state.c, how the file
   is made in base/archive.h.

   The last checkpoint stays until the next one is whole. With -resume a run goes on from the file when it is there and starts
   afresh when it is not, so that a job that is submitted again unchanged goes on; without, the file is replaced by the first
   checkpoint. A file of another problem is refused, in either consensus family.
*/
#include "admm.h"
#include "base/base.h"
#include "problem/identity.h"

#define FORMAT "psdnet-checkpoint"
#define VERSION 2

PetscErrorCode PsdAdmmSetCheckpointFromOptions(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  PetscBool given, timed, gram = PETSC_FALSE;
  it->every = 60;
  PetscCall(PsdOptionsHeading("Checkpoints"));
  PetscCall(PsdOptionString("-checkpoint", "file the state of the run is kept in (HDF5)", it->path, sizeof(it->path),
                            &given));
  PetscCall(PsdOptionReal("-checkpoint_every", "seconds between checkpoints", PSD_NONNEGATIVE, &it->every, &timed));
  PetscCall(PsdOptionBool("-checkpoint_gram", "keep A'A as well, in FILE.gram", &gram, NULL));
  PetscCall(PsdOptionBool("-resume", "go on from the checkpoint, when there is one", &it->resume, NULL));
  if (PsdOptionsGetHelp()) PetscFunctionReturn(0);
  PsdCheckInput(given || !(timed || gram || it->resume), "option %s needs -checkpoint FILE",
                it->resume ? "-resume"
                : gram     ? "-checkpoint_gram"
                           : "-checkpoint_every");
  if (!given) PetscFunctionReturn(0);
  PetscCall(PsdFileCheckWritable(admm->problem->comm, "-checkpoint", it->path));
  if (!gram) PetscFunctionReturn(0);
  PetscCall(PetscSNPrintf(it->gram_path, sizeof(it->gram_path), "%s.gram", it->path));
  PetscCall(PsdFileCheckWritable(admm->problem->comm, "-checkpoint_gram", it->gram_path));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmKeepRecord(PsdAdmm admm, PsdAdmmRecord *record)
{
  PetscFunctionBeginUser;
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
  const char *name = problem->beta_rel > 0 ? "beta_rel" : problem->beta_noise > 0 ? "beta_noise" : "beta";
  const PetscReal value = problem->beta_rel > 0     ? problem->beta_rel
                          : problem->beta_noise > 0 ? problem->beta_noise
                                                    : problem->beta;
  PetscCall(PetscSNPrintf(text + length, PSD_ARCHIVE_TEXT - length, "%s %.17g\n", name, (double)value));
  if (admm->checkpoint.record) PetscCall(PetscStrlcat(text, admm->checkpoint.record->identity, PSD_ARCHIVE_TEXT));
  admm->checkpoint.identity = text;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointOpen(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  const MPI_Comm comm = admm->blocks->comm;
  char *found;
  PetscBool exists;
  PetscInt samples;
  if (!it->path[0]) PetscFunctionReturn(0);
  if (it->gram_path[0]) PsdConsensusKeepGram(admm->consensus, it->gram_path, it->resume);
  PetscCall(Identify(admm));
  if (!it->resume) PetscFunctionReturn(0);
  PetscCall(PsdArchiveExists(comm, it->path, &exists));
  if (!exists) {
    PetscCall(PetscPrintf(comm, "resume   there is no %s: from the start\n", it->path));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdArchiveOpen(comm, it->path, FORMAT, VERSION, &it->archive));
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &found));
  PetscCall(PsdArchiveGetText(it->archive, "problem", found));
  PetscCall(PsdArchiveGetInt(it->archive, "consensus_uses_samples", &samples));
  PetscCall(PsdArchiveAgree(it->archive));
  PetscCall(PsdIdentityCheck(it->path, found, it->identity));
  PetscCall(PetscFree(found));
  PetscCall(PsdConsensusRequire(admm->consensus, (PetscBool)(samples != 0), it->path));
  PetscCall(PsdTransformsGet(admm->problem->patches, it->archive));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointLoad(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  PetscCall(PsdStateGet(admm, it->archive));
  PetscCall(PsdArchiveClose(&it->archive));
  it->resumed = PETSC_TRUE;
  PetscCall(PetscPrintf(admm->blocks->comm,
                        "resume   iteration %5" PetscInt_FMT "  objective %.8g  bound %.8g  gap %.2e  from %s\n",
                        admm->status.iteration, (double)admm->status.objective, (double)admm->status.bound,
                        (double)admm->status.gap, it->path));
  PetscFunctionReturn(0);
}

/* Returns PSD_ERR_INPUT when the file cannot be written. */
static PetscErrorCode Write(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PsdPatches patches = admm->problem->patches;
  PsdArchive archive;
  PetscCall(PsdArchiveCreate(admm->blocks->comm, admm->checkpoint.path, FORMAT, VERSION, &archive));
  PsdArchiveAddText(archive, "problem", admm->checkpoint.identity);
  PsdArchiveAddInt(archive, "consensus_uses_samples", PsdConsensusUsesSamples(admm->consensus));
  PetscCall(PsdTransformsAdd(patches, archive));
  PetscCall(PsdStateAdd(admm, archive));
  if (!PsdArchiveLayout(archive)) {
    PetscCall(PsdTransformsPut(patches, archive));
    PetscCall(PsdStatePut(admm, archive));
  }
  PetscFunctionReturn(PsdArchiveCommit(&archive));
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
  it->last = admm->pass = PsdWallSeconds();
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

PetscErrorCode PsdCheckpointNote(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  if (!it->path[0]) PetscFunctionReturn(0);
  if (it->rows == it->room) {
    const PetscInt room = 2 * it->room + 64;
    PetscCall(PetscRealloc((size_t)room * sizeof(*it->history), &it->history));
    it->room = room;
  }
  it->history[it->rows++] = admm->status;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmGetHistory(PsdAdmm admm, PetscInt *count, const PsdAdmmStatus *rows[])
{
  PetscFunctionBeginUser;
  *count = admm->checkpoint.rows;
  *rows = admm->checkpoint.history;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCheckpointDestroy(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PetscCall(PsdArchiveDestroy(&admm->checkpoint.archive));
  PetscCall(PetscFree(admm->checkpoint.identity));
  PetscCall(PetscFree(admm->checkpoint.history));
  PetscFunctionReturn(0);
}
