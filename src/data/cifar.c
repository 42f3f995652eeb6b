/*
   CIFAR-10 and CIFAR-100 in their binary forms: files of records, each one label or two, coarse and fine, and then 3 x
   32 x 32 bytes. data_batch_*.bin, in the order of their names, or train.bin are the training images, test_batch.bin or
   test.bin the test images. Text files, when there, name the labels, one a line. A file has no header, so its size is
   all there is to check it against.
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS 3
#define SIDE 32
#define IMAGE_BYTES ((size_t)CHANNELS * SIDE * SIDE)
#define MOST_LABELS 2
#define BLOCK 1024 /* records read at a time */

/* A label of a record: values 0 .. count - 1, and the file that names them. */
typedef struct {
  PetscInt count;
  const char *names;
} Label;

typedef struct {
  const char *name, *files[2]; /* of the splits, for messages */
  PetscBool (*matches[2])(const char name[]);
  PetscInt records; /* most of a file */
  PetscInt labels;  /* of a record, in front of the image; the last one is the finest */
  Label label[MOST_LABELS];
} Kind;

static PetscBool IsBatch(const char name[])
{
  return !strncmp(name, "data_batch_", 11) && PsdHasSuffix(name, ".bin") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool IsTestBatch(const char name[])
{
  return (PetscBool)!strcmp(name, "test_batch.bin");
}

static PetscBool IsTrain(const char name[])
{
  return (PetscBool)!strcmp(name, "train.bin");
}

static PetscBool IsTest(const char name[])
{
  return (PetscBool)!strcmp(name, "test.bin");
}

#define CIFAR10_NAMES "batches.meta.txt"
#define COARSE_NAMES "coarse_label_names.txt"
#define FINE_NAMES "fine_label_names.txt"

static const Kind cifar10 = {.name = "cifar10",
                             .files = {"data_batch_*.bin", "test_batch.bin"},
                             .matches = {IsBatch, IsTestBatch},
                             .records = 10000,
                             .labels = 1,
                             .label = {{10, CIFAR10_NAMES}}};
static const Kind cifar100 = {.name = "cifar100",
                              .files = {"train.bin", "test.bin"},
                              .matches = {IsTrain, IsTest},
                              .records = 50000,
                              .labels = 2,
                              .label = {{20, COARSE_NAMES}, {100, FINE_NAMES}}};

static const Kind *KindOf(const PsdSource *source)
{
  return strcmp(source->format->name, cifar10.name) ? &cifar100 : &cifar10;
}

/* The place of the label that was asked for, among those of a record. */
static PetscInt PlaceOfLabel(const PsdSource *source)
{
  return source->coarse ? 0 : KindOf(source)->labels - 1;
}

static size_t RecordBytes(const PsdSource *source)
{
  return (size_t)KindOf(source)->labels + IMAGE_BYTES;
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

static void CheckSize(const PsdSource *source, const char path[], PetscInt64 size, PsdFailure *failure)
{
  const PetscInt64 record = (PetscInt64)RecordBytes(source), left_over = size % record;
  if (!size) PsdFailureRecord(failure, "%s: 0 bytes, expected records of %d bytes", path, (int)record);
  else if (left_over)
    PsdFailureRecord(failure,
                     "%s: %" PetscInt64_FMT " bytes, expected a multiple of %d: truncated by %" PetscInt64_FMT
                     ", or %" PetscInt64_FMT " bytes too many after %" PetscInt64_FMT " records",
                     path, size, (int)record, record - left_over, left_over, size / record);
  else if (size / record > KindOf(source)->records)
    PsdFailureRecord(failure, "%s: oversized: %" PetscInt64_FMT " records, expected %" PetscInt_FMT " at most", path,
                     size / record, KindOf(source)->records);
}

static PetscErrorCode InspectFile(const PsdSource *source, PsdImageFile *file, PetscInt first, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes bytes;
  PetscCall(PsdBytesOpen(file->path, &bytes, failure));
  if (!failure->failed) CheckSize(source, file->path, bytes.disk_size, failure);
  file->first = first;
  file->count = (PetscInt)(bytes.disk_size / (PetscInt64)RecordBytes(source));
  PetscCall(PsdBytesClose(&bytes));
  PetscFunctionReturn(0);
}

/* Names are a convenience: lines that are there are taken, in their order, up to the number of labels. */
static PetscErrorCode ReadNames(const PsdListing *listing, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  char path[PETSC_MAX_PATH_LEN], line[PSD_CLASS_NAME_LENGTH];
  const Label label = KindOf(source)->label[PlaceOfLabel(source)];
  if (!PsdJoinPath(listing->path, label.names, path, failure)) PetscFunctionReturn(0);
  if (access(path, F_OK)) PetscFunctionReturn(0);
  PsdFileCheckRegular(path, failure);
  FILE *file = failure->failed ? NULL : fopen(path, "r");
  if (!file) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(label.count, &source->names));
  while (source->name_count < label.count && fgets(line, sizeof(line), file)) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0]) PetscCall(PetscStrncpy(source->names[source->name_count++], line, sizeof(line)));
  }
  fclose(file);
  PetscFunctionReturn(0);
}

/* Coarse labels and fine ones are numbers alike: a network's names tell which it was trained on. */
static void CheckNames(const char path[], const PsdSource *source, PsdFailure *failure)
{
  const PsdKnownClasses *known = source->known;
  for (PetscInt k = 0; known && k < known->count && KindOf(source)->labels > 1; k++) {
    const PetscInt label = known->labels[k];
    char digits[PSD_CLASS_NAME_LENGTH];
    (void)snprintf(digits, sizeof(digits), "%" PetscInt_FMT, label);
    if (label < source->name_count && strcmp(known->names[k], digits) != 0 &&
        strcmp(known->names[k], source->names[label]) != 0)
      PsdFailureRecord(failure, "-data %s: label %" PetscInt_FMT " is %s, and %s to the network: see -labels", path,
                       label, source->names[label], known->names[k]);
  }
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscBool (*const wanted)(const char[]) = KindOf(source)->matches[split];
  PetscInt64 total = 0;
  PetscCall(PetscMalloc1(listing->count, &source->files));
  for (PetscInt k = 0; k < listing->count && !failure->failed; k++) {
    if (!wanted(listing->names[k])) continue;
    PsdImageFile *file = &source->files[source->file_count++];
    if (!PsdJoinPath(listing->path, listing->names[k], file->path, failure)) break;
    PetscCall(InspectFile(source, file, (PetscInt)total, failure));
    total += file->count;
    if (!failure->failed) PsdCheckImageCount(listing->path, total, failure);
  }
  if (!source->file_count)
    PsdFailureRecord(failure, "-data %s: holds no %s, needed for -split %s", listing->path,
                     KindOf(source)->files[split], PsdSplitNames[split]);
  source->n = (PetscInt)total;
  source->pixels = (PsdPixels){.bits = 8};
  source->channels = CHANNELS;
  source->height = source->width = SIDE;
  if (!failure->failed) PetscCall(ReadNames(listing, source, failure));
  if (!failure->failed) CheckNames(listing->path, source, failure);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

typedef struct {
  const PsdImageFile *file; /* the one that is open, or NULL */
  PsdBytes bytes;
  unsigned char records[BLOCK * (MOST_LABELS + IMAGE_BYTES)];
} Reader;

static PetscErrorCode ReaderCreate(Reader **reader, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *reader = (Reader *)PsdAllocate(1, sizeof(**reader), "records", failure);
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
  PetscCall(reader->bytes.ops->read(&reader->bytes, (PetscInt64)record * (PetscInt64)RecordBytes(source),
                                    (size_t)*got * RecordBytes(source), reader->records, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Reader *reader;
  const PetscInt place = PlaceOfLabel(source), most = KindOf(source)->label[place].count;
  PetscCall(ReaderCreate(&reader, failure));
  for (PetscInt done = 0, got = 0; done < count && !failure->failed; done += got) {
    PetscCall(ReadBlock(source, first + done, count - done, reader, &got, failure));
    for (PetscInt k = 0; k < got && !failure->failed; k++) {
      labels[done + k] = reader->records[(size_t)k * RecordBytes(source) + (size_t)place];
      if (labels[done + k] >= most)
        PsdFailureRecord(
            failure, "%s: record %" PetscInt_FMT " (from 0) has label %" PetscInt_FMT ", expected 0..%" PetscInt_FMT,
            reader->file->path, first + done + k - reader->file->first, labels[done + k], most - 1);
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
      memcpy((unsigned char *)images + (size_t)(done + k) * IMAGE_BYTES,
             reader->records + (size_t)k * RecordBytes(source) + KindOf(source)->labels, IMAGE_BYTES);
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

static PetscBool IsCifar10(const char name[])
{
  return (PetscBool)(IsBatch(name) || IsTestBatch(name));
}

static PetscBool IsCifar100(const char name[])
{
  return (PetscBool)(IsTrain(name) || IsTest(name));
}

/* Of either kind: the listing has the files of one. */
static PetscBool HasSplit(const PsdListing *listing, PsdSplit split)
{
  for (PetscInt k = 0; k < listing->count; k++)
    if (cifar10.matches[split](listing->names[k]) || cifar100.matches[split](listing->names[k])) return PETSC_TRUE;
  return PETSC_FALSE;
}

static const char *const cifar10_names[] = {CIFAR10_NAMES, NULL};
static const char *const cifar100_names[] = {COARSE_NAMES, FINE_NAMES, NULL};

const PsdFormat PsdFormatCifar10 = {.name = "cifar10",
                                    .files = "data_batch_*.bin, test_batch.bin",
                                    .matches = IsCifar10,
                                    .prefers = IsCifar10,
                                    .has_split = HasSplit,
                                    .labels = "labels",
                                    .beside = cifar10_names,
                                    .inspect = Inspect,
                                    .read_labels = ReadLabels,
                                    .images = {OpenImages, ReadImages, NULL, CloseImages}};

const PsdFormat PsdFormatCifar100 = {.name = "cifar100",
                                     .files = "train.bin, test.bin",
                                     .has_coarse = PETSC_TRUE,
                                     .matches = IsCifar100,
                                     .prefers = IsCifar100,
                                     .has_split = HasSplit,
                                     .labels = "labels",
                                     .beside = cifar100_names,
                                     .inspect = Inspect,
                                     .read_labels = ReadLabels,
                                     .images = {OpenImages, ReadImages, NULL, CloseImages}};
