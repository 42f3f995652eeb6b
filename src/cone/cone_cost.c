/*
   What projections cost a run that lets `auto` choose: complete decompositions at first, and of large blocks partial ones
   afterwards. Kernels state what theirs are; here is what all blocks of a rank make of it.
*/
#include "cone_impl.h"

#define COMPLETE 4 /* iterations before blocks have settled */

/* Blocks go to other ranks than their owners' as well. */
static PetscBool Shares(const PsdSizes *s)
{
  return (PetscBool)(s->d_max > PSD_CONE_TEAM_ORDER && s->ranks > s->pairs);
}

/* Several ranks work on one. */
static PetscBool HasTeams(const PsdSizes *s)
{
  return (PetscBool)(Shares(s) && s->ranks > 2 * s->pairs);
}

static PetscBool IsLarge(PetscReal d)
{
  return (PetscBool)(d > PSD_CONE_SMALL_ORDER);
}

/* Of a rank that projects blocks of order d, with kernel k. */
static PetscReal KernelBytes(const PsdSizes *s, PetscReal d, PetscInt k)
{
  PsdMemory own = {0};
  PetscReal root, others;
  (*PsdConeTable[k]->memory)(s, d, &own);
  PsdMemoryPeak(&own, &root, &others);
  return root;
}

/* What a complete kernel holds a team has too, in its place. */
static PetscReal KernelsBytes(const PsdSizes *s, PetscReal d)
{
  PetscReal kernels = KernelBytes(s, d, PsdConeFirst(PETSC_TRUE, PETSC_FALSE));
  if (HasTeams(s)) kernels = PetscMax(kernels, KernelBytes(s, d, PsdConeFirst(PETSC_TRUE, PETSC_TRUE)));
  return IsLarge(d) ? kernels + KernelBytes(s, d, PsdConeFirst(PETSC_FALSE, PETSC_TRUE)) : kernels;
}

/* X and kernels; of each block F of a third of the order and, where there are proofs, the block that one was made for. */
void PsdConeMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscBool shared = Shares(s), all = (PetscBool)(s->pairs >= s->ranks);
  PetscReal kernels = PSD_BYTES_REAL * s->d_max * s->d_max, state[PSD_MOST_BRANCHES] = {0}, largest = 0;
  for (PetscInt b = 0; b < s->branches; b++) {
    const PsdBranchSizes *branch = &s->branch[b];
    if (PsdSizesIsFirst(s, b)) kernels += KernelsBytes(s, branch->d);
    state[b] = PSD_BYTES_REAL * (branch->d * branch->d / 3 + (IsLarge(branch->d) ? branch->m : 0));
    if (branch->vector) state[b] = PSD_BYTES_REAL * branch->d; /* F alone */
    largest = PetscMax(largest, state[b]);
  }
  const PetscReal most = PsdSizesMost(s, state), received = shared ? PSD_BYTES_REAL * s->m_max : 0;
  const PetscReal others = kernels + 2 * (all ? most : largest) + received;
  PsdMemoryAdd(memory, "projection", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, kernels + 2 * most,
               all || shared ? others : 0);
}

PetscReal PsdConeCompleteIterations(PetscReal iterations)
{
  return PetscMin(COMPLETE, iterations);
}

PsdCost PsdConeCost(const PsdSizes *s, const PsdRates *rates, PetscBool complete)
{
  PsdCost each[PSD_MOST_BRANCHES] = {{0}}, largest = {0};
  for (PetscInt b = 0; b < s->branches; b++) {
    const PetscReal d = s->branch[b].d;
    if (s->branch[b].vector) {
      each[b] = PsdCostMove(2 * PSD_BYTES_REAL * d, rates);
      continue;
    }
    const PetscBool partial = (PetscBool)(IsLarge(d) && !complete);
    const PetscInt kernel = partial ? PsdConeFirst(PETSC_FALSE, PETSC_TRUE) : PsdConeFirst(PETSC_TRUE, HasTeams(s));
    each[b] = (*PsdConeTable[kernel]->cost)(d, rates);
    if (each[b].seconds > largest.seconds) largest = each[b];
  }
  if (Shares(s)) return PsdCostTimes(PetscCeilReal(2 * (PetscReal)s->pairs / (PetscReal)s->ranks), largest);
  return PsdCostTimes(2, PsdSizesCostMost(s, each));
}

const char *PsdConeDescribe(const PsdSizes *s)
{
  return IsLarge(s->d_max) ? "lapack at first, then partial" : "lapack";
}
