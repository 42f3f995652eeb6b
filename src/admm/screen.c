/*
   Blocks that are zero at the optimum for the beta to come, found before the first iteration (docs/mathematics.md, section 3,
   "Screening"). Squared loss: its dual function is 1-strongly concave, so that with a feasible nu, the objective P of any network
   and the optimal nu*

     ||nu - nu*||^2 <= 2 (P - D(nu)) = r^2,      |[u;1]' smat(A_g'(nu - nu*)_t) [u;1]| <= 2 ||A_g||_F r

   for unit u, A_g being the features of region g. A pair with R*(A_g'nu_t) + 2 ||A_g||_F r < beta has Z = Z' = 0 in every solution, by
   complementary slackness.
*/
#include "admm.h"
#include "base/base.h"

/* The best dual point so far and what it is to be scaled by for this beta: M = s A'nu. */
static PetscErrorCode BestPoint(PsdAdmm admm, Vec M)
{
  PetscFunctionBeginUser;
  const PsdBounds bounds = admm->bounds;
  const PsdResidual *best = &bounds->best_residual;
  PsdResidual part;
  PetscReal s = admm->problem->beta / bounds->best_polar;
  if (best->quadratic > 0) s = PetscMin(s, PetscMax(0, best->linear / best->quadratic));
  PetscCall(PsdConsensusResidual(admm->consensus, bounds->best_source.w, NULL, &part, M));
  PetscCall(VecScale(M, s));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmScreen(PsdAdmm admm, PetscInt *screened)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = admm->problem;
  const PsdBlocks blocks = admm->blocks;
  const PetscReal *local;
  PetscInt zero = 0;
  const PetscReal radius = PetscSqrtReal(2 * PetscMax(0, admm->solver->status.objective - admm->bounds->best));
  *screened = 0;
  for (PetscInt k = 0; k < blocks->local; k++) PsdConeSetZero(admm->cone, k, PETSC_FALSE);
  if (!admm->settings.screening || admm->split || !PsdConsensusCanSolve(admm->consensus) || !problem->region_norm)
    PetscFunctionReturn(0);
  PetscCall(BestPoint(admm, admm->bounds->M));
  PetscCall(VecGetArrayRead(admm->bounds->M, &local));
  for (PetscInt k = 0; k < blocks->local; k++) {
    PetscReal polar;
    PetscCall(PsdPolarsEvaluate(problem->polars, blocks->first + k, local + PsdBlocksOwn(blocks, k).at, &polar));
    if (polar + 2 * problem->region_norm[(blocks->first + k) % blocks->G] * radius >= problem->beta) continue;
    PsdConeSetZero(admm->cone, k, PETSC_TRUE);
    zero++;
  }
  PetscCall(VecRestoreArrayRead(admm->bounds->M, &local));
  PetscCallMPI(MPI_Allreduce(&zero, screened, 1, MPIU_INT, MPI_SUM, blocks->comm));
  PetscCall(PetscInfo(NULL, "beta %g: %" PetscInt_FMT " of %" PetscInt_FMT " pairs of blocks are zero, radius %g\n",
                      (double)problem->beta, *screened, blocks->pairs, (double)radius));
  PetscFunctionReturn(0);
}
