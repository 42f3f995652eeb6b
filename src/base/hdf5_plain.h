/*
   HDF5 without the library: the parts of a file in HDF5's earliest form, which is what psdnet and, unless told otherwise,
   h5py write. HDF5's own parsers believe a file; these do not. Every piece is read into memory of our own, within the file,
   and how many pieces a file may ask for is limited, so that parts that refer to each other in a circle come to an end.

   After HDF5 File Format Specification, version 3.0: superblock 0 and 1, groups of symbol tables, object headers 1.
*/
#ifndef PSD_HDF5_PLAIN_PRIVATE_H
#define PSD_HDF5_PLAIN_PRIVATE_H

#include "hdf5_file.h"

#define PSD_H5_UNDEFINED UINT64_MAX /* the address of what is not there */
#define PSD_H5_NAME 128             /* longest name of an object, with its end */

/* Kinds of messages in an object header. */
typedef enum {
  PSD_H5_SPACE = 0x01,
  PSD_H5_TYPE = 0x03,
  PSD_H5_EXTERNAL = 0x07,
  PSD_H5_LAYOUT = 0x08,
  PSD_H5_FILTERS = 0x0b,
  PSD_H5_ATTRIBUTE = 0x0c,
  PSD_H5_CONTINUED = 0x10,
  PSD_H5_SYMBOLS = 0x11
} PsdH5MessageKind;

/* The bytes of a part of a message, and how many. */
typedef struct {
  const unsigned char *at;
  size_t size;
} PsdH5Bytes;

/* The types of numbers and texts that are read. */
typedef struct {
  enum { PSD_H5_OTHER, PSD_H5_WHOLE, PSD_H5_FLOAT, PSD_H5_TEXT, PSD_H5_LONG_TEXT } kind;
  uint32_t size;           /* bytes of one */
  PetscBool big, has_sign; /* of numbers */
  PetscBool spaces;        /* a text of PSD_H5_TEXT ends with them */
} PsdH5Type;

typedef struct {
  int axes;
  uint64_t extent[2]; /* of the first two axes */
  uint64_t points;
} PsdH5Space;

static inline uint64_t PsdH5Number(const unsigned char bytes[], int count)
{
  uint64_t number = 0;
  for (int k = count; k-- > 0;) number = number << 8 | bytes[k];
  return number;
}

/* hdf5_plain.c. PsdH5ReadPiece - `count` bytes at an address of the file. */
void PsdH5Damaged(PsdH5Plain *file, const char what[], PsdFailure *failure);
void PsdH5Unread(PsdH5Plain *file, const char name[], const char what[], PsdFailure *failure);
void PsdH5ReadPiece(PsdH5Plain *file, uint64_t address, size_t count, void *bytes, PsdFailure *failure);
void PsdH5ReadSuperblock(PsdH5Plain *file, PsdFailure *failure);
/* PsdH5ReadHeader - the messages of an object, to be freed with PsdH5FreeHeader also after a failure. */
PsdH5Header PsdH5ReadHeader(PsdH5Plain *file, uint64_t address, PsdFailure *failure);
void PsdH5FreeHeader(PsdH5Header *header);
/* PsdH5FindMessage - the number of the first one of the kind from `first` on, or -1. */
PetscInt PsdH5FindMessage(const PsdH5Header *header, PsdH5MessageKind kind, PetscInt first);
PsdH5Bytes PsdH5MessageBytes(const PsdH5Header *header, PetscInt number);

/* hdf5_find.c: the address of the header of what a group has under a name, of several words with '/' between them;
   PSD_H5_UNDEFINED when it has none. */
uint64_t PsdH5FindObject(PsdH5Group group, const char name[], PsdFailure *failure);

/* hdf5_value.c. False: damaged, or none that is read here. */
PetscBool PsdH5ParseType(PsdH5Bytes bytes, PsdH5Type *type);
PetscBool PsdH5ParseSpace(PsdH5Bytes bytes, PsdH5Space *space);
/* `count` numbers as PetscInt or PetscReal; false: one is beyond PetscInt. */
PetscBool PsdH5Convert(const PsdH5Type *type, PsdH5Kind kind, size_t count, const unsigned char bytes[], void *values);
/* The text of a value, ended; false: it has `size` bytes or more, or is not there. */
PetscBool PsdH5CopyText(PsdH5Plain *file, const PsdH5Type *type, const unsigned char value[], size_t size, char text[],
                        PsdFailure *failure);

#endif
