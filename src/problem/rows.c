/*
   A and A' from patches: images -> patches x -> quadratic forms and weighted second moments, all BLAS-3.

   There is one kind of patches, and all blocks have one order. Patches are kept (patch_matrix.h), so that any run of
   images is one matrix. A class of a region is one product; nu changes its sign from sample to sample, so that the
   weighted moments are two dsyrk, of the samples with positive and with negative nu.
*/
#include "rows_impl.h"
#include "base/base.h"
#include "base/rounding.h"
#include "limits.h"
#include <petscblaslapack.h>

#define PATCHES PSD_ROWS_PATCHES

/* The mean of (a ||x||^2 - c)/sqrt d. */
PetscReal PsdRowsAlongJ(PsdRows it, PetscInt g, const PetscReal x[])
{
  const PetscReal a = it->activation[0], c = it->activation[2], root = PetscSqrtReal((PetscReal)it->blocks->d_max);
  return (a * PsdSquare(it->count[g] * it->f, x) / (PetscReal)it->count[g] - c) / root;
}

static PetscErrorCode MeasureAlongJ(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  PsdRows it = context;
  const size_t length = (size_t)it->count[g] * (size_t)it->f;
  for (PetscInt i = 0; i < count; i++, x += length)
    it->along_J[(size_t)(first + i) * it->blocks->G + g] = PsdRowsAlongJ(it, g, x);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsCreate(PsdData data, PsdPatches patches, PsdBlocks blocks, const PetscReal activation[3],
                             PsdRows *rows)
{
  PetscFunctionBeginUser;
  PsdRows it;
  PetscInt branches;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  PetscCheck(branches == 1, blocks->comm, PETSC_ERR_SUP, "Patches of %" PetscInt_FMT " kinds", branches);
  PetscCall(PetscNew(&it));
  it->blocks = blocks;
  it->f = blocks->f_max;
  it->batch = PetscMax(1, PetscMin(blocks->pairs, PSD_ROWS_MESSAGE / blocks->m_max));
  PetscCall(PetscArraycpy(it->activation, activation, 3));
  PetscCall(PsdPatchMatrixCreate(data, patches, activation, SIZE_MAX, &it->patches));
  PsdPatchMatrixGetSizes(it->patches, &it->n, NULL, &it->count, NULL);
  PetscCall(PetscMalloc1(blocks->G, &it->x));
  for (PetscInt g = 0; g < blocks->G; g++) it->x[g] = PsdPatchMatrixGetRegion(it->patches, g);
  PetscCall(PetscMalloc1((size_t)it->n * blocks->G, &it->along_J));
  PetscCall(PetscMalloc4((size_t)2 * PATCHES * it->f, &it->work, (size_t)blocks->d_max * blocks->d_max, &it->matrix,
                         (size_t)it->batch * blocks->m_max, &it->svec, 2 * it->f, &it->linear));
  PetscCall(PetscMalloc1(ranks, &it->counts));
  PetscCall(PsdPatchMatrixPass(it->patches, MeasureAlongJ, it));
  *rows = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsDestroy(PsdRows *rows)
{
  PetscFunctionBeginUser;
  if (!*rows) PetscFunctionReturn(0);
  PetscCall(PsdPatchMatrixDestroy(&(*rows)->patches));
  PetscCall(PetscFree((*rows)->x));
  PetscCall(PetscFree((*rows)->along_J));
  PetscCall(PetscFree4((*rows)->work, (*rows)->matrix, (*rows)->svec, (*rows)->linear));
  PetscCall(PetscFree((*rows)->counts));
  PetscCall(PetscFree(*rows));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsGetNorms(PsdRows rows, const PetscReal *norm[], const PetscReal *error[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdPatchMatrixGetBounds(rows->patches, norm, error));
  PetscFunctionReturn(0);
}

/* Most patches of an image in a region. */
static PetscReal MostPatches(PsdRows it)
{
  PetscInt most = 0;
  for (PetscInt g = 0; g < it->blocks->G; g++) most = PetscMax(most, it->count[g]);
  return (PetscReal)most;
}

/* Of x'S1 x + x's2, two sums of f, the mean of them and the sum over regions; then of <Phi,j>, a mean of sums of f, of
   <j,S>, a sum of d, and of their product's place in the same sum. Each part is at most ||Phi|| ||S||. */
PetscReal PsdRowsForwardRoundings(PsdRows it)
{
  const PetscReal f = (PetscReal)it->f, most = MostPatches(it), added = (most + 1) * (PetscReal)it->blocks->G;
  return (2 * f + 8 + added) + (f + most + 6 + f + 4 + added);
}

/* Of the products of PATCHES scaled patches, and of as many of them as there are; of the linear part, a sum over an
   image's patches and one in twice the precision; then of <Phi,j>, and of a sum in twice the precision of it. */
PetscReal PsdRowsAdjointRoundings(PsdRows it)
{
  const PetscReal most = MostPatches(it);
  return (PATCHES + 10 + (PetscReal)it->n * most / PATCHES + 2 + most) + ((PetscReal)it->f + most + 16);
}

/* ---------------------------------------------------------------- forward */

/* values[l] = x_l'S1 x_l a + b x_l's2 for `count` patches; matrix: S, d x d, upper triangle */
static PetscErrorCode QuadraticForms(PsdRows it, PetscInt count, const PetscReal *x, PetscReal values[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0, a = it->activation[0], b = it->activation[1];
  const PetscReal *last = it->matrix + (size_t)it->f * it->blocks->d_max; /* s2 */
  PetscReal *product = it->work;
  PetscBLASInt f, d, columns;
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->blocks->d_max, &d));
  PetscCall(PetscBLASIntCast(count, &columns));
  PetscCallBLAS("BLASsymm", BLASsymm_("L", "U", &f, &columns, &one, it->matrix, &d, x, &f, &zero, product, &f));
  for (PetscInt l = 0; l < count; l++, x += f, product += f) {
    PetscReal sum = 0;
#pragma omp simd reduction(+ : sum)
    for (PetscInt k = 0; k < f; k++) sum += x[k] * (a * product[k] + b * last[k]);
    values[l] = sum;
  }
  PetscCall(PetscLogFlops(2.0 * count * f * (f + 2.0)));
  PetscFunctionReturn(0);
}

/* yhat of class t += A_g S_gt */
static PetscErrorCode ForwardPair(PsdRows it, PetscInt g, PetscInt t, const PetscReal svec[], PetscReal yhat[])
{
  PetscFunctionBeginUser;
  const PetscInt C = it->blocks->C, d = it->blocks->d_max, count = it->count[g];
  const PetscInt images = PetscMax(1, PATCHES / count);
  PetscReal inner = -svec[PsdDiagonal(d - 1)], values[PATCHES];
  for (PetscInt k = 0; k < d - 1; k++) inner += svec[PsdDiagonal(k)];
  inner /= PetscSqrtReal((PetscReal)d); /* <j, S> */
  PsdUnpack(d, svec, it->matrix);
  const PetscReal constant = it->activation[2] * it->matrix[(size_t)d * d - 1];
  for (PetscInt first = 0; first < it->n; first += images) {
    const PetscInt last = PetscMin(first + images, it->n);
    for (PetscInt i = first; i < last; i++)
      yhat[(size_t)i * C + t] += constant - inner * it->along_J[(size_t)i * it->blocks->G + g];
    /* an image of more patches than a product takes comes in several */
    const PetscInt patches = (last - first) * count;
    for (PetscInt begin = 0; begin < patches; begin += PATCHES) {
      const PetscInt some = PetscMin(PATCHES, patches - begin);
      PetscCall(QuadraticForms(it, some, it->x[g] + ((size_t)first * count + begin) * it->f, values));
      for (PetscInt l = 0; l < some; l++) yhat[(size_t)(first + (begin + l) / count) * C + t] += values[l] / count;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsForward(PsdRows it, Vec S, PetscReal yhat[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  const PetscReal *local;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PetscArrayzero(yhat, (size_t)it->n * blocks->C));
  PetscCall(VecGetArrayRead(S, &local));
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    const PetscMPIInt owner = PsdBlocksOwner(blocks, pair);
    if (owner == rank)
      PetscCall(PetscArraycpy(it->svec, local + PsdBlocksOwn(blocks, pair - blocks->first).at, blocks->m_max));
    PetscCallMPI(MPI_Bcast(it->svec, (PetscMPIInt)blocks->m_max, MPIU_REAL, owner, blocks->comm));
    PetscCall(ForwardPair(it, pair % blocks->G, pair / blocks->G, it->svec, yhat));
  }
  PetscCall(VecRestoreArrayRead(S, &local));
  PetscFunctionReturn(0);
}

/* yhat of class t += sum over terms k of weight (a p_k^2 + b p_k e_k + c e_k^2 - <Phi,j><j,cc'>), p = c[0..f-1].x, e
   = c[f] */
static PetscErrorCode ForwardTerms(PsdRows it, PetscInt g, PetscInt t, PetscInt terms, const PetscReal *columns,
                                   const PetscReal weight[], PetscReal *products, PetscReal yhat[])
{
  PetscFunctionBeginUser;
  const PetscInt C = it->blocks->C, count = it->count[g];
  const PetscReal a = it->activation[0], b = it->activation[1], c = it->activation[2], one = 1, zero = 0;
  PetscReal constant = 0, inner = 0;
  PetscBLASInt f, d, bterms, some;
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->blocks->d_max, &d));
  PetscCall(PetscBLASIntCast(terms, &bterms));
  for (PetscInt k = 0; k < terms; k++) {
    const PetscReal *column = columns + (size_t)k * d;
    PetscReal square = -column[f] * column[f];
    for (PetscInt i = 0; i < f; i++) square += column[i] * column[i];
    inner += weight[k] * square;
    constant += c * weight[k] * column[f] * column[f];
  }
  inner /= PetscSqrtReal((PetscReal)d);
  for (PetscInt i = 0; i < it->n; i++)
    yhat[(size_t)i * C + t] += constant - inner * it->along_J[(size_t)i * it->blocks->G + g];
  const size_t patches = (size_t)it->n * count;
  for (size_t begin = 0; begin < patches; begin += PATCHES) {
    PetscCall(PetscBLASIntCast((PetscInt)PetscMin(PATCHES, patches - begin), &some));
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &bterms, &some, &f, &one, columns, &d, it->x[g] + begin * f, &f,
                                        &zero, products, &bterms));
    for (PetscInt l = 0; l < some; l++) {
      const PetscReal *p = products + (size_t)l * terms;
      PetscReal sum = 0;
      for (PetscInt k = 0; k < terms; k++) sum += weight[k] * p[k] * (a * p[k] + b * columns[(size_t)k * d + f]);
      yhat[(begin + l) / count * C + t] += sum / count;
    }
  }
  PetscCall(PetscLogFlops(2.0 * (PetscLogDouble)patches * terms * f));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsForwardFactors(PsdRows it, const PsdFactors *S, PetscReal yhat[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  PetscReal *products = NULL;
  PetscInt room = 0;
  PetscCall(PetscArrayzero(yhat, (size_t)it->n * blocks->C));
  /* terms come in runs of one pair */
  for (PetscInt first = 0, end; first < S->count; first = end) {
    const PetscInt pair = S->pair[first];
    for (end = first + 1; end < S->count && S->pair[end] == pair; end++) continue;
    if (end - first > room) {
      room = end - first;
      PetscCall(PetscFree(products));
      PetscCall(PetscMalloc1((size_t)room * PATCHES, &products));
    }
    PetscCall(ForwardTerms(it, pair % blocks->G, pair / blocks->G, end - first, S->column + (size_t)first * S->d,
                           S->weight + first, products, yhat));
  }
  PetscCall(PetscFree(products));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- adjoint */

/* Patches scaled by sqrt|nu a/count| wait until there are enough of one sign for a product. */
typedef struct {
  PetscReal sign, *rows;
  PetscInt count;
} Waiting;

/* upper triangle of the leading f x f part of `matrix` += sign rows' rows */
static PetscErrorCode Flush(PsdRows it, Waiting *waiting)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt f, d, count;
  PetscCall(PetscBLASIntCast(it->f, &f));
  PetscCall(PetscBLASIntCast(it->blocks->d_max, &d));
  PetscCall(PetscBLASIntCast(waiting->count, &count));
  if (count > 0)
    PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &f, &count, &waiting->sign, waiting->rows, &f, &one, it->matrix, &d));
  PetscCall(PetscLogFlops((PetscLogDouble)count * f * f));
  waiting->count = 0;
  PetscFunctionReturn(0);
}

/* high + low += x, in twice the working precision */
static void AddInPairs(PetscInt length, const PetscReal *restrict x, PetscReal *restrict high, PetscReal *restrict low)
{
  for (PetscInt k = 0; k < length; k++) {
    PsdPairSum sum = {high[k], low[k]};
    PsdPairSumAdd(&sum, x[k]);
    high[k] = sum.high;
    low[k] = sum.low;
  }
}

/* One image's patches, scaled, to those that wait, and linear times their sum to the last column. */
static PetscErrorCode AddImage(PsdRows it, PetscInt count, const PetscReal *x, PetscReal scale, PetscReal linear,
                               Waiting *to)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f;
  PetscReal *restrict sum = it->linear;
  PetscCall(PetscArrayzero(sum, f));
  for (PetscInt l = 0; l < count; l++, x += f) {
    PetscReal *restrict row = to->rows + (size_t)to->count * f;
    for (PetscInt k = 0; k < f; k++) {
      row[k] = scale * x[k];
      sum[k] += linear * x[k];
    }
    if (++to->count == PATCHES) PetscCall(Flush(it, to));
  }
  AddInPairs(f, sum, it->matrix + (size_t)f * it->blocks->d_max, it->linear + f);
  PetscFunctionReturn(0);
}

/* svec <- this rank's part of (A'nu)_gt */
static PetscErrorCode AdjointPair(PsdRows it, PetscInt g, PetscInt t, const PetscReal nu[], PetscReal svec[])
{
  PetscFunctionBeginUser;
  const PetscInt C = it->blocks->C, d = it->blocks->d_max, f = it->f, count = it->count[g];
  const PetscReal a = it->activation[0], sign_a = a < 0 ? -1 : 1;
  PsdPairSum total = {0, 0}, along = {0, 0};
  Waiting waiting[2] = {{sign_a, it->work, 0}, {-sign_a, it->work + (size_t)PATCHES * f, 0}};
  PetscCall(PetscArrayzero(it->matrix, (size_t)d * d));
  PetscCall(PetscArrayzero(it->linear, 2 * f));
  for (PetscInt i = 0; i < it->n; i++) {
    const PetscReal value = nu[(size_t)i * C + t], linear = value * it->activation[1] / 2 / count;
    const PetscReal scale = PetscSqrtReal(PetscAbsReal(a * value) / count);
    PsdPairSumAdd(&total, value);
    PsdPairSumAdd(&along, value * it->along_J[(size_t)i * it->blocks->G + g]);
    if (value == 0) continue;
    PetscCall(AddImage(it, count, it->x[g] + (size_t)i * count * f, scale, linear, &waiting[value < 0]));
  }
  PetscCall(Flush(it, &waiting[0]));
  PetscCall(Flush(it, &waiting[1]));
  it->matrix[(size_t)f * d + f] = it->activation[2] * total.high;
  PsdPack(d, it->matrix, svec);
  const PetscReal removed = along.high / PetscSqrtReal((PetscReal)d); /* the component along j, as a multiple of J */
  for (PetscInt k = 0; k < f; k++) svec[PsdDiagonal(k)] -= removed;
  svec[PsdDiagonal(f)] += removed;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsAdjoint(PsdRows it, const PetscReal nu[], Vec gradient)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  const PetscMPIInt m = (PetscMPIInt)blocks->m_max;
  PetscReal *local, *to;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  PetscCall(VecGetArray(gradient, &local));
  to = local;
  for (PetscInt first = 0, end; first < blocks->pairs; first = end) {
    end = PetscMin(first + it->batch, blocks->pairs);
    PetscCall(PetscArrayzero(it->counts, ranks));
    for (PetscInt pair = first; pair < end; pair++) {
      PetscReal *svec = it->svec + (size_t)(pair - first) * blocks->m_max;
      PetscCall(AdjointPair(it, pair % blocks->G, pair / blocks->G, nu, svec));
      it->counts[PsdBlocksOwner(blocks, pair)] += m;
    }
    /* owners are in the order of pairs: a message's parts are too */
    PetscCallMPI(MPI_Reduce_scatter(it->svec, to, it->counts, MPIU_REAL, MPI_SUM, blocks->comm));
    to += it->counts[rank];
  }
  PetscCall(VecRestoreArray(gradient, &local));
  PetscFunctionReturn(0);
}
