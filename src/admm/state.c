/*
   The state of the solver in a checkpoint: everything that the next iteration and the end of the run depend on.

   What belongs to the solver itself is here, a line an item; the parts, splitting, acceleration, bounds, cone,
   consensus, patches and network, visit their own.
*/
#include "admm.h"
#include "patches/transform.h"
#include "problem/identity.h"

PetscErrorCode PsdAdmmVisitProblem(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = context;
  PetscBool samples = PETSC_FALSE;
  PetscCall(PsdIdentityVisit(v, admm->checkpoint.identity));
  if (!PsdVisitorIsReading(v)) samples = PsdConsensusUsesSamples(admm->consensus);
  PetscCall(PsdVisitBool(v, "consensus_uses_samples", &samples));
  PetscCall(PsdVisitorAgree(v));
  if (PsdVisitorIsReading(v)) PetscCall(PsdConsensusRequire(admm->consensus, samples, admm->checkpoint.path));
  PetscCall(PsdPatchesVisit(admm->problem->patches, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitBeta(PsdProblem problem, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitPositive(v, "beta", &problem->beta));
  PetscCall(PsdVisitReal(v, "beta_max", &problem->beta_max));
  PetscCall(PsdVisitReal(v, "beta_asked", &problem->beta_asked));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitStatus(PsdAdmm admm, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscCall(PsdVisitInt(v, "iteration", 0, PETSC_MAX_INT - 1, &status->iteration));
  PetscCall(PsdVisitInt(v, "rank", 0, PETSC_MAX_INT, &status->rank_Z));
  PetscCall(PsdVisitInt(v, "neurons", 0, PETSC_MAX_INT, &status->neurons));
  PetscCall(PsdVisitInt(v, "screened", 0, admm->blocks->pairs, &status->screened));
  PetscCall(PsdVisitReal(v, "primal_residual", &status->primal_residual));
  PetscCall(PsdVisitReal(v, "dual_residual", &status->dual_residual));
  PetscCall(PsdVisitReal(v, "objective", &status->objective));
  PetscCall(PsdVisitReal(v, "bound", &status->bound));
  PetscCall(PsdVisitReal(v, "gap", &status->gap));
  PetscFunctionReturn(0);
}

/* What penalties of later betas are made of. */
static PetscErrorCode VisitSpectrum(PsdSpectrum *spectrum, PsdVisitor v)
{
  PetscFunctionBeginUser;
  char name[32];
  PetscCall(PsdVisitInt(v, "spectrum_steps", 0, PSD_LANCZOS_STEPS, &spectrum->steps));
  PetscCall(PsdVisitReal(v, "spectrum_mean", &spectrum->mean));
  for (PetscInt k = 0; k < PSD_LANCZOS_STEPS; k++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_node_%" PetscInt_FMT, k));
    PetscCall(PsdVisitReal(v, name, &spectrum->node[k]));
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_weight_%" PetscInt_FMT, k));
    PetscCall(PsdVisitReal(v, name, &spectrum->weight[k]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitChecks(PsdChecks *checks, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitInt(v, "last_check", 0, PETSC_MAX_INT, &checks->last));
  PetscCall(PsdVisitBool(v, "checked", &checks->pending));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitPenalty(PsdPenaltyState *penalty, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitPositive(v, "rho", &penalty->rho));
  PetscCall(PsdVisitReal(v, "gap_primal", &penalty->parts.primal));
  PetscCall(PsdVisitReal(v, "gap_dual", &penalty->parts.dual));
  PetscCall(PsdVisitInt(v, "penalty_changes", 0, PSD_MOST_CHANGES, &penalty->changes.count));
  PetscCall(PsdVisitInt(v, "penalty_due", 0, PETSC_MAX_INT, &penalty->changes.due));
  PetscCall(VisitSpectrum(&penalty->spectrum, v));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitVariables(PsdVariables *iterate, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdResidualSums *sums = &iterate->sums;
  PetscCall(PsdVisitSum(v, "sum_primal", &sums->primal));
  PetscCall(PsdVisitSum(v, "sum_change", &sums->change));
  PetscCall(PsdVisitSum(v, "sum_W", &sums->W));
  PetscCall(PsdVisitSum(v, "sum_Z", &sums->Z));
  PetscCall(PsdVisitSum(v, "sum_U", &sums->U));
  PetscCall(PsdVisitSum(v, "sum_T4", &sums->T4));
  PetscCall(PsdVisitPairs(v, "/pairs/Z", iterate->Z[0]));
  PetscCall(PsdVisitPairs(v, "/pairs/Z_prime", iterate->Z[1]));
  PetscCall(PsdVisitPairs(v, "/pairs/U", iterate->U[0]));
  PetscCall(PsdVisitPairs(v, "/pairs/U_prime", iterate->U[1]));
  PetscCall(PsdVisitPairs(v, "/pairs/S", iterate->S));
  PetscCall(PsdVisitPairs(v, "/pairs/Sh", iterate->Sh));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitBest(PsdBestNetwork *best, PsdBlocks blocks, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitPairs(v, "/pairs/network", best->S));
  PetscCall(PsdVisitReal(v, "network_weight", &best->weight));
  PetscCall(PsdNeuronsVisit(&best->neurons, blocks, v));
  PetscFunctionReturn(0);
}

/* The caller's results: the same on all ranks, and room for one more row. */
static PetscErrorCode VisitRecord(PsdAdmmRecord *record, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitRowCount(v, "/record", record->columns, record->most - 1, &record->rows));
  PetscCall(PsdVisitReplicated(v, "/record", record->rows, record->columns, record->numbers));
  if (PsdVisitorIsReading(v)) record->resumed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* The rounds of PsdAdmmSolve so far are worth something for the gap that they were for. */
static PetscErrorCode VisitRounds(PsdAdmm admm, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscReal gap = admm->settings.gap;
  PetscCall(PsdVisitInt(v, "round", 0, PSD_MOST_ROUNDS - 1, &admm->round));
  PetscCall(PsdVisitInt(v, "patience", 0, PETSC_MAX_INT, &admm->patience));
  PetscCall(PsdVisitReal(v, "gap_asked_for", &gap));
  if (gap != admm->settings.gap) admm->round = admm->patience = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmVisitState(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = context;
  PetscCall(PsdVisitReal(v, "elapsed", &admm->clock.elapsed));
  PetscCall(VisitBeta(admm->problem, v));
  PetscCall(VisitRounds(admm, v));
  PetscCall(VisitStatus(admm, v));
  PetscCall(VisitPenalty(&admm->penalty, v));
  PetscCall(VisitChecks(&admm->checks, v));
  PetscCall(PsdBoundsVisit(admm->bounds, v));
  PetscCall(VisitVariables(&admm->iterate, v));
  if (admm->split) PetscCall(PsdSplittingVisit(admm->split, v));
  if (admm->accelerator) PetscCall(PsdAcceleratorVisit(admm->accelerator, v));
  PetscCall(PsdConsensusVisit(admm->consensus, v));
  PetscCall(VisitBest(&admm->best, admm->blocks, v));
  PetscCall(PsdHistoryVisit(&admm->history, v));
  if (admm->checkpoint.record) PetscCall(VisitRecord(admm->checkpoint.record, v));
  PetscCall(PsdConeVisit(admm->cone, v));
  PetscFunctionReturn(0);
}
