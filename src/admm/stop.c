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
  const double margin = PetscMax(LEAST_MARGIN, 2 * (admm->longest + admm->checkpoint.seconds));
  return (PetscBool)((double)time(NULL) > JobEnd() - margin);
}

PetscErrorCode PsdAdmmAskStop(PsdAdmm admm, PsdStop *stop)
{
  PetscFunctionBeginUser;
  const PetscBool keeps = (PetscBool)(admm->checkpoint.path[0] != '\0');
  PetscMPIInt rank;
  int asked[3] = {PsdSignalsNoted() != 0, 0, 0};
  *stop = (PsdStop){PETSC_FALSE, PETSC_FALSE, PETSC_FALSE};
  if (!PsdSignalsCaught() && !keeps && admm->settings.time_limit == 0) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  if (rank == 0) {
    const PetscLogDouble now = PsdWallSeconds();
    admm->longest = PetscMax(admm->longest, now - admm->pass);
    admm->pass = now;
    asked[1] = TimeIsUp(admm);
    asked[2] = keeps && now - admm->checkpoint.last >= admm->checkpoint.every;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, asked, 3, MPI_INT, MPI_MAX, admm->blocks->comm));
  stop->signal = (PetscBool)(asked[0] != 0);
  stop->time = (PetscBool)(asked[1] != 0);
  stop->save = (PetscBool)(asked[2] != 0);
  PetscFunctionReturn(0);
}
