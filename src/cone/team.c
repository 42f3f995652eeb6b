/*
   Who works on which block: blocks and ranks are two even divisions of one line.
*/
#include "team.h"

PetscMPIInt PsdConeTeamRoot(PsdBlocks blocks, PetscInt block)
{
  PetscMPIInt ranks;
  (void)MPI_Comm_size(blocks->comm, &ranks);
  return (PetscMPIInt)((PetscInt64)block * ranks / (2 * (PetscInt64)blocks->pairs));
}

PetscErrorCode PsdConeTeamCreate(PsdBlocks blocks, PsdConeTeam *team)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, colour = MPI_UNDEFINED;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  team->blocks = 0;
  for (PetscInt block = 0; block < 2 * blocks->pairs; block++) {
    const PetscMPIInt root = PsdConeTeamRoot(blocks, block), next = PsdConeTeamRoot(blocks, block + 1);
    if (rank != root && !(rank > root && rank < next)) continue;
    colour = root;
    team->block[team->blocks++] = block;
  }
  PetscCallMPI(MPI_Comm_split(blocks->comm, colour, rank, &team->comm));
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
