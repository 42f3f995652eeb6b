/*
   Transpose reduction by columns (docs/mathematics.md, section 2): A'A as columns that are dealt out to the ranks, and
   h. Only the lower triangle is made.

   Ranks form groups of s. In a group samples go round: a member receives the features of its group's samples, 8 n D s/R
   bytes, and adds its columns of them, D/s of D. Then sums go round: what the groups have of a column is added up on the
   way to its owner, 4 D^2/s bytes. With s = 1 each rank makes all of its own samples' A'A, with s = R no sums are left.
*/
#include "gram_impl.h"
#include "base/base.h"
#include "limits.h"
#include "sample_costs.h"
#include "sizes.h"
#include <petscblaslapack.h>
#include <stdlib.h>

/* The columns of a rank of a deal: local number `k` is column Number(deal, rank, k). */
static PetscInt Number(const PsdDeal *deal, PetscMPIInt rank, PetscInt k)
{
  return (k / deal->block * deal->ranks + rank) * deal->block + k % deal->block;
}

static PetscInt CountColumns(const PsdDeal *deal, PetscMPIInt rank, PetscInt D)
{
  PetscInt count = 0;
  if (rank >= deal->ranks) return 0;
  for (PetscInt first = rank * deal->block; first < D; first += deal->block * deal->ranks)
    count += PetscMin(deal->block, D - first);
  return count;
}

/* ---------------------------------------------------------------- groups */

/*
   Ranks q s .. q s + s - 1 are the members of group q; those that own no columns have samples, and join a group behind
   its members. Block J is with member J mod s of every group, and these sum it to its owner, rank J mod R: as member i's
   block k is J = k s + i, the blocks of member i are dealt out in turn to the groups.
*/
typedef struct {
  PsdDeal inside, across; /* of columns to members, of a member's columns to groups */
  MPI_Comm group, alike;  /* this group; the members of all groups with the same columns */
  PetscMPIInt member;     /* of `group`; at least inside.ranks: without columns */
} Groups;

static PetscErrorCode GroupsCreate(PsdProblem problem, const PsdDeal *deal, PetscMPIInt size, Groups *it)
{
  PetscFunctionBeginUser;
  const PetscMPIInt groups = deal->ranks / size;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  const PetscBool owns = (PetscBool)(rank < deal->ranks);
  it->inside = (PsdDeal){deal->block, size};
  it->across = (PsdDeal){deal->block, groups};
  PetscCallMPI(MPI_Comm_split(problem->comm, owns ? rank / size : (rank - deal->ranks) % groups, rank, &it->group));
  PetscCallMPI(MPI_Comm_split(problem->comm, owns ? rank % size : MPI_UNDEFINED, rank, &it->alike));
  PetscCallMPI(MPI_Comm_rank(it->group, &it->member));
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

/* From so many members on a product has the columns of one block: several blocks of a rank span so many columns of others
   that much would be done above the diagonal. */
#define MEMBERS_BLOCK_BY_BLOCK 4

/* What goes round in a group. */
typedef struct {
  const PsdDeal *deal;
  MPI_Comm comm;
  PetscMPIInt rank, ranks;
  PetscInt columns, width; /* of this rank; of a product */
  PetscInt most;           /* chunks of the rank that has most of them */
  PetscInt rows_max;       /* of any chunk of any rank */
  PetscInt *rows;          /* ranks: of the chunk that goes round */
  PetscReal *visiting;     /* rows_max x D: another rank's chunk */
  PetscReal *selected;     /* rows_max x width */
} Round;

/* matrix (D x columns) += Phi' Phi[:, my columns], rows from each product's first column down */
static PetscErrorCode AddToColumns(PetscInt D, PetscInt rows, const PetscReal *phi, Round *it, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt order, brows;
  PetscCall(PetscBLASIntCast(D, &order));
  PetscCall(PetscBLASIntCast(rows, &brows));
  for (PetscInt begin = 0; begin < it->columns; begin += it->width) {
    const PetscBLASInt width = (PetscBLASInt)PetscMin(it->width, it->columns - begin);
    const PetscInt first = Number(it->deal, it->rank, begin);
    const PetscBLASInt below = (PetscBLASInt)(D - first);
    for (PetscInt k = 0; k < width; k++) {
      const PetscReal *from = phi + Number(it->deal, it->rank, begin + k);
      for (PetscInt i = 0; i < rows; i++) it->selected[(size_t)i * (size_t)width + k] = from[(size_t)i * (size_t)D];
    }
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &below, &width, &brows, &one, phi + first, &order, it->selected,
                                        &width, &one, matrix + (size_t)begin * (size_t)D + first, &order));
    PetscCall(PetscLogFlops(2.0 * rows * below * width));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundCreate(PsdProblem problem, const Groups *groups, Round *it)
{
  PetscFunctionBeginUser;
  PetscInt sizes[2] = {PsdFeaturesCountChunks(problem->folded), PsdFeaturesChunkRows(problem->folded)};
  const size_t D = problem->order;
  *it = (Round){.deal = &groups->inside, .comm = groups->group, .rank = groups->member};
  PetscCallMPI(MPI_Comm_size(it->comm, &it->ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sizes, 2, MPIU_INT, MPI_MAX, it->comm));
  it->most = sizes[0];
  it->rows_max = sizes[1];
  it->columns = CountColumns(it->deal, it->rank, problem->order);
  it->width = it->deal->ranks < MEMBERS_BLOCK_BY_BLOCK ? PSD_GRAM_GROUP : it->deal->block;
  PetscCall(PetscMalloc3(it->ranks > 1 ? it->rows_max * D : 0, &it->visiting, (size_t)it->rows_max * it->width,
                         &it->selected, it->ranks, &it->rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundDestroy(Round *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(it->visiting, it->selected, it->rows));
  PetscFunctionReturn(0);
}

/* This rank's chunk k (no rows when it has so many not) goes to all, as do the others'; each adds its columns of
   all. */
static PetscErrorCode GoRound(PsdProblem problem, PetscInt k, Round *it, PetscReal *matrix, PetscReal *h,
                              PetscInt *done)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  const PetscReal *mine = NULL;
  PetscInt first, own = 0, ld;
  if (k < PsdFeaturesCountChunks(problem->folded))
    PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &own, &mine, &ld));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  if (own > 0) PetscCall(PsdGramTargetsMultiply(problem, first, own, mine, 1, h));
  PetscCallMPI(MPI_Allgather(&own, 1, MPIU_INT, it->rows, 1, MPIU_INT, it->comm));
  for (PetscMPIInt owner = 0; owner < it->ranks; owner++) {
    if (it->rows[owner] == 0) continue;
    /* the broadcast does not write to its root's buffer */
    PetscReal *chunk = owner == it->rank ? (PetscReal *)mine : it->visiting;
    if (it->ranks > 1)
      PetscCall(PsdBroadcastArrayFrom(it->comm, owner, MPIU_REAL, (size_t)it->rows[owner] * (size_t)D, chunk));
    PetscCall(AddToColumns(D, it->rows[owner], chunk, it, matrix));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  *done += own * PsdFeaturesSamplesPerRow(problem->folded);
  PetscFunctionReturn(0);
}

/* matrix (D x columns) <- this member's columns of the group's A'A */
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
  PetscCall(RoundDestroy(&round));
  PetscFunctionReturn(0);
}

/* gram (D x D) <- the lower triangle of this rank's samples, which is a group by itself */
static PetscErrorCode OwnSamples(PsdProblem problem, PetscReal *gram, PetscReal *h)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->folded); k++) {
    PetscInt first, rows, ld;
    const PetscReal *phi;
    PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &rows, &phi, &ld));
    PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
    PetscCall(PsdGramMultiply(problem, first, rows, phi, ld, 1, "L", gram, h));
    PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
    PetscCall(PsdProgressUpdate(progress, first + rows * PsdFeaturesSamplesPerRow(problem->folded)));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sums go round */

#define MESSAGE_NUMBERS ((size_t)1 << 22) /* of a reduction: large enough for bandwidth, small beside the matrix */

/* A stretch of columns that is summed in one message: `width` columns from `first` in each of the blocks of a turn. */
typedef struct {
  PetscInt turn, first, width;
} Stretch;

/* The k-th column that group q gets in a stretch: its place among this member's. */
static PetscInt PlaceOf(const Groups *groups, const Stretch *stretch, PetscMPIInt q, PetscInt k)
{
  return (stretch->turn * groups->across.ranks + q) * groups->across.block + stretch->first + k;
}

/* Its number; D where there is none. */
static PetscInt ColumnOf(const Groups *groups, PetscInt place, PetscInt D)
{
  return PetscMin(Number(&groups->inside, groups->member, place), D);
}

/* send <- the stretch's columns of all groups, from the diagonal down; counts: of each group */
static void PackStretch(const Groups *groups, const Stretch *stretch, PetscInt D, const PetscReal *gram,
                        PetscMPIInt counts[], PetscReal *send)
{
  for (PetscMPIInt q = 0; q < groups->across.ranks; q++) {
    counts[q] = 0;
    for (PetscInt k = 0; k < stretch->width; k++) {
      const PetscInt place = PlaceOf(groups, stretch, q, k), column = ColumnOf(groups, place, D), below = D - column;
      (void)PetscArraycpy(send, gram + (size_t)place * (size_t)D + (size_t)column, below);
      send += below;
      counts[q] += (PetscMPIInt)below;
    }
  }
}

static PetscErrorCode SumStretch(const Groups *groups, const Stretch *stretch, PetscInt D, const PetscReal *gram,
                                 PetscMPIInt counts[], PetscReal *send, PetscReal *receive, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PetscMPIInt mine;
  PetscCallMPI(MPI_Comm_rank(groups->alike, &mine));
  PackStretch(groups, stretch, D, gram, counts, send);
  PetscCallMPI(MPI_Reduce_scatter(send, receive, counts, MPIU_REAL, MPI_SUM, groups->alike));
  for (PetscInt k = 0; k < stretch->width; k++) {
    const PetscInt column = ColumnOf(groups, PlaceOf(groups, stretch, mine, k), D), below = D - column;
    const size_t local = (size_t)stretch->turn * (size_t)groups->across.block + (size_t)(stretch->first + k);
    if (below == 0) break;
    PetscCall(PetscArraycpy(matrix + local * (size_t)D + (size_t)column, receive, below));
    receive += below;
  }
  PetscFunctionReturn(0);
}

/* matrix <- the sum over groups of gram, to the owners of columns */
static PetscErrorCode SumToOwners(const Groups *groups, PetscInt D, const PetscReal *gram, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt block = groups->across.block, turn = block * groups->across.ranks * groups->inside.ranks;
  const size_t column = (size_t)groups->across.ranks * (size_t)D;
  const PetscInt most = (PetscInt)PetscMax(1, PetscMin((size_t)block, MESSAGE_NUMBERS / column));
  PetscMPIInt *counts;
  PetscReal *send, *receive;
  PetscCall(PetscMalloc1(groups->across.ranks, &counts));
  PetscCall(PetscMalloc2(column * (size_t)most, &send, (size_t)D * (size_t)most, &receive));
  for (Stretch at = {0}; at.turn * turn < D; at.turn++)
    for (at.first = 0; at.first < block; at.first += at.width) {
      at.width = PetscMin(most, block - at.first);
      PetscCall(SumStretch(groups, &at, D, gram, counts, send, receive, matrix));
    }
  PetscCall(PetscFree2(send, receive));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* A member's columns of a group's A'A, zero; of the square of a group by itself half is never touched. */
static PetscErrorCode AllocateColumns(PsdProblem problem, PetscInt columns, PetscReal **gram)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  PsdFailure failure = {PETSC_FALSE, ""};
  *gram = calloc(PetscMax(1, D * (size_t)columns), sizeof(**gram));
  if (!*gram) PsdFailureRecord(&failure, "no memory for %.1f GB of A'A", (double)D * (double)columns * 8e-9);
  PetscCall(PsdFailureAgree(problem->comm, &failure));
  PetscFunctionReturn(0);
}

/* The columns of the group's A'A; matrix: where they are the sum already. */
static PetscErrorCode AddUp(PsdProblem problem, const Groups *groups, PetscReal *matrix, PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PetscReal *gram = matrix;
  if (groups->across.ranks > 1)
    PetscCall(AllocateColumns(problem, CountColumns(&groups->inside, groups->member, D), &gram));
  if (groups->inside.ranks == 1 && groups->across.ranks > 1) PetscCall(OwnSamples(problem, gram, h));
  else PetscCall(SamplesGoRound(problem, groups, gram, h));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  if (groups->across.ranks > 1 && groups->alike != MPI_COMM_NULL) PetscCall(SumToOwners(groups, D, gram, matrix));
  if (gram != matrix) free(gram);
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddUpInGroups(PsdProblem problem, const PsdDeal *deal, PetscMPIInt size, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PetscReal *h;
  Groups groups;
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &h));
  PetscCall(GroupsCreate(problem, deal, size, &groups));
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

/* From the root's whole upper triangle to the owners of columns of the lower one: row j of the lower is column j of
   the upper, so that columns of the lower are rows of the upper. */
static PetscErrorCode DealColumns(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PetscMPIInt rank, length;
  PetscReal *line;
  PetscInt next = 0;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  const PetscInt columns = CountColumns(deal, rank, D);
  PetscCall(PetscMalloc1(D, &line));
  for (PetscInt row = 0; row < D; row++) {
    /* entries row..D-1 of row `row` of the upper triangle: what lies below the diagonal in column `row` of the lower */
    if (rank == 0)
      for (PetscInt j = row; j < D; j++) line[j] = problem->gram[(size_t)j * (size_t)D + (size_t)row];
    PetscCall(PetscMPIIntCast(D - row, &length));
    PetscCallMPI(MPI_Bcast(line + row, length, MPIU_REAL, 0, problem->comm));
    if (next == columns || Number(deal, rank, next) != row) continue;
    PetscCall(PetscArraycpy(matrix + (size_t)next * (size_t)D + row, line + row, D - row));
    next++;
  }
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

/* Summed in twice the precision on the root. */
static PetscErrorCode SumsAreExact(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProblemComputeGram(problem));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(DealColumns(problem, deal, matrix));
  PetscCall(PetscFree(problem->gram));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PsdSizes sizes;
  PetscCall(PsdProblemFindSizes(problem, &sizes));
  if (problem->order <= PSD_EXACT_UP_TO) PetscCall(SumsAreExact(problem, deal, matrix));
  else PetscCall(AddUpInGroups(problem, deal, (PetscMPIInt)PsdGramGroup(&sizes, deal->ranks), matrix));
  PetscFunctionReturn(0);
}
