/*
   Ranks that share a node have one memory and one network card: what few of them do is spread over nodes, and what a few
   do together stays on one.
*/
#include "nodes.h"

PetscErrorCode PsdNodesFind(MPI_Comm comm, PetscMPIInt node[])
{
  PetscFunctionBeginUser;
  MPI_Comm shared;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &shared));
  PetscMPIInt first = rank;
  PetscCallMPI(MPI_Bcast(&first, 1, MPI_INT, 0, shared));
  PetscCallMPI(MPI_Comm_free(&shared));
  PetscCallMPI(MPI_Allgather(&first, 1, MPI_INT, node, 1, MPI_INT, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNodesMostRanks(MPI_Comm comm, PetscInt *most)
{
  PetscFunctionBeginUser;
  MPI_Comm shared;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &shared));
  PetscCallMPI(MPI_Comm_size(shared, &ranks));
  PetscCallMPI(MPI_Comm_free(&shared));
  *most = ranks;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 1, MPIU_INT, MPI_MAX, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNodesSpread(PetscMPIInt ranks, const PetscMPIInt node[], PetscInt count, PetscBool chosen[])
{
  PetscFunctionBeginUser;
  PetscMPIInt *of_node, *turn;
  PetscCall(PetscCalloc2(ranks, &of_node, ranks, &turn));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    turn[r] = of_node[node[r]]++;
    chosen[r] = PETSC_FALSE;
  }
  for (PetscMPIInt k = 0; count > 0; k++)
    for (PetscMPIInt r = 0; r < ranks && count > 0; r++)
      if (turn[r] == k) {
        chosen[r] = PETSC_TRUE;
        count--;
      }
  PetscCall(PetscFree2(of_node, turn));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNodesOrder(PetscMPIInt ranks, const PetscMPIInt node[], PetscMPIInt order[])
{
  PetscFunctionBeginUser;
  PetscMPIInt *next, sum = 0;
  PetscCall(PetscCalloc1(ranks, &next));
  for (PetscMPIInt r = 0; r < ranks; r++) next[node[r]]++;
  for (PetscMPIInt r = 0; r < ranks; r++) {
    const PetscMPIInt size = next[r];
    next[r] = sum;
    sum += size;
  }
  for (PetscMPIInt r = 0; r < ranks; r++) order[next[node[r]]++] = r;
  PetscCall(PetscFree(next));
  PetscFunctionReturn(0);
}
