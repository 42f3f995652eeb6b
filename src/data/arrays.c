/*
   Images in the caller's memory, and their labels, targets, names and weights: each rank keeps a copy of what it was given
   until PsdDataSetUp has moved what is selected to even shards (arrays_move.c).
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

PetscErrorCode PsdArraysDestroy(PsdArrays *arrays)
{
  PetscFunctionBeginUser;
  free(arrays->images);
  free(arrays->labels);
  free(arrays->targets);
  free(arrays->weights);
  free(arrays->names);
  PetscCall(PetscFree(arrays->first));
  *arrays = (PsdArrays){.first = NULL};
  PetscFunctionReturn(0);
}

/* In the order of PsdArrayType. */
static const PsdNumberType number_types[] = {
    {'u', 1, PETSC_FALSE}, {'u', 2, PETSC_FALSE}, {'f', 4, PETSC_FALSE}, {'f', 8, PETSC_FALSE}};
#define NUMBER_TYPES PETSC_STATIC_ARRAY_LENGTH(number_types)

static void CheckHere(PsdArrayType type, PetscInt n_local, const PetscInt shape[3], const void *images,
                      const PetscInt labels[], PsdFailure *failure)
{
  if ((size_t)type >= NUMBER_TYPES)
    PsdFailureRecord(failure, "%s: %d is no type of numbers", PSD_ARRAYS_NAME, (int)type);
  if (n_local < 0)
    PsdFailureRecord(failure, "%s: %" PetscInt_FMT " on a rank, expected 0 or more", PSD_ARRAYS_NAME, n_local);
  PsdCheckImageShape(PSD_ARRAYS_NAME, shape[0], shape[1], shape[2], failure);
  if (n_local > 0 && !images) PsdFailureRecord(failure, "%s: a rank gives a number but no images", PSD_ARRAYS_NAME);
  for (PetscInt k = 0; k < n_local && labels && !failure->failed; k++) {
    const PetscInt64 label = labels[k];
    if (label < 0 || label >= PSD_LABEL_LIMIT)
      PsdFailureRecord(failure, "%s: label %" PetscInt64_FMT ", expected 0..%" PetscInt64_FMT, PSD_ARRAYS_NAME, label,
                       PSD_LABEL_LIMIT - 1);
  }
}

/* That ranks agree in shape and type, and in whether there are labels; ranks without images have no say in the latter. */
static PetscErrorCode CheckAlike(MPI_Comm comm, PsdArrayType type, const PetscInt shape[3], PetscInt n_local,
                                 PetscBool labelled, PetscBool *any_labelled)
{
  PetscFunctionBeginUser;
  const PetscInt number = (PetscInt)type;
  PetscInt most[10] = {shape[0],  shape[1],  shape[2],  n_local > 0 && labelled,  number,
                       -shape[0], -shape[1], -shape[2], n_local > 0 && !labelled, -number};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 10, MPIU_INT, MPI_MAX, comm));
  PsdCheckInput(most[0] == -most[5] && most[1] == -most[6] && most[2] == -most[7],
                "%s: not of one size on all ranks, from %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                " to %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT " (channels, height, width)",
                PSD_ARRAYS_NAME, -most[5], -most[6], -most[7], most[0], most[1], most[2]);
  PsdCheckInput(most[4] == -most[9], "%s: not of one type of numbers on all ranks", PSD_ARRAYS_NAME);
  PsdCheckInput(!most[3] || !most[8], "%s: some ranks give labels and others none", PSD_ARRAYS_NAME);
  *any_labelled = (PetscBool)(most[3] != 0);
  PetscFunctionReturn(0);
}

/* first: of each rank, and behind the last one. */
static PetscErrorCode CountThrough(MPI_Comm comm, PetscInt n_local, PetscInt **first)
{
  PetscFunctionBeginUser;
  PetscMPIInt size;
  PetscInt64 total = 0;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscCalloc1(size + 1, first));
  PetscCallMPI(MPI_Allgather(&n_local, 1, MPIU_INT, *first + 1, 1, MPIU_INT, comm));
  for (PetscMPIInt rank = 0; rank < size; rank++) total += (*first)[rank + 1];
  PsdCheckImageCount(PSD_ARRAYS_NAME, total, &failure);
  if (failure.failed) {
    PetscCall(PetscFree(*first));
    PetscFunctionReturn(PsdInputError("%s", failure.message)); /* the same on all ranks */
  }
  for (PetscMPIInt rank = 0; rank < size; rank++) (*first)[rank + 1] += (*first)[rank];
  PetscFunctionReturn(0);
}

static void Copy(size_t n_local, size_t image_bytes, const void *images, const PetscInt labels[], PsdArrays *arrays,
                 PsdFailure *failure)
{
  arrays->images = PsdAllocate(n_local, image_bytes, PSD_ARRAYS_NAME, failure);
  arrays->labels = (PetscInt *)PsdAllocate(n_local, sizeof(PetscInt), "labels", failure);
  if (failure->failed || !n_local) return;
  memcpy(arrays->images, images, n_local * image_bytes);
  if (labels) memcpy(arrays->labels, labels, n_local * sizeof(PetscInt));
}

PetscErrorCode PsdDataSetArrays(PsdData data, PetscInt n_local, PetscInt channels, PetscInt height, PetscInt width,
                                const unsigned char images[], const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdDataSetTypedArrays(data, PSD_ARRAY_UINT8, n_local, channels, height, width, images, labels));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetTypedArrays(PsdData data, PsdArrayType type, PetscInt n_local, PetscInt channels,
                                     PetscInt height, PetscInt width, const void *images, const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  const PetscInt shape[3] = {channels, height, width};
  PsdArrays arrays = {.n_local = n_local, .channels = channels, .height = height, .width = width};
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCheck(!data->ready, data->comm, PETSC_ERR_ORDER, "PsdDataSetUp was called already");
  CheckHere(type, n_local, shape, images, labels, &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(CheckAlike(data->comm, type, shape, n_local, (PetscBool)(labels != NULL), &arrays.labelled));
  arrays.type = number_types[type];
  PetscCall(CountThrough(data->comm, n_local, &arrays.first));
  Copy((size_t)n_local, (size_t)channels * height * width * (size_t)arrays.type.size, images, labels, &arrays,
       &failure);
  const PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (code) PetscCall(PsdArraysDestroy(&arrays));
  PetscCall(code);
  PetscCall(PsdArraysDestroy(&data->arrays));
  data->path[0] = '\0';
  data->arrays = arrays;
  data->origin = &PsdOriginArrays;
  PetscFunctionReturn(0);
}

/* That ranks agree in the number of targets. */
static PetscErrorCode CheckOutputsAlike(MPI_Comm comm, PetscInt outputs)
{
  PetscFunctionBeginUser;
  PetscInt most[2] = {outputs, -outputs};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_INT, MPI_MAX, comm));
  PsdCheckInput(most[0] == -most[1],
                "%s: from %" PetscInt_FMT " to %" PetscInt_FMT " targets of an image, expected as many on all ranks",
                PSD_ARRAYS_NAME, -most[1], most[0]);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetArrayTargets(PsdData data, PetscInt outputs, const PetscReal targets[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdArrays *arrays = &data->arrays;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCheck(data->origin == &PsdOriginArrays && !data->ready, data->comm, PETSC_ERR_ORDER,
             "PsdDataSetArrays was not called, or PsdDataSetUp was");
  const size_t bytes = (size_t)outputs * sizeof(PetscReal), n_local = (size_t)arrays->n_local;
  if (arrays->labelled) PsdFailureRecord(&failure, "%s: have labels, expected targets or labels", PSD_ARRAYS_NAME);
  PsdCheckOutputs(PSD_ARRAYS_NAME, outputs, &failure);
  if (n_local > 0 && !targets) PsdFailureRecord(&failure, "%s: a rank gives images but no targets", PSD_ARRAYS_NAME);
  if (!failure.failed) PsdCheckTargets(PSD_ARRAYS_NAME, arrays->first[0], arrays->n_local, outputs, targets, &failure);
  PetscReal *copy = failure.failed ? NULL : (PetscReal *)PsdAllocate(n_local, bytes, "targets", &failure);
  PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (!code) code = CheckOutputsAlike(data->comm, outputs);
  if (code) {
    free(copy);
    PetscFunctionReturn(code);
  }
  if (n_local > 0 && copy && targets) memcpy(copy, targets, n_local * bytes); /* which agreeing has made sure of */
  free(arrays->targets);
  free(arrays->names);
  arrays->names = NULL; /* which were those of other targets */
  arrays->targets = copy;
  arrays->outputs = outputs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetArrayWeights(PsdData data, const PetscReal weights[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdArrays *arrays = &data->arrays;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCheck(data->origin == &PsdOriginArrays && !data->ready, data->comm, PETSC_ERR_ORDER,
             "PsdDataSetArrays was not called, or PsdDataSetUp was");
  const size_t n_local = (size_t)arrays->n_local;
  if (n_local > 0 && !weights) PsdFailureRecord(&failure, "%s: a rank gives images but no weights", PSD_ARRAYS_NAME);
  PetscReal *copy = failure.failed ? NULL : (PetscReal *)PsdAllocate(n_local, sizeof(PetscReal), "weights", &failure);
  const PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (code) {
    free(copy);
    PetscFunctionReturn(code);
  }
  if (n_local > 0 && copy && weights)
    memcpy(copy, weights, n_local * sizeof(PetscReal)); /* which agreeing has made sure of */
  free(arrays->weights);
  arrays->weights = copy;
  arrays->weighted = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataSetArrayTargetNames(PsdData data, const char *const names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdArrays *arrays = &data->arrays;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCheck(arrays->outputs > 0 && !data->ready, data->comm, PETSC_ERR_ORDER,
             "PsdDataSetArrayTargets was not called, or PsdDataSetUp was");
  const size_t size = sizeof(*arrays->names);
  char(*copy)[PSD_CLASS_NAME_LENGTH] =
      (char(*)[PSD_CLASS_NAME_LENGTH])PsdAllocate((size_t)arrays->outputs, size, "names", &failure);
  for (PetscInt t = 0; t < arrays->outputs && !failure.failed; t++) {
    if (!names || !names[t] || !names[t][0])
      PsdFailureRecord(&failure, "%s: target %" PetscInt_FMT " has no name", PSD_ARRAYS_NAME, t);
    else {
      PetscCall(PetscStrncpy(copy[t], names[t], size));
      PsdTrimName(copy[t]);
    }
  }
  const PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (code) {
    free(copy);
    PetscFunctionReturn(code);
  }
  free(arrays->names);
  arrays->names = copy;
  PetscFunctionReturn(0);
}
