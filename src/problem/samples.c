/*
   Samples as lifted features or as patches, and what mirror images save: where every image's mirror image is among
   the samples and patches are symmetric, a minimiser is (symmetry.h), and A'A and the iterations of a loss that is
   split need one row for both.
*/
#include "samples.h"
#include "base/base.h"
#include "patches/mirror.h"

PetscErrorCode PsdProblemIsSymmetric(PsdProblem problem, PetscBool *symmetric)
{
  PetscFunctionBeginUser;
  PetscInt copies;
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  *symmetric = (PetscBool)(copies == 2 && PsdPatchesAreSymmetric(problem->patches));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemFold(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscBool symmetric = PETSC_FALSE;
  PetscCall(PsdProblemIsSymmetric(problem, &symmetric));
  if (!symmetric || problem->symmetry) PetscFunctionReturn(0);
  PetscCall(PsdFeaturesGatherStatistics(problem->features));
  PetscCall(PsdSymmetryCreate(problem->patches, problem->blocks, &problem->symmetry));
  problem->order = problem->symmetry->order;
  PetscCall(PetscInfo(NULL, "mirror images: A'A of order %" PetscInt_FMT " instead of D = %" PetscInt_FMT "\n",
                      problem->order, problem->blocks->D));
  PetscFunctionReturn(0);
}

/* Folded features, for A'A and, of a loss that is split, for every iteration, beside those of the certificate. What
   is passed over once is not kept. */
PetscErrorCode PsdProblemLift(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProblemFold(problem));
  if (problem->symmetry && !problem->folded) {
    const PetscReal megabytes = problem->loss.ops->splits ? problem->memory : 0;
    PetscCall(PsdFeaturesCreate(problem->data, problem->patches, problem->activation, (size_t)(megabytes * 1024 * 1024),
                                &problem->folded));
    PetscCall(PsdFeaturesSetSymmetry(problem->features, problem->symmetry, PETSC_FALSE));
    PetscCall(PsdFeaturesSetSymmetry(problem->folded, problem->symmetry, PETSC_TRUE));
    if (problem->single) PetscCall(PsdFeaturesSetSingle(problem->folded, PETSC_TRUE));
    PetscCall(PsdFeaturesShareImages(problem->features, problem->folded));
    PetscCall(PsdFeaturesSetUp(problem->folded));
  }
  if (problem->single && !problem->symmetry && !problem->folded)
    PetscCall(PsdFeaturesSetSingle(problem->features, PETSC_TRUE));
  PetscCall(PsdFeaturesSetUp(problem->features));
  if (!problem->folded) problem->folded = problem->features;
  if (problem->loss.ops->splits && !problem->products)
    PetscCall(PsdProductsCreate(problem->folded, problem->symmetry, problem->blocks, problem->representatives.weights,
                                &problem->products));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemSetSingle(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCheck(!problem->folded, problem->comm, PETSC_ERR_ARG_WRONGSTATE, "The samples are lifted already");
  problem->single = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemIsRounded(PsdProblem problem, PetscBool *rounded)
{
  PetscFunctionBeginUser;
  *rounded = PsdFeaturesAreRounded(problem->features);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rounded, 1, MPIU_BOOL, MPI_LOR, problem->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemLeaveSingle(PsdProblem problem)
{
  PetscFunctionBeginUser;
  problem->single = PETSC_FALSE;
  PetscCall(PetscFree(problem->gram));
  if (problem->folded) {
    PetscCall(PsdFeaturesSetSingle(problem->folded, PETSC_FALSE));
    PetscCall(PsdFeaturesSetUp(problem->folded));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemKeepPatches(PsdProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PsdFeaturesGatherStatistics(problem->features));
  PetscCall(PsdPhaseBegin(PSD_PHASE_LIFT));
  PetscCall(PsdRowsCreate(problem->data, problem->patches, problem->blocks, problem->activation, &problem->rows));
  PetscCall(PsdPhaseEnd(PSD_PHASE_LIFT));
  PetscFunctionReturn(0);
}
