/*
   A file that HDF5 makes without a disk: what it writes is kept in memory, piece by piece, and goes to the disk once
   HDF5 has let go of the file (hdf5_sparse.c). On one rank.
*/
#ifndef PSD_HDF5_SPARSE_PRIVATE_H
#define PSD_HDF5_SPARSE_PRIVATE_H

#include "base.h"
#include <hdf5.h>

typedef struct _p_PsdH5Piece *PsdH5Piece;

typedef struct {
  hid_t driver;             /* HDF5's number of the driver; 0: none yet */
  haddr_t end;              /* bytes of the file */
  PsdH5Piece first, latest; /* in the order in which they were written */
} PsdH5Sparse;

/* PsdH5SparseUse - the files that are made with `access` from now on, one at a time, are `sparse`, which is zero before
   and stays where it is. Returns whether HDF5 can do it. */
PetscBool PsdH5SparseUse(PsdH5Sparse *sparse, hid_t access);
/* PsdH5SparseEach - calls `write` for each piece; later ones go over earlier ones. */
void PsdH5SparseEach(const PsdH5Sparse *sparse, void (*write)(void *, uint64_t, size_t, const void *), void *context);
void PsdH5SparseDestroy(PsdH5Sparse *sparse);

#endif
