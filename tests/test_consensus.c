/* Both consensus kernels solve (G_P + shift I) x = b and multiply by G_P as LAPACK does with the whole matrix: orders that
 * are no multiple of a block, one and three right-hand sides, well and ill conditioned. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "consensus/consensus.h"

typedef struct {
  PetscInt C, G, f, rows; /* rows: of A, a rank */
} Case;

static const Case cases[] = {{1, 1, 3, 4},     /* D = 10: most ranks have no columns */
                             {3, 1, 3, 40},    /* more classes than columns here */
                             {1, 4, 10, 30},   /* D = 264: more than a block a rank, singular */
                             {3, 4, 10, 300}}; /* regular */

/* A'A of the ranks from `begin` to `end`, upper triangle; what is below it must not matter */
static PetscReal *MakeGram(const Case *it, PetscInt D, PetscInt begin, PetscInt end)
{
  const PetscReal one = 1;
  PetscReal *gram, *A;
  PetscBLASInt order = (PetscBLASInt)D, rows = (PetscBLASInt)it->rows;
  MUST(PetscCalloc1((size_t)D * D, &gram));
  MUST(PetscMalloc1((size_t)D * it->rows, &A));
  for (PetscInt r = begin; r < end; r++) {
    Fill((uint64_t)(100 + r), (size_t)D * it->rows, A);
    BLASsyrk_("U", "N", &order, &rows, &one, A, &order, &one, gram, &order);
  }
  for (PetscInt j = 0; j < D; j++)
    for (PetscInt i = j + 1; i < D; i++) gram[j * D + i] = NAN;
  MUST(PetscFree(A));
  return gram;
}

static void FillVec(PsdBlocks blocks, uint64_t seed, PetscReal whole[], Vec x)
{
  PetscReal *local;
  Fill(seed, (size_t)blocks->pairs * blocks->m, whole);
  MUST(VecGetArray(x, &local));
  MUST(PetscArraycpy(local, whole + blocks->first * blocks->m, blocks->local * blocks->m));
  MUST(VecRestoreArray(x, &local));
}

/* |x - expected| <= tolerance max |expected| for what this rank owns */
static void Compare(PsdBlocks blocks, Vec x, const PetscReal expected[], PetscReal tolerance, const char what[])
{
  const PetscReal *local;
  PetscReal size = 0, error = 0;
  for (PetscInt k = 0; k < blocks->pairs * blocks->m; k++) size = PetscMax(size, PetscAbsReal(expected[k]));
  MUST(VecGetArrayRead(x, &local));
  for (PetscInt k = 0; k < blocks->local * blocks->m; k++) {
    const PetscReal difference = PetscAbsReal(local[k] - expected[blocks->first * blocks->m + k]);
    if (!(difference <= error)) error = difference;
  }
  MUST(VecRestoreArrayRead(x, &local));
  if (!(error <= tolerance * size)) fprintf(stderr, "error %g of %g, allowed %g\n", error, size, tolerance * size);
  Require(error <= tolerance * size, what);
}

static void CheckMultiply(PsdConsensus consensus, PsdBlocks blocks, const PetscReal *gram, Vec x, Vec y)
{
  const PetscReal one = 1, zero = 0;
  PetscBLASInt D = (PetscBLASInt)blocks->D, C = (PetscBLASInt)blocks->C;
  PetscReal *whole, *expected;
  MUST(PetscMalloc2(D * C, &whole, D * C, &expected));
  FillVec(blocks, 7, whole, x);
  BLASsymm_("L", "U", &D, &C, &one, gram, &D, whole, &D, &zero, expected, &D);
  MUST(PsdConsensusMultiply(consensus, x, y));
  Compare(blocks, y, expected, 1e-12, "G_P x");
  MUST(PetscFree2(whole, expected));
}

static void CheckSolve(PsdConsensus consensus, PsdBlocks blocks, const PetscReal *gram, PetscReal shift, Vec x, Vec y)
{
  PetscBLASInt D = (PetscBLASInt)blocks->D, C = (PetscBLASInt)blocks->C, info;
  PetscReal *whole, *matrix;
  MUST(PetscMalloc2(D * C, &whole, D * D, &matrix));
  MUST(PetscArraycpy(matrix, gram, D * D));
  for (PetscInt k = 0; k < D; k++) matrix[k * D + k] += shift;
  FillVec(blocks, 8, whole, x);
  MUST(PsdConsensusSolve(consensus, x, y));
  LAPACKpotrf_("U", &D, matrix, &D, &info);
  Require(info == 0, "dpotrf");
  LAPACKpotrs_("U", &D, &C, matrix, &D, whole, &D, &info);
  Compare(blocks, y, whole, 100 * PETSC_MACHINE_EPSILON * (1 + consensus->trace / shift), "(G_P + shift I)^-1 b");
  MUST(PetscFree2(whole, matrix));
}

static void CheckCase(const PsdConsensusOps *ops, const Case *it)
{
  static const PetscReal shifts[] = {1, 1e-3, 1e-7, 1e-9, 1e-12, 1e-2}; /* of the trace; an inverse down to 1e-8 */
  PsdBlocks blocks;
  PsdConsensus consensus;
  Vec x, y;
  PetscReal trace = 0;
  MUST(PsdBlocksCreate(PETSC_COMM_WORLD, it->C, it->G, it->f, &blocks));
  MUST(PsdBlocksCreateVec(blocks, &x));
  MUST(PsdBlocksCreateVec(blocks, &y));
  PetscReal *gram = MakeGram(it, blocks->D, 0, Size());
  for (PetscInt k = 0; k < blocks->D; k++) trace += gram[k * blocks->D + k];
  MUST(PsdConsensusCreate(&consensus));
  consensus->ops = ops;
  MUST(PsdConsensusAssemble(consensus, blocks, MakeGram(it, blocks->D, Rank(), Rank() + 1)));
  Require(PetscAbsReal(consensus->trace - trace) <= 1e-12 * trace, "trace");
  CheckMultiply(consensus, blocks, gram, x, y);
  for (size_t k = 0; k < sizeof(shifts) / sizeof(*shifts); k++) {
    MUST(PsdConsensusFactor(consensus, shifts[k] * trace));
    CheckSolve(consensus, blocks, gram, shifts[k] * trace, x, y);
    CheckMultiply(consensus, blocks, gram, x, y);
  }
  Require(consensus->factorizations == sizeof(shifts) / sizeof(*shifts), "count of factorisations");
  /* the smallest shift is one that can be factorised, singular as G_P may be */
  MUST(PsdConsensusFactor(consensus, PsdConsensusShiftFloor(consensus)));
  MUST(PsdConsensusDestroy(&consensus));
  MUST(PetscFree(gram));
  MUST(VecDestroy(&x));
  MUST(VecDestroy(&y));
  MUST(PsdBlocksDestroy(&blocks));
}

static void OnTheRoot(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckCase(&PsdConsensusRoot, &cases[k]);
}

static void OnAllRanks(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) CheckCase(&PsdConsensusScalapack, &cases[k]);
}

/* panels wider than what one message holds, and owners other than the root */
static void PanelsAreSums(void **state)
{
  (void)state;
  const PetscInt D = 900, first = 100, columns = 790;
  PetscReal *gram;
  MUST(PetscMalloc1(D * D, &gram));
  for (PetscMPIInt owner = 0; owner < Size(); owner++) {
    for (PetscInt k = 0; k < D * D; k++) gram[k] = Rank() + 1 + k % 7;
    MUST(PsdReducePanel(PETSC_COMM_WORLD, owner, D, first, columns, gram));
    if (Rank() == owner)
      for (PetscInt j = first; j < first + columns; j++)
        for (PetscInt i = 0; i <= j; i++)
          Require(gram[j * D + i] == Size() * (Size() + 1) / 2 + Size() * ((j * D + i) % 7), "sum over ranks");
  }
  MUST(PetscFree(gram));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OnTheRoot), cmocka_unit_test(OnAllRanks),
                                     cmocka_unit_test(PanelsAreSums)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
