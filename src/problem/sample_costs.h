/*
   What the samples cost, by the form they are kept in: memory on a rank, reading, lifting, products, the certificate's
   pass.

   All are functions of sizes, and of rates where time is asked for; a cost is one rank's. Nothing here is collective.
*/
#ifndef PSD_PROBLEM_COSTS_H
#define PSD_PROBLEM_COSTS_H

#include "cost/cost.h"
#include "tiles.h"

/* PsdProblemLift, PsdProblemKeepPatches */
typedef enum { PSD_SAMPLES_LIFTED, PSD_SAMPLES_PATCHES } PsdSamplesForm;

/* PsdSamplesMemory - images, targets, and what the samples are kept as. */
void PsdSamplesMemory(const PsdSizes *sizes, PsdSamplesForm form, PsdMemory *memory);
/* PsdSamplesRead - from the disk. PsdSamplesLift - into that form, in the whole run: what is not kept is made again for
   the certificate. */
PsdCost PsdSamplesRead(const PsdSizes *sizes, const PsdRates *rates);
PsdCost PsdSamplesLift(const PsdSizes *sizes, PsdSamplesForm form, const PsdRates *rates);

/* ---------------------------------------------------------------- lifted features */

/* PsdGramMemory, PsdGramCost - PsdProblemComputeGram: this rank's samples' part of A'A; the sum over ranks comes on
   top. */
void PsdGramMemory(const PsdSizes *sizes, PsdMemory *memory);
PsdCost PsdGramCost(const PsdSizes *sizes, const PsdRates *rates);
/* PsdGramSumCost - the messages of that sum, to one rank. */
PsdCost PsdGramSumCost(const PsdSizes *sizes);
/* PsdGramTilesMemory, PsdGramTilesCost - PsdProblemAccumulateTiles: this rank's part of all samples' A'A, over such a grid. */
void PsdGramTilesMemory(const PsdSizes *sizes, const PsdTiles *tiles, PsdMemory *memory);
PsdCost PsdGramTilesCost(const PsdSizes *sizes, const PsdTiles *tiles, const PsdRates *rates);
/* PsdGramGroup - the grid of a group on the way there: of those that divide the grid along both axes the one of s ranks with
   which a rank receives least, n D (s - 1)/R + D^2/2 (1/s - 1/R) numbers, and whose 4 D^2/s bytes fit into -memory. */
PsdTiles PsdGramGroup(const PsdSizes *sizes, const PsdTiles *tiles);
/* PsdProductsCost - PsdProductsPass: A x and A' with C columns. */
PsdCost PsdProductsCost(const PsdSizes *sizes, const PsdRates *rates);

/* ---------------------------------------------------------------- patches */

/* PsdDualMatrixMemory, PsdDualMatrixCost - PsdRowsDualMatrix, of order N on such a grid. PsdDualHeld - blocks of its
   columns' patches, of so many numbers each in a region, that a rank has at a time. PsdRowsAdjointCost - PsdRowsAdjoint. */
void PsdDualMatrixMemory(const PsdSizes *sizes, PetscReal N, const PsdTiles *tiles, PsdMemory *memory);
PsdCost PsdDualMatrixCost(const PsdSizes *sizes, PetscReal N, const PsdTiles *tiles, const PsdRates *rates);
PetscInt PsdDualHeld(PetscReal N, const PsdTiles *tiles, PetscReal numbers);
PsdCost PsdRowsAdjointCost(const PsdSizes *sizes, const PsdRates *rates);

/* ---------------------------------------------------------------- the certificate */

/* PsdEvaluateMemory, PsdEvaluateCost - PsdProblemEvaluate with two dual points, without their polars. */
void PsdEvaluateMemory(const PsdSizes *sizes, PsdSamplesForm form, PsdMemory *memory);
PsdCost PsdEvaluateCost(const PsdSizes *sizes, PsdSamplesForm form, const PsdRates *rates);

#endif
