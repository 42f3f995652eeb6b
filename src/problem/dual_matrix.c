/*
   A A' from patches, by tiles of the grid of ranks that factorises it (docs/mathematics.md, section 2, "D > n").

   A rank needs the patches of its rows' and of its columns' samples, n/H + n/W of n on a grid of H x W. Block b of
   samples is with rank b mod H W, which is one of column b mod W of the grid: so columns' patches go round in columns.
   Rows' go round in rows once each rank has handed its own to the place that it has in the transposed grid.
*/
#include "dual_matrix.h"
#include "base/base.h"
#include "limits.h"
#include "rows_impl.h"
#include "sample_costs.h"
#include <petscblaslapack.h>

/* Patches of both sides of a product, about: two operands and the result stay in cache. */
#define TILE 256

/* One side's samples in the ranks of a row or a column of the grid: the side's block k is member k mod ranks' block
   k / ranks. */
typedef struct {
  MPI_Comm comm;
  PetscMPIInt rank, ranks;
  PetscInt blocks;    /* of the side */
  PetscInt *n;        /* samples of each member */
  const PetscReal *x; /* this member's patches of the region at hand */
} Side;

/* A block of samples: its patches of that region, and <Phi_ig, j>. */
typedef struct {
  PetscInt count;
  const PetscReal *x;
  PetscReal *room; /* for those of another member */
  PetscReal *along_J;
} Block;

typedef struct {
  PsdRows rows;
  PsdTiles tiles;
  PetscMPIInt row, column; /* this rank's place */
  PetscMPIInt to, from;    /* whose place in the transposed grid is this rank's place, and the other way round */
  PetscInt n_from;         /* samples of that rank */
  PetscReal *handed;       /* its patches of a region */
  Side in_row, in_column;
  Block visiting; /* of the rows */
  PetscInt held;  /* blocks of columns at a time */
  Block *columns; /* held */
  PetscReal *tile;
  size_t ld; /* rows here */
  PetscReal *K;
} DualMatrix;

/* Numbers that a sample has in a region. */
static size_t Length(const DualMatrix *it, PetscInt g)
{
  return (size_t)it->rows->count[g] * (size_t)it->rows->f;
}

/* ---------------------------------------------------------------- samples on their way */

/* first, step: the rank of member 0, and how far on the next one is */
static PetscErrorCode SideCreate(const DualMatrix *it, PetscMPIInt colour, PetscInt blocks, const PetscInt samples[],
                                 PetscMPIInt first, PetscMPIInt step, Side *side)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = it->rows->blocks->comm;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_split(comm, colour, rank, &side->comm));
  PetscCallMPI(MPI_Comm_rank(side->comm, &side->rank));
  PetscCallMPI(MPI_Comm_size(side->comm, &side->ranks));
  side->blocks = blocks * side->ranks;
  PetscCall(PetscMalloc1(side->ranks, &side->n));
  for (PetscMPIInt k = 0; k < side->ranks; k++) side->n[k] = samples[first + k * step];
  PetscFunctionReturn(0);
}

static PetscErrorCode SideDestroy(Side *side)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_free(&side->comm));
  PetscCall(PetscFree(side->n));
  PetscFunctionReturn(0);
}

/* in_row.x and in_column.x: of region g */
static PetscErrorCode HandOver(DualMatrix *it, PetscInt g)
{
  PetscFunctionBeginUser;
  const PsdRows rows = it->rows;
  const size_t length = Length(it, g);
  it->in_column.x = it->in_row.x = rows->x[g];
  if (!it->handed) PetscFunctionReturn(0);
  PetscCall(PsdPassArray(rows->blocks->comm, MPIU_REAL, it->to, (size_t)rows->n * length, rows->x[g], it->from,
                         (size_t)it->n_from * length, it->handed));
  it->in_row.x = it->handed;
  PetscFunctionReturn(0);
}

/* Block number `local` of a side, from the member that has it to all. */
static PetscErrorCode Fetch(const DualMatrix *it, const Side *side, PetscInt g, PetscInt local, Block *block)
{
  PetscFunctionBeginUser;
  const PetscMPIInt member = (PetscMPIInt)(local % side->ranks);
  const PetscInt first = local / side->ranks * it->tiles.block;
  const size_t length = Length(it, g);
  block->count = PetscMax(0, PetscMin(it->tiles.block, side->n[member] - first));
  block->x = member == side->rank ? side->x + (size_t)first * length : block->room;
  if (side->ranks > 1) /* the member's own are only read */
    PetscCall(
        PsdBroadcastArrayFrom(side->comm, member, MPIU_REAL, (size_t)block->count * length, (PetscReal *)block->x));
  for (PetscInt i = 0; i < block->count; i++)
    block->along_J[i] = PsdRowsAlongJ(it->rows, g, block->x + (size_t)i * length);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- products */

/* Consecutive samples of a block. */
typedef struct {
  PetscInt first, count;
} Range;

/* K[i, j] += region g's part, for some samples of a block of rows and of one of columns; K: at the tile of both blocks */
static PetscErrorCode MultiplySamples(const DualMatrix *it, PetscInt g, const Block *left, Range rows,
                                      const Block *right, Range columns, PetscReal *K)
{
  PetscFunctionBeginUser;
  const PetscInt count = it->rows->count[g], f = it->rows->f;
  const PetscReal a = it->rows->activation[0], b = it->rows->activation[1], c = it->rows->activation[2];
  const PetscReal square = a * a / count / count, linear = b * b / 2 / count / count, one = 1, zero = 0;
  PetscBLASInt brows, bcolumns, bf;
  PetscCall(PetscBLASIntCast(rows.count * count, &brows));
  PetscCall(PetscBLASIntCast(columns.count * count, &bcolumns));
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("T", "N", &brows, &bcolumns, &bf, &one, left->x + (size_t)rows.first * Length(it, g), &bf,
                          right->x + (size_t)columns.first * Length(it, g), &bf, &zero, it->tile, &brows));
  for (PetscInt j = 0; j < columns.count; j++) {
    PetscReal *to = K + (size_t)(columns.first + j) * it->ld + (size_t)rows.first;
    const PetscReal own = right->along_J[columns.first + j], *others = left->along_J + rows.first;
    for (PetscInt i = 0; i < rows.count; i++) to[i] += c * c - own * others[i];
    for (PetscInt l = 0; l < count; l++) {
      const PetscReal *product = it->tile + ((size_t)j * count + l) * (size_t)brows;
      for (PetscInt i = 0; i < rows.count; i++, product += count) {
        PetscReal sum = 0;
        for (PetscInt k = 0; k < count; k++) sum += product[k] * (square * product[k] + linear);
        to[i] += sum;
      }
    }
  }
  PetscCall(PetscLogFlops(2.0 * brows * (PetscLogDouble)bcolumns * f));
  PetscFunctionReturn(0);
}

/* Samples of a product: a block's, in as few even parts as TILE allows. */
static PetscInt SamplesAtOnce(const DualMatrix *it, PetscInt g)
{
  const PetscInt block = it->tiles.block, most = PetscMax(1, TILE / it->rows->count[g]);
  const PetscInt parts = (block + most - 1) / most;
  return (block + parts - 1) / parts;
}

static PetscErrorCode MultiplyBlocks(const DualMatrix *it, PetscInt g, const Block *left, const Block *right,
                                     PetscReal *K)
{
  PetscFunctionBeginUser;
  const PetscInt some = SamplesAtOnce(it, g);
  for (PetscInt j = 0; j < right->count; j += some)
    for (PetscInt i = 0; i < left->count; i += some)
      PetscCall(MultiplySamples(it, g, left, (Range){i, PetscMin(some, left->count - i)}, right,
                                (Range){j, PetscMin(some, right->count - j)}, K));
  PetscFunctionReturn(0);
}

/* Row block `local` with those of the columns held, from `first` on, that it is not above of. */
static PetscErrorCode MultiplyRow(DualMatrix *it, PetscInt g, PetscInt local, PetscInt first, PetscInt end)
{
  PetscFunctionBeginUser;
  const size_t block = (size_t)it->tiles.block;
  PetscCall(Fetch(it, &it->in_row, g, local, &it->visiting));
  for (PetscInt k = first; k < end; k++)
    if (local * it->tiles.height + it->row >= k * it->tiles.width + it->column)
      PetscCall(MultiplyBlocks(it, g, &it->visiting, &it->columns[k - first],
                               it->K + (size_t)k * block * it->ld + (size_t)local * block));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all of it */

static PetscErrorCode CreateBlock(const DualMatrix *it, size_t room, Block *block)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(room, &block->room, it->tiles.block, &block->along_J));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateRoom(DualMatrix *it, PetscInt N)
{
  PetscFunctionBeginUser;
  const PsdRows rows = it->rows;
  PetscInt most = 0;
  for (PetscInt g = 0; g < rows->blocks->G; g++) most = PetscMax(most, rows->count[g]);
  const size_t length = (size_t)most * (size_t)rows->f, room = (size_t)it->tiles.block * length;
  const PetscInt side = PetscMax(TILE, most) + most; /* patches of SamplesAtOnce, rounded up */
  it->held = PsdDualHeld((PetscReal)N, &it->tiles, (PetscReal)room);
  if (it->from != it->row * it->tiles.width + it->column)
    PetscCall(PetscMalloc1((size_t)it->n_from * length + 1, &it->handed));
  PetscCall(CreateBlock(it, it->in_row.ranks > 1 ? room : 0, &it->visiting));
  PetscCall(PetscCalloc1(it->held, &it->columns));
  for (PetscInt k = 0; k < it->held; k++)
    PetscCall(CreateBlock(it, it->in_column.ranks > 1 ? room : 0, &it->columns[k]));
  PetscCall(PetscMalloc1((size_t)side * (size_t)side, &it->tile));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(PsdRows rows, const PsdTiles *tiles, PetscInt N, DualMatrix *it)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = rows->blocks->comm;
  const PetscMPIInt H = tiles->height, W = tiles->width;
  const PetscInt blocks = N / tiles->block / H / W;
  PetscMPIInt rank;
  PetscInt *samples;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMalloc1(H * W, &samples));
  PetscCallMPI(MPI_Allgather(&rows->n, 1, MPIU_INT, samples, 1, MPIU_INT, comm));
  *it = (DualMatrix){.rows = rows, .tiles = *tiles, .row = rank / W, .column = rank % W};
  it->to = rank % H * W + rank / H;
  it->from = rank % W * H + rank / W;
  it->n_from = samples[it->from];
  it->ld = (size_t)(N / H);
  PetscCall(SideCreate(it, it->row, blocks, samples, it->row, H, &it->in_row));
  PetscCall(SideCreate(it, it->column, blocks, samples, it->column, W, &it->in_column));
  PetscCall(PetscFree(samples));
  PetscCall(CreateRoom(it, N));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(DualMatrix *it)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < it->held; k++) PetscCall(PetscFree2(it->columns[k].room, it->columns[k].along_J));
  PetscCall(PetscFree(it->columns));
  PetscCall(PetscFree2(it->visiting.room, it->visiting.along_J));
  PetscCall(PetscFree(it->handed));
  PetscCall(PetscFree(it->tile));
  PetscCall(SideDestroy(&it->in_row));
  PetscCall(SideDestroy(&it->in_column));
  PetscFunctionReturn(0);
}

/* Columns from block `first` on, as many as are held, of region g, and all rows that are not above all ranks' such
   columns. */
static PetscErrorCode MultiplyHeld(DualMatrix *it, PetscInt g, PetscInt first)
{
  PetscFunctionBeginUser;
  const PetscInt end = PetscMin(first + it->held, it->in_column.blocks);
  for (PetscInt k = first; k < end; k++) PetscCall(Fetch(it, &it->in_column, g, k, &it->columns[k - first]));
  for (PetscInt local = 0; local < it->in_row.blocks; local++)
    if (local * it->tiles.height + it->row >= first * it->tiles.width) PetscCall(MultiplyRow(it, g, local, first, end));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRowsDualMatrix(PsdRows rows, const PsdTiles *tiles, PetscInt N, PetscReal K[])
{
  PetscFunctionBeginUser;
  const PetscInt G = rows->blocks->G, own = N / tiles->height / tiles->width;
  DualMatrix it;
  PsdProgress progress;
  PetscCall(Create(rows, tiles, N, &it));
  it.K = K;
  PetscCall(PsdProgressCreate(rows->blocks->comm, "dual", "rows", own, N, &progress));
  for (PetscInt g = 0; g < G; g++) {
    PetscCall(HandOver(&it, g));
    for (PetscInt first = 0; first < it.in_column.blocks; first += it.held) {
      const PetscReal share =
          (PetscReal)PetscMin(first + it.held, it.in_column.blocks) / (PetscReal)it.in_column.blocks;
      PetscCall(MultiplyHeld(&it, g, first));
      PetscCall(PsdProgressUpdate(progress, (PetscInt)((PetscReal)own * ((PetscReal)g + share) / (PetscReal)G)));
    }
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(Destroy(&it));
  PetscFunctionReturn(0);
}
