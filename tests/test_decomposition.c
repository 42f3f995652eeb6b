/* A PSD block with <J,Z> = 0 is the sum of as many neurons as its rank, which predict what <Phi,S> says; one with a small
 * <J,Z> is near such a sum. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "cone/cone.h"
#include "network/neurons.h"
#include "patches/lift.h"

#define ROOM 40 /* largest order here */
#define IMAGES 17

static PetscReal Norm(PetscInt m, const PetscReal x[])
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < m; k++) square += x[k] * x[k];
  return PetscSqrtReal(square);
}

/* svec of sum alpha [u;1][u;1]' over `rank` random unit u, weights from 1 to 10^-spread */
static void MakeBlock(PetscInt f, PetscInt rank, PetscReal spread, uint64_t seed, PetscReal svec[])
{
  const PetscInt d = f + 1;
  PetscReal u[ROOM * ROOM], full[ROOM * ROOM] = {0};
  Fill(seed, (size_t)(rank * f), u);
  MakeUnit(rank, f, u);
  for (PetscInt k = 0; k < rank; k++) {
    const PetscReal alpha = PetscPowReal(10, -spread * (PetscReal)k / (PetscReal)rank);
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++)
        full[j * d + i] += alpha * (i < f ? u[k * f + i] : 1) * (j < f ? u[k * f + j] : 1);
  }
  PsdPack(d, full, svec);
}

/* The neurons of proj_PSD(Z) for the svec Z, and their sum S; returns the rank of the projection. */
static PetscInt Decompose(PetscInt f, const PetscReal Z[], PetscReal sign, PsdNeurons *neurons, PetscReal S[])
{
  PsdBlocks blocks;
  PsdCone cone;
  Vec X[2], projection[2], sum;
  PetscReal F[ROOM * ROOM], *values, weight;
  const PetscReal *factor;
  PetscInt rank;
  MUST(PsdBlocksCreate(PETSC_COMM_SELF, 1, 1, f, &blocks));
  for (PetscInt s = 0; s < 2; s++) {
    MUST(PsdBlocksCreateVec(blocks, &X[s]));
    MUST(PsdBlocksCreateVec(blocks, &projection[s]));
    MUST(VecGetArray(X[s], &values));
    MUST(PetscArraycpy(values, Z, blocks->m_max));
    MUST(VecRestoreArray(X[s], &values));
  }
  MUST(PsdConeCreate(&cone));
  MUST(PsdConeSetUp(cone, blocks));
  MUST(PsdConeProject(cone, X, projection));
  PsdConeGetFactor(cone, 0, 0, &rank, &factor);
  MUST(PetscArraycpy(F, factor, rank * blocks->d_max));
  MUST(PsdNeuronsCreate(blocks->d_max, f, neurons));
  neurons->N = 0;
  PsdDecompose(blocks->d_max, rank, F, sign, 0, 0, neurons);
  MUST(PsdBlocksCreateVec(blocks, &sum));
  MUST(PsdNeuronsAssemble(neurons, blocks, sum, &weight));
  MUST(VecGetArray(sum, &values));
  MUST(PetscArraycpy(S, values, blocks->m_max));
  MUST(VecRestoreArray(sum, &values));
  for (PetscInt s = 0; s < 2; s++) {
    MUST(VecDestroy(&X[s]));
    MUST(VecDestroy(&projection[s]));
  }
  MUST(VecDestroy(&sum));
  MUST(PsdConeDestroy(&cone));
  MUST(PsdBlocksDestroy(&blocks));
  return rank;
}

static void CheckNeurons(const PsdNeurons *neurons, PetscReal sign)
{
  for (PetscInt k = 0; k < neurons->N; k++) {
    Require(PetscAbsReal(Norm(neurons->f, neurons->filter + k * neurons->f) - 1) <= 1e-12, "unit filter");
    Require(sign * neurons->weight[k] > 0, "sign of the weight");
  }
}

static void CheckExact(PetscInt f, PetscInt rank, PetscReal spread, PetscReal sign)
{
  const PetscInt d = f + 1, m = d * (d + 1) / 2;
  PetscReal Z[ROOM * ROOM], S[ROOM * ROOM], sum = 0;
  PsdNeurons neurons;
  MakeBlock(f, rank, spread, (uint64_t)(f * ROOM + rank), Z);
  const PetscInt found = Decompose(f, Z, sign, &neurons, S);
  Require(found == rank && neurons.N == rank, "as many neurons as the rank");
  CheckNeurons(&neurons, sign);
  for (PetscInt k = 0; k < rank; k++) sum += neurons.weight[k];
  Require(PetscAbsReal(sum - sign * Z[m - 1]) <= 1e-12 * Z[m - 1], "sum of alpha = Z4");
  for (PetscInt k = 0; k < m; k++) S[k] -= sign * Z[k];
  Require(Norm(m, S) <= 1e-12 * Norm(m, Z), "sum of alpha [u;1][u;1]' = Z");
  MUST(PsdNeuronsDestroy(&neurons));
}

static void SumOfNeurons(void **state)
{
  (void)state;
  for (PetscInt f = 2; f < ROOM - 1; f += f < 5 ? 1 : 11)
    for (PetscInt rank = 0; rank <= f + 1; rank += rank < 4 ? 1 : 7) {
      CheckExact(f, rank, 0, 1);
      CheckExact(f, rank, 6, -1);
    }
}

/* f = 1: u is +1 or -1, the rank at most 2 */
static void OneNumber(void **state)
{
  (void)state;
  const PetscReal Z[3] = {3, PETSC_SQRT2, 3}; /* 2 [1;1][1;1]' + [-1;1][-1;1]' */
  PetscReal S[3];
  PsdNeurons neurons;
  Require(Decompose(1, Z, 1, &neurons, S) == 2 && neurons.N == 2, "two neurons");
  CheckNeurons(&neurons, 1);
  for (PetscInt k = 0; k < 3; k++) Require(PetscAbsReal(S[k] - Z[k]) <= 1e-14, "their sum");
  MUST(PsdNeuronsDestroy(&neurons));
}

/* Z <- D Z D with D = diag(1,...,1,1+delta): <J,Z> of the order of delta */
static void Disturb(PetscInt d, PetscReal delta, PetscReal svec[])
{
  PetscReal *last = svec + d * (d - 1) / 2;
  for (PetscInt k = 0; k < d; k++) last[k] *= 1 + delta;
  last[d - 1] *= 1 + delta;
}

static void NearASumOfNeurons(void **state)
{
  (void)state;
  for (PetscReal delta = 1e-3; delta > 1e-12; delta /= 10)
    for (int sign = -1; sign <= 1; sign += 2)
      for (PetscInt rank = 1; rank <= 9; rank += 2) {
        const PetscInt f = 12, d = f + 1, m = d * (d + 1) / 2;
        PetscReal Z[ROOM * ROOM], S[ROOM * ROOM];
        PsdNeurons neurons;
        MakeBlock(f, rank, 0, (uint64_t)rank, Z);
        Disturb(d, sign * delta, Z);
        const PetscInt found = Decompose(f, Z, 1, &neurons, S);
        Require(found == rank && neurons.N == rank, "as many neurons as the rank");
        CheckNeurons(&neurons, 1);
        for (PetscInt k = 0; k < m; k++) S[k] -= Z[k];
        if (Norm(m, S) > 5 * delta * Norm(m, Z))
          fprintf(stderr, "delta %g rank %d: distance %g of %g\n", delta, (int)rank, Norm(m, S), Norm(m, Z));
        Require(Norm(m, S) <= 5 * delta * Norm(m, Z), "within the order of delta");
        MUST(PsdNeuronsDestroy(&neurons));
      }
}

/* Eigenvalues below what <J,Z> is must not make neurons that are far off. */
static void SmallEigenvaluesAndSmallTrace(void **state)
{
  (void)state;
  for (PetscReal delta = 1e-3; delta > 1e-9; delta /= 100) {
    const PetscInt f = 9, d = f + 1, m = d * (d + 1) / 2;
    PetscReal Z[ROOM * ROOM], S[ROOM * ROOM];
    PsdNeurons neurons;
    MakeBlock(f, 6, 10, 3, Z);
    Disturb(d, delta, Z);
    Decompose(f, Z, 1, &neurons, S);
    CheckNeurons(&neurons, 1);
    for (PetscInt k = 0; k < m; k++) S[k] -= Z[k];
    if (Norm(m, S) > 10 * delta * Norm(m, Z))
      fprintf(stderr, "delta %g: distance %g of %g\n", delta, Norm(m, S), Norm(m, Z));
    Require(Norm(m, S) <= 10 * delta * Norm(m, Z), "within the order of delta");
    MUST(PsdNeuronsDestroy(&neurons));
  }
}

/* ---------------------------------------------------------------- predictions */

static const PsdPatchGeometry geometry = {.channels = 2,
                                          .height = 9,
                                          .width = 11,
                                          .patch_height = 3,
                                          .patch_width = 2,
                                          .stride = 2,
                                          .pool = 2,
                                          .pixel_shift = 127.3,
                                          .pixel_scale = 255,
                                          .normalize = 10};

/* The neurons of two blocks, Z of weight +1 and Z' of weight -1, for each of `pairs` pairs of order f+1. */
static void MakeNeurons(PetscInt f, PetscInt G, PetscInt pairs, PsdNeurons *all)
{
  MUST(PsdNeuronsCreate(2 * pairs * (f + 1), f, all));
  for (PetscInt block = 0; block < 2 * pairs; block++) {
    PetscReal Z[ROOM * ROOM], S[ROOM * ROOM];
    PsdNeurons some;
    MakeBlock(f, 1 + block % 5, 2, (uint64_t)(50 + block), Z);
    Decompose(f, Z, block < pairs ? 1 : -1, &some, S);
    for (PetscInt k = 0; k < some.N; k++, all->N++) {
      MUST(PetscArraycpy(all->filter + all->N * f, some.filter + k * f, f));
      all->weight[all->N] = some.weight[k];
      all->region[all->N] = block % pairs % G;
      all->class[all->N] = block % pairs / G;
    }
    MUST(PsdNeuronsDestroy(&some));
  }
}

/* largest |<Phi_i, S_t> - score_it| over this rank's images, of scores of `size` at most */
static PetscReal CompareScores(PsdPatches patches, PsdData data, const PetscReal activation[3], PsdBlocks blocks, Vec S,
                               const PetscReal scores[], PetscReal *size)
{
  const size_t bytes = (size_t)geometry.channels * geometry.height * geometry.width;
  const unsigned char *images;
  const PetscReal *columns;
  PetscReal *moments, *phi, error = 0;
  PetscInt n, q;
  MUST(PsdDataGetSizes(data, NULL, &n, NULL));
  MUST(PsdDataGetShard(data, &images, NULL, NULL));
  MUST(PsdPatchesGetSizes(patches, &q, NULL, NULL, NULL));
  MUST(PetscMalloc2(blocks->G * PsdPackedLength(q + 1), &moments, blocks->D, &phi));
  MUST(VecGetArrayRead(S, &columns));
  for (PetscInt i = 0; i < n; i++) {
    MUST(PsdPatchesMoments(patches, images + (size_t)i * bytes, moments));
    MUST(PsdPatchesLift(patches, activation, moments, phi));
    for (PetscInt t = 0; t < blocks->C; t++) {
      PetscReal score = 0;
      for (PetscInt k = 0; k < blocks->D; k++) score += phi[k] * columns[t * blocks->D + k];
      error = PetscMax(error, PetscAbsReal(score - scores[i * blocks->C + t]));
      *size = PetscMax(*size, PetscAbsReal(score));
    }
  }
  MUST(VecRestoreArrayRead(S, &columns));
  MUST(PetscFree2(moments, phi));
  return error;
}

static void CheckPredictions(PetscInt f)
{
  const Sample sample = {.geometry = geometry, .N = 0, .f = f, .count = 4};
  const PsdTraining training = {.loss = "squared", .activation = {0.09, 0.5, 0.47}};
  PsdPatches patches = SamplePatches(&sample);
  PsdNeurons neurons;
  PsdNetwork network;
  PsdBlocks blocks;
  PsdData data;
  Vec S;
  PetscInt order, G, n;
  PetscReal weight, scores[4 * IMAGES], size = 0;
  MUST(PsdPatchesGetSizes(patches, NULL, &order, &G, NULL));
  MUST(PsdBlocksCreate(PETSC_COMM_SELF, 4, G, order, &blocks));
  MakeNeurons(order, G, blocks->pairs, &neurons);
  MUST(PsdBlocksCreateVec(blocks, &S));
  MUST(PsdNeuronsAssemble(&neurons, blocks, S, &weight));

  MUST(PsdNetworkCreate(PETSC_COMM_WORLD, &network));
  MUST(PsdNetworkSetPatches(network, patches));
  MUST(PsdNetworkSetClasses(network, 4, sample_labels));
  MUST(PsdNetworkSetTraining(network, &training));
  MUST(PsdNetworkSetNeurons(network, neurons.N, order, neurons.filter, neurons.weight, neurons.region, neurons.class));
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  MUST(PsdDataSetPath(data, PathOf("images.h5", NULL)));
  MUST(PsdDataSetUp(data));
  MUST(PsdDataGetSizes(data, NULL, &n, NULL));
  Require(n <= IMAGES, "a shard");
  MUST(PsdNetworkApply(network, data, scores));
  const PetscReal error = CompareScores(patches, data, training.activation, blocks, S, scores, &size);
  Require(size > 0 && error <= 1e-10 * size, "<Phi,S> is what the network predicts");
  MUST(PsdDataDestroy(&data));
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdNeuronsDestroy(&neurons));
  MUST(VecDestroy(&S));
  MUST(PsdBlocksDestroy(&blocks));
  MUST(PsdPatchesDestroy(&patches));
}

static void Predictions(void **state)
{
  (void)state;
  CheckPredictions(0); /* no transform */
  CheckPredictions(5);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SumOfNeurons), cmocka_unit_test(OneNumber),
                                     cmocka_unit_test(NearASumOfNeurons),
                                     cmocka_unit_test(SmallEigenvaluesAndSmallTrace), cmocka_unit_test(Predictions)};
  const long image[3] = {2, 9, 11};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) WriteHdf5(PathOf("images.h5", NULL), IMAGES, image, H5T_STD_U8LE, 0);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
