/*
   The sizes of a problem, for whatever is computed from sizes alone: costs, and the choices that rest on them.
*/
#ifndef PSD_SIZES_PRIVATE_H
#define PSD_SIZES_PRIVATE_H

#include "cost/cost.h"
#include "problem.h"

/* Samples, whether or not there are any yet. */
typedef struct {
  PetscReal n;     /* with mirror images */
  PetscInt C;      /* scores */
  PetscReal image; /* bytes of one */
  PetscBool flip;  /* every second one is a mirror image */
} PsdSampleShape;

/* PsdProblemPlanSizes - of samples of that shape on so many ranks, with the problem's patches, loss and memory. The
   problem need be neither set up nor have data; the patches have their image size. Not collective. */
PetscErrorCode PsdProblemPlanSizes(PsdProblem problem, const PsdSampleShape *shape, PetscInt ranks, PsdSizes *sizes);

/* PsdProblemFindSizes - the same of a problem that has been set up, of its own samples on its own ranks. Not
   collective. */
PetscErrorCode PsdProblemFindSizes(PsdProblem problem, PsdSizes *sizes);

#endif
