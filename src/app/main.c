/*
   psdnet SUBCOMMAND [options]: finds the subcommand, runs it, and turns its error into an exit status.

   A user's mistake ends as one line on rank 0 and status 1 on all ranks; a defect ends as PETSc's traceback and
   MPI_Abort, so that no rank waits for one that is gone.
*/
#include "app.h"
#include <limits.h>
#include <petscviewer.h>
#include <stdlib.h>
#include <string.h>

static const PsdSubcommand subcommands[] = {
    {"train", "-data DIR -model m.h5", "train a network to a certified gap", 0, PsdRunTrain},
    {"path", "-data DIR -model m.h5", "train for a sequence of betas and keep the best", 0, PsdRunPath},
    {"evaluate", "-model m.h5 -data DIR", "accuracy and confusion matrix", 0, PsdRunEvaluate},
    {"predict", "-model m.h5 -data DIR -output p.csv", "index, scores and class of every image", 0, PsdRunPredict},
    {"certify", "-model m.h5 or -certificate c.h5 -data DIR",
     "objective, bound and gap again, from file and data alone", 0, PsdRunCertify},
    {"plan", "-images N -image 3x32x32", "memory and time of a run before it is submitted", 0, PsdRunPlan},
    {"convert", "-data DIR -output images.h5", "a data set as one HDF5 file, which is read faster", 0, PsdRunConvert},
    {"info", "FILE|DIR", "what a model or a data set is", 1, PsdRunInfo},
    {"report", "FILE... -output run.html", "a run as a page to look at, of the files it has written", INT_MAX,
     PsdRunReport},
    {"export", "-model m.h5 -onnx m.onnx", "a network for other programs", 0, PsdRunExport},
};
enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(*subcommands) };

static void PrintUsage(FILE *file)
{
  fprintf(file, "psdnet %s: two-layer convolutional networks trained to a certified global optimum\n\n", PSD_VERSION);
  fprintf(file, "usage: [mpiexec -n RANKS] psdnet SUBCOMMAND [options]\n\n");
  for (size_t k = 0; k < SUBCOMMANDS; k++)
    fprintf(file, "  %-9s %-36s %s\n", subcommands[k].name, subcommands[k].usage, subcommands[k].summary);
  fprintf(
      file,
      "\npsdnet SUBCOMMAND -help lists the subcommand's options; PETSc's own (-log_view, -info, -options_file, ...) "
      "work as well.\n");
}

static const PsdSubcommand *FindSubcommand(const char name[])
{
  for (size_t k = 0; k < SUBCOMMANDS; k++)
    if (!strcmp(subcommands[k].name, name)) return &subcommands[k];
  return NULL;
}

/* Takes `name` out of argv; whether it was there. */
static PetscBool RemoveArgument(int *argc, char **argv, const char name[])
{
  PetscBool found = PETSC_FALSE;
  int kept = 1;
  for (int k = 1; k < *argc; k++) {
    if (!strcmp(argv[k], name)) found = PETSC_TRUE;
    else argv[kept++] = argv[k];
  }
  *argc = kept;
  argv[kept] = NULL;
  return found;
}

/* Takes argv[1] out of argv. */
static char *ShiftArgument(int *argc, char **argv)
{
  char *first = argv[1];
  for (int k = 1; k < *argc; k++) argv[k] = argv[k + 1];
  (*argc)--;
  return first;
}

/* The subcommand's arguments, taken out of argv; to be freed. */
static const char **TakeArguments(const PsdSubcommand *subcommand, int *argc, char **argv, PsdInvocation *invocation)
{
  const char **taken = calloc(*argc > 0 ? (size_t)*argc : 1, sizeof(*taken));
  const int most = taken && subcommand ? subcommand->most_arguments : 0;
  while (*argc > 1 && argv[1][0] != '-' && invocation->arguments < most)
    taken[invocation->arguments++] = ShiftArgument(argc, argv);
  invocation->argument = taken;
  return taken;
}

static char *JoinArguments(int argc, char **argv)
{
  size_t length = 1;
  for (int k = 0; k < argc; k++) length += strlen(argv[k]) + 1;
  char *line = calloc(length, 1), *end = line;
  for (int k = 0; line && k < argc; k++) end += snprintf(end, length - (size_t)(end - line), k ? " %s" : "%s", argv[k]);
  return line;
}

/* An argument that is neither an option nor an option's value; each option has one value at most. NULL: there is
   none. */
static const char *FindStray(int argc, char **argv)
{
  for (int k = 1; k < argc; k++)
    if (argv[k][0] != '-' && (k == 1 || argv[k - 1][0] != '-')) return argv[k];
  return NULL;
}

/* PETSc has a -history of its own, which it would open itself. */
static void RenameHistory(int argc, char **argv)
{
  static char renamed[] = "-history_file";
  for (int k = 1; k < argc; k++)
    if (!strcmp(argv[k], "-history")) argv[k] = renamed;
}

static PetscErrorCode Run(const PsdSubcommand *subcommand, const PsdInvocation *invocation, PetscBool help,
                          const char stray[], int *exit_status)
{
  PetscFunctionBeginUser;
  PetscViewer output; /* made where that it cannot be is an error: later PETSC_VIEWER_STDOUT_WORLD would be NULL */
  PetscCall(PetscViewerASCIIGetStdout(PETSC_COMM_WORLD, &output));
  PsdCheckInput(subcommand, "unknown subcommand '%s'; see 'psdnet -help'", stray);
  PsdOptionsSetHelp(help);
  if (help)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "usage: [mpiexec -n RANKS] psdnet %s %s [options]\n%s\n", subcommand->name,
                          subcommand->usage, subcommand->summary));
  PsdCheckInput(!stray, "unexpected argument '%s'; options begin with a dash, see 'psdnet %s -help'", stray,
                subcommand->name);
  PetscCall(PsdProgressSetFromOptions());
  PetscCall(PsdCountFromOptions());
  PetscCall((*subcommand->run)(invocation, exit_status));
  PetscCall(PsdCountWrite());
  PetscFunctionReturn(0);
}

/* From MPI's beginning to its end, and what is made of files afterwards; returns the exit status. */
static int Execute(const PsdSubcommand *subcommand, const PsdInvocation *invocation, int argc, char **argv,
                   PetscBool help, const char stray[])
{
  int exit_status = PSD_EXIT_DONE;
  PsdStartAlone();
  const PetscErrorCode start = PsdInitialize(&argc, &argv, NULL);
  if (start && start != PSD_ERR_INPUT) MPI_Abort(MPI_COMM_WORLD, PSD_EXIT_INPUT);
  if (start) return PSD_EXIT_INPUT;
  const PetscErrorCode ierr = Run(subcommand, invocation, help, stray, &exit_status);
  if (ierr == PSD_ERR_INPUT) {
    PetscMPIInt rank;
    MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
    if (rank == 0) fprintf(stderr, "psdnet: error: %s\n", PsdErrorMessage());
    exit_status = PSD_EXIT_INPUT;
    (void)PsdPathsRefuse();
  } else if (ierr) {
    PsdFileAbandonAll();
    MPI_Abort(PETSC_COMM_WORLD, PSD_EXIT_INPUT);
  }
  if (PsdFinalize()) return PSD_EXIT_INPUT;
  return exit_status == PSD_EXIT_DONE ? PsdPythonRun() : exit_status;
}

int main(int argc, char **argv)
{
  char *line = JoinArguments(argc, argv);
  const PetscBool help = RemoveArgument(&argc, argv, "-help") || RemoveArgument(&argc, argv, "--help") ||
                         RemoveArgument(&argc, argv, "-h");
  const PsdSubcommand *subcommand = argc > 1 ? FindSubcommand(argv[1]) : NULL;
  if (argc > 1 && (!strcmp(argv[1], "-version") || !strcmp(argv[1], "--version"))) {
    printf("psdnet %s\n", PSD_VERSION);
    free(line);
    return PSD_EXIT_DONE;
  }
  if (argc == 1) {
    PrintUsage(help ? stdout : stderr);
    free(line);
    return help ? PSD_EXIT_DONE : PSD_EXIT_INPUT;
  }
  const char *name = ShiftArgument(&argc, argv);
  PsdInvocation invocation = {.command_line = line ? line : ""};
  const char **arguments = TakeArguments(subcommand, &argc, argv, &invocation);
  const char *stray = subcommand ? FindStray(argc, argv) : name;
  RenameHistory(argc, argv);
  const int exit_status = Execute(subcommand, &invocation, argc, argv, help, stray);
  free(arguments);
  free(line);
  return exit_status;
}
