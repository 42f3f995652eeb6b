/*
   Transpose reduction by tiles (docs/mathematics.md, section 2): A'A dealt out in square tiles over the grid of ranks
   that factorises it, and h. Only what is on and below the diagonal is made.

   Ranks form groups of s, each a smaller grid. In a group samples go round: a member receives the features of its
   group's samples, 8 n D s/R bytes, and adds its tiles of them, 1/s of all. Then sums go round: what the groups have of
   a tile is added up on the way to its owner, 4 D^2/s bytes. With s = 1 each rank makes all of its own samples' A'A, with
   s = R no sums are left.
*/
#include "gram_impl.h"
#include "base/base.h"
#include "limits.h"
#include "sample_costs.h"
#include "sizes.h"
#include <petscblaslapack.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- groups */

/*
   A grid of H x W is cut into groups of h x w, h dividing H and w dividing W. Tile (I, J) is with member (I mod h, J mod w)
   of every group, and these sum it to its owner, which is one of them: (I mod H) mod h is I mod h. Ranks that own nothing
   have samples, and join a group behind its members.
*/
typedef struct {
  PetscInt D;
  PsdTiles all, inside;    /* over the grid; over a group */
  PetscMPIInt count;       /* of groups */
  PetscMPIInt row, column; /* this member's place in its group; below 0: without tiles */
  PetscInt rows, columns;  /* of this member's tiles */
  MPI_Comm group, alike;   /* this group; the members of all groups with the same tiles, in the order of the groups */
} Groups;

static void TakePlace(Groups *it, PetscMPIInt rank, PetscMPIInt *group, PetscMPIInt *member)
{
  const PetscMPIInt W = it->all.width, h = it->inside.height, w = it->inside.width, row = rank / W, column = rank % W;
  it->row = it->column = -1;
  if (row >= it->all.height) {
    *group = (rank - it->all.height * W) % it->count;
    *member = h * w;
    return;
  }
  it->row = row % h;
  it->column = column % w;
  *group = row / h * (W / w) + column / w;
  *member = it->row * w + it->column;
}

static PetscErrorCode GroupsCreate(PsdProblem problem, const PsdTiles *tiles, const PsdTiles *inside, Groups *it)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, group, member;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  *it = (Groups){.D = problem->order, .all = *tiles, .inside = *inside};
  it->count = tiles->height / inside->height * (tiles->width / inside->width);
  TakePlace(it, rank, &group, &member);
  it->rows = PsdCyclicCount(it->D, inside->block, it->row, inside->height);
  it->columns = PsdCyclicCount(it->D, inside->block, it->column, inside->width);
  PetscCallMPI(MPI_Comm_split(problem->comm, group, member, &it->group));
  PetscCallMPI(MPI_Comm_split(problem->comm, it->row < 0 ? MPI_UNDEFINED : member, group, &it->alike));
  PetscFunctionReturn(0);
}

static PetscErrorCode GroupsDestroy(Groups *it)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_free(&it->group));
  if (it->alike != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&it->alike));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- samples go round */

/* From so many columns of members on a product has the columns of one tile: several tiles of a rank span so many columns of
   others that much would be done above the diagonal. */
#define MEMBERS_TILE_BY_TILE 4

/* What goes round in a group: numbers of `size` bytes, those of features as they are multiplied. */
typedef struct {
  const Groups *groups;
  PetscMPIInt rank, ranks;
  MPI_Datatype type;
  size_t size;
  PetscInt width;    /* columns of a product */
  PetscInt most;     /* chunks of the rank that has most of them */
  PetscInt rows_max; /* of any chunk of any rank */
  PetscInt *rows;    /* ranks: of the chunk that goes round */
  char *visiting;    /* rows_max x D: another rank's chunk */
  char *left;        /* rows_max x this member's rows of A'A; NULL: they are all rows */
  char *selected;    /* rows_max x width */
  float *product;    /* a product in single precision; NULL: in double, added as it is made */
} Round;

/* to <- of one row of features those that are numbers first .. first + count - 1 of a member in such a place. */
static char *SelectRow(const Round *it, const char *row, PetscInt first, PetscInt count, PetscMPIInt place,
                       PetscMPIInt places, char *to)
{
  const PetscInt block = it->groups->inside.block;
  for (PetscInt k = first, run; k < first + count; k += run) {
    run = PetscMin(block - k % block, first + count - k);
    (void)PetscMemcpy(to, row + (size_t)PsdCyclicNumber(k, block, place, places) * it->size, (size_t)run * it->size);
    to += (size_t)run * it->size;
  }
  return to;
}

/* The features that this member has as rows of its tiles, of a chunk. */
static const char *SelectRows(const Round *it, PetscInt rows, const char *phi)
{
  const Groups *groups = it->groups;
  if (!it->left) return phi;
  char *to = it->left;
  for (PetscInt i = 0; i < rows; i++, phi += (size_t)groups->D * it->size)
    to = SelectRow(it, phi, 0, groups->rows, groups->row, groups->inside.height, to);
  return it->left;
}

/* matrix += Phi' Phi for this member's columns begin.. (as many as are selected), from their first tile down. left: this
   member's rows of Phi' */
static PetscErrorCode AddProduct(const Round *it, PetscInt rows, const char *left, PetscInt begin, PetscInt width,
                                 PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const Groups *groups = it->groups;
  const PsdTiles *tiles = &groups->inside;
  const PetscInt first = PsdCyclicNumber(begin, tiles->block, groups->column, tiles->width);
  const PetscInt above = PsdCyclicCount(first, tiles->block, groups->row, tiles->height);
  const PetscReal one = 1;
  PetscReal *to = matrix + (size_t)begin * (size_t)groups->rows + (size_t)above;
  PetscBLASInt below, bwidth, brows, ld;
  PetscCall(PetscBLASIntCast(groups->rows - above, &below));
  PetscCall(PetscBLASIntCast(width, &bwidth));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCall(PetscBLASIntCast(groups->rows, &ld));
  if (below == 0) PetscFunctionReturn(0);
  if (it->product) {
    PetscCall(PsdGramSingleAdd(below, width, rows, (const float *)left + above, ld, (const float *)it->selected,
                               it->product, to, ld));
    PetscFunctionReturn(0);
  }
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &below, &bwidth, &brows, &one, (const PetscReal *)left + above, &ld,
                                      (const PetscReal *)it->selected, &bwidth, &one, to, &ld));
  PetscCall(PetscLogFlops(2.0 * rows * below * width));
  PetscFunctionReturn(0);
}

/* matrix (rows x columns of this member) += Phi' Phi */
static PetscErrorCode AddChunk(const Round *it, PetscInt rows, const char *phi, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const Groups *groups = it->groups;
  const char *left = SelectRows(it, rows, phi);
  for (PetscInt begin = 0; begin < groups->columns; begin += it->width) {
    const PetscInt width = PetscMin(it->width, groups->columns - begin);
    char *to = it->selected;
    for (PetscInt i = 0; i < rows; i++)
      to = SelectRow(it, phi + (size_t)i * (size_t)groups->D * it->size, begin, width, groups->column,
                     groups->inside.width, to);
    PetscCall(AddProduct(it, rows, left, begin, width, matrix));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundCreate(PsdProblem problem, const Groups *groups, Round *it)
{
  PetscFunctionBeginUser;
  PetscInt sizes[2] = {PsdFeaturesCountChunks(problem->folded), PsdFeaturesChunkRows(problem->folded)};
  *it = (Round){.groups = groups,
                .type = problem->single ? MPI_FLOAT : MPIU_REAL,
                .size = problem->single ? sizeof(float) : sizeof(PetscReal)};
  PetscCallMPI(MPI_Comm_rank(groups->group, &it->rank));
  PetscCallMPI(MPI_Comm_size(groups->group, &it->ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sizes, 2, MPIU_INT, MPI_MAX, groups->group));
  it->most = sizes[0];
  it->rows_max = sizes[1];
  it->width = groups->inside.width < MEMBERS_TILE_BY_TILE ? PSD_GRAM_GROUP : groups->inside.block;
  const size_t row_bytes = (size_t)it->rows_max * it->size;
  PetscCall(PetscMalloc3(it->ranks > 1 ? row_bytes * (size_t)groups->D : 0, &it->visiting,
                         row_bytes * (size_t)it->width, &it->selected, it->ranks, &it->rows));
  if (groups->inside.height > 1) PetscCall(PetscMalloc1(row_bytes * (size_t)groups->rows + 1, &it->left));
  if (problem->single) PetscCall(PetscMalloc1((size_t)groups->rows * (size_t)it->width + 1, &it->product));
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundDestroy(Round *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(it->product));
  PetscCall(PetscFree(it->left));
  PetscCall(PetscFree3(it->visiting, it->selected, it->rows));
  PetscFunctionReturn(0);
}

/* This rank's chunk k (no rows when it has so many not) goes to all, as do the others'; each adds its tiles of
   all. */
static PetscErrorCode GoRound(PsdProblem problem, PetscInt k, Round *it, PetscReal *matrix, PetscReal *h,
                              PetscInt *done)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PsdGramChunk mine = {.rows = 0};
  if (k < PsdFeaturesCountChunks(problem->folded)) PetscCall(PsdGramGetChunk(problem, k, 1, h, &mine));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCallMPI(MPI_Allgather(&mine.rows, 1, MPIU_INT, it->rows, 1, MPIU_INT, it->groups->group));
  for (PetscMPIInt owner = 0; owner < it->ranks; owner++) {
    if (it->rows[owner] == 0) continue;
    /* the broadcast does not write to its root's buffer */
    char *chunk = it->visiting;
    if (owner == it->rank) chunk = mine.single ? (char *)mine.single : (char *)mine.weighted;
    if (it->ranks > 1)
      PetscCall(PsdBroadcastArrayFrom(it->groups->group, owner, it->type, (size_t)it->rows[owner] * (size_t)D, chunk));
    PetscCall(AddChunk(it, it->rows[owner], chunk, matrix));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  *done += mine.rows * PsdFeaturesSamplesPerRow(problem->folded);
  PetscFunctionReturn(0);
}

/* matrix <- this member's tiles of the group's A'A */
static PetscErrorCode SamplesGoRound(PsdProblem problem, const Groups *groups, PetscReal *matrix, PetscReal *h)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscInt done = 0;
  Round round;
  PetscCall(RoundCreate(problem, groups, &round));
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < round.most; k++) {
    PetscCall(GoRound(problem, k, &round, matrix, h, &done));
    PetscCall(PsdProgressUpdate(progress, done));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdFeaturesFreeSingle(problem->folded));
  PetscCall(RoundDestroy(&round));
  PetscCall(PetscFree(problem->gram_rows));
  PetscFunctionReturn(0);
}

/* gram (D x D) <- the lower triangle of this rank's samples, which is a group by itself */
static PetscErrorCode OwnSamples(PsdProblem problem, PetscReal *gram, PetscReal *h)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->folded); k++) {
    PsdGramChunk chunk;
    PetscCall(PsdGramGetChunk(problem, k, 1, h, &chunk));
    PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
    PetscCall(PsdGramMultiply(problem, &chunk, 1, 'L', gram));
    PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
    PetscCall(PsdProgressUpdate(progress, chunk.first + chunk.rows * PsdFeaturesSamplesPerRow(problem->folded)));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdFeaturesFreeSingle(problem->folded));
  PetscCall(PetscFree(problem->gram_work));
  PetscCall(PetscFree(problem->gram_rows));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sums go round */

/* Columns that are summed in one message: `width` from `first` on in each of the tiles that owners have as number `turn`. */
typedef struct {
  PetscInt turn, first, width;
} Stretch;

/* The number of column k of a stretch that owners in column `owner` of the grid get; D: there is none. */
static PetscInt ColumnOf(const Groups *groups, const Stretch *stretch, PetscMPIInt owner, PetscInt k)
{
  const PsdTiles *all = &groups->all;
  return PetscMin(groups->D,
                  PsdCyclicNumber(stretch->turn * all->block + stretch->first + k, all->block, owner, all->width));
}

/* to <- what a rank in row `owner` of the grid has of column `number`, from the diagonal down; part: this member's */
static PetscReal *PackColumn(const Groups *groups, PetscMPIInt owner, PetscInt number, const PetscReal *part,
                             PetscReal *to)
{
  const PsdTiles *all = &groups->all, *inside = &groups->inside;
  const PetscInt rows = PsdCyclicCount(groups->D, all->block, owner, all->height);
  const PetscInt place = PsdCyclicCount(number, inside->block, groups->column, inside->width);
  const PetscReal *column = part + (size_t)place * (size_t)groups->rows;
  for (PetscInt x = PsdCyclicCount(number, all->block, owner, all->height), length; x < rows; x += length) {
    const PetscInt row = PsdCyclicNumber(x, all->block, owner, all->height);
    length = PetscMin(all->block - x % all->block, rows - x);
    const PetscInt local = row / all->block / inside->height * inside->block + row % all->block;
    (void)PetscArraycpy(to, column + local, length);
    to += length;
  }
  return to;
}

/* send <- the stretch's columns for the owners in all groups; counts: for each */
static void PackStretch(const Groups *groups, const Stretch *stretch, const PetscReal *part, PetscMPIInt counts[],
                        PetscReal *send)
{
  const PetscMPIInt across = groups->all.width / groups->inside.width;
  for (PetscMPIInt q = 0; q < groups->count; q++) {
    const PetscMPIInt row = q / across * groups->inside.height + groups->row;
    const PetscMPIInt column = q % across * groups->inside.width + groups->column;
    const PetscReal *begin = send;
    for (PetscInt k = 0; k < stretch->width; k++) {
      const PetscInt number = ColumnOf(groups, stretch, column, k);
      if (number < groups->D) send = PackColumn(groups, row, number, part, send);
    }
    counts[q] = (PetscMPIInt)(send - begin);
  }
}

static PetscErrorCode SumStretch(const Groups *groups, const Stretch *stretch, const PetscReal *part,
                                 PetscMPIInt counts[], PetscReal *send, PetscReal *receive, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PsdTiles *all = &groups->all;
  const PetscMPIInt across = all->width / groups->inside.width;
  PetscMPIInt mine;
  PetscCallMPI(MPI_Comm_rank(groups->alike, &mine));
  const PetscMPIInt row = mine / across * groups->inside.height + groups->row;
  const PetscMPIInt column = mine % across * groups->inside.width + groups->column;
  const PetscInt rows = PsdCyclicCount(groups->D, all->block, row, all->height);
  PackStretch(groups, stretch, part, counts, send);
  PetscCallMPI(MPI_Reduce_scatter(send, receive, counts, MPIU_REAL, MPI_SUM, groups->alike));
  for (PetscInt k = 0; k < stretch->width; k++) {
    const PetscInt number = ColumnOf(groups, stretch, column, k),
                   below = rows - PsdCyclicCount(number, all->block, row, all->height);
    const PetscInt place = stretch->turn * all->block + stretch->first + k;
    if (number == groups->D) break;
    PetscCall(PetscArraycpy(matrix + (size_t)(place + 1) * (size_t)rows - (size_t)below, receive, below));
    receive += below;
  }
  PetscFunctionReturn(0);
}

/* matrix <- the sum over groups of their parts, to the owners of tiles */
static PetscErrorCode SumToOwners(const Groups *groups, const PetscReal *part, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt block = groups->all.block;
  const size_t widest = (size_t)(groups->all.width / groups->inside.width) * (size_t)groups->rows;
  const PetscInt most = (PetscInt)PetscMax(1, PetscMin((size_t)block, PSD_GRAM_MESSAGE / PetscMax(1, widest)));
  PetscMPIInt *counts;
  PetscReal *send, *receive;
  PetscCall(PetscMalloc1(groups->count, &counts));
  PetscCall(PetscMalloc2(widest * (size_t)most, &send, (size_t)groups->rows * (size_t)most, &receive));
  for (Stretch at = {0}; at.turn * block * groups->all.width < groups->D; at.turn++)
    for (at.first = 0; at.first < block; at.first += at.width) {
      at.width = PetscMin(most, block - at.first);
      PetscCall(SumStretch(groups, &at, part, counts, send, receive, matrix));
    }
  PetscCall(PetscFree2(send, receive));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* A member's tiles of its group's A'A, zero; above the diagonal they are never touched. */
static PetscErrorCode AllocatePart(PsdProblem problem, const Groups *groups, PetscReal **part)
{
  PetscFunctionBeginUser;
  const size_t entries = (size_t)groups->rows * (size_t)groups->columns;
  PsdFailure failure = {PETSC_FALSE, ""};
  *part = calloc(PetscMax(1, entries), sizeof(**part));
  if (!*part) PsdFailureRecord(&failure, "no memory for %.1f GB of A'A", (double)entries * 8e-9);
  PetscCall(PsdFailureAgree(problem->comm, &failure));
  PetscFunctionReturn(0);
}

/* The tiles of the group's A'A; matrix: where they are the sum already. */
static PetscErrorCode AddUp(PsdProblem problem, const Groups *groups, PetscReal *matrix, PetscReal *h)
{
  PetscFunctionBeginUser;
  PetscReal *part = matrix;
  if (groups->count > 1) PetscCall(AllocatePart(problem, groups, &part));
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(groups->group, &ranks)); /* a rank that owns nothing may be among them */
  if (ranks == 1 && groups->count > 1) PetscCall(OwnSamples(problem, part, h));
  else PetscCall(SamplesGoRound(problem, groups, part, h));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  if (groups->count > 1 && groups->alike != MPI_COMM_NULL) PetscCall(SumToOwners(groups, part, matrix));
  if (part != matrix) free(part);
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemAddUpInGroups(PsdProblem problem, const PsdTiles *tiles, const PsdTiles *group,
                                       PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PetscReal *h;
  Groups groups;
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &h));
  PetscCall(GroupsCreate(problem, tiles, group, &groups));
  PetscCall(AddUp(problem, &groups, matrix, h));
  PetscCall(GroupsDestroy(&groups));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), h));
  PetscCall(PsdGramTargetsKeep(problem, h));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PetscFree(h));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- small orders */

/* One column of the lower triangle, on all ranks, to this rank's part. */
static PetscErrorCode KeepColumn(const Groups *groups, PetscInt number, const PetscReal *column, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PsdTiles *all = &groups->all;
  if (groups->column < 0 || number / all->block % all->width != groups->column) PetscFunctionReturn(0);
  PetscReal *to =
      matrix + (size_t)PsdCyclicCount(number, all->block, groups->column, all->width) * (size_t)groups->rows;
  for (PetscInt x = PsdCyclicCount(number, all->block, groups->row, all->height); x < groups->rows; x++)
    to[x] = column[PsdCyclicNumber(x, all->block, groups->row, all->height)];
  PetscFunctionReturn(0);
}

/* From the root's whole upper triangle, whose rows are columns of the lower one. groups: one, of all owners. */
static PetscErrorCode DealOut(PsdProblem problem, const Groups *groups, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PetscMPIInt rank, length;
  PetscReal *line;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  PetscCall(PetscMalloc1(D, &line));
  for (PetscInt row = 0; row < D; row++) {
    if (rank == 0)
      for (PetscInt j = row; j < D; j++) line[j] = problem->gram[(size_t)j * (size_t)D + (size_t)row];
    PetscCall(PetscMPIIntCast(D - row, &length));
    PetscCallMPI(MPI_Bcast(line + row, length, MPIU_REAL, 0, problem->comm));
    PetscCall(KeepColumn(groups, row, line, matrix));
  }
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

/* Summed in twice the precision on the root. */
static PetscErrorCode SumsAreExact(PsdProblem problem, const PsdTiles *tiles, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  Groups all;
  PetscCall(PsdProblemComputeGram(problem));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(GroupsCreate(problem, tiles, tiles, &all));
  PetscCall(DealOut(problem, &all, matrix));
  PetscCall(GroupsDestroy(&all));
  PetscCall(PetscFree(problem->gram));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemAccumulateTiles(PsdProblem problem, const PsdTiles *tiles, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PsdSizes sizes;
  PetscCall(PsdProblemFindSizes(problem, &sizes));
  const PsdTiles group = PsdGramGroup(&sizes, tiles);
  if (problem->order <= PSD_EXACT_UP_TO) PetscCall(SumsAreExact(problem, tiles, matrix));
  else PetscCall(PsdProblemAddUpInGroups(problem, tiles, &group, matrix));
  PetscFunctionReturn(0);
}
