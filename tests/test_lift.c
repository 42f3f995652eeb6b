/* Lifted features are the direct sum over patches, with every preprocessing and pooling, kept or streamed; a transform
 * gives patches the covariance that its formula says. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "patches/patches_impl.h"
#include "problem/features.h"

#define IMAGES 29
#define CHANNELS 2
#define HEIGHT 9
#define WIDTH 11
#define ROOM 40 /* for the numbers of a patch */
#define TOLERANCE 1e-11

typedef struct {
  PetscInt patch_height, patch_width, stride, pool;
  PetscReal normalize, whiten;
  PetscInt pca, overlap;
} Case;

static const Case cases[] = {{3, 3, 1, 1, 0, 0, 0, 0},    {2, 4, 2, 2, 0, 0, 0, 0},     {4, 1, 1, 3, 10, 0, 0, 0},
                             {3, 2, 2, 3, 10, 0.1, 0, 0}, {2, 2, 1, 2, 0, 0.01, 0, 0},  {3, 3, 2, 2, 10, 0, 5, 0},
                             {3, 4, 1, 3, 10, 0.1, 7, 0}, {9, 11, 1, 1, 0, 0, 0, 0},    {1, 1, 3, 3, 0, 0, 0, 0},
                             {1, 1, 1, 1, 0, 0.5, 0, 0},  {2, 3, 1, 2, 1e-3, 0, 12, 0}, {4, 4, 1, 2, 10, 0.1, 0, 0},
                             {4, 5, 1, 1, 10, 0, 0, 0},   {3, 3, 1, 2, 0, 0, 0, 1},     {2, 3, 1, 3, 10, 0.1, 5, 2}};
static const PetscReal activation[3] = {0.09, 0.5, 0.47};

/* ---------------------------------------------------------------- the formulas */

static PetscInt NumbersOf(const Case *it)
{
  return CHANNELS * it->patch_height * it->patch_width;
}

/* raw patch with its corner at (y, x) of image k, scaled and normalised */
static void RawPatch(const Case *it, long k, PetscInt y, PetscInt x, PetscReal p[])
{
  const PetscInt q = NumbersOf(it);
  PetscReal mean = 0, variance = 0;
  PetscInt at = 0;
  for (PetscInt c = 0; c < CHANNELS; c++)
    for (PetscInt i = 0; i < it->patch_height; i++)
      for (PetscInt j = 0; j < it->patch_width; j++)
        p[at++] = (PixelOf(k, (c * HEIGHT + y + i) * WIDTH + x + j) - 128.) / 255;
  if (it->normalize == 0) return;
  for (PetscInt i = 0; i < q; i++) mean += p[i] / (PetscReal)q;
  for (PetscInt i = 0; i < q; i++) variance += (p[i] - mean) * (p[i] - mean) / (PetscReal)q;
  for (PetscInt i = 0; i < q; i++) p[i] = (p[i] - mean) / PetscSqrtReal(variance + it->normalize / (255. * 255.));
}

/* whether position `at` of `count` along an axis is in a part, or near enough to it: the larger parts first */
static PetscBool IsInPart(const Case *it, PetscInt at, PetscInt count, PetscInt part)
{
  PetscInt begin = 0, end = 0;
  for (PetscInt k = 0; k <= part; k++) {
    begin = end;
    end += count / it->pool + (k < count % it->pool);
  }
  return (PetscBool)(at >= begin - it->overlap && at < end + it->overlap);
}

/* in how many regions the position (row, column) is */
static PetscInt CountRegions(const Case *it, PetscInt row, PetscInt rows, PetscInt column, PetscInt columns)
{
  PetscInt down = 0, across = 0;
  for (PetscInt part = 0; part < it->pool; part++) {
    down += IsInPart(it, row, rows, part);
    across += IsInPart(it, column, columns, part);
  }
  return down * across;
}

static void Transform(const Case *it, PsdPatches patches, PetscInt f, const PetscReal p[], PetscReal x[])
{
  const PetscInt q = NumbersOf(it);
  const PetscReal *transform, *mean;
  MUST(PsdPatchesGetTransform(patches, &transform, &mean));
  for (PetscInt j = 0; j < f; j++) {
    x[j] = transform ? 0 : p[j];
    for (PetscInt i = 0; i < q && transform; i++) x[j] += (p[i] - mean[i]) * transform[i * f + j];
  }
}

/* adds svec of [ a x x'  (b/2) x ; (b/2) x'  c ] */
static void AddLifted(PetscInt f, const PetscReal x[], PetscReal *to)
{
  for (PetscInt j = 0; j <= f; j++)
    for (PetscInt i = 0; i <= j; i++)
      *to++ += (i < j ? PETSC_SQRT2 : 1) * (j < f   ? activation[0] * x[i] * x[j]
                                            : i < f ? activation[1] / 2 * x[i]
                                                    : activation[2]);
}

/* Phi_ig of image k with the component along J removed, regions one after the other */
static void DirectFeature(const Case *it, PsdPatches patches, PetscInt f, long k, PetscReal phi[])
{
  const PetscInt rows = (HEIGHT - it->patch_height) / it->stride + 1;
  const PetscInt columns = (WIDTH - it->patch_width) / it->stride + 1;
  const PetscInt d = f + 1, m = d * (d + 1) / 2, G = it->pool * it->pool;
  PetscReal p[2 * WIDTH * HEIGHT], x[2 * WIDTH * HEIGHT];
  PetscInt count[9] = {0};
  MUST(PetscArrayzero(phi, G * m));
  for (PetscInt r = 0; r < rows; r++)
    for (PetscInt c = 0; c < columns; c++) {
      RawPatch(it, k, r * it->stride, c * it->stride, p);
      Transform(it, patches, f, p, x);
      for (PetscInt g = 0; g < G; g++) {
        if (!IsInPart(it, r, rows, g / it->pool) || !IsInPart(it, c, columns, g % it->pool)) continue;
        count[g]++;
        AddLifted(f, x, phi + g * m);
      }
    }
  for (PetscInt g = 0; g < G; g++) {
    for (PetscInt i = 0; i < m; i++) phi[g * m + i] /= count[g];
    PsdRemoveJ(d, phi + g * m);
  }
}

/* covariance (q x q) of the raw patches of all images, those of several regions as often */
static void Covariance(const Case *it, PetscReal covariance[])
{
  const PetscInt q = NumbersOf(it);
  const PetscInt rows = (HEIGHT - it->patch_height) / it->stride + 1;
  const PetscInt columns = (WIDTH - it->patch_width) / it->stride + 1;
  PetscReal p[ROOM], mean[ROOM] = {0};
  PetscInt count = 0;
  MUST(PetscArrayzero(covariance, q * q));
  for (int pass = 0; pass < 2; pass++) /* means first */
    for (long k = 0; k < IMAGES; k++)
      for (PetscInt r = 0; r < rows; r++)
        for (PetscInt c = 0; c < columns; c++) {
          const PetscInt times = CountRegions(it, r, rows, c, columns);
          RawPatch(it, k, r * it->stride, c * it->stride, p);
          count += pass == 0 ? times : 0;
          for (PetscInt i = 0; i < q; i++) {
            if (pass == 0) mean[i] += times * p[i];
            for (PetscInt j = 0; j < q && pass == 1; j++)
              covariance[i * q + j] += times * (p[i] - mean[i] / count) * (p[j] - mean[j] / count) / count;
          }
        }
}

/* ---------------------------------------------------------------- what is made of it */

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdFeatures features;
  PetscInt f, D;
} Lifted;

static Lifted LiftAll(const Case *it, size_t memory, PetscBool single)
{
  Lifted made;
  PetscInt G;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &made.data));
  MUST(PsdDataSetPath(made.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetUp(made.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &made.patches));
  made.patches->geometry.patch_height = it->patch_height;
  made.patches->geometry.patch_width = it->patch_width;
  made.patches->geometry.stride = it->stride;
  made.patches->geometry.pool = it->pool;
  made.patches->geometry.overlap = it->overlap;
  made.patches->geometry.normalize = it->normalize;
  made.patches->whiten = it->whiten;
  made.patches->pca = it->pca;
  MUST(PsdPatchesSetImageSize(made.patches, CHANNELS, HEIGHT, WIDTH));
  MUST(PsdFeaturesCreate(made.data, made.patches, activation, memory, &made.features));
  if (single) MUST(PsdFeaturesSetSingle(made.features, PETSC_TRUE));
  MUST(PsdFeaturesSetUp(made.features));
  MUST(PsdPatchesGetSizes(made.patches, NULL, &made.f, &G, NULL));
  made.D = G * (made.f + 1) * (made.f + 2) / 2;
  return made;
}

static void LiftedDestroy(Lifted *made)
{
  MUST(PsdFeaturesDestroy(&made->features));
  MUST(PsdPatchesDestroy(&made->patches));
  MUST(PsdDataDestroy(&made->data));
}

static void CheckFeatures(const Case *it, size_t memory)
{
  Lifted made = LiftAll(it, memory, PETSC_FALSE);
  PetscInt begin, n, seen = 0;
  PetscReal *direct;
  Require(made.f == (it->pca ? it->pca : NumbersOf(it)), "f");
  MUST(PetscMalloc1(made.D, &direct));
  MUST(PsdDataGetSizes(made.data, NULL, &n, &begin));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(made.features); k++) {
    PetscInt first, rows, ld;
    const PetscReal *phi;
    MUST(PsdFeaturesGetChunk(made.features, k, &first, &rows, &phi, &ld));
    Require(first == seen && rows <= PsdFeaturesChunkRows(made.features), "chunks follow each other");
    for (PetscInt i = 0; i < rows; i++) {
      PetscReal size = 0;
      DirectFeature(it, made.patches, made.f, begin + first + i, direct);
      for (PetscInt j = 0; j < made.D; j++) size = PetscMax(size, PetscAbsReal(direct[j]));
      for (PetscInt j = 0; j < made.D; j++)
        Require(PetscAbsReal(phi[(size_t)i * ld + j] - direct[j]) <= TOLERANCE * size, "Phi is the direct sum");
    }
    seen += rows;
  }
  Require(seen == n, "all images of the shard");
  MUST(PetscFree(direct));
  LiftedDestroy(&made);
}

/* T'(covariance + EPS mean eigenvalue I)T = I when whitened, T'T = I when not; T' covariance T is diagonal for PCA */
static void CheckTransform(const Case *it)
{
  Lifted made = LiftAll(it, 0, PETSC_FALSE);
  const PetscInt q = NumbersOf(it), f = made.f;
  const PetscReal *T;
  PetscReal covariance[ROOM * ROOM], floor = 0, last = PETSC_MAX_REAL;
  MUST(PsdPatchesGetTransform(made.patches, &T, NULL));
  Covariance(it, covariance);
  for (PetscInt i = 0; i < q; i++) floor += it->whiten * covariance[i * q + i] / (PetscReal)q;
  for (PetscInt a = 0; a < f; a++)
    for (PetscInt b = 0; b < f; b++) {
      PetscReal varied = 0, plain = 0;
      for (PetscInt i = 0; i < q; i++) {
        plain += T[i * f + a] * T[i * f + b];
        for (PetscInt j = 0; j < q; j++) varied += T[i * f + a] * covariance[i * q + j] * T[j * f + b];
      }
      const PetscReal whole = it->whiten > 0 ? varied + floor * plain : plain;
      Require(PetscAbsReal(whole - (a == b)) <= 1e-9, "covariance of the new coordinates");
      if (it->pca > 0 && a != b) Require(PetscAbsReal(varied) <= 1e-9, "principal components are uncorrelated");
      if (it->pca > 0 && a == b) Require(varied <= last * (1 + 1e-9), "the largest variance first");
      if (a == b) last = varied;
      if (it->pca == 0) Require(PetscAbsReal(T[a * f + b] - T[b * f + a]) <= 1e-9, "ZCA is symmetric");
    }
  LiftedDestroy(&made);
}

/* Rows and errors of all samples, as they are now. */
typedef struct {
  PetscReal *rows, *errors;
} Copy;

static void CopyChunk(const Lifted *made, PetscInt G, PetscInt k, Copy *to)
{
  PetscInt first, rows, ld;
  const PetscReal *phi, *errors;
  MUST(PsdFeaturesGetChunk(made->features, k, &first, &rows, &phi, &ld));
  PsdFeaturesGetErrors(made->features, k, &errors);
  MUST(PetscArraycpy(to->rows + (size_t)first * made->D, phi, (size_t)rows * made->D));
  MUST(PetscArraycpy(to->errors + (size_t)first * G, errors, (size_t)rows * G));
  /* a part of a chunk is the same rows */
  MUST(PsdFeaturesFindChunk(made->features, k, &first, &rows, &ld));
  const PetscReal *last = PsdFeaturesGetRows(made->features, k, rows - 1, 1);
  for (PetscInt j = 0; j < ld; j++)
    Require(last[j] == to->rows[(size_t)(first + rows - 1) * made->D + j], "the last row by itself");
}

/* Rows that were rounded and kept are as far from those of the images as their errors say, at most, and known to seven
   digits. */
static void CheckRounded(const Case *it)
{
  Lifted made = LiftAll(it, (size_t)1 << 30, PETSC_TRUE);
  const PetscInt G = it->pool * it->pool, m = made.D / G;
  Copy copies[2];
  PetscInt n;
  MUST(PsdDataGetSizes(made.data, NULL, &n, NULL));
  for (int k = 0; k < 2; k++) MUST(PetscMalloc2((size_t)n * made.D, &copies[k].rows, (size_t)n * G, &copies[k].errors));
  MUST(PsdFeaturesComplete(made.features));
  Require(PsdFeaturesAreRounded(made.features), "rows are kept rounded");
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(made.features); k++) CopyChunk(&made, G, k, &copies[0]);
  PsdFeaturesSetExact(made.features);
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(made.features); k++) CopyChunk(&made, G, k, &copies[1]);
  for (PetscInt at = 0; at < n * G; at++) {
    PetscReal squares = 0, size = 0;
    for (PetscInt j = at * m; j < (at + 1) * m; j++) {
      squares += (copies[0].rows[j] - copies[1].rows[j]) * (copies[0].rows[j] - copies[1].rows[j]);
      size += copies[1].rows[j] * copies[1].rows[j];
    }
    Require(PetscSqrtReal(squares) <= copies[0].errors[at] + copies[1].errors[at], "rounding is within its bound");
    Require(squares > 0, "rows were rounded");
    Require(copies[0].errors[at] <= 1e-7 * PetscSqrtReal(size), "the bound says something");
  }
  for (int k = 0; k < 2; k++) MUST(PetscFree2(copies[k].rows, copies[k].errors));
  LiftedDestroy(&made);
}

static void Kept(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckFeatures(&cases[k], (size_t)1 << 30);
}

static void Streamed(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckFeatures(&cases[k], 0);
}

static void Transforms(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
    if (cases[k].whiten > 0 || cases[k].pca > 0) CheckTransform(&cases[k]);
}

static void Rounded(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckRounded(&cases[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Kept), cmocka_unit_test(Streamed), cmocka_unit_test(Transforms),
                                     cmocka_unit_test(Rounded)};
  const long image[3] = {CHANNELS, HEIGHT, WIDTH};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) WriteHdf5(PathOf("images.h5", NULL), IMAGES, image, H5T_STD_U8LE, 0);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
