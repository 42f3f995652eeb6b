/*
   From the bytes of an image to rows of patches: cutting in channel-row-column order, pixel scaling, patch
   normalisation.

   Rows come region after region, so that a region is one matrix of BLAS-3 for whoever uses them. Pixels are whole
   numbers, and so are their sums v over R x R pixels, which -reduce makes averages of. With w = R^2, or 257 R^2 of
   pixels of 16 bits, which makes them numbers of 0 .. 255 as those of 8 bits are, or R^2/step of levels of real numbers,
   to whose sums R^2 low/step is added to make them sums of multiples of step, a patch of q of them, with the sum t, is

     (v - w shift)/(w scale)     or, normalised,     (q v - t)/sqrt((q sum v^2 - t^2) + q^2 w^2 E),

   where all that cancels is a whole number and exact: every number of a patch has a small relative error
   (PsdPatchesPixelRoundings), and a normalised patch that is flat is 0. Sums over all patches come from sliding sums.

   Maps are numbers in single precision, which are the program's input as they are: a patch of them is exact.
*/
#include "patches_impl.h"
#include "base/base.h"
#include "lift.h"
#include <math.h>
#include <string.h>

/* First index of part k when n things are divided into `parts` as evenly as possible, the larger parts first. */
static PetscInt PartBegin(PetscInt n, PetscInt parts, PetscInt k)
{
  return k * (n / parts) + PetscMin(k, n % parts);
}

/* Part k with what it has of its neighbours: indices begin .. end - 1. */
typedef struct {
  PetscInt begin, end;
} Range;

/* Regions that share the middle reach from n k/pool, rounded down, to n (k + 1)/pool, rounded up. */
static Range RegionRange(PetscInt n, const PsdPatchGeometry *g, PetscInt k)
{
  const PetscInt64 all = n, pool = g->pool, next = k + 1;
  const PetscInt begin = g->shared ? (PetscInt)(all * k / pool) : PartBegin(n, g->pool, k);
  const PetscInt end = g->shared ? (PetscInt)((all * next + pool - 1) / pool) : PartBegin(n, g->pool, k + 1);
  return (Range){PetscMax(0, begin - g->overlap), PetscMin(n, end + g->overlap)};
}

/* to[i] <- from[i] + from[i + step] + .., `window` of them */
static void SumNeighbours(size_t length, PetscInt window, size_t step, const PetscReal *restrict from,
                          PetscReal *restrict to)
{
  for (size_t i = 0; i < length; i++) to[i] = from[i];
  for (PetscInt k = 1; k < window; k++)
    for (size_t i = 0; i < length; i++) to[i] += from[i + (size_t)k * step];
}

/* For a patch with its corner at each pixel: sum of `plane` over the window of the patch; of pixels that are no
   corners, nothing of use. work, sums: height x width. */
static void BoxSums(PsdPatches patches, const PetscReal *plane, PetscReal *work, PetscReal *sums)
{
  const PetscInt down = patches->geometry.patch_height, across = patches->geometry.patch_width;
  const size_t width = (size_t)patches->width, length = (size_t)(patches->height - down + 1) * width;
  SumNeighbours(length, down, width, plane, work);
  SumNeighbours(length - (size_t)(across - 1), across, 1, work, sums);
}

/* Whether q sum v^2 - t^2 is made of whole numbers that are exact in double precision. */
static PetscBool SpreadIsExact(PsdPatches patches)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const PetscReal area = (PetscReal)g->reduce * (PetscReal)g->reduce;
  const PetscReal most = PsdPixelsMost(g) * area * (PetscReal)patches->q;
  return (PetscBool)(most * most <= 1 / PETSC_MACHINE_EPSILON);
}

/* Roundings of p: of a map, none; of q^2 w^2 E (2), the sum under the root (1) and the one it is a sum with (0, or q +
   2), which the root halves, then root, reciprocal and product; without normalisation, of v - w shift, w scale and the
   quotient. */
PetscReal PsdPatchesPixelRoundings(PsdPatches patches)
{
  if (patches->geometry.map) return 0;
  if (!(patches->geometry.normalize > 0)) return 3;
  return SpreadIsExact(patches) ? 5 : 6 + (PetscReal)patches->q / 2;
}

/* q sum v^2 - t^2 of patches too large for it: the sum of (q v - t)^2/q, of which nothing cancels. */
static PetscReal SpreadOfPatch(PsdPatches patches, const PetscReal *source, PetscReal total)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t plane = (size_t)patches->height * patches->width;
  const PetscReal q = (PetscReal)patches->q;
  PetscReal sum = 0;
  for (PetscInt channel = 0; channel < g->channels; channel++, source += plane)
    for (PetscInt row = 0; row < g->patch_height; row++)
      for (PetscInt column = 0; column < g->patch_width; column++) {
        const PetscReal centred = q * source[(size_t)row * patches->width + column] - total;
        sum += centred * centred;
      }
  return sum / q;
}

/* t and gain of the patch at each pixel, height x width, from whole numbers v */
static void PatchScales(PsdPatches patches)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t plane = (size_t)patches->height * patches->width;
  const PetscReal q = (PetscReal)patches->q, weight = q * PsdPixelsWeight(g);
  const PetscReal floor = weight * weight * g->normalize;
  const PetscBool exact = SpreadIsExact(patches);
  PetscReal *sum = patches->scales, *squares = sum + plane, *gain = squares + plane, *total = gain + plane;
  for (size_t k = 0; k < plane; k++) sum[k] = squares[k] = 0;
  for (PetscInt channel = 0; channel < g->channels; channel++) {
    for (size_t k = 0; k < plane; k++) {
      const PetscReal value = patches->image[channel * plane + k];
      sum[k] += value;
      squares[k] += value * value;
    }
  }
  BoxSums(patches, sum, gain, total);
  BoxSums(patches, squares, gain, sum);
  for (PetscInt y = 0; y + g->patch_height <= patches->height; y++) {
    const size_t begin = (size_t)y * patches->width, end = begin + (size_t)(patches->width - g->patch_width) + 1;
    for (size_t k = begin; k < end && exact; k++) gain[k] = q * sum[k] - total[k] * total[k];
    for (size_t k = begin; k < end && !exact; k++) gain[k] = SpreadOfPatch(patches, patches->image + k, total[k]);
    for (size_t k = begin; k < end; k++) gain[k] = 1 / PetscSqrtReal(gain[k] + floor);
  }
}

/* One patch: runs of `width` pixels, p = gain (image - offset). Inlined with a constant width where that is usual. */
static inline void CutRuns(const PsdPatches patches, const PetscReal *source, PetscInt width, PetscReal gain,
                           PetscReal offset, PetscReal *restrict patch)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t plane = (size_t)patches->height * patches->width;
  for (PetscInt channel = 0; channel < g->channels; channel++, source += plane)
    for (PetscInt row = 0; row < g->patch_height; row++, patch += width)
      for (PetscInt column = 0; column < width; column++)
        patch[column] = gain * (source[(size_t)row * patches->width + column] - offset);
}

static void CutPatch(const PsdPatches patches, PetscInt y, PetscInt x, PetscReal *patch)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t at = (size_t)y * patches->width + x, plane = (size_t)patches->height * patches->width;
  const PetscReal *source = patches->image + at;
  PetscReal gain = 1, offset = 0;
  if (g->normalize > 0) {
    gain = patches->scales[2 * plane + at];
    offset = patches->scales[3 * plane + at];
  }
  switch (g->patch_width) {
  case 3:
    CutRuns(patches, source, 3, gain, offset, patch);
    break;
  case 4:
    CutRuns(patches, source, 4, gain, offset, patch);
    break;
  case 5:
    CutRuns(patches, source, 5, gain, offset, patch);
    break;
  case 6:
    CutRuns(patches, source, 6, gain, offset, patch);
    break;
  case 8:
    CutRuns(patches, source, 8, gain, offset, patch);
    break;
  default:
    CutRuns(patches, source, g->patch_width, gain, offset, patch);
  }
}

/* Sum of the lengths of all parts of an axis. */
static PetscInt64 PooledLength(PetscInt n, const PsdPatchGeometry *g)
{
  PetscInt64 length = 0;
  for (PetscInt k = 0; k < g->pool; k++) {
    const Range range = RegionRange(n, g, k);
    length += range.end - range.begin;
  }
  return length;
}

PetscInt64 PsdPatchesCountPositions(PsdPatches patches)
{
  return PooledLength(patches->rows, &patches->geometry) * PooledLength(patches->columns, &patches->geometry);
}

PetscErrorCode PsdPatchesCountRegions(PsdPatches patches, PetscInt count[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  const PsdPatchGeometry *g = &patches->geometry;
  for (PetscInt i = 0; i < g->pool; i++) {
    const Range rows = RegionRange(patches->rows, g, i);
    for (PetscInt j = 0; j < g->pool; j++) {
      const Range columns = RegionRange(patches->columns, g, j);
      *count++ = (rows.end - rows.begin) * (columns.end - columns.begin);
    }
  }
  PetscFunctionReturn(0);
}

/* image <- v: the pixels as numbers, summed over reduce x reduce of them; rows and columns that are left over are not
   used. Inlined for either size of a pixel. */
static inline void ReduceNumbers(PsdPatches patches, const void *numbers, PetscReal (*at)(const void *, size_t))
{
  const PsdPatchGeometry *g = &patches->geometry;
  const PetscInt r = g->reduce;
  PetscReal *reduced = patches->image;
  if (r == 1) {
    const size_t pixels = (size_t)g->channels * g->height * g->width;
    for (size_t k = 0; k < pixels; k++) reduced[k] = (*at)(numbers, k);
    return;
  }
  for (PetscInt channel = 0; channel < g->channels; channel++) {
    const size_t plane = (size_t)channel * g->height * g->width;
    for (PetscInt row = 0; row < patches->height; row++) {
      for (PetscInt column = 0; column < patches->width; column++) {
        const size_t pixel = plane + (size_t)row * r * g->width + (size_t)column * r;
        PetscReal sum = 0; /* of whole numbers below 2^53 */
        for (PetscInt i = 0; i < r; i++)
          for (PetscInt j = 0; j < r; j++) sum += (*at)(numbers, pixel + (size_t)i * g->width + j);
        *reduced++ = sum;
      }
    }
  }
}

static inline PetscReal ByteAt(const void *numbers, size_t k)
{
  return ((const unsigned char *)numbers)[k];
}

/* which any address may hold */
static inline PetscReal WordAt(const void *numbers, size_t k)
{
  uint16_t word;
  memcpy(&word, (const unsigned char *)numbers + k * sizeof(word), sizeof(word));
  return word;
}

static void Reduce(PsdPatches patches, const void *image)
{
  if (patches->geometry.bits == 16) ReduceNumbers(patches, image, WordAt);
  else ReduceNumbers(patches, image, ByteAt);
}

/* v <- q v, of which normalised patches are made, or (v - w shift)/(w scale) */
static void ScalePixels(PsdPatches patches)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t pixels = (size_t)g->channels * patches->height * patches->width;
  const PetscReal q = (PetscReal)patches->q, weight = PsdPixelsWeight(g);
  const PetscReal shift = g->pixel_shift, scale = weight * g->pixel_scale, origin = PsdPixelsOrigin(g);
  PetscReal *image = patches->image;
  if (g->normalize > 0) {
    for (size_t k = 0; k < pixels; k++) image[k] *= q;
  } else if (weight == 1 && origin == 0) {
    for (size_t k = 0; k < pixels; k++) image[k] = (image[k] - shift) / scale;
  } else {
    for (size_t k = 0; k < pixels; k++) image[k] = fma(-weight, shift, image[k] + origin) / scale;
  }
}

/* image <- the numbers of a map, or of the responses behind it */
static void CopyMap(PsdPatches patches, const float map[])
{
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t numbers = (size_t)g->channels * g->height * g->width;
  for (size_t k = 0; k < numbers; k++) patches->image[k] = map[g->begin + (PetscInt)k];
}

static void ReadPixels(PsdPatches patches, const void *image)
{
  Reduce(patches, image);
  if (patches->geometry.normalize > 0) PatchScales(patches);
  ScalePixels(patches);
}

PetscErrorCode PsdPatchesExtract(PsdPatches patches, const void *image, PetscReal rows[], PetscInt count[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(patches);
  const PsdPatchGeometry *g = &patches->geometry;
  if (g->map) CopyMap(patches, image);
  else ReadPixels(patches, image);

  PetscReal *patch = rows;
  PetscCall(PsdPatchesCountRegions(patches, count));
  for (PetscInt i = 0; i < g->pool; i++) {
    const Range down = RegionRange(patches->rows, g, i);
    for (PetscInt j = 0; j < g->pool; j++) {
      const Range across = RegionRange(patches->columns, g, j);
      for (PetscInt row = down.begin; row < down.end; row++)
        for (PetscInt column = across.begin; column < across.end; column++, patch += patches->q)
          CutPatch(patches, row * g->stride, column * g->stride, patch);
    }
  }
  PetscFunctionReturn(0);
}
