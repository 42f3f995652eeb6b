/*
   Checkpoints, and files of A'A, sealed: a run is continued from them, and goes on for some iterations.
*/
#include "hdf5_files.h"
#include "small_problem.h"
#include <unistd.h>

#define ITERATIONS 20
#define CHECKPOINT "run.ck"
#define GRAM "run.ck.gram"

/* A file each; the last one is of A'A. */
static const FuzzKind kinds[] = {{"squared", "root", 1, PETSC_FALSE},
                                 {"hinge", "root", 2, PETSC_FALSE},
                                 {"squared", "dual", 1, PETSC_FALSE},
                                 {"squared", "root", 1, PETSC_FALSE}};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), OF_GRAM = KINDS - 1 };
static const FuzzHdf5 hdf5 = {.bases = KINDS, .seal = FuzzSealArchive};

static void SetUp(void)
{
  for (int k = 0; k < KINDS; k++) {
    FuzzOutputs outputs = {.checkpoint = ""};
    char *path = k == OF_GRAM ? outputs.gram : outputs.checkpoint;
    if (k == OF_GRAM) (void)snprintf(outputs.checkpoint, sizeof(outputs.checkpoint), "%s", FuzzPath(CHECKPOINT));
    (void)snprintf(path, PETSC_MAX_PATH_LEN, "%s", FuzzBasePath(k));
    FuzzTrain(&kinds[k], ITERATIONS, &outputs);
  }
  FuzzWriteFile(FuzzPath("outside"), "", 0);
}

static PetscErrorCode Continue(FuzzSolver *it, PetscBool gram)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *checkpoint = &it->solver->checkpoint;
  PsdCertificate certificate;
  PetscCall(PetscStrncpy(checkpoint->path, FuzzPath(CHECKPOINT), sizeof(checkpoint->path)));
  if (gram) PetscCall(PetscStrncpy(checkpoint->gram_path, FuzzPath(GRAM), sizeof(checkpoint->gram_path)));
  checkpoint->every = 1e9;
  checkpoint->resume = PETSC_TRUE;
  PetscCall(PsdSolverSetTolerances(it->solver, 1e-12, ITERATIONS + 3));
  PetscErrorCode code = PsdSolverSetUp(it->solver);
  if (!code) code = PsdSolverSolve(it->solver, &certificate);
  PetscFunctionReturn(code);
}

static PetscErrorCode Read(const FuzzInput *input)
{
  PetscFunctionBeginUser;
  const int k = FuzzBaseOf(&hdf5, input);
  const PetscBool gram = (PetscBool)(k == OF_GRAM);
  FuzzSolver it = FuzzSolverCreate(&kinds[k]);
  FuzzMakeHdf5(&hdf5, input, gram ? GRAM : CHECKPOINT);
  if (gram) (void)unlink(FuzzPath(CHECKPOINT));
  const PetscErrorCode code = Continue(&it, gram);
  FuzzSolverDestroy(&it);
  PetscFunctionReturn(code);
}

const FuzzTarget FuzzTheTarget = {.kinds = FUZZ_FILE_KINDS, .set_up = SetUp, .read = Read};
