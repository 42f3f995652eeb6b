/*
   From the caller's memory to even shards: what the images are that all ranks have given, and each one to the rank that is
   to hold it, as it is held.

   Images count through the ranks. So what a rank was given and what a rank is to hold are both contiguous pieces of the
   selection, and what one sends to the other is where the two overlap; every rank knows all pieces.
*/
#include "data.h"
#include <stdlib.h>

/* Positions begin .. end - 1 of the selection. */
typedef struct {
  PetscInt begin, end;
} Piece;

/* ---------------------------------------------------------------- what they are */

static void FailNumber(PetscInt image, double number, const char expected[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: image %" PetscInt_FMT " (from 0) has the number %g, expected %s", PSD_ARRAYS_NAME,
                   image, number, expected);
}

static PetscErrorCode MergeScans(MPI_Comm comm, PsdPixelScan *scan)
{
  PetscFunctionBeginUser;
  double most[4] = {-scan->least, scan->largest, !scan->whole, !scan->of_255};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 4, MPI_DOUBLE, MPI_MAX, comm));
  *scan = (PsdPixelScan){-most[0], most[1], (PetscBool)!most[2], (PetscBool)!most[3]};
  PetscFunctionReturn(0);
}

/* How numbers are held depends on those of all ranks. */
static PetscErrorCode SettlePixels(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  const PsdArrays *arrays = &data->arrays;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdPixelScan scan = PsdPixelScanBegin();
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (PsdSourceScans(source, arrays->type)) {
    const size_t pixels = PsdSourceImagePixels(source), count = (size_t)arrays->n_local * pixels;
    const size_t good = PsdPixelScanAdd(&scan, arrays->type, count, arrays->images);
    if (good < count)
      FailNumber(arrays->first[rank] + (PetscInt)(good / pixels), PsdNumberAt(arrays->type, arrays->images, good),
                 PSD_PIXELS_FINITE, &failure);
    PetscCall(PsdFailureAgree(data->comm, &failure));
    PetscCall(MergeScans(data->comm, &scan));
  }
  PsdPixelScanSettle(&scan, arrays->type, data->levels, &source->pixels, &source->scale);
  PetscFunctionReturn(0);
}

static PetscErrorCode NameTargets(const PsdArrays *arrays, PsdSource *source)
{
  PetscFunctionBeginUser;
  if (!arrays->names) PetscFunctionReturn(0);
  source->name_count = arrays->outputs;
  PetscCall(PetscMalloc1(arrays->outputs, &source->names));
  PetscCall(PetscArraycpy(source->names, arrays->names, arrays->outputs));
  PetscFunctionReturn(0);
}

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
  source->pixels = data->wanted_pixels;
  data->format = "arrays";
  PetscCall(NameTargets(arrays, source));
  PetscCall(SettlePixels(data, source));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- labels and weights */

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

/* ---------------------------------------------------------------- images and targets */

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

/* The images of this rank, as they were given, as they are held. */
static void Hold(PsdData data, PsdSource *source, const PsdSelection *selection, const void *numbers,
                 PsdFailure *failure)
{
  const PsdNumberType type = data->arrays.type;
  const size_t pixels = PsdSourceImagePixels(source), count = (size_t)data->n_local * pixels;
  const size_t good =
      PsdPixelsToBytes(type, source->scale, &source->pixels, count, numbers, data->images, &source->tally);
  if (good < count)
    FailNumber(selection->positions[data->first + (PetscInt)(good / pixels)], PsdNumberAt(type, numbers, good),
               PsdPixelsExpected(source->scale, &source->pixels), failure);
}

static PetscErrorCode ReadImages(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  const PsdArrays *arrays = &data->arrays;
  const PetscBool as_given = PsdSourceTakesBytes(source, arrays->type);
  const size_t n_local = (size_t)data->n_local, bytes = PsdSourceImagePixels(source) * (size_t)arrays->type.size;
  PsdFailure failure = {.failed = PETSC_FALSE};
  data->images = (unsigned char *)PsdAllocate(n_local, PsdSourceImageBytes(source), "images", &failure);
  unsigned char *moved = as_given ? data->images : (unsigned char *)PsdAllocate(n_local, bytes, "images", &failure);
  PetscErrorCode code = PsdFailureAgree(data->comm, &failure);
  if (!code) {
    PetscCall(Exchange(data, selection, &(Items){.bytes = bytes, .given = arrays->images, .held = moved}));
    if (!as_given) Hold(data, source, selection, moved, &failure);
    code = PsdFailureAgree(data->comm, &failure);
  }
  if (!as_given) free(moved);
  PetscFunctionReturn(code);
}

static PetscErrorCode ReadTargets(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  Items targets = {.bytes = (size_t)source->outputs * sizeof(PetscReal), .given = data->arrays.targets};
  data->targets = (PetscReal *)PsdAllocate((size_t)data->n_local, targets.bytes, "targets", &failure);
  targets.held = (unsigned char *)data->targets;
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(Exchange(data, selection, &targets));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShard(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PetscCall(ReadImages(data, source, selection));
  if (source->outputs > 0) PetscCall(ReadTargets(data, source, selection));
  PetscFunctionReturn(0);
}

const PsdOrigin PsdOriginArrays = {Inspect, ReadLabels, ReadWeights, ReadShard};
