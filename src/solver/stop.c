/*
   When the loop is asked to end, or to write a checkpoint, by something else than its own numbers: a signal, which may have
   reached any of the ranks, or the root's clock. One reduction of three numbers an iteration makes it the same on all ranks;
   where nothing of the kind can happen there is none.

   Under Slurm a run with a checkpoint ends in time to write it: SLURM_JOB_END_TIME, seconds since 1970, is in a job's
   environment (other launchers can give it as well), and -time_limit goes before it.
*/
#include "base/base.h"
#include "solver.h"
#include <stdlib.h>
#include <time.h>

#define LEAST_MARGIN 30 /* seconds between the end of the loop and that of the job, at least */

/* 0: not known. */
static double JobEnd(void)
{
  const char *text = getenv("SLURM_JOB_END_TIME");
  char *end;

  if (!text) return 0;
  const double seconds = strtod(text, &end);
  return end != text && !*end && seconds > 0 ? seconds : 0;
}

/* On the root. A checkpoint has to be written, and a pass through the loop ended, before the job's end: twice over. */
static PetscBool TimeIsUp(PsdSolver solver)
{
  const PetscReal limit = solver->settings.time_limit;
  if (limit > 0) return (PetscBool)(PsdWallSeconds() > limit);
  if (!solver->checkpoint.path[0] || JobEnd() == 0) return PETSC_FALSE;
  const double margin = PetscMax(LEAST_MARGIN, 2 * (solver->clock.longest + solver->checkpoint.seconds));
  return (PetscBool)((double)time(NULL) > JobEnd() - margin);
}

PetscErrorCode PsdSolverAskRequests(PsdSolver solver, PsdRequests *requests)
{
  PetscFunctionBeginUser;
  const PetscBool keeps = (PetscBool)(solver->checkpoint.path[0] != '\0');
  PetscMPIInt rank;
  enum { SIGNAL, TIME, SAVE, COUNT };
  int asked[COUNT] = {[SIGNAL] = PsdSignalsNoted() != 0};
  *requests = (PsdRequests){PETSC_FALSE, PETSC_FALSE, PETSC_FALSE};
  if (!PsdSignalsCaught() && !keeps && solver->settings.time_limit == 0) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(solver->problem->comm, &rank));
  if (rank == 0) {
    const PetscLogDouble now = PsdWallSeconds();
    solver->clock.longest = PetscMax(solver->clock.longest, now - solver->clock.pass);
    solver->clock.pass = now;
    asked[TIME] = TimeIsUp(solver);
    asked[SAVE] = keeps && now - solver->checkpoint.last >= solver->checkpoint.every;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, asked, COUNT, MPI_INT, MPI_MAX, solver->problem->comm));
  requests->signal = (PetscBool)(asked[SIGNAL] != 0);
  requests->time = (PetscBool)(asked[TIME] != 0);
  requests->save = (PetscBool)(asked[SAVE] != 0);
  PetscFunctionReturn(0);
}
