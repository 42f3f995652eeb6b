/* The projection onto the cone is the positive part of an eigendecomposition by another routine, with Z = F F' and
 * <X - Z, Z> = 0, for random, rank-deficient, zero and definite blocks on any number of ranks, whose owners are spread over nodes. */
#include "network_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "base/nodes.h"
#include "cone/cone_impl.h"

#define ROOM 40 /* largest order here */

typedef enum { RANDOM, DEFICIENT, ZERO, POSITIVE, NEGATIVE, TINY, KINDS } Kind;

static PetscReal Dot(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* A block of a kind, as svec: a combination of `terms` squares of random vectors. */
static void MakeBlock(Kind kind, PetscInt d, uint64_t seed, PetscReal svec[])
{
  const PetscInt terms = kind == ZERO ? 0 : kind == DEFICIENT ? d / 2 : 2 * d;
  PetscReal full[ROOM * ROOM] = {0}, vectors[2 * ROOM * ROOM];
  Fill(seed, (size_t)(2 * d * d), vectors);
  for (PetscInt k = 0; k < terms; k++) {
    PetscReal weight = kind == NEGATIVE || (kind != POSITIVE && k % 3 == 1) ? -1 : 1;
    if (kind == TINY) weight *= 1e-150;
    const PetscReal *v = vectors + k * d;
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++) full[j * d + i] += weight * v[i] * v[j];
  }
  PsdPack(d, full, svec);
}

/* The positive part by LAPACK's QR iteration, and the number of eigenvalues clearly above zero. */
static void Reference(PetscInt d, const PetscReal svec[], PetscReal positive[], PetscInt *rank)
{
  PetscReal V[ROOM * ROOM], full[ROOM * ROOM] = {0}, lambda[ROOM], work[8 * ROOM];
  PetscBLASInt order = (PetscBLASInt)d, room = 8 * ROOM, info;
  PsdUnpack(d, svec, V);
  LAPACKsyev_("V", "U", &order, V, &order, lambda, work, &room, &info);
  Require(info == 0, "dsyev");
  const PetscReal scale = PetscMax(-lambda[0], lambda[d - 1]);
  *rank = 0;
  for (PetscInt k = 0; k < d; k++) {
    if (lambda[k] <= 1e-12 * scale) continue;
    (*rank)++;
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++) full[j * d + i] += lambda[k] * V[k * d + i] * V[k * d + j];
  }
  PsdPack(d, full, positive);
}

static void CheckBlock(Kind kind, PetscInt d, const PetscReal x[], const PetscReal z[], PetscInt rank,
                       const PetscReal F[])
{
  const PetscInt m = d * (d + 1) / 2;
  const PetscReal size = PetscSqrtReal(Dot(m, x, x)), tolerance = 1e-12 * size;
  PetscReal expected[ROOM * ROOM], product[ROOM * ROOM] = {0}, sum[ROOM * ROOM];
  PetscInt expected_rank;
  Reference(d, x, expected, &expected_rank);
  Require(rank == expected_rank, "rank of the projection");
  if (kind == ZERO || kind == NEGATIVE) Require(rank == 0, "nothing is positive");
  if (kind == POSITIVE) Require(rank == d, "all is positive");
  for (PetscInt k = 0; k < rank; k++)
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++) product[j * d + i] += F[k * d + i] * F[k * d + j];
  PsdPack(d, product, sum);
  for (PetscInt k = 0; k < m; k++) {
    Require(PetscAbsReal(z[k] - expected[k]) <= tolerance, "z is the positive part");
    Require(PetscAbsReal(z[k] - sum[k]) <= tolerance, "z = F F'");
    sum[k] = x[k] - z[k];
  }
  Require(PetscAbsReal(Dot(m, sum, z)) <= tolerance * size, "<x - z, z> = 0");
}

/* Nodes that are pretended: so many, with ranks dealt out in turn or one node after the other; 0: the machine's. */
static struct {
  PetscMPIInt count;
  PetscBool in_turn;
} nodes;

static PetscMPIInt NodeOf(PetscMPIInt rank)
{
  return nodes.in_turn ? rank % nodes.count : (PetscMPIInt)((PetscInt64)rank * nodes.count / Size());
}

/* For each rank the lowest one on its node. */
static PetscMPIInt *Layout(void)
{
  PetscMPIInt *node;
  MUST(PetscMalloc1(Size(), &node));
  for (PetscMPIInt r = 0; r < Size(); r++)
    for (node[r] = 0; NodeOf(node[r]) != NodeOf(r);) node[r]++;
  return node;
}

static PsdBlocks CreateBlocks(PetscInt C, PetscInt G, PetscInt f)
{
  PsdBlocks blocks;
  PetscInt orders[ROOM];
  if (nodes.count == 0) {
    MUST(PsdBlocksCreate(PETSC_COMM_WORLD, C, G, f, &blocks));
    return blocks;
  }
  for (PetscInt g = 0; g < G; g++) orders[g] = f;
  PetscMPIInt *node = Layout();
  MUST(PsdBlocksCreateOnNodes(PETSC_COMM_WORLD, C, G, orders, NULL, node, &blocks));
  MUST(PetscFree(node));
  return blocks;
}

static void ProjectBlocks(const char kernel[], PsdConeDriver driver, PetscInt C, PetscInt G, PetscInt f, uint64_t seed)
{
  PsdBlocks blocks;
  PsdCone cone;
  Vec X[2], Z[2];
  const PetscReal *x, *z;
  blocks = CreateBlocks(C, G, f);
  Require(blocks->d_max == f + 1 && blocks->m_max == (f + 1) * (f + 2) / 2, "sizes of a block");
  for (PetscInt s = 0; s < 2; s++) {
    PetscReal *values;
    MUST(PsdBlocksCreateVec(blocks, &X[s]));
    MUST(PsdBlocksCreateVec(blocks, &Z[s]));
    MUST(VecGetArray(X[s], &values));
    for (PetscInt k = 0; k < blocks->local; k++)
      MakeBlock((Kind)((blocks->first + k + s) % KINDS), blocks->d_max, seed + (uint64_t)(2 * (blocks->first + k) + s),
                values + k * blocks->m_max);
    MUST(VecRestoreArray(X[s], &values));
  }
  MUST(PsdConeCreate(&cone));
  cone->choice = PsdConeFind(kernel);
  cone->driver = driver;
  MUST(PsdConeSetUp(cone, blocks));
  MUST(PsdConeProject(cone, X, Z));
  for (PetscInt s = 0; s < 2; s++) {
    MUST(VecGetArrayRead(X[s], &x));
    MUST(VecGetArrayRead(Z[s], &z));
    for (PetscInt k = 0; k < blocks->local; k++) {
      PetscInt rank;
      const PetscReal *F;
      MUST(PsdConeGetFactor(cone, s, k, &rank, &F));
      CheckBlock((Kind)((blocks->first + k + s) % KINDS), blocks->d_max, x + k * blocks->m_max, z + k * blocks->m_max,
                 rank, F);
    }
    MUST(VecRestoreArrayRead(X[s], &x));
    MUST(VecRestoreArrayRead(Z[s], &z));
    MUST(VecDestroy(&X[s]));
    MUST(VecDestroy(&Z[s]));
  }
  MUST(PsdConeDestroy(&cone));
  MUST(PsdBlocksDestroy(&blocks));
}

static void OrdersFromTwoToForty(void **state)
{
  (void)state;
  for (PetscInt f = 1; f < ROOM; f += f < 6 ? 1 : 11)
    ProjectBlocks("auto", PSD_LAPACK_AUTO, 3, 4, f, 100 * (uint64_t)f);
}

/* LAPACK's range of eigenvalues instead of all */
static void PositiveRange(void **state)
{
  (void)state;
  for (PetscInt f = 1; f < ROOM; f += 11) ProjectBlocks("lapack", PSD_LAPACK_RANGE, 3, 4, f, 100 * (uint64_t)f);
}

/* every kernel of the table, on one rank a block and, where ranks are left over and it can, on teams of them */
static void EveryKernel(void **state)
{
  (void)state;
  for (PetscInt k = 0; k < PsdConeKernels; k++)
    for (PetscInt f = 1; f < ROOM; f += 11) {
      ProjectBlocks(PsdConeTable[k]->name, PSD_LAPACK_AUTO, 3, 4, f, 100 * (uint64_t)f);
      ProjectBlocks(PsdConeTable[k]->name, PSD_LAPACK_AUTO, 1, 1, f, 100 * (uint64_t)f);
      ProjectBlocks(PsdConeTable[k]->name, PSD_LAPACK_AUTO, 1, 3, f, 100 * (uint64_t)f);
    }
}

static void FewerPairsThanRanks(void **state)
{
  (void)state;
  ProjectBlocks("auto", PSD_LAPACK_AUTO, 1, 1, 7, 5);
}

/* No node has two pairs more than another that has ranks for them, rank 0 has as many as any, and pairs are in the order of
   their owners; Z and Z' are worked on by different ranks where there are so many, of one pair on both of two
   nodes of one size. */
static void CheckOwners(PetscInt pairs)
{
  const PsdBlocks blocks = CreateBlocks(1, pairs, 3);
  PetscInt owned[ROOM] = {0}, size[ROOM] = {0}, last = 0, of_root = 0;
  for (PetscMPIInt r = 0; r < Size(); r++) size[NodeOf(r)]++;
  for (PetscInt pair = 0; pair < pairs; pair++) {
    const PetscMPIInt owner = PsdBlocksOwner(blocks, pair);
    const PetscBool here = (PetscBool)(pair >= blocks->first && pair < blocks->first + blocks->local);
    Require(owner >= last && owner < Size(), "pairs in the order of owners");
    Require(here == (PetscBool)(owner == Rank()), "owner");
    last = owner;
    owned[NodeOf(owner)]++;
    of_root += owner == 0;
    if (Size() >= 2 * pairs)
      Require(PsdConeTeamRoot(blocks, 2 * pair) != PsdConeTeamRoot(blocks, 2 * pair + 1), "Z and Z' on two ranks");
    if (Size() % 2 == 0 && pairs == 1 && nodes.count == 2)
      Require(NodeOf(PsdConeTeamRoot(blocks, 0)) != NodeOf(PsdConeTeamRoot(blocks, 1)), "Z and Z' on two nodes");
  }
  Require(of_root == (pairs + Size() - 1) / Size(), "the root has as many as any");
  Require(blocks->local - pairs / Size() == 0 || blocks->local - pairs / Size() == 1, "evenly on ranks");
  for (PetscInt a = 0; a < nodes.count; a++)
    for (PetscInt b = 0; b < nodes.count; b++)
      if (owned[b] - pairs / Size() * size[b] < size[b])
        Require(owned[a] - pairs / Size() * size[a] <= owned[b] - pairs / Size() * size[b] + 1, "evenly on nodes");
  PsdBlocks copy = blocks;
  MUST(PsdBlocksDestroy(&copy));
}

/* on nodes of one, two and three kinds of sizes, and the same projections */
static void OwnersAreSpreadOverNodes(void **state)
{
  (void)state;
  for (PetscMPIInt count = 1; count <= Size(); count++)
    for (PetscInt in_turn = 0; in_turn < 2; in_turn++) {
      nodes.count = count;
      nodes.in_turn = (PetscBool)in_turn;
      for (PetscInt pairs = 1; pairs < 2 * Size() + 2; pairs++) CheckOwners(pairs);
      ProjectBlocks("auto", PSD_LAPACK_AUTO, 3, 4, 7, 100);
      ProjectBlocks("scalapack", PSD_LAPACK_AUTO, 1, 1, 12, 100);
      ProjectBlocks("partial", PSD_LAPACK_AUTO, 1, 2, 12, 100);
    }
  nodes.count = 0;
}

/* What the machine says is what it is: one node, here. */
static void NodesAreFound(void **state)
{
  (void)state;
  PetscMPIInt node[ROOM];
  MUST(PsdNodesFind(PETSC_COMM_WORLD, node));
  for (PetscMPIInt r = 0; r < Size(); r++) Require(node[r] == 0, "all share the first rank's memory");
}

/* <j, P x> = 0, P P = P, and P x - x is along j */
static void RemovingJ(void **state)
{
  (void)state;
  PetscReal x[15], once[15], twice[15], along = 0, removed = 0;
  Fill(9, 15, x);
  MUST(PetscArraycpy(once, x, 15));
  PsdRemoveJ(5, once);
  MUST(PetscArraycpy(twice, once, 15));
  PsdRemoveJ(5, twice);
  for (PetscInt k = 0; k < 5; k++) along += (k < 4 ? 1 : -1) * once[PsdDiagonal(k)];
  Require(PetscAbsReal(along) < 1e-14, "<J, P x> = 0");
  for (PetscInt k = 0; k < 15; k++) Require(PetscAbsReal(once[k] - twice[k]) < 1e-15, "P P = P");
  for (PetscInt k = 0; k < 15; k++) removed += PetscSqr(x[k] - once[k]);
  Require(PetscAbsReal(removed - PetscSqr(x[0] + x[2] + x[5] + x[9] - x[14]) / 5) < 1e-14, "only j is removed");
}

/* every kernel of the table by its name and, where it has one, by its old name; a type of EPS that there is not is an input error */
static void NamesOfOptions(void **state)
{
  PsdCone cone;
  (void)state;
  for (PetscInt k = 0; k < PsdConeKernels; k++) {
    const PsdConeOps *ops = PsdConeTable[k];
    const char *names[] = {ops->name, ops->old_name};
    for (int old = 0; old < 2 && names[old]; old++) {
      MUST(PetscOptionsSetValue(NULL, "-cone", names[old]));
      MUST(PsdConeCreate(&cone));
      MUST(PsdConeSetFromOptions(cone));
      Require(cone->choice == k, names[old]);
      MUST(PsdConeDestroy(&cone));
    }
  }
  MUST(PetscOptionsSetValue(NULL, "-cone", "nothing"));
  MUST(PsdConeCreate(&cone));
  Require(PsdConeSetFromOptions(cone) == PSD_ERR_INPUT, "a kernel that there is not");
  MUST(PetscOptionsSetValue(NULL, "-cone", "auto"));
  MUST(PetscOptionsSetValue(NULL, "-eps_type", "nothing"));
  Require(PsdConeSetFromOptions(cone) == PSD_ERR_INPUT, "a type of EPS that there is not");
  Require(strstr(PsdErrorMessage(), "psdblock") != NULL, "what is expected");
  MUST(PsdConeDestroy(&cone));
  MUST(PetscOptionsClearValue(NULL, "-cone"));
  MUST(PetscOptionsClearValue(NULL, "-eps_type"));
}

/* The costs of `auto`: blocks are large from order 81 on, and go to teams from 101 on */
static void Costs(void **state)
{
  PsdSizes sizes;
  const PsdRates rates = {.gemm = 1e9, .syrk = 1e9, .potrf = 1e9, .bandwidth = 1e9, .eigen = 1e-9, .lift = 0};
  (void)state;
  PsdSizesSet(100, 2, 3, 1, 1, 79, 79, 79, &sizes);
  Require(PsdConeCost(&sizes, &rates, PETSC_FALSE).flops == 4 * 9 * 80. * 80. * 80., "small: two pairs, completely");
  PsdSizesSet(100, 2, 3, 1, 1, 80, 80, 80, &sizes);
  Require(PsdConeCost(&sizes, &rates, PETSC_TRUE).flops == 4 * 9 * 81. * 81. * 81., "large, but completely");
  Require(PsdConeCost(&sizes, &rates, PETSC_FALSE).flops == 4 * 80 * 81. * 81., "large: forty products a block");
  PsdSizesSet(100, 4, 1, 1, 1, 100, 100, 100, &sizes);
  Require(PsdConeCost(&sizes, &rates, PETSC_TRUE).flops == 9 * 101. * 101. * 101., "a block a rank, of two in all");
  for (PetscInt ranks = 1; ranks <= 2; ranks++) {
    PsdMemory memory = {0};
    const PetscReal square = 8 * 120. * 120., vector = 8 * 120. * 121. / 2;
    PsdSizesSet(100, ranks, 1, 1, 1, 119, 119, 119, &sizes);
    PsdConeMemory(&sizes, &memory);
    Require(memory.count == 1, "one item");
    const PetscReal alone = 5.5 * square + 2 * (square / 3 + vector);
    Require(PetscAbsReal(memory.item[0].root - alone) <= 1, "bytes of the owner");
    Require(PetscAbsReal(memory.item[0].others - (ranks == 1 ? alone : alone + vector)) <= 1, "bytes of a helper");
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OrdersFromTwoToForty),
                                     cmocka_unit_test(FewerPairsThanRanks),
                                     cmocka_unit_test(PositiveRange),
                                     cmocka_unit_test(EveryKernel),
                                     cmocka_unit_test(OwnersAreSpreadOverNodes),
                                     cmocka_unit_test(NodesAreFound),
                                     cmocka_unit_test(RemovingJ),
                                     cmocka_unit_test(NamesOfOptions),
                                     cmocka_unit_test(Costs)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
