/*
   An array on its way from one rank of a communicator to all others, down a tree, while the ranks compute: broadcasts that go on
   when they are looked after. Unlike MPI_Ibcast it is two kinds of messages between two ranks, and so goes on in every MPI
   library in the same way, and can be counted and recorded.
*/
#ifndef PSD_SPREAD_PRIVATE_H
#define PSD_SPREAD_PRIVATE_H

#include <petscsys.h>

#define PSD_SPREAD_CHILDREN 31 /* of ranks that an int counts */

/* Starts from zeros. */
typedef struct {
  MPI_Comm comm;
  PetscMPIInt tag, length;
  PetscReal *array; /* the caller's, to be left alone until PsdSpreadEnd */
  PetscMPIInt children, child[PSD_SPREAD_CHILDREN];
  MPI_Request receipt, sent[PSD_SPREAD_CHILDREN];
  PetscBool root, here; /* here: it has come, and was handed on */
} PsdSpread;

/* PsdSpreadBegin - of `length` numbers, which all know; the root has none of them yet. PsdSpreadGive - on the root: they are in
   array. PsdSpreadLook - hands on what has come. PsdSpreadWait - until it has come; not on the root before it was given.
   PsdSpreadEnd - array may be used for something else: what this rank has handed on is on its way. Several are under way
   at once with tags of their own; those of one tag begin in the same order on all ranks. All wait for nobody but for what they name.
   Collective on comm are Begin and, in the end, Wait and End. */
PetscErrorCode PsdSpreadBegin(MPI_Comm comm, PetscMPIInt root, PetscMPIInt tag, PetscInt length, PetscReal array[],
                              PsdSpread *spread);
PetscErrorCode PsdSpreadGive(PsdSpread *spread);
PetscErrorCode PsdSpreadLook(PsdSpread *spread);
PetscErrorCode PsdSpreadWait(PsdSpread *spread);
PetscErrorCode PsdSpreadEnd(PsdSpread *spread);

#endif
