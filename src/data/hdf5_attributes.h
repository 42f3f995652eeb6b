/*
   What data sets of an HDF5 file say of themselves: `names` of labels or of outputs, and of images how they are held, as
   psdnet convert writes them (save.c).
*/
#ifndef PSD_HDF5_ATTRIBUTES_PRIVATE_H
#define PSD_HDF5_ATTRIBUTES_PRIVATE_H

#include "data.h"
#include <hdf5.h>

#define PSD_H5_NAMES "names"
#define PSD_H5_PLANES "channels_first"
#define PSD_H5_BITS "bits"
#define PSD_H5_STEP "pixel_step"
#define PSD_H5_LOW "pixel_low"
#define PSD_H5_LEAST "pixel_least"
#define PSD_H5_LARGEST "pixel_largest"

/* PsdHdf5ReadPixels - how the numbers of images are meant that the data set has; bits 0 where it says nothing. */
void PsdHdf5ReadPixels(hid_t dataset, const char path[], const char name[], PsdPixels *pixels, PsdFailure *failure);
/* PsdHdf5ReadNames - texts of fixed or of variable length, at most `most` of them, cut to what a name has room for (PetscFree);
   *count is 0 where there are none. */
PetscErrorCode PsdHdf5ReadNames(hid_t dataset, const char path[], const char name[], PetscInt most,
                                char (**names)[PSD_CLASS_NAME_LENGTH], PetscInt *count, PsdFailure *failure);

#endif
