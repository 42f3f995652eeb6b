/*
   The losses there are, in the order of -help. A new one is a file of its own and a line here.
*/
#include "losses.h"
#include <string.h>

/* clang-format off */
#define LOSSES(Do) \
  Do(PsdLossSquared) \
  Do(PsdLossLogistic) \
  Do(PsdLossSoftmax) \
  Do(PsdLossHinge) \
  Do(PsdLossHuber) \
  Do(PsdLossL1)
/* clang-format on */

#define DECLARE(loss) extern const PsdLossOps loss;
LOSSES(DECLARE)

#define ADDRESS(loss) &(loss),
const PsdLossOps *const PsdLossTable[] = {LOSSES(ADDRESS) NULL};

const PsdLossOps *PsdLossFind(const char name[])
{
  for (int k = 0; PsdLossTable[k]; k++)
    if (!strcmp(name, PsdLossTable[k]->name)) return PsdLossTable[k];
  return NULL;
}

PsdLoss PsdLossMake(const PsdLossOps *ops, PetscReal parameter)
{
  if (!ops->parameter) return (PsdLoss){ops, 0};
  return (PsdLoss){ops, parameter > 0 ? parameter : ops->parameter->initial};
}
