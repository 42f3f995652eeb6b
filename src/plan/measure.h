/*
   The rates that a plan reckons with: measured here, or given.
*/
#ifndef PSD_MEASURE_PRIVATE_H
#define PSD_MEASURE_PRIVATE_H

#include "cost/cost.h"
#include <psdpatches.h>

/* PsdRatesMeasure - on all ranks of comm at once, in about a second. patches: without a transform. Collective. */
PetscErrorCode PsdRatesMeasure(MPI_Comm comm, const PsdSizes *sizes, PsdPatches patches, const PetscReal activation[3],
                               PsdRates *rates);

/* PsdRatesGiven - as plan prints them: GFLOP/s of dgemm, dsyrk and dpotrf, GB/s of memory and, when count is PSD_RATES,
   ms an image of lifting and ms a block of dsyevd; these two otherwise follow from dgemm's as the nominal ones do. All
   positive. Not collective. */
#define PSD_RATES 6
#define PSD_RATES_LEAST 4
void PsdRatesGiven(const PsdSizes *sizes, PetscInt count, const PetscReal given[], PsdRates *rates);

#endif
