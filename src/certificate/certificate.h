/*
   The certificate (docs/mathematics.md, section 3): proved from the samples, with rounding on the safe side.
*/
#ifndef PSD_CERTIFICATE_PRIVATE_H
#define PSD_CERTIFICATE_PRIVATE_H

#include <psdcertificate.h>
#include "problem/dual_point.h"

/*
   PsdCertify - objective of the network and a bound of its error; best bound of the dual points sources[0..count-1],
   lowered by what rounding can have done to it; from the samples.

   Collective.
*/
PetscErrorCode PsdCertify(PsdProblem problem, const PsdNetworkMatrix *network, PetscInt count,
                          const PsdDualSource sources[], PsdCertificate *certificate);

#endif
