/*
   R*(M) = max over ||u|| = 1 of |[u;1]' M [u;1]|, the polar of the gauge of the cone (docs/mathematics.md, section 3), for one
   block and over all (polars.c); what it costs.
*/
#ifndef PSD_POLAR_PRIVATE_H
#define PSD_POLAR_PRIVATE_H

#include "blocks.h"
#include "cost/cost.h"
#include "polar_proof.h"

typedef struct _p_PsdPolar *PsdPolar;

/* PsdPolarCreate - for svecs of order f+1. Not collective. */
PetscErrorCode PsdPolarCreate(PetscInt f, PsdPolar *polar);
/*
   PsdPolarEvaluate - R*(M) = max over ||u|| = 1 of |[u;1]' M [u;1]|, rounded up: proved to be not below the exact value for
   M as given. Infinite when M is not finite.

   Not collective. M: svec of order f+1. The trust-region problems of +M and -M share one eigendecomposition.
*/
PetscErrorCode PsdPolarEvaluate(PsdPolar polar, const PetscReal M[], PetscReal *value);
/* PsdPolarEvaluateBoth - the same with its proof: sides[0] is that of +M, sides[1] of -M, and R*(M) is at most the larger
   theta + phi. Not collective. */
PetscErrorCode PsdPolarEvaluateBoth(PsdPolar polar, const PetscReal M[], PsdPolarSide sides[2]);
PetscErrorCode PsdPolarDestroy(PsdPolar *polar);

/* One for each order that the blocks of a program have. */
typedef struct _p_PsdPolars *PsdPolars;

/* PsdPolarsCreate - for all pairs; blocks are borrowed. Not collective. */
PetscErrorCode PsdPolarsCreate(PsdBlocks blocks, PsdPolars *polars);
/* PsdPolarsEvaluate - R* of the svec M of a pair, as PsdPolarEvaluate. Not collective. */
PetscErrorCode PsdPolarsEvaluate(PsdPolars polars, PetscInt pair, const PetscReal M[], PetscReal *value);
/* PsdPolarsEvaluateBoth - the same with its proof, as PsdPolarEvaluateBoth. Not collective. */
PetscErrorCode PsdPolarsEvaluateBoth(PsdPolars polars, PetscInt pair, const PetscReal M[], PsdPolarSide sides[2]);
/* PsdPolarsOwnMax - the largest R* over this rank's pairs' svecs in x, 0 of none; not collective. PsdPolarsMax - over all
   pairs; collective on the blocks' communicator. */
PetscErrorCode PsdPolarsOwnMax(PsdPolars polars, Vec x, PetscReal *value);
PetscErrorCode PsdPolarsMax(PsdPolars polars, Vec x, PetscReal *value);
PetscErrorCode PsdPolarsDestroy(PsdPolars *polars);

/* PsdPolarMemory - adds its item. PsdPolarCost - all pairs' polars on the rank that has most of them. Not collective. */
void PsdPolarMemory(const PsdSizes *sizes, PsdMemory *memory);
PsdCost PsdPolarCost(const PsdSizes *sizes, const PsdRates *rates);

#endif
