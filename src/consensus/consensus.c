/*
   Choice of the consensus kernel, and what the kernels share.
*/
#include "consensus.h"
#include "base/base.h"

static const PsdConsensusOps *const kernels[] = {&PsdConsensusRoot, &PsdConsensusScalapack};

/* From this order on a factorisation is worth distributing (docs/performance.md); below, its messages cost more than they
   save. */
#define DISTRIBUTE_FROM 2000

PetscErrorCode PsdConsensusCreate(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(consensus));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusSetFromOptions(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"auto", "root", "scalapack", NULL};
  PetscInt choice = 0;
  PetscCall(PsdOptionEnum("-consensus", "where the least-squares step is done", names, &choice, NULL));
  consensus->ops = choice > 0 ? kernels[choice - 1] : NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode ChooseKernel(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(consensus->blocks->comm, &ranks));
  if (!consensus->ops)
    consensus->ops = ranks > 1 && consensus->blocks->D >= DISTRIBUTE_FROM ? &PsdConsensusScalapack : &PsdConsensusRoot;
  PetscCall(PetscInfo(NULL, "consensus: %s for D = %" PetscInt_FMT " on %d ranks\n", consensus->ops->name,
                      consensus->blocks->D, (int)ranks));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusAssemble(PsdConsensus consensus, PsdBlocks blocks, PetscReal *gram)
{
  PetscFunctionBeginUser;
  const size_t D = blocks->D;
  consensus->blocks = blocks;
  PetscCall(ChooseKernel(consensus));
  consensus->trace = 0;
  for (size_t k = 0; k < D; k++) consensus->trace += gram[k * D + k];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &consensus->trace, 1, MPIU_REAL, MPI_SUM, consensus->blocks->comm));
  PetscCall((*consensus->ops->assemble)(consensus, gram));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusFactor(PsdConsensus consensus, PetscReal shift)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_FACTOR));
  PetscCall((*consensus->ops->factor)(consensus, shift));
  PetscCall(PsdEventEnd(PSD_EVENT_FACTOR));
  consensus->shift = shift;
  consensus->factorizations++;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusSolve(PsdConsensus consensus, Vec rhs, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_CONSENSUS));
  PetscCall((*consensus->ops->solve)(consensus, rhs, x));
  PetscCall(PsdEventEnd(PSD_EVENT_CONSENSUS));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusMultiply(PsdConsensus consensus, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_MULTIPLY));
  PetscCall((*consensus->ops->multiply)(consensus, x, y));
  PetscCall(PsdEventEnd(PSD_EVENT_MULTIPLY));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusDestroy(PsdConsensus *consensus)
{
  PetscFunctionBeginUser;
  if (!*consensus) PetscFunctionReturn(0);
  if ((*consensus)->kernel) PetscCall((*(*consensus)->ops->destroy)(*consensus));
  PetscCall(PetscFree(*consensus));
  PetscFunctionReturn(0);
}

PetscReal PsdConsensusShiftFloor(PsdConsensus consensus)
{
  return 16 * PETSC_MACHINE_EPSILON * consensus->trace;
}

/* Numbers in one message of the reduction: large enough for bandwidth, small enough that the library's own buffers stay
   small beside the matrix. */
#define PIECE ((PetscInt64)1 << 19)

PetscErrorCode PsdReducePanel(MPI_Comm comm, PetscMPIInt owner, PetscInt D, PetscInt first, PetscInt columns,
                              PetscReal *gram)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  /* the columns' parts above the diagonal, and what lies between them: one contiguous stretch */
  PetscInt64 begin = (PetscInt64)first * D;
  const PetscInt64 end = (PetscInt64)(first + columns - 1) * D + first + columns;
  for (; begin < end; begin += PIECE) {
    const PetscMPIInt count = (PetscMPIInt)PetscMin(PIECE, end - begin);
    PetscReal *piece = gram + begin;
    PetscCallMPI(MPI_Reduce(rank == owner ? MPI_IN_PLACE : piece, piece, count, MPIU_REAL, MPI_SUM, owner, comm));
  }
  PetscFunctionReturn(0);
}
