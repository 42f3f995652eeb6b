/*
   An archive (src/base/archive.h) or a model file whose checksums are made those of its bytes, so that what it says is believed.
*/
#include "hdf5_files.h"
#include "base/archive_impl.h"
#include <string.h>

static uint32_t Sum(uint32_t so_far, const uint8_t *bytes, size_t size, uint64_t begin, uint64_t end)
{
  if (end > size) end = size;
  return begin < end ? PsdArchiveChecksum(so_far, bytes + begin, end - begin) : so_far;
}

static void SumAll(PsdArchive it, const uint8_t *bytes, size_t size)
{
  uint64_t at = PSD_ARCHIVE_HEAD;
  it->bytes = size;
  it->rest = 0;
  for (PetscInt k = 0; k < it->count; k++) {
    PsdArchiveArray *array = &it->array[k];
    it->rest = Sum(it->rest, bytes, size, at, array->offset);
    at = array->offset + array->bytes;
    array->checksum = Sum(0, bytes, size, array->offset, at);
  }
  it->rest = Sum(it->rest, bytes, size, at, size);
}

/* Words in the place of the spaces that the head ends with; they count when they repeat what was said before. */
static void AddWords(char head[PSD_ARCHIVE_HEAD], const FuzzPart *words)
{
  size_t end = PSD_ARCHIVE_HEAD - 1;
  while (end && head[end - 1] == ' ') end--;
  memcpy(head + end, words->bytes, PetscMin(words->size, PSD_ARCHIVE_HEAD - 1 - end));
}

void FuzzSealArchive(uint8_t *bytes, size_t size, const FuzzPart *head)
{
  static struct _p_PsdArchive it;
  char *text = (char *)bytes, line[64];
  memset(&it, 0, sizeof(it));
  if (size < PSD_ARCHIVE_HEAD || !PsdArchiveParseHead(&it, text)) return;
  SumAll(&it, bytes, size);
  PsdArchiveWriteHead(&it, text);
  if (!head) return;
  AddWords(text, head);
  /* the first line: all words but the digits of the checksum of what follows it */
  const size_t first = (size_t)(strchr(text, '\n') - text) + 1;
  (void)snprintf(line, sizeof(line), "%08x\n", (unsigned)PsdArchiveChecksum(0, text + first, PSD_ARCHIVE_HEAD - first));
  memcpy(text + first - 9, line, 9);
}

void FuzzSealModel(uint8_t *bytes, size_t size, const FuzzPart *head)
{
  static const char first[] = "psdnet-model 3 ";
  (void)head;
  if (size < PSD_H5_SEAL || memcmp(bytes, first, sizeof(first) - 1) != 0) return;
  PsdH5MakeSeal("psdnet-model", 3, bytes + PSD_H5_SEAL, size - PSD_H5_SEAL, (char *)bytes);
}
