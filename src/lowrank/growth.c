/*
   With F F' + sum of tau_k z_k z_k' in the place of F F', tau >= 0, the objective is to second order in tau

     sum of tau_k [ sum_i L'_i s q_ik + beta w_k^2 + mu (||v_k||^2 - w_k^2) ]  +  (1/2) sum over samples of L'' (sum of s q_ik tau_k)^2

   with q_ik the mean of a (x.v_k)^2 + b w_k x.v_k + c w_k^2, class by class; its minimiser is found by nonnegative least
   squares. L'' counts as at least a part of what it can be: samples that the loss is linear at now are not so further on.
   Directions that get no weight are given a little, so that Newton's method can make use of them.
*/
#include "growth.h"
#include "base/base.h"
#include "base/gemm.h"
#include "nnls.h"

#define LEAST_SECOND 0.1  /* of the loss's largest second derivative */
#define RIDGE 1e-8        /* of the mean of the model's diagonal, times the number of directions */
#define LEAST_WEIGHT 1e-3 /* of the largest of the class */
#define RISE 1e-3         /* of its value: what a group may rise by */
#define SHORTER 0.1
#define MOST_TRIALS 24

typedef struct {
  PsdObjective objective;
  const PsdColumns *direction;
  const PetscReal *activation, *slope;
  PetscReal least; /* L'' */
  const PetscInt *count;
  PetscInt n;
  float *V, *products, *scaled, *square;
  PetscReal *score, *second;   /* count of a tile x directions; count */
  PetscReal *linear, *hessian; /* directions; directions x directions, upper triangle */
  PetscInt *member;
} Model;

/* score <- s q of the tile's samples for all directions */
static PetscErrorCode Scores(Model *it, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  const PsdColumns *z = it->direction;
  PetscCall(PetscArrayzero(it->score, (size_t)count * z->count));
  for (PetscInt g = 0; g < z->G; g++) {
    const PetscInt K = z->K[g], first = z->first[g], columns = z->first[g + 1] - first, rows = count * it->count[g];
    if (!columns) continue;
    (*PsdSingle.pack)(K, columns, z->F + z->at[first], it->V);
    PetscCall(PsdGemmSingle('T', 'N', rows, columns, K, x[g], K, it->V, K, it->products, rows));
    for (PetscInt j = first; j < first + columns; j++) {
      const PsdColumnScale scale = {it->activation[0], it->activation[1], it->activation[2],
                                    PsdBlockSign(z->block[j]) / (PetscReal)it->count[g]};
      (*PsdSingle.add_scores)(count, it->count[g], scale, z->F[z->at[j + 1] - 1],
                              it->products + (size_t)(j - first) * rows, it->score + (size_t)j * count);
    }
  }
  PetscFunctionReturn(0);
}

/* The directions of class t. */
static PetscInt Members(const PsdColumns *z, PetscInt t, PetscInt member[])
{
  PetscInt members = 0;
  for (PetscInt j = 0; j < z->count; j++)
    if (PsdBlockClass(z, z->block[j]) == t) member[members++] = j;
  return members;
}

static PetscErrorCode AddTile(void *context, PetscInt first, PetscInt count, const void *const x[])
{
  PetscFunctionBeginUser;
  Model *it = context;
  const PsdColumns *z = it->direction;
  PetscCall(Scores(it, count, x));
  for (PetscInt t = 0; t < z->C; t++) {
    const PetscInt members = Members(z, t, it->member);
    const PetscReal *slope = it->slope + (size_t)t * it->n + first;
    if (!members) continue;
    PsdObjectiveSecond(it->objective, t, first, count, it->second);
    for (PetscInt k = 0; k < members; k++) {
      const PetscReal *score = it->score + (size_t)it->member[k] * count;
      float *to = it->scaled + (size_t)k * count;
      for (PetscInt i = 0; i < count; i++) {
        it->linear[it->member[k]] += slope[i] * score[i];
        to[i] = (float)(PetscSqrtReal(PetscMax(it->second[i], it->least)) * score[i]);
      }
    }
    PetscCall(PsdSyrkSingle('T', members, count, it->scaled, count, it->square, members));
    for (PetscInt l = 0; l < members; l++)
      for (PetscInt k = 0; k <= l; k++)
        it->hessian[(size_t)it->member[l] * z->count + it->member[k]] += it->square[(size_t)l * members + k];
  }
  PetscFunctionReturn(0);
}

/* weight <- those of class t */
static PetscErrorCode Weigh(Model *it, PetscInt t, PetscReal beta, const PetscReal mu[], PetscReal weight[])
{
  PetscFunctionBeginUser;
  const PsdColumns *z = it->direction;
  const PetscInt members = Members(z, t, it->member);
  PetscReal *H, *c, *x, trace = 0;
  if (!members) PetscFunctionReturn(0);
  PetscCall(PetscMalloc3((size_t)members * members, &H, members, &c, members, &x));
  for (PetscInt l = 0; l < members; l++) {
    const PetscInt j = it->member[l];
    const size_t last = z->at[j + 1] - 1;
    const PetscReal w = z->F[last];
    PetscReal v = 0;
    for (size_t k = z->at[j]; k < last; k++) v += z->F[k] * z->F[k];
    c[l] = it->linear[j] + beta * w * w + mu[j] * (v - w * w);
    for (PetscInt k = 0; k <= l; k++) H[(size_t)l * members + k] = it->hessian[(size_t)j * z->count + it->member[k]];
    trace += H[(size_t)l * members + l];
  }
  for (PetscInt l = 0; l < members; l++) H[(size_t)l * members + l] += RIDGE * trace + PETSC_SMALL * PETSC_SMALL;
  PetscCall(PsdNonnegative(members, H, c, x));
  for (PetscInt l = 0; l < members; l++) {
    const PetscReal alone = PetscMax(0, -c[l]) / H[(size_t)l * members + l];
    weight[it->member[l]] = PetscMax(x[l], LEAST_WEIGHT * alone);
  }
  PetscCall(PetscFree3(H, c, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode ModelCreate(PsdLevel level, const PsdColumns *z, Model *it)
{
  PetscFunctionBeginUser;
  size_t patches = 0, numbers = 0;
  const size_t tile = (size_t)PsdLevelGetTile(level), directions = (size_t)z->count;
  PsdLevelGetSizes(level, &it->n, NULL, NULL, &it->count);
  for (PetscInt g = 0; g < z->G; g++) {
    const size_t columns = (size_t)(z->first[g + 1] - z->first[g]);
    patches = PetscMax(patches, tile * it->count[g] * columns);
    numbers = PetscMax(numbers, (size_t)z->K[g] * columns);
  }
  PetscCall(PetscMalloc4(numbers, &it->V, patches, &it->products, tile * directions, &it->scaled,
                         directions * directions, &it->square));
  PetscCall(PetscMalloc3(tile * directions, &it->score, tile, &it->second, directions, &it->member));
  PetscCall(PetscCalloc2(directions, &it->linear, directions * directions, &it->hessian));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- how far to go */

/* grown <- columns and the directions, each with its weight times the part of its group */
static PetscErrorCode Join(const PsdColumns *columns, const PsdColumns *z, PetscInt groups, const PetscReal weight[],
                           const PetscReal part[], PsdColumns *grown)
{
  PetscFunctionBeginUser;
  PsdColumns weighted;
  PetscCall(PsdColumnsCreate(z->G, z->C, z->K, z->count, z->block, &weighted));
  for (PetscInt j = 0; j < z->count; j++) {
    const PetscReal root = PetscSqrtReal(weight[j] * part[groups == 1 ? 0 : PsdBlockClass(z, z->block[j])]);
    for (size_t k = z->at[j]; k < z->at[j + 1]; k++) weighted.F[k] = root * z->F[k];
  }
  PetscCall(PsdColumnsCreate(columns->G, columns->C, columns->K, columns->count, columns->block, grown));
  PetscCall(PetscArraycpy(grown->F, columns->F, columns->at[columns->count]));
  PetscCall(PsdColumnsJoin(grown, &weighted));
  PsdColumnsRetract(grown, grown->F);
  PetscCall(PsdColumnsDestroy(&weighted));
  PetscFunctionReturn(0);
}

/* value <- those of all groups at the columns */
static PetscErrorCode Evaluate(PsdLevel level, PsdObjective objective, PetscReal beta, const PsdColumns *columns,
                               PetscReal value[])
{
  PetscFunctionBeginUser;
  const PetscInt groups = PsdObjectiveGroups(objective);
  PetscBool *all;
  PetscReal *gradient;
  PetscCall(PetscMalloc2(groups, &all, columns->at[columns->count], &gradient));
  for (PetscInt k = 0; k < groups; k++) all[k] = PETSC_TRUE;
  PetscCall(PsdObjectiveSet(objective, level, columns, beta));
  PetscCall(PsdObjectiveEvaluate(objective, PETSC_FALSE, all, columns->F, value, gradient));
  PetscCall(PetscFree2(all, gradient));
  PetscFunctionReturn(0);
}

/* The parts of the groups whose values have risen become less; *again: there are some. */
static void Shorten(PetscInt groups, const PetscReal before[], const PetscReal after[], PetscReal part[],
                    PetscBool *again)
{
  *again = PETSC_FALSE;
  for (PetscInt k = 0; k < groups; k++) {
    if (after[k] <= before[k] + RISE * PetscAbsReal(before[k])) continue;
    part[k] *= SHORTER;
    *again = PETSC_TRUE;
  }
}

/* The model says little of weights that the retraction multiplies by much, and nothing of how far a multiplier holds that is not that
   of a stationary point: a group goes only so far that its value does not rise. */
static PetscErrorCode GoSafely(PsdLevel level, PsdObjective objective, PetscReal beta, const PsdColumns *z,
                               const PetscReal weight[], const PetscReal before[], PsdColumns *columns)
{
  PetscFunctionBeginUser;
  const PetscInt groups = PsdObjectiveGroups(objective);
  PetscBool again = PETSC_TRUE;
  PetscReal *part, *after;
  PsdColumns grown = {0};
  PetscCall(PetscMalloc2(groups, &part, groups, &after));
  for (PetscInt k = 0; k < groups; k++) part[k] = 1;
  for (int trial = 0; trial < MOST_TRIALS && again; trial++) {
    if (trial) PetscCall(PsdColumnsDestroy(&grown));
    PetscCall(Join(columns, z, groups, weight, part, &grown));
    PetscCall(Evaluate(level, objective, beta, &grown, after));
    Shorten(groups, before, after, part, &again);
  }
  PetscCall(PsdColumnsDestroy(columns));
  *columns = grown;
  PetscCall(PetscFree2(part, after));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGrow(PsdProblem problem, PsdLevel level, PsdObjective objective, PetscReal beta,
                       const PsdViolations *violations, const PetscReal value[], PsdColumns *columns)
{
  PetscFunctionBeginUser;
  const PsdColumns *z = &violations->direction;
  const size_t directions = (size_t)z->count;
  PetscReal *weight;
  if (!z->count) PetscFunctionReturn(0);
  Model model = {.objective = objective,
                 .direction = z,
                 .activation = problem->activation,
                 .least = LEAST_SECOND * problem->loss.ops->curvature,
                 .slope = PsdObjectiveGetSlope(objective)};
  PetscCall(ModelCreate(level, z, &model));
  PetscCall(PetscCalloc1(directions, &weight));
  PetscCall(PsdLevelPass(level, AddTile, &model));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, directions, model.linear));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, directions * directions, model.hessian));
  for (PetscInt t = 0; t < z->C; t++) PetscCall(Weigh(&model, t, beta, violations->mu, weight));
  PetscCall(PsdBroadcastArray(problem->comm, MPIU_REAL, directions, weight));
  PetscCall(GoSafely(level, objective, beta, z, weight, value, columns));
  PetscCall(PetscFree(weight));
  PetscCall(PetscFree4(model.V, model.products, model.scaled, model.square));
  PetscCall(PetscFree3(model.score, model.second, model.member));
  PetscCall(PetscFree2(model.linear, model.hessian));
  PetscFunctionReturn(0);
}
