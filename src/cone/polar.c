/*
   R*(M), the polar of the gauge (docs/mathematics.md, section 3): two trust-region problems on the unit sphere.

   With M = [M1 M2; M2' M4], M1 = Q diag(l) Q', z = Q' M2 and any theta > max l,

     [u;1]' M [u;1] <= phi(theta) = theta + sum_k z_k^2 / (theta - l_k) + M4       for every unit u,

   with equality at the minimiser of phi over theta >= max l. phi is convex, so the safe direction is simple: whatever
   theta the search ends at, phi(theta) is a bound. What rounding does to l and z is added on top.
*/
#include "polar.h"
#include "base/base.h"
#include "base/eigen.h"
#include "polar_large.h"
#include <petscblaslapack.h>

/* From this f on a few Cholesky factorisations cost less than one spectrum (docs/performance.md). */
#define LARGE 300

struct _p_PsdPolar {
  PetscInt f;
  PsdPolarLarge large; /* NULL: by the spectrum */
  PsdEigen eigen;
  PetscReal *Q, *l, *z;
  PetscReal theta[2], form[2]; /* where the last search ended for +M and -M, and phi there without M4 */
};

PetscErrorCode PsdPolarCreate(PetscInt f, PsdPolar *polar)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(polar));
  (*polar)->f = f;
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
static PetscReal MinimizeBound(const PsdPolar polar, PetscReal s)
{
  const PetscReal top = s > 0 ? polar->l[polar->f - 1] : -polar->l[0];
  PetscReal norm = 0;
  for (PetscInt k = 0; k < polar->f; k++) norm += polar->z[k] * polar->z[k];
  norm = PetscSqrtReal(norm);
  polar->theta[s > 0 ? 0 : 1] = polar->form[s > 0 ? 0 : 1] = top;
  if (norm == 0) return top;
  /* not below the smallest step that rounding sees, so that theta - s l stays positive when z is negligible */
  PetscReal low = top, high = top + norm + 4 * PETSC_MACHINE_EPSILON * PetscAbsReal(top);
  for (PetscInt step = 0; step < 200; step++) {
    const PetscReal middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (Resolvent(polar, s, middle, 2) > 1) low = middle;
    else high = middle;
  }
  polar->theta[s > 0 ? 0 : 1] = high;
  polar->form[s > 0 ? 0 : 1] = high + Resolvent(polar, s, high, 1);
  return polar->form[s > 0 ? 0 : 1];
}

PetscErrorCode PsdPolarEvaluate(PsdPolar polar, const PetscReal M[], PetscReal *value)
{
  PetscFunctionBeginUser;
  const PetscInt f = polar->f, m = (f + 1) * (f + 2) / 2;
  const PetscReal *last = M + f * (f + 1) / 2, one = 1 / PETSC_SQRT2, zero = 0;
  const PetscBLASInt inc = 1;
  PetscReal norm = 0;
  PetscBLASInt order;
  if (polar->large) {
    PetscCall(PsdPolarLargeEvaluate(polar->large, M, value));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(f, &order));
  PsdUnpack(f, M, polar->Q);
  PetscCall(PsdEigenSolve(polar->eigen, polar->Q, polar->l));
  PetscCallBLAS("BLASgemv", BLASgemv_("T", &order, &order, &one, polar->Q, &order, last, &inc, &zero, polar->z, &inc));
  for (PetscInt k = 0; k < m; k++) norm += M[k] * M[k];

  /* The computed l, Q are exact for a matrix within a small multiple of f eps ||M|| of M1, and the quadratic form of
     [u;1] sees a perturbation at most twice: ||[u;1]||^2 = 2. The factor 8 covers the sums above as well. */
  const PetscReal rounding = 8 * 2 * (PetscReal)(f + 1) * PETSC_MACHINE_EPSILON * PetscSqrtReal(norm);
  *value = PetscMax(MinimizeBound(polar, 1) + last[f], MinimizeBound(polar, -1) - last[f]) + rounding;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarGetMultipliers(PsdPolar polar, const PetscReal M[], PetscReal theta[2], PetscReal phi[2])
{
  PetscFunctionBeginUser;
  const PetscReal M4 = M[PsdDiagonal(polar->f)];
  if (polar->large) PsdPolarLargeGetMultipliers(polar->large, theta, phi);
  for (int k = 0; k < 2 && !polar->large; k++) {
    theta[k] = polar->theta[k];
    phi[k] = polar->form[k];
  }
  phi[0] += M4;
  phi[1] -= M4;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarDestroy(PsdPolar *polar)
{
  PetscFunctionBeginUser;
  if (!*polar) PetscFunctionReturn(0);
  PetscCall(PsdPolarLargeDestroy(&(*polar)->large));
  PetscCall(PsdEigenDestroy(&(*polar)->eigen));
  PetscCall(PetscFree3((*polar)->Q, (*polar)->l, (*polar)->z));
  PetscCall(PetscFree(*polar));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarMax(PsdPolar polar, PsdBlocks blocks, Vec x, PetscReal *value)
{
  PetscFunctionBeginUser;
  const PetscReal *M;
  PetscCall(PsdEventBegin(PSD_EVENT_POLAR));
  *value = 0;
  PetscCall(VecGetArrayRead(x, &M));
  for (PetscInt k = 0; k < blocks->local; k++) {
    PetscReal one;
    PetscCall(PsdPolarEvaluate(polar, M + (size_t)k * blocks->m, &one));
    *value = PetscMax(*value, one);
  }
  PetscCall(VecRestoreArrayRead(x, &M));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, value, 1, MPIU_REAL, MPI_MAX, blocks->comm));
  PetscCall(PsdEventEnd(PSD_EVENT_POLAR));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

void PsdPolarMemory(const PsdSizes *s, PsdMemory *memory)
{
  const PetscReal bytes = PSD_BYTES_REAL * s->f * s->f * (s->f >= LARGE ? 1 : 3);
  PsdMemoryAdd(memory, "polar", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, bytes, PsdSizesPairsLeast(s) > 0 ? bytes : 0);
}

PsdCost PsdPolarCost(const PsdSizes *s, const PsdRates *rates)
{
  enum { FACTORIZATIONS = 8 };
  const PetscReal pairs = PsdSizesPairsMost(s), cube = s->f * s->f * s->f;
  if (s->f < LARGE) return (PsdCost){pairs * rates->eigen * cube, pairs * 9 * cube};
  return PsdCostTimes(FACTORIZATIONS * pairs, PsdCostWork(cube / 3, rates->potrf));
}
