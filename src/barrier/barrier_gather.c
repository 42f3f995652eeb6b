/*
   The samples on the root: features and targets of all ranks, in the order of the samples.
*/
#include "barrier.h"
#include "base/base.h"

#define TAG 17

PetscErrorCode PsdBarrierGather(PsdBarrierSolver it, PetscInt width, const PetscReal rows[], PetscReal *all[])
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = it->problem->comm;
  const size_t own = (size_t)it->problem->n_local * (size_t)width;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  *all = NULL;
  if (it->rank > 0) {
    PetscCall(PsdSendArray(comm, 0, TAG, MPIU_REAL, own, rows));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)it->problem->n * (size_t)width, all));
  PetscCall(PetscArraycpy(*all, rows, own));
  for (PetscMPIInt from = 1; from < ranks; from++)
    PetscCall(PsdReceiveArray(comm, from, TAG, MPIU_REAL, (size_t)it->samples[from] * (size_t)width,
                              *all + (size_t)it->first[from] * (size_t)width));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdBarrierGatherSlopes(PsdBarrierSolver it, PetscReal *all[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C, copies = problem->representatives.copies;
  PetscReal *own;
  PetscCall(PetscMalloc1((size_t)problem->n_local * C, &own));
  for (PetscInt i = 0; i < problem->n_local; i++)
    PetscCall(PetscArraycpy(own + (size_t)i * C, problem->nu0 + (size_t)(i / copies) * C, C));
  PetscCall(PsdBarrierGather(it, C, own, all));
  PetscCall(PetscFree(own));
  PetscFunctionReturn(0);
}
