/*
   Writing HDF5: the file is built in memory and its bytes are written as any others. A disk that fills up is then an
   error of write(), with the system's words for it, and HDF5 is not left with a file that it cannot close.
*/
#include "hdf5_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_INCREMENT ((size_t)1 << 20) /* memory that a growing file takes at a time */

hid_t PsdH5FileAccess(void)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

  if (access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST) >= 0) return access;
  if (access >= 0) (void)H5Pclose(access);
  return -1;
}

PsdH5File PsdH5Create(const char path[], PsdFailure *failure)
{
  PsdH5File file = {.id = -1, .path = path};

  if (failure->failed) return file;
  const hid_t access = PsdH5FileAccess(), creation = H5Pcreate(H5P_FILE_CREATE);
  if (access >= 0 && creation >= 0 && H5Pset_fapl_core(access, IMAGE_INCREMENT, 0) >= 0 &&
      H5Pset_userblock(creation, PSD_H5_SEAL) >= 0)
    file.id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  if (creation >= 0) (void)H5Pclose(creation);
  if (access >= 0) (void)H5Pclose(access);
  if (file.id < 0) PsdFailureRecord(failure, "%s: HDF5 cannot make a file in memory", path);
  return file;
}

PsdH5File PsdH5CreateGroup(PsdH5File file, const char name[], PsdFailure *failure)
{
  PsdH5File group = {.id = -1, .path = file.path};
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);

  if (failure->failed) return group;
  if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
    group.id = H5Gcreate2(file.id, name, links, H5P_DEFAULT, H5P_DEFAULT);
  if (links >= 0) (void)H5Pclose(links);
  if (group.id < 0) PsdFailureRecord(failure, "%s: HDF5 cannot write group %s", file.path, name);
  return group;
}

void PsdH5CloseFile(PsdH5File *file)
{
  if (file->id >= 0) (void)H5Fclose(file->id);
  file->id = -1;
}

void PsdH5CloseNewGroup(PsdH5File *group)
{
  if (group->id >= 0) (void)H5Gclose(group->id);
  group->id = -1;
}

static hid_t MemoryType(PsdH5Kind kind)
{
  if (kind == PSD_H5_REAL) return H5T_NATIVE_DOUBLE;
  return sizeof(PetscInt) == 4 ? H5T_NATIVE_INT32 : H5T_NATIVE_INT64;
}

static hid_t FileType(PsdH5Kind kind, PetscBool list)
{
  if (kind == PSD_H5_REAL) return H5T_IEEE_F64LE;
  return list ? H5T_STD_I32LE : H5T_STD_I64LE;
}

static void CreateAttribute(PsdH5File file, const char name[], hid_t file_type, hid_t memory_type, PetscInt count,
                            const void *values, PsdFailure *failure)
{
  const hsize_t extent = (hsize_t)count;
  herr_t result = -1;

  if (failure->failed) return;
  const hid_t space = count ? H5Screate_simple(1, &extent, NULL) : H5Screate(H5S_SCALAR);
  const hid_t attribute = space < 0 ? -1 : H5Acreate2(file.id, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) result = H5Awrite(attribute, memory_type, values);
  if (attribute >= 0 && H5Aclose(attribute) < 0) result = -1;
  if (space >= 0) (void)H5Sclose(space);
  if (result < 0) PsdFailureRecord(failure, "%s: HDF5 cannot write attribute '%s'", file.path, name);
}

void PsdH5WriteAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, const void *values,
                         PsdFailure *failure)
{
  CreateAttribute(file, name, FileType(kind, (PetscBool)(count > 0)), MemoryType(kind), count, values, failure);
}

static size_t LongestText(size_t count, const char *const texts[])
{
  size_t longest = 1; /* HDF5 has no type of nothing */

  for (size_t k = 0; k < count; k++) longest = PetscMax(longest, strlen(texts[k]));
  return longest;
}

/* The texts one after the other, `size` bytes each, filled up with zeros (malloc). */
static char *PackTexts(size_t count, size_t size, const char *const texts[])
{
  char *packed = calloc(count, size);

  for (size_t k = 0; packed && k < count; k++) memcpy(packed + k * size, texts[k], strlen(texts[k]));
  return packed;
}

void PsdH5WriteTexts(PsdH5File file, const char name[], PetscInt count, const char *const texts[], PsdFailure *failure)
{
  if (failure->failed) return;
  const size_t number = (size_t)PetscMax(1, count), size = LongestText(number, texts);
  const hid_t type = H5Tcopy(H5T_C_S1);
  char *packed = PackTexts(number, size, texts);
  if (!packed || type < 0 || H5Tset_size(type, size) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
      H5Tset_cset(type, H5T_CSET_UTF8) < 0)
    PsdFailureRecord(failure, "%s: HDF5 cannot write attribute '%s'", file.path, name);
  CreateAttribute(file, name, type, type, count, packed, failure);
  if (type >= 0) (void)H5Tclose(type);
  free(packed);
}

void PsdH5WriteArray(PsdH5File file, const char name[], PsdH5Kind kind, int axes, const PetscInt shape[],
                     const void *values, PsdFailure *failure)
{
  hsize_t extent[2] = {(hsize_t)shape[0], axes == 2 ? (hsize_t)shape[1] : 1};
  herr_t result = -1;

  if (failure->failed) return;
  const hid_t space = H5Screate_simple(axes, extent, NULL), links = H5Pcreate(H5P_LINK_CREATE);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  hid_t array = -1;
  /* without the time, so that the same numbers are the same file */
  if (space >= 0 && links >= 0 && creation >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0 &&
      H5Pset_obj_track_times(creation, 0) >= 0)
    array = H5Dcreate2(file.id, name, FileType(kind, PETSC_TRUE), space, links, creation, H5P_DEFAULT);
  if (array >= 0) {
    const PetscBool empty = (PetscBool)(extent[0] * extent[1] == 0);
    result = empty ? 0 : H5Dwrite(array, MemoryType(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (H5Dclose(array) < 0) result = -1;
  }
  if (creation >= 0) (void)H5Pclose(creation);
  if (links >= 0) (void)H5Pclose(links);
  if (space >= 0) (void)H5Sclose(space);
  if (result < 0) PsdFailureRecord(failure, "%s: HDF5 cannot write data set %s", file.path, name);
}

static void WriteBytes(const PsdFile *output, const char bytes[], size_t count, PsdFailure *failure)
{
  int error = 0;

  while (count && !error) {
    const ssize_t written = write(output->descriptor, bytes, count);
    if (written < 0 && errno != EINTR) error = errno;
    if (written == 0) error = EIO;
    if (written <= 0) continue;
    bytes += written;
    count -= (size_t)written;
  }
  if (error) PsdFailureRecord(failure, "%s: cannot write it: %s", output->path, strerror(error));
}

/* The bytes of the file without what stands for the seal (malloc); NULL: HDF5 fails, or memory does. */
static char *CopyImage(PsdH5File file, size_t *size)
{
  char *image = NULL;
  ssize_t bytes = -1;

  if (H5Fflush(file.id, H5F_SCOPE_GLOBAL) >= 0) bytes = H5Fget_file_image(file.id, NULL, 0);
  if (bytes > 0) image = malloc((size_t)bytes);
  if (image && H5Fget_file_image(file.id, image, (size_t)bytes) == bytes) {
    *size = (size_t)bytes;
    return image;
  }
  free(image);
  return NULL;
}

void PsdH5Save(PsdH5File file, const char format[], PetscInt version, PsdFile *output, PsdFailure *failure)
{
  char seal[PSD_H5_SEAL];
  size_t size = 0;

  if (failure->failed) return;
  char *image = CopyImage(file, &size);
  if (!image) {
    PsdFailureRecord(failure, "%s: not enough memory to write it", output->path);
    return;
  }
  PsdH5MakeSeal(format, version, image, size, seal);
  WriteBytes(output, seal, sizeof(seal), failure);
  if (!failure->failed) WriteBytes(output, image, size, failure);
  free(image);
}
