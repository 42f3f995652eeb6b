/*
   The kernels of the projection, as -cone names them.
*/
#include "cone_impl.h"
#include <string.h>

extern const PsdConeOps PsdConeLapack, PsdConePartial, PsdConeScalapack;

const PsdConeOps *const PsdConeTable[] = {&PsdConeLapack, &PsdConePartial, &PsdConeScalapack};
const PetscInt PsdConeKernels = sizeof(PsdConeTable) / sizeof(*PsdConeTable);

PetscInt PsdConeFind(const char name[])
{
  for (PetscInt k = 0; k < PsdConeKernels; k++)
    if (!strcmp(name, PsdConeTable[k]->name)) return k;
  return PSD_CONE_AUTO;
}

PetscInt PsdConeFirst(PetscBool complete, PetscBool uses_team)
{
  for (PetscInt k = 0; k < PsdConeKernels; k++)
    if (PsdConeTable[k]->complete == complete && PsdConeTable[k]->uses_team == uses_team) return k;
  return PSD_CONE_AUTO;
}
