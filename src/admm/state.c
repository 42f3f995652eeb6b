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

/* beta_max is made of sums over all images, whose rounding differs from one number of ranks to another: by a part n eps /
   1e-6 at most where they are not nothing but rounding (problem/beta.c), which for millions of images is below this. */
#define SAME_BETA 1e-2

/* The factor within which the file's number is that of this run; `own` was found from the same images. */
static void Expect(PsdVisitor v, const char name[], PetscReal found, PetscReal own, PetscReal part)
{
  if (!(PetscAbsReal(found - own) <= part * PetscMax(found, own)))
    PsdVisitorFail(v, "'%s' is %.9g, expected %.9g as of this run", name, (double)found, (double)own);
}

/* This run has found its own, which are those of the file but for rounding. Where beta_max is nothing but rounding, so
   is a beta that is a part of it. On a path beta is another one, that of the record's next row. */
static PetscErrorCode VisitBeta(PsdAdmm admm, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdProblem problem = admm->problem;
  const PetscReal most = problem->beta_max, asked = problem->beta_asked;
  const PetscReal part = most > 0 ? SAME_BETA : 0.9;
  PetscCall(PsdVisitReal(v, "beta", PSD_POSITIVE, &problem->beta));
  PetscCall(PsdVisitReal(v, "beta_max", PSD_NONNEGATIVE, &problem->beta_max));
  PetscCall(PsdVisitReal(v, "beta_asked", PSD_POSITIVE, &problem->beta_asked));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  Expect(v, "beta_max", problem->beta_max, most, SAME_BETA);
  Expect(v, "beta_asked", problem->beta_asked, asked, part);
  if (!admm->checkpoint.record) Expect(v, "beta", problem->beta, problem->beta_asked, 0);
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
  PetscCall(PsdVisitReal(v, "primal_residual", PSD_STATE_NONNEGATIVE, &status->primal_residual));
  PetscCall(PsdVisitReal(v, "dual_residual", PSD_STATE_NONNEGATIVE, &status->dual_residual));
  PetscCall(PsdVisitReal(v, "objective", PSD_STATE_REAL, &status->objective));
  PetscCall(PsdVisitReal(v, "bound", PSD_STATE_REAL, &status->bound));
  PetscCall(PsdVisitReal(v, "gap", PSD_STATE_REAL, &status->gap));
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

static PetscErrorCode VisitBest(PsdBestNetwork *best, PsdBlocks blocks, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitPairs(v, "/pairs/network", best->S));
  PetscCall(PsdVisitReal(v, "network_weight", PSD_STATE_NONNEGATIVE, &best->weight));
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
  PetscCall(PsdVisitReal(v, "gap_asked_for", PSD_POSITIVE, &gap));
  if (gap != admm->settings.gap) admm->round = admm->patience = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmVisitState(PsdVisitor v, void *context)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = context;
  PetscCall(PsdVisitReal(v, "elapsed", PSD_STATE_NONNEGATIVE, &admm->clock.elapsed));
  PetscCall(VisitBeta(admm, v));
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
