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

/* A word of an older version becomes today's in the database. */
static PetscErrorCode TakeOldName(const char old_name[], const char name[])
{
  PetscFunctionBeginUser;
  char given[PSD_MESSAGE_LENGTH];
  PetscBool set;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-cone", given, sizeof(given), &set));
  if (set && !strcmp(given, old_name)) PetscCall(PetscOptionsSetValue(NULL, "-cone", name));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetKernel(PsdCone cone)
{
  PetscFunctionBeginUser;
  char text[PSD_MESSAGE_LENGTH / 2] = "kernel of the PSD projection:";
  PetscInt choice = 0;
  const char **names;
  PetscCall(PetscCalloc1(PsdConeKernels + 2, &names));
  names[0] = "auto";
  for (PetscInt k = 0; k < PsdConeKernels; k++) {
    const PsdConeOps *ops = PsdConeTable[k];
    const size_t length = strlen(text);
    names[k + 1] = ops->name;
    snprintf(text + length, sizeof(text) - length, " %s, %s%s", ops->name, ops->help,
             k + 1 < PsdConeKernels ? ";" : "");
    if (ops->old_name) PetscCall(TakeOldName(ops->old_name, ops->name));
  }
  const PetscErrorCode code = PsdOptionEnum("-cone", text, names, &choice, NULL);
  PetscCall(PetscFree(names));
  if (code) PetscFunctionReturn(code);
  cone->choice = choice == 0 ? PSD_CONE_AUTO : choice - 1;
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
  for (PetscInt k = 0; k < SOLVERS; k++) words[k] = solvers[k].word;
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
