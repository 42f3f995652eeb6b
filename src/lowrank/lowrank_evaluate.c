/*
   Where the columns stand at the level and the beta at hand: scores, slopes, values and multipliers.
*/
#include "base/base.h"
#include "lowrank.h"

PetscErrorCode PsdLowrankEvaluate(PsdLowrank it, PetscBool precise)
{
  PetscFunctionBeginUser;
  const PetscInt groups = PsdObjectiveGroups(it->objective);
  PetscBool *all;
  PetscReal *gradient;
  PetscCall(PetscMalloc2(groups, &all, it->columns.at[it->columns.count], &gradient));
  for (PetscInt k = 0; k < groups; k++) all[k] = PETSC_TRUE;
  PetscCall(PsdObjectiveSet(it->objective, PsdLowrankLevel(it), &it->columns, it->place.beta));
  PetscCall(PsdObjectiveEvaluate(it->objective, precise, all, it->columns.F, it->value, gradient));
  PsdColumnsMultipliers(&it->columns, gradient, it->mu);
  PetscCall(PsdBroadcastArray(it->problem->comm, MPIU_REAL, (size_t)PsdBlockCount(&it->columns), it->mu));
  PetscCall(PetscFree2(all, gradient));
  PetscFunctionReturn(0);
}
