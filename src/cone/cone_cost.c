/*
   What projections cost a run that lets `auto` choose: complete decompositions at first, and of large blocks partial ones
   afterwards. Kernels state what theirs are; here is what all blocks of a rank make of it.
*/
#include "cone_impl.h"

#define COMPLETE 4 /* iterations before blocks have settled */

/* Blocks go to other ranks than their owners' as well. */
static PetscBool Shares(const PsdSizes *s)
{
  return (PetscBool)(s->d > PSD_CONE_TEAM_ORDER && s->ranks > s->pairs);
}

/* Several ranks work on one. */
static PetscBool HasTeams(const PsdSizes *s)
{
  return (PetscBool)(Shares(s) && s->ranks > 2 * s->pairs);
}

static PetscBool AreLarge(const PsdSizes *s)
{
  return (PetscBool)(s->d > PSD_CONE_SMALL_ORDER);
}

/* Of a rank that projects, with kernel k. */
static PetscReal KernelBytes(const PsdSizes *s, PetscInt k)
{
  PsdMemory own = {0};
  PetscReal root, others;
  (*PsdConeTable[k]->memory)(s, &own);
  PsdMemoryPeak(&own, &root, &others);
  return root;
}

/* X and kernels; of each block F of a third of the order and, where there are proofs, the block that one was made for. What a complete
   kernel holds a team has too, in its place. */
void PsdConeMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscBool large = AreLarge(s), shared = Shares(s);
  const PetscReal most = PsdSizesPairsMost(s), least = PsdSizesPairsLeast(s), working = shared || least > 0 ? 1 : 0;
  const PetscReal square = PSD_BYTES_REAL * s->d * s->d, vector = PSD_BYTES_REAL * s->m;
  const PetscReal state = square / 3 + (large ? vector : 0);
  PetscReal kernels = KernelBytes(s, PsdConeFirst(PETSC_TRUE, PETSC_FALSE));
  if (HasTeams(s)) kernels = PetscMax(kernels, KernelBytes(s, PsdConeFirst(PETSC_TRUE, PETSC_TRUE)));
  if (large) kernels += KernelBytes(s, PsdConeFirst(PETSC_FALSE, PETSC_TRUE));
  PsdMemoryAdd(memory, "projection", PSD_PHASE_ADMM, PSD_PHASE_CERTIFY, square + kernels + 2 * state * most,
               working * (square + kernels + 2 * state * PetscMax(least, shared ? 1 : 0) + (shared ? vector : 0)));
}

PetscReal PsdConeCompleteIterations(PetscReal iterations)
{
  return PetscMin(COMPLETE, iterations);
}

PsdCost PsdConeCost(const PsdSizes *s, const PsdRates *rates, PetscBool complete)
{
  const PetscReal blocks =
      Shares(s) ? PetscCeilReal(2 * (PetscReal)s->pairs / (PetscReal)s->ranks) : 2 * PsdSizesPairsMost(s);
  const PetscInt kernel =
      AreLarge(s) && !complete ? PsdConeFirst(PETSC_FALSE, PETSC_TRUE) : PsdConeFirst(PETSC_TRUE, HasTeams(s));
  return PsdCostTimes(blocks, (*PsdConeTable[kernel]->cost)(s, rates));
}

const char *PsdConeDescribe(const PsdSizes *s)
{
  return AreLarge(s) ? "lapack at first, then partial" : "lapack";
}
