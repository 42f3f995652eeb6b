/*
   HDF5 files: data sets /images (unsigned bytes, number x channels x height x width) and /labels (any integers,
   number).

   What a data set may be is checked before it is read (hdf5_guard.c). Every rank opens the file by itself, read-only,
   with the serial driver, and reads hyperslabs of its own part. The library's own messages are not printed; the innermost
   of them becomes a part of ours.
*/
#include "base/hdf5_input.h"
#include "hdf5_guard.h"
#include <stdlib.h>
#include <string.h>

#define IMAGES "images"
#define LABELS "labels"
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

/* ---------------------------------------------------------------- which file */

static PetscBool Matches(const char name[])
{
  return PsdHasSuffix(name, ".h5") || PsdHasSuffix(name, ".hdf5") ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool IsSplitName(const char name[], const char split[])
{
  const size_t length = strlen(split);
  return !strncmp(name, split, length) && name[length] == '.' && !strchr(name + length + 1, '.') ? PETSC_TRUE
                                                                                                 : PETSC_FALSE;
}

static PetscBool IsOfAnySplit(const char name[])
{
  return (PetscBool)(IsSplitName(name, PsdSplitNames[PSD_SPLIT_TRAIN]) ||
                     IsSplitName(name, PsdSplitNames[PSD_SPLIT_TEST]));
}

/* The index of the split's file: train.h5 or test.h5 when there is either, else the one file there is. */
static PetscInt FindName(const PsdListing *listing, PsdSplit split, PsdFailure *failure)
{
  PetscInt found = -1, of_split = 0, of_any_split = 0;
  for (PetscInt k = 0; k < listing->count; k++) {
    const char *name = listing->names[k];
    if (IsOfAnySplit(name)) of_any_split++;
    if (!IsSplitName(name, PsdSplitNames[split])) continue;
    of_split++;
    found = k;
  }
  if (of_split == 1) return found;
  if (!of_split && !of_any_split && split == PSD_SPLIT_TRAIN && listing->count == 1) return 0;
  if (of_split || (!of_any_split && split == PSD_SPLIT_TRAIN))
    PsdFailureRecord(failure, "-data %s: holds %" PetscInt_FMT " HDF5 files (%s, %s, ...), expected one, or %s.h5",
                     listing->path, listing->count, listing->names[0], listing->names[1], PsdSplitNames[split]);
  else
    PsdFailureRecord(failure, "-data %s: holds no %s.h5, needed for -split %s", listing->path, PsdSplitNames[split],
                     PsdSplitNames[split]);
  return -1;
}

static void FindFile(const PsdListing *listing, PsdSplit split, char path[PETSC_MAX_PATH_LEN], PsdFailure *failure)
{
  if (listing->is_file) {
    snprintf(path, PETSC_MAX_PATH_LEN, "%s", listing->path);
    return;
  }
  const PetscInt found = FindName(listing, split, failure);
  if (found >= 0) PsdJoinPath(listing->path, listing->names[found], path, failure);
}

/* ---------------------------------------------------------------- one data set of a file */

typedef struct {
  const char *path, *name;
  hid_t file, dataset, space;
  int rank;
  hsize_t extent[4];
} Dataset;

/* The bytes of the chunks that one image lies in, 0 when the images are not in chunks. */
static hsize_t ChunkRowBytes(hid_t dataset)
{
  hsize_t chunk[4], extent[4], row = 0;
  const hid_t creation = H5Dget_create_plist(dataset), space = H5Dget_space(dataset);
  if (creation >= 0 && space >= 0 && H5Pget_layout(creation) == H5D_CHUNKED && H5Sget_simple_extent_ndims(space) == 4 &&
      H5Sget_simple_extent_dims(space, extent, NULL) == 4 && H5Pget_chunk(creation, 4, chunk) == 4) {
    row = chunk[0];
    for (int k = 1; k < 4; k++) row *= (extent[k] + chunk[k] - 1) / chunk[k] * chunk[k];
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

static void OpenSpace(Dataset *set, int rank, PsdFailure *failure)
{
  set->space = H5Dget_space(set->dataset);
  set->rank = set->space < 0 ? -1 : H5Sget_simple_extent_ndims(set->space);
  if (set->rank != rank)
    PsdFailureRecord(failure, "%s: /%s has %d dimensions, expected %s", set->path, set->name, set->rank,
                     rank == 4 ? "4 (number, channels, height, width)" : "1");
  else if (H5Sget_simple_extent_dims(set->space, set->extent, NULL) < 0)
    FailWithReason(set->path, "a shape cannot be read", failure);
}

static void DatasetOpen(const char path[], const char name[], int rank, Dataset *set, PsdFailure *failure)
{
  *set = (Dataset){.path = path, .name = name, .file = -1, .dataset = -1, .space = -1};
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
  if (set->dataset < 0)
    FailWithReason(path, !strcmp(name, IMAGES) ? "/" IMAGES " cannot be opened" : "/" LABELS " cannot be opened",
                   failure);
  else if (!failure->failed) OpenSpace(set, rank, failure);
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
    FailWithReason(set->path, !strcmp(set->name, IMAGES) ? "/" IMAGES " cannot be read" : "/" LABELS " cannot be read",
                   failure);
  if (memory >= 0) H5Sclose(memory);
}

/* bytes: unsigned single bytes are asked for, else any integers */
static void CheckType(const Dataset *set, PetscBool bytes, PsdFailure *failure)
{
  const hid_t type = H5Dget_type(set->dataset);
  const PetscBool integer = type >= 0 && H5Tget_class(type) == H5T_INTEGER ? PETSC_TRUE : PETSC_FALSE;
  if (!integer || (bytes && (H5Tget_size(type) != 1 || H5Tget_sign(type) != H5T_SGN_NONE)))
    PsdFailureRecord(failure, "%s: /%s holds %s%s of %zu bytes, expected %s", set->path, set->name,
                     integer && H5Tget_sign(type) != H5T_SGN_NONE ? "signed " : "",
                     integer ? "integers" : "numbers that are not integers,", type < 0 ? (size_t)0 : H5Tget_size(type),
                     bytes ? "unsigned integers of 1 byte" : "integers");
  if (type >= 0) H5Tclose(type);
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

/* Images whose channels come last would pass for images of many channels and a few columns. What looks like it is not
   taken for it silently: 1, 3 or 4 at the end, and in the place of the channels more than an image has. */
static void CheckOrder(const char path[], const hsize_t extent[4], PsdFailure *failure)
{
  const PetscBool colours = (PetscBool)(extent[3] == 1 || extent[3] == 3 || extent[3] == 4);
  if (colours && extent[1] > 4 && extent[2] > 1)
    PsdFailureRecord(failure,
                     "%s: /" IMAGES
                     " is %llu x %llu x %llu x %llu and seems to have its channels last, expected number x "
                     "channels x height x width: transpose the axes (0, 3, 1, 2)",
                     path, (unsigned long long)extent[0], (unsigned long long)extent[1], (unsigned long long)extent[2],
                     (unsigned long long)extent[3]);
}

static void InspectImages(PsdSource *source, PsdFailure *failure)
{
  Dataset set;
  const char *path = source->files[0].path;
  DatasetOpen(path, IMAGES, 4, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_TRUE, failure);
  if (!failure->failed) PsdCheckImageCount(path, (PetscInt64)set.extent[0], failure);
  if (!failure->failed) CheckOrder(path, set.extent, failure);
  if (!failure->failed)
    PsdCheckImageShape(path, (PetscInt64)set.extent[1], (PetscInt64)set.extent[2], (PetscInt64)set.extent[3], failure);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, path, IMAGES, failure);
  source->n = (PetscInt)set.extent[0];
  source->channels = (PetscInt)set.extent[1];
  source->height = (PetscInt)set.extent[2];
  source->width = (PetscInt)set.extent[3];
  DatasetClose(&set);
}

static PetscBool HasLabels(const char path[])
{
  const hid_t file = PsdH5OpenInput(path); /* which has been opened before */
  const PetscBool has = (PetscBool)(file >= 0 && H5Lexists(file, LABELS, H5P_DEFAULT) > 0);
  if (file >= 0) H5Fclose(file);
  return has;
}

static void InspectLabels(PsdSource *source, PsdFailure *failure)
{
  Dataset set;
  source->unlabelled = (PetscBool)!HasLabels(source->files[0].path);
  if (source->unlabelled) return;
  DatasetOpen(source->files[0].path, LABELS, 1, &set, failure);
  if (!failure->failed) CheckType(&set, PETSC_FALSE, failure);
  if (!failure->failed && set.extent[0] != (hsize_t)source->n)
    PsdFailureRecord(failure,
                     "%s: %" PetscInt64_FMT " labels in /" LABELS ", expected %" PetscInt_FMT
                     " as there are images in /" IMAGES,
                     set.path, (PetscInt64)set.extent[0], source->n);
  if (!failure->failed) PsdHdf5CheckStorage(set.dataset, set.path, LABELS, failure);
  DatasetClose(&set);
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  source->file_count = 1;
  PetscCall(PetscCalloc1(1, &source->files));
  FindFile(listing, split, source->files[0].path, failure);
  if (failure->failed) PetscFunctionReturn(0);
  const Silence silence = SilenceBegin();
  InspectImages(source, failure);
  if (!failure->failed) InspectLabels(source, failure);
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
      PsdFailureRecord(failure,
                       "%s: record %" PetscInt_FMT " (from 0) of /" LABELS " is %" PetscInt64_FMT
                       ", expected 0..%" PetscInt64_FMT,
                       set->path, first + k, (PetscInt64)wide[k], PSD_LABEL_LIMIT - 1);
  }
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset set;
  const Silence silence = SilenceBegin();
  DatasetOpen(source->files[0].path, LABELS, 1, &set, failure);
  for (PetscInt done = 0; done < count && !failure->failed; done += LABEL_PIECE)
    ReadLabelPiece(&set, first + done, PetscMin(LABEL_PIECE, count - done), labels + done, failure);
  DatasetClose(&set);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Dataset *set;
  PetscCall(PetscNew(&set));
  source->reader = set;
  const Silence silence = SilenceBegin();
  DatasetOpen(source->files[0].path, IMAGES, 4, set, failure);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, unsigned char images[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (failure->failed) PetscFunctionReturn(0);
  const Silence silence = SilenceBegin();
  DatasetRead((const Dataset *)source->reader, first, count, H5T_NATIVE_UCHAR, images, failure);
  SilenceEnd(silence);
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseImages(PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->reader) DatasetClose((Dataset *)source->reader);
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatHdf5 = {.name = "hdf5",
                                 .files = "one *.h5 or *.hdf5, or train.h5 and test.h5",
                                 .takes_file = PETSC_TRUE,
                                 .matches = Matches,
                                 .prefers = IsOfAnySplit,
                                 .labels = "data set /labels",
                                 .beside = "",
                                 .inspect = Inspect,
                                 .read_labels = ReadLabels,
                                 .open_images = OpenImages,
                                 .read_images = ReadImages,
                                 .close_images = CloseImages};
