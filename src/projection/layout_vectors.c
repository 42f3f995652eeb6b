/*
   Blocks of vectors between the ranks that hold them and those whose parts of a matrix meet them.

   In messages the numbers of all vectors in a block of rows lie together: "packed". A rank's packed part is a run of blocks in
   their order, so that what several ranks send one after the other is put in order block by block.
*/
#include "layout_vectors.h"
#include "base/base.h"

/* A run of blocks first, first + step, ... of the whole, packed. */
typedef struct {
  PetscInt first, step;
} Run;

struct _p_PsdLayoutVectors {
  PsdLayout layout;
  PetscInt count;
  Run held, turned; /* blocks of a vector here; those of this rank's place when blocks have changed places */
  PetscInt turned_count;
  PetscInt *held_at, *turned_at; /* where each block of a run is, in rows, among messages to or from all ranks */
  PetscMPIInt *to, *to_at, *from, *from_at; /* rows to and from each rank, held to turned */
  PetscMPIInt *in_line, *in_file;           /* rows of the ranks of this rank's row (turned) and column (held) */
  PetscMPIInt *counts, *places;             /* of a message, times the number of vectors */
  PetscReal *packed, *moved;                /* room for all rows or columns x `room` */
  PetscInt room;
};

/* ---------------------------------------------------------------- blocks */

static PetscInt BlockRows(PsdLayout layout, PetscInt J)
{
  return PetscMax(0, PetscMin(layout->block, layout->order - J * layout->block));
}

static PetscMPIInt Holder(PsdLayout layout, PetscInt J)
{
  return (PetscMPIInt)(J % layout->shape.used);
}

static PetscMPIInt TurnedHolder(PsdLayout layout, PetscInt J)
{
  const PetscMPIInt H = layout->shape.height, W = layout->shape.width;
  return (PetscMPIInt)(J % H) * W + (PetscMPIInt)(J / H % W);
}

/* The first block that a rank has when blocks have changed places; the next ones are H W further on, as those of every run. */
static PetscInt FirstTurned(PsdLayout layout, PetscMPIInt row, PetscMPIInt column)
{
  return (PetscInt)column * layout->shape.height + row;
}

static PetscInt RunRows(PsdLayout layout, Run run)
{
  PetscInt rows = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step) rows += BlockRows(layout, J);
  return rows;
}

static PetscInt RunLength(PsdLayout layout, Run run)
{
  PetscInt length = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step) length++;
  return length;
}

/* rows to or from each rank, where a rank's begin, and where each block of the run is among them; other: the rank of a block */
static void Sort(PsdLayout layout, Run run, PetscMPIInt (*other)(PsdLayout, PetscInt), PetscMPIInt ranks,
                 PetscMPIInt rows[], PetscMPIInt begin[], PetscInt at[])
{
  PetscMPIInt sum = 0;
  PetscInt k = 0;
  for (PetscMPIInt rank = 0; rank < ranks; rank++) rows[rank] = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step, k++) {
    const PetscMPIInt rank = other(layout, J);
    at[k] = rows[rank];
    rows[rank] += (PetscMPIInt)BlockRows(layout, J);
  }
  for (PetscMPIInt rank = 0; rank < ranks; rank++) {
    begin[rank] = sum;
    sum += rows[rank];
  }
  k = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step, k++) at[k] += begin[other(layout, J)];
}

/* ---------------------------------------------------------------- creation */

static PetscErrorCode CountLines(PsdLayoutVectors it)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const PetscMPIInt H = layout->shape.height, W = layout->shape.width;
  for (PetscMPIInt w = 0; w < W; w++)
    it->in_line[w] = (PetscMPIInt)RunRows(layout, (Run){FirstTurned(layout, layout->row, w), layout->shape.used});
  for (PetscMPIInt h = 0; h < H; h++)
    it->in_file[h] = (PetscMPIInt)RunRows(layout, (Run){(PetscInt)h * W + layout->column, layout->shape.used});
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutVectorsCreate(PsdLayout layout, PsdLayoutVectors *vectors, PetscInt *count)
{
  PetscFunctionBeginUser;
  PsdLayoutVectors it;
  PetscMPIInt ranks;
  const PetscInt blocks = (layout->order + layout->block - 1) / layout->block;
  PetscCallMPI(MPI_Comm_size(layout->comm, &ranks));
  PetscCall(PetscNew(&it));
  it->layout = layout;
  /* outside the grid: no blocks */
  it->held = (Run){layout->row >= 0 ? layout->rank : blocks, layout->shape.used};
  it->turned = (Run){layout->row >= 0 ? FirstTurned(layout, layout->row, layout->column) : blocks, layout->shape.used};
  it->count = RunRows(layout, it->held);
  it->turned_count = RunRows(layout, it->turned);
  PetscCall(PetscMalloc2(RunLength(layout, it->held), &it->held_at, RunLength(layout, it->turned), &it->turned_at));
  PetscCall(PetscMalloc4(ranks, &it->to, ranks, &it->to_at, ranks, &it->from, ranks, &it->from_at));
  PetscCall(PetscMalloc4(layout->shape.width, &it->in_line, layout->shape.height, &it->in_file, 2 * ranks, &it->counts,
                         2 * ranks, &it->places));
  Sort(layout, it->held, TurnedHolder, ranks, it->to, it->to_at, it->held_at);
  Sort(layout, it->turned, Holder, ranks, it->from, it->from_at, it->turned_at);
  if (layout->row >= 0) PetscCall(CountLines(it));
  *vectors = it;
  *count = it->count;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutVectorsDestroy(PsdLayoutVectors *vectors)
{
  PetscFunctionBeginUser;
  PsdLayoutVectors it = *vectors;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PetscFree2(it->held_at, it->turned_at));
  PetscCall(PetscFree4(it->to, it->to_at, it->from, it->from_at));
  PetscCall(PetscFree4(it->in_line, it->in_file, it->counts, it->places));
  PetscCall(PetscFree2(it->packed, it->moved));
  PetscCall(PetscFree(*vectors));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reserve(PsdLayoutVectors it, PetscInt number)
{
  PetscFunctionBeginUser;
  PetscMPIInt countable;
  if (number <= it->room) PetscFunctionReturn(0);
  const PetscInt most = PetscMax(it->layout->rows, it->layout->columns);
  PetscCall(PetscMPIIntCast((PetscInt64)most * number, &countable));
  PetscCall(PetscFree2(it->packed, it->moved));
  PetscCall(PetscMalloc2((size_t)countable + 1, &it->packed, (size_t)countable + 1, &it->moved));
  it->room = number;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- packing */

/* rows x number at `from`, in columns of length from_ld, to columns of length to_ld. */
static PetscErrorCode CopyBlock(PetscInt rows, PetscInt number, const PetscReal *from, PetscInt from_ld, PetscReal *to,
                                PetscInt to_ld)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < number; k++)
    PetscCall(PetscArraycpy(to + (size_t)k * (size_t)to_ld, from + (size_t)k * (size_t)from_ld, rows));
  PetscFunctionReturn(0);
}

/* A run in columns of length ld, block by block to its places among messages (at; NULL: one after the other), or back. */
static PetscErrorCode Pack(PsdLayout layout, Run run, const PetscInt at[], PetscInt number, const PetscReal v[],
                           PetscInt ld, PetscReal packed[])
{
  PetscFunctionBeginUser;
  PetscInt k = 0, row = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step, k++) {
    const PetscInt rows = BlockRows(layout, J);
    PetscCall(CopyBlock(rows, number, v + row, ld, packed + (size_t)(at ? at[k] : row) * (size_t)number, rows));
    row += rows;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Unpack(PsdLayout layout, Run run, const PetscInt at[], PetscInt number, const PetscReal packed[],
                             PetscReal v[], PetscInt ld)
{
  PetscFunctionBeginUser;
  PetscInt k = 0, row = 0;
  for (PetscInt J = run.first; J * layout->block < layout->order; J += run.step, k++) {
    const PetscInt rows = BlockRows(layout, J);
    PetscCall(CopyBlock(rows, number, packed + (size_t)(at ? at[k] : row) * (size_t)number, rows, v + row, ld));
    row += rows;
  }
  PetscFunctionReturn(0);
}

/* Packed parts of `parts` ranks one after the other, of which each has every parts-th block, from or to all of x. */
static PetscErrorCode CopyParts(PsdLayout layout, PetscMPIInt parts, const PetscMPIInt rows[], PetscInt number,
                                PetscReal packed[], PetscReal x[], PetscInt ld, PetscBool pack)
{
  PetscFunctionBeginUser;
  PetscReal *part = packed;
  for (PetscMPIInt p = 0; p < parts; part += (size_t)rows[p] * (size_t)number, p++) {
    PetscReal *at = part;
    PetscInt left = rows[p];
    for (PetscInt row = p * layout->block; left > 0; row += parts * layout->block) {
      const PetscInt count = PetscMin(layout->block, left);
      if (pack) PetscCall(CopyBlock(count, number, x + row, ld, at, count));
      else PetscCall(CopyBlock(count, number, at, count, x + row, ld));
      at += (size_t)count * (size_t)number;
      left -= count;
    }
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- messages */

/* The counts and places of one message of each of `ranks`, in numbers. half: 0 or 1, which half of the room. */
static void Scale(PsdLayoutVectors it, int half, PetscMPIInt ranks, const PetscMPIInt rows[], PetscInt number,
                  PetscMPIInt **counts, PetscMPIInt **places)
{
  PetscMPIInt sum = 0;
  *counts = it->counts + (ptrdiff_t)half * ranks;
  *places = it->places + (ptrdiff_t)half * ranks;
  for (PetscMPIInt rank = 0; rank < ranks; rank++) {
    (*counts)[rank] = rows[rank] * (PetscMPIInt)number;
    (*places)[rank] = sum;
    sum += (*counts)[rank];
  }
}

/* Blocks change places, packed on both sides: rows `sent` to each rank, `received` from each. */
static PetscErrorCode Move(PsdLayoutVectors it, PetscInt number, const PetscMPIInt sent[], const PetscReal from[],
                           const PetscMPIInt received[], PetscReal to[])
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, *counts[2], *places[2];
  PetscCallMPI(MPI_Comm_size(it->layout->comm, &ranks));
  Scale(it, 0, ranks, sent, number, &counts[0], &places[0]);
  Scale(it, 1, ranks, received, number, &counts[1], &places[1]);
  PetscCallMPI(
      MPI_Alltoallv(from, counts[0], places[0], MPIU_REAL, to, counts[1], places[1], MPIU_REAL, it->layout->comm));
  PetscFunctionReturn(0);
}

/* All packed parts of a line or file of the grid on each of its ranks. */
static PetscErrorCode Share(PsdLayoutVectors it, MPI_Comm comm, const PetscMPIInt rows[], PetscInt number,
                            const PetscReal part[], PetscInt part_rows, PetscReal all[])
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, *counts, *places;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  Scale(it, 0, ranks, rows, number, &counts, &places);
  PetscCallMPI(
      MPI_Allgatherv(part, (PetscMPIInt)(part_rows * number), MPIU_REAL, all, counts, places, MPIU_REAL, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutVectorsToColumns(PsdLayoutVectors it, PetscInt number, const PetscReal v[], PetscReal x[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  if (layout->row < 0) PetscFunctionReturn(0);
  PetscCall(Reserve(it, number));
  PetscCall(Pack(layout, it->held, NULL, number, v, it->count, it->moved));
  PetscCall(Share(it, layout->file, it->in_file, number, it->moved, it->count, it->packed));
  PetscCall(CopyParts(layout, layout->shape.height, it->in_file, number, it->packed, x, layout->columns, PETSC_FALSE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutVectorsToRows(PsdLayoutVectors it, PetscInt number, const PetscReal v[], PetscReal x[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  PetscCall(Reserve(it, number));
  PetscCall(Pack(layout, it->held, it->held_at, number, v, it->count, it->packed));
  PetscCall(Move(it, number, it->to, it->packed, it->from, it->moved));
  if (layout->row < 0) PetscFunctionReturn(0);
  PetscCall(Unpack(layout, it->turned, it->turned_at, number, it->moved, x, it->turned_count));
  PetscCall(Pack(layout, it->turned, NULL, number, x, it->turned_count, it->moved));
  PetscCall(Share(it, layout->line, it->in_line, number, it->moved, it->turned_count, it->packed));
  PetscCall(CopyParts(layout, layout->shape.width, it->in_line, number, it->packed, x, layout->rows, PETSC_FALSE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLayoutVectorsSumRows(PsdLayoutVectors it, PetscInt number, const PetscReal x[], PetscReal v[])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  PetscMPIInt *counts, *places;
  PetscCall(Reserve(it, number));
  if (layout->row >= 0) {
    PetscCall(CopyParts(layout, layout->shape.width, it->in_line, number, it->packed, (PetscReal *)x, layout->rows,
                        PETSC_TRUE));
    Scale(it, 0, layout->shape.width, it->in_line, number, &counts, &places);
    PetscCallMPI(MPI_Reduce_scatter(it->packed, it->moved, counts, MPIU_REAL, MPI_SUM, layout->line));
    /* one after the other to where the messages have them */
    PetscCall(Unpack(layout, it->turned, NULL, number, it->moved, it->packed, it->turned_count));
    PetscCall(Pack(layout, it->turned, it->turned_at, number, it->packed, it->turned_count, it->moved));
  }
  PetscCall(Move(it, number, it->from, it->moved, it->to, it->packed));
  PetscCall(Unpack(layout, it->held, it->held_at, number, it->packed, v, it->count));
  PetscFunctionReturn(0);
}
