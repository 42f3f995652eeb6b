/* Every consensus kernel makes the steps of the dense program: S of Sh, the residual that comes with it, the recurrence
 * that follows the projection, the spectrum that the penalty is found from; with one and three right-hand sides, well
 * and ill conditioned, also with more unknowns than samples and more ranks than blocks. */
#include "problem_sample.h"
#include "consensus/gram_based.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <petscblaslapack.h>

#define RELAXATION 1.6
#define TERMS 5

/* The dense program on every rank: A P and G_P, h of it, D x C by columns. */
typedef struct {
  PetscInt n, D, C;
  PetscReal *A, *G, *h;
} Dense;

static Dense DenseCreate(const Setting *it)
{
  const PsdBlocks blocks = it->problem->blocks;
  const PetscReal one = 1, zero = 0;
  Dense dense = {it->problem->n, blocks->D, blocks->C, it->Phi, NULL, NULL};
  const PetscBLASInt n = (PetscBLASInt)dense.n, D = (PetscBLASInt)dense.D, C = (PetscBLASInt)dense.C;
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt g = 0; g < blocks->G; g++) PsdRemoveJ(blocks->d_max, it->Phi + i * D + g * blocks->m_max);
  MUST(PetscMalloc2(D * D, &dense.G, D * C, &dense.h));
  BLASgemm_("N", "T", &D, &D, &n, &one, dense.A, &D, dense.A, &D, &zero, dense.G, &D);
  BLASgemm_("N", "T", &D, &C, &n, &one, dense.A, &D, it->Y, &C, &zero, dense.h, &D);
  return dense;
}

static PetscReal Trace(const Dense *dense)
{
  PetscReal trace = 0;
  for (PetscInt k = 0; k < dense->D; k++) trace += dense->G[k * dense->D + k];
  return trace;
}

/* S <- (G_P + shift I)^-1 (h + shift Sh) */
static void DenseStep(const Dense *dense, PetscReal shift, const PetscReal Sh[], PetscReal S[])
{
  PetscBLASInt D = (PetscBLASInt)dense->D, C = (PetscBLASInt)dense->C, info;
  PetscReal *matrix;
  MUST(PetscMalloc1(D * D, &matrix));
  MUST(PetscArraycpy(matrix, dense->G, D * D));
  for (PetscInt k = 0; k < D; k++) matrix[k * D + k] += shift;
  for (PetscInt k = 0; k < D * C; k++) S[k] = dense->h[k] + shift * Sh[k];
  LAPACKpotrf_("U", &D, matrix, &D, &info);
  Require(info == 0, "dpotrf");
  LAPACKpotrs_("U", &D, &C, matrix, &D, S, &D, &info);
  MUST(PetscFree(matrix));
}

/* nu = Y - A w: <nu,Y>, ||nu||^2, and M = A'nu = h - G_P w */
static void DenseResidual(const Dense *dense, const Setting *it, const PetscReal w[], PsdResidual *residual,
                          PetscReal M[])
{
  *residual = (PsdResidual){0, 0};
  for (PetscInt t = 0; t < dense->C; t++) {
    for (PetscInt i = 0; i < dense->n; i++) {
      PetscReal nu = it->Y[i * dense->C + t];
      for (PetscInt k = 0; k < dense->D; k++) nu -= dense->A[i * dense->D + k] * w[t * dense->D + k];
      residual->linear += nu * it->Y[i * dense->C + t];
      residual->quadratic += nu * nu;
    }
    for (PetscInt k = 0; k < dense->D; k++) {
      M[t * dense->D + k] = dense->h[t * dense->D + k];
      for (PetscInt l = 0; l < dense->D; l++) M[t * dense->D + k] -= dense->G[k * dense->D + l] * w[t * dense->D + l];
    }
  }
}

/* ---------------------------------------------------------------- vectors known to all */

static void Put(PsdBlocks blocks, const PetscReal whole[], Vec x)
{
  PetscReal *local;
  MUST(VecGetArray(x, &local));
  MUST(PetscArraycpy(local, whole + blocks->first * blocks->m_max, blocks->local * blocks->m_max));
  MUST(VecRestoreArray(x, &local));
}

static void Compare(PsdBlocks blocks, Vec x, const PetscReal expected[], PetscReal tolerance, const char what[])
{
  const PetscReal *local;
  PetscReal size = 0, error = 0;
  for (PetscInt k = 0; k < blocks->pairs * blocks->m_max; k++) size = PetscMax(size, PetscAbsReal(expected[k]));
  MUST(VecGetArrayRead(x, &local));
  for (PetscInt k = 0; k < blocks->local * blocks->m_max; k++) {
    const PetscReal difference = PetscAbsReal(local[k] - expected[blocks->first * blocks->m_max + k]);
    if (!(difference <= error)) error = difference;
  }
  MUST(VecRestoreArrayRead(x, &local));
  if (!(error <= tolerance * size)) fprintf(stderr, "error %g of %g, allowed %g\n", error, size, tolerance * size);
  Require(error <= tolerance * size, what);
}

static void CompareResidual(PsdResidual *found, const PsdResidual *expected, PetscReal tolerance, PetscReal size)
{
  MUST(MPI_Allreduce(MPI_IN_PLACE, found, 2, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  Require(PetscAbsReal(found->linear - expected->linear) <= tolerance * size, "<nu,Y>");
  Require(PetscAbsReal(found->quadratic - expected->quadratic) <= tolerance * size, "||nu||^2");
}

/* Random terms of both signs, run after run of one pair, and their sum as a whole vector. */
static void RandomTerms(PsdBlocks blocks, uint64_t seed, PsdFactors *terms, PetscReal whole[])
{
  const PetscInt d = blocks->d_max;
  terms->count = 0;
  MUST(PetscArrayzero(whole, blocks->pairs * blocks->m_max));
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    PetscReal *column, *weight;
    MUST(PsdFactorsAppend(terms, pair, TERMS, &column, &weight));
    Fill(seed + (uint64_t)pair, (size_t)(TERMS * d), column);
    for (PetscInt k = 0; k < TERMS; k++, column += d) {
      PetscReal *svec = whole + pair * blocks->m_max;
      weight[k] = k % 2 ? -0.7 : 1;
      for (PetscInt j = 0; j < d; j++)
        for (PetscInt i = 0; i <= j; i++) *svec++ += weight[k] * column[i] * column[j] * (i < j ? PETSC_SQRT2 : 1);
    }
  }
}

/* ---------------------------------------------------------------- the checks */

/* With work: D x C each. */
typedef struct {
  Setting *setting;
  Dense dense;
  PsdBlocks blocks;
  PsdConsensus consensus;
  PsdFactors terms;
  Vec x, y, M;
  PetscReal *Sh, *S, *gradient, *next;
} Check;

static void CheckStepResidual(Check *it, PetscReal tolerance)
{
  PsdResidual found, expected;
  DenseResidual(&it->dense, it->setting, it->S, &expected, it->gradient);
  for (PetscInt k = 0; k < it->dense.D * it->dense.C; k++)
    it->next[k] = PsdConsensusGetShift(it->consensus) * (it->S[k] - it->Sh[k]);
  Put(it->blocks, it->next, it->M);
  MUST(PsdConsensusStepResidual(it->consensus, it->y, it->M, &found));
  CompareResidual(&found, &expected, tolerance, it->setting->problem->YY + expected.quadratic);
}

/* A step from Z - Z' = Sh, U = 0; then one after a projection that gave `terms`. */
static void CheckSteps(Check *it, PetscReal shift)
{
  const PsdBlocks blocks = it->blocks;
  const PetscInt length = it->dense.D * it->dense.C;
  const PetscReal tolerance = 1000 * PETSC_MACHINE_EPSILON * (1 + PsdConsensusGetTrace(it->consensus) / shift);
  MUST(PsdConsensusFactor(it->consensus, shift));
  Fill(8, (size_t)length, it->Sh);
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) PsdRemoveJ(blocks->d_max, it->Sh + pair * blocks->m_max);
  Put(blocks, it->Sh, it->x);
  MUST(PsdConsensusRestart(it->consensus, it->x));
  MUST(PsdConsensusStep(it->consensus, it->x, it->y));
  DenseStep(&it->dense, shift, it->Sh, it->S);
  Compare(blocks, it->y, it->S, tolerance, "step");
  CheckStepResidual(it, tolerance);

  /* U = relaxation S + (1 - relaxation) Sh - Z, Sh = Z - U */
  RandomTerms(blocks, 20, &it->terms, it->next);
  MUST(PsdConsensusFollow(it->consensus, &it->terms, RELAXATION));
  for (PetscInt k = 0; k < length; k++)
    it->Sh[k] = 2 * it->next[k] - RELAXATION * it->S[k] - (1 - RELAXATION) * it->Sh[k];
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) PsdRemoveJ(blocks->d_max, it->Sh + pair * blocks->m_max);
  Put(blocks, it->Sh, it->x);
  MUST(PsdConsensusStep(it->consensus, it->x, it->y));
  DenseStep(&it->dense, shift, it->Sh, it->S);
  Compare(blocks, it->y, it->S, tolerance, "step after a projection");
  CheckStepResidual(it, tolerance);
}

/* of a matrix given whole, and by its terms */
static void CheckResidual(Check *it)
{
  PsdResidual found, expected;
  RandomTerms(it->blocks, 40, &it->terms, it->S);
  Put(it->blocks, it->S, it->x);
  DenseResidual(&it->dense, it->setting, it->S, &expected, it->gradient);
  for (int with_terms = 0; with_terms < 2; with_terms++) {
    MUST(PsdConsensusResidual(it->consensus, it->x, with_terms ? &it->terms : NULL, &found, it->M));
    CompareResidual(&found, &expected, 1e-12, it->setting->problem->YY + expected.quadratic);
    Compare(it->blocks, it->M, it->gradient, 1e-12, "A'nu");
    MUST(PsdConsensusResidual(it->consensus, it->x, with_terms ? &it->terms : NULL, &found, NULL));
    CompareResidual(&found, &expected, 1e-12, it->setting->problem->YY + expected.quadratic);
  }
}

/* h'h and h'G_P h, as the start vector and the products of the Krylov space give them */
static void CheckSpectrum(Check *it)
{
  const PetscInt D = it->dense.D;
  PetscReal square = 0, form = 0;
  PetscScalar found[2];
  PetscBool weighted;
  Vec start, once, twice;
  for (PetscInt t = 0; t < it->dense.C; t++)
    for (PetscInt k = 0; k < D; k++) {
      square += it->dense.h[t * D + k] * it->dense.h[t * D + k];
      for (PetscInt l = 0; l < D; l++) form += it->dense.h[t * D + k] * it->dense.G[k * D + l] * it->dense.h[t * D + l];
    }
  MUST(PsdConsensusKrylovStart(it->consensus, &start, &weighted));
  MUST(VecDuplicate(start, &once));
  MUST(VecDuplicate(start, &twice));
  MUST(PsdConsensusKrylovMultiply(it->consensus, start, once));
  MUST(PsdConsensusKrylovMultiply(it->consensus, once, twice));
  MUST(VecDot(start, weighted ? once : start, &found[0]));
  MUST(VecDot(start, weighted ? twice : once, &found[1]));
  Require(PetscAbsReal(found[0] / square - 1) <= 1e-12, "h'h");
  Require(PetscAbsReal(found[1] / form - 1) <= 1e-12, "h'G_P h");
  MUST(VecDestroy(&start));
  MUST(VecDestroy(&once));
  MUST(VecDestroy(&twice));
}

/* (G_P + shift I)^-1 x and G_P x, of the kernels that offer them */
static void CheckSolve(Check *it, PetscReal shift)
{
  const PetscInt length = it->dense.D * it->dense.C;
  PsdResidual unused;
  Fill(9, (size_t)length, it->next);
  Put(it->blocks, it->next, it->x);
  MUST(PsdConsensusFactor(it->consensus, shift));
  MUST(PsdConsensusSolve(it->consensus, it->x, it->y));
  for (PetscInt k = 0; k < length; k++) it->Sh[k] = (it->next[k] - it->dense.h[k]) / shift;
  DenseStep(&it->dense, shift, it->Sh, it->S);
  Compare(it->blocks, it->y, it->S, 1000 * PETSC_MACHINE_EPSILON * (1 + PsdConsensusGetTrace(it->consensus) / shift),
          "solve");
  MUST(PsdConsensusMultiply(it->consensus, it->x, it->y));
  DenseResidual(&it->dense, it->setting, it->next, &unused, it->gradient);
  for (PetscInt k = 0; k < length; k++) it->gradient[k] = it->dense.h[k] - it->gradient[k];
  Compare(it->blocks, it->y, it->gradient, 1e-12, "multiply");
}

static void CheckKernel(const PsdConsensusKernel *kernel, PetscInt classes)
{
  static const PetscReal shifts[] = {1, 1e-3, 1e-7, 1e-9, 1e-2}; /* of the trace; an inverse down to 1e-8 */
  Setting setting = SettingCreate(classes, 0.1);
  Check it = {.setting = &setting, .dense = DenseCreate(&setting), .blocks = setting.problem->blocks};
  const PetscInt length = it.dense.D * it.dense.C;
  MUST(PsdConsensusCreate(&it.consensus));
  PsdConsensusSetKernel(it.consensus, kernel);
  MUST(PsdConsensusAssemble(it.consensus, setting.problem));
  MUST(PsdFactorsCreate(it.blocks->d_max, &it.terms));
  MUST(PetscMalloc4(length, &it.Sh, length, &it.S, length, &it.gradient, length, &it.next));
  MUST(VecDuplicate(setting.problem->h, &it.x));
  MUST(VecDuplicate(it.x, &it.y));
  MUST(VecDuplicate(it.x, &it.M));
  const PetscReal trace = Trace(&it.dense);
  Require(PetscAbsReal(PsdConsensusGetTrace(it.consensus) / trace - 1) <= 1e-12, "trace");
  Compare(it.blocks, setting.problem->h, it.dense.h, 1e-12, "h");
  CheckSpectrum(&it);
  for (size_t k = 0; k < sizeof(shifts) / sizeof(*shifts); k++) CheckSteps(&it, shifts[k] * trace);
  CheckResidual(&it);
  Require(PsdConsensusCanSolve(it.consensus) == (kernel->form == PSD_FORM_GRAM), "what its form can do");
  if (PsdConsensusCanSolve(it.consensus))
    for (size_t k = 0; k < sizeof(shifts) / sizeof(*shifts); k++) CheckSolve(&it, shifts[k] * trace);
  /* the smallest shift is one that can be factorised, singular as the matrix may be */
  MUST(PsdConsensusFactor(it.consensus, PsdConsensusShiftFloor(it.consensus)));
  MUST(PsdConsensusDestroy(&it.consensus));
  MUST(PsdFactorsDestroy(&it.terms));
  MUST(PetscFree4(it.Sh, it.S, it.gradient, it.next));
  MUST(PetscFree2(it.dense.G, it.dense.h));
  MUST(VecDestroy(&it.x));
  MUST(VecDestroy(&it.y));
  MUST(VecDestroy(&it.M));
  SettingDestroy(&setting);
}

static void TwoClasses(void **state)
{
  (void)state;
  for (size_t k = 0; PsdConsensusTable[k]; k++) CheckKernel(PsdConsensusTable[k], 2);
}

static void ThreeClasses(void **state)
{
  (void)state;
  for (size_t k = 0; PsdConsensusTable[k]; k++) CheckKernel(PsdConsensusTable[k], 3);
}

/* A step from w and what its optimality asks of Sh there, w - M/shift: of the program itself w, although A'A is in single
   precision, once that is corrected by M of the samples; before, to what single precision is off by. */
static void CheckCorrection(const PsdConsensusKernel *kernel)
{
  static const PetscReal shift_of_trace = 1e-2;
  Setting setting = SettingCreate(3, 0.1);
  Check it = {.setting = &setting, .dense = DenseCreate(&setting), .blocks = setting.problem->blocks};
  const PetscInt length = it.dense.D * it.dense.C;
  const PetscReal trace = Trace(&it.dense), shift = shift_of_trace * trace;
  const PetscReal unit = (PetscReal)FLT_EPSILON / 2, exact = 1000 * PETSC_MACHINE_EPSILON / shift_of_trace;
  PsdResidual found, expected;
  MUST(PsdProblemSetSingle(setting.problem));
  MUST(PsdConsensusCreate(&it.consensus));
  PsdConsensusSetKernel(it.consensus, kernel);
  MUST(PsdConsensusAssemble(it.consensus, setting.problem));
  Require(PsdConsensusIsSingle(it.consensus), "A'A is in single precision");
  MUST(PetscMalloc4(length, &it.Sh, length, &it.S, length, &it.gradient, length, &it.next));
  MUST(VecDuplicate(setting.problem->h, &it.x));
  MUST(VecDuplicate(it.x, &it.y));
  MUST(VecDuplicate(it.x, &it.M));
  Compare(it.blocks, setting.problem->h, it.dense.h, 1e-12, "h is in double precision");
  MUST(PsdConsensusFactor(it.consensus, shift));
  Fill(8, (size_t)length, it.S);
  for (PetscInt pair = 0; pair < it.blocks->pairs; pair++) PsdRemoveJ(it.blocks->d_max, it.S + pair * it.blocks->m_max);
  DenseResidual(&it.dense, &setting, it.S, &expected, it.gradient);
  for (PetscInt k = 0; k < length; k++) it.Sh[k] = it.S[k] - it.gradient[k] / shift;
  Put(it.blocks, it.Sh, it.x);
  MUST(PsdConsensusStep(it.consensus, it.x, it.y));
  /* (G^ - G)/shift is at most as many roundings of the trace as a chunk has rows, and three */
  const PetscReal rows = (PetscReal)setting.problem->n + 3;
  Compare(it.blocks, it.y, it.S, PetscSqrtReal((PetscReal)length) * rows * unit / shift_of_trace,
          "a step in single precision");
  Put(it.blocks, it.S, it.y);
  Put(it.blocks, it.gradient, it.M);
  MUST(PsdConsensusCorrect(it.consensus, it.y, it.M));
  MUST(PsdConsensusResidual(it.consensus, it.y, NULL, &found, it.M));
  Compare(it.blocks, it.M, it.gradient, exact, "A'nu where it was corrected");
  CompareResidual(&found, &expected, exact, setting.problem->YY + expected.quadratic);
  MUST(PsdConsensusStep(it.consensus, it.x, it.y));
  Compare(it.blocks, it.y, it.S, exact, "a corrected step");
  /* and in double precision it is what it is without all this */
  MUST(PsdConsensusLeaveSingle(it.consensus));
  MUST(PsdConsensusFactor(it.consensus, shift));
  MUST(PsdConsensusStep(it.consensus, it.x, it.y));
  Compare(it.blocks, it.y, it.S, exact, "a step in double precision");
  MUST(PsdConsensusDestroy(&it.consensus));
  MUST(PetscFree4(it.Sh, it.S, it.gradient, it.next));
  MUST(PetscFree2(it.dense.G, it.dense.h));
  MUST(VecDestroy(&it.x));
  MUST(VecDestroy(&it.y));
  MUST(VecDestroy(&it.M));
  SettingDestroy(&setting);
}

static void SingleIsCorrected(void **state)
{
  (void)state;
  for (size_t k = 0; PsdConsensusTable[k]; k++)
    if (PsdConsensusTable[k]->form == PSD_FORM_GRAM) CheckCorrection(PsdConsensusTable[k]);
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
          Require(2 * gram[j * D + i] == Size() * (Size() + 1 + 2 * ((j * D + i) % 7)), "sum over ranks");
  }
  MUST(PetscFree(gram));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TwoClasses), cmocka_unit_test(ThreeClasses),
                                     cmocka_unit_test(SingleIsCorrected), cmocka_unit_test(PanelsAreSums)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  WriteImages();
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  RootRemove();
  return PsdFinalize() || failures;
}
