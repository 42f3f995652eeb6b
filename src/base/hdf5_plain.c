/*
   Pieces of an HDF5 file, its superblock, and the messages of its objects (hdf5_plain.h).
*/
#include "hdf5_plain.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_EFFORT ((size_t)1 << 18)       /* pieces of up to 4096 bytes; a sound file takes some hundreds */
#define MOST_HEADER_BYTES ((size_t)1 << 20) /* of one object */
#define MOST_BLOCKS 1024                    /* that its messages are in */
#define SIGNATURE "\211HDF\r\n\032\n"

void PsdH5Damaged(PsdH5Plain *file, const char what[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: truncated or damaged HDF5: %s", file->path, what);
}

void PsdH5Unread(PsdH5Plain *file, const char name[], const char what[], PsdFailure *failure)
{
  PsdFailureRecord(failure, "%s: %s %s, which psdnet does not read", file->path, name, what);
}

static void ReadBytes(const PsdH5Plain *file, uint64_t address, size_t count, char bytes[], PsdFailure *failure)
{
  while (count && !failure->failed) {
    const ssize_t done = pread(file->descriptor, bytes, count, (off_t)(file->base + address));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      PsdFailureRecord(failure, "%s: cannot read it: %s", file->path, done < 0 ? strerror(errno) : "truncated");
    if (done <= 0) return;
    bytes += done;
    address += (uint64_t)done;
    count -= (size_t)done;
  }
}

void PsdH5ReadPiece(PsdH5Plain *file, uint64_t address, size_t count, void *bytes, PsdFailure *failure)
{
  memset(bytes, 0, count);
  if (failure->failed) return;
  file->effort += 1 + count / 4096;
  if (file->effort > MOST_EFFORT) PsdH5Damaged(file, "its parts refer to each other without end", failure);
  else if (count > file->bytes || address > file->bytes - count)
    PsdH5Damaged(file, "a part of it would lie outside of the file", failure);
  else ReadBytes(file, address, count, bytes, failure);
}

/* Versions 0 and 1 differ by four bytes before the addresses. Of the root's entry the header is what counts. */
void PsdH5ReadSuperblock(PsdH5Plain *file, PsdFailure *failure)
{
  unsigned char block[100];

  PsdH5ReadPiece(file, 0, 8, block, failure);
  if (!failure->failed && memcmp(block, SIGNATURE, 8)) {
    PsdFailureRecord(failure, "%s: not an HDF5 file", file->path);
    return;
  }
  PsdH5ReadPiece(file, 0, 96, block, failure);
  if (failure->failed) return;
  if (block[8] > 1) {
    PsdH5Unread(file, "HDF5's superblock", "is not of its earliest form", failure);
    return;
  }
  if (block[8] == 1) PsdH5ReadPiece(file, 0, 100, block, failure);
  if (block[13] != 8 || block[14] != 8) PsdH5Damaged(file, "addresses are not of 8 bytes", failure);
  const unsigned char *addresses = block + (block[8] == 1 ? 28 : 24);
  const uint64_t base = PsdH5Number(addresses, 8), end = PsdH5Number(addresses + 16, 8);
  if (base != file->base) PsdH5Damaged(file, "addresses count from another place", failure);
  if (end < file->base || end - file->base > file->bytes)
    PsdH5Damaged(file, "it is shorter than its superblock says", failure);
  file->root = PsdH5Number(addresses + 40, 8);
}

/* ---------------------------------------------------------------- object headers */

typedef struct {
  uint64_t address, size;
} Block;

typedef struct {
  Block block[MOST_BLOCKS];
  PetscInt count;
} Blocks;

static void AddMessage(PsdH5Plain *file, PsdH5Header *header, const unsigned char head[8], size_t place,
                       PsdFailure *failure)
{
  if (header->count % 64 == 0) {
    void *longer = realloc(header->message, (size_t)(header->count + 64) * sizeof(*header->message));
    if (!longer) PsdFailureRecord(failure, "%s: not enough memory to read it", file->path);
    if (!longer) return;
    header->message = longer;
  }
  header->message[header->count].kind = (unsigned)PsdH5Number(head, 2);
  header->message[header->count].size = (size_t)PsdH5Number(head + 2, 2);
  header->message[header->count].flags = head[4];
  header->message[header->count].place = place;
  header->count++;
}

static void AddContinuation(PsdH5Plain *file, const unsigned char bytes[], size_t size, Blocks *blocks,
                            PsdFailure *failure)
{
  if (size < 16 || blocks->count == MOST_BLOCKS) PsdH5Damaged(file, "an object is in too many parts", failure);
  else blocks->block[blocks->count++] = (Block){PsdH5Number(bytes, 8), PsdH5Number(bytes + 8, 8)};
}

/* Messages fill a block, but for less than a message's own eight bytes. */
static void ParseBlock(PsdH5Plain *file, PsdH5Header *header, size_t begin, PetscInt most, Blocks *blocks,
                       PsdFailure *failure)
{
  for (size_t at = begin; header->size - at >= 8 && !failure->failed;) {
    const unsigned char *head = header->bytes + at;
    const size_t size = (size_t)PsdH5Number(head + 2, 2);
    at += 8;
    if (header->count == most || size > header->size - at) {
      PsdH5Damaged(file, "a message of an object goes beyond it", failure);
      return;
    }
    if (PsdH5Number(head, 2) == PSD_H5_CONTINUED) AddContinuation(file, head + 8, size, blocks, failure);
    AddMessage(file, header, head, at, failure);
    at += size;
  }
}

static void ReadBlock(PsdH5Plain *file, PsdH5Header *header, Block block, PetscInt most, Blocks *blocks,
                      PsdFailure *failure)
{
  const size_t begin = header->size;

  if (block.size > MOST_HEADER_BYTES - begin || block.size > file->bytes) {
    PsdH5Damaged(file, "an object's header is too large", failure);
    return;
  }
  void *longer = realloc(header->bytes, begin + (size_t)block.size + 1);
  if (!longer) {
    PsdFailureRecord(failure, "%s: not enough memory to read it", file->path);
    return;
  }
  header->bytes = longer;
  PsdH5ReadPiece(file, block.address, (size_t)block.size, header->bytes + begin, failure);
  header->size += (size_t)block.size;
  if (!failure->failed) ParseBlock(file, header, begin, most, blocks, failure);
}

PsdH5Header PsdH5ReadHeader(PsdH5Plain *file, uint64_t address, PsdFailure *failure)
{
  PsdH5Header header = {.count = 0};
  unsigned char prefix[16];
  Blocks *blocks = failure->failed ? NULL : calloc(1, sizeof(*blocks));

  if (!blocks) {
    PsdFailureRecord(failure, "%s: not enough memory to read it", file->path);
    return header;
  }
  PsdH5ReadPiece(file, address, sizeof(prefix), prefix, failure);
  if (!failure->failed && !memcmp(prefix, "OHDR", 4)) PsdH5Unread(file, "an object", "is of a newer form", failure);
  if (prefix[0] != 1) PsdH5Damaged(file, "an object's header is none", failure);
  const PetscInt messages = (PetscInt)PsdH5Number(prefix + 2, 2);
  blocks->block[blocks->count++] = (Block){address + sizeof(prefix), PsdH5Number(prefix + 8, 4)};
  for (PetscInt k = 0; k < blocks->count && !failure->failed; k++)
    ReadBlock(file, &header, blocks->block[k], messages, blocks, failure);
  if (!failure->failed && header.count != messages) PsdH5Damaged(file, "an object lacks messages", failure);
  free(blocks);
  return header;
}

void PsdH5FreeHeader(PsdH5Header *header)
{
  free(header->message);
  free(header->bytes);
  *header = (PsdH5Header){.count = 0};
}

PetscInt PsdH5FindMessage(const PsdH5Header *header, PsdH5MessageKind kind, PetscInt first)
{
  for (PetscInt k = first; k < header->count; k++)
    if (header->message[k].kind == (unsigned)kind) return k;
  return -1;
}

PsdH5Bytes PsdH5MessageBytes(const PsdH5Header *header, PetscInt number)
{
  return (PsdH5Bytes){header->bytes + header->message[number].place, header->message[number].size};
}
