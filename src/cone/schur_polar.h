/*
   An upper bound of [u;1]' s M [u;1] over the unit sphere, s = +1 and -1, from M1 B alone, B a basis of a subspace of R^f, and
   a bound of s M1 on its complement (docs/mathematics.md, section 3, "Polar by Schur complement").
*/
#ifndef PSD_SCHUR_POLAR_PRIVATE_H
#define PSD_SCHUR_POLAR_PRIVATE_H

#include "polar_proof.h"

typedef struct _p_PsdSchurPolar *PsdSchurPolar;

/*
   What is known of a block M = [M1 M2; M2' M4] with f of M1. Coupling of the subspace to its complement is known in part: with
   T = (I - BB')M1 B, and a vector of k coordinates v = [v_1; v_2] of which v_1 are the first L,

     T v = T [v_1; N N'v_2] + T [0; (I - N N')v_2],     || T [0; v_2] ||^2 <= v_2' `beyond` v_2,

   so that M1 need only be multiplied with the L + mixed vectors B P, P = [I 0; 0 N].
*/
typedef struct {
  PetscInt f, k;      /* k <= f */
  PetscInt leading;   /* L <= k */
  PetscInt mixed;     /* columns of N */
  const PetscReal *B; /* f x k by columns, orthonormal up to rounding; NULL: the identity, and k = L = f */
  const PetscReal *N; /* (k-L) x mixed by columns, of any lengths and angles; NULL: the identity */
  PetscReal *W;       /* f x (L + mixed + 1) by columns: M1 B P and M2 */
  PetscReal
      *inner; /* k x (k+1) by columns: B'M1 B, its upper triangle, and B'M2; NULL: made of W, where P is the identity */
  PetscReal *beyond; /* (k-L) x (k-L), the upper triangle; NULL: where N is */
  PetscReal M4;
  PetscReal error;       /* a bound of the Frobenius norm of the error of W, and of the error of M4 */
  PetscReal inner_error; /* of that of `inner` */
  PetscReal far[2];      /* >= w' s M1 w for every unit w with B'w = 0, s = +1, -1; at least 0 */
} PsdSchurBlock;

/* One of the two signs. */
typedef struct {
  PsdPolarSide
      side; /* given: theta, a guess, 0: none. Found: [u;1]' s M [u;1] <= theta + phi for every unit u; infinite
                         where nothing is proved */
  PetscReal computed; /* theta + phi as it was found, before anything was counted for errors */
  PetscReal *u;       /* NULL: not wanted; f: a unit vector at which the form is nearly as large as it can be */
} PsdSchurSide;

/* PsdSchurPolarCreate - of a block, whose arrays are borrowed; W, inner and beyond are overwritten. Not collective. Cost:
   2 f (k^2 + k (L + mixed) + (L + mixed)^2) flops. */
PetscErrorCode PsdSchurPolarCreate(const PsdSchurBlock *block, PsdSchurPolar *polar);
/* PsdSchurPolarBound - of the sign s = 1 or -1; does no more than it takes for the bound to be below `level`. Not collective.
   Cost: k^3/3 flops a multiplier that is tried. */
PetscErrorCode PsdSchurPolarBound(PsdSchurPolar polar, PetscReal s, PetscReal level, PsdSchurSide *side);
PetscErrorCode PsdSchurPolarDestroy(PsdSchurPolar *polar);

#endif
