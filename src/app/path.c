/*
   psdnet path: the regularisation path. One problem, its A'A made once; a decreasing sequence of betas, each started from the
   last one's solution and each certified; the network that does best on images that were held out is kept.
*/
#include "app.h"
#include <string.h>

#define MOST_BETAS 1000

typedef struct {
  char model[PETSC_MAX_PATH_LEN], table[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN];
  char validation_data[PETSC_MAX_PATH_LEN];
  PetscReal validation;
  PetscInt crop_shift;
  PetscInt count;             /* betas */
  PetscReal beta[MOST_BETAS]; /* as listed, or from beta_max to that of the problem */
  PetscBool listed, keep_all;
} Choices;

static PetscErrorCode ReadBetas(Choices *choices)
{
  PetscFunctionBeginUser;
  PetscBool counted;
  PetscInt listed = MOST_BETAS;
  choices->count = 10;
  PetscCall(PsdOptionsHeading("Path"));
  PetscCall(
      PsdOptionInt("-beta_count",
                   "betas, evenly spaced by ratio from beta_max, which is left out, to -beta, -beta_rel or -beta_noise",
                   1, MOST_BETAS, &choices->count, &counted));
  PetscCall(PsdOptionRealList("-beta_list", "the betas themselves, absolute and decreasing, instead", choices->beta,
                              &listed, &choices->listed));
  if (!choices->listed) PetscFunctionReturn(0);
  PsdCheckInput(!counted, "options -beta_count and -beta_list: found both, expected one of them");
  choices->count = listed;
  for (PetscInt k = 0; k < listed; k++)
    PsdCheckInput(choices->beta[k] > 0 && (k == 0 || choices->beta[k] < choices->beta[k - 1]),
                  "option -beta_list: found %g at place %" PetscInt_FMT ", expected positive numbers that decrease",
                  (double)choices->beta[k], k + 1);
  PetscFunctionReturn(0);
}

/* A path is many runs; what would have to be kept is the best of them as well. */
static PetscErrorCode RefuseCheckpoint(void)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"-checkpoint", "-checkpoint_every", "-checkpoint_gram", "-resume"};
  for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
    PetscBool given;
    PetscCall(PetscOptionsHasName(NULL, NULL, names[k], &given));
    PsdCheckInput(!given, "option %s: path keeps no checkpoint, train does", names[k]);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(Choices *choices, PsdData data, PsdPatches patches, PsdProblem problem, PsdAdmm admm,
                                  PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscBool flip = PETSC_FALSE;
  memset(choices, 0, sizeof(*choices));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionBool("-flip", "train on the mirror images as well", &flip, NULL));
  PetscCall(PsdDataSetMirror(data, flip));
  PetscCall(PsdOptionPath("-validation_data", "other images to choose by, instead of -validation", PETSC_FALSE,
                          choices->validation_data));
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdAdmmSetFromOptions(admm));
  PetscCall(RefuseCheckpoint());
  PetscCall(ReadBetas(choices));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-model", "file the best network is written to (HDF5)", PETSC_TRUE, choices->model));
  PetscCall(PsdOptionBool("-keep_all", "keep every beta's network as well, as MODEL.1, MODEL.2, ...",
                          &choices->keep_all, NULL));
  PetscCall(PsdOptionPath("-table", "file with a line for each beta (CSV)", PETSC_FALSE, choices->table));
  PetscCall(PsdOptionPath("-report", "file the run is summed up in (JSON)", PETSC_FALSE, choices->report));
  PetscCall(PsdCropsFromOptions(&choices->crop_shift));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-validation", &choices->validation, NULL));
  PetscCall(PsdOptionsEnd(done));
  if (*done) PetscFunctionReturn(0);
  PsdCheckInput(!(choices->validation > 0 && choices->validation_data[0]),
                "options -validation and -validation_data: found both, expected one of them");
  PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-model", choices->model));
  if (choices->table[0]) PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-table", choices->table));
  if (choices->report[0]) PetscCall(PsdFileCheckWritable(PETSC_COMM_WORLD, "-report", choices->report));
  PetscFunctionReturn(0);
}

/* The images that the network is chosen by; NULL: none were asked for. */
static PetscErrorCode ReadHeldOut(const Choices *choices, PsdData data, PsdData *held_out)
{
  PetscFunctionBeginUser;
  PetscInt count, found[3], expected[3];
  const PetscInt *labels;
  *held_out = NULL;
  if (choices->validation > 0) PetscCall(PsdHeldOutRead(data, choices->validation, held_out));
  if (!choices->validation_data[0]) PetscFunctionReturn(0);
  PetscCall(PsdDataGetClasses(data, &count, &labels, NULL));
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, held_out));
  PetscCall(PsdDataSetPath(*held_out, choices->validation_data));
  PetscCall(PsdDataSetClasses(*held_out, count, labels));
  PetscCall(PsdDataSetUp(*held_out));
  PetscCall(PsdDataGetImageSize(data, &expected[0], &expected[1], &expected[2]));
  PetscCall(PsdDataGetImageSize(*held_out, &found[0], &found[1], &found[2]));
  PsdCheckInput(found[0] == expected[0] && found[1] == expected[1] && found[2] == expected[2],
                "-validation_data %s: images of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                ", expected %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT " as in -data",
                choices->validation_data, found[0], found[1], found[2], expected[0], expected[1], expected[2]);
  PetscFunctionReturn(0);
}

/* Beta number k, from 0. */
static PetscReal BetaAt(const Choices *choices, PetscInt k, PetscReal beta_max, PetscReal last)
{
  if (choices->listed) return choices->beta[k];
  if (beta_max == 0) return last;
  return PsdPathBeta(beta_max, last, k + 1, choices->count);
}

/* The run so far. */
typedef struct {
  PsdAdmm admm;
  PsdProblem problem;
  PsdData held_out;
  const Choices *choices;
  PsdTable table;
  PsdReport *report;
  PetscInt best; /* number of the network that is kept, from 1; 0: none yet */
  PetscReal best_accuracy, best_loss;
  PetscBool all_reached, time_is_up;
} Path;

static PetscErrorCode Monitor(PsdAdmm admm, const PsdAdmmStatus *status, void *context)
{
  PetscFunctionBeginUser;
  (void)admm, (void)context;
  PetscCall(PsdProgressLine(PETSC_COMM_WORLD, PETSC_FALSE,
                            "solve    iteration %5" PetscInt_FMT "  objective %.8g  bound %.8g  gap %.2e",
                            status->iteration, (double)status->objective, (double)status->bound, (double)status->gap));
  PetscFunctionReturn(0);
}

/* Better on the images held out, a tie going to the smaller loss; without them the last is kept. */
static PetscBool IsBetter(const Path *path, PetscReal accuracy, PetscReal loss)
{
  if (!path->held_out || path->best == 0 || accuracy > path->best_accuracy) return PETSC_TRUE;
  return (PetscBool)(accuracy == path->best_accuracy && loss < path->best_loss);
}

static PetscErrorCode Keep(Path *path, PetscInt number, PsdNetwork network, const PsdCertificate *certificate,
                           PetscReal accuracy, PetscReal loss)
{
  PetscFunctionBeginUser;
  PetscReal beta, beta_max;
  PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
  if (path->choices->keep_all) {
    char name[PETSC_MAX_PATH_LEN];
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s.%" PetscInt_FMT, path->choices->model, number));
    PetscCall(PsdNetworkSave(network, name));
  }
  if (IsBetter(path, accuracy, loss)) {
    path->best = number;
    path->best_accuracy = accuracy;
    path->best_loss = loss;
    path->report->certificate = *certificate;
    path->report->accuracy_validation = path->held_out ? accuracy : -1;
    PetscCall(PsdProblemGetBeta(path->problem, &beta, &beta_max));
    path->report->beta = beta;
    PetscCall(PsdNetworkGetNeurons(network, &path->report->neurons, NULL, NULL, NULL, NULL, NULL));
    PetscCall(PsdNetworkSave(network, path->choices->model));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
  PetscFunctionReturn(0);
}

/* One beta: solve, certify, apply, keep, a line. */
static PetscErrorCode Step(Path *path, PetscInt number, PetscReal beta, PetscReal beta_max)
{
  PetscFunctionBeginUser;
  const PetscReal begun = PsdWallSeconds();
  PetscReal accuracy = 0, loss = 0;
  PetscInt neurons;
  PsdNetwork network;
  PsdCertificate certificate;
  PsdAdmmStatus status;
  PsdAdmmReason reason;
  PetscCall(PsdAdmmSetBeta(path->admm, beta));
  PetscCall(PsdAdmmSolve(path->admm, &certificate));
  PetscCall(PsdAdmmGetStatus(path->admm, &status, &reason));
  PetscCall(PsdTrainingSave(path->admm, &certificate, "", &network));
  PetscCall(PsdNetworkGetNeurons(network, &neurons, NULL, NULL, NULL, NULL, NULL));
  PetscCall(PsdNetworkSetCrops(network, path->choices->crop_shift));
  if (path->held_out) PetscCall(PsdHeldOutApply(network, path->problem, path->held_out, &accuracy, &loss));
  PetscCall(Keep(path, number, network, &certificate, accuracy, loss));
  PetscCall(PsdNetworkDestroy(&network));
  path->report->iterations += status.iteration;
  path->all_reached = (PetscBool)(path->all_reached && reason == PSD_GAP_REACHED);
  path->time_is_up = (PetscBool)(reason == PSD_TIME_LIMIT || reason == PSD_SIGNAL);

  char held_out[64] = "", columns[64] = ",";
  if (path->held_out) {
    PetscCall(PetscSNPrintf(held_out, sizeof(held_out), "  %9.2f%%  %9.5f", 100 * (double)accuracy, (double)loss));
    PetscCall(PetscSNPrintf(columns, sizeof(columns), "%.9g,%.9g", (double)accuracy, (double)loss));
  }
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "%4" PetscInt_FMT "  %10.4g  %9.3g  %5" PetscInt_FMT "  %7.2f  %14.8g  %8.2e  %7" PetscInt_FMT "  %7.2f%%%s\n",
      number, (double)beta, (double)(beta / beta_max), status.iteration, (double)(PsdWallSeconds() - begun),
      (double)certificate.primal, (double)certificate.gap, neurons, 100 * (double)certificate.accuracy, held_out));
  PetscCall(PsdTableRow(
      path->table, "%" PetscInt_FMT ",%.17g,%.17g,%" PetscInt_FMT ",%.6f,%.17g,%.17g,%.9g,%" PetscInt_FMT ",%.9g,%s",
      number, (double)beta, (double)(beta / beta_max), status.iteration, (double)(PsdWallSeconds() - begun),
      (double)certificate.primal, (double)certificate.dual, (double)certificate.gap, neurons,
      (double)certificate.accuracy, columns));
  PetscFunctionReturn(0);
}

static PetscErrorCode Follow(Path *path)
{
  PetscFunctionBeginUser;
  PetscReal last, beta_max;
  PetscCall(PsdProblemGetBeta(path->problem, &last, &beta_max));
  /* beta_max = 0: all networks of the path are the same, without neurons, and one of them is enough */
  const PetscInt count = beta_max > 0 || path->choices->listed ? path->choices->count : 1;
  PsdCheckInput(path->choices->listed || last < beta_max || beta_max == 0,
                "the last beta is %g, which is not below beta_max = %g: its network has no neurons", (double)last,
                (double)beta_max);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%4s  %10s  %9s  %5s  %7s  %14s  %8s  %7s  %8s%s\n", "", "beta",
                        "/beta_max", "its", "seconds", "objective", "gap", "neurons", "training",
                        path->held_out ? "  validation       loss" : ""));
  PetscCall(PsdAdmmSetMonitor(path->admm, Monitor, NULL));
  for (PetscInt k = 0; k < count && !path->time_is_up; k++)
    PetscCall(Step(path, k + 1, BetaAt(path->choices, k, beta_max, last), beta_max));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintSummary(const Path *path)
{
  PetscFunctionBeginUser;
  const PsdReport *report = path->report;
  PetscReal memory;
  PetscCall(PsdPeakMemory(&memory));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "\nkept     number %" PetscInt_FMT ", beta %.6g: objective %.12g, bound %.12g, gap %.3e, %" PetscInt_FMT
      " neurons\naccuracy %.2f%% training",
      path->best, (double)report->beta, (double)report->certificate.primal, (double)report->certificate.dual,
      (double)report->certificate.gap, report->neurons, 100 * (double)report->certificate.accuracy));
  if (path->held_out)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", %.2f%% validation", 100 * (double)report->accuracy_validation));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\nseconds  total %.2f; peak memory %.0f MB a rank\nmodel    %s\n",
                        PsdWallSeconds(), (double)memory, path->choices->model));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(Path *path, int *exit_status)
{
  PetscFunctionBeginUser;
  PetscCall(PsdTableCreate(path->choices->table,
                           "number,beta,beta_rel,iterations,seconds,objective,bound,gap,neurons,accuracy_train,"
                           "accuracy_validation,loss_validation",
                           &path->table));
  PetscCall(Follow(path));
  PetscCall(PsdTableClose(&path->table));
  PetscCall(PrintSummary(path));
  PetscCall(PsdAdmmGetKernels(path->admm, &path->report->consensus, &path->report->cone));
  if (path->choices->report[0]) PetscCall(PsdReportWrite(path->report, path->choices->report));
  *exit_status = path->all_reached || path->time_is_up ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPath(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdReport report = {.invocation = invocation, .accuracy_validation = -1};
  Choices *choices;
  PsdData data, held_out = NULL;
  PsdPatches patches;
  PsdProblem problem;
  PsdAdmm admm;
  PetscBool done;
  PsdSignalsCatch();
  PetscCall(PetscNew(&choices));
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdAdmmCreate(problem, &admm));
  PetscCall(ReadOptions(choices, data, patches, problem, admm, &done));
  if (!done) {
    PetscCall(PsdDataSetUp(data));
    PetscCall(ReadHeldOut(choices, data, &held_out));
    PetscCall(PsdTrainingSetUp(data, patches, problem, admm));
    PetscCall(PsdTrainingDescribe(data, patches, problem, &report));
    Path path = {.admm = admm,
                 .problem = problem,
                 .held_out = held_out,
                 .choices = choices,
                 .report = &report,
                 .all_reached = PETSC_TRUE};
    PetscCall(Run(&path, exit_status));
  }
  PetscCall(PsdAdmmDestroy(&admm));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&held_out));
  PetscCall(PsdDataDestroy(&data));
  PetscCall(PetscFree(choices));
  PetscFunctionReturn(0);
}
