/*
   That no eigenvalue was missed, by counting (docs/mathematics.md, section 2, "Partial PSD step", and "Projection of one
   matrix over all ranks" for what is added here: rounding).

   If T = -gamma I - sign A + U (Theta + (gamma + scale) I) U' has a Cholesky factor, T >= -rho I, rho what the factorisation and T itself are
   wrong by. For every unit w with U'w = 0 then w' sign A w <= rho - gamma: what sign A is on the complement of U has no eigenvalue
   above that, and ||B_+||_F <= sqrt(d - k) max(0, rho - gamma). gamma is half the distance to zero of the next eigenvalue, as
   it seems to be; where that does not succeed, below zero by what the tolerance allows.

   Cholesky: R'R = T + E with ||E||_2 <= (d + 1) eps tr T (Higham, theorem 10.3). The product U U' has k terms an entry.
*/
#include "projection_impl.h"
#include "base/base.h"
#include "base/rounding.h"

void pdpotrf_(const char *, const int *, double *, const int *, const int *, const int *, int *);

/* work <- the lower triangle of T; s: scratch of `found` numbers; trace of T, of absolute values, and that of the product. */
static PetscErrorCode Build(PsdProjection it, PetscInt sign, PetscInt found, const PetscReal U[],
                            const PetscReal theta[], PetscReal gamma, PetscReal s[], PetscReal traces[2])
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  traces[0] = traces[1] = 0;
  for (size_t k = 0; k < layout->numbers; k++) it->work[k] = -(PetscReal)sign * it->A[k];
  for (PetscInt k = 0; k < found; k++) traces[1] += s[k] = theta[k] + gamma + it->result.norm;
  PetscCall(PsdProjectionAddProduct(it, found, s, U, it->work));
  for (PetscInt k = 0; k < layout->columns; k++) {
    const PetscInt row = PsdLayoutDiagonal(layout, k);
    if (row < 0) continue;
    PetscReal *entry = it->work + (size_t)k * (size_t)layout->rows + (size_t)row;
    *entry -= gamma;
    traces[0] += PetscAbsReal(*entry);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, traces, 1, MPIU_REAL, MPI_SUM, layout->comm));
  PetscFunctionReturn(0);
}

/* *bound: of w' sign A w on the complement of U; infinite where T has no factor. */
static PetscErrorCode Bound(PsdProjection it, PetscInt sign, PetscInt found, const PetscReal U[],
                            const PetscReal theta[], PetscReal gamma, PetscReal *bound)
{
  PetscFunctionBeginUser;
  PsdLayout layout = it->layout;
  const int order = (int)layout->order, one = 1;
  int info = 0;
  PetscReal *s, traces[2];
  PetscCall(PetscMalloc1(found + 1, &s));
  PetscCall(Build(it, sign, found, U, theta, gamma, s, traces));
  PetscCall(PetscFree(s));
  const PetscReal rho = PsdRoundings((PetscReal)order + 8) * traces[0] +
                        PsdRoundings((PetscReal)found + 8) * traces[1] +
                        PsdRoundings(8) * (it->result.norm + traces[0]);
  if (layout->row >= 0) pdpotrf_("L", &order, it->work, &one, &one, layout->description, &info);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &info, 1, MPI_INT, MPI_MAX, layout->comm));
  PetscCall(PetscLogFlops(1. / 3 * order * (PetscLogDouble)order * order / layout->shape.used));
  *bound = info == 0 ? PetscMax(0, rho - gamma) : PETSC_INFINITY;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProjectionProve(PsdProjection it, PetscInt sign, PetscInt found, const PetscReal U[],
                                  const PetscReal theta[], PetscReal guard, PetscReal allowed, PetscReal *missed,
                                  PetscBool *proved)
{
  PetscFunctionBeginUser;
  const PetscReal root = PetscSqrtReal((PetscReal)PetscMax(1, it->layout->order - found));
  const PetscReal gammas[2] = {guard / 2, -allowed / (2 * root)};
  *proved = PETSC_FALSE;
  for (int k = guard > 0 ? 0 : 1; k < 2 && !*proved; k++) {
    PetscReal bound;
    PetscCall(Bound(it, sign, found, U, theta, gammas[k], &bound));
    *missed = root * bound;
    *proved = (PetscBool)(*missed <= allowed);
  }
  PetscFunctionReturn(0);
}
