/*
   Who works on which block: blocks and ranks, node by node, are two even divisions of one line. So teams are on one node
   where they can be, and the first ranks of teams are spread over all.
*/
#include "team.h"

/* Where the team of a block begins in the order of ranks. */
static PetscMPIInt Begin(PsdBlocks blocks, PetscInt block)
{
  PetscMPIInt ranks;
  (void)MPI_Comm_size(blocks->comm, &ranks);
  return (PetscMPIInt)((PetscInt64)block * ranks / (2 * (PetscInt64)blocks->pairs));
}

PetscMPIInt PsdConeTeamRoot(PsdBlocks blocks, PetscInt block)
{
  return blocks->order[Begin(blocks, block)];
}

PetscErrorCode PsdConeTeamCreate(PsdBlocks blocks, PsdConeTeam *team)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, place = 0, colour = MPI_UNDEFINED;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  while (blocks->order[place] != rank) place++;
  team->blocks = 0;
  for (PetscInt block = 0; block < 2 * blocks->pairs; block++) {
    const PetscMPIInt first = Begin(blocks, block), next = Begin(blocks, block + 1);
    if (place != first && !(place > first && place < next)) continue;
    colour = first;
    team->block[team->blocks++] = block;
  }
  PetscCallMPI(MPI_Comm_split(blocks->comm, colour, place, &team->comm));
  PetscCallMPI(MPI_Comm_size(team->comm, &team->size));
  PetscCallMPI(MPI_Comm_rank(team->comm, &team->rank));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeTeamCreateAlone(PsdConeTeam *team)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_dup(PETSC_COMM_SELF, &team->comm));
  team->size = 1;
  team->rank = 0;
  team->blocks = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeTeamDestroy(PsdConeTeam *team)
{
  PetscFunctionBeginUser;
  if (team->comm != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&team->comm));
  PetscFunctionReturn(0);
}
