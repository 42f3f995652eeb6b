/*
   Sums over the patches by products of PSD_PRODUCT_ROWS of them. The coordinates in the basis are made once for all pairs of a
   region, and once for all dual points where they are kept.
*/
#include "block_products.h"
#include "base/gemm.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "cone/blocks.h"
#include <petscblaslapack.h>

#define PANEL 128 /* columns of a symmetric sum that are made at once, with the rows above them */

typedef struct {
  PsdPatchMatrix patches;
  const PetscReal *activation, *nu;
  PetscInt C, count;
  PsdBlockProduct *products;
  const PetscInt *of_sample; /* G: patches of a sample */
  PetscReal *in_basis;       /* PSD_PRODUCT_ROWS times the most of a pair: V'x, ... */
  PetscReal *own;            /* Q'x, */
  PetscReal *z, *scaled;     /* z, and a w z; */
  PetscReal *rest, *mixed;   /* what N' is applied to, and that, */
  PetscReal *y;              /* a w y and (b/2) w; */
  float *squares;            /* |a w| z of `beyond`; */
  PetscReal *weight;         /* w */
} Sums;

static PetscErrorCode Product(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const PetscReal A[],
                              PetscInt lda, const PetscReal B[], PetscInt ldb, PetscReal C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc};
  PetscBLASInt s[6];
  for (int i = 0; i < 6; i++) PetscCall(PetscBLASIntCast(PetscMax(i < 3 ? 0 : 1, sizes[i]), &s[i]));
  if (m > 0 && n > 0)
    PetscCallBLAS("BLASgemm",
                  BLASgemm_(&transA, &transB, &s[0], &s[1], &s[2], &one, A, &s[3], B, &s[4], &one, C, &s[5]));
  PetscCall(PetscLogFlops(2.0 * m * n * (PetscLogDouble)k));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the rows of a pair */

/* z, and what is summed of its length. x: `rows` patches, in_basis: V'x. */
static PetscErrorCode MakeCoordinates(Sums *it, PsdBlockProduct *product, PetscInt rows, const PetscReal in_basis[],
                                      const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscInt own = product->own, K = product->k - own, k = product->k, left = k - product->leading;
  const PetscReal a = it->activation[0], half = it->activation[1] / 2;
  if (own > 0) PetscCall(PsdProductTransposed(own, rows, product->f, product->Q, x, own, it->own));
  for (PetscInt l = 0; l < rows; l++) {
    PetscReal *z = it->z + (size_t)l * k;
    PetscCall(PetscArraycpy(z, in_basis + (size_t)l * K, K));
    PetscCall(PetscArraycpy(z + K, it->own + (size_t)l * own, own));
    const PetscReal square = PsdSquare(k, z), of_x = PsdSquare(product->f, x + (size_t)l * product->f);
    const PetscReal aw = PetscAbsReal(a * it->weight[l]);
    product->zz += aw * square;
    product->zx += aw * PetscSqrtReal(square * of_x);
    product->z += PetscAbsReal(half * it->weight[l]) * PetscSqrtReal(square);
    product->trace += a * it->weight[l] * of_x;
    product->square_x += aw * aw * of_x;
    product->square_z += aw * aw * PsdSquare(left, z + product->leading);
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sums */

/* inner += z (a w z)' and (b/2) w z */
static PetscErrorCode AddInner(Sums *it, PsdBlockProduct *product, PetscInt rows)
{
  PetscFunctionBeginUser;
  const PetscInt k = product->k;
  const PetscReal a = it->activation[0], half = it->activation[1] / 2;
  PetscReal *last = product->inner + (size_t)k * k;
  for (PetscInt l = 0; l < rows; l++) {
    const PetscReal *z = it->z + (size_t)l * k, scale = a * it->weight[l], linear = half * it->weight[l];
    PetscReal *to = it->scaled + (size_t)l * k;
    for (PetscInt i = 0; i < k; i++) to[i] = scale * z[i];
    for (PetscInt i = 0; i < k; i++) last[i] += linear * z[i];
  }
  for (PetscInt first = 0; first < k; first += PANEL) {
    const PetscInt some = PetscMin(PANEL, k - first);
    PetscCall(Product('N', 'T', first + some, some, rows, it->z, k, it->scaled + first, k,
                      product->inner + (size_t)first * k, k));
  }
  PetscFunctionReturn(0);
}

/* beyond += (|a w| z)(|a w| z)' */
static PetscErrorCode AddBeyond(Sums *it, PsdBlockProduct *product, PetscInt rows)
{
  PetscFunctionBeginUser;
  const PetscInt k = product->k, left = k - product->leading;
  const PetscReal unit = ldexp(PetscAbsReal(it->activation[0]), -product->exponent - product->V->exponent);
  for (PetscInt l = 0; l < rows; l++) {
    const PetscReal *z = it->z + (size_t)l * k + product->leading, scale = unit * PetscAbsReal(it->weight[l]);
    float *to = it->squares + (size_t)l * left;
    for (PetscInt i = 0; i < left; i++) to[i] = (float)(scale * z[i]);
  }
  PetscCall(PsdSyrkSingleAdd('N', left, rows, it->squares, left, product->beyond, left));
  PetscFunctionReturn(0);
}

/* W += x (a w y)' and (b/2) w x. z: k numbers a patch; without a basis the patches themselves. */
static PetscErrorCode AddOuter(Sums *it, PsdBlockProduct *product, PetscInt rows, const PetscReal z[],
                               const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscInt k = product->k, L = product->leading, left = k - L, mixed = product->mixed, width = L + mixed + 1;
  const PetscReal a = it->activation[0], half = it->activation[1] / 2;
  const PetscReal *rest = it->rest;
  for (PetscInt l = 0; l < rows; l++)
    PetscCall(PetscArraycpy(it->rest + (size_t)l * left, z + (size_t)l * k + L, left));
  if (product->N) {
    PetscCall(PetscArrayzero(it->mixed, (size_t)mixed * rows));
    PetscCall(Product('T', 'N', mixed, rows, left, product->N, left, it->rest, left, it->mixed, mixed));
    rest = it->mixed;
  }
  for (PetscInt l = 0; l < rows; l++) {
    const PetscReal scale = a * it->weight[l], *leading = z + (size_t)l * k, *others = rest + (size_t)l * mixed;
    PetscReal *restrict y = it->y + (size_t)l * width;
    for (PetscInt i = 0; i < L; i++) y[i] = scale * leading[i];
    for (PetscInt i = 0; i < mixed; i++) y[L + i] = scale * others[i];
    y[width - 1] = half * it->weight[l];
  }
  PetscCall(Product('N', 'T', product->f, width, rows, x, product->f, it->y, width, product->W, product->f));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddRows(Sums *it, PsdBlockProduct *product, PetscInt rows, const PetscReal in_basis[],
                              const PetscReal x[])
{
  PetscFunctionBeginUser;
  if (!product->V) {
    for (PetscInt l = 0; l < rows; l++)
      product->trace += it->activation[0] * it->weight[l] * PsdSquare(product->f, x + (size_t)l * product->f);
    PetscCall(AddOuter(it, product, rows, x, x));
    PetscFunctionReturn(0);
  }
  PetscCall(MakeCoordinates(it, product, rows, in_basis, x));
  PetscCall(AddInner(it, product, rows));
  if (product->beyond) PetscCall(AddBeyond(it, product, rows));
  PetscCall(AddOuter(it, product, rows, it->z, x));
  PetscFunctionReturn(0);
}

/* `rows` patches of region g, of which the first is number `first` here. */
static PetscErrorCode AddPatches(Sums *it, PetscInt g, size_t first, PetscInt rows, const PetscReal x[])
{
  PetscFunctionBeginUser;
  const PetscReal *in_basis = NULL;
  for (PetscInt k = 0; k < it->count; k++) {
    PsdBlockProduct *product = &it->products[k];
    if (product->g != g) continue;
    if (product->V && !in_basis) PetscCall(PsdCoordinatesOf(product->V, first, rows, x, it->in_basis, &in_basis));
    for (PetscInt l = 0; l < rows; l++)
      it->weight[l] = it->nu[(first + l) / it->of_sample[g] * it->C + product->t] / (PetscReal)it->of_sample[g];
    PetscCall(AddRows(it, product, rows, in_basis, x));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Sums *it = context;
  const PetscInt *f;
  size_t at = (size_t)first * it->of_sample[g];
  PsdPatchMatrixGetSizes(it->patches, NULL, NULL, NULL, &f);
  for (PetscInt rest = count * it->of_sample[g], rows; rest > 0; rest -= rows, at += rows) {
    rows = PetscMin(PSD_PRODUCT_ROWS, rest);
    PetscCall(AddPatches(it, g, at, rows, x));
    x += (size_t)rows * f[g];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Begin(PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const size_t f = (size_t)product->f, k = (size_t)product->k, left = k - (size_t)product->leading;
  product->trace = product->zz = product->zx = product->z = product->square_x = product->square_z = 0;
  PetscCall(PetscArrayzero(product->W, f * (size_t)(product->leading + product->mixed + 1)));
  if (product->inner) PetscCall(PetscArrayzero(product->inner, k * (k + 1)));
  if (product->beyond) PetscCall(PetscArrayzero(product->beyond, left * left));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBlockProductsAdd(PsdPatchMatrix patches, const PetscReal activation[3], PetscInt C,
                                   const PetscReal nu[], PetscInt count, PsdBlockProduct products[])
{
  PetscFunctionBeginUser;
  enum { ROWS = PSD_PRODUCT_ROWS };
  Sums it = {.patches = patches, .activation = activation, .nu = nu, .C = C, .count = count, .products = products};
  size_t K = 0, own = 0, k = 0, left = 0, mixed = 0, width = 0;
  PsdPatchMatrixGetSizes(patches, NULL, NULL, &it.of_sample, NULL);
  for (PetscInt p = 0; p < count; p++) {
    const PsdBlockProduct *product = &products[p];
    PetscCall(Begin(&products[p]));
    left = PetscMax(left, (size_t)(product->k - product->leading));
    mixed = PetscMax(mixed, (size_t)product->mixed);
    width = PetscMax(width, (size_t)(product->leading + product->mixed + 1));
    own = PetscMax(own, (size_t)product->own);
    if (product->V) K = PetscMax(K, (size_t)product->V->K);
    if (product->V) k = PetscMax(k, (size_t)product->k);
  }
  PetscCall(PetscMalloc4(K * ROWS, &it.in_basis, own * ROWS, &it.own, k * ROWS, &it.z, k * ROWS, &it.scaled));
  PetscCall(PetscMalloc5(left * ROWS, &it.rest, mixed * ROWS, &it.mixed, width * ROWS, &it.y, left * ROWS, &it.squares,
                         ROWS, &it.weight));
  PetscCall(PsdPatchMatrixPass(patches, AddTile, &it));
  PetscCall(PetscFree4(it.in_basis, it.own, it.z, it.scaled));
  PetscCall(PetscFree5(it.rest, it.mixed, it.y, it.squares, it.weight));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- rounding */

/* A product of BLAS has PSD_PRODUCT_ROWS terms, each of its own 5 roundings, and is added to what there is. */
PetscReal PsdBlockProductsRoundings(PsdPatchMatrix patches, PetscInt g)
{
  const PetscInt *of_sample;
  PetscInt n;
  PsdPatchMatrixGetSizes(patches, &n, NULL, &of_sample, NULL);
  const PetscInt tile = PsdPatchMatrixGetTile(patches);
  const PetscReal tiles = PetscCeilReal((PetscReal)n / (PetscReal)tile);
  const PetscReal each = PetscCeilReal((PetscReal)tile * (PetscReal)of_sample[g] / PSD_PRODUCT_ROWS);
  return PSD_PRODUCT_ROWS + 5 + tiles * each;
}

/*
   z is off by `lost` = delta ||x||, delta = roundings of a product of f terms times ||B||_F; y by (1 + ||N||) of that and by the
   roundings of a product of k - L terms. As |a w| ||x||^2 and |b w/2| ||x|| are at most |nu_it|/count ||phi(x)||, sums of them are
   at most `size`.
*/
void PsdBlockProductsErrors(const PsdBlockProduct *it, PetscReal roundings, PetscReal size, PetscReal B_norm,
                            PetscReal N_norm, PsdBlockErrors *errors)
{
  const PetscReal sums = PsdRoundings(roundings), left = (PetscReal)(it->k - it->leading);
  if (!it->V) {
    *errors = (PsdBlockErrors){0, 2 * sums * size, 0};
    return;
  }
  const PetscReal delta = PsdRoundings(PsdProductRoundings((PetscReal)it->f)) * B_norm, N = N_norm + 1;
  const PetscReal in_single = PsdRoundingsSingle(roundings + 2), unit = ldexp(1, it->exponent + it->V->exponent);
  errors->inner = 2 * delta * it->zx + (3 * delta + 1) * delta * size + sums * (it->zz + it->z);
  errors->W = N * delta * size + N * (PsdRoundings(left + 2) + sums) * it->zx + sums * size;
  errors->beyond = in_single * it->square_z + 2 * delta * PetscSqrtReal(it->square_z * it->square_x) +
                   delta * delta * it->square_x +
                   unit * unit * left * (PetscReal)it->f * roundings * PSD_PRODUCT_ROWS * PSD_TINY_SINGLE;
}
