/*
   Neurons that all ranks have, in a file that a run is continued from.
*/
#ifndef PSD_NEURONS_ROWS_PRIVATE_H
#define PSD_NEURONS_ROWS_PRIVATE_H

#include "neurons.h"

/* PsdNeuronsVisitRows - as array `name`. What is read is made anew, with the room that there was, or as much as it takes;
   regions, classes and lengths are checked. Collective; agrees, when reading. */
PetscErrorCode PsdNeuronsVisitRows(PsdNeurons *neurons, PsdBlocks blocks, const char name[], PsdVisitor visitor);

#endif
