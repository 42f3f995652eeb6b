/*
   HDF5's reading, by pread. HDF5's own driver keeps a file that the system has failed to close, and HDF5 crashes over it when
   MPI ends: what is lost with the file system then is this process, instead of one line and the others. Nothing is lost by a
   file that was read and not closed.
*/
#define _GNU_SOURCE /* pread */
#include "hdf5_input.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct {
  H5FD_t base; /* HDF5's own */
  int descriptor;
  haddr_t allocated, size;
} Input;

static H5FD_t *OpenFile(const char name[], unsigned flags, hid_t access, haddr_t most)
{
  struct stat found;
  Input *file = calloc(1, sizeof(*file));

  (void)flags, (void)access, (void)most;
  if (!file) return NULL;
  file->descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->descriptor >= 0 && !fstat(file->descriptor, &found) && S_ISREG(found.st_mode)) {
    file->size = (haddr_t)found.st_size;
    return &file->base;
  }
  if (file->descriptor >= 0) (void)close(file->descriptor);
  free(file);
  return NULL;
}

static herr_t CloseFile(H5FD_t *base)
{
  Input *file = (Input *)base;

  (void)close(file->descriptor);
  free(file);
  return 0;
}

static haddr_t GetAllocated(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const Input *)base)->allocated;
}

static herr_t SetAllocated(H5FD_t *base, H5FD_mem_t type, haddr_t end)
{
  (void)type;
  ((Input *)base)->allocated = end;
  return 0;
}

static haddr_t GetSize(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const Input *)base)->size;
}

/* Beyond the end of the file are zeros, as HDF5 has it. */
static herr_t Read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t count, void *bytes)
{
  char *to = bytes;

  (void)type, (void)transfer;
  while (count) {
    const ssize_t done = pread(((Input *)base)->descriptor, to, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return -1;
    if (done == 0) {
      memset(to, 0, count);
      return 0;
    }
    to += done;
    offset += (haddr_t)done;
    count -= (size_t)done;
  }
  return 0;
}

static herr_t Write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t count, const void *bytes)
{
  (void)base, (void)type, (void)transfer, (void)offset, (void)count, (void)bytes;
  return -1;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)513, /* of those that are no library's own */
#endif
    .name = "psdnet-input",
    .maxaddr = HADDR_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .open = OpenFile,
    .close = CloseFile,
    .get_eoa = GetAllocated,
    .set_eoa = SetAllocated,
    .get_eof = GetSize,
    .read = Read,
    .write = Write,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

hid_t PsdH5OpenInput(const char path[])
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), number = H5FDregister(&driver);
  hid_t file = -1;

  if (access >= 0 && number >= 0 && H5Pset_driver(access, number, NULL) >= 0)
    file = H5Fopen(path, H5F_ACC_RDONLY, access);
  const hid_t reason = H5Eget_current_stack(); /* which what follows would take for its own */
  if (access >= 0) (void)H5Pclose(access);
  if (number >= 0) (void)H5FDunregister(number);
  if (reason >= 0) (void)H5Eset_current_stack(reason);
  return file;
}
