/*
   A data set read as a command reads it, for the targets that are data formats.
*/
#ifndef PSD_FUZZ_READ_DATA_H
#define PSD_FUZZ_READ_DATA_H

#include "fuzz.h"

/* options: -classes, -limit, -validation, -split as text; and, of this function: -predict, -mirror. NULL: none. */
PetscErrorCode FuzzReadData(const char path[], const FuzzPart *options);

#endif
