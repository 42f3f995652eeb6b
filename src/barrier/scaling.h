/*
   The scaling of Nesterov and Todd of a pair's two blocks (docs/mathematics.md, section 8). For each sign s there is one W, positive
   definite, with W Z W = X. Both are diagonalised together:

     V'W V = I,  V'W'V = diag(b),        X^-1 = V E diag(1/lambda) E'V',   Z = V E diag(lambda) E'V'

   with E and lambda of each sign. For a change dX, with R = E'(V'dX V) E, X + step dX is similar to diag(lambda) + step R; and so
   is Z + step dZ, dZ = V E R E'V'.
*/
#ifndef PSD_SCALING_PRIVATE_H
#define PSD_SCALING_PRIVATE_H

#include <petscsys.h>

typedef struct _p_PsdScaler *PsdScaler;

/* Of one pair, matrices d x d by columns. */
typedef struct {
  PetscReal *V, *b;
  PetscReal *E[2], *lambda[2];
} PsdScaling;

/* PsdScalerCreate - for blocks up to this order. Not collective. */
PetscErrorCode PsdScalerCreate(PetscInt most, PsdScaler *scaler);
/* PsdScalerFind - X, Z: both triangles; X is overwritten. *done: false where rounding has made one of them indefinite. */
PetscErrorCode PsdScalerFind(PsdScaler scaler, PetscInt d, PetscReal *const X[2], const PetscReal *const Z[2],
                             PsdScaling *scaling, PetscBool *done);
PetscErrorCode PsdScalerDestroy(PsdScaler *scaler);

#endif
