/*
   An array of NumPy's: an .npy, or a member of an .npz. It is the magic bytes "\x93NUMPY", a version, the length of a
   header, the header, which is the text of a Python dictionary ('descr', 'fortran_order', 'shape'), and then the items.
*/
#ifndef PSD_NUMPY_ARRAY_PRIVATE_H
#define PSD_NUMPY_ARRAY_PRIVATE_H

#include "data.h"

#define PSD_NUMPY_EXTENTS 4

typedef struct {
  const PsdImageFile *file;
  PsdBytes bytes;
  PetscBool streamed; /* read forward only */
  PetscInt64 begin;   /* of the items */
  PsdNumberType type; /* of numbers; of texts kind is 'S' (bytes) or 'U' (code points of four bytes) */
  PetscInt64 size;    /* bytes of an item */
  int rank;
  PetscInt64 extent[PSD_NUMPY_EXTENTS];
} PsdNumpyArray;

/* PsdNumpyArrayOpen - reads the header; texts: they are expected, in the place of numbers. PsdBytesClose may be called after
   an open that failed. */
PetscErrorCode PsdNumpyArrayOpen(const PsdImageFile *file, PetscBool texts, PsdNumpyArray *array, PsdFailure *failure);
/* PsdNumpyArrayRead - items first .. first + count - 1 of all of the array's. */
PetscErrorCode PsdNumpyArrayRead(PsdNumpyArray *array, PetscInt64 first, size_t count, void *items,
                                 PsdFailure *failure);
/* PsdNumpyArrayExpectEnd - that nothing follows the items. */
PetscErrorCode PsdNumpyArrayExpectEnd(PsdNumpyArray *array, PsdFailure *failure);
/* PsdNumpyArrayIsColumn - one item a line: one extent, or a second one of 1. */
PetscBool PsdNumpyArrayIsColumn(const PsdNumpyArray *array);
/* PsdNumpyArrayFail - records that the array is not what was expected. */
void PsdNumpyArrayFail(const PsdNumpyArray *array, const char what[], PsdFailure *failure);

/* PsdNumpyReadNames - the texts of an array of at most `most`, in UTF-8 and cut to PSD_CLASS_NAME_LENGTH: numpy_names.c. */
PetscErrorCode PsdNumpyReadNames(const PsdImageFile *file, PetscInt most, char (**names)[PSD_CLASS_NAME_LENGTH],
                                 PetscInt *count, PsdFailure *failure);

#endif
