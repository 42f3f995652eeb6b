/*
   Reading HDF5 in steps that free what they take and say, in one line, what is wrong with the file. Attributes are numbers
   and texts, data sets contiguous numbers inside the file; nothing is allocated that is not much smaller than the file.
*/
#include "hdf5_plain.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LABEL_LENGTH 32
#define PIECE 65536 /* bytes of an array that are converted at a time */
#define SHARED 2    /* flag of a message that stands elsewhere */

/* ---------------------------------------------------------------- files and groups */

PsdH5Group PsdH5Open(int descriptor, const char path[], uint64_t base, PsdFailure *failure)
{
  PsdH5Group root = {.path = path};
  struct stat found;

  if (failure->failed) return root;
  root.file = calloc(1, sizeof(*root.file));
  if (!root.file) {
    PsdFailureRecord(failure, "%s: not enough memory to read it", path);
    return root;
  }
  *root.file = (PsdH5Plain){.descriptor = descriptor, .path = path, .base = base};
  if (fstat(descriptor, &found)) PsdFailureRecord(failure, "%s: cannot read it: %s", path, strerror(errno));
  else if ((uint64_t)found.st_size > base) root.file->bytes = (uint64_t)found.st_size - base;
  PsdH5ReadSuperblock(root.file, failure);
  root.header = PsdH5ReadHeader(root.file, root.file->root, failure);
  return root;
}

void PsdH5CloseGroup(PsdH5Group *group)
{
  PsdH5FreeHeader(&group->header);
  group->file = NULL;
}

void PsdH5Close(PsdH5Group *root)
{
  free(root->file);
  PsdH5CloseGroup(root);
}

PetscBool PsdH5Exists(PsdH5Group group, const char name[], PsdFailure *failure)
{
  return (PetscBool)(!failure->failed && PsdH5FindObject(group, name, failure) != PSD_H5_UNDEFINED);
}

PsdH5Group PsdH5OpenGroup(PsdH5Group group, const char name[], PsdFailure *failure)
{
  PsdH5Group inner = {.file = group.file, .path = group.path};

  if (failure->failed) return inner;
  const uint64_t address = PsdH5FindObject(group, name, failure);
  if (address == PSD_H5_UNDEFINED) PsdFailureRecord(failure, "%s: group %s is missing or damaged", group.path, name);
  else inner.header = PsdH5ReadHeader(group.file, address, failure);
  return inner;
}

/* ---------------------------------------------------------------- attributes */

typedef struct {
  PsdH5Bytes name, value; /* the name with its end */
  PsdH5Bytes type_bytes, space_bytes;
  PsdH5Type type;
  PsdH5Space space;
} Attribute;

/* A part of a message; what remains begins behind it, in version 1 at the next multiple of 8. */
static PetscBool TakePart(PsdH5Bytes *rest, size_t size, PetscBool padded, PsdH5Bytes *part)
{
  const size_t whole = padded ? (size + 7) / 8 * 8 : size;

  if (whole > rest->size) return PETSC_FALSE;
  *part = (PsdH5Bytes){rest->at, size};
  *rest = (PsdH5Bytes){rest->at + whole, rest->size - whole};
  return PETSC_TRUE;
}

/* Name, type, shape and numbers of an attribute's message; false: damaged, or of a kind that is not read. */
static PetscBool SplitAttribute(PsdH5Bytes bytes, Attribute *it)
{
  const unsigned char *head = bytes.at;
  PsdH5Bytes rest;

  if (bytes.size < 9 || head[0] < 1 || head[0] > 3) return PETSC_FALSE;
  if (head[0] > 1 && head[1]) return PETSC_FALSE; /* its type is in another place */
  const PetscBool padded = (PetscBool)(head[0] == 1);
  const size_t begin = head[0] == 3 ? 9 : 8;
  rest = (PsdH5Bytes){head + begin, bytes.size - begin};
  if (!TakePart(&rest, (size_t)PsdH5Number(head + 2, 2), padded, &it->name)) return PETSC_FALSE;
  if (!TakePart(&rest, (size_t)PsdH5Number(head + 4, 2), padded, &it->type_bytes)) return PETSC_FALSE;
  if (!TakePart(&rest, (size_t)PsdH5Number(head + 6, 2), padded, &it->space_bytes)) return PETSC_FALSE;
  it->value = rest;
  return (PetscBool)(it->name.size > 0 && !it->name.at[it->name.size - 1]);
}

/* False: its numbers are not all there. */
static PetscBool ParseAttribute(Attribute *it)
{
  if (!PsdH5ParseType(it->type_bytes, &it->type) || !PsdH5ParseSpace(it->space_bytes, &it->space)) return PETSC_FALSE;
  return (PetscBool)(it->space.points <= it->value.size / it->type.size);
}

static PetscBool FindAttribute(PsdH5Group group, const char name[], Attribute *it)
{
  const PsdH5Header *header = &group.header;

  for (PetscInt k = 0; (k = PsdH5FindMessage(header, PSD_H5_ATTRIBUTE, k)) >= 0; k++)
    if (!(header->message[k].flags & SHARED) && SplitAttribute(PsdH5MessageBytes(header, k), it) &&
        !strcmp((const char *)it->name.at, name))
      return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscBool PsdH5HasAttribute(PsdH5Group group, const char name[])
{
  Attribute attribute;
  return FindAttribute(group, name, &attribute);
}

static Attribute OpenAttribute(PsdH5Group group, const char name[], PsdFailure *failure)
{
  Attribute it = {.type = {.kind = PSD_H5_OTHER}};

  if (failure->failed) return it;
  if (!FindAttribute(group, name, &it)) PsdFailureRecord(failure, "%s: attribute '%s' is missing", group.path, name);
  else if (!ParseAttribute(&it))
    PsdFailureRecord(failure, "%s: attribute '%s' is damaged, or neither numbers nor texts", group.path, name);
  return it;
}

static PetscBool IsKind(const PsdH5Type *type, PsdH5Kind kind)
{
  return (PetscBool)(type->kind == PSD_H5_WHOLE || (kind == PSD_H5_REAL && type->kind == PSD_H5_FLOAT));
}

static PetscBool IsText(const PsdH5Type *type)
{
  return (PetscBool)(type->kind == PSD_H5_TEXT || type->kind == PSD_H5_LONG_TEXT);
}

void PsdH5ReadAttribute(PsdH5Group group, const char name[], PsdH5Kind kind, PetscInt count, void *values,
                        PsdFailure *failure)
{
  const Attribute it = OpenAttribute(group, name, failure);

  if (failure->failed) return;
  if (!IsKind(&it.type, kind) || it.space.points != (uint64_t)count)
    PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected %" PetscInt_FMT " %s", group.path,
                     name, count, kind == PSD_H5_REAL ? "real" : "integer");
  else if (!PsdH5Convert(&it.type, kind, (size_t)count, it.value.at, values))
    PsdFailureRecord(failure, "%s: attribute '%s' is out of range, expected at most %" PetscInt_FMT, group.path, name,
                     PETSC_MAX_INT);
}

void PsdH5ReadText(PsdH5Group group, const char name[], char text[], size_t size, PsdFailure *failure)
{
  const Attribute it = OpenAttribute(group, name, failure);

  if (failure->failed) return;
  if (!IsText(&it.type) || it.space.points != 1)
    PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected a text", group.path, name);
  else if (!PsdH5CopyText(group.file, &it.type, it.value.at, size, text, failure))
    PsdFailureRecord(failure, "%s: attribute '%s' is too long, expected fewer than %zu bytes", group.path, name, size);
}

/* In digits, as numbers are printed: without a sign, a space or a zero before others. */
static PetscBool ParseLabel(const char text[], PetscInt *label)
{
  const size_t digits = strspn(text, "0123456789");

  errno = 0;
  const long long number = strtoll(text, NULL, 10);
  *label = (PetscInt)number;
  return (PetscBool)(digits > 0 && !text[digits] && (digits == 1 || text[0] != '0') && !errno &&
                     number <= PETSC_MAX_INT);
}

static void ReadLabel(PsdH5Group group, const Attribute *it, PetscInt k, PetscInt *label, PsdFailure *failure)
{
  char text[LABEL_LENGTH] = "";
  const unsigned char *value = it->value.at + (size_t)k * it->type.size;
  const PetscBool fits = PsdH5CopyText(group.file, &it->type, value, sizeof(text), text, failure);

  if (!fits || !ParseLabel(text, label))
    PsdFailureRecord(failure, "%s: attribute '%.*s': found '%s', expected a label in digits", group.path,
                     (int)it->name.size, (const char *)it->name.at, fits ? text : "a long text");
}

void PsdH5ReadLabels(PsdH5Group group, const char name[], PetscInt *count, PetscInt **labels, PsdFailure *failure)
{
  const Attribute it = OpenAttribute(group, name, failure);

  if (failure->failed) return;
  if (!IsText(&it.type) || it.space.points < 1) {
    PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected a list of labels", group.path, name);
    return;
  }
  *count = (PetscInt)it.space.points; /* in a message of less than 65536 bytes */
  *labels = malloc((size_t)*count * sizeof(PetscInt));
  if (!*labels) {
    PsdFailureRecord(failure, "%s: not enough memory for its labels", group.path);
    return;
  }
  for (PetscInt k = 0; k < *count && !failure->failed; k++) ReadLabel(group, &it, k, &(*labels)[k], failure);
}

char *PsdH5ReadTexts(PsdH5Group group, const char name[], PetscInt count, size_t size, PsdFailure *failure)
{
  const Attribute it = OpenAttribute(group, name, failure);

  if (failure->failed) return NULL;
  if (!IsText(&it.type) || it.space.points != (uint64_t)count) {
    PsdFailureRecord(failure, "%s: attribute '%s' is of the wrong kind, expected %" PetscInt_FMT " texts", group.path,
                     name, count);
    return NULL;
  }
  char *texts = calloc((size_t)count, size);
  if (!texts) PsdFailureRecord(failure, "%s: not enough memory for its texts", group.path);
  for (PetscInt k = 0; texts && k < count && !failure->failed; k++)
    if (!PsdH5CopyText(group.file, &it.type, it.value.at + (size_t)k * it.type.size, size, texts + (size_t)k * size,
                       failure))
      PsdFailureRecord(failure, "%s: attribute '%s' has a text that is too long, expected fewer than %zu bytes",
                       group.path, name, size);
  return texts;
}

/* ---------------------------------------------------------------- data sets */

typedef struct {
  PsdH5Header header;
  PsdH5Type type;
  PsdH5Space space;
  uint64_t address, bytes;      /* in the file */
  const unsigned char *compact; /* or here, in the header */
} Array;

/* The first message of a kind, if it is one that stands here. */
static PetscBool FindPart(const PsdH5Header *header, PsdH5MessageKind kind, PsdH5Bytes *bytes)
{
  const PetscInt number = PsdH5FindMessage(header, kind, 0);

  if (number < 0 || header->message[number].flags & SHARED) return PETSC_FALSE;
  *bytes = PsdH5MessageBytes(header, number);
  return PETSC_TRUE;
}

/* NULL, or in which way numbers are not simply there. */
static const char *FindLayout(Array *array)
{
  enum { COMPACT, CONTIGUOUS, CHUNKED };
  PsdH5Bytes layout;

  if (PsdH5FindMessage(&array->header, PSD_H5_EXTERNAL, 0) >= 0) return "has its numbers in other files";
  if (PsdH5FindMessage(&array->header, PSD_H5_FILTERS, 0) >= 0) return "is compressed";
  if (!FindPart(&array->header, PSD_H5_LAYOUT, &layout) || layout.size < 4 || layout.at[0] < 3)
    return "has no layout, or one of another form";
  if (layout.at[0] > 3 || layout.at[1] > CHUNKED) return "is virtual, or of a newer form";
  if (layout.at[1] == CHUNKED) return "is in chunks";
  if (layout.at[1] == CONTIGUOUS) {
    if (layout.size < 18) return "has a layout that is cut off";
    array->address = PsdH5Number(layout.at + 2, 8);
    array->bytes = PsdH5Number(layout.at + 10, 8);
    return array->address == PSD_H5_UNDEFINED && array->space.points ? "was never written" : NULL;
  }
  array->bytes = PsdH5Number(layout.at + 2, 2);
  array->compact = layout.at + 4;
  return array->bytes > layout.size - 4 ? "is cut off" : NULL;
}

static void ParseArray(PsdH5Group group, const char name[], Array *array, PsdFailure *failure)
{
  PsdH5Bytes type, space;

  if (failure->failed) return;
  if (!FindPart(&array->header, PSD_H5_TYPE, &type) || !FindPart(&array->header, PSD_H5_SPACE, &space) ||
      !PsdH5ParseSpace(space, &array->space)) {
    PsdFailureRecord(failure, "%s: data set %s is damaged, or no data set", group.path, name);
    return;
  }
  (void)PsdH5ParseType(type, &array->type);
  const char *wrong = FindLayout(array);
  if (wrong)
    PsdFailureRecord(failure, "%s: data set %s %s, expected contiguous numbers in this file", group.path, name, wrong);
}

/* To be freed with its header. */
static Array OpenArray(PsdH5Group group, const char name[], PsdFailure *failure)
{
  Array array = {.address = PSD_H5_UNDEFINED};

  if (failure->failed) return array;
  const uint64_t address = PsdH5FindObject(group, name, failure);
  if (address == PSD_H5_UNDEFINED) {
    PsdFailureRecord(failure, "%s: data set %s is missing", group.path, name);
    return array;
  }
  array.header = PsdH5ReadHeader(group.file, address, failure);
  ParseArray(group, name, &array, failure);
  return array;
}

void PsdH5ReadShape(PsdH5Group group, const char name[], int axes, PetscInt shape[], PsdFailure *failure)
{
  Array array = OpenArray(group, name, failure);

  if (!failure->failed && array.space.axes != axes)
    PsdFailureRecord(failure, "%s: data set %s is of the wrong shape, expected %d %s", group.path, name, axes,
                     axes == 1 ? "axis" : "axes");
  for (int k = 0; k < PetscMin(axes, 2) && !failure->failed; k++) {
    if (array.space.extent[k] > (uint64_t)PETSC_MAX_INT)
      PsdFailureRecord(failure, "%s: data set %s is too large, expected at most %" PetscInt_FMT " along an axis",
                       group.path, name, PETSC_MAX_INT);
    shape[k] = (PetscInt)array.space.extent[k];
  }
  PsdH5FreeHeader(&array.header);
}

static size_t Width(PsdH5Kind kind)
{
  return kind == PSD_H5_REAL ? sizeof(PetscReal) : sizeof(PetscInt);
}

/* That the numbers are where they are said to be, and that no arrays share bytes of the file: what they become in memory is
   then at most twice the file. */
static void CheckStorage(PsdH5Group group, const char name[], PsdH5Kind kind, const Array *array, PsdFailure *failure)
{
  PsdH5Plain *file = group.file;
  const uint64_t size = PetscMax(1, array->type.size); /* of a kind that IsKind knows, which is not 0 */
  const PetscBool inside = (PetscBool)(array->compact || array->space.points == 0 ||
                                       (array->bytes <= file->bytes && array->address <= file->bytes - array->bytes));

  if (array->space.points > array->bytes / size || !inside) {
    PsdFailureRecord(failure, "%s: data set %s is truncated or damaged", group.path, name);
    return;
  }
  const uint64_t claim = array->space.points * PetscMax(size, Width(kind) / 2);
  if (claim > file->bytes - file->claimed)
    PsdFailureRecord(failure, "%s: data sets have more numbers than the file has room for", group.path);
  else file->claimed += claim;
}

static void ReadNumbers(PsdH5Group group, const char name[], PsdH5Kind kind, const Array *array, char values[],
                        PsdFailure *failure)
{
  const size_t width = Width(kind), size = PetscMax(1, array->type.size);
  unsigned char piece[PIECE];

  for (size_t done = 0, count; done < array->space.points && !failure->failed; done += count) {
    count = PetscMin(PIECE / size, (size_t)array->space.points - done);
    if (array->compact) memcpy(piece, array->compact + done * size, count * size);
    else PsdH5ReadPiece(group.file, array->address + done * size, count * size, piece, failure);
    group.file->effort = 0; /* within what arrays may claim */
    if (!failure->failed && !PsdH5Convert(&array->type, kind, count, piece, values + done * width))
      PsdFailureRecord(failure, "%s: data set %s has a number that is out of range", group.path, name);
  }
}

void *PsdH5ReadArray(PsdH5Group group, const char name[], PsdH5Kind kind, PsdFailure *failure)
{
  Array array = OpenArray(group, name, failure);
  char *values = NULL;

  if (!failure->failed && !IsKind(&array.type, kind))
    PsdFailureRecord(failure, "%s: data set %s is of the wrong kind, expected %s", group.path, name,
                     kind == PSD_H5_REAL ? "reals" : "integers");
  if (!failure->failed) CheckStorage(group, name, kind, &array, failure);
  if (!failure->failed) {
    values = malloc((size_t)array.space.points * Width(kind) + 1);
    if (!values) PsdFailureRecord(failure, "%s: not enough memory for data set %s", group.path, name);
    else ReadNumbers(group, name, kind, &array, values, failure);
  }
  PsdH5FreeHeader(&array.header);
  return values;
}
