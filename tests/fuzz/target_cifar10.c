/*
   CIFAR-10 batches with the file of their names, and the choice among their images.
*/
#include "fuzz.h"
#include "read_data.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD 3073

static const char *const names[] = {"data/data_batch_1.bin", "data/data_batch_2.bin", "data/test_batch.bin",
                                    "data/batches.meta.txt"};
enum { NAMES = sizeof(names) / sizeof(names[0]), META = NAMES - 1, OPTIONS = NAMES, KINDS };

static void SetUp(void)
{
  FUZZ_MUST(mkdir(FuzzPath("data"), 0700));
}

static PetscErrorCode Read(const FuzzInput *input)
{
  for (int kind = 0; kind < NAMES; kind++) {
    const FuzzPart *part = FuzzFind(input, kind);
    if (part) FuzzWriteFile(FuzzPath(names[kind]), part->bytes, part->size);
    else (void)unlink(FuzzPath(names[kind]));
  }
  return FuzzReadData(FuzzPath("data"), FuzzFind(input, OPTIONS));
}

/* Whole records, of labels that there are. */
static size_t Mend(int kind, uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  if (kind >= META) return size;
  const size_t records = PetscMin((size + RECORD - 1) / RECORD, room / RECORD);
  if (records * RECORD > size) memset(bytes + size, (int)seed, records * RECORD - size);
  for (size_t k = 0; k < records; k++) bytes[k * RECORD] %= 10;
  return records ? records * RECORD : size;
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read, .mend = Mend};
