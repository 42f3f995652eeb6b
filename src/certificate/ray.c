/*
   The largest value of the dual function on the ray of a dual point: D(s) = -L*(-s nu), 0 <= s <= limit.

   D is concave and D(0) = 0. For the squared loss it is a parabola, known by two sums. For the others it is summed
   from nu; any s of the interval gives a bound, so the search need not be exact, only safe. Near the solution the
   limit, beta/R*, or s = 1 is best: both are looked at before anything else.
*/
#include "ray.h"
#include "base/base.h"

static PetscReal Parabola(PetscReal linear, PetscReal quadratic, PetscReal s)
{
  return s * linear - s * s * quadratic / 2;
}

/* Where the parabola is largest. */
static PetscReal Vertex(PetscReal linear, PetscReal quadratic, PetscReal limit)
{
  if (linear <= 0) return 0;
  return quadratic > 0 ? PetscMin(limit, linear / quadratic) : limit;
}

PetscReal PsdParabolaAlongRay(PetscReal linear, PetscReal quadratic, PetscReal limit)
{
  return linear > 0 ? Parabola(linear, quadratic, Vertex(linear, quadratic, limit)) : 0;
}

/* A bound of what rounding does to the parabola: <nu,Y> and ||nu||^2 are sums of terms of at most (nu^2 + y^2)/2 and
   nu^2. */
static PetscReal ParabolaRounding(const PsdDualRay *ray)
{
  const PsdProblem problem = ray->problem;
  return PETSC_MACHINE_EPSILON * (PetscReal)problem->n * (PetscReal)problem->blocks->C * (ray->quadratic + problem->YY);
}

/* D of `count` points at once, and a bound of what rounding has done to them. */
#define MOST_POINTS 3
static PetscErrorCode Values(const PsdDualRay *ray, PetscInt count, const PetscReal s[], PetscReal values[],
                             PetscReal roundings[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = ray->problem;
  const PsdLoss *loss = &problem->loss;
  const PetscInt C = problem->blocks->C;
  const PetscReal each = (PetscReal)problem->n * (PetscReal)C + PSD_DUAL_ROUNDINGS(C); /* roundings of a number */
  PetscReal sums[2 * MOST_POINTS] = {0};
  for (size_t k = 0; k < (size_t)count; k++)
    sums[2 * k] = (*loss->ops->dual)(loss, ray->samples.n_local, C, s[k], ray->nu, ray->samples.Y, &sums[2 * k + 1]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2 * (PetscMPIInt)count, MPIU_REAL, MPI_SUM, problem->comm));
  for (size_t k = 0; k < (size_t)count; k++) {
    values[k] = (PetscReal)ray->samples.copies * sums[2 * k];
    roundings[k] = (PetscReal)ray->samples.copies * each * PETSC_MACHINE_EPSILON * sums[2 * k + 1];
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

PetscErrorCode PsdDualBestOnRay(const PsdDualRay *ray, PetscReal limit, PetscReal *s, PetscReal *value,
                                PetscReal *rounding)
{
  PetscFunctionBeginUser;
  if (ray->nu) {
    PetscCall(OfSamples(ray, limit, s, value, rounding));
    PetscFunctionReturn(0);
  }
  *s = Vertex(ray->linear, ray->quadratic, limit);
  *value = PsdParabolaAlongRay(ray->linear, ray->quadratic, limit);
  *rounding = ParabolaRounding(ray);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualAlongRay(const PsdDualRay *ray, PetscReal limit, PetscReal *value, PetscReal *rounding)
{
  PetscFunctionBeginUser;
  PetscReal s;
  PetscCall(PsdDualBestOnRay(ray, limit, &s, value, rounding));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdDualOnRay(const PsdDualRay *ray, PetscReal s, PetscReal *value, PetscReal *rounding)
{
  PetscFunctionBeginUser;
  if (ray->nu) {
    PetscCall(Values(ray, 1, &s, value, rounding));
    PetscFunctionReturn(0);
  }
  *value = Parabola(ray->linear, ray->quadratic, s);
  *rounding = ParabolaRounding(ray);
  PetscFunctionReturn(0);
}
