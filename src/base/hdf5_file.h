/*
   Small steps over HDF5, on one rank, that name what is wrong (hdf5_read.c, hdf5_write.c). A step after a failure does nothing.
*/
#ifndef PSD_HDF5_FILE_PRIVATE_H
#define PSD_HDF5_FILE_PRIVATE_H

#include "base.h"
#include <hdf5.h>

typedef enum { PSD_H5_INTEGER, PSD_H5_REAL } PsdH5Kind; /* PetscInt, PetscReal */

typedef struct {
  hid_t id;         /* negative: not open */
  const char *path; /* for messages */
} PsdH5File;

hid_t PsdH5MemoryType(PsdH5Kind kind);
PsdH5File PsdH5Open(const char path[], PsdFailure *failure);
void PsdH5Close(PsdH5File *file);
PetscBool PsdH5Exists(PsdH5File file, const char name[]); /* name begins with '/' */

/* A group of a file, for data sets and attributes of its own. */
PsdH5File PsdH5OpenGroup(PsdH5File file, const char name[], PsdFailure *failure);
PsdH5File PsdH5CreateGroup(PsdH5File file, const char name[], PsdFailure *failure);
void PsdH5CloseGroup(PsdH5File *group);
PetscBool PsdH5HasAttribute(PsdH5File file, const char name[]);
/* Attributes of the root: `count` numbers; a text; whole numbers given in digits as an array of texts (malloc). */
void PsdH5ReadAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, void *values,
                        PsdFailure *failure);
void PsdH5ReadText(PsdH5File file, const char name[], char text[], size_t size, PsdFailure *failure);
void PsdH5ReadLabels(PsdH5File file, const char name[], PetscInt *count, PetscInt **labels, PsdFailure *failure);

/* Data sets of `axes` (1 or 2) axes: their shape, and all of their numbers (malloc). */
void PsdH5ReadShape(PsdH5File file, const char name[], int axes, PetscInt shape[], PsdFailure *failure);
void *PsdH5ReadArray(PsdH5File file, const char name[], PsdH5Kind kind, PsdFailure *failure);

/* A file that is built in memory, so that only PsdH5Save meets the disk, and its errors are the system's own. */
PsdH5File PsdH5Create(const char path[], PsdFailure *failure);
/* count 0: a scalar, else a list */
void PsdH5WriteAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, const void *values,
                         PsdFailure *failure);
void PsdH5WriteTexts(PsdH5File file, const char name[], PetscInt count, const char *const texts[], PsdFailure *failure);
void PsdH5WriteArray(PsdH5File file, const char name[], PsdH5Kind kind, int axes, const PetscInt shape[],
                     const void *values, PsdFailure *failure);
void PsdH5Save(PsdH5File file, PsdFile *output, PsdFailure *failure);

#endif
