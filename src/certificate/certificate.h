/*
   The certificate (docs/mathematics.md, section 3): proved from the samples, with rounding on the safe side.
*/
#ifndef PSD_CERTIFICATE_PRIVATE_H
#define PSD_CERTIFICATE_PRIVATE_H

#include <psdcertificate.h>
#include "problem/dual_point.h"
#include "witness.h"

/*
   PsdCertify - primal of the network whose matrix is S and whose sum of |alpha| is weight; best bound of the dual
   points sources[0..count-1]; from the samples.

   Collective. The bound is lowered by what rounding can have done to it and to the primal. witness, or NULL: becomes
   that of the best bound.
*/
PetscErrorCode PsdCertify(PsdProblem problem, Vec S, PetscReal weight, PetscInt count, const PsdDualSource sources[],
                          PsdWitness witness, PsdCertificate *certificate);

/*
   PsdUnitRounding - how far a network whose filters are of length 1 to rounding may be below the bound of those that are of
   length 1: [u;1]' M [u;1] <= beta + theta (||u||^2 - 1), and theta <= 2 beta. weight: its sum of |alpha|.

   Not collective.
*/
PetscReal PsdUnitRounding(PsdProblem problem, PetscReal weight);

#endif
