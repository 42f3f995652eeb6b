/*
   Plain HDF5 files that all ranks write (hdf5_parts.h): the same way as archives, without their head and checksums.
*/
#define _GNU_SOURCE
#include "hdf5_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096 /* large arrays begin at multiples of it */

PetscErrorCode PsdH5PartsCreate(MPI_Comm comm, const char path[], PsdH5Parts *it)
{
  PetscFunctionBeginUser;
  *it = (PsdH5Parts){.comm = comm, .descriptor = -1, .hdf5 = {.id = -1}};
  PetscCall(PetscStrncpy(it->path, path, sizeof(it->path)));
  it->hdf5.path = it->path;
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  if (it->rank > 0) PetscFunctionReturn(0);
  PsdFileBegin(&it->file, path, &it->failure);
  const hid_t access = PsdH5FileAccess();
  if (!it->failure.failed && access >= 0 && H5Pset_alignment(access, PAGE, PAGE) >= 0 &&
      PsdH5SparseUse(&it->sparse, access))
    it->hdf5.id = H5Fcreate(it->file.temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (access >= 0) (void)H5Pclose(access);
  if (it->hdf5.id < 0) PsdFailureRecord(&it->failure, "%s: HDF5 cannot create it", it->path);
  PetscFunctionReturn(0);
}

/* A contiguous array that has its place now and is written to by nobody here. Negative: HDF5 fails. */
static hid_t CreateArray(const PsdH5Parts *it, const char name[], hid_t type, int axes, const hsize_t extent[])
{
  const hid_t space = H5Screate_simple(axes, extent, NULL);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
  hid_t array = -1;
  if (space >= 0 && links >= 0 && creation >= 0 && H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
      H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0 &&
      H5Pset_obj_track_times(creation, 0) >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
    array = H5Dcreate2(it->hdf5.id, name, type, space, links, creation, H5P_DEFAULT);
  if (links >= 0) (void)H5Pclose(links);
  if (creation >= 0) (void)H5Pclose(creation);
  if (space >= 0) (void)H5Sclose(space);
  return array;
}

PetscInt PsdH5PartsAdd(PsdH5Parts *it, const char name[], hid_t type, int axes, const hsize_t extent[],
                       void (*describe)(PsdH5File array, const void *context, PsdFailure *failure), const void *context)
{
  if (it->count == PSD_H5_PARTS) PsdFailureRecord(&it->failure, "%s: no room for array %s", it->path, name);
  if (it->count == PSD_H5_PARTS) return 0;
  if (it->rank > 0 || it->failure.failed) return it->count++;
  const PsdH5File array = {.id = CreateArray(it, name, type, axes, extent), .path = it->path};
  const haddr_t offset = array.id < 0 ? HADDR_UNDEF : H5Dget_offset(array.id);
  if (offset == HADDR_UNDEF) PsdFailureRecord(&it->failure, "%s: HDF5 cannot write data set %s", it->path, name);
  it->offset[it->count] = offset;
  if (describe) (*describe)(array, context, &it->failure);
  if (array.id >= 0 && H5Dclose(array.id) < 0)
    PsdFailureRecord(&it->failure, "%s: HDF5 cannot write data set %s", it->path, name);
  return it->count++;
}

static void WriteBytes(void *parts, uint64_t offset, size_t count, const void *bytes)
{
  PsdH5Parts *it = parts;
  const char *from = bytes;
  while (count && !it->failure.failed) {
    const ssize_t done = pwrite(it->descriptor, from, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(done < 0 ? errno : EIO));
      return;
    }
    from += done;
    offset += (uint64_t)done;
    count -= (size_t)done;
  }
}

/* What HDF5 has made, as far as the end of the last array. */
static void WriteDescription(PsdH5Parts *it)
{
  if (it->hdf5.id >= 0 && H5Fclose(it->hdf5.id) < 0)
    PsdFailureRecord(&it->failure, "%s: HDF5 cannot describe it", it->path);
  it->hdf5.id = -1;
  if (it->failure.failed) return;
  it->descriptor = it->file.descriptor;
  PsdH5SparseEach(&it->sparse, WriteBytes, it);
  if (!it->failure.failed && ftruncate(it->descriptor, (off_t)it->sparse.end))
    PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(errno));
  it->descriptor = -1;
}

PetscErrorCode PsdH5PartsLayout(PsdH5Parts *it)
{
  PetscFunctionBeginUser;
  char temporary[PETSC_MAX_PATH_LEN];
  if (it->rank == 0) WriteDescription(it);
  PsdH5SparseDestroy(&it->sparse);
  const PetscErrorCode code = PsdFailureAgree(it->comm, &it->failure);
  if (code && it->rank == 0) PsdFileAbandon(&it->file);
  PetscCall(code);
  PetscCallMPI(MPI_Bcast(it->offset, PSD_H5_PARTS, MPI_UINT64_T, 0, it->comm));
  PetscCall(PetscStrncpy(temporary, it->file.temporary, sizeof(temporary)));
  PetscCallMPI(MPI_Bcast(temporary, sizeof(temporary), MPI_CHAR, 0, it->comm));
  it->descriptor = open(temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (it->descriptor < 0)
    PsdFailureRecord(&it->failure, "%s: rank %d cannot write it: %s", it->path, (int)it->rank, strerror(errno));
  PetscFunctionReturn(0);
}

void PsdH5PartsPut(PsdH5Parts *it, PetscInt array, uint64_t first, size_t bytes, const void *from)
{
  WriteBytes(it, it->offset[array] + first, bytes, from);
}

PetscErrorCode PsdH5PartsCommit(PsdH5Parts *it)
{
  PetscFunctionBeginUser;
  /* on file systems of many nodes each has its own share to flush */
  if (it->descriptor >= 0 && fsync(it->descriptor))
    PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(errno));
  if (it->descriptor >= 0) (void)close(it->descriptor);
  PetscErrorCode code = PsdFailureAgree(it->comm, &it->failure);
  if (it->rank == 0 && code) PsdFileAbandon(&it->file);
  PetscCall(code);
  if (it->rank == 0) PsdFileCommit(&it->file, &it->failure);
  PetscCall(PsdFailureAgree(it->comm, &it->failure));
  PetscFunctionReturn(0);
}
