/*
   What exchanging left and right does to patches (docs/mathematics.md, section 2, "Mirror images").
*/
#ifndef PSD_MIRROR_PRIVATE_H
#define PSD_MIRROR_PRIVATE_H

#include <psdpatches.h>

/* Whether the patches of a mirrored image are those of the image, mirrored, in mirrored regions. After
   PsdPatchesSetImageSize. Not collective. */
PetscBool PsdPatchesAreSymmetric(PsdPatches patches);

/* PsdPatchesSetMirrored - the transform to come is that of images and mirror images alike. Before the statistics; needs
   symmetric patches. Logically collective. */
void PsdPatchesSetMirrored(PsdPatches patches);
PetscBool PsdPatchesAreMirrored(PsdPatches patches);

/* PsdPatchesSetChannelMirror - of patches that are cut of maps: channel c of a mirrored image's map is channel channel[c] of
   the image's, mirrored, times sign[c]. Both are borrowed, and may be filled in until statistics are there. Not collective. */
void PsdPatchesSetChannelMirror(PsdPatches patches, const PetscInt channel[], const PetscReal sign[]);

/* PsdPatchesShareMiddle - has regions be their own mirror images, whatever the grid: two of them may share its middle. Before
   the sizes; of one branch. Not collective. */
void PsdPatchesShareMiddle(PsdPatches patches);

/* Where number k of a raw patch is in the mirrored patch, and the sign that it has there. */
PetscInt PsdPatchesMirrorPixel(PsdPatches patches, PetscInt k);
PetscReal PsdPatchesMirrorSign(PsdPatches patches, PetscInt k);

/* What becomes of region g: coordinate k of a patch of the mirrored image in `region` is sign[k] times coordinate
   coordinate[k] of one of the image in g. */
typedef struct {
  PetscInt region;
  PetscInt *coordinate; /* room for f of the largest branch */
  PetscReal *sign;      /* likewise */
} PsdRegionMirror;
void PsdPatchesGetMirror(PsdPatches patches, PetscInt g, PsdRegionMirror *mirror);

#endif
