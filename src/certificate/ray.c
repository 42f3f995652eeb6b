/*
   The largest value of the dual function on the ray of a dual point: D(s) = -L*(-s nu), 0 <= s <= limit.

   D is concave and D(0) = 0. For the squared loss it is a parabola, known by two sums. For the others it is summed
   from nu; any s of the interval gives a bound, so the search need not be exact, only safe. Near the solution the
   limit, beta/R*, or s = 1 is best: both are looked at before anything else.
*/
#include "ray.h"
#include "base/base.h"
#include "base/rounding.h"

/* Where s linear - s^2 quadratic/2 is largest, 0 <= s <= limit. */
static PetscReal BestOfParabola(PetscReal linear, PetscReal quadratic, PetscReal limit)
{
  if (linear <= 0) return 0;
  return quadratic > 0 ? PetscMin(limit, linear / quadratic) : limit;
}

PetscReal PsdParabolaAlongRay(PetscReal linear, PetscReal quadratic, PetscReal limit)
{
  const PetscReal s = BestOfParabola(linear, quadratic, limit);
  return s > 0 ? s * linear - s * s * quadratic / 2 : 0;
}

#define MOST_POINTS 3
#define ROWS 64 /* samples in a plain sum; those are added in twice the precision */

/* -L*(-s nu) of this rank's samples, and the size of what is summed. */
static void LocalValue(const PsdDualRay *ray, PetscReal s, PetscReal *value, PetscReal *size)
{
  const PsdLoss *loss = &ray->problem->loss;
  const PetscInt C = ray->problem->blocks->C, n = ray->samples.n_local;
  PsdPairSum sum = {0, 0};
  *size = 0;
  for (PetscInt first = 0; first < n; first += ROWS) {
    const size_t at = (size_t)first * C;
    const PetscReal part =
        PsdWeightedDual(loss, PetscMin(ROWS, n - first), C, s, PsdWeightsFrom(ray->samples.weights, first),
                        ray->nu + at, ray->samples.Y + at, size);
    if (PetscIsInfOrNanReal(part)) {
      *value = -INFINITY; /* outside the domain */
      return;
    }
    PsdPairSumAdd(&sum, part);
  }
  *value = sum.high;
}

/* D of `count` points at once, and a bound of what rounding has done to them. */
static PetscErrorCode Values(const PsdDualRay *ray, PetscInt count, const PetscReal s[], PetscReal values[],
                             PetscReal roundings[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = ray->problem;
  const PetscInt C = problem->blocks->C;
  PetscReal sums[2 * MOST_POINTS] = {0};
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  const PetscReal weighing = ray->samples.weights ? 2 : 0; /* of a number, and of the size that it is measured by */
  const PetscReal each = ROWS * (PetscReal)C + 3 + (PetscReal)ranks + PSD_DUAL_ROUNDINGS(C) + weighing;
  for (size_t k = 0; k < (size_t)count; k++) LocalValue(ray, s[k], &sums[2 * k], &sums[2 * k + 1]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2 * (PetscMPIInt)count, MPIU_REAL, MPI_SUM, problem->comm));
  for (size_t k = 0; k < (size_t)count; k++) {
    values[k] = (PetscReal)ray->samples.copies * sums[2 * k];
    roundings[k] = (PetscReal)ray->samples.copies * PsdRoundings(each) * sums[2 * k + 1];
  }
  PetscFunctionReturn(0);
}

/* The largest s, at most limit, with s nu in the domain. */
static PetscErrorCode Reach(const PsdDualRay *ray, PetscReal *limit)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = ray->problem;
  const PsdLoss *loss = &problem->loss;
  PetscReal reach = (*loss->ops->max_scale)(loss, ray->samples.n_local, problem->blocks->C, ray->nu, ray->samples.Y);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &reach, 1, MPIU_REAL, MPI_MIN, problem->comm));
  *limit = PetscMin(*limit, reach * (1 - 4 * PETSC_MACHINE_EPSILON));
  PetscFunctionReturn(0);
}

#define AT_LIMIT 1e-3 /* D still grows this near to the limit: the limit it is */
#define NARROW 1e-6   /* D is flat at its largest value: an error of s counts by its square */

/* The best of s seen, by golden section. */
static PetscErrorCode Search(const PsdDualRay *ray, PetscReal limit, PetscReal *best, PetscReal *value,
                             PetscReal *rounding)
{
  PetscFunctionBeginUser;
  const PetscReal golden = (PetscSqrtReal(5) - 1) / 2;
  PetscReal low = 0, high = limit, s[2], values[2], roundings[2];
  s[0] = high - golden * (high - low);
  s[1] = low + golden * (high - low);
  PetscCall(Values(ray, 2, s, values, roundings));
  while (high - low > NARROW * limit) {
    const PetscInt worse = values[0] < values[1] ? 0 : 1, better = 1 - worse;
    if (values[better] - roundings[better] > *value - *rounding) {
      *best = s[better];
      *value = values[better];
      *rounding = roundings[better];
    }
    if (worse == 0) low = s[0];
    else high = s[1];
    s[worse] = s[better];
    values[worse] = values[better];
    roundings[worse] = roundings[better];
    s[better] = worse == 0 ? low + golden * (high - low) : high - golden * (high - low);
    PetscCall(Values(ray, 1, &s[better], &values[better], &roundings[better]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode OfSamples(const PsdDualRay *ray, PetscReal limit, PetscReal *best, PetscReal *value,
                                PetscReal *rounding)
{
  PetscFunctionBeginUser;
  PetscReal values[MOST_POINTS], roundings[MOST_POINTS];
  PetscCall(Reach(ray, &limit));
  *best = *value = *rounding = 0;
  if (!(limit > 0) || PetscIsInfOrNanReal(limit)) PetscFunctionReturn(0);
  const PetscReal s[MOST_POINTS] = {limit, PetscMin(1, limit), (1 - AT_LIMIT) * limit};
  PetscCall(Values(ray, MOST_POINTS, s, values, roundings));
  for (PetscInt k = 0; k < MOST_POINTS; k++) {
    if (!(values[k] - roundings[k] > *value - *rounding)) continue;
    *best = s[k];
    *value = values[k];
    *rounding = roundings[k];
  }
  if (values[0] < values[2]) PetscCall(Search(ray, limit, best, value, rounding));
  PetscFunctionReturn(0);
}

PsdDualRay PsdDualRayOf(PsdProblem problem, const PsdDualPoint *point)
{
  return (PsdDualRay){.problem = problem,
                      .linear = point->linear,
                      .quadratic = point->quadratic,
                      .nu = problem->loss.ops->splits ? point->nu : NULL,
                      .samples = {problem->n_local, 1, problem->Y, problem->weights}, /* each by itself */
                      .linear_error = point->linear_error,
                      .quadratic_error = point->quadratic_error};
}

PetscErrorCode PsdDualOnRay(const PsdDualRay *ray, PetscReal s, PetscReal *value, PetscReal *rounding)
{
  PetscFunctionBeginUser;
  if (ray->nu) {
    PetscCall(Values(ray, 1, &s, value, rounding));
    PetscFunctionReturn(0);
  }
  const PetscReal linear = PetscAbsReal(ray->linear), quadratic = s / 2 * ray->quadratic;
  *value = s * (ray->linear - quadratic);
  *rounding = s * (ray->linear_error + s / 2 * ray->quadratic_error + PsdRoundings(4) * (linear + quadratic));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualBestOnRay(const PsdDualRay *ray, PetscReal limit, PetscReal *s, PetscReal *value,
                                PetscReal *rounding)
{
  PetscFunctionBeginUser;
  if (ray->nu) {
    PetscCall(OfSamples(ray, limit, s, value, rounding));
    PetscFunctionReturn(0);
  }
  *s = BestOfParabola(ray->linear, ray->quadratic, limit);
  PetscCall(PsdDualOnRay(ray, *s, value, rounding));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualAlongRay(const PsdDualRay *ray, PetscReal limit, PetscReal *value, PetscReal *rounding)
{
  PetscFunctionBeginUser;
  PetscReal s;
  PetscCall(PsdDualBestOnRay(ray, limit, &s, value, rounding));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualOfPoint(const PsdDualRay *ray, PetscReal *value)
{
  PetscFunctionBeginUser;
  const PetscReal whole = 1;
  PetscReal rounding;
  if (ray->nu) PetscCall(Values(ray, 1, &whole, value, &rounding));
  else *value = ray->linear - ray->quadratic / 2;
  PetscFunctionReturn(0);
}
