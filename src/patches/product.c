/*
   The product of the patches of a region with themselves, sum over l of p_l p_l', and the sum of p_l: half of the time
   of lifting.

   BLAS packs its operands first, which for matrices of this shape (q a few dozen, a few hundred patches) costs as
   much as a third of the product. A patch is already what a kernel wants, q contiguous numbers, so this one reads
   them in place: tiles of 16 x 8 sums stay in registers over all patches, and so do 16 of the sums of p_l beside them.
   It needs 32 registers of 8 numbers and patches that stay in cache; otherwise dsyrk does it.
*/
#include "lift.h"
#include <petscblaslapack.h>

static PetscErrorCode ProductByBlas(PetscInt q, PetscInt count, PetscReal scale, const PetscReal rows[],
                                    PetscReal square[], PetscReal *restrict first)
{
  PetscFunctionBeginUser;
  const PetscReal zero = 0;
  PetscBLASInt order, patches;
  PetscCall(PetscBLASIntCast(q, &order));
  PetscCall(PetscBLASIntCast(count, &patches));
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &order, &patches, &scale, rows, &order, &zero, square, &order));
  PetscCall(PetscArrayzero(first, q));
  for (PetscInt l = 0; l < count; l++, rows += q)
    for (PetscInt k = 0; k < q; k++) first[k] += rows[k];
  for (PetscInt k = 0; k < q; k++) first[k] *= scale;
  PetscFunctionReturn(0);
}

#if defined(__AVX512F__) && defined(__GNUC__)

#define TILE_ROWS 16
#define TILE_COLUMNS 8
#define REGISTER_ORDER 128 /* beyond it BLAS's blocking for cache wins */

typedef PetscReal Eight __attribute__((vector_size(64), aligned(8)));

/* square[rows i .. i+15, columns j .. j+7] = scale sum over patches of p[i..] p[j..]', as far as it is inside, and
   mean[rows] = scale sum of p[i..] */
static void Tile(PetscInt q, PetscInt count, PetscReal scale, const PetscReal *rows, PetscInt i, PetscInt j,
                 PetscReal *square, PetscReal *mean)
{
  Eight low[TILE_COLUMNS] = {{0}}, high[TILE_COLUMNS] = {{0}}, low_sum = {0}, high_sum = {0};
  for (PetscInt l = 0; l < count; l++, rows += q) {
    const Eight first = *(const Eight *)(rows + i), second = *(const Eight *)(rows + i + 8);
    low_sum += first;
    high_sum += second;
#pragma GCC unroll 8
    for (int column = 0; column < TILE_COLUMNS; column++) {
      low[column] += first * rows[j + column];
      high[column] += second * rows[j + column];
    }
  }
  for (PetscInt row = 0; row < TILE_ROWS && i + row < q; row++)
    mean[i + row] = scale * (row < 8 ? low_sum[row] : high_sum[row - 8]);
  for (int column = 0; column < TILE_COLUMNS && j + column < q; column++) {
    PetscReal *to = square + (size_t)(j + column) * q + i;
    for (PetscInt row = 0; row < TILE_ROWS && i + row < q; row++)
      to[row] = scale * (row < 8 ? low[column][row] : high[column][row - 8]);
  }
}

PetscErrorCode PsdPatchesProduct(PetscInt q, PetscInt count, PetscReal scale, const PetscReal rows[],
                                 PetscReal square[], PetscReal first[])
{
  PetscFunctionBeginUser;
  if (q > REGISTER_ORDER) {
    PetscCall(ProductByBlas(q, count, scale, rows, square, first));
    PetscFunctionReturn(0);
  }
  for (PetscInt j = 0; j < q; j += TILE_COLUMNS) /* the last of them have all rows */
    for (PetscInt i = 0; i < j + TILE_COLUMNS && i < q; i += TILE_ROWS)
      Tile(q, count, scale, rows, i, j, square, first);
  PetscFunctionReturn(0);
}

#else

PetscErrorCode PsdPatchesProduct(PetscInt q, PetscInt count, PetscReal scale, const PetscReal rows[],
                                 PetscReal square[], PetscReal first[])
{
  PetscFunctionBeginUser;
  PetscCall(ProductByBlas(q, count, scale, rows, square, first));
  PetscFunctionReturn(0);
}

#endif
