/*
   A plan: what is asked of it, and the costs of a run added up.
*/
#include <psdmaps.h>
#include "plan_impl.h"
#include "measure.h"
#include "problem/sizes.h"
#include "types/choose_solver.h"

/* The process before it holds anything of a run: images that are read to learn their sizes are none of the program's.
   Of rank 0, as all ranks have to plan alike. */
static PetscErrorCode FindProgram(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PetscLogDouble resident;
  PetscCall(PetscMemoryGetCurrentUsage(&resident));
  PetscCallMPI(MPI_Bcast(&resident, 1, MPI_DOUBLE, 0, plan->comm));
  plan->program = resident;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanCreate(PsdProblem problem, PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdPlan it;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PetscNew(&it));
  it->comm = problem->comm;
  it->problem = problem;
  PetscCall(FindProgram(it));
  it->classes = 10;
  it->bits = 8;
  it->shifts = 1;
  it->ranks = ranks;
  it->latency = 2;
  it->bandwidth = 12;
  PetscCall(PsdSolverCreate(problem, &it->solver));
  *plan = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetSamples(PsdPlan plan, PetscInt images, PetscInt channels, PetscInt height, PetscInt width,
                                 PetscInt classes)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->images = images;
  plan->image[0] = channels;
  plan->image[1] = height;
  plan->image[2] = width;
  plan->classes = classes;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetBits(PsdPlan plan, PetscInt bits)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PetscCheck(bits == 8 || bits == 16, plan->comm, PETSC_ERR_ARG_OUTOFRANGE, "%" PetscInt_FMT " bits", bits);
  plan->bits = bits;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetOutputs(PsdPlan plan, PetscInt outputs)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->outputs = outputs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetShifts(PsdPlan plan, PetscInt shifts)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->shifts = shifts;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetMirror(PsdPlan plan, PetscBool mirror)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->mirror = mirror;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetRanks(PsdPlan plan, PetscInt ranks, PetscInt ranks_per_node, PetscReal node_memory)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->ranks = ranks;
  plan->ranks_per_node = ranks_per_node;
  plan->node_memory = node_memory;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetNetwork(PsdPlan plan, PetscReal latency, PetscReal bandwidth)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PsdCheckInput(latency >= 0, "option -latency: found %g, expected microseconds", (double)latency);
  PsdCheckInput(bandwidth > 0, "option -node_bandwidth: found %g, expected GB/s", (double)bandwidth);
  plan->latency = latency;
  plan->bandwidth = bandwidth;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetRates(PsdPlan plan, PetscInt count, const PetscReal rates[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PsdCheckInput(count == PSD_RATES_LEAST || count == PSD_RATES_MORE || count == PSD_RATES,
                "option -rates: found %" PetscInt_FMT
                " numbers, expected %d, %d or %d: dgemm,dsyrk,dpotrf,memory[,lifting,dsyevd[,ssyrk]]",
                count, PSD_RATES_LEAST, PSD_RATES_MORE, PSD_RATES);
  for (PetscInt k = 0; k < count; k++)
    PsdCheckInput(rates[k] > 0, "option -rates: found %g at place %" PetscInt_FMT ", expected a positive number",
                  (double)rates[k], k + 1);
  PetscCall(PetscArraycpy(plan->rate, rates, count));
  plan->rate_count = count;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanSetIterations(PsdPlan plan, PetscInt iterations)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  plan->iterations = iterations;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- sizes, node and rates */

static PetscErrorCode FindSizes(PsdPlan plan)
{
  PetscFunctionBeginUser;
  const PetscInt *image = plan->image;
  const PsdSampleShape shape = {.n = (PetscReal)plan->shifts * (plan->mirror ? 2 : 1) * (PetscReal)plan->images,
                                .C = plan->outputs > 0    ? plan->outputs
                                     : plan->classes == 2 ? 1
                                                          : plan->classes,
                                .image = (PetscReal)image[0] * image[1] * image[2] * (PetscReal)plan->bits / 8,
                                .flip = plan->mirror};
  PetscCall(PsdMapsSetSizes(plan->problem->patches, image[0], image[1], image[2]));
  PetscCall(PsdProblemPlanSizes(plan->problem, &shape, plan->ranks, &plan->sizes));
  PetscFunctionReturn(0);
}

/* What is not known of another machine is asked of this one. */
static PetscErrorCode FindNode(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PetscCall(PsdNodeThis(plan->comm, &plan->node));
  plan->node.program = plan->program;
  if (plan->node_memory > 0) plan->node.memory = plan->node_memory * 1e9;
  plan->node.latency = plan->latency * 1e-6;
  plan->node.bandwidth = plan->bandwidth * 1e9;
  plan->node.ranks_per_node = plan->ranks_per_node > 0 ? PetscMin(plan->ranks_per_node, plan->ranks) : plan->ranks;
  plan->sizes.per_node = plan->node.ranks_per_node;
  PetscFunctionReturn(0);
}

static PetscErrorCode FindRates(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PetscReal activation[3];
  if (plan->rate_count > 0) {
    PsdRatesGiven(&plan->sizes, plan->rate_count, plan->rate, &plan->rates);
    PetscFunctionReturn(0);
  }
  PetscCall(PsdProblemGetActivation(plan->problem, activation));
  PetscCall(PsdRatesMeasure(plan->comm, &plan->sizes, plan->problem->patches, activation, &plan->rates));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the sum */

static void AddUp(PsdPlan plan)
{
  const PsdSizes *s = &plan->sizes;
  const PsdSolverPlan *run = &plan->run;
  PsdPlanTotals *totals = &plan->totals;
  *totals = (PsdPlanTotals){.n = s->n,
                            .f = s->f_max,
                            .D = s->D,
                            .blocks = 2 * s->pairs,
                            .ranks = s->ranks,
                            .iterations = run->iterations,
                            .solver = plan->solver->type->name,
                            .kernels = run->kernels,
                            .items = run->memory.count,
                            .node_needed = PsdNodeBytes(&plan->node, s->ranks, &run->memory),
                            .node_memory = plan->node.memory};
  for (PetscInt k = 0; k < run->kernels; k++) totals->kernel[k] = run->kernel[k];
  PsdMemoryPeak(&run->memory, &totals->peak_root, &totals->peak_others);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    totals->network[phase] = PsdNodeNetworkSeconds(&plan->node, s->ranks, &run->cost[phase]);
    totals->seconds[phase] = run->cost[phase].seconds + totals->network[phase];
    totals->bytes[phase] = run->cost[phase].given;
    totals->messages[phase] = run->cost[phase].messages;
    totals->flops[phase] = run->cost[phase].flops * (PetscReal)s->ranks;
  }
}

PetscErrorCode PsdPlanSetUp(PsdPlan plan)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PsdCheckInput(plan->images > 0 && plan->image[0] > 0,
                "plan: found neither -data nor -images N with -image CxHxW, expected one of them");
  PetscCall(FindSizes(plan));
  PetscCall(FindNode(plan));
  PetscCall(FindRates(plan));
  const PsdSolverJob job = {&plan->sizes, &plan->node, &plan->rates, plan->iterations, &plan->problem->loss};
  PetscCall(PsdSolverPlanRun(plan->solver, &job, &plan->run));
  AddUp(plan);
  plan->ready = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what it comes to */

PetscErrorCode PsdPlanGetTotals(PsdPlan plan, PsdPlanTotals *totals)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PetscCheck(plan->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdPlanSetUp was not called");
  *totals = plan->totals;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanGetMemory(PsdPlan plan, PetscInt k, const char *name[], PetscReal *root, PetscReal *others,
                                PsdPhase *first, PsdPhase *last)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PetscCheck(plan->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdPlanSetUp was not called");
  PetscCheck(k >= 0 && k < plan->run.memory.count, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "Item %" PetscInt_FMT " of %" PetscInt_FMT, k, plan->run.memory.count);
  const PsdMemoryItem *item = &plan->run.memory.item[k];
  if (name) *name = item->name;
  if (root) *root = item->root;
  if (others) *others = item->others;
  if (first) *first = item->first;
  if (last) *last = item->last;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanDestroy(PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  if (*plan) PetscCall(PsdSolverDestroy(&(*plan)->solver));
  PetscCall(PetscFree(*plan));
  PetscFunctionReturn(0);
}
