/*
   psdnet evaluate: accuracy and confusion matrix of a model on a data set, or of real targets how well they are met.
*/
#include "app.h"

typedef struct {
  char report[PETSC_MAX_PATH_LEN], picture[PETSC_MAX_PATH_LEN]; /* "": none */
} Paths;

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

static PetscErrorCode EvaluateClasses(const PsdInvocation *invocation, PsdNetwork network, PsdData data,
                                      const PetscReal scores[], const Paths *paths)
{
  PetscFunctionBeginUser;
  PetscInt n, count;
  PetscReal accuracy;
  PetscInt64 *confusion;
  PetscCall(PsdDataGetSizes(data, &n, NULL, NULL));
  PetscCall(PsdNetworkGetClasses(network, &count, NULL, NULL));
  PetscCall(PetscMalloc1((size_t)count * count, &confusion));
  PetscCall(PsdNetworkConfusion(network, data, scores, confusion, &accuracy));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "accuracy %.4f%% of %" PetscInt_FMT " images\n", 100 * (double)accuracy, n));
  PetscCall(PrintConfusion(data, confusion));
  if (paths->report[0]) PetscCall(PsdEvaluationWrite(invocation, data, confusion, accuracy, paths->report));
  if (paths->picture[0]) PetscCall(PsdConfusionDraw(data, confusion, paths->picture));
  PetscCall(PetscFree(confusion));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintFit(const char name[], const PsdFit *fit)
{
  PetscFunctionBeginUser;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%12s %12.6g %12.6g %10.6f\n", name, (double)fit->rmse,
                        (double)fit->mean_error, (double)fit->r2));
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateTargets(const PsdInvocation *invocation, PsdNetwork network, PsdData data,
                                      const PetscReal scores[], const Paths *paths)
{
  PetscFunctionBeginUser;
  PetscInt n, outputs;
  PsdFit *each, all;
  const char *const *names;
  PsdCheckInput(!paths->picture[0], "-picture draws the confusion of classes, and this network has outputs");
  PetscCall(PsdDataGetSizes(data, &n, NULL, NULL));
  PetscCall(PsdNetworkGetOutputs(network, &outputs));
  PetscCall(PetscMalloc1(outputs, &each));
  PetscCall(PsdNetworkFit(network, data, scores, each, &all));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "R2       %.6f of %" PetscInt_FMT " images\n%12s %12s %12s %10s\n",
                        (double)all.r2, n, "output", "RMSE", "mean error", "R2"));
  PetscCall(PsdNetworkGetClassNames(network, &names));
  for (PetscInt t = 0; t < outputs; t++) {
    char name[24];
    PetscCall(PetscSNPrintf(name, sizeof(name), "%" PetscInt_FMT, t));
    PetscCall(PrintFit(names ? names[t] : name, &each[t]));
  }
  if (outputs > 1) PetscCall(PrintFit("all", &all));
  if (paths->report[0]) PetscCall(PsdFitWrite(invocation, data, names, each, &all, paths->report));
  PetscCall(PetscFree(each));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunEvaluate(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)exit_status;
  char model[PETSC_MAX_PATH_LEN];
  Paths paths;
  PsdData data;
  PsdNetwork network;
  PetscInt n_local, C, outputs;
  PsdCrops crops;
  PetscReal *scores;
  PetscBool done;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetPurpose(data, PSD_TO_EVALUATE));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsHeading("Model and output"));
  PetscCall(
      PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_TRUE, model));
  PetscCall(PsdOptionPath("-report",
                          "file accuracy, classes and confusion, or errors of outputs, are written to (JSON)",
                          PSD_PATH_OUTPUT, PETSC_FALSE, paths.report));
  PetscCall(
      PsdOptionPath("-picture", "file the confusion is drawn to (SVG)", PSD_PATH_OUTPUT, PETSC_FALSE, paths.picture));
  PetscCall(PsdCropsFromOptions(&crops));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PetscCall(PsdUseHeldOutPart(data));
    PetscCall(PsdLoadModelAndData(model, data, PETSC_FALSE, &network));
    PetscCall(PsdDataGetSizes(data, NULL, &n_local, NULL));
    PetscCall(PsdNetworkGetClasses(network, NULL, NULL, &C));
    PetscCall(PsdNetworkGetOutputs(network, &outputs));
    PetscCall(PetscMalloc1((size_t)n_local * C, &scores));
    PetscCall(PsdNetworkSetCrops(network, crops.most, crops.mirrored));
    PetscCall(PsdNetworkApply(network, data, scores));
    PetscCall((outputs > 0 ? EvaluateTargets : EvaluateClasses)(invocation, network, data, scores, &paths));
    PetscCall(PetscFree(scores));
    PetscCall(PsdNetworkDestroy(&network));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
