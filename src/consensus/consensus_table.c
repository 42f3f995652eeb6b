/*
   The kernels of the consensus step, as -consensus names them, and what is asked of them as a table.
*/
#include "base/base.h"
#include "consensus_impl.h"
#include "grid.h"
#include <string.h>

extern const PsdConsensusKernel PsdConsensusRoot, PsdConsensusScalapack, PsdConsensusDual;

const PsdConsensusKernel *const PsdConsensusTable[] = {&PsdConsensusRoot, &PsdConsensusScalapack, &PsdConsensusDual,
                                                       NULL};

#define COUNT (sizeof(PsdConsensusTable) / sizeof(*PsdConsensusTable) - 1)

const PsdConsensusKernel *PsdConsensusFind(const char name[])
{
  for (size_t k = 0; k < COUNT; k++)
    if (!strcmp(PsdConsensusTable[k]->name, name)) return PsdConsensusTable[k];
  return NULL;
}

PetscErrorCode PsdConsensusAsk(const PsdConsensusKernel **kernel)
{
  PetscFunctionBeginUser;
  PsdChoice choices[COUNT + 1] = {{.name = "auto", .help = "the fastest that fits the node's memory"}};
  PetscInt choice = 0;
  for (size_t k = 0; k < COUNT; k++) {
    const PsdConsensusKernel *it = PsdConsensusTable[k];
    choices[k + 1] = (PsdChoice){it->name, it->old_name, it->help};
    if (it == *kernel) choice = (PetscInt)k + 1;
  }
  PetscCall(PsdOptionChoice("-consensus", "where the least-squares step is done", COUNT + 1, choices, &choice, NULL));
  *kernel = choice > 0 ? PsdConsensusTable[choice - 1] : NULL;
  PetscFunctionReturn(0);
}

PetscBool PsdConsensusSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes)
{
  return (PetscBool)((kernel->any_loss || !sizes->split) &&
                     (kernel->branches || (sizes->branches == 1 && !sizes->vectors)) &&
                     PsdGridCountable((*kernel->grid_order)(sizes), (PetscReal)sizes->ranks));
}

PetscErrorCode PsdConsensusCheckSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes, const char loss[])
{
  PetscFunctionBeginUser;
  PsdCheckInput(kernel->any_loss || !sizes->split, "options -consensus %s and -loss %s: %s is for the squared loss",
                kernel->name, loss, kernel->name);
  PsdCheckInput(kernel->branches || sizes->branches == 1,
                "options -consensus %s and -branches: %s is for one kind of patches", kernel->name, kernel->name);
  PsdCheckInput(kernel->branches || !sizes->vectors,
                "options -consensus %s and -lift linear: %s is for quadratic neurons", kernel->name, kernel->name);
  PsdCheckInput(
      PsdGridCountable((*kernel->grid_order)(sizes), (PetscReal)sizes->ranks),
      "option -consensus %s: its matrix is of order %.0f, of which ScaLAPACK counts to 2^31 numbers on each of "
      "%" PetscInt_FMT " ranks: take more ranks",
      kernel->name, (double)(*kernel->grid_order)(sizes), sizes->ranks);
  PetscFunctionReturn(0);
}

void PsdConsensusFormNames(PsdConsensusForm form, size_t size, char text[])
{
  text[0] = '\0';
  for (size_t k = 0; k < COUNT; k++) {
    const size_t length = strlen(text);
    if (PsdConsensusTable[k]->form != form) continue;
    (void)snprintf(text + length, size - length, "%s%s", length > 0 ? " or " : "", PsdConsensusTable[k]->name);
  }
}
