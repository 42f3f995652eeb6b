/*
   Reading an archive. Nothing of it is believed before its checksum was found to be right: first the head, then what is
   neither head nor array (HDF5's own structures and the numbers by name), and arrays as their parts are read.
*/
#define _GNU_SOURCE
#include "archive_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

PetscErrorCode PsdArchiveExists(MPI_Comm comm, const char path[], PetscBool *exists)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  struct stat found;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *exists = (PetscBool)(rank == 0 && (stat(path, &found) == 0 || errno != ENOENT));
  PetscCallMPI(MPI_Bcast(exists, 1, MPIU_BOOL, 0, comm));
  PetscFunctionReturn(0);
}

static void OpenFile(PsdArchive it)
{
  it->descriptor = open(it->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* not to wait for a writer should it be a pipe */
  if (it->descriptor < 0) PsdFailureRecord(&it->failure, "%s: cannot read it: %s", it->path, strerror(errno));
}

/* Root: the head, checked, and whether it is the head of this file. */
static void ReadHead(PsdArchive it, const char format[], PetscInt version)
{
  const char *expected = format ? format : "psdnet archive";
  char head[PSD_ARCHIVE_HEAD];
  struct stat found;

  OpenFile(it);
  if (it->failure.failed) return;
  if (fstat(it->descriptor, &found) || !S_ISREG(found.st_mode)) {
    PsdFailureRecord(&it->failure, "%s: not a regular file, expected a %s", it->path, expected);
    return;
  }
  if (found.st_size < PSD_ARCHIVE_HEAD) {
    PsdFailureRecord(&it->failure, "%s: truncated, or not a %s: it has %lld bytes", it->path, expected,
                     (long long)found.st_size);
    return;
  }
  PsdArchiveReadBytes(it, 0, sizeof(head), head);
  if (it->failure.failed) return;
  if (!PsdArchiveParseHead(it, head)) PsdFailureRecord(&it->failure, "%s: damaged, or not a %s", it->path, expected);
  else if (format && strcmp(it->format, format))
    PsdFailureRecord(&it->failure, "%s: is a %s, expected a %s", it->path, it->format, format);
  else if (format && it->version != version)
    PsdFailureRecord(&it->failure, "%s: is of version %" PetscInt_FMT " of its format, expected %" PetscInt_FMT,
                     it->path, it->version, version);
  else if ((uint64_t)found.st_size != it->bytes)
    PsdFailureRecord(&it->failure, "%s: has %lld bytes, expected %llu: truncated or damaged", it->path,
                     (long long)found.st_size, (unsigned long long)it->bytes);
}

static void CheckRest(PsdArchive it)
{
  uint32_t checksum;

  if (it->failure.failed) return;
  PsdArchiveSumRest(it, &checksum);
  if (!it->failure.failed && checksum != it->rest)
    PsdFailureRecord(&it->failure, "%s: damaged: the checksum of its description is wrong", it->path);
}

PetscErrorCode PsdArchiveOpen(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                              PsdArchive *archive)
{
  PetscFunctionBeginUser;
  PsdArchive it;
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->descriptor = -1;
  PetscCall(PetscStrncpy(it->path, path, sizeof(it->path)));
  it->hdf5 = (PsdH5File){.id = -1, .path = it->path};
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  if (it->rank == 0) {
    ReadHead(it, format, version);
    CheckRest(it);
    it->root = PsdH5Open(it->descriptor, it->path, PSD_ARCHIVE_HEAD, &it->failure);
  }
  PetscErrorCode code = PsdFailureAgree(comm, &it->failure);
  if (!code) {
    PetscCallMPI(MPI_Bcast(&it->count, 1, MPIU_INT, 0, comm));
    PetscCallMPI(MPI_Bcast(it->array, (PetscMPIInt)sizeof(it->array), MPI_BYTE, 0, comm));
    if (it->rank > 0) OpenFile(it);
    code = PsdFailureAgree(comm, &it->failure);
  }
  if (code) PetscCall(PsdArchiveDestroy(&it));
  *archive = it;
  PetscFunctionReturn(code);
}

PetscErrorCode PsdArchiveGetInt(PsdArchive it, const char name[], PetscInt *value)
{
  PetscFunctionBeginUser;
  *value = 0;
  if (it->rank == 0) PsdH5ReadAttribute(it->root, name, PSD_H5_INTEGER, 1, value, &it->failure);
  PetscCallMPI(MPI_Bcast(value, 1, MPIU_INT, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdArchiveGetReal(PsdArchive it, const char name[], PetscReal *value)
{
  PetscFunctionBeginUser;
  *value = 0;
  if (it->rank == 0) {
    PsdH5ReadAttribute(it->root, name, PSD_H5_REAL, 1, value, &it->failure);
    if (PetscIsInfOrNanReal(*value)) PsdFailureRecord(&it->failure, "%s: '%s' is not a finite number", it->path, name);
  }
  PetscCallMPI(MPI_Bcast(value, 1, MPIU_REAL, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdArchiveGetText(PsdArchive it, const char name[], char text[])
{
  PetscFunctionBeginUser;
  text[0] = '\0';
  if (it->rank == 0) PsdH5ReadText(it->root, name, text, PSD_ARCHIVE_TEXT, &it->failure);
  PetscCallMPI(MPI_Bcast(text, PSD_ARCHIVE_TEXT, MPI_CHAR, 0, it->comm));
  PetscFunctionReturn(0);
}

PetscInt64 PsdArchiveFind(PsdArchive it, const char name[], PetscInt64 length, PetscInt *array)
{
  PetscInt64 found = 0;

  *array = -1;
  for (PetscInt k = 0; k < it->count; k++) {
    if (strcmp(it->array[k].name, name)) continue;
    *array = k;
    found = (PetscInt64)(it->array[k].bytes / sizeof(PetscReal));
  }
  if (length >= 0 && found != length)
    PsdFailureRecord(&it->failure, "%s: array %s has %lld numbers, expected %lld", it->path, name, (long long)found,
                     (long long)length);
  return found;
}

static void CheckFinite(PsdArchive it, PetscInt array, PetscInt64 count, const PetscReal numbers[])
{
  for (PetscInt64 k = 0; k < count && !it->failure.failed; k++)
    if (PetscIsInfOrNanReal(numbers[k]))
      PsdFailureRecord(&it->failure, "%s: array %s holds a number that is not finite", it->path, it->array[array].name);
}

void PsdArchiveGet(PsdArchive it, PetscInt array, PetscInt64 first, PetscInt64 count, PetscReal numbers[])
{
  if (array < 0 || count == 0 || it->failure.failed) return;
  const uint64_t bytes = (uint64_t)count * sizeof(*numbers);
  const uint64_t offset = it->array[array].offset + (uint64_t)first * sizeof(*numbers);
  PsdArchiveReadBytes(it, offset, bytes, numbers);
  if (it->failure.failed) return;
  if (PsdArchiveAddPart(it, offset, bytes, PsdArchiveChecksum(0, numbers, bytes)))
    PsdFailureRecord(&it->failure, "%s: no memory to read it", it->path);
  CheckFinite(it, array, count, numbers);
}

static void CheckArray(PsdArchive it, PsdArchiveArray *array, uint32_t checksum)
{
  array->checked = (PetscBool)(checksum == array->checksum);
  if (!array->checked)
    PsdFailureRecord(&it->failure, "%s: damaged: the checksum of array %s is wrong", it->path, array->name);
}

PetscErrorCode PsdArchiveGetAll(PsdArchive it, PetscInt array, PetscReal numbers[])
{
  PetscFunctionBeginUser;
  size_t count = 0;
  if (array >= 0) {
    const size_t bytes = (size_t)it->array[array].bytes;
    count = bytes / sizeof(*numbers);
    if (it->rank == 0 && !it->failure.failed) {
      PsdArchiveReadBytes(it, it->array[array].offset, bytes, numbers);
      if (!it->failure.failed) CheckArray(it, &it->array[array], PsdArchiveChecksum(0, numbers, bytes));
      CheckFinite(it, array, count, numbers);
    }
  }
  PetscCall(PsdFailureAgree(it->comm, &it->failure));
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, count, numbers));
  PetscFunctionReturn(0);
}

/* Root: an array that nobody asked for. */
static void CheckUntouched(PsdArchive it, PsdArchiveArray *array)
{
  PetscReal piece[512];
  uint32_t checksum = 0;

  for (uint64_t at = 0; at < array->bytes && !it->failure.failed; at += sizeof(piece)) {
    const size_t bytes = (size_t)PetscMin(sizeof(piece), array->bytes - at);
    PsdArchiveReadBytes(it, array->offset + at, bytes, piece);
    checksum = PsdArchiveChecksum(checksum, piece, bytes);
  }
  if (!it->failure.failed) CheckArray(it, array, checksum);
}

PetscErrorCode PsdArchiveClose(PsdArchive *archive)
{
  PetscFunctionBeginUser;
  PsdArchive it = *archive;
  PetscBool touched[PSD_ARCHIVE_ARRAYS], whole[PSD_ARCHIVE_ARRAYS];
  uint32_t checksum[PSD_ARCHIVE_ARRAYS];
  PetscErrorCode code = PsdFailureAgree(it->comm, &it->failure);
  if (!code) {
    PetscCall(PsdArchiveSumParts(it, touched, whole, checksum));
    for (PetscInt k = 0; k < it->count && it->rank == 0; k++) {
      if (it->array[k].checked) continue;
      if (touched[k] && whole[k]) CheckArray(it, &it->array[k], checksum[k]);
      else CheckUntouched(it, &it->array[k]);
    }
    code = PsdFailureAgree(it->comm, &it->failure);
  }
  PetscCall(PsdArchiveDestroy(archive));
  PetscFunctionReturn(code);
}
