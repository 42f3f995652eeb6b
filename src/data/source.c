/*
   PsdSource: what rank 0 learnt of the files, told to all ranks.
*/
#include "data.h"

/* The numbers in one message; the format as its place in the table, because addresses differ between processes. */
static PetscErrorCode BroadcastNumbers(MPI_Comm comm, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscInt place = 0;
  if (source->format)
    while (PsdFormats[place] != source->format) place++;
  PetscInt numbers[] = {place,
                        source->n,
                        source->channels,
                        source->height,
                        source->width,
                        source->channels_last,
                        (PetscInt)source->scale,
                        source->coarse,
                        source->unlabelled,
                        source->weighted,
                        source->outputs,
                        source->targets_streamed,
                        source->labels_streamed,
                        source->images_streamed,
                        source->file_count,
                        source->name_count};
  PetscCallMPI(MPI_Bcast(numbers, PETSC_STATIC_ARRAY_LENGTH(numbers), MPIU_INT, 0, comm));
  source->format = PsdFormats[numbers[0]];
  source->n = numbers[1];
  source->channels = numbers[2];
  source->height = numbers[3];
  source->width = numbers[4];
  source->channels_last = (PetscBool)numbers[5];
  source->scale = (PsdPixelScale)numbers[6];
  source->coarse = (PetscBool)numbers[7];
  source->unlabelled = (PetscBool)numbers[8];
  source->weighted = (PetscBool)numbers[9];
  source->outputs = numbers[10];
  source->targets_streamed = (PetscBool)numbers[11];
  source->labels_streamed = (PetscBool)numbers[12];
  source->images_streamed = (PetscBool)numbers[13];
  source->file_count = numbers[14];
  source->name_count = numbers[15];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSourceBroadcast(MPI_Comm comm, PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(BroadcastNumbers(comm, source));
  PetscCallMPI(MPI_Bcast(&source->stored, (PetscMPIInt)sizeof(PsdPixels), MPI_BYTE, 0, comm));
  PetscCallMPI(MPI_Bcast(&source->pixels, (PetscMPIInt)sizeof(PsdPixels), MPI_BYTE, 0, comm));
  if (rank) {
    PetscCall(PetscMalloc1(source->file_count, &source->files));
    PetscCall(PetscMalloc1(source->name_count, &source->names));
  }
  for (PetscInt k = 0; k < source->file_count; k++)
    PetscCallMPI(MPI_Bcast(&source->files[k], (PetscMPIInt)sizeof(PsdImageFile), MPI_BYTE, 0, comm));
  for (PetscInt k = 0; k < source->name_count; k++)
    PetscCallMPI(MPI_Bcast(source->names[k], PSD_CLASS_NAME_LENGTH, MPI_CHAR, 0, comm));
  PetscCallMPI(MPI_Bcast(&source->list_bytes, 1, MPIU_INT64, 0, comm));
  if (rank) PetscCall(PetscMalloc1((size_t)source->list_bytes, &source->list));
  PetscCall(PsdBroadcastArray(comm, MPI_CHAR, (size_t)source->list_bytes, source->list));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSourceDestroy(PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(source->files));
  PetscCall(PetscFree(source->names));
  PetscCall(PetscFree(source->list));
  PetscFunctionReturn(0);
}
