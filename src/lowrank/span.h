/*
   Newton's method in spans (docs/mathematics.md, "Spans"): instead of conjugate gradients over all filters, all columns
   together are moved among the combinations of the columns, of their preconditioned gradients, and of the columns before.
*/
#ifndef PSD_SPAN_PRIVATE_H
#define PSD_SPAN_PRIVATE_H

#include "newton.h"

/* PsdSpanPays - whether filters of these columns' spans are so much shorter than those of the level that PsdSpanSolve takes less than
   PsdNewtonSolve, and `memory` bytes have room for the samples in them; the same on all ranks. Collective. */
PetscErrorCode PsdSpanPays(PsdLevel level, const PsdColumns *columns, size_t memory, PetscBool *pays);

/* PsdSpanSolve - as PsdNewtonSolve. Where a span brings no more progress, as that is in single precision, Newton's method goes on. Collective. */
PetscErrorCode PsdSpanSolve(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                            const PsdNewtonSettings *settings, PsdNewtonState *state);

#endif
