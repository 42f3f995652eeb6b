/*
   Transpose reduction (docs/mathematics.md, section 2): this rank's part of A'A, and h = A'nu0 summed over all ranks,
   nu0 = -L'(0), which is Y for the squared loss.

   A chunk of lifted features, row-major rows x D, is the D x rows matrix that dsyrk adds as Phi' Phi. Two ways: each
   rank its own samples' D x D, to be summed; or each rank its own columns of all samples' D x D, the chunks going
   round.
*/
#include "gram.h"
#include "limits.h"
#include "base/base.h"
#include "base/sum.h"
#include <petscblaslapack.h>

typedef struct {
  PetscReal *h;           /* A'[nu0, signs] of a chunk, or of all so far: D x 2C */
  PsdSum gram_sum, h_sum; /* NULL: sums are plain */
} Accumulator;

/* h = beta h + Phi' nu, for one chunk and nu0 or signs. A folded row stands for two samples of one target, sqrt 2 of
   each; nu has both of them, or, where the loss is split, one. */
static PetscErrorCode MultiplyColumns(PsdProblem problem, const PetscReal nu[], PetscInt first, PetscInt rows,
                                      const PetscReal *phi, PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscInt samples = PsdFeaturesSamplesPerRow(problem->folded), copies = problem->representatives.copies;
  const PetscReal scale = PetscSqrtReal((PetscReal)samples);
  PetscBLASInt D, C, brows, step;
  PetscCall(PetscBLASIntCast(problem->order, &D));
  PetscCall(PetscBLASIntCast(problem->blocks->C, &C));
  PetscCall(PetscBLASIntCast(samples / copies * problem->blocks->C, &step));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &D, &C, &brows, &scale, phi, &D, nu + (size_t)(first / copies) * C,
                                      &step, &beta, h, &D));
  PetscCall(PetscLogFlops(2.0 * rows * D * C));
  PetscFunctionReturn(0);
}

/* Numbers in A'[nu0, signs]. */
static size_t TargetsLength(PsdProblem problem)
{
  return 2 * (size_t)problem->order * problem->blocks->C;
}

static PetscErrorCode MultiplyTargets(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi,
                                      PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  PetscCall(MultiplyColumns(problem, problem->nu0, first, rows, phi, beta, h));
  PetscCall(MultiplyColumns(problem, problem->signs, first, rows, phi, beta, h + TargetsLength(problem) / 2));
  PetscFunctionReturn(0);
}

/* The sum over ranks of h, on all of them. */
static PetscErrorCode SumOverRanks(PsdProblem problem, PetscReal h[])
{
  PetscFunctionBeginUser;
  const size_t half = TargetsLength(problem) / 2;
  for (size_t k = 0; k < 2; k++) PetscCall(PsdSumArray(problem->comm, MPIU_REAL, half, h + k * half));
  PetscFunctionReturn(0);
}

/* This rank's part of C columns, from all of them. */
static PetscErrorCode KeepColumns(PsdProblem problem, const PetscReal h[], Vec kept)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  PetscReal *local;
  PetscCall(VecGetArray(kept, &local));
  if (problem->symmetry) PsdSymmetryUnfold(problem->symmetry, blocks, h, local);
  else PetscCall(PetscArraycpy(local, h + blocks->begin, blocks->length));
  PetscCall(VecRestoreArray(kept, &local));
  PetscFunctionReturn(0);
}

static PetscErrorCode KeepTargets(PsdProblem problem, const PetscReal h[])
{
  PetscFunctionBeginUser;
  PetscCall(KeepColumns(problem, h, problem->h));
  PetscCall(KeepColumns(problem, h + TargetsLength(problem) / 2, problem->h_random));
  PetscCall(PetscFree(problem->signs));
  PetscFunctionReturn(0);
}

/* gram = beta gram + Phi' Phi (upper triangle), h = beta h + Phi' [nu0, signs], for one chunk */
static PetscErrorCode Multiply(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld,
                               PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt D, bld, brows;
  PetscCall(PetscBLASIntCast(problem->order, &D));
  PetscCall(PetscBLASIntCast(ld, &bld));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &D, &brows, &one, phi, &bld, &beta, problem->gram, &D));
  PetscCall(PetscLogFlops((PetscLogDouble)rows * D * D));
  PetscCall(MultiplyTargets(problem, first, rows, phi, beta, h));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddChunk(PsdProblem problem, PetscInt k, Accumulator *to, PsdProgress progress)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  PetscInt first, rows, ld;
  const PetscReal *phi;
  PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &rows, &phi, &ld));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(Multiply(problem, first, rows, phi, ld, to->gram_sum ? 0 : 1, to->h));
  if (to->gram_sum) {
    for (size_t column = 0; column < D; column++)
      PsdSumAdd(to->gram_sum, column * D, column + 1, problem->gram + column * D);
    PsdSumAdd(to->h_sum, 0, TargetsLength(problem), to->h);
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PsdProgressUpdate(progress, first + rows * PsdFeaturesSamplesPerRow(problem->folded)));
  PetscFunctionReturn(0);
}

/* h on all ranks; of A'A, all on the root when sums are exact, else still this rank's part */
static PetscErrorCode Reduce(PsdProblem problem, Accumulator *from)
{
  PetscFunctionBeginUser;
  if (from->gram_sum) {
    PetscCall(PsdSumReduce(from->gram_sum, problem->comm, problem->gram));
    PetscCall(PsdSumReduce(from->h_sum, problem->comm, from->h));
    PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, TargetsLength(problem), from->h));
  } else {
    PetscCall(SumOverRanks(problem, from->h));
  }
  PetscCall(KeepTargets(problem, from->h));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemComputeGram(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  Accumulator sums = {0};
  PsdProgress progress;
  PetscCall(PetscCalloc1(D * D, &problem->gram));
  PetscCall(PetscCalloc1(TargetsLength(problem), &sums.h));
  if (D <= PSD_EXACT_UP_TO) {
    PetscCall(PsdSumCreate(D * D, &sums.gram_sum));
    PetscCall(PsdSumCreate(TargetsLength(problem), &sums.h_sum));
  }
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->folded); k++)
    PetscCall(AddChunk(problem, k, &sums, progress));
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(Reduce(problem, &sums));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PetscFree(sums.h));
  PetscCall(PsdSumDestroy(&sums.gram_sum));
  PetscCall(PsdSumDestroy(&sums.h_sum));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[])
{
  PetscFunctionBeginUser;
  PetscCheck(problem->gram, problem->comm, PETSC_ERR_ARG_WRONGSTATE, "A'A has not been computed, or was taken before");
  *gram = problem->gram;
  problem->gram = NULL;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- by columns */

/* matrix (D x columns) += Phi' Phi[:, my columns], rows from each group's first column down */
static PetscErrorCode AddToColumns(PetscInt D, PetscInt rows, const PetscReal *phi, PetscInt columns,
                                   const PetscInt column[], PetscReal *selected, PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt order, brows;
  PetscCall(PetscBLASIntCast(D, &order));
  PetscCall(PetscBLASIntCast(rows, &brows));
  for (PetscInt begin = 0; begin < columns; begin += PSD_GRAM_GROUP) {
    const PetscBLASInt width = (PetscBLASInt)PetscMin(PSD_GRAM_GROUP, columns - begin);
    const PetscInt first = column[begin];
    const PetscBLASInt below = (PetscBLASInt)(D - first);
    for (PetscInt i = 0; i < rows; i++)
      for (PetscInt k = 0; k < width; k++) selected[(size_t)i * width + k] = phi[(size_t)i * D + column[begin + k]];
    PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &below, &width, &brows, &one, phi + first, &order, selected, &width,
                                        &one, matrix + (size_t)begin * D + first, &order));
    PetscCall(PetscLogFlops(2.0 * rows * below * width));
  }
  PetscFunctionReturn(0);
}

/* What goes round. */
typedef struct {
  PetscInt most;       /* chunks of the rank that has most of them */
  PetscInt rows_max;   /* of any chunk of any rank */
  PetscReal *visiting; /* rows_max x D: another rank's chunk */
  PetscReal *selected; /* rows_max x PSD_GRAM_GROUP */
  PetscReal *h;        /* D x 2C: this rank's part */
} Round;

static PetscErrorCode RoundCreate(PsdProblem problem, Round *it)
{
  PetscFunctionBeginUser;
  PetscInt sizes[2] = {PsdFeaturesCountChunks(problem->folded), PsdFeaturesChunkRows(problem->folded)};
  PetscMPIInt ranks;
  const size_t D = problem->order;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sizes, 2, MPIU_INT, MPI_MAX, problem->comm));
  it->most = sizes[0];
  it->rows_max = sizes[1];
  PetscCall(PetscMalloc1(ranks > 1 ? it->rows_max * D : 0, &it->visiting));
  PetscCall(PetscMalloc1((size_t)it->rows_max * PSD_GRAM_GROUP, &it->selected));
  PetscCall(PetscCalloc1(TargetsLength(problem), &it->h));
  PetscFunctionReturn(0);
}

static PetscErrorCode RoundDestroy(Round *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(it->visiting));
  PetscCall(PetscFree(it->selected));
  PetscCall(PetscFree(it->h));
  PetscFunctionReturn(0);
}

/* This rank's chunk k (no rows when it has so many not) goes to all, as do the others'; each adds its columns of
   all. */
static PetscErrorCode GoRound(PsdProblem problem, PetscInt k, PetscInt columns, const PetscInt column[], Round *it,
                              PetscReal *matrix, PetscInt *done)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  const PetscReal *mine = NULL;
  PetscInt first, own = 0, ld;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  if (k < PsdFeaturesCountChunks(problem->folded))
    PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &own, &mine, &ld));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  if (own > 0) PetscCall(MultiplyTargets(problem, first, own, mine, 1, it->h));
  for (PetscMPIInt owner = 0; owner < ranks; owner++) {
    PetscInt rows = own;
    PetscCallMPI(MPI_Bcast(&rows, 1, MPIU_INT, owner, problem->comm));
    if (rows == 0) continue;
    /* the broadcast does not write to its root's buffer */
    PetscReal *chunk = owner == rank ? (PetscReal *)mine : it->visiting;
    if (ranks > 1) PetscCall(PsdBroadcastArrayFrom(problem->comm, owner, MPIU_REAL, (size_t)rows * (size_t)D, chunk));
    PetscCall(AddToColumns(D, rows, chunk, columns, column, it->selected, matrix));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  *done += own * PsdFeaturesSamplesPerRow(problem->folded);
  PetscFunctionReturn(0);
}

/* From the root's whole upper triangle to the owners of columns of the lower one: row j of the lower is column j of
   the upper, so that columns of the lower are rows of the upper, sent as blocks of them. */
static PetscErrorCode DealColumns(PsdProblem problem, PetscInt columns, const PetscInt column[], PetscReal *matrix)
{
  PetscFunctionBeginUser;
  const PetscInt D = problem->order;
  PetscMPIInt rank, length;
  PetscReal *line;
  PetscInt next = 0;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  PetscCall(PetscMalloc1(D, &line));
  for (PetscInt row = 0; row < D; row++) {
    /* entries row..D-1 of row `row` of the upper triangle: what lies below the diagonal in column `row` of the lower */
    if (rank == 0)
      for (PetscInt j = row; j < D; j++) line[j] = problem->gram[(size_t)j * D + row];
    PetscCall(PetscMPIIntCast(D - row, &length));
    PetscCallMPI(MPI_Bcast(line + row, length, MPIU_REAL, 0, problem->comm));
    if (next == columns || column[next] != row) continue;
    PetscCall(PetscArraycpy(matrix + (size_t)next * D + row, line + row, D - row));
    next++;
  }
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, PetscInt columns, const PetscInt column[],
                                           PetscReal *matrix)
{
  PetscFunctionBeginUser;
  PsdProgress progress;
  PetscInt done = 0;
  Round round;
  if (problem->order <= PSD_EXACT_UP_TO) {
    /* small, and summed in twice the precision on the root */
    PetscCall(PsdProblemComputeGram(problem));
    PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
    PetscCall(DealColumns(problem, columns, column, matrix));
    PetscCall(PetscFree(problem->gram));
    PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
    PetscFunctionReturn(0);
  }
  PetscCall(RoundCreate(problem, &round));
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < round.most; k++) {
    PetscCall(GoRound(problem, k, columns, column, &round, matrix, &done));
    PetscCall(PsdProgressUpdate(progress, done));
  }
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(SumOverRanks(problem, round.h));
  PetscCall(KeepTargets(problem, round.h));
  PetscCall(RoundDestroy(&round));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}
