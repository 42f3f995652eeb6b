/*
   Images as patches see them: bytes of the data set, or maps, kept or made again. Where images are followed by their mirror
   images and filters come in pairs, the map of a mirror image is that of the image, mirrored (mirror_maps.h), and is not kept.
*/
#include "images.h"
#include "mirror_maps.h"

struct _p_PsdImages {
  PsdData data;
  PsdMaps maps; /* borrowed; NULL: bytes */
  const unsigned char *bytes;
  size_t image_bytes, map_length;
  PetscInt copies; /* samples that share a map */
  PetscInt last;   /* the map that is there, where one is; -1: none */
  PetscBool kept;
  PetscBool *made; /* of those that are kept */
  float *map;      /* all, or one */
  float *mirrored; /* work: one */
};

PetscErrorCode PsdImagesCreate(PsdData data, PsdPatches patches, size_t memory, PsdImages *images)
{
  PetscFunctionBeginUser;
  PsdImages it;
  PetscInt n;
  PetscCall(PetscNew(&it));
  it->data = data;
  it->copies = 1;
  it->last = -1;
  PetscCall(PsdPatchesGetMaps(patches, &it->maps));
  PetscCall(PsdDataGetShard(data, &it->bytes, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, &it->image_bytes));
  *images = it;
  if (!it->maps) PetscFunctionReturn(0);
  PetscCall(PsdDataGetSizes(data, NULL, &n, NULL));
  PetscCall(PsdMapsGetLength(it->maps, &it->map_length));
  if (PsdMapsAreMirrored(it->maps)) PetscCall(PsdDataGetCopies(data, &it->copies));
  n /= it->copies;
  if (it->copies > 1) PetscCall(PetscMalloc1(it->map_length, &it->mirrored));
  it->kept = (PetscBool)(n * it->map_length * sizeof(float) <= memory);
  PetscCall(PetscCalloc1(it->kept ? n : 0, &it->made));
  PetscCall(PetscMalloc1(it->map_length * (it->kept ? n : 1), &it->map));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdImagesDestroy(PsdImages *images)
{
  PetscFunctionBeginUser;
  if (!*images) PetscFunctionReturn(0);
  PetscCall(PetscFree((*images)->made));
  PetscCall(PetscFree((*images)->map));
  PetscCall(PetscFree((*images)->mirrored));
  PetscCall(PetscFree(*images));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdImagesFit(PsdImages it)
{
  PetscFunctionBeginUser;
  if (it->maps) PetscCall(PsdMapsFit(it->maps, it->data));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdImagesGet(PsdImages it, PetscInt i, const void **image)
{
  PetscFunctionBeginUser;
  const PetscInt own = i / it->copies; /* whose map, of those that are made */
  const unsigned char *bytes = it->bytes + (size_t)own * (size_t)it->copies * it->image_bytes;
  if (!it->maps) {
    *image = bytes;
    PetscFunctionReturn(0);
  }
  float *map = it->map + (it->kept ? (size_t)own * it->map_length : 0);
  const PetscBool there = it->kept ? it->made[own] : (PetscBool)(it->copies > 1 && it->last == own);
  if (!there) PetscCall(PsdMapsApply(it->maps, bytes, map));
  if (it->kept) it->made[own] = PETSC_TRUE;
  it->last = own;
  *image = map;
  if (i == own * it->copies) PetscFunctionReturn(0);
  PsdMapsMirror(it->maps, map, it->mirrored);
  *image = it->mirrored;
  PetscFunctionReturn(0);
}
