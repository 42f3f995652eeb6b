/*
   Groups go in lockstep: their columns share every product, but step lengths, radii and decisions are their own, as if
   each were solved alone. A group that is done leaves the products.

   A step that is rejected is shortened along the path of the conjugate gradients: the points on the path are minimisers
   within radii that grow, so that the last one within the new radius, and a part of the step to the next, is what Steihaug's
   method would have found. The model's value there follows from the scalars of the recurrence.

   Scalars are those of rank 0 on all ranks, and so is F: that vectors may differ in their last digits between ranks is
   without consequence.
*/
#include "newton.h"
#include "base/base.h"
#include "precondition.h"
#include <math.h>

#define COARSE_ABOVE 1e-5  /* decrement above which the step is solved for coarsely, ... */
#define COARSE_FORCING 0.3 /* ... to this */
#define ENOUGH 0.1         /* of the tolerance: what conjugate gradients may leave of the decrement */
#define NOISE_SINGLE 2e-7  /* relative changes of the value that mean nothing */
#define NOISE_DOUBLE 1e-12
#define MOST_TRIALS 8
#define LEAST_RATIO 0.05 /* of the decrease to the predicted one */
#define LEAST_PART 0.05  /* the radius changes by this factor at most, ... */
#define MOST_PART 3
#define HALF 0.5 /* ... and by this at least after a step that is not accepted */

typedef struct {
  PetscBool active, running, pending; /* of the solve, of the conjugate gradients, of the trials */
  PetscReal value, decrement, radius; /* radius: infinite until there is one */
  PetscReal rz, rz0;                  /* r'z, now and at first */
  PetscReal square, across, own;      /* norms of the preconditioner: of d, of d with p, of p, squared */
  PetscReal alpha;
  PetscReal length, predicted; /* of the step that is tried */
} Group;

/* A step of the conjugate gradients, d += alpha p, of one group. */
typedef struct {
  PetscReal alpha, slope, curvature; /* r'z and p'Hp */
  PetscReal square, predicted;       /* afterwards: of d, and of the model's decrease */
} PathStep;

typedef struct {
  PsdObjective objective;
  PsdLevel level;
  PsdColumns *columns;
  PetscReal beta;
  const PsdNewtonSettings *settings;
  PsdPreconditioner preconditioner;
  MPI_Comm comm;
  PetscInt groups, steps; /* steps: of the path */
  size_t length;
  PetscBool precise, *mask; /* mask: of groups, for the objective */
  Group *group;
  PathStep *path;                                                    /* max_cg x groups */
  float **direction;                                                 /* max_cg: p of each step */
  PetscReal *dots, *mu, *multipliers;                                /* multipliers: work, of all blocks */
  PetscReal *gradient, *trial, *trial_gradient, *d, *r, *z, *p, *Hp; /* of the shape of F */
} Newton;

/* ---------------------------------------------------------------- vectors */

/* dots[group] <- x'y over the group's columns: rank 0's */
static PetscErrorCode Dot(Newton *it, const PetscReal x[], const PetscReal y[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  PetscMPIInt groups;
  PetscCall(PetscArrayzero(it->dots, it->groups));
  for (PetscInt j = 0; j < columns->count; j++) {
    PetscReal sum = 0;
    for (size_t k = columns->at[j]; k < columns->at[j + 1]; k++) sum += x[k] * y[k];
    it->dots[PsdObjectiveGroupOf(it->objective, j)] += sum;
  }
  PetscCall(PetscMPIIntCast(it->groups, &groups));
  PetscCallMPI(MPI_Bcast(it->dots, groups, MPIU_REAL, 0, it->comm));
  PetscFunctionReturn(0);
}

typedef enum { OF_ALPHA, OF_MINUS_ALPHA } Factor;

/* y += +-alpha x, alpha of each column's group */
static void AddScaled(Newton *it, Factor factor, const PetscReal x[], PetscReal y[])
{
  const PsdColumns *columns = it->columns;
  for (PetscInt j = 0; j < columns->count; j++) {
    PetscReal alpha = it->group[PsdObjectiveGroupOf(it->objective, j)].alpha;
    if (factor == OF_MINUS_ALPHA) alpha = -alpha;
    if (alpha == 0) continue;
    for (size_t k = columns->at[j]; k < columns->at[j + 1]; k++) y[k] += alpha * x[k];
  }
}

/* Copies the columns of groups in the mask. */
static PetscErrorCode CopyMasked(Newton *it, const PetscReal from[], PetscReal to[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  for (PetscInt j = 0; j < columns->count; j++)
    if (it->mask[PsdObjectiveGroupOf(it->objective, j)])
      PetscCall(PetscArraycpy(to + columns->at[j], from + columns->at[j], columns->at[j + 1] - columns->at[j]));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- multipliers */

/* out += 2 mu J x, column by column of groups in the mask */
static void AddMultipliers(Newton *it, const PetscReal x[], PetscReal out[])
{
  const PsdColumns *columns = it->columns;
  for (PetscInt j = 0; j < columns->count; j++) {
    if (!it->mask[PsdObjectiveGroupOf(it->objective, j)]) continue;
    const PetscReal mu = it->mu[columns->block[j]];
    const size_t last = columns->at[j + 1] - 1;
    for (size_t k = columns->at[j]; k < last; k++) out[k] += mu * x[k];
    out[last] -= mu * x[last];
  }
}

/* Those of the groups in the mask. */
static PetscErrorCode FindMultipliers(Newton *it)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  PsdColumnsMultipliers(columns, it->gradient, it->multipliers);
  for (PetscInt j = 0; j < columns->count; j++)
    if (it->mask[PsdObjectiveGroupOf(it->objective, j)]) it->mu[columns->block[j]] = it->multipliers[columns->block[j]];
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, (size_t)PsdBlockCount(columns), it->mu));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- evaluation */

static PetscErrorCode Evaluate(Newton *it, const PetscReal F[], PetscReal gradient[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdObjectiveEvaluate(it->objective, it->precise, it->mask, F, it->dots, gradient));
  PetscFunctionReturn(0);
}

static void MaskActive(Newton *it)
{
  for (PetscInt k = 0; k < it->groups; k++) it->mask[k] = it->group[k].active;
}

/* Values and gradients of the groups in the mask at F. */
static PetscErrorCode EvaluateHere(Newton *it)
{
  PetscFunctionBeginUser;
  PetscCall(Evaluate(it, it->columns->F, it->gradient));
  for (PetscInt k = 0; k < it->groups; k++)
    if (it->mask[k]) it->group[k].value = it->dots[k];
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- conjugate gradients */

/* The step to the radius along p; where there is no radius yet, a multiple of what d has come to. */
static PetscReal StepToRadius(const Group *it)
{
  const PetscReal free_radius = it->square > 0 ? 3 * PetscSqrtReal(it->square) : PetscSqrtReal(it->rz0);
  const PetscReal radius = PetscIsInfReal(it->radius) ? free_radius : it->radius;
  const PetscReal room = PetscMax(0, PetscMax(radius * radius, it->square) - it->square);
  if (!(it->own > 0)) return 0;
  return (-it->across + PetscSqrtReal(PetscMax(0, it->across * it->across + it->own * room))) / it->own;
}

/* alpha of one group, and its place on the path; curvature: p'Hp */
static void Advance(Group *it, PetscReal curvature, PathStep *step, const PathStep *last)
{
  *step = (PathStep){0, it->rz, curvature, it->square, last ? last->predicted : 0};
  it->alpha = 0;
  if (!it->running) return;
  const PetscBool bends = (PetscBool)(curvature <= 1e-12 * it->rz);
  const PetscReal full = bends ? 0 : it->rz / curvature;
  const PetscReal square = it->square + 2 * full * it->across + full * full * it->own;
  const PetscBool ends = (PetscBool)(bends || square >= it->radius * it->radius);
  it->alpha = ends ? StepToRadius(it) : full;
  it->square += 2 * it->alpha * it->across + it->alpha * it->alpha * it->own;
  if (ends) it->running = PETSC_FALSE;
  step->alpha = it->alpha;
  step->square = it->square;
  step->predicted += it->alpha * it->rz - it->alpha * it->alpha * curvature / 2;
}

/* p <- z + (r'z new/old) p for groups that go on, else 0 */
static void Turn(Newton *it)
{
  const PsdColumns *columns = it->columns;
  for (PetscInt k = 0; k < it->groups; k++) {
    Group *group = &it->group[k];
    const PetscReal forcing = group->decrement > COARSE_ABOVE * group->value ? COARSE_FORCING : it->settings->forcing;
    const PetscReal rz = it->dots[k], enough = 2 * ENOUGH * it->settings->tolerance * group->value;
    if (group->running && !(rz > PetscMax(forcing * forcing * group->rz0, enough) && rz > 0))
      group->running = PETSC_FALSE;
    if (!group->running) continue;
    const PetscReal ratio = rz / group->rz;
    group->across = ratio * (group->across + group->alpha * group->own);
    group->own = rz + ratio * ratio * group->own;
    group->rz = rz;
    group->alpha = ratio; /* for the loop below */
  }
  for (PetscInt j = 0; j < columns->count; j++) {
    const Group *group = &it->group[PsdObjectiveGroupOf(it->objective, j)];
    for (size_t k = columns->at[j]; k < columns->at[j + 1]; k++)
      it->p[k] = group->running ? it->z[k] + group->alpha * it->p[k] : 0;
  }
}

static PetscBool AnyRunning(const Newton *it)
{
  for (PetscInt k = 0; k < it->groups; k++)
    if (it->group[k].running) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscErrorCode KeepDirection(Newton *it, PetscInt step)
{
  PetscFunctionBeginUser;
  if (!it->direction[step]) PetscCall(PetscMalloc1(it->length, &it->direction[step]));
  for (size_t k = 0; k < it->length; k++) it->direction[step][k] = (float)it->p[k];
  PetscFunctionReturn(0);
}

/* d: Steihaug's step of all active groups, from r = -gradient with z = P^-1 r and r'z there */
static PetscErrorCode ConjugateGradients(Newton *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(it->p, it->z, it->length));
  PetscCall(PetscArrayzero(it->d, it->length));
  for (PetscInt k = 0; k < it->groups; k++) {
    Group *group = &it->group[k];
    group->running = group->active;
    group->square = group->across = 0;
    group->own = group->rz = group->rz0;
  }
  for (it->steps = 0; it->steps < it->settings->max_cg && AnyRunning(it); it->steps++) {
    PathStep *step = it->path + (size_t)it->steps * it->groups;
    for (PetscInt k = 0; k < it->groups; k++) it->mask[k] = it->group[k].running;
    PetscCall(PetscArrayzero(it->Hp, it->length));
    PetscCall(PsdObjectiveHessian(it->objective, it->mask, it->columns->F, it->p, it->Hp));
    AddMultipliers(it, it->p, it->Hp);
    PetscCall(Dot(it, it->p, it->Hp));
    for (PetscInt k = 0; k < it->groups; k++)
      Advance(&it->group[k], it->dots[k], &step[k], it->steps ? &step[k - it->groups] : NULL);
    PetscCall(KeepDirection(it, it->steps));
    AddScaled(it, OF_ALPHA, it->p, it->d);
    AddScaled(it, OF_MINUS_ALPHA, it->Hp, it->r);
    if (!AnyRunning(it)) continue;
    PetscCall(PsdPreconditionerApply(it->preconditioner, it->r, it->z));
    PetscCall(Dot(it, it->r, it->z));
    Turn(it);
  }
  for (PetscInt k = 0; k < it->groups && it->steps; k++) {
    const PathStep *last = &it->path[(size_t)(it->steps - 1) * it->groups + k];
    it->group[k].length = PetscSqrtReal(PetscMax(0, last->square));
    it->group[k].predicted = last->predicted;
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- trials */

/* The weight of step k in the point of a group's path at its radius; length and prediction become that point's. */
static void PointOnPath(Newton *it, PetscInt k, PetscReal weight[])
{
  Group *group = &it->group[k];
  const PathStep *path = it->path + k;
  PetscReal before = 0, predicted = 0;
  for (PetscInt i = 0; i < it->steps; i++) weight[i] = 0;
  for (PetscInt i = 0; i < it->steps; i++) {
    const PathStep *step = path + (size_t)i * it->groups;
    const PetscReal after = PetscSqrtReal(PetscMax(0, step->square));
    if (after <= group->radius && i < it->steps - 1) {
      weight[i] = step->alpha;
      before = after;
      predicted = step->predicted;
      continue;
    }
    const PetscReal part = after > before ? PetscMin(1, PetscMax(0, (group->radius - before) / (after - before))) : 1;
    weight[i] = part * step->alpha;
    group->predicted = predicted + weight[i] * step->slope - weight[i] * weight[i] * step->curvature / 2;
    break;
  }
  group->length = group->radius;
}

/* d <- the points of the paths of all pending groups */
static PetscErrorCode GoBack(Newton *it)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  PetscReal *weight;
  PetscCall(PetscMalloc1((size_t)it->steps * it->groups, &weight));
  for (PetscInt k = 0; k < it->groups; k++)
    if (it->group[k].pending) PointOnPath(it, k, weight + (size_t)k * it->steps);
  for (PetscInt j = 0; j < columns->count; j++) {
    const PetscInt k = PsdObjectiveGroupOf(it->objective, j);
    if (!it->group[k].pending) continue;
    const size_t at = columns->at[j], d = columns->at[j + 1] - at;
    PetscCall(PetscArrayzero(it->d + at, d));
    for (PetscInt i = 0; i < it->steps; i++) {
      const PetscReal alpha = weight[(size_t)k * it->steps + i];
      for (size_t l = at; l < at + d && alpha != 0; l++) it->d[l] += alpha * (PetscReal)it->direction[i][l];
    }
  }
  PetscCall(PetscFree(weight));
  PetscFunctionReturn(0);
}

/* How far the trial should have gone, as a part of it: along a ray the objective differs from the model by a term of fourth order,
   which the trial has shown. */
static PetscReal BestPart(const Group *group, PetscReal value)
{
  const PetscReal more = value - (group->value - group->predicted);
  if (!(more <= PETSC_MAX_REAL)) return LEAST_PART; /* overflown, or not a number */
  if (!(more > 0)) return MOST_PART;
  return PetscMin(MOST_PART, PetscMax(LEAST_PART, cbrt(group->predicted / (4 * more))));
}

/* Whether the trial's value is accepted, and what it says of the radius. */
static PetscBool Judge(const Newton *it, Group *group, PetscReal value)
{
  const PetscReal noise = (it->precise ? NOISE_DOUBLE : NOISE_SINGLE) * PetscAbsReal(group->value);
  const PetscReal part = BestPart(group, value);
  if (group->predicted < noise && value < group->value + noise) {
    /* the change cannot be seen: a region within which none can would be kept for good */
    if (!PetscIsInfReal(group->radius)) group->radius = PetscMax(group->radius, MOST_PART * group->length);
    return PETSC_TRUE;
  }
  if (!(group->value - value > LEAST_RATIO * group->predicted)) {
    group->radius = PetscMin(part, HALF) * group->length;
    return PETSC_FALSE;
  }
  if (part < 1) group->radius = part * group->length;
  else if (!PetscIsInfReal(group->radius)) group->radius = PetscMax(group->radius, part * group->length);
  return PETSC_TRUE;
}

static PetscBool MaskPending(Newton *it)
{
  PetscBool any = PETSC_FALSE;
  for (PetscInt k = 0; k < it->groups; k++) {
    it->mask[k] = it->group[k].pending;
    any = (PetscBool)(any || it->mask[k]);
  }
  return any;
}

/* One trial of all pending groups; those that are accepted move. */
static PetscErrorCode Try(Newton *it)
{
  PetscFunctionBeginUser;
  PsdColumns *columns = it->columns;
  PetscCall(PetscArraycpy(it->trial, columns->F, it->length));
  for (PetscInt j = 0; j < columns->count; j++)
    if (it->mask[PsdObjectiveGroupOf(it->objective, j)])
      for (size_t k = columns->at[j]; k < columns->at[j + 1]; k++) it->trial[k] += it->d[k];
  PsdColumnsRetract(columns, it->trial);
  PetscCall(PsdBroadcastArray(it->comm, MPIU_REAL, it->length, it->trial));
  PetscCall(Evaluate(it, it->trial, it->trial_gradient));
  for (PetscInt k = 0; k < it->groups; k++) {
    Group *group = &it->group[k];
    it->mask[k] = (PetscBool)(group->pending && Judge(it, group, it->dots[k]));
    if (!it->mask[k]) continue;
    group->value = it->dots[k];
    group->pending = PETSC_FALSE;
  }
  PetscCall(CopyMasked(it, it->trial, columns->F));
  PetscCall(CopyMasked(it, it->trial_gradient, it->gradient));
  PetscFunctionReturn(0);
}

/* Steps, or parts of them, until all groups have moved. One that cannot is where its gradient says nothing more: it is
   done, unless double precision can still say more. */
static PetscErrorCode Move(Newton *it)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < it->groups; k++) it->group[k].pending = it->group[k].active;
  for (PetscInt trial = 0; trial < MOST_TRIALS && MaskPending(it); trial++) {
    if (trial) PetscCall(GoBack(it));
    PetscCall(Try(it));
  }
  if (!MaskPending(it)) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < it->groups; k++)
    if (it->group[k].pending && it->precise) it->group[k].active = PETSC_FALSE;
  if (it->precise) {
    PetscCall(EvaluateHere(it)); /* scores are those of the trial that failed */
  } else {
    it->precise = PETSC_TRUE;
    MaskActive(it);
    PetscCall(EvaluateHere(it));
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the method */

static PetscErrorCode NewtonCreate(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                                   const PsdNewtonSettings *settings, MPI_Comm comm, const PsdNewtonState *state,
                                   Newton *it)
{
  PetscFunctionBeginUser;
  *it = (Newton){.objective = objective,
                 .level = level,
                 .columns = columns,
                 .beta = beta,
                 .settings = settings,
                 .comm = comm,
                 .groups = PsdObjectiveGroups(objective),
                 .length = columns->at[columns->count],
                 .precise = state->precise,
                 .mu = state->mu};
  const size_t length = it->length, groups = (size_t)it->groups;
  PetscCall(PetscMalloc3(groups, &it->mask, groups, &it->dots, groups * settings->max_cg, &it->path));
  PetscCall(PetscCalloc2(groups, &it->group, settings->max_cg, &it->direction));
  PetscCall(PetscCalloc7(length, &it->gradient, length, &it->trial, length, &it->trial_gradient, length, &it->d, length,
                         &it->r, length, &it->z, length, &it->p));
  PetscCall(PetscCalloc2(length, &it->Hp, PsdBlockCount(columns), &it->multipliers));
  for (PetscInt k = 0; k < it->groups; k++) {
    it->group[k].radius = state->radius[k];
    it->mask[k] = PETSC_TRUE;
  }
  for (PetscInt j = 0; j < columns->count; j++) it->group[PsdObjectiveGroupOf(objective, j)].active = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode NewtonDestroy(Newton *it)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < it->settings->max_cg; k++) PetscCall(PetscFree(it->direction[k]));
  PetscCall(PetscFree3(it->mask, it->dots, it->path));
  PetscCall(PetscFree2(it->group, it->direction));
  PetscCall(PetscFree7(it->gradient, it->trial, it->trial_gradient, it->d, it->r, it->z, it->p));
  PetscCall(PetscFree2(it->Hp, it->multipliers));
  PetscFunctionReturn(0);
}

/* Preconditioner, r, z and decrements of the active groups; those that are done leave, unless this iteration is
   needed. *any: whether there are others. */
static PetscErrorCode Prepare(Newton *it, PetscBool needed, PetscReal *decrement, PetscBool *any)
{
  PetscFunctionBeginUser;
  MaskActive(it);
  PetscCall(FindMultipliers(it));
  AddMultipliers(it, it->columns->F, it->gradient);
  PetscCall(PsdPreconditionerDestroy(&it->preconditioner));
  PetscCall(PsdPreconditionerCreate(it->objective, it->level, it->columns, it->mask, it->columns->F, it->mu, it->beta,
                                    &it->preconditioner));
  for (size_t k = 0; k < it->length; k++) it->r[k] = -it->gradient[k];
  PetscCall(PsdPreconditionerApply(it->preconditioner, it->r, it->z));
  PetscCall(Dot(it, it->r, it->z));
  *any = PETSC_FALSE;
  *decrement = 0;
  for (PetscInt k = 0; k < it->groups; k++) {
    Group *group = &it->group[k];
    if (!group->active) continue;
    group->rz0 = it->dots[k];
    group->decrement = group->rz0 / 2;
    *decrement = PetscMax(*decrement, group->decrement / group->value);
    if (!(group->decrement > (needed ? 0 : it->settings->tolerance) * group->value)) group->active = PETSC_FALSE;
    *any = (PetscBool)(*any || group->active);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNewtonSolve(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                              const PsdNewtonSettings *settings, PsdNewtonState *state)
{
  PetscFunctionBeginUser;
  MPI_Comm comm;
  Newton it;
  PetscBool any = PETSC_TRUE;
  PetscCall(PsdLevelGetComm(level, &comm));
  PetscCall(PsdObjectiveSet(objective, level, columns, beta));
  PetscCall(NewtonCreate(objective, level, columns, beta, settings, comm, state, &it));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, it.length, columns->F));
  PetscCall(EvaluateHere(&it));
  state->decrement = 0;
  for (state->iterations = 0; state->iterations < settings->max_it && columns->count; state->iterations++) {
    const PetscReal last = state->decrement;
    if (!it.precise && state->iterations && last < PSD_PRECISE_BELOW) {
      it.precise = PETSC_TRUE;
      MaskActive(&it);
      PetscCall(EvaluateHere(&it));
    }
    PetscCall(Prepare(&it, (PetscBool)(state->iterations < settings->least_it), &state->decrement, &any));
    if (!any) break;
    PetscCall(ConjugateGradients(&it));
    PetscCall(PetscInfo(NULL, "newton %" PetscInt_FMT ": decrement %.2e, %" PetscInt_FMT " products%s\n",
                        state->iterations, (double)state->decrement, it.steps, it.precise ? ", precise" : ""));
    PetscCall(Move(&it));
  }
  state->done = (PetscBool)(!any || !columns->count);
  state->precise = it.precise;
  for (PetscInt k = 0; k < it.groups; k++) {
    state->value[k] = it.group[k].value;
    state->radius[k] = it.group[k].radius;
  }
  PetscCall(PsdPreconditionerDestroy(&it.preconditioner));
  PetscCall(NewtonDestroy(&it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNewtonDirection(PsdObjective objective, PsdLevel level, PsdColumns *columns, PetscReal beta,
                                  const PsdNewtonSettings *settings, PsdNewtonState *state, PetscReal z[])
{
  PetscFunctionBeginUser;
  MPI_Comm comm;
  Newton it;
  PetscBool any;
  PetscCall(PsdLevelGetComm(level, &comm));
  PetscCall(PsdObjectiveSet(objective, level, columns, beta));
  PetscCall(NewtonCreate(objective, level, columns, beta, settings, comm, state, &it));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, it.length, columns->F));
  PetscCall(EvaluateHere(&it));
  PetscCall(Prepare(&it, (PetscBool)(state->iterations < settings->least_it), &state->decrement, &any));
  for (PetscInt k = 0; k < it.groups; k++) {
    state->value[k] = it.group[k].value;
    it.mask[k] = it.group[k].active;
  }
  PetscCall(PetscArrayzero(z, it.length));
  PetscCall(CopyMasked(&it, it.z, z));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, it.length, z));
  state->done = (PetscBool)!any;
  PetscCall(PsdPreconditionerDestroy(&it.preconditioner));
  PetscCall(NewtonDestroy(&it));
  PetscFunctionReturn(0);
}
