/*
   HDF5 files: data sets /images (number x channels x height x width, number x height x width x channels or number x height
   x width) and /labels (any integers, number), or in the place of labels /targets (number, or number x outputs), and
   there may be /weights (number); of a file that has both splits, in the groups /train and /test. Pixels other than
   unsigned bytes are whole numbers of 8 or 16 bits, or real numbers, of which levels are held (pixels.h).

   What a data set may be is checked before it is read (hdf5_guard.c). Every rank opens the file by itself, read-only,
   with the serial driver, and reads hyperslabs of its own part. The library's own messages are not printed; the innermost
   of them becomes a part of ours.
*/
#include "base/hdf5_input.h"
#include "hdf5_attributes.h"
#include "hdf5_files.h"
#include "hdf5_guard.h"
#include <stdlib.h>
#include <string.h>

#define IMAGES "images"
#define LABELS "labels"
#define TARGETS "targets"
#define WEIGHTS "weights"
#define LABEL_PIECE 4096
#define CHUNK_CACHE_DEFAULT ((hsize_t)1 << 20)
#define CHUNK_CACHE_MAX ((hsize_t)64 << 20)

/* ---------------------------------------------------------------- the library's error stack */

typedef struct {
  H5E_auto2_t report;
  void *data;
} Silence;

static Silence SilenceBegin(void)
{
  Silence silence = {NULL, NULL};
  H5Eget_auto2(H5E_DEFAULT, &silence.report, &silence.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return silence;
}

static void SilenceEnd(Silence silence)
{
  H5Eset_auto2(H5E_DEFAULT, silence.report, silence.data);
}

static herr_t KeepInnermost(unsigned depth, const H5E_error2_t *error, void *text)
{
  if (!depth && error->desc) snprintf((char *)text, 256, "%s", error->desc);
  return 0;
}

static void FailWithReason(const char path[], const char what[], PsdFailure *failure)
{
  char reason[256] = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, KeepInnermost, reason);
  PsdFailureRecord(failure, "%s: %s (HDF5: %s)", path, what, reason);
}

/* ---------------------------------------------------------------- one data set of a file */

typedef struct {
  const char *path;
  char name[2 * PSD_MEMBER_LENGTH];
  hid_t file, dataset, space;
  int rank;
  hsize_t extent[4];
} Dataset;

/* The bytes of the chunks that one image lies in, 0 when the images are not in chunks. */
static hsize_t ChunkRowBytes(hid_t dataset)
{
  hsize_t chunk[4], extent[4], row = 0;
  const hid_t creation = H5Dget_create_plist(dataset), space = H5Dget_space(dataset);
  const int rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
  if (creation >= 0 && space >= 0 && H5Pget_layout(creation) == H5D_CHUNKED && (rank == 3 || rank == 4) &&
      H5Sget_simple_extent_dims(space, extent, NULL) == rank && H5Pget_chunk(creation, rank, chunk) == rank) {
    row = chunk[0];
    for (int k = 1; k < rank; k++) row *= (extent[k] + chunk[k] - 1) / chunk[k] * chunk[k];
  }
  if (space >= 0) H5Sclose(space);
  if (creation >= 0) H5Pclose(creation);
  return row;
}

/* The chunk cache is made to hold such a row, or else every image would inflate its whole chunk again. */
static hid_t OpenCached(hid_t file, const char path[], const char name[], PsdFailure *failure)
{
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset >= 0) PsdHdf5CheckLayout(dataset, path, name, failure);
  const hsize_t row = dataset < 0 || failure->failed ? 0 : ChunkRowBytes(dataset);
  if (row <= CHUNK_CACHE_DEFAULT) return dataset;
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  if (access >= 0 &&
      H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, PetscMin(row, CHUNK_CACHE_MAX), 1.0) >= 0) {
    H5Dclose(dataset);
    dataset = H5Dopen2(file, name, access);
  }
  if (access >= 0) H5Pclose(access);
  return dataset;
}

static void DatasetClose(Dataset *set)
{
  if (set->space >= 0) H5Sclose(set->space);
  if (set->dataset >= 0) H5Dclose(set->dataset);
  if (set->file >= 0) H5Fclose(set->file);
  set->space = set->dataset = set->file = -1;
}

/* What a data set is to be: of as many dimensions, in words as well. */
typedef struct {
  const char *name;
  int least, most;
  const char *expected;
} Role;

static const Role images_role = {IMAGES, 3, 4, "4 (number, channels, height, width), or 3 without channels"};
static const Role labels_role = {LABELS, 1, 1, "1"};
static const Role weights_role = {WEIGHTS, 1, 1, "1"};
static const Role targets_role = {TARGETS, 1, 2, "1, or 2 (number, outputs)"};

static void OpenSpace(Dataset *set, const Role *role, PsdFailure *failure)
{
  set->space = H5Dget_space(set->dataset);
  set->rank = set->space < 0 ? -1 : H5Sget_simple_extent_ndims(set->space);
  if (set->rank < role->least || set->rank > role->most)
    PsdFailureRecord(failure, "%s: /%s has %d dimensions, expected %s", set->path, set->name, set->rank,
                     role->expected);
  else if (H5Sget_simple_extent_dims(set->space, set->extent, NULL) < 0)
    FailWithReason(set->path, "a shape cannot be read", failure);
}

static void FailDataset(const Dataset *set, const char what[], PsdFailure *failure)
{
  char text[192];
  (void)snprintf(text, sizeof(text), "/%s cannot be %s", set->name, what);
  FailWithReason(set->path, text, failure);
}

static void DatasetOpen(const PsdImageFile *file, const Role *role, Dataset *set, PsdFailure *failure)
{
  const char *path = file->path, *name = set->name;
  *set = (Dataset){.path = path, .file = -1, .dataset = -1, .space = -1};
  PsdHdf5NameIn(file, role->name, set->name);
  PsdFileCheckRegular(path, failure);
  if (failure->failed) return;
  set->file = PsdH5OpenInput(path);
  if (set->file < 0) {
    FailWithReason(path, "not an HDF5 file, truncated or damaged", failure);
    return;
  }
  if (H5Lexists(set->file, name, H5P_DEFAULT) <= 0) {
    PsdFailureRecord(failure, "%s: holds no data set /%s, expected /" IMAGES " and /" LABELS, path, name);
    return;
  }
  PsdHdf5CheckLink(set->file, path, name, failure);
  if (failure->failed) return;
  set->dataset = OpenCached(set->file, path, name, failure);
  if (set->dataset < 0) FailDataset(set, "opened", failure);
  else if (!failure->failed) OpenSpace(set, role, failure);
}

/* Reads items first .. first + count - 1 along the first dimension, converted to memory_type. */
static void DatasetRead(const Dataset *set, PetscInt first, PetscInt count, hid_t memory_type, void *buffer,
                        PsdFailure *failure)
{
  hsize_t start[4] = {(hsize_t)first}, shape[4];
  memcpy(shape, set->extent, sizeof(shape));
  shape[0] = (hsize_t)count;
  const hid_t memory = H5Screate_simple(set->rank, shape, NULL);
  if (memory < 0 || H5Sselect_hyperslab(set->space, H5S_SELECT_SET, start, NULL, shape, NULL) < 0 ||
      H5Dread(set->dataset, memory_type, memory, set->space, H5P_DEFAULT, buffer) < 0)
    FailDataset(set, "read", failure);
  if (memory >= 0) H5Sclose(memory);
}

/* numbers: floating point is allowed as well as integers */
static void CheckType(const Dataset *set, PetscBool numbers, PsdFailure *failure)
{
  const hid_t type = H5Dget_type(set->dataset);
  const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  if (kind != H5T_INTEGER && !(numbers && kind == H5T_FLOAT))
    PsdFailureRecord(failure, "%s: /%s holds neither integers%s", set->path, set->name,
                     numbers ? " nor floating point numbers" : " nor anything that could be labels");
  if (type >= 0) H5Tclose(type);
}

/* As they are read: bytes where they are such, else in double precision. */
static PsdNumberType TypeOf(const Dataset *set)
{
  const hid_t type = H5Dget_type(set->dataset);
  PsdNumberType found = {'f', sizeof(double), PETSC_FALSE};
  if (type >= 0 && H5Tget_class(type) == H5T_INTEGER) found.kind = 'i';
  if (found.kind == 'i' && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE)
    found = (PsdNumberType){'u', 1, PETSC_FALSE};
  if (type >= 0) H5Tclose(type);
  return found;
}

static hid_t MemoryType(PsdNumberType type)
{
  if (PsdNumberIsByte(type)) return H5T_NATIVE_UCHAR;
  return type.kind == 'i' ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

static void FailNumber(const Dataset *set, PetscInt64 image, double number, const char expected[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: image %" PetscInt64_FMT " (from 0) of /%s has the number %g, expected %s", set->path,
                   image, set->name, number, expected);
}

/* How numbers are held depends on all of them. */
static PetscErrorCode ScanNumbers(const Dataset *set, const PsdSource *source, PsdPixelScan *scan, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PsdNumberType read_as = {'f', sizeof(double), PETSC_FALSE};
  const size_t size = PsdSourceImagePixels(source), piece = PetscMax(1, PSD_PIECE_BYTES / sizeof(double) / size);
  double *numbers = (double *)PsdAllocate(piece * size, sizeof(double), "a piece", failure);
  PsdProgress progress;
  PetscCall(PsdProgressCreate(PETSC_COMM_SELF, "numbers", "images", source->n, source->n, &progress));
  for (PetscInt done = 0; done < source->n && !failure->failed; done += (PetscInt)piece) {
    const PetscInt count = PetscMin((PetscInt)piece, source->n - done);
    const size_t total = (size_t)count * size;
    DatasetRead(set, done, count, H5T_NATIVE_DOUBLE, numbers, failure);
    const size_t good = failure->failed ? total : PsdPixelScanAdd(scan, read_as, total, numbers);
    if (good < total)
      FailNumber(set, (PetscInt64)done + (PetscInt64)(good / size), numbers[good], PSD_PIXELS_FINITE, failure);
    PetscCall(PsdProgressUpdate(progress, done + count));
  }
  PetscCall(PsdProgressDestroy(&progress));
  free(numbers);
  PetscFunctionReturn(0);
}

static PetscErrorCode SettlePixels(const Dataset *set, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PsdNumberType type = TypeOf(set);
  PsdPixelScan scan = PsdPixelScanBegin();
  if (PsdSourceScans(source, type)) PetscCall(ScanNumbers(set, source, &scan, failure));
  PsdPixelScanSettle(&scan, type, source->levels, &source->pixels, &source->scale);
  PetscFunctionReturn(0);
}

/* Images that were written with a word about how they are meant. */
static PetscBool SettleStored(const Dataset *set, PsdSource *source, PsdFailure *failure)
{
  const PsdPixels *stored = &source->stored;
  const PsdNumberType type = TypeOf(set);
  if (stored->bits == 0) return PETSC_FALSE;
  if (type.kind == 'f')
    PsdFailureRecord(failure, "%s: /%s has the attribute '" PSD_H5_BITS "' and is of real numbers, expected whole ones",
                     set->path, set->name);
  if (stored->bits == 16 && PsdNumberIsByte(type))
    PsdFailureRecord(failure, "%s: /%s has the attribute '" PSD_H5_BITS "' 16, but its numbers have 8", set->path,
                     set->name);
  if (stored->step > 0 && source->pixels.step > 0 &&
      (source->pixels.step != stored->step || source->pixels.low != stored->low ||
       source->pixels.bits != stored->bits)) {
    source->scale = PSD_PIXELS_LEVELS; /* other levels than those of the network that is applied */
    return PETSC_TRUE;
  }
  if (!(stored->step > 0) && source->pixels.bits > 0) return PETSC_FALSE;
  source->pixels = *stored;
  source->scale = PSD_PIXELS_WHOLE;
  return PETSC_TRUE;
}

static void FindShape(const Dataset *set, PsdSource *source, PsdFailure *failure)
{
  PetscInt64 extent[3] = {0}, shape[3];
  for (int k = 1; k < set->rank; k++) extent[k - 1] = (PetscInt64)PetscMin(set->extent[k], (hsize_t)INT64_MAX);
  PsdPixelsFindOrder(set->rank - 1, extent, shape, &source->channels_last);
  if (set->rank == 4 && H5Aexists(set->dataset, PSD_H5_PLANES) > 0) { /* which says so, whatever it looks like */
    memcpy(shape, extent, sizeof(shape));
    source->channels_last = PETSC_FALSE;
  }
  PsdCheckImageShape(set->path, shape[0], shape[1], shape[2], failure);
  source->n = (PetscInt)set->extent[0];
  source->channels = (PetscInt)shape[0];
  source->height = (PetscInt)shape[1];
  source->width = (PetscInt)shape[2];
}

static PetscErrorCode InspectImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  const char *path = source->files[0].path;
  DatasetOpen(&source->files[0], &images_role, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_TRUE, failure);
  if (!failure->failed) PsdCheckImageCount(path, (PetscInt64)set.extent[0], failure);
  if (!failure->failed) FindShape(&set, source, failure);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, path, set.name, failure);
  if (!failure->failed) PsdHdf5ReadPixels(set.dataset, path, set.name, &source->stored, failure);
  if (!failure->failed && !SettleStored(&set, source, failure)) PetscCall(SettlePixels(&set, source, failure));
  DatasetClose(&set);
  PetscFunctionReturn(0);
}

static PetscBool Has(const PsdImageFile *of, const char role[])
{
  char name[2 * PSD_MEMBER_LENGTH];
  const hid_t file = PsdH5OpenInput(of->path); /* which has been opened before */
  PsdHdf5NameIn(of, role, name);
  const PetscBool has = (PetscBool)(file >= 0 && H5Lexists(file, name, H5P_DEFAULT) > 0);
  if (file >= 0) H5Fclose(file);
  return has;
}

/* One for each image. */
static void CheckNumber(const Dataset *set, PetscInt n, PsdFailure *failure)
{
  if (set->extent[0] != (hsize_t)n)
    PsdFailureRecord(failure,
                     "%s: %" PetscInt64_FMT " %s in /%s, expected %" PetscInt_FMT " as there are images in /" IMAGES,
                     set->path, (PetscInt64)set->extent[0], set->name, set->name, n);
}

static PetscErrorCode InspectLabels(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  source->unlabelled = (PetscBool)!Has(&source->files[0], LABELS);
  if (source->unlabelled) PetscFunctionReturn(0);
  DatasetOpen(&source->files[0], &labels_role, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_FALSE, failure);
  if (!failure->failed) CheckNumber(&set, source->n, failure);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, set.path, set.name, failure);
  PetscCall(
      PsdHdf5ReadNames(set.dataset, set.path, set.name, PSD_MOST_NAMES, &source->names, &source->name_count, failure));
  DatasetClose(&set);
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  const char *path = source->files[0].path;
  if (!Has(&source->files[0], TARGETS)) PetscFunctionReturn(0);
  if (!source->unlabelled)
    PsdFailureRecord(failure, "%s: holds both /" LABELS " and /" TARGETS ", expected one of them", path);
  if (failure->failed) PetscFunctionReturn(0);
  DatasetOpen(&source->files[0], &targets_role, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_TRUE, failure);
  if (!failure->failed) CheckNumber(&set, source->n, failure);
  if (!failure->failed && set.rank == 2) PsdCheckOutputs(path, (PetscInt64)set.extent[1], failure);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, set.path, TARGETS, failure);
  if (!failure->failed) source->outputs = set.rank == 2 ? (PetscInt)set.extent[1] : 1;
  PetscCall(
      PsdHdf5ReadNames(set.dataset, path, set.name, PSD_MOST_NAMES, &source->names, &source->name_count, failure));
  if (!failure->failed && source->name_count > 0 && source->name_count != source->outputs)
    PsdFailureRecord(failure,
                     "%s: attribute '" PSD_H5_NAMES "' of /%s has %" PetscInt_FMT " texts, expected %" PetscInt_FMT
                     " as there are targets of an image",
                     path, set.name, source->name_count, source->outputs);
  DatasetClose(&set);
  PetscFunctionReturn(0);
}

static void InspectWeights(PsdSource *source, PsdFailure *failure)
{
  Dataset set;
  source->weighted = Has(&source->files[0], WEIGHTS);
  if (!source->weighted) return;
  DatasetOpen(&source->files[0], &weights_role, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_TRUE, failure);
  if (!failure->failed) CheckNumber(&set, source->n, failure);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, set.path, WEIGHTS, failure);
  DatasetClose(&set);
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  source->file_count = 1;
  PetscCall(PetscCalloc1(1, &source->files));
  const Silence silence = SilenceBegin();
  PsdHdf5FindFile(listing, split, &source->files[0], failure);
  if (!failure->failed) PetscCall(InspectImages(source, failure));
  if (!failure->failed) PetscCall(InspectLabels(source, failure));
  if (!failure->failed) PetscCall(InspectTargets(source, failure));
  if (!failure->failed) InspectWeights(source, failure);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

/* 64 bit on the way, because labels of any integer type are allowed; HDF5 clips what is larger still. */
static void ReadLabelPiece(const Dataset *set, PetscInt first, PetscInt count, PetscInt labels[], PsdFailure *failure)
{
  int64_t wide[LABEL_PIECE] = {0};
  DatasetRead(set, first, count, H5T_NATIVE_INT64, wide, failure);
  for (PetscInt k = 0; k < count && !failure->failed; k++) {
    labels[k] = (PetscInt)wide[k];
    if (wide[k] < 0 || wide[k] >= PSD_LABEL_LIMIT)
      PsdFailureRecord(
          failure, "%s: record %" PetscInt_FMT " (from 0) of /%s is %" PetscInt64_FMT ", expected 0..%" PetscInt64_FMT,
          set->path, first + k, set->name, (PetscInt64)wide[k], PSD_LABEL_LIMIT - 1);
  }
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  const Silence silence = SilenceBegin();
  DatasetOpen(&source->files[0], &labels_role, &set, failure);
  for (PetscInt done = 0; done < count && !failure->failed; done += LABEL_PIECE)
    ReadLabelPiece(&set, first + done, PetscMin(LABEL_PIECE, count - done), labels + done, failure);
  DatasetClose(&set);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadWeights(const PsdSource *source, PetscReal weights[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  const Silence silence = SilenceBegin();
  DatasetOpen(&source->files[0], &weights_role, &set, failure);
  if (!failure->failed) DatasetRead(&set, 0, source->n, H5T_NATIVE_DOUBLE, weights, failure);
  DatasetClose(&set);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode Open(PsdSource *source, const Role *role, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset *set;
  PetscCall(PetscNew(&set));
  source->reader = set;
  const Silence silence = SilenceBegin();
  DatasetOpen(&source->files[0], role, set, failure);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(Open(source, &images_role, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(Open(source, &targets_role, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTargets(PsdSource *source, PetscInt first, PetscInt count, void *targets, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (failure->failed) PetscFunctionReturn(0);
  const Dataset *set = (const Dataset *)source->reader;
  const Silence silence = SilenceBegin();
  DatasetRead(set, first, count, H5T_NATIVE_DOUBLE, targets, failure);
  SilenceEnd(silence);
  if (!failure->failed) PsdCheckTargets(set->path, first, count, source->outputs, (const PetscReal *)targets, failure);
  PetscFunctionReturn(0);
}

static void ReadNumbers(PsdSource *source, PsdNumberType type, PetscInt first, PetscInt count, unsigned char images[],
                        PsdFailure *failure)
{
  const Dataset *set = (const Dataset *)source->reader;
  const size_t size = PsdSourceImagePixels(source), total = (size_t)count * size;
  const PetscBool again = (PetscBool)(source->stored.step > 0 && source->scale == PSD_PIXELS_LEVELS);
  if (again) type = (PsdNumberType){'f', sizeof(double), PETSC_FALSE};
  void *numbers = PsdAllocate(total, (size_t)type.size, "a piece", failure);
  if (!failure->failed) DatasetRead(set, first, count, MemoryType(type), numbers, failure);
  for (size_t k = 0; again && k < total && !failure->failed; k++)
    ((double *)numbers)[k] = source->stored.low + source->stored.step * ((double *)numbers)[k];
  const size_t good =
      failure->failed ? total
                      : PsdPixelsToBytes(type, source->scale, &source->pixels, total, numbers, images, &source->tally);
  if (good < total)
    FailNumber(set, (PetscInt64)first + (PetscInt64)(good / size), PsdNumberAt(type, numbers, good),
               PsdPixelsExpected(source->scale, &source->pixels), failure);
  free(numbers);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, void *images, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (failure->failed) PetscFunctionReturn(0);
  const Dataset *set = (const Dataset *)source->reader;
  const Silence silence = SilenceBegin();
  const PsdNumberType type = TypeOf(set);
  if (PsdSourceTakesBytes(source, type)) DatasetRead(set, first, count, MemoryType(type), images, failure);
  else ReadNumbers(source, type, first, count, images, failure);
  SilenceEnd(silence);
  PetscCall(PsdSourceToPlanes(source, count, images, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode Close(PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->reader) DatasetClose((Dataset *)source->reader);
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatHdf5 = {.name = "hdf5",
                                 .files = "one *.h5 or *.hdf5, or train.h5 and test.h5",
                                 .takes_file = PETSC_TRUE,
                                 .matches = PsdHdf5Matches,
                                 .prefers = PsdHdf5IsOfAnySplit,
                                 .has_split = PsdHdf5HasSplit,
                                 .labels = "data set /labels or /targets",
                                 .inspect = Inspect,
                                 .read_labels = ReadLabels,
                                 .read_weights = ReadWeights,
                                 .images = {OpenImages, ReadImages, NULL, Close},
                                 .targets = {OpenTargets, ReadTargets, NULL, Close}};
