/*
   Files of networks that are damaged are refused in one line. Of version 3 every change is noticed; of the versions before
   it, which have no checksum, a file may become another network's, and never more than that: the reader stays within the
   file and within its size.

   test_network_damage FLIPS: as many flips of each file at random places, beside those of every byte that is no number of
   an array.
*/
#include "network_sample.h"
#include "network_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <cmocka.h>

static long flips = 400;
static long refused, loaded; /* since the last report */

/* ---------------------------------------------------------------- the files */

static const PsdPatchGeometry geometry = {.channels = 1,
                                          .height = 6,
                                          .width = 6,
                                          .patch_height = 3,
                                          .patch_width = 3,
                                          .stride = 1,
                                          .pool = 2,
                                          .pixel_shift = 127.3,
                                          .pixel_scale = 255};

/* Copied, because the names of data_files.h do not last. */
static void Name(const char name[], char path[128])
{
  snprintf(path, 128, "%s", PathOf(name, NULL));
}

static void MakeFiles(PetscInt neurons)
{
  const PetscReal filter[4] = {1, 0, 0, 0};
  PsdNetwork one = SampleNetwork(&(Sample){geometry, neurons, 5, 3}), two = TwoBranches(filter);
  MUST(PsdNetworkSave(one, PathOf("one.h5", NULL)));
  MUST(PsdNetworkSave(two, PathOf("two.h5", NULL)));
  MUST(PsdNetworkDestroy(&one));
  MUST(PsdNetworkDestroy(&two));
  MakeOld(PathOf("one.h5", NULL), PathOf("version1.h5", NULL));
  MakeOld(PathOf("two.h5", NULL), PathOf("version2.h5", NULL));
}

/* ---------------------------------------------------------------- what becomes of a damaged one */

/* Refused in one line that names the file, or read. */
static PetscBool IsRefused(const char path[])
{
  PsdNetwork network;
  const PetscErrorCode code = PsdNetworkLoad(PETSC_COMM_SELF, path, &network);
  if (!code) {
    loaded++;
    MUST(PsdNetworkDestroy(&network));
    return PETSC_FALSE;
  }
  refused++;
  assert_int_equal(code, PSD_ERR_INPUT);
  assert_null(network);
  if (strncmp(PsdErrorMessage(), path, strlen(path)) || strchr(PsdErrorMessage(), '\n'))
    fail_msg("'%s' is not one line about '%s'", PsdErrorMessage(), path);
  return PETSC_TRUE;
}

static PetscBool IsRefusedWith(const char path[], int file, size_t at, unsigned char byte)
{
  unsigned char sound;
  Require(pread(file, &sound, 1, (off_t)at) == 1 && pwrite(file, &byte, 1, (off_t)at) == 1, path);
  const PetscBool is = IsRefused(path);
  Require(pwrite(file, &sound, 1, (off_t)at) == 1, path);
  return is;
}

/* The flips are those of a random sequence that is the same in every run, after all bits of the first `dense` bytes. */
static void Flip(const char path[], PetscBool sealed, size_t dense)
{
  size_t size;
  unsigned char *bytes = BytesOf(path, &size);
  uint64_t state = 1;
  const int file = open(path, O_RDWR);
  Require(file >= 0, path);
  for (long k = 0; k < (long)(8 * dense) + flips; k++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const size_t bit = k < (long)(8 * dense) ? (size_t)k : (size_t)((state >> 16) % (8 * size));
    const PetscBool is =
        IsRefusedWith(path, file, bit / 8, (unsigned char)(bytes[bit / 8] ^ (unsigned char)(1u << bit % 8)));
    if (sealed && !is) fail_msg("bit %zu of %s may be wrong", bit, path);
  }
  (void)close(file);
  free(bytes);
}

/* Whole bytes, as if they were lengths and addresses that lead out of the file. */
static void Overwrite(const char path[], PetscBool sealed, size_t step)
{
  static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
  size_t size;
  unsigned char *bytes = BytesOf(path, &size);
  const int file = open(path, O_RDWR);
  Require(file >= 0, path);
  for (size_t at = 0; at < size; at += step)
    for (size_t k = 0; k < sizeof(values); k++) {
      if (values[k] == bytes[at]) continue;
      const PetscBool is = IsRefusedWith(path, file, at, values[k]);
      if (sealed && !is) fail_msg("byte %zu of %s may be %d", at, path, values[k]);
    }
  (void)close(file);
  free(bytes);
}

static void Truncate(const char path[], size_t step)
{
  size_t size;
  unsigned char *bytes = BytesOf(path, &size);
  for (size_t length = size - 1; length != SIZE_MAX; length = length > step ? length - step : length - 1) {
    Require(!truncate(path, (off_t)length), path);
    if (!IsRefused(path)) fail_msg("%s is read with %zu of its %zu bytes", path, length, size);
  }
  WritePlain(path, bytes, size);
  free(bytes);
}

static void Report(const char what[])
{
  printf("%s: %ld refused, %ld read\n", what, refused, loaded);
  refused = loaded = 0;
}

static void Damage(const char name[], PetscBool sealed)
{
  char path[128];
  Name(name, path);
  assert_false(IsRefused(path));
  Flip(path, sealed, 96);
  Report("flips");
  Overwrite(path, sealed, flips > 1000 ? 1 : 7);
  Report("bytes");
  Truncate(path, flips > 1000 ? 1 : 13);
  Report("truncations");
  assert_false(IsRefused(path));
}

static void EveryChangeOfVersion3IsNoticed(void **state)
{
  (void)state;
  MakeFiles(7);
  Damage("one.h5", PETSC_TRUE);
  Damage("two.h5", PETSC_TRUE);
}

static void Version1IsRefusedOrRead(void **state)
{
  (void)state;
  MakeFiles(7);
  Damage("version1.h5", PETSC_FALSE);
}

static void Version2IsRefusedOrRead(void **state)
{
  (void)state;
  MakeFiles(7);
  Damage("version2.h5", PETSC_FALSE);
}

static long PeakKilobytes(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* Four times the file: the bytes that are read, and the numbers that they become, which a network copies. Sanitizers keep
   what is freed. */
static void MemoryIsThatOfTheFile(void **state)
{
  char path[128];
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  skip();
#endif
  MakeFiles(60000);
  Name("version1.h5", path);
  const long before = PeakKilobytes(), all = flips;
  flips = all / 10;
  Flip(path, PETSC_FALSE, 0);
  flips = all;
  Report("large");
  if (PeakKilobytes() - before > 4 * (long)(SizeOf(path) / 1024))
    fail_msg("%ld kB more than before, for a file of %zu", PeakKilobytes() - before, SizeOf(path) / 1024);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(MemoryIsThatOfTheFile), cmocka_unit_test(EveryChangeOfVersion3IsNoticed),
      cmocka_unit_test(Version1IsRefusedOrRead), cmocka_unit_test(Version2IsRefusedOrRead)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  if (argc > 1) flips = atol(argv[1]);
  RootCreate();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
