/*
   psdnet path: the regularisation path. One problem, its A'A made once; a decreasing sequence of betas, each started
   from the last one's solution and each certified; the network that does best on images that were held out is kept.

   What a path has come to is its table: a row for each beta that is done. Which network is kept, what is reported and
   which beta is next all follow from the rows, so that they are what a checkpoint holds beside the solver's state. The
   network itself is in the model file.
*/
#include "app.h"
#include <string.h>

#define MOST_BETAS 1000
#define LAST_BETA 0.001 /* of the beta_max of random targets: beyond what did best on any data set tried */
#define IDENTITY 256    /* bytes of the text that says which path this is */

/* The numbers of a row; all but the last are those of path.csv, in its order. REASON: a PsdSolverReason. */
enum {
  NUMBER,
  BETA,
  BETA_REL,
  ITERATIONS,
  SECONDS,
  OBJECTIVE,
  BOUND,
  GAP,
  NEURONS,
  ACCURACY,
  ACCURACY_HELD_OUT,
  LOSS_HELD_OUT,
  REASON,
  COLUMNS
};

typedef struct {
  char model[PETSC_MAX_PATH_LEN], table[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN];
  char certificate[PETSC_MAX_PATH_LEN], validation_data[PETSC_MAX_PATH_LEN];
  PetscReal validation;
  PsdCrops crops;
  PsdQuality quality;
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

/* The network of one beta. */
static PetscErrorCode NameOne(const Choices *choices, PetscInt number, char name[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBeginUser;
  const int length = snprintf(name, PETSC_MAX_PATH_LEN, "%s.%" PetscInt_FMT, choices->model, number);
  PsdCheckInput(length < PETSC_MAX_PATH_LEN, "-keep_all: the file name is too long: %s.%" PetscInt_FMT, choices->model,
                number);
  PetscFunctionReturn(0);
}

/* -keep_all has files of its own. */
static PetscErrorCode DeclareAll(const Choices *choices)
{
  PetscFunctionBeginUser;
  char name[PETSC_MAX_PATH_LEN];
  for (PetscInt k = 1; choices->keep_all && choices->model[0] && k <= choices->count; k++) {
    PetscCall(NameOne(choices, k, name));
    PetscCall(PsdPathDeclare("-keep_all", name, PSD_PATH_OUTPUT));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(Choices *choices, PsdData data, PsdPatches patches, PsdProblem problem,
                                  PsdSolver solver, PetscBool *done)
{
  PetscFunctionBeginUser;
  memset(choices, 0, sizeof(*choices));
  PetscCall(PsdQualityFromOptions(&choices->quality));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdTrainingSamples(data));
  PetscCall(PsdOptionPath("-validation_data", "other images to choose by, instead of -validation", PSD_PATH_INPUT,
                          PETSC_FALSE, choices->validation_data));
  PetscCall(PsdTrainingPatches(patches));
  PetscCall(PsdProblemSetBetaNoise(problem, LAST_BETA));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdSolverSetFromOptions(solver));
  PetscCall(PsdSolverSetCheckpointFromOptions(solver));
  PetscCall(ReadBetas(choices));
  PetscCall(PsdOptionsHeading("Output"));
  PetscCall(PsdOptionPath("-model", "file the best network is written to (HDF5)", PSD_PATH_OUTPUT, PETSC_TRUE,
                          choices->model));
  PetscCall(PsdOptionCertificate(choices->certificate));
  PetscCall(PsdOptionBool("-keep_all", "keep every beta's network as well, as MODEL.1, MODEL.2, ...",
                          &choices->keep_all, NULL));
  PetscCall(
      PsdOptionPath("-table", "file with a line for each beta (CSV)", PSD_PATH_OUTPUT, PETSC_FALSE, choices->table));
  PetscCall(
      PsdOptionPath("-report", "file the run is summed up in (JSON)", PSD_PATH_OUTPUT, PETSC_FALSE, choices->report));
  PetscCall(PsdCropsFromOptions(&choices->crops));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-validation", &choices->validation, NULL));
  PetscCall(DeclareAll(choices));
  PetscCall(PsdOptionsEnd(done));
  if (*done) PetscFunctionReturn(0);
  PsdCheckInput(!(choices->validation > 0 && choices->validation_data[0]),
                "options -validation and -validation_data: found both, expected one of them");
  if (choices->certificate[0]) PetscCall(PsdSolverKeepWitness(solver));
  PetscFunctionReturn(0);
}

/* The images that the network is chosen by; NULL: none were asked for. */
static PetscErrorCode ReadHeldOut(const Choices *choices, PsdData data, PsdData *held_out)
{
  PetscFunctionBeginUser;
  PetscInt found[3], expected[3];
  *held_out = NULL;
  if (choices->validation > 0) PetscCall(PsdHeldOutRead(data, choices->validation, held_out));
  if (!choices->validation_data[0]) PetscFunctionReturn(0);
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, held_out));
  PetscCall(PsdDataSetPurpose(*held_out, PSD_TO_EVALUATE));
  PetscCall(PsdDataSetPath(*held_out, choices->validation_data));
  PetscCall(PsdDataSetClassesOf(*held_out, data));
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
  PsdSolver solver;
  PsdProblem problem;
  PsdData held_out;
  const Choices *choices;
  PsdSolverRecord *record; /* a row for each beta that is done */
  PsdTable table;
  PsdReport *report;
  const PetscReal *best;    /* the row of the network that is kept; NULL: none yet */
  PetscInt missed, rounded; /* betas whose gap was not reached, and those of them where rounding is why */
  PetscBool time_is_up, stopped;
} Path;

/* What rows are results of, beside the problem: the betas and the images to choose by. */
static PetscErrorCode Identify(const Choices *choices, PsdData held_out, size_t length, char text[])
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  unsigned betas, images, sums;
  PetscInt n, n_local, outputs;
  size_t image_bytes;
  const unsigned char *bytes;
  const PetscReal *targets;
  char checksum[32] = "";
  char list[64] = "by ratio";
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(
      PsdChecksumRanks(PETSC_COMM_WORLD, choices->beta, rank == 0 ? choices->count * sizeof(PetscReal) : 0, &betas));
  if (choices->listed) /* not PETSc's, which writes 30 as "30." */
    (void)snprintf(list, sizeof(list), "%g to %g, checksum %08x", (double)choices->beta[0],
                   (double)choices->beta[choices->count - 1], betas);
  PetscCall(PetscSNPrintf(text, length, "path of %" PetscInt_FMT " betas, %s\n", choices->count, list));
  if (!held_out) PetscFunctionReturn(0);
  PetscCall(PsdDataGetSizes(held_out, &n, &n_local, NULL));
  PetscCall(PsdDataGetShard(held_out, &bytes, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(held_out, &image_bytes));
  PetscCall(PsdChecksumRanks(PETSC_COMM_WORLD, bytes, (size_t)n_local * image_bytes, &images));
  PetscCall(PsdDataGetTargets(held_out, &outputs, &targets));
  PetscCall(PsdChecksumRanks(PETSC_COMM_WORLD, targets, (size_t)n_local * (size_t)outputs * sizeof(*targets), &sums));
  if (outputs > 0) PetscCall(PetscSNPrintf(checksum, sizeof(checksum), ", of targets %08x", sums));
  PetscCall(PetscStrlen(text, &length));
  PetscCall(PetscSNPrintf(text + length, IDENTITY - length,
                          "%" PetscInt_FMT " images held out, checksum %08x%s, crop_shift %" PetscInt_FMT "%s\n", n,
                          images, checksum, choices->crops.most, choices->crops.mirrored ? ", mirrored" : ""));
  PetscFunctionReturn(0);
}

static PetscErrorCode Monitor(PsdSolver solver, const PsdSolverStatus *status, void *context)
{
  PetscFunctionBeginUser;
  (void)solver, (void)context;
  PsdCertificateText text;
  PsdCertificateWords(status->objective, status->bound, status->gap, 8, 3, &text);
  PetscCall(PsdProgressLine(PETSC_COMM_WORLD, PETSC_FALSE,
                            "solve    iteration %5" PetscInt_FMT "  objective %s  bound %s  gap %s", status->iteration,
                            text.primal, text.bound, text.gap));
  PetscFunctionReturn(0);
}

/* Better on the images held out, a tie going to the smaller loss, which decides for real targets; without such images
   the last is kept. */
static PetscBool IsBetter(const Path *path, const PetscReal row[])
{
  const PetscReal *best = path->best;
  if (path->held_out && best && path->report->outputs > 0) return (PetscBool)(row[LOSS_HELD_OUT] < best[LOSS_HELD_OUT]);
  if (!path->held_out || !best || row[ACCURACY_HELD_OUT] > best[ACCURACY_HELD_OUT]) return PETSC_TRUE;
  return (PetscBool)(row[ACCURACY_HELD_OUT] == best[ACCURACY_HELD_OUT] && row[LOSS_HELD_OUT] < best[LOSS_HELD_OUT]);
}

static PetscErrorCode ShowRow(const Path *path, const PetscReal row[])
{
  PetscFunctionBeginUser;
  const PetscInt outputs = path->report->outputs;
  char held_out[64] = "", columns[64] = ",", fit[PSD_FIT_LENGTH];
  PsdCertificateText text;
  PsdCertificateWords(row[OBJECTIVE], row[BOUND], row[GAP], 8, 3, &text);
  if (path->held_out) {
    PetscCall(PetscSNPrintf(held_out, sizeof(held_out), outputs > 0 ? "  %10s  %9.5g" : "  %10s  %9.5f",
                            PsdFitText(outputs, row[ACCURACY_HELD_OUT], fit), (double)row[LOSS_HELD_OUT]));
    PetscCall(PetscSNPrintf(columns, sizeof(columns), "%.9g,%.9g", (double)row[ACCURACY_HELD_OUT],
                            (double)row[LOSS_HELD_OUT]));
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%4.0f  %10.4g  %9.3g  %5.0f  %7.2f  %14s  %8s  %7.0f  %8s%s\n",
                        (double)row[NUMBER], (double)row[BETA], (double)row[BETA_REL], (double)row[ITERATIONS],
                        (double)row[SECONDS], text.primal, text.gap, (double)row[NEURONS],
                        PsdFitText(outputs, row[ACCURACY], fit), held_out));
  PetscCall(PsdTableRow(path->table, "%.0f,%.17g,%.17g,%.0f,%.6f,%.17g,%.17g,%.17g,%.0f,%.9g,%s", (double)row[NUMBER],
                        (double)row[BETA], (double)row[BETA_REL], (double)row[ITERATIONS], (double)row[SECONDS],
                        (double)row[OBJECTIVE], (double)row[BOUND], (double)row[GAP], (double)row[NEURONS],
                        (double)row[ACCURACY], columns));
  PetscFunctionReturn(0);
}

/* A beta that is done: what follows from its row. */
static PetscErrorCode Take(Path *path, const PetscReal row[])
{
  PetscFunctionBeginUser;
  path->report->iterations += (PetscInt)row[ITERATIONS];
  path->missed += row[REASON] != PSD_GAP_REACHED;
  path->rounded += row[REASON] == PSD_ROUNDING_LIMIT;
  if (IsBetter(path, row)) {
    path->best = row;
    path->report->certificate =
        (PsdCertificate){.primal = row[OBJECTIVE], .dual = row[BOUND], .gap = row[GAP], .accuracy = row[ACCURACY]};
    path->report->validated = (PetscBool)(path->held_out != NULL);
    path->report->accuracy_validation = row[ACCURACY_HELD_OUT];
    path->report->beta = row[BETA];
    path->report->neurons = (PetscInt)row[NEURONS];
  }
  PetscCall(ShowRow(path, row));
  PetscFunctionReturn(0);
}

/* Of the beta that the solver has just been through, its network applied. */
static PetscErrorCode FillRow(Path *path, PetscInt number, const PsdCertificate *certificate, PsdNetwork network,
                              PetscReal row[COLUMNS])
{
  PetscFunctionBeginUser;
  PetscInt neurons;
  PetscReal beta, beta_max;
  PsdSolverStatus status;
  PsdSolverReason reason;
  PetscCall(PsdProblemGetBeta(path->problem, &beta, &beta_max));
  PetscCall(PsdSolverGetStatus(path->solver, &status, &reason));
  PetscCall(PsdNetworkGetNeurons(network, &neurons, NULL, NULL, NULL, NULL, NULL));
  row[NUMBER] = (PetscReal)number;
  row[BETA] = beta;
  row[BETA_REL] = beta_max > 0 ? beta / beta_max : 0;
  row[ITERATIONS] = (PetscReal)status.iteration;
  row[OBJECTIVE] = certificate->primal;
  row[BOUND] = certificate->dual;
  row[GAP] = certificate->gap;
  row[NEURONS] = (PetscReal)neurons;
  row[ACCURACY] = certificate->accuracy;
  row[ACCURACY_HELD_OUT] = row[LOSS_HELD_OUT] = 0;
  row[REASON] = (PetscReal)reason;
  if (path->held_out)
    PetscCall(PsdHeldOutApply(network, path->problem, path->held_out, &row[ACCURACY_HELD_OUT], &row[LOSS_HELD_OUT]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(const Path *path, PsdNetwork network, const PetscReal row[])
{
  PetscFunctionBeginUser;
  PsdWitness witness;
  PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
  if (path->choices->keep_all) {
    char name[PETSC_MAX_PATH_LEN];
    PetscCall(NameOne(path->choices, (PetscInt)row[NUMBER], name));
    PetscCall(PsdNetworkSave(network, name));
  }
  if (path->best == row) {
    PetscCall(PsdNetworkSave(network, path->choices->model));
    if (path->choices->certificate[0]) {
      PetscCall(PsdSolverGetWitness(path->solver, &witness));
      PetscCall(PsdWitnessSave(witness, path->problem, path->choices->certificate));
    }
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
  PetscFunctionReturn(0);
}

/* The beta that the solver is at: solve, certify, apply, a row, keep. begun: when, were there no interruptions. */
static PetscErrorCode Step(Path *path, PetscReal begun)
{
  PetscFunctionBeginUser;
  PsdSolverRecord *record = path->record;
  PetscReal *row = record->numbers + (size_t)record->rows * COLUMNS;
  PsdNetwork network;
  PsdCertificate certificate;
  PsdSolverReason reason;
  PetscCall(PsdSolverSolve(path->solver, &certificate));
  PetscCall(PsdSolverGetStatus(path->solver, NULL, &reason));
  path->stopped = (PetscBool)(reason == PSD_CHECKPOINTED);
  if (path->stopped) PetscFunctionReturn(0);
  PetscCall(PsdWarnOfRounding(&certificate));
  path->time_is_up = (PetscBool)(reason == PSD_TIME_LIMIT || reason == PSD_SIGNAL);
  PetscCall(PsdTrainingSave(path->solver, &certificate, "", &network));
  PetscCall(PsdNetworkSetCrops(network, path->choices->crops.most, path->choices->crops.mirrored));
  PetscCall(FillRow(path, record->rows + 1, &certificate, network, row));
  row[SECONDS] = PsdWallSeconds() - begun;
  PetscCall(Take(path, row));
  PetscCall(Write(path, network, row));
  record->rows++;
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

/* The model file is to be of the best beta so far; or, where the run was killed after it was written and before the
   next checkpoint, of the beta that is gone through again. */
static PetscErrorCode CheckModel(const Path *path)
{
  PetscFunctionBeginUser;
  const PetscReal *best = path->best;
  PetscReal beta;
  PsdNetwork network;
  PsdTraining training;
  if (!best) PetscFunctionReturn(0);
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, path->choices->model, &network));
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdProblemGetBeta(path->problem, &beta, NULL));
  PsdCheckInput(
      (training.beta == best[BETA] && training.objective_primal == best[OBJECTIVE]) || training.beta == beta,
      "%s: found beta %.9g, objective %.12g, expected the best network of the path that is gone on with: beta %.9g, "
      "objective %.12g",
      path->choices->model, (double)training.beta, (double)training.objective_primal, (double)best[BETA],
      (double)best[OBJECTIVE]);
  PetscFunctionReturn(0);
}

/* Betas of a checkpoint and of this run, which sums on another number of ranks may round otherwise. */
static PetscBool IsBeta(PetscReal found, PetscReal expected)
{
  return (PetscBool)(PetscAbsReal(found - expected) <= 1e-2 * expected);
}

static PetscBool IsCount(PetscReal number)
{
  return (PetscBool)(number >= 0 && number <= (PetscReal)PETSC_MAX_INT && number == (PetscReal)(PetscInt)number);
}

/* An accuracy, or R2. */
static PetscBool IsFit(PetscInt outputs, PetscReal number)
{
  return (PetscBool)((outputs > 0 || number >= 0) && number <= 1);
}

/* A row of a checkpoint is one that a beta leaves. beta: its own. */
static PetscBool RowIsSound(const PetscReal row[], PetscInt number, PetscReal beta, PetscInt outputs)
{
  return (PetscBool)(row[NUMBER] == (PetscReal)number && IsBeta(row[BETA], beta) && row[BETA_REL] >= 0 &&
                     IsCount(row[ITERATIONS]) && IsCount(row[NEURONS]) && row[SECONDS] >= 0 &&
                     IsFit(outputs, row[ACCURACY]) && IsFit(outputs, row[ACCURACY_HELD_OUT]) && IsCount(row[REASON]) &&
                     row[REASON] <= PSD_CHECKPOINTED);
}

/* The rows of the checkpoint, and the beta that it ends in, are of this path. */
static PetscErrorCode CheckRecord(const Path *path)
{
  PetscFunctionBeginUser;
  const PsdSolverRecord *record = path->record;
  PetscReal beta, beta_max, last, iterations = 0;
  PetscCall(PsdProblemGetBeta(path->problem, &beta, &beta_max));
  PetscCall(PsdProblemGetBetaAsked(path->problem, &last));
  for (PetscInt k = 0; k < record->rows; k++) {
    const PetscReal *row = record->numbers + (size_t)k * COLUMNS;
    iterations += row[ITERATIONS];
    PsdCheckInput(RowIsSound(row, k + 1, BetaAt(path->choices, k, beta_max, last), path->report->outputs) &&
                      IsCount(iterations),
                  "-resume: row %" PetscInt_FMT " of the checkpoint's /record is not of a beta of this path", k + 1);
  }
  PsdCheckInput(IsBeta(beta, BetaAt(path->choices, record->rows, beta_max, last)),
                "-resume: 'beta' of the checkpoint is %g, expected %g as number %" PetscInt_FMT " of this path",
                (double)beta, (double)BetaAt(path->choices, record->rows, beta_max, last), record->rows + 1);
  PetscFunctionReturn(0);
}

/* What was done before the run was interrupted, and the rest of the beta that it was at. */
static PetscErrorCode GoOn(Path *path)
{
  PetscFunctionBeginUser;
  PsdSolverStatus status;
  PetscCall(CheckRecord(path));
  for (PetscInt k = 0; k < path->record->rows; k++) PetscCall(Take(path, path->record->numbers + (size_t)k * COLUMNS));
  PetscCall(CheckModel(path));
  PetscCall(PsdSolverGetStatus(path->solver, &status, NULL));
  PetscCall(Step(path, PsdWallSeconds() - status.seconds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Follow(Path *path)
{
  PetscFunctionBeginUser;
  PetscReal last, beta_max;
  PetscCall(PsdProblemGetBeta(path->problem, NULL, &beta_max));
  PetscCall(PsdProblemGetBetaAsked(path->problem, &last));
  /* beta_max = 0: all networks of the path are the same, without neurons, and one of them is enough */
  const PetscInt count = beta_max > 0 || path->choices->listed ? path->choices->count : 1;
  PsdCheckInput(path->choices->listed || last < beta_max || beta_max == 0,
                "the last beta is %g, which is not below beta_max = %g: its network has no neurons", (double)last,
                (double)beta_max);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%4s  %10s  %9s  %5s  %7s  %14s  %8s  %7s  %8s%s\n", "", "beta",
                        "/beta_max", "its", "seconds", "objective", "gap", "neurons", "training",
                        path->held_out ? "  validation       loss" : ""));
  PetscCall(PsdSolverSetMonitor(path->solver, Monitor, NULL));
  if (path->record->resumed) PetscCall(GoOn(path));
  while (path->record->rows < count && !path->time_is_up && !path->stopped) {
    const PetscReal begun = PsdWallSeconds();
    PetscCall(PsdSolverSetBeta(path->solver, BetaAt(path->choices, path->record->rows, beta_max, last)));
    PetscCall(Step(path, begun));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintSummary(const Path *path)
{
  PetscFunctionBeginUser;
  const PsdReport *report = path->report;
  const PsdCertificate *certificate = &report->certificate;
  PetscReal memory;
  PsdCertificateText text;
  PetscCall(PsdPeakMemory(&memory));
  PsdCertificateWords(certificate->primal, certificate->dual, certificate->gap, 12, 4, &text);
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "\nkept     number %.0f, beta %.6g: objective %s, bound %s, gap %s, %" PetscInt_FMT " neurons\n",
      (double)path->best[NUMBER], (double)report->beta, text.primal, text.bound, text.gap, report->neurons));
  PetscCall(PsdReportPrintFit(report));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "seconds  total %.2f; peak memory %.0f MB a rank\nmodel    %s\n",
                        PsdWallSeconds(), (double)memory, path->choices->model));
  PetscFunctionReturn(0);
}

/* What happened where the gap was not reached, and what to try. */
static PetscErrorCode Explain(const Path *path)
{
  PetscFunctionBeginUser;
  if (path->missed == 0) PetscFunctionReturn(0);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "note     %" PetscInt_FMT " of %" PetscInt_FMT
                        " betas ended above their gap; networks and bounds hold as they are\n",
                        path->missed, path->record->rows));
  if (path->rounded > 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "         %" PetscInt_FMT
                          " of them by the rounding of the proof, which no iteration takes away: try a larger -gap\n",
                          path->rounded));
  if (path->missed > path->rounded)
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD, "         try a larger %s\n",
                    path->time_is_up ? "-time_limit, or -checkpoint FILE and later -resume" : "-max_it, or -gap"));
  PetscFunctionReturn(0);
}

/* The path goes on another time: it leaves its checkpoint, its table and its best network so far. */
static PetscErrorCode Leave(const Path *path)
{
  PetscFunctionBeginUser;
  PsdSolverStatus status;
  PetscCall(PsdSolverGetStatus(path->solver, &status, NULL));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "\nstopped at beta %" PetscInt_FMT " of %" PetscInt_FMT " after %" PetscInt_FMT
                        " iterations, checkpoint written: run again with -resume\n",
                        path->record->rows + 1, path->choices->count, status.iteration));
  PetscFunctionReturn(0);
}

static PetscErrorCode Finish(Path *path)
{
  PetscFunctionBeginUser;
  PetscCall(PrintSummary(path));
  PetscCall(Explain(path));
  PetscCall(PsdSolverGetType(path->solver, &path->report->solver));
  PetscCall(PsdSolverGetKernels(path->solver, &path->report->kernels, &path->report->kernel));
  if (path->choices->report[0]) PetscCall(PsdReportWrite(path->report, path->choices->report));
  PetscFunctionReturn(0);
}

#define COMMON_COLUMNS "number,beta,beta_rel,iterations,seconds,objective,bound,gap,neurons"

static PetscErrorCode Run(Path *path, int *exit_status)
{
  PetscFunctionBeginUser;
  PetscBool keeps;
  const char *header = path->report->outputs > 0 ? COMMON_COLUMNS ",r2_train,r2_validation,loss_validation"
                                                 : COMMON_COLUMNS ",accuracy_train,accuracy_validation,loss_validation";
  PetscCall(PsdTableCreate(path->choices->table, header, &path->table));
  PetscCall(Follow(path));
  PetscCall(PsdTableClose(&path->table));
  if (path->stopped) PetscCall(Leave(path));
  else PetscCall(Finish(path));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-checkpoint", &keeps));
  /* a path that should have been gone on with but could not be saved is not done */
  const PetscBool done = path->time_is_up ? (PetscBool)!keeps : (PetscBool)(path->missed == 0);
  *exit_status = done ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  if (path->stopped) *exit_status = PSD_EXIT_CHECKPOINTED;
  PetscFunctionReturn(0);
}

/* With everything that was asked for set up. */
static PetscErrorCode SetUpAndRun(const Choices *choices, PsdData data, PsdPatches patches, PsdProblem problem,
                                  PsdSolver solver, PsdReport *report, int *exit_status)
{
  PetscFunctionBeginUser;
  char identity[IDENTITY];
  PsdSolverRecord record = {.identity = identity, .columns = COLUMNS, .most = choices->count};
  Path path = {.solver = solver, .problem = problem, .choices = choices, .record = &record, .report = report};
  PetscCall(PetscMalloc1((size_t)choices->count * COLUMNS, &record.numbers));
  PetscCall(PsdQualityPrint(&choices->quality));
  PetscCall(PsdDataSetUp(data));
  PetscCall(ReadHeldOut(choices, data, &path.held_out));
  PetscCall(Identify(choices, path.held_out, IDENTITY, identity));
  PetscCall(PsdSolverKeepRecord(solver, &record));
  PetscCall(PsdTrainingSetUp(data, patches, problem, solver));
  PetscCall(PsdTrainingDescribe(data, patches, problem, report));
  PetscCall(Run(&path, exit_status));
  PetscCall(PsdDataDestroy(&path.held_out));
  PetscCall(PetscFree(record.numbers));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPath(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdReport report = {.invocation = invocation};
  Choices *choices;
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PetscBool done;
  PsdSignalsCatch();
  PetscCall(PetscNew(&choices));
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdSolverCreate(problem, &solver));
  PetscCall(ReadOptions(choices, data, patches, problem, solver, &done));
  if (!done) PetscCall(SetUpAndRun(choices, data, patches, problem, solver, &report, exit_status));
  PetscCall(PsdSolverDestroy(&solver));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscCall(PsdDataDestroy(&data));
  PetscCall(PetscFree(choices));
  PetscFunctionReturn(0);
}
