/*
   The certificate (docs/mathematics.md, section 3): proved from the samples, with rounding on the safe side.
*/
#ifndef PSD_CERTIFICATE_PRIVATE_H
#define PSD_CERTIFICATE_PRIVATE_H

#include <psdcertificate.h>
#include "problem/dual_point.h"

/*
   PsdCertify - primal of the network whose matrix is S and whose sum of |alpha| is weight; best bound of the dual
   points sources[0..count-1]; from the samples.

   Collective. The bound is lowered by what rounding can have done to it and to the primal.
*/
PetscErrorCode PsdCertify(PsdProblem problem, Vec S, PetscReal weight, PetscInt count, const PsdDualSource sources[],
                          PsdCertificate *certificate);

#endif
