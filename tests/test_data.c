/* Images of every format arrive as they were written: pixels, classes, indices, in even shards, on any number of ranks.
 */
#include "data_files.h"
#include <fcntl.h>
#include <petscviewer.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#define IMAGES_MAX 4096

/* ---------------------------------------------------------------- what is expected, and whether it came */

typedef struct {
  PetscInt count;
  long positions[IMAGES_MAX];
} Expected;

/* the images among 0 .. total - 1 that have one of the labels (all with count 0) */
static Expected ExpectLabels(long total, int count, const PetscInt labels[])
{
  Expected expected = {0, {0}};
  for (long k = 0; k < total; k++) {
    int chosen = !count;
    for (int t = 0; t < count; t++) chosen |= labels[t] == LabelOf(k);
    if (chosen) expected.positions[expected.count++] = k;
  }
  return expected;
}

static Expected Slice(const Expected *whole, PetscInt begin, PetscInt end)
{
  Expected slice = {end - begin, {0}};
  memcpy(slice.positions, whole->positions + begin, (size_t)(end - begin) * sizeof(long));
  return slice;
}

static int SameImage(const unsigned char image[], long position, long size)
{
  long byte = 0;
  while (byte < size && image[byte] == PixelOf(position, byte)) byte++;
  return byte == size;
}

/* Every image that this rank holds is the one expected at its place. */
static int SameShard(PsdData data, const Expected *expected)
{
  PetscInt n, n_local, first, channels, height, width;
  const unsigned char *images;
  const PetscInt *classes, *labels;
  const PetscInt64 *indices;
  MUST(PsdDataGetSizes(data, &n, &n_local, &first));
  MUST(PsdDataGetImageSize(data, &channels, &height, &width));
  MUST(PsdDataGetShard(data, &images, &classes, &indices));
  MUST(PsdDataGetClasses(data, NULL, &labels, NULL));
  const long size = (long)channels * height * width;
  int same = n == expected->count;
  for (PetscInt k = 0; same && k < n_local; k++) {
    const long position = expected->positions[first + k];
    same = indices[k] == position && labels[classes[k]] == LabelOf(position) &&
           SameImage(images + k * size, position, size);
  }
  return same;
}

/* Shards follow one another, leave nothing out, differ by one at most, and those of 12 ranks refine them. */
static int EvenShards(PsdData data)
{
  PetscInt n, n_local, first;
  MUST(PsdDataGetSizes(data, &n, &n_local, &first));
  const PetscInt twelfth = 12 / Size() * Rank();
  return first == n * twelfth / 12 && n_local == n * (twelfth + 12 / Size()) / 12 - first;
}

static int OnAllRanks(int here)
{
  MUST(MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_INT, MPI_LAND, PETSC_COMM_WORLD));
  return here;
}

static PsdData Open(const char path[], PsdSplit split)
{
  PsdData data;
  MUST(MPI_Barrier(PETSC_COMM_WORLD)); /* rank 0 has written */
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetPath(data, path));
  MUST(PsdDataSetSplit(data, split));
  return data;
}

static void AssertHolds(PsdData data, const Expected *expected)
{
  MUST(PsdDataSetUp(data));
  assert_true(OnAllRanks(SameShard(data, expected)));
  assert_true(OnAllRanks(EvenShards(data)));
}

static void AssertFormat(PsdData data, const char expected[], PetscInt channels, PetscInt height, PetscInt width)
{
  const char *format;
  PetscInt size[3];
  MUST(PsdDataGetFormat(data, &format));
  MUST(PsdDataGetImageSize(data, &size[0], &size[1], &size[2]));
  assert_string_equal(format, expected);
  assert_int_equal(size[0], channels);
  assert_int_equal(size[1], height);
  assert_int_equal(size[2], width);
}

static void AssertReads(const char path[], PsdSplit split, long total, const char format[], const long image[3])
{
  const Expected all = ExpectLabels(total, 0, NULL);
  PsdData data = Open(path, split);
  AssertHolds(data, &all);
  AssertFormat(data, format, (PetscInt)image[0], (PetscInt)image[1], (PetscInt)image[2]);
  MUST(PsdDataDestroy(&data));
}

/* ---------------------------------------------------------------- formats */

static const long cifar10_image[3] = {3, 32, 32};

static void WriteCifar10Directory(void)
{
  static const char names[] = "airplane\nautomobile\nbird\ncat\r\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n\n";
  if (Rank()) return;
  MakeDirectory("cifar10");
  WriteCifar10(PathOf("cifar10", "data_batch_1.bin"), 0, 5);
  WriteCifar10(PathOf("cifar10", "data_batch_3.bin"), 9, 1500);
  WriteCifar10(PathOf("cifar10", "data_batch_2.bin"), 5, 4);
  WriteCifar10(PathOf("cifar10", "test_batch.bin"), 0, 7);
  WritePlain(PathOf("cifar10", "batches.meta.txt"), names, strlen(names));
  WritePlain(PathOf("cifar10", "README.md"), names, strlen(names));
}

static void Cifar10BatchesAreReadInTheOrderOfTheirNames(void **state)
{
  (void)state;
  AssertReads(PathOf("cifar10", NULL), PSD_SPLIT_TRAIN, 1509, "cifar10", cifar10_image);
  AssertReads(PathOf("cifar10", NULL), PSD_SPLIT_TEST, 7, "cifar10", cifar10_image);
}

static void Cifar10NamesComeFromTheMetaFile(void **state)
{
  (void)state;
  PetscInt count;
  const PetscInt *labels;
  const char *const *names;
  PsdData data = Open(PathOf("cifar10", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetClasses(data, &count, &labels, &names));
  assert_int_equal(count, 4);
  assert_int_equal(labels[1], 3);
  assert_string_equal(names[0], "airplane");
  assert_string_equal(names[1], "cat");
  assert_string_equal(names[3], "truck");
  MUST(PsdDataDestroy(&data));
}

static void WriteCifar100Directory(void)
{
  static const char fine[] = "apple\nfish\nbaby\nbear\nbeaver\nbed\nbee\nbeetle\nbicycle\nbottle\n";
  static const char coarse[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
  if (Rank()) return;
  MakeDirectory("cifar100");
  WriteCifar(PathOf("cifar100", "train.bin"), 2, 0, 1300);
  WriteCifar(PathOf("cifar100", "test.bin"), 2, 0, 8);
  WritePlain(PathOf("cifar100", "fine_label_names.txt"), fine, strlen(fine));
  WritePlain(PathOf("cifar100", "coarse_label_names.txt"), coarse, strlen(coarse));
}

static void Cifar100HasFineLabelsAndCoarseOnes(void **state)
{
  (void)state;
  for (int coarse = 0; coarse < 2; coarse++) {
    PetscInt count, n_local, first;
    const unsigned char *images;
    const PetscInt *classes, *labels;
    const char *const *names;
    PsdData data = Open(PathOf("cifar100", NULL), PSD_SPLIT_TRAIN);
    MUST(PsdDataSetCoarse(data, (PetscBool)coarse));
    MUST(PsdDataSetUp(data));
    MUST(PsdDataGetSizes(data, NULL, &n_local, &first));
    MUST(PsdDataGetShard(data, &images, &classes, NULL));
    MUST(PsdDataGetClasses(data, &count, &labels, &names));
    int right = 1;
    for (PetscInt k = 0; k < n_local; k++)
      right &= labels[classes[k]] == LabelOf(first + k) + coarse && SameImage(images + k * 3072L, first + k, 3072);
    assert_true(OnAllRanks(right));
    for (PetscInt k = 0; k < count; k++)
      if (labels[k] == 3) assert_string_equal(names[k], coarse ? "d" : "bear");
    MUST(PsdDataDestroy(&data));
  }
  AssertReads(PathOf("cifar100", NULL), PSD_SPLIT_TRAIN, 1300, "cifar100", cifar10_image);
  AssertReads(PathOf("cifar100", NULL), PSD_SPLIT_TEST, 8, "cifar100", cifar10_image);
}

static void AssertRefuses(PsdData data, const char words[])
{
  const int right = PsdDataSetUp(data) == PSD_ERR_INPUT && strstr(PsdErrorMessage(), words);
  if (!right) print_message("message \"%s\", expected \"%s\"\n", PsdErrorMessage(), words);
  assert_true(OnAllRanks(right));
  MUST(PsdDataDestroy(&data));
}

static void CoarseLabelsAreNotTakenForFineOnes(void **state)
{
  (void)state;
  static const PetscInt labels[] = {3, 9};
  static const char *const of_coarse[] = {"d", "j"};
  PsdData data = Open(PathOf("cifar100", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetPurpose(data, PSD_TO_EVALUATE));
  MUST(PsdDataSetClasses(data, 2, labels));
  MUST(PsdDataSetClassNames(data, 2, labels, of_coarse));
  AssertRefuses(data, "label 3 is bear, and d to the network: see -labels");
  data = Open(PathOf("cifar10", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetCoarse(data, PETSC_TRUE));
  AssertRefuses(data, "only cifar100 has two");
  if (!Rank()) {
    MakeDirectory("cifar100bad");
    WriteCifar(PathOf("cifar100bad", "train.bin"), 2, 0, 20);
    const int file = open(PathOf("cifar100bad", "train.bin"), O_WRONLY);
    Require(file >= 0 && pwrite(file, "\x14\x64", 2, 19L * 3074) == 2 && !close(file), "cifar100bad");
  }
  AssertRefuses(Open(PathOf("cifar100bad", NULL), PSD_SPLIT_TRAIN), "record 19 (from 0) has label 100, expected 0..99");
  data = Open(PathOf("cifar100bad", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetCoarse(data, PETSC_TRUE));
  AssertRefuses(data, "record 19 (from 0) has label 20, expected 0..19");
}

static void IdxIsTheSamePlainAndCompressed(void **state)
{
  (void)state;
  static const char *const suffixes[][2] = {{"", ""}, {".gz", ".gz"}, {".gz", ""}, {"", ".gz"}};
  static const long image[3] = {1, 5, 3};
  for (int k = 0; k < 4; k++) {
    char directory[16];
    snprintf(directory, sizeof(directory), "idx%d", k);
    if (!Rank()) WriteIdx(directory, "train", suffixes[k][0], suffixes[k][1], 37, 5, 3);
    if (!Rank()) WriteIdx(directory, "t10k", suffixes[k][0], suffixes[k][1], 11, 5, 3);
    AssertReads(PathOf(directory, NULL), PSD_SPLIT_TRAIN, 37, "idx", image);
    AssertReads(PathOf(directory, NULL), PSD_SPLIT_TEST, 11, "idx", image);
  }
}

/* the .gz beside it is no gzip at all, so reading it would fail */
static void IdxPlainGoesBeforeCompressed(void **state)
{
  (void)state;
  static const long image[3] = {1, 2, 2};
  if (!Rank()) {
    WriteIdx("both", "train", "", "", 20, 2, 2);
    WritePlain(PathOf("both", "train-images-idx3-ubyte.gz"), "x", 1);
    WritePlain(PathOf("both", "train-labels-idx1-ubyte.gz"), "x", 1);
  }
  AssertReads(PathOf("both", NULL), PSD_SPLIT_TRAIN, 20, "idx", image);
}

/* 18 MB: several pieces to each of four ranks */
static void ManyPiecesAreReadAndSent(void **state)
{
  (void)state;
  static const long image[3] = {1, 128, 128};
  if (!Rank()) WriteIdx("large", "train", "", "", 1100, 128, 128);
  if (!Rank()) WriteIdx("large_gz", "train", ".gz", ".gz", 1100, 128, 128);
  AssertReads(PathOf("large", NULL), PSD_SPLIT_TRAIN, 1100, "idx", image);
  AssertReads(PathOf("large_gz", NULL), PSD_SPLIT_TRAIN, 1100, "idx", image);
}

/* gzip allows a file of several compressed parts, one after the other */
static void GzipOfSeveralMembersIsOneStream(void **state)
{
  (void)state;
  static const long image[3] = {1, 2, 2};
  if (!Rank()) {
    unsigned char bytes[16 + 4 * 30];
    WriteIdx("members", "train", "", ".gz", 30, 2, 2);
    const char *plain = PathOf("members", "train-images-idx3-ubyte");
    FILE *file = fopen(plain, "rb");
    Require(file && fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes), plain);
    fclose(file);
    remove(plain);
    const char *path = PathOf("members", "train-images-idx3-ubyte.gz");
    gzFile first = gzopen(path, "wb");
    gzwrite(first, bytes, 50);
    gzclose(first);
    gzFile second = gzopen(path, "ab");
    gzwrite(second, bytes + 50, sizeof(bytes) - 50);
    gzclose(second);
  }
  AssertReads(PathOf("members", NULL), PSD_SPLIT_TRAIN, 30, "idx", image);
}

static void Hdf5IsReadFromADirectoryOrAsAFile(void **state)
{
  (void)state;
  static const long image[3] = {2, 3, 5};
  if (!Rank()) {
    MakeDirectory("hdf5");
    WriteHdf5(PathOf("hdf5", "anything.hdf5"), 41, image, H5T_STD_I8LE, 0);
  }
  AssertReads(PathOf("hdf5", NULL), PSD_SPLIT_TRAIN, 41, "hdf5", image);
  AssertReads(PathOf("hdf5", "anything.hdf5"), PSD_SPLIT_TRAIN, 41, "hdf5", image);
  AssertReads(PathOf("hdf5", "anything.hdf5"), PSD_SPLIT_TEST, 41, "hdf5", image);
}

/* labels of any integer type; the chunk of 3 MB is larger than HDF5's own cache */
static void Hdf5SplitsAreFilesOfTheirOwn(void **state)
{
  (void)state;
  static const long image[3] = {3, 32, 32};
  if (!Rank()) {
    MakeDirectory("splits");
    WriteHdf5(PathOf("splits", "train.h5"), 2100, image, H5T_STD_U64BE, 1000);
    WriteHdf5(PathOf("splits", "test.h5"), 13, image, H5T_STD_I16BE, 0);
  }
  AssertReads(PathOf("splits", NULL), PSD_SPLIT_TRAIN, 2100, "hdf5", image);
  AssertReads(PathOf("splits", NULL), PSD_SPLIT_TEST, 13, "hdf5", image);
}

/* ---------------------------------------------------------------- selection, the same for every format */

static const char *const every_format[] = {"cifar10", "idx0", "idx1", "hdf5"};
static const long every_total[] = {1509, 37, 37, 41};

static void ClassesAreThoseGivenInTheirOrder(void **state)
{
  (void)state;
  static const PetscInt labels[] = {9, 3, 0};
  for (int k = 0; k < 4; k++) {
    const Expected expected = ExpectLabels(every_total[k], 3, labels);
    PetscInt count;
    const PetscInt *found;
    PsdData data = Open(PathOf(every_format[k], NULL), PSD_SPLIT_TRAIN);
    MUST(PsdDataSetClasses(data, 3, labels));
    AssertHolds(data, &expected);
    MUST(PsdDataGetClasses(data, &count, &found, NULL));
    assert_int_equal(count, 3);
    assert_memory_equal(found, labels, sizeof(labels));
    MUST(PsdDataDestroy(&data));
  }
}

static void ByDefaultClassesAreAllLabelsAscending(void **state)
{
  (void)state;
  static const PetscInt labels[] = {0, 3, 5, 9};
  static const char *const digits[] = {"0", "3", "5", "9"};
  PetscInt count;
  const PetscInt *found;
  const char *const *names;
  PsdData data = Open(PathOf("idx1", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetClasses(data, &count, &found, &names));
  assert_int_equal(count, 4);
  assert_memory_equal(found, labels, sizeof(labels));
  for (int k = 0; k < 4; k++) assert_string_equal(names[k], digits[k]);
  MUST(PsdDataDestroy(&data));
}

static void LimitKeepsTheFirstOfTheChosenClasses(void **state)
{
  (void)state;
  static const PetscInt labels[] = {5, 0};
  for (int k = 0; k < 4; k++) {
    const Expected all = ExpectLabels(every_total[k], 2, labels), expected = Slice(&all, 0, 9);
    PsdData data = Open(PathOf(every_format[k], NULL), PSD_SPLIT_TRAIN);
    MUST(PsdDataSetClasses(data, 2, labels));
    MUST(PsdDataSetLimit(data, 9));
    AssertHolds(data, &expected);
    MUST(PsdDataDestroy(&data));
  }
}

static void AssertPart(const char directory[], PetscReal fraction, PsdDataPart part, const Expected *expected)
{
  PsdData data = Open(PathOf(directory, NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetLimit(data, 30));
  MUST(PsdDataSetValidation(data, fraction, part));
  AssertHolds(data, expected);
  MUST(PsdDataDestroy(&data));
}

/* floor(0.35 * 30) = 10, and floor(0.3 * 30) = 9 although 0.3 * 30 is a little less in floating point */
static void PartsOfAValidationDivideTheSelection(void **state)
{
  (void)state;
  const Expected all = ExpectLabels(30, 0, NULL);
  const Expected train = Slice(&all, 0, 20), held_out = Slice(&all, 20, 30), exact = Slice(&all, 21, 30);
  for (int k = 0; k < 4; k++) {
    AssertPart(every_format[k], 0.35, PSD_PART_ALL, &all);
    AssertPart(every_format[k], 0.35, PSD_PART_TRAIN, &train);
    AssertPart(every_format[k], 0.35, PSD_PART_VALIDATION, &held_out);
    AssertPart(every_format[k], 0.3, PSD_PART_VALIDATION, &exact);
  }
}

/* six images, of which floor(0.25 * 6) = 1 is held out */
static void OptionsSayTheSame(void **state)
{
  (void)state;
  static const PetscInt labels[] = {9, 0, 5};
  static const char *const options[][2] = {
      {"-data", NULL}, {"-split", "test"}, {"-classes", "9,0,5"}, {"-limit", "6"}, {"-validation", "0.25"}};
  const Expected all = ExpectLabels(11, 3, labels), expected = Slice(&all, 0, 5);
  PsdData data;
  for (int k = 0; k < 5; k++) MUST(PetscOptionsSetValue(NULL, options[k][0], k ? options[k][1] : PathOf("idx1", NULL)));
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetFromOptions(data));
  for (int k = 0; k < 5; k++) MUST(PetscOptionsClearValue(NULL, options[k][0]));
  AssertHolds(data, &expected);
  MUST(PsdDataDestroy(&data));
}

/* a model may know classes that a test set does not have */
static void ATestSetMayLackAClassThatTheCallerNames(void **state)
{
  (void)state;
  static const PetscInt labels[] = {0, 9, 4};
  const Expected expected = ExpectLabels(11, 3, labels);
  PsdData data = Open(PathOf("idx0", NULL), PSD_SPLIT_TEST);
  MUST(PsdDataSetClasses(data, 3, labels));
  AssertHolds(data, &expected);
  MUST(PsdDataDestroy(&data));
}

static void TheViewCountsImagesOverAllRanks(void **state)
{
  (void)state;
  char text[512] = "";
  const char *path = PathOf("idx0", "view.txt");
  PetscViewer viewer;
  PsdData data = Open(PathOf("idx0", NULL), PSD_SPLIT_TRAIN);
  MUST(PsdDataSetLimit(data, 11));
  MUST(PsdDataSetUp(data));
  MUST(PetscViewerASCIIOpen(PETSC_COMM_WORLD, path, &viewer));
  MUST(PsdDataView(data, viewer));
  MUST(PetscViewerDestroy(&viewer));
  MUST(PsdDataDestroy(&data));
  if (!Rank()) {
    FILE *file = fopen(path, "r");
    Require(file && fread(text, 1, sizeof(text) - 1, file) > 0, path);
    fclose(file);
  }
  MUST(MPI_Bcast(text, sizeof(text), MPI_CHAR, 0, PETSC_COMM_WORLD));
  assert_non_null(strstr(text, PathOf("idx0", NULL)));
  assert_non_null(strstr(text, "format idx, split train"));
  assert_non_null(strstr(text, "11 images of 1 x 5 x 3"));
  PetscInt counts[10] = {0};
  for (long k = 0; k < 11; k++) counts[LabelOf(k)]++;
  char line[128];
  snprintf(line, sizeof(line), "images per class: 0 %d, 3 %d, 5 %d, 9 %d\n", (int)counts[0], (int)counts[3],
           (int)counts[5], (int)counts[9]);
  assert_non_null(strstr(text, line));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Cifar10BatchesAreReadInTheOrderOfTheirNames),
                                     cmocka_unit_test(Cifar10NamesComeFromTheMetaFile),
                                     cmocka_unit_test(Cifar100HasFineLabelsAndCoarseOnes),
                                     cmocka_unit_test(CoarseLabelsAreNotTakenForFineOnes),
                                     cmocka_unit_test(IdxIsTheSamePlainAndCompressed),
                                     cmocka_unit_test(IdxPlainGoesBeforeCompressed),
                                     cmocka_unit_test(ManyPiecesAreReadAndSent),
                                     cmocka_unit_test(GzipOfSeveralMembersIsOneStream),
                                     cmocka_unit_test(Hdf5IsReadFromADirectoryOrAsAFile),
                                     cmocka_unit_test(Hdf5SplitsAreFilesOfTheirOwn),
                                     cmocka_unit_test(ClassesAreThoseGivenInTheirOrder),
                                     cmocka_unit_test(ByDefaultClassesAreAllLabelsAscending),
                                     cmocka_unit_test(LimitKeepsTheFirstOfTheChosenClasses),
                                     cmocka_unit_test(PartsOfAValidationDivideTheSelection),
                                     cmocka_unit_test(OptionsSayTheSame),
                                     cmocka_unit_test(ATestSetMayLackAClassThatTheCallerNames),
                                     cmocka_unit_test(TheViewCountsImagesOverAllRanks)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  WriteCifar10Directory();
  WriteCifar100Directory();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
