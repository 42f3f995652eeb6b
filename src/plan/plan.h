/*
   What a run will need before it is started: memory a rank by item, seconds and floating point operations by phase.

   All of it is stated beside the code that will do it (src/cost says how); here it is added up and printed.
*/
#ifndef PSD_PLAN_PRIVATE_H
#define PSD_PLAN_PRIVATE_H

#include "consensus/consensus.h"

typedef struct _PsdPlan {
  PsdSizes sizes;
  const PsdConsensusKernel *kernel;
  PsdRates rates;
  PsdNode node;
  PetscInt iterations;
  PsdMemory memory;
  PetscReal root, others;                                     /* peak, bytes */
  PetscReal needed;                                           /* bytes of a node */
  PetscReal seconds[PSD_PHASE_COUNT], flops[PSD_PHASE_COUNT]; /* of the slowest rank; of all ranks */
} PsdPlan;

/* PsdPlanMake - kernel: of the consensus; NULL: the one a run would choose. Input errors: a kernel that is not for such
   a problem; none that fits the node. loss: the name of the problem's. Not collective. */
PetscErrorCode PsdPlanMake(const PsdSizes *sizes, const char loss[], const PsdConsensusKernel *kernel,
                           const PsdRates *rates, const PsdNode *node, PetscInt iterations, PsdPlan *plan);

/* PsdPlanPrint - by rank 0 of comm. Collective. */
PetscErrorCode PsdPlanPrint(MPI_Comm comm, const PsdPlan *plan);

#endif
