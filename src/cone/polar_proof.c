/*
   A bound of the form on the sphere, proved (docs/mathematics.md, sections 3 and 6).

   When B(theta, phi) = [theta I - s M1, -s M2; -s M2', phi - s M4] is positive semidefinite, then for every unit u
   0 <= [u;1]' B [u;1] = theta + phi - [u;1]' s M [u;1]. However theta and phi were found, this is a proof. When the
   Cholesky factorisation of a matrix A of order d runs to its end, R'R = A + E with |E_ij| <= k eps sqrt(a_ii a_jj), k the
   roundings of an entry (Higham, Accuracy and Stability of Numerical Algorithms, theorem 10.3, whatever the order of the
   sums), so that

     lambda_min(A) >= -||E||_2 >= -k eps tr A.

   That, and the rounding of A itself, is added to theta and phi. A is B with a little more on its diagonal, so that the
   factorisation succeeds in spite of rounding; the little is four times as much when it does not.
*/
#include "polar_proof.h"
#include "base/rounding.h"
#include "blocks.h"
#include <petscblaslapack.h>

/* 4^60 times rounding is above any ||M|| */
#define MOST_TRIES 60

/* A: the upper triangle of B(theta, phi), by columns. Each entry has at most 4 roundings, of its own terms. */
static PetscReal Build(PetscInt f, const PetscReal M[], PetscReal s, PetscReal theta, PetscReal phi, PetscReal A[])
{
  const PetscInt d = f + 1;
  PetscReal trace = 0;
  for (PetscInt column = 0; column < d; column++, M += column) {
    PetscReal *restrict to = A + (size_t)column * d;
    for (PetscInt row = 0; row < column; row++) to[row] = -s / PETSC_SQRT2 * M[row];
    to[column] = (column < f ? theta : phi) - s * M[column];
    trace += PetscAbsReal(to[column]);
  }
  return trace;
}

/* What the factorisation of A of order d, and A itself, may be wrong by: order + 2 roundings of an entry, and some for
   kernels that multiply by reciprocals; those of A, and of the sum that this is added to. */
static PetscReal RoundingOf(PetscInt d, PetscReal trace, PetscReal norm)
{
  return PsdRoundings((PetscReal)d + 8) * trace + PsdRoundings(8) * (norm + trace);
}

static PetscErrorCode HasFactor(PetscInt d, PetscReal A[], PetscBool *has)
{
  PetscFunctionBeginUser;
  PetscBLASInt order, info;
  PetscCall(PetscBLASIntCast(d, &order));
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, A, &order, &info));
  PetscCall(PetscLogFlops(1.0 / 3 * order * (PetscLogDouble)order * order));
  *has = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarProve(PetscInt f, const PetscReal M[], PetscReal s, PetscReal work[], PsdPolarSide *side)
{
  PetscFunctionBeginUser;
  const PetscReal norm = PsdNormBound((f + 1) * (f + 2) / 2, M);
  PetscReal more = 8 * PETSC_MACHINE_EPSILON * norm;
  for (int k = 0; k < MOST_TRIES; k++, more *= 4) {
    const PetscReal trace = Build(f, M, s, side->theta + more, side->phi + more, work);
    if (!(norm + trace <= PETSC_MAX_REAL)) break;
    PetscBool proved;
    PetscCall(HasFactor(f + 1, work, &proved));
    if (!proved) continue;
    const PetscReal rounding = RoundingOf(f + 1, trace, norm);
    side->theta += more + rounding;
    side->phi += more + rounding;
    PetscFunctionReturn(0);
  }
  side->theta = side->phi = INFINITY;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdIsDefinite(PetscInt d, PetscReal A[], PetscReal norm, PetscReal error, PetscBool *holds)
{
  PetscFunctionBeginUser;
  PetscReal trace = 0;
  for (PetscInt k = 0; k < d; k++) trace += PetscAbsReal(A[(size_t)k * d + k]);
  const PetscReal less =
      error * (1 + PsdRoundings(4)) + RoundingOf(d, trace, norm) + (PetscReal)d * (PetscReal)d * PSD_TINY;
  *holds = PETSC_FALSE;
  if (!(norm + trace + less <= PETSC_MAX_REAL)) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < d; k++) A[(size_t)k * d + k] -= less;
  PetscCall(HasFactor(d, A, holds));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarHolds(PetscInt f, const PetscReal M[], PetscReal s, PetscReal error, PsdPolarSide side,
                             PetscReal work[], PetscBool *holds)
{
  PetscFunctionBeginUser;
  const PetscInt d = f + 1;
  const PetscReal norm = PetscAbsReal(s) * (PsdNormBound((d * (d + 1)) / 2, M) + error);
  (void)Build(f, M, s, side.theta, side.phi, work);
  PetscCall(PsdIsDefinite(
      d, work, norm, PetscAbsReal(s) * error + PsdRoundings(1) * (PetscAbsReal(side.theta) + PetscAbsReal(side.phi)),
      holds));
  PetscFunctionReturn(0);
}
