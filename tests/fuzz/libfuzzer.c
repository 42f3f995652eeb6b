/*
   What libFuzzer calls: the start, one input, and the mutation of inputs part by part, so that lengths stay right. A part that
   was mutated is made whole again, half of the time, by the target.
*/
#include "fuzz.h"
#include "session.h"
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room); /* libFuzzer's own */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  __lsan_disable(); /* what MPI keeps from its start on is not the reader's */
  const int begun = FuzzBegin();
  __lsan_enable();
  return begun;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  return FuzzRun(bytes, size);
}

static unsigned Next(unsigned *seed)
{
  *seed = *seed * 1103515245U + 12345U;
  return *seed >> 16;
}

static uint8_t *PutPart(uint8_t *to, uint8_t kind, const uint8_t *bytes, size_t size)
{
  to[0] = kind;
  for (int k = 0; k < 4; k++) to[1 + k] = (uint8_t)(size >> (8 * k));
  memcpy(to + FUZZ_PART_HEAD, bytes, size);
  return to + FUZZ_PART_HEAD + size;
}

/* What may be made of one part, with `room` for it: mutated, or mutated and mended. */
static size_t MutatePart(int kind, uint8_t *bytes, size_t size, size_t room, unsigned *seed)
{
  if (!room) return 0;
  size = LLVMFuzzerMutate(bytes, size, room);
  if (FuzzTheTarget.mend && Next(seed) % 2) size = (*FuzzTheTarget.mend)(kind, bytes, size, room, Next(seed));
  return size;
}

/* The list with part `changed` mutated; changed == count: with a part more. */
static size_t Rewrite(const FuzzInput *input, int changed, uint8_t *bytes, size_t room, unsigned *seed)
{
  uint8_t *whole = FuzzAllocate(2 * room + FUZZ_PART_HEAD), *at = whole;
  size_t others = 0;
  for (int k = 0; k < input->count; k++)
    if (k != changed) others += FUZZ_PART_HEAD + input->part[k].size;
  for (int k = 0; k <= input->count; k++) {
    const FuzzPart *part = k < input->count ? &input->part[k] : NULL;
    if (part && k != changed) at = PutPart(at, part->kind, part->bytes, part->size);
    if (k != changed || others + FUZZ_PART_HEAD >= room) continue;
    const uint8_t kind = part ? part->kind : (uint8_t)(Next(seed) % (unsigned)FuzzTheTarget.kinds);
    uint8_t *mutated = at + FUZZ_PART_HEAD;
    const size_t limit = room - others - FUZZ_PART_HEAD, size = part ? PetscMin(part->size, limit) : 0;
    if (size) memcpy(mutated, part->bytes, size);
    const size_t now = MutatePart(kind, mutated, size, limit, seed);
    at = PutPart(at, kind, mutated, now);
  }
  const size_t size = PetscMin((size_t)(at - whole), room);
  memcpy(bytes, whole, size);
  free(whole);
  return size;
}

/* One part is dropped. */
static size_t Drop(const FuzzInput *input, int dropped, uint8_t *bytes)
{
  const FuzzPart *part = &input->part[dropped];
  uint8_t *begin = bytes + (part->bytes - FUZZ_PART_HEAD - bytes);
  const FuzzPart *last = &input->part[input->count - 1];
  const uint8_t *end = last->bytes + last->size, *rest = part->bytes + part->size;
  memmove(begin, rest, (size_t)(end - rest));
  return (size_t)(begin - bytes) + (size_t)(end - rest);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  FuzzInput input;
  FuzzParse(bytes, size, &input);
  const unsigned choice = Next(&seed) % 32;
  if (input.count > 1 && choice == 0) return Drop(&input, (int)(Next(&seed) % (unsigned)input.count), bytes);
  if (input.count == 0 || (input.count < FUZZ_PARTS && choice == 1))
    return Rewrite(&input, input.count, bytes, room, &seed);
  return Rewrite(&input, (int)(Next(&seed) % (unsigned)input.count), bytes, room, &seed);
}
