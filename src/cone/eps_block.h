/*
   "psdblock": an EPS type of SLEPc for all positive eigenvalues of a symmetric matrix; eps_block.c has the method.

   It finds the eigenpairs of all positive eigenvalues, which must not be more than nev, and a few guards below zero. The tolerance is for
   the errors of all of them together, sqrt(2) ||A U - U Theta||_F. EPSGetConverged counts the guards, whose pairs are as good as
   they happen to be; of the first one it is certain that no positive eigenvalue belongs to it. Standard symmetric problems
   and largest real eigenvalues only; on any number of ranks, whose random vectors have to differ (BVGetRandomContext); start vectors by
   EPSSetInitialSpace.
*/
#ifndef PSD_EPS_BLOCK_H
#define PSD_EPS_BLOCK_H

#include <slepceps.h>

#define PSD_EPS_BLOCK "psdblock"

/* Vectors that are kept beyond the wanted ones. */
#define PSD_EPS_BLOCK_GUARDS 3

/* PsdEpsBlockRegister - makes the type known to SLEPc; again and again, if need be. */
PetscErrorCode PsdEpsBlockRegister(void);

/* PsdEpsBlockSetStart - start vectors of the next solve, this rank's rows x count by columns, copied: as EPSSetInitialSpace without its
   orthogonalisation. After EPSSetUp; those beyond nev + guards are left out. Not collective. */
PetscErrorCode PsdEpsBlockSetStart(EPS eps, PetscInt count, const PetscReal start[]);

/* Products of a matrix with several vectors at once, AV = A V, V and AV this rank's rows x count by columns. A matrix that has this composed under the
   name PSD_BLOCK_PRODUCT is multiplied by it; any other vector by vector. */
typedef PetscErrorCode (*PsdBlockProduct)(Mat A, PetscInt count, const PetscReal V[], PetscReal AV[]);
#define PSD_BLOCK_PRODUCT "PsdBlockProduct_C"

#endif
