/*
   The projection of all blocks onto the positive semidefinite cone (docs/mathematics.md, section 2, "PSD step"), and what it costs.

   A complete eigendecomposition costs d^3; a partial one costs products of X with as many vectors as eigenvalues are wanted,
   which are few once the iteration has settled. Kernels differ in that, and in how many ranks work on a block (cone_impl.h).
*/
#ifndef PSD_CONE_PRIVATE_H
#define PSD_CONE_PRIVATE_H

#include "blocks.h"
#include "cost/cost.h"
#include "factors.h"

typedef struct _p_PsdCone *PsdCone;

PetscErrorCode PsdConeCreate(PsdCone *cone);
PetscErrorCode PsdConeSetFromOptions(PsdCone cone); /* -cone auto|lapack|slepc|scalapack, -cone_partial, -cone_lapack */
PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks);
/* PsdConeProject - Z[s] = proj_PSD(X[s]), block by block, s = 0, 1; of vectors the projection onto the second-order
   cone. Collective. */
PetscErrorCode PsdConeProject(PsdCone cone, Vec X[2], Vec Z[2]);
/* PsdConeSetZero - both blocks of local pair k are zero from now on, or are projected as before. Does nothing where ranks share
   blocks. Not collective. */
void PsdConeSetZero(PsdCone cone, PetscInt k, PetscBool zero);
/* F of local block k of Z[s], as the last projection left it: d x rank by columns, orthogonal ones; of a vector itself,
   with rank 1, or 0 of the zero vector. Borrowed. Not collective. */
PetscErrorCode PsdConeGetFactor(PsdCone cone, PetscInt s, PetscInt k, PetscInt *rank, const PetscReal *F[]);
/* PsdConeGetUse - what was used: "lapack", or "auto: lapack 20, slepc 480". Collective; the text is the same on all ranks. */
PetscErrorCode PsdConeGetUse(PsdCone cone, size_t size, char text[]);
/* PsdConeRefactor - the factors are those of Z from now on, complete, though Z comes from elsewhere. Collective. */
PetscErrorCode PsdConeRefactor(PsdCone cone, Vec Z[2]);
/* PsdConeGetFactors - Z - Z' of this rank's pairs, as the last projection left them; replaces what `local` holds. */
PetscErrorCode PsdConeGetFactors(PsdCone cone, PsdFactors *local);
PetscErrorCode PsdConeDestroy(PsdCone *cone);

/* PsdConeVisit - what the next projections start from, in a file that another number of ranks may read (cone_state.c);
   after PsdConeSetUp. Proofs are not among it; they are made anew. Collective. */
struct _p_PsdVisitor;
PetscErrorCode PsdConeVisit(PsdCone cone, struct _p_PsdVisitor *visitor);

/* ---------------------------------------------------------------- costs of `auto`; not collective */

/* PsdConeMemory - adds the item "projection". */
void PsdConeMemory(const PsdSizes *sizes, PsdMemory *memory);
/* PsdConeCost - all projections of one iteration on the rank that has most of them: complete ones, or partial ones where blocks are
   large enough for them. */
PsdCost PsdConeCost(const PsdSizes *sizes, const PsdRates *rates, PetscBool complete);
/* PsdConeCompleteIterations - of a run of so many iterations, those that are expected to decompose blocks completely. */
PetscReal PsdConeCompleteIterations(PetscReal iterations);
/* PsdConeDescribe - which kernels such a run is going to use: "lapack at first, then partial". */
const char *PsdConeDescribe(const PsdSizes *sizes);

#endif
