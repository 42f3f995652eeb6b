/*
   Which levels there are. The coarse level has the leading principal components, as many as the setting says, and more where
   what is beyond them matters at the beta at hand: while a n lambda_K, the most that a sample's slope of 1 could make of the
   K-th component, is above a part of beta. The certificate's bases are twice as long as the first of them.
*/
#include "base/base.h"
#include "lowrank.h"

#define BEYOND 0.2     /* of beta */
#define RAISE 4        /* times as many components */
#define NEARLY_ALL 1.5 /* times the coarse level's filters: patches up to this length need no coarse level */
#define LONGER_BASIS 2

static size_t MemoryOf(PsdLowrank it)
{
  return (size_t)(it->problem->memory * 1024 * 1024);
}

/* Components and the coarse level of K of them. */
static PetscErrorCode MakeCoarse(PsdLowrank it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->problem;
  PetscCall(PetscNew(&it->components));
  PetscCall(PsdComponentsCreate(problem->comm, problem->data, problem->patches, it->patches,
                                PetscMax(LONGER_BASIS * it->settings.coarse, it->K),
                                (PetscInt)(NEARLY_ALL * (PetscReal)it->K), it->components));
  PetscCall(PsdLevelCreate(problem->comm, it->patches, it->components, it->K, MemoryOf(it), &it->coarse));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankMakeLevels(PsdLowrank it)
{
  PetscFunctionBeginUser;
  if (it->K == 0) it->K = it->settings.coarse; /* else it is that of a file */
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(MakeCoarse(it));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}

/* Whether the last component of a region that is not complete is too large to end with it. */
static PetscBool IsTooCoarse(PsdLowrank it, PetscInt *longest)
{
  const PetscInt *K, *f;
  PetscInt G;
  PetscBool coarse = PETSC_FALSE;
  PsdPatchMatrixGetSizes(it->patches, NULL, &G, NULL, &f);
  PsdLevelGetSizes(it->coarse, NULL, NULL, &K, NULL);
  *longest = 0;
  for (PetscInt g = 0; g < G; g++) {
    const PetscReal *E;
    const PsdVariance *variance = PsdLevelGetVariance(it->coarse, g, &E);
    *longest = PetscMax(*longest, f[g]);
    if (K[g] < f[g] && PetscAbsReal(it->problem->activation[0]) * variance->along[K[g] - 1] > BEYOND * it->place.beta)
      coarse = PETSC_TRUE;
  }
  return coarse;
}

PetscErrorCode PsdLowrankRaise(PsdLowrank it)
{
  PetscFunctionBeginUser;
  PetscInt longest;
  while (!it->place.fine && IsTooCoarse(it, &longest) && 2 * RAISE * it->K <= longest) {
    PsdLevel last = it->coarse;
    PsdComponentList *components = it->components;
    it->K *= RAISE;
    PetscCall(PetscInfo(NULL, "coarse level: %" PetscInt_FMT " components\n", it->K));
    PetscCall(MakeCoarse(it));
    PetscCall(PsdLevelMove(last, it->coarse, &it->columns));
    PetscCall(PsdLevelDestroy(&last));
    PetscCall(PsdComponentsDestroy(components));
    PetscCall(PetscFree(components));
    PetscCall(PsdLevelDestroy(&it->complete)); /* its variance was the other one's */
    PetscCall(PsdFactoredDestroy(&it->factored));
    PetscCall(PsdLowrankEvaluate(it, PETSC_FALSE));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankMoveTo(PsdLowrank it, PetscBool fine)
{
  PetscFunctionBeginUser;
  if (it->place.fine == fine) PetscFunctionReturn(0);
  if (fine && !it->complete && !PsdLevelIsComplete(it->coarse))
    PetscCall(PsdLevelCreateComplete(it->coarse, PETSC_MAX_INT, MemoryOf(it), &it->complete));
  if (it->complete)
    PetscCall(PsdLevelMove(fine ? it->coarse : it->complete, fine ? it->complete : it->coarse, &it->columns));
  it->place.fine = fine;
  PetscFunctionReturn(0);
}
