/*
   Types, shapes, numbers and texts of HDF5 (hdf5_plain.h): whole numbers of 1 to 8 bytes, reals of 4 and 8, in either order
   of bytes, and texts, of one length or kept in heaps.
*/
#include "hdf5_plain.h"
#include <string.h>

#define MOST_HEAP 65536 /* bytes of a collection of texts, as HDF5 limits them */

/* ---------------------------------------------------------------- types and shapes */

/* IEEE 754, of single or double precision: where sign, exponent and mantissa are, and the exponent's bias. */
static PetscBool IsIeee(PsdH5Bytes bytes)
{
  static const unsigned char single[12] = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0},
                             twice[12] = {0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0};
  const uint64_t size = PsdH5Number(bytes.at + 4, 4);

  if (bytes.size < 20 || (bytes.at[1] & 0x70) == 0x40) return PETSC_FALSE; /* VAX's order */
  if ((bytes.at[1] & 0x30) != 0x20) return PETSC_FALSE;
  if (size == 4) return (PetscBool)(bytes.at[2] == 31 && !memcmp(bytes.at + 8, single, 12));
  return (PetscBool)(size == 8 && bytes.at[2] == 63 && !memcmp(bytes.at + 8, twice, 12));
}

/* All bits of 1, 2, 4 or 8 bytes. */
static PetscBool IsWhole(PsdH5Bytes bytes)
{
  const uint64_t size = PsdH5Number(bytes.at + 4, 4);

  if (bytes.size < 12 || (size != 1 && size != 2 && size != 4 && size != 8)) return PETSC_FALSE;
  return (PetscBool)(PsdH5Number(bytes.at + 8, 2) == 0 && PsdH5Number(bytes.at + 10, 2) == 8 * size);
}

PetscBool PsdH5ParseType(PsdH5Bytes bytes, PsdH5Type *type)
{
  enum { WHOLE = 0, REAL = 1, TEXT = 3, VARIABLE = 9 };

  *type = (PsdH5Type){.kind = PSD_H5_OTHER};
  if (bytes.size < 8) return PETSC_FALSE;
  const int class = bytes.at[0] & 15;
  type->size = (uint32_t)PsdH5Number(bytes.at + 4, 4);
  type->big = (PetscBool)(bytes.at[1] & 1);
  type->has_sign = (PetscBool)(bytes.at[1] >> 3 & 1);
  type->spaces = (PetscBool)((bytes.at[1] & 15) == 2);
  if (class == WHOLE && IsWhole(bytes)) type->kind = PSD_H5_WHOLE;
  if (class == REAL && IsIeee(bytes)) type->kind = PSD_H5_FLOAT;
  if (class == TEXT && type->size > 0) type->kind = PSD_H5_TEXT;
  if (class == VARIABLE && (bytes.at[1] & 15) == 1 && type->size == 16) type->kind = PSD_H5_LONG_TEXT;
  return (PetscBool)(type->kind != PSD_H5_OTHER);
}

static PetscBool ParseExtents(PsdH5Bytes bytes, size_t at, PsdH5Space *space)
{
  for (int k = 0; k < space->axes; k++, at += 8) {
    if (bytes.size < at + 8) return PETSC_FALSE;
    const uint64_t extent = PsdH5Number(bytes.at + at, 8);
    if (k < 2) space->extent[k] = extent;
    if (extent && space->points > (uint64_t)INT64_MAX / extent) return PETSC_FALSE;
    space->points *= extent;
  }
  return PETSC_TRUE;
}

PetscBool PsdH5ParseSpace(PsdH5Bytes bytes, PsdH5Space *space)
{
  enum { NOTHING = 2 };

  *space = (PsdH5Space){.points = 1};
  if (bytes.size < 4) return PETSC_FALSE;
  space->axes = bytes.at[1];
  if (bytes.at[0] == 1) return ParseExtents(bytes, 8, space);
  if (bytes.at[0] == 2 && bytes.at[3] != NOTHING) return ParseExtents(bytes, 4, space);
  return PETSC_FALSE;
}

/* ---------------------------------------------------------------- numbers */

/* In little-endian order. */
static uint64_t Bits(const PsdH5Type *type, const unsigned char bytes[])
{
  unsigned char turned[8] = {0};

  for (uint32_t k = 0; k < type->size && k < 8; k++) turned[k] = bytes[type->big ? type->size - 1 - k : k];
  return PsdH5Number(turned, 8);
}

/* A whole number; of 8 bytes without a sign it may be beyond int64_t. */
static int64_t Whole(const PsdH5Type *type, const unsigned char bytes[], PetscBool *fits)
{
  const uint64_t bits = Bits(type, bytes);

  *fits = (PetscBool)(type->has_sign || bits <= (uint64_t)INT64_MAX);
  if (!type->has_sign || type->size == 8) return (int64_t)bits;
  const uint64_t sign = (uint64_t)1 << (8 * type->size - 1) % 64;
  return (int64_t)(bits ^ sign) - (int64_t)sign;
}

static PetscReal Real(const PsdH5Type *type, const unsigned char bytes[])
{
  const uint64_t bits = Bits(type, bytes);
  const uint32_t low = (uint32_t)bits;
  PetscBool fits;
  double twice;
  float single;

  if (type->kind == PSD_H5_WHOLE) {
    const int64_t whole = Whole(type, bytes, &fits);
    return fits ? (PetscReal)whole : (PetscReal)bits;
  }
  memcpy(&twice, &bits, sizeof(twice));
  memcpy(&single, &low, sizeof(single));
  return type->size == 8 ? (PetscReal)twice : (PetscReal)single;
}

PetscBool PsdH5Convert(const PsdH5Type *type, PsdH5Kind kind, size_t count, const unsigned char bytes[], void *values)
{
  PetscBool fits = PETSC_TRUE;

  for (size_t k = 0; k < count && fits; k++, bytes += type->size) {
    if (kind == PSD_H5_REAL) {
      ((PetscReal *)values)[k] = Real(type, bytes);
      continue;
    }
    const int64_t whole = Whole(type, bytes, &fits);
    if (whole > (int64_t)PETSC_MAX_INT || whole < (int64_t)PETSC_MIN_INT) fits = PETSC_FALSE;
    ((PetscInt *)values)[k] = (PetscInt)whole;
  }
  return fits;
}

/* ---------------------------------------------------------------- texts */

static PetscBool EndText(const char from[], size_t length, PetscBool spaces, size_t size, char text[])
{
  length = strnlen(from, length);
  while (spaces && length && from[length - 1] == ' ') length--;
  const PetscBool fits = (PetscBool)(length < size);
  memmove(text, from, fits ? length : 0); /* it may be in its place */
  text[fits ? length : 0] = '\0';
  return fits;
}

/* Where object `index` of the collection at `address` is, and its bytes; the objects lie one after the other. */
static uint64_t FindInHeap(PsdH5Plain *file, uint64_t address, uint64_t index, uint64_t *bytes, PsdFailure *failure)
{
  unsigned char heap[MOST_HEAP];

  PsdH5ReadPiece(file, address, 16, heap, failure);
  const uint64_t size = PsdH5Number(heap + 8, 8);
  if (failure->failed || memcmp(heap, "GCOL", 4) || heap[4] != 1 || size > MOST_HEAP || size < 16) return 0;
  PsdH5ReadPiece(file, address, (size_t)size, heap, failure);
  for (uint64_t at = 16; !failure->failed && at + 16 <= size;) {
    const uint64_t number = PsdH5Number(heap + at, 2);
    *bytes = PsdH5Number(heap + at + 8, 8);
    if (number == 0 || *bytes > size - at - 16) return 0;
    if (number == index) return address + at + 16;
    at += 16 + (*bytes + 7) / 8 * 8;
  }
  return 0;
}

static PetscBool CopyLongText(PsdH5Plain *file, const unsigned char value[], size_t size, char text[],
                              PsdFailure *failure)
{
  const uint64_t length = PsdH5Number(value, 4), heap = PsdH5Number(value + 4, 8);
  uint64_t bytes = 0;

  text[0] = '\0';
  if (length == 0) return PETSC_TRUE;
  const uint64_t place = FindInHeap(file, heap, PsdH5Number(value + 12, 4), &bytes, failure);
  if (!place || length > bytes) {
    PsdH5Damaged(file, "a text is not where it is said to be", failure);
    return PETSC_FALSE;
  }
  if (length > size) return PETSC_FALSE; /* as many bytes may end with a zero */
  PsdH5ReadPiece(file, place, (size_t)length, text, failure);
  return EndText(text, (size_t)length, PETSC_FALSE, size, text);
}

PetscBool PsdH5CopyText(PsdH5Plain *file, const PsdH5Type *type, const unsigned char value[], size_t size, char text[],
                        PsdFailure *failure)
{
  if (failure->failed) return PETSC_FALSE;
  if (type->kind == PSD_H5_LONG_TEXT) return CopyLongText(file, value, size, text, failure);
  return EndText((const char *)value, type->size, type->spaces, size, text);
}
