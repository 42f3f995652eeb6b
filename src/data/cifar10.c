/*
   CIFAR-10 in its binary form: files of records, each a label 0..9 and 3 x 32 x 32 bytes; data_batch_*.bin, in the
   order of their names, are the training images and test_batch.bin the test images. batches.meta.txt, when there, names
   the labels, one a line. A file has no header, so its size is all there is to check it against.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_FILE "batches.meta.txt"
#define CHANNELS 3
#define SIDE 32
#define IMAGE_BYTES ((size_t)CHANNELS * SIDE * SIDE)
#define RECORD_BYTES (1 + IMAGE_BYTES)
#define RECORDS_MAX 10000
#define LABELS 10
#define BLOCK 1024 /* records read at a time */

static PetscBool IsTrainName(const char name[])
{
  return !strncmp(name, "data_batch_", 11) && PsdHasSuffix(name, ".bin") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool IsTestName(const char name[])
{
  return strcmp(name, "test_batch.bin") ? PETSC_FALSE : PETSC_TRUE;
}

static PetscBool Matches(const char name[])
{
  return IsTrainName(name) || IsTestName(name) ? PETSC_TRUE : PETSC_FALSE;
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

static void CheckSize(const char path[], PetscInt64 size, PsdFailure *failure)
{
  const PetscInt64 record = (PetscInt64)RECORD_BYTES, left_over = size % record;
  if (!size) PsdFailureRecord(failure, "%s: 0 bytes, expected records of %d bytes", path, (int)record);
  else if (left_over)
    PsdFailureRecord(failure,
                     "%s: %" PetscInt64_FMT " bytes, expected a multiple of %d: truncated by %" PetscInt64_FMT
                     ", or %" PetscInt64_FMT " bytes too many after %" PetscInt64_FMT " records",
                     path, size, (int)record, record - left_over, left_over, size / record);
  else if (size / record > RECORDS_MAX)
    PsdFailureRecord(failure, "%s: oversized: %" PetscInt64_FMT " records, expected %d at most", path, size / record,
                     RECORDS_MAX);
}

static PetscErrorCode InspectFile(PsdImageFile *file, PetscInt first, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes bytes;
  PetscCall(PsdBytesOpen(file->path, &bytes, failure));
  if (!failure->failed) CheckSize(file->path, bytes.disk_size, failure);
  file->first = first;
  file->count = (PetscInt)(bytes.disk_size / (PetscInt64)RECORD_BYTES);
  PetscCall(PsdBytesClose(&bytes));
  PetscFunctionReturn(0);
}

/* Names are a convenience: lines that are there are taken, in their order, up to the number of labels. */
static PetscErrorCode ReadNames(const PsdListing *listing, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  char path[PETSC_MAX_PATH_LEN], line[PSD_CLASS_NAME_LENGTH];
  if (!PsdJoinPath(listing->path, NAMES_FILE, path, failure)) PetscFunctionReturn(0);
  if (access(path, F_OK)) PetscFunctionReturn(0);
  PsdFileCheckRegular(path, failure);
  FILE *file = failure->failed ? NULL : fopen(path, "r");
  if (!file) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(LABELS, &source->names));
  while (source->name_count < LABELS && fgets(line, sizeof(line), file)) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0]) PetscCall(PetscStrncpy(source->names[source->name_count++], line, sizeof(line)));
  }
  fclose(file);
  PetscFunctionReturn(0);
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscBool (*const wanted)(const char[]) = split == PSD_SPLIT_TRAIN ? IsTrainName : IsTestName;
  PetscInt64 total = 0;
  PetscCall(PetscMalloc1(listing->count, &source->files));
  for (PetscInt k = 0; k < listing->count && !failure->failed; k++) {
    if (!wanted(listing->names[k])) continue;
    PsdImageFile *file = &source->files[source->file_count++];
    if (!PsdJoinPath(listing->path, listing->names[k], file->path, failure)) break;
    PetscCall(InspectFile(file, (PetscInt)total, failure));
    total += file->count;
    if (!failure->failed) PsdCheckImageCount(listing->path, total, failure);
  }
  if (!source->file_count)
    PsdFailureRecord(failure, "-data %s: holds no %s, needed for -split %s", listing->path,
                     split == PSD_SPLIT_TRAIN ? "data_batch_*.bin" : "test_batch.bin", PsdSplitNames[split]);
  source->n = (PetscInt)total;
  source->channels = CHANNELS;
  source->height = source->width = SIDE;
  if (!failure->failed) PetscCall(ReadNames(listing, source, failure));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

typedef struct {
  const PsdImageFile *file; /* the one that is open, or NULL */
  PsdBytes bytes;
  unsigned char records[BLOCK * RECORD_BYTES];
} Reader;

static PetscErrorCode ReaderCreate(Reader **reader, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *reader = (Reader *)PsdAllocate(1, sizeof(**reader), "records of cifar10", failure);
  if (*reader) (*reader)->file = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReaderDestroy(Reader *reader)
{
  PetscFunctionBeginUser;
  if (reader && reader->file) PetscCall(PsdBytesClose(&reader->bytes));
  free(reader);
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenFileOf(const PsdSource *source, PetscInt position, Reader *reader, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PsdImageFile *file = source->files;
  while (position >= file->first + file->count) file++;
  if (file == reader->file) PetscFunctionReturn(0);
  if (reader->file) PetscCall(PsdBytesClose(&reader->bytes));
  reader->file = file;
  PetscCall(PsdBytesOpen(file->path, &reader->bytes, failure));
  PetscFunctionReturn(0);
}

/* Reads records from `first` on: as many as are in one file and one block, and no more than `count`. */
static PetscErrorCode ReadBlock(const PsdSource *source, PetscInt first, PetscInt count, Reader *reader, PetscInt *got,
                                PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(OpenFileOf(source, first, reader, failure));
  if (failure->failed) PetscFunctionReturn(0);
  const PetscInt record = first - reader->file->first;
  *got = PetscMin(PetscMin(count, BLOCK), reader->file->count - record);
  PetscCall(reader->bytes.ops->read(&reader->bytes, (PetscInt64)record * (PetscInt64)RECORD_BYTES,
                                    (size_t)*got * RECORD_BYTES, reader->records, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Reader *reader;
  PetscCall(ReaderCreate(&reader, failure));
  for (PetscInt done = 0, got = 0; done < count && !failure->failed; done += got) {
    PetscCall(ReadBlock(source, first + done, count - done, reader, &got, failure));
    for (PetscInt k = 0; k < got && !failure->failed; k++) {
      labels[done + k] = reader->records[(size_t)k * RECORD_BYTES];
      if (labels[done + k] >= LABELS)
        PsdFailureRecord(failure, "%s: record %" PetscInt_FMT " (from 0) has label %" PetscInt_FMT ", expected 0..%d",
                         reader->file->path, first + done + k - reader->file->first, labels[done + k], LABELS - 1);
    }
  }
  PetscCall(ReaderDestroy(reader));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Reader *reader;
  PetscCall(ReaderCreate(&reader, failure));
  source->reader = reader;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, void *images, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Reader *reader = (Reader *)source->reader;
  for (PetscInt done = 0, got = 0; done < count && !failure->failed; done += got) {
    PetscCall(ReadBlock(source, first + done, count - done, reader, &got, failure));
    for (PetscInt k = 0; k < got && !failure->failed; k++)
      memcpy((unsigned char *)images + (size_t)(done + k) * IMAGE_BYTES, reader->records + (size_t)k * RECORD_BYTES + 1,
             IMAGE_BYTES);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseImages(PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(ReaderDestroy((Reader *)source->reader));
  source->reader = NULL;
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatCifar10 = {.name = "cifar10",
                                    .files = "data_batch_*.bin, test_batch.bin",
                                    .matches = Matches,
                                    .prefers = Matches,
                                    .labels = "labels",
                                    .beside = NAMES_FILE,
                                    .inspect = Inspect,
                                    .read_labels = ReadLabels,
                                    .images = {OpenImages, ReadImages, NULL, CloseImages}};
