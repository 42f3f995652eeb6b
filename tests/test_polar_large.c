/* The polar of a large block by Cholesky factorisations is that of its spectrum: never below what it is, above it by no more than
 * 1e-8, for random blocks, low ranks, the hard case and what is near it, clusters, scales, and sequences with a warm start. */
#include "network_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "cone/blocks.h"
#include "cone/polar.h"
#include "cone/polar_large.h"

#define ABOVE 1e-8

/* The largest [u;1]'M[u;1] over the unit sphere from the spectrum (LAPACK's QR iteration) by bisection, from below: the value of
 * the Lagrangian's dual at its minimiser, known to rounding. */
static PetscReal LargestForm(PetscInt f, const PetscReal M[], PetscReal sign)
{
  PetscBLASInt order = (PetscBLASInt)f, room = 40 * order, info;
  PetscReal *Q, *l, *work, *z, low, high, norm = 0, form = 0;
  const PetscReal *last = M + f * (f + 1) / 2;
  MUST(PetscMalloc4(f * f, &Q, f, &l, room, &work, f, &z));
  PsdUnpack(f, M, Q);
  for (PetscInt k = 0; k < f * f; k++) Q[k] *= sign;
  LAPACKsyev_("V", "U", &order, Q, &order, l, work, &room, &info);
  Require(info == 0, "dsyev");
  for (PetscInt k = 0; k < f; k++) {
    z[k] = 0;
    for (PetscInt i = 0; i < f; i++) z[k] += Q[k * f + i] * last[i] / PETSC_SQRT2;
    norm += z[k] * z[k];
  }
  low = l[f - 1];
  high = low + PetscSqrtReal(norm) + 1e-300;
  for (int step = 0; step < 200; step++) {
    const PetscReal middle = low + (high - low) / 2;
    PetscReal square = 0;
    for (PetscInt k = 0; k < f; k++) square += z[k] == 0 ? 0 : z[k] * z[k] / ((middle - l[k]) * (middle - l[k]));
    if (square > 1) low = middle;
    else high = middle;
  }
  for (PetscInt k = 0; k < f; k++)
    if (z[k] != 0 && high > l[k]) form += z[k] * z[k] / (high - l[k]);
  const PetscReal value = high + form + sign * last[f];
  MUST(PetscFree4(Q, l, work, z));
  return value;
}

static PetscReal Evaluate(PsdPolarLarge polar, PetscInt f, const PetscReal M[])
{
  PsdPolarSide sides[2];
  PetscReal *work;
  MUST(PetscMalloc1((f + 1) * (f + 1), &work));
  MUST(PsdPolarLargeSearch(polar, M, sides));
  for (int k = 0; k < 2; k++) MUST(PsdPolarProve(f, M, k == 0 ? 1 : -1, work, &sides[k]));
  MUST(PetscFree(work));
  return PetscMax(sides[0].theta + sides[0].phi, sides[1].theta + sides[1].phi);
}

static void Check(PsdPolarLarge polar, PetscInt f, const PetscReal M[], const char what[])
{
  PetscReal norm = 0;
  const PetscReal value = Evaluate(polar, f, M), exact = PetscMax(LargestForm(f, M, 1), LargestForm(f, M, -1));
  for (PetscInt k = 0; k < (f + 1) * (f + 2) / 2; k++) norm += M[k] * M[k];
  norm = PetscSqrtReal(norm);
  /* the reference is good to f eps ||M||; a zero M has a norm of what underflow may hide */
  const PetscReal slack = 10 * (PetscReal)f * PETSC_MACHINE_EPSILON * norm;
  if (!(value >= exact - slack) || !(value <= exact + ABOVE * (PetscAbsReal(exact) + norm) + 1e-150))
    fprintf(stderr, "%s, f %d: %.17g, by the spectrum %.17g\n", what, (int)f, (double)value, (double)exact);
  Require(value >= exact - slack, "never below");
  Require(value <= exact + ABOVE * (PetscAbsReal(exact) + norm) + 1e-150, "no more than 1e-8 above");
}

typedef enum {
  RANDOM,
  LOW_RANK,
  NO_LINEAR,
  LINEAR_ONLY,
  HARD,
  NEARLY_HARD,
  CLUSTER,
  DIAGONAL,
  ALONG_J,
  ZERO,
  KINDS
} Kind;
static const char *const names[KINDS] = {"random",      "low rank", "M2 = 0",   "M1 = 0",  "hard case",
                                         "nearly hard", "cluster",  "diagonal", "along J", "zero"};

static void Make(Kind kind, PetscInt f, uint64_t seed, PetscReal M[])
{
  const PetscInt d = f + 1, m = d * (d + 1) / 2;
  PetscReal *full, *v;
  MUST(PetscCalloc1(d * d, &full));
  MUST(PetscMalloc1(12 * d + m, &v));
  Fill(seed, (size_t)(12 * d + m), v);
  PsdPack(d, full, M);
  if (kind == RANDOM || kind == LINEAR_ONLY || kind == NO_LINEAR)
    for (PetscInt k = 0; k < m; k++) M[k] = v[k];
  if (kind == LINEAR_ONLY)
    for (PetscInt k = 0; k < f * (f + 1) / 2; k++) M[k] = 0;
  if (kind == NO_LINEAR)
    for (PetscInt k = 0; k < f; k++) M[f * (f + 1) / 2 + k] = 0;
  if (kind == LOW_RANK || kind == CLUSTER) {
    /* a few terms; equal and nearly equal eigenvalues at the top */
    for (PetscInt t = 0; t < 6; t++)
      for (PetscInt j = 0; j < d; j++)
        for (PetscInt i = 0; i < d; i++) full[j * d + i] += (t % 2 ? -1 : 1) * v[t * d + i] * v[t * d + j] / d;
    if (kind == CLUSTER)
      for (PetscInt k = 0; k < d / 2; k++) full[k * d + k] += 10 + (k % 3) * 1e-9;
    PsdPack(d, full, M);
  }
  if (kind == HARD || kind == NEARLY_HARD) {
    /* the top eigenvector is e_0, M2 is (almost) orthogonal to it and small */
    for (PetscInt k = 1; k < f; k++) M[PsdDiagonal(k)] = v[k];
    M[PsdDiagonal(0)] = 3;
    for (PetscInt k = 1; k < f; k++) M[f * (f + 1) / 2 + k] = 0.1 * v[f + k] / f;
    if (kind == NEARLY_HARD) M[f * (f + 1) / 2] = 1e-7;
  }
  if (kind == DIAGONAL)
    for (PetscInt k = 0; k < d; k++) M[PsdDiagonal(k)] = v[k];
  if (kind == ALONG_J)
    for (PetscInt k = 0; k < d; k++) M[PsdDiagonal(k)] = k < f ? 2.5 : -2.5;
  MUST(PetscFree(full));
  MUST(PetscFree(v));
}

static void AllKinds(void **state)
{
  static const PetscInt orders[] = {1, 2, 3, 17, 60, 150};
  static const PetscReal scales[] = {1, 1e-12, 1e12};
  (void)state;
  for (size_t o = 0; o < sizeof(orders) / sizeof(*orders); o++) {
    const PetscInt f = orders[o], m = (f + 1) * (f + 2) / 2;
    PetscReal *M;
    MUST(PetscMalloc1(m, &M));
    for (Kind kind = 0; kind < KINDS; kind++)
      for (size_t s = 0; s < sizeof(scales) / sizeof(*scales); s++) {
        PsdPolarLarge polar;
        Make(kind, f, (uint64_t)(100 * f) + kind, M);
        for (PetscInt k = 0; k < m; k++) M[k] *= scales[s];
        MUST(PsdPolarLargeCreate(f, &polar));
        Check(polar, f, M, names[kind]);
        Check(polar, f, M, names[kind]); /* again, from where it ended */
        for (PetscInt k = 0; k < m; k++) M[k] = -M[k];
        Check(polar, f, M, names[kind]);
        MUST(PsdPolarLargeDestroy(&polar));
      }
    MUST(PetscFree(M));
  }
}

/* one that changes a little each time, and then altogether */
static void WarmStarts(void **state)
{
  const PetscInt f = 80, m = (f + 1) * (f + 2) / 2;
  PetscReal *M, *change;
  PsdPolarLarge polar;
  (void)state;
  MUST(PetscMalloc2(m, &M, m, &change));
  Make(LOW_RANK, f, 3, M);
  MUST(PsdPolarLargeCreate(f, &polar));
  for (uint64_t t = 0; t < 12; t++) {
    Fill(50 + t, (size_t)m, change);
    for (PetscInt k = 0; k < m; k++) M[k] += 1e-3 * change[k];
    Check(polar, f, M, "sequence");
  }
  for (Kind kind = 0; kind < KINDS; kind++) {
    Make(kind, f, 70 + kind, M);
    Check(polar, f, M, names[kind]);
  }
  MUST(PsdPolarLargeDestroy(&polar));
  MUST(PetscFree2(M, change));
}

/* an order from where PsdPolarEvaluate takes this way by itself, against unit vectors */
static void AboveUnitVectors(void **state)
{
  const PetscInt f = 350, d = f + 1, m = d * (d + 1) / 2;
  PetscReal *M, *u, value;
  PsdPolar polar;
  (void)state;
  MUST(PetscMalloc2(m, &M, d, &u));
  Make(RANDOM, f, 11, M);
  MUST(PsdPolarCreate(f, &polar));
  MUST(PsdPolarEvaluate(polar, M, &value));
  const PetscReal exact = PetscMax(LargestForm(f, M, 1), LargestForm(f, M, -1));
  Require(value >= exact * (1 - 1e-12) && value <= exact * (1 + ABOVE), "by the spectrum");
  for (uint64_t trial = 0; trial < 20; trial++) {
    PetscReal form = 0;
    const PetscReal *entry = M;
    Fill(200 + trial, (size_t)f, u);
    MakeUnit(1, f, u);
    u[f] = 1;
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i <= j; i++) form += *entry++ * u[i] * u[j] * (i < j ? PETSC_SQRT2 : 1);
    Require(PetscAbsReal(form) <= value, "no unit vector has more");
  }
  MUST(PsdPolarDestroy(&polar));
  MUST(PetscFree2(M, u));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AllKinds), cmocka_unit_test(WarmStarts),
                                     cmocka_unit_test(AboveUnitVectors)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
