/*
   NumPy's arrays: their headers, and items read by their place.
*/
#include "numpy_array.h"
#include <stdlib.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define MOST_HEADER 4096 /* of what psdnet reads; more is damage */

void PsdNumpyArrayFail(const PsdNumpyArray *array, const char what[], PsdFailure *failure)
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

/* Whether numbers, or bytes of texts, are the other way round than this machine has them. */
static PetscBool IsSwapped(char order)
{
  const uint16_t one = 1;
  const char own = *(const unsigned char *)&one ? '<' : '>';
  return (PetscBool)((order == '<' || order == '>') && order != own);
}

static void ParseNumberType(const char text[], PsdNumpyArray *array, PsdFailure *failure)
{
  char order = 0, kind = 0, end = 0;
  int size = 0;
  const PetscBool read =
      (PetscBool)(text && sscanf(text, "'%c%c%1d%c", &order, &kind, &size, &end) == 4 && end == '\'');
  const PetscBool known = (PetscBool)(read && strchr("<>|=", order) && strchr("uif", kind) && size > 0 &&
                                      strchr("\1\2\4\10", size) && (kind != 'f' || size >= 4));
  if (!known)
    PsdNumpyArrayFail(
        array,
        "its numbers are of no type that psdnet reads, expected integers of 1 to 8 bytes or floating point of 4 or 8",
        failure);
  array->type = (PsdNumberType){kind, size, (PetscBool)(size > 1 && IsSwapped(order))};
  array->size = size;
}

static void ParseTextType(const char text[], PsdNumpyArray *array, PsdFailure *failure)
{
  char order = 0, kind = 0, end = 0;
  int length = 0;
  const PetscBool read =
      (PetscBool)(text && sscanf(text, "'%c%c%5d%c", &order, &kind, &length, &end) == 4 && end == '\'');
  if (!read || !strchr("<>|=", order) || !strchr("SU", kind) || length < 1)
    PsdNumpyArrayFail(array, "is no array of texts, expected numpy.array(['...', '...'])", failure);
  const int width = kind == 'U' ? 4 : 1;
  array->type = (PsdNumberType){kind, width, IsSwapped(order)};
  array->size = (PetscInt64)width * length;
}

static void ParseShape(const char header[], PsdNumpyArray *array, PsdFailure *failure)
{
  const char *text = ValueOf(header, "'shape'");
  array->rank = 0;
  PetscBool good = (PetscBool)(text && *text == '(');
  for (text += good; good && *text && *text != ')';) {
    char *end;
    const long long extent = strtoll(text, &end, 10);
    good = (PetscBool)(end > text && extent >= 0 && array->rank < PSD_NUMPY_EXTENTS && strchr(",)", *end));
    if (good) array->extent[array->rank++] = extent;
    for (text = end; *text == ',' || *text == ' ';) text++;
  }
  if (!good || array->rank == 0) PsdNumpyArrayFail(array, "its header has no shape of 1 to 4 extents", failure);
}

static void ParseHeader(const char header[], PetscBool texts, PsdNumpyArray *array, PsdFailure *failure)
{
  const char *order = ValueOf(header, "'fortran_order'"), *type = ValueOf(header, "'descr'");
  if (texts) ParseTextType(type, array, failure);
  else ParseNumberType(type, array, failure);
  if (!failure->failed) ParseShape(header, array, failure);
  if (!failure->failed && (!order || strncmp(order, "False", 5) != 0))
    PsdNumpyArrayFail(array, "is in Fortran's order, expected C's: save numpy.ascontiguousarray of it", failure);
}

/* The bytes that the header announces must be there, which is known beforehand but of a compressed member. */
static PetscInt64 ItemsOf(const PsdNumpyArray *array, PetscInt64 most)
{
  PetscInt64 count = 1;
  for (int k = 0; k < array->rank; k++) {
    if (array->extent[k] > 0 && count > most / array->extent[k]) return most + 1;
    count *= array->extent[k];
  }
  return count;
}

static void CheckSize(const PsdNumpyArray *array, PsdFailure *failure)
{
  const PetscInt64 most = array->bytes.disk_size * array->bytes.ops->expansion / PetscMax(array->size, 1);
  if (ItemsOf(array, most) > most)
    PsdNumpyArrayFail(array, "truncated: it is too small for the shape in its header", failure);
}

static PetscErrorCode ReadHeader(PsdNumpyArray *array, PetscBool texts, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char head[12];
  char header[MOST_HEADER + 1];
  PetscCall(array->bytes.ops->read(&array->bytes, 0, 10, head, failure));
  if (failure->failed) PetscFunctionReturn(0);
  if (memcmp(head, MAGIC, MAGIC_BYTES) != 0 || head[6] < 1 || head[6] > 3) {
    PsdNumpyArrayFail(array, "is no .npy of version 1, 2 or 3", failure);
    PetscFunctionReturn(0);
  }
  const PetscInt64 start = head[6] == 1 ? 10 : 12;
  if (start > 10) PetscCall(array->bytes.ops->read(&array->bytes, 10, 2, head + 10, failure));
  size_t length = (size_t)head[8] + ((size_t)head[9] << 8);
  if (start > 10) length += ((size_t)head[10] << 16) + ((size_t)head[11] << 24);
  if (length > MOST_HEADER) PsdNumpyArrayFail(array, "its header is too long", failure);
  if (!failure->failed) PetscCall(array->bytes.ops->read(&array->bytes, start, length, header, failure));
  if (failure->failed) PetscFunctionReturn(0);
  header[length] = '\0';
  array->begin = start + (PetscInt64)length;
  ParseHeader(header, texts, array, failure);
  if (!failure->failed) CheckSize(array, failure);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyArrayOpen(const PsdImageFile *file, PetscBool texts, PsdNumpyArray *array, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  *array = (PsdNumpyArray){.file = file, .bytes = {.descriptor = -1}};
  if (file->member[0])
    PetscCall(PsdBytesOpenMember(file->path, file->member, &array->bytes, &array->streamed, failure));
  else PetscCall(PsdBytesOpen(file->path, &array->bytes, failure));
  if (!failure->failed) PetscCall(ReadHeader(array, texts, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyArrayRead(PsdNumpyArray *array, PetscInt64 first, size_t count, void *items, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  const PetscInt64 size = array->size;
  PetscCall(array->bytes.ops->read(&array->bytes, array->begin + first * size, count * (size_t)size, items, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyArrayExpectEnd(PsdNumpyArray *array, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  if (failure->failed) PetscFunctionReturn(0); /* the shape may be of more numbers than can be counted */
  const PetscInt64 end = array->begin + ItemsOf(array, INT64_MAX / PetscMax(array->size, 1)) * array->size;
  PetscCall(array->bytes.ops->expect_size(&array->bytes, end, failure));
  PetscFunctionReturn(0);
}

PetscBool PsdNumpyArrayIsColumn(const PsdNumpyArray *array)
{
  return (PetscBool)(array->rank == 1 || (array->rank == 2 && array->extent[1] == 1));
}
