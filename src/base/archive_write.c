/*
   Writing an archive: the root makes an HDF5 file whose arrays have their places but no contents, all ranks write theirs, and
   the root adds the head with the checksums and gives the file its name.
*/
#define _GNU_SOURCE
#include "archive_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096 /* large arrays begin at multiples of it */

static void CreateHdf5(PsdArchive it)
{
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = PsdH5FileAccess();

  if (!it->failure.failed && creation >= 0 && access >= 0 && H5Pset_userblock(creation, PSD_ARCHIVE_HEAD) >= 0 &&
      H5Pset_alignment(access, PAGE, PAGE) >= 0 && PsdH5SparseUse(&it->sparse, access))
    it->hdf5.id = H5Fcreate(it->file.temporary, H5F_ACC_TRUNC, creation, access);
  if (access >= 0) (void)H5Pclose(access);
  if (creation >= 0) (void)H5Pclose(creation);
  if (it->hdf5.id < 0) PsdFailureRecord(&it->failure, "%s: HDF5 cannot create it", it->path);
}

PetscErrorCode PsdArchiveCreate(MPI_Comm comm, const char path[], const char format[], PetscInt version,
                                PsdArchive *archive)
{
  PetscFunctionBeginUser;
  PsdArchive it;
  PetscCall(PetscNew(&it));
  it->comm = comm;
  it->descriptor = -1;
  it->hdf5 = (PsdH5File){.id = -1, .path = it->path};
  it->version = version;
  PetscCall(PetscStrncpy(it->path, path, sizeof(it->path)));
  PetscCall(PetscStrncpy(it->format, format, sizeof(it->format)));
  PetscCallMPI(MPI_Comm_rank(comm, &it->rank));
  if (it->rank == 0) {
    PsdFileBegin(&it->file, path, &it->failure);
    CreateHdf5(it);
  }
  PsdArchiveAddText(it, "format", format);
  PsdArchiveAddInt(it, "version", version);
  *archive = it;
  PetscFunctionReturn(0);
}

void PsdArchiveAddInt(PsdArchive it, const char name[], PetscInt value)
{
  if (it->rank == 0) PsdH5WriteAttribute(it->hdf5, name, PSD_H5_INTEGER, 0, &value, &it->failure);
}

void PsdArchiveAddReal(PsdArchive it, const char name[], PetscReal value)
{
  if (it->rank == 0) PsdH5WriteAttribute(it->hdf5, name, PSD_H5_REAL, 0, &value, &it->failure);
}

void PsdArchiveAddText(PsdArchive it, const char name[], const char text[])
{
  if (it->rank == 0) PsdH5WriteTexts(it->hdf5, name, 1, &text, &it->failure);
}

/* A contiguous data set that has its place now and is written to by nobody here. Returns its place. */
static uint64_t PlaceArray(PsdArchive it, const char name[], int axes, const hsize_t extent[])
{
  const hid_t space = H5Screate_simple(axes, extent, NULL);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
  haddr_t offset = HADDR_UNDEF;

  if (space >= 0 && links >= 0 && creation >= 0 && H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
      H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0 &&
      H5Pset_obj_track_times(creation, 0) >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0) {
    const hid_t array = H5Dcreate2(it->hdf5.id, name, H5T_NATIVE_DOUBLE, space, links, creation, H5P_DEFAULT);
    if (array >= 0) {
      offset = H5Dget_offset(array);
      if (H5Dclose(array) < 0) offset = HADDR_UNDEF;
    }
  }
  if (links >= 0) (void)H5Pclose(links);
  if (creation >= 0) (void)H5Pclose(creation);
  if (space >= 0) (void)H5Sclose(space);
  if (offset == HADDR_UNDEF) PsdFailureRecord(&it->failure, "%s: HDF5 cannot write data set %s", it->path, name);
  return offset;
}

static PetscInt AddArray(PsdArchive it, const char name[], int axes, const hsize_t extent[])
{
  PsdArchiveArray *array = &it->array[it->count];
  if (it->count == PSD_ARCHIVE_ARRAYS || strlen(name) >= sizeof(array->name)) {
    PsdFailureRecord(&it->failure, "%s: no room for the name of array %s", it->path, name);
    return -1;
  }
  (void)snprintf(array->name, sizeof(array->name), "%s", name);
  array->bytes = (uint64_t)extent[0] * (axes > 1 ? (uint64_t)extent[1] : 1) * sizeof(PetscReal);
  if (array->bytes == 0) return -1; /* HDF5 gives nothing no place */
  if (it->rank == 0 && !it->failure.failed) array->offset = PlaceArray(it, name, axes, extent);
  return it->count++;
}

PetscInt PsdArchiveAddArray(PsdArchive it, const char name[], PetscInt64 rows, PetscInt64 columns)
{
  return AddArray(it, name, 2, (const hsize_t[]){(hsize_t)rows, (hsize_t)columns});
}

PetscInt PsdArchiveAddVector(PsdArchive it, const char name[], PetscInt64 length)
{
  return AddArray(it, name, 1, (const hsize_t[]){(hsize_t)length});
}

static void WritePiece(void *archive, uint64_t offset, size_t count, const void *bytes)
{
  PsdArchiveWriteBytes(archive, offset, count, bytes);
}

/* What HDF5 has made, as far as the end of the last array. */
static void WriteDescription(PsdArchive it)
{
  if (it->failure.failed) return;
  it->descriptor = it->file.descriptor;
  PsdH5SparseEach(&it->sparse, WritePiece, it);
  if (!it->failure.failed && ftruncate(it->descriptor, (off_t)it->sparse.end))
    PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(errno));
  it->descriptor = -1;
}

PetscErrorCode PsdArchiveLayout(PsdArchive it)
{
  PetscFunctionBeginUser;
  char temporary[PETSC_MAX_PATH_LEN];
  if (it->rank == 0) {
    if (it->hdf5.id >= 0 && H5Fclose(it->hdf5.id) < 0)
      PsdFailureRecord(&it->failure, "%s: HDF5 cannot describe it", it->path);
    it->hdf5.id = -1;
    WriteDescription(it);
  }
  PetscCall(PsdFailureAgree(it->comm, &it->failure));
  for (PetscInt k = 0; k < it->count; k++) PetscCallMPI(MPI_Bcast(&it->array[k].offset, 1, MPI_UINT64_T, 0, it->comm));
  PetscCall(PetscStrncpy(temporary, it->file.temporary, sizeof(temporary)));
  PetscCallMPI(MPI_Bcast(temporary, sizeof(temporary), MPI_CHAR, 0, it->comm));
  it->descriptor = open(temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (it->descriptor < 0)
    PsdFailureRecord(&it->failure, "%s: rank %d cannot write it: %s", it->path, (int)it->rank, strerror(errno));
  PetscFunctionReturn(0);
}

void PsdArchivePut(PsdArchive it, PetscInt array, PetscInt64 first, PetscInt64 count, const PetscReal numbers[])
{
  if (array < 0 || count == 0 || it->failure.failed) return;
  const uint64_t bytes = (uint64_t)count * sizeof(*numbers);
  const uint64_t offset = it->array[array].offset + (uint64_t)first * sizeof(*numbers);
  PsdArchiveWriteBytes(it, offset, bytes, numbers);
  if (PsdArchiveAddPart(it, offset, bytes, PsdArchiveChecksum(0, numbers, bytes)))
    PsdFailureRecord(&it->failure, "%s: no memory to write it", it->path);
}

static int CompareArrays(const void *a, const void *b)
{
  const uint64_t left = ((const PsdArchiveArray *)a)->offset, right = ((const PsdArchiveArray *)b)->offset;
  return (left > right) - (left < right);
}

/* What was written reaches the disk from here: on file systems of many nodes each has its own share to flush. */
static void Flush(PsdArchive it)
{
  if (it->descriptor < 0) return;
  if (!it->failure.failed && fsync(it->descriptor))
    PsdFailureRecord(&it->failure, "%s: cannot write it: %s", it->path, strerror(errno));
}

/* The root's end of it: head, name. */
static PetscErrorCode Finish(PsdArchive it)
{
  PetscFunctionBeginUser;
  PetscBool touched[PSD_ARCHIVE_ARRAYS], whole[PSD_ARCHIVE_ARRAYS];
  uint32_t checksum[PSD_ARCHIVE_ARRAYS];
  char head[PSD_ARCHIVE_HEAD];
  struct stat found;
  /* HDF5 puts small arrays between large ones */
  qsort(it->array, (size_t)it->count, sizeof(*it->array), CompareArrays);
  PetscCall(PsdArchiveSumParts(it, touched, whole, checksum));
  if (it->rank > 0) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < it->count; k++) {
    PetscCheck(whole[k], PETSC_COMM_SELF, PETSC_ERR_PLIB, "Array %s of %s was not written whole", it->array[k].name,
               it->path);
    it->array[k].checksum = checksum[k];
  }
  if (fstat(it->descriptor, &found))
    PsdFailureRecord(&it->failure, "%s: cannot read it: %s", it->path, strerror(errno));
  else it->bytes = (uint64_t)found.st_size;
  PsdArchiveSumRest(it, &it->rest);
  PsdArchiveWriteHead(it, head);
  PsdArchiveWriteBytes(it, 0, sizeof(head), head);
  PsdFileCommit(&it->file, &it->failure);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdArchiveCommit(PsdArchive *archive)
{
  PetscFunctionBeginUser;
  PsdArchive it = *archive;
  Flush(it);
  PetscErrorCode code = PsdFailureAgree(it->comm, &it->failure);
  if (!code) {
    PetscCall(Finish(it));
    code = PsdFailureAgree(it->comm, &it->failure);
  } else if (it->rank == 0) {
    PsdFileAbandon(&it->file);
  }
  PetscCall(PsdArchiveDestroy(archive));
  PetscFunctionReturn(code);
}
