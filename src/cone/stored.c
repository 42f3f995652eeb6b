/*
   What one projection leaves for the next, in a file: a line of numbers for each block, and the vectors that its next partial
   projection starts from. Blocks go by their number, 2 pair + s; the rank that leads a block's team writes and reads it.

   A factor F is among it only where a partial projection would use it. Proofs that no positive eigenvalue was missed are left
   out: without one the next projection makes one.
*/
#include "base/archive.h"
#include "cone_impl.h"
#include <string.h>

#define STATES "/cone/blocks"
#define VECTORS "/cone/vectors"
#define ITERATION "cone_iteration"

typedef enum { RANK, FACTOR, KEPT, COLUMNS, CHANGE, ZERO, NUMBERS } Number; /* of a block's line */

/* The blocks that this rank leads. */
typedef struct {
  PetscInt count;
  PsdBlockState **state;
} Led;

static PetscErrorCode FindLed(PsdCone cone, Led *led)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  PetscMPIInt rank;
  led->count = 0;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PetscMalloc1(2 * blocks->local + 2, &led->state));
  for (PetscInt s = 0; s < 2 && !cone->shared; s++)
    for (PetscInt k = 0; k < blocks->local; k++) led->state[led->count++] = &cone->state[s][k];
  for (PetscInt k = 0; k < cone->team.blocks && cone->shared && cone->team.rank == 0; k++) {
    const PetscInt pair = cone->team.block[k] / 2, s = cone->team.block[k] % 2;
    const PetscBool own = (PetscBool)(PsdBlocksOwner(blocks, pair) == rank);
    led->state[led->count++] = own ? &cone->state[s][pair - blocks->first] : &cone->work_state[k];
  }
  PetscFunctionReturn(0);
}

/* Whether a partial projection may come that would start from F. */
static PetscBool UsesFactor(PsdCone cone, PetscInt rank)
{
  const PetscInt d = cone->blocks->d;
  const PetscBool asked = (PetscBool)(cone->choice != PSD_CONE_AUTO && !PsdConeTable[cone->choice]->complete);
  if (d <= PSD_CONE_SMALL_ORDER && !asked) return PETSC_FALSE;
  return (PetscBool)(rank > 0 && rank <= PetscMax(1, d / 4));
}

static void Describe(PsdCone cone, const PsdBlockState *state, PetscReal line[NUMBERS])
{
  line[RANK] = (PetscReal)state->rank_Z;
  line[FACTOR] = state->F && UsesFactor(cone, state->rank_Z) ? (PetscReal)state->rank_Z : 0;
  line[KEPT] = (PetscReal)state->kept;
  line[COLUMNS] = (PetscReal)state->columns;
  line[CHANGE] = state->change;
  line[ZERO] = state->zero ? 1 : 0;
}

/* All blocks' lines on every rank. */
static PetscErrorCode DescribeAll(PsdCone cone, const Led *led, PetscReal **lines)
{
  PetscFunctionBeginUser;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(2 * cone->blocks->pairs * NUMBERS, &length));
  PetscCall(PetscCalloc1(length, lines));
  for (PetscInt k = 0; k < led->count; k++)
    Describe(cone, led->state[k], *lines + (size_t)led->state[k]->block * NUMBERS);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, *lines, length, MPIU_REAL, MPI_SUM, cone->blocks->comm));
  PetscFunctionReturn(0);
}

/* before[k]: vectors of the blocks before block k; of all for one too many. PetscFree. */
static PetscErrorCode CountVectors(PetscInt blocks, const PetscReal lines[], PetscInt64 **before)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(blocks + 1, before));
  (*before)[0] = 0;
  for (PetscInt k = 0; k < blocks; k++)
    (*before)[k + 1] = (*before)[k] + (PetscInt64)lines[k * NUMBERS + FACTOR] + (PetscInt64)lines[k * NUMBERS + KEPT];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeAdd(PsdCone cone, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * cone->blocks->pairs;
  PetscInt64 *before;
  PetscReal *lines;
  Led led;
  PetscCall(FindLed(cone, &led));
  PetscCall(DescribeAll(cone, &led, &lines));
  PetscCall(CountVectors(blocks, lines, &before));
  PsdArchiveAddInt(archive, ITERATION, cone->iteration);
  (void)PsdArchiveAddArray(archive, STATES, blocks, NUMBERS);
  (void)PsdArchiveAddArray(archive, VECTORS, before[blocks], cone->blocks->d);
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.state));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConePut(PsdCone cone, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * cone->blocks->pairs;
  const PetscInt64 d = cone->blocks->d;
  PetscInt states, vectors;
  PetscInt64 *before;
  PetscReal *lines;
  Led led;
  PetscCall(FindLed(cone, &led));
  PetscCall(DescribeAll(cone, &led, &lines));
  PetscCall(CountVectors(blocks, lines, &before));
  (void)PsdArchiveFind(archive, STATES, (PetscInt64)blocks * NUMBERS, &states);
  (void)PsdArchiveFind(archive, VECTORS, before[blocks] * d, &vectors);
  for (PetscInt k = 0; k < led.count; k++) {
    const PsdBlockState *state = led.state[k];
    const PetscReal *line = lines + (size_t)state->block * NUMBERS;
    const PetscInt64 first = before[state->block], factor = (PetscInt64)line[FACTOR];
    PsdArchivePut(archive, states, (PetscInt64)state->block * NUMBERS, NUMBERS, line);
    PsdArchivePut(archive, vectors, first * d, factor * d, state->F);
    PsdArchivePut(archive, vectors, (first + factor) * d, state->kept * d, state->V);
  }
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.state));
  PetscFunctionReturn(0);
}

/* Room for as many vectors as a partial projection may keep later: partial.c asks for no other. */
static PetscErrorCode Take(PsdCone cone, PsdArchive archive, PetscInt vectors, PetscInt64 first,
                           const PetscReal line[NUMBERS], PsdBlockState *state)
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d, factor = (PetscInt)line[FACTOR], kept = (PetscInt)line[KEPT];
  state->rank_Z = (PetscInt)line[RANK];
  state->columns = (PetscInt)line[COLUMNS];
  state->change = line[CHANGE];
  state->zero = (PetscBool)(line[ZERO] != 0 && !cone->shared);
  state->kept = PetscMin(kept, PsdConeMostKept(d));
  /* written by a run that had no use for it: as if there had been no projection */
  if (factor == 0 && UsesFactor(cone, state->rank_Z)) state->rank_Z = -1;
  PetscCall(PsdBlockStateReserve(state, d, factor));
  PsdArchiveGet(archive, vectors, first * d, (PetscInt64)factor * d, state->F);
  if (state->kept > 0 && !state->V) PetscCall(PetscMalloc1((size_t)d * PsdConeMostKept(d), &state->V));
  PsdArchiveGet(archive, vectors, (first + factor) * d, (PetscInt64)state->kept * d, state->V);
  PetscFunctionReturn(0);
}

/* What the file says of blocks is within the range of what a projection leaves. */
static PetscBool LinesAreSound(PetscInt d, PetscInt blocks, const PetscReal lines[])
{
  for (PetscInt k = 0; k < blocks; k++) {
    const PetscReal *line = lines + (size_t)k * NUMBERS;
    if (!(line[RANK] >= -1 && line[RANK] <= d && line[KEPT] >= 0 && line[KEPT] <= PsdConeMostKept(d)))
      return PETSC_FALSE;
    if (line[FACTOR] != 0 && line[FACTOR] != line[RANK]) return PETSC_FALSE;
    if (!(line[COLUMNS] >= 0 && line[COLUMNS] <= PETSC_MAX_INT)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscErrorCode PsdConeGet(PsdCone cone, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * cone->blocks->pairs, d = cone->blocks->d;
  PetscInt states, vectors;
  PetscInt64 *before;
  PetscReal *lines;
  Led led;
  PetscCall(PsdArchiveGetInt(archive, ITERATION, &cone->iteration));
  (void)PsdArchiveFind(archive, STATES, (PetscInt64)blocks * NUMBERS, &states);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(PetscMalloc1((size_t)blocks * NUMBERS, &lines));
  PetscCall(PsdArchiveGetAll(archive, states, lines));
  PsdCheckInput(LinesAreSound(d, blocks, lines), "array " STATES " of the file is not what a projection leaves");
  PetscCall(CountVectors(blocks, lines, &before));
  (void)PsdArchiveFind(archive, VECTORS, before[blocks] * d, &vectors);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(FindLed(cone, &led));
  for (PetscInt k = 0; k < led.count; k++) {
    PsdBlockState *state = led.state[k];
    PetscCall(Take(cone, archive, vectors, before[state->block], lines + (size_t)state->block * NUMBERS, state));
  }
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.state));
  PetscFunctionReturn(0);
}
