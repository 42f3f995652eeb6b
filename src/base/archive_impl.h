/*
   What writing and reading an archive share: where arrays lie, checksums of parts, the head of the file.
*/
#ifndef PSD_ARCHIVE_IMPL_H
#define PSD_ARCHIVE_IMPL_H

#include "archive.h"
#include "hdf5_sparse.h"
#include <stdint.h>

#define PSD_ARCHIVE_ARRAYS 96
#define PSD_ARCHIVE_NAME 48
#define PSD_ARCHIVE_HEAD 8192 /* bytes before HDF5's own: a "user block" */

typedef struct {
  char name[PSD_ARCHIVE_NAME];
  uint64_t offset, bytes; /* in the file */
  uint32_t checksum;      /* of all of it */
  PetscBool checked;      /* reading, on the root: the checksum was found to be right */
} PsdArchiveArray;

/* A part that this rank wrote or read. Three of the same kind, so that parts can be gathered as numbers. */
typedef struct {
  uint64_t offset, bytes, checksum;
} PsdArchivePart;

struct _p_PsdArchive {
  MPI_Comm comm;
  PetscMPIInt rank;
  char path[PETSC_MAX_PATH_LEN]; /* for messages */
  char format[PSD_ARCHIVE_NAME]; /* what the file is, ... */
  PetscInt version;              /* ... and in which version */
  PsdFailure failure;            /* the first failure here */
  PsdFile file;                  /* root, writing */
  PsdH5File hdf5;                /* root, writing */
  PsdH5Sparse sparse;            /* root, writing: what HDF5 makes */
  PsdH5Group root;               /* root, reading */
  int descriptor;                /* -1: not open */
  uint64_t bytes;                /* of the whole file */
  uint32_t rest;                 /* checksum of all that is neither head nor array */
  PetscInt count;                /* arrays */
  PsdArchiveArray array[PSD_ARCHIVE_ARRAYS];
  PetscInt parts, room;
  PsdArchivePart *part;
};

/* All but the last on one rank. */
uint32_t PsdArchiveChecksum(uint32_t so_far, const void *bytes, size_t count);
PetscErrorCode PsdArchiveAddPart(PsdArchive archive, uint64_t offset, uint64_t bytes, uint32_t checksum);
/* Checksum of what is neither head nor array. */
void PsdArchiveSumRest(PsdArchive archive, uint32_t *checksum);
/* pread and pwrite of everything asked for; what fails is recorded. */
void PsdArchiveReadBytes(PsdArchive archive, uint64_t offset, size_t count, void *bytes);
void PsdArchiveWriteBytes(PsdArchive archive, uint64_t offset, size_t count, const void *bytes);
/* The head as text, and back; false when it is none. */
void PsdArchiveWriteHead(PsdArchive archive, char head[PSD_ARCHIVE_HEAD]);
PetscBool PsdArchiveParseHead(PsdArchive archive, const char head[PSD_ARCHIVE_HEAD]);

/* PsdArchiveSumParts - on the root, for every array: its checksum from the parts of all ranks, and whether they cover it
   exactly. touched[k] false: no rank has a part of it. Collective. */
PetscErrorCode PsdArchiveSumParts(PsdArchive archive, PetscBool touched[], PetscBool whole[], uint32_t checksum[]);

#endif
