/* A certificate's primal and dual values are those computed directly from the samples, on the safe side by no more than
 * rounding, and bounds stay below the objectives of all networks. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "admm/admm.h"
#include "certificate/certificate.h"
#include "patches/patches.h"

#define IMAGES 40
#define ROOM 9 /* largest order of a block here */
#define TOLERANCE 1e-9

static const long image_size[3] = {1, 5, 6};
static const PetscReal activation[3] = {0.09, 0.5, 0.47};

typedef struct {
  PsdData data;
  PsdPatches patches;
  PsdProblem problem;
  PetscReal *Phi, *Y; /* of all images: IMAGES x D; IMAGES x C */
} Setting;

/* ---------------------------------------------------------------- the formulas */

/* Phi and Y of all images on every rank; the images are known by their number */
static void LiftAll(Setting *it)
{
  const PetscInt C = it->problem->blocks->C, D = it->problem->blocks->D;
  const PetscInt bytes = (PetscInt)(image_size[0] * image_size[1] * image_size[2]);
  const PetscInt *labels;
  PetscReal *moments;
  PetscInt q, G, count;
  MUST(PsdPatchesGetSizes(it->patches, &q, NULL, &G, NULL));
  MUST(PsdDataGetClasses(it->data, &count, &labels, NULL));
  MUST(PetscMalloc2(IMAGES * D, &it->Phi, IMAGES * C, &it->Y));
  MUST(PetscMalloc1(G * PsdPackedLength(q + 1), &moments));
  PetscInt kept = 0;
  for (long k = 0; k < IMAGES; k++) {
    unsigned char image[64];
    PetscInt class = 0;
    while (class < count && labels[class] != LabelOf(k)) class ++;
    if (class == count) continue;
    for (PetscInt b = 0; b < bytes; b++) image[b] = PixelOf(k, b);
    MUST(PsdPatchesMoments(it->patches, image, moments));
    MUST(PsdPatchesLift(it->patches, activation, moments, it->Phi + kept * D));
    for (PetscInt t = 0; t < C; t++) it->Y[kept * C + t] = class == (C == 1 ? 1 : t) ? 1 : -1;
    kept++;
  }
  Require(kept == it->problem->n, "images of the classes");
  MUST(PetscFree(moments));
}

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
  PetscReal A[ROOM * ROOM], lambda[ROOM], work[8 * ROOM];
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
  PetscReal low = -high;
  for (int step = 0; step < 120; step++) {
    const PetscReal left = high - golden * (high - low), right = low + golden * (high - low);
    if (LargestEigenvalue(d, M, sign, left) < LargestEigenvalue(d, M, sign, right)) high = right;
    else low = left;
  }
  return 2 * LargestEigenvalue(d, M, sign, (low + high) / 2);
}

/* R*(A'nu) */
static PetscReal Polar(const Setting *it, const PetscReal nu[])
{
  const PsdBlocks blocks = it->problem->blocks;
  const PetscInt C = blocks->C, D = blocks->D, d = blocks->d, m = blocks->m;
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
  PetscReal nu[3 * IMAGES], linear = 0, square = 0;
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
  PetscReal residual[3 * IMAGES], loss = 0;
  Residual(it, S, residual);
  for (PetscInt k = 0; k < it->problem->n * it->problem->blocks->C; k++) loss += residual[k] * residual[k] / 2;
  return loss + it->problem->beta * weight;
}

/* ---------------------------------------------------------------- what the library says */

static Setting SettingCreate(PetscInt classes, PetscReal beta_rel)
{
  static const PetscInt labels[] = {3, 0, 5};
  Setting it;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, classes, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  it.patches->geometry.patch_height = 2;
  it.patches->geometry.patch_width = 2;
  it.patches->geometry.pool = 2;
  MUST(PsdPatchesSetImageSize(it.patches, (PetscInt)image_size[0], (PetscInt)image_size[1], (PetscInt)image_size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  it.problem->beta_rel = beta_rel;
  MUST(PsdProblemSetUp(it.problem));
  LiftAll(&it);
  return it;
}

static void SettingDestroy(Setting *it)
{
  MUST(PetscFree2(it->Phi, it->Y));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

/* A random network of N neurons of weights up to `scale`: its S on all ranks, distributed, and sum |alpha|. */
static PetscReal RandomNetwork(PsdBlocks blocks, PetscInt N, PetscReal scale, uint64_t seed, PetscReal whole[], Vec S)
{
  PsdNeurons neurons;
  PsdBlocks alone;
  Vec all;
  PetscReal *values, weight;
  MUST(PsdBlocksCreate(PETSC_COMM_SELF, blocks->C, blocks->G, blocks->f, &alone));
  MUST(PsdBlocksCreateVec(alone, &all));
  MUST(PsdNeuronsCreate(N, blocks->f, &neurons));
  neurons.N = N;
  Fill(seed, (size_t)(N * blocks->f), neurons.filter);
  MakeUnit(N, blocks->f, neurons.filter);
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
  MUST(PetscArraycpy(values, whole + blocks->first * blocks->m, blocks->local * blocks->m));
  MUST(VecRestoreArray(S, &values));
  MUST(PsdNeuronsDestroy(&neurons));
  MUST(VecDestroy(&all));
  MUST(PsdBlocksDestroy(&alone));
  return weight;
}

static void CheckSetting(PetscInt classes, PetscReal beta_rel)
{
  Setting it = SettingCreate(classes, beta_rel);
  const PsdBlocks blocks = it.problem->blocks;
  const PetscInt length = blocks->C * blocks->D;
  PetscReal *network, *w, least = PETSC_MAX_REAL, greatest = 0;
  Vec S, W;
  MUST(PetscMalloc2(length, &network, length, &w));
  MUST(PsdBlocksCreateVec(blocks, &S));
  MUST(PsdBlocksCreateVec(blocks, &W));
  Require(PetscAbsReal(it.problem->beta_max / Polar(&it, it.Y) - 1) <= TOLERANCE, "beta_max = R*(A'Y)");
  for (uint64_t trial = 0; trial < 12; trial++) {
    const PetscReal weight =
        RandomNetwork(blocks, 7, PetscPowReal(10, 1 - (PetscReal)trial / 2), 2 * trial, network, S);
    (void)RandomNetwork(blocks, 5, PetscPowReal(10, 1 - (PetscReal)trial / 3), 100 + 2 * trial, w, W);
    PsdCertificate certificate;
    MUST(PsdCertify(it.problem, S, weight, 1, &W, &certificate));
    const PetscReal primal = PrimalValue(&it, network, weight), dual = PetscMax(0, DualValue(&it, w));
    Require(PetscAbsReal(certificate.primal / primal - 1) <= 1e-12, "primal");
    if (!(certificate.dual <= dual * (1 + 1e-12)) || !(certificate.dual >= dual - TOLERANCE * primal))
      fprintf(stderr, "dual %.17g, directly %.17g\n", (double)certificate.dual, (double)dual);
    Require(certificate.dual <= dual * (1 + 1e-12), "the dual value is on the safe side");
    Require(certificate.dual >= dual - TOLERANCE * primal, "by no more than rounding");
    Require(PetscAbsReal(certificate.gap - (certificate.primal - certificate.dual) / certificate.primal) <= 1e-15,
            "gap");
    least = PetscMin(least, certificate.primal);
    greatest = PetscMax(greatest, certificate.dual);
  }
  Require(greatest > 0 && greatest <= least, "every bound is below every network");
  MUST(PetscFree2(network, w));
  MUST(VecDestroy(&S));
  MUST(VecDestroy(&W));
  SettingDestroy(&it);
}

static void TwoClasses(void **state)
{
  (void)state;
  CheckSetting(2, 0.1);
  CheckSetting(2, 1e-5);
}

static void ThreeClasses(void **state)
{
  (void)state;
  CheckSetting(3, 0.5);
  CheckSetting(3, 1e-3);
}

/* beta above beta_max: the empty network is optimal, and nu = Y proves it */
static void AboveBetaMax(void **state)
{
  (void)state;
  Setting it = SettingCreate(3, 1.1);
  PsdCertificate certificate;
  Vec none;
  MUST(PsdBlocksCreateVec(it.problem->blocks, &none));
  MUST(VecSet(none, 0));
  MUST(PsdCertify(it.problem, none, 0, 1, &none, &certificate));
  Require(certificate.primal == 1.5 * it.problem->n, "L(0)");
  Require(certificate.dual <= certificate.primal && certificate.gap <= 1e-12, "no network is better than none");
  MUST(VecDestroy(&none));
  SettingDestroy(&it);
}

/* the largest s linear - s^2 quadratic / 2 over 0 <= s <= limit */
static void AlongARay(void **state)
{
  (void)state;
  Require(PsdDualAlongRay(2, 4, 1) == 0.5, "inside");
  Require(PsdDualAlongRay(2, 4, 0.25) == 0.375, "at the limit");
  Require(PsdDualAlongRay(-2, 4, 1) == 0, "at zero");
  Require(PsdDualAlongRay(2, 0, 3) == 6, "linear");
}

/* the solver's own certificate of what it found is as directly computed */
static void AfterSolving(void **state)
{
  (void)state;
  Setting it = SettingCreate(3, 0.05);
  PsdAdmm admm;
  PsdCertificate certificate;
  PsdAdmmReason reason;
  MUST(PsdAdmmCreate(it.problem, &admm));
  MUST(PsdAdmmSetTolerances(admm, 1e-7, 5000));
  MUST(PsdAdmmSetUp(admm));
  MUST(PsdAdmmSolve(admm, &certificate));
  MUST(PsdAdmmGetStatus(admm, NULL, &reason));
  Require(reason == PSD_GAP_REACHED && certificate.gap <= 1e-7, "converged");
  Require(certificate.dual <= certificate.primal, "bound below objective");
  MUST(PsdAdmmDestroy(&admm));
  SettingDestroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TwoClasses), cmocka_unit_test(ThreeClasses),
                                     cmocka_unit_test(AboveBetaMax), cmocka_unit_test(AlongARay),
                                     cmocka_unit_test(AfterSolving)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) WriteHdf5(PathOf("images.h5", NULL), IMAGES, image_size, H5T_STD_U8LE, 0);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
