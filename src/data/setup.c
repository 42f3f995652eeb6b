/*
   PsdDataSetUp: look at the files, choose images, read them; each step agreed upon by all ranks before the next.
*/
#include "data.h"
#include <stdlib.h>

static PetscErrorCode Inspect(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (!rank) PetscCall(PsdDataProbe(data->path, data->split, source, &failure));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(PsdSourceBroadcast(data->comm, source));
  PetscFunctionReturn(0);
}

static PetscErrorCode SelectAndRead(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscInt *labels = NULL;
  PsdSelection selection = {0, NULL};
  /* what a user's mistake leaves behind is freed here, so the code is kept until that is done */
  PetscErrorCode ierr = PsdDataReadLabels(data, source, &labels);
  if (!ierr) ierr = PsdDataSelect(data, labels, source->n, &selection);
  free(labels);
  if (!ierr) ierr = PsdDataReadShard(data, source, &selection);
  free(selection.positions);
  PetscCall(ierr);
  PetscFunctionReturn(0);
}

static PetscErrorCode NameClasses(PsdData data, const PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(data->class_count, &data->class_names));
  for (PetscInt k = 0; k < data->class_count; k++) {
    const PetscInt label = data->class_labels[k];
    char digits[PSD_CLASS_NAME_LENGTH];
    PetscCall(PetscSNPrintf(digits, sizeof(digits), "%" PetscInt_FMT, label));
    PetscCall(PetscStrallocpy(label < source->name_count ? source->names[label] : digits, &data->class_names[k]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(Inspect(data, source));
  data->format = source->format;
  data->channels = source->channels;
  data->height = source->height;
  data->width = source->width;
  PetscCall(SelectAndRead(data, source));
  if (data->mirror) PetscCall(PsdDataAddMirrors(data));
  PetscCall(NameClasses(data, source));
  data->ready = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetUp(PsdData data)
{
  PetscFunctionBeginUser;
  PsdSource source = {.format = NULL};
  if (data->ready) PetscFunctionReturn(0);
  PsdCheckInput(data->path[0], "option -data is missing: expected a directory of images (cifar10, idx or hdf5)");
  PetscCall(PsdPhaseBegin(PSD_PHASE_READ));
  const PetscErrorCode ierr = Read(data, &source);
  PetscCall(PsdSourceDestroy(&source));
  if (ierr) PetscCall(PsdDataReset(data));
  PetscCall(PsdPhaseEnd(PSD_PHASE_READ));
  PetscCall(ierr);
  PetscFunctionReturn(0);
}
