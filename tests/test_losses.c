/* Every loss: the gradient is the value's slope, the prox satisfies its optimality condition and beats its neighbours, value and
 * conjugate meet (Fenchel), the domain is what it is, and nothing overflows for |x| up to 1e8, sigma from 1e-8 to 1e8. What a loss
 * states is so: its steepness, how much it changes, how well its value is known, its corners, whether it ignores the mean, whether it is the squared loss's closed form. */
#include "network_sample.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "losses/losses.h"

#define EPS PETSC_MACHINE_EPSILON
#define MOST_COLUMNS 10
#define TRIALS 400

/* Uniform in (-1, 1), the same on every machine. */
static PetscReal Uniform(void)
{
  static uint64_t seed = 1;
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (PetscReal)(seed >> 11) / 4503599627370496.0 - 1;
}

static void RandomRow(PetscInt C, PetscReal size, PetscReal x[])
{
  for (PetscInt t = 0; t < C; t++) x[t] = size * Uniform();
}

/* targets of a class; of one column, class 0 or 1 */
static void TargetsOf(PetscInt C, PetscInt class, PetscReal y[])
{
  for (PetscInt t = 0; t < C; t++) y[t] = class == (C == 1 ? 1 : t) ? 1 : -1;
}

typedef struct {
  PsdLoss loss;
  PetscInt C;
  PetscReal y[MOST_COLUMNS];
} Case;

typedef void (*CaseTest)(const Case *);

static void ForEachCase(CaseTest test)
{
  static const PetscInt columns[] = {1, 3, 10};
  static const PetscReal parameters[] = {1, 0.3, 7};
  for (int k = 0; PsdLossTable[k]; k++) {
    for (int c = 0; c < 3; c++) {
      for (PetscInt class = 0; class < PetscMax(2, columns[c]); class += c == 2 ? 9 : 1) {
        Case it = {.loss = PsdLossMake(PsdLossTable[k], parameters[(class + c) % 3]), .C = columns[c]};
        TargetsOf(it.C, class, it.y);
        (*test)(&it);
        if (it.loss.ops->degree == 0) continue;
        RandomRow(it.C, 1, it.y); /* real targets */
        it.y[0] = class == 0 ? 0 : it.y[0];
        (*test)(&it);
      }
    }
  }
}

/* L(s yhat, s y) = s^p L(yhat, y) */
static void CheckDegree(const Case *it)
{
  const int degree = it->loss.ops->degree;
  const PetscReal s = 0.0625;
  PetscReal yhat[MOST_COLUMNS], scaled[MOST_COLUMNS], y[MOST_COLUMNS];
  PsdLoss loss = it->loss;
  if (degree == 0) return;
  loss.parameter *= s;
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, trial % 2 ? 30 : 1, yhat);
    for (PetscInt t = 0; t < it->C; t++) {
      scaled[t] = s * yhat[t];
      y[t] = s * it->y[t];
    }
    const PetscReal value = (*it->loss.ops->value)(&it->loss, 1, it->C, yhat, it->y);
    assert_true((*loss.ops->value)(&loss, 1, it->C, scaled, y) == PetscPowRealInt(s, degree) * value);
  }
}

static void HasItsDegree(void **state)
{
  (void)state;
  ForEachCase(CheckDegree);
}

static PetscReal Steepness(const Case *it)
{
  return (*it->loss.ops->steepness)(&it->loss);
}

static PetscReal Value(const Case *it, const PetscReal v[])
{
  return (*it->loss.ops->value)(&it->loss, 1, it->C, v, it->y);
}

static void Slope(const Case *it, const PetscReal v[], PetscReal gradient[])
{
  (*it->loss.ops->dual_point)(&it->loss, 1, it->C, v, it->y, gradient);
  for (PetscInt t = 0; t < it->C; t++) gradient[t] = -gradient[t];
}

/* L*(x) */
static PetscReal Conjugate(const Case *it, const PetscReal x[])
{
  PetscReal nu[MOST_COLUMNS] = {0}, size = 0;
  for (PetscInt t = 0; t < it->C; t++) nu[t] = -x[t];
  return -(*it->loss.ops->dual)(&it->loss, 1, it->C, 1, nu, it->y, &size);
}

static PetscReal Dot(PetscInt C, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;
  for (PetscInt t = 0; t < C; t++) sum += a[t] * b[t];
  return sum;
}

static void Fail(const Case *it, const char what[], PetscReal found, PetscReal expected)
{
  fprintf(stderr, "%s, C = %d: %s: %.17g, expected %.17g\n", it->loss.ops->name, (int)it->C, what, (double)found,
          (double)expected);
  fail();
}

/* ---------------------------------------------------------------- value and gradient */

/* one written down from the definition, in plain arithmetic */
static PetscReal PlainValue(const Case *it, const PetscReal v[])
{
  const char *name = it->loss.ops->name;
  const PetscReal delta = it->loss.parameter;
  PetscReal sum = 0, exponentials = 0, own = 0;
  for (PetscInt t = 0; t < it->C; t++) {
    const PetscReal r = PetscAbsReal(v[t] - it->y[t]), margin = it->y[t] * v[t];
    exponentials += exp(v[t]);
    if (it->y[t] > 0) own = v[t];
    if (!strcmp(name, "squared")) sum += r * r / 2;
    if (!strcmp(name, "l1")) sum += r;
    if (!strcmp(name, "huber")) sum += r <= delta ? r * r / 2 : delta * r - delta * delta / 2;
    if (!strcmp(name, "hinge")) sum += margin < 1 ? 1 - margin : 0;
    if (!strcmp(name, "logistic") || (!strcmp(name, "softmax") && it->C == 1)) sum += log(1 + exp(-margin));
  }
  return strcmp(name, "softmax") || it->C == 1 ? sum : log(exponentials) - own;
}

static void CheckValueOfEach(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, 4, v);
    const PetscReal found = Value(it, v), expected = PlainValue(it, v);
    /* a sum of C terms, each of a few roundings of numbers below 4 */
    if (!(PetscAbsReal(found - expected) <= 64 * (PetscReal)it->C * EPS * (1 + expected)))
      Fail(it, "value", found, expected);
  }
}

/* central differences; corners are skipped where the two sides differ */
static void CheckGradient(const Case *it)
{
  const PetscReal h = 1e-5; /* error h^2 of the formula, eps/h of rounding */
  PetscReal v[MOST_COLUMNS] = {0}, g[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, 4, v);
    Slope(it, v, g);
    for (PetscInt t = 0; t < it->C; t++) {
      const PetscReal at = v[t], here = Value(it, v);
      v[t] = at + h;
      const PetscReal right = (Value(it, v) - here) / h;
      v[t] = at - h;
      const PetscReal left = (here - Value(it, v)) / h;
      v[t] = at;
      if (PetscAbsReal(right - left) > 10 * h) {
        if (!(left - 1e-8 <= g[t] && g[t] <= right + 1e-8)) Fail(it, "subgradient at a corner", g[t], left);
      } else if (!(PetscAbsReal((left + right) / 2 - g[t]) <= 1e-8)) Fail(it, "gradient", g[t], (left + right) / 2);
    }
  }
}

/* ---------------------------------------------------------------- conjugate */

/* value + conjugate = <v, x> for x in the subdifferential at v; >= for any x of the domain */
static void CheckFenchel(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, w[MOST_COLUMNS] = {0}, x[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, 6, v);
    RandomRow(it->C, 6, w);
    Slope(it, v, x);
    const PetscReal size = 1 + Value(it, v) + PetscAbsReal(Dot(it->C, v, x)),
                    rounding = 64 * (PetscReal)it->C * EPS * size * 8;
    const PetscReal equal = Value(it, v) + Conjugate(it, x) - Dot(it->C, v, x);
    if (!(PetscAbsReal(equal) <= rounding)) Fail(it, "Fenchel equality", equal, 0);
    const PetscReal above = Value(it, w) + Conjugate(it, x) - Dot(it->C, w, x);
    if (!(above >= -rounding * (1 + Value(it, w)))) Fail(it, "Fenchel inequality", above, 0);
  }
}

/* A point is pulled into the domain and then stays; s nu is in it up to the reach, and beyond it no more */
static void CheckDomain(const Case *it)
{
  const PetscBool whole =
      PetscIsInfReal(Steepness(it)); /* what grows faster than linearly has a conjugate everywhere */
  PetscReal nu[MOST_COLUMNS] = {0}, again[MOST_COLUMNS] = {0}, size;
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, trial % 2 ? 3 : 0.1, nu);
    if (whole) memcpy(again, nu, sizeof(nu));
    (*it->loss.ops->to_domain)(&it->loss, 1, it->C, nu, it->y);
    if (!whole) memcpy(again, nu, sizeof(nu));
    (*it->loss.ops->to_domain)(&it->loss, 1, it->C, again, it->y);
    for (PetscInt t = 0; t < it->C; t++)
      if (!(PetscAbsReal(nu[t] - again[t]) <= 4 * (PetscReal)it->C * EPS)) Fail(it, "pulled twice", again[t], nu[t]);
    const PetscReal reach = (*it->loss.ops->max_scale)(&it->loss, 1, it->C, nu, it->y);
    if (!(reach >= 1 - 4 * (PetscReal)it->C * EPS)) Fail(it, "reach of a point of the domain", reach, 1);
    if (isinf(reach)) continue;
    for (PetscReal s = 0; s < 1; s += 0.13) {
      const PetscReal value = (*it->loss.ops->dual)(&it->loss, 1, it->C, s * reach, nu, it->y, &size);
      if (PetscIsInfOrNanReal(value)) Fail(it, "inside the domain", value, 0);
    }
    const PetscReal beyond = (*it->loss.ops->dual)(&it->loss, 1, it->C, reach * (1 + 1e-9), nu, it->y, &size);
    if (!(beyond == -INFINITY)) Fail(it, "beyond the domain", beyond, -INFINITY);
  }
}

/* -L' is in the domain wherever it is taken; what is not, is not */
static void CheckMembership(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, x[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, PetscPowReal(10, 8 * PetscAbsReal(Uniform())), v);
    Slope(it, v, x);
    if (PetscIsInfOrNanReal(Conjugate(it, x))) Fail(it, "conjugate of a gradient", Conjugate(it, x), 0);
  }
  if (PetscIsInfReal(Steepness(it))) return;
  for (PetscInt t = 0; t < it->C; t++) x[t] = 0;
  x[0] = 1.0001 * Steepness(it);
  if (!PetscIsInfOrNanReal(Conjugate(it, x))) Fail(it, "conjugate outside", Conjugate(it, x), INFINITY);
  if (!PsdLossIgnoresMean(&it->loss, it->C)) return;
  x[0] = x[1] = 0.25; /* does not sum to nothing */
  if (!PetscIsInfOrNanReal(Conjugate(it, x))) Fail(it, "conjugate off the simplex", Conjugate(it, x), INFINITY);
}

/* ---------------------------------------------------------------- prox */

static void Prox(const Case *it, PetscReal sigma, const PetscReal x[], PetscReal v[])
{
  (*it->loss.ops->prox)(&it->loss, 1, it->C, sigma, x, it->y, v);
}

static PetscReal ProxObjective(const Case *it, PetscReal sigma, const PetscReal x[], const PetscReal v[])
{
  PetscReal square = 0;
  for (PetscInt t = 0; t < it->C; t++) square += (v[t] - x[t]) * (v[t] - x[t]);
  return Value(it, v) + sigma / 2 * square;
}

/* The minimum by what is known of convex functions alone: one coordinate after the other by golden section, and once along
   the diagonal, which softmax needs, until nothing moves. The prox has to be no worse. */
static void Minimize(const Case *it, PetscReal sigma, const PetscReal x[], PetscReal v[])
{
  const PetscReal golden = (sqrt(5) - 1) / 2;
  memcpy(v, x, (size_t)it->C * sizeof(*v));
  for (int sweep = 0; sweep < 200; sweep++) {
    PetscReal moved = 0;
    for (PetscInt t = 0; t < it->C; t++) {
      const PetscReal from = v[t];
      /* |L'| is at most its steepness or, squared, the distance to y */
      const PetscReal steepest = PetscIsInfReal(Steepness(it)) ? 0 : Steepness(it);
      const PetscReal far = (1 + steepest) / sigma + PetscAbsReal(x[t] - it->y[t]);
      PetscReal low = x[t] - far, high = x[t] + far;
      while (high - low > 1e-9 * (1 + PetscAbsReal(high))) {
        PetscReal left = high - golden * (high - low), right = low + golden * (high - low), value;
        v[t] = left;
        value = ProxObjective(it, sigma, x, v);
        v[t] = right;
        if (value < ProxObjective(it, sigma, x, v)) high = right;
        else low = left;
      }
      v[t] = (low + high) / 2;
      moved = PetscMax(moved, PetscAbsReal(v[t] - from));
    }
    if (moved < 1e-7 || it->C == 1) break;
  }
}

static void CheckProxMinimizes(const Case *it)
{
  PetscReal x[MOST_COLUMNS] = {0}, v[MOST_COLUMNS] = {0}, w[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < 12; trial++) {
    const PetscReal sigma = PetscPowReal(10, Uniform());
    RandomRow(it->C, 4, x);
    Prox(it, sigma, x, v);
    Minimize(it, sigma, x, w);
    const PetscReal found = ProxObjective(it, sigma, x, v), expected = ProxObjective(it, sigma, x, w);
    if (!(found <= expected + 1e-13 * (1 + expected))) Fail(it, "prox objective", found, expected);
    /* sigma-strong convexity: the distance follows from the objective, here the golden section's error */
    for (PetscInt t = 0; t < it->C; t++)
      if (!(PetscAbsReal(v[t] - w[t]) <= 1e-5 * (1 + 1 / sigma))) Fail(it, "prox", v[t], w[t]);
  }
}

/* sigma (x - v) is a subgradient at v: Fenchel equality, relative to what rounding of x makes of it */
static void CheckProxExtremes(const Case *it)
{
  PetscReal x[MOST_COLUMNS] = {0}, v[MOST_COLUMNS] = {0}, nu[MOST_COLUMNS] = {0};
  for (PetscReal sigma = 1e-8; sigma < 2e8; sigma *= 10) {
    for (PetscReal size = 1e-8; size < 2e8; size *= 10) {
      for (int trial = 0; trial < 8; trial++) {
        PetscReal distance = 0, rounding = 0;
        RandomRow(it->C, size, x);
        if (trial == 0)
          for (PetscInt t = 0; t < it->C; t++) x[t] = it->y[t] * size; /* all right */
        if (trial == 1)
          for (PetscInt t = 0; t < it->C; t++) x[t] = -it->y[t] * size; /* all wrong */
        Prox(it, sigma, x, v);
        for (PetscInt t = 0; t < it->C; t++) {
          if (PetscIsInfOrNanReal(v[t])) Fail(it, "prox of extremes", v[t], x[t]);
          nu[t] = sigma * (v[t] - x[t]);
          rounding += 16 * EPS * sigma * (PetscAbsReal(x[t]) + PetscAbsReal(v[t]));
        }
        /* within rounding of the domain ... */
        PetscReal pulled[MOST_COLUMNS] = {0}, excess = 0;
        memcpy(pulled, nu, sizeof(nu));
        (*it->loss.ops->to_domain)(&it->loss, 1, it->C, pulled, it->y);
        for (PetscInt t = 0; t < it->C; t++) excess = PetscMax(excess, PetscAbsReal(pulled[t] - nu[t]));
        if (!(excess <= (PetscReal)it->C * rounding + 64 * (PetscReal)it->C * EPS))
          Fail(it, "-sigma lambda leaves the domain by", excess, rounding);
        /* ... and Fenchel's equality holds: v and nu belong together. Entropies have a slope of up to -log of a rounding */
        PetscReal sum = 0;
        const PetscReal value = Value(it, v), dual = (*it->loss.ops->dual)(&it->loss, 1, it->C, 1, pulled, it->y, &sum);
        for (PetscInt t = 0; t < it->C; t++) distance += PetscAbsReal(v[t]);
        const PetscReal gap = value - dual + Dot(it->C, v, pulled);
        const PetscReal allowed = ((PetscReal)it->C * rounding + 64 * (PetscReal)it->C * EPS) * (40 + 2 * distance) +
                                  64 * EPS * (value + PetscAbsReal(dual));
        if (!(PetscAbsReal(gap) <= allowed)) Fail(it, "Fenchel equality of a prox", gap, allowed);
      }
    }
  }
}

/* ---------------------------------------------------------------- second derivative */

/* The slope's own difference along a direction. Of a loss that is a sum over scores the second derivative of a row is that of
   each score by itself. Huber's jumps at its threshold, from where points keep away. */
static void CheckSecondDerivative(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, direction[MOST_COLUMNS] = {0}, product[MOST_COLUMNS] = {0}, w[MOST_COLUMNS] = {0};
  PetscReal before[MOST_COLUMNS] = {0}, after[MOST_COLUMNS] = {0};
  const PetscReal step = 1e-5; /* an error of step^2 times a fourth derivative, and of EPS/step */
  if (!it->loss.ops->smooth) return;
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, trial % 2 ? 6 : 1, v);
    RandomRow(it->C, 1, direction);
    for (PetscInt t = 0; t < it->C; t++)
      if (it->loss.ops->parameter && PetscAbsReal(PetscAbsReal(v[t] - it->y[t]) - it->loss.parameter) < 2 * step)
        v[t] += 10 * step;
    (*it->loss.ops->second)(&it->loss, 1, it->C, v, it->y, direction, product);
    for (PetscInt t = 0; t < it->C; t++) w[t] = v[t] - step * direction[t];
    Slope(it, w, before);
    for (PetscInt t = 0; t < it->C; t++) w[t] = v[t] + step * direction[t];
    Slope(it, w, after);
    for (PetscInt t = 0; t < it->C; t++) {
      const PetscReal difference = (after[t] - before[t]) / (2 * step);
      if (!(PetscAbsReal(product[t] - difference) <= 4 * step * step + 8 * EPS / step))
        Fail(it, "second derivative", product[t], difference);
      if (!it->loss.ops->separable) continue;
      PetscReal alone;
      (*it->loss.ops->second)(&it->loss, 1, 1, v + t, it->y + t, direction + t, &alone);
      if (alone != product[t]) Fail(it, "second derivative of one score", alone, product[t]);
    }
  }
}

/* What is a sum over scores has the value of each score by itself; what is not has not. */
/* D in the interior of its domain: its slope and curvature are those of differences; room is as far as it goes to each side, where
   D has ended, or without an end. */
static void CheckDualDerivatives(const Case *it)
{
  const PsdLossOps *ops = it->loss.ops;
  PetscReal yhat[MOST_COLUMNS], nu[MOST_COLUMNS], slope[MOST_COLUMNS], curvature[MOST_COLUMNS], size = 0;
  PetscReal low[MOST_COLUMNS], high[MOST_COLUMNS];
  RandomRow(it->C, 2, yhat);
  (*ops->dual_point)(&it->loss, 1, it->C, yhat, it->y, nu);
  for (PetscInt t = 0; t < it->C; t++)
    nu[t] = 0.4 * nu[t] + 0.1 * PetscMin(1, Steepness(it)) * it->y[t] * (ops->separable || it->C == 1);
  const PetscReal value = (*ops->dual_derivatives)(&it->loss, 1, it->C, nu, it->y, slope, curvature);
  const PetscReal dual = (*ops->dual)(&it->loss, 1, it->C, 1, nu, it->y, &size);
  if (!(PetscAbsReal(value - dual) <= 1e-13 * (1 + PetscAbsReal(dual)))) Fail(it, "the dual function", value, dual);
  (*ops->dual_room)(&it->loss, 1, it->C, nu, it->y, low, high);
  for (PetscInt t = 0; t < it->C; t++) {
    const PetscReal h = 1e-4 * PetscMin(1, PetscAbsReal(nu[t])), at = nu[t];
    nu[t] = at + h;
    const PetscReal above = (*ops->dual_derivatives)(&it->loss, 1, it->C, nu, it->y, NULL, NULL);
    nu[t] = at - h;
    const PetscReal below = (*ops->dual_derivatives)(&it->loss, 1, it->C, nu, it->y, NULL, NULL);
    /* errors of differences: h^2 times the third derivative, and rounding over h, or over h^2 */
    const PetscReal size_of = 1 + PetscAbsReal(value), near = PetscAbsReal(curvature[t]) + PetscAbsReal(slope[t]);
    const PetscReal first = (above - below) / (2 * h), second = (2 * value - above - below) / (h * h);
    if (!(PetscAbsReal(first - slope[t]) <= 1e-5 * near + 16 * EPS * size_of / h))
      Fail(it, "slope of D", slope[t], first);
    if (!(PetscAbsReal(second - curvature[t]) <= 1e-4 * near + 64 * EPS * size_of / (h * h)))
      Fail(it, "curvature of D", curvature[t], second);
    for (PetscInt side = 0; side < 2; side++) {
      const PetscReal room = side == 0 ? -low[t] : high[t], far = PetscIsInfReal(room) ? (side == 0 ? -9 : 9) : room;
      nu[t] = at + 0.99 * far;
      const PetscReal inside = (*ops->dual_derivatives)(&it->loss, 1, it->C, nu, it->y, NULL, NULL);
      nu[t] = at + 1.01 * far;
      const PetscReal beyond = (*ops->dual_derivatives)(&it->loss, 1, it->C, nu, it->y, NULL, NULL);
      if (PetscIsInfReal(inside)) Fail(it, "D in the room that there is", inside, 0);
      if (PetscIsInfReal(beyond) != !PetscIsInfReal(room)) Fail(it, "D beyond the room that there is", beyond, room);
    }
    nu[t] = at;
  }
}

static void CheckSeparable(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, most = 0;
  for (int trial = 0; trial < TRIALS; trial++) {
    PetscReal sum = 0;
    RandomRow(it->C, 4, v);
    for (PetscInt t = 0; t < it->C; t++) sum += (*it->loss.ops->value)(&it->loss, 1, 1, v + t, it->y + t);
    most = PetscMax(most, PetscAbsReal(sum - Value(it, v)) / (1 + sum));
  }
  if ((it->C > 1 && most > 1e-13) == it->loss.ops->separable && it->C > 1)
    Fail(it, "sum over scores", most, it->loss.ops->separable);
}

/* ---------------------------------------------------------------- what a loss states of itself */

/* The first score changes the loss by its steepness, far from the targets, and by no more */
static void CheckSteepnessOfEach(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {it->y[0] < 0 ? 1e200 : -1e200}, delta[MOST_COLUMNS] = {1};
  const PetscReal most = (*it->loss.ops->change)(&it->loss, it->C, v, it->y, delta);
  if (!(PetscIsInfReal(Steepness(it)) ? most > 1e100 : PetscAbsReal(most / Steepness(it) - 1) <= 1e-12))
    Fail(it, "steepness", most, Steepness(it));
}

/* No change of the scores within delta changes the loss by more than is stated; where delta is small the bound is little more
   than the slopes make it, but for the corners */
static void CheckChangeOfEach(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, w[MOST_COLUMNS] = {0}, delta[MOST_COLUMNS] = {0}, slope[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscReal size = PetscPowReal(10, 3 * Uniform() - 2);
    PetscReal first_order = 0, second_order = 0, near = PETSC_MAX_REAL;
    RandomRow(it->C, 8, v);
    Slope(it, v, slope);
    for (PetscInt t = 0; t < it->C; t++) {
      delta[t] = size * PetscAbsReal(Uniform());
      near = PetscMin(near, PetscAbsReal(v[t] - it->y[t]) - delta[t]);
      first_order += PetscAbsReal(slope[t]) * delta[t];
      second_order += 4 * delta[t] * delta[t] * (PetscReal)it->C;
    }
    const PetscReal here = Value(it, v), most = (*it->loss.ops->change)(&it->loss, it->C, v, it->y, delta);
    const PetscReal rounding = 64 * (PetscReal)it->C * EPS * (1 + here);
    for (int corner = 0; corner < 8; corner++) {
      for (PetscInt t = 0; t < it->C; t++) {
        const PetscReal part = corner > 2 ? Uniform() : corner < 2 ? 1 - 2 * corner : slope[t] < 0 ? -1 : 1;
        w[t] = v[t] + part * delta[t];
      }
      const PetscReal change = PetscAbsReal(Value(it, w) - here);
      if (!(change <= most + rounding)) Fail(it, "change of the loss", change, most);
    }
    if (size < 0.01 && (near > 0 || !it->loss.ops->has_corners) &&
        !(most <= 1.1 * first_order + second_order + rounding))
      Fail(it, "stated change, beside the slopes'", most, first_order);
  }
}

/* The value is within its roundings of the one in extended precision; those of softmax matter where it is tiny */
static long double ExtendedValue(const Case *it, const PetscReal v[])
{
  long double sum = 0;
  if (!strcmp(it->loss.ops->name, "softmax") && it->C > 1) {
    PetscInt largest = 0, class = 0;
    for (PetscInt t = 0; t < it->C; t++) {
      if (v[t] > v[largest]) largest = t;
      if (it->y[t] > 0) class = t;
    }
    for (PetscInt t = 0; t < it->C; t++)
      if (t != largest) sum += expl((long double)v[t] - (long double)v[largest]);
    return (long double)v[largest] - (long double)v[class] + log1pl(sum);
  }
  for (PetscInt t = 0; t < it->C; t++) {
    const long double w = (long double)v[t] * it->y[t], r = fabsl((long double)v[t] - it->y[t]);
    const long double delta = it->loss.parameter;
    if (!strcmp(it->loss.ops->name, "squared")) sum += r * r / 2;
    else if (!strcmp(it->loss.ops->name, "hinge")) sum += fmaxl(0, 1 - w);
    else if (!strcmp(it->loss.ops->name, "huber")) sum += r <= delta ? r * r / 2 : delta * (r - delta / 2);
    else if (!strcmp(it->loss.ops->name, "l1")) sum += r;
    else sum += log1pl(expl(-fabsl(w))) + fmaxl(0, -w);
  }
  return sum;
}

static void CheckRoundingOfValue(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0};
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, PetscPowReal(10, 3 * Uniform()), v);
    for (PetscInt t = 0; t < it->C && trial % 2; t++) v[t] += it->y[t] * 30 * PetscAbsReal(Uniform());
    const long double exact = ExtendedValue(it, v), found = Value(it, v);
    const PetscReal allowed = (it->loss.ops->value_roundings + (PetscReal)it->C) * EPS / 2;
    if (!(fabsl(found - exact) <= allowed * exact + DBL_MIN)) Fail(it, "value", (PetscReal)found, (PetscReal)exact);
  }
}

/* The corners there are lie at the targets, where the slope jumps */
static void CheckCorners(const Case *it)
{
  const PetscReal near = 1e-9;
  PetscReal before[MOST_COLUMNS] = {0}, after[MOST_COLUMNS] = {0}, v[MOST_COLUMNS] = {0};
  memcpy(v, it->y, sizeof(v));
  for (PetscInt t = 0; t < it->C; t++) {
    v[t] = it->y[t] - near;
    Slope(it, v, before);
    v[t] = it->y[t] + near;
    Slope(it, v, after);
    v[t] = it->y[t];
    const PetscReal jump = PetscAbsReal(after[t] - before[t]);
    if ((jump > 10 * near) != it->loss.ops->has_corners) Fail(it, "jump of the slope", jump, it->loss.ops->has_corners);
  }
}

static void CheckMean(const Case *it)
{
  PetscReal v[MOST_COLUMNS] = {0}, shifted[MOST_COLUMNS] = {0}, most = 0;
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, 4, v);
    for (PetscInt t = 0; t < it->C; t++) shifted[t] = v[t] + 1;
    most = PetscMax(most, PetscAbsReal(Value(it, shifted) - Value(it, v)));
  }
  if ((most < 1e-13) != PsdLossIgnoresMean(&it->loss, it->C)) Fail(it, "effect of the mean", most, 0);
}

/* One that is not split is ||v - y||^2/2, whose dual function on a ray is known from <nu,y> and ||nu||^2 */
static void CheckClosedForm(const Case *it)
{
  PetscReal x[MOST_COLUMNS] = {0}, most = 0;
  for (int trial = 0; trial < TRIALS; trial++) {
    RandomRow(it->C, 8, x);
    const PetscReal squared = Dot(it->C, x, it->y) + Dot(it->C, x, x) / 2;
    most = PetscMax(most,
                    PetscAbsReal(Conjugate(it, x) - squared) / (1 + Dot(it->C, x, x))); /* infinite outside a domain */
  }
  if ((most < 1e-13) == it->loss.ops->splits) Fail(it, "conjugate, away from the squared loss's", most, 0);
}

static void Table(void **state)
{
  (void)state;
  assert_false(PsdLossTable[0]->splits);
  for (int k = 0; PsdLossTable[k]; k++) {
    const PsdLossOps *ops = PsdLossTable[k];
    assert_ptr_equal(PsdLossFind(ops->name), ops); /* and so no two have one name */
    assert_true(strlen(ops->name) < sizeof(((PsdTraining *)NULL)->loss) && strlen(ops->help) > 0);
    assert_true(ops->curvature > 0 && ops->sigma > 0);
    assert_true(PsdLossMake(ops, 0).parameter == (ops->parameter ? ops->parameter->initial : 0));
    assert_true(PsdLossMake(ops, 7).parameter == (ops->parameter ? 7 : 0));
    if (!ops->parameter) continue;
    assert_true(ops->parameter->initial > 0);
    for (int j = 0; j < k; j++)
      assert_true(!PsdLossTable[j]->parameter || strcmp(PsdLossTable[j]->parameter->name, ops->parameter->name));
  }
  assert_null(PsdLossFind("quadratic"));
}

#define TEST(name)                                                                                                     \
  static void name(void **state)                                                                                       \
  {                                                                                                                    \
    (void)state;                                                                                                       \
    ForEachCase(Check##name);                                                                                          \
  }
TEST(ValueOfEach)
TEST(Gradient)
TEST(Fenchel)
TEST(Domain)
TEST(Membership)
TEST(SecondDerivative)
TEST(Separable)
TEST(ProxMinimizes)
TEST(ProxExtremes)
TEST(SteepnessOfEach)
TEST(ChangeOfEach)
TEST(RoundingOfValue)
TEST(Corners)
TEST(Mean)
TEST(ClosedForm)
TEST(DualDerivatives)

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Table),         cmocka_unit_test(ValueOfEach),     cmocka_unit_test(Gradient),
      cmocka_unit_test(Fenchel),       cmocka_unit_test(Domain),          cmocka_unit_test(Membership),
      cmocka_unit_test(ProxMinimizes), cmocka_unit_test(ProxExtremes),    cmocka_unit_test(SteepnessOfEach),
      cmocka_unit_test(ChangeOfEach),  cmocka_unit_test(RoundingOfValue), cmocka_unit_test(Corners),
      cmocka_unit_test(Mean),          cmocka_unit_test(ClosedForm),      cmocka_unit_test(SecondDerivative),
      cmocka_unit_test(Separable),     cmocka_unit_test(DualDerivatives), cmocka_unit_test(HasItsDegree)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
