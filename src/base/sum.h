/*
   An array of sums in twice the working precision: rounded at the end, they come out the same whatever the order in which
   terms were added and however they were spread over ranks (but for ties closer than 2^-50 of a unit in the last place).
*/
#ifndef PSD_SUM_H
#define PSD_SUM_H

#include <petscsys.h>

typedef struct _p_PsdSum *PsdSum;

PetscErrorCode PsdSumCreate(size_t length, PsdSum *sum);
/* adds x[0..count-1] to entries offset .. offset+count-1 */
void PsdSumAdd(PsdSum sum, size_t offset, size_t count, const PetscReal x[]);
/* total (length) <- the sums over all ranks on rank 0, zeros elsewhere; the sum is spent. Collective. */
PetscErrorCode PsdSumReduce(PsdSum sum, MPI_Comm comm, PetscReal total[]);
PetscErrorCode PsdSumDestroy(PsdSum *sum);

#endif
