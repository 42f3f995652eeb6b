/* R* is never below, and within 1e-10 relative of, what brute force and its dual problem find: random and hard cases. Its proof
 * holds in extended precision, and it is the same at any scale. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "cone/polar.h"

#define ROOM 12 /* largest order here */
#define TOLERANCE 1e-10

/* [u;1]' M [u;1] for M full */
static PetscReal Form(PetscInt f, const PetscReal M[], const PetscReal u[])
{
  const PetscInt d = f + 1;
  PetscReal sum = 0;
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = 0; i < d; i++) sum += M[j * d + i] * (i < f ? u[i] : 1) * (j < f ? u[j] : 1);
  return sum;
}

/* Whether [theta I - s M1, -s M2; -s M2', phi - s M4] has a Cholesky factor in extended precision; svec: of M. */
static PetscBool IsProof(PetscInt f, const PetscReal svec[], PetscReal s, const PsdPolarSide *side)
{
  const PetscInt d = f + 1;
  long double L[ROOM * ROOM];
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = 0; i <= j; i++) {
      long double sum = -s * svec[j * (j + 1) / 2 + i] / (i == j ? 1 : sqrtl(2));
      if (i == j) sum += j < f ? side->theta : side->phi;
      for (PetscInt k = 0; k < i; k++) sum -= L[j * ROOM + k] * L[i * ROOM + k];
      if (i == j && !(sum > 0)) return PETSC_FALSE;
      L[j * ROOM + i] = i == j ? sqrtl(sum) : sum / L[i * ROOM + i];
    }
  return PETSC_TRUE;
}

static void Normalize(PetscInt f, PetscReal u[])
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < f; k++) square += u[k] * u[k];
  for (PetscInt k = 0; k < f; k++) u[k] /= PetscSqrtReal(square);
}

/* Largest form of sign M found by projected power iteration from many random starts: a lower bound. */
static PetscReal Ascend(PetscInt f, const PetscReal M[], PetscReal sign)
{
  const PetscInt d = f + 1;
  PetscReal shift = 0, best = -PETSC_MAX_REAL;
  for (PetscInt k = 0; k < d * d; k++) shift += M[k] * M[k];
  shift = PetscSqrtReal(shift);
  for (uint64_t start = 0; start < 40; start++) {
    PetscReal u[ROOM], next[ROOM];
    Fill(start, (size_t)f, u);
    Normalize(f, u);
    for (PetscInt step = 0; step < 3000; step++) {
      for (PetscInt i = 0; i < f; i++) {
        next[i] = shift * u[i] + sign * M[f * d + i];
        for (PetscInt j = 0; j < f; j++) next[i] += sign * M[j * d + i] * u[j];
      }
      Normalize(f, next);
      for (PetscInt i = 0; i < f; i++) u[i] = next[i];
    }
    best = PetscMax(best, sign * Form(f, M, u));
  }
  return best;
}

static PetscReal LargestEigenvalue(PetscInt d, const PetscReal M[], PetscReal sign, PetscReal mu)
{
  PetscReal A[ROOM * ROOM] = {0}, lambda[ROOM], work[8 * ROOM];
  PetscBLASInt order = (PetscBLASInt)d, room = 8 * ROOM, info;
  for (PetscInt k = 0; k < d * d; k++) A[k] = sign * M[k];
  for (PetscInt k = 0; k < d; k++) A[k * d + k] += k < d - 1 ? mu : -mu;
  LAPACKsyev_("N", "U", &order, A, &order, lambda, work, &room, &info);
  Require(info == 0, "dsyev");
  return lambda[d - 1];
}

/* 2 min over mu of lambda_max(sign M + mu J), by golden section: an upper bound */
static PetscReal Descend(PetscInt d, const PetscReal M[], PetscReal sign)
{
  const PetscReal golden = (PetscSqrtReal(5) - 1) / 2;
  PetscReal radius = 0;
  for (PetscInt k = 0; k < d * d; k++) radius += M[k] * M[k];
  PetscReal low = -2 * PetscSqrtReal(radius), high = -low;
  for (int step = 0; step < 120; step++) {
    const PetscReal left = high - golden * (high - low), right = low + golden * (high - low);
    if (LargestEigenvalue(d, M, sign, left) < LargestEigenvalue(d, M, sign, right)) high = right;
    else low = left;
  }
  return 2 * LargestEigenvalue(d, M, sign, (low + high) / 2);
}

static PetscReal Evaluate(PetscInt f, const PetscReal M[])
{
  static const int exponents[] = {-500, -90, 90, 500};
  PetscReal svec[ROOM * ROOM], scaled[ROOM * ROOM] = {0}, value, again, largest = 0;
  PsdPolarSide sides[2];
  PsdPolar polar;
  PsdPack(f + 1, M, svec);
  MUST(PsdPolarCreate(f, &polar));
  MUST(PsdPolarEvaluate(polar, svec, &value));
  MUST(PsdPolarEvaluateBoth(polar, svec, sides));
  for (PetscInt k = 0; k < (f + 1) * (f + 2) / 2; k++) largest = PetscMax(largest, PetscAbsReal(svec[k]));
  for (int k = 0; k < 2 && largest > 0; k++) {
    Require(IsProof(f, svec, k == 0 ? 1 : -1, &sides[k]), "theta and phi prove the bound");
    Require(value >= sides[k].theta + sides[k].phi, "R* is what was proved");
  }
  for (size_t e = 0; e < sizeof(exponents) / sizeof(*exponents); e++) {
    for (PetscInt k = 0; k < (f + 1) * (f + 2) / 2; k++) scaled[k] = ldexp(svec[k], exponents[e]);
    MUST(PsdPolarEvaluate(polar, scaled, &again));
    /* but for entries that underflow */
    if (largest > 1e-20 && largest < 1e20)
      Require(PetscAbsReal(ldexp(again, -exponents[e]) - value) <= 1e-14 * value, "at another scale");
  }
  MUST(PsdPolarDestroy(&polar));
  return value;
}

/* M: full, order f+1 */
static void Check(PetscInt f, const PetscReal M[], const char what[])
{
  const PetscReal value = Evaluate(f, M);
  const PetscReal below = PetscMax(Ascend(f, M, 1), Ascend(f, M, -1));
  const PetscReal above = PetscMax(Descend(f + 1, M, 1), Descend(f + 1, M, -1));
  if (!(value >= below) || !(value <= above * (1 + TOLERANCE)) || !(value >= above * (1 - TOLERANCE)))
    fprintf(stderr, "f = %d: R* = %.17g, found %.17g, bounded by %.17g\n", (int)f, (double)value, (double)below,
            (double)above);
  Require(value >= below, what);
  Require(value <= above * (1 + TOLERANCE), what);
  Require(value >= above * (1 - TOLERANCE), what);
}

static void MakeRandom(PetscInt d, uint64_t seed, PetscReal M[])
{
  Fill(seed, (size_t)(d * d), M);
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = 0; i < j; i++) M[i * d + j] = M[j * d + i];
}

/* Q diag(l) Q' with Q a reflection, and M2 = Q z, M4 */
static void MakeFromSpectrum(PetscInt f, const PetscReal l[], const PetscReal z[], PetscReal last, PetscReal M[])
{
  const PetscInt d = f + 1;
  PetscReal v[ROOM], Q[ROOM * ROOM];
  Fill(77, (size_t)f, v);
  Normalize(f, v);
  for (PetscInt j = 0; j < f; j++)
    for (PetscInt i = 0; i < f; i++) Q[j * f + i] = (i == j) - 2 * v[i] * v[j];
  for (PetscInt j = 0; j < f; j++) {
    M[f * d + j] = M[j * d + f] = 0;
    for (PetscInt k = 0; k < f; k++) M[f * d + j] = M[j * d + f] += Q[k * f + j] * z[k];
    for (PetscInt i = 0; i < f; i++) {
      M[j * d + i] = 0;
      for (PetscInt k = 0; k < f; k++) M[j * d + i] += Q[k * f + i] * l[k] * Q[k * f + j];
    }
  }
  M[f * d + f] = last;
}

static void Circle(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    PetscReal M[9], best = 0;
    MakeRandom(3, seed, M);
    for (PetscInt k = 0; k < 200000; k++) {
      const PetscReal u[2] = {cos(2 * PETSC_PI * k / 200000), sin(2 * PETSC_PI * k / 200000)};
      best = PetscMax(best, PetscAbsReal(Form(2, M, u)));
    }
    const PetscReal value = Evaluate(2, M);
    Require(value >= best && value <= best * (1 + 1e-8), "dense sampling of the circle");
  }
}

static void RandomMatrices(void **state)
{
  (void)state;
  static const PetscReal scales[] = {1, 1e-12, 1e12};
  for (PetscInt f = 1; f < ROOM; f++)
    for (uint64_t seed = 0; seed < 3; seed++) {
      PetscReal M[ROOM * ROOM];
      MakeRandom(f + 1, 31 * (uint64_t)f + seed, M);
      for (PetscInt k = 0; k < (f + 1) * (f + 1); k++) M[k] *= scales[seed];
      Check(f, M, "random");
    }
}

/* f = 1: u is +1 or -1 */
static void OneNumber(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    PetscReal M[4];
    MakeRandom(2, seed, M);
    const PetscReal exact = PetscAbsReal(M[0] + M[3]) + 2 * PetscAbsReal(M[2]), value = Evaluate(1, M);
    Require(value >= exact && value <= exact * (1 + 1e-12) + 1e-14, "f = 1");
  }
}

static void HardCases(void **state)
{
  (void)state;
  const PetscReal l[] = {2, 1, 0.5, -1, -2.5}, equal[] = {2, 2, 2, 2, 2};
  const PetscReal none[5] = {0}, away[] = {0, 0.3, -0.2, 0.1, 0}, large[] = {0, 3, 4, 0, 0};
  const PetscReal almost[] = {1e-13, 0.3, -0.2, 0.1, 1e-13}, small[] = {1e-9, 1e-9, 0, 0, 1e-9};
  PetscReal M[36];
  MakeFromSpectrum(5, l, none, 0.7, M);
  Check(5, M, "M2 = 0");
  MakeFromSpectrum(5, l, none, -5, M);
  Check(5, M, "M2 = 0, M4 large and negative");
  MakeFromSpectrum(5, l, away, 0.7, M);
  Check(5, M, "M2 orthogonal to the top eigenvectors");
  MakeFromSpectrum(5, l, large, 0.7, M);
  Check(5, M, "M2 orthogonal to the top eigenvectors and large");
  MakeFromSpectrum(5, l, almost, 0.7, M);
  Check(5, M, "M2 almost orthogonal to the top eigenvectors");
  MakeFromSpectrum(5, l, small, 0.7, M);
  Check(5, M, "M2 small");
  MakeFromSpectrum(5, equal, away, 0, M);
  Check(5, M, "M1 a multiple of the identity");
  MakeFromSpectrum(5, none, away, 0, M);
  Check(5, M, "M1 = 0");
}

/* What rounding leaves of an M2 that is zero must not spoil the value. */
static void NegligibleM2(void **state)
{
  (void)state;
  const PetscReal l[] = {2, 1, 0.5, -1, -2.5};
  static const PetscReal sizes[] = {1e-17, 1e-20, 1e-100, 1e-170, 1e-300};
  for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
    PetscReal z[5], M[36];
    for (PetscInt i = 0; i < 5; i++) z[i] = (i + 1) * sizes[k];
    MakeFromSpectrum(5, l, z, 0.7, M);
    Check(5, M, "M2 far below M1's rounding");
  }
}

static void Zero(void **state)
{
  (void)state;
  const PetscReal M[16] = {0};
  Require(Evaluate(3, M) == 0, "R*(0) = 0");
}

/* u u' + t [u;1][u;1]': one direction has nearly all; theta and phi are far from each other */
static void RankOne(void **state)
{
  (void)state;
  static const PetscReal tops[] = {0, 1e-16, 1e-8, 1, 1e8};
  for (PetscInt f = 1; f < ROOM - 1; f += 3)
    for (size_t t = 0; t < sizeof(tops) / sizeof(*tops); t++) {
      PetscReal u[ROOM], M[ROOM * ROOM];
      const PetscInt d = f + 1;
      Fill(40 + t, (size_t)d, u);
      for (PetscInt j = 0; j < d; j++)
        for (PetscInt i = 0; i < d; i++)
          M[j * d + i] = (i < f && j < f ? u[i] * u[j] : 0) + tops[t] * (i < f ? u[i] : 1) * (j < f ? u[j] : 1);
      Check(f, M, "rank one and two");
      for (PetscInt k = 0; k < d * d; k++) M[k] = -M[k];
      Check(f, M, "rank one and two, negative");
    }
}

/* What is not finite has no bound. */
static void NotFinite(void **state)
{
  (void)state;
  const PetscReal bad[] = {INFINITY, -INFINITY, NAN};
  for (int k = 0; k < 3; k++) {
    PetscReal svec[6] = {1, 0.5, 2, 0, bad[k], 1}, value;
    PsdPolar polar;
    MUST(PsdPolarCreate(2, &polar));
    MUST(PsdPolarEvaluate(polar, svec, &value));
    Require(PetscIsInfReal(value) && value > 0, "infinite");
    MUST(PsdPolarDestroy(&polar));
  }
}

/* the largest over all ranks' blocks */
static void MaximumOverRanks(void **state)
{
  (void)state;
  PsdBlocks blocks;
  PsdPolars polars;
  Vec x;
  const PetscInt f[4] = {3, 3, 2, 3};
  PetscReal *values, M[16], svec[10], largest = 0, one, found;
  MUST(PsdBlocksCreateRegions(PETSC_COMM_WORLD, 3, 4, f, NULL, &blocks));
  MUST(PsdBlocksCreateVec(blocks, &x));
  MUST(PsdPolarsCreate(blocks, &polars));
  MUST(VecGetArray(x, &values));
  for (PetscInt pair = 0; pair < 12; pair++) {
    const PetscInt d = f[pair % 4] + 1;
    PsdPolar alone;
    MakeRandom(d, (uint64_t)(pair * pair % 13), M);
    PsdPack(d, M, svec);
    MUST(PsdPolarCreate(d - 1, &alone));
    MUST(PsdPolarEvaluate(alone, svec, &one));
    MUST(PsdPolarDestroy(&alone));
    largest = PetscMax(largest, one);
    if (pair >= blocks->first && pair < blocks->first + blocks->local)
      MUST(PetscArraycpy(values + PsdBlocksOwn(blocks, pair - blocks->first).at, svec, d * (d + 1) / 2));
  }
  MUST(VecRestoreArray(x, &values));
  MUST(PsdPolarsMax(polars, x, &found));
  Require(found == largest, "PsdPolarsMax");
  MUST(PsdPolarsDestroy(&polars));
  MUST(VecDestroy(&x));
  MUST(PsdBlocksDestroy(&blocks));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Circle),    cmocka_unit_test(RandomMatrices), cmocka_unit_test(OneNumber),
      cmocka_unit_test(HardCases), cmocka_unit_test(NegligibleM2),   cmocka_unit_test(Zero),
      cmocka_unit_test(RankOne),   cmocka_unit_test(NotFinite),      cmocka_unit_test(MaximumOverRanks)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
