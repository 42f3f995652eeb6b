/*
   psdnet plan: memory and time of a run before it is submitted, for the options of train. No data are needed.
*/
#include "app.h"
#include "plan/measure.h"
#include "plan/plan.h"
#include "problem/sizes.h"

/* What is asked about, beyond the options of train. */
typedef struct {
  PetscBool flip;
  PetscInt images, image[3], classes, ranks, ranks_per_node, iterations;
  PetscReal node_memory;               /* GB; 0: this machine's */
  const PsdConsensusKernel *consensus; /* NULL: auto */
  PetscInt rate_count;                 /* 0: rates are measured here */
  PetscReal rate[PSD_RATES];
  char data[PETSC_MAX_PATH_LEN], report[PETSC_MAX_PATH_LEN];
} Question;

static PetscErrorCode ReadRates(Question *q)
{
  PetscFunctionBeginUser;
  PetscBool given;
  PetscInt count = PSD_RATES;
  PetscCall(
      PsdOptionRealList("-rates",
                        "of a rank of another machine, instead of this one's: dgemm,dsyrk,dpotrf in GFLOP/s,memory in "
                        "GB/s[,lifting in ms an image,dsyevd in ms a block], as plan prints them there",
                        q->rate, &count, &given));
  if (!given) PetscFunctionReturn(0);
  PsdCheckInput(count == PSD_RATES_LEAST || count == PSD_RATES,
                "option -rates: found %" PetscInt_FMT
                " numbers, expected %d or %d: dgemm,dsyrk,dpotrf,memory[,lifting,dsyevd]",
                count, PSD_RATES_LEAST, PSD_RATES);
  for (PetscInt k = 0; k < count; k++)
    PsdCheckInput(q->rate[k] > 0, "option -rates: found %g at place %" PetscInt_FMT ", expected a positive number",
                  (double)q->rate[k], k + 1);
  q->rate_count = count;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(Question *q, PsdPatches patches, PsdProblem problem, PetscBool *done)
{
  PetscFunctionBeginUser;
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
  PetscCall(PsdConsensusAsk(&q->consensus));
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

/* What is not known of another machine is asked of this one. */
static PetscErrorCode FindNode(const Question *q, PsdNode *node)
{
  PetscFunctionBeginUser;
  PetscLogDouble resident;
  PetscCall(PsdNodeThis(PETSC_COMM_WORLD, node));
  PetscCall(PetscMemoryGetCurrentUsage(&resident));
  node->program = resident;
  if (q->node_memory > 0) node->memory = q->node_memory * 1e9;
  node->ranks_per_node = PetscMin(q->ranks_per_node, q->ranks);
  PetscFunctionReturn(0);
}

static PetscErrorCode FindSizes(const Question *q, PsdPatches patches, PsdProblem problem, PsdSizes *sizes)
{
  PetscFunctionBeginUser;
  const PsdSampleShape shape = {.n = q->flip ? 2 * q->images : q->images,
                                .classes = q->classes,
                                .image = q->image[0] * q->image[1] * q->image[2],
                                .flip = q->flip};
  PetscCall(PsdPatchesSetImageSize(patches, q->image[0], q->image[1], q->image[2]));
  PetscCall(PsdProblemPlanSizes(problem, &shape, q->ranks, sizes));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindRates(const Question *q, PsdPatches patches, PsdProblem problem, const PsdSizes *sizes,
                                PsdRates *rates)
{
  PetscFunctionBeginUser;
  PetscReal activation[3];
  if (q->rate_count > 0) {
    PsdRatesGiven(sizes, q->rate_count, q->rate, rates);
    PetscFunctionReturn(0);
  }
  PetscCall(PsdProblemGetActivation(problem, activation));
  PetscCall(PsdRatesMeasure(PETSC_COMM_WORLD, sizes, patches, activation, rates));
  PetscFunctionReturn(0);
}

static PetscErrorCode Answer(const Question *question, PsdPatches patches, PsdProblem problem)
{
  PetscFunctionBeginUser;
  const char *loss;
  PsdSizes sizes;
  PsdRates rates;
  PsdNode node;
  PsdPlan plan;
  PetscCall(FindSizes(question, patches, problem, &sizes));
  PetscCall(FindNode(question, &node));
  PetscCall(FindRates(question, patches, problem, &sizes, &rates));
  PetscCall(PsdProblemGetLoss(problem, &loss));
  PetscCall(PsdPlanMake(&sizes, loss, question->consensus, &rates, &node, question->iterations, &plan));
  PetscCall(PsdPlanPrint(PETSC_COMM_WORLD, &plan));
  if (question->report[0]) PetscCall(PsdPlanReportWrite(&plan, question->report));
  PsdCheckInput(plan.needed <= node.memory, "consensus %s needs %.1f GB on a node that has %.1f GB", plan.kernel->name,
                (double)plan.needed / 1e9, (double)node.memory / 1e9);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunPlan(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  Question question;
  PsdPatches patches;
  PsdProblem problem;
  PetscBool done = PETSC_FALSE;
  (void)invocation, (void)exit_status;
  PetscCall(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  PetscCall(PsdProblemCreate(NULL, patches, &problem));
  PetscCall(ReadOptions(&question, patches, problem, &done));
  if (!done && question.data[0]) PetscCall(AskData(&question, &done));
  if (!done) PetscCall(Answer(&question, patches, problem));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdPatchesDestroy(&patches));
  PetscFunctionReturn(0);
}
