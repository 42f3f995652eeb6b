/*
   Projection of symmetric blocks onto the positive semidefinite cone (docs/mathematics.md, section 2, "PSD step").

   Blocks are independent: a rank projects those it owns, one after the other, with the kernel that was chosen.
*/
#include "cone.h"
#include "base/base.h"

static const PsdConeOps *const kernels[] = {&PsdConeLapack};

PetscErrorCode PsdConeCreate(PsdCone *cone)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(cone));
  (*cone)->ops = kernels[0];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetFromOptions(PsdCone cone)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"auto", "lapack", NULL};
  PetscInt choice = 0;
  PetscCall(PsdOptionEnum("-cone", "kernel of the PSD projection", names, &choice, NULL));
  cone->ops = kernels[PetscMax(choice - 1, 0)];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks)
{
  PetscFunctionBeginUser;
  cone->blocks = blocks;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(PetscCalloc1(blocks->local, &cone->rank[s]));
    PetscCall(PetscMalloc1((size_t)blocks->local * blocks->d * blocks->d, &cone->factor[s]));
  }
  PetscCall((*cone->ops->setup)(cone));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeProject(PsdCone cone, Vec X[2], Vec Z[2])
{
  PetscFunctionBeginUser;
  PetscCall(PsdEventBegin(PSD_EVENT_PROJECT));
  const size_t m = cone->blocks->m, square = (size_t)cone->blocks->d * cone->blocks->d;
  for (PetscInt s = 0; s < 2; s++) {
    const PetscReal *x;
    PetscReal *z;
    PetscCall(VecGetArrayRead(X[s], &x));
    PetscCall(VecGetArray(Z[s], &z));
    for (PetscInt k = 0; k < cone->blocks->local; k++)
      PetscCall((*cone->ops->project)(cone, x + k * m, z + k * m, &cone->rank[s][k], cone->factor[s] + k * square));
    PetscCall(VecRestoreArray(Z[s], &z));
    PetscCall(VecRestoreArrayRead(X[s], &x));
  }
  PetscCall(PsdEventEnd(PSD_EVENT_PROJECT));
  PetscFunctionReturn(0);
}

void PsdConeGetFactor(PsdCone cone, PetscInt s, PetscInt k, PetscInt *rank, const PetscReal *F[])
{
  *rank = cone->rank[s][k];
  *F = cone->factor[s] + (size_t)k * cone->blocks->d * cone->blocks->d;
}

PetscErrorCode PsdConeDestroy(PsdCone *cone)
{
  PetscFunctionBeginUser;
  if (!*cone) PetscFunctionReturn(0);
  if ((*cone)->kernel) PetscCall((*(*cone)->ops->destroy)(*cone));
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(PetscFree((*cone)->rank[s]));
    PetscCall(PetscFree((*cone)->factor[s]));
  }
  PetscCall(PetscFree(*cone));
  PetscFunctionReturn(0);
}
