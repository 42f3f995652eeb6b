/*
   psdnet info: what a file or directory is: a model, a data set, a certificate file or a checkpoint.
*/
#include "app.h"
#include <petscviewer.h>

static PetscErrorCode ShowData(const char path[])
{
  PetscFunctionBeginUser;
  PsdData data;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetPurpose(data, PSD_TO_SAVE)); /* labels are not needed, and weights are looked at */
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdDataSetPath(data, path));
  PetscCall(PsdDataSetUp(data));
  PetscCall(PsdDataView(data, PETSC_VIEWER_STDOUT_WORLD));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}

/* An archive, a model, or else an HDF5 data set; when it is none, what keeps it from being a model. */
static PetscErrorCode ShowFile(const char path[])
{
  PetscFunctionBeginUser;
  char reason[PSD_MESSAGE_LENGTH];
  PsdNetwork network;
  PetscBool archive;
  PetscCall(PsdArchiveView(PETSC_COMM_WORLD, path, PETSC_VIEWER_STDOUT_WORLD, &archive));
  if (archive) PetscFunctionReturn(0);
  PetscErrorCode ierr = PsdNetworkLoad(PETSC_COMM_WORLD, path, &network);
  if (ierr == PSD_ERR_INPUT) {
    PetscCall(PetscStrncpy(reason, PsdErrorMessage(), sizeof(reason)));
    ierr = ShowData(path);
    PsdCheckInput(ierr != PSD_ERR_INPUT, "%s", reason);
    PetscCall(ierr);
    PetscFunctionReturn(0);
  }
  PetscCall(ierr);
  PetscCall(PsdNetworkView(network, PETSC_VIEWER_STDOUT_WORLD));
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunInfo(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)exit_status;
  PsdData data;
  PetscBool done, directory;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdDataDestroy(&data));
  const char *path = invocation->arguments > 0 ? invocation->argument[0] : NULL;
  if (path) PetscCall(PsdPathDeclare("info", path, PSD_PATH_INPUT));
  PetscCall(PsdOptionsEnd(&done));
  if (done) PetscFunctionReturn(0);
  PsdCheckInput(path, "info: found no argument, expected a model, certificate or checkpoint file, or data");
  PetscCall(PetscTestDirectory(path, 'r', &directory));
  if (directory) {
    PetscCall(ShowData(path));
    PetscFunctionReturn(0);
  }
  PetscCall(ShowFile(path));
  PetscFunctionReturn(0);
}
