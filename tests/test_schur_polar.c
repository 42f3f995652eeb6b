/* The bound of a block that is known on a subspace is proved for the whole block by a factorisation in extended precision,
 * stays within what the complement may add of the polar of the whole block, and fails when kappa is too small: several k, signs
 * of a and nu, ranks, scales. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "cone/polar.h"
#include "cone/schur_polar.h"

#define MOST 24 /* largest f here */
#define SAMPLES 60

/* A block as its samples make it, in extended precision, and what is known of it. */
typedef struct {
  PetscInt f, k;
  long double M[MOST + 1][MOST + 1]; /* full */
  PetscReal X[SAMPLES][MOST], nu[SAMPLES];
  PetscReal B[MOST * MOST], W[MOST * (MOST + 1)];
  PetscReal kappa, far[2], range; /* range: of M1 on the complement */
} Block;

typedef enum { MIXED, POSITIVE, NEGATIVE, ALIKE, FLAT, LOW_RANK, KINDS } Kind;

/* ---------------------------------------------------------------- blocks */

static void MakeSamples(Block *it, Kind kind, uint64_t seed)
{
  PetscReal numbers[SAMPLES * (MOST + 1)];
  Fill(seed, sizeof(numbers) / sizeof(*numbers), numbers);
  for (PetscInt i = 0; i < SAMPLES; i++) {
    const PetscInt like = kind == ALIKE ? i % 3 : i;
    for (PetscInt j = 0; j < it->f; j++) {
      const PetscReal decay = kind == LOW_RANK && j >= 4 ? 0 : pow(0.7, (double)j);
      it->X[i][j] = kind == FLAT ? 0 : decay * numbers[like * (MOST + 1) + j];
    }
    it->nu[i] = numbers[i * (MOST + 1) + MOST];
    if (kind == POSITIVE) it->nu[i] = PetscAbsReal(it->nu[i]);
    if (kind == NEGATIVE) it->nu[i] = -PetscAbsReal(it->nu[i]);
  }
  /* mixed among the coordinates, so that principal components are no unit vectors */
  for (PetscInt i = 0; i < SAMPLES; i++)
    for (PetscInt j = 0; j + 1 < it->f; j++) {
      const PetscReal x = it->X[i][j], y = it->X[i][j + 1];
      it->X[i][j] = 0.8 * x - 0.6 * y;
      it->X[i][j + 1] = 0.6 * x + 0.8 * y;
    }
}

/* Eigenvectors of X'X, the largest eigenvalue first, to B; its largest eigenvalue beyond them. */
static void MakeBasis(Block *it)
{
  PetscBLASInt order = (PetscBLASInt)it->f, room = 40 * order, info;
  PetscReal G[MOST * MOST], lambda[MOST], work[40 * MOST];
  for (PetscInt j = 0; j < it->f; j++)
    for (PetscInt i = 0; i < it->f; i++) {
      long double sum = 0;
      for (PetscInt p = 0; p < SAMPLES; p++) sum += (long double)it->X[p][i] * it->X[p][j];
      G[j * it->f + i] = (PetscReal)sum;
    }
  LAPACKsyev_("V", "U", &order, G, &order, lambda, work, &room, &info);
  Require(info == 0, "dsyev");
  for (PetscInt j = 0; j < it->k; j++)
    for (PetscInt i = 0; i < it->f; i++) it->B[j * it->f + i] = G[(it->f - 1 - j) * it->f + i];
  it->kappa = it->k < it->f ? PetscMax(0, lambda[it->f - 1 - it->k]) + 1e-13 * lambda[it->f - 1] : 0;
}

static void MakeM(Block *it, const PetscReal activation[3])
{
  const PetscInt f = it->f;
  PetscReal largest[2] = {0, 0};
  memset(it->M, 0, sizeof(it->M));
  for (PetscInt p = 0; p < SAMPLES; p++) {
    for (PetscInt j = 0; j < f; j++) {
      for (PetscInt i = 0; i < f; i++)
        it->M[i][j] += (long double)activation[0] * it->nu[p] * it->X[p][i] * it->X[p][j];
      it->M[f][j] += (long double)activation[1] / 2 * it->nu[p] * it->X[p][j];
    }
    it->M[f][f] += (long double)activation[2] * it->nu[p];
    largest[0] = PetscMax(largest[0], activation[0] * it->nu[p]);
    largest[1] = PetscMax(largest[1], -activation[0] * it->nu[p]);
  }
  for (PetscInt j = 0; j < f; j++) it->M[j][f] = it->M[f][j];
  for (int s = 0; s < 2; s++) it->far[s] = largest[s] * it->kappa * (1 + 1e-14);
  it->range = it->far[0] + it->far[1];
  for (PetscInt c = 0; c <= it->k; c++)
    for (PetscInt i = 0; i < f; i++) {
      long double sum = 0;
      for (PetscInt j = 0; j < f && c < it->k; j++) sum += it->M[i][j] * it->B[c * f + j];
      it->W[c * f + i] = (PetscReal)(c < it->k ? sum : it->M[i][f]);
    }
}

static Block *Make(PetscInt f, PetscInt k, Kind kind, const PetscReal activation[3], uint64_t seed)
{
  Block *it;
  MUST(PetscNew(&it));
  it->f = f;
  it->k = k;
  MakeSamples(it, kind, seed);
  MakeBasis(it);
  MakeM(it, activation);
  return it;
}

static PetscReal Norm(PetscInt f, const Block *it)
{
  long double sum = 0;
  for (PetscInt i = 0; i <= f; i++)
    for (PetscInt j = 0; j <= f; j++) sum += it->M[i][j] * it->M[i][j];
  return (PetscReal)sqrtl(sum);
}

/* W is rounded once from extended precision. */
static PetscReal RoundingOfW(const Block *it)
{
  return 2 * PETSC_MACHINE_EPSILON * Norm(it->f, it) + 1e-300;
}

/* ---------------------------------------------------------------- what is to be true */

/* Whether [theta I - s M1, -s M2; -s M2', phi - s M4] has a Cholesky factor in extended precision, with `more` on its diagonal
 * for what extended precision rounds. */
static PetscBool IsProof(const Block *it, PetscReal s, const PsdPolarSide *side, PetscReal more)
{
  long double L[MOST + 1][MOST + 1];
  for (PetscInt j = 0; j <= it->f; j++)
    for (PetscInt i = 0; i <= j; i++) {
      long double sum = -s * it->M[i][j];
      if (i == j) sum += (j < it->f ? side->theta : side->phi) + more;
      for (PetscInt k = 0; k < i; k++) sum -= L[j][k] * L[i][k];
      if (i == j && !(sum > 0)) return PETSC_FALSE;
      L[j][i] = i == j ? sqrtl(sum) : sum / L[i][i];
    }
  return PETSC_TRUE;
}

/* The largest s [u;1]'M[u;1], by the polar of the whole block. */
static PetscReal Largest(const Block *it, PetscReal s)
{
  const PetscInt f = it->f;
  PetscReal svec[(MOST + 1) * (MOST + 2) / 2];
  PsdPolarSide sides[2];
  PsdPolar polar;
  for (PetscInt j = 0, at = 0; j <= f; j++)
    for (PetscInt i = 0; i <= j; i++, at++) svec[at] = (PetscReal)(it->M[i][j] * (i == j ? 1 : sqrtl(2)));
  MUST(PsdPolarCreate(f, &polar));
  MUST(PsdPolarEvaluateBoth(polar, svec, sides));
  MUST(PsdPolarDestroy(&polar));
  return s > 0 ? sides[0].theta + sides[0].phi : sides[1].theta + sides[1].phi;
}

static PetscReal Form(const Block *it, PetscReal s, const PetscReal u[])
{
  long double sum = 0;
  for (PetscInt i = 0; i <= it->f; i++)
    for (PetscInt j = 0; j <= it->f; j++) sum += it->M[i][j] * (i < it->f ? u[i] : 1) * (j < it->f ? u[j] : 1);
  return s * (PetscReal)sum;
}

static void Bound(const Block *it, PetscReal s, PetscReal level, PetscReal guess, PetscReal less, PsdSchurSide *side)
{
  PsdSchurPolar polar;
  PetscReal W[MOST * (MOST + 1)];
  const PsdSchurBlock block = {.f = it->f,
                               .k = it->k,
                               .leading = it->k,
                               .B = it->B,
                               .W = W,
                               .M4 = (PetscReal)it->M[it->f][it->f],
                               .error = RoundingOfW(it),
                               .far = {less * it->far[0], less * it->far[1]}};
  memcpy(W, it->W, sizeof(W));
  side->side.theta = guess;
  MUST(PsdSchurPolarCreate(&block, &polar));
  MUST(PsdSchurPolarBound(polar, s, level, side));
  MUST(PsdSchurPolarDestroy(&polar));
}

/* ---------------------------------------------------------------- tests */

static void CheckBlock(const Block *it, PetscReal s)
{
  PetscReal u[MOST], square = 0;
  PsdSchurSide side = {.u = u}, enough = {.u = NULL};
  const PetscReal norm = Norm(it->f, it), largest = Largest(it, s);
  Bound(it, s, -PETSC_MAX_REAL, 0, 1, &side);
  const PetscReal bound = side.side.theta + side.side.phi;
  Require(IsProof(it, s, &side.side, 1e-17 * norm + 1e-320), "theta and phi are a proof for the whole block");
  Require(bound <= largest + it->range + 1e-9 * norm + 1e-290, "what the complement adds is its range at most");
  for (PetscInt i = 0; i < it->f; i++) square += u[i] * u[i];
  Require(PetscAbsReal(square - 1) < 1e-12, "a unit vector");
  Require(Form(it, s, u) >= bound - it->range - 2e-5 * norm - 1e-290, "at which the form is nearly its largest");
  /* the search may end as soon as the bound is good enough, wherever it starts */
  const PetscReal level = bound + 0.1 * norm;
  Bound(it, s, level, 0.9 * side.side.theta, 1, &enough);
  Require(IsProof(it, s, &enough.side, 1e-17 * norm + 1e-320), "a proof as well");
  Require(enough.side.theta + enough.side.phi <= level + 1e-11 * norm + 1e-290, "as good as was asked for");
}

static const PetscReal activations[][3] = {{0.09, 0.5, 0.47}, {-0.2, 0.5, 0.1}, {0, 1, 0.3}, {1, 0, 0}, {0.5, 0, -2}};

static void BoundsAreProofs(void **state)
{
  static const PetscInt sizes[][2] = {{1, 0},  {1, 1},  {7, 0},   {7, 3},   {7, 7},
                                      {20, 1}, {20, 6}, {20, 15}, {20, 20}, {24, 23}};
  (void)state;
  for (size_t size = 0; size < sizeof(sizes) / sizeof(*sizes); size++)
    for (int kind = 0; kind < KINDS; kind++)
      for (size_t a = 0; a < sizeof(activations) / sizeof(*activations); a++) {
        Block *it =
            Make(sizes[size][0], sizes[size][1], (Kind)kind, activations[a], 100 * size + 10 * (size_t)kind + a);
        for (int s = -1; s <= 1; s += 2) CheckBlock(it, s);
        MUST(PetscFree(it));
      }
}

/* Powers of two change nothing but the exponent. */
static void BoundsScale(void **state)
{
  (void)state;
  for (int exponent = -600; exponent <= 600; exponent += 150) {
    Block *it = Make(12, 5, MIXED, activations[0], 3);
    PsdSchurSide side, scaled;
    side.u = scaled.u = NULL;
    Bound(it, 1, -PETSC_MAX_REAL, 0, 1, &side);
    for (PetscInt i = 0; i <= it->f; i++)
      for (PetscInt j = 0; j <= it->f; j++) it->M[i][j] = ldexpl(it->M[i][j], exponent);
    for (PetscInt i = 0; i < it->f * (it->k + 1); i++) it->W[i] = ldexp(it->W[i], exponent);
    for (int s = 0; s < 2; s++) it->far[s] = ldexp(it->far[s], exponent);
    Bound(it, 1, -PETSC_MAX_REAL, 0, 1, &scaled);
    const PetscReal expected = ldexp(side.side.theta + side.side.phi, exponent);
    Require(PetscAbsReal(scaled.side.theta + scaled.side.phi - expected) <= 1e-10 * PetscAbsReal(expected), "scaled");
    Require(IsProof(it, 1, &scaled.side, 1e-17 * Norm(it->f, it)), "proved at any scale");
    MUST(PetscFree(it));
  }
}

/* A basis that is off by much more than rounding is counted. */
static void DefectIsCounted(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 20; seed++) {
    Block *it = Make(16, 9, MIXED, activations[seed % 2], seed);
    PetscReal noise[MOST * MOST];
    PsdSchurSide side = {.u = NULL};
    /* within the subspace, so that kappa stays what it is: the columns are scaled and mixed */
    Fill(seed + 50, (size_t)(it->f * it->k), noise);
    for (PetscInt c = 0; c < it->k; c++)
      for (PetscInt i = 0; i < it->f; i++)
        it->B[c * it->f + i] +=
            1e-3 * noise[c] * it->B[((c + 1) % it->k) * it->f + i] + 1e-3 * noise[c + it->k] * it->B[c * it->f + i];
    MakeM(it, activations[seed % 2]);
    for (int s = -1; s <= 1; s += 2) {
      Bound(it, s, -PETSC_MAX_REAL, 0, 1 + 1e-3, &side);
      Require(IsProof(it, s, &side.side, 1e-17 * Norm(it->f, it)), "a proof with a basis that is not orthonormal");
    }
    MUST(PetscFree(it));
  }
}

/* W and M4 that are off by all that their error allows, by much more than rounding: the proof is of the block itself. */
static void ErrorsAreCounted(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 40; seed++) {
    Block *it = Make(16, (PetscInt)(seed % 17), seed % 3 ? MIXED : LOW_RANK, activations[seed % 5], seed);
    const PetscReal error = PetscPowReal(10, -2 - (PetscReal)(seed % 5)) * Norm(it->f, it);
    PetscReal noise[MOST * (MOST + 1)], square = 0, W[MOST * (MOST + 1)];
    const PetscInt entries = it->f * (it->k + 1);
    Fill(seed + 7, (size_t)entries, noise);
    for (PetscInt i = 0; i < entries; i++) square += noise[i] * noise[i];
    for (int s = -1; s <= 1; s += 2) {
      PsdSchurPolar polar;
      PsdSchurSide side = {.u = NULL};
      for (PetscInt i = 0; i < entries; i++)
        W[i] = it->W[i] - s * (seed % 2 ? 1 : -1) * error * noise[i] / PetscSqrtReal(square);
      const PsdSchurBlock block = {.f = it->f,
                                   .k = it->k,
                                   .leading = it->k,
                                   .B = it->B,
                                   .W = W,
                                   .M4 = (PetscReal)it->M[it->f][it->f] - s * error,
                                   .error = error * (1 + 1e-9),
                                   .far = {it->far[0], it->far[1]}};
      MUST(PsdSchurPolarCreate(&block, &polar));
      MUST(PsdSchurPolarBound(polar, s, PETSC_NINFINITY, &side));
      MUST(PsdSchurPolarDestroy(&polar));
      Require(IsProof(it, s, &side.side, 1e-17 * Norm(it->f, it)), "proved for what W is an approximation of");
      Require(side.side.theta + side.side.phi <= Largest(it, s) + it->range + 20 * error, "by no more than it takes");
    }
    MUST(PetscFree(it));
  }
}

/* P = [I 0; 0 N], `leading` coordinates and a part of the others mixed by an N that is far from orthonormal; kappa times `part` times
 * the second moment of what P leaves out stands for it. */
static PetscBool IsProvedInPart(const Block *it, PetscInt leading, PetscInt mixed, PetscReal part, PetscReal s,
                                uint64_t seed)
{
  const PetscInt f = it->f, k = it->k, left = k - leading;
  PetscReal N[MOST * MOST], W[MOST * (MOST + 1)], inner[MOST * (MOST + 1)], beyond[MOST * MOST];
  PsdSchurPolar polar;
  PsdSchurSide side = {.u = NULL};
  Fill(seed, (size_t)(left * mixed), N);
  for (PetscInt i = 0; i < left * mixed; i++) N[i] /= PetscSqrtReal((PetscReal)left);
  for (PetscInt c = 0; c <= k; c++)
    for (PetscInt j = 0; j < k; j++) {
      long double sum = 0;
      for (PetscInt i = 0; i < f; i++) sum += (long double)it->B[j * f + i] * it->W[c * f + i];
      inner[c * k + j] = (PetscReal)sum;
    }
  memcpy(W, it->W, (size_t)(f * leading) * sizeof(*W));
  memcpy(W + f * (leading + mixed), it->W + f * k, (size_t)f * sizeof(*W));
  for (PetscInt c = 0; c < mixed; c++)
    for (PetscInt i = 0; i < f; i++) {
      long double sum = 0;
      for (PetscInt j = 0; j < left; j++) sum += (long double)it->W[(leading + j) * f + i] * N[c * left + j];
      W[(leading + c) * f + i] = (PetscReal)sum;
    }
  memset(beyond, 0, sizeof(beyond));
  for (PetscInt p = 0; p < SAMPLES; p++) {
    PetscReal z[MOST] = {0};
    for (PetscInt j = 0; j < left; j++)
      for (PetscInt i = 0; i < f; i++) z[j] += it->B[(leading + j) * f + i] * it->X[p][i];
    for (PetscInt j = 0; j < left; j++)
      for (PetscInt i = 0; i <= j; i++)
        beyond[j * left + i] +=
            part * it->kappa * PetscSqr(activations[0][0] * it->nu[p]) * z[i] * z[j] * (1 + (i == j) * 1e-12);
  }
  const PsdSchurBlock block = {.f = f,
                               .k = k,
                               .leading = leading,
                               .mixed = mixed,
                               .B = it->B,
                               .N = N,
                               .W = W,
                               .inner = inner,
                               .beyond = beyond,
                               .M4 = (PetscReal)it->M[f][f],
                               .error = 8 * RoundingOfW(it),
                               .inner_error = 100 * RoundingOfW(it),
                               .far = {it->far[0], it->far[1]}};
  MUST(PsdSchurPolarCreate(&block, &polar));
  MUST(PsdSchurPolarBound(polar, s, PETSC_NINFINITY, &side));
  MUST(PsdSchurPolarDestroy(&polar));
  return IsProof(it, s, &side.side, 1e-17 * Norm(f, it));
}

/* far <- what it is at least: the complement of f - 1 vectors is a line. */
static void MakeFarExact(Block *it, uint64_t seed)
{
  PetscReal w[MOST], square = 0;
  Fill(seed, (size_t)it->f, w);
  for (int again = 0; again < 2; again++)
    for (PetscInt c = 0; c < it->k; c++) {
      PetscReal along = 0;
      for (PetscInt i = 0; i < it->f; i++) along += it->B[c * it->f + i] * w[i];
      for (PetscInt i = 0; i < it->f; i++) w[i] -= along * it->B[c * it->f + i];
    }
  for (PetscInt i = 0; i < it->f; i++) square += w[i] * w[i];
  long double form = 0;
  for (PetscInt i = 0; i < it->f; i++)
    for (PetscInt j = 0; j < it->f; j++) form += it->M[i][j] * w[i] * w[j] / square;
  const PetscReal more = 1e-13 * Norm(it->f, it);
  it->far[0] = PetscMax(0, (PetscReal)form) + more;
  it->far[1] = PetscMax(0, -(PetscReal)form) + more;
}

static void CouplingIsKnownInPart(void **state)
{
  PetscInt wrong = 0;
  (void)state;
  for (uint64_t seed = 0; seed < 30; seed++)
    for (PetscInt leading = 0; leading <= 4; leading += 2)
      for (int s = -1; s <= 1; s += 2) {
        Block *it = Make(8, 7, seed % 2 ? MIXED : POSITIVE, activations[0], seed);
        MakeFarExact(it, seed + 1);
        const PetscInt mixed = (PetscInt)(seed % 3);
        Require(IsProvedInPart(it, leading, mixed, 1, s, seed), "a proof for the whole block");
        wrong += !IsProvedInPart(it, leading, mixed, 0, s, seed);
        MUST(PetscFree(it));
      }
  Require(wrong > 0, "and not without what stands for the rest");
}

/* With kappa too small the bound would be wrong, and the check above sees it. */
static void TooSmallKappaIsSeen(void **state)
{
  PetscInt wrong = 0;
  (void)state;
  for (uint64_t seed = 0; seed < 20; seed++) {
    Block *it = Make(10, 0, POSITIVE, activations[3], seed);
    PsdSchurSide side = {.u = NULL};
    for (PetscInt i = 0; i < SAMPLES; i++) it->nu[i] = 1; /* M1 = a X'X: kappa is attained */
    MakeM(it, activations[3]);
    Bound(it, 1, -PETSC_MAX_REAL, 0, 0.9, &side);
    if (!IsProof(it, 1, &side.side, 1e-17 * Norm(it->f, it))) wrong++;
    Bound(it, 1, -PETSC_MAX_REAL, 0, 1, &side);
    Require(IsProof(it, 1, &side.side, 1e-17 * Norm(it->f, it)), "with the right one");
    MUST(PetscFree(it));
  }
  Require(wrong == 20, "a kappa of nine tenths proves nothing");
}

/* What is not finite proves nothing; nothing is bounded by nothing. */
static void EndsAreSafe(void **state)
{
  PsdSchurSide side = {.u = NULL};
  Block *it = Make(6, 2, FLAT, activations[3], 1);
  (void)state;
  Bound(it, 1, -PETSC_MAX_REAL, 0, 1, &side);
  Require(side.side.theta + side.side.phi >= 0 && side.side.theta + side.side.phi < 1e-290, "a block of zeros");
  it->W[0] = NAN;
  Bound(it, 1, -PETSC_MAX_REAL, 0, 1, &side);
  Require(PetscIsInfReal(side.side.theta + side.side.phi), "not a number");
  MUST(PetscFree(it));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(BoundsAreProofs),       cmocka_unit_test(BoundsScale),
      cmocka_unit_test(DefectIsCounted),       cmocka_unit_test(ErrorsAreCounted),
      cmocka_unit_test(CouplingIsKnownInPart), cmocka_unit_test(TooSmallKappaIsSeen),
      cmocka_unit_test(EndsAreSafe),
  };
  MUST(PsdInitialize(&argc, &argv, NULL));
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MUST(PsdFinalize());
  return failed;
}
