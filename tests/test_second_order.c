/*
   Vectors of the second-order cone: projections are optimal (Moreau), R* is attained and not below what extended
   precision finds, its proof holds for what is within the error and for nothing less, neurons of a vector are unit
   vectors that add up to it.
*/
#include "network_sample.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "cone/second_order.h"
#include "network/neurons.h"

#define MOST 40
#define EPS PETSC_MACHINE_EPSILON

static long double Norm(PetscInt f, const PetscReal x[])
{
  long double sum = 0;
  for (PetscInt k = 0; k < f; k++) sum += (long double)x[k] * x[k];
  return sqrtl(sum);
}

/* Random w with t = share of ||w||. */
static void Make(uint64_t seed, PetscInt f, PetscReal share, PetscReal x[])
{
  Fill(seed, (size_t)f, x);
  x[f] = share * (PetscReal)Norm(f, x);
}

static const PetscReal shares[] = {-3, -1, -0.999, -0.3, 0, 0.3, 0.999, 1, 3};
#define SHARES (sizeof(shares) / sizeof(*shares))

/* z in the cone, z - x in the cone (its own dual), <z, z - x> = 0: together they say that z is the projection of x. */
static void Projection(void **state)
{
  (void)state;
  for (PetscInt f = 1; f <= MOST; f = 2 * f + 1)
    for (size_t k = 0; k < SHARES; k++) {
      PetscReal x[MOST + 1], z[MOST + 1], rest[MOST + 1];
      long double inner = 0;
      Make(k, f, shares[k], x);
      PsdVectorProject(f, x, z);
      const PetscReal size = (PetscReal)Norm(f + 1, x), tolerance = 4 * ((PetscReal)f + 4) * EPS * size;
      for (PetscInt i = 0; i <= f; i++) rest[i] = z[i] - x[i];
      for (PetscInt i = 0; i <= f; i++) inner += (long double)z[i] * rest[i];
      Require(Norm(f, z) <= z[f] + tolerance, "z is in the cone");
      Require(Norm(f, rest) <= rest[f] + tolerance, "and so is z - x");
      Require(fabsl(inner) <= tolerance * size, "which are orthogonal");
    }
}

/* R* is the form at u = M2/||M2|| and the sign of M4, rounded up by no more than its own roundings. */
static void Polar(void **state)
{
  (void)state;
  static const int exponents[] = {-1000, -500, 0, 500};
  for (PetscInt f = 1; f <= MOST; f = 2 * f + 1)
    for (size_t k = 0; k < SHARES * 4; k++) {
      PetscReal M[MOST + 1];
      PsdPolarSide sides[2];
      Make(k, f, shares[k / 4], M);
      for (PetscInt i = 0; i <= f; i++) M[i] = ldexp(M[i], exponents[k % 4]);
      const PetscReal value = PsdVectorPolar(f, M), more = 4 * ((PetscReal)f + 10) * EPS;
      const long double exact = Norm(f, M) + fabsl((long double)M[f]);
      Require(value >= exact && value <= exact * (1 + more) + (f + 1) * DBL_MIN, "R*");
      PsdVectorPolarBoth(f, M, sides);
      for (int s = 0; s < 2; s++)
        Require(sides[s].theta >= Norm(f, M) && sides[s].phi >= (s == 0 ? M[f] : -M[f]) &&
                    sides[s].theta + sides[s].phi <= value,
                "theta and phi");
    }
  const PetscReal zero[3] = {0, 0, 0};
  Require(PsdVectorPolar(2, zero) == 0, "of nothing");
  PetscReal bad[2] = {1, NAN};
  Require(PetscIsInfReal(PsdVectorPolar(1, bad)), "of what is no number");
  bad[0] = NAN, bad[1] = 1;
  Require(PetscIsInfReal(PsdVectorPolar(1, bad)), "wherever it is");
}

/* With room for the error the inequalities are proved, and with a hundredth less than it needs they are not. */
static void Proof(void **state)
{
  (void)state;
  for (PetscInt f = 1; f <= MOST; f = 2 * f + 1)
    for (size_t k = 0; k < SHARES * 2; k++) {
      PetscReal M[MOST + 1];
      Make(k, f, shares[k / 2], M);
      const PetscReal s = k % 2 ? -0.7 : 1.3, error = 0.01 * (PetscReal)Norm(f + 1, M), size = PetscAbsReal(s);
      const PetscReal theta = size * ((PetscReal)Norm(f, M) + error), phi = s * M[f] + size * error;
      const PetscReal more = 1e-12 * size * (PetscReal)Norm(f + 1, M), less = 0.01 * size * error;
      Require(PsdVectorPolarHolds(f, M, s, error, (PsdPolarSide){theta + more, phi + more}), "holds");
      Require(!PsdVectorPolarHolds(f, M, s, error, (PsdPolarSide){theta - less, phi + more}), "theta too small");
      Require(!PsdVectorPolarHolds(f, M, s, error, (PsdPolarSide){theta + more, phi - less}), "phi too small");
    }
}

static void Decomposition(void **state)
{
  (void)state;
  for (PetscInt f = 1; f <= MOST; f = 2 * f + 1)
    for (size_t k = 0; k < 4; k++) {
      static const PetscReal inside[] = {1, 1.0001, 2, 0}; /* t over ||w||; 0: w = 0 */
      PetscReal z[MOST + 1], sum[MOST + 1] = {0};
      PsdNeurons neurons;
      MUST(PsdNeuronsCreate(2, f, &neurons));
      Make(k, f, inside[k], z);
      for (PetscInt i = 0; i < f && k == 3; i++) z[i] = 0;
      if (k == 3) z[f] = 2;
      PsdDecomposeVector(f, z, -1, 5, 7, &neurons);
      Require(neurons.N == (k == 0 ? 1 : 2), "one neuron on the boundary, two inside");
      for (PetscInt n = 0; n < neurons.N; n++) {
        const PetscReal *u = neurons.filter + (size_t)n * f;
        Require(fabsl(Norm(f, u) - 1) <= ((PetscReal)f + 5) * EPS, "unit vectors");
        Require(neurons.weight[n] < 0 && neurons.region[n] == 5 && neurons.class[n] == 7, "with the sign");
        for (PetscInt i = 0; i <= f; i++) sum[i] -= neurons.weight[n] * (i < f ? u[i] : 1);
      }
      for (PetscInt i = 0; i <= f; i++)
        Require(PetscAbsReal(sum[i] - z[i]) <= 4 * ((PetscReal)f + 10) * EPS * z[f], "that add up to it");
      MUST(PsdNeuronsDestroy(&neurons));
    }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Projection), cmocka_unit_test(Polar), cmocka_unit_test(Proof),
                                     cmocka_unit_test(Decomposition)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
