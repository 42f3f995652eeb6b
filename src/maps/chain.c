/*
   Stages one on another (docs/mathematics.md, section 1, "Chains"): which stage a stage stands on, and what is claimed of
   the network that its filters are of.
*/
#include "base/base.h"
#include "maps_impl.h"

#define MOST_NUMBERS 1073741824 /* of the maps that are handed on */

PetscErrorCode PsdMapsGetDepth(PsdMaps maps, PetscInt *stages)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *stages = PsdMapsDepth(maps);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetBelow(PsdMaps maps, PsdMaps below)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PsdCheckHandle(below);
  const PetscInt stages = PsdMapsDepth(below);
  PetscCheck(!maps->lower && !maps->patches && PsdMapsAreFitted(below), maps->comm, PETSC_ERR_ORDER,
             "A stage takes one that is fitted below it, once, and before its own sizes are known");
  PsdCheckInput(stages < PSD_MOST_STAGES, "a chain of %" PetscInt_FMT " stages, expected %d at most", stages + 1,
                PSD_MOST_STAGES);
  PetscCall(PetscMalloc1(PsdMapsNumbers(below), &maps->input));
  PsdSharedHold(below);
  maps->lower = below;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetBelow(PsdMaps maps, PsdMaps *below)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *below = maps->lower;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetImages(PsdMaps maps, PsdPatchGeometry *patches)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *patches = PsdMapsLowest(maps)->cut;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetOrigin(PsdMaps maps, const PsdMapOrigin *origin)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  maps->origin = *origin;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetOrigin(PsdMaps maps, PsdMapOrigin *origin)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *origin = maps->origin;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what is handed on */

/* Numbers of what is handed on, from the last stage's on, as far as they are above the map of the stage. */
static size_t NumbersAbove(PsdMaps maps, PetscInt stage)
{
  size_t numbers = 0;
  PetscInt number = PsdMapsDepth(maps);
  for (PsdMaps each = maps; number > stage; each = each->lower, number--) {
    if (PsdMapsHandsOn(maps, number)) numbers += PsdMapsNumbers(each);
    if (maps->responses_handed[number - 1]) numbers += PsdMapsResponseNumbers(each);
  }
  return numbers;
}

static PsdMaps StageNumber(PsdMaps maps, PetscInt stage)
{
  for (PetscInt number = PsdMapsDepth(maps); number > stage; number--) maps = maps->lower;
  return maps;
}

PetscErrorCode PsdMapsHandOn(PsdMaps maps, PetscInt stage, PetscInt responses)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  const PetscInt stages = PsdMapsDepth(maps);
  PsdCheckInput(stage <= stages,
                "option -stage: found %" PetscInt_FMT ", expected at most %" PetscInt_FMT ", the number of stages",
                stage, stages);
  if (stage == 0) stage = stages;
  PsdCheckInput(!responses || StageNumber(maps, stage)->map.responses > 0,
                "option -responses: found of a branch on stage %" PetscInt_FMT
                ", which keeps none, expected -layer1_responses where that stage is made",
                stage);
  *(responses ? &maps->responses_handed[stage - 1] : &maps->handed[stage - 1]) = PETSC_TRUE;
  PsdCheckInput(NumbersAbove(maps, 0) <= MOST_NUMBERS, "maps of %.0f numbers an image, expected at most %.0f",
                (double)NumbersAbove(maps, 0), (double)MOST_NUMBERS);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetPlace(PsdMaps maps, PetscInt stage, PetscInt responses, PetscInt *channels, PetscInt *height,
                               PetscInt *width, PetscInt *begin)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  if (stage == 0) stage = PsdMapsDepth(maps);
  PsdMaps own = StageNumber(maps, stage);
  size_t before = NumbersAbove(maps, stage);
  if (responses && PsdMapsHandsOn(maps, stage)) before += PsdMapsNumbers(own);
  *channels = responses ? own->raw_channels : PsdMapsChannels(own);
  *height = *width = responses ? own->map.responses : own->cut.pool;
  *begin = (PetscInt)before;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsGetLength(PsdMaps maps, size_t *numbers)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *numbers = NumbersAbove(maps, 0);
  PetscFunctionReturn(0);
}
