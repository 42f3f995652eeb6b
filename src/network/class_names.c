/*
   What the classes of a network are called, which folders of pictures go by, or its outputs: texts, on all ranks.
*/
#include "network.h"

PetscErrorCode PsdNetworkForgetNames(PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(network->names, network->name));
  PetscFunctionReturn(0);
}

/* Classes, or outputs. */
static PetscInt CountNamed(PsdNetwork network)
{
  return network->outputs > 0 ? network->outputs : network->count;
}

static PetscErrorCode MakeRoom(PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNetworkForgetNames(network));
  const PetscInt count = CountNamed(network);
  PetscCall(PetscCalloc2(count, &network->names, count, &network->name));
  for (PetscInt k = 0; k < count; k++) network->name[k] = network->names[k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetClassNames(PsdNetwork network, const char *const names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCheck(network->labels || network->outputs > 0, network->comm, PETSC_ERR_ORDER,
             "Neither PsdNetworkSetClasses nor PsdNetworkSetOutputs was called");
  PetscCall(MakeRoom(network));
  for (PetscInt k = 0; k < CountNamed(network); k++)
    PetscCall(PetscStrncpy(network->names[k], names[k], PSD_CLASS_NAME_LENGTH));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetClassNames(PsdNetwork network, const char *const *names[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  *names = network->name;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkShareNames(PsdNetwork network, const PsdModel *model)
{
  PetscFunctionBeginUser;
  const size_t bytes = (size_t)CountNamed(network) * sizeof(*network->names);
  PetscBool named = (PetscBool)(model->names != NULL);
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(network->comm, &rank));
  PetscCallMPI(MPI_Bcast(&named, 1, MPIU_BOOL, 0, network->comm));
  if (!named) PetscFunctionReturn(0);
  PetscCall(MakeRoom(network));
  if (rank == 0 && model->names) PetscCall(PetscMemcpy(network->names, model->names, bytes));
  PetscCall(PsdBroadcastArray(network->comm, MPI_CHAR, bytes, network->names));
  PetscFunctionReturn(0);
}
