/*
   psdnet plan: memory and time of a run before it is submitted, for the options of train. No data are needed.
*/
#include "app.h"
#include "base/base.h"
#include "patches/mirror.h"
#include "patches/transform.h"
#include "plan/plan.h"
#include "problem/problem.h"

/* What is asked about, beyond the options of train. */
typedef struct {
  PetscBool flip;
  PetscInt images, image[3], classes, ranks, ranks_per_node, iterations;
  PetscReal node_memory; /* GB; 0: this machine's */
  PetscInt consensus;    /* 0 = auto, else 1 + PsdPlanKind */
  PetscInt rate_count;   /* 0: rates are measured here */
  PetscReal rate[PSD_PLAN_RATES];
  char data[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN];
} Question;

static PetscErrorCode ReadRates(Question *q)
{
  PetscFunctionBeginUser;
  PetscBool given;
  PetscInt count = PSD_PLAN_RATES;
  PetscCall(
      PsdOptionRealList("-rates",
                        "of a rank of another machine, instead of this one's: dgemm,dsyrk,dpotrf in GFLOP/s,memory in "
                        "GB/s[,lifting in ms an image,dsyevd in ms a block], as plan prints them there",
                        q->rate, &count, &given));
  if (!given) PetscFunctionReturn(0);
  PsdCheckInput(count == PSD_PLAN_RATES_LEAST || count == PSD_PLAN_RATES,
                "option -rates: found %" PetscInt_FMT
                " numbers, expected %d or %d: dgemm,dsyrk,dpotrf,memory[,lifting,dsyevd]",
                count, PSD_PLAN_RATES_LEAST, PSD_PLAN_RATES);
  for (PetscInt k = 0; k < count; k++)
    PsdCheckInput(q->rate[k] > 0, "option -rates: found %g at place %" PetscInt_FMT ", expected a positive number",
                  (double)q->rate[k], k + 1);
  q->rate_count = count;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(Question *q, PsdPatches patches, PsdProblem problem, PetscBool *done)
{
  PetscFunctionBeginUser;
  static const char *const consensus[] = {"auto", "root", "scalapack", "kernel", NULL};
  PetscInt count = 3;
  PetscBool given, has_image;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  *q = (Question){.classes = 10, .ranks = ranks, .iterations = 150};
  PetscCall(PsdOptionsHeading("What is planned"));
  PetscCall(PsdOptionPath("-data", "images, to take the sizes from; or give -images and -image", PETSC_FALSE, q->data));
  PetscCall(PsdOptionInt("-images", "training images", 1, PETSC_MAX_INT, &q->images, NULL));
  PetscCall(PsdOptionIntList("-image", "channels x height x width of an image, as 3x32x32", 'x', 1, 65535, q->image,
                             &count, &has_image));
  PsdCheckInput(!has_image || count == 3, "option -image: found %" PetscInt_FMT " numbers, expected 3, as in 3x32x32",
                count);
  PetscCall(PsdOptionBool("-flip", "mirror images as well", &q->flip, NULL));
  PetscCall(PsdOptionInt("-class_count", "classes, with -images", 2, 65535, &q->classes, NULL));
  PetscCall(PsdOptionInt("-ranks", "ranks of the run [those of this one]", 1, PETSC_MAX_INT, &q->ranks, NULL));
  PetscCall(PsdOptionInt("-ranks_per_node", "ranks that share a node's memory [all]", 1, PETSC_MAX_INT,
                         &q->ranks_per_node, &given));
  PetscCall(PsdOptionReal("-node_memory", "GB of a node; 0 = this machine's", PSD_NONNEGATIVE, &q->node_memory, NULL));
  PetscCall(ReadRates(q));
  PetscCall(PsdOptionInt("-iterations", "iterations of the solver", 1, PETSC_MAX_INT, &q->iterations, NULL));
  PetscCall(PsdOptionEnum("-consensus", "where the least-squares step is done", consensus, &q->consensus, NULL));
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdProblemSetFromOptions(problem));
  PetscCall(PsdOptionPath("-report", "file the plan is written to as well (JSON)", PETSC_FALSE, q->report));
  if (!q->data[0]) {
    PetscCall(PsdOptionsEnd(done));
    if (*done) PetscFunctionReturn(0);
    PsdCheckInput(q->images > 0 && has_image,
                  "plan: found neither -data nor -images N with -image CxHxW, expected one of them");
  }
  if (!given) q->ranks_per_node = q->ranks;
  PetscFunctionReturn(0);
}

/* The sizes of a data set: images that are chosen, their classes and shape. */
static PetscErrorCode AskData(Question *q, PetscBool *done)
{
  PetscFunctionBeginUser;
  PsdData data;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsEnd(done));
  if (!*done) {
    PetscCall(PsdDataSetUp(data));
    PetscCall(PsdDataGetSizes(data, &q->images, NULL, NULL));
    PetscCall(PsdDataGetImageSize(data, &q->image[0], &q->image[1], &q->image[2]));
    PetscCall(PsdDataGetClasses(data, &q->classes, NULL, NULL));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindSizes(const Question *question, PsdPatches patches, PsdProblem problem, PsdPlanSizes *sizes)
{
  PetscFunctionBeginUser;
  PetscInt q, f, G, positions, branches;
  PetscCall(PsdPatchesSetImageSize(patches, question->image[0], question->image[1], question->image[2]));
  PetscCall(PsdPatchesGetSizes(patches, &q, &f, &G, &positions));
  PsdPlanSetSizes(question->images, question->ranks, question->classes == 2 ? 1 : question->classes, G, positions, q, f,
                  question->image[0] * question->image[1] * question->image[2], sizes);
  sizes->transform = PsdPatchesNeedStatistics(patches);
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  sizes->split = problem->loss.ops->splits;
  sizes->lifted_only = (PetscBool)(branches > 1 || sizes->split);
  if (question->flip && PsdPatchesAreSymmetric(patches)) PsdPlanFold(PsdSymmetryEstimateOrder(patches), sizes);
  sizes->feature_memory = problem->memory * 1024 * 1024;
  PetscFunctionReturn(0);
}

static const char *ConeOf(const PsdPlanSizes *sizes)
{
  return sizes->d > 80 ? "lapack at first, then slepc" : "lapack";
}

static PetscErrorCode PrintMemory(PetscInt count, const PsdPlanItem items[], const PsdPlanNode *node, PetscReal needed)
{
  PetscFunctionBeginUser;
  PetscReal root, others;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\nmemory a rank, MB              rank 0     others   there from .. to\n"));
  for (PetscInt k = 0; k < count; k++)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-26s %9.0f  %9.0f   %s .. %s\n", items[k].name,
                          (double)items[k].root / 1e6, (double)items[k].others / 1e6, PsdPhaseNames[items[k].first],
                          PsdPhaseNames[items[k].last]));
  PsdPlanPeak(count, items, &root, &others);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-26s %9.0f  %9.0f\n", "peak", (double)root / 1e6, (double)others / 1e6));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "a node   %.1f GB of %.1f GB, %" PetscInt_FMT " ranks on it\n",
                        (double)needed / 1e9, (double)node->memory / 1e9, node->ranks_per_node));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintTime(const PetscReal seconds[], const PetscReal flops[])
{
  PetscFunctionBeginUser;
  PetscReal total = 0, operations = 0;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\nphase       seconds     Gflop\n"));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-8s %9.2f %9.0f\n", PsdPhaseNames[phase], (double)seconds[phase],
                          (double)flops[phase] / 1e9));
    total += seconds[phase];
    operations += flops[phase];
  }
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-8s %9.2f %9.0f\n", "total", (double)total, (double)operations / 1e9));
  PetscFunctionReturn(0);
}

/* What is not known of another machine is asked of this one. */
static PetscErrorCode FindNode(const Question *q, PsdPlanNode *node)
{
  PetscFunctionBeginUser;
  PetscLogDouble resident;
  PetscCall(PsdPlanThisNode(PETSC_COMM_WORLD, node));
  PetscCall(PetscMemoryGetCurrentUsage(&resident));
  node->base = resident;
  if (q->node_memory > 0) node->memory = q->node_memory * 1e9;
  node->ranks_per_node = PetscMin(q->ranks_per_node, q->ranks);
  PetscFunctionReturn(0);
}

static PetscErrorCode Answer(const Question *question, const PsdPlanSizes *sizes, const PsdRates *rates,
                             const PsdPlanNode *node)
{
  PetscFunctionBeginUser;
  PsdPlanKind kind = PSD_PLAN_ROOT;
  PsdPlanItem items[PSD_PLAN_ITEMS];
  PetscReal seconds[PSD_PHASE_COUNT], flops[PSD_PHASE_COUNT], needed, root, others;
  if (question->consensus > 0) kind = (PsdPlanKind)(question->consensus - 1);
  else {
    const PsdRates nominal = PsdRatesNominal(sizes); /* as the run will choose */
    PetscCall(PsdPlanChoose(sizes, &nominal, node, &kind));
  }
  PsdCheckInput(kind != PSD_PLAN_KERNEL || !sizes->split,
                "options -consensus kernel and -loss: the kernel matrix is for the squared loss");
  PsdCheckInput(kind != PSD_PLAN_KERNEL || !sizes->lifted_only,
                "options -consensus kernel and -branches: the kernel matrix is of one kind of patches");
  const PetscBool fits = PsdPlanFits(sizes, kind, node, &needed);
  const PetscInt count = PsdPlanMemory(sizes, kind, node->base, items);
  PsdPlanTime(sizes, kind, rates, question->iterations, seconds, flops);
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "problem  %.0f samples, %.0f patches each; f %.0f, D %.0f (A'A of order %.0f), %" PetscInt_FMT
      " blocks of order %.0f; ranks %" PetscInt_FMT "\nconsensus %s, cone %s, %" PetscInt_FMT " iterations\n",
      (double)sizes->n, (double)sizes->positions, (double)sizes->f, (double)sizes->D, (double)sizes->order,
      2 * sizes->pairs, (double)sizes->d, sizes->ranks, PsdPlanNames[kind], ConeOf(sizes), question->iterations));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD,
      "rates    a rank: dgemm %.1f, dsyrk %.1f, dpotrf %.1f GFLOP/s; memory %.1f GB/s; lifting %.3g ms "
      "an image; dsyevd %.3g ms a block\n",
      (double)rates->gemm / 1e9, (double)rates->syrk / 1e9, (double)rates->potrf / 1e9, (double)rates->bandwidth / 1e9,
      1e3 * (double)rates->lift, 1e3 * (double)(rates->eigen * sizes->d * sizes->d * sizes->d)));
  PetscCall(PrintMemory(count, items, node, needed));
  PetscCall(PrintTime(seconds, flops));
  PsdPlanPeak(count, items, &root, &others);
  if (question->report[0]) {
    const PsdPlanReport report = {sizes, PsdPlanNames[kind], question->iterations, count, items, root, others, seconds,
                                  flops};
    PetscCall(PsdPlanReportWrite(&report, question->report));
  }
  PsdCheckInput(fits, "consensus %s needs %.1f GB on a node that has %.1f GB", PsdPlanNames[kind], (double)needed / 1e9,
                (double)node->memory / 1e9);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPlan(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  Question question;
  PsdPatches patches;
  PsdProblem problem;
  PsdPlanSizes sizes;
  PsdPlanNode node;
  PsdRates rates;
  PetscReal activation[3];
  PetscBool done = PETSC_FALSE;
  (void)invocation, (void)exit_status;
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(NULL, patches, &problem));
  PetscCall(ReadOptions(&question, patches, problem, &done));
  if (!done && question.data[0]) PetscCall(AskData(&question, &done));
  if (!done) {
    if (question.flip) question.images *= 2;
    PetscCall(FindSizes(&question, patches, problem, &sizes));
    PetscCall(FindNode(&question, &node));
    PetscCall(PsdProblemGetActivation(problem, activation));
    if (question.rate_count > 0) PsdRatesGiven(&sizes, question.rate_count, question.rate, &rates);
    else PetscCall(PsdRatesMeasure(PETSC_COMM_WORLD, &sizes, patches, activation, &rates));
    PetscCall(Answer(&question, &sizes, &rates, &node));
  }
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscFunctionReturn(0);
}
