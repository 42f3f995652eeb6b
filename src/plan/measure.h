/*
   The rates that a plan reckons with: measured here, or given.
*/
#ifndef PSD_MEASURE_PRIVATE_H
#define PSD_MEASURE_PRIVATE_H

#include "cost/cost.h"
#include <psdplan.h>

/* PsdRatesMeasure - on all ranks of comm at once, in about a second. patches: without a transform. Collective. */
PetscErrorCode PsdRatesMeasure(MPI_Comm comm, const PsdSizes *sizes, PsdPatches patches, const PetscReal activation[3],
                               PsdRates *rates);

/* PsdRatesGiven - of the numbers that PsdPlanSetRates takes. Not collective. */
void PsdRatesGiven(const PsdSizes *sizes, PetscInt count, const PetscReal given[], PsdRates *rates);

#endif
