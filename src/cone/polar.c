/*
   R*(M), the polar of the gauge (docs/mathematics.md, section 3): two trust-region problems on the unit sphere.

   With M = [M1 M2; M2' M4], M1 = Q diag(l) Q', z = Q' M2 and any theta > max l,

     [u;1]' M [u;1] <= phi(theta) = theta + sum_k z_k^2 / (theta - l_k) + M4       for every unit u,

   with equality at the minimiser of phi over theta >= max l. However theta was found, PsdPolarProve then proves a bound.
   M is scaled by a power of 2 first, which is exact, so that no square overflows.
*/
#include "polar.h"
#include "base/base.h"
#include "base/eigen.h"
#include "base/rounding.h"
#include "polar_large.h"
#include <petscblaslapack.h>

/* From this f on a few Cholesky factorisations cost less than one spectrum (docs/performance.md). */
#define LARGE 300

struct _p_PsdPolar {
  PetscInt f;
  PsdPolarLarge large; /* NULL: by the spectrum */
  PsdEigen eigen;
  PetscReal *Q, *l, *z;
  PetscReal *scaled, *work; /* svec and square of order f+1 */
};

PetscErrorCode PsdPolarCreate(PetscInt f, PsdPolar *polar)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(polar));
  (*polar)->f = f;
  PetscCall(PetscMalloc2((size_t)(f + 1) * (f + 2) / 2, &(*polar)->scaled, (size_t)(f + 1) * (f + 1), &(*polar)->work));
  if (f >= LARGE) {
    PetscCall(PsdPolarLargeCreate(f, &(*polar)->large));
    PetscFunctionReturn(0);
  }
  PetscCall(PsdEigenCreate(f, &(*polar)->eigen));
  PetscCall(PetscMalloc3((size_t)f * f, &(*polar)->Q, f, &(*polar)->l, f, &(*polar)->z));
  PetscFunctionReturn(0);
}

/* sum z_k^2 / (theta - s l_k)^power; terms with z_k = 0 are absent even where theta = s l_k */
static PetscReal Resolvent(const PsdPolar polar, PetscReal s, PetscReal theta, PetscInt power)
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < polar->f; k++) {
    const PetscReal z = polar->z[k], gap = theta - s * polar->l[k];
    if (z != 0) sum += power == 1 ? z * z / gap : z * z / (gap * gap);
  }
  return sum;
}

/*
   min over theta >= max s l of theta + sum z^2 / (theta - s l): where sum z^2/(theta - s l)^2 = 1, or at the end point when
   the sum is smaller there (the hard case). Bisection keeps the root between two ends of which the upper one is returned;
   the width of the interval is at most ||z|| and halves to rounding.
*/
static PsdPolarSide MinimizeBound(const PsdPolar polar, PetscReal s)
{
  const PetscReal top = s > 0 ? polar->l[polar->f - 1] : -polar->l[0];
  PetscReal norm = 0;
  for (PetscInt k = 0; k < polar->f; k++) norm += polar->z[k] * polar->z[k];
  norm = PetscSqrtReal(norm);
  if (norm == 0) return (PsdPolarSide){top, 0};
  /* not below the smallest step that rounding sees, so that theta - s l stays positive when z is negligible */
  PetscReal low = top, high = top + norm + 4 * PETSC_MACHINE_EPSILON * PetscAbsReal(top);
  for (PetscInt step = 0; step < 200; step++) {
    const PetscReal middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (Resolvent(polar, s, middle, 2) > 1) low = middle;
    else high = middle;
  }
  return (PsdPolarSide){high, Resolvent(polar, s, high, 1)};
}

/* theta and phi of both sides, not proved, for a scaled M. */
static PetscErrorCode Search(PsdPolar polar, const PetscReal M[], PsdPolarSide sides[2])
{
  PetscFunctionBeginUser;
  const PetscInt f = polar->f;
  const PetscReal *last = M + f * (f + 1) / 2, one = 1 / PETSC_SQRT2, zero = 0;
  const PetscBLASInt inc = 1;
  PetscBLASInt order;
  if (polar->large) {
    PetscCall(PsdPolarLargeSearch(polar->large, M, sides));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(f, &order));
  PsdUnpack(f, M, polar->Q);
  PetscCall(PsdEigenSolve(polar->eigen, polar->Q, polar->l));
  PetscCallBLAS("BLASgemv", BLASgemv_("T", &order, &order, &one, polar->Q, &order, last, &inc, &zero, polar->z, &inc));
  sides[0] = MinimizeBound(polar, 1);
  sides[1] = MinimizeBound(polar, -1);
  sides[0].phi += last[f];
  sides[1].phi -= last[f];
  PetscFunctionReturn(0);
}

/* Scales M so that its largest entry is in [1/2, 1), and returns the exponent of what it was divided by. */
static int Scale(const PsdPolar polar, const PetscReal M[], PetscReal *largest)
{
  const size_t m = (size_t)(polar->f + 1) * (polar->f + 2) / 2;
  PetscBool finite = PETSC_TRUE;
  int exponent = 0;
  *largest = 0;
  for (size_t k = 0; k < m; k++) {
    finite = (PetscBool)(finite && PetscAbsReal(M[k]) <= PETSC_MAX_REAL);
    *largest = PetscMax(*largest, PetscAbsReal(M[k]));
  }
  if (!finite) *largest = INFINITY;
  if (!finite || *largest == 0) return 0;
  (void)frexp(*largest, &exponent);
  for (size_t k = 0; k < m; k++) polar->scaled[k] = ldexp(M[k], -exponent);
  return exponent;
}

PetscErrorCode PsdPolarEvaluateBoth(PsdPolar polar, const PetscReal M[], PsdPolarSide sides[2])
{
  PetscFunctionBeginUser;
  PetscReal largest;
  const int exponent = Scale(polar, M, &largest);
  sides[0] = sides[1] = (PsdPolarSide){largest, largest}; /* of a zero M, or one that is not finite */
  if (largest == 0 || PetscIsInfReal(largest)) PetscFunctionReturn(0);
  PetscCall(Search(polar, polar->scaled, sides));
  for (int k = 0; k < 2; k++) {
    PetscCall(PsdPolarProve(polar->f, polar->scaled, k == 0 ? 1 : -1, polar->work, &sides[k]));
    sides[k].theta = ldexp(sides[k].theta, exponent);
    sides[k].phi = ldexp(sides[k].phi, exponent);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarEvaluate(PsdPolar polar, const PetscReal M[], PetscReal *value)
{
  PetscFunctionBeginUser;
  PsdPolarSide sides[2];
  PetscCall(PsdPolarEvaluateBoth(polar, M, sides));
  *value = 0;
  for (int k = 0; k < 2; k++) {
    const PetscReal sum = sides[k].theta + sides[k].phi;
    const PetscReal rounding = PETSC_MACHINE_EPSILON * (PetscAbsReal(sides[k].theta) + PetscAbsReal(sides[k].phi));
    *value = sum + rounding <= PETSC_MAX_REAL ? PetscMax(*value, sum + rounding) : INFINITY;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarDestroy(PsdPolar *polar)
{
  PetscFunctionBeginUser;
  if (!*polar) PetscFunctionReturn(0);
  PetscCall(PsdPolarLargeDestroy(&(*polar)->large));
  PetscCall(PsdEigenDestroy(&(*polar)->eigen));
  PetscCall(PetscFree3((*polar)->Q, (*polar)->l, (*polar)->z));
  PetscCall(PetscFree2((*polar)->scaled, (*polar)->work));
  PetscCall(PetscFree(*polar));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

#define PROOF_SQUARES 1.5 /* numbers that a proof takes, over d^2 */

/* Of blocks with patches of length f. */
static PetscReal Bytes(PetscReal f)
{
  return PSD_BYTES_REAL * (f * f * (f >= LARGE ? 1 : 3.5) + (f + 1) * (f + 1) * PROOF_SQUARES);
}

static PsdCost Cost(PetscReal f, const PsdRates *rates)
{
  enum { FACTORIZATIONS = 8, PROOFS = 2 };
  const PetscReal cube = f * f * f;
  const PsdCost factorization = PsdCostWork(cube / 3, rates->potrf);
  if (f < LARGE)
    return PsdCostSum((PsdCost){.seconds = rates->eigen * cube, .flops = 9 * cube},
                      PsdCostTimes(PROOFS, factorization));
  return PsdCostTimes(FACTORIZATIONS + PROOFS, factorization);
}

void PsdPolarMemory(const PsdSizes *s, PsdMemory *memory)
{
  PetscReal bytes = 0;
  for (PetscInt b = 0; b < s->branches; b++)
    if (PsdSizesIsFirst(s, b)) bytes += Bytes(s->branch[b].f);
  PsdMemoryAdd(memory, "polar", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, bytes, s->pairs >= s->ranks ? bytes : 0);
}

PsdCost PsdPolarCost(const PsdSizes *s, const PsdRates *rates)
{
  PsdCost each[PSD_MOST_BRANCHES] = {{0}};
  for (PetscInt b = 0; b < s->branches; b++)
    each[b] = s->branch[b].vector ? PsdCostMove(PSD_BYTES_REAL * s->branch[b].d, rates) : Cost(s->branch[b].f, rates);
  return PsdSizesCostMost(s, each);
}
