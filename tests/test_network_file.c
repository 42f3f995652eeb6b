/* A network comes back from its file bit for bit on every rank; a file that is not right is refused with the reason. */
#include "network_sample.h"
#include "network_file.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <cmocka.h>

static const PsdPatchGeometry geometry = {.channels = 2,
                                          .height = 9,
                                          .width = 11,
                                          .patch_height = 3,
                                          .patch_width = 4,
                                          .stride = 2,
                                          .pool = 2,
                                          .pixel_shift = 127.3,
                                          .pixel_scale = 255,
                                          .normalize = 10};
#define PATCH_NUMBERS 24
#define FEATURES 6

/* ---------------------------------------------------------------- round trip */

static void ExpectSameBytes(const void *a, const void *b, size_t bytes)
{
  if (bytes) assert_memory_equal(a, b, bytes);
}

static void ExpectSameNeurons(PsdNetwork a, PsdNetwork b)
{
  const PetscReal *filters[2], *weights[2];
  const PetscInt *regions[2], *classes[2];
  PetscInt N[2], f[2];
  MUST(PsdNetworkGetNeurons(a, &N[0], &f[0], &filters[0], &weights[0], &regions[0], &classes[0]));
  MUST(PsdNetworkGetNeurons(b, &N[1], &f[1], &filters[1], &weights[1], &regions[1], &classes[1]));
  assert_true(N[0] == N[1] && f[0] == f[1]);
  ExpectSameBytes(filters[0], filters[1], (size_t)(N[0] * f[0]) * sizeof(PetscReal));
  ExpectSameBytes(weights[0], weights[1], (size_t)N[0] * sizeof(PetscReal));
  ExpectSameBytes(regions[0], regions[1], (size_t)N[0] * sizeof(PetscInt));
  ExpectSameBytes(classes[0], classes[1], (size_t)N[0] * sizeof(PetscInt));
}

static void ExpectSamePatches(PsdNetwork a, PsdNetwork b)
{
  const PetscReal *transform[2], *mean[2];
  PsdPatchGeometry g[2];
  PsdPatches patches[2];
  PetscInt q[2], f[2];
  MUST(PsdNetworkGetPatches(a, &patches[0]));
  MUST(PsdNetworkGetPatches(b, &patches[1]));
  for (int k = 0; k < 2; k++) {
    MUST(PsdPatchesGetGeometry(patches[k], &g[k]));
    MUST(PsdPatchesGetTransform(patches[k], &transform[k], &mean[k]));
    MUST(PsdPatchesGetSizes(patches[k], &q[k], &f[k], NULL, NULL));
  }
  assert_true(g[0].channels == g[1].channels && g[0].height == g[1].height && g[0].width == g[1].width);
  assert_true(g[0].patch_height == g[1].patch_height && g[0].patch_width == g[1].patch_width);
  assert_true(g[0].stride == g[1].stride && g[0].pool == g[1].pool && g[0].overlap == g[1].overlap);
  assert_true(g[0].pixel_shift == g[1].pixel_shift && g[0].pixel_scale == g[1].pixel_scale);
  assert_true(g[0].normalize == g[1].normalize);
  assert_true(g[0].bits == g[1].bits && g[0].step == g[1].step && g[0].low == g[1].low);
  assert_true(q[0] == q[1] && f[0] == f[1]);
  assert_true(!transform[0] == !transform[1]);
  if (!transform[0]) return;
  ExpectSameBytes(transform[0], transform[1], (size_t)(q[0] * f[0]) * sizeof(PetscReal));
  ExpectSameBytes(mean[0], mean[1], (size_t)q[0] * sizeof(PetscReal));
}

static void ExpectSameRest(PsdNetwork a, PsdNetwork b)
{
  PsdTraining training[2];
  PetscInt count[2], C[2];
  const PetscInt *labels[2];
  MUST(PsdNetworkGetTraining(a, &training[0]));
  MUST(PsdNetworkGetTraining(b, &training[1]));
  MUST(PsdNetworkGetClasses(a, &count[0], &labels[0], &C[0]));
  MUST(PsdNetworkGetClasses(b, &count[1], &labels[1], &C[1]));
  assert_string_equal(training[0].loss, training[1].loss);
  assert_true(training[0].beta == training[1].beta && training[0].beta_max == training[1].beta_max);
  assert_true(training[0].objective_primal == training[1].objective_primal);
  assert_true(training[0].objective_dual == training[1].objective_dual && training[0].gap == training[1].gap);
  assert_int_equal(training[0].n_train, training[1].n_train);
  ExpectSameBytes(training[0].activation, training[1].activation, sizeof(training[0].activation));
  assert_true(count[0] == count[1] && C[0] == C[1]);
  ExpectSameBytes(labels[0], labels[1], (size_t)count[0] * sizeof(PetscInt));
}

static void ComesBack(const Sample *sample)
{
  PsdNetwork network = SampleNetwork(sample), loaded;
  MUST(PsdNetworkSave(network, PathOf("round.h5", NULL)));
  MUST(PsdNetworkLoad(PETSC_COMM_WORLD, PathOf("round.h5", NULL), &loaded));
  ExpectSameNeurons(network, loaded);
  ExpectSamePatches(network, loaded);
  ExpectSameRest(network, loaded);
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdNetworkDestroy(&loaded));
}

static void WithTransform(void **state)
{
  (void)state;
  ComesBack(&(Sample){geometry, 11, FEATURES, 3});
}

static void WithoutTransform(void **state)
{
  (void)state;
  ComesBack(&(Sample){geometry, 11, 0, 2});
}

static void WithOverlap(void **state)
{
  Sample sample = {geometry, 11, FEATURES, 3};
  (void)state;
  sample.geometry.overlap = 1;
  ComesBack(&sample);
}

/* Of 16 bits and of 8. */
static void WithLevels(void **state)
{
  Sample sample = {geometry, 11, FEATURES, 3};
  (void)state;
  sample.geometry.step = 0.0625;
  sample.geometry.low = -7.25;
  ComesBack(&sample);
  sample.geometry.bits = 16;
  ComesBack(&sample);
}

/* A filter that goes on beyond its branch's patches is not written, and what was there stays. */
static void FiltersEndWithTheirPatches(void **state)
{
  const PetscReal ending[4] = {1, 0, 0, 0}, longer[4] = {0.6, 0, 0.8, 0};
  PsdNetwork network = TwoBranches(ending), padded = TwoBranches(longer), loaded;
  (void)state;
  MUST(PsdNetworkSave(network, PathOf("ending.h5", NULL)));
  assert_int_equal(PsdNetworkSave(padded, PathOf("ending.h5", NULL)), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "filter 1 goes on beyond the 1 numbers"));
  MUST(PsdNetworkLoad(PETSC_COMM_WORLD, PathOf("ending.h5", NULL), &loaded));
  ExpectSameNeurons(network, loaded);
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdNetworkDestroy(&padded));
  MUST(PsdNetworkDestroy(&loaded));
}

static void WithNoNeurons(void **state)
{
  (void)state;
  ComesBack(&(Sample){geometry, 0, FEATURES, 2});
  ComesBack(&(Sample){geometry, 0, 0, 4});
}

/* The attribute is that of the loss's option; a file of another loss has it as well, and it says nothing there. */
static void ParameterOfTheLoss(void **state)
{
  static const struct {
    const char *loss;
    PetscReal kept;
  } cases[] = {{"huber", 0.7}, {"squared", 0}};
  PsdNetwork network = SampleNetwork(&(Sample){geometry, 3, FEATURES, 2}), loaded;
  PsdTraining training;
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    MUST(PsdNetworkGetTraining(network, &training));
    MUST(PetscStrncpy(training.loss, cases[k].loss, sizeof(training.loss)));
    training.loss_parameter = 0.7;
    MUST(PsdNetworkSetTraining(network, &training));
    MUST(PsdNetworkSave(network, PathOf("loss.h5", NULL)));
    MUST(PsdNetworkLoad(PETSC_COMM_WORLD, PathOf("loss.h5", NULL), &loaded));
    MUST(PsdNetworkGetTraining(loaded, &training));
    assert_true(training.loss_parameter == cases[k].kept);
    MUST(PsdNetworkDestroy(&loaded));
    if (Rank() == 0) {
      double value = -1;
      hid_t file = H5Fopen(PathOf("loss.h5", NULL), H5F_ACC_RDONLY, H5P_DEFAULT);
      hid_t attribute = H5Aopen(file, "huber_delta", H5P_DEFAULT);
      Require(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0, "huber_delta");
      H5Aclose(attribute), H5Fclose(file);
      assert_true(value == cases[k].kept);
    }
    MUST(MPI_Barrier(PETSC_COMM_WORLD));
  }
  MUST(PsdNetworkDestroy(&network));
}

/* ---------------------------------------------------------------- files that are not right */

#define NEURONS 7 /* of the good file that each bad one is made from */

static void PutAttribute(hid_t file, const char name[], hid_t type, hsize_t count, const void *values)
{
  hid_t space = count ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR);
  if (H5Aexists(file, name) > 0) H5Adelete(file, name);
  hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  Require(attribute >= 0 && H5Awrite(attribute, type, values) >= 0, name);
  H5Aclose(attribute), H5Sclose(space);
}

static void PutInteger(hid_t file, const char name[], int value)
{
  PutAttribute(file, name, H5T_NATIVE_INT, 0, &value);
}

static void PutReal(hid_t file, const char name[], double value)
{
  PutAttribute(file, name, H5T_NATIVE_DOUBLE, 0, &value);
}

/* texts of fixed length `size`, padded with zeros, as h5py and numpy write bytes */
static void PutTexts(hid_t file, const char name[], hsize_t count, size_t size, const char texts[])
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size), H5Tset_strpad(type, H5T_STR_NULLPAD);
  PutAttribute(file, name, type, count, texts);
  H5Tclose(type);
}

/* a data set of another shape, all ones */
static void PutOnes(hid_t file, const char name[], hsize_t rows, hsize_t columns)
{
  const hsize_t shape[2] = {rows, columns};
  double ones[1024];
  for (int k = 0; k < 1024; k++) ones[k] = 1;
  Require(rows * PetscMax(columns, 1) <= 1024, "room for ones");
  H5Ldelete(file, name, H5P_DEFAULT);
  hid_t space = H5Screate_simple(columns ? 2 : 1, shape, NULL);
  hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  Require(set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones) >= 0, name);
  H5Dclose(set), H5Sclose(space);
}

static void Poke(hid_t file, const char name[], size_t index, double value)
{
  double values[1024];
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  Require(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, name);
  values[index] = value;
  Require(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, name);
  H5Dclose(set);
}

static void OtherFormat(hid_t file)
{
  PutTexts(file, "format", 0, 12, "other-model");
}
static void NoFormat(hid_t file)
{
  H5Adelete(file, "format");
}
static void Version2(hid_t file)
{
  PutInteger(file, "version", 2);
}
static void NoBeta(hid_t file)
{
  H5Adelete(file, "beta");
}
static void InfiniteBeta(hid_t file)
{
  PutReal(file, "beta", INFINITY);
}
static void StrideOfText(hid_t file)
{
  PutTexts(file, "stride", 0, 4, "two");
}
static void RealPool(hid_t file)
{
  PutReal(file, "pool", 2);
}
static void StrideZero(hid_t file)
{
  PutInteger(file, "stride", 0);
}
static void LargePool(hid_t file)
{
  PutInteger(file, "pool", 5);
}
static void LargeOverlap(hid_t file)
{
  PutInteger(file, "pool_overlap", 4);
}
static void NegativeOverlap(hid_t file)
{
  PutInteger(file, "pool_overlap", -1);
}
static void LargePatch(hid_t file)
{
  PutInteger(file, "patch_height", 10);
}
static void OtherPatch(hid_t file)
{
  PutInteger(file, "patch_height", 2);
}
static void NegativeChannels(hid_t file)
{
  PutInteger(file, "channels", -2);
}
static void ScaleZero(hid_t file)
{
  PutReal(file, "pixel_scale", 0);
}
static void StepOfThree(hid_t file)
{
  PutReal(file, "pixel_step", 3);
}
static void NegativeStep(hid_t file)
{
  PutReal(file, "pixel_step", -0.5);
}
static void LowAlone(hid_t file)
{
  PutReal(file, "pixel_low", 3);
}
static void LowBetween(hid_t file)
{
  PutReal(file, "pixel_step", 0.5), PutReal(file, "pixel_low", 0.25);
}
static void LowFarAway(hid_t file)
{
  PutReal(file, "pixel_step", 1), PutReal(file, "pixel_low", 0x1p38);
}
static void TwoActivations(hid_t file)
{
  const double two[2] = {1, 2};
  PutAttribute(file, "activation", H5T_NATIVE_DOUBLE, 2, two);
}
static void LabelOfLetters(hid_t file)
{
  PutTexts(file, "classes", 3, 4, "0\0\0\0cat\0002\0\0");
}
static void LabelWithSpace(hid_t file)
{
  PutTexts(file, "classes", 3, 4, "0\0\0\0 1\0\0002\0\0");
}
static void LabelWithSign(hid_t file)
{
  PutTexts(file, "classes", 3, 4, "0\0\0\0+1\0\0002\0\0");
}
static void LabelTooLarge(hid_t file)
{
  PutTexts(file, "classes", 2, 13, "2147483648000\0\0\0\0\0\0\0\0\0\0\0\0\0");
}
static void LongLoss(hid_t file)
{
  PutTexts(file, "loss", 0, 32, "squaredsquaredsquaredsquaredsqua");
}
static void ManyImages(hid_t file)
{
  const int64_t n = (int64_t)1 << 40;
  PutAttribute(file, "n_train", H5T_NATIVE_INT64, 0, &n);
}
static void LabelTwice(hid_t file)
{
  PutTexts(file, "classes", 3, 4, "0\0\0\0001\0\0\0000\0\0");
}
static void OneLabel(hid_t file)
{
  PutTexts(file, "classes", 1, 4, "0\0\0");
}
static void NoRegion(hid_t file)
{
  H5Ldelete(file, "/neurons/region", H5P_DEFAULT);
}
static void NoNeuronGroup(hid_t file)
{
  H5Ldelete(file, "/neurons", H5P_DEFAULT);
}
static void NoMean(hid_t file)
{
  H5Ldelete(file, "/preprocess/mean", H5P_DEFAULT);
}
static void MoreWeights(hid_t file)
{
  PutOnes(file, "/neurons/weight", NEURONS + 1, 0);
}
static void FlatFilter(hid_t file)
{
  PutOnes(file, "/neurons/filter", NEURONS * FEATURES, 0);
}
static void WiderFilter(hid_t file)
{
  PutOnes(file, "/neurons/filter", NEURONS, FEATURES + 1);
}
static void LongerMean(hid_t file)
{
  PutOnes(file, "/preprocess/mean", PATCH_NUMBERS + 1, 0);
}
static void RealRegions(hid_t file)
{
  PutOnes(file, "/neurons/region", NEURONS, 0);
}
static void LongFilter(hid_t file)
{
  Poke(file, "/neurons/filter", 2 * FEATURES, 1.5);
}
static void NanFilter(hid_t file)
{
  Poke(file, "/neurons/filter", 2, NAN);
}
static void NanWeight(hid_t file)
{
  Poke(file, "/neurons/weight", NEURONS - 1, NAN);
}
static void NanTransform(hid_t file)
{
  Poke(file, "/preprocess/transform", 3, NAN);
}
static void RegionFour(hid_t file)
{
  Poke(file, "/neurons/region", 1, 4);
}
static void RegionNegative(hid_t file)
{
  Poke(file, "/neurons/region", 1, -1);
}
static void ClassThree(hid_t file)
{
  Poke(file, "/neurons/class", 0, 3);
}
static void NeverWritten(hid_t file)
{
  const hsize_t shape[2] = {1u << 30, FEATURES};
  H5Ldelete(file, "/neurons/filter", H5P_DEFAULT);
  hid_t space = H5Screate_simple(2, shape, NULL);
  hid_t set = H5Dcreate2(file, "/neurons/filter", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dclose(set), H5Sclose(space);
}

static void NegativeDelta(hid_t file)
{
  PutTexts(file, "loss", 0, 6, "huber");
  PutReal(file, "huber_delta", -1);
}

static const struct {
  void (*damage)(hid_t file);
  const char *reason;
} damages[] = {
    {OtherFormat, "format is 'other-model', expected 'psdnet-model'"},
    {NoFormat, "attribute 'format' is missing"},
    {Version2, "attribute 'version' is 2, but the file begins as version 3"},
    {NoBeta, "attribute 'beta' is missing"},
    {InfiniteBeta, "beta is not finite"},
    {StrideOfText, "attribute 'stride' is of the wrong kind, expected 1 integer"},
    {RealPool, "attribute 'pool' is of the wrong kind"},
    {StrideZero, "stride is 0, expected 1 to"},
    {LargePool, "pool is 5, expected 1 to 4"},
    {LargeOverlap, "pool_overlap is 4, expected 0 to 3"},
    {NegativeOverlap, "pool_overlap is -1, expected 0 to 3"},
    {LargePatch, "patch_height is 10, expected 1 to 9"},
    {OtherPatch, "the transform takes patches of 24 numbers, but they have 16"},
    {NegativeChannels, "channels is -2"},
    {ScaleZero, "pixel_scale is 0"},
    {StepOfThree, "pixel_step is 3, expected a power of two"},
    {NegativeStep, "pixel_step is -0.5, expected a power of two"},
    {LowAlone, "pixel_step is 0, expected a power of two"},
    {LowBetween, "pixel_low is 0.25, expected a multiple of pixel_step, 0.5"},
    {LowFarAway, "pixel_low is 2.74878e+11, expected a multiple of pixel_step, 1, by 2^37 at most"},
    {TwoActivations, "attribute 'activation' is of the wrong kind, expected 3 real"},
    {LabelOfLetters, "found 'cat', expected a label in digits"},
    {LabelWithSpace, "found ' 1', expected a label in digits"},
    {LabelWithSign, "found '+1', expected a label in digits"},
    {LabelTooLarge, "found '2147483648000', expected a label in digits"},
    {LongLoss, "attribute 'loss' is too long, expected fewer than 32 bytes"},
    {ManyImages, "attribute 'n_train' is out of range"},
    {LabelTwice, "label 0 stands for two classes"},
    {OneLabel, "number of classes is 1"},
    {NoRegion, "data set /neurons/region is missing"},
    {NoNeuronGroup, "data set /neurons/filter is missing"},
    {NoMean, "data set preprocess/mean is missing"},
    {MoreWeights, "data set /neurons/weight has 8 along axis 0, expected 7"},
    {FlatFilter, "data set /neurons/filter is of the wrong shape, expected 2 axes"},
    {WiderFilter, "columns of the filters is 7, expected 6"},
    {LongerMean, "data set preprocess/mean has 25 along axis 0, expected 24"},
    {RealRegions, "data set /neurons/region is of the wrong kind, expected integers"},
    {LongFilter, "filter 2 has length"},
    {NanFilter, "a filter is not finite"},
    {NanWeight, "a weight is not finite"},
    {NanTransform, "the transform is not finite"},
    {RegionFour, "the region of a neuron is 4, expected 0 to 3"},
    {RegionNegative, "the region of a neuron is -1"},
    {ClassThree, "the class of a neuron is 3, expected 0 to 2"},
    {NegativeDelta, "huber_delta is -1, expected at least 0"},
    {NeverWritten, "data set /neurons/filter was never written, expected contiguous numbers in this file"},
};

static void ExpectRefused(const char path[], const char reason[])
{
  PsdNetwork network;
  assert_int_equal(PsdNetworkLoad(PETSC_COMM_WORLD, path, &network), PSD_ERR_INPUT);
  assert_null(network);
  if (!strstr(PsdErrorMessage(), reason)) fail_msg("'%s' does not say '%s'", PsdErrorMessage(), reason);
  if (!strstr(PsdErrorMessage(), path)) fail_msg("'%s' does not name '%s'", PsdErrorMessage(), path);
  assert_null(strchr(PsdErrorMessage(), '\n'));
}

static void SaveGood(const char path[])
{
  PsdNetwork network = SampleNetwork(&(Sample){geometry, NEURONS, FEATURES, 3});
  MUST(PsdNetworkSave(network, path));
  MUST(PsdNetworkDestroy(&network));
}

static void DamagedFilesAreRefused(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(damages) / sizeof(damages[0]); k++) {
    SaveGood(PathOf("bad.h5", NULL));
    if (!Rank()) {
      hid_t file = H5Fopen(PathOf("bad.h5", NULL), H5F_ACC_RDWR, H5P_DEFAULT);
      damages[k].damage(file);
      H5Fclose(file);
      Seal(PathOf("bad.h5", NULL));
    }
    MUST(MPI_Barrier(PETSC_COMM_WORLD));
    ExpectRefused(PathOf("bad.h5", NULL), damages[k].reason);
  }
  assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0); /* nothing is left open */
}

static void WrongFilesAreRefused(void **state)
{
  (void)state;
  if (!Rank()) WritePlain(PathOf("text.h5", NULL), "no model at all", 15);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  ExpectRefused(PathOf("missing.h5", NULL), "No such file or directory");
  ExpectRefused(PathOf("text.h5", NULL), "not a psdnet-model");
  ExpectRefused(test_root, "is a directory, expected a regular file");
}

static void TruncatedFilesAreRefused(void **state)
{
  static const double parts[] = {0, 0.01, 0.05, 0.3, 0.7, 0.99, 1};
  (void)state;
  for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
    const char *path = PathOf("short.h5", NULL);
    SaveGood(path);
    if (!Rank()) Require(!truncate(path, (off_t)(parts[k] * (double)(SizeOf(path) - 1))), "truncate");
    MUST(MPI_Barrier(PETSC_COMM_WORLD));
    ExpectRefused(path, parts[k] > 0 ? "truncated" : "not a psdnet-model");
  }
}

static void TextsMayBeOfFixedLength(void **state)
{
  PsdNetwork network;
  const PetscInt *labels;
  (void)state;
  SaveGood(PathOf("fixed.h5", NULL));
  if (!Rank()) {
    hid_t file = H5Fopen(PathOf("fixed.h5", NULL), H5F_ACC_RDWR, H5P_DEFAULT);
    PutTexts(file, "format", 0, 12, "psdnet-model");
    PutTexts(file, "classes", 3, 2, "7\000421");
    H5Fclose(file);
    Seal(PathOf("fixed.h5", NULL));
  }
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  MUST(PsdNetworkLoad(PETSC_COMM_WORLD, PathOf("fixed.h5", NULL), &network));
  MUST(PsdNetworkGetClasses(network, NULL, &labels, NULL));
  assert_true(labels[0] == 7 && labels[1] == 42 && labels[2] == 1);
  MUST(PsdNetworkDestroy(&network));
}

/* ---------------------------------------------------------------- places that cannot be written */

/* Saving `network` over a good file must fail for `reason`, and the good file must still be there, alone. */
static void ExpectOldFileKept(PsdNetwork network, const char reason[])
{
  const char *path = PathOf("kept/m.h5", NULL);
  PsdNetwork old, good = SampleNetwork(&(Sample){geometry, NEURONS, FEATURES, 3});
  assert_int_equal(PsdNetworkSave(network, path), PSD_ERR_INPUT);
  if (!strstr(PsdErrorMessage(), reason)) fail_msg("'%s' does not say '%s'", PsdErrorMessage(), reason);
  MUST(PsdNetworkLoad(PETSC_COMM_WORLD, path, &old));
  ExpectSameNeurons(old, good);
  MUST(PsdNetworkDestroy(&good));
  MUST(PsdNetworkDestroy(&old));
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  if (!Rank()) Require(!unlink(path) && !rmdir(PathOf("kept", NULL)), "nothing else is in the directory");
}

static void MakeOldFile(void)
{
  if (!Rank()) MakeDirectory("kept");
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  SaveGood(PathOf("kept/m.h5", NULL));
}

/* The size of files that rank 0 may write stands for a disk that is full. */
static void LimitFiles(rlim_t bytes)
{
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  if (!Rank()) Require(!setrlimit(RLIMIT_FSIZE, &limit), "setrlimit");
}

static void FullDiskLeavesTheOldFile(void **state)
{
  (void)state;
  MakeOldFile();
  PsdNetwork network = SampleNetwork(&(Sample){geometry, 1000, FEATURES, 3});
  signal(SIGXFSZ, SIG_IGN);
  LimitFiles(4096);
  ExpectOldFileKept(network, "File too large");
  LimitFiles(RLIM_INFINITY);
  MUST(PsdNetworkDestroy(&network));
}

static void NetworkThatCouldNotBeLoadedIsNotSaved(void **state)
{
  const PetscReal filter[FEATURES] = {2}, weight = 1;
  const PetscInt zero = 0;
  (void)state;
  MakeOldFile();
  PsdNetwork network = SampleNetwork(&(Sample){geometry, 1, FEATURES, 3});
  MUST(PsdNetworkSetNeurons(network, 1, FEATURES, filter, &weight, &zero, &zero));
  ExpectOldFileKept(network, "filter 0 has length 2, expected 1");
  MUST(PsdNetworkDestroy(&network));
}

static void MissingDirectoryIsNamed(void **state)
{
  (void)state;
  PsdNetwork network = SampleNetwork(&(Sample){geometry, NEURONS, FEATURES, 3});
  assert_int_equal(PsdNetworkSave(network, PathOf("nowhere/m.h5", NULL)), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "nowhere/m.h5: No such file or directory"));
  MUST(PsdNetworkDestroy(&network));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(WithTransform),
                                     cmocka_unit_test(WithOverlap),
                                     cmocka_unit_test(WithLevels),
                                     cmocka_unit_test(WithoutTransform),
                                     cmocka_unit_test(WithNoNeurons),
                                     cmocka_unit_test(FiltersEndWithTheirPatches),
                                     cmocka_unit_test(ParameterOfTheLoss),
                                     cmocka_unit_test(DamagedFilesAreRefused),
                                     cmocka_unit_test(WrongFilesAreRefused),
                                     cmocka_unit_test(TruncatedFilesAreRefused),
                                     cmocka_unit_test(TextsMayBeOfFixedLength),
                                     cmocka_unit_test(FullDiskLeavesTheOldFile),
                                     cmocka_unit_test(NetworkThatCouldNotBeLoadedIsNotSaved),
                                     cmocka_unit_test(MissingDirectoryIsNamed)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
