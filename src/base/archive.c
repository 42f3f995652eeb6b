/*
   Archives: the head of the file, and checksums of a file whose parts were written or read by different ranks.

   CRC-32 of consecutive parts combine to that of the whole without reading anything twice (zlib's crc32_combine). It notices
   every error within 32 consecutive bits for certain, and others but for one in 2^32.
*/
#include "archive_impl.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

uint32_t PsdArchiveChecksum(uint32_t so_far, const void *bytes, size_t count)
{
  return (uint32_t)crc32_z(so_far, bytes, count);
}

PsdH5File PsdArchiveDescribe(PsdArchive it, PsdFailure **failure)
{
  *failure = &it->failure;
  return it->hdf5;
}

PsdH5Group PsdArchiveDescription(PsdArchive it, PsdFailure **failure)
{
  *failure = &it->failure;
  return it->root;
}

PetscErrorCode PsdArchiveAddPart(PsdArchive it, uint64_t offset, uint64_t bytes, uint32_t checksum)
{
  PetscFunctionBeginUser;
  if (it->parts == it->room) {
    const PetscInt room = 2 * it->room + 16;
    PetscCall(PetscRealloc((size_t)room * sizeof(*it->part), &it->part));
    it->room = room;
  }
  it->part[it->parts++] = (PsdArchivePart){offset, bytes, checksum};
  PetscFunctionReturn(0);
}

void PsdArchiveReadBytes(PsdArchive it, uint64_t offset, size_t count, void *bytes)
{
  char *to = bytes;

  while (count && !it->failure.failed) {
    const ssize_t done = pread(it->descriptor, to, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) PsdFailureRecord(&it->failure, "%s: cannot read it: %s", it->path, strerror(errno));
    else if (done == 0) PsdFailureRecord(&it->failure, "%s: truncated at byte %" PRIu64, it->path, offset);
    if (done <= 0) return;
    to += done;
    offset += (uint64_t)done;
    count -= (size_t)done;
  }
}

void PsdArchiveWriteBytes(PsdArchive it, uint64_t offset, size_t count, const void *bytes)
{
  const char *from = bytes;

  while (count && !it->failure.failed) {
    const ssize_t done = pwrite(it->descriptor, from, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(done < 0 ? errno : EIO));
    if (done <= 0) return;
    from += done;
    offset += (uint64_t)done;
    count -= (size_t)done;
  }
}

/* ---------------------------------------------------------------- the head

   Text, so that `head -c 8192 FILE` shows it: a first line with the checksum of all that follows it, then one word and its
   values a line, then spaces. */

#define FIRST_WORDS "psdnet-archive 1 checksum "
#define FIRST_LINE (sizeof(FIRST_WORDS) - 1 + 9) /* eight digits, end of line */

static void FirstLine(const char head[PSD_ARCHIVE_HEAD], char line[FIRST_LINE + 1])
{
  snprintf(line, FIRST_LINE + 1, FIRST_WORDS "%08" PRIx32 "\n",
           PsdArchiveChecksum(0, head + FIRST_LINE, PSD_ARCHIVE_HEAD - FIRST_LINE));
}

void PsdArchiveWriteHead(PsdArchive it, char head[PSD_ARCHIVE_HEAD])
{
  char line[FIRST_LINE + 1];
  size_t at = FIRST_LINE;

  memset(head, ' ', PSD_ARCHIVE_HEAD);
  at += (size_t)snprintf(head + at, PSD_ARCHIVE_HEAD - at,
                         "format %s %" PetscInt_FMT "\nbytes %" PRIu64 "\nrest %08" PRIx32 "\n", it->format,
                         it->version, it->bytes, it->rest);
  for (PetscInt k = 0; k < it->count; k++)
    at += (size_t)snprintf(head + at, PSD_ARCHIVE_HEAD - at, "array %s %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n",
                           it->array[k].name, it->array[k].offset, it->array[k].bytes, it->array[k].checksum);
  head[at] = ' '; /* snprintf's end */
  head[PSD_ARCHIVE_HEAD - 1] = '\n';
  FirstLine(head, line);
  memcpy(head, line, FIRST_LINE);
}

/* One line of the head: its checksum is right, so anything else than what is written above is a file of another kind. */
static PetscBool ParseLine(PsdArchive it, const char line[])
{
  PsdArchiveArray *array = &it->array[it->count];

  if (sscanf(line, "format %47s %" PetscInt_FMT, it->format, &it->version) == 2) return PETSC_TRUE;
  if (sscanf(line, "bytes %" SCNu64, &it->bytes) == 1) return PETSC_TRUE;
  if (sscanf(line, "rest %" SCNx32, &it->rest) == 1) return PETSC_TRUE;
  if (it->count == PSD_ARCHIVE_ARRAYS) return PETSC_FALSE;
  if (sscanf(line, "array %47s %" SCNu64 " %" SCNu64 " %" SCNx32, array->name, &array->offset, &array->bytes,
             &array->checksum) != 4)
    return PETSC_FALSE;
  it->count++;
  return PETSC_TRUE;
}

/* Arrays lie one after the other behind the head, inside the file, in whole numbers. */
static PetscBool ArraysArePlaced(PsdArchive it)
{
  uint64_t end = PSD_ARCHIVE_HEAD;

  for (PetscInt k = 0; k < it->count; k++) {
    const PsdArchiveArray *array = &it->array[k];
    if (array->offset < end || array->bytes > it->bytes || array->offset > it->bytes - array->bytes) return PETSC_FALSE;
    if (array->bytes == 0 || array->bytes % sizeof(PetscReal)) return PETSC_FALSE;
    end = array->offset + array->bytes;
  }
  return PETSC_TRUE;
}

PetscBool PsdArchiveParseHead(PsdArchive it, const char head[PSD_ARCHIVE_HEAD])
{
  char line[FIRST_LINE + 1], text[PSD_ARCHIVE_HEAD + 1], *rest = NULL;

  FirstLine(head, line);
  if (memcmp(head, line, FIRST_LINE)) return PETSC_FALSE;
  memcpy(text, head, PSD_ARCHIVE_HEAD);
  text[PSD_ARCHIVE_HEAD] = '\0';
  for (char *word = strtok_r(text + FIRST_LINE, "\n", &rest); word; word = strtok_r(NULL, "\n", &rest))
    if (word[0] != ' ' && !ParseLine(it, word)) return PETSC_FALSE;
  return ArraysArePlaced(it);
}

/* ---------------------------------------------------------------- checksums */

static void SumBytes(PsdArchive it, uint64_t begin, uint64_t end, uint32_t *checksum)
{
  unsigned char piece[4096];

  while (begin < end && !it->failure.failed) {
    const size_t count = (size_t)PetscMin(sizeof(piece), end - begin);
    PsdArchiveReadBytes(it, begin, count, piece);
    if (!it->failure.failed) *checksum = PsdArchiveChecksum(*checksum, piece, count);
    begin += count;
  }
}

void PsdArchiveSumRest(PsdArchive it, uint32_t *checksum)
{
  uint64_t at = PSD_ARCHIVE_HEAD;

  *checksum = 0;
  for (PetscInt k = 0; k < it->count; k++) {
    SumBytes(it, at, it->array[k].offset, checksum);
    at = it->array[k].offset + it->array[k].bytes;
  }
  SumBytes(it, at, it->bytes, checksum);
}

static int CompareParts(const void *a, const void *b)
{
  const uint64_t left = ((const PsdArchivePart *)a)->offset, right = ((const PsdArchivePart *)b)->offset;
  return (left > right) - (left < right);
}

/* All ranks' parts on the root, by their place in the file; PetscFree. */
static PetscErrorCode GatherParts(PsdArchive it, PetscInt *count, PsdArchivePart **all)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, mine, total = 0, *counts, *offsets;
  MPI_Datatype type;
  PetscCallMPI(MPI_Comm_size(it->comm, &ranks));
  PetscCall(PetscMPIIntCast(it->parts, &mine));
  PetscCall(PetscMalloc2(ranks, &counts, ranks, &offsets));
  PetscCallMPI(MPI_Gather(&mine, 1, MPI_INT, counts, 1, MPI_INT, 0, it->comm));
  for (PetscMPIInt r = 0; r < ranks && it->rank == 0; r++) {
    offsets[r] = total;
    total += counts[r];
  }
  PetscCall(PetscMalloc1(total + 1, all));
  PetscCallMPI(MPI_Type_contiguous(3, MPI_UINT64_T, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Gatherv(it->part, mine, type, *all, counts, offsets, type, 0, it->comm));
  PetscCallMPI(MPI_Type_free(&type));
  PetscCall(PetscFree2(counts, offsets));
  qsort(*all, (size_t)total, sizeof(**all), CompareParts);
  *count = total;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdArchiveSumParts(PsdArchive it, PetscBool touched[], PetscBool whole[], uint32_t checksum[])
{
  PetscFunctionBeginUser;
  PetscInt count, next = 0;
  PsdArchivePart *all;
  PetscCall(GatherParts(it, &count, &all));
  for (PetscInt k = 0; k < it->count && it->rank == 0; k++) {
    const uint64_t end = it->array[k].offset + it->array[k].bytes;
    uint64_t at = it->array[k].offset;
    touched[k] = (PetscBool)(next < count && all[next].offset < end);
    whole[k] = PETSC_TRUE;
    checksum[k] = 0;
    for (; next < count && all[next].offset < end; next++) {
      if (all[next].offset != at) whole[k] = PETSC_FALSE;
      checksum[k] = (uint32_t)crc32_combine(checksum[k], all[next].checksum, (z_off_t)all[next].bytes);
      at += all[next].bytes;
    }
    if (at != end) whole[k] = PETSC_FALSE;
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

void PsdArchiveFail(PsdArchive it, const char text[])
{
  PsdFailureRecord(&it->failure, "%s: %s", it->path, text);
}

PetscErrorCode PsdArchiveAgree(PsdArchive it)
{
  PetscFunctionBeginUser;
  PetscCall(PsdFailureAgree(it->comm, &it->failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdArchiveDestroy(PsdArchive *archive)
{
  PetscFunctionBeginUser;
  if (!*archive) PetscFunctionReturn(0);
  if ((*archive)->descriptor >= 0) (void)close((*archive)->descriptor);
  PsdH5CloseFile(&(*archive)->hdf5);
  PsdH5SparseDestroy(&(*archive)->sparse);
  PsdH5Close(&(*archive)->root);
  PetscCall(PetscFree((*archive)->part));
  PetscCall(PetscFree(*archive));
  PetscFunctionReturn(0);
}
