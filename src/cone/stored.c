/*
   What one projection leaves for the next, in a file: a line of numbers for each block, and the vectors that its next partial
   projection starts from. Blocks go by their number, 2 pair + s; the rank that leads a block's team writes and reads it.

   A factor F is among it only where a partial projection would use it. Proofs that no positive eigenvalue was missed are left
   out: without one the next projection makes one.
*/
#include "base/archive.h"
#include "cone.h"
#include <string.h>

#define SLOTS "/cone/blocks"
#define VECTORS "/cone/vectors"
#define ITERATION "cone_iteration"

typedef enum { RANK, FACTOR, KEPT, COLUMNS, CHANGE, ZERO, NUMBERS } Number; /* of a block's line */

/* The blocks that this rank leads. */
typedef struct {
  PetscInt count;
  PsdConeSlot **slot;
} Led;

static PetscErrorCode FindLed(PsdCone cone, Led *led)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  PetscMPIInt rank;
  led->count = 0;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PetscMalloc1(2 * blocks->local + 2, &led->slot));
  for (PetscInt s = 0; s < 2 && !cone->shared; s++)
    for (PetscInt k = 0; k < blocks->local; k++) led->slot[led->count++] = &cone->slot[s][k];
  for (PetscInt k = 0; k < cone->team.blocks && cone->shared && cone->team.rank == 0; k++) {
    const PetscInt pair = cone->team.block[k] / 2, s = cone->team.block[k] % 2;
    const PetscBool own = (PetscBool)(PsdBlocksOwner(blocks, pair) == rank);
    led->slot[led->count++] = own ? &cone->slot[s][pair - blocks->first] : &cone->work_slot[k];
  }
  PetscFunctionReturn(0);
}

/* Whether a partial projection may come that would start from F. */
static PetscBool UsesFactor(PsdCone cone, PetscInt rank)
{
  const PetscInt d = cone->blocks->d;
  if (d <= PSD_CONE_SMALL_ORDER && cone->choice != PSD_CONE_SLEPC) return PETSC_FALSE;
  return (PetscBool)(rank > 0 && rank <= PetscMax(1, d / 4));
}

static void Describe(PsdCone cone, const PsdConeSlot *slot, PetscReal line[NUMBERS])
{
  line[RANK] = (PetscReal)slot->rank;
  line[FACTOR] = slot->F && UsesFactor(cone, slot->rank) ? (PetscReal)slot->rank : 0;
  line[KEPT] = (PetscReal)slot->kept;
  line[COLUMNS] = (PetscReal)slot->columns;
  line[CHANGE] = slot->change;
  line[ZERO] = slot->zero ? 1 : 0;
}

/* All blocks' lines on every rank. */
static PetscErrorCode DescribeAll(PsdCone cone, const Led *led, PetscReal **lines)
{
  PetscFunctionBeginUser;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(2 * cone->blocks->pairs * NUMBERS, &length));
  PetscCall(PetscCalloc1(length, lines));
  for (PetscInt k = 0; k < led->count; k++)
    Describe(cone, led->slot[k], *lines + (size_t)led->slot[k]->block * NUMBERS);
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
  (void)PsdArchiveAddArray(archive, SLOTS, blocks, NUMBERS);
  (void)PsdArchiveAddArray(archive, VECTORS, before[blocks], cone->blocks->d);
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.slot));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConePut(PsdCone cone, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PetscInt blocks = 2 * cone->blocks->pairs;
  const PetscInt64 d = cone->blocks->d;
  PetscInt slots, vectors;
  PetscInt64 *before;
  PetscReal *lines;
  Led led;
  PetscCall(FindLed(cone, &led));
  PetscCall(DescribeAll(cone, &led, &lines));
  PetscCall(CountVectors(blocks, lines, &before));
  (void)PsdArchiveFind(archive, SLOTS, (PetscInt64)blocks * NUMBERS, &slots);
  (void)PsdArchiveFind(archive, VECTORS, before[blocks] * d, &vectors);
  for (PetscInt k = 0; k < led.count; k++) {
    const PsdConeSlot *slot = led.slot[k];
    const PetscReal *line = lines + (size_t)slot->block * NUMBERS;
    const PetscInt64 first = before[slot->block], factor = (PetscInt64)line[FACTOR];
    PsdArchivePut(archive, slots, (PetscInt64)slot->block * NUMBERS, NUMBERS, line);
    PsdArchivePut(archive, vectors, first * d, factor * d, slot->F);
    PsdArchivePut(archive, vectors, (first + factor) * d, slot->kept * d, slot->V);
  }
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.slot));
  PetscFunctionReturn(0);
}

/* Room for as many vectors as a partial projection may keep later: partial.c asks for no other. */
static PetscErrorCode Take(PsdCone cone, PsdArchive archive, PetscInt vectors, PetscInt64 first,
                           const PetscReal line[NUMBERS], PsdConeSlot *slot)
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d, factor = (PetscInt)line[FACTOR], kept = (PetscInt)line[KEPT];
  slot->rank = (PetscInt)line[RANK];
  slot->columns = (PetscInt)line[COLUMNS];
  slot->change = line[CHANGE];
  slot->zero = (PetscBool)(line[ZERO] != 0 && !cone->shared);
  slot->kept = PetscMin(kept, PsdConeMostKept(d));
  /* written by a run that had no use for it: as if there had been no projection */
  if (factor == 0 && UsesFactor(cone, slot->rank)) slot->rank = -1;
  PetscCall(PsdConeSlotReserve(slot, d, factor));
  PsdArchiveGet(archive, vectors, first * d, (PetscInt64)factor * d, slot->F);
  if (slot->kept > 0 && !slot->V) PetscCall(PetscMalloc1((size_t)d * PsdConeMostKept(d), &slot->V));
  PsdArchiveGet(archive, vectors, (first + factor) * d, (PetscInt64)slot->kept * d, slot->V);
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
  PetscInt slots, vectors;
  PetscInt64 *before;
  PetscReal *lines;
  Led led;
  PetscCall(PsdArchiveGetInt(archive, ITERATION, &cone->iteration));
  (void)PsdArchiveFind(archive, SLOTS, (PetscInt64)blocks * NUMBERS, &slots);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(PetscMalloc1((size_t)blocks * NUMBERS, &lines));
  PetscCall(PsdArchiveGetAll(archive, slots, lines));
  PsdCheckInput(LinesAreSound(d, blocks, lines), "array " SLOTS " of the file is not what a projection leaves");
  PetscCall(CountVectors(blocks, lines, &before));
  (void)PsdArchiveFind(archive, VECTORS, before[blocks] * d, &vectors);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(FindLed(cone, &led));
  for (PetscInt k = 0; k < led.count; k++) {
    PsdConeSlot *slot = led.slot[k];
    PetscCall(Take(cone, archive, vectors, before[slot->block], lines + (size_t)slot->block * NUMBERS, slot));
  }
  PetscCall(PetscFree(before));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(led.slot));
  PetscFunctionReturn(0);
}
