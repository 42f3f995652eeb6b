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

/* PsdProblemComputeGradient - h alone, and the trace of A'A. Collective; of samples that were lifted. */
PetscErrorCode PsdProblemComputeGradient(PsdProblem problem, PetscReal *trace);

/* Columns that are dealt out in blocks, in turn, to the first `ranks` ranks. */
typedef struct {
  PetscInt block;
  PetscMPIInt ranks;
} PsdDeal;

/* PsdProblemAccumulateColumns - A'A directly as columns that are dealt out: this rank's columns of the sum over all ranks'
   samples, and h. matrix: order x columns, zero on entry, lower triangle used. Collective.

   Either the samples go round, and no rank holds more than its columns; or, where PsdGramIsSummed (sample_costs.h) says
   that it moves less and there is room, each rank makes all of its own samples', and these are summed on their way to
   the owners of columns. */
PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix);

/* PsdProblemTakeGram - hands on this rank's part of A'A; the caller frees it. Not collective. */
PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[]);

#endif
