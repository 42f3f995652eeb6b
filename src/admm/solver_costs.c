/*
   A run added up: how often the solver does what others say the cost of, and what it allocates itself.

   What cannot be known before a run is assumed: the penalty changes twice, which is a factorisation each. The cone has
   assumptions of its own (cone/cone_cost.c).
*/
#include "solver_costs.h"
#include "admm.h"
#include "cone/polar.h"

#define FACTORIZATIONS 2 /* after the first */
#define VECTORS 19       /* 12 of admm.c, 5 of certificate/bounds.c, h and the right-hand side of the consensus */
#define SINGLE_VECTORS 3 /* 2 of consensus/correction.c, 1 of prove.c */

#define REAL PSD_BYTES_REAL

/* ---------------------------------------------------------------- memory */

/* Numbers of all representative samples and of all pairs, on the root and on a rank that may own none. */
static void AddSplitting(const PsdSizes *s, PsdMemory *memory, const char name[], PsdPhase first, PetscReal samples,
                         PetscReal vectors)
{
  PsdMemoryAdd(memory, name, first, PSD_PHASE_CERTIFY, samples + vectors * REAL * PsdSizesVectorMost(s),
               samples + vectors * REAL * PsdSizesVectorLeast(s));
}

/* Of a loss that is split: split.c, certificate/bounds.c and problem/products.c; accelerate.c; the certificate's two
   points. */
static void SplittingMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal numbers = REAL * PsdSizesRows(s, s->n_local) * s->C, points = 2 * REAL * s->n_local * s->C;
  const PetscReal columns = 2 * REAL * s->D * s->C;
  AddSplitting(s, memory, "splitting", PSD_PHASE_FACTOR, (s->folded ? 9 : 8) * numbers + columns, 5);
  AddSplitting(s, memory, "records of iterations", PSD_PHASE_SOLVE, PSD_RECORDS * 2 * numbers, PSD_RECORDS * 4);
  PsdMemoryAdd(memory, "dual points", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, points, points);
}

void PsdAdmmMemory(const PsdSizes *s, const PsdConsensusKernel *kernel, PetscReal program, PsdMemory *memory)
{
  memory->count = 0;
  PsdMemoryAdd(memory, "program and libraries", PSD_PHASE_READ, PSD_PHASE_WRITE, program, program);
  PsdSamplesMemory(s, kernel->samples, memory);
  (*kernel->memory)(s, memory);
  const PetscReal vectors = REAL * (VECTORS + (s->single ? SINGLE_VECTORS : 0));
  PsdMemoryAdd(memory, "solver's vectors", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, vectors * PsdSizesVectorMost(s),
               vectors * PsdSizesVectorLeast(s));
  if (s->split) SplittingMemory(s, memory);
  PsdConeMemory(s, memory);
  PsdPolarMemory(s, memory);
  PsdEvaluateMemory(s, kernel->samples, memory);
}

/* ---------------------------------------------------------------- time */

/* Without the projections. A check of a loss that is split makes two halves of a pass over the samples, as does a
   jump. */
static PsdCost Iteration(const PsdSizes *s, const PsdConsensusCosts *consensus, const PsdRates *rates)
{
  const PsdCost asked = PsdCostCollective(PSD_COLLECTIVE_SUM, 1, 0, s->ranks); /* signals and the clock */
  const PsdCost cost =
      PsdCostSum(PsdCostSum(consensus->step, asked), PsdCostMove(25 * REAL * PsdSizesVectorMost(s), rates));
  const PetscReal passes = 1 + 1.0 / PSD_CHECK_EVERY + 1.0 / PSD_JUMP_EVERY;
  return s->split ? PsdCostSum(cost, PsdCostTimes(passes, PsdProductsCost(s, rates))) : cost;
}

static PsdCost Projections(const PsdSizes *s, const PsdRates *rates, PetscReal iterations)
{
  const PetscReal complete = PsdConeCompleteIterations(iterations);
  return PsdCostSum(PsdCostTimes(complete, PsdConeCost(s, rates, PETSC_TRUE)),
                    PsdCostTimes(iterations - complete, PsdConeCost(s, rates, PETSC_FALSE)));
}

/* With A'A there is a second candidate, which takes a solve and a product more than the network's product
   (certificate/bounds.c). All sums are one reduction. */
static PsdCost Check(const PsdSizes *s, PsdConsensusForm form, const PsdConsensusCosts *consensus,
                     const PsdRates *rates)
{
  const PetscReal candidates = form == PSD_FORM_GRAM ? 2 : 1;
  const PsdCost products =
      form == PSD_FORM_GRAM ? PsdCostSum(consensus->step, PsdCostTimes(2, consensus->multiply)) : consensus->multiply;
  const PsdCost tally = PsdCostCollective(PSD_COLLECTIVE_SUM, 1, sizeof(PsdTally), s->ranks);
  return PsdCostSum(PsdCostSum(PsdCostTimes(candidates, PsdPolarCost(s, rates)), tally), products);
}

/* A step of Lanczos: a product, a norm and an inner product. */
static PsdCost LanczosStep(const PsdSizes *s, const PsdConsensusCosts *consensus)
{
  return PsdCostSum(consensus->multiply, PsdCostCollective(PSD_COLLECTIVE_SUM, 2, 2 * REAL, s->ranks));
}

void PsdAdmmCosts(const PsdSizes *s, const PsdConsensusKernel *kernel, const PsdRates *rates, PetscInt iterations,
                  PsdCost cost[PSD_PHASE_COUNT])
{
  const PetscReal count = (PetscReal)iterations, checks = count / PSD_CHECK_EVERY;
  const PsdCost polar = PsdPolarCost(s, rates);
  PsdConsensusCosts consensus;
  (*kernel->costs)(s, rates, &consensus);
  cost[PSD_PHASE_READ] = PsdSamplesRead(s, rates);
  cost[PSD_PHASE_LIFT] = PsdSamplesLift(s, kernel->samples, rates);
  cost[PSD_PHASE_GRAM] = consensus.assemble;
  cost[PSD_PHASE_FACTOR] =
      PsdCostSum(PsdCostSum(consensus.factor, PsdCostTimes(PSD_LANCZOS_STEPS, LanczosStep(s, &consensus))), polar);
  cost[PSD_PHASE_SOLVE] = PsdCostSum(
      PsdCostSum(PsdCostTimes(count, Iteration(s, &consensus, rates)), PsdCostTimes(FACTORIZATIONS, consensus.factor)),
      PsdCostSum(Projections(s, rates, count), PsdCostTimes(checks, Check(s, kernel->form, &consensus, rates))));
  cost[PSD_PHASE_CERTIFY] = PsdCostSum(PsdEvaluateCost(s, kernel->samples, rates), PsdCostTimes(2, polar));
  cost[PSD_PHASE_WRITE] = (PsdCost){.seconds = 0, .flops = 0};
}

#define EIGEN_FLOPS 10 /* of a decomposition, over d^3 */

PetscReal PsdAdmmIterationFlops(const PsdSizes *s, const PsdLoss *loss)
{
  (void)loss; /* what matters of it is in the sizes */
  const PetscReal consensus = 2 * s->order * s->order * s->C;
  const PetscReal samples = s->split ? 4 * PsdSizesRows(s, s->n) * s->order * s->C : 0;
  return consensus + samples + 2 * EIGEN_FLOPS * s->pairs * s->d_max * s->d_max * s->d_max;
}
