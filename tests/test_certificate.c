/* A certificate's primal and dual values are those computed directly from the samples, on the safe side by no more than
 * rounding, and bounds stay below the objectives of all networks. */
#include "problem_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "admm/admm.h"
#include "certificate/certificate.h"
#include "certificate/ray.h"

#define ROOM 9 /* largest order of a block here */
#define TOLERANCE 1e-9

/* ---------------------------------------------------------------- the formulas */

/* Y - A x (D x C by columns), n x C */
static void Residual(const Setting *it, const PetscReal x[], PetscReal residual[])
{
  const PetscInt C = it->problem->blocks->C, D = it->problem->blocks->D;
  for (PetscInt i = 0; i < it->problem->n; i++)
    for (PetscInt t = 0; t < C; t++) {
      PetscReal fit = 0;
      for (PetscInt k = 0; k < D; k++) fit += it->Phi[i * D + k] * x[t * D + k];
      residual[i * C + t] = it->Y[i * C + t] - fit;
    }
}

static PetscReal LargestEigenvalue(PetscInt d, const PetscReal M[], PetscReal sign, PetscReal mu)
{
  PetscReal A[ROOM * ROOM] = {0}, lambda[ROOM], work[8 * ROOM];
  PetscBLASInt order = (PetscBLASInt)d, room = 8 * ROOM, info;
  for (PetscInt k = 0; k < d * d; k++) A[k] = sign * M[k];
  for (PetscInt k = 0; k < d; k++) A[k * d + k] += k < d - 1 ? mu : -mu;
  LAPACKsyev_("N", "U", &order, A, &order, lambda, work, &room, &info);
  return lambda[d - 1];
}

/* max over unit u of sign [u;1]'M[u;1] = 2 min over mu of lambda_max(sign M + mu J), by golden section */
static PetscReal LargestForm(PetscInt d, const PetscReal M[], PetscReal sign)
{
  const PetscReal golden = (PetscSqrtReal(5) - 1) / 2;
  PetscReal high = 0;
  for (PetscInt k = 0; k < d * d; k++) high = PetscMax(high, 4 * d * PetscAbsReal(M[k]));
  PetscReal low = -high, left = high - golden * (high - low), right = low + golden * (high - low);
  PetscReal at_left = LargestEigenvalue(d, M, sign, left), at_right = LargestEigenvalue(d, M, sign, right);
  for (int step = 0; step < 90; step++)
    if (at_left < at_right) {
      high = right, right = left, at_right = at_left;
      left = high - golden * (high - low);
      at_left = LargestEigenvalue(d, M, sign, left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + golden * (high - low);
      at_right = LargestEigenvalue(d, M, sign, right);
    }
  return 2 * LargestEigenvalue(d, M, sign, (low + high) / 2);
}

/* R*(A'nu) */
static PetscReal Polar(const Setting *it, const PetscReal nu[])
{
  const PsdBlocks blocks = it->problem->blocks;
  const PetscInt C = blocks->C, D = blocks->D, d = blocks->d_max, m = blocks->m_max;
  PetscReal largest = 0;
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt g = 0; g < blocks->G; g++) {
      PetscReal svec[ROOM * ROOM] = {0}, M[ROOM * ROOM] = {0};
      for (PetscInt i = 0; i < it->problem->n; i++)
        for (PetscInt k = 0; k < m; k++) svec[k] += nu[i * C + t] * it->Phi[i * D + g * m + k];
      PsdUnpack(d, svec, M);
      for (PetscInt sign = -1; sign <= 1; sign += 2) largest = PetscMax(largest, LargestForm(d, M, (PetscReal)sign));
    }
  return largest;
}

static PetscReal DualValue(const Setting *it, const PetscReal w[])
{
  const PetscInt length = it->problem->n * it->problem->blocks->C;
  PetscReal nu[3 * IMAGES] = {0}, linear = 0, square = 0;
  Residual(it, w, nu);
  for (PetscInt k = 0; k < length; k++) {
    linear += nu[k] * it->Y[k];
    square += nu[k] * nu[k];
  }
  const PetscReal s = PetscMin(it->problem->beta / Polar(it, nu), PetscMax(0, linear / square));
  return s * linear - s * s * square / 2;
}

static PetscReal PrimalValue(const Setting *it, const PetscReal S[], PetscReal weight)
{
  PetscReal residual[3 * IMAGES] = {0}, loss = 0;
  Residual(it, S, residual);
  for (PetscInt k = 0; k < it->problem->n * it->problem->blocks->C; k++) loss += residual[k] * residual[k] / 2;
  return loss + it->problem->beta * weight;
}

/* ---------------------------------------------------------------- what the library says */

/* A random network of N neurons of weights up to `scale`: its S on all ranks, distributed, and sum |alpha|. */
static PetscReal RandomNetwork(PsdBlocks blocks, PetscInt N, PetscReal scale, uint64_t seed, PetscReal whole[], Vec S)
{
  PsdNeurons neurons;
  PsdBlocks alone;
  Vec all;
  PetscReal *values, weight;
  MUST(PsdBlocksCreate(PETSC_COMM_SELF, blocks->C, blocks->G, blocks->f_max, &alone));
  MUST(PsdBlocksCreateVec(alone, &all));
  MUST(PsdNeuronsCreate(N, blocks->f_max, &neurons));
  neurons.N = N;
  Fill(seed, (size_t)(N * blocks->f_max), neurons.filter);
  MakeUnit(N, blocks->f_max, neurons.filter);
  Fill(seed + 1, (size_t)N, neurons.weight);
  for (PetscInt k = 0; k < N; k++) {
    neurons.weight[k] *= scale;
    neurons.region[k] = k % blocks->G;
    neurons.class[k] = k / 2 % blocks->C;
  }
  MUST(PsdNeuronsAssemble(&neurons, alone, all, &weight));
  MUST(VecGetArray(all, &values));
  MUST(PetscArraycpy(whole, values, blocks->C * blocks->D));
  MUST(VecRestoreArray(all, &values));
  MUST(VecGetArray(S, &values));
  MUST(PetscArraycpy(values, whole + blocks->first * blocks->m_max, blocks->local * blocks->m_max));
  MUST(VecRestoreArray(S, &values));
  MUST(PsdNeuronsDestroy(&neurons));
  MUST(VecDestroy(&all));
  MUST(PsdBlocksDestroy(&alone));
  return weight;
}

/* How the samples are kept: both ways must give the same certificate. */
typedef enum { FEATURES, PATCHES } Form;

static Setting SettingReady(PetscInt classes, PetscReal beta_rel, Form form)
{
  Setting it = SettingCreate(classes, beta_rel);
  MUST(PsdProblemCreateGradient(it.problem));
  if (form == FEATURES) {
    MUST(PsdProblemLift(it.problem));
    MUST(PsdProblemComputeGram(it.problem));
  } else {
    MUST(PsdProblemKeepPatches(it.problem));
    MUST(PsdRowsAdjoint(it.problem->rows, it.problem->Y, it.problem->h));
  }
  MUST(PsdProblemFindBeta(it.problem, 1)); /* as no data of this file have so small a beta_max that the trace matters */
  return it;
}

static void CheckSetting(PetscInt classes, PetscReal beta_rel, Form form)
{
  Setting it = SettingReady(classes, beta_rel, form);
  const PsdBlocks blocks = it.problem->blocks;
  const PetscInt length = blocks->C * blocks->D;
  PsdNetworkMatrix matrix = {0};
  PetscReal *network, *w, least = PETSC_MAX_REAL, greatest = 0;
  Vec S, W;
  MUST(PetscMalloc2(length, &network, length, &w));
  MUST(PsdBlocksCreateVec(blocks, &S));
  MUST(PsdBlocksCreateVec(blocks, &W));
  MUST(PsdBlocksCreatePairVec(blocks, &matrix.error));
  matrix.S = S;
  Require(PetscAbsReal(it.problem->beta_max / Polar(&it, it.Y) - 1) <= TOLERANCE, "beta_max = R*(A'Y)");
  for (uint64_t trial = 0; trial < 12; trial++) {
    const PetscReal weight =
        RandomNetwork(blocks, 7, PetscPowReal(10, 1 - (PetscReal)trial / 2), 2 * trial, network, S);
    (void)RandomNetwork(blocks, 5, PetscPowReal(10, 1 - (PetscReal)trial / 3), 100 + 2 * trial, w, W);
    PsdCertificate certificate;
    const PsdDualSource source = {.w = W};
    matrix.weight = weight;
    MUST(PsdCertify(it.problem, &matrix, 1, &source, NULL, &certificate));
    const PetscReal primal = PrimalValue(&it, network, weight), dual = PetscMax(0, DualValue(&it, w));
    Require(PetscAbsReal(certificate.primal / primal - 1) <= 1e-12, "primal");
    if (!(certificate.dual <= dual * (1 + 1e-12)) || !(certificate.dual >= dual - TOLERANCE * primal))
      fprintf(stderr, "dual %.17g, directly %.17g\n", (double)certificate.dual, (double)dual);
    Require(certificate.dual <= dual * (1 + 1e-12), "the dual value is on the safe side");
    Require(certificate.dual >= dual - TOLERANCE * primal, "by no more than rounding");
    Require(PetscAbsReal(certificate.primal - primal) <= certificate.primal_error + 1e-13 * primal, "known error");
    const PetscReal upper = certificate.primal + certificate.primal_error, gap = (upper - certificate.dual) / upper;
    Require(certificate.gap >= gap && certificate.gap <= gap + 1e-15, "gap");
    least = PetscMin(least, certificate.primal);
    greatest = PetscMax(greatest, certificate.dual);
  }
  Require(greatest > 0 && greatest <= least, "every bound is below every network");
  MUST(PetscFree2(network, w));
  MUST(VecDestroy(&S));
  MUST(VecDestroy(&W));
  MUST(VecDestroy(&matrix.error));
  SettingDestroy(&it);
}

static void TwoClasses(void **state)
{
  (void)state;
  for (Form form = FEATURES; form <= PATCHES; form++) {
    CheckSetting(2, 0.1, form);
    CheckSetting(2, 1e-5, form);
  }
}

static void ThreeClasses(void **state)
{
  (void)state;
  for (Form form = FEATURES; form <= PATCHES; form++) {
    CheckSetting(3, 0.5, form);
    CheckSetting(3, 1e-3, form);
  }
}

/* beta above beta_max: the empty network is optimal, and nu = Y proves it */
static void AboveBetaMax(void **state)
{
  (void)state;
  Setting it = SettingReady(3, 1.1, FEATURES);
  PsdCertificate certificate;
  Vec none, error;
  MUST(PsdBlocksCreatePairVec(it.problem->blocks, &error));
  MUST(PsdBlocksCreateVec(it.problem->blocks, &none));
  MUST(VecSet(none, 0));
  const PsdDualSource source = {.w = none};
  const PsdNetworkMatrix empty = {.S = none, .error = error};
  MUST(PsdCertify(it.problem, &empty, 1, &source, NULL, &certificate));
  Require(certificate.primal == 1.5 * it.problem->n, "L(0)");
  Require(certificate.dual <= certificate.primal && certificate.gap <= 1e-12, "no network is better than none");
  MUST(VecDestroy(&error));
  MUST(VecDestroy(&none));
  SettingDestroy(&it);
}

/* the largest s linear - s^2 quadratic / 2 over 0 <= s <= limit */
static void AlongARay(void **state)
{
  (void)state;
  Require(PsdParabolaAlongRay(2, 4, 1) == 0.5, "inside");
  Require(PsdParabolaAlongRay(2, 4, 0.25) == 0.375, "at the limit");
  Require(PsdParabolaAlongRay(-2, 4, 1) == 0, "at zero");
  Require(PsdParabolaAlongRay(2, 0, 3) == 6, "linear");
}

/* the solver's own certificate of what it found is as directly computed */
static void SolveWith(const PsdConsensusKernel *kernel)
{
  Setting it = SettingCreate(3, 0.05);
  PsdSolver solver;
  PsdCertificate certificate;
  PsdSolverReason reason;
  MUST(PsdSolverCreate(it.problem, &solver));
  MUST(PsdSolverSetType(solver, "admm"));
  PsdConsensusSetKernel(((PsdAdmm)solver->candidate[0])->consensus, kernel);
  MUST(PsdSolverSetTolerances(solver, 1e-7, 5000));
  MUST(PsdSolverSetUp(solver));
  MUST(PsdSolverSolve(solver, &certificate));
  MUST(PsdSolverGetStatus(solver, NULL, &reason));
  Require(reason == PSD_GAP_REACHED && certificate.gap <= 1e-7, "converged");
  Require(certificate.dual <= certificate.primal, "bound below objective");
  MUST(PsdSolverDestroy(&solver));
  SettingDestroy(&it);
}

static void AfterSolving(void **state)
{
  (void)state;
  for (size_t k = 0; PsdConsensusTable[k]; k++) SolveWith(PsdConsensusTable[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TwoClasses), cmocka_unit_test(ThreeClasses),
                                     cmocka_unit_test(AboveBetaMax), cmocka_unit_test(AlongARay),
                                     cmocka_unit_test(AfterSolving)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
