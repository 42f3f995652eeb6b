/*
   A file of named numbers and arrays of reals that all ranks write and read together, each its own part (docs/formats.md,
   "Archives"). It is an HDF5 file; whatever number of ranks wrote it, any number reads it, and every byte of it is covered
   by a checksum.

   The root alone describes the file, with HDF5, which says where each array lies; the numbers themselves every rank writes
   and reads at their places. So a disk that fills up is an error of write() on one rank, with the system's words for
   it, and neither a collective call that others wait in nor an HDF5 file that cannot be closed.

   A failure on one rank is kept, later steps do nothing, and the next collective function marked "agrees" returns
   PSD_ERR_INPUT on all ranks with one line that names the file.
*/
#ifndef PSD_ARCHIVE_PRIVATE_H
#define PSD_ARCHIVE_PRIVATE_H

#include "base.h"
#include "hdf5_file.h"

#define PSD_ARCHIVE_TEXT 8192 /* longest text, with its end */

typedef struct _p_PsdArchive *PsdArchive;

/* ---------------------------------------------------------------- writing: archive_write.c

   In this order: Create; texts, numbers and arrays, alike on all ranks; Layout; Put, each rank its own parts; Commit. */

/* PsdArchiveCreate - under a temporary name beside `path`. format, version: what the file is. Collective. */
PetscErrorCode PsdArchiveCreate(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                                PsdArchive *archive);
/* The root's value is the one written. Not collective. */
void PsdArchiveAddInt(PsdArchive archive, const char name[], PetscInt value);
void PsdArchiveAddReal(PsdArchive archive, const char name[], PetscReal value);
void PsdArchiveAddText(PsdArchive archive, const char name[], const char text[]);
/* PsdArchiveAddArray - rows x columns, row-major; name begins with '/'. Returns a number to call it by. Not collective. */
PetscInt PsdArchiveAddArray(PsdArchive archive, const char name[], PetscInt64 rows, PetscInt64 columns);
/* PsdArchiveAddVector - the same with one axis. */
PetscInt PsdArchiveAddVector(PsdArchive archive, const char name[], PetscInt64 length);
/* PsdArchiveLayout - no more names after this one. Collective. Agrees; then the archive is still to be committed. */
PetscErrorCode PsdArchiveLayout(PsdArchive archive);
/* PsdArchiveDescribe - what HDF5 itself keeps, on the root, for groups and attributes beyond those above: to be written to
   before Layout. */
PsdH5File PsdArchiveDescribe(PsdArchive archive, PsdFailure **failure);
/* PsdArchivePut - numbers first .. first+count-1 of an array, counted through its rows. Every number is put by exactly one
   rank. Not collective. */
void PsdArchivePut(PsdArchive archive, PetscInt array, PetscInt64 first, PetscInt64 count, const PetscReal numbers[]);
/* PsdArchiveCommit - synced and renamed to `path`, or, after a failure, removed; `path` is then as it was. Collective. Agrees. */
PetscErrorCode PsdArchiveCommit(PsdArchive *archive);

/* ---------------------------------------------------------------- reading: archive_read.c

   Open; numbers and texts; Get, each rank its own parts; Close. What is outside of arrays has been checked after Open, what
   GetAll returns at once, other arrays at Close. */

/* PsdArchiveExists - whether there is anything of that name. Collective. */
PetscErrorCode PsdArchiveExists(MPI_Comm comm, const char path[], PetscBool *exists);
/* PsdArchiveOpen - errors: cannot be read, not an archive, another format or version, damaged. format NULL: any.
   Collective. Agrees. */
PetscErrorCode PsdArchiveOpen(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                              PsdArchive *archive);
/* Collective; the values are those of all ranks. Failures are kept. text: PSD_ARCHIVE_TEXT bytes. */
PetscErrorCode PsdArchiveGetInt(PsdArchive archive, const char name[], PetscInt *value);
PetscErrorCode PsdArchiveGetReal(PsdArchive archive, const char name[], PetscReal *value);
PetscErrorCode PsdArchiveGetText(PsdArchive archive, const char name[], char text[]);
/* PsdArchiveDescription - what PsdArchiveDescribe was written to, on the root, after Open. */
PsdH5Group PsdArchiveDescription(PsdArchive archive, PsdFailure **failure);
/* PsdArchiveFind - the number of an array; a failure when its length is not the one expected (length < 0: any). Returns the
   length, 0 for an array that is not there. Not collective, alike on all ranks. */
PetscInt64 PsdArchiveFind(PsdArchive archive, const char name[], PetscInt64 length, PetscInt *array);
/* PsdArchiveGet - as PsdArchivePut; parts of different ranks do not overlap. Not collective. */
void PsdArchiveGet(PsdArchive archive, PetscInt array, PetscInt64 first, PetscInt64 count, PetscReal numbers[]);
/* PsdArchiveGetAll - all of an array on every rank, checked. Collective. Agrees. */
PetscErrorCode PsdArchiveGetAll(PsdArchive archive, PetscInt array, PetscReal numbers[]);
/* PsdArchiveFail - keeps a failure of this rank: a line, which the file's name is put before. Not collective. */
void PsdArchiveFail(PsdArchive archive, const char text[]);
/* PsdArchiveAgree - ends here when something has failed. Collective. Agrees. */
PetscErrorCode PsdArchiveAgree(PsdArchive archive);
/* PsdArchiveClose - checks all arrays; frees. Collective. Agrees. */
PetscErrorCode PsdArchiveClose(PsdArchive *archive);
/* PsdArchiveDestroy - frees without a check, for those who leave on an error. Not collective. */
PetscErrorCode PsdArchiveDestroy(PsdArchive *archive);

#endif
