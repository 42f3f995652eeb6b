/*
   The options that choose a loss, made of the table: -loss, and one for each parameter there is.
*/
#include "losses.h"
#include "base/base.h"

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
  PsdChoice *choices;
  PetscInt count = 0, chosen = 0;
  while (PsdLossTable[count]) count++;
  PetscCall(PetscCalloc1(count, &choices));
  for (PetscInt k = 0; k < count; k++)
    choices[k] = (PsdChoice){.name = PsdLossTable[k]->name, .help = PsdLossTable[k]->help};
  const PetscErrorCode found = PsdOptionChoice("-loss", "loss function", count, choices, &chosen, NULL);
  PetscCall(PetscFree(choices));
  PetscCall(found);
  *loss = PsdLossMake(PsdLossTable[chosen], 0);
  for (int k = 0; PsdLossTable[k]; k++)
    if (PsdLossTable[k]->parameter) PetscCall(SetParameter(PsdLossTable[k], loss));
  PetscFunctionReturn(0);
}
