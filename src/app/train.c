/*
   psdnet train: data -> patches -> problem -> solver -> network, with its model, certificate, report and history.
*/
#include "app.h"

typedef struct {
  char model[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN], history[PETSC_MAX_PATH_LEN];
  char certificate[PETSC_MAX_PATH_LEN];
  PetscReal validation;
  PsdCrops crops;
  PsdQuality quality;
} Outputs;

static PetscErrorCode ReadOptions(Outputs *outputs, PsdData data, PsdPatches patches, PsdProblem problem,
                                  PsdSolver solver, PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscCall(PsdQualityFromOptions(&outputs->quality));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdTrainingSamples(data));
  PetscCall(PsdTrainingPatches(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdSolverSetFromOptions(solver));
  PetscCall(PsdSolverSetCheckpointFromOptions(solver));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(
      PsdOptionPath("-model", "file the network is written to (HDF5)", PSD_PATH_OUTPUT, PETSC_TRUE, outputs->model));
  PetscCall(PsdOptionCertificate(outputs->certificate));
  PetscCall(
      PsdOptionPath("-report", "file the run is summed up in (JSON)", PSD_PATH_OUTPUT, PETSC_FALSE, outputs->report));
  PetscCall(PsdOptionPath("-history_file", "file the solver's checks are listed in (CSV); -history for short",
                          PSD_PATH_OUTPUT, PETSC_FALSE, outputs->history));
  PetscCall(PsdCropsFromOptions(&outputs->crops));
  outputs->validation = 0;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-validation", &outputs->validation, NULL));
  PetscCall(PsdOptionsEnd(done));
  if (!*done && outputs->certificate[0]) PetscCall(PsdSolverKeepWitness(solver));
  PetscFunctionReturn(0);
}

static PetscErrorCode HistoryRow(PsdTable history, const PsdSolverStatus *status)
{
  PetscFunctionBeginUser;
  PetscCall(PsdTableRow(history, "%" PetscInt_FMT ",%.6f,%.9g,%.9g,%.9g,%.17g,%.17g,%.17g,%" PetscInt_FMT,
                        status->iteration, (double)status->seconds, (double)status->primal_residual,
                        (double)status->dual_residual, (double)status->rho, (double)status->objective,
                        (double)status->bound, (double)status->gap, status->rank_Z));
  PetscFunctionReturn(0);
}

/* The rows of before the run was interrupted come again. */
static PetscErrorCode HistoryCreate(PsdSolver solver, const char path[], PsdTable *history)
{
  PetscFunctionBeginUser;
  PetscInt count;
  const PsdSolverStatus *rows;
  PetscCall(PsdSolverGetHistory(solver, &count, &rows));
  PetscCall(
      PsdTableCreate(path, "iteration,seconds,primal_residual,dual_residual,rho,objective,bound,gap,rank", history));
  for (PetscInt k = 0; k < count; k++) PetscCall(HistoryRow(*history, &rows[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Monitor(PsdSolver solver, const PsdSolverStatus *status, void *context)
{
  PetscFunctionBeginUser;
  PsdSolverReason reason;
  PsdCertificateText text;
  PetscCall(PsdSolverGetStatus(solver, NULL, &reason));
  PetscCall(HistoryRow((PsdTable)context, status));
  PsdCertificateWords(status->objective, status->bound, status->gap, 8, 3, &text);
  PetscCall(PsdProgressLine(PETSC_COMM_WORLD, (PetscBool)(reason != PSD_RUNNING),
                            "solve    iteration %5" PetscInt_FMT
                            "  objective %s  bound %s  gap %s  neurons %" PetscInt_FMT,
                            status->iteration, text.primal, text.bound, text.gap, status->neurons));
  PetscFunctionReturn(0);
}

/* Objective, bound and gap, each rounded to its safe side. */
static PetscErrorCode PrintCertificate(const PsdReport *report)
{
  PetscFunctionBeginUser;
  const PsdCertificate *certificate = &report->certificate;
  PsdCertificateText text;
  PsdCertificateWords(certificate->primal + certificate->primal_error, certificate->dual, certificate->gap, 12, 4,
                      &text);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "primal   %s   this network's objective, %" PetscInt_FMT " neurons\n",
                        text.primal, report->neurons));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "bound    %s   no network has less\n", text.bound));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "gap      %s        certified, relative\n", text.gap));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintSummary(const PsdReport *report, const Outputs *outputs, PsdSolverReason reason)
{
  PetscFunctionBeginUser;
  static const char *const reasons[] = {"running",    "gap reached",    "iteration limit",
                                        "time limit", "rounding limit", "signal"};
  const PsdCertificate *certificate = &report->certificate;
  PetscReal memory;
  PetscCall(PsdPeakMemory(&memory));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%s after %" PetscInt_FMT " iterations (solver %s", reasons[reason],
                        report->iterations, report->solver));
  for (PetscInt k = 0; k < report->kernels; k++)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", %s %s", report->kernel[k].part, report->kernel[k].kernel));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, ")\n"));
  PetscCall(PrintCertificate(report));
  PetscCall(PsdWarnOfRounding(certificate));
  PetscCall(PsdReportPrintFit(report));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "seconds "));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++)
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD, " %s %.2f", PsdPhaseName((PsdPhase)phase), PsdPhaseSeconds((PsdPhase)phase)));
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD, " total %.2f; peak memory %.0f MB a rank\n", PsdWallSeconds(), (double)memory));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "model    %s\n", outputs->model));
  PetscFunctionReturn(0);
}

/* The run goes on another time: it leaves its checkpoint and its history so far. */
static PetscErrorCode Leave(PsdTable *history, const PsdSolverStatus *status, int *exit_status)
{
  PetscFunctionBeginUser;
  PetscCall(PsdTableClose(history));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "\nstopped after %" PetscInt_FMT " iterations, checkpoint written: run again with -resume\n",
                        status->iteration));
  *exit_status = PSD_EXIT_CHECKPOINTED;
  PetscFunctionReturn(0);
}

/* Done, or a limit that the user set; a run that should have been continued but could not be saved is neither. */
static int ExitStatus(PsdSolverReason reason, PetscBool keeps)
{
  const PetscBool ended = (PetscBool)(reason == PSD_TIME_LIMIT || reason == PSD_SIGNAL);
  return reason == PSD_GAP_REACHED || (ended && !keeps) ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
}

/* From a problem that is set up to files on disk. */
static PetscErrorCode SolveAndWrite(PsdSolver solver, PsdProblem problem, PsdData held_out, const Outputs *outputs,
                                    PsdReport *report, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdTable history;
  PetscReal loss, gap;
  PsdNetwork network;
  PsdWitness witness;
  PsdSolverStatus status;
  PsdSolverReason reason;
  PetscBool keeps;
  PetscCall(HistoryCreate(solver, outputs->history, &history));
  PetscCall(PsdSolverSetMonitor(solver, Monitor, history));
  PetscCall(PsdSolverSolve(solver, &report->certificate));
  PetscCall(PsdSolverGetStatus(solver, &status, &reason));
  if (reason == PSD_CHECKPOINTED) {
    PetscCall(Leave(&history, &status, exit_status));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdTrainingSave(solver, &report->certificate, outputs->model, &network));
  PetscCall(PsdTableClose(&history));

  PetscCall(PsdSolverGetType(solver, &report->solver));
  PetscCall(PsdSolverGetKernels(solver, &report->kernels, &report->kernel));
  PetscCall(PsdNetworkGetNeurons(network, &report->neurons, NULL, NULL, NULL, NULL, NULL));
  report->iterations = status.iteration;
  report->validated = (PetscBool)(held_out != NULL);
  PetscCall(PsdNetworkSetCrops(network, outputs->crops.most, outputs->crops.mirrored));
  if (held_out) PetscCall(PsdHeldOutApply(network, problem, held_out, &report->accuracy_validation, &loss));
  PetscCall(PrintSummary(report, outputs, reason));
  PetscCall(PsdSolverGetTolerances(solver, &gap, NULL));
  PetscCall(PsdTrainingExplain(&report->certificate, gap, reason));
  if (outputs->certificate[0]) {
    PetscCall(PsdSolverGetWitness(solver, &witness));
    PetscCall(PsdCertificateSave(witness, problem, outputs->certificate));
  }
  if (outputs->report[0]) PetscCall(PsdReportWrite(report, outputs->report));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-checkpoint", &keeps));
  *exit_status = ExitStatus(reason, keeps);
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
  PsdSolver solver;
  PetscBool done;
  PsdSignalsCatch();
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdSolverCreate(problem, &solver));
  PetscCall(ReadOptions(&outputs, data, patches, problem, solver, &done));
  if (!done) {
    PetscCall(PsdQualityPrint(&outputs.quality));
    PetscCall(PsdDataSetUp(data));
    if (outputs.validation > 0) PetscCall(PsdHeldOutRead(data, outputs.validation, &held_out));
    PetscCall(PsdTrainingSetUp(data, patches, problem, solver));
    PetscCall(PsdTrainingDescribe(data, patches, problem, &report));
    PetscCall(SolveAndWrite(solver, problem, held_out, &outputs, &report, exit_status));
  }
  PetscCall(PsdSolverDestroy(&solver));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&held_out));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
