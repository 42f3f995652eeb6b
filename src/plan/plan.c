/*
   A plan: the costs of a run added up, and printed.
*/
#include "plan.h"
#include "admm/choose_consensus.h"
#include "admm/solver_costs.h"
#include "base/base.h"
#include "cone/cone.h"

PetscErrorCode PsdPlanMake(const PsdSizes *sizes, const char loss[], const PsdConsensusKernel *kernel,
                           const PsdRates *rates, const PsdNode *node, PetscInt iterations, PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PsdCost cost[PSD_PHASE_COUNT];
  if (kernel) PetscCall(PsdConsensusCheckSupports(kernel, sizes, loss));
  else PetscCall(PsdConsensusChoose(sizes, node, PSD_FORM_ANY, &kernel));
  *plan = (PsdPlan){.sizes = *sizes, .kernel = kernel, .rates = *rates, .node = *node, .iterations = iterations};
  PsdAdmmMemory(sizes, kernel, node->program, &plan->memory);
  PsdMemoryPeak(&plan->memory, &plan->root, &plan->others);
  plan->needed = PsdNodeBytes(node, sizes->ranks, &plan->memory);
  PsdAdmmCosts(sizes, kernel, rates, iterations, cost);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    plan->seconds[phase] = cost[phase].seconds;
    plan->flops[phase] = cost[phase].flops * (PetscReal)sizes->ranks;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintProblem(MPI_Comm comm, const PsdPlan *plan)
{
  PetscFunctionBeginUser;
  const PsdSizes *s = &plan->sizes;
  PetscCall(PetscPrintf(comm,
                        "problem  %.0f samples, %.0f patches each; f %.0f, D %.0f (A'A of order %.0f), %" PetscInt_FMT
                        " blocks of order %.0f; ranks %" PetscInt_FMT "\n",
                        (double)s->n, (double)s->positions, (double)s->f, (double)s->D, (double)s->order, 2 * s->pairs,
                        (double)s->d, s->ranks));
  PetscCall(PetscPrintf(comm, "consensus %s, cone %s, %" PetscInt_FMT " iterations\n", plan->kernel->name,
                        PsdConeDescribe(s), plan->iterations));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintRates(MPI_Comm comm, const PsdPlan *plan)
{
  PetscFunctionBeginUser;
  const PsdRates *rates = &plan->rates;
  const PetscReal d = plan->sizes.d;
  PetscCall(
      PetscPrintf(comm,
                  "rates    a rank: dgemm %.1f, dsyrk %.1f, dpotrf %.1f GFLOP/s; memory %.1f GB/s; lifting %.3g ms "
                  "an image; dsyevd %.3g ms a block\n",
                  (double)rates->gemm / 1e9, (double)rates->syrk / 1e9, (double)rates->potrf / 1e9,
                  (double)rates->bandwidth / 1e9, 1e3 * (double)rates->lift, 1e3 * (double)(rates->eigen * d * d * d)));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintMemory(MPI_Comm comm, const PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PetscCall(PetscPrintf(comm, "\nmemory a rank, MB              rank 0     others   there from .. to\n"));
  for (PetscInt k = 0; k < plan->memory.count; k++) {
    const PsdMemoryItem *item = &plan->memory.item[k];
    PetscCall(PetscPrintf(comm, "  %-26s %9.0f  %9.0f   %s .. %s\n", item->name, (double)item->root / 1e6,
                          (double)item->others / 1e6, PsdPhaseName(item->first), PsdPhaseName(item->last)));
  }
  PetscCall(PetscPrintf(comm, "  %-26s %9.0f  %9.0f\n", "peak", (double)plan->root / 1e6, (double)plan->others / 1e6));
  PetscCall(PetscPrintf(comm, "a node   %.1f GB of %.1f GB, %" PetscInt_FMT " ranks on it\n",
                        (double)plan->needed / 1e9, (double)plan->node.memory / 1e9, plan->node.ranks_per_node));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintTime(MPI_Comm comm, const PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PetscReal seconds = 0, flops = 0;
  PetscCall(PetscPrintf(comm, "\nphase       seconds     Gflop\n"));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscCall(PetscPrintf(comm, "  %-8s %9.2f %9.0f\n", PsdPhaseName((PsdPhase)phase), (double)plan->seconds[phase],
                          (double)plan->flops[phase] / 1e9));
    seconds += plan->seconds[phase];
    flops += plan->flops[phase];
  }
  PetscCall(PetscPrintf(comm, "  %-8s %9.2f %9.0f\n", "total", (double)seconds, (double)flops / 1e9));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanPrint(MPI_Comm comm, const PsdPlan *plan)
{
  PetscFunctionBeginUser;
  PetscCall(PrintProblem(comm, plan));
  PetscCall(PrintRates(comm, plan));
  PetscCall(PrintMemory(comm, plan));
  PetscCall(PrintTime(comm, plan));
  PetscFunctionReturn(0);
}
