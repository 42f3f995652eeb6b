/*
   Filters of one network as those of a stage before the patches of another: the heaviest ones, in the coordinates of the
   patches that they were trained on. Where these are of maps, the stage stands on the one that makes them
   (docs/mathematics.md, section 1, "Chains").
*/
#include "network.h"
#include <stdlib.h>

typedef struct {
  PetscReal weight;
  PetscInt neuron;
} Heavy;

/* The heavier one first, of equals the one with the smaller number. */
static int Compare(const void *a, const void *b)
{
  const Heavy *first = a, *second = b;

  if (first->weight != second->weight) return first->weight > second->weight ? -1 : 1;
  return first->neuron < second->neuron ? -1 : 1;
}

static PetscErrorCode Heaviest(PsdNetwork network, PetscInt K, PetscReal filters[])
{
  const size_t f = (size_t)network->f;
  Heavy *heavy;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(network->N, &heavy));
  for (PetscInt k = 0; k < network->N; k++) heavy[k] = (Heavy){PetscAbsReal(network->weights[k]), k};
  qsort(heavy, (size_t)network->N, sizeof(*heavy), Compare);
  for (PetscInt k = 0; k < K; k++)
    PetscCall(PetscArraycpy(filters + k * f, network->filters + (size_t)heavy[k].neuron * f, f));
  PetscCall(PetscFree(heavy));
  PetscFunctionReturn(0);
}

/* What the network's file claims of it. */
static PetscErrorCode TellOrigin(PsdNetwork network, PsdMaps maps)
{
  const PsdTraining *t = &network->training;
  PsdMapOrigin origin = {
      .neurons = network->N, .beta = t->beta, .primal = t->objective_primal, .bound = t->objective_dual, .gap = t->gap};

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(origin.loss, t->loss, sizeof(origin.loss)));
  PetscCall(PsdMapsSetOrigin(maps, &origin));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGiveFilters(PsdNetwork network, PsdMaps maps)
{
  PsdPatchGeometry own, cut;
  PsdMapGeometry map;
  const PetscReal *transform, *mean;
  PetscReal *filters;
  PetscInt branches;
  PsdMaps stage;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckHandle(maps);
  PetscCall(PsdPatchesGetBranchCount(network->patches, &branches));
  PetscCall(PsdPatchesGetMaps(network->patches, &stage));
  PsdCheckInput(branches == 1,
                "the network whose filters are to be taken has several branches, expected patches of one kind");
  PetscCall(PsdMapsGetGeometry(maps, &own, &map));
  PsdCheckInput(network->N >= map.count,
                "the network whose filters are to be taken has %" PetscInt_FMT " neurons, expected %" PetscInt_FMT
                " at least, as of -layer1_count",
                network->N, map.count);
  PetscCall(PsdPatchesGetGeometry(network->patches, &cut));
  PetscCall(PsdPatchesGetTransform(network->patches, &transform, &mean));
  cut.pool = own.pool;
  cut.overlap = 0;
  cut.lift = PSD_LIFT_QUADRATIC; /* of no meaning in a stage */
  if (stage) PetscCall(PsdMapsSetBelow(maps, stage));
  PetscCall(TellOrigin(network, maps));
  PetscCall(PsdMapsSetGeometry(maps, &cut, &map));
  PetscCall(PetscMalloc1((size_t)map.count * network->f, &filters));
  PetscCall(Heaviest(network, map.count, filters));
  PetscCall(PsdMapsSetFilters(maps, network->f, transform, mean, filters));
  PetscCall(PetscFree(filters));
  PetscFunctionReturn(0);
}
