/*
   Elimination, and refinement with the residuals of the whole system.

   Samples: with Z a basis of the dnu that are allowed, the identity where classes are alone,

     Z'(H + Psi Q Psi') Z y = Z'(r1 - Psi Q r2 + Psi u dtheta),       dnu = Z y,      S = Q (r2 + Psi'dnu) - u dtheta.

   S: with W the inverse of H on these dnu,

     (Q^-1 + Psi' W Psi) S = Psi' W r1 + r2 - Q^-1 u dtheta,          dnu = W (r1 - Psi S).

   dtheta comes first, from the Schur complement of the third equation.
*/
#include "newton_system.h"
#include "base/gemm.h"
#include "definite.h"

#define REFINEMENTS 3

struct _p_PsdNewtonSystem {
  PetscInt n, D, classes, G, thetas;
  const PetscInt *at;
  PetscBool by_samples; /* S is eliminated */
  PetscInt order;
  PsdNewtonData data;
  PsdDefinite matrix, schur;
  PetscReal *columns;     /* order x thetas: the matrix's inverse times theta's columns there */
  PetscReal *raw;         /* the same columns without it */
  PetscReal *wide;        /* n x D: features with a weight, while a matrix is formed */
  PetscReal *basis;       /* classes x (classes - 1): Z of a sample */
  PetscReal *spread;      /* n: sums of 1/H over the classes */
  PetscReal *samples[3];  /* classes x n: work */
  PetscReal *features[3]; /* classes x D */
  PetscReal *reduced;     /* order */
  PetscReal *theta[2];
};

/* Unknowns of the form by samples, and of the other one. */
static PetscInt Samples(PetscInt n, PetscInt classes)
{
  return n * PetscMax(1, classes - 1);
}

PetscReal PsdNewtonSystemOrder(PetscReal n, PetscReal D, PetscReal classes)
{
  return PetscMin(n * PetscMax(1, classes - 1), D * classes);
}

/* Helmert's basis of the vectors whose sum is 0 */
static void FillBasis(PetscInt C, PetscReal basis[])
{
  for (PetscInt a = 0; a < C - 1; a++) {
    const PetscReal unit = 1 / PetscSqrtReal((PetscReal)(a + 1) * (PetscReal)(a + 2));
    for (PetscInt t = 0; t < C; t++) basis[a * C + t] = t <= a ? unit : t == a + 1 ? -(PetscReal)(a + 1) * unit : 0;
  }
}

PetscErrorCode PsdNewtonSystemCreate(PetscInt n, PetscInt classes, PetscInt G, const PetscInt at[],
                                     PsdNewtonSystem *system)
{
  PetscFunctionBeginUser;
  PsdNewtonSystem it;
  PetscCall(PetscNew(&it));
  it->n = n;
  it->D = at[G];
  it->classes = classes;
  it->G = G;
  it->at = at;
  it->thetas = 2 * G * classes;
  it->by_samples = (PetscBool)(Samples(n, classes) <= it->D * classes);
  it->order = it->by_samples ? Samples(n, classes) : it->D * classes;
  PetscCall(PsdDefiniteCreate(it->order, &it->matrix));
  PetscCall(PsdDefiniteCreate(it->thetas, &it->schur));
  PetscCall(PetscMalloc3((size_t)it->order * it->thetas, &it->columns, (size_t)it->order * it->thetas, &it->raw,
                         (size_t)classes * classes, &it->basis));
  PetscCall(
      PetscMalloc4(n, &it->spread, it->order, &it->reduced, it->thetas, &it->theta[0], it->thetas, &it->theta[1]));
  for (PetscInt k = 0; k < 3; k++)
    PetscCall(PetscMalloc2((size_t)classes * n, &it->samples[k], (size_t)classes * it->D, &it->features[k]));
  FillBasis(classes, it->basis);
  *system = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNewtonSystemDestroy(PsdNewtonSystem *system)
{
  PetscFunctionBeginUser;
  PsdNewtonSystem it = *system;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PsdDefiniteDestroy(&it->matrix));
  PetscCall(PsdDefiniteDestroy(&it->schur));
  PetscCall(PetscFree3(it->columns, it->raw, it->basis));
  PetscCall(PetscFree4(it->spread, it->reduced, it->theta[0], it->theta[1]));
  for (PetscInt k = 0; k < 3; k++) PetscCall(PetscFree2(it->samples[k], it->features[k]));
  PetscCall(PetscFree(*system));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- operators */

/* y = Psi S, classes x n */
static PetscErrorCode Forward(PsdNewtonSystem it, const PetscReal S[], PetscReal y[])
{
  PetscFunctionBeginUser;
  for (PetscInt t = 0; t < it->classes; t++)
    PetscCall(PsdGemmDouble('T', 'N', it->n, 1, it->D, it->data.Psi + (size_t)t * it->n * it->D, it->D,
                            S + (size_t)t * it->D, it->D, y + (size_t)t * it->n, it->n));
  PetscFunctionReturn(0);
}

/* z = Psi' x, classes x D */
static PetscErrorCode Backward(PsdNewtonSystem it, const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  for (PetscInt t = 0; t < it->classes; t++)
    PetscCall(PsdGemmDouble('N', 'N', it->D, 1, it->n, it->data.Psi + (size_t)t * it->n * it->D, it->D,
                            x + (size_t)t * it->n, it->n, z + (size_t)t * it->D, it->D));
  PetscFunctionReturn(0);
}

/* x <- W x */
static void Invert(PsdNewtonSystem it, PetscReal x[])
{
  const PetscInt n = it->n;
  const PetscReal *H = it->data.H;
  for (PetscInt i = 0; i < n; i++) {
    PetscReal mean = 0;
    for (PetscInt t = 0; t < it->classes && it->classes > 1; t++) mean += x[(size_t)t * n + i] / H[(size_t)t * n + i];
    if (it->classes > 1) mean /= it->spread[i];
    for (PetscInt t = 0; t < it->classes; t++)
      x[(size_t)t * n + i] = (x[(size_t)t * n + i] - mean) / H[(size_t)t * n + i];
  }
}

/* reduced <- Z'x */
static void Reduce(PsdNewtonSystem it, const PetscReal x[], PetscReal reduced[])
{
  const PetscInt n = it->n, C = it->classes;
  for (PetscInt a = 0; a < PetscMax(1, C - 1); a++)
    for (PetscInt i = 0; i < n; i++) {
      PetscReal sum = C == 1 ? x[i] : 0;
      for (PetscInt t = 0; t < C && C > 1; t++) sum += it->basis[a * C + t] * x[(size_t)t * n + i];
      reduced[(size_t)a * n + i] = sum;
    }
}

/* x <- Z reduced */
static void Expand(PsdNewtonSystem it, const PetscReal reduced[], PetscReal x[])
{
  const PetscInt n = it->n, C = it->classes;
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt i = 0; i < n; i++) {
      PetscReal sum = C == 1 ? reduced[i] : 0;
      for (PetscInt a = 0; a < C - 1; a++) sum += it->basis[a * C + t] * reduced[(size_t)a * n + i];
      x[(size_t)t * n + i] = sum;
    }
}

/* The part of theta number k in classes x D: where it begins, and how long it is. */
static size_t Part(PsdNewtonSystem it, PetscInt k, PetscInt *length)
{
  const PetscInt g = k / 2 % it->G, t = k / (2 * it->G);
  *length = it->at[g + 1] - it->at[g];
  return (size_t)t * it->D + (size_t)it->at[g];
}

/* sums[k] = u_k' x, or u_k' Q^-1 x */
static void Along(PsdNewtonSystem it, PetscBool divide, const PetscReal x[], PetscReal sums[])
{
  for (PetscInt k = 0; k < it->thetas; k++) {
    PetscInt length;
    const size_t at = Part(it, k, &length);
    PetscReal sum = 0;
    for (size_t j = at; j < at + (size_t)length; j++)
      sum += it->data.u[k % 2][j] * (divide ? x[j] / it->data.Q[j] : x[j]);
    sums[k] = sum;
  }
}

/* x += factor u dtheta, or factor Q^-1 u dtheta */
static void AddThetas(PsdNewtonSystem it, PetscReal factor, PetscBool divide, const PetscReal dtheta[], PetscReal x[])
{
  for (PetscInt k = 0; k < it->thetas; k++) {
    PetscInt length;
    const size_t at = Part(it, k, &length);
    for (size_t j = at; j < at + (size_t)length; j++) {
      const PetscReal term = factor * dtheta[k] * it->data.u[k % 2][j];
      x[j] += divide ? term / it->data.Q[j] : term;
    }
  }
}

/* ---------------------------------------------------------------- matrices */

/* H + Psi Q Psi' of class t, upper triangle, n x n */
static PetscErrorCode SampleMatrix(PsdNewtonSystem it, PetscInt t, PetscReal K[])
{
  PetscFunctionBeginUser;
  const size_t D = (size_t)it->D, n = (size_t)it->n;
  const PetscReal *Psi = it->data.Psi + (size_t)t * n * D, *Q = it->data.Q + (size_t)t * D;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < D; k++) it->wide[i * D + k] = Psi[i * D + k] * PetscSqrtReal(Q[k]);
  PetscCall(PsdSyrkDouble('T', it->n, it->D, it->wide, it->D, K, it->n));
  for (size_t i = 0; i < n; i++) K[i * n + i] += it->data.H[(size_t)t * n + i];
  PetscFunctionReturn(0);
}

/* Z'(H + Psi Q Psi')Z */
static PetscErrorCode FormBySamples(PsdNewtonSystem it)
{
  PetscFunctionBeginUser;
  const size_t n = (size_t)it->n, N = (size_t)it->order;
  const PetscInt C = it->classes;
  PetscReal *K, *A = it->matrix.A;
  if (C == 1) {
    PetscCall(SampleMatrix(it, 0, A));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscArrayzero(A, N * N));
  PetscCall(PetscMalloc1(n * n, &K));
  for (PetscInt t = 0; t < C; t++) {
    PetscCall(SampleMatrix(it, t, K));
    for (PetscInt a = 0; a < C - 1; a++)
      for (PetscInt b = a; b < C - 1; b++) {
        const PetscReal weight = it->basis[a * C + t] * it->basis[b * C + t];
        PetscReal *block = A + (size_t)b * n * N + (size_t)a * n;
        if (weight == 0) continue;
        for (size_t j = 0; j < n; j++)
          for (size_t i = 0; i < n; i++) block[j * N + i] += weight * (i <= j ? K[j * n + i] : K[i * n + j]);
      }
  }
  PetscCall(PetscFree(K));
  PetscFunctionReturn(0);
}

/* W of sample i between classes t and v */
static PetscReal Between(PsdNewtonSystem it, size_t i, PetscInt t, PetscInt v)
{
  const size_t n = (size_t)it->n;
  const PetscReal a = 1 / it->data.H[(size_t)t * n + i], b = 1 / it->data.H[(size_t)v * n + i];
  return (t == v ? a : 0) - (it->classes > 1 ? a * b / it->spread[i] : 0);
}

/* Q^-1 + Psi' W Psi */
static PetscErrorCode FormByFeatures(PsdNewtonSystem it)
{
  PetscFunctionBeginUser;
  const size_t D = (size_t)it->D, n = (size_t)it->n, N = (size_t)it->order;
  for (PetscInt v = 0; v < it->classes; v++)
    for (PetscInt t = 0; t <= v; t++) {
      const PetscReal *Psi = it->data.Psi + (size_t)t * n * D, *other = it->data.Psi + (size_t)v * n * D;
      for (size_t i = 0; i < n; i++) {
        const PetscReal weight = Between(it, i, t, v);
        for (size_t k = 0; k < D; k++) it->wide[i * D + k] = weight * other[i * D + k];
      }
      PetscCall(PsdGemmDouble('N', 'T', it->D, it->D, it->n, Psi, it->D, it->wide, it->D,
                              it->matrix.A + (size_t)v * D * N + (size_t)t * D, it->order));
    }
  for (size_t k = 0; k < N; k++) it->matrix.A[k * N + k] += 1 / it->data.Q[k];
  PetscFunctionReturn(0);
}

/* Column k of theta in the equation that is left */
static PetscErrorCode ThetaColumn(PsdNewtonSystem it, PetscInt k, PetscReal column[])
{
  PetscFunctionBeginUser;
  PetscReal *S = it->features[0];
  PetscInt length;
  const size_t at = Part(it, k, &length);
  PetscCall(PetscArrayzero(S, (size_t)it->classes * it->D));
  for (size_t j = at; j < at + (size_t)length; j++)
    S[j] = it->by_samples ? it->data.u[k % 2][j] : it->data.u[k % 2][j] / it->data.Q[j];
  if (it->by_samples) {
    PetscCall(Forward(it, S, it->samples[0]));
    Reduce(it, it->samples[0], column);
  } else {
    PetscCall(PetscArraycpy(column, S, it->order));
  }
  PetscFunctionReturn(0);
}

/* Minus the Schur complement of the third equation: w - (columns)'(matrix)^-1(columns), or, with S there,
   w - u'Q^-1 u + (columns)'(matrix)^-1(columns), where all four entries of w - u'Q^-1 u of a pair are -u[0]'Q^-1 u[1]. */
static PetscErrorCode FormSchur(PsdNewtonSystem it)
{
  PetscFunctionBeginUser;
  const PetscInt m = it->thetas;
  const PetscReal *u[2] = {it->data.u[0], it->data.u[1]};
  PetscReal *A = it->schur.A;
  PetscCall(PsdGemmDouble('T', 'N', m, m, it->order, it->raw, it->order, it->columns, it->order, A, m));
  for (PetscInt k = 0; k < m * m && it->by_samples; k++) A[k] = -A[k];
  for (PetscInt k = 0; k < m && it->by_samples; k++) A[k * m + k] += it->data.weight[k];
  for (PetscInt k = 0; k < m && !it->by_samples; k += 2) {
    PetscInt length;
    PetscReal common = 0;
    const size_t at = Part(it, k, &length);
    for (size_t i = at; i < at + (size_t)length; i++) common -= u[0][i] * u[1][i] / it->data.Q[i];
    for (PetscInt entry = 0; entry < 4; entry++) A[(k + entry / 2) * m + k + entry % 2] += common;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNewtonSystemFactor(PsdNewtonSystem it, const PsdNewtonData *data, PetscBool *done)
{
  PetscFunctionBeginUser;
  it->data = *data;
  for (PetscInt i = 0; i < it->n; i++) {
    it->spread[i] = 0;
    for (PetscInt t = 0; t < it->classes; t++) it->spread[i] += 1 / data->H[(size_t)t * it->n + i];
  }
  PetscCall(PetscMalloc1((size_t)it->n * it->D, &it->wide));
  if (it->by_samples) PetscCall(FormBySamples(it));
  else PetscCall(FormByFeatures(it));
  PetscCall(PetscFree(it->wide));
  PetscCall(PsdDefiniteFactor(&it->matrix, it->order, done));
  if (!*done) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < it->thetas; k++) PetscCall(ThetaColumn(it, k, it->raw + (size_t)k * it->order));
  PetscCall(PetscArraycpy(it->columns, it->raw, (size_t)it->order * it->thetas));
  PetscCall(PsdDefiniteSolve(&it->matrix, it->thetas, it->columns));
  PetscCall(FormSchur(it));
  PetscCall(PsdDefiniteFactor(&it->schur, it->thetas, done));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- solution */

/* reduced <- the matrix's inverse times what the first two equations ask for */
static PetscErrorCode SolveReduced(PsdNewtonSystem it, const PetscReal r1[], const PetscReal r2[])
{
  PetscFunctionBeginUser;
  const size_t samples = (size_t)it->classes * it->n, features = (size_t)it->classes * it->D;
  PetscReal *x = it->samples[0], *z = it->features[0];
  if (it->by_samples) {
    for (size_t k = 0; k < features; k++) z[k] = it->data.Q[k] * r2[k];
    PetscCall(Forward(it, z, x));
    for (size_t k = 0; k < samples; k++) x[k] = r1[k] - x[k];
    Reduce(it, x, it->reduced);
  } else {
    PetscCall(PetscArraycpy(x, r1, samples));
    Invert(it, x);
    PetscCall(Backward(it, x, it->reduced));
    for (size_t k = 0; k < features; k++) it->reduced[k] += r2[k];
  }
  PetscCall(PsdDefiniteSolve(&it->matrix, 1, it->reduced));
  PetscFunctionReturn(0);
}

/* dtheta from the third equation, and what it adds to the reduced unknowns */
static PetscErrorCode SolveThetas(PsdNewtonSystem it, const PetscReal r2[], const PetscReal r3[], PetscReal dtheta[])
{
  PetscFunctionBeginUser;
  const PetscReal sign = it->by_samples ? 1 : -1;
  PetscReal *sums = it->theta[0];
  PetscCall(PsdGemmDouble('T', 'N', it->thetas, 1, it->order, it->raw, it->order, it->reduced, it->order, dtheta,
                          it->thetas));
  for (PetscInt k = 0; k < it->thetas; k++) dtheta[k] -= r3[k];
  if (it->by_samples) {
    Along(it, PETSC_FALSE, r2, sums);
    for (PetscInt k = 0; k < it->thetas; k++) dtheta[k] += sums[k];
  }
  PetscCall(PsdDefiniteSolve(&it->schur, 1, dtheta));
  for (PetscInt k = 0; k < it->thetas; k++)
    for (PetscInt j = 0; j < it->order; j++)
      it->reduced[j] += sign * dtheta[k] * it->columns[(size_t)k * it->order + j];
  PetscFunctionReturn(0);
}

/* Adds the solution for these right-hand sides. */
static PetscErrorCode AddSolution(PsdNewtonSystem it, const PetscReal r1[], const PetscReal r2[], const PetscReal r3[],
                                  PetscReal dnu[], PetscReal S[], PetscReal dtheta[])
{
  PetscFunctionBeginUser;
  const size_t samples = (size_t)it->classes * it->n, features = (size_t)it->classes * it->D;
  PetscReal *x = it->samples[0], *z = it->features[0], *change = it->theta[1];
  PetscCall(SolveReduced(it, r1, r2));
  PetscCall(SolveThetas(it, r2, r3, change));
  if (it->by_samples) {
    Expand(it, it->reduced, x);
    PetscCall(Backward(it, x, z));
    for (size_t k = 0; k < features; k++) z[k] = it->data.Q[k] * (r2[k] + z[k]);
    AddThetas(it, -1, PETSC_FALSE, change, z);
  } else {
    PetscCall(PetscArraycpy(z, it->reduced, features));
    PetscCall(Forward(it, z, x));
    for (size_t k = 0; k < samples; k++) x[k] = r1[k] - x[k];
    Invert(it, x);
  }
  for (size_t k = 0; k < samples; k++) dnu[k] += x[k];
  for (size_t k = 0; k < features; k++) S[k] += z[k];
  for (PetscInt k = 0; k < it->thetas; k++) dtheta[k] += change[k];
  PetscFunctionReturn(0);
}

/* r1 - ..., r2 - ..., r3 - ... of the three equations; of the first one as far as dnu can answer it */
static PetscErrorCode Residuals(PsdNewtonSystem it, const PetscReal dnu[], const PetscReal S[],
                                const PetscReal dtheta[], PetscReal r1[], PetscReal r2[], PetscReal r3[])
{
  PetscFunctionBeginUser;
  const PetscInt n = it->n, C = it->classes;
  const size_t features = (size_t)C * it->D;
  PetscReal *z = it->features[0];
  PetscCall(Forward(it, S, it->samples[0]));
  for (PetscInt i = 0; i < n; i++) {
    PetscReal mean = 0;
    for (PetscInt t = 0; t < C; t++) {
      r1[(size_t)t * n + i] -=
          it->data.H[(size_t)t * n + i] * dnu[(size_t)t * n + i] + it->samples[0][(size_t)t * n + i];
      mean += r1[(size_t)t * n + i] / (PetscReal)C;
    }
    for (PetscInt t = 0; t < C && C > 1; t++) r1[(size_t)t * n + i] -= mean;
  }
  PetscCall(Backward(it, dnu, z));
  for (size_t k = 0; k < features; k++) r2[k] += z[k] - S[k] / it->data.Q[k];
  AddThetas(it, -1, PETSC_TRUE, dtheta, r2);
  /* S + u dtheta, once for the third equation */
  PetscCall(PetscArraycpy(z, S, features));
  AddThetas(it, 1, PETSC_FALSE, dtheta, z);
  Along(it, PETSC_TRUE, z, it->theta[0]);
  for (PetscInt k = 0; k < it->thetas; k++) r3[k] += it->data.weight[k] * dtheta[k] - it->theta[0][k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNewtonSystemSolve(PsdNewtonSystem it, const PetscReal r1[], const PetscReal r2[],
                                    const PetscReal r3[], PetscReal dnu[], PetscReal S[], PetscReal dtheta[])
{
  PetscFunctionBeginUser;
  const size_t samples = (size_t)it->classes * it->n, features = (size_t)it->classes * it->D;
  PetscReal *rest;
  PetscCall(PetscMalloc1(it->thetas, &rest));
  PetscCall(PetscArrayzero(dnu, samples));
  PetscCall(PetscArrayzero(S, features));
  PetscCall(PetscArrayzero(dtheta, it->thetas));
  for (PetscInt k = 0; k <= REFINEMENTS; k++) {
    PetscCall(PetscArraycpy(it->samples[1], r1, samples));
    PetscCall(PetscArraycpy(it->features[1], r2, features));
    PetscCall(PetscArraycpy(rest, r3, it->thetas));
    PetscCall(Residuals(it, dnu, S, dtheta, it->samples[1], it->features[1], rest));
    PetscCall(AddSolution(it, it->samples[1], it->features[1], rest, dnu, S, dtheta));
  }
  PetscCall(PetscFree(rest));
  PetscFunctionReturn(0);
}
