/*
   The basis B = [V Q] of a block and the vectors B P that M1 is multiplied with, P = [I 0; 0 N] (cone/schur_polar.h).
*/
#ifndef PSD_BLOCK_BASIS_PRIVATE_H
#define PSD_BLOCK_BASIS_PRIVATE_H

#include "block_products.h"
#include "network/neurons.h"

/* PsdBlockBasisMake - fills in Q, own, k, leading, N and mixed of a product whose pair and V are known; Q and N by PetscMalloc.
   neurons: all of the network's, the same on all ranks. least: of the leading vectors, where V has as many. Collective. */
PetscErrorCode PsdBlockBasisMake(MPI_Comm comm, const PsdNeurons *neurons, PetscInt least, PsdBlockProduct *product);

/* PsdBlockBasisFilters - how many neurons are of region g and class t. PsdBlockBasisLeading - how many of K components are among the
   leading vectors. Not collective. */
PetscInt PsdBlockBasisFilters(const PsdNeurons *neurons, PetscInt g, PetscInt t);
PetscInt PsdBlockBasisLeading(PetscInt K, PetscInt least);

#endif
