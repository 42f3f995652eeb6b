/*
   A symmetric matrix known by its terms: S = sum over k of weight_k c_k c_k', c_k in R^d belonging to the block of pair_k.
   Blocks of low rank are small in this form, and applying the samples to it costs their rank rather than their order.
*/
#ifndef PSD_FACTORS_PRIVATE_H
#define PSD_FACTORS_PRIVATE_H

#include <petscsys.h>

typedef struct {
  PetscInt d, count, capacity;
  PetscReal *column; /* count x d, row-major; of a smaller block the first numbers of a row alone are meant */
  PetscReal *weight;
  PetscInt *pair;
} PsdFactors;

/* PsdFactorsCreate - an empty list for blocks of order d at most. Not collective. */
PetscErrorCode PsdFactorsCreate(PetscInt d, PsdFactors *factors);
/* PsdFactorsAppend - room for `count` more terms of one pair; returns where their columns and weights go. Not collective. */
PetscErrorCode PsdFactorsAppend(PsdFactors *factors, PetscInt pair, PetscInt count, PetscReal *column[],
                                PetscReal *weight[]);
/* PsdFactorsGather - all ranks' terms on every rank, in rank order; replaces what `all` holds. Collective. */
PetscErrorCode PsdFactorsGather(MPI_Comm comm, const PsdFactors *local, PsdFactors *all);
PetscErrorCode PsdFactorsDestroy(PsdFactors *factors);

#endif
