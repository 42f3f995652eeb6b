/* A stage before the patches: maps are those of the formula in double precision, for every way of cutting, splitting, pooling and
 * reducing; filters and statistics are those that one rank finds by itself, to the last bit, however images are shared out; maps that
 * are kept are those that are made again; stages one on another are a chain, no longer than it may be; where filters come with their
 * mirror images, the map of a mirror image is the image's, mirrored. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "maps/images.h"
#include "maps/maps_impl.h"
#include "maps/mirror_maps.h"
#include "patches/patches_impl.h"

#define IMAGES 37
#define CHANNELS 2
#define HEIGHT 9
#define WIDTH 8
#define BYTES (CHANNELS * HEIGHT * WIDTH)
#define ROOM 2048 /* for numbers of a map */

typedef struct {
  PsdMapGeometry map;
  PetscReal normalize, whiten;
  PetscInt patch, stride, pool, pca;
  PetscBool mirror;
} Case;

static const Case cases[] = {{{5, 0.5, PETSC_TRUE, 4, 0.1, 3, 0}, 10, 0.1, 3, 1, 3, 7, PETSC_FALSE},
                             {{4, 0, PETSC_FALSE, 0, 0.1, 1, 0}, 0, 0.1, 3, 2, 2, 0, PETSC_FALSE},
                             {{3, 0.25, PETSC_TRUE, 6, 0, 3, 0}, 10, 0, 2, 1, 6, 0, PETSC_FALSE},
                             {{6, 0.01, PETSC_TRUE, 0, 0, 0, 0}, 0, 0, 1, 1, 1, 0, PETSC_FALSE},
                             /* principal components, ZCA and raw pixels; channels reduced and as they are */
                             {{6, 0.25, PETSC_TRUE, 5, 0.1, 2, 0.3}, 10, 0.1, 3, 1, 4, 7, PETSC_TRUE},
                             {{4, 0.1, PETSC_FALSE, 0, 0.1, 1, 0}, 0, 0.1, 2, 2, 2, 0, PETSC_TRUE},
                             {{4, 0.1, PETSC_TRUE, 8, 0, 5, 0}, 10, 0, 3, 1, 5, 0, PETSC_TRUE}};
#define CASES ((PetscInt)(sizeof(cases) / sizeof(*cases)))

/* Of n_local images from `first` on. */
static PsdData Data(MPI_Comm comm, long first, PetscInt n_local)
{
  PsdData data;
  unsigned char *images;
  PetscInt *labels;
  MUST(PetscMalloc2((size_t)n_local * BYTES + 1, &images, n_local + 1, &labels));
  for (PetscInt i = 0; i < n_local; i++) {
    labels[i] = LabelOf(first + i);
    for (long k = 0; k < BYTES; k++) images[i * BYTES + k] = PixelOf(first + i, k);
  }
  MUST(PsdDataCreate(comm, &data));
  MUST(PsdDataSetArrays(data, n_local, CHANNELS, HEIGHT, WIDTH, images, labels));
  MUST(PsdDataSetUp(data));
  MUST(PetscFree2(images, labels));
  return data;
}

/* All on rank 0, so that they are moved to even shards. */
static PsdData Shared(void)
{
  return Data(PETSC_COMM_WORLD, 0, Rank() == 0 ? IMAGES : 0);
}

/* A second branch, on the responses. */
static void TakeResponses(PsdPatches patches)
{
  MUST(PsdPatchesSetBranches(patches, 2));
  for (PetscInt b = 0; b < 2; b++)
    patches->branch[b]->geometry.patch_height = patches->branch[b]->geometry.patch_width = 1;
  patches->branch[1]->geometry.responses = 1;
}

static PsdMaps Fitted(MPI_Comm comm, const Case *it, PetscInt kind, PsdData data)
{
  PsdMaps maps;
  PsdPatches patches;
  MUST(PsdMapsCreate(comm, &maps));
  maps->map = it->map;
  maps->cut.patch_height = maps->cut.patch_width = it->patch;
  maps->cut.stride = it->stride;
  maps->cut.pool = it->pool;
  maps->cut.normalize = it->normalize;
  maps->whiten = it->whiten;
  maps->pca = it->pca;
  maps->kind = PsdFilterKinds[kind];
  maps->mirror = it->mirror;
  MUST(PsdPatchesCreate(comm, &patches));
  MUST(PsdPatchesSetFromOptions(patches)); /* the recipe: 1 x 1 */
  if (it->map.responses > 0) TakeResponses(patches);
  MUST(PsdPatchesSetMaps(patches, maps));
  MUST(PsdMapsSetSizes(patches, CHANNELS, HEIGHT, WIDTH));
  MUST(PsdMapsFit(maps, data));
  MUST(PsdPatchesDestroy(&patches)); /* maps stay */
  return maps;
}

/* ---------------------------------------------------------------- the formula */

/* z of filter k at (y, x) */
static PetscReal Response(PsdMaps maps, const Case *it, const unsigned char image[], PetscInt k, PetscInt y, PetscInt x)
{
  const PetscInt q = CHANNELS * it->patch * it->patch;
  const PetscReal *transform, *mean, *filters;
  PetscReal p[64] = {0}, average = 0, variance = 0, z = 0;
  PetscInt f, at = 0;
  MUST(PsdMapsGetFilters(maps, &f, &transform, &mean, &filters));
  for (PetscInt c = 0; c < CHANNELS; c++)
    for (PetscInt i = 0; i < it->patch; i++)
      for (PetscInt j = 0; j < it->patch; j++) p[at++] = image[(c * HEIGHT + y + i) * WIDTH + x + j];
  for (PetscInt i = 0; i < q; i++) average += p[i] / (PetscReal)q;
  for (PetscInt i = 0; i < q; i++) variance += (p[i] - average) * (p[i] - average) / (PetscReal)q;
  for (PetscInt i = 0; i < q; i++)
    p[i] = it->normalize > 0 ? (p[i] - average) / PetscSqrtReal(variance + it->normalize) : (p[i] - 128) / 255;
  for (PetscInt j = 0; j < f; j++) {
    PetscReal coordinate = transform ? 0 : p[j];
    for (PetscInt i = 0; i < q && transform; i++) coordinate += (p[i] - mean[i]) * transform[i * f + j];
    z += coordinate * filters[k * f + j];
  }
  return z;
}

/* Whether position `at` of n is in part k: parts are as even as can be, the larger ones first, or share positions so as to be their
 * own mirror images. */
static PetscBool IsIn(PetscInt n, const Case *it, PetscInt k, PetscInt at)
{
  const PetscInt pool = it->pool, large = n % pool * (n / pool + 1);
  if (it->mirror) return (PetscBool)((at + 1) * pool > n * k && at * pool < n * (k + 1));
  return (PetscBool)(k == (at < large ? at / (n / pool + 1) : n % pool + (at - large) / (n / pool)));
}

/* Channel c of the part (i, j) of the grid, before channels are reduced: a mean over its positions. */
static PetscReal Mean(PsdMaps maps, const Case *it, const unsigned char image[], PetscInt c, PetscInt i, PetscInt j)
{
  const PetscInt rows = (HEIGHT - it->patch) / it->stride + 1, columns = (WIDTH - it->patch) / it->stride + 1;
  const PetscInt K = it->map.count;
  PetscReal sum = 0;
  PetscInt count = 0;
  for (PetscInt row = 0; row < rows; row++)
    for (PetscInt column = 0; column < columns; column++) {
      if (!IsIn(rows, it, i, row) || !IsIn(columns, it, j, column)) continue;
      const PetscReal z = Response(maps, it, image, c % K, row * it->stride, column * it->stride);
      sum += PetscMax((c < K ? z : -z) - it->map.threshold, 0);
      count++;
    }
  return sum / (PetscReal)count;
}

static void DirectMap(PsdMaps maps, const Case *it, const unsigned char image[], PetscReal map[])
{
  const PetscInt raw = (it->map.split ? 2 : 1) * it->map.count, k = it->map.channels > 0 ? it->map.channels : raw;
  const PetscReal *transform, *mean;
  MUST(PsdMapsGetChannels(maps, &transform, &mean));
  for (PetscInt i = 0; i < it->pool; i++)
    for (PetscInt j = 0; j < it->pool; j++) {
      PetscReal channel[64] = {0}, x[64], square = 0;
      for (PetscInt c = 0; c < raw; c++) channel[c] = Mean(maps, it, image, c, i, j);
      for (PetscInt c = 0; c < k; c++) {
        x[c] = transform ? 0 : channel[c];
        for (PetscInt b = 0; b < raw && transform; b++) x[c] += (channel[b] - mean[b]) * transform[b * k + c];
        square += x[c] * x[c] / (PetscReal)k;
      }
      for (PetscInt c = 0; c < k; c++)
        map[(c * it->pool + i) * it->pool + j] =
            it->map.normalize > 0 ? x[c] / PetscSqrtReal(square + it->map.normalize) : x[c];
    }
}

/* The responses behind the map: a mean over the places of each part of it. */
static void DirectResponses(PsdMaps maps, const Case *it, const unsigned char image[], PetscReal responses[])
{
  const PetscInt raw = (it->map.split ? 2 : 1) * it->map.count, r = it->map.responses;
  const PetscInt each = r > 0 ? it->pool / r : 0;
  for (PetscInt c = 0; c < raw; c++)
    for (PetscInt i = 0; i < r; i++)
      for (PetscInt j = 0; j < r; j++) {
        PetscReal sum = 0;
        for (PetscInt k = 0; k < each * each; k++)
          sum += Mean(maps, it, image, c, i * each + k / each, j * each + k % each);
        responses[(c * r + i) * r + j] = PsdMapsResponseScale(maps) * sum / (PetscReal)(each * each);
      }
}

/* ---------------------------------------------------------------- tests */

/* Each number is a sum of at most q + 9 + 2 K products; what goes into one is below what maps->largest and the norms of the
   channels' transform allow. */
static PetscReal Allowed(PsdMaps maps, const Case *it)
{
  const PetscReal *transform;
  PetscReal squares = 0;
  MUST(PsdMapsGetChannels(maps, &transform, NULL));
  for (PetscInt k = 0; k < maps->raw_channels * it->map.channels && transform; k++)
    squares += transform[k] * transform[k];
  const PetscReal amplified = transform ? PetscSqrtReal(squares * (PetscReal)maps->raw_channels) : 1;
  const PetscReal scale = it->map.normalize > 0 ? 1 / PetscSqrtReal(it->map.normalize) : 1;
  return (PetscReal)(maps->q + 9 + maps->raw_channels) * 6e-8 * maps->largest * amplified * scale;
}

static void MapsAreTheFormula(void **state)
{
  (void)state;
  for (PetscInt n = 0; n < CASES; n++)
    for (PetscInt kind = 0; PsdFilterKinds[kind]; kind++) {
      if (PsdFilterKinds[kind]->given) continue;
      PsdData data = Shared();
      PsdMaps maps = Fitted(PETSC_COMM_WORLD, &cases[n], kind, data);
      PetscInt channels, height, width, raw, side, wide, begin;
      size_t length;
      MUST(PsdMapsGetSize(maps, &channels, &height, &width));
      Require(height == cases[n].pool && width == cases[n].pool, "the side of the map");
      MUST(PsdMapsGetLength(maps, &length));
      MUST(PsdMapsGetPlace(maps, 0, 1, &raw, &side, &wide, &begin));
      Require(side == cases[n].map.responses && wide == side && begin == channels * height * width,
              "the place of the responses");
      Require(length == (size_t)(begin + raw * side * side) && length <= ROOM, "numbers of a map");
      for (long i = 0; i < 3; i++) {
        unsigned char image[BYTES];
        float map[ROOM];
        PetscReal direct[ROOM], most = 0;
        for (long k = 0; k < BYTES; k++) image[k] = PixelOf(50 + i, k); /* not one that they were fitted to */
        MUST(PsdMapsApply(maps, image, map));
        DirectMap(maps, &cases[n], image, direct);
        DirectResponses(maps, &cases[n], image, direct + channels * height * width);
        for (size_t k = 0; k < length; k++) most = PetscMax(most, PetscAbsReal(map[k] - direct[k]));
        if (!(most <= Allowed(maps, &cases[n])))
          fprintf(stderr, "case %d: %g, allowed %g\n", (int)n, (double)most, (double)Allowed(maps, &cases[n]));
        Require(most <= Allowed(maps, &cases[n]), "a map");
      }
      MUST(PsdMapsDestroy(&maps));
      MUST(PsdDataDestroy(&data));
    }
}

static void SameArray(PetscInt64 count, const PetscReal a[], const PetscReal b[])
{
  Require(!a == !b, "an array");
  for (PetscInt64 k = 0; a && b && k < count; k++) Require(a[k] == b[k], "a number that depends on the ranks");
}

static void FitIsThatOfOneRank(void **state)
{
  (void)state;
  for (PetscInt n = 0; n < CASES; n++)
    for (PetscInt kind = 0; PsdFilterKinds[kind]; kind++) {
      if (PsdFilterKinds[kind]->given) continue;
      PsdData shared = Shared(), whole = Data(PETSC_COMM_SELF, 0, IMAGES);
      PsdMaps ours = Fitted(PETSC_COMM_WORLD, &cases[n], kind, shared),
              mine = Fitted(PETSC_COMM_SELF, &cases[n], kind, whole);
      const PetscReal *a[5], *b[5];
      PetscInt f, g;
      MUST(PsdMapsGetFilters(ours, &f, &a[0], &a[1], &a[2]));
      MUST(PsdMapsGetFilters(mine, &g, &b[0], &b[1], &b[2]));
      MUST(PsdMapsGetChannels(ours, &a[3], &a[4]));
      MUST(PsdMapsGetChannels(mine, &b[3], &b[4]));
      Require(f == g, "numbers of a filter");
      const PetscInt64 K = ours->map.count, q = ours->q, raw = ours->raw_channels;
      const PetscInt64 count[5] = {q * f, q, K * f, raw * ours->map.channels, raw};
      for (int k = 0; k < 5; k++) SameArray(count[k], a[k], b[k]);
      for (PetscInt64 k = 0; k < K; k++) {
        PetscReal square = 0;
        for (PetscInt i = 0; i < f; i++) square += a[2][k * f + i] * a[2][k * f + i];
        Require(PetscAbsReal(square - 1) <= ((PetscReal)f + 5) * PETSC_MACHINE_EPSILON, "a filter of length 1");
      }
      MUST(PsdMapsDestroy(&ours));
      MUST(PsdMapsDestroy(&mine));
      MUST(PsdDataDestroy(&shared));
      MUST(PsdDataDestroy(&whole));
    }
}

/* What k-means is for: patches are nearer to their filters than to those that it began with. */
static void MeansAreNearer(void **state)
{
  (void)state;
  const Case *it = &cases[0];
  PsdData data = Data(PETSC_COMM_SELF, 0, IMAGES);
  PetscReal nearness[2] = {0, 0};
  for (int k = 0; k < 2; k++) {
    PsdMaps maps = Fitted(PETSC_COMM_SELF, it, k == 0 ? 0 : 2, data);
    Require(!strcmp(PsdFilterKinds[2]->name, "kmeans"), "the kind");
    for (long i = 0; i < IMAGES; i++)
      for (PetscInt y = 0; y + it->patch <= HEIGHT; y++)
        for (PetscInt x = 0; x + it->patch <= WIDTH; x++) {
          unsigned char image[BYTES];
          PetscReal most = 0;
          for (long b = 0; b < BYTES; b++) image[b] = PixelOf(i, b);
          for (PetscInt c = 0; c < it->map.count; c++)
            most = PetscMax(most, PetscAbsReal(Response(maps, it, image, c, y, x)));
          nearness[k] += most * most;
        }
    MUST(PsdMapsDestroy(&maps));
  }
  Require(nearness[1] > 1.05 * nearness[0], "the sum of the squares of the largest products");
  MUST(PsdDataDestroy(&data));
}

static void KeptMapsAreThoseMadeAgain(void **state)
{
  (void)state;
  const Case *it = &cases[0];
  PsdData data = Shared();
  PsdMaps maps = Fitted(PETSC_COMM_WORLD, it, 0, data);
  PsdPatches patches;
  PsdImages kept, again;
  PetscInt n;
  MUST(PsdDataGetSizes(data, NULL, &n, NULL));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  MUST(PsdPatchesSetMaps(patches, maps));
  size_t length;
  MUST(PsdMapsGetLength(maps, &length));
  MUST(PsdImagesCreate(data, patches, n * length * sizeof(float), &kept));
  MUST(PsdImagesCreate(data, patches, n * length * sizeof(float) - 1, &again));
  for (PetscInt pass = 0; pass < 2; pass++)
    for (PetscInt k = 0; k < n; k++) {
      const PetscInt i = pass ? n - 1 - k : k;
      const void *one, *other, *first;
      MUST(PsdImagesGet(kept, i, &one));
      MUST(PsdImagesGet(again, i, &other));
      Require(!memcmp(one, other, length * sizeof(float)), "a map");
      MUST(PsdImagesGet(kept, 0, &first));
      Require((const float *)one == (const float *)first + i * length, "all maps are kept, in their order");
    }
  MUST(PsdImagesDestroy(&kept));
  MUST(PsdImagesDestroy(&again));
  MUST(PsdPatchesDestroy(&patches));
  MUST(PsdMapsDestroy(&maps));
  MUST(PsdDataDestroy(&data));
}

/* ---------------------------------------------------------------- mirror images */

static void MakeMirrored(long number, unsigned char image[], unsigned char mirrored[])
{
  for (long k = 0; k < BYTES; k++) image[k] = PixelOf(number, k);
  for (long k = 0; k < BYTES; k++) mirrored[k] = image[k - k % WIDTH + WIDTH - 1 - k % WIDTH];
}

/* Within rounding the map that filtering the mirror image gives; and mirroring twice is nothing, to the last bit. */
static void MapsOfMirrorImages(void **state)
{
  (void)state;
  PsdData data = Shared();
  for (PetscInt n = 0; n < CASES; n++)
    for (PetscInt kind = 0; PsdFilterKinds[kind]; kind++) {
      if (PsdFilterKinds[kind]->given) continue;
      PsdMaps maps = Fitted(PETSC_COMM_WORLD, &cases[n], kind, data);
      size_t length;
      Require(PsdMapsAreMirrored(maps) == cases[n].mirror, "whether filters come with their mirror images");
      MUST(PsdMapsGetLength(maps, &length));
      for (long i = 50; i < 53 && cases[n].mirror; i++) {
        unsigned char image[BYTES], other[BYTES];
        float map[ROOM], filtered[ROOM], mirrored[ROOM], again[ROOM];
        PetscReal most = 0, moved = 0;
        MakeMirrored(i, image, other);
        MUST(PsdMapsApply(maps, image, map));
        MUST(PsdMapsApply(maps, other, filtered));
        PsdMapsMirror(maps, map, mirrored);
        PsdMapsMirror(maps, mirrored, again);
        for (size_t k = 0; k < length; k++) {
          most = PetscMax(most, PetscAbsReal(mirrored[k] - filtered[k]));
          moved = PetscMax(moved, PetscAbsReal(mirrored[k] - map[k]));
        }
        Require(most <= 2 * Allowed(maps, &cases[n]), "the map of a mirror image");
        Require(moved > 0.01, "a mirror image that is another one");
        Require(!memcmp(map, again, length * sizeof(float)), "mirrored twice");
      }
      MUST(PsdMapsDestroy(&maps));
    }
  MUST(PsdDataDestroy(&data));
}

/* One last bit elsewhere, in a filter or in the transform of channels, and they do not. */
static void NearlyMirroredIsNot(void **state)
{
  (void)state;
  const Case *it = &cases[4];
  PsdData data = Shared();
  PsdMaps maps = Fitted(PETSC_COMM_WORLD, it, 0, data);
  const PetscReal *array[5];
  PetscReal *filters, *channels;
  PetscInt f;
  MUST(PsdMapsGetFilters(maps, &f, &array[0], &array[1], &array[2]));
  MUST(PsdMapsGetChannels(maps, &array[3], &array[4]));
  const PetscInt numbers = it->map.count * f, of_channels = maps->raw_channels * it->map.channels;
  MUST(PetscMalloc2(numbers, &filters, of_channels, &channels));
  MUST(PetscArraycpy(filters, array[2], numbers));
  MUST(PetscArraycpy(channels, array[3], of_channels));
  for (int round = 0; round < 3; round++) {
    filters[numbers - 1] = array[2][numbers - 1] * (round == 1 ? 1 + PETSC_MACHINE_EPSILON : 1);
    channels[1] = array[3][1] * (round == 2 ? 1 + PETSC_MACHINE_EPSILON : 1);
    PsdMaps copy;
    MUST(PsdMapsCreate(PETSC_COMM_WORLD, &copy));
    MUST(PsdMapsSetGeometry(copy, &maps->cut, &maps->map));
    MUST(PsdMapsSetFilters(copy, f, array[0], array[1], filters));
    Require(!PsdMapsAreMirrored(copy), "a stage without its channels");
    MUST(PsdMapsSetChannels(copy, channels, array[4]));
    Require(PsdMapsAreMirrored(copy) == (round == 0), "nearly mirrored filters");
    MUST(PsdMapsDestroy(&copy));
  }
  MUST(PetscFree2(filters, channels));
  MUST(PsdMapsDestroy(&maps));
  MUST(PsdDataDestroy(&data));
}

/* Half of the maps are kept; those of mirror images are exactly the images', mirrored, in whatever order they are asked for. */
static void MirrorImagesShareMaps(void **state)
{
  (void)state;
  PsdData data, plain = Shared();
  unsigned char images[IMAGES * BYTES];
  PetscInt labels[IMAGES], n;
  PsdMaps maps = Fitted(PETSC_COMM_WORLD, &cases[4], 0, plain);
  PsdPatches patches;
  PsdImages kept, again;
  float mirrored[ROOM];
  size_t length;
  for (long i = 0; i < IMAGES; i++) {
    labels[i] = LabelOf(i);
    for (long k = 0; k < BYTES; k++) images[i * BYTES + k] = PixelOf(i, k);
  }
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetMirror(data, PETSC_TRUE));
  MUST(PsdDataSetArrays(data, Rank() == 0 ? IMAGES : 0, CHANNELS, HEIGHT, WIDTH, images, labels));
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetSizes(data, NULL, &n, NULL));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  MUST(PsdPatchesSetMaps(patches, maps));
  MUST(PsdMapsGetLength(maps, &length));
  MUST(PsdImagesCreate(data, patches, n / 2 * length * sizeof(float), &kept));
  MUST(PsdImagesCreate(data, patches, n / 2 * length * sizeof(float) - 1, &again));
  for (PetscInt pass = 0; pass < 2; pass++)
    for (PetscInt k = 0; k < n; k++) {
      const PetscInt i = pass ? n - 1 - k : k;
      const void *one, *other, *image, *first;
      MUST(PsdImagesGet(kept, i - i % 2, &image));
      PsdMapsMirror(maps, image, mirrored);
      MUST(PsdImagesGet(kept, i, &one));
      MUST(PsdImagesGet(again, i, &other));
      Require(!memcmp(one, i % 2 ? mirrored : image, length * sizeof(float)), "the map of an image or mirror image");
      Require(!memcmp(one, other, length * sizeof(float)), "a map that is made again");
      MUST(PsdImagesGet(kept, 0, &first));
      Require((const float *)image == (const float *)first + (i / 2) * length, "maps of images are kept");
    }
  MUST(PsdImagesDestroy(&kept));
  MUST(PsdImagesDestroy(&again));
  MUST(PsdPatchesDestroy(&patches));
  MUST(PsdMapsDestroy(&maps));
  MUST(PsdDataDestroy(&data));
  MUST(PsdDataDestroy(&plain));
}

/* A stage of two filters on a map, which is handed over. */
static PsdMaps Above(MPI_Comm comm, PsdMaps below, PsdData data)
{
  PsdMapGeometry map = {.count = 2, .threshold = 0.1, .split = PETSC_TRUE, .channels = 3, .normalize = 0.1};
  PsdPatchGeometry cut = {
      .reduce = 1, .patch_height = 1, .patch_width = 1, .stride = 1, .pool = 3, .pixel_scale = 1, .map = PETSC_TRUE};
  PetscReal filters[2 * 8] = {0};
  PsdMaps maps;
  MUST(PsdMapsGetSize(below, &cut.channels, &cut.height, &cut.width));
  const PetscInt f = cut.channels;
  Require(f <= 8, "room for the filters");
  filters[0] = 1;
  for (PetscInt k = 0; k < f; k++) filters[f + k] = (k % 2 ? -1 : 1) / PetscSqrtReal((PetscReal)f);
  MUST(PsdMapsCreate(comm, &maps));
  MUST(PsdMapsSetBelow(maps, below));
  MUST(PsdMapsDestroy(&below)); /* the stage above holds it */
  MUST(PsdMapsSetGeometry(maps, &cut, &map));
  MUST(PsdMapsSetFilters(maps, f, NULL, NULL, filters));
  MUST(PsdMapsFit(maps, data));
  return maps;
}

/* The maps of the first stage, with its responses, and of the third behind the last one's, at their places, and they are those of
 * these stages. */
static void MapsAreHandedOn(PsdMaps maps)
{
  PsdMaps stage[PSD_MOST_STAGES + 1] = {NULL};
  float all[4 * ROOM], own[ROOM];
  unsigned char image[BYTES];
  PetscInt depth;
  size_t length, total = 0;
  MUST(PsdMapsGetDepth(maps, &depth));
  stage[depth] = maps;
  for (PetscInt l = depth; l > 1; l--) MUST(PsdMapsGetBelow(stage[l], &stage[l - 1]));
  MUST(PsdMapsHandOn(maps, 1, 1));
  MUST(PsdMapsHandOn(maps, 1, 0));
  MUST(PsdMapsHandOn(maps, 3, 0));
  MUST(PsdMapsGetLength(maps, &length));
  Require(length <= 4 * ROOM, "room for the maps");
  for (long b = 0; b < BYTES; b++) image[b] = PixelOf(5, b);
  MUST(PsdMapsApply(maps, image, all));
  for (PetscInt l = depth; l >= 1; l = l == depth ? 3 : l - 2) { /* the order that they are in */
    PetscInt channels, height, width, begin;
    MUST(PsdMapsGetPlace(maps, l, 0, &channels, &height, &width, &begin));
    size_t numbers = (size_t)(channels * height * width);
    Require(begin == (PetscInt)total, "the place of a map");
    if (l == 1) {
      MUST(PsdMapsGetPlace(maps, l, 1, &channels, &height, &width, &begin));
      Require(begin == (PetscInt)(total + numbers), "the place of responses");
      numbers += (size_t)(channels * height * width);
      begin = (PetscInt)total;
    }
    if (l < depth) MUST(PsdMapsApply(stage[l], image, own));
    Require(l == depth || !memcmp(own, all + begin, numbers * sizeof(float)), "a map that is handed on");
    total += numbers;
  }
  Require(total == length, "all numbers");
}

/* To the last bit the same map on any number of ranks, and the statistics behind it; a chain of as many stages as there may be, and
 * no more. */
static void ChainsAreThoseOfOneRank(void **state)
{
  (void)state;
  PsdData shared = Shared(), whole = Data(PETSC_COMM_SELF, 0, IMAGES);
  PsdMaps ours = Fitted(PETSC_COMM_WORLD, &cases[0], 0, shared), mine = Fitted(PETSC_COMM_SELF, &cases[0], 0, whole),
          more;
  float our_map[ROOM], my_map[ROOM];
  PetscInt stages, channels, side;
  for (PetscInt k = 1; k < PSD_MOST_STAGES; k++) {
    ours = Above(PETSC_COMM_WORLD, ours, shared);
    mine = Above(PETSC_COMM_SELF, mine, whole);
    MUST(PsdMapsGetSize(ours, &channels, &side, NULL));
    for (long i = 0; i < 3; i++) {
      unsigned char image[BYTES];
      PetscReal largest = 0;
      for (long b = 0; b < BYTES; b++) image[b] = PixelOf(i, b);
      MUST(PsdMapsApply(ours, image, our_map));
      MUST(PsdMapsApply(mine, image, my_map));
      Require(!memcmp(our_map, my_map, (size_t)(channels * side * side) * sizeof(float)), "the map of a chain");
      for (PetscInt n = 0; n < channels * side * side; n++)
        largest = PetscMax(largest, PetscAbsReal((PetscReal)our_map[n]));
      Require(largest > 0.1, "a map that says something");
    }
  }
  MapsAreHandedOn(ours);
  MUST(PsdMapsGetDepth(ours, &stages));
  Require(stages == PSD_MOST_STAGES, "all stages");
  MUST(PsdMapsCreate(PETSC_COMM_WORLD, &more));
  MUST(PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL));
  Require(PsdMapsSetBelow(more, ours) == PSD_ERR_INPUT, "one stage more is refused");
  MUST(PetscPopErrorHandler());
  MUST(PsdMapsDestroy(&more));
  MUST(PsdMapsDestroy(&ours));
  MUST(PsdMapsDestroy(&mine));
  MUST(PsdDataDestroy(&shared));
  MUST(PsdDataDestroy(&whole));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(MapsAreTheFormula),       cmocka_unit_test(FitIsThatOfOneRank),
      cmocka_unit_test(MeansAreNearer),          cmocka_unit_test(KeptMapsAreThoseMadeAgain),
      cmocka_unit_test(ChainsAreThoseOfOneRank), cmocka_unit_test(MapsOfMirrorImages),
      cmocka_unit_test(NearlyMirroredIsNot),     cmocka_unit_test(MirrorImagesShareMaps)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
