/*
   A driver for HDF5's files (its "virtual file layer") that keeps what is written as a list of pieces.

   HDF5 cannot let go of a file that it could not write, and crashes over it when MPI ends. With this driver it meets no
   disk, and so no errors of one. What it writes is a few kilobytes, as the arrays of a file have places but no contents yet,
   however large they are; HDF5's own driver for files in memory would take memory for these as well.
*/
#include "hdf5_sparse.h"
#include <stdlib.h>
#include <string.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

struct _p_PsdH5Piece {
  PsdH5Piece next;
  haddr_t offset;
  size_t count;
  unsigned char bytes[];
};

typedef struct {
  H5FD_t base; /* HDF5's own */
  PsdH5Sparse *sparse;
  haddr_t allocated;
} Open;

static H5FD_t *OpenFile(const char name[], unsigned flags, hid_t access, haddr_t most)
{
  PsdH5Sparse *const *sparse = H5Pget_driver_info(access);
  Open *file = calloc(1, sizeof(*file));

  (void)name, (void)flags, (void)most;
  if (!sparse || !file) {
    free(file);
    return NULL;
  }
  file->sparse = *sparse;
  return &file->base;
}

static herr_t CloseFile(H5FD_t *base)
{
  Open *file = (Open *)base;

  file->sparse->end = PetscMax(file->sparse->end, file->allocated);
  free(file);
  return 0;
}

static haddr_t GetAllocated(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const Open *)base)->allocated;
}

static herr_t SetAllocated(H5FD_t *base, H5FD_mem_t type, haddr_t end)
{
  (void)type;
  ((Open *)base)->allocated = end;
  return 0;
}

static haddr_t GetEnd(const H5FD_t *base, H5FD_mem_t type)
{
  (void)type;
  return ((const Open *)base)->sparse->end;
}

/* The part of a piece that lies in count bytes from `offset` on. */
static void CopyPart(PsdH5Piece piece, haddr_t offset, size_t count, unsigned char bytes[])
{
  const haddr_t begin = PetscMax(offset, piece->offset), end = PetscMin(offset + count, piece->offset + piece->count);

  if (begin < end) memcpy(bytes + (begin - offset), piece->bytes + (begin - piece->offset), (size_t)(end - begin));
}

static herr_t Read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t count, void *bytes)
{
  (void)type, (void)transfer;
  memset(bytes, 0, count);
  for (PsdH5Piece piece = ((Open *)base)->sparse->first; piece; piece = piece->next)
    CopyPart(piece, offset, count, bytes);
  return 0;
}

static herr_t Write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t count, const void *bytes)
{
  PsdH5Sparse *it = ((Open *)base)->sparse;
  PsdH5Piece piece = malloc(sizeof(*piece) + count);

  (void)type, (void)transfer;
  if (!piece) return -1;
  piece->next = NULL;
  piece->offset = offset;
  piece->count = count;
  memcpy(piece->bytes, bytes, count);
  if (it->latest) it->latest->next = piece;
  else it->first = piece;
  it->latest = piece;
  it->end = PetscMax(it->end, offset + count);
  return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)512, /* the first that is no library's own */
#endif
    .name = "psdnet-sparse",
    .maxaddr = HADDR_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(PsdH5Sparse *),
    .open = OpenFile,
    .close = CloseFile,
    .get_eoa = GetAllocated,
    .set_eoa = SetAllocated,
    .get_eof = GetEnd,
    .read = Read,
    .write = Write,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

PetscBool PsdH5SparseUse(PsdH5Sparse *it, hid_t access)
{
  if (it->driver <= 0) it->driver = H5FDregister(&driver);
  return (PetscBool)(it->driver > 0 && access >= 0 && H5Pset_driver(access, it->driver, &it) >= 0);
}

void PsdH5SparseEach(const PsdH5Sparse *it, void (*write)(void *, uint64_t, size_t, const void *), void *context)
{
  for (PsdH5Piece piece = it->first; piece; piece = piece->next)
    (*write)(context, piece->offset, piece->count, piece->bytes);
}

void PsdH5SparseDestroy(PsdH5Sparse *it)
{
  while (it->first) {
    PsdH5Piece next = it->first->next;
    free(it->first);
    it->first = next;
  }
  if (it->driver > 0) (void)H5FDunregister(it->driver);
  memset(it, 0, sizeof(*it));
}
