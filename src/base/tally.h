/*
   Sums and maxima over ranks in one message: whoever needs one adds this rank's part, and one reduction replaces all
   parts by what they are of all ranks.
*/
#ifndef PSD_TALLY_PRIVATE_H
#define PSD_TALLY_PRIVATE_H

#include <petscsys.h>

#define PSD_TALLY_SUMS 24
#define PSD_TALLY_MAXIMA 8

/* Starts from zeros. The places are borrowed until the reduction. */
typedef struct {
  PetscInt sums, maxima;
  PetscReal *sum[PSD_TALLY_SUMS], *maximum[PSD_TALLY_MAXIMA];
} PsdTally;

/* PsdTallySum, PsdTallyMax - one more number, for PsdTallyReduce to replace by its sum or maximum over ranks. All ranks
   add alike. Not collective. */
PetscErrorCode PsdTallySum(PsdTally *tally, PetscReal *number);
PetscErrorCode PsdTallyMax(PsdTally *tally, PetscReal *number);
/* PsdTallyReduce - one collective, and the tally is empty again. Collective. */
PetscErrorCode PsdTallyReduce(MPI_Comm comm, PsdTally *tally);

#endif
