/*
   When the loop is asked to end, or to write a checkpoint, by something else than its own numbers: a signal, which may have
   reached any of the ranks, or the root's clock. One reduction of three numbers an iteration makes it the same on all ranks;
   where nothing of the kind can happen there is none.

   Under Slurm a run with a checkpoint ends in time to write it: SLURM_JOB_END_TIME, seconds since 1970, is in a job's
   environment (other launchers can give it as well), and -time_limit goes before it.
*/
#include "admm.h"
#include "base/base.h"
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
static PetscBool TimeIsUp(PsdAdmm admm)
{
  const PetscReal limit = admm->settings.time_limit;
  if (limit > 0) return (PetscBool)(PsdWallSeconds() > limit);
  if (!admm->checkpoint.path[0] || JobEnd() == 0) return PETSC_FALSE;
  const double margin = PetscMax(LEAST_MARGIN, 2 * (admm->clock.longest + admm->checkpoint.seconds));
  return (PetscBool)((double)time(NULL) > JobEnd() - margin);
}

PetscErrorCode PsdAdmmAskRequests(PsdAdmm admm, PsdRequests *requests)
{
  PetscFunctionBeginUser;
  const PetscBool keeps = (PetscBool)(admm->checkpoint.path[0] != '\0');
  PetscMPIInt rank;
  enum { SIGNAL, TIME, SAVE, COUNT };
  int asked[COUNT] = {[SIGNAL] = PsdSignalsNoted() != 0};
  *requests = (PsdRequests){PETSC_FALSE, PETSC_FALSE, PETSC_FALSE};
  if (!PsdSignalsCaught() && !keeps && admm->settings.time_limit == 0) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  if (rank == 0) {
    const PetscLogDouble now = PsdWallSeconds();
    admm->clock.longest = PetscMax(admm->clock.longest, now - admm->clock.pass);
    admm->clock.pass = now;
    asked[TIME] = TimeIsUp(admm);
    asked[SAVE] = keeps && now - admm->checkpoint.last >= admm->checkpoint.every;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, asked, COUNT, MPI_INT, MPI_MAX, admm->blocks->comm));
  requests->signal = (PetscBool)(asked[SIGNAL] != 0);
  requests->time = (PetscBool)(asked[TIME] != 0);
  requests->save = (PetscBool)(asked[SAVE] != 0);
  PetscFunctionReturn(0);
}
