/*
   The IDX files of the MNIST family: one file of images (magic 0x00000803, then number, height, width, all big-endian,
   then the pixels) and one of labels (0x00000801, number, labels), each plain or .gz. Pixels are gray: one channel.

   A plain file is checked against its size at once. The inflated size of a .gz is known only at its end; until then its
   header is held against what the compressed bytes could hold at most, so that a damaged one asks for no memory.
*/
#include "data.h"
#include <string.h>

enum { IMAGES, LABELS, KINDS }; /* the order of PsdSource.files */

#define HEADER_WORDS_MAX 4

static const struct {
  const char *name; /* after "train" or "t10k" */
  PetscInt64 magic;
  int words; /* of the header, 4 bytes each */
} kinds[KINDS] = {{"-images-idx3-ubyte", 0x803, 4}, {"-labels-idx1-ubyte", 0x801, 2}};

static const char *const split_prefixes[] = {"train", "t10k"};

static PetscInt64 HeaderBytes(int kind)
{
  return (PetscInt64)4 * kinds[kind].words;
}

static void FileName(PsdSplit split, int kind, PetscBool compressed, char name[PSD_FILE_NAME_LENGTH])
{
  snprintf(name, PSD_FILE_NAME_LENGTH, "%s%s%s", split_prefixes[split], kinds[kind].name, compressed ? ".gz" : "");
}

static PetscBool Matches(const char name[])
{
  char candidate[PSD_FILE_NAME_LENGTH];
  for (int k = 0; k < 8; k++) {
    FileName(k & 1 ? PSD_SPLIT_TEST : PSD_SPLIT_TRAIN, k & 2 ? LABELS : IMAGES, k & 4 ? PETSC_TRUE : PETSC_FALSE,
             candidate);
    if (!strcmp(name, candidate)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

static PetscBool Lists(const PsdListing *listing, const char name[])
{
  for (PetscInt k = 0; k < listing->count; k++)
    if (!strcmp(listing->names[k], name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A plain file goes before a .gz, because every rank can read its own part of it. Only labels may be missing: "". */
static void FindFile(const PsdListing *listing, PsdSplit split, int kind, PsdImageFile *file, PsdFailure *failure)
{
  char name[PSD_FILE_NAME_LENGTH];
  for (int compressed = 0; compressed < 2; compressed++) {
    FileName(split, kind, (PetscBool)compressed, name);
    if (!Lists(listing, name)) continue;
    PsdJoinPath(listing->path, name, file->path, failure);
    return;
  }
  if (kind == LABELS) return;
  FileName(split, kind, PETSC_FALSE, name);
  PsdFailureRecord(failure, "-data %s: holds no %s (plain or .gz), needed for -split %s", listing->path, name,
                   PsdSplitNames[split]);
}

static void CheckMagic(const char path[], int kind, PetscInt64 magic, PsdFailure *failure)
{
  if (magic != kinds[kind].magic)
    PsdFailureRecord(failure, "%s: magic number 0x%08x, expected 0x%08x of an IDX file of %s", path, (unsigned)magic,
                     (unsigned)kinds[kind].magic, kind == IMAGES ? "images" : "labels");
}

/* Whether the bytes on disk can be what the header announces: n items of item_bytes. All products fit 64 bits. */
static void CheckAnnounced(PsdBytes *bytes, int kind, PetscInt64 n, PetscInt64 item_bytes, PsdFailure *failure)
{
  const PetscInt64 announced = HeaderBytes(kind) + n * item_bytes;
  if (bytes->ops == &PsdBytesPlain && bytes->disk_size != announced)
    PsdFailureRecord(failure,
                     "%s: %s: its header announces %" PetscInt64_FMT " %s, %" PetscInt64_FMT
                     " bytes in all; the file has %" PetscInt64_FMT,
                     bytes->path, bytes->disk_size < announced ? "truncated" : "bytes follow the end", n,
                     kind == IMAGES ? "images" : "labels", announced, bytes->disk_size);
  else if (announced / bytes->ops->expansion > bytes->disk_size)
    PsdFailureRecord(failure,
                     "%s: its header announces %" PetscInt64_FMT " %s, %" PetscInt64_FMT
                     " bytes in all, more than %" PetscInt64_FMT " compressed bytes can hold",
                     bytes->path, n, kind == IMAGES ? "images" : "labels", announced, bytes->disk_size);
  else PsdCheckImageCount(bytes->path, n, failure);
}

/* words: the header's numbers after the magic */
static PetscErrorCode ReadHeader(PsdBytes *bytes, int kind, PetscInt64 words[], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char header[4 * HEADER_WORDS_MAX] = {0};
  PetscCall(bytes->ops->read(bytes, 0, (size_t)HeaderBytes(kind), header, failure));
  for (int k = 0; k < kinds[kind].words; k++) {
    const unsigned char *b = header + (size_t)4 * (size_t)k;
    const PetscInt64 word = ((PetscInt64)b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3];
    if (k) words[k - 1] = word;
    else if (!failure->failed) CheckMagic(bytes->path, kind, word, failure);
  }
  PetscFunctionReturn(0);
}

/* size: number of items, and for images their height and width */
static PetscErrorCode InspectFile(const char path[], int kind, PetscInt64 size[3], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes bytes;
  size[0] = size[1] = size[2] = 1;
  PetscCall(PsdBytesOpen(path, &bytes, failure));
  if (!failure->failed) PetscCall(ReadHeader(&bytes, kind, size, failure));
  if (!failure->failed) PsdCheckImageShape(path, 1, size[1], size[2], failure);
  if (!failure->failed) CheckAnnounced(&bytes, kind, size[0], size[1] * size[2], failure);
  PetscCall(PsdBytesClose(&bytes));
  PetscFunctionReturn(0);
}

static PetscBool HasSplit(const PsdListing *listing, PsdSplit split)
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PsdImageFile file = {.path = ""};
  FindFile(listing, split, IMAGES, &file, &failure);
  return (PetscBool)!failure.failed;
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PetscInt64 sizes[KINDS][3] = {{0}};
  source->file_count = KINDS;
  PetscCall(PetscCalloc1(KINDS, &source->files));
  for (int kind = 0; kind < KINDS && !failure->failed; kind++) {
    FindFile(listing, split, kind, &source->files[kind], failure);
    if (!failure->failed && source->files[kind].path[0])
      PetscCall(InspectFile(source->files[kind].path, kind, sizes[kind], failure));
  }
  source->unlabelled = (PetscBool)!source->files[LABELS].path[0];
  if (!source->unlabelled && sizes[IMAGES][0] != sizes[LABELS][0])
    PsdFailureRecord(failure, "%s: %" PetscInt64_FMT " labels, expected %" PetscInt64_FMT " as there are images in %s",
                     source->files[LABELS].path, sizes[LABELS][0], sizes[IMAGES][0], source->files[IMAGES].path);
  if (failure->failed) PetscFunctionReturn(0);
  source->n = (PetscInt)sizes[IMAGES][0];
  source->pixels = (PsdPixels){.bits = 8};
  source->channels = 1;
  source->height = (PetscInt)sizes[IMAGES][1];
  source->width = (PetscInt)sizes[IMAGES][2];
  source->images_streamed = PsdHasSuffix(source->files[IMAGES].path, ".gz");
  source->labels_streamed = PsdHasSuffix(source->files[LABELS].path, ".gz");
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

static PetscErrorCode ReadLabelPieces(PsdBytes *bytes, PetscInt first, PetscInt count, PetscInt labels[],
                                      PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char piece[1 << 16];
  for (PetscInt done = 0; done < count && !failure->failed;) {
    const PetscInt size = PetscMin(count - done, (PetscInt)sizeof(piece));
    PetscCall(bytes->ops->read(bytes, HeaderBytes(LABELS) + first + done, (size_t)size, piece, failure));
    for (PetscInt k = 0; k < size && !failure->failed; k++) labels[done + k] = piece[k];
    done += size;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes bytes;
  PetscCall(PsdBytesOpen(source->files[LABELS].path, &bytes, failure));
  if (!failure->failed) PetscCall(ReadLabelPieces(&bytes, first, count, labels, failure));
  if (!failure->failed) PetscCall(bytes.ops->expect_size(&bytes, HeaderBytes(LABELS) + (PetscInt64)source->n, failure));
  PetscCall(PsdBytesClose(&bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes *bytes;
  PetscCall(PetscNew(&bytes));
  source->reader = bytes;
  PetscCall(PsdBytesOpen(source->files[IMAGES].path, bytes, failure));
  PetscFunctionReturn(0);
}

static PetscInt64 ImageOffset(const PsdSource *source, PetscInt position)
{
  return HeaderBytes(IMAGES) + (PetscInt64)position * (PetscInt64)PsdSourceImageBytes(source);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, void *images, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes *bytes = (PsdBytes *)source->reader;
  PetscCall(bytes->ops->read(bytes, ImageOffset(source, first), (size_t)count * PsdSourceImageBytes(source), images,
                             failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdBytes *bytes = (PsdBytes *)source->reader;
  PetscCall(bytes->ops->expect_size(bytes, ImageOffset(source, source->n), failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseImages(PsdSource *source)
{
  PetscFunctionBeginUser;
  if (source->reader) PetscCall(PsdBytesClose((PsdBytes *)source->reader));
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatIdx = {.name = "idx",
                                .files = "train- and t10k-images-idx3-ubyte, -labels-idx1-ubyte, plain or .gz",
                                .matches = Matches,
                                .prefers = Matches,
                                .has_split = HasSplit,
                                .labels = "train- or t10k-labels-idx1-ubyte of the split",
                                .inspect = Inspect,
                                .read_labels = ReadLabels,
                                .images = {OpenImages, ReadImages, EndImages, CloseImages}};
