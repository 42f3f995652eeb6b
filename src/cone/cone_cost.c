/*
   What projections cost a run that lets `auto` choose: complete decompositions at first, and of large blocks partial ones
   afterwards, by eight products with their vectors.
*/
#include "cone_impl.h"

#define COMPLETE 4 /* iterations before blocks have settled */

/* Blocks go to teams of ranks. */
static PetscBool Shares(const PsdSizes *s)
{
  return (PetscBool)(s->d > PSD_CONE_TEAM_ORDER && s->ranks > s->pairs);
}

/* X, its complete decomposition (dsyevd wants 2 d^2) and the product of that; F of a third of the order; beyond small orders the
   proof of a partial one, and the block it was made for. */
void PsdConeMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscBool large = (PetscBool)(s->d > PSD_CONE_SMALL_ORDER), shared = Shares(s);
  const PetscReal most = PsdSizesPairsMost(s), least = PsdSizesPairsLeast(s);
  const PetscReal working = shared || least > 0 ? 1 : 0, square = PSD_BYTES_REAL * s->d * s->d;
  const PetscReal vector = PSD_BYTES_REAL * s->m;
  const PetscReal state = square / 3 + (large ? vector : 0), kernel = square * (large ? 5 : 4);
  PsdMemoryAdd(memory, "projection", PSD_PHASE_ADMM, PSD_PHASE_CERTIFY, kernel + 2 * state * most,
               working * (kernel + 2 * state * PetscMax(least, shared ? 1 : 0) + (shared ? vector : 0)));
}

PetscReal PsdConeCompleteIterations(PetscReal iterations)
{
  return PetscMin(COMPLETE, iterations);
}

PsdCost PsdConeCost(const PsdSizes *s, const PsdRates *rates, PetscBool complete)
{
  enum { PRODUCTS = 4 }; /* sweeps over a block in a partial projection, ten vectors each */
  const PetscReal blocks =
      Shares(s) ? PetscCeilReal(2 * (PetscReal)s->pairs / (PetscReal)s->ranks) : 2 * PsdSizesPairsMost(s);
  if (s->d <= PSD_CONE_SMALL_ORDER || complete)
    return (PsdCost){blocks * rates->eigen * s->d * s->d * s->d, blocks * 9 * s->d * s->d * s->d};
  const PsdCost product = PsdCostWork(2 * s->d * s->d * 10, rates->gemm / 3); /* narrow products are bound by memory */
  return PsdCostTimes(blocks,
                      PsdCostSum(PsdCostTimes(PRODUCTS, product), PsdCostMove(6 * PSD_BYTES_REAL * s->m, rates)));
}

const char *PsdConeDescribe(const PsdSizes *sizes)
{
  return sizes->d > PSD_CONE_SMALL_ORDER ? "lapack at first, then partial" : "lapack";
}
