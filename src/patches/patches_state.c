/*
   The transforms of all branches in a file, so that a run that is continued has the same coordinates: statistics of
   patches are sums over ranks, whose rounding may differ.
*/
#include "base/visitor.h"
#include "patches_impl.h"
#include "transform.h"

/* Reading: the branch has none yet, and its transform is that of the file. */
static PetscErrorCode VisitTransform(PsdPatches branch, PetscInt number, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscInt q = branch->q, f = PsdPatchesFinalDimension(branch);
  char transform_name[32], mean_name[32];
  PetscReal *transform = branch->transform, *mean = branch->mean;
  (void)snprintf(transform_name, sizeof(transform_name), "/patches/%d/transform", (int)number);
  (void)snprintf(mean_name, sizeof(mean_name), "/patches/%d/mean", (int)number);
  if (PsdVisitorIsReading(v)) {
    PetscCall(PsdVisitorWork(v, (size_t)q * f * sizeof(PetscReal), &transform));
    PetscCall(PsdVisitorWork(v, (size_t)q * sizeof(PetscReal), &mean));
  }
  PetscCall(PsdVisitReplicated(v, transform_name, q, f, transform));
  PetscCall(PsdVisitReplicated(v, mean_name, 1, q, mean));
  if (PsdVisitorIsReading(v)) {
    PsdVisitorCheckLargest(v, transform_name, (PetscInt64)q * f, transform);
    PsdVisitorCheckLargest(v, mean_name, q, mean);
    PetscCall(PsdVisitorAgree(v));
    PetscCall(PsdPatchesSetTransform(branch, f, transform, mean));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPatchesVisit(PsdPatches patches, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscInt branches;
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    const PetscBool wanted =
        PsdVisitorIsReading(v) ? PsdPatchesNeedStatistics(branch) : (PetscBool)(branch->transform != NULL);
    if (wanted) PetscCall(VisitTransform(branch, b, v));
  }
  PetscFunctionReturn(0);
}
