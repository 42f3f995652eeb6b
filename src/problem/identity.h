/*
   What files that a run is continued from say of its problem: which one it is, and the transform of its patches.
*/
#ifndef PSD_STORED_PRIVATE_H
#define PSD_STORED_PRIVATE_H

#include "base/archive.h"
#include "problem.h"

/* PsdProblemIdentify - what A'A and A'Y depend on, a line each ("patch 4x4"), the same on any number of ranks. text:
   PSD_ARCHIVE_TEXT bytes. After PsdProblemSetUp. Collective. */
PetscErrorCode PsdProblemIdentify(PsdProblem problem, char text[]);

/* PsdIdentityCheck - an input error that names `path` and the first line that differs. The same texts on all ranks. */
PetscErrorCode PsdIdentityCheck(const char path[], const char found[], const char expected[]);

/* The transform of every branch that has one: its place in the archive, its numbers, and back. A transform that is
   there already stays. Collective. */
PetscErrorCode PsdTransformsAdd(PsdPatches patches, PsdArchive archive);
PetscErrorCode PsdTransformsPut(PsdPatches patches, PsdArchive archive);
PetscErrorCode PsdTransformsGet(PsdPatches patches, PsdArchive archive);

#endif
