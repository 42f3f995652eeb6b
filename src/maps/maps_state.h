/*
   A stage in the files that a run is continued from.
*/
#ifndef PSD_MAPS_STATE_PRIVATE_H
#define PSD_MAPS_STATE_PRIVATE_H

#include <psdmaps.h>
#include "base/visitor.h"

/* PsdMapsVisit - filters and transforms of the patches' stage, where there is one, and the transforms of the patches
   (patches/transform.h). What is there already stays when one is read. Collective. */
PetscErrorCode PsdMapsVisit(PsdPatches patches, PsdVisitor visitor);

#endif
