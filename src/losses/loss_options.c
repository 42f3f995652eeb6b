/*
   The options that choose a loss, made of the table: -loss, and one for each parameter there is.
*/
#include "losses.h"
#include <psdsys.h>

/* What each name stands for, below the line that -help has of the option. */
static PetscErrorCode PrintFormulas(void)
{
  PetscFunctionBeginUser;
  for (int k = 0; PsdLossTable[k] && PsdOptionsGetHelp(); k++)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-34s  %-8s  %s\n", "", PsdLossTable[k]->name, PsdLossTable[k]->help));
  PetscFunctionReturn(0);
}

/* The parameter of `ops`: kept when that is the loss which was chosen, and an error when it is given with another. */
static PetscErrorCode SetParameter(const PsdLossOps *ops, PsdLoss *chosen)
{
  PetscFunctionBeginUser;
  char option[64];
  PsdLoss own = PsdLossMake(ops, 0);
  PetscBool given;
  PetscCall(PetscSNPrintf(option, sizeof(option), "-%s", ops->parameter->name));
  PetscCall(PsdOptionReal(option, ops->parameter->text, PSD_POSITIVE, &own.parameter, &given));
  PsdCheckInput(!given || chosen->ops == ops, "option %s: found with -loss %s, expected %s", option, chosen->ops->name,
                ops->name);
  if (chosen->ops == ops) *chosen = own;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLossSetFromOptions(PsdLoss *loss)
{
  PetscFunctionBeginUser;
  const char **names; /* ended by NULL */
  PetscInt count = 0, chosen = 0;
  while (PsdLossTable[count]) count++;
  PetscCall(PetscCalloc1(count + 1, &names));
  for (PetscInt k = 0; k < count; k++) names[k] = PsdLossTable[k]->name;
  const PetscErrorCode found = PsdOptionEnum("-loss", "loss function", names, &chosen, NULL);
  PetscCall(PetscFree(names));
  PetscCall(found);
  PetscCall(PrintFormulas());
  *loss = PsdLossMake(PsdLossTable[chosen], 0);
  for (int k = 0; PsdLossTable[k]; k++)
    if (PsdLossTable[k]->parameter) PetscCall(SetParameter(PsdLossTable[k], loss));
  PetscFunctionReturn(0);
}
