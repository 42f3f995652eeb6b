/*
   The state of the barrier method in a checkpoint: the point on the path, the best dual point, and the best network. All ranks
   have it while it is visited.
*/
#include "barrier.h"
#include "base/base.h"
#include "network/neurons_rows.h"

PetscErrorCode PsdBarrierVisitForm(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  (void)solver, (void)v;
  PetscFunctionReturn(0);
}

/* The point, from the root and to it. */
static PetscErrorCode VisitPoint(PsdBarrierSolver it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C, pairs = problem->blocks->pairs;
  const size_t count = (size_t)problem->n * C;
  PsdCentralPoint *point = it->rank == 0 ? PsdCentralGetPoint(it->central) : NULL;
  PetscReal mu = 1, *nu, *theta;
  PetscInt steps = 0;
  PetscCall(PsdVisitorWork(v, count * sizeof(*nu), &nu));
  PetscCall(PsdVisitorWork(v, 2 * (size_t)pairs * sizeof(*theta), &theta));
  if (point) {
    mu = point->mu;
    steps = point->steps;
    PetscCall(PetscArraycpy(nu, point->nu, count));
    PetscCall(PetscArraycpy(theta, point->theta, 2 * pairs));
  }
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, 1, &mu));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_INT, 1, &steps));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, count, nu));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, 2 * (size_t)pairs, theta));
  PetscCall(PsdVisitReal(v, "mu", PSD_STATE_POSITIVE, &mu));
  PetscCall(PsdVisitInt(v, "steps", 0, PETSC_MAX_INT - 1, &steps));
  PetscCall(PsdVisitReplicated(v, "/barrier/nu", problem->n, C, nu));
  PetscCall(PsdVisitReplicated(v, "/barrier/theta", pairs, 2, theta));
  if (point && PsdVisitorIsReading(v)) {
    PetscBool inside;
    point->beta = problem->beta;
    point->mu = mu;
    point->steps = steps;
    PetscCall(PetscArraycpy(point->nu, nu, count));
    PetscCall(PetscArraycpy(point->theta, theta, 2 * pairs));
    PetscCall(PsdCentralResume(it->central, &inside));
    if (!inside) PsdVisitorFail(v, "arrays /barrier/nu and /barrier/theta are not a point of the central path");
  }
  PetscCall(PsdVisitorAgree(v));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierVisitState(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  PetscCall(VisitPoint(it, v));
  PetscCall(PsdVisitInt(v, "idle", 0, PETSC_MAX_INT - 1, &it->idle));
  PetscCall(PsdVisitReal(v, "best_bound", PSD_STATE_REAL, &it->bound));
  PetscCall(PsdVisitReplicated(v, "/barrier/best_nu", problem->n, problem->blocks->C, it->nu));
  PetscCall(PsdNeuronsVisitRows(&it->best, problem->blocks, "/barrier/neurons", v));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  it->weight = 0;
  for (PetscInt k = 0; k < it->best.N; k++) it->weight += PetscAbsReal(it->best.weight[k]);
  PetscFunctionReturn(0);
}
