/*
   The Newton system of the barrier method (docs/mathematics.md, section 8), of the classes that go together: one class where
   the loss is a sum over scores, else all of them. Unknowns are the changes of nu and theta, and S = Z - Z' in the coordinates
   of the pencils, in which Q is diagonal:

     H dnu + Psi S                              = r1
     Q^-1 S + Q^-1 u dtheta - Psi' dnu          = r2
     u'Q^-1 S + (u'Q^-1 u - w) dtheta           = r3

   Either S is eliminated, which leaves a matrix of the order of the samples, or dnu, which leaves one of the order of S. Both
   lose digits in what they eliminate, so that the solution is refined with the residuals of all three equations.
*/
#ifndef PSD_NEWTON_SYSTEM_PRIVATE_H
#define PSD_NEWTON_SYSTEM_PRIVATE_H

#include <petscsys.h>

typedef struct _p_PsdNewtonSystem *PsdNewtonSystem;

/* What the system is made of. Borrowed. Classes one after the other; Psi: n x D row-major each. */
typedef struct {
  const PetscReal *Psi;
  const PetscReal *H;      /* classes x n, > 0; where classes belong together the entries of dnu of a sample sum to 0 */
  const PetscReal *Q;      /* classes x D, > 0 */
  const PetscReal *u[2];   /* classes x D: the columns of theta and theta', zero outside of the pair's own part */
  const PetscReal *weight; /* classes x G x 2: w, > 0 */
} PsdNewtonData;

/* at: G + 1, where the regions begin in D, and D. classes: 1, or more that belong together. */
PetscErrorCode PsdNewtonSystemCreate(PetscInt n, PetscInt classes, PetscInt G, const PetscInt at[],
                                     PsdNewtonSystem *system);
/* PsdNewtonSystemFactor - *done: false where rounding has left nothing to be factorised. */
PetscErrorCode PsdNewtonSystemFactor(PsdNewtonSystem system, const PsdNewtonData *data, PetscBool *done);
/* PsdNewtonSystemSolve - r1, dnu: classes x n; r2, S: classes x D; r3, dtheta: classes x G x 2. */
PetscErrorCode PsdNewtonSystemSolve(PsdNewtonSystem system, const PetscReal r1[], const PetscReal r2[],
                                    const PetscReal r3[], PetscReal dnu[], PetscReal S[], PetscReal dtheta[]);
PetscErrorCode PsdNewtonSystemDestroy(PsdNewtonSystem *system);

/* PsdNewtonSystemOrder - of the larger matrix that has to be factorised, for n samples and a class's D. Not collective. */
PetscReal PsdNewtonSystemOrder(PetscReal n, PetscReal D, PetscReal classes);

#endif
