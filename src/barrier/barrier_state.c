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

/* An array of the point's, from the root and to it; on other ranks `own` is NULL. */
static PetscErrorCode VisitArray(PsdBarrierSolver it, PsdVisitor v, const char name[], PetscInt rows, PetscInt width,
                                 PetscReal *own)
{
  PetscFunctionBeginUser;
  const size_t count = (size_t)rows * (size_t)width;
  PetscReal *array;
  PetscCall(PsdVisitorWork(v, count * sizeof(*array), &array));
  if (own) PetscCall(PetscArraycpy(array, own, count));
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, count, array));
  PetscCall(PsdVisitReplicated(v, name, rows, width, array));
  PsdVisitorCheckLargest(v, name, PsdVisitorIsReading(v) ? (PetscInt64)count : 0, array);
  if (own) PetscCall(PetscArraycpy(own, array, count));
  PetscFunctionReturn(0);
}

/* Blocks that are smaller than the largest end in zeros. */
static void ClearRest(const PsdBlocks blocks, PetscReal Z[])
{
  const size_t square = (size_t)blocks->d_max * blocks->d_max;
  for (PetscInt block = 0; block < 2 * blocks->pairs; block++) {
    const size_t d = (size_t)blocks->region[block / 2 % blocks->G].d;
    for (size_t k = d * d; k < square; k++) Z[(size_t)block * square + k] = 0;
  }
}

/* The path of this beta from its beginning. */
static PetscErrorCode StartAgain(PsdBarrierSolver it)
{
  PetscFunctionBeginUser;
  PetscReal *slopes;
  PetscCall(PsdBarrierGatherSlopes(it, &slopes));
  if (it->rank == 0) PetscCall(PsdCentralStart(it->central, it->problem->beta, slopes));
  PetscCall(PetscFree(slopes));
  it->idle = 0;
  PetscFunctionReturn(0);
}

/* *inside: whether there are steps from the point that was read. At its end a path comes so near to the boundary that
   rounding decides that, and what follows from the point is rounded otherwise than it was on the way there. */
static PetscErrorCode VisitPoint(PsdBarrierSolver it, PsdVisitor v, PetscBool *inside)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C, pairs = problem->blocks->pairs, d = problem->blocks->d_max;
  const PsdRange down = {problem->beta, PSD_STATE_LARGEST, PETSC_FALSE};
  PsdCentralPoint none = {.beta = problem->beta};
  PsdCentralPoint *point = it->rank == 0 ? PsdCentralGetPoint(it->central) : &none;
  PetscReal beta = point->beta;
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, 1, &beta));
  PetscCall(PsdVisitReal(v, "beta_reached", down, &beta));
  if (point->Z) ClearRest(problem->blocks, point->Z);
  PetscCall(VisitArray(it, v, "/barrier/nu", problem->n, C, point->nu));
  PetscCall(VisitArray(it, v, "/barrier/theta", pairs, 2, point->theta));
  PetscCall(VisitArray(it, v, "/barrier/Z", 2 * pairs, d * d, point->Z));
  PetscCall(VisitArray(it, v, "/barrier/lower_ends", problem->n, C, point->ends[0]));
  PetscCall(VisitArray(it, v, "/barrier/upper_ends", problem->n, C, point->ends[1]));
  PetscCall(PsdVisitorAgree(v));
  *inside = PETSC_TRUE;
  if (it->rank == 0 && PsdVisitorIsReading(v)) {
    point->goal = problem->beta;
    point->beta = beta;
    PetscCall(PsdCentralResume(it->central, inside));
  }
  PetscCallMPI(MPI_Bcast(inside, 1, MPIU_BOOL, 0, problem->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierVisitState(PsdSolver solver, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PsdBarrierSolver it = solver->data;
  const PsdProblem problem = it->problem;
  PetscBool inside;
  PetscCall(VisitPoint(it, v, &inside));
  PetscCall(PsdVisitInt(v, "idle", 0, PETSC_MAX_INT - 1, &it->idle));
  PetscCall(PsdVisitReal(v, "best_bound", PSD_STATE_REAL, &it->bound));
  PetscCall(PsdVisitReplicated(v, "/barrier/best_nu", problem->n, problem->blocks->C, it->nu));
  PetscCall(PsdNeuronsVisitRows(&it->best, problem->blocks, "/barrier/neurons", v));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  it->weight = 0;
  for (PetscInt k = 0; k < it->best.N; k++) it->weight += PetscAbsReal(it->best.weight[k]);
  if (!inside) PetscCall(StartAgain(it));
  PetscFunctionReturn(0);
}
