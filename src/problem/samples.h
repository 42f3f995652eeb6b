/*
   The forms that samples are kept in: lifted features, folded where images and mirror images share a row
   (symmetry.h), or patches (rows.h).
*/
#ifndef PSD_SAMPLES_PRIVATE_H
#define PSD_SAMPLES_PRIVATE_H

#include "problem.h"

/* PsdProblemIsSymmetric - whether the samples, once lifted, will be folded: images and mirror images, and patches
   that are their own mirror image. Not collective. */
PetscErrorCode PsdProblemIsSymmetric(PsdProblem problem, PetscBool *symmetric);

/* PsdProblemFold - settles the order of A'A: gathers the statistics of the patches where they are wanted, and folds
   mirror images. Collective; a second time does nothing. */
PetscErrorCode PsdProblemFold(PsdProblem problem);

/* PsdProblemLift, PsdProblemKeepPatches - the two forms samples are kept in; one of them, before anything that asks
   for the samples. Lifting a second time does nothing. Collective. */
PetscErrorCode PsdProblemLift(PsdProblem problem);
PetscErrorCode PsdProblemKeepPatches(PsdProblem problem);

/* PsdProblemIsRounded - whether the features that a pass over the samples would be given are rounded to single precision, on
   any rank. Collective. */
PetscErrorCode PsdProblemIsRounded(PsdProblem problem, PetscBool *rounded);

#endif
