/*
   The choice of the consensus kernel. It is made here because it weighs a whole run, set-up against iterations, and how
   often a kernel is asked for what is known to the solver alone.
*/
#include "choose_consensus.h"
#include "base/base.h"
#include "solver_costs.h"
#include "problem/sizes.h"
#include <string.h>

/* Iterations that set-up is weighed against. */
#define ITERATIONS 150

PetscBool PsdConsensusFits(const PsdSizes *sizes, const PsdConsensusKernel *kernel, const PsdNode *node,
                           PetscReal *needed)
{
  PsdMemory memory;
  PsdAdmmMemory(sizes, kernel, node->program, &memory);
  *needed = PsdNodeBytes(node, sizes->ranks, &memory);
  return (PetscBool)(*needed <= node->memory);
}

static PetscReal NominalSeconds(const PsdSizes *sizes, const PsdConsensusKernel *kernel)
{
  const PsdRates rates = PsdRatesNominal(sizes);
  PsdCost cost[PSD_PHASE_COUNT];
  PetscReal total = 0;
  PsdAdmmCosts(sizes, kernel, &rates, ITERATIONS, cost);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) total += cost[phase].seconds;
  return total;
}

/* Whether it is worth trying where another one fits. */
static PetscBool IsWorthwhile(const PsdConsensusKernel *kernel, const PsdSizes *sizes)
{
  return (PetscBool)(sizes->ranks >= kernel->least_ranks && sizes->order >= kernel->least_order);
}

PetscErrorCode PsdConsensusChoose(const PsdSizes *sizes, const PsdNode *node, PsdConsensusForm form,
                                  const PsdConsensusKernel **kernel)
{
  PetscFunctionBeginUser;
  char demands[PSD_MESSAGE_LENGTH / 2] = "";
  PetscReal best = PETSC_MAX_REAL, needed;
  *kernel = NULL;
  for (PetscInt k = 0; PsdConsensusTable[k]; k++) {
    const PsdConsensusKernel *it = PsdConsensusTable[k];
    const size_t length = strlen(demands);
    if ((form != PSD_FORM_ANY && it->form != form) || !PsdConsensusSupports(it, sizes)) continue;
    const PetscBool fits = PsdConsensusFits(sizes, it, node, &needed);
    (void)snprintf(demands + length, sizeof(demands) - length, length > 0 ? ", %s %.1f GB" : "%s needs %.1f GB",
                   it->name, (double)needed / 1e9);
    if (!fits || (*kernel && !IsWorthwhile(it, sizes))) continue;
    const PetscReal seconds = NominalSeconds(sizes, it) * (*kernel ? it->advantage : 1);
    PetscCall(
        PetscInfo(NULL, "consensus %s: about %g s, %g GB a node\n", it->name, (double)seconds, (double)needed / 1e9));
    if (seconds >= best) continue;
    best = seconds;
    *kernel = it;
  }
  PsdCheckInput(demands[0], "no consensus of the form that the checkpoint needs is for this loss and these patches");
  PsdCheckInput(*kernel,
                "D = %.0f, n = %.0f: a node has %.1f GB for %" PetscInt_FMT
                " ranks, but consensus %s: take more nodes, a smaller -patch or -pool, -pca or -limit",
                (double)sizes->D, (double)sizes->n, (double)node->memory / 1e9, node->ranks_per_node, demands);
  PetscFunctionReturn(0);
}

/* A kernel that was asked for. */
static PetscErrorCode CheckGiven(const PsdConsensusKernel *kernel, const PsdSizes *sizes, const PsdNode *node,
                                 const char loss[])
{
  PetscFunctionBeginUser;
  PetscReal needed;
  PetscCall(PsdConsensusCheckSupports(kernel, sizes, loss));
  PsdCheckInput(
      PsdConsensusFits(sizes, kernel, node, &needed),
      "D = %.0f, n = %.0f: consensus %s needs %.1f GB, and a node has %.1f GB: take -consensus auto, a smaller "
      "-patch or -pool, -pca or -limit",
      (double)sizes->D, (double)sizes->n, kernel->name, (double)needed / 1e9, (double)node->memory / 1e9);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusSettle(PsdConsensus consensus, PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdConsensusKernel *kernel = PsdConsensusGetKernel(consensus);
  PsdSizes sizes;
  PsdNode node;
  PetscCall(PsdProblemFindSizes(problem, &sizes));
  PetscCall(PsdNodeThis(problem->comm, &node));
  sizes.per_node = node.ranks_per_node;
  if (kernel) PetscCall(CheckGiven(kernel, &sizes, &node, problem->loss.ops->name));
  else PetscCall(PsdConsensusChoose(&sizes, &node, PsdConsensusGetRequired(consensus), &kernel));
  PetscCheck(kernel, problem->comm, PETSC_ERR_PLIB, "no consensus kernel was chosen, and no error said so");
  PsdConsensusSetKernel(consensus, kernel);
  PetscCall(PetscInfo(NULL, "consensus: %s for D = %.0f on %" PetscInt_FMT " ranks\n", kernel->name, (double)sizes.D,
                      sizes.ranks));
  PetscFunctionReturn(0);
}
