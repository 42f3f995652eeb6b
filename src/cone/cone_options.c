/*
   What -cone, -cone_partial and -cone_lapack say.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "eps_block.h"
#include <string.h>

/* Words of -cone_partial, and the types of EPS they stand for; -eps_type may name any other. */
static const struct {
  const char *word;
  EPSType type;
} solvers[] = {
    {"block", PSD_EPS_BLOCK}, {"krylovschur", EPSKRYLOVSCHUR}, {"lobpcg", EPSLOBPCG}, {"gd", EPSGD}, {"jd", EPSJD}};

#define SOLVERS ((PetscInt)(sizeof(solvers) / sizeof(*solvers)))

static PetscErrorCode SetKernel(PsdCone cone)
{
  PetscFunctionBeginUser;
  PsdChoice *choices;
  PetscInt chosen = cone->choice == PSD_CONE_AUTO ? 0 : cone->choice + 1;
  PetscCall(PetscCalloc1(PsdConeKernels + 1, &choices));
  choices[0] = (PsdChoice){.name = "auto", .help = "by order and by the rank of the last projection"};
  for (PetscInt k = 0; k < PsdConeKernels; k++) {
    const PsdConeOps *ops = PsdConeTable[k];
    choices[k + 1] = (PsdChoice){ops->name, ops->old_name, ops->help};
  }
  const PetscErrorCode code =
      PsdOptionChoice("-cone", "kernel of the PSD projection", PsdConeKernels + 1, choices, &chosen, NULL);
  PetscCall(PetscFree(choices));
  PetscCall(code);
  cone->choice = chosen == 0 ? PSD_CONE_AUTO : chosen - 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode SetSolver(PsdCone cone)
{
  PetscFunctionBeginUser;
  const char *words[SOLVERS + 1] = {NULL};
  char type[PSD_MESSAGE_LENGTH];
  PetscErrorCode (*create)(EPS) = NULL;
  PetscInt which = 0;
  PetscBool set;
  for (PetscInt k = 0; k < SOLVERS; k++) {
    words[k] = solvers[k].word;
    if (cone->eps_type && !strcmp(solvers[k].type, cone->eps_type)) which = k;
  }
  PetscCall(PsdOptionEnum("-cone_partial", "eigensolver of partial decompositions; -eps_type names any of SLEPc's",
                          words, &which, NULL));
  cone->eps_type = solvers[which].type;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-eps_type", type, sizeof(type), &set));
  if (!set) PetscFunctionReturn(0);
  PetscCall(PsdEpsBlockRegister());
  PetscCall(PetscFunctionListFind(EPSList, type, &create));
  PsdCheckInput(create, "-eps_type: found '%s', expected %s or a type of EPS that SLEPc has", type, PSD_EPS_BLOCK);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetFromOptions(PsdCone cone)
{
  PetscFunctionBeginUser;
  static const char *const drivers[] = {"auto", "syevd", "syevr", NULL};
  PetscInt driver = cone->driver;
  PetscCall(SetKernel(cone));
  PetscCall(SetSolver(cone));
  PetscCall(PsdOptionEnum("-cone_lapack", "complete, LAPACK's range of positive eigenvalues, or by the last rank",
                          drivers, &driver, NULL));
  cone->driver = (PsdConeDriver)driver;
  PetscFunctionReturn(0);
}
