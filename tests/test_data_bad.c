/* Bad input ends every rank with one line that names the file or option and the number at fault; nothing stays open. */
#include "data_damage.h"
#include "base/base.h"
#include <dirent.h>
#include <setjmp.h>
#include <cmocka.h>

/* ---------------------------------------------------------------- the table */

typedef struct {
  const char *name;
  void (*make)(const char directory[]);
  const char *file;       /* -data names this file of the directory, or with NULL the directory */
  const char *options[4]; /* besides -data: name, value, ... */
  const char *says[3];    /* what the message has in it */
} Case;

static const Case cases[] = {
    {"missing directory", Cifar10Remove, NULL, {0}, {"missing directory", "No such file", "directory of images"}},
    {"empty directory", MakeDirectory, NULL, {0}, {"empty directory", "data_batch_*.bin", "*.h5"}},
    {"pipe for a directory", Pipe, NULL, {0}, {"pipe for a directory", "neither a directory"}},
    {"mixed formats", Mixed, NULL, {0}, {"mixed formats", "cifar10", "idx"}},

    {"cifar10 truncated", Cifar10Truncated, NULL, {0}, {"data_batch_1.bin", "61360", "truncated by 100"}},
    {"cifar10 one byte more",
     Cifar10OneByteMore,
     NULL,
     {0},
     {"data_batch_1.bin", "61461", "1 bytes too many after 20 records"}},
    {"cifar10 oversized", Cifar10Oversized, NULL, {0}, {"data_batch_1.bin", "10001 records", "10000"}},
    {"cifar10 zero length", Cifar10Empty, NULL, {0}, {"data_batch_1.bin", "0 bytes", "3073"}},
    {"cifar10 label", Cifar10Label, NULL, {0}, {"data_batch_2.bin", "record 6", "label 10"}},
    {"cifar10 directory for a file", Cifar10IsDirectory, NULL, {0}, {"data_batch_1.bin", "not a regular file"}},
    {"cifar10 pipe for a file", Cifar10IsPipe, NULL, {0}, {"data_batch_1.bin", "not a regular file"}},
    {"cifar10 no test", Cifar10Good, NULL, {"-split", "test"}, {"cifar10 no test", "test_batch.bin", "-split test"}},

    {"idx no labels", IdxNoLabels, NULL, {0}, {"idx no labels", "labels-idx1-ubyte"}},
    {"idx no test", IdxGood, NULL, {"-split", "test"}, {"t10k-images-idx3-ubyte", "-split test"}},
    {"idx magic", IdxMagic, NULL, {0}, {"train-images-idx3-ubyte", "0x00000802", "0x00000803"}},
    {"idx label magic", IdxLabelMagic, NULL, {0}, {"train-labels-idx1-ubyte", "0x00000803", "0x00000801"}},
    {"idx counts", IdxDisagree, NULL, {0}, {"train-labels-idx1-ubyte", "29 labels", "30"}},
    {"idx 2^32-1 images", IdxHuge, NULL, {0}, {"train-images-idx3-ubyte", "4294967295", "the file has 496"}},
    {"idx 2^32-1 images gz", IdxHugeGz, NULL, {0}, {"train-images-idx3-ubyte.gz", "4294967295"}},
    {"idx 2^31-1 labels gz", IdxHugeLabelsGz, NULL, {0}, {"train-labels-idx1-ubyte.gz", "2147483647"}},
    {"idx 2^96 bytes", IdxHugeImages, NULL, {0}, {"train-images-idx3-ubyte", "4294967295 x 4294967295", "16384"}},
    {"idx zero images", IdxZeroImages, NULL, {0}, {"train-images-idx3-ubyte", "0 images"}},
    {"idx zero height", IdxZeroHeight, NULL, {0}, {"train-images-idx3-ubyte", "1 x 0 x 4"}},
    {"idx half a header", IdxHeaderOnly, NULL, {0}, {"train-images-idx3-ubyte", "ends at byte 10"}},
    {"idx truncated", IdxTruncated, NULL, {0}, {"train-images-idx3-ubyte", "truncated", "495"}},
    {"idx longer", IdxLonger, NULL, {0}, {"train-labels-idx1-ubyte", "bytes follow the end", "39"}},

    {"gz truncated", GzTruncated, NULL, {0}, {"train-images-idx3-ubyte.gz", "truncated"}},
    {"gz truncated trailer", GzTruncatedTrailer, NULL, {0}, {"train-images-idx3-ubyte.gz", "truncated", "496"}},
    {"gz truncated late", GzTruncatedLate, NULL, {0}, {"train-images-idx3-ubyte.gz", "truncated"}},
    {"gz empty", GzEmpty, NULL, {0}, {"train-images-idx3-ubyte.gz", "truncated", "byte 0"}},
    {"gz corrupt", GzCorrupt, NULL, {0}, {"train-images-idx3-ubyte.gz"}},
    {"gz checksum", GzChecksum, NULL, {0}, {"train-images-idx3-ubyte.gz", "corrupt", "incorrect data check"}},
    {"gz checksum, first images", GzChecksum, NULL, {"-limit", "12"}, {"train-images-idx3-ubyte.gz", "corrupt"}},
    {"gz label checksum", GzLabelChecksum, NULL, {0}, {"train-labels-idx1-ubyte.gz", "incorrect data check"}},
    {"gz that is none", GzIsPlain, NULL, {0}, {"train-images-idx3-ubyte.gz", "corrupt", "incorrect header check"}},
    {"gz fewer images", GzFewerImages, NULL, {0}, {"train-images-idx3-ubyte.gz", "truncated", "480"}},
    {"gz more images", GzMoreImages, NULL, {0}, {"train-images-idx3-ubyte.gz", "bytes follow", "496"}},
    {"gz trailing bytes", GzTrailingBytes, NULL, {0}, {"train-images-idx3-ubyte.gz", "bytes that are not gzip follow"}},

    {"hdf5 no test", Hdf5One, NULL, {"-split", "test"}, {"hdf5 no test", "test.h5", "-split test"}},
    {"hdf5 two files", Hdf5Two, NULL, {0}, {"hdf5 two files", "a.h5", "b.hdf5"}},
    {"hdf5 truncated", Hdf5Truncated, NULL, {0}, {"train.h5", "truncated file"}},
    {"hdf5 text", Hdf5IsText, NULL, {0}, {"train.h5", "not an HDF5 file"}},
    {"hdf5 text by name", Hdf5IsText, "train.h5", {0}, {"train.h5", "not an HDF5 file"}},
    {"hdf5 no labels", Hdf5NoLabels, NULL, {0}, {"hdf5 no labels", "no data set /labels"}},
    {"hdf5 two dimensions", Hdf5Rank, NULL, {0}, {"train.h5", "/images has 2 dimensions", "4"}},
    {"hdf5 nan", Hdf5NotANumber, NULL, {0}, {"image 1 (from 0)", "nan", "finite"}},
    {"hdf5 infinity", Hdf5Infinite, NULL, {0}, {"image 1 (from 0)", "-inf", "finite"}},
    {"hdf5 large", Hdf5Large, NULL, {0}, {"image 1 (from 0)", "1.5e+30", "1e30"}},
    {"hdf5 label count", Hdf5LabelCount, NULL, {0}, {"train.h5", "31 labels", "30"}},
    {"hdf5 label type", Hdf5LabelType, NULL, {0}, {"train.h5", "/labels", "neither integers"}},
    {"hdf5 label -7", Hdf5LabelNegative, NULL, {0}, {"train.h5", "record 28", "-7"}},
    {"hdf5 label 2^31", Hdf5LabelLarge, NULL, {0}, {"train.h5", "record 28", "2147483648"}},

    {"one label", OneLabel, NULL, {0}, {"one label", "every image has label 0"}},
    {"class without images", IdxGood, NULL, {"-classes", "3,4"}, {"-classes", "label 4"}},
    {"class without images in test",
     Hdf5Good,
     "train.h5",
     {"-split", "test", "-classes", "3,4"},
     {"-classes", "label 4"}},
    {"class lost to the limit", IdxGood, NULL, {"-limit", "3"}, {"3 images", "label 9", "-limit"}},
    {"class twice", IdxGood, NULL, {"-classes", "3,5,3"}, {"-classes", "label 3 is given twice"}},
    {"class alone", IdxGood, NULL, {"-classes", "3"}, {"-classes", "1 labels"}},
    {"limit 0", IdxGood, NULL, {"-limit", "0"}, {"-limit"}},
    {"validation 1", IdxGood, NULL, {"-validation", "1"}, {"-validation", "1"}},
    {"no -data", NULL, NULL, {0}, {"-data is missing"}}};

/* more ranks than images, where there is more than one rank */
static const Case crowded = {
    "crowded", IdxGood, NULL, {"-classes", "3,5", "-limit", "2"}, {"crowded", "2 images", "3 ranks"}};

/* ---------------------------------------------------------------- one case */

static int OpenFiles(void)
{
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  if (!directory) return 0;
  while (readdir(directory)) count++;
  closedir(directory);
  return count;
}

static void SetOptions(const Case *bad, PetscBool on)
{
  const char *path = bad->make ? PathOf(bad->name, bad->file) : NULL;
  const char *const options[3][2] = {
      {path ? "-data" : NULL, path}, {bad->options[0], bad->options[1]}, {bad->options[2], bad->options[3]}};
  for (int k = 0; k < 3; k++) {
    if (!options[k][0]) continue;
    if (on) MUST(PetscOptionsSetValue(NULL, options[k][0], options[k][1]));
    else MUST(PetscOptionsClearValue(NULL, options[k][0]));
  }
}

static PetscErrorCode ReadFromOptions(void)
{
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscErrorCode code = PsdDataSetFromOptions(data);
  if (!code) code = PsdDataSetUp(data);
  MUST(PsdDataDestroy(&data));
  return code;
}

static int Says(const Case *bad, const char message[])
{
  int all = !strchr(message, '\n');
  for (int k = 0; k < 3; k++) all &= !bad->says[k] || strstr(message, bad->says[k]) != NULL;
  return all;
}

/* Number of ranks on which something is not as it should be. */
static int CountFaults(const Case *bad)
{
  char first[PSD_MESSAGE_LENGTH];
  if (!Rank() && bad->make) bad->make(bad->name);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  SetOptions(bad, PETSC_TRUE);
  const int open_before = OpenFiles();
  const PetscErrorCode code = ReadFromOptions();
  const int open_after = OpenFiles();
  SetOptions(bad, PETSC_FALSE);
  snprintf(first, sizeof(first), "%s", PsdErrorMessage());
  MUST(MPI_Bcast(first, sizeof(first), MPI_CHAR, 0, PETSC_COMM_WORLD));
  int fault = code != PSD_ERR_INPUT || !Says(bad, PsdErrorMessage()) || strcmp(first, PsdErrorMessage()) ||
              open_before != open_after || H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) > 0;
  if (fault) print_message("%s: code %d, message \"%s\"\n", bad->name, (int)code, PsdErrorMessage());
  MUST(MPI_Allreduce(MPI_IN_PLACE, &fault, 1, MPI_INT, MPI_SUM, PETSC_COMM_WORLD));
  return fault;
}

static void EveryBadInputIsOneClearLine(void **state)
{
  (void)state;
  int faults = 0;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) faults += CountFaults(&cases[k]);
  assert_int_equal(faults, 0);
}

static void MoreRanksThanImagesIsRefused(void **state)
{
  (void)state;
  if (Size() != 3) skip();
  assert_int_equal(CountFaults(&crowded), 0);
}

/* Neither PETSc nor HDF5 nor zlib prints anything of its own. */
static void NothingIsPrinted(void **state)
{
  (void)state;
  char name[32];
  snprintf(name, sizeof(name), "stderr%d", Rank());
  const char *path = PathOf(name, NULL);
  const int saved = dup(STDERR_FILENO), file = open(path, O_CREAT | O_WRONLY, 0600);
  dup2(file, STDERR_FILENO);
  static const char *const names[] = {"mixed formats", "gz truncated", "hdf5 truncated"};
  int missed = 0;
  for (int k = 0; k < 3; k++) {
    MUST(PetscOptionsSetValue(NULL, "-data", PathOf(names[k], NULL)));
    missed += ReadFromOptions() != PSD_ERR_INPUT;
  }
  MUST(PetscOptionsClearValue(NULL, "-data"));
  dup2(saved, STDERR_FILENO);
  close(saved), close(file);
  assert_int_equal(missed, 0);
  assert_int_equal(SizeOf(path), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryBadInputIsOneClearLine),
                                     cmocka_unit_test(MoreRanksThanImagesIsRefused),
                                     cmocka_unit_test(NothingIsPrinted)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
