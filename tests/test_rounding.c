/* What rounding does to patches and lifted features is within its bounds, against extended precision: every option of patches,
 * flat and nearly flat images, maps of numbers of all sizes, means far from zero, transforms that cancel or amplify. The bounds are not idle: within a factor
 * of what a count of operations allows, and zero where patches are. */
#include "network_sample.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "cone/blocks.h"
#include "patches/lift.h"
#include "patches/patches_impl.h"

#define EPS PETSC_MACHINE_EPSILON
#define MOST_BYTES 4096

/* Images, and maps: numbers of many sizes, equal numbers that are no binary fractions, numbers near the least. */
typedef enum { RANDOM, FLAT, NEARLY_FLAT, BRIGHT, KINDS, WIDE = KINDS, EQUAL, TINY, ALL_KINDS } Kind;

static void MakeMap(Kind kind, uint64_t seed, PetscInt numbers, float map[])
{
  PetscReal values[MOST_BYTES];
  Fill(seed, (size_t)numbers, values);
  for (PetscInt k = 0; k < numbers; k++) {
    if (kind == WIDE) map[k] = (float)ldexp(values[k], (int)(k * 7 % 41) - 20);
    if (kind == EQUAL) map[k] = 0.1f;
    if (kind == TINY) map[k] = (float)(1e-37 * values[k]);
  }
}

/* What patches are cut of. */
typedef union {
  unsigned char bytes[MOST_BYTES];
  float map[MOST_BYTES];
} Image;

static void MakeBytes(Kind kind, uint64_t seed, PetscInt bytes, unsigned char image[])
{
  PetscReal values[MOST_BYTES];
  Fill(seed, (size_t)bytes, values);
  for (PetscInt k = 0; k < bytes; k++) {
    if (kind == RANDOM) image[k] = (unsigned char)(128 + 127 * values[k]);
    if (kind == FLAT) image[k] = (unsigned char)(40 + seed % 200);
    if (kind == NEARLY_FLAT) image[k] = (unsigned char)(250 + (k % 17 == 3));
    if (kind == BRIGHT) image[k] = (unsigned char)(250 + 5 * values[k]);
  }
}

static void MakeImage(Kind kind, uint64_t seed, PetscInt numbers, Image *image)
{
  if (kind < KINDS) MakeBytes(kind, seed, numbers, image->bytes);
  else MakeMap(kind, seed, numbers, image->map);
}

static PsdPatches Patches(const PsdPatchGeometry *g)
{
  PsdPatches patches;
  MUST(PsdPatchesCreate(PETSC_COMM_SELF, &patches));
  MUST(PsdPatchesSetGeometry(patches, g));
  return patches;
}

/* ---------------------------------------------------------------- the formulas */

/* sum over reduce x reduce pixels, or a number of a map */
static long double Value(const PsdPatchGeometry *g, const void *numbers, PetscInt c, PetscInt y, PetscInt x)
{
  const unsigned char *image = numbers;
  long double sum = 0;
  if (g->map) return ((const float *)numbers)[(c * g->height + y) * g->width + x];
  for (PetscInt i = 0; i < g->reduce; i++)
    for (PetscInt j = 0; j < g->reduce; j++)
      sum += image[(c * g->height + y * g->reduce + i) * g->width + x * g->reduce + j];
  return sum;
}

/* the patch with its corner at (y, x), in extended precision; sums of whole numbers are exact in it */
static void ExactPatch(const PsdPatchGeometry *g, const void *image, PetscInt y, PetscInt x, long double p[])
{
  const long double area = (long double)(g->reduce * g->reduce), step = g->step > 0 ? g->step : 1;
  const long double origin = area * g->low / step; /* a whole number */
  const PetscInt q = g->channels * g->patch_height * g->patch_width;
  long double total = 0, spread = 0;
  PetscInt at = 0;
  for (PetscInt c = 0; c < g->channels; c++)
    for (PetscInt i = 0; i < g->patch_height; i++)
      for (PetscInt j = 0; j < g->patch_width; j++) p[at++] = Value(g, image, c, y + i, x + j);
  for (PetscInt k = 0; k < q; k++) total += p[k];
  for (PetscInt k = 0; k < q; k++) spread += (q * p[k] - total) * (q * p[k] - total) / q;
  for (PetscInt k = 0; k < q; k++) {
    if (g->normalize > 0) p[k] = (q * p[k] - total) / sqrtl(spread + q * area / step * q * area / step * g->normalize);
    else p[k] = (p[k] + origin - area * g->pixel_shift / step) / (area * g->pixel_scale / step);
  }
}

/* ---------------------------------------------------------------- patches */

/* one region; each number of each patch has the relative error that is stated, which in flat patches is none */
static void CheckPatches(const PsdPatchGeometry *g, Kind kind)
{
  PsdPatches patches = Patches(g);
  Image image;
  PetscInt q, positions, count, at = 0;
  PetscReal *rows;
  long double *exact;
  const PetscReal allowed = PsdPatchesPixelRoundings(patches) * EPS / 2 * (1 + 1e-6);
  MUST(PsdPatchesGetSizes(patches, &q, NULL, NULL, &positions));
  MUST(PetscMalloc1(positions * q, &rows));
  MUST(PetscMalloc1(q, &exact));
  MakeImage(kind, 5, g->channels * g->height * g->width, &image);
  MUST(PsdPatchesExtract(patches, &image, rows, &count));
  Require(count == positions, "one region");
  for (PetscInt y = 0; y < patches->rows; y++)
    for (PetscInt x = 0; x < patches->columns; x++) {
      ExactPatch(g, &image, y * g->stride, x * g->stride, exact);
      for (PetscInt k = 0; k < q; k++, at++) {
        const PetscReal error = (PetscReal)fabsl(rows[at] - exact[k]);
        if (!(error <= allowed * (PetscReal)fabsl(exact[k])))
          fprintf(stderr, "reduce %d, E %g: %.17g, exactly %.17g\n", (int)g->reduce, (double)g->normalize,
                  (double)rows[at], (double)exact[k]);
        Require(error <= allowed * (PetscReal)fabsl(exact[k]), "a number of a patch");
        if (kind == FLAT && g->normalize > 0) Require(rows[at] == 0, "flat patches are zero");
      }
    }
  MUST(PetscFree(rows));
  MUST(PetscFree(exact));
  MUST(PsdPatchesDestroy(&patches));
}

static void NumbersOfPatches(void **state)
{
  (void)state;
  static const PetscReal floors[] = {0, 1e-300, 1e-25, 0.174, 10, 4.7e4}, shifts[] = {128, 0, 33.3, 1e5};
  static const PetscReal steps[] = {0, 0x1p-9, 0x1p20}, lows[] = {0, -12, 1e5, 0x1p36 + 3}; /* of real numbers */
  static const PetscInt sizes[][3] = {{1, 1, 2}, {3, 3, 1}, {1, 2, 1}, {4, 2, 1}, {5, 6, 1}};
  for (PetscInt reduce = 1; reduce <= 3; reduce++)
    for (size_t e = 0; e < sizeof(floors) / sizeof(*floors); e++)
      for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
        for (Kind kind = 0; kind < KINDS; kind++) {
          const PsdPatchGeometry g = {.channels = 2,
                                      .height = 24,
                                      .width = 23,
                                      .reduce = reduce,
                                      .patch_height = sizes[s][0],
                                      .patch_width = sizes[s][1],
                                      .stride = sizes[s][2],
                                      .pool = 1,
                                      .pixel_shift = shifts[(s + e) % 4],
                                      .pixel_scale = s % 2 ? 255 : 4.77e-7,
                                      .normalize = floors[e],
                                      .step = steps[(e + s) % 3],
                                      .low = steps[(e + s) % 3] * lows[(e + kind) % 4]};
          /* one channel flat, another not, is no flat patch */
          CheckPatches(&g, kind);
        }
}

/* Patches of maps are the numbers of the maps. */
static void NumbersOfMaps(void **state)
{
  (void)state;
  const PsdPatchGeometry g = {.channels = 2,
                              .height = 24,
                              .width = 23,
                              .reduce = 1,
                              .patch_height = 3,
                              .patch_width = 2,
                              .stride = 2,
                              .pool = 1,
                              .pixel_scale = 1,
                              .map = PETSC_TRUE};
  for (Kind kind = KINDS; kind < ALL_KINDS; kind++) CheckPatches(&g, kind);
}

/* q sum v^2 is above 2^53 */
static void LargeSums(void **state)
{
  (void)state;
  const PsdPatchGeometry g = {.channels = 1,
                              .height = 640,
                              .width = 640,
                              .reduce = 64,
                              .patch_height = 10,
                              .patch_width = 10,
                              .stride = 1,
                              .pool = 1,
                              .pixel_scale = 1,
                              .normalize = 1e-20};
  PsdPatches patches = Patches(&g);
  const PetscReal allowed = PsdPatchesPixelRoundings(patches) * EPS / 2;
  unsigned char *image;
  PetscReal row[100];
  long double exact[100] = {0};
  PetscInt count;
  MUST(PetscMalloc1(640 * 640, &image));
  for (PetscInt trial = 0; trial < 3; trial++) {
    for (PetscInt k = 0; k < 640 * 640; k++) image[k] = 254;
    if (trial > 0) image[640 * 77 + 5] = 255;
    if (trial > 1)
      for (PetscInt k = 0; k < 640 * 640; k++) image[k] = (unsigned char)((PetscInt64)k * k % 251);
    MUST(PsdPatchesExtract(patches, image, row, &count));
    ExactPatch(&g, image, 0, 0, exact);
    for (PetscInt k = 0; k < 100; k++)
      Require(fabsl(row[k] - exact[k]) <= allowed * fabsl(exact[k]), "a number of a large patch");
    if (trial == 0) Require(row[0] == 0 && row[99] == 0, "flat");
  }
  MUST(PetscFree(image));
  MUST(PsdPatchesDestroy(&patches));
}

/* ---------------------------------------------------------------- lifted features */

typedef struct {
  PetscReal activation[3];
  PetscReal normalize, pixel_shift;
  PetscReal amplify; /* of the transform's last column; 0: no transform */
} Case;

static const Case cases[] = {{{0.09, 0.5, 0.47}, 0, 128, 0},
                             {{0.09, 0.5, 0.47}, 10, 0, 0},
                             {{0, 1, 0}, 0, 0, 0},
                             {{1, 0, 0}, 10, 0, 0},
                             {{1, 0, 0}, 0, 1e4, 0},
                             {{0.09, 0.5, 0.47}, 0, 128, 1},
                             {{0.09, 0.5, 0.47}, 10, 128, 1e3},
                             {{0, 1, 0}, 0, 0, 1e6},
                             {{1, 0, 0}, 1e-3, 0, 1e9},
                             {{1e4, 3e8, 0}, 0.17, 0, 0},
                             {{0, 0, 1}, 0, 128, 0},
                             {{1, 1e-8, 1e-16}, 0, 1e5, 1}};
static const PsdPatchGeometry geometry = {.channels = 2,
                                          .height = 12,
                                          .width = 13,
                                          .reduce = 1,
                                          .patch_height = 3,
                                          .patch_width = 2,
                                          .stride = 1,
                                          .pool = 2,
                                          .pixel_shift = 128,
                                          .pixel_scale = 255};

/* Orthogonal columns but the last, amplified; the mean is near that of a bright image */
static void SetTransform(PsdPatches patches, PetscInt f, PetscReal amplify)
{
  const PetscInt q = patches->q;
  PetscReal transform[64 * 64], mean[64];
  Fill(3, (size_t)(q * f), transform);
  for (PetscInt i = 0; i < q; i++) {
    transform[i * f + f - 1] = amplify * (i % 2 ? 1 : -1);
    mean[i] = patches->geometry.normalize > 0 ? 0.01 : (250 - patches->geometry.pixel_shift) / 255;
  }
  MUST(PsdPatchesSetTransform(patches, f, transform, mean));
}

/* svec of Phi less its component along J, of region g, directly from the patches */
static void ExactFeature(PsdPatches patches, const Case *it, const void *image, PetscInt g, PetscInt f,
                         long double phi[])
{
  const PetscInt q = patches->q, down = patches->rows / 2, across = patches->columns / 2, d = f + 1,
                 m = d * (d + 1) / 2;
  const PetscInt top = g / 2 * down, left = g % 2 * across;
  long double p[64] = {0}, x[64] = {0}, along = 0;
  for (PetscInt k = 0; k < m; k++) phi[k] = 0;
  for (PetscInt row = top; row < top + down; row++)
    for (PetscInt column = left; column < left + across; column++) {
      long double *to = phi;
      ExactPatch(&patches->geometry, image, row, column, p);
      for (PetscInt k = 0; k < f; k++) {
        x[k] = patches->transform ? 0 : p[k];
        for (PetscInt i = 0; i < q && patches->transform; i++)
          x[k] += (p[i] - patches->mean[i]) * patches->transform[i * f + k];
      }
      for (PetscInt j = 0; j < f; j++)
        for (PetscInt i = 0; i <= j; i++)
          *to++ += (i == j ? 1 : sqrtl(2)) * it->activation[0] * x[i] * x[j] / (down * across);
      for (PetscInt i = 0; i < f; i++) *to++ += it->activation[1] / sqrtl(2) * x[i] / (down * across);
    }
  phi[m - 1] = it->activation[2];
  for (PetscInt k = 0; k < d; k++) along += (k < f ? 1 : -1) * phi[PsdDiagonal(k)] / d;
  for (PetscInt k = 0; k < d; k++) phi[PsdDiagonal(k)] -= (k < f ? 1 : -1) * along;
}

/* What the bound should not be far above: the operations on an entry, of the largest numbers that go into it. */
static PetscReal Idle(PsdPatches patches, const Case *it, PetscInt count, PetscReal m2, PetscInt f)
{
  const PetscReal rho = PetscSqrtReal(m2) + (patches->transform ? patches->mean_norm : 0);
  const PetscReal T = patches->transform ? patches->frobenius : 1;
  const PetscReal size = PetscAbsReal(it->activation[0]) * T * T * rho * rho +
                         PetscAbsReal(it->activation[1]) * T * rho + PetscAbsReal(it->activation[2]);
  return 2 * (count + 2 * patches->q + f + 40) * EPS * size;
}

/* Moments that are known in fewer digits, and what that makes of their matrix and their mean at most. The last number, 1, is not
   used. */
static void LoseDigits(PetscInt q, PetscReal part, PetscReal *moments, PetscReal lost[4])
{
  const PetscInt length = PsdPackedLength(q + 1);
  for (PetscInt g = 0; g < 4; g++, moments += length) {
    PetscReal squares = 0, largest = 0, noise[100];
    Fill((uint64_t)(40 + g), (size_t)length, noise);
    for (PetscInt k = 0; k < length; k++) largest = PetscMax(largest, PetscAbsReal(moments[k]));
    for (PetscInt k = 0; k < length; k++) {
      moments[k] += part * largest * noise[k];
      squares += 2 * part * part * largest * largest * noise[k] * noise[k];
    }
    lost[g] = (1 + 1e-9) * PetscSqrtReal(squares) + 1e-15 * largest;
  }
}

/* What the bound of these should not be far above. */
static PetscReal IdleLoss(PsdPatches patches, const Case *it, PetscReal lost)
{
  const PetscReal T = patches->transform ? patches->frobenius : 1, mean = patches->transform ? patches->mean_norm : 0;
  return 2 * lost * (PetscAbsReal(it->activation[0]) * T * T * (1 + 2 * mean) + PetscAbsReal(it->activation[1]) * T);
}

/* part: of the moments, that they are off by */
static void CheckFeatures(const Case *it, Kind kind, PetscReal part)
{
  PsdPatchGeometry g = geometry;
  PetscReal moments[4 * 100], phi[4 * 100], errors[4], lost[4] = {0}, squares = 0;
  long double exact[100] = {0};
  Image image;
  g.normalize = it->normalize;
  g.pixel_shift = it->pixel_shift;
  if (kind >= KINDS) {
    g.map = PETSC_TRUE;
    g.normalize = g.pixel_shift = 0;
    g.pixel_scale = 1;
  }
  PsdPatches patches = Patches(&g);
  const PetscInt f = it->amplify > 0 ? 5 : patches->q, m = (f + 1) * (f + 2) / 2;
  if (it->amplify > 0) SetTransform(patches, f, it->amplify);
  MakeImage(kind, 9, g.channels * g.height * g.width, &image);
  MUST(PsdPatchesMoments(patches, &image, moments));
  if (part > 0) LoseDigits(patches->q, part, moments, lost);
  PsdPatchesLiftErrors(patches, it->activation, moments, part > 0 ? lost : NULL, errors);
  MUST(PsdPatchesLift(patches, it->activation, moments, phi));
  for (PetscInt region = 0; region < 4; region++) {
    const PetscReal *own = moments + region * PsdPackedLength(patches->q + 1);
    long double error = 0;
    squares = 0;
    for (PetscInt k = 0; k < patches->q; k++) squares += own[PsdPackedLength(k) + k];
    PsdRemoveJ(f + 1, phi + region * m);
    ExactFeature(patches, it, &image, region, f, exact);
    for (PetscInt k = 0; k < m; k++) error += (phi[region * m + k] - exact[k]) * (phi[region * m + k] - exact[k]);
    error = sqrtl(error);
    const PetscReal idle =
        Idle(patches, it, patches->region_count[region], PetscAbsReal(squares) + 20 * lost[region], f) +
        IdleLoss(patches, it, lost[region]);
    if (!(error <= errors[region]) || !(errors[region] <= idle + 1e-150))
      fprintf(stderr, "case %d, images %d: error %g, bound %g, operations allow %g\n", (int)(it - cases), (int)kind,
              (double)error, (double)errors[region], (double)idle);
    Require(error <= errors[region], "error within its bound");
    Require(errors[region] <= idle + 1e-150, "the bound is not idle");
  }
  MUST(PsdPatchesDestroy(&patches));
}

static void LiftedFeatures(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
    for (Kind kind = 0; kind < ALL_KINDS; kind++) CheckFeatures(&cases[k], kind, 0);
}

/* The same of moments that were stored in fewer digits. */
static void FeaturesOfStoredMoments(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
    for (Kind kind = 0; kind < KINDS; kind++)
      for (PetscReal part = 1e-12; part < 1; part *= 1e4) CheckFeatures(&cases[k], kind, part);
}

/* Bounds of a transform's norm are above it, and exact for a diagonal one */
static void NormsOfTransforms(void **state)
{
  (void)state;
  PsdPatches patches = Patches(&geometry);
  const PetscInt q = patches->q;
  PetscReal transform[64 * 64] = {0}, mean[64] = {0};
  for (PetscInt k = 0; k < q; k++) transform[k * q + k] = k + 1;
  MUST(PsdPatchesSetTransform(patches, q, transform, mean));
  Require(patches->spectral >= q && patches->spectral <= q * (1 + 1e-10), "of a diagonal transform");
  for (uint64_t seed = 1; seed < 20; seed++) {
    PetscReal u[64], square = 0, images = 0;
    Fill(seed, (size_t)(q * q), transform);
    Fill(seed + 100, (size_t)q, u);
    MUST(PsdPatchesSetTransform(patches, q, transform, mean));
    for (PetscInt k = 0; k < q; k++) square += u[k] * u[k];
    for (PetscInt j = 0; j < q; j++) {
      PetscReal product = 0;
      for (PetscInt i = 0; i < q; i++) product += u[i] * transform[i * q + j];
      images += product * product;
    }
    Require(patches->spectral * patches->spectral * square >= images, "above what a vector shows");
    Require(patches->spectral <= patches->frobenius * (1 + 1e-14), "at most Frobenius'");
  }
  MUST(PsdPatchesDestroy(&patches));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(NumbersOfPatches),
                                     cmocka_unit_test(NumbersOfMaps),
                                     cmocka_unit_test(LargeSums),
                                     cmocka_unit_test(LiftedFeatures),
                                     cmocka_unit_test(FeaturesOfStoredMoments),
                                     cmocka_unit_test(NormsOfTransforms)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
