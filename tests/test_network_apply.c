/* Scores are those of the formula evaluated term by term, on any number of ranks; classes and confusion follow from
 * them. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#define IMAGES 24
#define TOLERANCE 1e-12

static const PsdPatchGeometry geometry = {.channels = 2,
                                          .height = 9,
                                          .width = 11,
                                          .patch_height = 3,
                                          .patch_width = 2,
                                          .stride = 2,
                                          .pool = 2,
                                          .pixel_shift = 127.3,
                                          .pixel_scale = 255,
                                          .normalize = 10};
#define PATCH_NUMBERS 12
#define PATCH_ROOM 64 /* for the numbers of any patch here */
#define LARGE_SIDE 64

/* ---------------------------------------------------------------- the formula */

/* How far the image is moved, down and across; what moves in repeats the edge. Then it is mirrored or not. */
static PetscInt moved[2];
static PetscBool mirrored;

static PetscInt Clamp(PetscInt at, PetscInt size)
{
  return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/* The patch at (row, column) of the grid of positions, in the program's coordinates. */
static void PatchOf(const Sample *sample, PsdPatches patches, long image, PetscInt row, PetscInt column, PetscReal x[])
{
  const PsdPatchGeometry *g = &sample->geometry;
  const PetscReal *transform, *mean;
  PetscReal p[PATCH_ROOM], average = 0, variance = 0;
  PetscInt q = 0;
  for (PetscInt c = 0; c < g->channels; c++)
    for (PetscInt i = 0; i < g->patch_height; i++)
      for (PetscInt j = 0; j < g->patch_width; j++) {
        const PetscInt y = Clamp(row * g->stride + i - moved[0], g->height);
        const PetscInt at = column * g->stride + j, z = Clamp((mirrored ? g->width - 1 - at : at) - moved[1], g->width);
        p[q++] = (PixelOf(image, (c * g->height + y) * g->width + z) - g->pixel_shift) / g->pixel_scale;
      }
  for (PetscInt k = 0; k < q; k++) average += p[k] / q;
  for (PetscInt k = 0; k < q; k++) variance += (p[k] - average) * (p[k] - average) / q;
  for (PetscInt k = 0; k < q && g->normalize > 0; k++)
    p[k] = (p[k] - average) / PetscSqrtReal(variance + g->normalize / (g->pixel_scale * g->pixel_scale));
  MUST(PsdPatchesGetTransform(patches, &transform, &mean));
  for (PetscInt k = 0; k < (transform ? sample->f : q); k++) {
    x[k] = transform ? 0 : p[k];
    for (PetscInt i = 0; transform && i < q; i++) x[k] += (p[i] - mean[i]) * transform[i * sample->f + k];
  }
}

/* First of the positions along an axis that belong to part k: as even as possible, the larger parts first. */
static PetscInt PartBegin(PetscInt positions, PetscInt parts, PetscInt k)
{
  PetscInt begin = 0;
  for (PetscInt part = 0; part < k; part++) begin += positions / parts + (part < positions % parts ? 1 : 0);
  return begin;
}

/* mean over the patches of region g of s(filter . x) */
static PetscReal MeanActivation(const Sample *sample, PsdPatches patches, long image, PetscInt g, PetscInt f,
                                const PetscReal filter[])
{
  const PsdPatchGeometry *geo = &sample->geometry;
  const PetscInt rows = (geo->height - geo->patch_height) / geo->stride + 1;
  const PetscInt columns = (geo->width - geo->patch_width) / geo->stride + 1;
  const PetscInt i = g / geo->pool, j = g % geo->pool, more = geo->overlap;
  const PetscInt top = PetscMax(0, PartBegin(rows, geo->pool, i) - more);
  const PetscInt bottom = PetscMin(rows, PartBegin(rows, geo->pool, i + 1) + more);
  const PetscInt left = PetscMax(0, PartBegin(columns, geo->pool, j) - more);
  const PetscInt right = PetscMin(columns, PartBegin(columns, geo->pool, j + 1) + more);
  PetscReal sum = 0, x[PATCH_ROOM];
  PetscInt count = 0;
  for (PetscInt row = top; row < bottom; row++)
    for (PetscInt column = left; column < right; column++) {
      PetscReal u = 0;
      PatchOf(sample, patches, image, row, column, x);
      for (PetscInt k = 0; k < f; k++) u += filter[k] * x[k];
      sum += 0.09 * u * u + 0.5 * u + 0.47;
      count++;
    }
  return sum / count;
}

/* Scores of one image, and in scale the sum of the absolute values of their terms. */
static void Formula(const Sample *sample, PsdNetwork network, long image, PetscReal scores[], PetscReal scale[])
{
  const PetscReal *filters, *weights;
  const PetscInt *regions, *classes;
  PetscInt N, f, C;
  PsdPatches patches;
  MUST(PsdNetworkGetNeurons(network, &N, &f, &filters, &weights, &regions, &classes));
  MUST(PsdNetworkGetClasses(network, NULL, NULL, &C));
  MUST(PsdNetworkGetPatches(network, &patches));
  for (PetscInt t = 0; t < C; t++) scores[t] = scale[t] = 0;
  for (PetscInt k = 0; k < N; k++) {
    const PetscReal mean = MeanActivation(sample, patches, image, regions[k], f, filters + k * f);
    scores[classes[k]] += weights[k] * mean;
    scale[classes[k]] += PetscAbsReal(weights[k] * mean);
  }
}

/* ---------------------------------------------------------------- data */

static PsdData OpenData(const char name[], PetscInt count, const PetscInt labels[])
{
  PsdData data;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetPath(data, PathOf(name, NULL)));
  MUST(PsdDataSetClasses(data, count, labels));
  MUST(PsdDataSetUp(data));
  return data;
}

/* ---------------------------------------------------------------- tests */

static void AgreesWithFormula(const Sample *sample)
{
  PsdNetwork network = SampleNetwork(sample);
  PsdData data =
      OpenData(sample->geometry.height == LARGE_SIDE ? "large.h5" : "images.h5", sample->count, sample_labels);
  const PetscInt C = sample->count == 2 ? 1 : sample->count;
  const PetscInt64 *indices;
  PetscInt n_local;
  PetscReal scores[IMAGES * 4], expected[4] = {0}, scale[4] = {0};
  MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
  MUST(PsdDataGetShard(data, NULL, NULL, &indices));
  for (PetscInt k = 0; k < n_local * C; k++) scores[k] = NAN; /* as memory may hold */
  MUST(PsdNetworkApply(network, data, scores));
  for (PetscInt i = 0; i < n_local; i++) {
    Formula(sample, network, (long)indices[i], expected, scale);
    for (PetscInt t = 0; t < C; t++) {
      const PetscReal found = scores[i * C + t];
      if (!(PetscAbsReal(found - expected[t]) <= TOLERANCE * scale[t]))
        fail_msg("image %d, class %d: %.15g, expected %.15g", (int)indices[i], (int)t, found, expected[t]);
    }
  }
  MUST(PsdDataDestroy(&data));
  MUST(PsdNetworkDestroy(&network));
}

static void ThreeClassesWithTransform(void **state)
{
  (void)state;
  AgreesWithFormula(&(Sample){geometry, 17, 5, 3});
}

static void TwoClassesWithTransform(void **state)
{
  (void)state;
  AgreesWithFormula(&(Sample){geometry, 17, PATCH_NUMBERS, 2});
}

static void WithoutTransformOrNormalisation(void **state)
{
  Sample sample = {geometry, 9, 0, 4};
  (void)state;
  sample.geometry.normalize = 0;
  sample.geometry.pool = 3;
  AgreesWithFormula(&sample);
}

/* Regions that share positions with their neighbours, and such that all but cover the grid. */
static void OverlappingRegions(void **state)
{
  Sample sample = {geometry, 17, 5, 3};
  (void)state;
  for (sample.geometry.overlap = 1; sample.geometry.overlap <= 3; sample.geometry.overlap++) AgreesWithFormula(&sample);
}

/* The mean over all shifts, and their mirror images. */
static void Crops(void **state)
{
  const Sample sample = {geometry, 17, 5, 3};
  PsdNetwork network = SampleNetwork(&sample);
  PsdData data = OpenData("images.h5", 3, sample_labels);
  const PetscInt64 *indices;
  PetscInt n_local;
  PetscReal scores[IMAGES * 3];
  (void)state;
  MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
  MUST(PsdDataGetShard(data, NULL, NULL, &indices));
  for (PetscInt run = 0; run < 6; run++) {
    const PetscInt most = run / 2, shifts = (2 * most + 1) * (2 * most + 1), crops = shifts * (run % 2 + 1);
    MUST(PsdNetworkSetCrops(network, most, (PetscBool)(run % 2)));
    MUST(PsdNetworkApply(network, data, scores));
    for (PetscInt i = 0; i < n_local; i++) {
      PetscReal expected[3] = {0}, scale[3] = {0}, one[3], one_scale[3];
      for (PetscInt crop = 0; crop < crops; crop++) {
        moved[0] = crop % shifts / (2 * most + 1) - most;
        moved[1] = crop % (2 * most + 1) - most;
        mirrored = (PetscBool)(crop >= shifts);
        Formula(&sample, network, (long)indices[i], one, one_scale);
        for (PetscInt t = 0; t < 3; t++) {
          expected[t] += one[t] / crops;
          scale[t] += one_scale[t] / crops;
        }
      }
      moved[0] = moved[1] = 0;
      mirrored = PETSC_FALSE;
      for (PetscInt t = 0; t < 3; t++)
        assert_true(PetscAbsReal(scores[i * 3 + t] - expected[t]) <= 2 * TOLERANCE * scale[t]);
    }
  }
  MUST(PsdDataDestroy(&data));
  MUST(PsdNetworkDestroy(&network));
}

static void WithEmptyRegions(void **state)
{
  (void)state;
  AgreesWithFormula(&(Sample){geometry, 1, 5, 3});
}

static void WithNoNeurons(void **state)
{
  (void)state;
  AgreesWithFormula(&(Sample){geometry, 0, 5, 3});
}

/* More neurons than one product's buffer holds patches for, so that products end within images. */
static void ManyNeurons(void **state)
{
  Sample sample = {geometry, 60000, 5, 3};
  (void)state;
  sample.geometry.pool = 1;
  AgreesWithFormula(&sample);
}

/* More patches in the images than are gathered at a time. */
static void LargeImages(void **state)
{
  const PsdPatchGeometry large = {.channels = 1,
                                  .height = LARGE_SIDE,
                                  .width = LARGE_SIDE,
                                  .patch_height = 8,
                                  .patch_width = 8,
                                  .stride = 1,
                                  .pool = 2,
                                  .pixel_shift = 128,
                                  .pixel_scale = 255};
  (void)state;
  AgreesWithFormula(&(Sample){large, 5, 0, 3});
}

static void ClassIsThatOfTheLargestScore(void **state)
{
  const PetscReal three[3] = {-2, 1, 0.5}, tie[3] = {0, 1, 1}, positive = 0.1, zero = 0, negative = -0.1;
  (void)state;
  assert_int_equal(PsdNetworkClassify(3, three), 1);
  assert_int_equal(PsdNetworkClassify(3, tie), 1);
  assert_int_equal(PsdNetworkClassify(1, &positive), 1);
  assert_int_equal(PsdNetworkClassify(1, &zero), 0);
  assert_int_equal(PsdNetworkClassify(1, &negative), 0);
}

/* The data set lists the network's labels in another order; rows of the confusion are the network's classes. */
static void ConfusionCountsByLabel(void **state)
{
  static const PetscInt other_order[] = {0, 3, 5};
  const Sample sample = {geometry, 17, 5, 3};
  PsdNetwork network = SampleNetwork(&sample);
  PsdData data = OpenData("images.h5", 3, other_order);
  PetscReal scores[IMAGES * 3], one[3], scale[3], accuracy;
  PetscInt64 confusion[9], expected[9] = {0}, right = 0, all = 0;
  (void)state;
  MUST(PsdNetworkApply(network, data, scores));
  MUST(PsdNetworkConfusion(network, data, scores, confusion, &accuracy));
  for (long image = 0; image < IMAGES; image++) {
    for (int t = 0; t < 3; t++) {
      if (LabelOf(image) != sample_labels[t]) continue;
      Formula(&sample, network, image, one, scale);
      const PetscInt predicted = PsdNetworkClassify(3, one);
      expected[t * 3 + predicted]++;
      right += predicted == t;
      all++;
    }
  }
  assert_memory_equal(confusion, expected, sizeof(expected));
  assert_true(PetscAbsReal(accuracy - (PetscReal)right / (PetscReal)all) < 1e-15);
  MUST(PsdDataDestroy(&data));
  MUST(PsdNetworkDestroy(&network));
}

static void OtherImagesAndLabelsAreRefused(void **state)
{
  Sample sample = {geometry, 5, 5, 3};
  PsdData data = OpenData("images.h5", 4, sample_labels);
  PetscReal scores[IMAGES * 3], accuracy;
  PetscInt64 confusion[9];
  (void)state;
  PsdNetwork network = SampleNetwork(&sample);
  MUST(PsdNetworkApply(network, data, scores));
  assert_int_equal(PsdNetworkConfusion(network, data, scores, confusion, &accuracy), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "label 9"));
  MUST(PsdNetworkDestroy(&network));

  sample.geometry.width = 12;
  network = SampleNetwork(&sample);
  assert_int_equal(PsdNetworkApply(network, data, scores), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "images of 2x9x11"));
  assert_non_null(strstr(PsdErrorMessage(), "trained on 2x9x12"));
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdDataDestroy(&data));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ThreeClassesWithTransform),
                                     cmocka_unit_test(TwoClassesWithTransform),
                                     cmocka_unit_test(WithoutTransformOrNormalisation),
                                     cmocka_unit_test(OverlappingRegions),
                                     cmocka_unit_test(Crops),
                                     cmocka_unit_test(WithEmptyRegions),
                                     cmocka_unit_test(WithNoNeurons),
                                     cmocka_unit_test(ManyNeurons),
                                     cmocka_unit_test(LargeImages),
                                     cmocka_unit_test(ClassIsThatOfTheLargestScore),
                                     cmocka_unit_test(ConfusionCountsByLabel),
                                     cmocka_unit_test(OtherImagesAndLabelsAreRefused)};
  const long image[3] = {2, 9, 11}, large[3] = {1, LARGE_SIDE, LARGE_SIDE};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) {
    WriteHdf5(PathOf("images.h5", NULL), IMAGES, image, H5T_STD_U8LE, 0);
    WriteHdf5(PathOf("large.h5", NULL), IMAGES, large, H5T_STD_U8LE, 0);
  }
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
