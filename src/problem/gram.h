/*
   Transpose reduction (docs/mathematics.md, section 2): A'A, h = A'nu0 and h_random = A' signs of samples that were
   lifted.

   Two ways: each rank its own samples' A'A, to be summed by whoever takes it; or each rank some tiles of all samples'
   A'A.
*/
#ifndef PSD_GRAM_PRIVATE_H
#define PSD_GRAM_PRIVATE_H

#include "problem.h"
#include "tiles.h"

/* PsdProblemComputeGram - this rank's part of A'A, and h. Collective. */
PetscErrorCode PsdProblemComputeGram(PsdProblem problem);

/* PsdProblemComputeGradient - h alone, and the trace of A'A. Collective; of samples that were lifted. */
PetscErrorCode PsdProblemComputeGradient(PsdProblem problem, PetscReal *trace);

/* PsdProblemAccumulateTiles - A'A directly as tiles over a grid of ranks: this rank's part of the sum over all ranks'
   samples, and h. matrix: this rank's rows x columns, zero on entry, on and below the diagonal used. Collective.

   Ranks work in groups of PsdGramGroup (sample_costs.h): in a group the samples go round, each of its s members making
   1/s of the group's A'A, and these are summed over the groups on their way to the owners. */
PetscErrorCode PsdProblemAccumulateTiles(PsdProblem problem, const PsdTiles *tiles, PetscReal *matrix);
/* PsdProblemAddUpInGroups - the same in groups of a grid that divides the whole along both axes, at any order. */
PetscErrorCode PsdProblemAddUpInGroups(PsdProblem problem, const PsdTiles *tiles, const PsdTiles *group,
                                       PetscReal *matrix);

/* PsdProblemTakeGram - hands on this rank's part of A'A; the caller frees it. Not collective. */
PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[]);

#endif
