/*
   Where the iteration starts: from nothing, from a network, or, when beta changes, from where it stands.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/user_network.h"

PetscErrorCode PsdAdmmStart(PsdSolver solver)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdPenaltyState *penalty = &admm->penalty;
  PetscReal rho = PsdToUnits(admm->problem->units, PSD_UNIT_PENALTY, admm->settings.rho);
  if (rho == 0) {
    PetscCall(PsdSpectrumFind(admm->consensus, &penalty->spectrum));
    rho = PsdAdmmInitialPenalty(admm, admm->problem->beta);
    PetscCall(
        PetscInfo(NULL, "initial rho %g, mean eigenvalue seen by h %g\n", (double)rho, (double)penalty->spectrum.mean));
  }
  PetscCall(PsdAdmmSetPenalty(admm, rho, admm->settings.sigma));
  /* the network without neurons: objective L(0) */
  solver->status = (PsdSolverStatus){.objective = admm->problem->loss_at_zero, .gap = 1, .rho = penalty->rho};
  PetscFunctionReturn(0);
}

/* The neurons with positive weight (s = 0) or those with negative weight, positive (s = 1), as a list of their own. */
static PetscErrorCode SelectSign(const PsdNeurons *all, PetscInt s, PsdNeurons *selected)
{
  PetscFunctionBeginUser;
  const PetscInt f = all->f;
  PetscCall(PsdNeuronsCreate(all->N, f, selected));
  for (PetscInt k = 0; k < all->N; k++) {
    if ((all->weight[k] > 0) != (s == 0)) continue;
    PetscCall(PetscArraycpy(selected->filter + (size_t)selected->N * f, all->filter + (size_t)k * f, f));
    selected->weight[selected->N] = PetscAbsReal(all->weight[k]);
    selected->region[selected->N] = all->region[k];
    selected->class[selected->N] = all->class[k];
    selected->N++;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmSetInitial(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdNeurons all;
  PetscCall(PsdProblemReadNeurons(admm->problem, network, &all));
  for (PetscInt s = 0; s < 2; s++) {
    PsdNeurons selected;
    PetscReal weight;
    PetscCall(SelectSign(&all, s, &selected));
    PetscCall(PsdNeuronsAssemble(&selected, admm->blocks, admm->iterate.Z[s], &weight));
    PetscCall(PsdNeuronsDestroy(&selected));
  }
  PetscCall(PsdNeuronsDestroy(&all));
  /* U = 0, and S is not in use yet */
  PetscCall(VecWAXPY(admm->iterate.S, -1, admm->iterate.Z[1], admm->iterate.Z[0]));
  PetscCall(PsdConsensusRestart(admm->consensus, admm->iterate.S));
  if (admm->split) PetscCall(PsdSplittingRestart(admm->split, admm->iterate.S));
  PetscFunctionReturn(0);
}

/*
   Z stays, and so does the best network, whose objective is that of its loss and new weight. The multipliers -rho U
   are of the size of beta. The penalty follows the rule of the start by as much as that changes, so that what was
   learned is kept.
*/
PetscErrorCode PsdAdmmSetBeta(PsdSolver solver, PetscReal beta)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  const PsdProblem problem = admm->problem;
  const PetscReal last = problem->beta, empty = problem->loss_at_zero;
  const PetscReal sigma = admm->split ? admm->split->sigma : 1;
  const PetscBool estimated = (PetscBool)(admm->penalty.spectrum.steps > 0); /* rather than given, as -rho */
  const PetscReal start = estimated ? PsdAdmmInitialPenalty(admm, last) : 1;
  PetscCall(PsdProblemTakeBeta(problem, beta));
  const PetscReal factor = problem->beta / last;
  PetscReal objective = solver->status.objective + (problem->beta - last) * admm->best.weight;
  PetscCall(PsdPhaseBegin(PSD_PHASE_FACTOR));
  PetscCall(PsdBoundsSetBeta(admm->bounds));
  if (estimated) {
    const PetscReal now = PsdAdmmInitialPenalty(admm, problem->beta);
    PetscCall(PsdAdmmSetPenalty(admm, admm->penalty.rho * now / start, sigma));
  }
  for (PetscInt s = 0; s < 2; s++) PetscCall(VecScale(admm->iterate.U[s], factor));
  PetscCall(PsdConsensusRescale(admm->consensus, factor));
  PsdAcceleratorReset(admm->accelerator);
  admm->penalty.changes = (PsdPenaltyChanges){0};
  admm->corrections = 0;
  if (objective > empty) {
    objective = empty;
    admm->best.neurons.N = 0;
    admm->best.weight = 0;
    PetscCall(VecSet(admm->best.S, 0));
  }
  solver->status = (PsdSolverStatus){.objective = objective,
                                     .gap = 1,
                                     .rho = admm->penalty.rho,
                                     .neurons = objective < empty ? solver->status.neurons : 0};
  PetscCall(PsdAdmmScreen(admm, &solver->status.screened));
  PetscCall(PsdPhaseEnd(PSD_PHASE_FACTOR));
  PetscFunctionReturn(0);
}
