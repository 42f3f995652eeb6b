#!/bin/sh
# An allocation of psdnet or PETSc fails where files are read: one line, nothing hangs, what was there before stays. Those of HDF5, MPI, BLAS and
# libc's own are left out (fault_shim.c). EVERY: every so manieth allocation, 1 is all of them.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python fail_memory "${EVERY:-61}"
