/*
   From the bytes of an image to rows of patches: pixel scaling, cutting in channel-row-column order, patch normalisation.

   Rows come region after region, so that a region is one matrix of BLAS-3 for whoever uses them.
*/
#include "patches.h"

/* First index of part k when n things are divided into `parts` as evenly as possible, the larger parts first. */
static PetscInt PartBegin(PetscInt n, PetscInt parts, PetscInt k)
{
  return k * (n / parts) + PetscMin(k, n % parts);
}

/* The patch whose upper left corner is at (y, x). */
static void CutPatch(const PsdPatches patches, PetscInt y, PetscInt x, PetscReal *restrict patch)
{
  const PsdPatchGeometry *g = &patches->geometry;
  const PetscInt width = g->patch_width;
  for (PetscInt channel = 0; channel < g->channels; channel++) {
    const PetscReal *restrict source = patches->image + ((size_t)channel * g->height + y) * g->width + x;
    for (PetscInt row = 0; row < g->patch_height; row++, source += g->width, patch += width)
      for (PetscInt column = 0; column < width; column++) patch[column] = source[column];
  }
}

/* p <- (p - mean p) / sqrt(var p + E/scale^2), var with divisor q (docs/formats.md, patch_normalize) */
static void NormalizePatch(PetscInt q, PetscReal floor, PetscReal *restrict patch)
{
  PetscReal sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < q; k++) sum += patch[k];
  const PetscReal mean = sum / (PetscReal)q;
#pragma omp simd reduction(+ : squares)
  for (PetscInt k = 0; k < q; k++) {
    patch[k] -= mean;
    squares += patch[k] * patch[k];
  }
  const PetscReal scale = 1 / PetscSqrtReal(squares / (PetscReal)q + floor);
  for (PetscInt k = 0; k < q; k++) patch[k] *= scale;
}

PetscErrorCode PsdPatchesExtract(PsdPatches patches, const unsigned char image[], PetscReal rows[], PetscInt count[])
{
  PetscFunctionBeginUser;
  const PsdPatchGeometry *g = &patches->geometry;
  const size_t pixels = (size_t)g->channels * g->height * g->width;
  const PetscReal floor = g->normalize / (g->pixel_scale * g->pixel_scale);
  for (size_t k = 0; k < pixels; k++) patches->image[k] = patches->scaled_value[image[k]];

  PetscReal *patch = rows;
  for (PetscInt i = 0; i < g->pool; i++) {
    const PetscInt row_begin = PartBegin(patches->rows, g->pool, i);
    const PetscInt row_end = PartBegin(patches->rows, g->pool, i + 1);
    for (PetscInt j = 0; j < g->pool; j++) {
      const PetscInt column_begin = PartBegin(patches->columns, g->pool, j);
      const PetscInt column_end = PartBegin(patches->columns, g->pool, j + 1);
      count[i * g->pool + j] = (row_end - row_begin) * (column_end - column_begin);
      for (PetscInt row = row_begin; row < row_end; row++) {
        for (PetscInt column = column_begin; column < column_end; column++, patch += patches->q) {
          CutPatch(patches, row * g->stride, column * g->stride, patch);
          if (g->normalize > 0) NormalizePatch(patches->q, floor, patch);
        }
      }
    }
  }
  PetscFunctionReturn(0);
}
