/*
   Teams: how blocks are shared out when there are more ranks than pairs.

   The 2 C G blocks are dealt out evenly in order; with more ranks than blocks several ranks share one. The first of them directs and keeps
   what has to be kept.
*/
#ifndef PSD_TEAM_H
#define PSD_TEAM_H

#include "blocks.h"

typedef struct {
  PetscInt blocks;   /* worked on here: `block[k]` = 2 pair + s */
  PetscInt block[2]; /* at most 2 when ranks help each other */
  MPI_Comm comm;     /* the ranks that work on it together; its first one gets X and returns F */
  PetscMPIInt size, rank;
} PsdConeTeam;

/* PsdConeTeamCreate - the team of this rank. Collective on the blocks' communicator. */
PetscErrorCode PsdConeTeamCreate(PsdBlocks blocks, PsdConeTeam *team);
/* PsdConeTeamCreateAlone - this rank by itself; its blocks are not listed. */
PetscErrorCode PsdConeTeamCreateAlone(PsdConeTeam *team);
PetscErrorCode PsdConeTeamDestroy(PsdConeTeam *team);
/* PsdConeTeamRoot - the first rank of the team of a block. */
PetscMPIInt PsdConeTeamRoot(PsdBlocks blocks, PetscInt block);

#endif
