/*
   The choice of the precision that A'A is made in (docs/mathematics.md, section 2, "Single precision").
*/
#ifndef PSD_CHOOSE_PRECISION_PRIVATE_H
#define PSD_CHOOSE_PRECISION_PRIVATE_H

#include "admm.h"

/* PsdPrecisionAsk - the option -precision. Collective. */
PetscErrorCode PsdPrecisionAsk(PsdPrecision *precision);

/* PsdPrecisionChoose - whether a run with that kernel to that gap has A'A in single precision; not collective, alike on all
   ranks. Errors (PSD_ERR_INPUT): mixed precision was asked for, and there is no A'A. */
PetscErrorCode PsdPrecisionChoose(PsdPrecision asked, const PsdSizes *sizes, const PsdConsensusKernel *kernel,
                                  PetscReal gap, PetscBool *single);

/* PsdPrecisionSettle - chooses for the problem, with the kernel that has been settled; a run that is continued stays with
   what it had, unless double precision is asked for. Collective; before the samples are lifted. */
PetscErrorCode PsdPrecisionSettle(PsdAdmm admm);

#endif
