/*
   The dual function on the ray of a dual point: D(s) = -L*(-s nu), whose largest value with s R*(A'nu) <= beta is a
   bound (docs/mathematics.md, section 3).
*/
#ifndef PSD_RAY_PRIVATE_H
#define PSD_RAY_PRIVATE_H

#include "problem/problem.h"

typedef struct {
  PsdProblem problem;
  PetscReal linear, quadratic;             /* <nu,Y> and ||nu||^2: all there is to know of the squared loss */
  const PetscReal *nu;                     /* other losses: C numbers a sample, in the domain; NULL: squared loss */
  PsdRepresentatives samples;              /* those that nu is of */
  PetscReal linear_error, quadratic_error; /* bounds of the errors of the two sums; 0 for those who only follow */
} PsdDualRay;

/* PsdDualAlongRay - the largest value of -L*(-s nu) over 0 <= s <= limit, or near it; at least 0. rounding: a bound
   of what rounding did to it. Collective. */
PetscErrorCode PsdDualAlongRay(const PsdDualRay *ray, PetscReal limit, PetscReal *value, PetscReal *rounding);
/* PsdDualOfPoint - -L*(-nu). Collective. */
PetscErrorCode PsdDualOfPoint(const PsdDualRay *ray, PetscReal *value);
/* The largest value of s linear - s^2 quadratic/2 over 0 <= s <= limit. */
PetscReal PsdParabolaAlongRay(PetscReal linear, PetscReal quadratic, PetscReal limit);

#endif
