/*
   What the kernels of A'A have in common: the step is one solve, and residuals of the samples follow from products with
   G_P and h alone (docs/mathematics.md, section 3, "Candidates"):

     nu = Y - A w,   A'nu = h - G_P w = M,   <nu,Y> = Y'Y - h.w,   ||nu||^2 = Y'Y - h.w - M.w
*/
#include "consensus.h"

PetscErrorCode PsdConsensusGramStep(PsdConsensus consensus, Vec Sh, Vec S)
{
  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(consensus->rhs, consensus->shift, Sh, consensus->target));
  PetscCall((*consensus->ops->solve)(consensus, consensus->rhs, S));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *residual)
{
  PetscFunctionBeginUser;
  PetscScalar fit, misfit;
  PetscCall(VecDot(consensus->problem->h, S, &fit));
  PetscCall(VecDot(M, S, &misfit));
  residual->linear = consensus->problem->YY - fit;
  residual->quadratic = residual->linear - misfit;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *residual,
                                        Vec M)
{
  PetscFunctionBeginUser;
  (void)factors;
  if (!M) M = consensus->rhs;
  PetscCall((*consensus->ops->multiply)(consensus, w, M));
  PetscCall(VecAYPX(M, -1, consensus->problem->h));
  PetscCall(PsdConsensusGramStepResidual(consensus, w, M, residual));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusGramStart(PsdConsensus consensus, Vec *start)
{
  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(consensus->problem->h, start));
  PetscCall(VecCopy(consensus->problem->h, *start));
  PetscFunctionReturn(0);
}
