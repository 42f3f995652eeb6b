/*
   NumPy's files: arrays of images and of labels or targets, each an .npy, or members of one .npz. An .npy is the magic
   bytes "\x93NUMPY", a version, the length of a header, the header, which is the text of a Python dictionary ('descr',
   'fortran_order', 'shape'), and then the numbers.

   Images are number x height x width, number x channels x height x width or number x height x width x channels
   (PsdPixelsFindOrder). Numbers other than unsigned bytes are whole numbers of 8 or 16 bits, or real numbers, of which
   levels are held (pixels.h).
*/
#include "data.h"
#include <stdlib.h>
#include <string.h>

enum { IMAGES, LABELS, TARGETS, WEIGHTS, KINDS }; /* the order of PsdSource.files */

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define MOST_HEADER 4096 /* of what psdnet reads; more is damage */
#define MOST_EXTENTS 4
#define SCANNED 65536 /* numbers at a time, when the largest is looked for */

/* %s is the split. The first one that is there counts; an empty one is none. */
static const char *const file_names[KINDS][4] = {{"%s_images.npy", "%s-images.npy", "x_%s.npy", "X_%s.npy"},
                                                 {"%s_labels.npy", "%s-labels.npy", "y_%s.npy", "Y_%s.npy"},
                                                 {"%s_targets.npy", "%s-targets.npy", "", ""},
                                                 {"%s_weights.npy", "%s-weights.npy", "", ""}};
static const char *const member_names[KINDS][5] = {{"images.npy", "x.npy", "X.npy", "x_%s.npy", "X_%s.npy"},
                                                   {"labels.npy", "y.npy", "Y.npy", "y_%s.npy", "Y_%s.npy"},
                                                   {"targets.npy", "", "", "targets_%s.npy", ""},
                                                   {"weights.npy", "sample_weight.npy", "", "weights_%s.npy", ""}};
#define FILE_NAMES (sizeof(file_names[0]) / sizeof(file_names[0][0]))
#define MEMBER_NAMES (sizeof(member_names[0]) / sizeof(member_names[0][0]))
#define PLAIN_MEMBERS 3 /* the first ones have no split in their names: an archive of one split has them */

static void NameOf(const char pattern[], PsdSplit split, size_t size, char name[])
{
  const char *place = strstr(pattern, "%s");
  if (place) snprintf(name, size, "%.*s%s%s", (int)(place - pattern), pattern, PsdSplitNames[split], place + 2);
  else snprintf(name, size, "%s", pattern);
}

/* ---------------------------------------------------------------- which files */

static PetscBool IsArchive(const char name[])
{
  return PsdHasSuffix(name, ".npz");
}

static PetscBool IsArray(const char name[])
{
  char candidate[PSD_FILE_NAME_LENGTH];
  for (int kind = 0; kind < KINDS; kind++)
    for (size_t k = 0; k < FILE_NAMES; k++)
      for (int split = 0; PsdSplitNames[split]; split++) {
        NameOf(file_names[kind][k], (PsdSplit)split, sizeof(candidate), candidate);
        if (!strcmp(candidate, name)) return PETSC_TRUE;
      }
  return PETSC_FALSE;
}

static PetscBool IsArchiveOf(const char name[], PsdSplit split)
{
  char candidate[PSD_FILE_NAME_LENGTH];
  NameOf("%s.npz", split, sizeof(candidate), candidate);
  return (PetscBool)!strcmp(candidate, name);
}

static PetscBool IsArchiveOfAnySplit(const char name[])
{
  return (PetscBool)(IsArchiveOf(name, PSD_SPLIT_TRAIN) || IsArchiveOf(name, PSD_SPLIT_TEST));
}

static PetscBool Matches(const char name[])
{
  return (PetscBool)(IsArchive(name) || IsArray(name));
}

static PetscBool Prefers(const char name[])
{
  return (PetscBool)(IsArchiveOfAnySplit(name) || IsArray(name));
}

static PetscBool Lists(const PsdListing *listing, const char name[])
{
  for (PetscInt k = 0; k < listing->count; k++)
    if (!strcmp(listing->names[k], name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The split's own archive, else the only one there is, which may have both splits; NULL: none. */
static const char *FindArchive(const PsdListing *listing, PsdSplit split)
{
  const char *only = NULL;
  PetscInt archives = 0;
  PetscBool of_split = PETSC_FALSE;
  for (PetscInt k = 0; k < listing->count; k++) {
    const char *name = listing->names[k];
    if (IsArchiveOf(name, split)) return name;
    of_split = (PetscBool)(of_split || IsArchiveOfAnySplit(name));
    if (!IsArchive(name)) continue;
    archives++;
    only = name;
  }
  return archives == 1 && !of_split ? only : NULL;
}

/* plain: that members may be of the split whose name they do not say */
static PetscBool FindMember(PsdSplit split, int kind, PetscBool plain, PsdImageFile *file, PsdFailure *failure)
{
  for (size_t k = plain ? 0 : PLAIN_MEMBERS; k < MEMBER_NAMES && !failure->failed; k++) {
    NameOf(member_names[kind][k], split, sizeof(file->member), file->member);
    if (file->member[0] && PsdZipHas(file->path, file->member, failure)) return PETSC_TRUE;
  }
  file->member[0] = '\0';
  return PETSC_FALSE;
}

static void FindInArchive(const char name[], PsdSplit split, PsdImageFile files[KINDS], PsdFailure *failure)
{
  const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
  const PetscBool plain = (PetscBool)(split == PSD_SPLIT_TRAIN || IsArchiveOf(base, split));
  for (int kind = LABELS; kind < KINDS; kind++) memcpy(files[kind].path, files[IMAGES].path, sizeof(files->path));
  if (!FindMember(split, IMAGES, plain, &files[IMAGES], failure) && !failure->failed)
    PsdFailureRecord(failure, "%s: has no array of images of the split %s: looked for %sx_%s and the like",
                     files[IMAGES].path, PsdSplitNames[split], plain ? "images, x, " : "", PsdSplitNames[split]);
  for (int kind = LABELS; kind < KINDS && !failure->failed; kind++)
    if (!FindMember(split, kind, plain, &files[kind], failure)) files[kind].path[0] = '\0';
}

static void FindArray(const PsdListing *listing, PsdSplit split, int kind, PsdImageFile *file, PsdFailure *failure)
{
  char name[PSD_FILE_NAME_LENGTH];
  for (size_t k = 0; k < FILE_NAMES && !file->path[0]; k++) {
    NameOf(file_names[kind][k], split, sizeof(name), name);
    if (Lists(listing, name)) PsdJoinPath(listing->path, name, file->path, failure);
  }
}

static void FindFiles(const PsdListing *listing, PsdSplit split, PsdImageFile files[KINDS], PsdFailure *failure)
{
  if (listing->is_file) {
    snprintf(files[IMAGES].path, PETSC_MAX_PATH_LEN, "%s", listing->path);
    FindInArchive(listing->path, split, files, failure);
    return;
  }
  for (int kind = 0; kind < KINDS; kind++) FindArray(listing, split, kind, &files[kind], failure);
  if (files[IMAGES].path[0] || failure->failed) return;
  const char *archive = FindArchive(listing, split);
  if (!archive)
    PsdFailureRecord(failure, "-data %s: holds no %s.npz and no %s_images.npy, needed for -split %s", listing->path,
                     PsdSplitNames[split], PsdSplitNames[split], PsdSplitNames[split]);
  else if (PsdJoinPath(listing->path, archive, files[IMAGES].path, failure))
    FindInArchive(archive, split, files, failure);
}

/* ---------------------------------------------------------------- an array */

typedef struct {
  const PsdImageFile *file;
  PsdBytes bytes;
  PetscBool streamed;
  PetscInt64 begin; /* of the numbers */
  PsdNumberType type;
  int rank;
  PetscInt64 extent[MOST_EXTENTS];
} Array;

static void FailArray(const Array *array, const char what[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: %s%s%s", array->file->path, array->file->member, array->file->member[0] ? ": " : "",
                   what);
}

/* What follows 'key': in the header, or NULL. */
static const char *ValueOf(const char header[], const char key[])
{
  const char *place = strstr(header, key);
  if (!place) return NULL;
  place += strlen(key);
  while (*place == ' ' || *place == ':') place++;
  return place;
}

static void ParseType(const char header[], Array *array, PsdFailure *failure)
{
  const char *text = ValueOf(header, "'descr'");
  char order = 0, kind = 0, end = 0;
  int size = 0;
  const uint16_t one = 1;
  const char own = *(const unsigned char *)&one ? '<' : '>';
  const PetscBool read =
      (PetscBool)(text && sscanf(text, "'%c%c%1d%c", &order, &kind, &size, &end) == 4 && end == '\'');
  const PetscBool known = (PetscBool)(read && strchr("<>|=", order) && strchr("uif", kind) && size > 0 &&
                                      strchr("\1\2\4\10", size) && (kind != 'f' || size >= 4));
  if (!known)
    FailArray(
        array,
        "its numbers are of no type that psdnet reads, expected integers of 1 to 8 bytes or floating point of 4 or 8",
        failure);
  array->type = (PsdNumberType){kind, size, (PetscBool)(size > 1 && (order == '<' || order == '>') && order != own)};
}

static void ParseShape(const char header[], Array *array, PsdFailure *failure)
{
  const char *text = ValueOf(header, "'shape'");
  array->rank = 0;
  PetscBool good = (PetscBool)(text && *text == '(');
  for (text += good; good && *text && *text != ')';) {
    char *end;
    const long long extent = strtoll(text, &end, 10);
    good = (PetscBool)(end > text && extent >= 0 && array->rank < MOST_EXTENTS && strchr(",)", *end));
    if (good) array->extent[array->rank++] = extent;
    for (text = end; *text == ',' || *text == ' ';) text++;
  }
  if (!good || array->rank == 0) FailArray(array, "its header has no shape of 1 to 4 extents", failure);
}

static void ParseHeader(const char header[], Array *array, PsdFailure *failure)
{
  const char *order = ValueOf(header, "'fortran_order'");
  ParseType(header, array, failure);
  if (!failure->failed) ParseShape(header, array, failure);
  if (!failure->failed && (!order || strncmp(order, "False", 5) != 0))
    FailArray(array, "is in Fortran's order, expected C's: save numpy.ascontiguousarray of it", failure);
}

/* The bytes that the header announces must be there, which is known beforehand but of a compressed member. */
static PetscInt64 NumbersOf(const Array *array, PetscInt64 most)
{
  PetscInt64 count = 1;
  for (int k = 0; k < array->rank; k++) {
    if (array->extent[k] > 0 && count > most / array->extent[k]) return most + 1;
    count *= array->extent[k];
  }
  return count;
}

static void CheckSize(const Array *array, PsdFailure *failure)
{
  const PetscInt64 most = array->bytes.disk_size * array->bytes.ops->expansion / PetscMax(array->type.size, 1);
  if (NumbersOf(array, most) > most)
    FailArray(array, "truncated: it is too small for the shape in its header", failure);
}

static PetscErrorCode ReadHeader(Array *array, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char head[12];
  char header[MOST_HEADER + 1];
  PetscCall(array->bytes.ops->read(&array->bytes, 0, 10, head, failure));
  if (failure->failed) PetscFunctionReturn(0);
  if (memcmp(head, MAGIC, MAGIC_BYTES) != 0 || head[6] < 1 || head[6] > 3) {
    FailArray(array, "is no .npy of version 1, 2 or 3", failure);
    PetscFunctionReturn(0);
  }
  const PetscInt64 start = head[6] == 1 ? 10 : 12;
  if (start > 10) PetscCall(array->bytes.ops->read(&array->bytes, 10, 2, head + 10, failure));
  size_t length = (size_t)head[8] + ((size_t)head[9] << 8);
  if (start > 10) length += ((size_t)head[10] << 16) + ((size_t)head[11] << 24);
  if (length > MOST_HEADER) FailArray(array, "its header is too long", failure);
  if (!failure->failed) PetscCall(array->bytes.ops->read(&array->bytes, start, length, header, failure));
  if (failure->failed) PetscFunctionReturn(0);
  header[length] = '\0';
  array->begin = start + (PetscInt64)length;
  ParseHeader(header, array, failure);
  if (!failure->failed) CheckSize(array, failure);
  PetscFunctionReturn(0);
}

static PetscErrorCode ArrayOpen(const PsdImageFile *file, Array *array, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *array = (Array){.file = file, .bytes = {.descriptor = -1}};
  if (file->member[0])
    PetscCall(PsdBytesOpenMember(file->path, file->member, &array->bytes, &array->streamed, failure));
  else PetscCall(PsdBytesOpen(file->path, &array->bytes, failure));
  if (!failure->failed) PetscCall(ReadHeader(array, failure));
  PetscFunctionReturn(0);
}

/* Numbers first .. first + count - 1 of all of the array's. */
static PetscErrorCode ArrayRead(Array *array, PetscInt64 first, size_t count, void *numbers, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 size = array->type.size;
  PetscCall(array->bytes.ops->read(&array->bytes, array->begin + first * size, count * (size_t)size, numbers, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ArrayExpectEnd(Array *array, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (failure->failed) PetscFunctionReturn(0); /* the shape may be of more numbers than can be counted */
  const PetscInt64 end = array->begin + NumbersOf(array, INT64_MAX / 8) * array->type.size;
  PetscCall(array->bytes.ops->expect_size(&array->bytes, end, failure));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

/* Number `at` of all that are in images. */
static void FailNumber(const Array *array, const PsdSource *source, PetscInt64 at, double number, const char expected[],
                       PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: image %" PetscInt64_FMT " (from 0) has the number %g, expected %s", array->file->path,
                   at / (PetscInt64)PsdSourceImagePixels(source), number, expected);
}

/* How numbers are held depends on all of them. */
static PetscErrorCode ScanNumbers(Array *array, const PsdSource *source, PsdPixelScan *scan, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 size = (PetscInt64)PsdSourceImagePixels(source), total = size * source->n;
  unsigned char *piece = (unsigned char *)PsdAllocate(SCANNED, (size_t)array->type.size, "a piece", failure);
  PsdProgress progress;
  PetscCall(PsdProgressCreate(PETSC_COMM_SELF, "numbers", "images", source->n, source->n, &progress));
  for (PetscInt64 done = 0; done < total && !failure->failed; done += SCANNED) {
    const size_t count = (size_t)PetscMin(SCANNED, total - done);
    PetscCall(ArrayRead(array, done, count, piece, failure));
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

static PetscErrorCode SettlePixels(Array *array, PsdSource *source, PsdFailure *failure)
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
  Array array;
  PetscInt64 shape[3] = {0, 0, 0};
  const char *path = source->files[IMAGES].path;
  PetscCall(ArrayOpen(&source->files[IMAGES], &array, failure));
  if (!failure->failed && array.rank < 3)
    FailArray(&array, "has fewer than 3 extents, expected number x height x width, channels before or behind them",
              failure);
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
  if (!array.streamed) PetscCall(ArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectLabels(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Array array;
  source->unlabelled = (PetscBool)!source->files[LABELS].path[0];
  if (source->unlabelled) PetscFunctionReturn(0);
  PetscCall(ArrayOpen(&source->files[LABELS], &array, failure));
  /* labels that are one column are labels */
  const PetscBool column = (PetscBool)(array.rank == 1 || (array.rank == 2 && array.extent[1] == 1));
  if (!failure->failed && (!column || array.type.kind == 'f'))
    FailArray(&array, "is no array of integers with one extent, expected labels, or real targets by the name targets",
              failure);
  if (!failure->failed && array.extent[0] != source->n)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " labels, expected %" PetscInt_FMT " as there are images",
                     source->files[LABELS].path, array.extent[0], source->n);
  source->labels_streamed = array.streamed;
  if (!array.streamed) PetscCall(ArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode InspectTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Array array;
  const char *path = source->files[TARGETS].path;
  if (!path[0]) PetscFunctionReturn(0);
  PetscCall(ArrayOpen(&source->files[TARGETS], &array, failure));
  if (!failure->failed && !source->unlabelled)
    PsdFailureRecord(failure, "%s: there are both labels and targets, expected one of them", path);
  if (!failure->failed && array.rank > 2)
    FailArray(&array, "has more than 2 extents, expected number, or number x outputs", failure);
  if (!failure->failed && array.extent[0] != source->n)
    PsdFailureRecord(failure,
                     "%s: targets of %" PetscInt64_FMT " images, expected %" PetscInt_FMT " as there are images", path,
                     array.extent[0], source->n);
  const PetscInt64 outputs = array.rank == 2 ? array.extent[1] : 1;
  if (!failure->failed) PsdCheckOutputs(path, outputs, failure);
  if (!failure->failed) source->outputs = (PetscInt)outputs;
  source->targets_streamed = array.streamed;
  if (!array.streamed) PetscCall(ArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscBool HasSplit(const PsdListing *listing, PsdSplit split)
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdImageFile files[KINDS] = {{.path = ""}};
  FindFiles(listing, split, files, &failure);
  return (PetscBool)!failure.failed;
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  source->file_count = KINDS;
  PetscCall(PetscCalloc1(KINDS, &source->files));
  FindFiles(listing, split, source->files, failure);
  if (!failure->failed) PetscCall(InspectImages(source, failure));
  if (!failure->failed) PetscCall(InspectLabels(source, failure));
  if (!failure->failed) PetscCall(InspectTargets(source, failure));
  source->weighted = (PetscBool)(source->files[WEIGHTS].path[0] != '\0');
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

static PetscErrorCode ReadLabelPieces(Array *array, PetscInt first, PetscInt count, PetscInt labels[],
                                      PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char piece[8 * 4096];
  for (PetscInt done = 0; done < count && !failure->failed;) {
    const PetscInt size = PetscMin(count - done, 4096);
    PetscCall(ArrayRead(array, first + done, (size_t)size, piece, failure));
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
  Array array;
  PetscCall(ArrayOpen(&source->files[LABELS], &array, failure));
  if (!failure->failed) PetscCall(ReadLabelPieces(&array, first, count, labels, failure));
  if (array.streamed) PetscCall(ArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenReader(PsdSource *source, int kind, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Array *array;
  PetscCall(PetscNew(&array));
  source->reader = array;
  PetscCall(ArrayOpen(&source->files[kind], array, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(OpenReader(source, IMAGES, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenTargets(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(OpenReader(source, TARGETS, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadNumbers(Array *array, PsdSource *source, PetscInt first, size_t count, unsigned char images[],
                                  PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 begin = first * (PetscInt64)PsdSourceImagePixels(source);
  void *numbers = PsdAllocate(count, (size_t)array->type.size, "a piece", failure);
  if (!failure->failed) PetscCall(ArrayRead(array, begin, count, numbers, failure));
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
  Array *array = (Array *)source->reader;
  const size_t size = PsdSourceImagePixels(source), numbers = (size_t)count * size;
  if (PsdSourceTakesBytes(source, array->type))
    PetscCall(ArrayRead(array, (PetscInt64)first * (PetscInt64)size, numbers, images, failure));
  else PetscCall(ReadNumbers(array, source, first, numbers, images, failure));
  PetscCall(PsdSourceToPlanes(source, count, images, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTargets(PsdSource *source, PetscInt first, PetscInt count, void *items, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Array *array = (Array *)source->reader;
  const PetscInt outputs = source->outputs;
  const size_t total = (size_t)count * (size_t)outputs;
  PetscReal *targets = (PetscReal *)items;
  void *numbers = PsdAllocate(total, (size_t)array->type.size, "a piece", failure);
  if (!failure->failed) PetscCall(ArrayRead(array, (PetscInt64)first * outputs, total, numbers, failure));
  for (size_t k = 0; k < total && !failure->failed; k++) targets[k] = PsdNumberAt(array->type, numbers, k);
  if (!failure->failed) PsdCheckTargets(array->file->path, first, count, outputs, targets, failure);
  free(numbers);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyReadWeights(const PsdImageFile *file, PetscInt n, PetscReal weights[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Array array;
  void *numbers = NULL;
  PetscCall(ArrayOpen(file, &array, failure));
  const PetscBool column = (PetscBool)(array.rank == 1 || (array.rank == 2 && array.extent[1] == 1));
  if (!failure->failed && !column) FailArray(&array, "has more than one extent, expected one number an image", failure);
  if (!failure->failed && array.extent[0] != n)
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " weights, expected %" PetscInt_FMT " as there are images",
                     file->path, array.extent[0], n);
  if (!failure->failed) numbers = PsdAllocate((size_t)n, (size_t)array.type.size, "weights", failure);
  if (!failure->failed) PetscCall(ArrayRead(&array, 0, (size_t)n, numbers, failure));
  PetscCall(ArrayExpectEnd(&array, failure));
  for (PetscInt k = 0; k < n && !failure->failed; k++) weights[k] = PsdNumberAt(array.type, numbers, (size_t)k);
  free(numbers);
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadWeights(const PsdSource *source, PetscReal weights[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNumpyReadWeights(&source->files[WEIGHTS], source->n, weights, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndReader(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscCall(ArrayExpectEnd((Array *)source->reader, failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseReader(PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->reader) PetscCall(PsdBytesClose(&((Array *)source->reader)->bytes));
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatNumpy = {
    .name = "numpy",
    .files = "one *.npz, or train.npz and test.npz, or train_images.npy, train_labels.npy",
    .takes_file = PETSC_TRUE,
    .matches = Matches,
    .prefers = Prefers,
    .has_split = HasSplit,
    .labels = "labels beside the images (labels or y in an .npz, train_labels.npy), and no targets",
    .inspect = Inspect,
    .read_labels = ReadLabels,
    .read_weights = ReadWeights,
    .images = {OpenImages, ReadImages, EndReader, CloseReader},
    .targets = {OpenTargets, ReadTargets, EndReader, CloseReader}};
