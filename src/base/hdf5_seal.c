/*
   The text before an HDF5 file that has the checksum of all of it (docs/formats.md, "model.h5"): what was damaged after it
   was written is refused before anything of it is believed.

   Its first line has the CRC-32 of every byte that follows, the second one the length of the file; spaces fill it up.
*/
#include "hdf5_file.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define SIGNATURE "\211HDF\r\n\032\n" /* of HDF5 */
#define PIECE 65536

/* Returns how long the first line is. */
static size_t FirstLine(const char format[], PetscInt version, uint32_t checksum, char seal[PSD_H5_SEAL])
{
  return (size_t)snprintf(seal, PSD_H5_SEAL, "%s %" PetscInt_FMT " checksum %08" PRIx32 "\n", format, version,
                          checksum);
}

/* All but the checksum, which the first line has as zero; returns how long that line is. */
static size_t Blank(const char format[], PetscInt version, uint64_t bytes, char seal[PSD_H5_SEAL])
{
  memset(seal, ' ', PSD_H5_SEAL);
  const size_t first = FirstLine(format, version, 0, seal);
  const int second = snprintf(seal + first, PSD_H5_SEAL - first, "bytes %" PRIu64 "\n", bytes);
  seal[first + (size_t)second] = ' '; /* snprintf's end */
  seal[PSD_H5_SEAL - 1] = '\n';
  return first;
}

static void PutChecksum(const char format[], PetscInt version, uint32_t checksum, char seal[PSD_H5_SEAL])
{
  char line[PSD_H5_SEAL];
  const size_t length = FirstLine(format, version, checksum, line);
  memcpy(seal, line, length);
}

void PsdH5MakeSeal(const char format[], PetscInt version, const void *rest, size_t count, char seal[PSD_H5_SEAL])
{
  const size_t first = Blank(format, version, (uint64_t)count + PSD_H5_SEAL, seal);
  const uint32_t text = (uint32_t)crc32_z(0, (const unsigned char *)seal + first, PSD_H5_SEAL - first);
  PutChecksum(format, version, (uint32_t)crc32_z(text, rest, count), seal);
}

/* Of bytes begin .. end-1; what cannot be read ends it, and the checksum is then another one. */
static uint32_t SumFile(int descriptor, size_t begin, uint64_t end)
{
  unsigned char piece[PIECE];
  uint32_t checksum = 0;

  for (uint64_t at = begin; at < end;) {
    const ssize_t done = pread(descriptor, piece, (size_t)PetscMin(sizeof(piece), end - at), (off_t)at);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return checksum;
    checksum = (uint32_t)crc32_z(checksum, piece, (size_t)done);
    at += (uint64_t)done;
  }
  return checksum;
}

/* The version in a first line that begins with the format; 0: it does not. */
static PetscInt ParseVersion(const char seal[], const char format[])
{
  const size_t length = strlen(format);

  if (strncmp(seal, format, length) || seal[length] != ' ') return 0;
  const char *digits = seal + length + 1;
  const size_t count = strspn(digits, "0123456789");
  return count > 0 && count < 10 && digits[count] == ' ' ? (PetscInt)strtol(digits, NULL, 10) : 0;
}

static void CheckSum(int descriptor, const char path[], const char format[], PetscInt version, const char seal[],
                     PsdFailure *failure)
{
  char expected[PSD_H5_SEAL];
  struct stat found;

  if (fstat(descriptor, &found)) {
    PsdFailureRecord(failure, "%s: cannot read it: %s", path, strerror(errno));
    return;
  }
  const size_t first = Blank(format, version, (uint64_t)found.st_size, expected);
  PutChecksum(format, version, SumFile(descriptor, first, (uint64_t)found.st_size), expected);
  if (memcmp(seal, expected, PSD_H5_SEAL))
    PsdFailureRecord(failure, "%s: truncated or damaged: its checksum or its length is wrong", path);
}

PetscInt PsdH5CheckSeal(int descriptor, const char path[], const char format[], PetscInt most, PsdFailure *failure)
{
  char seal[PSD_H5_SEAL + 1] = "";

  if (failure->failed) return 0;
  const ssize_t bytes = pread(descriptor, seal, PSD_H5_SEAL, 0);
  if (bytes < 0) PsdFailureRecord(failure, "%s: cannot read it: %s", path, strerror(errno));
  if (bytes >= 8 && !memcmp(seal, SIGNATURE, 8)) return 0;
  const PetscInt version = ParseVersion(seal, format);
  if (version < 1) PsdFailureRecord(failure, "%s: not a %s, or damaged", path, format);
  else if (version > most)
    PsdFailureRecord(failure,
                     "%s: is a %s of version %" PetscInt_FMT ", this program reads versions up to %" PetscInt_FMT, path,
                     format, version, most);
  else if (bytes < PSD_H5_SEAL) PsdFailureRecord(failure, "%s: truncated: it has %zd bytes", path, bytes);
  else CheckSum(descriptor, path, format, version, seal, failure);
  return version;
}
