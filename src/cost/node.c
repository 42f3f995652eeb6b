/*
   Nodes: how much memory one has, how many ranks share it, how much of it they need.
*/
#include "cost.h"
#include "base/nodes.h"
#include <unistd.h>

/* What PETSc, MPI and the other libraries take before anything is allocated. */
#define PROGRAM 80e6

PetscErrorCode PsdNodeThis(MPI_Comm comm, PsdNode *node)
{
  PetscFunctionBeginUser;
  node->memory = (PetscReal)sysconf(_SC_PHYS_PAGES) * (PetscReal)sysconf(_SC_PAGESIZE);
  node->program = PROGRAM;
  /* nodes may differ, and all ranks must choose alike */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &node->memory, 1, MPIU_REAL, MPI_MIN, comm));
  PetscCall(PsdNodesMostRanks(comm, &node->ranks_per_node));
  PetscFunctionReturn(0);
}

PetscReal PsdNodeBytes(const PsdNode *node, PetscInt ranks, const PsdMemory *memory)
{
  PetscReal root, others;
  PsdMemoryPeak(memory, &root, &others);
  return root + (PetscReal)(PetscMin(ranks, node->ranks_per_node) - 1) * others;
}

PetscReal PsdNodeNetworkSeconds(const PsdNode *node, PetscInt ranks, const PsdCost *cost)
{
  const PetscReal per_node = (PetscReal)PetscMin(node->ranks_per_node, ranks);
  if (ranks <= node->ranks_per_node) return 0;
  /* of what a rank sends, the part that leaves its node */
  const PetscReal leaves = 1 - (per_node - 1) / ((PetscReal)ranks - 1);
  return cost->messages * node->latency + leaves * cost->sent * per_node / node->bandwidth;
}
