/*
   Transpose reduction (docs/mathematics.md, section 2): this rank's part of A'A, and h = A'nu0 summed over all ranks,
   nu0 = -L'(0), which is Y for the squared loss. Where samples have weights W these are A'W A and A'W nu0.

   A chunk of lifted features, row-major rows x D, is the D x rows matrix that dsyrk adds as Phi' Phi. Each rank makes its
   own samples' D x D, to be summed by whoever takes it. By tiles, so that a rank ends with some of them, is in
   gram_tiles.c.
*/
#include "gram_impl.h"
#include "limits.h"
#include "base/base.h"
#include "base/sum.h"
#include <petscblaslapack.h>

typedef struct {
  PetscReal *h;           /* A'[nu0, signs] of a chunk, or of all so far: D x 2C */
  PsdSum gram_sum, h_sum; /* NULL: sums are plain */
} Accumulator;

/* h = beta h + Phi' W nu, for one chunk and nu0 or signs, W the samples' weights. A folded row stands for two samples of one target, sqrt 2 of
   each; nu has both of them, or, where the loss is split, one. */
static PetscErrorCode MultiplyColumns(PsdProblem problem, const PetscReal nu[], PetscInt first, PetscInt rows,
                                      const PetscReal *phi, PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscInt samples = PsdFeaturesSamplesPerRow(problem->folded), copies = problem->representatives.copies;
  const PetscReal scale = PetscSqrtReal((PetscReal)samples), *weights = problem->representatives.weights;
  PetscReal *weighted = NULL;
  PetscBLASInt D, C, brows, step;
  PetscCall(PetscBLASIntCast(problem->order, &D));
  PetscCall(PetscBLASIntCast(problem->blocks->C, &C));
  PetscCall(PetscBLASIntCast(samples / copies * problem->blocks->C, &step));
  PetscCall(PetscBLASIntCast(rows, &brows));
  nu += (size_t)(first / copies) * C;
  if (weights) {
    PetscCall(PetscMalloc1((size_t)rows * C, &weighted));
    for (PetscInt i = 0; i < rows; i++)
      for (PetscInt t = 0; t < C; t++)
        weighted[(size_t)i * C + t] = weights[first / copies + i * (samples / copies)] * nu[(size_t)i * step + t];
    nu = weighted;
    step = C;
  }
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &D, &C, &brows, &scale, phi, &D, nu, &step, &beta, h, &D));
  PetscCall(PetscFree(weighted));
  PetscCall(PetscLogFlops(2.0 * rows * D * C));
  PetscFunctionReturn(0);
}

size_t PsdGramTargetsLength(PsdProblem problem)
{
  return 2 * (size_t)problem->order * problem->blocks->C;
}

PetscErrorCode PsdGramTargetsMultiply(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi,
                                      PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  PetscCall(MultiplyColumns(problem, problem->nu0, first, rows, phi, beta, h));
  if (!problem->signs) PetscFunctionReturn(0); /* h_random is known: A'A is made a second time */
  PetscCall(MultiplyColumns(problem, problem->signs, first, rows, phi, beta, h + PsdGramTargetsLength(problem) / 2));
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

PetscErrorCode PsdGramTargetsKeep(PsdProblem problem, const PetscReal h[])
{
  PetscFunctionBeginUser;
  PetscCall(KeepColumns(problem, h, problem->h));
  if (problem->signs) PetscCall(KeepColumns(problem, h + PsdGramTargetsLength(problem) / 2, problem->h_random));
  PetscCall(PetscFree(problem->signs));
  PetscFunctionReturn(0);
}

/* The rows of a chunk times the roots of their samples' weights. */
static PetscErrorCode WeighRows(PsdProblem problem, PsdGramChunk *chunk)
{
  PetscFunctionBeginUser;
  const PetscInt samples = PsdFeaturesSamplesPerRow(problem->folded);
  const size_t length = (size_t)problem->order, room = (size_t)PsdFeaturesChunkRows(problem->folded) * length;
  if (!problem->gram_rows) PetscCall(PetscMalloc1(room, &problem->gram_rows));
  for (PetscInt i = 0; i < chunk->rows; i++) {
    const PetscReal root = PetscSqrtReal(problem->weights[chunk->first + i * samples]);
    const PetscReal *restrict from = chunk->phi + (size_t)i * (size_t)chunk->ld;
    PetscReal *restrict to = problem->gram_rows + (size_t)i * length;
    for (size_t k = 0; k < length; k++) to[k] = root * from[k];
  }
  chunk->weighted = problem->gram_rows;
  PetscFunctionReturn(0);
}

/* What a part of a chunk adds to h. */
typedef struct {
  PsdProblem problem;
  PetscReal beta, *h; /* beta: 1 after the first part */
} Targets;

static PetscErrorCode AddTargets(void *context, PetscInt first, PetscInt rows, const PetscReal phi[])
{
  PetscFunctionBeginUser;
  Targets *it = context;
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdGramTargetsMultiply(it->problem, first, rows, phi, it->beta, it->h));
  it->beta = 1;
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramGetChunk(PsdProblem problem, PetscInt k, PetscReal beta, PetscReal *h, PsdGramChunk *chunk)
{
  PetscFunctionBeginUser;
  const PsdFeatures features = problem->folded;
  Targets targets = {problem, beta, h};
  *chunk = (PsdGramChunk){.k = k};
  if (problem->single) {
    PsdFeaturesSizeChunk(features, k, &chunk->first, &chunk->rows, &chunk->ld);
    PetscCall(PsdFeaturesGetSingle(features, k, AddTargets, &targets, &chunk->single));
  } else {
    PetscCall(PsdFeaturesGetChunk(features, k, &chunk->first, &chunk->rows, &chunk->phi, &chunk->ld));
    PetscCall(AddTargets(&targets, chunk->first, chunk->rows, chunk->phi));
    chunk->weighted = chunk->phi;
    if (problem->weights) PetscCall(WeighRows(problem, chunk));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramMultiply(PsdProblem problem, const PsdGramChunk *chunk, PetscReal beta, char triangle,
                               PetscReal *gram)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt D, ld, rows;
  PetscCall(PetscBLASIntCast(problem->order, &D));
  PetscCall(PetscBLASIntCast(chunk->ld, &ld));
  PetscCall(PetscBLASIntCast(chunk->rows, &rows));
  if (chunk->single) {
    if (!problem->gram_work) PetscCall(PetscMalloc1(PsdGramSingleWork(problem->order), &problem->gram_work));
    PetscCall(PsdGramSingle(problem->order, chunk->rows, chunk->single, beta, triangle, problem->gram_work, gram));
  } else {
    PetscCallBLAS("BLASsyrk", BLASsyrk_(&triangle, "N", &D, &rows, &one, chunk->weighted, &ld, &beta, gram, &D));
    PetscCall(PetscLogFlops((PetscLogDouble)rows * D * D));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddChunk(PsdProblem problem, PetscInt k, Accumulator *to, PsdProgress progress)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  PsdGramChunk chunk;
  const PetscReal beta = to->gram_sum ? 0 : 1;
  PetscCall(PsdGramGetChunk(problem, k, beta, to->h, &chunk));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PsdGramMultiply(problem, &chunk, beta, 'U', problem->gram));
  if (to->gram_sum) {
    for (size_t column = 0; column < D; column++)
      PsdSumAdd(to->gram_sum, column * D, column + 1, problem->gram + column * D);
    PsdSumAdd(to->h_sum, 0, PsdGramTargetsLength(problem), to->h);
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PsdProgressUpdate(progress, chunk.first + chunk.rows * PsdFeaturesSamplesPerRow(problem->folded)));
  PetscFunctionReturn(0);
}

/* h on all ranks; of A'A, all on the root when sums are exact, else still this rank's part */
static PetscErrorCode Reduce(PsdProblem problem, Accumulator *from)
{
  PetscFunctionBeginUser;
  if (from->gram_sum) {
    PetscCall(PsdSumReduce(from->gram_sum, problem->comm, problem->gram));
    PetscCall(PsdSumReduce(from->h_sum, problem->comm, from->h));
    PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), from->h));
  } else {
    PetscCall(PsdSumArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), from->h));
  }
  PetscCall(PsdGramTargetsKeep(problem, from->h));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemComputeGram(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const size_t D = problem->order;
  Accumulator sums = {0};
  PsdProgress progress;
  PetscCall(PetscCalloc1(D * D, &problem->gram));
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &sums.h));
  if (D <= PSD_EXACT_UP_TO) {
    PetscCall(PsdSumCreate(D * D, &sums.gram_sum));
    PetscCall(PsdSumCreate(PsdGramTargetsLength(problem), &sums.h_sum));
  }
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->folded); k++)
    PetscCall(AddChunk(problem, k, &sums, progress));
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdFeaturesFreeSingle(problem->folded));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(Reduce(problem, &sums));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PetscFree(sums.h));
  PetscCall(PetscFree(problem->gram_work));
  PetscCall(PetscFree(problem->gram_rows));
  PetscCall(PsdSumDestroy(&sums.gram_sum));
  PetscCall(PsdSumDestroy(&sums.h_sum));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemComputeGradient(PsdProblem problem, PetscReal *trace)
{
  PetscFunctionBeginUser;
  PetscReal *h;
  PetscCall(PsdProblemCreateGradient(problem));
  PetscCall(PetscCalloc1(PsdGramTargetsLength(problem), &h));
  *trace = 0;
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->folded); k++) {
    PetscInt first, rows, ld;
    const PetscReal *phi;
    PetscCall(PsdFeaturesGetChunk(problem->folded, k, &first, &rows, &phi, &ld));
    PetscCall(PsdGramTargetsMultiply(problem, first, rows, phi, 1, h));
    for (PetscInt i = 0; i < rows; i++)
      *trace += PsdWeightOf(problem->weights, first + i * PsdFeaturesSamplesPerRow(problem->folded)) *
                PsdSquare(problem->order, phi + (size_t)i * ld);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, trace, 1, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, PsdGramTargetsLength(problem), h));
  PetscCall(PsdGramTargetsKeep(problem, h));
  PetscCall(PetscFree(h));
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
