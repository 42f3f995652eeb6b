/*
   Networks of numbers that look random and are the same on every rank and in every run, for the tests of the network
   folder.
*/
#ifndef PSD_TEST_NETWORK_SAMPLE_H
#define PSD_TEST_NETWORK_SAMPLE_H

#include "data_files.h"
#include <psdnetwork.h>

typedef struct {
  PsdPatchGeometry geometry;
  PetscInt N, f; /* f: coordinates after the transform; 0: no transform */
  PetscInt count;
} Sample;

static const PetscInt sample_labels[] = {3, 5, 0, 9};

/* numbers in (-1, 1) */
static inline void Fill(uint64_t seed, size_t count, PetscReal values[])
{
  uint64_t state = seed * 2 + 1;
  for (size_t k = 0; k < count; k++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values[k] = (PetscReal)(state >> 11) / (PetscReal)((uint64_t)1 << 52) - 1;
  }
}

static inline void MakeUnit(PetscInt N, PetscInt f, PetscReal filters[])
{
  for (PetscInt k = 0; k < N; k++) {
    PetscReal square = 0;
    for (PetscInt i = 0; i < f; i++) square += filters[k * f + i] * filters[k * f + i];
    for (PetscInt i = 0; i < f; i++) filters[k * f + i] /= PetscSqrtReal(square);
  }
}

static inline PsdPatches SamplePatches(const Sample *sample)
{
  const PsdPatchGeometry *g = &sample->geometry;
  const PetscInt q = g->channels * g->patch_height * g->patch_width;
  PetscReal *transform, *mean;
  PsdPatches patches;
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  MUST(PsdPatchesSetGeometry(patches, g));
  if (!sample->f) return patches;
  MUST(PetscMalloc2(q * sample->f, &transform, q, &mean));
  Fill(1, (size_t)(q * sample->f), transform);
  Fill(2, (size_t)q, mean);
  MUST(PsdPatchesSetTransform(patches, sample->f, transform, mean));
  MUST(PetscFree2(transform, mean));
  return patches;
}

static inline void SampleNeurons(const Sample *sample, PetscInt f, PsdNetwork network)
{
  const PetscInt N = sample->N, G = sample->geometry.pool * sample->geometry.pool;
  const PetscInt C = sample->count == 2 ? 1 : sample->count;
  PetscReal *filters, *weights;
  PetscInt *regions, *classes;
  MUST(PetscMalloc4(N * f + 1, &filters, N + 1, &weights, N + 1, &regions, N + 1, &classes));
  Fill(3, (size_t)(N * f), filters);
  MakeUnit(N, f, filters);
  Fill(4, (size_t)N, weights);
  for (PetscInt k = 0; k < N; k++) {
    regions[k] = (5 * k + 3) % G; /* not sorted */
    classes[k] = 2 * k % 7 % C;
  }
  MUST(PsdNetworkSetNeurons(network, N, f, filters, weights, regions, classes));
  MUST(PetscFree4(filters, weights, regions, classes));
}

static inline PsdNetwork SampleNetwork(const Sample *sample)
{
  const PsdTraining training = {.loss = "squared",
                                .beta = 0.1,
                                .beta_max = 1. / 3,
                                .objective_primal = 1234.5678901234567,
                                .objective_dual = 1234.4,
                                .gap = 1e-4 / 3,
                                .n_train = 50000,
                                .activation = {0.09, 0.5, 0.47}};
  PsdPatches patches = SamplePatches(sample);
  PsdNetwork network;
  PetscInt f;
  MUST(PsdPatchesGetSizes(patches, NULL, &f, NULL, NULL));
  MUST(PsdNetworkCreate(PETSC_COMM_WORLD, &network));
  MUST(PsdNetworkSetPatches(network, patches));
  MUST(PsdPatchesDestroy(&patches));
  SampleNeurons(sample, f, network);
  MUST(PsdNetworkSetClasses(network, sample->count, sample_labels));
  MUST(PsdNetworkSetTraining(network, &training));
  return network;
}

/* Two branches with patches of 4 and of 1 numbers; a neuron of each. */
static inline PsdNetwork TwoBranches(const PetscReal second_filter[4])
{
  const PetscInt labels[2] = {0, 1}, places[2] = {0, 1}, classes[2] = {0, 0};
  const PetscReal filters[8] = {
      0.5, 0.5, 0.5, 0.5, second_filter[0], second_filter[1], second_filter[2], second_filter[3]};
  const PetscReal weights[2] = {1, -1};
  PsdTraining training = {.loss = "squared"};
  PsdNetwork network;
  PsdPatches patches;
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &patches));
  MUST(PsdPatchesSetBranches(patches, 2));
  for (PetscInt b = 0; b < 2; b++) {
    PsdPatches branch;
    MUST(PsdPatchesGetBranch(patches, b, &branch));
    MUST(PsdPatchesSetGeometry(branch, &(PsdPatchGeometry){.channels = 1,
                                                           .height = 4,
                                                           .width = 4,
                                                           .reduce = 1,
                                                           .patch_height = 2 - b,
                                                           .patch_width = 2 - b,
                                                           .stride = 1,
                                                           .pool = 1,
                                                           .pixel_scale = 1}));
  }
  MUST(PsdNetworkCreate(PETSC_COMM_WORLD, &network));
  MUST(PsdNetworkSetPatches(network, patches));
  MUST(PsdNetworkSetClasses(network, 2, labels));
  MUST(PsdNetworkSetNeurons(network, 2, 4, filters, weights, places, classes));
  MUST(PsdNetworkSetTraining(network, &training));
  MUST(PsdPatchesDestroy(&patches));
  return network;
}

#endif
