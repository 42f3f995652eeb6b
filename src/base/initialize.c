/*
   Start and end: PETSc and SLEPc, the error handler that keeps mistakes of the user free of tracebacks, and the settings of the
   libraries underneath that would otherwise speak or act for themselves. What the caller has started is left running.
*/
#include "base.h"
#include <hdf5.h>
#include <slepcsys.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PetscLogDouble wall_start;

/* What PsdFinalize has to end, or to put back. */
static struct {
  PetscBool psdnet, petsc, slepc;
  H5E_auto2_t hdf5_report;
  void *hdf5_context;
} begun;

PetscLogDouble PsdWallSeconds(void)
{
  return MPI_Wtime() - wall_start;
}

/* No place for a traceback: where memory is short it would be the same on many ranks; main ends all of them. PETSc 3.18 gives the
   line number for the error code here. */
static PetscBool IsOutOfMemory(PetscErrorCode code, PetscErrorType type, const char function[])
{
  if (code == PETSC_ERR_MEM) return PETSC_TRUE;
  if (type != PETSC_ERROR_INITIAL || !function) return PETSC_FALSE;
  return (PetscBool)(!strcmp(function, "PetscMallocAlign") || !strcmp(function, "PetscReallocAlign"));
}

/* What follows from it: some of PETSc's macros make an error of their own of the one that they were returned. */
static PetscBool FollowsFromMemory(PetscBool out_of_memory, PetscErrorType type, const char *message)
{
  return (PetscBool)(out_of_memory && (type != PETSC_ERROR_INITIAL || !message || message[strspn(message, " ")] == 0));
}

/* Numbers that have overflowed are no mistake of the program's. Often they are found on one rank alone, and main ends all of them. */
static void SayOverflow(MPI_Comm comm, PetscErrorType type, const char *message)
{
  PetscMPIInt rank = 0;
  if (comm != MPI_COMM_NULL) (void)MPI_Comm_rank(comm, &rank);
  if (type == PETSC_ERROR_INITIAL && rank == 0)
    (void)fprintf(stderr, "psdnet: error: %s\n", message ? message : "floating point");
}

static PetscErrorCode HandleError(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                  PetscErrorType type, const char *message, void *context)
{
  static PetscBool out_of_memory;
  if (FollowsFromMemory(out_of_memory, type, message)) return PETSC_ERR_MEM;
  out_of_memory = IsOutOfMemory(code, type, function);
  if (out_of_memory) {
    if (type == PETSC_ERROR_INITIAL)
      (void)fprintf(stderr, "psdnet: error: rank %d has no memory left: %s\n", (int)PetscGlobalRank,
                    message ? message : "");
    return PETSC_ERR_MEM;
  }
  if (code == PETSC_ERR_FP) {
    SayOverflow(comm, type, message);
    return code;
  }
  if (code != PSD_ERR_INPUT)
    return PetscTraceBackErrorHandler(comm, line, function, file, code, type, message, context);
  /* psdnet returns this code without raising it; raised, it is PETSc's own complaint about what the user gave */
  if (type == PETSC_ERROR_INITIAL) return PsdInputError("%s", message ? message : "input rejected by PETSc");
  return code;
}

/* What PETSc cannot start with is something on the command line or in an options file. Often rank 0 alone finds it,
   while the others wait for what it read: all end here. Where all find it, rank 0 is given time to be the one that
   speaks. */
static PetscErrorCode HandleStartError(MPI_Comm comm, int line, const char *function, const char *file,
                                       PetscErrorCode code, PetscErrorType type, const char *message, void *context)
{
  int started = 0, rank = 0, size = 1;

  (void)comm, (void)line, (void)function, (void)file, (void)context;
  if (type != PETSC_ERROR_INITIAL) return code;
  (void)MPI_Initialized(&started);
  if (started) {
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
  }
  if (rank) sleep(2);
  (void)fprintf(stderr, "psdnet: error: %s\n", message ? message : "PETSc cannot start");
  if (size > 1) (void)MPI_Abort(MPI_COMM_WORLD, 1);
  return PsdInputError("%s", message ? message : "PETSc cannot start");
}

/* The same, of what psdnet finds before. */
static PetscErrorCode CheckOptionsFiles(int *argc, char ***argv)
{
  PsdFailure failure = {PETSC_FALSE, ""};
  int started = 0;

  PsdOptionsFilesCheck(argc ? *argc : 0, argv ? *argv : NULL, &failure);
  if (!failure.failed) return 0;
  (void)MPI_Initialized(&started);
  if (!started) (void)MPI_Init(argc, argv);
  (void)HandleStartError(MPI_COMM_WORLD, 0, NULL, NULL, PSD_ERR_INPUT, PETSC_ERROR_INITIAL, failure.message, NULL);
  if (!started) (void)MPI_Finalize();
  return PSD_ERR_INPUT;
}

/* PETSc's own signal handlers print a traceback first, which after a crash inside malloc waits for ever for malloc's lock. */
static PetscErrorCode StartPetsc(int *argc, char ***argv, const char help[])
{
  PetscFunctionBeginUser;
  if (CheckOptionsFiles(argc, argv)) return PSD_ERR_INPUT;
  PetscCall(PetscPushErrorHandler(HandleStartError, NULL));
  if (PetscInitialize(argc, argv, NULL, help)) return PSD_ERR_INPUT;
  PetscCall(PetscPopSignalHandler());
  PsdSignalsSetUp((int)PetscGlobalRank);
  PetscCall(PetscPopErrorHandler());
  PetscFunctionReturn(0);
}

/* Its messages are not for users; what is wrong with a file psdnet says itself. */
static PetscErrorCode SilenceHdf5(void)
{
  PetscFunctionBeginUser;
  PetscCheck(H5Eget_auto2(H5E_DEFAULT, &begun.hdf5_report, &begun.hdf5_context) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB,
             "H5Eget_auto2 failed");
  PetscCheck(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "H5Eset_auto2 failed");
  PetscFunctionReturn(0);
}

/* Who ends PETSc ends what psdnet has begun in it; a PETSc that is begun after that is another one. */
static PetscErrorCode Forget(void)
{
  PetscFunctionBeginUser;
  if (begun.psdnet) {
    (void)H5Eset_auto2(H5E_DEFAULT, begun.hdf5_report, begun.hdf5_context);
    PetscCall(PetscPopErrorHandler());
    if (begun.slepc) PetscCall(SlepcFinalize());
  }
  memset(&begun, 0, sizeof(begun));
  PsdFileAbandonAll();
  PsdPathsForget();
  PetscFunctionReturn(0);
}

PetscErrorCode PsdInitialize(int *argc, char ***argv, const char help[])
{
  PetscFunctionBeginUser;
  PetscBool petsc_runs, slepc_runs;
  if (begun.psdnet) PetscFunctionReturn(0);
  /* files are written under names of their own, and some parallel file systems refuse locks */
  (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  PetscCall(PetscInitialized(&petsc_runs));
  if (!petsc_runs && StartPetsc(argc, argv, help)) return PSD_ERR_INPUT;
  wall_start = MPI_Wtime();
  PetscCall(PetscPushErrorHandler(HandleError, NULL));
  PetscCall(SlepcInitialized(&slepc_runs));
  if (!slepc_runs) PetscCall(SlepcInitializeNoArguments());
  PetscCall(SilenceHdf5());
  PetscCall(PsdThreadsSetUp());
  PetscCall(PetscRegisterFinalize(Forget));
  begun.psdnet = PETSC_TRUE;
  begun.petsc = (PetscBool)!petsc_runs;
  begun.slepc = (PetscBool)!slepc_runs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFinalize(void)
{
  PetscFunctionBeginUser;
  if (!begun.psdnet) PetscFunctionReturn(0);
  begun.psdnet = PETSC_FALSE;
  PsdFileAbandonAll();
  PsdPathsForget();
  if (PsdPhaseCurrent() >= 0) PetscCall(PsdPhaseEnd((PsdPhase)PsdPhaseCurrent()));
  (void)H5Eset_auto2(H5E_DEFAULT, begun.hdf5_report, begun.hdf5_context);
  PetscCall(PetscPopErrorHandler());
  if (begun.slepc) PetscCall(SlepcFinalize());
  if (!begun.petsc) PetscFunctionReturn(0);
  PetscCall(PetscFinalize());
  return 0; /* PETSc's function stack is gone */
}
