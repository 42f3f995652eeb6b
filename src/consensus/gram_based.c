/*
   What the kernels of A'A have in common: the step is one solve, and residuals of the samples follow from products with
   G_P and h alone (docs/mathematics.md, section 3, "Candidates"):

     nu = Y - A w,   A'nu = h - G_P w = M,   <nu,Y> = Y'Y - h.w,   ||nu||^2 = Y'Y - h.w - M.w

   Of a G_P in single precision the target, h with its correction, stands for h in M (correction.c).
*/
#include "gram_based.h"

PetscErrorCode PsdConsensusGramStep(PsdConsensus consensus, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(consensus->rhs, consensus->shift, Sh, consensus->target));
  PetscCall((*consensus->kernel->ops->gram.solve)(consensus, consensus->rhs, S));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *part)
{
  PetscFunctionBeginUser;
  PetscReal fit, misfit;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(consensus->blocks->comm, &rank));
  PetscCall(PsdOwnDot(consensus->problem->h, S, &fit));
  PetscCall(PsdOwnDot(M, S, &misfit));
  part->linear = (rank == 0 ? consensus->problem->YY : 0) - fit; /* what all ranks know counts once */
  part->quadratic = part->linear - misfit;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *part,
                                        Vec M)
{
  PetscFunctionBeginUser;
  (void)factors;
  if (!M) M = consensus->rhs;
  PetscCall((*consensus->kernel->ops->gram.multiply)(consensus, w, M));
  PetscCall(VecAYPX(M, -1, consensus->target));
  PetscCall(PsdConsensusGramStepResidual(consensus, w, M, part));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramStart(PsdConsensus consensus, Vec *start)
{
  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(consensus->problem->h, start));
  PetscCall(VecCopy(consensus->problem->h, *start));
  PetscFunctionReturn(0);
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
