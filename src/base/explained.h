/*
   R2, the part of targets' squares about their means that predictions explain: 1 - residual/deviation. Of targets that
   are all their mean it is 1 where they are met and else 0, as scikit-learn has it.
*/
#ifndef PSD_EXPLAINED_PRIVATE_H
#define PSD_EXPLAINED_PRIVATE_H

#include <petscsys.h>

/* residual: of predictions less targets, deviation: of targets less their mean, both sums of squares or both means. Not
   collective. */
static inline PetscReal PsdExplained(PetscReal residual, PetscReal deviation)
{
  if (deviation > 0) return 1 - residual / deviation;
  return residual == 0 ? 1 : 0;
}

/* PsdDeviations - mean squares of K targets about their means, over n samples of all ranks, of which n_local x K
   targets are here; 0 exactly where all are alike. Collective. */
PetscErrorCode PsdDeviations(MPI_Comm comm, PetscInt n, PetscInt n_local, PetscInt K, const PetscReal targets[],
                             PetscReal deviations[]);

#endif
