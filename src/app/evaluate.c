/*
   psdnet evaluate: accuracy and confusion matrix of a model on a data set.
*/
#include "app.h"

/* The data's classes are the network's, in its order: by their labels, whatever the data call them. Those that no image
   has get no row. */
static PetscErrorCode PrintConfusion(PsdData data, const PetscInt64 confusion[])
{
  PetscFunctionBeginUser;
  PetscInt count;
  const char *const *names;
  PetscCall(PsdDataGetClasses(data, &count, NULL, &names));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "confusion (row: true class, column: predicted)\n%12s", ""));
  for (PetscInt k = 0; k < count; k++) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8.8s", names[k]));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "   recall\n"));
  for (PetscInt row = 0; row < count; row++) {
    const PetscInt64 *line = confusion + (size_t)row * (size_t)count;
    PetscInt64 images = 0;
    for (PetscInt k = 0; k < count; k++) images += line[k];
    if (!images) continue;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%12.12s", names[row]));
    for (PetscInt k = 0; k < count; k++) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8" PetscInt64_FMT, line[k]));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %7.2f%%\n", 100 * (double)line[row] / (double)images));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunEvaluate(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)exit_status;
  char model[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN], picture[PETSC_MAX_PATH_LEN];
  PsdData data;
  PsdNetwork network;
  PetscInt n, n_local, count, C, crop_shift;
  PetscReal *scores, accuracy;
  PetscInt64 *confusion;
  PetscBool done;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetPurpose(data, PSD_TO_EVALUATE));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsHeading("Model and output"));
  PetscCall(
      PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_TRUE, model));
  PetscCall(PsdOptionPath("-report", "file accuracy, classes and confusion are written to as well (JSON)",
                          PSD_PATH_OUTPUT, PETSC_FALSE, report));
  PetscCall(PsdOptionPath("-picture", "file the confusion is drawn to (SVG)", PSD_PATH_OUTPUT, PETSC_FALSE, picture));
  PetscCall(PsdCropsFromOptions(&crop_shift));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PetscCall(PsdUseHeldOutPart(data));
    PetscCall(PsdLoadModelAndData(model, data, PETSC_FALSE, &network));
    PetscCall(PsdDataGetSizes(data, &n, &n_local, NULL));
    PetscCall(PsdNetworkGetClasses(network, &count, NULL, &C));
    PetscCall(PetscMalloc2((size_t)n_local * C, &scores, (size_t)count * count, &confusion));
    PetscCall(PsdNetworkSetCrops(network, crop_shift));
    PetscCall(PsdNetworkApply(network, data, scores));
    PetscCall(PsdNetworkConfusion(network, data, scores, confusion, &accuracy));
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD, "accuracy %.4f%% of %" PetscInt_FMT " images\n", 100 * (double)accuracy, n));
    PetscCall(PrintConfusion(data, confusion));
    if (report[0]) PetscCall(PsdEvaluationWrite(invocation, data, confusion, accuracy, report));
    if (picture[0]) PetscCall(PsdConfusionDraw(data, confusion, picture));
    PetscCall(PetscFree2(scores, confusion));
    PetscCall(PsdNetworkDestroy(&network));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
