/*
   Images as patches see them: bytes of the data set, or maps, kept or made again.
*/
#include "images.h"

struct _p_PsdImages {
  PsdData data;
  PsdMaps maps; /* borrowed; NULL: bytes */
  const unsigned char *bytes;
  size_t image_bytes, map_length;
  PetscBool kept;
  PetscBool *made; /* of those that are kept */
  float *map;      /* all, or one */
};

PetscErrorCode PsdImagesCreate(PsdData data, PsdPatches patches, size_t memory, PsdImages *images)
{
  PetscFunctionBeginUser;
  PsdImages it;
  PetscInt n;
  PetscCall(PetscNew(&it));
  it->data = data;
  PetscCall(PsdPatchesGetMaps(patches, &it->maps));
  PetscCall(PsdDataGetShard(data, &it->bytes, NULL, NULL));
  PetscCall(PsdDataGetImageBytes(data, &it->image_bytes));
  *images = it;
  if (!it->maps) PetscFunctionReturn(0);
  PetscCall(PsdDataGetSizes(data, NULL, &n, NULL));
  PetscCall(PsdMapsGetLength(it->maps, &it->map_length));
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
  const unsigned char *bytes = it->bytes + (size_t)i * it->image_bytes;
  if (!it->maps) {
    *image = bytes;
    PetscFunctionReturn(0);
  }
  float *map = it->map + (it->kept ? (size_t)i * it->map_length : 0);
  if (!it->kept || !it->made[i]) PetscCall(PsdMapsApply(it->maps, bytes, map));
  if (it->kept) it->made[i] = PETSC_TRUE;
  *image = map;
  PetscFunctionReturn(0);
}
