/*
   The kernels of the consensus step, as -consensus names them, and what is asked of them as a table.
*/
#include "base/base.h"
#include "consensus_impl.h"
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
  const char *names[COUNT + 2] = {"auto"}, *old_names[COUNT + 1] = {NULL};
  char text[PSD_MESSAGE_LENGTH / 2] = "where the least-squares step is done: auto, by time and memory";
  PetscInt choice = 0;
  for (size_t k = 0; k < COUNT; k++) {
    const PsdConsensusKernel *it = PsdConsensusTable[k];
    const size_t length = strlen(text);
    names[k + 1] = it->name;
    old_names[k + 1] = it->old_name;
    (void)snprintf(text + length, sizeof(text) - length, "; %s, %s", it->name, it->help);
  }
  PetscCall(PsdOptionEnumRenamed("-consensus", text, names, old_names, &choice, NULL));
  *kernel = choice > 0 ? PsdConsensusTable[choice - 1] : NULL;
  PetscFunctionReturn(0);
}

PetscBool PsdConsensusSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes)
{
  return (PetscBool)((kernel->any_loss || !sizes->split) && (kernel->branches || sizes->branches == 1));
}

PetscErrorCode PsdConsensusCheckSupports(const PsdConsensusKernel *kernel, const PsdSizes *sizes, const char loss[])
{
  PetscFunctionBeginUser;
  PsdCheckInput(kernel->any_loss || !sizes->split, "options -consensus %s and -loss %s: %s is for the squared loss",
                kernel->name, loss, kernel->name);
  PsdCheckInput(kernel->branches || sizes->branches == 1,
                "options -consensus %s and -branches: %s is for one kind of patches", kernel->name, kernel->name);
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
