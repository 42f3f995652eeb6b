/*
   Which of NumPy's files hold what: arrays by their own names, or members of an .npz (docs/formats.md, "Input images").
*/
#ifndef PSD_NUMPY_FILES_PRIVATE_H
#define PSD_NUMPY_FILES_PRIVATE_H

#include "data.h"

/* The order of PsdSource.files. */
enum { PSD_NUMPY_IMAGES, PSD_NUMPY_LABELS, PSD_NUMPY_TARGETS, PSD_NUMPY_WEIGHTS, PSD_NUMPY_NAMES, PSD_NUMPY_KINDS };

/* PsdNumpyMatches, PsdNumpyPrefers - PsdFormat.matches and prefers. */
PetscBool PsdNumpyMatches(const char name[]);
PetscBool PsdNumpyPrefers(const char name[]);
/* PsdNumpyFindFiles - those of a split; the path of what is not there is empty, and images must be there. */
void PsdNumpyFindFiles(const PsdListing *listing, PsdSplit split, PsdImageFile files[PSD_NUMPY_KINDS],
                       PsdFailure *failure);

#endif
