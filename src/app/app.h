/*
   The psdnet command: one file a subcommand. A subcommand reads its options, calls the library, and prints; it holds no
   mathematics, and knows of the library its public headers alone.
*/
#ifndef PSD_APP_H
#define PSD_APP_H

#include <psdnet.h>
#include <stdio.h>

/* Exit status of the command (docs/formats.md). */
enum { PSD_EXIT_DONE = 0, PSD_EXIT_INPUT = 1, PSD_EXIT_NOT_CONVERGED = 2, PSD_EXIT_CHECKPOINTED = 75 };

/* What main knows and subcommands may need. */
typedef struct {
  const char *command_line;    /* as typed */
  PetscInt arguments;          /* what follows the subcommand's name without a dash: how many, ... */
  const char *const *argument; /* ... and what */
} PsdInvocation;

typedef struct {
  const char *name, *usage, *summary;
  int most_arguments;
  PetscErrorCode (*run)(const PsdInvocation *invocation, int *exit_status);
} PsdSubcommand;

PetscErrorCode PsdRunTrain(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunPath(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunEvaluate(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunPredict(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunCertify(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunPlan(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunConvert(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunInfo(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunReport(const PsdInvocation *invocation, int *exit_status);
PetscErrorCode PsdRunExport(const PsdInvocation *invocation, int *exit_status);

/* ---------------------------------------------------------------- shared by subcommands: common.c, training.c */

/* -quality: quality.c. PsdQualityFromOptions - sets the options that it stands for; before they are read.
   PsdQualityPrint - a line of those that it has set. Collective. */
typedef struct {
  const char *name;
  char options[512];
} PsdQuality;
PetscErrorCode PsdQualityFromOptions(PsdQuality *chosen);
PetscErrorCode PsdQualityPrint(const PsdQuality *chosen);

/* The options of what an image gives as samples: -flip and -shifts. */
PetscErrorCode PsdTrainingSamples(PsdData data);
/* The options of patches and of a stage before them. */
PetscErrorCode PsdTrainingPatches(PsdPatches patches);
/* The filters of -layer1_model, where it was given; before the size of the images is set. */
PetscErrorCode PsdTrainingFilters(PsdPatches patches);

/* Ends the reading of options: unknown ones are errors, and so are files that do not go together; *done when only help
   was wanted. Every subcommand comes here before it reads anything. */
PetscErrorCode PsdOptionsEnd(PetscBool *done);

/* With -validation F, the part that training held out is what a model is applied to. */
PetscErrorCode PsdUseHeldOutPart(PsdData data);

/* The network of -model, and the data of -data, read: of the network's classes, or of those among them that -classes
   chose, and of its image size. as_trained: with mirror images when the network was trained on them. */
PetscErrorCode PsdLoadModelAndData(const char model[], PsdData data, PetscBool as_trained, PsdNetwork *network);

/* Has other data be of the classes or outputs of those that a network is trained on. */
PetscErrorCode PsdDataSetClassesOf(PsdData data, PsdData training);

/* The same of a network that is there. */
PetscErrorCode PsdLoadDataOf(PsdNetwork network, PsdData data, PetscBool as_trained);

/* The largest of all ranks' peak resident set sizes, in MB. Collective. */
PetscErrorCode PsdPeakMemory(PetscReal *megabytes);

/* A certificate as text that is rounded as it must be: objective and gap up, bound down. */
typedef struct {
  char primal[PSD_DECIMAL_LENGTH], bound[PSD_DECIMAL_LENGTH], gap[PSD_DECIMAL_LENGTH];
} PsdCertificateText;

/* digits: of objective and bound, as of %.12g; gap_digits: as of %.3e, one more than after the point. */
void PsdCertificateWords(PetscReal primal, PetscReal bound, PetscReal gap, int digits, int gap_digits,
                         PsdCertificateText *text);

/* How well a network does, in a word and a number: the part of images that are classified as they are labelled, or,
   with outputs, R2 of their targets. */
#define PSD_FIT_LENGTH 32
const char *PsdFitName(PetscInt outputs);
const char *PsdFitText(PetscInt outputs, PetscReal fit, char text[PSD_FIT_LENGTH]);

/* -certificate of those that train: written beside the model. */
PetscErrorCode PsdOptionCertificate(char path[PETSC_MAX_PATH_LEN]);
/* Writes the witness of the solver's last certificate, and says what it proves. */
PetscErrorCode PsdCertificateSave(PsdWitness witness, PsdProblem problem, const char path[]);

/* A line when rounding may have changed the objective by more than 1e-9 of itself. Collective. */
PetscErrorCode PsdWarnOfRounding(const PsdCertificate *certificate);

/* ---------------------------------------------------------------- subcommands that are made in Python: python.c */

/* The root will become `python3 -m psdnet WORDS...`, which are copied, when all else has ended. Collective. */
PetscErrorCode PsdPythonLater(PetscInt count, const char *const words[]);
/* Becomes it, and does not come back, where it was asked to; the exit status. PETSc and MPI have ended. */
int PsdPythonRun(void);

/* ---------------------------------------------------------------- report.json: report.c */

typedef struct {
  const PsdInvocation *invocation;
  PetscInt n, f, D, blocks;
  PetscBool weighted; /* images have other weights than 1: */
  PetscReal least_weight, largest_weight, sum_of_weights;
  PetscInt outputs; /* 0: classes */
  const char *loss, *solver;
  PetscInt kernels;
  const PsdSolverKernel *kernel;
  PetscInt iterations, neurons;
  PetscReal beta, beta_max;
  PsdCertificate certificate;
  PetscBool validated;
  PetscReal accuracy_validation; /* or R2, as of the certificate; where it was validated */
} PsdReport;

/* Collective; written by the root, whole or not at all. */
PetscErrorCode PsdReportWrite(const PsdReport *report, const char path[]);
/* confusion: as PsdNetworkConfusion gives it */
PetscErrorCode PsdEvaluationWrite(const PsdInvocation *invocation, PsdData data, const PetscInt64 confusion[],
                                  PetscReal accuracy, const char path[]);
/* names: of outputs, NULL: they have none; each, all: as PsdNetworkFit gives them */
PetscErrorCode PsdFitWrite(const PsdInvocation *invocation, PsdData data, const char *const names[],
                           const PsdFit each[], const PsdFit *all, const char path[]);

/* The same confusion as a picture (SVG): confusion_picture.c. */
PetscErrorCode PsdConfusionDraw(PsdData data, const PetscInt64 confusion[], const char path[]);

/* A file that appears whole or not at all, of what `print` says of `what`. Root alone. */
void PsdWriteWhole(const char path[], void (*print)(FILE *, const void *), const void *what, PsdFailure *failure);

/* The plan of a run, as JSON. Collective; written by the root, whole or not at all. */
PetscErrorCode PsdPlanReportWrite(PsdPlan plan, const char path[]);

/* ---------------------------------------------------------------- tables: csv.c */

typedef struct _p_PsdTable *PsdTable;
/* path "": none is kept. header: names of the columns, with commas. Collective. */
PetscErrorCode PsdTableCreate(const char path[], const char header[], PsdTable *table);
PetscErrorCode PsdTableRow(PsdTable table, const char format[], ...) __attribute__((format(printf, 2, 3)));
/* The file gets its name. Collective. */
PetscErrorCode PsdTableClose(PsdTable *table);
/* Closes a stream; records a failure unless all that was printed has reached the file. */
void PsdStreamClose(FILE *stream, const char path[], PsdFailure *failure);

/* ---------------------------------------------------------------- calls of MPI: count.c */

/* -count FILE, of every subcommand. PsdCountWrite - the file, when it was asked for. Collective. */
PetscErrorCode PsdCountFromOptions(void);
PetscErrorCode PsdCountWrite(void);

/* Kinds of calls, which count_mpi.c fills the table with. */
typedef enum {
  PSD_MPI_SEND,
  PSD_MPI_RECV,
  PSD_MPI_SENDRECV,
  PSD_MPI_WAIT,
  PSD_MPI_BCAST,
  PSD_MPI_REDUCE,
  PSD_MPI_ALLREDUCE,
  PSD_MPI_REDUCE_SCATTER,
  PSD_MPI_GATHER,
  PSD_MPI_ALLGATHER,
  PSD_MPI_SCATTER,
  PSD_MPI_ALLTOALL,
  PSD_MPI_SCAN,
  PSD_MPI_BARRIER,
  PSD_MPI_CALLS
} PsdMpiCall;

extern PetscBool PsdCounting;
/* One call of this rank, in the phase that is open. */
void PsdCountAdd(PsdMpiCall call, double bytes, double seconds);

/* ---------------------------------------------------------------- shared by those that train: training.c */

/* Makes the problem of the data and gets the solver ready. */
PetscErrorCode PsdTrainingSetUp(PsdData data, PsdPatches patches, PsdProblem problem, PsdSolver solver);
/* What is trained on, in a line; fills the report's part about it. */
PetscErrorCode PsdTrainingDescribe(PsdData data, PsdPatches patches, PsdProblem problem, PsdReport *report);
/* The solver's network with its certificate, written to `path` unless that is empty. */
PetscErrorCode PsdTrainingSave(PsdSolver solver, const PsdCertificate *certificate, const char path[],
                               PsdNetwork *network);
/* When a gap is above what was asked for: what happened and what to try, in a few last lines. */
PetscErrorCode PsdTrainingExplain(const PsdCertificate *certificate, PetscReal asked, PsdSolverReason reason);
/* The last fraction of the images, which training leaves out. */
PetscErrorCode PsdHeldOutRead(PsdData training, PetscReal fraction, PsdData *held_out);
/* The line of accuracy or R2, on the training images and those held out. */
PetscErrorCode PsdReportPrintFit(const PsdReport *report);
/* Accuracy on other images, 0..1, or R2 of their targets, and mean loss an image. */
PetscErrorCode PsdHeldOutApply(PsdNetwork network, PsdProblem problem, PsdData held_out, PetscReal *accuracy,
                               PetscReal *loss);

/* The arguments of PsdNetworkSetCrops. */
typedef struct {
  PetscInt most;
  PetscBool mirrored;
} PsdCrops;

/* PsdCropsFromOptions - -crops 1, 9 or 25, and twice as many with mirror images. Collective. */
PetscErrorCode PsdCropsFromOptions(PsdCrops *crops);

/* PsdStartAlone - spares a command that no launcher has started what Open MPI does for several processes. Before MPI is
   initialised; not collective. */
void PsdStartAlone(void);

#endif
