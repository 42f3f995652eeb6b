/*
   One pass over the samples with C columns: A x, what the caller makes of it row by row, and A' of that.

   An iteration with a split loss needs both products (docs/mathematics.md, section 2); they cost 4 n D C flops, but reading
   the features once is what takes the time. So rows go through in tiles that stay in cache between the two products.
*/
#include "problem.h"
#include "base/base.h"
#include <petscblaslapack.h>

struct _p_PsdProducts {
  PsdFeatures features;
  PsdBlocks blocks;
  PetscInt tile;                  /* rows */
  PetscReal *columns, *sum;       /* D x C: x on every rank; this rank's part of A' */
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
  PetscCall(PetscMPIIntCast(blocks->local * blocks->m, &own[0]));
  PetscCall(PetscMPIIntCast(blocks->first * blocks->m, &own[1]));
  PetscCallMPI(MPI_Allgather(&own[0], 1, MPI_INT, it->counts, 1, MPI_INT, blocks->comm));
  PetscCallMPI(MPI_Allgather(&own[1], 1, MPI_INT, it->starts, 1, MPI_INT, blocks->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsCreate(PsdFeatures features, PsdBlocks blocks, PsdProducts *products)
{
  PetscFunctionBeginUser;
  PsdProducts it;
  const size_t columns = (size_t)blocks->D * blocks->C;
  PetscCall(PetscNew(&it));
  it->features = features;
  it->blocks = blocks;
  it->tile = (PetscInt)PetscMax(TILE_LEAST, TILE_BYTES / (blocks->D * sizeof(PetscReal)));
  PetscCall(PetscMalloc4(columns, &it->columns, columns, &it->sum, (size_t)it->tile * blocks->C, &it->yhat,
                         (size_t)it->tile * blocks->C, &it->coefficients));
  PetscCall(FindCounts(it));
  *products = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsDestroy(PsdProducts *products)
{
  PetscFunctionBeginUser;
  if (!*products) PetscFunctionReturn(0);
  PetscCall(PetscFree4((*products)->columns, (*products)->sum, (*products)->yhat, (*products)->coefficients));
  PetscCall(PetscFree2((*products)->counts, (*products)->starts));
  PetscCall(PetscFree(*products));
  PetscFunctionReturn(0);
}

/* yhat = A x for a tile; phi: D x rows by columns */
static PetscErrorCode Forward(PsdProducts it, PetscBLASInt rows, const PetscReal *phi, PetscBLASInt ld)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt step = 1;
  PetscBLASInt D, C;
  PetscCall(PetscBLASIntCast(it->blocks->D, &D));
  PetscCall(PetscBLASIntCast(it->blocks->C, &C));
  if (C == 1)
    PetscCallBLAS("BLASgemv", BLASgemv_("T", &D, &rows, &one, phi, &ld, it->columns, &step, &zero, it->yhat, &step));
  else
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &C, &rows, &D, &one, it->columns, &D, phi, &ld, &zero, it->yhat, &C));
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
  PetscCall(PetscBLASIntCast(it->blocks->D, &D));
  PetscCall(PetscBLASIntCast(it->blocks->C, &C));
  if (C == 1)
    PetscCallBLAS("BLASgemv", BLASgemv_("N", &D, &rows, &one, phi, &ld, it->coefficients, &step, &one, it->sum, &step));
  else
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "T", &D, &C, &rows, &one, phi, &ld, it->coefficients, &C, &one, it->sum, &D));
  PetscCall(PetscLogFlops(2.0 * rows * D * C));
  PetscFunctionReturn(0);
}

static PetscErrorCode Tiles(PsdProducts it, PetscInt k, PetscBool forward, PetscBool backward, PsdRowWork work,
                            void *context)
{
  PetscFunctionBeginUser;
  const int phase = PsdPhaseCurrent();
  PetscInt first, rows, ld;
  const PetscReal *phi;
  PetscBLASInt bld;
  PetscCall(PsdFeaturesGetChunk(it->features, k, &first, &rows, &phi, &ld));
  /* a chunk that had to be lifted again ended the phase it was asked for in */
  if (phase != PsdPhaseCurrent()) PetscCall(PsdPhaseBegin((PsdPhase)phase));
  PetscCall(PetscBLASIntCast(ld, &bld));
  for (PetscInt row = 0; row < rows; row += it->tile) {
    const PetscInt tile = PetscMin(it->tile, rows - row);
    const PetscReal *tile_phi = phi + (size_t)row * ld;
    if (forward) PetscCall(Forward(it, (PetscBLASInt)tile, tile_phi, bld));
    PetscCall((*work)(context, first + row, tile, forward ? it->yhat : NULL, it->coefficients));
    if (backward) PetscCall(Backward(it, (PetscBLASInt)tile, tile_phi, bld));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProductsPass(PsdProducts it, Vec x, Vec y, PsdRowWork work, void *context)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->blocks;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  if (x) {
    const PetscReal *local;
    PetscCall(VecGetArrayRead(x, &local));
    PetscCallMPI(MPI_Allgatherv(local, it->counts[rank], MPIU_REAL, it->columns, it->counts, it->starts, MPIU_REAL,
                                blocks->comm));
    PetscCall(VecRestoreArrayRead(x, &local));
  }
  PetscCall(PetscArrayzero(it->sum, (size_t)blocks->D * blocks->C));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(it->features); k++)
    PetscCall(Tiles(it, k, (PetscBool)(x != NULL), (PetscBool)(y != NULL), work, context));
  if (y) {
    PetscReal *local;
    PetscCall(VecGetArray(y, &local));
    PetscCallMPI(MPI_Reduce_scatter(it->sum, local, it->counts, MPIU_REAL, MPI_SUM, blocks->comm));
    PetscCall(VecRestoreArray(y, &local));
  }
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
