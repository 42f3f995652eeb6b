/*
   The linear change of coordinates x = (p - mean) transform that -whiten and -pca ask for, made of the covariance of
   all patches of all images. Its statistics are the sum of the moments (lift.h) of all regions, each as often as it
   has patches.
*/
#ifndef PSD_TRANSFORM_PRIVATE_H
#define PSD_TRANSFORM_PRIVATE_H

#include <psdpatches.h>
#include "base/visitor.h"

/* Whether a transform was asked for whose statistics have not been computed yet. Not collective. */
PetscBool PsdPatchesNeedStatistics(PsdPatches patches);

/* Numbers in the statistics: a packed upper triangle of order q+1, branch after branch. */
PetscInt PsdPatchesStatisticsLength(PsdPatches patches);
/* PsdPatchesAddStatistics - adds `weight` times the moments of one image, the last that PsdPatchesMoments was called for, to sum,
   which starts from zeros. Not collective. */
void PsdPatchesAddStatistics(PsdPatches patches, const PetscReal moments[], PetscReal weight, PetscReal sum[]);
/* PsdPatchesSetStatistics - makes the transform of the sum over all images, which only rank 0 needs to have, and may
   change. Collective. Input errors: patches that are all alike, or overflow. */
PetscErrorCode PsdPatchesSetStatistics(PsdPatches patches, PetscReal sum[]);

/* PsdPatchesVisit - the transform of every branch that has one, in a file that a run is continued from (patches_state.c); a
   transform that is there already stays when one is read. Collective. */
struct _p_PsdVisitor;
PetscErrorCode PsdPatchesVisit(PsdPatches patches, struct _p_PsdVisitor *visitor);

/* How large the numbers of patches can be, as far as that is known before any is cut: of raw patches and of those of
   the program the least and the largest over branches, and the largest of the program's, x. */
typedef struct {
  PetscReal least, largest, x;
} PsdPatchRange;

/* PsdPatchesGetRange - what -pixel_shift ... -whiten or a transform say of it. A normalised or whitened patch is
   measured by the deviation of its numbers. After PsdPatchesSetImageSize or PsdPatchesSetGeometry. Not collective. */
void PsdPatchesGetRange(PsdPatches patches, PsdPatchRange *range);

#endif
