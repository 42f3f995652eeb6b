/*
   Files that HDF5 reads, by a driver of its virtual file layer that can always be closed (hdf5_input.c). On one rank.
*/
#ifndef PSD_HDF5_INPUT_PRIVATE_H
#define PSD_HDF5_INPUT_PRIVATE_H

#include <hdf5.h>

/* PsdH5OpenInput - as H5Fopen to read; H5Fclose. Negative: HDF5 fails. */
hid_t PsdH5OpenInput(const char path[]);

#endif
