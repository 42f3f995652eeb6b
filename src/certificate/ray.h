/*
   The dual function on the ray of a dual point: D(s) = -L*(-s W nu), nu without the samples' weights W, whose largest value with s R*(A'nu) <= beta is a
   bound (docs/mathematics.md, section 3).
*/
#ifndef PSD_RAY_PRIVATE_H
#define PSD_RAY_PRIVATE_H

#include "problem/dual_point.h"

typedef struct {
  PsdProblem problem;
  PetscReal linear, quadratic;             /* <W nu,Y> and <W nu,nu>: all there is to know of the squared loss */
  const PetscReal *nu;                     /* other losses: C numbers a sample, in the domain; NULL: squared loss */
  PsdRepresentatives samples;              /* those that nu is of */
  PetscReal linear_error, quadratic_error; /* bounds of the errors of the two sums; 0 for those who only follow */
} PsdDualRay;

/* PsdDualRayOf - of a point that the pass over the samples has evaluated, sample by sample. Not collective. */
PsdDualRay PsdDualRayOf(PsdProblem problem, const PsdDualPoint *point);

/* PsdDualAlongRay - the largest value of -L*(-s nu) over 0 <= s <= limit, or near it; at least 0. rounding: a bound
   of what rounding did to it. Collective. */
PetscErrorCode PsdDualAlongRay(const PsdDualRay *ray, PetscReal limit, PetscReal *value, PetscReal *rounding);
/* PsdDualBestOnRay - the same, and where it is found. PsdDualOnRay - the value at one s; -infinity outside the domain.
   Collective. */
PetscErrorCode PsdDualBestOnRay(const PsdDualRay *ray, PetscReal limit, PetscReal *s, PetscReal *value,
                                PetscReal *rounding);
PetscErrorCode PsdDualOnRay(const PsdDualRay *ray, PetscReal s, PetscReal *value, PetscReal *rounding);
/* PsdDualOfPoint - -L*(-nu). Collective. */
PetscErrorCode PsdDualOfPoint(const PsdDualRay *ray, PetscReal *value);
/* The largest value of s linear - s^2 quadratic/2 over 0 <= s <= limit. */
PetscReal PsdParabolaAlongRay(PetscReal linear, PetscReal quadratic, PetscReal limit);

#endif
