/*
   psdnet predict: one line of CSV an image: index in the data set, scores or probabilities, the label of the class, and its name where the
   network has names; of real targets the outputs alone, by their names where the network has them.

   With -output - the table is what the command prints, and all else goes to standard error. The root writes; the other
   ranks send their shards' scores to it one after the other, in pieces of bounded size.
*/
#include "app.h"
#include <string.h>
#include <unistd.h>

#define STANDARD_OUTPUT "-"
#define MESSAGE_NUMBERS 1048576

typedef struct {
  PetscInt C;
  PetscBool regression; /* scores are the answer; there are no classes */
  const PetscInt *labels;
  const char *const *names; /* of classes, or of outputs; NULL: they have none */
  PetscInt probabilities;   /* 0: scores, else so many, ... */
  PetscReal *room;          /* ... of one image */
  FILE *stream;
} Table;

/* Behind a comma, as CSV has texts. */
static void WriteQuoted(FILE *stream, const char text[])
{
  fprintf(stream, ",\"");
  for (; *text; text++) fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
  fprintf(stream, "\"");
}

static void WriteHeader(const Table *table)
{
  fprintf(table->stream, "index");
  const PetscInt columns = table->probabilities > 0 ? table->probabilities : table->C;
  const char *column = table->regression ? "output" : table->probabilities > 0 ? "probability" : "score";
  for (PetscInt t = 0; t < columns; t++) {
    if (table->regression && table->names) WriteQuoted(table->stream, table->names[t]);
    else fprintf(table->stream, ",%s_%" PetscInt_FMT, column, t);
  }
  fprintf(table->stream, table->regression ? "\n" : table->names ? ",class,name\n" : ",class\n");
}

static void WriteNumbers(const Table *table, const PetscReal scores[])
{
  const PetscReal *numbers = scores;
  PetscInt count = table->C;
  if (table->probabilities > 0) {
    PsdNetworkProbabilities(table->C, scores, table->room);
    numbers = table->room;
    count = table->probabilities;
  }
  for (PetscInt t = 0; t < count; t++) fprintf(table->stream, ",%.17g", (double)numbers[t]);
}

static void WriteClass(const Table *table, PetscInt class)
{
  fprintf(table->stream, ",%" PetscInt_FMT, table->labels[class]);
  if (table->names) WriteQuoted(table->stream, table->names[class]);
}

static void WriteShard(const Table *table, PetscInt n, const PetscInt64 indices[], const PetscReal scores[])
{
  for (PetscInt i = 0; i < n; i++, scores += table->C) {
    fprintf(table->stream, "%" PetscInt64_FMT, indices[i]);
    WriteNumbers(table, scores);
    if (!table->regression) WriteClass(table, PsdNetworkClassify(table->C, scores));
    fprintf(table->stream, "\n");
  }
}

/* Images in one message: an MPI count is an int, and the root holds no more of another's shard. */
static PetscInt PieceOf(PetscInt C)
{
  return PetscMax(1, MESSAGE_NUMBERS / C);
}

/* The root's side: its own shard, then the others' in order. */
static PetscErrorCode WriteAll(const Table *table, PetscMPIInt ranks, PetscInt n_local, const PetscInt64 indices[],
                               const PetscReal scores[])
{
  PetscFunctionBeginUser;
  const PetscInt C = table->C, piece = PieceOf(C);
  PetscInt64 *their_indices;
  PetscReal *their_scores;
  WriteHeader(table);
  WriteShard(table, n_local, indices, scores);
  PetscCall(PetscMalloc2(piece, &their_indices, (size_t)piece * (size_t)C, &their_scores));
  for (PetscMPIInt rank = 1; rank < ranks; rank++) {
    PetscInt n;
    PetscCallMPI(MPI_Recv(&n, 1, MPIU_INT, rank, 0, PETSC_COMM_WORLD, MPI_STATUS_IGNORE));
    for (PetscInt done = 0, count; done < n; done += count) {
      count = PetscMin(piece, n - done);
      PetscCallMPI(MPI_Recv(their_indices, count, MPIU_INT64, rank, 0, PETSC_COMM_WORLD, MPI_STATUS_IGNORE));
      PetscCallMPI(MPI_Recv(their_scores, count * C, MPIU_REAL, rank, 0, PETSC_COMM_WORLD, MPI_STATUS_IGNORE));
      WriteShard(table, count, their_indices, their_scores);
    }
  }
  PetscCall(PetscFree2(their_indices, their_scores));
  PetscFunctionReturn(0);
}

static PetscErrorCode SendShard(PetscInt C, PetscInt n_local, const PetscInt64 indices[], const PetscReal scores[])
{
  PetscFunctionBeginUser;
  const PetscInt piece = PieceOf(C);
  PetscCallMPI(MPI_Send(&n_local, 1, MPIU_INT, 0, 0, PETSC_COMM_WORLD));
  for (PetscInt done = 0, count; done < n_local; done += count) {
    count = PetscMin(piece, n_local - done);
    PetscCallMPI(MPI_Send(indices + done, count, MPIU_INT64, 0, 0, PETSC_COMM_WORLD));
    PetscCallMPI(MPI_Send(scores + (size_t)done * (size_t)C, count * C, MPIU_REAL, 0, 0, PETSC_COMM_WORLD));
  }
  PetscFunctionReturn(0);
}

/* Where a table goes: to a file that appears whole, or to what was standard output. Root alone. */
typedef struct {
  const char *path;
  FILE *printed; /* NULL: to the file */
  PsdFile file;
} Target;

/* From here on what anybody prints goes to standard error. */
static void TakeStandardOutput(Target *target, PsdFailure *failure)
{
  (void)fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  if (kept >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) target->printed = fdopen(kept, "w");
  if (!target->printed) PsdFailureRecord(failure, "cannot use standard output");
}

static FILE *Open(Target *target, PsdFailure *failure)
{
  if (target->printed) return target->printed;
  PsdFileBegin(&target->file, target->path, failure);
  return PsdFileStream(&target->file, failure);
}

static void Close(Target *target, FILE *stream, PsdFailure *failure)
{
  PsdStreamClose(stream, target->printed ? "standard output" : target->path, failure);
  if (!target->printed) PsdFileCommit(&target->file, failure);
}

static PetscErrorCode WriteTable(PsdNetwork network, PsdData data, const PetscReal scores[], PetscInt probabilities,
                                 Target *target)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  Table table = {.probabilities = probabilities};
  PetscMPIInt rank, ranks;
  PetscInt n_local, outputs;
  const PetscInt64 *indices;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(PsdNetworkGetClasses(network, NULL, &table.labels, &table.C));
  PetscCall(PsdNetworkGetClassNames(network, &table.names));
  PetscCall(PsdNetworkGetOutputs(network, &outputs));
  table.regression = (PetscBool)(outputs > 0);
  PetscCall(PsdDataGetSizes(data, NULL, &n_local, NULL));
  PetscCall(PsdDataGetShard(data, NULL, NULL, &indices));
  PetscCall(PetscMalloc1(probabilities, &table.room));
  if (rank == 0) table.stream = Open(target, &failure);
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  if (rank > 0) PetscCall(SendShard(table.C, n_local, indices, scores));
  else {
    PetscCall(WriteAll(&table, ranks, n_local, indices, scores));
    Close(target, table.stream, &failure);
  }
  PetscCall(PetscFree(table.room));
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

/* -output FILE, or - for standard output, which is no name of a file. */
static PetscErrorCode ReadTarget(char path[PETSC_MAX_PATH_LEN], Target *target)
{
  PetscFunctionBeginUser;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscBool given;
  static const char text[] = "file the predictions are written to (CSV); - for standard output";
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-output", path, PETSC_MAX_PATH_LEN, &given));
  target->path = path;
  if (!given || strcmp(path, STANDARD_OUTPUT) != 0) {
    PetscCall(PsdOptionPath("-output", text, PSD_PATH_OUTPUT, PETSC_TRUE, path));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdOptionString("-output", text, path, PETSC_MAX_PATH_LEN, NULL));
  if (rank == 0 && !PsdOptionsGetHelp()) TakeStandardOutput(target, &failure);
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPredict(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)invocation;
  (void)exit_status;
  char model[PETSC_MAX_PATH_LEN], output[PETSC_MAX_PATH_LEN];
  Target target = {.printed = NULL};
  PsdData data;
  PsdNetwork network;
  PetscInt n, n_local, C, probabilities = 0;
  PsdCrops crops;
  PetscReal *scores;
  PetscBool done, wanted = PETSC_FALSE;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetPurpose(data, PSD_TO_PREDICT));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsHeading("Model and output"));
  PetscCall(
      PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_TRUE, model));
  PetscCall(ReadTarget(output, &target));
  PetscCall(PsdOptionBool("-probabilities", "of classes, in the place of scores", &wanted, NULL));
  PetscCall(PsdCropsFromOptions(&crops));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PetscCall(PsdUseHeldOutPart(data));
    PetscCall(PsdLoadModelAndData(model, data, PETSC_FALSE, &network));
    PetscCall(PsdDataGetSizes(data, &n, &n_local, NULL));
    PetscCall(PsdNetworkGetClasses(network, NULL, NULL, &C));
    if (wanted) PetscCall(PsdNetworkCheckProbabilities(network, &probabilities));
    PetscCall(PetscMalloc1((size_t)n_local * C, &scores));
    PetscCall(PsdNetworkSetCrops(network, crops.most, crops.mirrored));
    PetscCall(PsdNetworkApply(network, data, scores));
    PetscCall(WriteTable(network, data, scores, probabilities, &target));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "predictions of %" PetscInt_FMT " images in %s\n", n,
                          strcmp(output, STANDARD_OUTPUT) != 0 ? output : "standard output"));
    PetscCall(PetscFree(scores));
    PetscCall(PsdNetworkDestroy(&network));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
