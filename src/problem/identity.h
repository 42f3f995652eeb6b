/*
   What files that a run is continued from say of its problem: which one it is, and who holds what of it.
*/
#ifndef PSD_IDENTITY_PRIVATE_H
#define PSD_IDENTITY_PRIVATE_H

#include "base/visitor.h"
#include "problem.h"

/* PsdProblemIdentify - what A'A and A'Y depend on, a line each ("patch 4x4"), the same on any number of ranks. text:
   PSD_ARCHIVE_TEXT bytes. After PsdProblemSetUp. Collective. */
PetscErrorCode PsdProblemIdentify(PsdProblem problem, char text[]);

/* PsdProblemSumSamples - CRC-32 of all samples' bytes, and of their labels as integers of 32 bits, or their targets as
   doubles, in order: mirror images are samples. The same on any number of ranks. Collective. */
PetscErrorCode PsdProblemSumSamples(PsdProblem problem, unsigned *images, unsigned *labels);

/* PsdIdentityVisit - such a text in a file; reading: an input error that names the first line in which the file's is
   not `identity`. The same text on all ranks. Collective. */
PetscErrorCode PsdIdentityVisit(PsdVisitor visitor, char identity[]);

/* PsdProblemGetLayout - which pairs and which representative samples are here, for a visitor. Not collective. */
PetscErrorCode PsdProblemGetLayout(PsdProblem problem, PsdStateLayout *layout);

#endif
