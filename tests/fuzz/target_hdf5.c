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

static PetscErrorCode Read(const FuzzInput *input)
{
  FuzzMakeHdf5(&hdf5, input, DATA);
  return FuzzReadData(FuzzPath(DATA), FuzzFind(input, OPTIONS));
}

const FuzzTarget FuzzTheTarget = {.kinds = KINDS, .set_up = SetUp, .read = Read};
