/*
   HDF5 files of images and labels, and the choice among their images.
*/
#include "data_files.h"
#include "hdf5_files.h"
#include "read_data.h"

enum { OPTIONS = FUZZ_FILE_KINDS, KINDS };
static const FuzzHdf5 hdf5 = {.bases = 3};
#define DATA "data.h5"

/* Plain, compressed in chunks, without labels; and one that links lead to. */
static void SetUp(void)
{
  static const long image[3] = {1, 4, 5};
  WriteHdf5(FuzzBasePath(0), 12, image, H5T_STD_U8LE, 0);
  WriteHdf5(FuzzBasePath(1), 12, image, H5T_STD_I64LE, 5);
  WriteHdf5Images(FuzzBasePath(2), 12, image, 0);
  WriteHdf5(FuzzPath("outside"), 12, image, H5T_STD_U8LE, 0);
}

/* What HDF5 has open for us. */
static hsize_t CountOpen(void)
{
  static const H5I_type_t kinds[] = {H5I_FILE, H5I_GROUP, H5I_DATASET, H5I_ATTR, H5I_DATASPACE, H5I_GENPROP_LST};
  hsize_t count, all = 0;
  for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
    if (H5Inmembers(kinds[k], &count) >= 0) all += count;
  return all;
}

static PetscErrorCode Read(const FuzzInput *input)
{
  FuzzMakeHdf5(&hdf5, input, DATA);
  const hsize_t open = CountOpen();
  const PetscErrorCode code = FuzzReadData(FuzzPath(DATA), FuzzFind(input, OPTIONS));
  FuzzRequire(CountOpen() == open, "an object of HDF5 is left open");
  return code;
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read};
