/*
   The witness of a bound (docs/mathematics.md, section 3, "From a certificate file"): a dual point nu, a scale s, and for
   each block a multiplier theta with which

     [ theta I - s M1   -s M2 ;  -s M2'   beta - theta - s M4 ]  is positive semidefinite,   M = smat(A'nu)_gt and -M,

   so that [u;1]' s M [u;1] <= beta for every unit u; for a block that is a vector, M = (M2, M4), ||s M2|| <= theta and
   s M4 <= beta - theta, so that s M.(u, 1) <= beta. Nobody has to trust who found nu. It is kept beside a certificate
   and written to a file (witness_file.c); whoever reads it proves the bound again from the samples (witness_check.c).
*/
#ifndef PSD_WITNESS_PRIVATE_H
#define PSD_WITNESS_PRIVATE_H

#include <psdcertificate.h>
#include "base/archive.h"
#include "problem/dual_point.h"

struct _p_PsdWitness {
  MPI_Comm comm;
  PetscInt n_local, local;  /* samples and pairs here */
  PetscReal s, beta, bound; /* beta, bound, nu and theta in the problem's units, in files in the user's */
  PsdUnits units;           /* the problem's */
  PetscReal *nu;            /* n_local x C row-major */
  PetscBool multiplied;     /* there are multipliers; a file need not have any */
  PetscReal *theta;         /* local x 2: of M and of -M */
  /* of one that was loaded: */
  PsdArchive archive; /* still to be read from; NULL once it was */
  PsdNetwork network; /* the problem, as a network without neurons */
  char path[PETSC_MAX_PATH_LEN];
};

/* PsdWitnessCreate - empty: of the bound 0, with nu = 0. Collective. */
PetscErrorCode PsdWitnessCreate(MPI_Comm comm, PsdWitness *witness);

/* PsdWitnessAllocate - room for the problem's samples and pairs here. Not collective. */
PetscErrorCode PsdWitnessAllocate(PsdWitness witness, PsdProblem problem);

/* PsdWitnessTake - becomes that of `point`, whose nu is kept; NULL: of the bound 0, nu = 0. Collective. */
PetscErrorCode PsdWitnessTake(PsdWitness witness, PsdProblem problem, const PsdDualPoint *point);

/* PsdWitnessTakeSides - the same where R* of the point and the proofs of this rank's blocks (2 a pair, of M and of -M) are known
   already; of the point only nu and what is summed of it are looked at. Collective. */
PetscErrorCode PsdWitnessTakeSides(PsdWitness witness, PsdProblem problem, const PsdDualPoint *point,
                                   const PsdPointPolar *polar, const PsdPolarSide sides[]);

/* PsdWitnessRead - the rest of the file that it was loaded from, for this problem. Errors: a file that is damaged, or of
   other samples. Collective. Agrees. */
PetscErrorCode PsdWitnessRead(PsdWitness witness, PsdProblem problem);

#endif
