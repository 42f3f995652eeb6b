/* The projection of one matrix over all ranks is LAPACK's, by either method, of every spectrum and size of entries, whatever stands above
 * the diagonal; what it says of its error holds; a missed eigenvalue is found out. Parts of a matrix and of vectors are where they belong. */
#include "network_sample.h"
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "base/eigen.h"
#include "projection/projection_impl.h"

/* ---------------------------------------------------------------- matrices with a known spectrum, whole, on every rank */

typedef PetscReal (*Spectrum)(PetscInt order, PetscInt k);

static PetscReal FewPositive(PetscInt order, PetscInt k)
{
  const PetscInt few = PetscMax(1, order / 20);
  return k < few ? 1 + (PetscReal)k / few : -0.5 - (PetscReal)(k - few) / order;
}

static PetscReal FewNegative(PetscInt order, PetscInt k)
{
  return -FewPositive(order, k);
}

/* mostly zero, a few on either side: what a solution of a semidefinite program is like */
static PetscReal LowRank(PetscInt order, PetscInt k)
{
  return k < 2 ? 1 + (PetscReal)k : k < 2 + order / 30 ? -1 - (PetscReal)k / order : 0;
}

static PetscReal Half(PetscInt order, PetscInt k)
{
  return ((PetscReal)k + 0.5) / order - 0.5;
}

static PetscReal Positive(PetscInt order, PetscInt k)
{
  return 1 + (PetscReal)(k % 3) / order;
}

static PetscReal Negative(PetscInt order, PetscInt k)
{
  return -Positive(order, k);
}

static PetscReal None(PetscInt order, PetscInt k)
{
  (void)order, (void)k;
  return 0;
}

static const Spectrum spectra[] = {FewPositive, FewNegative, LowRank, Half, Positive, Negative, None};
enum { SPECTRA = sizeof(spectra) / sizeof(*spectra) };

/* V diag V' with V a product of two reflections, and f of the eigenvalues in the place of them */
static PetscReal *Compose(PetscInt d, Spectrum spectrum, PetscReal scale, PetscReal (*f)(PetscReal))
{
  PetscReal *u, *whole;
  MUST(PetscMalloc2(2 * d, &u, d * d, &whole));
  Fill(3, (size_t)(2 * d), u);
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = 0; i < d; i++) whole[j * d + i] = i == j ? f(spectrum(d, j)) : 0;
  for (PetscInt r = 0; r < 2; r++) {
    PetscReal *w = u + r * d, square = 0, inner, *product;
    for (PetscInt i = 0; i < d; i++) square += w[i] * w[i];
    MUST(PetscCalloc1(d, &product));
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++) product[i] += whole[j * d + i] * w[j] * 2 / square;
    inner = 0;
    for (PetscInt i = 0; i < d; i++) inner += product[i] * w[i] / square;
    /* H A H = A - p w' - w p' + 2 inner w w', p = 2 A w / w'w, inner = p'w / w'w */
    for (PetscInt j = 0; j < d; j++)
      for (PetscInt i = 0; i < d; i++)
        whole[j * d + i] += 2 * inner * w[i] * w[j] - product[i] * w[j] - w[i] * product[j];
    MUST(PetscFree(product));
  }
  PetscReal *scaled;
  MUST(PetscMalloc1(d * d, &scaled));
  for (PetscInt k = 0; k < d * d; k++) scaled[k] = scale * whole[k];
  MUST(PetscFree2(u, whole));
  return scaled;
}

static PetscReal Same(PetscReal x)
{
  return x;
}

static PetscReal Plus(PetscReal x)
{
  return PetscMax(0, x);
}

/* ---------------------------------------------------------------- a projection as a user calls it */

typedef struct {
  PsdProjection projection;
  PsdProjectionLayout layout;
  PetscReal *X, *Z;
} Case;

static Case Create(PetscInt d, PsdProjectionMethod method, PetscReal tolerance)
{
  Case it;
  MUST(PsdProjectionCreate(PETSC_COMM_WORLD, d, &it.projection));
  MUST(PsdProjectionSetMethod(it.projection, method));
  MUST(PsdProjectionSetTolerance(it.projection, tolerance));
  MUST(PsdProjectionGetLayout(it.projection, &it.layout));
  MUST(PetscMalloc2(it.layout.rows * it.layout.columns, &it.X, it.layout.rows * it.layout.columns, &it.Z));
  return it;
}

static void Destroy(Case *it)
{
  MUST(PetscFree2(it->X, it->Z));
  MUST(PsdProjectionDestroy(&it->projection));
}

/* NaN above the diagonal, which is not to be read */
static void TakeLower(Case *it, const PetscReal whole[])
{
  const PsdProjectionLayout *layout = &it->layout;
  for (PetscInt k = 0; k < layout->columns; k++)
    for (PetscInt i = 0; i < layout->rows; i++) {
      const PetscInt row = PsdProjectionRow(layout, i), column = PsdProjectionColumn(layout, k);
      it->X[k * layout->rows + i] = row < column ? NAN : whole[column * layout->order + row];
    }
}

/* ||part - whole||_F over all ranks; -1 where something is not a number */
static PetscReal Distance(const Case *it, const PetscReal part[], const PetscReal whole[], PetscReal unit)
{
  const PsdProjectionLayout *layout = &it->layout;
  PetscReal square = 0;
  for (PetscInt k = 0; k < layout->columns; k++)
    for (PetscInt i = 0; i < layout->rows; i++) {
      const PetscReal difference =
          part[k * layout->rows + i] / unit -
          whole[PsdProjectionColumn(layout, k) * layout->order + PsdProjectionRow(layout, i)] / unit;
      square += difference * difference;
    }
  MUST(MPI_Allreduce(MPI_IN_PLACE, &square, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  return square >= 0 ? PetscSqrtReal(square) : -1;
}

static PetscReal Norm(PetscInt d, Spectrum spectrum)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < d; k++) square += spectrum(d, k) * spectrum(d, k);
  return PetscSqrtReal(square);
}

/* What LAPACK's and ScaLAPACK's methods, sums of d products and the reflections of a test leave: order eps ||X||_F, a hundredfold. */
static PetscReal Rounding(PetscInt d, PetscReal norm)
{
  return 100 * PetscMax(10, d) * PETSC_MACHINE_EPSILON * norm;
}

static void CheckProjection(Case *it, Spectrum spectrum, PetscReal unit, PetscReal tolerance)
{
  const PetscInt d = it->layout.order;
  const PetscReal norm = Norm(d, spectrum);
  PsdProjectionResult result;
  PetscReal *X = Compose(d, spectrum, unit, Same), *exact = Compose(d, spectrum, unit, Plus);
  PetscInt positive = 0, negative = 0;
  for (PetscInt k = 0; k < d; k++) {
    positive += spectrum(d, k) > 0;
    negative += spectrum(d, k) < 0;
  }
  TakeLower(it, X);
  MUST(PsdProjectionApply(it->projection, it->X, it->Z, &result));
  const PetscReal error = Distance(it, it->Z, exact, unit), said = (result.residual + result.missed) / unit;
  if (!(error >= 0 && error <= said + Rounding(d, norm)))
    fprintf(stderr, "order %d: error %g, %g said, norm %g\n", (int)d, (double)error, (double)said, (double)norm);
  Require(error >= 0 && error <= said + Rounding(d, norm), "what is said of the error");
  Require(said <= tolerance * norm, "the tolerance");
  Require(PetscAbsReal(result.norm / unit - norm) <= Rounding(d, norm), "the norm");
  if (result.side > 0) Require(result.found >= positive || norm == 0, "all that is positive");
  else Require(result.found >= negative, "all that is negative");
  MUST(PetscFree(X));
  MUST(PetscFree(exact));
}

/* ---------------------------------------------------------------- tests */

static void EveryOrderAndSpectrum(void **state)
{
  (void)state;
  static const PetscInt orders[] = {1, 2, 5, 16, 33, 70, 131};
  for (size_t k = 0; k < sizeof(orders) / sizeof(*orders); k++)
    for (int method = 0; method < 3; method++) {
      Case it = Create(orders[k], (PsdProjectionMethod)method, 1e-8);
      for (int s = 0; s < SPECTRA; s++) CheckProjection(&it, spectra[s], 1, 1e-8);
      Destroy(&it);
    }
}

/* entries near the ends of what there is, where squares are not */
static void EverySize(void **state)
{
  (void)state;
  static const PetscReal units[] = {1e-300, 1e-160, 1e160, 1e300};
  for (int method = 0; method < 3; method++) {
    Case it = Create(45, (PsdProjectionMethod)method, 1e-8);
    for (size_t k = 0; k < 4; k++) CheckProjection(&it, FewPositive, units[k], 1e-8);
    Destroy(&it);
  }
}

/* with few eigenvalues on one side the partial method settles, from nothing and from the last vectors, on either side */
static void PartialSettles(void **state)
{
  (void)state;
  const Spectrum few[] = {FewPositive, FewNegative, LowRank, Negative, Positive};
  for (int s = 0; s < 5; s++) {
    Case it = Create(131, PSD_PROJECTION_PARTIAL, 1e-8);
    PetscReal *X = Compose(131, few[s], 1, Same);
    PsdProjectionResult first, second;
    TakeLower(&it, X);
    MUST(PsdProjectionApply(it.projection, it.X, it.Z, &first));
    MUST(PsdProjectionApply(it.projection, it.X, it.Z, &second));
    Require(first.method == PSD_PROJECTION_PARTIAL && second.method == PSD_PROJECTION_PARTIAL, "partial");
    Require(first.side == second.side && first.found == second.found, "the same side");
    if (s < 3) Require(second.products < first.products, "fewer products from the last vectors");
    MUST(PetscFree(X));
    Destroy(&it);
  }
}

/* auto: complete at first, then partial where it pays, and complete again where the spectrum has changed */
static void AutoChanges(void **state)
{
  (void)state;
  const Spectrum turn[] = {FewPositive, FewPositive, Half, FewNegative, FewNegative};
  const PsdProjectionMethod expected[] = {PSD_PROJECTION_COMPLETE, PSD_PROJECTION_PARTIAL, PSD_PROJECTION_COMPLETE,
                                          PSD_PROJECTION_COMPLETE, PSD_PROJECTION_PARTIAL};
  Case it = Create(131, PSD_PROJECTION_AUTO, 1e-8);
  for (int k = 0; k < 5; k++) {
    PetscReal *X = Compose(131, turn[k], 1, Same);
    PsdProjectionResult result;
    TakeLower(&it, X);
    MUST(PsdProjectionApply(it.projection, it.X, it.Z, &result));
    Require(result.method == expected[k], "the method");
    MUST(PetscFree(X));
  }
  Destroy(&it);
}

/* Z is the same above and below, to the last bit; X is as it was */
static void SymmetricToTheLastBit(void **state)
{
  (void)state;
  const PetscInt d = 83;
  for (int method = 1; method < 3; method++) {
    Case it = Create(d, (PsdProjectionMethod)method, 1e-8);
    PetscReal *X = Compose(d, FewNegative, 1, Same), *whole, *copy;
    const size_t bytes = sizeof(PetscReal) * (size_t)(it.layout.rows * it.layout.columns);
    MUST(PetscMalloc2(d * d, &whole, bytes / sizeof(PetscReal) + 1, &copy));
    TakeLower(&it, X);
    memcpy(copy, it.X, bytes);
    MUST(PsdProjectionApply(it.projection, it.X, it.Z, NULL));
    Require(memcmp(copy, it.X, bytes) == 0, "X is not changed");
    MUST(PsdProjectionCollect(it.projection, it.Z, whole));
    if (Rank() == 0)
      for (PetscInt j = 0; j < d; j++)
        for (PetscInt i = 0; i < d; i++) Require(whole[j * d + i] == whole[i * d + j], "symmetric");
    MUST(PetscFree2(whole, copy));
    MUST(PetscFree(X));
    Destroy(&it);
  }
}

/* Without the vector of one positive eigenvalue, however small a one, there is no proof; with all of them there is. The unit vectors are
   eigenvectors here. */
static void AMissedEigenvalueIsFoundOut(void **state)
{
  (void)state;
  enum { ORDER = 70, FOUND = 3 };
  static const PetscReal missed[] = {0, 1, 1e-3, 1e-6};
  for (int k = 0; k < 4; k++) {
    Case it = Create(ORDER, PSD_PROJECTION_PARTIAL, 1e-8);
    PsdProjection projection = it.projection;
    PetscReal whole[ORDER * ORDER] = {0}, theta[FOUND], bound, *U;
    PetscBool proved;
    for (PetscInt i = 0; i < ORDER; i++)
      whole[i * ORDER + i] = i < FOUND ? 1 : i == FOUND && missed[k] > 0 ? missed[k] : -1;
    TakeLower(&it, whole);
    MUST(PsdProjectionApply(projection, it.X, it.Z, NULL)); /* for its work space */
    projection->result.norm = PetscSqrtReal(ORDER);
    MUST(PetscCalloc1(projection->rows * FOUND + 1, &U));
    const PetscInt block = it.layout.block, ranks = it.layout.height * it.layout.width;
    for (PetscInt i = 0; i < FOUND; i++) {
      theta[i] = 1;
      if (i / block % ranks == Rank() && it.layout.row >= 0)
        U[i * projection->rows + i / block / ranks * block + i % block] = 1;
    }
    MUST(PsdProjectionDistribute(projection, whole, it.Z));
    projection->A = it.Z;
    MUST(PsdProjectionProve(projection, 1, FOUND, U, theta, missed[k] > 0 ? 1e-3 : 1, 1e-8, &bound, &proved));
    Require(proved == (missed[k] == 0), "proved if nothing was missed");
    Require(bound >= missed[k], "the bound");
    MUST(PetscFree(U));
    Destroy(&it);
  }
}

/* v'w of two vectors, by what rows and columns of the grid have of the matrix w v': each product once */
static void VectorsMeetTheMatrix(void **state)
{
  (void)state;
  static const PetscInt orders[] = {1, 17, 100, 201};
  for (size_t n = 0; n < 4; n++) {
    enum { NUMBER = 3 };
    const PetscInt d = orders[n];
    PetscInt count, before;
    PsdLayout layout;
    PsdLayoutVectors vectors;
    PetscReal *v, *x, *y, *back;
    MUST(PsdLayoutCreate(PETSC_COMM_WORLD, d, 16, &layout));
    MUST(PsdLayoutVectorsCreate(layout, &vectors, &count));
    MUST(PetscMalloc4(count * NUMBER + 1, &v, layout->rows * NUMBER + 1, &x, layout->columns * NUMBER + 1, &y,
                      count * NUMBER + 1, &back));
    for (PetscInt t = 0; t < NUMBER; t++)
      for (PetscInt i = 0; i < count; i++)
        v[t * count + i] = (PetscReal)(t * d + PsdCyclicNumber(i, 16, layout->rank, layout->shape.used));
    MUST(PsdLayoutVectorsToRows(vectors, NUMBER, v, x));
    MUST(PsdLayoutVectorsToColumns(vectors, NUMBER, v, y));
    for (PetscInt t = 0; t < NUMBER; t++) {
      for (PetscInt i = 0; i < layout->rows; i++)
        Require(x[t * layout->rows + i] == (PetscReal)(t * d + PsdLayoutRow(layout, i)), "rows");
      for (PetscInt i = 0; i < layout->columns; i++)
        Require(y[t * layout->columns + i] == (PetscReal)(t * d + PsdLayoutColumn(layout, i)), "columns");
    }
    MUST(PsdLayoutVectorsSumRows(vectors, NUMBER, x, back)); /* whole numbers: exact */
    for (PetscInt k = 0; k < count * NUMBER; k++) Require(back[k] == layout->shape.width * v[k], "sums");
    MUST(MPI_Allreduce(&count, &before, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
    Require(before == d, "each row once");
    MUST(PetscFree4(v, x, y, back));
    MUST(PsdLayoutVectorsDestroy(&vectors));
    MUST(PsdLayoutDestroy(&layout));
  }
}

static PetscReal Entry(PetscInt row, PetscInt column, void *data)
{
  return *(PetscReal *)data * (PetscReal)row + (PetscReal)column;
}

static void PartsOfAWholeAndOfAFunction(void **state)
{
  (void)state;
  const PetscInt d = 77;
  PetscReal *whole, *back, factor = 1000;
  Case it = Create(d, PSD_PROJECTION_AUTO, 1e-8);
  MUST(PetscMalloc2(d * d, &whole, d * d, &back));
  for (PetscInt k = 0; k < d * d; k++) {
    whole[k] = Rank() == 0 ? Entry(k % d, k / d, &factor) : NAN;
    back[k] = -1;
  }
  MUST(PsdProjectionDistribute(it.projection, whole, it.X));
  MUST(PsdProjectionFill(it.projection, Entry, &factor, it.Z));
  for (PetscInt k = 0; k < it.layout.columns; k++)
    for (PetscInt i = 0; i < it.layout.rows; i++) {
      const PetscInt row = PsdProjectionRow(&it.layout, i), column = PsdProjectionColumn(&it.layout, k);
      Require(it.X[k * it.layout.rows + i] == Entry(row, column, &factor), "dealt out");
      Require(it.Z[k * it.layout.rows + i] == (row < column ? 0 : Entry(row, column, &factor)), "filled");
    }
  MUST(PsdProjectionCollect(it.projection, it.X, back));
  for (PetscInt k = 0; k < d * d; k++) Require(back[k] == (Rank() == 0 ? whole[k] : -1), "collected");
  MUST(PetscFree2(whole, back));
  Destroy(&it);
}

static void WhatCannotBeProjected(void **state)
{
  (void)state;
  PsdProjection projection;
  Case it = Create(20, PSD_PROJECTION_PARTIAL, 1e-8);
  const PetscReal bad[] = {NAN, INFINITY};
  for (int k = 0; k < 2; k++) {
    PetscReal whole[400] = {0};
    whole[2 * 20 + 7] = bad[k];
    TakeLower(&it, whole);
    assert_int_equal(PsdProjectionApply(it.projection, it.X, it.Z, NULL), PSD_ERR_INPUT);
    assert_non_null(strstr(PsdErrorMessage(), "not finite"));
  }
  assert_int_equal(PsdProjectionSetMost(it.projection, 21), PSD_ERR_INPUT);
  assert_int_equal(PsdProjectionSetTolerance(it.projection, 0), PSD_ERR_INPUT);
  assert_int_equal(PsdProjectionCreate(PETSC_COMM_WORLD, 0, &projection), PSD_ERR_INPUT);
  assert_int_equal(PsdProjectionCreate(PETSC_COMM_WORLD, 200000, &projection), PSD_ERR_INPUT);
  assert_non_null(strstr(PsdErrorMessage(), "take more ranks"));
  Destroy(&it);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(VectorsMeetTheMatrix),  cmocka_unit_test(PartsOfAWholeAndOfAFunction),
      cmocka_unit_test(EveryOrderAndSpectrum), cmocka_unit_test(EverySize),
      cmocka_unit_test(PartialSettles),        cmocka_unit_test(AutoChanges),
      cmocka_unit_test(SymmetricToTheLastBit), cmocka_unit_test(AMissedEigenvalueIsFoundOut),
      cmocka_unit_test(WhatCannotBeProjected)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
