/*
   NumPy's files: arrays of images and of labels or targets, each an .npy, or members of one .npz (numpy_array.h).

   Images are number x height x width, number x channels x height x width or number x height x width x channels
   (PsdPixelsFindOrder). Numbers other than unsigned bytes are whole numbers of 8 or 16 bits, or real numbers, of which
   levels are held (pixels.h).
*/
#include "numpy_array.h"
#include "numpy_files.h"
#include <stdlib.h>

#define SCANNED 65536 /* numbers at a time, when the largest is looked for */

/* ---------------------------------------------------------------- inspection, on rank 0 */

/* Number `at` of all that are in images. */
static void FailNumber(const PsdNumpyArray *array, const PsdSource *source, PetscInt64 at, double number,
                       const char expected[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: image %" PetscInt64_FMT " (from 0) has the number %g, expected %s", array->file->path,
                   at / (PetscInt64)PsdSourceImagePixels(source), number, expected);
}

/* How numbers are held depends on all of them. */
static PetscErrorCode ScanNumbers(PsdNumpyArray *array, const PsdSource *source, PsdPixelScan *scan,
                                  PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 size = (PetscInt64)PsdSourceImagePixels(source), total = size * source->n;
  unsigned char *piece = (unsigned char *)PsdAllocate(SCANNED, (size_t)array->type.size, "a piece", failure);
  PsdProgress progress;
  PetscCall(PsdProgressCreate(PETSC_COMM_SELF, "numbers", "images", source->n, source->n, &progress));
  for (PetscInt64 done = 0; done < total && !failure->failed; done += SCANNED) {
    const size_t count = (size_t)PetscMin(SCANNED, total - done);
    PetscCall(PsdNumpyArrayRead(array, done, count, piece, failure));
    const size_t good = failure->failed ? count : PsdPixelScanAdd(scan, array->type, count, piece);
    if (good < count)
      FailNumber(array, source, done + (PetscInt64)good, PsdNumberAt(array->type, piece, good), PSD_PIXELS_FINITE,
                 failure);
    PetscCall(PsdProgressUpdate(progress, (done + (PetscInt64)count) / size));
  }
  PetscCall(PsdProgressDestroy(&progress));
  free(piece);
  PetscFunctionReturn(0);
}

static PetscErrorCode SettlePixels(PsdNumpyArray *array, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdPixelScan scan = PsdPixelScanBegin();
  if (PsdSourceScans(source, array->type)) PetscCall(ScanNumbers(array, source, &scan, failure));
  PsdPixelScanSettle(&scan, array->type, source->levels, &source->pixels, &source->scale);
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  PetscInt64 shape[3] = {0, 0, 0};
  const char *path = source->files[PSD_NUMPY_IMAGES].path;
  PetscCall(PsdNumpyArrayOpen(&source->files[PSD_NUMPY_IMAGES], PETSC_FALSE, &array, failure));
  if (!failure->failed && array.rank < 3)
    PsdNumpyArrayFail(
        &array, "has fewer than 3 extents, expected number x height x width, channels before or behind them", failure);
  if (!failure->failed) {
    PsdPixelsFindOrder(array.rank - 1, array.extent + 1, shape, &source->channels_last);
    PsdCheckImageCount(path, array.extent[0], failure);
  }
  if (!failure->failed) PsdCheckImageShape(path, shape[0], shape[1], shape[2], failure);
  if (!failure->failed) {
    source->n = (PetscInt)array.extent[0];
    source->channels = (PetscInt)shape[0];
    source->height = (PetscInt)shape[1];
    source->width = (PetscInt)shape[2];
    source->images_streamed = array.streamed;
    PetscCall(SettlePixels(&array, source, failure));
  }
  if (!array.streamed) PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectLabels(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  source->unlabelled = (PetscBool)!source->files[PSD_NUMPY_LABELS].path[0];
  if (source->unlabelled) PetscFunctionReturn(0);
  PetscCall(PsdNumpyArrayOpen(&source->files[PSD_NUMPY_LABELS], PETSC_FALSE, &array, failure));
  if (!failure->failed && (!PsdNumpyArrayIsColumn(&array) || array.type.kind == 'f'))
    PsdNumpyArrayFail(&array,
                      "is no array of integers with one extent, expected labels, or real targets by the name targets",
                      failure);
  if (!failure->failed && array.extent[0] != source->n)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " labels, expected %" PetscInt_FMT " as there are images",
                     source->files[PSD_NUMPY_LABELS].path, array.extent[0], source->n);
  source->labels_streamed = array.streamed;
  if (!array.streamed) PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  const char *path = source->files[PSD_NUMPY_TARGETS].path;
  if (!path[0]) PetscFunctionReturn(0);
  PetscCall(PsdNumpyArrayOpen(&source->files[PSD_NUMPY_TARGETS], PETSC_FALSE, &array, failure));
  if (!failure->failed && !source->unlabelled)
    PsdFailureRecord(failure, "%s: there are both labels and targets, expected one of them", path);
  if (!failure->failed && array.rank > 2)
    PsdNumpyArrayFail(&array, "has more than 2 extents, expected number, or number x outputs", failure);
  if (!failure->failed && array.extent[0] != source->n)
    PsdFailureRecord(failure,
                     "%s: targets of %" PetscInt64_FMT " images, expected %" PetscInt_FMT " as there are images", path,
                     array.extent[0], source->n);
  const PetscInt64 outputs = array.rank == 2 ? array.extent[1] : 1;
  if (!failure->failed) PsdCheckOutputs(path, outputs, failure);
  if (!failure->failed) source->outputs = (PetscInt)outputs;
  source->targets_streamed = array.streamed;
  if (!array.streamed) PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

/* Of labels 0, 1, and so on, or of targets. */
static PetscErrorCode InspectNames(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PsdImageFile *file = &source->files[PSD_NUMPY_NAMES];
  if (!file->path[0]) PetscFunctionReturn(0);
  PetscCall(PsdNumpyReadNames(file, PSD_MOST_NAMES, &source->names, &source->name_count, failure));
  if (!failure->failed && source->outputs > 0 && source->name_count != source->outputs)
    PsdFailureRecord(failure,
                     "%s: %s%s%" PetscInt_FMT " names, expected %" PetscInt_FMT " as there are targets of an image",
                     file->path, file->member, file->member[0] ? ": " : "", source->name_count, source->outputs);
  PetscFunctionReturn(0);
}

static PetscBool HasSplit(const PsdListing *listing, PsdSplit split)
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdImageFile files[PSD_NUMPY_KINDS] = {{.path = ""}};
  PsdNumpyFindFiles(listing, split, files, &failure);
  return (PetscBool)!failure.failed;
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  source->file_count = PSD_NUMPY_KINDS;
  PetscCall(PetscCalloc1(PSD_NUMPY_KINDS, &source->files));
  PsdNumpyFindFiles(listing, split, source->files, failure);
  if (!failure->failed) PetscCall(InspectImages(source, failure));
  if (!failure->failed) PetscCall(InspectLabels(source, failure));
  if (!failure->failed) PetscCall(InspectTargets(source, failure));
  if (!failure->failed) PetscCall(InspectNames(source, failure));
  source->weighted = (PetscBool)(source->files[PSD_NUMPY_WEIGHTS].path[0] != '\0');
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

static PetscErrorCode ReadLabelPieces(PsdNumpyArray *array, PetscInt first, PetscInt count, PetscInt labels[],
                                      PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char piece[8 * 4096];
  for (PetscInt done = 0; done < count && !failure->failed;) {
    const PetscInt size = PetscMin(count - done, 4096);
    PetscCall(PsdNumpyArrayRead(array, first + done, (size_t)size, piece, failure));
    for (PetscInt k = 0; k < size && !failure->failed; k++) {
      const PetscInt64 label = PsdIntegerAt(array->type, piece, (size_t)k);
      labels[done + k] = (PetscInt)label;
      if (label < 0 || label >= PSD_LABEL_LIMIT)
        PsdFailureRecord(
            failure, "%s: label %" PetscInt64_FMT " of image %" PetscInt_FMT " (from 0), expected 0..%" PetscInt64_FMT,
            array->file->path, label, first + done + k, PSD_LABEL_LIMIT - 1);
    }
    done += size;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  PetscCall(PsdNumpyArrayOpen(&source->files[PSD_NUMPY_LABELS], PETSC_FALSE, &array, failure));
  if (!failure->failed) PetscCall(ReadLabelPieces(&array, first, count, labels, failure));
  if (array.streamed) PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenReader(PsdSource *source, int kind, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray *array;
  PetscCall(PetscNew(&array));
  source->reader = array;
  PetscCall(PsdNumpyArrayOpen(&source->files[kind], PETSC_FALSE, array, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(OpenReader(source, PSD_NUMPY_IMAGES, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(OpenReader(source, PSD_NUMPY_TARGETS, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadNumbers(PsdNumpyArray *array, PsdSource *source, PetscInt first, size_t count,
                                  unsigned char images[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 begin = first * (PetscInt64)PsdSourceImagePixels(source);
  void *numbers = PsdAllocate(count, (size_t)array->type.size, "a piece", failure);
  if (!failure->failed) PetscCall(PsdNumpyArrayRead(array, begin, count, numbers, failure));
  const size_t good = failure->failed ? count
                                      : PsdPixelsToBytes(array->type, source->scale, &source->pixels, count, numbers,
                                                         images, &source->tally);
  if (good < count)
    FailNumber(array, source, begin + (PetscInt64)good, PsdNumberAt(array->type, numbers, good),
               PsdPixelsExpected(source->scale, &source->pixels), failure);
  free(numbers);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, void *images, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray *array = (PsdNumpyArray *)source->reader;
  const size_t size = PsdSourceImagePixels(source), numbers = (size_t)count * size;
  if (PsdSourceTakesBytes(source, array->type))
    PetscCall(PsdNumpyArrayRead(array, (PetscInt64)first * (PetscInt64)size, numbers, images, failure));
  else PetscCall(ReadNumbers(array, source, first, numbers, images, failure));
  PetscCall(PsdSourceToPlanes(source, count, images, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTargets(PsdSource *source, PetscInt first, PetscInt count, void *items, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray *array = (PsdNumpyArray *)source->reader;
  const PetscInt outputs = source->outputs;
  const size_t total = (size_t)count * (size_t)outputs;
  PetscReal *targets = (PetscReal *)items;
  void *numbers = PsdAllocate(total, (size_t)array->type.size, "a piece", failure);
  if (!failure->failed) PetscCall(PsdNumpyArrayRead(array, (PetscInt64)first * outputs, total, numbers, failure));
  for (size_t k = 0; k < total && !failure->failed; k++) targets[k] = PsdNumberAt(array->type, numbers, k);
  if (!failure->failed) PsdCheckTargets(array->file->path, first, count, outputs, targets, failure);
  free(numbers);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyReadWeights(const PsdImageFile *file, PetscInt n, PetscReal weights[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  void *numbers = NULL;
  PetscCall(PsdNumpyArrayOpen(file, PETSC_FALSE, &array, failure));
  if (!failure->failed && !PsdNumpyArrayIsColumn(&array))
    PsdNumpyArrayFail(&array, "has more than one extent, expected one number an image", failure);
  if (!failure->failed && array.extent[0] != n)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " weights, expected %" PetscInt_FMT " as there are images",
                     file->path, array.extent[0], n);
  if (!failure->failed) numbers = PsdAllocate((size_t)n, (size_t)array.type.size, "weights", failure);
  if (!failure->failed) PetscCall(PsdNumpyArrayRead(&array, 0, (size_t)n, numbers, failure));
  PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  for (PetscInt k = 0; k < n && !failure->failed; k++) weights[k] = PsdNumberAt(array.type, numbers, (size_t)k);
  free(numbers);
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadWeights(const PsdSource *source, PetscReal weights[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNumpyReadWeights(&source->files[PSD_NUMPY_WEIGHTS], source->n, weights, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndReader(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNumpyArrayExpectEnd((PsdNumpyArray *)source->reader, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseReader(PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->reader) PetscCall(PsdBytesClose(&((PsdNumpyArray *)source->reader)->bytes));
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatNumpy = {
    .name = "numpy",
    .files = "one *.npz, or train.npz and test.npz, or train_images.npy, train_labels.npy",
    .takes_file = PETSC_TRUE,
    .matches = PsdNumpyMatches,
    .prefers = PsdNumpyPrefers,
    .has_split = HasSplit,
    .labels = "labels beside the images (labels or y in an .npz, train_labels.npy), and no targets",
    .inspect = Inspect,
    .read_labels = ReadLabels,
    .read_weights = ReadWeights,
    .images = {OpenImages, ReadImages, EndReader, CloseReader},
    .targets = {OpenTargets, ReadTargets, EndReader, CloseReader}};
