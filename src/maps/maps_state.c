/*
   Filters and transforms of a stage in a file, so that a run that is continued has the same maps, whatever its number of
   ranks, and need not gather statistics again.
*/
#include "maps_state.h"
#include "patches/transform.h"
#include "maps_impl.h"

/* rows x columns, of which the visitor owns what is read. */
static PetscErrorCode Visit(PsdVisitor v, const char name[], PetscInt rows, PetscInt columns, const PetscReal **array)
{
  PetscFunctionBeginUser;
  PetscReal *numbers = (PetscReal *)*array; /* what is written is not changed */
  const size_t count = (size_t)rows * columns;
  if (PsdVisitorIsReading(v)) PetscCall(PsdVisitorWork(v, count * sizeof(PetscReal), &numbers));
  PetscCall(PsdVisitReplicated(v, name, rows, columns, numbers));
  if (PsdVisitorIsReading(v)) PsdVisitorCheckLargest(v, name, (PetscInt64)count, numbers);
  *array = numbers;
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitFilters(PsdMaps maps, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscReal *transform, *mean, *filters;
  PetscInt f;
  PetscCall(PsdMapsGetFilters(maps, &f, &transform, &mean, &filters));
  const PetscBool has =
      PsdVisitorIsReading(v) ? PsdPatchesNeedStatistics(maps->patches) : (PetscBool)(transform != NULL);
  if (has) PetscCall(Visit(v, "/layer1/transform", maps->q, f, &transform));
  if (has) PetscCall(Visit(v, "/layer1/mean", 1, maps->q, &mean));
  PetscCall(Visit(v, "/layer1/filter", maps->map.count, f, &filters));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  PetscCall(PsdVisitorAgree(v));
  PetscCall(PsdMapsSetFilters(maps, f, transform, mean, filters));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitChannels(PsdMaps maps, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const PetscReal *transform, *mean;
  PetscCall(PsdMapsGetChannels(maps, &transform, &mean));
  PetscCall(Visit(v, "/layer1/channel_transform", maps->raw_channels, maps->map.channels, &transform));
  PetscCall(Visit(v, "/layer1/channel_mean", 1, maps->raw_channels, &mean));
  if (!PsdVisitorIsReading(v)) PetscFunctionReturn(0);
  PetscCall(PsdVisitorAgree(v));
  PetscCall(PsdMapsSetChannels(maps, transform, mean));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsVisit(PsdPatches patches, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (maps && PsdMapsAreFitted(maps) != PsdVisitorIsReading(v)) {
    PetscCall(VisitFilters(maps, v));
    if (maps->channels) PetscCall(VisitChannels(maps, v));
    if (PsdVisitorIsReading(v) && maps->mirror && !maps->closed)
      PsdVisitorFail(v, "its filters do not come with their mirror images, as -layer1_mirror has them");
    if (PsdVisitorIsReading(v)) PetscCall(PsdVisitorAgree(v));
  }
  PetscCall(PsdPatchesVisit(patches, v));
  PetscFunctionReturn(0);
}
