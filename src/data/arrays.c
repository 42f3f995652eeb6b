/*
   Images in the caller's memory: each rank keeps a copy of what it was given until PsdDataSetUp has moved those selected
   to even shards.

   Images count through the ranks. So what a rank was given and what a rank is to hold are both contiguous pieces of the
   selection, and what one sends to the other is where the two overlap; every rank knows all pieces.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

/* Positions begin .. end - 1 of the selection. */
typedef struct {
  PetscInt begin, end;
} Piece;

PetscErrorCode PsdArraysDestroy(PsdArrays *arrays)
{
  PetscFunctionBeginUser;
  free(arrays->images);
  free(arrays->labels);
  free(arrays->targets);
  free(arrays->weights);
  PetscCall(PetscFree(arrays->first));
  *arrays = (PsdArrays){.first = NULL};
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- taking them */

static void CheckHere(PetscInt n_local, const PetscInt shape[3], const unsigned char images[], const PetscInt labels[],
                      PsdFailure *failure)
{
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

/* That ranks agree in shape, and in whether there are labels; ranks without images have no say in the latter. */
static PetscErrorCode CheckAlike(MPI_Comm comm, const PetscInt shape[3], PetscInt n_local, PetscBool labelled,
                                 PetscBool *any_labelled)
{
  PetscFunctionBeginUser;
  PetscInt most[8] = {shape[0],  shape[1],  shape[2],  n_local > 0 && labelled,
                      -shape[0], -shape[1], -shape[2], n_local > 0 && !labelled};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 8, MPIU_INT, MPI_MAX, comm));
  PsdCheckInput(most[0] == -most[4] && most[1] == -most[5] && most[2] == -most[6],
                "%s: not of one size on all ranks, from %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                " to %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT " (channels, height, width)",
                PSD_ARRAYS_NAME, -most[4], -most[5], -most[6], most[0], most[1], most[2]);
  PsdCheckInput(!most[3] || !most[7], "%s: some ranks give labels and others none", PSD_ARRAYS_NAME);
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

static void Copy(size_t n_local, size_t image_bytes, const unsigned char images[], const PetscInt labels[],
                 PsdArrays *arrays, PsdFailure *failure)
{
  arrays->images = (unsigned char *)PsdAllocate(n_local, image_bytes, PSD_ARRAYS_NAME, failure);
  arrays->labels = (PetscInt *)PsdAllocate(n_local, sizeof(PetscInt), "labels", failure);
  if (failure->failed || !n_local) return;
  memcpy(arrays->images, images, n_local * image_bytes);
  if (labels) memcpy(arrays->labels, labels, n_local * sizeof(PetscInt));
}

PetscErrorCode PsdDataSetArrays(PsdData data, PetscInt n_local, PetscInt channels, PetscInt height, PetscInt width,
                                const unsigned char images[], const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  const PetscInt shape[3] = {channels, height, width};
  PsdArrays arrays = {.n_local = n_local, .channels = channels, .height = height, .width = width};
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscCheck(!data->ready, data->comm, PETSC_ERR_ORDER, "PsdDataSetUp was called already");
  CheckHere(n_local, shape, images, labels, &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(CheckAlike(data->comm, shape, n_local, (PetscBool)(labels != NULL), &arrays.labelled));
  PetscCall(CountThrough(data->comm, n_local, &arrays.first));
  Copy((size_t)n_local, (size_t)channels * height * width, images, labels, &arrays, &failure);
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

/* ---------------------------------------------------------------- as a data set's origin */

static PetscErrorCode Inspect(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  const PsdArrays *arrays = &data->arrays;
  PetscMPIInt size;
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  source->unlabelled = (PetscBool)!arrays->labelled;
  source->outputs = arrays->outputs;
  source->weighted = arrays->weighted;
  source->n = arrays->first[size];
  source->channels = arrays->channels;
  source->height = arrays->height;
  source->width = arrays->width;
  source->pixels = (PsdPixels){.bits = 8};
  data->format = "arrays";
  PetscFunctionReturn(0);
}

/* What each image has one number of, of all ranks. */
static PetscErrorCode GatherNumbers(PsdData data, MPI_Datatype type, const void *own, void *all)
{
  PetscFunctionBeginUser;
  const PsdArrays *arrays = &data->arrays;
  PetscMPIInt size, *counts, *starts, count;
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  for (PetscMPIInt rank = 0; rank < size; rank++) {
    PetscCall(PetscMPIIntCast(arrays->first[rank], &starts[rank]));
    PetscCall(PetscMPIIntCast(arrays->first[rank + 1] - arrays->first[rank], &counts[rank]));
  }
  PetscCall(PetscMPIIntCast(arrays->n_local, &count));
  PetscCallMPI(MPI_Allgatherv(own, count, type, all, counts, starts, type, data->comm));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(PsdData data, const PsdSource *source, PetscInt **labels)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  *labels = (PetscInt *)PsdAllocate((size_t)source->n, sizeof(**labels), "labels", &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(GatherNumbers(data, MPIU_INT, data->arrays.labels, *labels));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadWeights(PsdData data, const PsdSource *source, PetscReal weights[])
{
  PetscFunctionBeginUser;
  (void)source;
  PetscCall(GatherNumbers(data, MPIU_REAL, data->arrays.weights, weights));
  PetscFunctionReturn(0);
}

/* given[r]: the piece of the selection that rank r was given; held[r]: the one that it is to hold. */
static void FindPieces(const PsdArrays *arrays, const PsdSelection *selection, PetscMPIInt size, Piece given[],
                       Piece held[])
{
  PetscInt k = 0;
  for (PetscMPIInt rank = 0; rank < size; rank++) {
    given[rank].begin = k;
    while (k < selection->n && selection->positions[k] < arrays->first[rank + 1]) k++;
    given[rank].end = k;
    PsdDataSplitEvenly(selection->n, size, rank, &held[rank].begin, &held[rank].end);
    held[rank].end += held[rank].begin;
  }
}

static Piece Overlap(Piece a, Piece b)
{
  return (Piece){PetscMax(a.begin, b.begin), PetscMin(a.end, b.end)};
}

/* What each image has and is moved: its pixels, or its targets. */
typedef struct {
  size_t bytes; /* of one */
  const void *given;
  unsigned char *held;
} Items;

/* Begins to send the items of a piece from where they lie. */
static PetscErrorCode Send(PsdData data, const void *given, const PsdSelection *selection, Piece piece,
                           MPI_Datatype item, PetscMPIInt from, PetscMPIInt to, MPI_Request *request)
{
  PetscFunctionBeginUser;
  const PsdArrays *arrays = &data->arrays;
  const PetscMPIInt count = (PetscMPIInt)(piece.end - piece.begin);
  PetscMPIInt *places;
  MPI_Datatype picked;
  PetscCall(PetscMalloc1(count, &places));
  for (PetscMPIInt k = 0; k < count; k++)
    places[k] = (PetscMPIInt)(selection->positions[piece.begin + k] - arrays->first[from]);
  PetscCallMPI(MPI_Type_create_indexed_block(count, 1, places, item, &picked));
  PetscCallMPI(MPI_Type_commit(&picked));
  PetscCallMPI(MPI_Isend(given, 1, picked, to, data->tag, data->comm, request));
  PetscCallMPI(MPI_Type_free(&picked));
  PetscCall(PetscFree(places));
  PetscFunctionReturn(0);
}

static PetscErrorCode Exchange(PsdData data, const PsdSelection *selection, const Items *items)
{
  PetscFunctionBeginUser;
  PetscMPIInt size, here, count = 0;
  Piece *given, *held;
  MPI_Request *requests;
  MPI_Datatype item;
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  PetscCallMPI(MPI_Comm_rank(data->comm, &here));
  PetscCall(PetscMalloc3(size, &given, size, &held, 2 * size, &requests));
  FindPieces(&data->arrays, selection, size, given, held);
  PetscCallMPI(MPI_Type_contiguous((PetscMPIInt)items->bytes, MPI_BYTE, &item));
  PetscCallMPI(MPI_Type_commit(&item));
  for (PetscMPIInt rank = 0; rank < size; rank++) {
    const Piece in = Overlap(given[rank], held[here]), out = Overlap(given[here], held[rank]);
    if (in.begin < in.end)
      PetscCallMPI(MPI_Irecv(items->held + (size_t)(in.begin - held[here].begin) * items->bytes,
                             (PetscMPIInt)(in.end - in.begin), item, rank, data->tag, data->comm, &requests[count++]));
    if (out.begin < out.end) PetscCall(Send(data, items->given, selection, out, item, here, rank, &requests[count++]));
  }
  PetscCallMPI(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
  PetscCallMPI(MPI_Type_free(&item));
  PetscCall(PetscFree3(given, held, requests));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShard(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  Items images = {.bytes = PsdSourceImageBytes(source), .given = data->arrays.images};
  Items targets = {.bytes = (size_t)source->outputs * sizeof(PetscReal), .given = data->arrays.targets};
  data->images = images.held = (unsigned char *)PsdAllocate((size_t)data->n_local, images.bytes, "images", &failure);
  data->targets = (PetscReal *)PsdAllocate((size_t)data->n_local, targets.bytes, "targets", &failure);
  targets.held = (unsigned char *)data->targets;
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(Exchange(data, selection, &images));
  if (source->outputs > 0) PetscCall(Exchange(data, selection, &targets));
  PetscFunctionReturn(0);
}

const PsdOrigin PsdOriginArrays = {Inspect, ReadLabels, ReadWeights, ReadShard};
