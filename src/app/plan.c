/*
   psdnet plan: memory and time of a run before it is submitted, for the options of train. No data are needed.
*/
#include "app.h"

typedef struct {
  char data[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN]; /* "": none */
  PsdQuality quality;
} Asked;

static PetscErrorCode ReadOptions(Asked *asked, PsdPatches patches, PsdProblem problem, PsdPlan plan, PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscCall(PsdQualityFromOptions(&asked->quality));
  PetscCall(PsdPlanSetFromOptions(plan));
  PetscCall(PsdOptionPath("-data", "images, to take the sizes from; or give -images and -image", PSD_PATH_INPUT,
                          PETSC_FALSE, asked->data));
  PetscCall(PsdTrainingPatches(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdOptionPath("-report", "file the plan is written to as well (JSON)", PSD_PATH_OUTPUT, PETSC_FALSE,
                          asked->report));
  if (!asked->data[0]) PetscCall(PsdOptionsEnd(done));
  PetscFunctionReturn(0);
}

/* The sizes of a data set: images that are chosen, their classes and shape. */
static PetscErrorCode AskData(PsdPlan plan, PetscBool *done)
{
  PetscFunctionBeginUser;
  PsdData data;
  PetscInt images, channels, height, width, classes, outputs;
  PsdPixels pixels;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsEnd(done));
  if (!*done) {
    PetscCall(PsdDataSetUp(data));
    PetscCall(PsdDataGetSizes(data, &images, NULL, NULL));
    PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
    PetscCall(PsdDataGetClasses(data, &classes, NULL, NULL));
    PetscCall(PsdDataGetTargets(data, &outputs, NULL));
    PetscCall(PsdPlanSetSamples(plan, images, channels, height, width, classes));
    PetscCall(PsdPlanSetOutputs(plan, outputs));
    PetscCall(PsdDataGetPixels(data, &pixels));
    PetscCall(PsdPlanSetBits(plan, pixels.bits));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}

static PetscErrorCode Answer(PsdPlan plan, const char report[])
{
  PetscFunctionBeginUser;
  PsdPlanTotals totals;
  PetscCall(PsdPlanSetUp(plan));
  PetscCall(PsdPlanView(plan, PETSC_VIEWER_STDOUT_WORLD));
  if (report[0]) PetscCall(PsdPlanReportWrite(plan, report));
  PetscCall(PsdPlanGetTotals(plan, &totals));
  PsdCheckInput(totals.node_needed <= totals.node_memory, "%s %s needs %.1f GB on a node that has %.1f GB",
                totals.kernels > 0 ? totals.kernel[0].part : "solver",
                totals.kernels > 0 ? totals.kernel[0].kernel : totals.solver, (double)totals.node_needed / 1e9,
                (double)totals.node_memory / 1e9);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPlan(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  Asked asked;
  PsdPatches patches;
  PsdProblem problem;
  PsdPlan plan;
  PetscBool done = PETSC_FALSE;
  (void)invocation, (void)exit_status;
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(NULL, patches, &problem));
  PetscCall(PsdPlanCreate(problem, &plan));
  PetscCall(ReadOptions(&asked, patches, problem, plan, &done));
  if (!done && asked.data[0]) PetscCall(AskData(plan, &done));
  if (!done) PetscCall(PsdQualityPrint(&asked.quality));
  if (!done) PetscCall(PsdTrainingFilters(patches));
  if (!done) PetscCall(Answer(plan, asked.report));
  PetscCall(PsdPlanDestroy(&plan));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscFunctionReturn(0);
}
