/*
   The checksum of what several ranks hold, for telling whether two runs are about the same numbers.

   CRC-32 of consecutive parts combine to that of the whole, so that it does not depend on the number of ranks.
*/
#include "base.h"
#include <stdint.h>
#include <zlib.h>

PetscErrorCode PsdChecksumRanks(MPI_Comm comm, const void *bytes, size_t count, unsigned *checksum)
{
  PetscFunctionBeginUser;
  const uint64_t mine[2] = {crc32_z(0, bytes, count), count};
  PetscMPIInt ranks;
  uint64_t *all;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMalloc1(2 * ranks, &all));
  PetscCallMPI(MPI_Allgather(mine, 2, MPI_UINT64_T, all, 2, MPI_UINT64_T, comm));
  *checksum = 0;
  for (PetscMPIInt r = 0; r < ranks; r++)
    *checksum = (unsigned)crc32_combine(*checksum, all[2 * (size_t)r], (z_off_t)all[2 * (size_t)r + 1]);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}
