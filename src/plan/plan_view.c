/*
   A plan, printed: sizes, rates, memory by item, time by phase.
*/
#include "plan_impl.h"

static PetscErrorCode ViewProblem(PsdPlan plan, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  const PsdSizes *s = &plan->sizes;
  const char *up_to = s->m_max * (PetscReal)s->G > s->D ? "up to " : "";
  PetscCall(PetscViewerASCIIPrintf(
      viewer,
      "problem  %.0f samples, %.0f patches each; f %.0f, D %.0f (A'A of order %.0f), %" PetscInt_FMT
      " blocks of order %s%.0f; ranks %" PetscInt_FMT "\n",
      (double)s->n, (double)s->positions, (double)s->f_max, (double)s->D, (double)s->order, 2 * s->pairs, up_to,
      (double)s->d_max, s->ranks));
  PetscCall(PetscViewerASCIIPrintf(viewer, "solver %s, ", plan->totals.solver));
  for (PetscInt k = 0; k < plan->totals.kernels; k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s %s, ", plan->totals.kernel[k].part, plan->totals.kernel[k].kernel));
  PetscCall(PetscViewerASCIIPrintf(viewer, "%" PetscInt_FMT " iterations\n", plan->totals.iterations));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewRates(PsdPlan plan, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  const PsdRates *rates = &plan->rates;
  const PetscReal d = plan->sizes.d_max;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "rates    a rank: dgemm %.1f, dsyrk %.1f, dpotrf %.1f GFLOP/s; memory %.1f GB/s; "
                                   "lifting %.3g ms an image; dsyevd "
                                   "%.3g ms a block; ssyrk %.1f GFLOP/s\n",
                                   (double)rates->gemm / 1e9, (double)rates->syrk / 1e9, (double)rates->potrf / 1e9,
                                   (double)rates->bandwidth / 1e9, 1e3 * (double)rates->lift,
                                   1e3 * (double)(rates->eigen * d * d * d), (double)rates->single / 1e9));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewMemory(PsdPlan plan, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  const PsdPlanTotals *totals = &plan->totals;
  PetscCall(PetscViewerASCIIPrintf(viewer, "\nmemory a rank, MB              rank 0     others   there from .. to\n"));
  for (PetscInt k = 0; k < plan->run.memory.count; k++) {
    const PsdMemoryItem *item = &plan->run.memory.item[k];
    PetscCall(PetscViewerASCIIPrintf(viewer, "  %-26s %9.0f  %9.0f   %s .. %s\n", item->name, (double)item->root / 1e6,
                                     (double)item->others / 1e6, PsdPhaseName(item->first), PsdPhaseName(item->last)));
  }
  PetscCall(PetscViewerASCIIPrintf(viewer, "  %-26s %9.0f  %9.0f\n", "peak", (double)totals->peak_root / 1e6,
                                   (double)totals->peak_others / 1e6));
  PetscCall(PetscViewerASCIIPrintf(viewer, "a node   %.1f GB of %.1f GB, %" PetscInt_FMT " ranks on it\n",
                                   (double)totals->node_needed / 1e9, (double)totals->node_memory / 1e9,
                                   plan->node.ranks_per_node));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewTime(PsdPlan plan, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  const PsdPlanTotals *totals = &plan->totals;
  PetscReal seconds = 0, network = 0, flops = 0, bytes = 0, messages = 0;
  PetscCall(PetscViewerASCIIPrintf(viewer, "\nphase       seconds   network     Gflop   MB sent  messages\n"));
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscCall(PetscViewerASCIIPrintf(viewer, "  %-8s %9.2f %9.2f %9.0f %9.1f %9.0f\n", PsdPhaseName((PsdPhase)phase),
                                     (double)totals->seconds[phase], (double)totals->network[phase],
                                     (double)totals->flops[phase] / 1e9, (double)totals->bytes[phase] / 1e6,
                                     (double)totals->messages[phase]));
    seconds += totals->seconds[phase];
    network += totals->network[phase];
    flops += totals->flops[phase];
    bytes += totals->bytes[phase];
    messages += totals->messages[phase];
  }
  PetscCall(PetscViewerASCIIPrintf(viewer, "  %-8s %9.2f %9.2f %9.0f %9.1f %9.0f\n", "total", (double)seconds,
                                   (double)network, (double)flops / 1e9, (double)bytes / 1e6, (double)messages));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPlanView(PsdPlan plan, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(plan);
  PetscCheck(plan->ready, PETSC_COMM_SELF, PETSC_ERR_ORDER, "PsdPlanSetUp was not called");
  PetscCall(ViewProblem(plan, viewer));
  PetscCall(ViewRates(plan, viewer));
  PetscCall(ViewMemory(plan, viewer));
  PetscCall(ViewTime(plan, viewer));
  PetscFunctionReturn(0);
}
