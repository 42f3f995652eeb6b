/* The distributed positive definite matrix solves and multiplies as LAPACK does with the whole, by inverses of parts of its
 * factor, which are LAPACK's, and by the factor, for orders below, at and beyond a block a rank, on grids of every shape,
 * over nodes of every kind, whatever stands above the diagonal; its panels are the whole's. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "consensus/grid.h"
#include "consensus/grid_panels.h"

void dtrtri_(const char *, const char *, const int *, double *, const int *, int *);

#define MOST 3 /* right-hand sides */

/* A matrix V V' of rank N/2 + 1, the same on every rank; its trace */
static PetscReal *Whole(PetscInt N, PetscReal *trace)
{
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt order = (PetscBLASInt)N, rank = order / 2 + 1;
  PetscReal *V, *whole;
  MUST(PetscMalloc1(N * rank, &V));
  MUST(PetscMalloc1(N * N, &whole));
  Fill(3, (size_t)(N * rank), V);
  BLASgemm_("N", "T", &order, &order, &rank, &one, V, &order, V, &order, &zero, whole, &order);
  *trace = 0;
  for (PetscInt k = 0; k < N; k++) *trace += whole[k * N + k];
  MUST(PetscFree(V));
  return whole;
}

static void CompareRows(PsdGrid grid, PetscInt count, const PetscReal x[], const PetscReal expected[],
                        PetscReal tolerance, const char what[])
{
  PetscReal size = 0;
  for (PetscInt k = 0; k < grid->N * count; k++) size = PetscMax(size, PetscAbsReal(expected[k]));
  for (PetscInt t = 0; t < count; t++)
    for (PetscInt k = 0; k < grid->columns; k++) {
      const PetscReal difference =
          PetscAbsReal(x[t * grid->columns + k] - expected[t * grid->N + PsdGridColumn(grid, k)]);
      if (!(difference <= tolerance * size))
        fprintf(stderr, "order %d: error %g of %g\n", (int)grid->N, (double)difference, (double)size);
      Require(difference <= tolerance * size, what);
    }
}

static void Rows(PsdGrid grid, PetscInt count, const PetscReal whole[], PetscReal x[])
{
  for (PetscInt t = 0; t < count; t++)
    for (PetscInt k = 0; k < grid->columns; k++) x[t * grid->columns + k] = whole[t * grid->N + PsdGridColumn(grid, k)];
}

/* Tile (I, J) is in row I mod H and column J mod W; nothing above the diagonal is to be read. */
static void FillLower(PsdGrid grid, const PetscReal whole[])
{
  for (PetscInt k = 0; k < grid->cols.count; k++)
    for (PetscInt i = 0; i < grid->rows.count; i++) {
      const PetscInt row = (i / grid->block * grid->shape.height + grid->row) * grid->block + i % grid->block;
      const PetscInt column = (k / grid->block * grid->shape.width + grid->column) * grid->block + k % grid->block;
      grid->matrix[k * grid->rows.count + i] = row < column ? NAN : whole[column * grid->N + row];
    }
}

/* Each panel is the matrix's once, on one rank, and doubled it comes back doubled; then the matrix is as it was. */
static void CheckPanels(PsdGrid grid, const PetscReal whole[])
{
  PsdGridPanels panels;
  PetscInt columns = 0;
  MUST(PsdGridPanelsCreate(grid, &panels));
  for (PetscInt k = 0; k < PsdGridPanelsCount(panels); k++) {
    const PsdPanel panel = PsdGridPanelsAt(panels, k);
    MUST(PsdGridPanelsGather(panels, k));
    for (PetscInt j = 0, at = 0; panel.here && j < panel.width; j++)
      for (PetscInt i = panel.first + j; i < grid->N; i++, at++) {
        Require(panel.numbers[at] == whole[(panel.first + j) * grid->N + i], "a panel");
        panel.numbers[at] *= 2;
      }
    MUST(PsdGridPanelsScatter(panels, k));
    if (panel.here) columns += panel.width;
  }
  MUST(PsdGridPanelsDestroy(&panels));
  MUST(MPI_Allreduce(MPI_IN_PLACE, &columns, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  Require(columns == grid->N, "panels of all columns");
  for (PetscInt k = 0; k < grid->cols.count; k++)
    for (PetscInt i = 0; i < grid->rows.count; i++) {
      const PetscInt row = (i / grid->block * grid->shape.height + grid->row) * grid->block + i % grid->block;
      const PetscInt column = (k / grid->block * grid->shape.width + grid->column) * grid->block + k % grid->block;
      if (row >= column)
        Require(grid->matrix[k * grid->rows.count + i] == 2 * whole[column * grid->N + row], "a panel comes back");
    }
  FillLower(grid, whole);
}

/* Each part's triangle on the diagonal <- its inverse */
static void InvertParts(PetscInt N, PetscInt block, PetscInt parts, PetscReal factor[])
{
  const PetscInt blocks = (N + block - 1) / block;
  const int ld = (int)N;
  for (PetscInt k = 0; k < parts; k++) {
    const PetscInt begin = PetscMin(N, blocks * k / parts * block), end = PetscMin(N, blocks * (k + 1) / parts * block);
    const int order = (int)(end - begin);
    int info = 0;
    if (order > 0) dtrtri_("L", "N", &order, factor + begin * N + begin, &ld, &info);
    assert_int_equal(info, 0);
  }
}

/* The factor, on and below the diagonal, is `whole`, and zero above. */
static void CompareFactor(PsdGrid grid, const PetscReal whole[], PetscReal tolerance)
{
  PetscReal size = 0, difference = 0, above = 0;
  for (PetscInt k = 0; k < grid->N; k++)
    for (PetscInt i = k; i < grid->N; i++) size = PetscMax(size, PetscAbsReal(whole[k * grid->N + i]));
  for (PetscInt k = 0; k < grid->cols.count; k++) {
    const PetscInt column = PsdCyclicNumber(k, grid->block, grid->column, grid->shape.width);
    for (PetscInt i = 0; i < grid->rows.count; i++) {
      const PetscInt row = PsdCyclicNumber(i, grid->block, grid->row, grid->shape.height);
      const PetscReal entry = grid->factor[k * grid->rows.count + i];
      if (row < column) above = PetscMax(above, PetscAbsReal(entry));
      else difference = PetscMax(difference, PetscAbsReal(entry - whole[column * grid->N + row]));
      if (PetscIsNanReal(entry)) difference = PETSC_INFINITY;
    }
  }
  Require(above == 0, "above the diagonal");
  Require(difference <= tolerance * size, "the factor and inverses of its parts");
}

/* Any grid that has room for so many ranks, some of which may be left out; node: of each rank, or NULL. */
static void CheckOrder(PetscInt N, PetscInt block, const PsdGridShape *shape, PetscInt count, PetscInt parts,
                       const PetscMPIInt node[])
{
  static const PetscReal shifts[] = {1, 1e-4, 1e-7, 1e-10}; /* of the trace; an inverse down to 1e-8 */
  const PetscReal one = 1, zero = 0;
  PetscBLASInt order = (PetscBLASInt)N, width = (PetscBLASInt)count, info;
  PetscReal *whole, *right, *expected, *factor, *x, *y, trace, found;
  PetscInt columns = 0;
  PsdGrid grid;
  whole = Whole(N, &trace);
  MUST(PsdGridCreate(PETSC_COMM_WORLD, N, block, shape, count, node, &grid));
  MUST(PsdGridAllocate(grid));
  Require(grid->columns == PsdGridColumns(N, block, shape, Rank()), "columns of this rank");
  MUST(MPI_Allreduce(&grid->columns, &columns, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  Require(columns == N, "columns of all");
  FillLower(grid, whole);
  CheckPanels(grid, whole);
  MUST(PsdGridTrace(grid, &found));
  Require(PetscAbsReal(found - trace) <= N * PETSC_MACHINE_EPSILON * trace, "trace");
  MUST(PetscMalloc5(N * count, &right, N * count, &expected, N * N, &factor, N * count, &x, N * count, &y));
  Fill(5, (size_t)(N * count), right);
  for (size_t s = 0; s < sizeof(shifts) / sizeof(*shifts); s++) {
    const PetscReal shift = shifts[s] * trace;
    grid->parts = parts;
    MUST(PetscArraycpy(factor, whole, N * N));
    MUST(PetscArraycpy(expected, right, N * count));
    for (PetscInt k = 0; k < N; k++) factor[k * N + k] += shift;
    LAPACKpotrf_("L", &order, factor, &order, &info);
    LAPACKpotrs_("L", &order, &width, factor, &order, expected, &order, &info);
    MUST(PsdGridFactor(grid, trace, shift));
    assert_int_equal(grid->inverse, shifts[s] > 1e-8);
    if (grid->inverse) InvertParts(N, block, parts, factor);
    CompareFactor(grid, factor, 1000 * PETSC_MACHINE_EPSILON * (1 + 1 / shifts[s]));
    Rows(grid, count, right, x);
    MUST(PsdGridSolve(grid, x));
    CompareRows(grid, count, x, expected, 1000 * PETSC_MACHINE_EPSILON * (1 + 1 / shifts[s]), "solve");
    /* the matrix is still there */
    BLASgemm_("N", "N", &order, &width, &order, &one, whole, &order, right, &order, &zero, expected, &order);
    Rows(grid, count, right, x);
    MUST(PsdGridMultiply(grid, x, y));
    CompareRows(grid, count, y, expected, 1e-12, "multiply");
  }
  MUST(PetscFree5(right, expected, factor, x, y));
  MUST(PetscFree(whole));
  MUST(PsdGridDestroy(&grid));
}

static void CheckOrders(PetscInt block, const PsdGridShape *shape, const PetscMPIInt node[])
{
  const PetscInt orders[] = {1, 5, block - 1, block, block + 1, 3 * block + 8, 517};
  for (size_t k = 0; k < sizeof(orders) / sizeof(*orders); k++)
    for (PetscInt count = 1; count <= MOST; count += 2) CheckOrder(orders[k], block, shape, count, count, node);
}

/* the shape that runs have, and every other one: flat, upright, and with ranks left out */
static void EveryShapeThatFits(void **state)
{
  (void)state;
  for (PetscMPIInt height = 1; height <= Size(); height++)
    for (PetscMPIInt width = 1; height * width <= Size(); width++)
      if (Size() <= 4 || (height + width) % 3 == 0)
        CheckOrders(16, &(PsdGridShape){height, width, height * width}, NULL);
}

/* Neighbours on a node, ranks dealt out to nodes in turn, and a node of one rank beside one of all others; most numbers
   come from the other nodes there. */
static void EveryShapeOverNodes(void **state)
{
  (void)state;
  for (PetscMPIInt height = 1; height <= Size(); height++)
    for (PetscMPIInt width = 1; height * width <= Size(); width++)
      for (PetscInt kind = 0; kind < 3; kind++) {
        const PsdGridShape shape = {height, width, height * width};
        PetscMPIInt node[64];
        for (PetscMPIInt r = 0; r < Size(); r++) node[r] = kind == 0 ? r - r % 2 : kind == 1 ? r % 2 : PetscMin(r, 1);
        for (PetscInt N = 15; N < 600; N = 3 * N + 8) CheckOrder(N, 16, &shape, 3, 5, node);
      }
}

static void OrdersAroundABlock(void **state)
{
  (void)state;
  const PsdGridShape shape = PsdGridShapeOf(Size(), Size(), PETSC_FALSE);
  CheckOrders(64, &shape, NULL);
}

/* as near to a square as the number of ranks allows; all of them where they are asked for */
static void ShapesAreNearSquares(void **state)
{
  (void)state;
  static const PsdGridShape shapes[] = {{1, 1, 1},  {1, 2, 2},  {1, 3, 3},    {2, 2, 4},     {1, 5, 5},     {2, 3, 6},
                                        {1, 7, 7},  {2, 4, 8},  {3, 4, 12},   {4, 4, 16},    {4, 6, 24},    {4, 8, 32},
                                        {6, 6, 36}, {8, 8, 64}, {8, 16, 128}, {16, 16, 256}, {32, 32, 1024}};
  for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
    const PsdGridShape shape = PsdGridShapeOf(shapes[k].used, shapes[k].used, PETSC_FALSE);
    assert_int_equal(shape.height, shapes[k].height);
    assert_int_equal(shape.width, shapes[k].width);
  }
  for (PetscMPIInt ranks = 1; ranks <= 2000; ranks++) {
    const PsdGridShape shape = PsdGridShapeOf(ranks, ranks, PETSC_FALSE),
                       all = PsdGridShapeOf(ranks, ranks, PETSC_TRUE);
    assert_true(shape.used <= ranks && shape.used >= 0.9 * ranks && shape.height * shape.width == shape.used);
    assert_true(all.used == ranks && all.height * all.width == ranks && all.height <= all.width);
    assert_true(ranks < 12 || shape.width <= 4 * shape.height);
  }
}

/* on several nodes two to four times as wide as high, where a row then fits a node; squares where it does not */
static void ShapesOnNodesAreWide(void **state)
{
  (void)state;
  static const PsdGridShape shapes[] = {{8, 16, 128}, {8, 32, 256}, {16, 32, 512}, {16, 64, 1024}, {6, 16, 96}};
  for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
    const PsdGridShape shape = PsdGridShapeOf(shapes[k].used, 64, PETSC_FALSE);
    assert_int_equal(shape.height, shapes[k].height);
    assert_int_equal(shape.width, shapes[k].width);
    assert_int_equal(PsdGridShapeOf(shapes[k].used, 1, PETSC_TRUE).height,
                     PsdGridShapeOf(shapes[k].used, shapes[k].used, PETSC_TRUE).height);
  }
  for (PetscMPIInt ranks = 1; ranks <= 2000; ranks++) {
    const PsdGridShape shape = PsdGridShapeOf(ranks, 48, PETSC_FALSE),
                       square = PsdGridShapeOf(ranks, ranks, PETSC_FALSE);
    assert_true(shape.used <= ranks && shape.used >= 0.9 * ranks && shape.height * shape.width == shape.used);
    assert_true(ranks < 12 || shape.width <= 4 * shape.height);
    assert_true(ranks > 48 || shape.width == square.width);
  }
}

/* as many parts as the flops of their inverses and the messages of solves are least with */
static void PartsOfTheFactor(void **state)
{
  (void)state;
  assert_int_equal(PsdGridPartsOf(500, 1), 1);
  assert_int_equal(PsdGridPartsOf(4900, 64), 3);
  assert_int_equal(PsdGridPartsOf(4900, 1024), 3);
  assert_int_equal(PsdGridPartsOf(1000, 1024), 1);
  assert_int_equal(PsdGridPartsOf(9900, 2), 4);
  assert_int_equal(PsdGridPartsOf(18721, 256), 7);
  assert_int_equal(PsdGridPartsOf(1e6, 1), 8);
  for (PetscReal N = 1; N < 1e5; N *= 1.5)
    for (PetscReal ranks = 1; ranks < 2000; ranks *= 2)
      assert_true(PsdGridPartsOf(N, ranks) >= PsdGridPartsOf(N, 2 * ranks) &&
                  PsdGridPartsOf(N, ranks) <= PsdGridPartsOf(2 * N, ranks));
}

/* ScaLAPACK's 2^31: 46,340 on one rank, and about a root of R times that on R */
static void WhatCannotBeCounted(void **state)
{
  (void)state;
  assert_true(PsdGridCountable(46000, 1));
  assert_false(PsdGridCountable(50000, 1));
  assert_true(PsdGridCountable(50000, 2));
  assert_false(PsdGridCountable(100000, 4));
  assert_true(PsdGridCountable(100000, 5));
  const PsdGridShape shape = {1, 1, 1};
  PsdGrid grid;
  assert_int_equal(PsdGridCreate(PETSC_COMM_WORLD, 50000, 64, &shape, 1, NULL, &grid), PSD_ERR_INPUT);
}

/* A pivot that is not positive is an error of all ranks, which names the first, and the next matrix is factorised as ever. */
static void MatricesWithoutFactor(void **state)
{
  (void)state;
  static const PetscInt rows[] = {0, 17, 75, 199};
  const PsdGridShape shape = PsdGridShapeOf(Size(), Size(), PETSC_FALSE);
  PsdGrid grid;
  MUST(PsdGridCreate(PETSC_COMM_WORLD, 200, 16, &shape, 1, NULL, &grid));
  MUST(PsdGridAllocate(grid));
  PetscReal *identity;
  MUST(PetscCalloc1(200 * 200, &identity));
  for (PetscInt k = 0; k < 200; k++) identity[k * 200 + k] = 1;
  for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
    char row[32];
    identity[rows[k] * 201] = identity[199 * 201] = -3;
    FillLower(grid, identity);
    assert_int_equal(PsdGridFactor(grid, 200, 1), PSD_ERR_INPUT);
    snprintf(row, sizeof(row), "at row %d:", (int)rows[k] + 1);
    Require(strstr(PsdErrorMessage(), row) != NULL, "the first row without a factor");
    identity[rows[k] * 201] = identity[199 * 201] = 1;
    FillLower(grid, identity);
    MUST(PsdGridFactor(grid, 200, 1));
  }
  MUST(PetscFree(identity));
  MUST(PsdGridDestroy(&grid));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OrdersAroundABlock),    cmocka_unit_test(EveryShapeThatFits),
                                     cmocka_unit_test(EveryShapeOverNodes),   cmocka_unit_test(ShapesAreNearSquares),
                                     cmocka_unit_test(ShapesOnNodesAreWide),  cmocka_unit_test(PartsOfTheFactor),
                                     cmocka_unit_test(MatricesWithoutFactor), cmocka_unit_test(WhatCannotBeCounted)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
