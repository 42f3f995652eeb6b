/*
   CIFAR-10 batches and CIFAR-100 files with those of their names, and the choice among their images.
*/
#include "fuzz.h"
#include "read_data.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIXELS 3072

/* the options are no file */
static const char *const names[] = {
    "data/data_batch_1.bin", "data/data_batch_2.bin",       "data/test_batch.bin",      "data/batches.meta.txt", NULL,
    "data/train.bin",        "data/coarse_label_names.txt", "data/fine_label_names.txt"};
enum { KINDS = sizeof(names) / sizeof(names[0]), META = 3, OPTIONS = 4, CIFAR100 = 5 };

static void SetUp(void)
{
  FUZZ_MUST(mkdir(FuzzPath("data"), 0700));
}

static PetscErrorCode Read(const FuzzInput *input)
{
  for (int kind = 0; kind < KINDS; kind++) {
    if (kind == OPTIONS) continue;
    const FuzzPart *part = FuzzFind(input, kind);
    if (part) FuzzWriteFile(FuzzPath(names[kind]), part->bytes, part->size);
    else (void)unlink(FuzzPath(names[kind]));
  }
  return FuzzReadData(FuzzPath("data"), FuzzFind(input, OPTIONS));
}

/* Whole records, of labels that there are. */
static size_t Mend(int kind, uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  if (kind >= META && kind != CIFAR100) return size;
  const size_t record = kind == CIFAR100 ? PIXELS + 2 : PIXELS + 1;
  const size_t records = PetscMin((size + record - 1) / record, room / record);
  if (records * record > size) memset(bytes + size, (int)seed, records * record - size);
  for (size_t k = 0; k < records; k++) bytes[k * record] %= 10;
  return records ? records * record : size;
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read, .mend = Mend};
