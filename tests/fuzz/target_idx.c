/*
   IDX files of images and labels, plain and .gz, and the choice among their images (-classes, -limit, -validation, -split).
*/
#include "fuzz.h"
#include "read_data.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "train-images-idx3-ubyte.gz",
                                    "train-labels-idx1-ubyte.gz"};
enum { NAMES = sizeof(names) / sizeof(names[0]), OPTIONS = NAMES, KINDS };

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

static void PutBigEndian(uint8_t *bytes, size_t word)
{
  for (int k = 0; k < 4; k++) bytes[k] = (uint8_t)(word >> (24 - 8 * k));
}

/* A header that announces what is there. */
static size_t MendPlain(int labels, uint8_t *bytes, size_t size)
{
  const size_t head = labels ? 8 : 16;
  if (size < head) return size;
  size_t item = 1;
  if (!labels) {
    memset(bytes + 8, 0, 2), memset(bytes + 12, 0, 2);
    item = (size_t)(bytes[10] << 8 | bytes[11]) * (size_t)(bytes[14] << 8 | bytes[15]);
  }
  PutBigEndian(bytes, labels ? 0x801 : 0x803);
  PutBigEndian(bytes + 4, item ? (size - head) / item : 0);
  return item ? size - (size - head) % item : size;
}

/* The first member inflated, as far as it goes; 0: none of it. */
static size_t Inflate(const uint8_t *bytes, size_t size, uint8_t *to, size_t room)
{
  z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return 0;
  (void)inflate(&stream, Z_SYNC_FLUSH);
  const size_t got = room - stream.avail_out;
  (void)inflateEnd(&stream);
  return got;
}

/* 0: there is no room for it */
static size_t Deflate(const uint8_t *bytes, size_t size, int level, uint8_t *to, size_t room)
{
  z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room};
  if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
  const int code = deflate(&stream, Z_FINISH);
  (void)deflateEnd(&stream);
  return code == Z_STREAM_END ? room - stream.avail_out : 0;
}

/* What was compressed, made whole and compressed again; of bytes that are no gzip, the bytes themselves. */
static size_t MendGzip(int labels, uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  static uint8_t plain[1 << 16], packed[1 << 16];
  size_t inflated = Inflate(bytes, size, plain, sizeof(plain));
  if (!inflated) {
    inflated = PetscMin(size, sizeof(plain));
    memcpy(plain, bytes, inflated);
  }
  if (inflated > 16) plain[seed % inflated] ^= (uint8_t)(seed >> 8);
  inflated = MendPlain(labels, plain, inflated);
  const size_t now = Deflate(plain, inflated, (int)(seed % 10), packed, PetscMin(room, sizeof(packed)));
  if (!now) return size;
  memcpy(bytes, packed, now);
  return now;
}

static size_t Mend(int kind, uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  if (kind >= NAMES) return size;
  return kind < 2 ? MendPlain(kind % 2, bytes, size) : MendGzip(kind % 2, bytes, size, room, seed);
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read, .mend = Mend};
