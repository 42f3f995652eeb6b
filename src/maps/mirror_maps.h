/*
   Maps of mirror images (docs/mathematics.md, section 2, "Mirror images: maps"), for those who have images and mirror images
   as samples.
*/
#ifndef PSD_MIRROR_MAPS_PRIVATE_H
#define PSD_MIRROR_MAPS_PRIVATE_H

#include <psdmaps.h>

/* PsdMapsAreMirrored - whether the map of a mirror image is made of the image's, by PsdMapsMirror: of one stage, whose filters
   come, or will come, with their mirror images. Not collective. */
PetscBool PsdMapsAreMirrored(PsdMaps maps);

/* PsdMapsMirror - mirrored <- what PsdMapsApply gives for the mirror image of an image, for which it has given map. Not
   collective. */
void PsdMapsMirror(PsdMaps maps, const float map[], float mirrored[]);

/* PsdMapsTellMirror - tells a branch, whose place among the maps is known, what becomes of channels in mirrored maps. Not
   collective. */
void PsdMapsTellMirror(PsdMaps maps, PsdPatches branch);

/* PsdMapsMirrorFilters - the second half of filters (K x f) <- mirror images of the first, where that was asked for.
   PsdMapsAddMirrors - both halves <- their sum with the mirror images of the other half. Not collective; the transform of the
   patches is there. */
PetscErrorCode PsdMapsMirrorFilters(PsdMaps maps, PetscReal filters[]);
PetscErrorCode PsdMapsAddMirrors(PsdMaps maps, PetscReal filters[]);

#endif
