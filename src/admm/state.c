/*
   The state of ADMM in a checkpoint: everything of it that the next iteration and the end of the run depend on.

   What belongs to the solver itself is here, a line an item; the parts, splitting, acceleration, bounds, cone,
   consensus and network, visit their own; the handle's are in solver/run_state.c.
*/
#include "admm.h"

PetscErrorCode PsdAdmmVisitForm(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PetscBool samples = PETSC_FALSE, single = PETSC_FALSE;
  if (!PsdVisitorIsReading(v)) {
    samples = PsdConsensusUsesSamples(admm->consensus);
    single = PsdConsensusIsSingle(admm->consensus);
  }
  PetscCall(PsdVisitBool(v, "consensus_uses_samples", &samples));
  PetscCall(PsdVisitBool(v, "single_precision", &single));
  PetscCall(PsdVisitorAgree(v));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  admm->resumes_single = single;
  admm->resumes_double = (PetscBool)!single;
  PetscCall(PsdConsensusRequire(admm->consensus, samples, solver->checkpoint.path));
  PetscFunctionReturn(0);
}

/* What penalties of later betas are made of. */
static PetscErrorCode VisitSpectrum(PsdSpectrum *spectrum, PsdVisitor v)
{
  PetscFunctionBeginUser;
  char name[32];
  PetscCall(PsdVisitInt(v, "spectrum_steps", 0, PSD_LANCZOS_STEPS, &spectrum->steps));
  PetscCall(PsdVisitReal(v, "spectrum_mean", PSD_STATE_REAL, &spectrum->mean));
  for (PetscInt k = 0; k < PSD_LANCZOS_STEPS; k++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_node_%" PetscInt_FMT, k));
    PetscCall(PsdVisitReal(v, name, PSD_STATE_NONNEGATIVE, &spectrum->node[k]));
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_weight_%" PetscInt_FMT, k));
    PetscCall(PsdVisitReal(v, name, PSD_STATE_NONNEGATIVE, &spectrum->weight[k]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitPenalty(PsdPenaltyState *penalty, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitReal(v, "rho", PSD_POSITIVE, &penalty->rho));
  PetscCall(PsdVisitReal(v, "gap_primal", PSD_STATE_REAL, &penalty->parts.primal));
  PetscCall(PsdVisitReal(v, "gap_dual", PSD_STATE_REAL, &penalty->parts.dual));
  PetscCall(PsdVisitInt(v, "penalty_changes", 0, PSD_MOST_CHANGES, &penalty->changes.count));
  PetscCall(PsdVisitInt(v, "penalty_due", 0, PETSC_MAX_INT, &penalty->changes.due));
  PetscCall(VisitSpectrum(&penalty->spectrum, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitVariables(PsdVariables *iterate, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdResidualSums *sums = &iterate->sums;
  PetscCall(PsdVisitSum(v, "sum_primal", PSD_STATE_NONNEGATIVE, &sums->primal));
  PetscCall(PsdVisitSum(v, "sum_change", PSD_STATE_NONNEGATIVE, &sums->change));
  PetscCall(PsdVisitSum(v, "sum_W", PSD_STATE_NONNEGATIVE, &sums->W));
  PetscCall(PsdVisitSum(v, "sum_Z", PSD_STATE_NONNEGATIVE, &sums->Z));
  PetscCall(PsdVisitSum(v, "sum_U", PSD_STATE_NONNEGATIVE, &sums->U));
  PetscCall(PsdVisitSum(v, "sum_T4", PSD_STATE_REAL, &sums->T4));
  PetscCall(PsdVisitPairs(v, "/pairs/Z", iterate->Z[0]));
  PetscCall(PsdVisitPairs(v, "/pairs/Z_prime", iterate->Z[1]));
  PetscCall(PsdVisitPairs(v, "/pairs/U", iterate->U[0]));
  PetscCall(PsdVisitPairs(v, "/pairs/U_prime", iterate->U[1]));
  PetscCall(PsdVisitPairs(v, "/pairs/S", iterate->S));
  PetscCall(PsdVisitPairs(v, "/pairs/Sh", iterate->Sh));
  PetscFunctionReturn(0);
}

/* Its S and weight follow from its neurons, so that nothing can contradict them: as at the check that has found it. */
static PetscErrorCode VisitBest(PsdBestNetwork *best, PsdBlocks blocks, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNeuronsVisit(&best->neurons, blocks, v));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  PsdTally tally = {0};
  PetscCall(PsdNeuronsAssemble(&best->neurons, blocks, best->S, &best->weight));
  PetscCall(PsdTallySum(&tally, &best->weight));
  PetscCall(PsdTallyReduce(blocks->comm, &tally));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmVisitState(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PetscCall(VisitPenalty(&admm->penalty, v));
  PetscCall(PsdBoundsVisit(admm->bounds, v));
  PetscCall(PsdVisitInt(v, "corrections", 0, PETSC_MAX_INT - 1, &admm->corrections));
  PetscCall(VisitVariables(&admm->iterate, v));
  if (admm->split) PetscCall(PsdSplittingVisit(admm->split, v));
  if (admm->accelerator) PetscCall(PsdAcceleratorVisit(admm->accelerator, v));
  PetscCall(PsdConsensusVisit(admm->consensus, v));
  PetscCall(VisitBest(&admm->best, admm->blocks, v));
  PetscCall(PsdConeVisit(admm->cone, v));
  PetscFunctionReturn(0);
}

/* No penalty is below what A'A can be factorised with (adapt.c); the trace on another number of ranks is rounded otherwise. */
static PetscErrorCode CheckPenalties(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  const PetscReal rho = admm->penalty.rho, sigma = admm->split ? admm->split->sigma : 1;
  const PetscReal least = 0.999 * PsdConsensusShiftFloor(admm->consensus), shift = rho / 2 / sigma;
  PsdCheckInput(shift >= least && shift <= PSD_STATE_LARGEST,
                "%s: 'rho' is %g%s%.3g, expected %g to %g after division by 2 sigma", solver->checkpoint.path,
                (double)rho, admm->split ? " and 'sigma' " : ", sigma ", (double)sigma, (double)least,
                PSD_STATE_LARGEST);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmResume(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PetscCall(CheckPenalties(solver));
  solver->status.rho = admm->penalty.rho;
  PetscCall(PsdConsensusFactor(admm->consensus, admm->penalty.rho / 2 / (admm->split ? admm->split->sigma : 1)));
  PetscFunctionReturn(0);
}

/* What a check, or a certificate, or a change of the penalty after the check, needs of the iteration before it, which was
   not made here. */
PetscErrorCode PsdAdmmComplete(PsdSolver solver, PetscBool checked)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdTally tally = {0};
  PetscCall(PsdAdmmSum(admm, &tally));
  PetscCall(PsdTallyReduce(admm->blocks->comm, &tally));
  if (!checked) PetscCall(PsdConeRefactor(admm->cone, admm->iterate.Z));
  else if (admm->split) PetscCall(PsdSplittingDualPoint(admm->split));
  PetscFunctionReturn(0);
}
