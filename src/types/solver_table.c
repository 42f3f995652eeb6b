/*
   The types of solver there are, from the one that can do all to those for special sizes. A new one is a folder of its
   own and a line here.
*/
#include "solver_table.h"
#include "base/base.h"
#include <string.h>

extern const PsdSolverType PsdSolverAdmm, PsdSolverBarrier, PsdSolverLowrank;

const PsdSolverType *const PsdSolverTable[] = {&PsdSolverAdmm, &PsdSolverBarrier, &PsdSolverLowrank, NULL};

#define COUNT (sizeof(PsdSolverTable) / sizeof(*PsdSolverTable) - 1)

_Static_assert(COUNT <= PSD_MOST_TYPES, "A handle has room for one candidate of each type");

const PsdSolverType *PsdSolverTypeFind(const char name[])
{
  for (size_t k = 0; k < COUNT; k++)
    if (!strcmp(PsdSolverTable[k]->name, name)) return PsdSolverTable[k];
  return NULL;
}

void PsdSolverTypeNames(size_t size, char text[])
{
  text[0] = '\0';
  for (size_t k = 0; k < COUNT; k++) {
    const size_t length = strlen(text);
    (void)snprintf(text + length, size - length, "%s%s", k > 0 ? " or " : "", PsdSolverTable[k]->name);
  }
}

PetscErrorCode PsdSolverTypeAsk(const PsdSolverType **type)
{
  PetscFunctionBeginUser;
  PsdChoice choices[COUNT + 1] = {{.name = "auto", .help = "by sizes, loss and the other options"}};
  PetscInt choice = 0;
  for (size_t k = 0; k < COUNT; k++) {
    choices[k + 1] = (PsdChoice){.name = PsdSolverTable[k]->name, .help = PsdSolverTable[k]->help};
    if (PsdSolverTable[k] == *type) choice = (PetscInt)k + 1;
  }
  PetscCall(PsdOptionChoice("-solver", "what trains", COUNT + 1, choices, &choice, NULL));
  *type = choice > 0 ? PsdSolverTable[choice - 1] : NULL;
  PetscFunctionReturn(0);
}
