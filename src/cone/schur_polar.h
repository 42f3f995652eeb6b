/*
   An upper bound of [u;1]' s M [u;1] over the unit sphere, s = +1 and -1, from M1 B alone, B a basis of a subspace of R^f, and
   a bound of s M1 on its complement (docs/mathematics.md, section 3, "Polar by Schur complement").
*/
#ifndef PSD_SCHUR_POLAR_PRIVATE_H
#define PSD_SCHUR_POLAR_PRIVATE_H

#include "polar_proof.h"

typedef struct _p_PsdSchurPolar *PsdSchurPolar;

/* What is known of a block M = [M1 M2; M2' M4] with f of M1. */
typedef struct {
  PetscInt f, k;      /* k <= f */
  const PetscReal *B; /* f x k by columns, orthonormal up to rounding; NULL: the identity, and k = f */
  PetscReal *W;       /* f x (k+1) by columns: M1 B and M2 */
  PetscReal M4;
  PetscReal error;  /* a bound of the Frobenius norm of the error of W, and of the error of M4 */
  PetscReal far[2]; /* >= w' s M1 w for every unit w with B'w = 0, s = +1, -1; at least 0 */
} PsdSchurBlock;

/* One of the two signs. */
typedef struct {
  PsdPolarSide
      side; /* given: theta, a guess, 0: none. Found: [u;1]' s M [u;1] <= theta + phi for every unit u; infinite
                         where nothing is proved */
  PetscReal computed; /* theta + phi as it was found, before anything was counted for errors */
  PetscReal *u;       /* NULL: not wanted; f: a unit vector at which the form is nearly as large as it can be */
} PsdSchurSide;

/* PsdSchurPolarCreate - of a block, whose B and W are borrowed; W is overwritten. Not collective. Cost: 8 f k^2 flops. */
PetscErrorCode PsdSchurPolarCreate(const PsdSchurBlock *block, PsdSchurPolar *polar);
/* PsdSchurPolarBound - of the sign s = 1 or -1; does no more than it takes for the bound to be below `level`. Not collective.
   Cost: k^3/3 flops a multiplier that is tried. */
PetscErrorCode PsdSchurPolarBound(PsdSchurPolar polar, PetscReal s, PetscReal level, PsdSchurSide *side);
PetscErrorCode PsdSchurPolarDestroy(PsdSchurPolar *polar);

#endif
