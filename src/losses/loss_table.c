/*
   The losses there are, as -loss names them.
*/
#include "losses.h"
#include <string.h>

const PsdLossOps *const PsdLossTable[PSD_LOSSES] = {&PsdLossSquared, &PsdLossLogistic, &PsdLossSoftmax,
                                                    &PsdLossHinge,   &PsdLossHuber,    &PsdLossL1};

const char *const PsdLossNames[PSD_LOSSES + 1] = {"squared", "logistic", "softmax", "hinge", "huber", "l1", NULL};

const PsdLossOps *PsdLossFind(const char name[])
{
  for (int k = 0; k < PSD_LOSSES; k++)
    if (!strcmp(name, PsdLossTable[k]->name)) return PsdLossTable[k];
  return NULL;
}
