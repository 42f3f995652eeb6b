/*
   Stages one on another (docs/mathematics.md, section 1, "Chains"): which stage a stage stands on, and what is claimed of
   the network that its filters are of.
*/
#include "base/base.h"
#include "maps_impl.h"

PetscErrorCode PsdMapsGetDepth(PsdMaps maps, PetscInt *stages)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  *stages = 0;
  for (; maps; maps = maps->lower) ++*stages;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetBelow(PsdMaps maps, PsdMaps below)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PsdCheckHandle(below);
  PetscInt stages;
  size_t length;
  PetscCheck(!maps->lower && !maps->patches && PsdMapsAreFitted(below), maps->comm, PETSC_ERR_ORDER,
             "A stage takes one that is fitted below it, once, and before its own sizes are known");
  PetscCall(PsdMapsGetDepth(below, &stages));
  PsdCheckInput(stages < PSD_MOST_STAGES, "a chain of %" PetscInt_FMT " stages, expected %d at most", stages + 1,
                PSD_MOST_STAGES);
  PetscCall(PsdMapsGetLength(below, &length));
  PetscCall(PetscMalloc1(length, &maps->input));
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
