/*
   Networks and certificates as the user has them, in the user's units, and as the problem has them, in its own
   (problem/units.h).
*/
#ifndef PSD_USER_NETWORK_PRIVATE_H
#define PSD_USER_NETWORK_PRIVATE_H

#include <psdcertificate.h>
#include <psdnetwork.h>
#include "network/neurons.h"
#include "problem/problem.h"

/* PsdProblemDescribe - the problem as a network without neurons: patches, classes, record of the training. Collective. */
PetscErrorCode PsdProblemDescribe(PsdProblem problem, PsdNetwork *network);

/* PsdCertificateToUser - objective and bound, in the problem's units, become the user's. Not collective. */
void PsdCertificateToUser(PsdProblem problem, PsdCertificate *certificate);

/* PsdProblemReadNeurons - a network's neurons in the problem's units; PsdNeuronsDestroy. Errors (PSD_ERR_INPUT): filters
   that are not of length 1, or go on beyond their branch's patches, of which the program knows nothing. Collective. */
PetscErrorCode PsdProblemReadNeurons(PsdProblem problem, PsdNetwork network, PsdNeurons *neurons);

#endif
