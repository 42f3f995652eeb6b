/*
   Transpose reduction (docs/mathematics.md, section 2): A'A, h = A'nu0 and h_random = A' signs of samples that were
   lifted.

   Two ways: each rank its own samples' A'A, to be summed by whoever takes it; or each rank its own columns of all
   samples' A'A.
*/
#ifndef PSD_GRAM_PRIVATE_H
#define PSD_GRAM_PRIVATE_H

#include "problem.h"

/* PsdProblemComputeGram - this rank's part of A'A, and h. Collective. */
PetscErrorCode PsdProblemComputeGram(PsdProblem problem);

/* PsdProblemAccumulateColumns - A'A directly into a block-cyclic distribution: this rank's columns (ascending global
   numbers column[0..columns-1]) of the sum over all ranks' samples, and h. No rank holds it all. matrix: order x
   columns, zero on entry, lower triangle used. Collective. */
PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, PetscInt columns, const PetscInt column[],
                                           PetscReal *matrix);

/* PsdProblemTakeGram - hands on this rank's part of A'A; the caller frees it. Not collective. */
PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[]);

#endif
