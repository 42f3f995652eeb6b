/*
   From an input to an HDF5 file: a sound one or given bytes, changes, checksums, damage.
*/
#define _XOPEN_SOURCE 700 /* truncate */
#include "hdf5_files.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (1 << 22) /* of a file: shapes that are larger still are cut off, as if it were on a full disk */

const char *FuzzBasePath(int k)
{
  char name[16];
  (void)snprintf(name, sizeof(name), "base.%d", k);
  return FuzzPath(name);
}

int FuzzBaseOf(const FuzzHdf5 *hdf5, const FuzzInput *input)
{
  const FuzzPart *base = FuzzFind(input, FUZZ_BASE);
  return base && base->size ? base->bytes[0] % hdf5->bases : 0;
}

/* The sound file; a copy of it is changed. */
static uint8_t *Sound(const FuzzHdf5 *hdf5, const FuzzInput *input, const char name[], size_t *size)
{
  static uint8_t *kept[FUZZ_BASES];
  static size_t sizes[FUZZ_BASES];
  const int k = FuzzBaseOf(hdf5, input);
  const FuzzPart *edits = FuzzFind(input, FUZZ_EDITS);
  if (!kept[k]) kept[k] = FuzzReadFile(FuzzBasePath(k), &sizes[k]);
  if (edits) {
    FuzzWriteFile(FuzzPath(name), kept[k], sizes[k]);
    FuzzEditHdf5(FuzzPath(name), (FuzzBytes){edits->bytes, edits->bytes + edits->size});
    struct stat found;
    FuzzRequire(!stat(FuzzPath(name), &found), name);
    if (found.st_size > MOST_BYTES) FuzzRequire(!truncate(FuzzPath(name), MOST_BYTES), name);
    return FuzzReadFile(FuzzPath(name), size);
  }
  uint8_t *bytes = FuzzAllocate(sizes[k]);
  memcpy(bytes, kept[k], sizes[k]);
  *size = sizes[k];
  return bytes;
}

static uint8_t *Whole(const FuzzHdf5 *hdf5, const FuzzInput *input, const char name[], size_t *size)
{
  const FuzzPart *file = FuzzFind(input, FUZZ_FILE);
  if (!file) return Sound(hdf5, input, name, size);
  uint8_t *bytes = FuzzAllocate(file->size + 1);
  memcpy(bytes, file->bytes, file->size);
  *size = file->size;
  return bytes;
}

/* What is damaged here the checksums are made to fit, unless they are to stay. */
void FuzzMakeHdf5(const FuzzHdf5 *hdf5, const FuzzInput *input, const char name[])
{
  size_t size;
  uint8_t *bytes = Whole(hdf5, input, name, &size);
  const FuzzPart *flips = FuzzFind(input, FUZZ_FLIPS), *cut = FuzzFind(input, FUZZ_CUT);
  for (size_t k = 0; flips && size && k + 4 <= flips->size; k += 4) {
    const uint8_t *flip = flips->bytes + k;
    bytes[((size_t)flip[0] | (size_t)flip[1] << 8 | (size_t)flip[2] << 16) % size] ^= flip[3];
  }
  if (cut && cut->size >= 2) size = size * (cut->bytes[0] | (size_t)cut->bytes[1] << 8) / 65536;
  if (hdf5->seal && !FuzzFind(input, FUZZ_BARE)) (*hdf5->seal)(bytes, size, FuzzFind(input, FUZZ_HEAD));
  FuzzWriteFile(FuzzPath(name), bytes, size);
  free(bytes);
}
