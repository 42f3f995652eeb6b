/*
   Names of HDF5 files and of the data sets in them (hdf5_files.c), for the format of hdf5.c.
*/
#ifndef PSD_HDF5_FILES_PRIVATE_H
#define PSD_HDF5_FILES_PRIVATE_H

#include "data.h"

/* As of PsdFormat. */
PetscBool PsdHdf5Matches(const char name[]);
PetscBool PsdHdf5IsOfAnySplit(const char name[]);
PetscBool PsdHdf5HasSplit(const PsdListing *listing, PsdSplit split);
/* PsdHdf5FindFile - the split's file; its member is the group in which it has the split, empty: its root. */
void PsdHdf5FindFile(const PsdListing *listing, PsdSplit split, PsdImageFile *file, PsdFailure *failure);
/* PsdHdf5NameIn - of a data set, `role`, in that group. */
void PsdHdf5NameIn(const PsdImageFile *file, const char role[], char name[2 * PSD_MEMBER_LENGTH]);

#endif
