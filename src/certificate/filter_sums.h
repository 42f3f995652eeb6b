/*
   Predictions of a network from its filters and the patches, with what is known of their errors (docs/mathematics.md, section 6).
*/
#ifndef PSD_FILTER_SUMS_PRIVATE_H
#define PSD_FILTER_SUMS_PRIVATE_H

#include "network/neurons.h"
#include "problem/patch_matrix.h"
#include "problem/problem.h"
#include "problem/dual_point.h"

/* PsdFiltersEvaluate - the loss of the network's predictions with a bound of its error, and its sum of |alpha|. neurons: all of
   them, on every rank, in the problem's units. Collective. Cost: 2 f flops a patch and neuron of its region. */
PetscErrorCode PsdFiltersEvaluate(PsdProblem problem, PsdPatchMatrix patches, const PsdNeurons *neurons,
                                  PsdPrimalPoint *primal, PetscReal *weight, PetscReal *weight_error);

#endif
