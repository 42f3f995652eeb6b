/*
   Guards before the data sets of an HDF5 file (hdf5_guard.h). HDF5 follows links, external storage and virtual data sets to
   any file there is, makes up numbers that were never written, and allocates what a few bytes claim.
*/
#include "hdf5_guard.h"

#define MOST_AXES 4
#define DEFLATE_RATIO 1032 /* deflate makes at most 258 bytes of two bits */

void PsdHdf5CheckLink(hid_t file, const char path[], const char name[], PsdFailure *failure)
{
  H5L_info_t link;

  if (H5Lget_info(file, name, &link, H5P_DEFAULT) < 0)
    PsdFailureRecord(failure, "%s: the link /%s is damaged", path, name);
  else if (link.type != H5L_TYPE_HARD)
    PsdFailureRecord(failure, "%s: /%s is a link to %s, expected a data set", path, name,
                     link.type == H5L_TYPE_SOFT ? "another name" : "another file");
}

/* NULL, or what keeps its numbers from being in the file. */
static const char *FindFault(hid_t creation)
{
  const H5D_layout_t layout = H5Pget_layout(creation);

  if (layout == H5D_VIRTUAL) return "is virtual";
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) return "has a layout of another kind";
  if (H5Pget_external_count(creation) != 0) return "has its numbers in other files";
  const int filters = H5Pget_nfilters(creation);
  for (int k = 0; k < filters; k++) {
    unsigned flags, config;
    size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)k, &flags, &values, NULL, 0, NULL, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE)
      return "was filtered by other than gzip and shuffle";
  }
  return filters < 0 ? "has filters that cannot be read" : NULL;
}

void PsdHdf5CheckLayout(hid_t dataset, const char path[], const char name[], PsdFailure *failure)
{
  const hid_t creation = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
  const char *fault = creation < 0 || type < 0 ? "is damaged" : FindFault(creation);

  if (!fault && H5Tcommitted(type) != 0) fault = "has a type of its own in the file";
  if (fault) PsdFailureRecord(failure, "%s: /%s %s, expected numbers in this file", path, name, fault);
  if (type >= 0) (void)H5Tclose(type);
  if (creation >= 0) (void)H5Pclose(creation);
}

/* ---------------------------------------------------------------- storage */

typedef struct {
  int axes;
  hsize_t extent[MOST_AXES], chunk[MOST_AXES]; /* without chunks, that of all numbers */
  PetscBool chunked, deflated;
  double bytes;           /* of one number */
  double stored, in_file; /* bytes of the data set in the file, and of the file */
} Storage;

/* That of a file on disk; 0 when HDF5 cannot say. */
static double FileBytes(hid_t dataset)
{
  hsize_t bytes = 0;
  const hid_t file = H5Iget_file_id(dataset);

  if (file < 0 || H5Fget_filesize(file, &bytes) < 0) bytes = 0;
  if (file >= 0) (void)H5Fclose(file);
  return (double)bytes;
}

static PetscBool Describe(hid_t dataset, hid_t space, hid_t type, hid_t creation, Storage *it)
{
  if (space < 0 || type < 0 || creation < 0) return PETSC_FALSE;
  it->axes = H5Sget_simple_extent_ndims(space);
  if (it->axes < 1 || it->axes > MOST_AXES || H5Sget_simple_extent_dims(space, it->extent, NULL) < 0)
    return PETSC_FALSE;
  it->chunked = (PetscBool)(H5Pget_layout(creation) == H5D_CHUNKED);
  it->deflated = (PetscBool)(H5Pget_nfilters(creation) > 0);
  for (int k = 0; k < it->axes; k++) it->chunk[k] = PetscMax(1, it->extent[k]);
  if (it->chunked && H5Pget_chunk(creation, it->axes, it->chunk) != it->axes) return PETSC_FALSE;
  it->bytes = (double)H5Tget_size(type);
  it->stored = (double)H5Dget_storage_size(dataset);
  it->in_file = FileBytes(dataset);
  return PETSC_TRUE;
}

static PetscBool ReadStorage(hid_t dataset, Storage *it)
{
  const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset), creation = H5Dget_create_plist(dataset);
  const PetscBool whole = Describe(dataset, space, type, creation, it);

  if (creation >= 0) (void)H5Pclose(creation);
  if (type >= 0) (void)H5Tclose(type);
  if (space >= 0) (void)H5Sclose(space);
  return whole;
}

static double CountChunks(const Storage *it)
{
  double count = 1;

  for (int k = 0; k < it->axes; k++) {
    const hsize_t along = (it->extent[k] + it->chunk[k] - 1) / it->chunk[k];
    count *= (double)along;
  }
  return count;
}

static double ChunkBytes(const Storage *it)
{
  double bytes = it->bytes;

  for (int k = 0; k < it->axes; k++) bytes *= (double)it->chunk[k];
  return bytes;
}

static double CountWritten(hid_t dataset)
{
  hsize_t count = 0;
  const hid_t space = H5Dget_space(dataset);

  if (space < 0 || H5Dget_num_chunks(dataset, space, &count) < 0) count = 0;
  if (space >= 0) (void)H5Sclose(space);
  return (double)count;
}

void PsdHdf5CheckStorage(hid_t dataset, const char path[], const char name[], PsdFailure *failure)
{
  Storage it = {.axes = 0};

  if (!ReadStorage(dataset, &it)) {
    PsdFailureRecord(failure, "%s: the shape of /%s cannot be read", path, name);
    return;
  }
  const double chunks = CountChunks(&it), bytes = chunks * ChunkBytes(&it);
  const double written = it.chunked ? CountWritten(dataset) : (double)(it.stored > 0);
  if (bytes > 0 && written < chunks)
    PsdFailureRecord(failure, "%s: /%s was never written, or not all of it: %.0f of %.0f parts are there", path, name,
                     written, chunks);
  else if (bytes > it.stored * (it.deflated ? DEFLATE_RATIO : 1) || it.stored > it.in_file)
    PsdFailureRecord(
        failure,
        "%s: /%s has %.0f bytes, in %.0f of the file's %.0f: more than there can be, expected a file that is "
        "whole",
        path, name, bytes, it.stored, it.in_file);
}
