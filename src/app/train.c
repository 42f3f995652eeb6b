/*
   psdnet train: data -> patches -> problem -> solver -> network, with its certificate, model, report and history.
*/
#include "app.h"
#include "base/base.h"

typedef struct {
  char model[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN], history[PETSC_MAX_PATH_LEN];
  PetscReal validation;
} Outputs;

static PetscErrorCode ReadOptions(Outputs *outputs, PsdData data, PsdPatches patches, PsdProblem problem, PsdAdmm admm,
                                  PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscBool flip = PETSC_FALSE;
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionBool("-flip", "train on the mirror images as well", &flip, NULL));
  PetscCall(PsdDataSetMirror(data, flip));
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdAdmmSetFromOptions(admm));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-model", "file the network is written to (HDF5)", PETSC_TRUE, outputs->model));
  PetscCall(PsdOptionPath("-report", "file the run is summed up in (JSON)", PETSC_FALSE, outputs->report));
  PetscCall(PsdOptionPath("-history_file", "file the solver's checks are listed in (CSV); -history for short",
                          PETSC_FALSE, outputs->history));
  outputs->validation = 0;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-validation", &outputs->validation, NULL));
  PetscCall(PsdOptionsEnd(done));
  if (*done) PetscFunctionReturn(0);
  PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-model", outputs->model));
  if (outputs->report[0]) PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-report", outputs->report));
  if (outputs->history[0]) PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-history", outputs->history));
  PetscFunctionReturn(0);
}

static PetscErrorCode Monitor(PsdAdmm admm, const PsdAdmmStatus *status, void *context)
{
  PetscFunctionBeginUser;
  PsdAdmmReason reason;
  PetscCall(PsdAdmmGetStatus(admm, NULL, &reason));
  PetscCall(PsdHistoryAdd((PsdHistory)context, status));
  PetscCall(PsdProgressLine(
      PETSC_COMM_WORLD, (PetscBool)(reason != PSD_RUNNING),
      "solve    iteration %5" PetscInt_FMT "  objective %.8g  bound %.8g  gap %.2e  neurons %" PetscInt_FMT,
      status->iteration, (double)status->objective, (double)status->bound, (double)status->gap, status->neurons));
  PetscFunctionReturn(0);
}

static PetscErrorCode DescribeProblem(PsdProblem problem, PsdPatches patches, PetscBool flipped, PsdReport *report)
{
  PetscFunctionBeginUser;
  PetscInt C, G, classes;
  PsdPatchGeometry geometry;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(PsdProblemGetSizes(problem, &report->n, &report->f, &C, &G, &report->D));
  PetscCall(PsdProblemGetBeta(problem, &report->beta, &report->beta_max));
  PetscCall(PsdPatchesGetGeometry(patches, &geometry));
  report->blocks = 2 * C * G;
  classes = C == 1 ? 2 : C;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "problem  %" PetscInt_FMT " images%s, %" PetscInt_FMT " classes; patch %" PetscInt_FMT
                        "x%" PetscInt_FMT " stride %" PetscInt_FMT " pool %" PetscInt_FMT "; f %" PetscInt_FMT
                        ", D %" PetscInt_FMT ", %" PetscInt_FMT " blocks; beta %.6g (beta_max %.6g); ranks %d\n",
                        report->n, flipped ? " (half of them mirrored)" : "", classes, geometry.patch_height,
                        geometry.patch_width, geometry.stride, geometry.pool, report->f, report->D, report->blocks,
                        (double)report->beta, (double)report->beta_max, (int)ranks));
  PetscFunctionReturn(0);
}

static PetscErrorCode SaveNetwork(PsdAdmm admm, const PsdCertificate *certificate, const char path[],
                                  PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
  PetscCall(PsdAdmmGetNetwork(admm, network));
  PetscCall(PsdNetworkGetTraining(*network, &training));
  training.objective_primal = certificate->primal;
  training.objective_dual = certificate->dual;
  training.gap = certificate->gap;
  PetscCall(PsdNetworkSetTraining(*network, &training));
  PetscCall(PsdNetworkSave(*network, path));
  PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
  PetscFunctionReturn(0);
}

/* The held-out last fraction of the images, read before the run so that what is wrong with it is known in time. */
static PetscErrorCode ReadHeldOut(PsdData training, PetscReal fraction, PsdData *held_out)
{
  PetscFunctionBeginUser;
  PetscInt count;
  const PetscInt *labels;
  PetscCall(PsdDataGetClasses(training, &count, &labels, NULL));
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, held_out));
  PetscCall(PsdDataSetFromOptions(*held_out));
  PetscCall(PsdDataSetClasses(*held_out, count, labels));
  PetscCall(PsdDataSetValidation(*held_out, fraction, PSD_PART_VALIDATION));
  PetscCall(PsdDataSetUp(*held_out));
  PetscFunctionReturn(0);
}

static PetscErrorCode Validate(PsdNetwork network, PsdData held_out, PetscReal *accuracy)
{
  PetscFunctionBeginUser;
  PetscInt count, C, n_local;
  PetscReal *scores;
  PetscInt64 *confusion;
  PetscCall(PsdNetworkGetClasses(network, &count, NULL, &C));
  PetscCall(PsdDataGetSizes(held_out, NULL, &n_local, NULL));
  PetscCall(PetscMalloc2((size_t)n_local * C, &scores, (size_t)count * count, &confusion));
  PetscCall(PsdNetworkApply(network, held_out, scores));
  PetscCall(PsdNetworkConfusion(network, held_out, scores, confusion, accuracy));
  PetscCall(PetscFree2(scores, confusion));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintSummary(const PsdReport *report, const Outputs *outputs, PsdAdmmReason reason)
{
  PetscFunctionBeginUser;
  static const char *const reasons[] = {"running", "gap reached", "iteration limit", "time limit", "rounding limit"};
  const PsdCertificate *certificate = &report->certificate;
  PetscReal memory;
  PetscCall(PsdPeakMemory(&memory));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%s after %" PetscInt_FMT " iterations (consensus %s, cone %s)\n",
                        reasons[reason], report->iterations, report->consensus, report->cone));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "primal   %.12g   this network's objective, %" PetscInt_FMT " neurons\n",
                        (double)certificate->primal, report->neurons));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "bound    %.12g   no network has less\n", (double)certificate->dual));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "gap      %.3e        certified, relative\n", (double)certificate->gap));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "accuracy %.2f%% training", 100 * (double)certificate->accuracy));
  if (report->accuracy_validation >= 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", %.2f%% validation", 100 * (double)report->accuracy_validation));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\nseconds "));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %s %.2f", PsdPhaseNames[phase], PsdPhaseSeconds((PsdPhase)phase)));
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD, " total %.2f; peak memory %.0f MB a rank\n", PsdWallSeconds(), (double)memory));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "model    %s\n", outputs->model));
  PetscFunctionReturn(0);
}

/* From a problem that is set up to files on disk. */
static PetscErrorCode SolveAndWrite(PsdAdmm admm, PsdData held_out, const Outputs *outputs, PsdReport *report,
                                    int *exit_status)
{
  PetscFunctionBeginUser;
  PsdHistory history;
  PsdNetwork network;
  PsdAdmmStatus status;
  PsdAdmmReason reason;
  PetscCall(PsdHistoryCreate(outputs->history, &history));
  PetscCall(PsdAdmmSetMonitor(admm, Monitor, history));
  PetscCall(PsdAdmmSolve(admm, &report->certificate));
  PetscCall(SaveNetwork(admm, &report->certificate, outputs->model, &network));
  PetscCall(PsdHistoryClose(&history));

  PetscCall(PsdAdmmGetStatus(admm, &status, &reason));
  PetscCall(PsdAdmmGetKernels(admm, &report->consensus, &report->cone));
  PetscCall(PsdNetworkGetNeurons(network, &report->neurons, NULL, NULL, NULL, NULL, NULL));
  report->iterations = status.iteration;
  report->accuracy_validation = -1;
  if (held_out) PetscCall(Validate(network, held_out, &report->accuracy_validation));
  PetscCall(PrintSummary(report, outputs, reason));
  if (outputs->report[0]) PetscCall(PsdReportWrite(report, outputs->report));
  *exit_status = reason == PSD_GAP_REACHED || reason == PSD_TIME_LIMIT ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunTrain(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdReport report = {.invocation = invocation};
  Outputs outputs;
  PsdData data, held_out = NULL;
  PsdPatches patches;
  PsdProblem problem;
  PsdAdmm admm;
  PetscInt channels, height, width, copies;
  PetscBool done;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdAdmmCreate(problem, &admm));
  PetscCall(ReadOptions(&outputs, data, patches, problem, admm, &done));
  if (!done) {
    PetscCall(PsdDataSetUp(data));
    if (outputs.validation > 0) PetscCall(ReadHeldOut(data, outputs.validation, &held_out));
    PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
    PetscCall(PsdPatchesSetImageSize(patches, channels, height, width));
    PetscCall(PsdProblemSetUp(problem));
    PetscCall(PsdAdmmSetUp(admm));
    PetscCall(PsdDataGetCopies(data, &copies));
    PetscCall(DescribeProblem(problem, patches, (PetscBool)(copies == 2), &report));
    PetscCall(SolveAndWrite(admm, held_out, &outputs, &report, exit_status));
  }
  PetscCall(PsdAdmmDestroy(&admm));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&held_out));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
