/*
   What exchanging left and right does to maps (docs/mathematics.md, section 2, "Mirror images: maps").

   When every filter comes with its mirror image, the response of filter k to a mirrored patch is that of its mirror image
   to the patch: the map of a mirrored image is the image's, mirrored, with its channels in another order. Principal
   components of channels that are even or odd keep their places, up to a sign. Where images and mirror images are
   samples, the map of a mirror image is made in this way, so that it is exact. Whether filters are so is seen from
   their numbers, whatever file they are from.
*/
#include "mirror_maps.h"
#include "base/base.h"
#include "maps_impl.h"
#include "patches/mirror.h"

PetscBool PsdMapsAreMirrored(PsdMaps maps)
{
  if (maps->lower) return PETSC_FALSE;
  return PsdMapsHaveAll(maps) ? maps->closed : maps->mirror;
}

/* ---------------------------------------------------------------- filters */

/* What mirroring a patch does to its coordinates; patches: of one region at least. To be freed. */
static PetscErrorCode Coordinates(PsdPatches patches, PsdRegionMirror *mirror)
{
  PetscFunctionBeginUser;
  PetscInt f;
  PetscCall(PsdPatchesGetSizes(patches, NULL, &f, NULL, NULL));
  PetscCall(PetscMalloc2(f, &mirror->coordinate, f, &mirror->sign));
  PsdPatchesGetMirror(patches, 0, mirror);
  PetscFunctionReturn(0);
}

static PetscErrorCode FreeCoordinates(PsdRegionMirror *mirror)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(mirror->coordinate, mirror->sign));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsMirrorFilters(PsdMaps maps, PetscReal filters[])
{
  PetscFunctionBeginUser;
  PsdRegionMirror mirror;
  PetscInt f;
  if (!maps->mirror) PetscFunctionReturn(0);
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  PetscCall(Coordinates(maps->patches, &mirror));
  PetscReal *other = filters + (size_t)(maps->map.count / 2) * f;
  for (PetscInt k = 0; k < maps->map.count / 2; k++, filters += f, other += f)
    for (PetscInt i = 0; i < f; i++) other[i] = mirror.sign[i] * filters[mirror.coordinate[i]];
  PetscCall(FreeCoordinates(&mirror));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsAddMirrors(PsdMaps maps, PetscReal filters[])
{
  PetscFunctionBeginUser;
  PsdRegionMirror mirror;
  PetscReal *first = filters;
  PetscInt f;
  if (!maps->mirror) PetscFunctionReturn(0);
  PetscCall(PsdPatchesGetSizes(maps->patches, NULL, &f, NULL, NULL));
  PetscCall(Coordinates(maps->patches, &mirror));
  const PetscReal *other = filters + (size_t)(maps->map.count / 2) * f;
  for (PetscInt k = 0; k < maps->map.count / 2; k++, first += f, other += f)
    for (PetscInt i = 0; i < f; i++) first[i] += mirror.sign[i] * other[mirror.coordinate[i]];
  PetscCall(FreeCoordinates(&mirror));
  PetscCall(PsdMapsMirrorFilters(maps, filters));
  PetscFunctionReturn(0);
}

/* Whether the second half of the filters are the mirror images of the first, exactly. */
static PetscErrorCode FiltersAreMirrored(PsdMaps maps, PetscBool *mirrored)
{
  PetscFunctionBeginUser;
  const PetscInt half = maps->map.count / 2, f = maps->f;
  const PetscReal *filter = maps->filters, *other = filter + (size_t)half * f;
  PsdRegionMirror mirror;
  *mirrored = (PetscBool)(!maps->lower && maps->map.count % 2 == 0 && PsdPatchesAreSymmetric(maps->patches));
  if (!*mirrored) PetscFunctionReturn(0);
  PetscCall(Coordinates(maps->patches, &mirror));
  for (PetscInt k = 0; k < half; k++, filter += f, other += f)
    for (PetscInt i = 0; i < f; i++)
      *mirrored = (PetscBool)(*mirrored && other[i] == mirror.sign[i] * filter[mirror.coordinate[i]]);
  PetscCall(FreeCoordinates(&mirror));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- channels */

/* That regions are symmetric, whatever their transform will be. */
static PetscErrorCode CheckRequest(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const PsdPatchGeometry *cut = &maps->cut;
  PsdCheckInput(maps->map.count % 2 == 0,
                "option -layer1_mirror: found %" PetscInt_FMT " filters (-layer1_count), expected an even number",
                maps->map.count);
  PsdCheckInput((cut->width - cut->patch_width) % cut->stride == 0,
                "option -layer1_mirror: patches of %" PetscInt_FMT " pixels, one every %" PetscInt_FMT
                ", in images of %" PetscInt_FMT " columns are not their own mirror image: see -layer1_stride",
                cut->patch_width, cut->stride, cut->width);
  PetscFunctionReturn(0);
}

/* Channel c of z and of -z is that of filter c; the halves of the filters change places. */
PetscErrorCode PsdMapsSetUpMirror(PsdMaps maps)
{
  PetscFunctionBeginUser;
  const PetscInt raw = maps->raw_channels, k = PsdMapsChannels(maps), half = maps->map.count / 2;
  PetscCall(PetscFree4(maps->raw_channel, maps->raw_sign, maps->channel, maps->channel_sign));
  PetscCall(PetscMalloc4(raw, &maps->raw_channel, raw, &maps->raw_sign, k, &maps->channel, k, &maps->channel_sign));
  for (PetscInt c = 0; c < raw; c++) {
    maps->raw_channel[c] = c % maps->map.count < half ? c + half : c - half;
    maps->raw_sign[c] = 1;
  }
  for (PetscInt c = 0; c < k; c++) {
    maps->channel[c] = maps->channels ? c : maps->raw_channel[c];
    maps->channel_sign[c] = 1;
  }
  if (maps->channels) PsdPatchesSetChannelMirror(maps->channels, maps->raw_channel, maps->raw_sign);
  if (!maps->mirror) PetscFunctionReturn(0);
  PetscCall(CheckRequest(maps));
  PsdPatchesSetMirrored(maps->patches);
  if (maps->channels) PsdPatchesSetMirrored(maps->channels);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsFindMirror(PsdMaps maps)
{
  PetscFunctionBeginUser;
  PsdRegionMirror mirror;
  maps->closed = PETSC_FALSE;
  if (!PsdMapsHaveAll(maps)) PetscFunctionReturn(0);
  PetscCall(FiltersAreMirrored(maps, &maps->closed));
  if (!maps->closed || !maps->channels) PetscFunctionReturn(0);
  maps->closed = PsdPatchesAreSymmetric(maps->channels);
  if (!maps->closed) PetscFunctionReturn(0);
  PetscCall(Coordinates(maps->channels, &mirror));
  PetscCall(PetscArraycpy(maps->channel, mirror.coordinate, PsdMapsChannels(maps)));
  PetscCall(PetscArraycpy(maps->channel_sign, mirror.sign, PsdMapsChannels(maps)));
  PetscCall(FreeCoordinates(&mirror));
  PetscFunctionReturn(0);
}

void PsdMapsTellMirror(PsdMaps maps, PsdPatches branch)
{
  PsdPatchGeometry g;
  (void)PsdPatchesGetGeometry(branch, &g);
  if (!PsdMapsAreMirrored(maps)) return;
  if (g.responses) PsdPatchesSetChannelMirror(branch, maps->raw_channel, maps->raw_sign);
  else PsdPatchesSetChannelMirror(branch, maps->channel, maps->channel_sign);
}

/* ---------------------------------------------------------------- maps */

/* channels x side x side numbers */
static void MirrorImage(PetscInt channels, PetscInt side, const PetscInt channel[], const PetscReal sign[],
                        const float image[restrict], float mirrored[restrict])
{
  for (PetscInt c = 0; c < channels; c++) {
    const float *restrict from = image + (size_t)channel[c] * (size_t)(side * side);
    for (PetscInt row = 0; row < side; row++, from += side)
      for (PetscInt column = 0; column < side; column++) *mirrored++ = (float)sign[c] * from[side - 1 - column];
  }
}

void PsdMapsMirror(PsdMaps maps, const float map[], float mirrored[])
{
  MirrorImage(PsdMapsChannels(maps), maps->cut.pool, maps->channel, maps->channel_sign, map, mirrored);
  if (!maps->responses_handed[0]) return;
  MirrorImage(maps->raw_channels, maps->map.responses, maps->raw_channel, maps->raw_sign, map + PsdMapsNumbers(maps),
              mirrored + PsdMapsNumbers(maps));
}
