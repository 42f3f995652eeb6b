/*
   Principal components of the patches of each branch, from a sample of the images (docs/mathematics.md, "The low-rank
   solver"): the coordinates of the coarse levels, and those that the preconditioner is diagonal in. A filter in a subspace
   is a filter, so that nothing depends on how exact they are.
*/
#ifndef PSD_COMPONENTS_PRIVATE_H
#define PSD_COMPONENTS_PRIVATE_H

#include "problem/patch_matrix.h"

/* Of one branch: K orthonormal columns of f numbers, the strongest first, the same on every rank. */
typedef struct {
  PetscInt f, K;
  PetscReal *E;
} PsdComponents;

/* The components of all branches, and which one a region belongs to. */
typedef struct {
  PetscInt G, branches;
  PetscInt *branch; /* G */
  PsdComponents *of;
} PsdComponentList;

/* PsdComponentsCreate - the leading K components of each branch; all of them where f is at most `complete`, as a coarser level
   would save nothing there, or K. Collective. */
PetscErrorCode PsdComponentsCreate(MPI_Comm comm, PsdData data, PsdPatches patches, PsdPatchMatrix matrix, PetscInt K,
                                   PetscInt complete, PsdComponentList *components);
PetscErrorCode PsdComponentsDestroy(PsdComponentList *components);

#endif
