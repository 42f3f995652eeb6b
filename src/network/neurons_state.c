/*
   A network's neurons in a file: how many each pair has, and a line of numbers for each neuron, pair after pair.
*/
#include "neurons.h"

#define COUNTS "/neurons/count"
#define LINES "/neurons/lines"

typedef enum { WEIGHT, REGION, CLASS, FILTER } Part; /* the filter is the last f numbers of the line */

static PetscInt PairOf(const PsdNeurons *neurons, PsdBlocks blocks, PetscInt k)
{
  return neurons->class[k] * blocks->G + neurons->region[k];
}

/* counts: of all pairs, on every rank. */
static PetscErrorCode CountNeurons(const PsdNeurons *neurons, PsdBlocks blocks, PetscReal counts[])
{
  PetscFunctionBeginUser;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(blocks->pairs, &length));
  PetscCall(PetscArrayzero(counts, blocks->pairs));
  for (PetscInt k = 0; k < neurons->N; k++) counts[PairOf(neurons, blocks, k)]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, length, MPIU_REAL, MPI_SUM, blocks->comm));
  PetscFunctionReturn(0);
}

/* Which lines are this rank's, of how many. */
typedef struct {
  PetscInt64 before, mine, total;
} Share;

static Share FindShare(PsdBlocks blocks, const PetscReal counts[])
{
  Share share = {0, 0, 0};
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    const PetscInt64 count = (PetscInt64)counts[pair];
    if (pair < blocks->first) share.before += count;
    else if (pair < blocks->first + blocks->local) share.mine += count;
    share.total += count;
  }
  return share;
}

static PetscErrorCode FillLines(const PsdNeurons *neurons, PsdBlocks blocks, PetscReal *line)
{
  PetscFunctionBeginUser;
  for (PetscInt pair = blocks->first; pair < blocks->first + blocks->local; pair++) {
    for (PetscInt k = 0; k < neurons->N; k++) {
      if (PairOf(neurons, blocks, k) != pair) continue;
      line[WEIGHT] = neurons->weight[k];
      line[REGION] = (PetscReal)neurons->region[k];
      line[CLASS] = (PetscReal)neurons->class[k];
      PetscCall(PetscArraycpy(line + FILTER, neurons->filter + (size_t)k * blocks->f_max, blocks->f_max));
      line += FILTER + blocks->f_max;
    }
  }
  PetscFunctionReturn(0);
}

/* Every line is of the pair that it is counted for, and its filter of length 1. */
static PetscBool LinesAreSound(PsdBlocks blocks, const PetscReal counts[], const PetscReal *line)
{
  for (PetscInt pair = blocks->first; pair < blocks->first + blocks->local; pair++) {
    const PetscInt region = pair % blocks->G, class = pair / blocks->G;
    for (PetscInt k = 0; k < (PetscInt)counts[pair]; k++, line += FILTER + blocks->f_max)
      if (line[REGION] != (PetscReal)region || line[CLASS] != (PetscReal) class ||
          PetscAbsReal(line[WEIGHT]) > PSD_STATE_LARGEST || !PsdFilterIsUnit(blocks, region, line + FILTER))
        return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static PetscErrorCode TakeLines(PetscInt count, const PetscReal lines[], PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  const PetscInt f = neurons->f;
  neurons->N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < count; k++) {
      const PetscReal *line = lines + (size_t)k * (FILTER + f);
      if ((line[WEIGHT] < 0) != (s == 1)) continue;
      neurons->weight[neurons->N] = line[WEIGHT];
      neurons->region[neurons->N] = (PetscInt)line[REGION];
      neurons->class[neurons->N] = (PetscInt)line[CLASS];
      PetscCall(PetscArraycpy(neurons->filter + (size_t)neurons->N * f, line + FILTER, f));
      neurons->N++;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitCounts(const PsdNeurons *neurons, PsdBlocks blocks, PsdVisitor v, PetscReal counts[])
{
  PetscFunctionBeginUser;
  if (!PsdVisitorIsReading(v)) PetscCall(CountNeurons(neurons, blocks, counts));
  PetscCall(PsdVisitReplicated(v, COUNTS, blocks->pairs, 1, counts));
  for (PetscInt pair = 0; pair < blocks->pairs && PsdVisitorIsReading(v); pair++)
    if (!(counts[pair] >= 0 && counts[pair] <= 2 * PsdBlocksPair(blocks, pair).d &&
          counts[pair] == PetscFloorReal(counts[pair])))
      PsdVisitorFail(v, "array " COUNTS " says that a pair has %g neurons, expected 0 to %" PetscInt_FMT,
                     (double)counts[pair], 2 * PsdBlocksPair(blocks, pair).d);
  PetscCall(PsdVisitorAgree(v));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNeuronsVisit(PsdNeurons *neurons, PsdBlocks blocks, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdVisitedArray array;
  PetscReal *counts, *lines;
  PetscCall(PsdVisitorWork(v, (size_t)blocks->pairs * sizeof(PetscReal), &counts));
  PetscCall(VisitCounts(neurons, blocks, v, counts));
  const Share share = FindShare(blocks, counts);
  PetscCall(PsdVisitorWork(v, (size_t)share.mine * (size_t)(FILTER + blocks->f_max) * sizeof(PetscReal), &lines));
  if (PsdVisitorIsWriting(v)) PetscCall(FillLines(neurons, blocks, lines));
  PetscCall(PsdVisitArray(v, LINES, share.total, FILTER + blocks->f_max, &array));
  PsdVisitRows(v, array, share.before, share.mine, lines);
  if (PsdVisitorIsReading(v)) {
    if (!LinesAreSound(blocks, counts, lines))
      PsdVisitorFail(v, "array " LINES " has a neuron that is not its pair's, or of another length than 1");
    PetscCall(PsdVisitorAgree(v));
    PetscCall(TakeLines((PetscInt)share.mine, lines, neurons));
  }
  PetscFunctionReturn(0);
}
