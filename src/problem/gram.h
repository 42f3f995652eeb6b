/*
   Transpose reduction (docs/mathematics.md, section 2): A'A, h = A'nu0 and h_random = A' signs of samples that were
   lifted.

   Two ways: each rank its own samples' A'A, to be summed by whoever takes it; or each rank some columns of all samples'
   A'A.
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

   Ranks work in groups of PsdGramGroup (sample_costs.h): in a group the samples go round, each of its s members making
   D/s columns of the group's A'A, and these are summed over the groups on their way to the owners. */
PetscErrorCode PsdProblemAccumulateColumns(PsdProblem problem, const PsdDeal *deal, PetscReal *matrix);

/* PsdProblemTakeGram - hands on this rank's part of A'A; the caller frees it. Not collective. */
PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[]);

#endif
