/*
   From files to shards: labels, images, targets. What can be seeked each rank reads for itself, in its own part only.
   What cannot (a .gz) rank 0 streams in bounded pieces and sends each to the rank that owns it, so that no rank ever
   holds the whole.

   A failure in the middle must leave no rank waiting: the exchange of messages follows from the sizes alone, and goes
   on, with empty messages, after rank 0 found a file at fault.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

static PetscErrorCode Inspect(PsdData data, PsdSource *source)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  source->known = data->known.count > 0 ? &data->known : NULL;
  source->height = data->resized_height;
  source->width = data->resized_width;
  source->coarse = data->coarse;
  source->pixels = data->wanted_pixels;
  source->levels = data->levels;
  if (!rank) PetscCall(PsdDataProbe(data->path, data->split, source, &failure));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(PsdSourceBroadcast(data->comm, source));
  data->format = source->format->name;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDataHasSplit(PsdData data, PsdSplit split, PetscBool *has)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(data);
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank;
  *has = PETSC_FALSE;
  PsdCheckInput(data->path[0], "option -data is missing");
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (!rank) PetscCall(PsdDataProbeSplit(data->path, split, has, &failure));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCallMPI(MPI_Bcast(has, 1, MPIU_BOOL, 0, data->comm));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- labels */

/* Gathers in place what every rank has read of the labels. */
static PetscErrorCode ShareLabels(MPI_Comm comm, PetscInt n, PetscInt labels[])
{
  PetscFunctionBeginUser;
  PetscMPIInt size, *counts, *starts;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  for (PetscMPIInt rank = 0; rank < size; rank++) {
    PetscInt first, count;
    PsdDataSplitEvenly(n, size, rank, &first, &count);
    PetscCall(PetscMPIIntCast(first, &starts[rank]));
    PetscCall(PetscMPIIntCast(count, &counts[rank]));
  }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPIU_INT, labels, counts, starts, MPIU_INT, comm));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(PsdData data, const PsdSource *source, PetscInt **labels)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank, size;
  PetscInt first = 0, count = source->n;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  if (!source->labels_streamed) PsdDataSplitEvenly(source->n, size, rank, &first, &count);
  *labels = (PetscInt *)PsdAllocate((size_t)source->n, sizeof(**labels), "labels", &failure);
  if (!failure.failed && (!source->labels_streamed || !rank))
    PetscCall(source->format->read_labels(source, first, count, *labels + first, &failure));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  if (source->labels_streamed) PetscCallMPI(MPI_Bcast(*labels, (PetscMPIInt)source->n, MPIU_INT, 0, data->comm));
  else PetscCall(ShareLabels(data->comm, source->n, *labels));
  PetscFunctionReturn(0);
}

/* Weights are numbers as few as labels: rank 0 reads them for all. */
static PetscErrorCode ReadWeights(PsdData data, const PsdSource *source, PetscReal weights[])
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdImageFile file = {.count = source->n};
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  PetscCall(PetscStrncpy(file.path, data->weights_path, sizeof(file.path)));
  if (!rank && file.path[0]) PetscCall(PsdNumpyReadWeights(&file, source->n, weights, &failure));
  else if (!rank) PetscCall((*source->format->read_weights)(source, weights, &failure));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(PsdBroadcastArray(data->comm, MPIU_REAL, (size_t)source->n, weights));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- images and targets */

/* What is read of each image selected: its pixels, or its targets. */
typedef struct {
  const PsdReader *reader;
  PetscBool streamed;
  size_t bytes;        /* of one image */
  unsigned char *here; /* those of this rank's images */
} Part;

static PetscInt PieceOf(const Part *part)
{
  return (PetscInt)PetscMax(PSD_PIECE_BYTES / part->bytes, 1);
}

/* Reads what `count` selected positions have, those that follow one another in one go. */
static PetscErrorCode ReadPositions(const Part *part, PsdSource *source, const PetscInt positions[], PetscInt count,
                                    unsigned char items[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  for (PetscInt done = 0, run; done < count && !failure->failed; done += run) {
    for (run = 1; done + run < count && positions[done + run] == positions[done] + run;) run++;
    PetscCall((*part->reader->read)(source, positions[done], run, items + (size_t)done * part->bytes, failure));
  }
  PetscFunctionReturn(0);
}

/* Each rank for itself. */
static PetscErrorCode ReadOwn(PsdData data, const Part *part, PsdSource *source, const PsdSelection *selection,
                              PsdProgress progress, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt piece = PieceOf(part);
  if (!failure->failed) PetscCall((*part->reader->open)(source, failure));
  for (PetscInt done = 0; done < data->n_local && !failure->failed; done += piece) {
    const PetscInt count = PetscMin(piece, data->n_local - done);
    PetscCall(ReadPositions(part, source, selection->positions + data->first + done, count,
                            part->here + (size_t)done * part->bytes, failure));
    if (progress) PetscCall(PsdProgressUpdate(progress, done + count));
  }
  PetscCall((*part->reader->close)(source));
  PetscFunctionReturn(0);
}

/* On rank 0: reads what `owner` owns, to its own place or to `buffer` and from there to the owner. */
static PetscErrorCode StreamTo(PetscMPIInt owner, PsdData data, const Part *part, PsdSource *source,
                               const PsdSelection *selection, unsigned char buffer[], PsdProgress progress,
                               PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt piece = PieceOf(part);
  PetscMPIInt size;
  PetscInt first, owned;
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  PsdDataSplitEvenly(selection->n, size, owner, &first, &owned);
  for (PetscInt done = 0; done < owned; done += piece) {
    const PetscInt count = PetscMin(piece, owned - done);
    unsigned char *target = owner ? buffer : part->here + (size_t)done * part->bytes;
    if (!failure->failed)
      PetscCall(ReadPositions(part, source, selection->positions + first + done, count, target, failure));
    const size_t bytes = failure->failed ? 0 : (size_t)count * part->bytes;
    if (owner) PetscCallMPI(MPI_Send(buffer, (PetscMPIInt)bytes, MPI_BYTE, owner, data->tag, data->comm));
    /* rank 0 speaks for all: its share of what was read so far */
    if (progress)
      PetscCall(PsdProgressUpdate(progress, (PetscInt64)data->n_local * (first + done + count) / selection->n));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode StreamFromFile(PsdData data, const Part *part, PsdSource *source, const PsdSelection *selection,
                                     PsdProgress progress, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscMPIInt size;
  PetscCallMPI(MPI_Comm_size(data->comm, &size));
  unsigned char *buffer = (unsigned char *)PsdAllocate((size_t)PieceOf(part), part->bytes, "a piece", failure);
  if (!failure->failed) PetscCall((*part->reader->open)(source, failure));
  for (PetscMPIInt owner = 0; owner < size; owner++)
    PetscCall(StreamTo(owner, data, part, source, selection, buffer, progress, failure));
  if (!failure->failed) PetscCall((*part->reader->end)(source, failure));
  PetscCall((*part->reader->close)(source));
  free(buffer);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReceiveStream(PsdData data, const Part *part)
{
  PetscFunctionBeginUser;
  const PetscInt piece = PieceOf(part);
  for (PetscInt done = 0; done < data->n_local; done += piece) {
    const size_t bytes = (size_t)PetscMin(piece, data->n_local - done) * part->bytes;
    PetscCallMPI(MPI_Recv(part->here + (size_t)done * part->bytes, (PetscMPIInt)bytes, MPI_BYTE, 0, data->tag,
                          data->comm, MPI_STATUS_IGNORE));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadPart(PsdData data, const Part *part, PsdSource *source, const PsdSelection *selection,
                               PsdProgress progress)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (!part->streamed) PetscCall(ReadOwn(data, part, source, selection, progress, &failure));
  else if (rank) PetscCall(ReceiveStream(data, part));
  else PetscCall(StreamFromFile(data, part, source, selection, progress, &failure));
  if (progress) PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImages(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdProgress progress;
  Part part = {&source->format->images, source->images_streamed, PsdSourceImageBytes(source), NULL};
  part.here = data->images = (unsigned char *)PsdAllocate((size_t)data->n_local, part.bytes, "images", &failure);
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(PsdProgressCreate(data->comm, "reading", "images", data->n_local, data->n, &progress));
  PetscCall(ReadPart(data, &part, source, selection, progress));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTargets(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {.failed = PETSC_FALSE};
  Part part = {&source->format->targets, source->targets_streamed, (size_t)source->outputs * sizeof(PetscReal), NULL};
  data->targets = (PetscReal *)PsdAllocate((size_t)data->n_local, part.bytes, "targets", &failure);
  part.here = (unsigned char *)data->targets;
  PetscCall(PsdFailureAgree(data->comm, &failure));
  PetscCall(ReadPart(data, &part, source, selection, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadShard(PsdData data, PsdSource *source, const PsdSelection *selection)
{
  PetscFunctionBeginUser;
  PetscCall(ReadImages(data, source, selection));
  if (source->outputs > 0) PetscCall(ReadTargets(data, source, selection));
  PetscFunctionReturn(0);
}

const PsdOrigin PsdOriginFiles = {Inspect, ReadLabels, ReadWeights, ReadShard};
