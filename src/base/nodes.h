/*
   Which ranks share a node.
*/
#ifndef PSD_NODES_PRIVATE_H
#define PSD_NODES_PRIVATE_H

#include <petscsys.h>

/* PsdNodesFind - node: for every rank of comm the lowest rank that shares memory with it. Collective. */
PetscErrorCode PsdNodesFind(MPI_Comm comm, PetscMPIInt node[]);

/* PsdNodesMostRanks - of comm on one node, the same on all ranks. Collective. */
PetscErrorCode PsdNodesMostRanks(MPI_Comm comm, PetscInt *most);

/* PsdNodesSpread - chosen: `count` of the ranks, as many of each node as of another as long as it has them, rank 0
   first. PsdNodesOrder - ranks node by node, in the order of their first ranks. node: as PsdNodesFind gives it. Not
   collective. */
PetscErrorCode PsdNodesSpread(PetscMPIInt ranks, const PetscMPIInt node[], PetscInt count, PetscBool chosen[]);
PetscErrorCode PsdNodesOrder(PetscMPIInt ranks, const PetscMPIInt node[], PetscMPIInt order[]);

#endif
