/*
   Numbers 0 .. N-1 dealt out in blocks, in turn, to places: block b is at place b mod places. Rows and columns of a
   matrix that is spread over ranks are.
*/
#ifndef PSD_CYCLIC_PRIVATE_H
#define PSD_CYCLIC_PRIVATE_H

#include <petscsys.h>

/* The number of what place `at` has as `local`. */
static inline PetscInt PsdCyclicNumber(PetscInt local, PetscInt block, PetscMPIInt at, PetscMPIInt places)
{
  return (local / block * places + at) * block + local % block;
}

/* How many a place has; none where there is no such place. */
static inline PetscInt PsdCyclicCount(PetscInt N, PetscInt block, PetscMPIInt at, PetscMPIInt places)
{
  const PetscInt whole = N / block, turns = whole / places, rest = whole % places;
  if (at < 0 || at >= places) return 0;
  return turns * block + (at < rest ? block : 0) + (at == rest ? N % block : 0);
}

#endif
