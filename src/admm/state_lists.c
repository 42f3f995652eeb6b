/*
   What a checkpoint holds in lists of no fixed length: the neurons of the best network, the history, and the caller's record.
*/
#include "admm.h"
#include "base/base.h"

/* ---------------------------------------------------------------- neurons

   By pairs: how many each pair has, and a line of numbers for each neuron. */

#define COUNTS "/neurons/count"
#define NEURONS "/neurons/lines"

typedef enum { WEIGHT, REGION, CLASS, FILTER } Part; /* the filter is the last f numbers of the line */

static PetscInt PairOf(const PsdNeurons *neurons, PsdBlocks blocks, PetscInt k)
{
  return neurons->class[k] * blocks->G + neurons->region[k];
}

/* counts: pairs numbers, the same on all ranks. before, total: neurons of lower ranks, and of all. */
static PetscErrorCode CountNeurons(PsdAdmm admm, PetscReal counts[], PetscInt64 *before, PetscInt64 *total)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(blocks->pairs, &length));
  PetscCall(PetscArrayzero(counts, blocks->pairs));
  for (PetscInt k = 0; k < admm->best.N; k++) counts[PairOf(&admm->best, blocks, k)]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, length, MPIU_REAL, MPI_SUM, blocks->comm));
  *before = *total = 0;
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    if (pair == blocks->first) *before = *total;
    *total += (PetscInt64)counts[pair];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscInt64 before, total;
  PetscReal *counts;
  PetscCall(PetscMalloc1(admm->blocks->pairs, &counts));
  PetscCall(CountNeurons(admm, counts, &before, &total));
  (void)PsdArchiveAddArray(archive, COUNTS, admm->blocks->pairs, 1);
  (void)PsdArchiveAddArray(archive, NEURONS, total, FILTER + admm->blocks->f);
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  const PsdNeurons *best = &admm->best;
  const PetscInt64 width = FILTER + blocks->f;
  PetscInt array;
  PetscInt64 at, total;
  PetscReal *counts, *line;
  PetscCall(PetscMalloc2(blocks->pairs, &counts, width, &line));
  PetscCall(CountNeurons(admm, counts, &at, &total));
  (void)PsdArchiveFind(archive, COUNTS, blocks->pairs, &array);
  PsdArchivePut(archive, array, blocks->first, blocks->local, counts + blocks->first);
  (void)PsdArchiveFind(archive, NEURONS, total * width, &array);
  for (PetscInt pair = blocks->first; pair < blocks->first + blocks->local; pair++) {
    for (PetscInt k = 0; k < best->N; k++) {
      if (PairOf(best, blocks, k) != pair) continue;
      line[WEIGHT] = best->weight[k];
      line[REGION] = (PetscReal)best->region[k];
      line[CLASS] = (PetscReal)best->class[k];
      PetscCall(PetscArraycpy(line + FILTER, best->filter + (size_t)k * blocks->f, blocks->f));
      PsdArchivePut(archive, array, at++ * width, width, line);
    }
  }
  PetscCall(PetscFree2(counts, line));
  PetscFunctionReturn(0);
}

/* This rank's lines in the order in which a network is extracted: those of Z, then those of Z'. */
static PetscErrorCode TakeNeurons(PsdAdmm admm, PetscInt count, const PetscReal lines[])
{
  PetscFunctionBeginUser;
  PsdNeurons *best = &admm->best;
  const PetscInt f = admm->blocks->f;
  best->N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < count; k++) {
      const PetscReal *line = lines + (size_t)k * (FILTER + f);
      if ((line[WEIGHT] < 0) != (s == 1)) continue;
      best->weight[best->N] = line[WEIGHT];
      best->region[best->N] = (PetscInt)line[REGION];
      best->class[best->N] = (PetscInt)line[CLASS];
      PetscCall(PetscArraycpy(best->filter + (size_t)best->N * f, line + FILTER, f));
      best->N++;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  const PetscInt64 width = FILTER + blocks->f;
  PetscInt array;
  PetscInt64 before = 0, total = 0, mine = 0;
  PetscReal *counts, *lines;
  PetscBool sound = PETSC_TRUE;
  PetscCall(PetscMalloc1(blocks->pairs, &counts));
  (void)PsdArchiveFind(archive, COUNTS, blocks->pairs, &array);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(PsdArchiveGetAll(archive, array, counts));
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    sound = (PetscBool)(sound && counts[pair] >= 0 && counts[pair] <= 2 * blocks->d);
    if (pair == blocks->first) before = total;
    if (pair >= blocks->first && pair < blocks->first + blocks->local) mine += (PetscInt64)counts[pair];
    total += (PetscInt64)counts[pair];
  }
  PsdCheckInput(sound, "%s: more neurons than the blocks have", admm->checkpoint.path);
  (void)PsdArchiveFind(archive, NEURONS, total * width, &array);
  PetscCall(PetscMalloc1(mine * width, &lines));
  PsdArchiveGet(archive, array, before * width, mine * width, lines);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(TakeNeurons(admm, (PetscInt)mine, lines));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- history

   The root's; a line of numbers for each check. */

#define HISTORY "/history"
#define COLUMNS 10

static void Line(const PsdAdmmStatus *status, PetscReal line[COLUMNS])
{
  const PetscReal values[COLUMNS] = {(PetscReal)status->iteration,
                                     status->seconds,
                                     status->primal_residual,
                                     status->dual_residual,
                                     status->rho,
                                     status->objective,
                                     status->bound,
                                     status->gap,
                                     (PetscReal)status->rank_Z,
                                     (PetscReal)status->neurons};
  (void)PetscArraycpy(line, values, COLUMNS);
}

static PetscErrorCode PutHistory(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdCheckpoint *it = &admm->checkpoint;
  PetscReal line[COLUMNS];
  PetscMPIInt rank;
  PetscInt array;
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  (void)PsdArchiveFind(archive, HISTORY, (PetscInt64)it->rows * COLUMNS, &array);
  for (PetscInt k = 0; k < it->rows && rank == 0; k++) {
    Line(&it->history[k], line);
    PsdArchivePut(archive, array, (PetscInt64)k * COLUMNS, COLUMNS, line);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetHistory(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  PetscInt array;
  PetscReal *lines;
  const PetscInt rows = (PetscInt)(PsdArchiveFind(archive, HISTORY, -1, &array) / COLUMNS);
  const PsdAdmmStatus now = admm->status;
  PetscCall(PetscMalloc1((size_t)(rows + 1) * COLUMNS, &lines));
  PetscCall(PsdArchiveGetAll(archive, array, lines));
  for (PetscInt k = 0; k < rows; k++) {
    const PetscReal *x = lines + (size_t)k * COLUMNS;
    admm->status = (PsdAdmmStatus){.iteration = (PetscInt)x[0],
                                   .seconds = x[1],
                                   .primal_residual = x[2],
                                   .dual_residual = x[3],
                                   .rho = x[4],
                                   .objective = x[5],
                                   .bound = x[6],
                                   .gap = x[7],
                                   .rank_Z = (PetscInt)x[8],
                                   .neurons = (PetscInt)x[9]};
    PetscCall(PsdCheckpointNote(admm));
  }
  admm->status = now;
  PetscCall(PetscFree(lines));
  it->rows = rows;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the caller's record

   The same on all ranks. */

#define RECORD "/record"

static void PutRecord(const PsdAdmmRecord *record, PetscMPIInt rank, PsdArchive archive)
{
  PetscInt array;
  const PetscInt64 length = (PetscInt64)record->rows * record->columns;
  (void)PsdArchiveFind(archive, RECORD, length, &array);
  if (rank == 0) PsdArchivePut(archive, array, 0, length, record->numbers);
}

static PetscErrorCode GetRecord(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PsdAdmmRecord *record = admm->checkpoint.record;
  PetscInt array;
  const PetscInt64 length = PsdArchiveFind(archive, RECORD, -1, &array);
  PsdCheckInput(length % record->columns == 0 && length / record->columns < record->most,
                "%s: array " RECORD " has %lld numbers, expected rows of %" PetscInt_FMT ", fewer than %" PetscInt_FMT,
                admm->checkpoint.path, (long long)length, record->columns, record->most);
  PetscCall(PsdArchiveGetAll(archive, array, record->numbers));
  record->rows = (PetscInt)(length / record->columns);
  record->resumed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all */

PetscErrorCode PsdStateAddLists(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdAdmmRecord *record = admm->checkpoint.record;
  PetscCall(AddNeurons(admm, archive));
  (void)PsdArchiveAddArray(archive, HISTORY, admm->checkpoint.rows, COLUMNS);
  if (record) (void)PsdArchiveAddArray(archive, RECORD, record->rows, record->columns);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStatePutLists(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  PetscCall(PutNeurons(admm, archive));
  PetscCall(PutHistory(admm, archive));
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  if (admm->checkpoint.record) PutRecord(admm->checkpoint.record, rank, archive);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStateGetLists(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscCall(GetNeurons(admm, archive));
  PetscCall(GetHistory(admm, archive));
  if (admm->checkpoint.record) PetscCall(GetRecord(admm, archive));
  PetscFunctionReturn(0);
}
