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

/* The branch that the filters are to be of, and its regions. */
typedef struct {
  PsdPatches patches;
  PetscInt f, first, end;
} Source;

static PetscErrorCode FindSource(PsdNetwork network, PetscInt wanted, Source *source)
{
  PetscInt branches, G;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetBranchCount(network->patches, &branches));
  PsdCheckInput(
      wanted > 0 || branches == 1,
      "the network whose filters are to be taken has several branches, expected -layer1_branch 1 to %" PetscInt_FMT,
      branches);
  PsdCheckInput(wanted <= branches,
                "option -layer1_branch: found %" PetscInt_FMT ", but the network has %" PetscInt_FMT " branch%s",
                wanted, branches, branches > 1 ? "es" : "");
  source->end = 0;
  for (PetscInt b = 0; b < PetscMax(1, wanted); b++) {
    PetscCall(PsdPatchesGetBranch(network->patches, b, &source->patches));
    PetscCall(PsdPatchesGetSizes(source->patches, NULL, &source->f, &G, NULL));
    source->first = source->end;
    source->end += G;
  }
  PetscFunctionReturn(0);
}

/* K of the branch's filters, and how many there are. */
static PetscErrorCode Heaviest(PsdNetwork network, const Source *source, PetscInt K, PetscReal filters[],
                               PetscInt *count)
{
  const size_t f = (size_t)source->f;
  Heavy *heavy;

  PetscFunctionBeginUser;
  *count = 0;
  PetscCall(PetscMalloc1(network->N, &heavy));
  for (PetscInt k = 0; k < network->N; k++)
    if (network->regions[k] >= source->first && network->regions[k] < source->end)
      heavy[(*count)++] = (Heavy){PetscAbsReal(network->weights[k]), k};
  qsort(heavy, (size_t)*count, sizeof(*heavy), Compare);
  for (PetscInt k = 0; k < PetscMin(K, *count); k++)
    PetscCall(PetscArraycpy(filters + k * f, network->filters + (size_t)heavy[k].neuron * network->f, f));
  PetscCall(PetscFree(heavy));
  PetscFunctionReturn(0);
}

/* The stage that a branch is cut behind; NULL: none. */
static PetscErrorCode StageOf(PsdNetwork network, PetscInt number, PsdMaps *stage)
{
  PetscInt stages = 0;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetMaps(network->patches, stage));
  if (*stage) PetscCall(PsdMapsGetDepth(*stage, &stages));
  for (; number > 0 && stages > number; stages--) PetscCall(PsdMapsGetBelow(*stage, stage));
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
  PsdMapRequest request;
  const PetscReal *transform, *mean;
  PetscReal *filters;
  PetscInt count;
  Source source = {.patches = NULL};
  PsdMaps stage;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckHandle(maps);
  PetscCall(PsdMapsGetRequest(maps, &request));
  PetscCall(PsdMapsGetGeometry(maps, &own, &map));
  PetscCall(FindSource(network, request.branch, &source));
  PetscCall(PsdPatchesGetGeometry(source.patches, &cut));
  PsdCheckInput(!cut.responses,
                "the neurons that are to be filters are of responses, expected those of a branch on a map");
  PetscCall(PsdPatchesGetTransform(source.patches, &transform, &mean));
  PetscCall(PetscMalloc1((size_t)map.count * source.f, &filters));
  PetscCall(Heaviest(network, &source, map.count, filters, &count));
  if (count < map.count) PetscCall(PetscFree(filters));
  PsdCheckInput(count >= map.count,
                "the network whose filters are to be taken has %" PetscInt_FMT " neurons, expected %" PetscInt_FMT
                " at least, as of -layer1_count",
                count, map.count);
  PetscCall(StageOf(network, cut.stage, &stage));
  if (stage) PetscCall(PsdMapsSetBelow(maps, stage));
  PetscCall(TellOrigin(network, maps));
  cut.pool = own.pool;
  cut.overlap = cut.shared = cut.stage = cut.begin = 0;
  cut.lift = PSD_LIFT_QUADRATIC; /* of no meaning in a stage */
  PetscCall(PsdMapsSetGeometry(maps, &cut, &map));
  PetscCall(PsdMapsSetFilters(maps, source.f, transform, mean, filters));
  PetscCall(PetscFree(filters));
  PetscFunctionReturn(0);
}
