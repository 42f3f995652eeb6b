/*
   The objective L(yhat) + beta sum W^2 as a function of the factors F of all blocks, its gradient, and its Hessian times a
   direction (docs/mathematics.md, "The low-rank solver"). Each is one pass over the samples and one sum over the ranks.

   Columns belong to groups that can be moved by themselves: the classes of a loss that is a sum over scores; otherwise
   there is one group. Groups that are not active keep their scores, and their columns are left out of all products.
*/
#ifndef PSD_OBJECTIVE_PRIVATE_H
#define PSD_OBJECTIVE_PRIVATE_H

#include "columns.h"
#include "level.h"
#include "precision.h"
#include "problem/problem.h"

/* What was done so far, in units that do not depend on a clock. */
typedef struct {
  PetscInt64 evaluations, products; /* passes */
  PetscLogDouble columns;           /* of products, as a fraction of all columns that there were then */
} PsdObjectiveCounts;

typedef struct _p_PsdObjective *PsdObjective;

PetscErrorCode PsdObjectiveCreate(PsdProblem problem, PsdObjective *objective);
PetscErrorCode PsdObjectiveDestroy(PsdObjective *objective);

/* PsdObjectiveSet - from now on for these columns of this level, both borrowed, with this beta; nothing is evaluated. Not
   collective. */
PetscErrorCode PsdObjectiveSet(PsdObjective objective, PsdLevel level, const PsdColumns *columns, PetscReal beta);

PetscInt PsdObjectiveGroups(PsdObjective objective);
PetscInt PsdObjectiveGroupOf(PsdObjective objective, PetscInt column);
PsdObjectiveCounts PsdObjectiveGetCounts(PsdObjective objective);

/* PsdObjectiveEvaluate - at F, of the shape of the columns: value of each active group and gradient of its columns; other
   entries stay. Scores and slopes of the active groups are those of F afterwards. precise: in double precision. Collective. */
PetscErrorCode PsdObjectiveEvaluate(PsdObjective objective, PetscBool precise, const PetscBool active[],
                                    const PetscReal F[], PetscReal value[], PetscReal gradient[]);

/* PsdObjectiveHessian - the second derivative at the F evaluated last times a direction, for the columns of active groups, in
   single precision. Collective. */
PetscErrorCode PsdObjectiveHessian(PsdObjective objective, const PetscBool active[], const PetscReal F[],
                                   const PetscReal direction[], PetscReal product[]);

/* PsdObjectiveGrams - what the preconditioner is made of, of the columns of active groups, at the F evaluated last. With g = 2
   a p + b w and h = b p + 2 c w, L'' the loss's second derivative for the class's own score, s the signs:
     V[j, l] = sum over samples of L'' s_j s_l mean of (g_j g_l), over n, for columns of one region and class;
     W[j, l] = sum over samples of L'' s_j s_l (mean of h_j)(mean of h_l), for columns of one class
   with j, l numbers of all columns: count x count, upper triangle. Collective. */
PetscErrorCode PsdObjectiveGrams(PsdObjective objective, const PetscBool active[], const PetscReal F[], PetscReal V[],
                                 PetscReal W[]);

/* PsdObjectiveGetSlope - L'(yhat) of this rank's samples, class after class: C x n. Borrowed. Not collective. */
const PetscReal *PsdObjectiveGetSlope(PsdObjective objective);
/* PsdObjectiveGetScores - yhat, of the same form. */
const PetscReal *PsdObjectiveGetScores(PsdObjective objective);

/* PsdObjectiveSecond - class t's own second derivative at this rank's samples from `first` on. Not collective. */
void PsdObjectiveSecond(PsdObjective objective, PetscInt t, PetscInt first, PetscInt count, PetscReal second[]);

#endif
