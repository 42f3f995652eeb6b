/*
   What an HDF5 data set may be: numbers that are all in its own file, simply there or compressed with gzip. Others would be
   read from elsewhere, or out of nothing (hdf5_guard.c). Failures name path and data set.
*/
#ifndef PSD_HDF5_GUARD_PRIVATE_H
#define PSD_HDF5_GUARD_PRIVATE_H

#include "data.h"
#include <hdf5.h>

/* PsdHdf5CheckLink - that the file has it, and not just a name of something else. Before it is opened. */
void PsdHdf5CheckLink(hid_t file, const char path[], const char name[], PsdFailure *failure);
/* PsdHdf5CheckLayout - nothing of it is virtual, in other files, or behind other filters than gzip and shuffle. */
void PsdHdf5CheckLayout(hid_t dataset, const char path[], const char name[], PsdFailure *failure);
/* PsdHdf5CheckStorage - all of its numbers were written, and the file is not too small for them. */
void PsdHdf5CheckStorage(hid_t dataset, const char path[], const char name[], PsdFailure *failure);

#endif
