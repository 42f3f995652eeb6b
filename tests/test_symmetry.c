/* The feature of a mirrored image is Pi times the image's, for raw, whitened and reduced patches of one or two kinds, of images and of
 * maps, whose channels change places or signs; Q is an orthonormal basis of what Pi leaves alone; geometries that are not their own
 * mirror image are told apart. */
#include "problem_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "maps/maps_impl.h"
#include "maps/mirror_maps.h"
#include "patches/mirror.h"
#include "patches/transform.h"

#define CHANNELS 2
#define HEIGHT 9
#define WIDTH 8
#define SAMPLES 60

static void MakeImage(long k, PetscBool mirrored, unsigned char image[])
{
  for (PetscInt row = 0; row < CHANNELS * HEIGHT; row++)
    for (PetscInt column = 0; column < WIDTH; column++)
      image[row * WIDTH + column] = PixelOf(k, row * WIDTH + (mirrored ? WIDTH - 1 - column : column));
}

typedef struct {
  PetscInt patch, pool, pca, reduce;
  PetscReal normalize, whiten;
  PetscInt overlap;
  PetscInt responses, lift; /* of maps */
} Kind;

static PsdMaps stage; /* that patches are cut behind; NULL: none */
#define MAP_NUMBERS 2048

/* What patches are cut of, of image k; map: room for one. */
static const void *See(long k, PetscBool mirrored, unsigned char image[], float map[])
{
  float whole[MAP_NUMBERS];
  MakeImage(k, stage ? PETSC_FALSE : mirrored, image);
  if (!stage) return image;
  MUST(PsdMapsApply(stage, image, mirrored ? whole : map));
  if (mirrored) PsdMapsMirror(stage, whole, map);
  return map;
}

static void SetKind(PsdPatches patches, const Kind *kind)
{
  patches->geometry.reduce = kind->reduce;
  patches->geometry.patch_height = patches->geometry.patch_width = kind->patch;
  patches->geometry.pool = kind->pool;
  patches->geometry.overlap = kind->overlap;
  patches->geometry.normalize = kind->normalize;
  patches->whiten = kind->whiten;
  patches->pca = kind->pca;
  patches->geometry.responses = kind->responses;
  patches->geometry.lift = kind->lift;
}

/* A stage whose filters come with their mirror images, fitted. */
static PsdMaps MakeStage(PetscInt channels)
{
  PsdMaps maps;
  MUST(PsdMapsCreate(PETSC_COMM_WORLD, &maps));
  maps->map = (PsdMapGeometry){6, 0.25, PETSC_TRUE, channels, 0.1, 5, 0.7};
  maps->cut.patch_height = maps->cut.patch_width = 3;
  maps->cut.pool = 5;
  maps->mirror = PETSC_TRUE;
  return maps;
}

static void FitStage(PsdPatches patches)
{
  unsigned char images[SAMPLES * CHANNELS * HEIGHT * WIDTH];
  PetscInt labels[SAMPLES];
  size_t numbers;
  PsdData data;
  for (long k = 0; k < SAMPLES; k++) {
    labels[k] = LabelOf(k);
    MakeImage(k, PETSC_FALSE, images + k * CHANNELS * HEIGHT * WIDTH);
  }
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetArrays(data, Rank() == 0 ? SAMPLES : 0, CHANNELS, HEIGHT, WIDTH, images, labels));
  MUST(PsdDataSetUp(data));
  MUST(PsdMapsSetSizes(patches, CHANNELS, HEIGHT, WIDTH));
  MUST(PsdMapsFit(stage, data));
  MUST(PsdMapsGetLength(stage, &numbers));
  assert_true(numbers <= MAP_NUMBERS);
  MUST(PsdDataDestroy(&data));
}

/* Patches of one or two kinds, whose transform is that of SAMPLES images, given without their mirror images. */
static PsdPatches PatchesOf(PetscInt count, const Kind kinds[])
{
  PsdPatches patches;
  PetscReal *moments, *sum;
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  if (count == 1) SetKind(patches, kinds);
  else {
    MUST(PsdPatchesSetBranches(patches, count));
    for (PetscInt k = 0; k < count; k++) SetKind(patches->branch[k], &kinds[k]);
  }
  if (stage) {
    MUST(PsdPatchesSetMaps(patches, stage));
    FitStage(patches);
  } else {
    MUST(PsdPatchesSetImageSize(patches, CHANNELS, HEIGHT, WIDTH));
  }
  assert_true(PsdPatchesAreSymmetric(patches));
  PsdPatchesSetMirrored(patches);
  MUST(PetscCalloc2(PsdPatchesMomentsLength(patches), &moments, PsdPatchesStatisticsLength(patches), &sum));
  for (long k = 0; k < SAMPLES; k++) {
    unsigned char image[CHANNELS * HEIGHT * WIDTH];
    float map[MAP_NUMBERS];
    MUST(PsdPatchesMoments(patches, See(k, PETSC_FALSE, image, map), moments));
    PsdPatchesAddStatistics(patches, moments, 1, sum);
  }
  MUST(PsdPatchesSetStatistics(patches, sum));
  MUST(PetscFree2(moments, sum));
  return patches;
}

/* Returns a bound of the rounding of any of its regions. */
static PetscReal Feature(PsdPatches patches, PsdBlocks blocks, long k, PetscBool mirrored, PetscReal phi[])
{
  unsigned char image[CHANNELS * HEIGHT * WIDTH];
  float map[MAP_NUMBERS];
  PetscReal *moments, *errors, largest = 0;
  MUST(PetscMalloc2(PsdPatchesMomentsLength(patches) + blocks->D, &moments, blocks->G, &errors));
  MUST(PsdPatchesMoments(patches, See(k, mirrored, image, map), moments));
  PsdPatchesLiftErrors(patches, activation, moments, NULL, errors);
  MUST(PsdPatchesLift(patches, activation, moments, phi));
  for (PetscInt g = 0; g < blocks->G; g++) {
    PsdShapeRemoveJ(&blocks->region[g], phi + blocks->region[g].at);
    largest = PetscMax(largest, errors[g]);
  }
  MUST(PetscFree2(moments, errors));
  return largest;
}

static PetscReal Dot(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* Products of features are those of their images under Q', as far as Q is a basis: <x + Pi x, y>/2 = <Q'x, Q'y>. A coordinate left
   out would show, as would one counted twice. */
static void CheckFold(PsdSymmetry symmetry, const PetscReal x[], const PetscReal x_mirrored[], const PetscReal y[])
{
  PetscReal *fold_x, *fold_y;
  MUST(PetscMalloc2(symmetry->order, &fold_x, symmetry->order, &fold_y));
  PsdSymmetryFold(symmetry, 1, x, fold_x);
  PsdSymmetryFold(symmetry, 1, y, fold_y);
  const PetscReal expected = (Dot(symmetry->D, x, y) + Dot(symmetry->D, x_mirrored, y)) / 2;
  const PetscReal size = PetscSqrtReal(Dot(symmetry->D, x, x) * Dot(symmetry->D, y, y));
  assert_true(PetscAbsReal(Dot(symmetry->order, fold_x, fold_y) - expected) <= 1e-13 * size);
  MUST(PetscFree2(fold_x, fold_y));
}

/* Q Q'x = (x + Pi x)/2, of which a rank has the rows of its blocks. */
static void CheckUnfold(PsdSymmetry symmetry, PsdBlocks blocks, const PetscReal x[], const PetscReal x_mirrored[],
                        PetscReal bound)
{
  PetscReal *folded, *local;
  const PetscReal *own = x + blocks->begin, *mirrored = x_mirrored + blocks->begin;
  MUST(PetscMalloc2(symmetry->order, &folded, blocks->length, &local));
  PsdSymmetryFold(symmetry, 1, x, folded);
  PsdSymmetryUnfold(symmetry, blocks, folded, local);
  for (PetscInt i = 0; i < blocks->length; i++)
    assert_true(PetscAbsReal(local[i] - (own[i] + mirrored[i]) / 2) <= bound);
  MUST(PetscFree2(folded, local));
}

/* order: 0, or what it has to be */
static void Check(PetscInt count, const Kind kinds[], PetscInt order)
{
  PsdPatches patches = PatchesOf(count, kinds);
  PsdBlocks blocks;
  PsdSymmetry symmetry;
  PetscReal *x, *x_mirrored, *y, *found;
  PetscInt f[18], G;
  PetscBool vector[18];
  MUST(PsdPatchesGetSizes(patches, NULL, NULL, &G, NULL));
  assert_true(G <= 18);
  PsdPatchesGetDimensions(patches, f, vector);
  MUST(PsdBlocksCreateRegions(PETSC_COMM_WORLD, 1, G, f, vector, &blocks));
  MUST(PsdSymmetryCreate(patches, blocks, &symmetry));
  MUST(PetscMalloc4(blocks->D, &x, blocks->D, &x_mirrored, blocks->D, &y, blocks->D, &found));
  if (order) assert_int_equal(symmetry->order, order);
  assert_true(symmetry->order < 0.75 * blocks->D);
  assert_true(PetscAbsReal(PsdSymmetryEstimateOrder(patches) / symmetry->order - 1) < 0.15);
  for (long k = 100; k < 110; k++) {
    const PetscReal error = Feature(patches, blocks, k, PETSC_FALSE, x);
    const PetscReal error_mirrored = Feature(patches, blocks, k, PETSC_TRUE, x_mirrored);
    (void)Feature(patches, blocks, k + 50, PETSC_FALSE, y);
    PsdSymmetryMirror(symmetry, x, found);
    /* both are within rounding of the same numbers; the products of a fold have a few roundings more */
    const PetscReal bound = error + error_mirrored + 8 * PETSC_MACHINE_EPSILON * PetscSqrtReal(Dot(blocks->D, x, x));
    for (PetscInt i = 0; i < blocks->D; i++) assert_true(PetscAbsReal(found[i] - x_mirrored[i]) <= bound);
    CheckFold(symmetry, x, x_mirrored, y);
    CheckUnfold(symmetry, blocks, x, x_mirrored, bound);
  }
  MUST(PetscFree4(x, x_mirrored, y, found));
  MUST(PsdSymmetryDestroy(&symmetry));
  MUST(PsdBlocksDestroy(&blocks));
  MUST(PsdPatchesDestroy(&patches));
}

static const Kind raw = {.patch = 3, .pool = 2, .reduce = 1}, white = {3, 2, 0, 1, 10, 0.1, 0, 0, 0};
static const Kind principal = {3, 3, 7, 1, 10, 0.1, 0, 0, 0}, reduced = {2, 1, 0, 2, 0, 0, 0, 0, 0};
static const Kind whole = {4, 1, 0, 2, 0, 0, 0, 0, 0};
static const Kind overlapping = {3, 3, 7, 1, 10, 0.1, 1, 0, 0};

static void OneKind(void **state)
{
  (void)state;
  /* pairs of regions: half of D */
  Check(1, &raw, 2 * 190);
  Check(1, &white, 2 * 190);
  Check(1, &principal, 0);
  Check(1, &reduced, 0);
  Check(1, &whole, 0);
  Check(1, &overlapping, 0);
}

static void TwoKinds(void **state)
{
  (void)state;
  const Kind kinds[3][2] = {{raw, reduced}, {principal, white}, {reduced, principal}};
  for (PetscInt k = 0; k < 3; k++) Check(2, kinds[k], 0);
}

/* Channels with signs, and in pairs; patches as they are, whitened, reduced, and linear; regions that share the middle of five places. */
static void Maps(void **state)
{
  (void)state;
  const Kind kinds[3][3] = {{{.patch = 1, .pool = 2, .reduce = 1},
                             {.patch = 1, .pool = 2, .reduce = 1, .responses = 1, .lift = PSD_LIFT_LINEAR},
                             {.patch = 1, .pool = 1, .reduce = 1, .whiten = 0.1}},
                            {{.patch = 2, .pool = 2, .reduce = 1, .pca = 6, .whiten = 0.1},
                             {.patch = 1, .pool = 3, .reduce = 1, .whiten = 0.1, .responses = 1},
                             {.patch = 2, .pool = 1, .reduce = 1, .whiten = 0.1}},
                            {{.patch = 1, .pool = 3, .reduce = 1, .pca = 4, .whiten = 0.1},
                             {.patch = 1, .pool = 2, .reduce = 1, .responses = 1},
                             {.patch = 2, .pool = 1, .reduce = 1}}};
  for (PetscInt k = 0; k < 3; k++)
    for (PetscInt channels = 0; channels <= 5; channels += 5) {
      stage = MakeStage(channels);
      Check(3, kinds[k], 0);
      MUST(PsdMapsDestroy(&stage));
    }
}

static void NotSymmetric(void **state)
{
  (void)state;
  const struct {
    PetscInt patch, stride, pool, reduce;
  } kinds[] = {{3, 2, 1, 1}, {3, 1, 4, 1}, {2, 1, 1, 3}};
  for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
    PsdPatches patches;
    MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
    patches->geometry.patch_height = patches->geometry.patch_width = kinds[k].patch;
    patches->geometry.stride = kinds[k].stride;
    patches->geometry.pool = kinds[k].pool;
    patches->geometry.reduce = kinds[k].reduce;
    MUST(PsdPatchesSetImageSize(patches, CHANNELS, HEIGHT, WIDTH));
    assert_false(PsdPatchesAreSymmetric(patches));
    MUST(PsdPatchesDestroy(&patches));
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OneKind), cmocka_unit_test(TwoKinds), cmocka_unit_test(Maps),
                                     cmocka_unit_test(NotSymmetric)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
