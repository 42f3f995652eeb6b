/*
   Where a point of the low-rank solver is not dual feasible, at a level: the polar of each block, and directions along which a
   block that is not right would grow (docs/mathematics.md, "The low-rank solver").
*/
#ifndef PSD_VIOLATIONS_PRIVATE_H
#define PSD_VIOLATIONS_PRIVATE_H

#include "columns.h"
#include "level.h"
#include "problem/problem.h"

typedef struct {
  PetscReal *polar;     /* blocks: the largest form over the filters of the level as computed, or what it is at most */
  PsdColumns direction; /* unit vectors z, [v; w], of blocks that violate */
  PetscReal *mu;        /* of each direction: the multiplier mu of its block */
} PsdViolations;

typedef struct {
  PetscReal beta, tolerance; /* of a polar, relative to beta */
  PetscInt most;             /* directions of a block */
  PetscBool precise;         /* in double precision */
} PsdViolationSettings;

/* PsdViolationsFind - nu: C x n, class after class; mu: 2 mu of all blocks; columns: of the level. Collective. */
PetscErrorCode PsdViolationsFind(PsdProblem problem, PsdLevel level, const PsdColumns *columns, const PetscReal nu[],
                                 const PetscReal mu[], const PsdViolationSettings *settings, PsdViolations *violations);
PetscErrorCode PsdViolationsDestroy(PsdViolations *violations);

#endif
