/*
   Transpose reduction by columns (docs/mathematics.md, section 2): A'A as columns that are dealt out to the ranks, and
   h. Only the lower triangle is made.

   Samples go round: a rank receives the features of all samples, 8 n D bytes, and adds its own columns of them. Or sums
   go round: each rank makes the D x D of its own samples, of which every other rank's part is added up on the way to
   it, 4 D^2 bytes whatever n is.
*/
#include "gram_impl.h"
#include "base/base.h"
#include "limits.h"
#include "sample_costs.h"
#include "sizes.h"
#include <petscblaslapack.h>
#include <stdlib.h>

/* This rank's columns: local number `k` is column Number(deal, rank, k). */
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

/* ---------------------------------------------------------------- samples go round */

/* From so many ranks on a product has the columns of one block: several blocks of a rank span so many columns of others
   that much would be done above the diagonal. */
#define RANKS_BLOCK_BY_BLOCK 4

/* What goes round. */
typedef struct {
  const PsdDeal *deal;
  PetscMPIInt rank, ranks;
  PetscInt columns, group; /* of this rank; of a product */
  PetscInt most;           /* chunks of the rank that has most of them */
  PetscInt rows_max;       /* of any chunk of any rank */
  PetscInt *rows;          /* ranks: of the chunk that goes round */
  PetscReal *visiting;     /* rows_max x D: another rank's chunk */
  PetscReal *selected;     /* rows_max x group */
  PetscReal *h;            /* D x 2C: this rank's part */
} Round;

/* matrix (D x columns) += Phi' Phi[:, my columns], rows from each group's first column down */
static PetscErrorCode AddToColumns(PetscInt D, PetscInt rows, const PetscReal *phi, Round *it, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt order, brows;
  PetscCall(PetscBLASIntCast(D, &order));
  PetscCall(PetscBLASIntCast(rows, &brows));
  for (PetscInt begin = 0; begin < it->columns; begin += it->group) {
    const PetscBLASInt width = (PetscBLASInt)PetscMin(it->group, it->columns - begin);
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

static PetscErrorCode RoundCreate(PsdProblem problem, const PsdDeal *deal, Round *it)
{
  PetscFunctionBeginUser;
  PetscInt sizes[2] = {PsdFeaturesCountChunks(problem->folded), PsdFeaturesChunkRows(problem->folded)};
  const size_t D = problem->order;
  *it = (Round){.deal = deal};
  PetscCallMPI(MPI_Comm_rank(problem->comm, &it->rank));
  PetscCallMPI(MPI_Comm_size(problem->comm, &it->ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sizes, 2, MPIU_INT, MPI_MAX, problem->comm));
  it->most = sizes[0];
  it->rows_max = sizes[1];
  it->columns = CountColumns(deal, it->rank, problem->order);
  it->group = it->ranks < RANKS_BLOCK_BY_BLOCK ? PSD_GRAM_GROUP : deal->block;
  PetscCall(PetscMalloc3(it->ranks > 1 ? it->rows_max * D : 0, &it->visiting, (size_t)it->rows_max * it->group,
                         &it->selected, it->ranks, &it->rows));
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &it->h));
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundDestroy(Round *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(it->visiting, it->selected, it->rows));
  PetscCall(PetscFree(it->h));
  PetscFunctionReturn(0);
}

/* This rank's chunk k (no rows when it has so many not) goes to all, as do the others'; each adds its columns of
   all. */
static PetscErrorCode GoRound(PsdProblem problem, PetscInt k, Round *it, PetscReal *matrix, PetscInt *done)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  const PetscReal *mine = NULL;
  PetscInt first, own = 0, ld;
  if (k < PsdFeaturesCountChunks(problem->folded))
    PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &own, &mine, &ld));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  if (own > 0) PetscCall(PsdGramTargetsMultiply(problem, first, own, mine, 1, it->h));
  PetscCallMPI(MPI_Allgather(&own, 1, MPIU_INT, it->rows, 1, MPIU_INT, problem->comm));
  for (PetscMPIInt owner = 0; owner < it->ranks; owner++) {
    if (it->rows[owner] == 0) continue;
    /* the broadcast does not write to its root's buffer */
    PetscReal *chunk = owner == it->rank ? (PetscReal *)mine : it->visiting;
    if (it->ranks > 1)
      PetscCall(PsdBroadcastArrayFrom(problem->comm, owner, MPIU_REAL, (size_t)it->rows[owner] * (size_t)D, chunk));
    PetscCall(AddToColumns(D, it->rows[owner], chunk, it, matrix));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  *done += own * PsdFeaturesSamplesPerRow(problem->folded);
  PetscFunctionReturn(0);
}

static PetscErrorCode SamplesGoRound(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscInt done = 0;
  Round round;
  PetscCall(RoundCreate(problem, deal, &round));
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < round.most; k++) {
    PetscCall(GoRound(problem, k, &round, matrix, &done));
    PetscCall(PsdProgressUpdate(progress, done));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), round.h));
  PetscCall(PsdGramTargetsKeep(problem, round.h));
  PetscCall(RoundDestroy(&round));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sums go round */

#define MESSAGE_NUMBERS ((size_t)1 << 22) /* of a reduction: large enough for bandwidth, small beside the matrix */

/* A stretch of columns that is summed in one message: `width` columns from `first` in each of the blocks of a turn. */
typedef struct {
  PetscInt turn, first, width;
} Stretch;

/* The k-th column of rank r in a stretch; D where there is none. */
static PetscInt ColumnOf(const PsdDeal *deal, const Stretch *stretch, PetscMPIInt r, PetscInt k, PetscInt D)
{
  const PetscInt column = (stretch->turn * deal->ranks + r) * deal->block + stretch->first + k;
  return PetscMin(column, D);
}

/* send <- the stretch's columns of all owners, from the diagonal down; counts: of each owner */
static size_t PackStretch(const PsdDeal *deal, const Stretch *stretch, PetscInt D, const PetscReal *gram,
                          PetscMPIInt counts[], PetscReal *send)
{
  size_t length = 0;
  for (PetscMPIInt r = 0; r < deal->ranks; r++) {
    counts[r] = 0;
    for (PetscInt k = 0; k < stretch->width; k++) {
      const PetscInt column = ColumnOf(deal, stretch, r, k, D), below = D - column;
      (void)PetscArraycpy(send + length, gram + (size_t)column * ((size_t)D + 1), below);
      length += (size_t)below;
      counts[r] += (PetscMPIInt)below;
    }
  }
  return length;
}

static PetscErrorCode SumStretch(PsdProblem problem, const PsdDeal *deal, const Stretch *stretch, const PetscReal *gram,
                                 PetscMPIInt counts[], PetscReal *send, PetscReal *receive, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  (void)PackStretch(deal, stretch, D, gram, counts, send);
  PetscCallMPI(MPI_Reduce_scatter(send, receive, counts, MPIU_REAL, MPI_SUM, problem->comm));
  for (PetscInt k = 0; k < stretch->width && rank < deal->ranks; k++) {
    const PetscInt column = ColumnOf(deal, stretch, rank, k, D), below = D - column;
    const size_t local = (size_t)stretch->turn * (size_t)deal->block + (size_t)(stretch->first + k);
    if (below == 0) break;
    PetscCall(PetscArraycpy(matrix + local * (size_t)D + (size_t)column, receive, below));
    receive += below;
  }
  PetscFunctionReturn(0);
}

/* matrix <- the sum over ranks of gram, to the owners of columns */
static PetscErrorCode SumToOwners(PsdProblem problem, const PsdDeal *deal, const PetscReal *gram, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order, turn = deal->block * deal->ranks;
  const size_t column = (size_t)deal->ranks * (size_t)D;
  const PetscInt most = (PetscInt)PetscMax(1, PetscMin((size_t)deal->block, MESSAGE_NUMBERS / column));
  PetscMPIInt ranks, *counts;
  PetscReal *send, *receive;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PetscCalloc1(ranks, &counts));
  PetscCall(PetscMalloc2(column * (size_t)most, &send, (size_t)D * (size_t)most, &receive));
  for (Stretch at = {0}; at.turn * turn < D; at.turn++)
    for (at.first = 0; at.first < deal->block; at.first += at.width) {
      at.width = PetscMin(most, deal->block - at.first);
      PetscCall(SumStretch(problem, deal, &at, gram, counts, send, receive, matrix));
    }
  PetscCall(PetscFree2(send, receive));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* The lower triangle of this rank's samples, and their part of h. */
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

static PetscErrorCode SumsGoRound(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscReal *gram = calloc(D * D, sizeof(*gram)), *h; /* half of it is never touched */
  if (!gram) PsdFailureRecord(&failure, "no memory for %.1f GB of A'A", (double)D * (double)D * 8e-9);
  PetscCall(PsdFailureAgree(problem->comm, &failure));
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &h));
  PetscCall(OwnSamples(problem, gram, h));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(SumToOwners(problem, deal, gram, matrix));
  free(gram);
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), h));
  PetscCall(PsdGramTargetsKeep(problem, h));
  PetscCall(PetscFree(h));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
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
  else if (PsdGramIsSummed(&sizes)) PetscCall(SumsGoRound(problem, deal, matrix));
  else PetscCall(SamplesGoRound(problem, deal, matrix));
  PetscFunctionReturn(0);
}
