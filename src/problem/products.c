/*
   One pass over the samples with C columns: A x, what the caller makes of it row by row, and A' of that.

   An iteration with a split loss needs both products (docs/mathematics.md, section 2); they cost 4 n D C flops, but
   reading the features once is what takes the time. So rows go through in tiles that stay in cache between the two
   products.
*/
#include "products.h"
#include "base/base.h"
#include "losses/weighted.h"
#include <petscblaslapack.h>

struct _p_PsdProducts {
  PsdFeatures features;
  PsdSymmetry symmetry; /* borrowed; NULL: rows are samples */
  PsdBlocks blocks;
  const PetscReal *weights;       /* borrowed; NULL: all are 1 */
  PetscInt length;                /* of a row */
  PetscReal scale;                /* a folded row is sqrt 2 of what either of its samples has */
  PetscInt tile;                  /* rows */
  PetscReal *x;                   /* D x C, on every rank */
  PetscReal *columns, *sum;       /* length x C: x or Q'x; this rank's part of A' or Q'A' */
  PetscReal *yhat, *coefficients; /* tile x C */
  PetscMPIInt *counts, *starts;   /* of every rank's pairs in D x C */
};

/* A tile is to stay in the second level of cache, but has to be long enough for BLAS-3. */
#define TILE_BYTES ((size_t)1 << 20)
#define TILE_LEAST 16

/* Where every rank's pairs are in D x C. */
static PetscErrorCode FindCounts(PsdProducts it)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  PetscMPIInt ranks, own[2];
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  PetscCall(PetscMalloc2(ranks, &it->counts, ranks, &it->starts));
  PetscCall(PetscMPIIntCast(blocks->length, &own[0]));
  PetscCall(PetscMPIIntCast(blocks->begin, &own[1]));
  PetscCallMPI(MPI_Allgather(&own[0], 1, MPI_INT, it->counts, 1, MPI_INT, blocks->comm));
  PetscCallMPI(MPI_Allgather(&own[1], 1, MPI_INT, it->starts, 1, MPI_INT, blocks->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsCreate(PsdFeatures features, PsdSymmetry symmetry, PsdBlocks blocks,
                                 const PetscReal weights[], PsdProducts *products)
{
  PetscFunctionBeginUser;
  PsdProducts it;
  PetscCall(PetscNew(&it));
  it->features = features;
  it->symmetry = symmetry;
  it->blocks = blocks;
  it->weights = weights;
  it->length = PsdFeaturesLength(features);
  it->scale = PetscSqrtReal((PetscReal)PsdFeaturesSamplesPerRow(features));
  it->tile = (PetscInt)PetscMax(TILE_LEAST, TILE_BYTES / (it->length * sizeof(PetscReal)));
  const size_t columns = (size_t)it->length * blocks->C;
  PetscCall(PetscMalloc1((size_t)blocks->D * blocks->C, &it->x));
  it->columns = it->x;
  if (symmetry) PetscCall(PetscMalloc1(columns, &it->columns));
  PetscCall(PetscMalloc3(columns, &it->sum, (size_t)it->tile * blocks->C, &it->yhat, (size_t)it->tile * blocks->C,
                         &it->coefficients));
  PetscCall(FindCounts(it));
  *products = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsDestroy(PsdProducts *products)
{
  PetscFunctionBeginUser;
  if (!*products) PetscFunctionReturn(0);
  if ((*products)->columns != (*products)->x) PetscCall(PetscFree((*products)->columns));
  PetscCall(PetscFree((*products)->x));
  PetscCall(PetscFree3((*products)->sum, (*products)->yhat, (*products)->coefficients));
  PetscCall(PetscFree2((*products)->counts, (*products)->starts));
  PetscCall(PetscFree(*products));
  PetscFunctionReturn(0);
}

/* yhat = A x for a tile; phi: length x rows by columns */
static PetscErrorCode Forward(PsdProducts it, PetscBLASInt rows, const PetscReal *phi, PetscBLASInt ld)
{
  PetscFunctionBeginUser;
  const PetscReal scale = 1 / it->scale, zero = 0;
  const PetscBLASInt step = 1;
  PetscBLASInt D, C;
  PetscCall(PetscBLASIntCast(it->length, &D));
  PetscCall(PetscBLASIntCast(it->blocks->C, &C));
  if (C == 1)
    PetscCallBLAS("BLASgemv", BLASgemv_("T", &D, &rows, &scale, phi, &ld, it->columns, &step, &zero, it->yhat, &step));
  else
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("T", "N", &C, &rows, &D, &scale, it->columns, &D, phi, &ld, &zero, it->yhat, &C));
  PetscCall(PetscLogFlops(2.0 * rows * D * C));
  PetscFunctionReturn(0);
}

/* sum += A' coefficients for a tile */
static PetscErrorCode Backward(PsdProducts it, PetscBLASInt rows, const PetscReal *phi, PetscBLASInt ld)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  const PetscBLASInt step = 1;
  PetscBLASInt D, C;
  PetscCall(PetscBLASIntCast(it->length, &D));
  PetscCall(PetscBLASIntCast(it->blocks->C, &C));
  if (C == 1)
    PetscCallBLAS("BLASgemv",
                  BLASgemv_("N", &D, &rows, &it->scale, phi, &ld, it->coefficients, &step, &one, it->sum, &step));
  else
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "T", &D, &C, &rows, &it->scale, phi, &ld, it->coefficients, &C, &one, it->sum, &D));
  PetscCall(PetscLogFlops(2.0 * rows * D * C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Tiles(PsdProducts it, PetscInt k, PetscBool forward, PetscBool backward, PsdRowWork work,
                            void *context)
{
  PetscFunctionBeginUser;
  const int phase = PsdPhaseCurrent();
  PetscInt first, rows, ld;
  PetscBLASInt bld;
  PetscCall(PsdFeaturesFindChunk(it->features, k, &first, &rows, &ld));
  /* a chunk that had to be lifted again ended the phase it was asked for in */
  if (phase != PsdPhaseCurrent()) PetscCall(PsdPhaseBegin((PsdPhase)phase));
  PetscCall(PetscBLASIntCast(ld, &bld));
  first /= PsdFeaturesSamplesPerRow(it->features);
  for (PetscInt row = 0; row < rows; row += it->tile) {
    const PetscInt tile = PetscMin(it->tile, rows - row);
    const PetscReal *tile_phi = PsdFeaturesGetRows(it->features, k, row, tile);
    if (forward) PetscCall(Forward(it, (PetscBLASInt)tile, tile_phi, bld));
    PetscCall((*work)(context, first + row, tile, forward ? it->yhat : NULL, it->coefficients));
    if (backward) PsdWeightRows(tile, it->blocks->C, PsdWeightsFrom(it->weights, first + row), it->coefficients);
    if (backward) PetscCall(Backward(it, (PetscBLASInt)tile, tile_phi, bld));
  }
  PetscFunctionReturn(0);
}

/* columns <- x, or Q'x, from the owners of pairs */
static PetscErrorCode GatherColumns(PsdProducts it, Vec x)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  const PetscReal *local;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(VecGetArrayRead(x, &local));
  PetscCallMPI(
      MPI_Allgatherv(local, it->counts[rank], MPIU_REAL, it->x, it->counts, it->starts, MPIU_REAL, blocks->comm));
  PetscCall(VecRestoreArrayRead(x, &local));
  for (PetscInt t = 0; t < blocks->C && it->symmetry; t++)
    PsdSymmetryFold(it->symmetry, 1, it->x + (size_t)t * blocks->D, it->columns + (size_t)t * it->length);
  PetscFunctionReturn(0);
}

/* y <- the sum over ranks, to the owners of pairs; of folded rows Q times it, whose sum has half the numbers. */
static PetscErrorCode ReduceSum(PsdProducts it, Vec y)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  PetscReal *local;
  PetscCall(VecGetArray(y, &local));
  if (it->symmetry) {
    PetscCall(PsdSumArray(blocks->comm, MPIU_REAL, (size_t)it->length * (size_t)blocks->C, it->sum));
    PsdSymmetryUnfold(it->symmetry, blocks, it->sum, local);
  } else {
    PetscCallMPI(MPI_Reduce_scatter(it->sum, local, it->counts, MPIU_REAL, MPI_SUM, blocks->comm));
  }
  PetscCall(VecRestoreArray(y, &local));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsPass(PsdProducts it, Vec x, Vec y, PsdRowWork work, void *context)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  if (x) PetscCall(GatherColumns(it, x));
  PetscCall(PetscArrayzero(it->sum, (size_t)it->length * it->blocks->C));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(it->features); k++)
    PetscCall(Tiles(it, k, (PetscBool)(x != NULL), (PetscBool)(y != NULL), work, context));
  if (y) PetscCall(ReduceSum(it, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

typedef struct {
  const PetscReal *nu;
  PetscInt C;
} Given;

static PetscErrorCode CopyRows(void *context, PetscInt first, PetscInt rows, PetscReal yhat[], PetscReal coefficients[])
{
  PetscFunctionBeginUser;
  const Given *given = context;
  (void)yhat;
  PetscCall(PetscArraycpy(coefficients, given->nu + (size_t)first * given->C, (size_t)rows * given->C));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsAdjoint(PsdProducts it, const PetscReal nu[], Vec y)
{
  PetscFunctionBeginUser;
  Given given = {nu, it->blocks->C};
  PetscCall(PsdProductsPass(it, NULL, y, CopyRows, &given));
  PetscFunctionReturn(0);
}
