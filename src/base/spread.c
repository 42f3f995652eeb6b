/*
   Spreading an array down a binomial tree. Ranks are numbered from the root on, in a circle. Rank v has it from v less its lowest
   bit, so that ranks that are far from each other come first: of ranks node by node few pairs are on different nodes. The
   root gives it to its neighbour before all others, whose turn it is next in what goes round in a circle.
*/
#include "spread.h"

static void FindChildren(PsdSpread *it, PetscMPIInt ranks, PetscMPIInt place, PetscMPIInt root)
{
  PetscMPIInt most = 1;
  while (place == 0 ? most < ranks : (place & most) == 0) most *= 2;
  it->children = 0;
  if (place == 0 && ranks > 2) it->child[it->children++] = (root + 1) % ranks;
  for (PetscMPIInt step = most / 2; step >= 1; step /= 2)
    if (place + step < ranks && !(place == 0 && ranks > 2 && step == 1))
      it->child[it->children++] = (root + place + step) % ranks;
}

static PetscErrorCode HandOn(PsdSpread *it)
{
  PetscFunctionBeginUser;
  for (PetscMPIInt k = 0; k < it->children; k++)
    PetscCallMPI(MPI_Isend(it->array, it->length, MPIU_REAL, it->child[k], it->tag, it->comm, &it->sent[k]));
  it->here = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpreadBegin(MPI_Comm comm, PetscMPIInt root, PetscMPIInt tag, PetscInt length, PetscReal array[],
                              PsdSpread *it)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks, rank;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  const PetscMPIInt place = (rank - root + ranks) % ranks, parent = place & (place - 1);
  *it = (PsdSpread){.comm = comm, .tag = tag, .array = array, .root = (PetscBool)(place == 0)};
  PetscCall(PetscMPIIntCast(length, &it->length));
  if (length > 0) FindChildren(it, ranks, place, root);
  it->here = (PetscBool)(length == 0);
  if (length > 0 && place > 0)
    PetscCallMPI(MPI_Irecv(array, it->length, MPIU_REAL, (root + parent) % ranks, tag, comm, &it->receipt));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpreadGive(PsdSpread *it)
{
  PetscFunctionBeginUser;
  if (!it->here) PetscCall(HandOn(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpreadLook(PsdSpread *it)
{
  PetscFunctionBeginUser;
  int come = 0;
  if (it->here || it->root) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Test(&it->receipt, &come, MPI_STATUS_IGNORE));
  if (come) PetscCall(HandOn(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpreadWait(PsdSpread *it)
{
  PetscFunctionBeginUser;
  if (it->here || it->root) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Wait(&it->receipt, MPI_STATUS_IGNORE));
  PetscCall(HandOn(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSpreadEnd(PsdSpread *it)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Waitall(it->children, it->sent, MPI_STATUSES_IGNORE));
  it->children = 0;
  PetscFunctionReturn(0);
}
