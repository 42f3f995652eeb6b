/*
   W = [M1 B, M2] from the patches: with z = B'x, and w = nu_it/count the weight of each patch x of sample i,

     M1 B = sum a w x z',      M2 = sum (b/2) w x.

   A product of BLAS has PSD_PRODUCT_ROWS patches, scaled ones on its right; x'V is made once for all pairs of a region.
*/
#include "block_products.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "cone/blocks.h"
#include <petscblaslapack.h>

typedef struct {
  PsdPatchMatrix patches;
  const PetscReal *activation, *nu;
  PetscInt C, count;
  PsdBlockProduct *products;
  const PetscInt *of_sample; /* G: patches of a sample */
  PetscReal *z;              /* most K x PSD_PRODUCT_ROWS: x'V, of pairs without Q; */
  PetscReal *own;            /* most own x PSD_PRODUCT_ROWS */
  PetscReal *scaled;         /* (most k + 1) x PSD_PRODUCT_ROWS */
} Sums;

/* z_l = V'x_l of the vectors that all pairs of the region have in common */
static PetscErrorCode Coordinates(Sums *it, const PsdBlockProduct *product, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscInt K = product->k - product->own;
  if (product->B) PetscCall(PsdProductTransposed(K, rows, product->f, product->B, x, PetscMax(1, K), it->z));
  PetscFunctionReturn(0);
}

/* Row l of `scaled`: a w z_l and (b/2) w. first: the number of the first patch. */
static PetscErrorCode ScaleRows(Sums *it, PsdBlockProduct *product, size_t first, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscInt K = product->k - product->own, own = product->own, f = product->f,
                 of_sample = it->of_sample[product->g];
  const PetscReal a = it->activation[0], half = it->activation[1] / 2;
  if (own > 0) PetscCall(PsdProductTransposed(own, rows, f, product->B + (size_t)K * f, x, own, it->own));
  for (PetscInt l = 0; l < rows; l++, x += f) {
    const PetscReal weight = it->nu[(first + l) / of_sample * it->C + product->t] / (PetscReal)of_sample,
                    scale = a * weight;
    const PetscReal *z = product->B ? it->z + (size_t)l * K : x, *rest = it->own + (size_t)l * own;
    PetscReal *restrict to = it->scaled + (size_t)l * (product->k + 1);
    for (PetscInt i = 0; i < K; i++) to[i] = scale * z[i];
    for (PetscInt i = 0; i < own; i++) to[K + i] = scale * rest[i];
    to[product->k] = half * weight;
    product->trace += scale * PsdSquare(f, x);
  }
  PetscFunctionReturn(0);
}

/* W += the patches times their scaled rows */
static PetscErrorCode AddRows(Sums *it, PsdBlockProduct *product, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt f, n, count;
  PetscCall(PetscBLASIntCast(product->f, &f));
  PetscCall(PetscBLASIntCast(product->k + 1, &n));
  PetscCall(PetscBLASIntCast(rows, &count));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &f, &n, &count, &one, x, &f, it->scaled, &n, &one, product->W, &f));
  PetscCall(PetscLogFlops(2.0 * f * n * (PetscLogDouble)rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Sums *it = context;
  size_t at = (size_t)first * it->of_sample[g];
  for (PetscInt rest = count * it->of_sample[g], rows; rest > 0; rest -= rows, at += rows) {
    PetscInt f = 0;
    rows = PetscMin(PSD_PRODUCT_ROWS, rest);
    for (PetscInt k = 0; k < it->count; k++) {
      PsdBlockProduct *product = &it->products[k];
      if (product->g != g) continue;
      if (f == 0) PetscCall(Coordinates(it, product, rows, x));
      f = product->f;
      PetscCall(ScaleRows(it, product, at, rows, x));
      PetscCall(AddRows(it, product, rows, x));
    }
    x += (size_t)rows * f;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlockProductsAdd(PsdPatchMatrix patches, const PetscReal activation[3], PetscInt C,
                                   const PetscReal nu[], PetscInt count, PsdBlockProduct products[])
{
  PetscFunctionBeginUser;
  Sums it = {.patches = patches, .activation = activation, .nu = nu, .C = C, .count = count, .products = products};
  size_t K = 0, own = 0, k = 0;
  PsdPatchMatrixGetSizes(patches, NULL, NULL, &it.of_sample, NULL);
  for (PetscInt p = 0; p < count; p++) {
    products[p].trace = 0;
    PetscCall(PetscArrayzero(products[p].W, (size_t)products[p].f * (products[p].k + 1)));
    k = PetscMax(k, (size_t)products[p].k);
    own = PetscMax(own, (size_t)products[p].own);
    if (products[p].B) K = PetscMax(K, (size_t)(products[p].k - products[p].own));
  }
  PetscCall(PetscMalloc3(K * PSD_PRODUCT_ROWS, &it.z, own * PSD_PRODUCT_ROWS, &it.own, (k + 1) * PSD_PRODUCT_ROWS,
                         &it.scaled));
  PetscCall(PsdPatchMatrixPass(patches, AddTile, &it));
  PetscCall(PetscFree3(it.z, it.own, it.scaled));
  PetscFunctionReturn(0);
}

/*
   With |a w| ||x||^2 and |b w/2| ||x|| at most |nu_it|/count ||phi(x)||: z is off by the roundings of a product of f terms, ||x||
   ||B||; scaling has 3; a sum over PSD_PRODUCT_ROWS patches and over the products of a rank is then of terms ||x|| ||z|| <= 2 |a w|
   ||x||^2, and once more for M2.
*/
PetscReal PsdBlockProductsRoundings(PsdPatchMatrix patches, PetscInt g, PetscBool identity, PetscReal B_norm)
{
  const PetscInt *of_sample, *f;
  PetscInt n;
  PsdPatchMatrixGetSizes(patches, &n, NULL, &of_sample, &f);
  const PetscInt tile = PsdPatchMatrixGetTile(patches);
  const PetscReal tiles = PetscCeilReal((PetscReal)n / (PetscReal)tile);
  const PetscReal each = PetscCeilReal((PetscReal)tile * (PetscReal)of_sample[g] / PSD_PRODUCT_ROWS);
  return (identity ? 0 : PsdProductRoundings((PetscReal)f[g]) * B_norm) + 3 * (PSD_PRODUCT_ROWS + 5 + tiles * each);
}
