/* A'A accumulated by tiles, in every kind of groups, and A' of random signs, is that of the lifted features: beyond the order up to which sums are exact and below it, features kept
 * and streamed, samples going round and, where they are more than half of the order, sums, whichever rank holds how many samples; and A A' of the patches is the features' too, over several blocks. In single
 * precision A'A is that to the rounding of single precision, and A' of the signs is exact still. */
#include "problem_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <float.h>
#include "consensus/grid.h"
#include "problem/dual_matrix.h"
#include "problem/sample_costs.h"
#include "problem/sizes.h"

#define FEW 150   /* images */
#define MANY 4800 /* of which more than half of an order of 2145 are of the classes */

static const long size[3] = {1, 9, 9};

/* Patches of patch x patch of `count` images of size 9 x 9, as a problem; the same images lifted one by one: phi, n x D, with P. */
static Setting Large(PetscInt count, PetscInt patch, PetscReal memory, PetscBool single, PetscReal **phi)
{
  static const PetscInt labels[] = {3, 0, 5};
  Setting it = {0};
  PetscReal *moments;
  PetscInt q, kept = 0;
  MUST(PsdDataCreate(PETSC_COMM_WORLD, &it.data));
  MUST(PsdDataSetPath(it.data, PathOf(count == FEW ? "few.h5" : "many.h5", NULL)));
  MUST(PsdDataSetClasses(it.data, 3, labels));
  MUST(PsdDataSetUp(it.data));
  MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  it.patches->geometry.patch_height = it.patches->geometry.patch_width = patch;
  MUST(PsdPatchesSetImageSize(it.patches, 1, (PetscInt)size[1], (PetscInt)size[2]));
  MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  MUST(PsdProblemSetActivation(it.problem, activation));
  MUST(PsdProblemSetMemory(it.problem, memory));
  MUST(PsdProblemSetUp(it.problem));
  if (single) MUST(PsdProblemSetSingle(it.problem));
  MUST(PsdProblemCreateGradient(it.problem));
  const PetscInt D = it.problem->blocks->D;
  MUST(PsdPatchesGetSizes(it.patches, &q, NULL, NULL, NULL));
  MUST(PetscMalloc1(PsdPackedLength(q + 1), &moments));
  MUST(PetscMalloc1((size_t)count * D, phi));
  for (long k = 0; k < count; k++) {
    unsigned char image[81];
    PetscReal *row = *phi + kept * D;
    if (LabelOf(k) != 3 && LabelOf(k) != 0 && LabelOf(k) != 5) continue;
    for (PetscInt b = 0; b < 81; b++) image[b] = PixelOf(k, b);
    MUST(PsdPatchesMoments(it.patches, image, moments));
    MUST(PsdPatchesLift(it.patches, activation, moments, row));
    PsdRemoveJ(it.problem->blocks->d_max, row);
    kept++;
  }
  Require(kept == it.problem->n, "images of the classes");
  MUST(PetscFree(moments));
  return it;
}

static void LargeDestroy(Setting *it, PetscReal *phi)
{
  MUST(PetscFree(phi));
  MUST(PsdProblemDestroy(&it->problem));
  MUST(PsdPatchesDestroy(&it->patches));
  MUST(PsdDataDestroy(&it->data));
}

static PetscReal Dot(PetscInt n, const PetscReal x[], PetscInt step_x, const PetscReal y[], PetscInt step_y)
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += x[k * step_x] * y[k * step_y];
  return sum;
}

/* The signs of all ranks' samples, n x C. */
static PetscReal *GatherSigns(PsdProblem problem)
{
  const PetscInt C = problem->blocks->C;
  PetscReal *signs;
  int *counts, *starts;
  MUST(PetscMalloc1(problem->n * C, &signs));
  MUST(PetscCalloc2(Size(), &counts, Size() + 1, &starts));
  counts[Rank()] = (int)(problem->n_local * C);
  MUST(MPI_Allreduce(MPI_IN_PLACE, counts, Size(), MPI_INT, MPI_SUM, PETSC_COMM_WORLD));
  for (int r = 0; r < Size(); r++) starts[r + 1] = starts[r] + counts[r];
  MUST(MPI_Allgatherv(problem->signs, counts[Rank()], MPIU_REAL, signs, counts, starts, MPIU_REAL, PETSC_COMM_WORLD));
  MUST(PetscFree2(counts, starts));
  return signs;
}

/* They are signs, about as many of one kind as of the other: five standard deviations. */
static void CheckSigns(PetscInt count, const PetscReal signs[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < count; k++) {
    Require(signs[k] == 1 || signs[k] == -1, "a sign");
    sum += signs[k];
  }
  Require(PetscAbsReal(sum) <= 5 * PetscSqrtReal((PetscReal)count), "signs have no mean");
}

/* noise, here, is A' signs */
static void CheckNoise(PsdProblem problem, const PetscReal phi[], const PetscReal signs[])
{
  const PsdBlocks blocks = problem->blocks;
  const PetscReal *noise;
  MUST(VecGetArrayRead(problem->h_random, &noise));
  for (PetscInt k = 0; k < blocks->local * blocks->m_max; k++) {
    const PetscInt at = blocks->first * blocks->m_max + k, t = at / blocks->D, i = at % blocks->D;
    const PetscReal scale =
        PetscSqrtReal((PetscReal)problem->n * Dot(problem->n, phi + i, blocks->D, phi + i, blocks->D));
    const PetscReal expected = Dot(problem->n, phi + i, blocks->D, signs + t, blocks->C);
    Require(PetscAbsReal(noise[k] - expected) <= 1e-13 * scale, "A' signs");
  }
  MUST(VecRestoreArrayRead(problem->h_random, &noise));
}

/* Numbers that a rank of R receives with groups of s: samples of the others of its group, sums of the other groups. */
static PetscReal Received(PetscReal n, PetscReal D, PetscReal s, PetscReal R)
{
  return n * D / R * (s - 1) + D * D / 2 / R * (R / s - 1);
}

/* Samples that are few go round all ranks, many stay where they are, and in between the group is the one that receives least of
   those that there is memory for. */
static void CheckGroup(const PsdSizes *sizes, const PsdTiles *tiles, PetscInt n, PetscInt D, PetscReal memory)
{
  const PetscInt R = tiles->height * tiles->width;
  const PsdTiles group = PsdGramGroup(sizes, tiles);
  const PetscInt members = group.height * group.width;
  Require(tiles->height % group.height == 0 && tiles->width % group.width == 0, "groups are even");
  if (memory == 0) Require(members == R, "no room for sums");
  for (PetscMPIInt h = 1; h <= tiles->height && memory > 0; h++)
    for (PetscMPIInt w = 1; w <= tiles->width; w++)
      if (tiles->height % h == 0 && tiles->width % w == 0)
        Require(Received(n, D, members, R) <= Received(n, D, h * w, R) * (1 + 1e-12), "a group receives least");
}

/* What a product of two columns may be off by, relative to their norms: in single precision each number is rounded once, and of
   a sum of k products each goes through k roundings at most; chunks are added in double. */
static PetscReal Tolerance(PsdProblem problem)
{
  PetscInt rows = PsdFeaturesChunkRows(problem->folded);
  if (!problem->single) return 1e-13;
  MUST(MPI_Allreduce(MPI_IN_PLACE, &rows, 1, MPIU_INT, MPI_MAX, PETSC_COMM_WORLD));
  return 1e-13 + (PetscReal)(rows + 3) * (PetscReal)FLT_EPSILON / 2;
}

/* every 7th row of every `step`th column of this rank's part, on and below the diagonal */
static void CheckPart(PsdProblem problem, const PsdTiles *tiles, PetscInt step, const PetscReal phi[],
                      const PetscReal part[])
{
  const PetscInt D = problem->blocks->D, n = problem->n, block = tiles->block;
  const PetscMPIInt at_row = Rank() / tiles->width, at_column = Rank() % tiles->width;
  const PetscInt rows = PsdCyclicCount(D, block, at_row, tiles->height);
  const PetscInt columns = at_row < tiles->height ? PsdCyclicCount(D, block, at_column, tiles->width) : 0;
  const PetscReal tolerance = Tolerance(problem);
  for (PetscInt k = 0; k < columns; k += step)
    for (PetscInt i = 0; i < rows; i += 7) {
      const PetscInt row = PsdCyclicNumber(i, block, at_row, tiles->height);
      const PetscInt column = PsdCyclicNumber(k, block, at_column, tiles->width);
      if (row < column) continue;
      const PetscReal expected = Dot(n, phi + row, D, phi + column, D);
      const PetscReal scale =
          PetscSqrtReal(Dot(n, phi + row, D, phi + row, D) * Dot(n, phi + column, D, phi + column, D));
      Require(PetscAbsReal(part[(size_t)k * rows + i] - expected) <= tolerance * scale, "A'A");
    }
}

/* In the groups given, or, NULL, those that a run takes. */
static void CheckTiles(PetscInt count, PetscInt step, PetscInt patch, PetscReal memory, PetscBool single,
                       PetscInt D_expected, const PsdTiles *tiles, const PsdTiles *group)
{
  PetscReal *phi, *part;
  Setting it = Large(count, patch, memory, single, &phi);
  const PetscInt D = it.problem->blocks->D, n = it.problem->n;
  PsdSizes sizes;
  Require(D == D_expected, "order");
  MUST(PsdProblemFindSizes(it.problem, &sizes));
  if (D > 2000 && !single) CheckGroup(&sizes, tiles, n, D, memory);
  PetscReal *signs = GatherSigns(it.problem);
  CheckSigns(n * it.problem->blocks->C, signs);
  MUST(PsdProblemLift(it.problem));
  const PetscInt most = D / tiles->block + 1;
  MUST(PetscCalloc1((size_t)(most / tiles->height + 1) * (most / tiles->width + 1) * tiles->block * tiles->block,
                    &part));
  if (group) MUST(PsdProblemAddUpInGroups(it.problem, tiles, group, part));
  else MUST(PsdProblemAccumulateTiles(it.problem, tiles, part));
  CheckPart(it.problem, tiles, step, phi, part);
  CheckNoise(it.problem, phi, signs);
  MUST(PetscFree(signs));
  MUST(PetscFree(part));
  LargeDestroy(&it, phi);
}

static void ByTiles(void **state)
{
  (void)state;
  const PsdGridShape shape = PsdGridShapeOf(Size(), Size(), PETSC_FALSE);
  const PsdTiles tiles = {40, shape.height, shape.width};
  CheckTiles(FEW, 7, 8, 1024, PETSC_FALSE, 2145, &tiles, NULL);
  CheckTiles(FEW, 7, 8, 0, PETSC_FALSE, 2145, &tiles, NULL);
  CheckTiles(FEW, 1, 4, 1024, PETSC_FALSE, 153, &tiles, NULL);
  CheckTiles(FEW, 1, 4, 0, PETSC_FALSE, 153, &tiles, NULL);
  CheckTiles(MANY, 97, 8, 1024, PETSC_FALSE, 2145, &tiles, NULL);
  CheckTiles(MANY, 97, 8, 0, PETSC_FALSE, 2145, &tiles, NULL);
}

static void InSinglePrecision(void **state)
{
  (void)state;
  const PsdGridShape shape = PsdGridShapeOf(Size(), Size(), PETSC_FALSE);
  const PsdTiles tiles = {40, shape.height, shape.width};
  CheckTiles(FEW, 7, 8, 0, PETSC_TRUE, 2145, &tiles, NULL);
  CheckTiles(FEW, 1, 4, 1024, PETSC_TRUE, 153, &tiles, NULL);
  CheckTiles(MANY, 97, 8, 1024, PETSC_TRUE, 2145, &tiles, NULL);
}

/* whatever receives least: every grid, also with ranks that own nothing, and every group that divides it */
static void InEveryGroup(void **state)
{
  (void)state;
  for (PetscMPIInt H = 1; H <= Size(); H++)
    for (PetscMPIInt W = 1; H * W <= Size(); W++) {
      if (H * W < Size() - 1) continue;
      for (PetscMPIInt h = 1; h <= H; h++)
        for (PetscMPIInt w = 1; w <= W; w++)
          for (int single = 0; single < 2; single++)
            if (H % h == 0 && W % w == 0)
              CheckTiles(FEW, 1, 4, 1024, (PetscBool)single, 153, &(PsdTiles){8, H, W}, &(PsdTiles){8, h, w});
    }
}

/* Which sample a row or column of A A' is, of all; below 0: none. first: of each rank. */
static PetscInt SampleOf(PetscInt number, PetscInt block, const PetscInt first[])
{
  const PetscInt turn = number / block, rank = turn % Size(), local = turn / Size() * block + number % block;
  return local < first[rank + 1] - first[rank] ? first[rank] + local : -1;
}

/* Of features that all ranks know, with the numbering of samples by which block b of rows and columns is rank b mod R's;
   on the grid that is given. */
static void CheckKernel(PetscInt patch, const PsdTiles *tiles)
{
  PetscReal *phi, *K;
  Setting it = Large(FEW, patch, 1024, PETSC_FALSE, &phi);
  const PetscInt D = it.problem->blocks->D, block = tiles->block;
  PetscInt most, *first;
  MUST(MPI_Allreduce(&it.problem->n_local, &most, 1, MPIU_INT, MPI_MAX, PETSC_COMM_WORLD));
  const PetscInt N = (most + block - 1) / block * block * Size(), rows = N / tiles->height, columns = N / tiles->width;
  MUST(PetscCalloc2((size_t)rows * columns, &K, Size() + 1, &first));
  MUST(MPI_Allgather(&it.problem->n_local, 1, MPIU_INT, first + 1, 1, MPIU_INT, PETSC_COMM_WORLD));
  for (PetscMPIInt r = 0; r < Size(); r++) first[r + 1] += first[r];
  MUST(PsdProblemKeepPatches(it.problem));
  MUST(PsdRowsDualMatrix(it.problem->rows, tiles, N, K));
  for (PetscInt j = 0; j < columns; j++)
    for (PetscInt i = 0; i < rows; i++) {
      const PetscInt row = PsdCyclicNumber(i, block, Rank() / tiles->width, tiles->height);
      const PetscInt column = PsdCyclicNumber(j, block, Rank() % tiles->width, tiles->width);
      const PetscInt left = SampleOf(row, block, first), right = SampleOf(column, block, first);
      PetscReal expected = 0, scale = 1;
      if (row < column) continue;
      if (left >= 0 && right >= 0) {
        const PetscReal *x = phi + (size_t)left * D, *y = phi + (size_t)right * D;
        expected = Dot(D, x, 1, y, 1);
        scale = PetscSqrtReal(Dot(D, x, 1, x, 1) * Dot(D, y, 1, y, 1));
      }
      Require(PetscAbsReal(K[(size_t)j * rows + i] - expected) <= 1e-12 * scale, "A A'");
    }
  MUST(PetscFree2(K, first));
  LargeDestroy(&it, phi);
}

/* few blocks and many of them, many patches; on every grid of all ranks, which has more rows than columns as well */
static void OfPatches(void **state)
{
  (void)state;
  for (PetscMPIInt height = 1; height <= Size(); height++) {
    if (Size() % height) continue;
    CheckKernel(8, &(PsdTiles){64, height, Size() / height});
    CheckKernel(3, &(PsdTiles){4, height, Size() / height});
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ByTiles), cmocka_unit_test(InSinglePrecision),
                                     cmocka_unit_test(InEveryGroup), cmocka_unit_test(OfPatches)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  RootCreate();
  if (!Rank()) WriteHdf5(PathOf("few.h5", NULL), FEW, size, H5T_STD_U8LE, 0);
  if (!Rank()) WriteHdf5(PathOf("many.h5", NULL), MANY, size, H5T_STD_U8LE, 0);
  MUST(MPI_Barrier(PETSC_COMM_WORLD));
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
