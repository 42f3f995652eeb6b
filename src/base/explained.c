/*
   Squares about means (explained.h), from differences to one sample's targets: those of targets that are alike vanish.
*/
#include "explained.h"
#include "base.h"

/* Sums of K numbers over samples: of differences to `from`, less `mean` where that is there, and of their squares. */
static void AddUp(PetscInt n_local, PetscInt K, const PetscReal targets[], const PetscReal from[],
                  const PetscReal mean[], PetscReal sums[])
{
  for (size_t k = 0; k < (size_t)n_local * (size_t)K; k++) {
    const size_t t = k % (size_t)K;
    const PetscReal off = targets[k] - from[t];
    sums[t] += mean ? (off - mean[t]) * (off - mean[t]) : off;
  }
}

PetscErrorCode PsdDeviations(MPI_Comm comm, PetscInt n, PetscInt n_local, PetscInt K, const PetscReal targets[],
                             PetscReal deviations[])
{
  PetscFunctionBeginUser;
  PetscReal *from, *mean;
  PetscCall(PetscCalloc2(K, &from, K, &mean));
  if (n_local > 0) PetscCall(PetscArraycpy(from, targets, K));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)K, from)); /* rank 0 has samples, where any has */
  AddUp(n_local, K, targets, from, NULL, mean);
  PetscCall(PsdSumArray(comm, MPIU_REAL, (size_t)K, mean));
  for (PetscInt t = 0; t < K; t++) mean[t] /= (PetscReal)n;
  PetscCall(PetscArrayzero(deviations, K));
  AddUp(n_local, K, targets, from, mean, deviations);
  PetscCall(PsdSumArray(comm, MPIU_REAL, (size_t)K, deviations));
  for (PetscInt t = 0; t < K; t++) deviations[t] /= (PetscReal)n;
  PetscCall(PetscFree2(from, mean));
  PetscFunctionReturn(0);
}
