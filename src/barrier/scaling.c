/*
   With X = R'R and R Z R' = U diag(lambda^2) U' there is T = R'U diag(lambda^-1/2) with T T' = W, T'Z T = diag(lambda). Those of
   both signs go together by the singular values of T^-1 T', which lose no digits that squares would.
*/
#include "scaling.h"
#include "base/eigen.h"
#include "base/gemm.h"
#include <petscblaslapack.h>

struct _p_PsdScaler {
  PsdEigen eigen;
  PetscReal *T, *inverse; /* d x d: T of a sign; of the first one its inverse's transpose */
  PetscReal *work[2];
  PetscReal *values, *lapack;
  PetscBLASInt room; /* of lapack */
};

PetscErrorCode PsdScalerCreate(PetscInt most, PsdScaler *scaler)
{
  PetscFunctionBeginUser;
  PsdScaler it;
  const size_t square = (size_t)most * most;
  PetscCall(PetscNew(&it));
  it->room = (PetscBLASInt)(8 * most);
  PetscCall(PsdEigenCreate(most, &it->eigen));
  PetscCall(PetscMalloc6(square, &it->T, square, &it->inverse, square, &it->work[0], square, &it->work[1], most,
                         &it->values, it->room, &it->lapack));
  *scaler = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdScalerDestroy(PsdScaler *scaler)
{
  PetscFunctionBeginUser;
  PsdScaler it = *scaler;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PsdEigenDestroy(&it->eigen));
  PetscCall(PetscFree6(it->T, it->inverse, it->work[0], it->work[1], it->values, it->lapack));
  PetscCall(PetscFree(*scaler));
  PetscFunctionReturn(0);
}

/* X becomes its factor R, zero below the diagonal. */
static PetscErrorCode Factor(PetscInt order, PetscReal X[], PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscBLASInt d, info;
  PetscCall(PetscBLASIntCast(order, &d));
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &d, X, &d, &info));
  *done = (PetscBool)(info == 0);
  for (PetscInt c = 0; c < order; c++)
    for (PetscInt r = c + 1; r < order; r++) X[c * order + r] = 0;
  PetscFunctionReturn(0);
}

/* U and lambda, which R Z R' has as eigenvectors and as roots of eigenvalues; U is in work[1] */
static PetscErrorCode Eigenpairs(PsdScaler it, PetscInt d, const PetscReal R[], const PetscReal Z[], PetscReal lambda[],
                                 PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'T', d, d, d, Z, d, R, d, it->work[0], d));
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, R, d, it->work[0], d, it->work[1], d));
  const PetscReal size = PsdLargestEntry(d, it->work[1]);
  *done = (PetscBool)(size > 0 && PsdIsModerate(size));
  if (!*done) PetscFunctionReturn(0);
  PetscCall(PsdEigenSolveUpTo(it->eigen, d, it->work[1], lambda));
  *done = (PetscBool)(lambda[0] > 0);
  for (PetscInt k = 0; k < d && *done; k++) lambda[k] = PetscSqrtReal(lambda[k]);
  PetscFunctionReturn(0);
}

static void ScaleColumns(PetscInt d, const PetscReal lambda[], PetscReal power, const PetscReal U[], PetscReal scaled[])
{
  for (PetscInt c = 0; c < d; c++) {
    const PetscReal factor = PetscPowReal(lambda[c], power);
    for (PetscInt r = 0; r < d; r++) scaled[c * d + r] = factor * U[c * d + r];
  }
}

/* T of this sign and, of the first one, T'^-1 = R^-1 U diag(lambda^1/2) */
static PetscErrorCode FindT(PsdScaler it, PetscInt d, const PetscReal R[], const PetscReal lambda[], PetscBool inverts)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt order;
  PetscCall(PetscBLASIntCast(d, &order));
  ScaleColumns(d, lambda, -0.5, it->work[1], it->work[0]);
  PetscCall(PsdGemmDouble('T', 'N', d, d, d, R, d, it->work[0], d, it->T, d));
  if (!inverts) PetscFunctionReturn(0);
  ScaleColumns(d, lambda, 0.5, it->work[1], it->inverse);
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "N", "N", &order, &order, &one, R, &order, it->inverse, &order));
  PetscFunctionReturn(0);
}

/* T^-1 T' = Q diag(roots of b) O':  V = T'^-1 Q, E = Q', E' = diag(1/roots of b) O' */
static PetscErrorCode Join(PsdScaler it, PetscInt d, PsdScaling *scaling, PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscBLASInt order, info;
  PetscReal *Q = it->work[1];
  PetscCall(PetscBLASIntCast(d, &order));
  PetscCall(PsdGemmDouble('T', 'N', d, d, d, it->inverse, d, it->T, d, it->work[0], d));
  PetscCallBLAS("LAPACKgesvd", LAPACKgesvd_("A", "A", &order, &order, it->work[0], &order, it->values, Q, &order,
                                            scaling->E[1], &order, it->lapack, &it->room, &info));
  *done = (PetscBool)(info == 0 && it->values[d - 1] > 0);
  if (!*done) PetscFunctionReturn(0);
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, it->inverse, d, Q, d, scaling->V, d));
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++) {
      scaling->E[0][c * d + r] = Q[r * d + c];
      scaling->E[1][c * d + r] /= it->values[r];
    }
  for (PetscInt k = 0; k < d; k++) scaling->b[k] = it->values[k] * it->values[k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdScalerFind(PsdScaler it, PetscInt d, PetscReal *const X[2], const PetscReal *const Z[2],
                             PsdScaling *scaling, PetscBool *done)
{
  PetscFunctionBeginUser;
  *done = PETSC_TRUE;
  for (PetscInt s = 0; s < 2 && *done; s++) {
    PetscCall(Factor(d, X[s], done));
    if (*done) PetscCall(Eigenpairs(it, d, X[s], Z[s], scaling->lambda[s], done));
    if (*done) PetscCall(FindT(it, d, X[s], scaling->lambda[s], (PetscBool)(s == 0)));
  }
  if (*done) PetscCall(Join(it, d, scaling, done));
  PetscFunctionReturn(0);
}
