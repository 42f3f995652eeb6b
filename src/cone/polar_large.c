/*
   R*(M) of a large block without its spectrum (docs/mathematics.md, section 3): Newton steps on theta, each a Cholesky
   factorisation (Moré and Sorensen, 1983).

   phi(theta) = theta + M2'(theta I - M1)^-1 M2 + M4 bounds [u;1]' M [u;1] for every unit u once theta I - M1 is positive
   definite. The factorisation says whether it is, up to its rounding, and PsdPolarProve has the last word.

   From a theta above the spectrum, Newton's method on 1/||u(theta)|| = 1, u = (theta I - M1)^-1 M2, converges monotonically
   from the left and overshoots to the left from the right; where Cholesky fails, theta is a lower end of the interval.
*/
#include "polar_large.h"
#include "base/base.h"
#include "blocks.h"
#include <petscblaslapack.h>

/* Relative to the bound itself: far below any gap. */
#define ACCURACY 1e-9
#define MOST_FACTORIZATIONS 30

struct _p_PsdPolarLarge {
  PetscInt f;
  PetscReal *L;       /* f x f */
  PetscReal *u, *q;   /* f */
  PetscReal theta[2]; /* last time's, relative to ||M||_F, for +M and -M; 0: none */
};

PetscErrorCode PsdPolarLargeCreate(PetscInt f, PsdPolarLarge *polar)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(polar));
  (*polar)->f = f;
  PetscCall(PetscMalloc3((size_t)f * f, &(*polar)->L, f, &(*polar)->u, f, &(*polar)->q));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarLargeDestroy(PsdPolarLarge *polar)
{
  PetscFunctionBeginUser;
  if (!*polar) PetscFunctionReturn(0);
  PetscCall(PetscFree3((*polar)->L, (*polar)->u, (*polar)->q));
  PetscCall(PetscFree(*polar));
  PetscFunctionReturn(0);
}

/* L <- Cholesky factor of theta I - s M1, M1 the leading part of the svec M; whether there is one. */
static PetscErrorCode Factor(PsdPolarLarge it, const PetscReal M[], PetscReal s, PetscReal theta, PetscBool *definite)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f;
  const PetscReal scale = -s / PETSC_SQRT2;
  PetscBLASInt order, info;
  PetscCall(PetscBLASIntCast(f, &order));
  for (PetscInt column = 0; column < f; column++, M += column) {
    PetscReal *restrict to = it->L + (size_t)column * f;
    for (PetscInt row = 0; row < column; row++) to[row] = scale * M[row];
    to[column] = theta - s * M[column];
  }
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, it->L, &order, &info));
  PetscCall(PetscLogFlops(1.0 / 3 * f * (PetscLogDouble)f * f));
  *definite = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

/* With B = U'U: w = U'^-1 s M2 (in q first), u = U^-1 w, then q = U'^-1 u. form = ||w||^2 = M2'B^-1 M2. */
static PetscErrorCode Solve(PsdPolarLarge it, const PetscReal M2[], PetscReal *form)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f;
  const PetscBLASInt one = 1;
  const PetscReal unit = 1;
  PetscBLASInt order;
  PetscCall(PetscBLASIntCast(f, &order));
  for (PetscInt k = 0; k < f; k++) it->u[k] = M2[k] / PETSC_SQRT2;
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "T", "N", &order, &one, &unit, it->L, &order, it->u, &order));
  *form = PsdSquare(f, it->u);
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "N", "N", &order, &one, &unit, it->L, &order, it->u, &order));
  PetscCall(PetscArraycpy(it->q, it->u, f));
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "T", "N", &order, &one, &unit, it->L, &order, it->q, &order));
  PetscFunctionReturn(0);
}

/* An upper end: ||M1||_inf, as Gershgorin's circles give it, and room for ||M2|| (phi's minimiser is at most lambda + ||M2||). */
static PetscReal UpperEnd(PsdPolarLarge it, const PetscReal M[], PetscReal norm2)
{
  const PetscInt f = it->f;
  PetscReal largest = 0;
  for (PetscInt k = 0; k < f; k++) it->u[k] = 0;
  for (PetscInt column = 0; column < f; column++, M += column) {
    for (PetscInt row = 0; row < column; row++) {
      const PetscReal value = PetscAbsReal(M[row]) / PETSC_SQRT2;
      it->u[row] += value;
      it->u[column] += value;
    }
    it->u[column] += PetscAbsReal(M[column]);
  }
  for (PetscInt k = 0; k < f; k++) largest = PetscMax(largest, it->u[k]);
  return largest * (1 + 4 * f * PETSC_MACHINE_EPSILON) + norm2;
}

/*
   min over theta of phi for s M, M4 apart. norm: ||M||_F.

   Stops when the interval or the distance to the value at a unit vector is small: (1 - t)/t (phi - theta) style bounds are
   spared by comparing phi with the form at u/||u||,  [v;1]'M[v;1] - M4 = v'M1v + 2 M2'v,  v'M1 v = theta - v'(theta I - M1)v.
*/
static PetscErrorCode MinimizeBound(PsdPolarLarge it, const PetscReal M[], PetscReal s, PetscReal norm,
                                    PsdPolarSide *side)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f, state = s > 0 ? 0 : 1;
  const PetscReal *M2 = M + (size_t)f * (f + 1) / 2, norm2 = PetscSqrtReal(PsdSquare(f, M2) / 2);
  PetscReal low = -norm, high = UpperEnd(it, M, norm2);
  *side = (PsdPolarSide){high, norm2}; /* high is above the spectrum by norm2 at least */
  for (PetscInt k = 0; k < f; k++) low = PetscMax(low, s * M[PsdDiagonal(k)]); /* lambda is not below the diagonal */
  PetscReal theta = it->theta[state] != 0 ? it->theta[state] * norm : low + 0.3 * (PetscMin(high, norm + norm2) - low);
  theta = PetscMin(high, PetscMax(low + 1e-6 * (high - low), theta));
  for (int step = 0; step < MOST_FACTORIZATIONS; step++) {
    PetscReal form = 0;
    PetscBool definite = PETSC_FALSE;
    PetscCall(Factor(it, M, s, theta, &definite));
    if (!definite) {
      low = theta;
      theta += PetscMin(0.5 * (high - theta), 0.02 * (norm + PetscAbsReal(theta)));
      if (high - low <= 1e-14 * (norm + norm2)) theta = high;
      continue;
    }
    PetscCall(Solve(it, M2, &form));
    const PetscReal square = PsdSquare(f, it->u), length = PetscSqrtReal(square);
    if (theta + form < side->theta + side->phi) {
      *side = (PsdPolarSide){theta, form};
      it->theta[state] = norm > 0 ? theta / norm : 0;
    }
    if (square == 0) { /* M2 = 0: the bound is lambda_max itself */
      high = theta;
      if (high - low <= ACCURACY * norm) break;
      theta = low + (high - low) / 2;
      continue;
    }
    /* at v = u/length: v'M1v = theta - form/square, 2 M2'v = 2 form/length */
    const PetscReal attained = theta - form / square + 2 * form / length;
    if (theta + form - attained <= ACCURACY * (PetscAbsReal(side->theta + side->phi) + norm * 1e-3)) break;
    if (length < 1) high = PetscMin(high, theta);
    else low = PetscMax(low, theta);
    if (high - low <= ACCURACY * norm) break;
    const PetscReal newton = theta + square / PsdSquare(f, it->q) * (length - 1);
    theta = newton > low && newton < high ? newton : low + (high - low) / 2;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarLargeSearch(PsdPolarLarge it, const PetscReal M[], PsdPolarSide sides[2])
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f;
  const PetscReal norm = PetscSqrtReal(PsdSquare((f + 1) * (f + 2) / 2, M)), M4 = M[PsdDiagonal(f)];
  PetscCall(MinimizeBound(it, M, 1, norm, &sides[0]));
  PetscCall(MinimizeBound(it, M, -1, norm, &sides[1]));
  sides[0].phi += M4;
  sides[1].phi -= M4;
  PetscFunctionReturn(0);
}
