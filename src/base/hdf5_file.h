/*
   Small steps over HDF5, on one rank, that name what is wrong. A step after a failure does nothing. Files are written with
   the library (hdf5_write.c) and read without it (hdf5_read.c, hdf5_plain.h), in HDF5's earliest form: what is damaged
   or made to do harm meets no parser but ours.
*/
#ifndef PSD_HDF5_FILE_PRIVATE_H
#define PSD_HDF5_FILE_PRIVATE_H

#include "base.h"
#include <hdf5.h>
#include <stdint.h>

typedef enum { PSD_H5_INTEGER, PSD_H5_REAL } PsdH5Kind; /* PetscInt, PetscReal */

/* ---------------------------------------------------------------- reading: hdf5_read.c */

/* An open file. */
typedef struct {
  int descriptor;
  const char *path;     /* for messages */
  uint64_t base, bytes; /* where addresses count from, and how many bytes there are from there on */
  uint64_t root;        /* address of the root's header */
  uint64_t claimed;     /* bytes of arrays that were read */
  size_t effort;        /* spent on all else */
} PsdH5Plain;

/* The messages of an object: kinds, sizes, and places in `bytes`. */
typedef struct {
  PetscInt count;
  struct {
    unsigned kind, flags;
    size_t size, place;
  } * message;
  unsigned char *bytes;
  size_t size;
} PsdH5Header;

/* A group of a file: the root, or one inside. */
typedef struct {
  PsdH5Plain *file; /* NULL: not open */
  PsdH5Header header;
  const char *path; /* for messages */
} PsdH5Group;

/* PsdH5Open - the root of a file that is open, and stays so, whose HDF5 begins at byte `base`. To be closed also after a
   failure. */
PsdH5Group PsdH5Open(int descriptor, const char path[], uint64_t base, PsdFailure *failure);
void PsdH5Close(PsdH5Group *root);
/* PsdH5OpenGroup - a group inside, for attributes and data sets of its own. */
PsdH5Group PsdH5OpenGroup(PsdH5Group group, const char name[], PsdFailure *failure);
void PsdH5CloseGroup(PsdH5Group *group);
PetscBool PsdH5Exists(PsdH5Group group, const char name[], PsdFailure *failure);
PetscBool PsdH5HasAttribute(PsdH5Group group, const char name[]);
/* Attributes: `count` numbers; a text, shorter than `size`; whole numbers given in digits as an array of texts (malloc). */
void PsdH5ReadAttribute(PsdH5Group group, const char name[], PsdH5Kind kind, PetscInt count, void *values,
                        PsdFailure *failure);
void PsdH5ReadText(PsdH5Group group, const char name[], char text[], size_t size, PsdFailure *failure);
void PsdH5ReadLabels(PsdH5Group group, const char name[], PetscInt *count, PetscInt **labels, PsdFailure *failure);
/* PsdH5ReadTexts - `count` texts, each shorter than `size`, one after the other in `size` bytes each (malloc). */
char *PsdH5ReadTexts(PsdH5Group group, const char name[], PetscInt count, size_t size, PsdFailure *failure);

/* Contiguous data sets of `axes` (1 or 2) axes: their shape, and all of their numbers (malloc). The arrays that are read have
   no more bytes together than the file. */
void PsdH5ReadShape(PsdH5Group group, const char name[], int axes, PetscInt shape[], PsdFailure *failure);
void *PsdH5ReadArray(PsdH5Group group, const char name[], PsdH5Kind kind, PsdFailure *failure);

/* ---------------------------------------------------------------- writing: hdf5_write.c */

typedef struct {
  hid_t id;         /* negative: not open */
  const char *path; /* for messages */
} PsdH5File;

/* PsdH5FileAccess - the access list of new files: HDF5's earliest form. Negative: HDF5 fails. */
hid_t PsdH5FileAccess(void);
/* A file that is built in memory, so that only PsdH5Save meets the disk, and its errors are the system's own. */
PsdH5File PsdH5Create(const char path[], PsdFailure *failure);
PsdH5File PsdH5CreateGroup(PsdH5File file, const char name[], PsdFailure *failure);
void PsdH5CloseFile(PsdH5File *file);
void PsdH5CloseNewGroup(PsdH5File *group);
/* count 0: a scalar, else a list. Texts are of one length, the longest one's. */
void PsdH5WriteAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, const void *values,
                         PsdFailure *failure);
void PsdH5WriteTexts(PsdH5File file, const char name[], PetscInt count, const char *const texts[], PsdFailure *failure);
void PsdH5WriteArray(PsdH5File file, const char name[], PsdH5Kind kind, int axes, const PetscInt shape[],
                     const void *values, PsdFailure *failure);
/* PsdH5Save - behind a seal that says what the file is. */
void PsdH5Save(PsdH5File file, const char format[], PetscInt version, PsdFile *output, PsdFailure *failure);

/* ---------------------------------------------------------------- seals: hdf5_seal.c

   The first PSD_H5_SEAL bytes of a file: text that has a checksum of all other bytes. HDF5 passes over them. */

#define PSD_H5_SEAL 512

void PsdH5MakeSeal(const char format[], PetscInt version, const void *rest, size_t count, char seal[PSD_H5_SEAL]);
/* PsdH5CheckSeal - returns the version, 0 when the file is HDF5 from its first byte on, as files without a seal are.
   Anything else, another format, a version above `most`, and a wrong checksum are failures. */
PetscInt PsdH5CheckSeal(int descriptor, const char path[], const char format[], PetscInt most, PsdFailure *failure);

#endif
