/* The certificate of a network from its filters is that of its svec where M is formed, and on the safe side of it by no more than
 * what kappa says where M is known on a basis alone; kappa is proved, and its witness holds: all losses, signs of the activation,
 * sizes of the basis, 1 to 4 ranks. */
#include "problem_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "admm/admm.h"
#include "certificate/certificate.h"
#include "certificate/factored.h"
#include "certificate/kappa.h"
#include "certificate/user_network.h"

#define MOST 30 /* numbers of an image, the largest f here */
#define TOLERANCE 1e-9

/* ---------------------------------------------------------------- Gram matrices, densely */

typedef struct {
  PetscInt g, f, patches;
  PetscReal G[MOST * MOST];
} Gram;

static PetscErrorCode AddGram(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Gram *it = context;
  (void)first;
  for (PetscInt l = 0; g == it->g && l < count * it->patches; l++, x += it->f)
    for (PetscInt j = 0; j < it->f; j++)
      for (PetscInt i = 0; i < it->f; i++) it->G[j * it->f + i] += x[i] * x[j];
  PetscFunctionReturn(0);
}

/* X'X of region g over all ranks, on all ranks to rounding. */
static Gram GramOf(PsdPatchMatrix patches, PetscInt g)
{
  const PetscInt *count, *f;
  Gram it = {.g = g};
  PsdPatchMatrixGetSizes(patches, NULL, NULL, &count, &f);
  it.f = f[g];
  it.patches = count[g];
  MUST(PsdPatchMatrixPass(patches, AddGram, &it));
  MUST(PsdSumArray(PETSC_COMM_WORLD, MPIU_REAL, MOST * MOST, it.G));
  return it;
}

/* A <- its eigenvectors, lambda ascending */
static void Decompose(PetscInt f, PetscReal A[], PetscReal lambda[])
{
  PetscBLASInt order = (PetscBLASInt)f, room = 40 * MOST, info;
  PetscReal work[40 * MOST];
  LAPACKsyev_("V", "U", &order, A, &order, lambda, work, &room, &info);
  Require(info == 0, "dsyev");
}

/* The K leading principal components, the same on all ranks; PetscFree. */
static PsdBasis Components(PsdPatchMatrix patches, PetscInt g, PetscInt K, PetscReal **V)
{
  Gram gram = GramOf(patches, g);
  PetscReal lambda[MOST];
  Decompose(gram.f, gram.G, lambda);
  MUST(PetscMalloc1((size_t)gram.f * K, V));
  for (PetscInt j = 0; j < K; j++)
    MUST(PetscArraycpy(*V + (size_t)j * gram.f, gram.G + (size_t)(gram.f - 1 - j) * gram.f, gram.f));
  MUST(PsdBroadcastArray(PETSC_COMM_WORLD, MPIU_REAL, (size_t)gram.f * K, *V));
  return (PsdBasis){K, *V};
}

/* lambda_max of G on the complement of V's range, by the basis of it that a decomposition of VV' gives */
static PetscReal LargestBeyond(const Gram *gram, PetscInt K, const PetscReal V[])
{
  const PetscInt f = gram->f;
  PetscReal Q[MOST * MOST] = {0}, A[MOST * MOST] = {0}, lambda[MOST];
  for (PetscInt k = 0; k < K; k++)
    for (PetscInt j = 0; j < f; j++)
      for (PetscInt i = 0; i < f; i++) Q[j * f + i] += V[k * f + i] * V[k * f + j];
  Decompose(f, Q, lambda);
  const PetscInt m = f - K;
  for (PetscInt b = 0; b < m; b++)
    for (PetscInt a = 0; a < m; a++)
      for (PetscInt j = 0; j < f; j++)
        for (PetscInt i = 0; i < f; i++) A[b * m + a] += Q[a * f + i] * gram->G[j * f + i] * Q[b * f + j];
  if (m == 0) return 0;
  Decompose(m, A, lambda);
  return lambda[m - 1];
}

/* ---------------------------------------------------------------- settings */

static const PetscReal concave[3] = {-0.2, 0.5, 0.1}, linear[3] = {0, 1, 0.3};

static Setting SettingReady(const SettingKind *kind, PetscInt classes, PetscReal beta_rel)
{
  Setting it = SettingCreateOf(kind, classes, beta_rel);
  MUST(PsdProblemKeepPatches(it.problem));
  MUST(PsdProblemCreateGradient(it.problem));
  MUST(PsdRowsAdjoint(it.problem->rows, it.problem->nu0, it.problem->h));
  MUST(PsdProblemFindBeta(it.problem, 1));
  return it;
}

static PsdPatchMatrix PatchesOf(const Setting *it, size_t memory)
{
  PsdPatchMatrix patches;
  MUST(PsdPatchMatrixCreate(it->data, it->patches, it->problem->activation, memory, &patches));
  return patches;
}

/* Neurons that are the same on all ranks; PsdNeuronsDestroy. */
static PsdNeurons RandomNeurons(PsdBlocks blocks, PetscInt N, PetscReal scale, uint64_t seed)
{
  PsdNeurons neurons;
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
  return neurons;
}

/* nu in the domain, for this rank's samples by their number: signs 0: of both signs, else of that one where the loss lets it. */
static void RandomPoint(const Setting *it, uint64_t seed, PetscReal scale, int signs, PetscReal nu[])
{
  const PsdProblem problem = it->problem;
  const PetscInt C = problem->blocks->C;
  PetscInt first;
  PetscReal all[3 * IMAGES];
  MUST(PsdDataGetSizes(it->data, NULL, NULL, &first));
  Fill(seed, sizeof(all) / sizeof(*all), all);
  for (PetscInt k = 0; k < problem->n_local * C; k++) {
    const PetscReal x = scale * all[first * C + k];
    nu[k] = signs == 0 ? x : signs * PetscAbsReal(x);
  }
  (*problem->loss.ops->to_domain)(&problem->loss, problem->n_local, C, nu, problem->Y);
}

/* ---------------------------------------------------------------- the certificate by svecs */

static void CertifyBySvecs(const Setting *it, const PsdNeurons *neurons, const PetscReal nu[],
                           PsdCertificate *certificate)
{
  const PsdBlocks blocks = it->problem->blocks;
  PsdNetworkMatrix network = {.weight = 0};
  const PsdDualSource source = {.nu = nu, .each = PETSC_TRUE};
  MUST(PsdBlocksCreateVec(blocks, &network.S));
  MUST(PsdBlocksCreatePairVec(blocks, &network.error));
  MUST(PsdNeuronsAssemble(neurons, blocks, network.S, &network.weight));
  MUST(MPI_Allreduce(MPI_IN_PLACE, &network.weight, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  MUST(PsdNeuronsBoundErrors(neurons, blocks, network.weight, network.error, &network.weight_error));
  MUST(PsdCertify(it->problem, &network, 1, &source, NULL, certificate));
  MUST(VecDestroy(&network.S));
  MUST(VecDestroy(&network.error));
}

/* ---------------------------------------------------------------- tests */

typedef struct {
  const PsdNeurons *neurons;
  const PetscReal *nu;
  PetscReal target;
  PsdWitness witness;
} Question;

/* The certificate with K components in each region; blocks: 2 pairs. range: the most that a bound may be above the polar. */
static PsdCertificate CertifyWith(const Setting *it, PetscInt K, size_t memory, const Question *question,
                                  PsdBlockBound blocks[], PetscReal *range)
{
  const PetscInt G = it->problem->blocks->G, C = it->problem->blocks->C;
  PsdPatchMatrix patches = PatchesOf(it, memory);
  PsdBasis basis[4];
  PetscReal *V[4], largest = 0, kappa = 0;
  PsdFactored factored;
  PsdCertificate certificate;
  PsdFactoredPoint point = {.nu = question->nu, .blocks = blocks};
  for (PetscInt g = 0; g < G; g++) basis[g] = Components(patches, g, K, &V[g]);
  MUST(PsdFactoredCreate(it->problem, patches, basis, &factored));
  MUST(PsdFactoredCertify(factored, question->neurons, &point, question->target, question->witness, &certificate));
  for (PetscInt k = 0; k < it->problem->n_local * C; k++) largest = PetscMax(largest, PetscAbsReal(question->nu[k]));
  MUST(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  for (PetscInt g = 0; g < G; g++) kappa = PetscMax(kappa, PsdFactoredGetKappa(factored, g));
  *range = 2 * PetscAbsReal(it->problem->activation[0]) * largest * kappa;
  MUST(PsdFactoredDestroy(&factored));
  MUST(PsdPatchMatrixDestroy(&patches));
  for (PetscInt g = 0; g < G; g++) MUST(PetscFree(V[g]));
  return certificate;
}

/* 2 sum_i |nu_it| error_ig of a pair: what the errors of features may hide of its form */
static PetscReal Hidden(const Setting *it, PetscInt pair, const PetscReal nu[])
{
  const PetscInt G = it->problem->blocks->G, C = it->problem->blocks->C;
  PsdPatchMatrix patches = PatchesOf(it, 0);
  const PetscReal *norm, *error;
  PetscReal sum = 0;
  MUST(PsdPatchMatrixGetBounds(patches, &norm, &error));
  for (PetscInt i = 0; i < it->problem->n_local; i++)
    sum += 2 * PetscAbsReal(nu[i * C + pair / G]) * error[i * G + pair % G];
  MUST(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  MUST(PsdPatchMatrixDestroy(&patches));
  return sum;
}

static void CheckSetting(const SettingKind *kind, PetscInt classes, PetscReal beta_rel)
{
  Setting it = SettingReady(kind, classes, beta_rel);
  const PetscInt f = it.problem->blocks->f_max, pairs = it.problem->blocks->pairs;
  const PetscInt sizes[] = {0, 1, f / 2, f, f / 2, f / 2}, leading[] = {f, f, f, f, f / 4, 0};
  PetscReal *nu, least = PETSC_MAX_REAL, greatest = 0;
  MUST(PetscMalloc1(it.problem->n_local * it.problem->blocks->C, &nu));
  for (uint64_t trial = 0; trial < 4; trial++) {
    PsdNeurons neurons = RandomNeurons(it.problem->blocks, 6, PetscPowReal(10, -(PetscReal)trial), 2 * trial);
    PsdBlockBound whole[24] = {{0}};
    PsdCertificate by_svecs;
    PetscReal range;
    RandomPoint(&it, trial, PetscPowReal(10, 1 - (PetscReal)trial / 2), (int)trial % 3 - 1, nu);
    CertifyBySvecs(&it, &neurons, nu, &by_svecs);
    for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
      PsdBlockBound blocks[24] = {{0}};
      const Question question = {&neurons, nu, 0, NULL};
      PsdFactoredLeading = leading[k];
      const PsdCertificate found = CertifyWith(&it, sizes[k], trial % 2 ? 0 : SIZE_MAX, &question, blocks, &range);
      const PetscReal scale = by_svecs.primal;
      Require(PetscAbsReal(found.primal - by_svecs.primal) <= found.primal_error + by_svecs.primal_error, "primal");
      Require(found.primal_error <= 1e-10 * scale, "an error of the size of rounding");
      Require(found.accuracy == by_svecs.accuracy, "accuracy");
      Require(found.dual <= by_svecs.dual + TOLERANCE * scale, "no bound is better than the whole block's");
      if (sizes[k] == 0) {
        Require(found.dual >= by_svecs.dual - TOLERANCE * scale, "where M is formed it is the same");
        MUST(PetscArraycpy(whole, blocks, 2 * pairs));
      }
      for (PetscInt b = 0; b < 2 * pairs; b++) {
        const PetscReal size = PetscAbsReal(whole[b].theta) + PetscAbsReal(whole[b].phi);
        Require(blocks[b].bound >= whole[b].bound - TOLERANCE * size - 1e-290,
                "not below the polar of the whole block");
        const PetscReal more = blocks[b].bound - (blocks[b].theta + blocks[b].phi);
        const PetscReal own = PetscAbsReal(blocks[b].theta) + PetscAbsReal(blocks[b].phi);
        Require(more >= Hidden(&it, b / 2, nu) - 4 * PETSC_MACHINE_EPSILON * own, "errors of features are counted");
        if (leading[k] == f)
          Require(blocks[b].bound <= PetscMax(whole[b].bound, -whole[b ^ 1].bound) + range + TOLERANCE * size + 1e-12,
                  "not above it by more than kappa says");
      }
      least = PetscMin(least, found.primal + found.primal_error);
      greatest = PetscMax(greatest, found.dual);
    }
    MUST(PsdNeuronsDestroy(&neurons));
  }
  PsdFactoredLeading = 32;
  Require(greatest <= least, "every bound is below every network");
  MUST(PetscFree(nu));
  SettingDestroy(&it);
}

static void Activations(void **state)
{
  static const PetscReal *const activations[] = {activation, concave, linear};
  (void)state;
  for (size_t k = 0; k < sizeof(activations) / sizeof(*activations); k++) {
    const SettingKind whole = {.height = 5, .width = 6, .pool = 1, .activation = activations[k]};
    const SettingKind parts = {.height = 3, .width = 4, .pool = 2, .activation = activations[k]};
    CheckSetting(&whole, 2, 0.1);
    CheckSetting(&whole, 3, 1e-3);
    CheckSetting(&parts, 3, 0.1);
  }
}

static void Losses(void **state)
{
  static const char *const losses[] = {"logistic", "hinge", "huber", "l1", "softmax"};
  (void)state;
  for (size_t k = 0; k < sizeof(losses) / sizeof(*losses); k++) {
    const SettingKind kind = {.height = 4, .width = 5, .pool = 1, .activation = activation, .loss = losses[k]};
    CheckSetting(&kind, 3, 0.05);
  }
}

/* kappa is not below the largest eigenvalue beyond V, and near it; V need not be orthonormal. */
static void KappaIsProved(void **state)
{
  const SettingKind kinds[] = {{.height = 5, .width = 6, .pool = 1, .activation = activation},
                               {.height = 3, .width = 4, .pool = 2, .activation = activation},
                               {.height = 1, .width = 1, .pool = 1, .activation = activation}};
  (void)state;
  for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
    const PetscInt numbers = PsdKappaNumbers;
    Setting it = SettingCreateOf(&kinds[k], 3, 0.1);
    PsdPatchMatrix patches = PatchesOf(&it, k % 2 ? 0 : SIZE_MAX);
    const PetscInt f = it.problem->blocks->f_max;
    const Gram gram = GramOf(patches, 0);
    PetscReal trace = 0;
    for (PetscInt i = 0; i < f; i++) trace += gram.G[i * f + i];
    for (PetscInt K = 0; K <= f; K += PetscMax(1, f / 6)) {
      PsdCoordinates basis;
      PetscReal *V, kappa, by_norm, skew;
      (void)Components(patches, 0, K, &V);
      PsdKappaNumbers = K % 2 ? numbers : 100; /* a few columns at a time */
      const PetscReal exact = LargestBeyond(&gram, K, V);
      MUST(PsdCoordinatesCreate(PETSC_COMM_WORLD, patches, 0, K, V, k % 2 ? 0 : SIZE_MAX, &basis));
      MUST(PsdKappaProve(PETSC_COMM_WORLD, patches, &basis, PSD_KAPPA_FACTOR, &kappa));
      MUST(PsdKappaProve(PETSC_COMM_WORLD, patches, &basis, PSD_KAPPA_NORM, &by_norm));
      MUST(PsdCoordinatesDestroy(&basis));
      Require(kappa >= exact - 1e-14 * trace && kappa <= 1.02 * exact + 1e-4 * trace, "kappa");
      Require(by_norm >= exact - 1e-14 * trace, "kappa by the norm");
      Require(by_norm <= PetscSqrtReal((PetscReal)(f - K)) * exact + 1e-4 * trace, "and not more than that");
      for (PetscInt i = 0; i < f * K; i++) V[i] *= 1 + (PetscReal)(i % 3); /* another subspace, of any lengths */
      MUST(PsdCoordinatesCreate(PETSC_COMM_WORLD, patches, 0, K, V, SIZE_MAX, &basis));
      MUST(PsdKappaProve(PETSC_COMM_WORLD, patches, &basis, PSD_KAPPA_FACTOR, &skew));
      MUST(PsdCoordinatesDestroy(&basis));
      Require(skew >= LargestBeyond(&gram, K, V) - 1e-13 * trace, "of any vectors");
      MUST(PetscFree(V));
    }
    PsdKappaNumbers = numbers;
    MUST(PsdPatchMatrixDestroy(&patches));
    SettingDestroy(&it);
  }
}

/* A basis of the components that matter least, and nu = 1: what is largest lies beyond the basis, where only kappa knows of it. */
static void KappaIsCounted(void **state)
{
  static const PetscReal square[3] = {1, 0, 0};
  const SettingKind kind = {.height = 5, .width = 6, .pool = 1, .activation = square};
  Setting it = SettingReady(&kind, 2, 0.1);
  PsdPatchMatrix patches = PatchesOf(&it, SIZE_MAX);
  PsdNeurons none = RandomNeurons(it.problem->blocks, 0, 1, 1);
  const Gram gram = GramOf(patches, 0);
  const PetscReal largest = LargestBeyond(&gram, 0, NULL);
  PetscReal *V, *nu;
  PsdFactored factored;
  PsdCertificate certificate;
  PsdBlockBound blocks[2] = {{0}};
  (void)state;
  MUST(PetscMalloc1(it.problem->n_local, &nu));
  for (PetscInt i = 0; i < it.problem->n_local; i++) nu[i] = 1;
  (void)Components(patches, 0, gram.f, &V);
  const PsdBasis last = {4, V + (size_t)(gram.f - 4) * gram.f};
  PsdFactoredPoint point = {.nu = nu, .blocks = blocks};
  MUST(PsdFactoredCreate(it.problem, patches, &last, &factored));
  MUST(PsdFactoredCertify(factored, &none, &point, 0, NULL, &certificate));
  const PetscReal form = it.problem->activation[0] * largest;
  Require(blocks[0].bound >= form * (1 - 1e-12) && blocks[0].bound <= 1.02 * form, "the largest eigenvalue of a X'X");
  MUST(PsdFactoredDestroy(&factored));
  MUST(PsdPatchMatrixDestroy(&patches));
  MUST(PsdNeuronsDestroy(&none));
  MUST(PetscFree(V));
  MUST(PetscFree(nu));
  SettingDestroy(&it);
}

/* What ADMM has found is certified by its own filters and a few components nearly as well as by its svec. */
static void AfterSolving(void **state)
{
  const SettingKind kind = {.height = 5, .width = 6, .pool = 1, .activation = activation};
  Setting it = SettingCreateOf(&kind, 3, 0.05), again = SettingReady(&kind, 3, 0.05);
  PsdSolver solver;
  PsdCertificate certificate;
  PsdNetwork network;
  PsdNeurons neurons;
  PsdBlockBound blocks[24] = {{0}};
  PetscReal *nu, range, range_first = 0;
  (void)state;
  MUST(PsdSolverCreate(it.problem, &solver));
  MUST(PsdSolverSetType(solver, "admm"));
  MUST(PsdSolverSetTolerances(solver, 1e-9, 20000));
  MUST(PsdSolverSetUp(solver));
  MUST(PsdSolverSolve(solver, &certificate));
  MUST(PsdSolverGetNetwork(solver, &network));
  MUST(PsdProblemReadNeurons(again.problem, network, &neurons));
  /* the network's residual, by its S */
  {
    Vec S;
    PetscReal weight;
    const size_t length = (size_t)again.problem->n_local * again.problem->blocks->C;
    MUST(PetscMalloc1(length, &nu));
    MUST(PsdBlocksCreateVec(again.problem->blocks, &S));
    MUST(PsdNeuronsAssemble(&neurons, again.problem->blocks, S, &weight));
    MUST(PsdRowsForward(again.problem->rows, S, nu));
    for (size_t k = 0; k < length; k++) nu[k] = again.problem->Y[k] - nu[k];
    MUST(VecDestroy(&S));
  }
  for (PetscInt K = 10; K <= 30; K += 10) {
    const Question question = {&neurons, nu, 1e-12, NULL};
    const PsdCertificate found = CertifyWith(&again, K, SIZE_MAX, &question, blocks, &range);
    Require(found.dual <= certificate.primal + certificate.primal_error, "below the optimum");
    Require(found.gap <= 1e-5, "the filters are where the bounds are attained");
    if (K == 10) range_first = range;
  }
  {
    const Question question = {&neurons, nu, 1e-12, NULL};
    PsdFactoredLeading = 10;
    const PsdCertificate found = CertifyWith(&again, 20, SIZE_MAX, &question, blocks, &range);
    PsdFactoredLeading = 32;
    Require(found.dual <= certificate.primal + certificate.primal_error, "below the optimum");
    Require(found.gap <= 1e-5, "and half of the components need no product");
  }
  Require(range_first > 0.1 * again.problem->beta, "although the components leave much out");
  MUST(PetscFree(nu));
  MUST(PsdNeuronsDestroy(&neurons));
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdSolverDestroy(&solver));
  SettingDestroy(&it);
  SettingDestroy(&again);
}

/* The witness of the certificate is proved from the samples by complete factorisations. */
static void WitnessHolds(void **state)
{
  static const char *const losses[] = {"squared", "logistic", "softmax"};
  (void)state;
  for (size_t k = 0; k < sizeof(losses) / sizeof(*losses); k++) {
    const SettingKind kind = {.height = 3, .width = 4, .pool = 2, .activation = activation, .loss = losses[k]};
    Setting it = SettingReady(&kind, 3, 0.1), again = SettingReady(&kind, 3, 0.1);
    PsdNeurons neurons = RandomNeurons(it.problem->blocks, 6, 1e-2, 5);
    PsdBlockBound blocks[24] = {{0}};
    PetscReal *nu, range, bound;
    PsdWitness witness, loaded;
    PsdVerdict verdict;
    MUST(PetscMalloc1(it.problem->n_local * it.problem->blocks->C, &nu));
    MUST(PetscArraycpy(nu, it.problem->nu0, it.problem->n_local * it.problem->blocks->C));
    MUST(PsdWitnessCreate(PETSC_COMM_WORLD, &witness));
    const Question question = {&neurons, nu, 1e-6, witness};
    const PsdCertificate found = CertifyWith(&it, 5, SIZE_MAX, &question, blocks, &range);
    MUST(PsdWitnessGetBound(witness, &bound));
    Require(found.dual > 0 && bound == found.dual, "the bound is the one that the witness shows");
    MUST(PsdWitnessSave(witness, it.problem, PathOf("proof.h5", NULL)));
    MUST(PsdWitnessLoad(PETSC_COMM_WORLD, PathOf("proof.h5", NULL), &loaded));
    MUST(PsdWitnessCheck(loaded, again.problem, NULL, &verdict));
    if (!verdict.holds) fprintf(stderr, "%s: %s\n", losses[k], verdict.reason);
    Require(verdict.holds && verdict.feasible, "the witness holds");
    MUST(PsdWitnessDestroy(&witness));
    MUST(PsdWitnessDestroy(&loaded));
    MUST(PsdNeuronsDestroy(&neurons));
    MUST(PetscFree(nu));
    SettingDestroy(&it);
    SettingDestroy(&again);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(KappaIsProved), cmocka_unit_test(KappaIsCounted),
                                     cmocka_unit_test(Activations),   cmocka_unit_test(Losses),
                                     cmocka_unit_test(AfterSolving),  cmocka_unit_test(WitnessHolds)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
