/*
   A folder of pictures: a folder for each class, pictures in it; or train/ and test/ with such folders; or pictures alone,
   which have no labels.

   Rank 0 lists and inspects all of them and tells the others one list of labels and paths; every rank reads its own part.
   Folders that are called 0, 1, ... are labels; others are counted in the order of their names, those of the split train
   where there is one. The order of pictures is that of their numbers, where their names are alike but for different numbers
   (00042.png); otherwise it is by a check sum of their names, as those of one class would follow each other, and -limit and
   -validation take the first ones and the last.
*/
#include "data.h"
#include "picture.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* ---------------------------------------------------------------- names in a directory */

typedef struct {
  PetscInt count, room;
  char **names;
} Names;

static PetscErrorCode NamesAdd(Names *list, const char name[])
{
  PetscFunctionBeginUser;
  if (list->count == list->room) {
    list->room = 2 * list->room + 64;
    PetscCall(PetscRealloc((size_t)list->room * sizeof(*list->names), &list->names));
  }
  PetscCall(PetscStrallocpy(name, &list->names[list->count++]));
  PetscFunctionReturn(0);
}

static PetscErrorCode NamesDestroy(Names *list)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < list->count; k++) PetscCall(PetscFree(list->names[k]));
  PetscCall(PetscFree(list->names));
  PetscFunctionReturn(0);
}

static int CompareNames(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static PetscBool IsDirectory(const char path[])
{
  struct stat attributes;
  return (PetscBool)(!stat(path, &attributes) && S_ISDIR(attributes.st_mode));
}

/* Directories or pictures, sorted; names that begin with a dot are passed over. */
static PetscErrorCode List(const char path[], PetscBool directories, Names *list, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  char entry_path[PETSC_MAX_PATH_LEN];
  DIR *directory = opendir(path);
  if (!directory) PsdFailureRecord(failure, "-data %s: the directory cannot be read: %s", path, strerror(errno));
  for (struct dirent *entry; directory && !failure->failed && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.' || (!directories && !PsdPictureIsName(entry->d_name))) continue;
    if (!PsdJoinPath(path, entry->d_name, entry_path, failure)) continue;
    if (IsDirectory(entry_path) == directories) PetscCall(NamesAdd(list, entry->d_name));
  }
  if (directory) (void)closedir(directory);
  if (list->count) qsort(list->names, (size_t)list->count, sizeof(*list->names), CompareNames);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- classes */

/* A label in digits, or -1. */
static PetscInt64 LabelIn(const char name[])
{
  const size_t length = strlen(name);
  if (length > 10 || strspn(name, "0123456789") != length || (name[0] == '0' && length > 1)) return -1;
  const PetscInt64 label = strtoll(name, NULL, 10);
  return label < PSD_LABEL_LIMIT ? label : -1;
}

static PetscBool AreLabels(const Names *classes)
{
  for (PetscInt k = 0; k < classes->count; k++)
    if (LabelIn(classes->names[k]) < 0) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Of a class that a network does not know: a label that none of its classes has. */
static PetscInt KnownLabelOf(const PsdKnownClasses *known, const char name[])
{
  PetscInt other = 0;
  for (PetscInt k = 0; k < known->count; k++) {
    if (!strcmp(known->names[k], name)) return known->labels[k];
    if (known->labels[k] >= other && known->labels[k] < PETSC_MAX_INT) other = known->labels[k] + 1;
  }
  return other;
}

static PetscInt LabelOf(const PsdKnownClasses *known, const Names *classes, const char name[], const char path[],
                        PsdFailure *failure)
{
  if (known) return KnownLabelOf(known, name);
  if (AreLabels(classes)) return (PetscInt)LabelIn(name);
  for (PetscInt k = 0; k < classes->count; k++)
    if (!strcmp(classes->names[k], name)) return k;
  PsdFailureRecord(failure, "%s: a class that train/ beside it does not have", path);
  return -1;
}

/* Where names are not the labels themselves. */
static PetscErrorCode NameLabels(const Names *classes, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (AreLabels(classes)) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(classes->count, &source->names));
  source->name_count = classes->count;
  for (PetscInt k = 0; k < classes->count; k++) {
    if (strlen(classes->names[k]) >= PSD_CLASS_NAME_LENGTH)
      PsdFailureRecord(failure, "-data: the folder %s has a name of more than %d bytes", classes->names[k],
                       PSD_CLASS_NAME_LENGTH - 1);
    PetscCall(PetscStrncpy(source->names[k], classes->names[k], PSD_CLASS_NAME_LENGTH));
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all pictures, in their order */

typedef struct {
  char *path;
  PetscInt label;
  PetscInt64 key; /* number or check sum */
} Picture;

typedef struct {
  PetscInt count, room;
  Picture *items;
} Pictures;

static PetscErrorCode PicturesAdd(Pictures *all, const char path[], PetscInt label)
{
  PetscFunctionBeginUser;
  if (all->count == all->room) {
    all->room = 2 * all->room + 64;
    PetscCall(PetscRealloc((size_t)all->room * sizeof(*all->items), &all->items));
  }
  Picture *item = &all->items[all->count++];
  item->label = label;
  PetscCall(PetscStrallocpy(path, &item->path));
  PetscFunctionReturn(0);
}

static PetscErrorCode PicturesDestroy(Pictures *all)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < all->count; k++) PetscCall(PetscFree(all->items[k].path));
  PetscCall(PetscFree(all->items));
  PetscFunctionReturn(0);
}

static const char *BaseOf(const char path[])
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* The last digits of a name: where they begin and end; an empty stretch where there are none. */
static void DigitsOf(const char name[], size_t *begin, size_t *end)
{
  for (*end = strlen(name); *end > 0 && !isdigit((unsigned char)name[*end - 1]);) (*end)--;
  for (*begin = *end; *begin > 0 && isdigit((unsigned char)name[*begin - 1]);) (*begin)--;
}

/* The number in a name that is `like` but for its digits, or -1. */
static PetscInt64 NumberIn(const char name[], const char like[])
{
  size_t begin, end, like_begin, like_end;
  DigitsOf(name, &begin, &end);
  DigitsOf(like, &like_begin, &like_end);
  if (begin == end || end - begin > 18 || begin != like_begin || strncmp(name, like, begin) != 0 ||
      strcmp(name + end, like + like_end) != 0)
    return -1;
  return strtoll(name + begin, NULL, 10);
}

static int ComparePictures(const void *a, const void *b)
{
  const Picture *first = (const Picture *)a, *second = (const Picture *)b;
  if (first->key != second->key) return first->key < second->key ? -1 : 1;
  return strcmp(first->path, second->path);
}

static void Sort(Pictures *all)
{
  if (all->count > 0) qsort(all->items, (size_t)all->count, sizeof(*all->items), ComparePictures);
}

/* Whether all names have numbers, and different ones. */
static PetscBool SortByNumbers(Pictures *all)
{
  for (PetscInt k = 0; k < all->count; k++) {
    all->items[k].key = NumberIn(BaseOf(all->items[k].path), BaseOf(all->items[0].path));
    if (all->items[k].key < 0) return PETSC_FALSE;
  }
  Sort(all);
  for (PetscInt k = 1; k < all->count; k++)
    if (all->items[k].key == all->items[k - 1].key) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* root: how many bytes of all paths are not the pictures' own */
static void SortBySums(Pictures *all, size_t root)
{
  for (PetscInt k = 0; k < all->count; k++) {
    const char *name = all->items[k].path + root;
    all->items[k].key = (PetscInt64)crc32(0, (const Bytef *)name, (uInt)strlen(name));
  }
  Sort(all);
}

/* ---------------------------------------------------------------- inspection, on rank 0 */

static PetscErrorCode AddFolder(const char path[], PetscInt label, Pictures *all, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Names files = {0};
  char file[PETSC_MAX_PATH_LEN];
  PetscCall(List(path, PETSC_FALSE, &files, failure));
  for (PetscInt k = 0; k < files.count && !failure->failed; k++)
    if (PsdJoinPath(path, files.names[k], file, failure)) PetscCall(PicturesAdd(all, file, label));
  PetscCall(NamesDestroy(&files));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddClasses(const char path[], const Names *folders, const PsdKnownClasses *known,
                                 const Names *classes, Pictures *all, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  char folder[PETSC_MAX_PATH_LEN];
  for (PetscInt k = 0; k < folders->count && !failure->failed; k++) {
    if (!PsdJoinPath(path, folders->names[k], folder, failure)) continue;
    const PetscInt label = LabelOf(known, classes, folders->names[k], folder, failure);
    if (!failure->failed) PetscCall(AddFolder(folder, label, all, failure));
  }
  PetscFunctionReturn(0);
}

/* The directory of the split's classes, and whether it is one among two. */
static void FindRoot(const char path[], PsdSplit split, char root[], PetscBool *has_splits, PsdFailure *failure)
{
  char train[PETSC_MAX_PATH_LEN];
  if (!PsdJoinPath(path, PsdSplitNames[PSD_SPLIT_TRAIN], train, failure) ||
      !PsdJoinPath(path, PsdSplitNames[split], root, failure))
    return;
  *has_splits = (PetscBool)(IsDirectory(train) || IsDirectory(root));
  if (*has_splits && !IsDirectory(root))
    PsdFailureRecord(failure, "-data %s: holds no folder %s, needed for -split %s", path, PsdSplitNames[split],
                     PsdSplitNames[split]);
  if (!*has_splits && split != PSD_SPLIT_TRAIN)
    PsdFailureRecord(failure, "-data %s: holds no folders train and test, needed for -split %s", path,
                     PsdSplitNames[split]);
  if (!*has_splits) snprintf(root, PETSC_MAX_PATH_LEN, "%s", path);
}

static PetscErrorCode Collect(const char path[], PsdSplit split, PsdSource *source, Pictures *all, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  char root[PETSC_MAX_PATH_LEN], train[PETSC_MAX_PATH_LEN];
  PetscBool has_splits = PETSC_FALSE;
  Names folders = {0}, classes = {0};
  FindRoot(path, split, root, &has_splits, failure);
  if (!failure->failed) PetscCall(List(root, PETSC_TRUE, &folders, failure));
  if (!failure->failed && !PsdJoinPath(path, PsdSplitNames[PSD_SPLIT_TRAIN], train, failure)) PetscFunctionReturn(0);
  if (!failure->failed) PetscCall(List(has_splits && IsDirectory(train) ? train : root, PETSC_TRUE, &classes, failure));
  if (!failure->failed && folders.count > 0) {
    PetscCall(NameLabels(&classes, source, failure));
    PetscCall(AddClasses(root, &folders, source->known, &classes, all, failure));
  } else if (!failure->failed) {
    source->unlabelled = PETSC_TRUE;
    PetscCall(AddFolder(root, 0, all, failure));
  }
  if (!failure->failed && all->count == 0) PsdFailureRecord(failure, "-data %s: its folders hold no PNG or JPEG", root);
  PetscCall(NamesDestroy(&folders));
  PetscCall(NamesDestroy(&classes));
  if (!failure->failed && !SortByNumbers(all)) SortBySums(all, strlen(root));
  PetscFunctionReturn(0);
}

/* One size for all, or that of -resize; colours, and 16 bits a pixel, where any picture has them. */
static PetscErrorCode FindSize(const Pictures *all, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdPictureSize size, first = {0};
  const PetscBool resized = (PetscBool)(source->height > 0);
  PetscInt bits = 8;
  PsdProgress progress;
  PetscCall(PsdProgressCreate(PETSC_COMM_SELF, "headers", "pictures", all->count, all->count, &progress));
  for (PetscInt k = 0; k < all->count && !failure->failed; k++) {
    PetscCall(PsdPictureInspect(all->items[k].path, &size, failure));
    if (k == 0) first = size;
    if (!failure->failed && !resized && (size.height != first.height || size.width != first.width))
      PsdFailureRecord(failure,
                       "%s: %" PetscInt_FMT " x %" PetscInt_FMT " pixels, expected %" PetscInt_FMT " x %" PetscInt_FMT
                       " as in %s: -resize HxW makes them alike",
                       all->items[k].path, size.height, size.width, first.height, first.width, all->items[0].path);
    source->channels = PetscMax(source->channels, size.channels);
    bits = PetscMax(bits, size.bits);
    PetscCall(PsdProgressUpdate(progress, k + 1));
  }
  PetscCall(PsdProgressDestroy(&progress));
  const PetscInt wanted = source->pixels.step > 0 ? 0 : source->pixels.bits; /* pictures are no real numbers */
  source->pixels = (PsdPixels){.bits = wanted > 0 ? wanted : bits};
  if (!resized) {
    source->height = first.height;
    source->width = first.width;
  }
  PetscFunctionReturn(0);
}

/* For each picture its label and its path, as text. */
static PetscErrorCode WriteList(const Pictures *all, PsdSource *source)
{
  PetscFunctionBeginUser;
  size_t size = 0, at = 0;
  for (PetscInt k = 0; k < all->count; k++) size += strlen(all->items[k].path) + 16;
  PetscCall(PetscMalloc1(size, &source->list));
  for (PetscInt k = 0; k < all->count; k++)
    at += (size_t)snprintf(source->list + at, size - at, "%" PetscInt_FMT " %s", all->items[k].label,
                           all->items[k].path) +
          1;
  source->list_bytes = (PetscInt64)at;
  PetscFunctionReturn(0);
}

static PetscBool HasSplit(const PsdListing *listing, PsdSplit split)
{
  PsdFailure failure = {.failed = PETSC_FALSE};
  PetscBool has_splits = PETSC_FALSE;
  char root[PETSC_MAX_PATH_LEN];
  FindRoot(listing->path, split, root, &has_splits, &failure);
  return (PetscBool)!failure.failed;
}

static PetscErrorCode Inspect(const PsdListing *listing, PsdSplit split, PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  Pictures all = {0};
  PetscCall(Collect(listing->path, split, source, &all, failure));
  if (!failure->failed) PsdCheckImageCount(listing->path, all.count, failure);
  if (!failure->failed) PetscCall(FindSize(&all, source, failure));
  if (!failure->failed) PsdCheckImageShape(listing->path, source->channels, source->height, source->width, failure);
  if (!failure->failed) {
    source->n = all.count;
    PetscCall(WriteList(&all, source));
  }
  PetscCall(PicturesDestroy(&all));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- reading */

/* Where the text of each picture begins. */
static PetscErrorCode IndexCreate(const PsdSource *source, const char ***index)
{
  PetscFunctionBeginUser;
  const char *text = source->list;
  PetscCall(PetscMalloc1(source->n, index));
  for (PetscInt k = 0; k < source->n; k++, text += strlen(text) + 1) (*index)[k] = text;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadLabels(const PsdSource *source, PetscInt first, PetscInt count, PetscInt labels[],
                                 PsdFailure *failure)
{
  PetscFunctionBeginUser;
  (void)failure;
  const char **index;
  PetscCall(IndexCreate(source, &index));
  for (PetscInt k = 0; k < count; k++) labels[k] = (PetscInt)strtoll(index[first + k], NULL, 10);
  PetscCall(PetscFree(index));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenImages(PsdSource *source, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  (void)failure;
  const char **index;
  PetscCall(IndexCreate(source, &index));
  source->reader = index;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadImages(PsdSource *source, PetscInt first, PetscInt count, void *images, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const char *const *index = (const char *const *)source->reader;
  const PsdPictureSize size = {source->channels, source->height, source->width, source->pixels.bits};
  for (PetscInt k = 0; k < count && !failure->failed; k++)
    PetscCall(PsdPictureRead(strchr(index[first + k], ' ') + 1, size,
                             (unsigned char *)images + (size_t)k * PsdSourceImageBytes(source), failure));
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseImages(PsdSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(source->reader));
  PetscFunctionReturn(0);
}

const PsdFormat PsdFormatPictures = {.name = "pictures",
                                     .files = "a folder of *.png, *.jpg for each class",
                                     .takes_folders = PETSC_TRUE,
                                     .resizes = PETSC_TRUE,
                                     .matches = PsdPictureIsName,
                                     .prefers = PsdPictureIsName,
                                     .has_split = HasSplit,
                                     .labels = "folders, one a class",
                                     .inspect = Inspect,
                                     .read_labels = ReadLabels,
                                     .images = {OpenImages, ReadImages, NULL, CloseImages}};
