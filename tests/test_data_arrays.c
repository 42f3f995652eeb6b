/* Images in memory become the shards that a file of the same images becomes, whichever ranks gave them; what is wrong with
   them is one line on every rank. */
#include "data_files.h"
#include <math.h>
#include <setjmp.h>
#include <cmocka.h>

#define IMAGES 101
static const PetscInt shape[3] = {1, 5, 3};
#define IMAGE_BYTES 15L

/* ---------------------------------------------------------------- giving them */

/* How the images are spread: images before rank r, of the first `size` ranks. */
typedef long (*Spread)(int rank, int size);

static long Evenly(int rank, int size)
{
  return (long)IMAGES * rank / size;
}

static long AllByTheFirst(int rank, int size)
{
  (void)size;
  return rank ? IMAGES : 0;
}

static long AllByTheLast(int rank, int size)
{
  return rank < size ? 0 : IMAGES;
}

/* few by the first ranks, and none by the very first */
static long MoreAndMore(int rank, int size)
{
  return rank < size ? (long)IMAGES * rank * (rank - 1) / ((long)size * size) : IMAGES;
}

static const Spread spreads[] = {Evenly, AllByTheFirst, AllByTheLast, MoreAndMore};
#define SPREADS (sizeof(spreads) / sizeof(spreads[0]))

/* What is given is overwritten at once. */
static PetscErrorCode Give(PsdData data, long first, long end, PetscBool labelled)
{
  const PetscInt count = (PetscInt)(end - first);
  unsigned char *images = (unsigned char *)malloc((size_t)count * IMAGE_BYTES + 1);
  PetscInt *labels = (PetscInt *)malloc((size_t)(count + 1) * sizeof(PetscInt));
  for (PetscInt k = 0; k < count; k++) {
    for (long byte = 0; byte < IMAGE_BYTES; byte++)
      images[(size_t)k * IMAGE_BYTES + (size_t)byte] = PixelOf(first + k, byte);
    labels[k] = LabelOf(first + k);
  }
  const PetscErrorCode code =
      PsdDataSetArrays(data, count, shape[0], shape[1], shape[2], images, labelled ? labels : NULL);
  memset(images, 0, (size_t)count * IMAGE_BYTES);
  memset(labels, 0, (size_t)count * sizeof(PetscInt));
  free(images);
  free(labels);
  return code;
}

static PsdData Arrays(MPI_Comm comm, Spread spread)
{
  PsdData data;
  PetscMPIInt rank, size;
  MUST(MPI_Comm_rank(comm, &rank));
  MUST(MPI_Comm_size(comm, &size));
  MUST(PsdDataCreate(comm, &data));
  MUST(Give(data, spread(rank, size), spread(rank + 1, size), PETSC_TRUE));
  return data;
}

static PsdData File(MPI_Comm comm)
{
  PsdData data;
  MUST(MPI_Barrier(PETSC_COMM_WORLD)); /* rank 0 has written */
  MUST(PsdDataCreate(comm, &data));
  MUST(PsdDataSetPath(data, PathOf("file", NULL)));
  return data;
}

/* ---------------------------------------------------------------- whether they arrived */

static int OnAllRanks(int here)
{
  MUST(MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_INT, MPI_LAND, PETSC_COMM_WORLD));
  return here;
}

static int SameShards(PsdData a, PsdData b)
{
  PetscInt n[2][3], count[2];
  const unsigned char *images[2];
  const PetscInt *classes[2], *labels[2];
  const PetscInt64 *indices[2];
  PsdData data[2] = {a, b};
  for (int k = 0; k < 2; k++) {
    MUST(PsdDataSetUp(data[k]));
    MUST(PsdDataGetSizes(data[k], &n[k][0], &n[k][1], &n[k][2]));
    MUST(PsdDataGetShard(data[k], &images[k], &classes[k], &indices[k]));
    MUST(PsdDataGetClasses(data[k], &count[k], &labels[k], NULL));
  }
  if (memcmp(n[0], n[1], sizeof(n[0])) != 0 || count[0] != count[1]) return 0;
  const size_t local = (size_t)n[0][1];
  return !memcmp(labels[0], labels[1], (size_t)count[0] * sizeof(PetscInt)) &&
         !memcmp(images[0], images[1], local * IMAGE_BYTES) &&
         !memcmp(classes[0], classes[1], local * sizeof(PetscInt)) &&
         !memcmp(indices[0], indices[1], local * sizeof(PetscInt64));
}

/* what is chosen of both: NULL for everything */
static void AssertSame(MPI_Comm comm, void (*choose)(PsdData data))
{
  for (size_t k = 0; k < SPREADS; k++) {
    PsdData arrays = Arrays(comm, spreads[k]), file = File(comm);
    if (choose) choose(arrays), choose(file);
    assert_true(OnAllRanks(SameShards(arrays, file)));
    MUST(PsdDataDestroy(&arrays));
    MUST(PsdDataDestroy(&file));
  }
}

/* ---------------------------------------------------------------- as files */

static void ArraysAreTheSameAsAFile(void **state)
{
  (void)state;
  AssertSame(PETSC_COMM_WORLD, NULL);
}

static void ChooseClassesAndLimit(PsdData data)
{
  static const PetscInt labels[] = {9, 0, 3};
  MUST(PsdDataSetClasses(data, 3, labels));
  MUST(PsdDataSetLimit(data, 31));
}

static void ChooseValidation(PsdData data)
{
  MUST(PsdDataSetValidation(data, 0.35, PSD_PART_VALIDATION));
}

static void ChooseMirrors(PsdData data)
{
  ChooseClassesAndLimit(data);
  MUST(PsdDataSetValidation(data, 0.35, PSD_PART_TRAIN));
  MUST(PsdDataSetMirror(data, PETSC_TRUE));
}

static void WhatIsSelectedOfThemIsTheSame(void **state)
{
  (void)state;
  AssertSame(PETSC_COMM_WORLD, ChooseClassesAndLimit);
  AssertSame(PETSC_COMM_WORLD, ChooseValidation);
  AssertSame(PETSC_COMM_WORLD, ChooseMirrors);
}

/* the ranks of odd number among themselves, and those of even number */
static void AnyCommunicatorWillDo(void **state)
{
  (void)state;
  MPI_Comm comm;
  MUST(MPI_Comm_split(PETSC_COMM_WORLD, Rank() % 2, 0, &comm));
  AssertSame(comm, NULL);
  MUST(MPI_Comm_free(&comm));
}

static void TheLastOriginCounts(void **state)
{
  (void)state;
  const char *format;
  PsdData data = File(PETSC_COMM_WORLD), file = File(PETSC_COMM_WORLD);
  MUST(Give(data, 0, Rank() ? 0 : 7, PETSC_TRUE));
  MUST(Give(data, Evenly(Rank(), Size()), Evenly(Rank() + 1, Size()), PETSC_TRUE));
  assert_true(OnAllRanks(SameShards(data, file)));
  MUST(PsdDataGetFormat(data, &format));
  assert_string_equal(format, "arrays");
  MUST(PsdDataDestroy(&data));
  data = Arrays(PETSC_COMM_WORLD, Evenly);
  MUST(PetscOptionsSetValue(NULL, "-data", PathOf("file", NULL)));
  MUST(PsdDataSetFromOptions(data));
  MUST(PetscOptionsClearValue(NULL, "-data"));
  assert_true(OnAllRanks(SameShards(data, file)));
  MUST(PsdDataGetFormat(data, &format));
  assert_string_equal(format, "idx");
  MUST(PsdDataDestroy(&data));
  MUST(PsdDataDestroy(&file));
}

static void ImagesToBePredictedNeedNoLabels(void **state)
{
  (void)state;
  static const PetscInt labels[] = {5, 3};
  PetscInt n, n_local, first;
  const unsigned char *images;
  const PetscInt *classes;
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetPurpose(data, PSD_TO_PREDICT));
  MUST(PsdDataSetClasses(data, 2, labels));
  MUST(Give(data, MoreAndMore(Rank(), Size()), MoreAndMore(Rank() + 1, Size()), PETSC_FALSE));
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetSizes(data, &n, &n_local, &first));
  MUST(PsdDataGetShard(data, &images, &classes, NULL));
  assert_int_equal(n, IMAGES);
  int right = 1;
  for (PetscInt k = 0; k < n_local; k++) {
    right &= classes[k] == 0;
    for (long byte = 0; byte < IMAGE_BYTES; byte++)
      right &= images[(size_t)k * IMAGE_BYTES + (size_t)byte] == PixelOf(first + k, byte);
  }
  assert_true(OnAllRanks(right));
  MUST(PsdDataDestroy(&data));
}

/* two an image, which tell it */
static PetscReal TargetOf(long image, long output)
{
  return (PetscReal)(2 * image + output) / 7;
}

/* Targets go where their images go, and shifted and mirror images have the same. */
static void TargetsGoWithTheirImages(void **state)
{
  (void)state;
  for (size_t s = 0; s < SPREADS; s++) {
    const long first = spreads[s](Rank(), Size()), end = spreads[s](Rank() + 1, Size());
    PetscReal *targets = (PetscReal *)malloc((size_t)(end - first + 1) * 2 * sizeof(PetscReal));
    const PetscReal *found;
    const PetscInt64 *indices;
    PetscInt outputs, n_local, C;
    PsdData data;
    for (long k = 0; k < 2 * (end - first); k++) targets[k] = TargetOf(first + k / 2, k % 2);
    MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
    MUST(Give(data, first, end, PETSC_FALSE));
    MUST(PsdDataSetArrayTargets(data, 2, targets));
    free(targets);
    MUST(PsdDataSetLimit(data, 83));
    MUST(PsdDataSetShifts(data, 5));
    MUST(PsdDataSetMirror(data, PETSC_TRUE));
    MUST(PsdDataSetUp(data));
    MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
    MUST(PsdDataGetTargets(data, &outputs, &found));
    MUST(PsdDataGetShard(data, NULL, NULL, &indices));
    MUST(PsdDataGetScoreCount(data, &C));
    int right = outputs == 2 && C == 2 && !PsdDataIsLabelled(data);
    for (PetscInt k = 0; k < 2 * n_local; k++) right &= found[k] == TargetOf((long)indices[k / 2], k % 2);
    assert_true(OnAllRanks(right));
    MUST(PsdDataDestroy(&data));
  }
}

/* 0 of every third image */
static PetscReal WeightOf(long image)
{
  return (PetscReal)(image % 3) * (PetscReal)(image + 1) / 7;
}

/* Weights go where their images go, shifted and mirror images have the same, and an image of weight 0 is not there; factors of
   classes are multiplied on. */
static void WeightsGoWithTheirImages(void **state)
{
  (void)state;
  for (size_t s = 0; s < SPREADS; s++)
    for (int factors = 0; factors < 2; factors++) {
      const long first = spreads[s](Rank(), Size()), end = spreads[s](Rank() + 1, Size());
      PetscReal weights[IMAGES], of_class[8];
      const PetscReal *found;
      const PetscInt64 *indices;
      const PetscInt *classes;
      PetscInt n, n_local, count;
      PsdData data;
      for (long k = first; k < end; k++) weights[k - first] = WeightOf(k);
      for (int k = 0; k < 8; k++) of_class[k] = factors ? k + 1 : 1;
      data = Arrays(PETSC_COMM_WORLD, spreads[s]);
      MUST(PsdDataSetUp(data));
      MUST(PsdDataGetWeights(data, &found));
      MUST(PsdDataGetClasses(data, &count, NULL, NULL));
      int right = !found && count <= 8;
      MUST(PsdDataDestroy(&data));
      data = Arrays(PETSC_COMM_WORLD, spreads[s]);
      MUST(PsdDataSetArrayWeights(data, weights));
      if (factors) MUST(PsdDataSetClassWeights(data, count, of_class));
      MUST(PsdDataSetLimit(data, 48));
      MUST(PsdDataSetShifts(data, 5));
      MUST(PsdDataSetMirror(data, PETSC_TRUE));
      MUST(PsdDataSetUp(data));
      MUST(PsdDataGetSizes(data, &n, &n_local, NULL));
      MUST(PsdDataGetWeights(data, &found));
      MUST(PsdDataGetShard(data, NULL, &classes, &indices));
      right &= n == 480;
      for (PetscInt k = 0; k < n_local; k++)
        right &= found[k] > 0 && found[k] == WeightOf((long)indices[k]) * of_class[classes[k]];
      assert_true(OnAllRanks(right));
      MUST(PsdDataDestroy(&data));
    }
}

/* Of classes that are to weigh alike the weights add up to the same, and all of them to the number of images; what is held out
   has its class's factor. */
static void ClassesMayWeighAlike(void **state)
{
  (void)state;
  PetscReal sums[8] = {0}, all = 0;
  PetscInt total = 0, count = 0;
  int right = 1;
  for (int part = PSD_PART_TRAIN; part <= PSD_PART_VALIDATION; part++) {
    const PetscReal *weights;
    const PetscInt *classes;
    PetscInt n, n_local;
    PsdData data = Arrays(PETSC_COMM_WORLD, Evenly);
    MUST(PsdDataSetClassWeights(data, 1, NULL));
    MUST(PsdDataSetValidation(data, 0.3, (PsdDataPart)part));
    MUST(PsdDataSetUp(data));
    MUST(PsdDataGetSizes(data, &n, &n_local, NULL));
    MUST(PsdDataGetClasses(data, &count, NULL, NULL));
    MUST(PsdDataGetShard(data, NULL, &classes, NULL));
    MUST(PsdDataGetWeights(data, &weights));
    total += n;
    for (PetscInt k = 0; k < n_local; k++) sums[classes[k]] += weights[k];
    MUST(PsdDataDestroy(&data));
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, 8, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD);
  for (PetscInt k = 0; k < count; k++) {
    right &= PetscAbsReal(sums[k] - sums[0]) <= 1e-13 * sums[0];
    all += sums[k];
  }
  right &= count > 1 && PetscAbsReal(all - (PetscReal)total) <= 1e-13 * all;
  assert_true(OnAllRanks(right));
}

/* ---------------------------------------------------------------- what is refused */

static void AssertRefused(PsdData *data, PetscErrorCode code, const char words[])
{
  if (!code) code = PsdDataSetUp(*data);
  const int right = code == PSD_ERR_INPUT && strstr(PsdErrorMessage(), words) && !strchr(PsdErrorMessage(), '\n');
  if (!right) print_message("code %d, message \"%s\", expected \"%s\"\n", (int)code, PsdErrorMessage(), words);
  assert_true(OnAllRanks(right));
  MUST(PsdDataDestroy(data));
  MUST(PsdDataCreate(PETSC_COMM_WORLD, data));
}

/* Images that look as if their channels were last, with labels or with two targets: read from the file they are the same, on
   every rank. */
static void WhatIsSavedIsReadAgain(void **state)
{
  (void)state;
  enum { CHANNELS = 5, HEIGHT = 6, WIDTH = 3, COUNT = 23, BYTES = CHANNELS * HEIGHT * WIDTH };
  unsigned char images[COUNT * BYTES];
  PetscInt labels[COUNT];
  PetscReal targets[2 * COUNT];
  const PetscInt own = Rank() == 0 ? COUNT : 0; /* all of the first rank, as the selection deals them out */
  for (int k = 0; k < COUNT * BYTES; k++) images[k] = (unsigned char)(37 * k + k / 7);
  for (int k = 0; k < COUNT; k++) {
    labels[k] = k % 3 ? 70000 : 4;
    targets[2 * k] = k / 3.;
    targets[2 * k + 1] = -1e300 * k;
  }
  for (int real = 0; real < 2; real++) {
    PsdData given, read;
    const unsigned char *a, *b;
    const PetscInt *classes[2], *label[2];
    const PetscReal *t[2];
    PetscInt n[2], n_local[2], size[3];
    MUST(PsdDataCreate(PETSC_COMM_WORLD, &given));
    MUST(PsdDataSetArrays(given, own, CHANNELS, HEIGHT, WIDTH, images, real ? NULL : labels));
    if (real) MUST(PsdDataSetArrayTargets(given, 2, targets));
    MUST(PsdDataSetUp(given));
    MUST(PsdDataSave(1, &given, PathOf("saved.h5", NULL)));
    MUST(PsdDataCreate(PETSC_COMM_WORLD, &read));
    MUST(PsdDataSetPath(read, PathOf("saved.h5", NULL)));
    MUST(PsdDataSetUp(read));
    MUST(PsdDataGetSizes(given, &n[0], &n_local[0], NULL));
    MUST(PsdDataGetSizes(read, &n[1], &n_local[1], NULL));
    MUST(PsdDataGetImageSize(read, &size[0], &size[1], &size[2]));
    MUST(PsdDataGetShard(given, &a, &classes[0], NULL));
    MUST(PsdDataGetShard(read, &b, &classes[1], NULL));
    MUST(PsdDataGetClasses(given, NULL, &label[0], NULL));
    MUST(PsdDataGetClasses(read, NULL, &label[1], NULL));
    MUST(PsdDataGetTargets(given, NULL, &t[0]));
    MUST(PsdDataGetTargets(read, NULL, &t[1]));
    assert_true(n[0] == COUNT && n[1] == COUNT && n_local[0] == n_local[1]);
    assert_true(size[0] == CHANNELS && size[1] == HEIGHT && size[2] == WIDTH);
    assert_memory_equal(a, b, (size_t)n_local[0] * BYTES);
    for (PetscInt k = 0; k < n_local[0]; k++) {
      if (real) assert_true(t[0][2 * k] == t[1][2 * k] && t[0][2 * k + 1] == t[1][2 * k + 1]);
      else assert_int_equal(label[0][classes[0][k]], label[1][classes[1][k]]);
    }
    MUST(PsdDataDestroy(&given));
    MUST(PsdDataDestroy(&read));
  }
}

static void WhatIsWrongIsOneLine(void **state)
{
  (void)state;
  static const unsigned char images[2 * IMAGE_BYTES] = {0};
  static const PetscInt labels[2] = {0, 1}, negative[2] = {0, -1}, both[2] = {3, 5};
  const PetscMPIInt last = Rank() == Size() - 1;
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  AssertRefused(&data, PsdDataSetArrays(data, 0, 1, 5, 3, NULL, NULL), "images in memory: 0 images");
  AssertRefused(&data, PsdDataSetArrays(data, last ? -1 : 2, 1, 5, 3, images, labels), "-1 on a rank");
  AssertRefused(&data, PsdDataSetArrays(data, 2, 1, last ? 0 : 5, 3, images, labels), "1 x 0 x 3");
  AssertRefused(&data, PsdDataSetArrays(data, 2, 1, 5, 3, last ? NULL : images, labels), "no images");
  AssertRefused(&data, PsdDataSetArrays(data, 2, 1, 5, 3, images, last ? negative : labels), "label -1");
  AssertRefused(&data, PsdDataSetArrays(data, 2, 1, 5, 3, images, NULL), "found no labels");
  AssertRefused(&data, PsdDataSetArrays(data, last ? 1 : 0, 1, 5, 3, images, labels), "every image has label 0");
  if (Size() > 1) {
    AssertRefused(&data, PsdDataSetArrays(data, 2, 1, last ? 4 : 5, 3, images, labels), "1x4x3 to 1x5x3");
    AssertRefused(&data, PsdDataSetArrays(data, 2, 1, 5, 3, images, last ? NULL : labels), "others none");
  }
  if (Size() > 2)
    AssertRefused(&data, PsdDataSetArrays(data, last ? 2 : 0, 1, 5, 3, images, labels),
                  "images in memory: 2 images are selected for");
  MUST(PsdDataSetClasses(data, 2, both));
  AssertRefused(&data, PsdDataSetArrays(data, 2, 1, 5, 3, images, labels), "no image of split train has one of");
  MUST(PsdDataDestroy(&data));
}

static PsdData Unlabelled(void)
{
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(Give(data, Evenly(Rank(), Size()), Evenly(Rank() + 1, Size()), PETSC_FALSE));
  return data;
}

static void TargetsThatAreWrongAreOneLine(void **state)
{
  (void)state;
  static const PetscInt two[] = {0, 1};
  PetscReal targets[2 * IMAGES] = {0};
  const PetscMPIInt last = Rank() == Size() - 1;
  PsdData data = Unlabelled();
  AssertRefused(&data, PsdDataSetArrayTargets(data, 0, targets), "0 targets of an image");
  MUST(PsdDataDestroy(&data));
  data = Unlabelled();
  AssertRefused(&data, PsdDataSetArrayTargets(data, 1, last ? NULL : targets), "no targets");
  MUST(PsdDataDestroy(&data));
  data = Unlabelled();
  MUST(PsdDataSetClasses(data, 2, two));
  AssertRefused(&data, PsdDataSetArrayTargets(data, 1, targets), "expected labels for classes");
  MUST(PsdDataDestroy(&data));
  data = Unlabelled();
  MUST(PsdDataSetOutputs(data, 3));
  AssertRefused(&data, PsdDataSetArrayTargets(data, 2, targets), "has 2 targets of an image, expected 3");
  MUST(PsdDataDestroy(&data));
  data = Unlabelled();
  targets[last ? 1 : 0] = last ? INFINITY : 0;
  AssertRefused(&data, PsdDataSetArrayTargets(data, 2, targets), "is inf");
  if (Size() > 1) {
    MUST(PsdDataDestroy(&data));
    data = Unlabelled();
    AssertRefused(&data, PsdDataSetArrayTargets(data, last ? 1 : 2, targets + 2), "as many on all ranks");
  }
  MUST(PsdDataDestroy(&data));
  data = Arrays(PETSC_COMM_WORLD, Evenly);
  AssertRefused(&data, PsdDataSetArrayTargets(data, 1, targets + 2), "expected targets or labels");
  MUST(PsdDataDestroy(&data));
}

static void WeightsThatAreWrongAreOneLine(void **state)
{
  (void)state;
  static const PetscReal wrong[] = {-1, NAN, INFINITY, 1e31, 1e-31};
  PetscReal weights[IMAGES] = {0};
  const PetscMPIInt last = Rank() == Size() - 1;
  PsdData data = Arrays(PETSC_COMM_WORLD, Evenly);
  AssertRefused(&data, PsdDataSetArrayWeights(data, weights), "all weights are 0");
  for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++) {
    MUST(PsdDataDestroy(&data));
    data = Arrays(PETSC_COMM_WORLD, Evenly);
    weights[0] = last ? wrong[k] : 1;
    AssertRefused(&data, PsdDataSetArrayWeights(data, weights), "(from 0) has the weight");
  }
  MUST(PsdDataDestroy(&data));
  data = Arrays(PETSC_COMM_WORLD, Evenly);
  AssertRefused(&data, PsdDataSetArrayWeights(data, last ? NULL : weights), "no weights");
  AssertRefused(&data, PsdDataSetClassWeights(data, 1, &wrong[0]), "-class_weights: found -1");
  MUST(PsdDataDestroy(&data));
  data = Unlabelled();
  MUST(PsdDataSetArrayTargets(data, 1, weights + 1));
  MUST(PsdDataSetClassWeights(data, 1, NULL));
  AssertRefused(&data, 0, "have no classes");
  MUST(PsdDataDestroy(&data));
}

/* A selection that comes to nothing leaves the arrays, for another one. */
static void AfterARefusalAnotherSelectionMayFollow(void **state)
{
  (void)state;
  static const PetscInt absent[] = {1, 2};
  PsdData data = Arrays(PETSC_COMM_WORLD, MoreAndMore), file = File(PETSC_COMM_WORLD);
  MUST(PsdDataSetClasses(data, 2, absent));
  assert_true(OnAllRanks(PsdDataSetUp(data) == PSD_ERR_INPUT));
  MUST(PsdDataSetClasses(data, 0, NULL));
  assert_true(OnAllRanks(SameShards(data, file)));
  MUST(PsdDataDestroy(&data));
  MUST(PsdDataDestroy(&file));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ArraysAreTheSameAsAFile),
                                     cmocka_unit_test(WhatIsSelectedOfThemIsTheSame),
                                     cmocka_unit_test(AnyCommunicatorWillDo),
                                     cmocka_unit_test(TheLastOriginCounts),
                                     cmocka_unit_test(ImagesToBePredictedNeedNoLabels),
                                     cmocka_unit_test(TargetsGoWithTheirImages),
                                     cmocka_unit_test(WeightsGoWithTheirImages),
                                     cmocka_unit_test(ClassesMayWeighAlike),
                                     cmocka_unit_test(WhatIsSavedIsReadAgain),
                                     cmocka_unit_test(WhatIsWrongIsOneLine),
                                     cmocka_unit_test(TargetsThatAreWrongAreOneLine),
                                     cmocka_unit_test(WeightsThatAreWrongAreOneLine),
                                     cmocka_unit_test(AfterARefusalAnotherSelectionMayFollow)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) WriteIdx("file", "train", "", "", IMAGES, shape[1], shape[2]);
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
