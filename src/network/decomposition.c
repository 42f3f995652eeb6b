/*
   Neural decomposition of a PSD block with <J,Z> = 0: Z = sum p p', and two factors whose p'Jp have opposite signs
   can be rotated into two others with the same sum of which one has p'Jp = 0. Such a factor is sqrt(alpha) [u;1] with
   |u| = 1.

   A solver's Z has <J,Z> = delta, small but not zero. Left alone, all of delta would end in the last factor, and
   normalising that one neuron moves the predictions by delta; so the block is first moved onto <J,Z> = 0 by the
   smallest step that keeps its rank. With Z = V diag(lambda) V' and P = VV', the tangent space of matrices of that
   rank holds PJ + JP - PJP,

     Z <- Z - t (PJ + JP - PJP),   t = delta / <J, PJ + JP - PJP> = delta / (r + 4 e'e (1 - e'e)),   e' = last row of V,

   which as a step of the factors is  F_k <- F_k - t/sqrt(lambda_k) (J v_k - v_k/2 + e_k V e).

   A vector (w, t) with ||w|| <= t is (t + ||w||)/2 (u, 1) + (t - ||w||)/2 (-u, 1), u = w/||w||.
*/
#include "neurons.h"
#include "base/rounding.h"

/* p'Jq, J = diag(1,...,1,-1) */
static PetscReal InnerJ(PetscInt d, const PetscReal p[], const PetscReal q[])
{
  PetscReal sum = -p[d - 1] * q[d - 1];
  for (PetscInt k = 0; k < d - 1; k++) sum += p[k] * q[k];
  return sum;
}

/*
   Rotates p (p'Jp = A > 0) and q (q'Jq = C < 0) so that p'Jp = 0 and pp' + qq' stays. With t the tangent of the angle,
   A + 2 t B + t^2 C = 0; the smaller root, written without cancellation.
*/
static void Rotate(PetscInt d, PetscReal A, PetscReal C, PetscReal p[], PetscReal q[])
{
  const PetscReal B = InnerJ(d, p, q);
  const PetscReal root = -(B + (B >= 0 ? 1 : -1) * PetscSqrtReal(B * B - A * C));
  const PetscReal first = root / C, second = A / root;
  const PetscReal t = PetscAbsReal(first) < PetscAbsReal(second) ? first : second;
  const PetscReal cosine = 1 / PetscSqrtReal(1 + t * t), sine = t * cosine;
  for (PetscInt k = 0; k < d; k++) {
    const PetscReal pk = p[k], qk = q[k];
    p[k] = cosine * pk + sine * qk;
    q[k] = cosine * qk - sine * pk;
  }
}

/* The neuron of one factor p = sqrt(alpha) [u;1]; a factor along e4 alone (no u) is no neuron. */
static void AppendNeuron(PetscInt d, const PetscReal p[], PetscReal sign, PetscInt region, PetscInt class,
                         PsdNeurons *to)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < d - 1; k++) square += p[k] * p[k];
  if (square == 0) return;
  const PetscReal scale = (p[d - 1] < 0 ? -1 : 1) / PetscSqrtReal(square);
  PetscReal *u = to->filter + (size_t)to->N * to->f;
  for (PetscInt k = 0; k < d - 1; k++) u[k] = scale * p[k];
  for (PetscInt k = d - 1; k < to->f; k++) u[k] = 0; /* of a larger block's filters */
  to->weight[to->N] = sign * (square + p[d - 1] * p[d - 1]) / 2;
  to->region[to->N] = region;
  to->class[to->N] = class;
  to->N++;
}

/* The step onto <J,Z> = 0 described above, for columns whose eigenvalue is large beside it; others stay. */
static void RestoreTrace(PetscInt d, PetscInt rank, PetscReal F[], PetscReal lambda[], PetscReal Ve[])
{
  PetscReal delta = 0;
  PetscInt r = 0;
  for (PetscInt k = 0; k < rank; k++) {
    const PetscReal *p = F + (size_t)k * d, J = InnerJ(d, p, p);
    lambda[k] = J + 2 * p[d - 1] * p[d - 1];
    delta += J;
  }
  const PetscReal smallest = 4 * PetscAbsReal(delta) / (PetscReal)PetscMax(rank, 1);
  for (PetscInt i = 0; i < d; i++) Ve[i] = 0;
  for (PetscInt k = 0; k < rank; k++) {
    const PetscReal *p = F + (size_t)k * d;
    if (lambda[k] <= smallest) continue;
    for (PetscInt i = 0; i < d; i++) Ve[i] += p[i] * p[d - 1] / lambda[k];
    r++;
  }
  if (r == 0) return;
  const PetscReal ee = Ve[d - 1], t = delta / ((PetscReal)r + 4 * ee * (1 - ee));
  for (PetscInt k = 0; k < rank; k++) {
    PetscReal *p = F + (size_t)k * d;
    if (lambda[k] <= smallest) continue;
    const PetscReal step = t / lambda[k], last = p[d - 1];
    for (PetscInt i = 0; i < d - 1; i++) p[i] -= step * (p[i] / 2 + last * Ve[i]);
    p[d - 1] -= step * (-1.5 * last + last * ee);
  }
}

void PsdDecompose(PetscInt d, PetscInt rank, PetscReal F[], PetscReal sign, PetscInt region, PetscInt class,
                  PsdNeurons *neurons)
{
  RestoreTrace(d, rank, F, neurons->lambda, neurons->vector);
  for (PetscInt left = rank; left > 0; left--) {
    PetscInt high = 0, low = 0;
    PetscReal highest = InnerJ(d, F, F), lowest = highest;
    for (PetscInt k = 1; k < left; k++) {
      const PetscReal value = InnerJ(d, F + (size_t)k * d, F + (size_t)k * d);
      if (value > highest) highest = value, high = k;
      if (value < lowest) lowest = value, low = k;
    }
    PetscReal *p = F + (size_t)high * d, *last = F + (size_t)(left - 1) * d;
    if (highest > 0 && lowest < 0) Rotate(d, highest, lowest, p, F + (size_t)low * d);
    AppendNeuron(d, p, sign, region, class, neurons);
    for (PetscInt k = 0; k < d; k++) p[k] = last[k];
  }
}

/* alpha u as a neuron, u = +-w/norm; of w = 0 the first coordinate stands for every direction. */
static void AppendLinear(PetscInt f, const PetscReal w[], PetscReal norm, PetscReal alpha, PetscInt region,
                         PetscInt class, PsdNeurons *to)
{
  PetscReal *u = to->filter + (size_t)to->N * to->f;
  for (PetscInt k = 0; k < to->f; k++) u[k] = k < f && norm != 0 ? w[k] / norm : 0;
  if (norm == 0) u[0] = 1;
  to->weight[to->N] = alpha;
  to->region[to->N] = region;
  to->class[to->N] = class;
  to->N++;
}

void PsdDecomposeVector(PetscInt f, const PetscReal z[], PetscReal sign, PetscInt region, PetscInt class,
                        PsdNeurons *neurons)
{
  const PetscReal t = z[f], tiny = PsdRoundings((PetscReal)f + 8) * t;
  PetscReal largest = 0, square = 0;
  for (PetscInt k = 0; k < f; k++) largest = PetscMax(largest, PetscAbsReal(z[k]));
  for (PetscInt k = 0; k < f && largest > 0; k++) square += z[k] / largest * (z[k] / largest);
  const PetscReal norm = largest * PetscSqrtReal(square);
  if (t - norm <= tiny) { /* on the boundary, but for rounding */
    AppendLinear(f, z, norm, sign * t, region, class, neurons);
    return;
  }
  const PetscReal against = norm > tiny ? -norm : 0;
  AppendLinear(f, z, -against, sign * (t + norm) / 2, region, class, neurons);
  AppendLinear(f, z, against, sign * (t - norm) / 2, region, class, neurons);
  if (against == 0) neurons->filter[(size_t)(neurons->N - 1) * neurons->f] = -1;
}
