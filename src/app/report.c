/*
   report.json and the plan as JSON (docs/formats.md), written by the root.
*/
#include "app.h"
#include <unistd.h>

static void PrintString(FILE *file, const char text[])
{
  fputc('"', file);
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') fputc('\\', file);
    if ((unsigned char)*c < ' ') fprintf(file, "\\u%04x", (unsigned char)*c);
    else fputc(*c, file);
  }
  fputc('"', file);
}

static void PrintField(FILE *file, const char name[], const char text[])
{
  fprintf(file, "  \"%s\": ", name);
  PrintString(file, text);
  fprintf(file, ",\n");
}

/* JSON has no infinities and no NaN. */
static void PrintNumber(FILE *file, const char name[], PetscReal value)
{
  if (PetscIsInfOrNanReal(value)) fprintf(file, "  \"%s\": null,\n", name);
  else fprintf(file, "  \"%s\": %.17g,\n", name, (double)value);
}

static void PrintInt(FILE *file, const char name[], PetscInt value)
{
  fprintf(file, "  \"%s\": %" PetscInt_FMT ",\n", name, value);
}

static void PrintSeconds(FILE *file, const PetscReal seconds[])
{
  fprintf(file, "  \"seconds\": {");
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++)
    fprintf(file, "\"%s\": %.6f, ", PsdPhaseName((PsdPhase)phase), (double)seconds[phase]);
  fprintf(file, "\"total\": %.6f}\n", (double)seconds[PSD_PHASE_COUNT]);
}

typedef struct {
  PetscMPIInt ranks;
  char machine[256];
  char *options;
  PetscReal peak_memory;
  PetscReal seconds[PSD_PHASE_COUNT + 1]; /* the slowest rank's, then total */
} Circumstances;

static void PrintReport(FILE *file, const PsdReport *report, const Circumstances *run)
{
  fprintf(file, "{\n");
  PrintField(file, "command", report->invocation->command_line);
  PrintField(file, "options", run->options);
  PrintInt(file, "ranks", run->ranks);
  PrintInt(file, "threads", PsdThreadsGet());
  PrintField(file, "machine", run->machine);
  PrintInt(file, "n", report->n);
  if (report->weighted) {
    PrintNumber(file, "least_weight", report->least_weight);
    PrintNumber(file, "largest_weight", report->largest_weight);
    PrintNumber(file, "sum_of_weights", report->sum_of_weights);
  }
  PrintInt(file, "f", report->f);
  PrintInt(file, "D", report->D);
  PrintInt(file, "blocks", report->blocks);
  PrintField(file, "loss", report->loss);
  PrintField(file, "solver", report->solver);
  for (PetscInt k = 0; k < report->kernels; k++) PrintField(file, report->kernel[k].part, report->kernel[k].kernel);
  PrintInt(file, "iterations", report->iterations);
  PrintNumber(file, "objective_primal", report->certificate.primal);
  PrintNumber(file, "objective_primal_error", report->certificate.primal_error);
  PrintNumber(file, "objective_dual", report->certificate.dual);
  PrintNumber(file, "gap", report->certificate.gap);
  PrintInt(file, "neurons", report->neurons);
  PrintNumber(file, report->outputs > 0 ? "r2_train" : "accuracy_train", report->certificate.accuracy);
  if (report->validated)
    PrintNumber(file, report->outputs > 0 ? "r2_validation" : "accuracy_validation", report->accuracy_validation);
  PrintNumber(file, "beta", report->beta);
  PrintNumber(file, "beta_max", report->beta_max);
  PrintNumber(file, "peak_memory_mb", run->peak_memory);
  PrintSeconds(file, run->seconds);
  fprintf(file, "}\n");
}

/* Collective: what the root cannot know alone. */
static PetscErrorCode GatherCircumstances(Circumstances *run)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &run->ranks));
  PetscCall(PetscGetHostName(run->machine, sizeof(run->machine)));
  PetscCall(PetscOptionsGetAll(NULL, &run->options));
  PetscCall(PsdPeakMemory(&run->peak_memory));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) run->seconds[phase] = PsdPhaseSeconds((PsdPhase)phase);
  run->seconds[PSD_PHASE_COUNT] = PsdWallSeconds();
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, run->seconds, PSD_PHASE_COUNT + 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  PetscFunctionReturn(0);
}

void PsdWriteWhole(const char path[], void (*print)(FILE *, const void *), const void *what, PsdFailure *failure)
{
  PsdFile file;
  PsdFileBegin(&file, path, failure);
  FILE *stream = PsdFileStream(&file, failure);
  if (stream) {
    (*print)(stream, what);
    PsdStreamClose(stream, path, failure);
  }
  PsdFileCommit(&file, failure);
}

/* What report.json is made of. */
typedef struct {
  const PsdReport *report;
  const Circumstances *run;
} RunReport;

static void PrintRun(FILE *file, const void *what)
{
  const RunReport *it = what;
  PrintReport(file, it->report, it->run);
}

PetscErrorCode PsdReportWrite(const PsdReport *report, const char path[])
{
  PetscFunctionBeginUser;
  Circumstances run;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(GatherCircumstances(&run));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PsdWriteWhole(path, PrintRun, &(RunReport){report, &run}, &failure);
  PetscCall(PetscFree(run.options));
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

/* What report.json of an evaluation is made of. */
typedef struct {
  const PsdInvocation *invocation;
  const char *format;
  PetscInt n, count;
  const PetscInt *labels;
  const char *const *names;
  const PetscInt64 *confusion;
  PetscReal accuracy;
} Evaluation;

/* A part of a whole; of nothing there is none. */
static void PrintPart(FILE *file, const char name[], PetscInt64 part, PetscInt64 whole)
{
  if (whole == 0) fprintf(file, ", \"%s\": null", name);
  else fprintf(file, ", \"%s\": %.17g", name, (double)part / (double)whole);
}

static void PrintClass(FILE *file, const Evaluation *it, PetscInt k)
{
  PetscInt64 images = 0, predicted = 0;
  for (PetscInt j = 0; j < it->count; j++) {
    images += it->confusion[(size_t)k * (size_t)it->count + (size_t)j];
    predicted += it->confusion[(size_t)j * (size_t)it->count + (size_t)k];
  }
  const PetscInt64 correct = it->confusion[(size_t)k * (size_t)it->count + (size_t)k];
  fprintf(file, "    {\"label\": %" PetscInt_FMT ", \"name\": ", it->labels[k]);
  PrintString(file, it->names[k]);
  fprintf(file, ", \"images\": %" PetscInt64_FMT, images);
  PrintPart(file, "recall", correct, images);
  PrintPart(file, "precision", correct, predicted);
  fprintf(file, "}%s\n", k + 1 < it->count ? "," : "");
}

static void PrintEvaluation(FILE *file, const void *what)
{
  const Evaluation *it = what;
  fprintf(file, "{\n");
  PrintField(file, "command", it->invocation->command_line);
  PrintField(file, "format", it->format);
  PrintInt(file, "n", it->n);
  PrintNumber(file, "accuracy", it->accuracy);
  fprintf(file, "  \"classes\": [\n");
  for (PetscInt k = 0; k < it->count; k++) PrintClass(file, it, k);
  fprintf(file, "  ],\n  \"confusion\": [\n");
  for (PetscInt row = 0; row < it->count; row++) {
    for (PetscInt k = 0; k < it->count; k++)
      fprintf(file, "%s%" PetscInt64_FMT, k ? ", " : "    [",
              it->confusion[(size_t)row * (size_t)it->count + (size_t)k]);
    fprintf(file, "]%s\n", row + 1 < it->count ? "," : "");
  }
  fprintf(file, "  ]\n}\n");
}

PetscErrorCode PsdEvaluationWrite(const PsdInvocation *invocation, PsdData data, const PetscInt64 confusion[],
                                  PetscReal accuracy, const char path[])
{
  PetscFunctionBeginUser;
  Evaluation it = {.invocation = invocation, .confusion = confusion, .accuracy = accuracy};
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(PsdDataGetSizes(data, &it.n, NULL, NULL));
  PetscCall(PsdDataGetFormat(data, &it.format));
  PetscCall(PsdDataGetClasses(data, &it.count, &it.labels, &it.names));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PsdWriteWhole(path, PrintEvaluation, &it, &failure);
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

/* The same of real targets. */
typedef struct {
  const PsdInvocation *invocation;
  const char *format;
  PetscInt n, outputs;
  const char *const *names; /* NULL: they have none */
  const PsdFit *each, *all;
} Fits;

/* name: NULL: it has none */
static void PrintFit(FILE *file, const char name[], const PsdFit *fit)
{
  const struct {
    const char *name;
    PetscReal value;
  } numbers[] = {{"rmse", fit->rmse}, {"mean_error", fit->mean_error}, {"r2", fit->r2}};
  fprintf(file, name ? "{\"name\": " : "{");
  if (name) PrintString(file, name);
  for (int k = 0; k < 3; k++) {
    fprintf(file, "%s\"%s\": ", k || name ? ", " : "", numbers[k].name);
    if (PetscIsInfOrNanReal(numbers[k].value)) fprintf(file, "null");
    else fprintf(file, "%.17g", (double)numbers[k].value);
  }
  fprintf(file, "}");
}

static void PrintFits(FILE *file, const void *what)
{
  const Fits *it = what;
  fprintf(file, "{\n");
  PrintField(file, "command", it->invocation->command_line);
  PrintField(file, "format", it->format);
  PrintInt(file, "n", it->n);
  fprintf(file, "  \"all\": ");
  PrintFit(file, NULL, it->all);
  fprintf(file, ",\n  \"outputs\": [\n");
  for (PetscInt t = 0; t < it->outputs; t++) {
    fprintf(file, "    ");
    PrintFit(file, it->names ? it->names[t] : NULL, &it->each[t]);
    fprintf(file, "%s\n", t + 1 < it->outputs ? "," : "");
  }
  fprintf(file, "  ]\n}\n");
}

PetscErrorCode PsdFitWrite(const PsdInvocation *invocation, PsdData data, const char *const names[],
                           const PsdFit each[], const PsdFit *all, const char path[])
{
  PetscFunctionBeginUser;
  Fits it = {.invocation = invocation, .names = names, .each = each, .all = all};
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(PsdDataGetSizes(data, &it.n, NULL, NULL));
  PetscCall(PsdDataGetFormat(data, &it.format));
  PetscCall(PsdDataGetTargets(data, &it.outputs, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PsdWriteWhole(path, PrintFits, &it, &failure);
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}

/* What the plan as JSON is made of. */
typedef struct {
  PsdPlanTotals totals;
  struct {
    const char *name;
    PetscReal root, others;
  } * memory;
} PlanReport;

static void PrintPhases(FILE *file, const char name[], const PetscReal values[PSD_PHASE_COUNT])
{
  fprintf(file, "  \"%s\": {", name);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++)
    fprintf(file, "%s\"%s\": %.6g", phase > 0 ? ", " : "", PsdPhaseName((PsdPhase)phase), (double)values[phase]);
  fprintf(file, "},\n");
}

static void PrintPlan(FILE *file, const void *what)
{
  const PlanReport *it = what;
  const PsdPlanTotals *totals = &it->totals;
  PetscReal total = 0;
  fprintf(file, "{\n");
  PrintNumber(file, "n", totals->n);
  PrintNumber(file, "f", totals->f);
  PrintNumber(file, "D", totals->D);
  PrintInt(file, "blocks", totals->blocks);
  PrintInt(file, "ranks", totals->ranks);
  PrintField(file, "solver", totals->solver);
  for (PetscInt k = 0; k < totals->kernels; k++) PrintField(file, totals->kernel[k].part, totals->kernel[k].kernel);
  PrintInt(file, "iterations", totals->iterations);
  fprintf(file, "  \"memory\": {");
  for (PetscInt k = 0; k < totals->items; k++)
    fprintf(file, "%s\n    \"%s\": [%.0f, %.0f]", k > 0 ? "," : "", it->memory[k].name, (double)it->memory[k].root,
            (double)it->memory[k].others);
  fprintf(file, "\n  },\n");
  PrintNumber(file, "peak_memory_mb", totals->peak_root / 1e6);
  PrintNumber(file, "peak_memory_others_mb", totals->peak_others / 1e6);
  PrintPhases(file, "flops", totals->flops);
  PrintPhases(file, "bytes", totals->bytes);
  PrintPhases(file, "messages", totals->messages);
  PrintPhases(file, "network", totals->network);
  fprintf(file, "  \"seconds\": {");
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    fprintf(file, "\"%s\": %.6g, ", PsdPhaseName((PsdPhase)phase), (double)totals->seconds[phase]);
    total += totals->seconds[phase];
  }
  fprintf(file, "\"total\": %.6g}\n}\n", (double)total);
}

PetscErrorCode PsdPlanReportWrite(PsdPlan plan, const char path[])
{
  PetscFunctionBeginUser;
  PlanReport it;
  PsdFailure failure = {PETSC_FALSE, ""};
  PetscMPIInt rank;
  PetscCall(PsdPlanGetTotals(plan, &it.totals));
  PetscCall(PetscMalloc1(it.totals.items, &it.memory));
  for (PetscInt k = 0; k < it.totals.items; k++)
    PetscCall(PsdPlanGetMemory(plan, k, &it.memory[k].name, &it.memory[k].root, &it.memory[k].others, NULL, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) PsdWriteWhole(path, PrintPlan, &it, &failure);
  PetscCall(PetscFree(it.memory));
  PetscCall(PsdFailureAgree(PETSC_COMM_WORLD, &failure));
  PetscFunctionReturn(0);
}
