/*
   Names that NumPy has as an array of texts, one an item, filled up with zeros: of type S in bytes, of type U in code points of
   four bytes each, of which UTF-8 is made.
*/
#include "numpy_array.h"
#include <stdlib.h>
#include <string.h>

#define MOST_LENGTH 65536 /* bytes of a text; more is damage */

static uint32_t CodePointAt(const unsigned char text[], size_t k, PetscBool swapped)
{
  uint32_t point;
  memcpy(&point, text + 4 * k, 4);
  if (!swapped) return point;
  return point >> 24 | (point >> 8 & 0xff00) | (point << 8 & 0xff0000) | point << 24;
}

/* Returns the bytes, 0 of what is no code point. */
static size_t Encode(uint32_t point, char bytes[4])
{
  const size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0;
  for (size_t k = length; k-- > 1; point >>= 6) bytes[k] = (char)(0x80 | (point & 0x3f));
  bytes[0] = (char)(lead[length] | point);
  return length;
}

/* A text that is too long is cut between two code points. */
static PetscBool FromCodePoints(const unsigned char text[], size_t length, PetscBool swapped,
                                char name[PSD_CLASS_NAME_LENGTH])
{
  size_t used = 0;
  for (size_t k = 0; k < length; k++) {
    char bytes[4];
    const uint32_t point = CodePointAt(text, k, swapped);
    if (!point) break;
    const size_t more = Encode(point, bytes);
    if (!more) return PETSC_FALSE;
    if (used + more > PSD_CLASS_NAME_LENGTH - 1) break;
    memcpy(name + used, bytes, more);
    used += more;
  }
  return PETSC_TRUE;
}

static PetscBool NameOf(const PsdNumpyArray *array, const unsigned char text[], char name[PSD_CLASS_NAME_LENGTH])
{
  if (array->type.kind == 'U') return FromCodePoints(text, (size_t)array->size / 4, array->type.swapped, name);
  memcpy(name, text, PetscMin((size_t)array->size, PSD_CLASS_NAME_LENGTH - 1));
  PsdTrimName(name);
  return PETSC_TRUE;
}

static void CheckNames(const PsdNumpyArray *array, PetscInt most, PsdFailure *failure)
{
  if (!PsdNumpyArrayIsColumn(array) || array->extent[0] < 1 || array->extent[0] > most || array->size > MOST_LENGTH)
    PsdNumpyArrayFail(array, "is no list of names: expected one extent of 1 to 4096 texts, of 64 kB at most", failure);
}

static PetscErrorCode ReadTexts(PsdNumpyArray *array, char names[][PSD_CLASS_NAME_LENGTH], PsdFailure *failure)
{
  PetscFunctionBeginUser;
  unsigned char *text = (unsigned char *)PsdAllocate(1, (size_t)array->size, "a name", failure);
  for (PetscInt k = 0; k < array->extent[0] && !failure->failed; k++) {
    PetscCall(PsdNumpyArrayRead(array, k, 1, text, failure));
    if (!failure->failed && !NameOf(array, text, names[k]))
      PsdNumpyArrayFail(array, "has no texts of Unicode", failure);
  }
  free(text);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNumpyReadNames(const PsdImageFile *file, PetscInt most, char (**names)[PSD_CLASS_NAME_LENGTH],
                                 PetscInt *count, PsdFailure *failure)
{
  PetscFunctionBeginUser;
  PsdNumpyArray array;
  PetscCall(PsdNumpyArrayOpen(file, PETSC_TRUE, &array, failure));
  if (!failure->failed) CheckNames(&array, most, failure);
  if (!failure->failed) {
    PetscCall(PetscCalloc1(array.extent[0], names));
    *count = (PetscInt)array.extent[0];
    PetscCall(ReadTexts(&array, *names, failure));
  }
  PetscCall(PsdNumpyArrayExpectEnd(&array, failure));
  PetscCall(PsdBytesClose(&array.bytes));
  PetscFunctionReturn(0);
}
