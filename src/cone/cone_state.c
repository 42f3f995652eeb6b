/*
   What one projection leaves for the next, in a file: a line of numbers for each block, and the vectors that its next
   partial projection starts from. Blocks go by their number, 2 pair + s; the rank that leads a block's team writes
   and reads it.

   A factor F is among it only where a partial projection would use it. Proofs that no positive eigenvalue was missed
   are left out: without one the next projection makes one.
*/
#include "base/visitor.h"
#include "cone_impl.h"

#define STATES "/cone/blocks"
#define VECTORS "/cone/vectors"
#define ITERATION "cone_iteration"

typedef enum { RANK, FACTOR, KEPT, COLUMNS, CHANGE, ZERO, NUMBERS } Number; /* of a block's line */

/* The blocks that this rank leads. */
typedef struct {
  PetscInt count;
  PsdBlockState **state;
} Led;

static PetscErrorCode FindLed(PsdCone cone, PsdVisitor v, Led *led)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  PetscMPIInt rank;
  led->count = 0;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PsdVisitorWork(v, (size_t)(2 * blocks->local + 2) * sizeof(*led->state), &led->state));
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
static PetscBool UsesFactor(PsdCone cone, PetscInt d, PetscInt rank)
{
  const PetscBool asked = (PetscBool)(cone->choice != PSD_CONE_AUTO && !PsdConeTable[cone->choice]->complete);
  if (d <= PSD_CONE_SMALL_ORDER && !asked) return PETSC_FALSE;
  return (PetscBool)(rank > 0 && rank <= PetscMax(1, d / 4));
}

static void Describe(PsdCone cone, const PsdBlockState *state, PetscReal line[NUMBERS])
{
  line[RANK] = (PetscReal)state->rank_Z;
  line[FACTOR] = state->F && UsesFactor(cone, state->d, state->rank_Z) ? (PetscReal)state->rank_Z : 0;
  line[KEPT] = (PetscReal)state->kept;
  line[COLUMNS] = (PetscReal)state->columns;
  line[CHANGE] = state->change;
  line[ZERO] = state->zero ? 1 : 0;
}

/* All blocks' lines on every rank. */
static PetscErrorCode DescribeAll(PsdCone cone, PsdVisitor v, const Led *led, PetscReal **lines)
{
  PetscFunctionBeginUser;
  const size_t length = 2 * (size_t)cone->blocks->pairs * NUMBERS;
  PetscCall(PsdVisitorWork(v, length * sizeof(PetscReal), lines));
  PetscCall(PetscArrayzero(*lines, length));
  for (PetscInt k = 0; k < led->count; k++)
    Describe(cone, led->state[k], *lines + (size_t)led->state[k]->block * NUMBERS);
  PetscCall(PsdSumArray(cone->blocks->comm, MPIU_REAL, length, *lines));
  PetscFunctionReturn(0);
}

/* before[k]: numbers in the vectors of the blocks before block k; of all for one too many. */
static PetscErrorCode CountNumbers(PsdVisitor v, PsdBlocks blocks, const PetscReal lines[], PetscInt64 **before)
{
  PetscFunctionBeginUser;
  const PetscInt count = 2 * blocks->pairs;
  PetscCall(PsdVisitorWork(v, (size_t)(count + 1) * sizeof(**before), before));
  (*before)[0] = 0;
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *line = lines + (size_t)k * NUMBERS;
    (*before)[k + 1] =
        (*before)[k] + ((PetscInt64)line[FACTOR] + (PetscInt64)line[KEPT]) * PsdBlocksPair(blocks, k / 2).d;
  }
  PetscFunctionReturn(0);
}

static PetscBool IsCount(PetscReal number)
{
  return (PetscBool)(number == PetscFloorReal(number) && PetscAbsReal(number) <= PETSC_MAX_INT);
}

/* What the file says of blocks is within the range of what a projection leaves. */
static PetscBool LinesAreSound(PsdBlocks blocks, const PetscReal lines[])
{
  for (PetscInt k = 0; k < 2 * blocks->pairs; k++) {
    const PetscReal *line = lines + (size_t)k * NUMBERS;
    const PetscInt d = PsdBlocksPair(blocks, k / 2).d;
    if (!(line[RANK] >= -1 && line[RANK] <= d && line[KEPT] >= 0 && line[KEPT] <= PsdConeMostKept(d)))
      return PETSC_FALSE;
    if (line[FACTOR] != 0 && line[FACTOR] != line[RANK]) return PETSC_FALSE;
    if (!(line[FACTOR] >= 0 && line[COLUMNS] >= 0)) return PETSC_FALSE;
    if (!(IsCount(line[RANK]) && IsCount(line[KEPT]) && IsCount(line[COLUMNS]))) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The block is as its line says, with room for its vectors, and for as many as a partial projection may keep later:
   partial.c asks for no other. */
static PetscErrorCode TakeLine(PsdCone cone, const PetscReal line[NUMBERS], PsdBlockState *state)
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d, factor = (PetscInt)line[FACTOR];
  state->rank_Z = (PetscInt)line[RANK];
  state->columns = (PetscInt)line[COLUMNS];
  state->change = line[CHANGE];
  state->zero = (PetscBool)(line[ZERO] != 0 && !cone->shared);
  state->kept = (PetscInt)line[KEPT];
  /* written by a run that had no use for it: as if there had been no projection */
  if (factor == 0 && UsesFactor(cone, d, state->rank_Z)) state->rank_Z = -1;
  PetscCall(PsdBlockStateReserve(state, factor));
  if (state->kept > 0 && !state->V) PetscCall(PetscMalloc1((size_t)d * PsdConeMostKept(d), &state->V));
  PetscFunctionReturn(0);
}

/* lines: of all blocks, on every rank. */
static PetscErrorCode VisitVectors(PsdCone cone, PsdVisitor v, const Led *led, const PetscReal lines[])
{
  PetscFunctionBeginUser;
  PsdVisitedArray vectors;
  PetscInt64 *before;
  PetscCall(CountNumbers(v, cone->blocks, lines, &before));
  PetscCall(PsdVisitArray(v, VECTORS, before[2 * (size_t)cone->blocks->pairs], 1, &vectors));
  for (PetscInt k = 0; k < led->count; k++) {
    PsdBlockState *state = led->state[k];
    const PetscReal *line = lines + (size_t)state->block * NUMBERS;
    const PetscInt64 first = before[state->block], factor = (PetscInt64)line[FACTOR] * state->d;
    if (PsdVisitorIsReading(v)) PetscCall(TakeLine(cone, line, state));
    PsdVisitRows(v, vectors, first, factor, state->F);
    PsdVisitRows(v, vectors, first + factor, (PetscInt64)state->kept * state->d, state->V);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeVisit(PsdCone cone, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * cone->blocks->pairs;
  PetscReal *lines;
  Led led;
  PetscCall(FindLed(cone, v, &led));
  PetscCall(DescribeAll(cone, v, &led, &lines));
  PetscCall(PsdVisitInt(v, ITERATION, 0, PETSC_MAX_INT, &cone->iteration));
  PetscCall(PsdVisitReplicated(v, STATES, blocks, NUMBERS, lines));
  if (PsdVisitorIsReading(v) && !LinesAreSound(cone->blocks, lines))
    PsdVisitorFail(v, "array " STATES " is not what a projection leaves");
  PetscCall(PsdVisitorAgree(v));
  PetscCall(VisitVectors(cone, v, &led, lines));
  PetscFunctionReturn(0);
}
