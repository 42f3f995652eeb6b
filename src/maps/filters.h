/*
   What kinds of filters share (filters.c), and the improvement of random ones by k-means (kmeans.c).
*/
#ifndef PSD_MAP_FILTERS_PRIVATE_H
#define PSD_MAP_FILTERS_PRIVATE_H

#include <stdint.h>
#include "maps_impl.h"

/* PsdMapsDraw - number k of a sequence that looks random: the generator SplitMix64. Not collective. */
static inline uint64_t PsdMapsDraw(PetscInt64 seed, PetscInt64 k)
{
  uint64_t z = ((uint64_t)seed << 40) + (uint64_t)(k + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* PsdMapsMakeUnit - rows of length 1, but for those that are 0: their responses are -t everywhere, and no neuron sees them.
   Not collective. */
static inline void PsdMapsMakeUnit(PetscInt K, PetscInt f, PetscReal filters[])
{
  for (PetscInt k = 0; k < K; k++, filters += f) {
    PetscReal square = 0;
    for (PetscInt i = 0; i < f; i++) square += filters[i] * filters[i];
    for (PetscInt i = 0; i < f && square > 0; i++) filters[i] /= PetscSqrtReal(square);
  }
}

/* PsdMapsTransform - x (count x f) of raw patches (count x q), which are changed. Not collective. respond.c */
PetscErrorCode PsdMapsTransform(PsdMaps maps, PetscInt count, PetscReal raw[], PetscReal x[]);

/* PsdMapsImproveFilters - by k-means, from filters that are the same on all ranks. Collective. */
PetscErrorCode PsdMapsImproveFilters(PsdMaps maps, PsdData data, PetscReal filters[]);

#endif
