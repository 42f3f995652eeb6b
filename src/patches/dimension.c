/*
   Numbers in a patch of the program, which are known before the transform that makes them.
*/
#include "patches_impl.h"

PetscInt PsdPatchesFinalDimension(PsdPatches patches)
{
  PetscInt f = patches->pca > 0 ? patches->pca : patches->f;
  for (PetscInt k = 0; k < patches->branches; k++) f = PetscMax(f, PsdPatchesFinalDimension(patches->branch[k]));
  return f;
}
