/*
   What a run of the solver takes with a given consensus kernel: what samples, kernel, cone and polar state of
   themselves, added up, and the solver's own.

   Functions of sizes and rates alone. Nothing here is collective.
*/
#ifndef PSD_ADMM_COSTS_H
#define PSD_ADMM_COSTS_H

#include "consensus/consensus.h"

/* PsdAdmmMemory - all items of a run. program: bytes a rank of the program itself and its libraries. */
void PsdAdmmMemory(const PsdSizes *sizes, const PsdConsensusKernel *kernel, PetscReal program, PsdMemory *memory);

/* PsdAdmmCosts - of one rank, by phase, of a run of so many iterations. What cannot be known before is assumed: see
   solver_costs.c. */
void PsdAdmmCosts(const PsdSizes *sizes, const PsdConsensusKernel *kernel, const PsdRates *rates, PetscInt iterations,
                  PsdCost cost[PSD_PHASE_COUNT]);

/* PsdAdmmIterationFlops - of an iteration, of all ranks together, in round numbers: consensus step, products with the samples of a loss
   that is split, projections. */
PetscReal PsdAdmmIterationFlops(const PsdSizes *sizes, const PsdLoss *loss);

#endif
