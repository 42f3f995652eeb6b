/*
   A plain HDF5 file whose arrays all ranks write, each its own parts: the root has HDF5 lay it out in memory
   (hdf5_sparse.h), all ranks write at their places, and the root gives it its name. It appears whole or not at all.
*/
#ifndef PSD_HDF5_PARTS_PRIVATE_H
#define PSD_HDF5_PARTS_PRIVATE_H

#include "hdf5_file.h"
#include "hdf5_sparse.h"

#define PSD_H5_PARTS 16 /* arrays, at most */

typedef struct {
  MPI_Comm comm; /* borrowed */
  PetscMPIInt rank;
  char path[PETSC_MAX_PATH_LEN];
  PsdFile file;
  PsdH5Sparse sparse;
  PsdH5File hdf5; /* of the root, until it is laid out */
  int descriptor;
  PetscInt count;
  uint64_t offset[PSD_H5_PARTS];
  PsdFailure failure;
} PsdH5Parts;

/* PsdH5PartsCreate - Collective. The file stays where it is until PsdH5PartsCommit. */
PetscErrorCode PsdH5PartsCreate(MPI_Comm comm, const char path[], PsdH5Parts *it);
/* PsdH5PartsAdd - an array of numbers of a type of HDF5's, which has a place from PsdH5PartsLayout on; its number. describe:
   adds attributes, on the root; NULL: none. Logically collective; groups in its name are made. */
PetscInt PsdH5PartsAdd(PsdH5Parts *it, const char name[], hid_t type, int axes, const hsize_t extent[],
                       void (*describe)(PsdH5File array, const void *context, PsdFailure *failure),
                       const void *context);
/* PsdH5PartsLayout - no more arrays. Collective. */
PetscErrorCode PsdH5PartsLayout(PsdH5Parts *it);
/* PsdH5PartsPut - bytes from `first` of an array on. Not collective. */
void PsdH5PartsPut(PsdH5Parts *it, PetscInt array, uint64_t first, size_t bytes, const void *from);
/* PsdH5PartsCommit - the file gets its name, or an error of any rank is that of all and nothing is left of it. Collective. */
PetscErrorCode PsdH5PartsCommit(PsdH5Parts *it);

#endif
