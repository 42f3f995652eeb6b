/*
   The certificate (docs/mathematics.md, section 3): proved from the samples, with rounding on the safe side.
*/
#ifndef PSD_CERTIFICATE_PRIVATE_H
#define PSD_CERTIFICATE_PRIVATE_H

#include <psdcertificate.h>
#include "problem/dual_point.h"
#include "witness.h"

/*
   PsdCertify - objective of the network and a bound of its error; best bound of the dual points sources[0..count-1],
   lowered by what rounding can have done to it; from the samples.

   Collective. witness, or NULL: becomes that of the best bound, which is then the one that the witness shows.
*/
PetscErrorCode PsdCertify(PsdProblem problem, const PsdNetworkMatrix *network, PetscInt count,
                          const PsdDualSource sources[], PsdWitness witness, PsdCertificate *certificate);

/*
   PsdCertificateSetPrimal - the network's objective and a bound of its error. PsdCertificateSetGap - gap and rounding, with
   primal and bound there; unrounded: what the bound would be, were rounding not counted.

   Not collective, alike on all ranks.
*/
void PsdCertificateSetPrimal(PsdProblem problem, const PsdNetworkMatrix *network, const PsdPrimalPoint *primal,
                             PsdCertificate *certificate);
void PsdCertificateSetGap(PsdCertificate *certificate, PetscReal unrounded);
/* PsdCertificateCheck - a bound above what a network reaches is a defect, and ends as one. Collective. */
PetscErrorCode PsdCertificateCheck(PsdProblem problem, const PsdCertificate *certificate);

#endif
