/*
   The choice of the consensus kernel: the fastest that fits a node's memory.
*/
#include "plan.h"
#include <stdio.h>
#include <unistd.h>

/* Iterations that set-up and iteration are weighed against each other for. */
#define ITERATIONS 150
/* Up to this order the root alone is done in a second or less; messages and patches would cost more than they save. */
#define DISTRIBUTE_FROM 2000

PetscErrorCode PsdPlanThisNode(MPI_Comm comm, PsdPlanNode *node)
{
  PetscFunctionBeginUser;
  PetscMPIInt ranks;
  MPI_Comm neighbours;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &neighbours));
  PetscCallMPI(MPI_Comm_size(neighbours, &ranks));
  PetscCallMPI(MPI_Comm_free(&neighbours));
  node->ranks_per_node = ranks;
  node->memory = (PetscReal)sysconf(_SC_PHYS_PAGES) * (PetscReal)sysconf(_SC_PAGESIZE);
  node->base = 80e6;
  /* nodes may differ, and all ranks must choose alike */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &node->memory, 1, MPIU_REAL, MPI_MIN, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &node->ranks_per_node, 1, MPIU_INT, MPI_MAX, comm));
  PetscFunctionReturn(0);
}

PetscBool PsdPlanFits(const PsdPlanSizes *sizes, PsdPlanKind kind, const PsdPlanNode *node, PetscReal *needed)
{
  PsdPlanItem items[PSD_PLAN_ITEMS];
  PetscReal root, others;
  const PetscInt ranks = PetscMin(sizes->ranks, node->ranks_per_node);
  PsdPlanPeak(PsdPlanMemory(sizes, kind, node->base, items), items, &root, &others);
  *needed = root + (PetscReal)(ranks - 1) * others;
  return (PetscBool)(*needed <= node->memory);
}

PetscErrorCode PsdPlanChoose(const PsdPlanSizes *sizes, const PsdRates *rates, const PsdPlanNode *node,
                             PsdPlanKind *kind)
{
  PetscFunctionBeginUser;
  PetscReal best = PETSC_MAX_REAL, needed[PSD_PLAN_KINDS] = {0};
  PetscBool any = PETSC_FALSE;
  for (PsdPlanKind k = PSD_PLAN_ROOT; k < PSD_PLAN_KINDS; k++) {
    PetscReal seconds[PSD_PHASE_COUNT], flops[PSD_PHASE_COUNT], total = 0;
    if (k == PSD_PLAN_KERNEL && sizes->lifted_only) continue;
    if (!PsdPlanFits(sizes, k, node, &needed[k])) continue;
    PsdPlanTime(sizes, k, rates, ITERATIONS, seconds, flops);
    for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) total += seconds[phase];
    if (k == PSD_PLAN_SCALAPACK && (sizes->ranks == 1 || sizes->order < DISTRIBUTE_FROM) && any) continue;
    if (k == PSD_PLAN_KERNEL && sizes->order < DISTRIBUTE_FROM && any) continue;
    /* the kernel has fewer dual candidates: it has to be clearly faster */
    if (k == PSD_PLAN_KERNEL && any) total *= 1.3;
    PetscCall(PetscInfo(NULL, "consensus %s: about %g s, %g GB a node\n", PsdPlanNames[k], (double)total,
                        (double)needed[k] / 1e9));
    if (total < best) {
      best = total;
      *kind = k;
    }
    any = PETSC_TRUE;
  }
  PsdCheckInput(any,
                "D = %.0f, n = %.0f: a node has %.1f GB for %" PetscInt_FMT " ranks, but consensus root needs %.1f GB, "
                "scalapack %.1f GB, kernel %.1f GB: take more nodes, a smaller -patch or -pool, -pca or -limit",
                (double)sizes->D, (double)sizes->n, (double)node->memory / 1e9, node->ranks_per_node,
                (double)needed[PSD_PLAN_ROOT] / 1e9, (double)needed[PSD_PLAN_SCALAPACK] / 1e9,
                (double)needed[PSD_PLAN_KERNEL] / 1e9);
  PetscFunctionReturn(0);
}
