/*
   Softmax with cross-entropy: L(v) = log sum_t exp(v_t) - v_c, c the class. With p = softmax(v), nu = -L' = e_c - p,
   and -L*(-nu) = -sum_t p_t log p_t for p = e_c - nu in the simplex. So the entries of nu apart from c are <= 0, and
   nu_c is minus their sum, at most 1. One column is the logistic loss.
*/
#include "losses.h"
#include <math.h>

extern const PsdLossOps PsdLossLogistic;

static PetscInt ClassOf(PetscInt C, const PetscReal y[])
{
  PetscInt c = 0;
  while (c < C - 1 && !(y[c] > 0)) c++;
  return c;
}

static PetscReal Largest(PetscInt C, const PetscReal v[])
{
  PetscReal largest = v[0];
  for (PetscInt t = 1; t < C; t++) largest = PetscMax(largest, v[t]);
  return largest;
}

static PetscInt LargestAt(PetscInt C, const PetscReal v[])
{
  PetscInt at = 0;
  for (PetscInt t = 1; t < C; t++)
    if (v[t] > v[at]) at = t;
  return at;
}

/* log of a sum of exponentials of which the largest is 1: log1p of the others keeps what is far below 1 */
static PetscReal Value(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[])
{
  PetscReal sum = 0;
  if (C == 1) return (*PsdLossLogistic.value)(loss, rows, C, yhat, y);
  for (PetscInt i = 0; i < rows; i++, yhat += C, y += C) {
    const PetscInt largest = LargestAt(C, yhat);
    PetscReal others = 0;
    for (PetscInt t = 0; t < C; t++)
      if (t != largest) others += PetscExpReal(yhat[t] - yhat[largest]);
    sum += (yhat[largest] - yhat[ClassOf(C, y)]) + log1p(others);
  }
  return sum;
}

/* nu = e_c - p from p: what the other classes have is what class c lacks, without cancellation */
static void FromProbabilities(PetscInt C, PetscInt c, PetscReal total, PetscReal p[])
{
  PetscReal others = 0;
  for (PetscInt t = 0; t < C; t++) {
    if (t == c) continue;
    others += p[t] /= total;
    p[t] = -p[t];
  }
  p[c] = PetscMin(1, others);
}

static void DualPoint(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                      PetscReal nu[])
{
  if (C == 1) {
    (*PsdLossLogistic.dual_point)(loss, rows, C, yhat, y, nu);
    return;
  }
  for (PetscInt i = 0; i < rows; i++, yhat += C, y += C, nu += C) {
    const PetscReal largest = Largest(C, yhat);
    PetscReal total = 0;
    for (PetscInt t = 0; t < C; t++) total += nu[t] = PetscExpReal(yhat[t] - largest);
    FromProbabilities(C, ClassOf(C, y), total, nu);
  }
}

/* (diag(p) - p p') direction, as p_t (direction_t - <p, direction>) */
static void Second(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                   const PetscReal direction[], PetscReal product[])
{
  if (C == 1) {
    (*PsdLossLogistic.second)(loss, rows, C, yhat, y, direction, product);
    return;
  }
  for (PetscInt i = 0; i < rows; i++, yhat += C, direction += C, product += C) {
    const PetscReal largest = Largest(C, yhat);
    PetscReal total = 0, mean = 0;
    for (PetscInt t = 0; t < C; t++) {
      product[t] = PetscExpReal(yhat[t] - largest);
      total += product[t];
      mean += product[t] * direction[t];
    }
    for (PetscInt t = 0; t < C; t++) product[t] *= (direction[t] - mean / total) / total;
  }
}

/* Wright's omega: w + log w = r. Two corrections of Fritsch, Shafer and Crowley, each of fourth order. */
static PetscReal Omega(PetscReal r)
{
  PetscReal w;
  if (r < -36) return PetscExpReal(r); /* w itself is below the rounding of r */
  if (r > 2) w = r - PetscLogReal(r) * (1 - 1 / r);
  else if (r < -1) w = PetscExpReal(r) / (1 + PetscExpReal(r));
  else w = PetscExpReal((r - 1) / 2);
  for (int k = 0; k < 2; k++) {
    const PetscReal residual = r - w - PetscLogReal(w), next = 1 + w, t = 2 * next * (next + 2 * residual / 3);
    w *= 1 + residual / next * (t - residual) / (t - 2 * residual);
  }
  return w;
}

/*
   v = x + (e_c - p)/sigma with p = softmax(v). With z = x + e_c/sigma and tau = log sum exp(v),

     p_t/sigma + log p_t = z_t - tau,   so that   p_t = sigma omega(z_t - tau - log sigma),   and   sum p_t = 1

   is one equation for tau. Its left side decreases and is convex in tau; where the largest p is 1 it is above 1, and
   Newton's method from there approaches the root without passing it. C unknowns are thus one, and no step needs a
   safeguard.
*/
static void Probabilities(PetscInt C, PetscInt c, PetscReal sigma, const PetscReal x[], PetscReal p[])
{
  const PetscReal largest = PetscMax(Largest(C, x), x[c] + 1 / sigma), offset = largest + PetscLogReal(sigma);
  PetscReal tau = -1 / sigma; /* relative to the largest z */
  for (int k = 0; k < 200; k++) {
    PetscReal excess = -1, slope = 0;
    for (PetscInt t = 0; t < C; t++) {
      const PetscReal w = Omega((t == c ? x[t] + 1 / sigma : x[t]) - offset - tau);
      p[t] = sigma * w;
      excess += p[t];
      slope += p[t] / (1 + w);
    }
    if (excess <= 4 * (PetscReal)C * PETSC_MACHINE_EPSILON) break;
    tau += excess / slope;
  }
}

static void Prox(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal sigma, const PetscReal x[],
                 const PetscReal y[], PetscReal v[])
{
  if (C == 1) {
    (*PsdLossLogistic.prox)(loss, rows, C, sigma, x, y, v);
    return;
  }
  for (PetscInt i = 0; i < rows; i++, x += C, y += C, v += C) {
    const PetscInt c = ClassOf(C, y);
    PetscReal total = 0;
    PetscReal *nu = v; /* p, then nu, then v in one place */
    Probabilities(C, c, sigma, x, nu);
    for (PetscInt t = 0; t < C; t++) total += nu[t];
    FromProbabilities(C, c, total, nu);
    for (PetscInt t = 0; t < C; t++) v[t] = x[t] + nu[t] / sigma;
  }
}

/* The probability of class c that nu leaves, and of the others together; < 0: not in the domain. */
static PetscReal Remaining(PetscInt C, PetscInt c, PetscReal s, const PetscReal nu[], PetscReal *others)
{
  *others = 0;
  for (PetscInt t = 0; t < C; t++) {
    if (t == c) continue;
    if (nu[t] > 0) return -1;
    *others -= s * nu[t];
  }
  /* nu_c is minus the sum of the others, which is at most 1, but for rounding */
  const PetscReal rounding = 4 * (PetscReal)C * PETSC_MACHINE_EPSILON;
  if (PetscAbsReal(s * nu[c] - *others) > rounding * *others || *others > 1 + rounding) return -1;
  *others = PetscMin(1, *others);
  return 1 - *others;
}

static PetscReal Entropy(PetscReal p)
{
  return p > 0 ? -p * PetscLogReal(p) : 0;
}

static PetscReal Dual(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal s, const PetscReal nu[],
                      const PetscReal y[], PetscReal *size)
{
  PetscReal sum = 0;
  if (C == 1) return (*PsdLossLogistic.dual)(loss, rows, C, s, nu, y, size);
  for (PetscInt i = 0; i < rows; i++, nu += C, y += C) {
    const PetscInt c = ClassOf(C, y);
    PetscReal others, term;
    const PetscReal remaining = Remaining(C, c, s, nu, &others);
    if (remaining < 0) return -INFINITY;
    term = remaining > 0 ? -remaining * log1p(-others) : 0;
    for (PetscInt t = 0; t < C; t++)
      if (t != c) term += Entropy(-s * nu[t]);
    sum += term;
    *size += term + others;
  }
  return sum;
}

/* -sum p log p + mu sum log p, p = e_c - nu; the entries of nu sum to 0, and so do those of its changes */
static PetscReal DualDerivatives(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[],
                                 const PetscReal y[], PetscReal slope[], PetscReal curvature[])
{
  PetscReal sum = 0;
  if (C == 1) return (*PsdLossLogistic.dual_derivatives)(loss, rows, C, nu, y, slope, curvature);
  for (PetscInt i = 0; i < rows; i++, nu += C, y += C) {
    const PetscInt c = ClassOf(C, y);
    for (PetscInt t = 0; t < C; t++) {
      const PetscReal p = (t == c) - nu[t];
      if (!(p > 0)) return -INFINITY;
      const PetscReal log_p = PetscLogReal(p);
      sum -= p * log_p;
      if (slope) *slope++ = log_p + 1;
      if (curvature) *curvature++ = 1 / p;
    }
  }
  return sum;
}

static void DualRoom(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[],
                     PetscReal low[], PetscReal high[])
{
  if (C == 1) {
    (*PsdLossLogistic.dual_room)(loss, rows, C, nu, y, low, high);
    return;
  }
  for (PetscInt i = 0; i < rows; i++, nu += C, y += C) {
    const PetscInt c = ClassOf(C, y);
    for (PetscInt t = 0; t < C; t++) {
      *low++ = INFINITY;
      *high++ = (t == c) - nu[t];
    }
  }
}

static void ToDomain(const PsdLoss *loss, PetscInt rows, PetscInt C, PetscReal nu[], const PetscReal y[])
{
  if (C == 1) {
    (*PsdLossLogistic.to_domain)(loss, rows, C, nu, y);
    return;
  }
  for (PetscInt i = 0; i < rows; i++, nu += C, y += C) {
    const PetscInt c = ClassOf(C, y);
    PetscReal others = 0;
    for (PetscInt t = 0; t < C; t++)
      if (t != c) others += nu[t] = PetscMax(0, -nu[t]);
    FromProbabilities(C, c, PetscMax(1, others), nu);
  }
}

static PetscReal MaxScale(const PsdLoss *loss, PetscInt rows, PetscInt C, const PetscReal nu[], const PetscReal y[])
{
  PetscReal least = INFINITY;
  if (C == 1) return (*PsdLossLogistic.max_scale)(loss, rows, C, nu, y);
  for (PetscInt i = 0; i < rows; i++, nu += C, y += C) least = PetscMin(least, 1 / nu[ClassOf(C, y)]);
  return least;
}

/* |dL/dv_t| is p_t, or 1 - p_t for the class */
static PetscReal Steepness(const PsdLoss *loss)
{
  (void)loss;
  return 1;
}

/* A slope is at most 1, and on the way at most exp(2 max delta) times what it is. */
static PetscReal Change(const PsdLoss *loss, PetscInt C, const PetscReal yhat[], const PetscReal y[],
                        const PetscReal delta[])
{
  if (C == 1) return (*PsdLossLogistic.change)(loss, C, yhat, y, delta);
  const PetscInt c = ClassOf(C, y);
  const PetscReal largest = Largest(C, yhat), growth = PetscExpReal(2 * Largest(C, delta));
  PetscReal total = 0, others = 0, sum = 0;
  for (PetscInt t = 0; t < C; t++) total += PetscExpReal(yhat[t] - largest);
  for (PetscInt t = 0; t < C; t++) {
    if (t == c) continue;
    const PetscReal p = PetscExpReal(yhat[t] - largest) / total;
    others += p;
    sum += PetscMin(1, growth * p) * delta[t];
  }
  return sum + PetscMin(1, growth * others) * delta[c];
}

const PsdLossOps PsdLossSoftmax = {.name = "softmax",
                                   .help = "log sum exp(yhat) - yhat of the class",
                                   /* exp(x) of a rounded x is off by |x| roundings, and x >= -745.2 */
                                   .value_roundings = 760,
                                   .curvature = 0.25,
                                   .sigma = 0.08,
                                   .splits = PETSC_TRUE,
                                   .ignores_mean = PETSC_TRUE,
                                   .value = Value,
                                   .dual_point = DualPoint,
                                   .smooth = PETSC_TRUE,
                                   .second = Second,
                                   .prox = Prox,
                                   .dual = Dual,
                                   .dual_derivatives = DualDerivatives,
                                   .dual_room = DualRoom,
                                   .to_domain = ToDomain,
                                   .max_scale = MaxScale,
                                   .steepness = Steepness,
                                   .change = Change};
