/*
   NumPy's arrays of images and of labels, as .npy files or in an .npz, and the choice among their images.
*/
#include "fuzz.h"
#include "read_data.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char *const names[] = {"train_images.npy", "train_labels.npy", "train.npz"};
enum { NAMES = sizeof(names) / sizeof(names[0]), ARCHIVE = 2, OPTIONS = NAMES, KINDS };

static const char *PathOf(int kind)
{
  static char name[64];
  (void)snprintf(name, sizeof(name), "data/%s", names[kind]);
  return FuzzPath(name);
}

static void SetUp(void)
{
  FUZZ_MUST(mkdir(FuzzPath("data"), 0700));
}

static PetscErrorCode Read(const FuzzInput *input)
{
  for (int kind = 0; kind < NAMES; kind++) {
    const FuzzPart *part = FuzzFind(input, kind);
    if (part) FuzzWriteFile(PathOf(kind), part->bytes, part->size);
    else (void)unlink(PathOf(kind));
  }
  return FuzzReadData(FuzzPath("data"), FuzzFind(input, OPTIONS));
}

/* ---------------------------------------------------------------- mending */

static void PutLittleEndian(uint8_t *bytes, uint32_t word)
{
  for (int k = 0; k < 4; k++) bytes[k] = (uint8_t)(word >> (8 * k));
}

static uint32_t LittleEndian(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A member that is stored has the check sum of what is there, beside it and in the archive's own list. */
static void MendArchive(uint8_t *bytes, size_t size)
{
  for (size_t at = 0; at + 46 < size; at++) {
    if (memcmp(bytes + at, "PK\1\2", 4) != 0) continue;
    const size_t local = LittleEndian(bytes + at + 42), length = LittleEndian(bytes + at + 24);
    if (local + 30 >= size || memcmp(bytes + local, "PK\3\4", 4) != 0) continue;
    const size_t begin = local + 30 + (size_t)(bytes[local + 26] | bytes[local + 27] << 8) +
                         (size_t)(bytes[local + 28] | bytes[local + 29] << 8);
    if (bytes[at + 10] || begin > size || length > size - begin) continue;
    const uint32_t sum = (uint32_t)crc32(0, bytes + begin, (uInt)length);
    PutLittleEndian(bytes + at + 16, sum);
    PutLittleEndian(bytes + local + 14, sum);
  }
}

static size_t Mend(int kind, uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  (void)room, (void)seed;
  if (kind == ARCHIVE) MendArchive(bytes, size);
  else if (kind < ARCHIVE && size > 8) memcpy(bytes, "\x93NUMPY\1", 7);
  return size;
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read, .mend = Mend};
