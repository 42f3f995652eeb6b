/*
   Of the Hessian of one class the Gauss-Newton part and the multipliers,

     V of one region:  Gamma_jl X'X + 2 mu_j delta_jl I,      w:  H_jl + (2 beta - 2 mu_j) delta_jl,

   where Gamma and H are the products of g and h that PsdObjectiveGrams makes. With Gamma q = gamma diag(2 mu) q and X'X =
   E diag(lambda) E' the first one is inverted entry by entry:  E [ (E'R Q)_kc / (lambda_k gamma_c + 1) ] Q'. Beyond the
   components E that are known X'X counts as a multiple of the identity.

   A block's constraint involves its own columns alone, but P couples both blocks of a region, by V, and all blocks of a
   class, by w: the projection is a system of order 2 G a class.
*/
#include "precondition.h"
#include "base/eigen.h"
#include "base/gemm.h"
#include <petscblaslapack.h>

#define LEAST_MU 1e-3  /* of beta: multipliers may be negative far from the solution */
#define LEAST_REST 0.1 /* of beta: the same of 2 beta - 2 mu */

/* Columns of one region and class, `count` from `first` on. */
typedef struct {
  PetscInt region, first, count;
  PetscReal *gamma, *Q; /* count, count x count */
} Run;

/* One class: its runs, and its columns' last entries. */
typedef struct {
  PetscInt runs, members;
  Run *run;
  PetscInt *member;  /* columns */
  PetscReal *factor; /* members x members: Cholesky's */
  PetscReal *of_w;   /* members x 2 G: P^-1 of the constraints' w */
  PetscReal *gram;   /* 2 G x 2 G: A'P^-1 A, factorised */
} OfClass;

struct _p_PsdPreconditioner {
  PsdLevel level;
  const PsdColumns *columns;
  const PetscReal *F;
  PetscInt constraints; /* of a class: 2 G */
  OfClass *of;          /* C; without members where the group is not active */
  PetscReal *of_V[2];   /* P^-1 of the constraints' V, for Z and for Z' */
  PetscReal *work, *components, *last;
};

/* ---------------------------------------------------------------- factors */

static PetscErrorCode CreateRun(const PsdColumns *columns, const PetscReal gram[], const PetscReal mu[],
                                PetscReal least, Run *run)
{
  PetscFunctionBeginUser;
  const PetscInt r = run->count, all = columns->count;
  PetscReal *root;
  PsdEigen eigen;
  PetscCall(PetscMalloc2(r, &run->gamma, (size_t)r * r, &run->Q));
  PetscCall(PetscMalloc1(r, &root));
  for (PetscInt j = 0; j < r; j++) root[j] = 1 / PetscSqrtReal(PetscMax(mu[columns->block[run->first + j]], least));
  for (PetscInt l = 0; l < r; l++)
    for (PetscInt j = 0; j <= l; j++)
      run->Q[(size_t)l * r + j] = root[j] * root[l] * gram[(size_t)(run->first + l) * all + run->first + j];
  PetscCall(PsdEigenCreate(r, &eigen));
  PetscCall(PsdEigenSolve(eigen, run->Q, run->gamma));
  PetscCall(PsdEigenDestroy(&eigen));
  for (PetscInt c = 0; c < r; c++) {
    run->gamma[c] = PetscMax(0, run->gamma[c]);
    for (PetscInt j = 0; j < r; j++) run->Q[(size_t)c * r + j] *= root[j];
  }
  PetscCall(PetscFree(root));
  PetscFunctionReturn(0);
}

/* Cholesky's factor of a matrix that is positive definite but for rounding */
static PetscErrorCode Factorise(PetscInt order, PetscReal A[])
{
  PetscFunctionBeginUser;
  PetscBLASInt n, info = 1;
  PetscReal trace = 0, *copy;
  if (!order) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(order, &n));
  for (PetscInt k = 0; k < order; k++) trace += A[(size_t)k * order + k];
  PetscCall(PetscMalloc1((size_t)order * order, &copy));
  for (PetscReal shift = 0; info != 0; shift = PetscMax(4 * shift, (PetscReal)order * PETSC_MACHINE_EPSILON * trace)) {
    PetscCheck(shift <= trace, PETSC_COMM_SELF, PETSC_ERR_FP, "A matrix that should be definite is not finite");
    PetscCall(PetscArraycpy(copy, A, (size_t)order * order));
    for (PetscInt k = 0; k < order; k++) copy[(size_t)k * order + k] += shift;
    PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &n, copy, &n, &info));
  }
  PetscCall(PetscArraycpy(A, copy, (size_t)order * order));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveWith(PetscInt order, const PetscReal factor[], PetscInt columns, PetscReal x[])
{
  PetscFunctionBeginUser;
  PetscBLASInt n, count, info;
  if (!order || !columns) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(order, &n));
  PetscCall(PetscBLASIntCast(columns, &count));
  PetscCallBLAS("LAPACKpotrs", LAPACKpotrs_("U", &n, &count, factor, &n, x, &n, &info));
  PetscFunctionReturn(0);
}

/* The runs and columns of class t. */
static PetscErrorCode ListMembers(PsdPreconditioner it, PetscInt t)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  OfClass *of = &it->of[t];
  PetscCall(PetscMalloc2(columns->G, &of->run, columns->count, &of->member));
  for (PetscInt j = 0; j < columns->count; j++) {
    const PetscInt g = PsdBlockRegion(columns, columns->block[j]);
    if (PsdBlockClass(columns, columns->block[j]) != t) continue;
    of->member[of->members++] = j;
    if (of->runs && of->run[of->runs - 1].region == g) of->run[of->runs - 1].count++;
    else of->run[of->runs++] = (Run){.region = g, .first = j, .count = 1};
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateClass(PsdPreconditioner it, PetscInt t, const PetscReal V[], const PetscReal W[],
                                  const PetscReal mu[], PetscReal beta)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  OfClass *of = &it->of[t];
  PetscCall(ListMembers(it, t));
  for (PetscInt k = 0; k < of->runs; k++) PetscCall(CreateRun(columns, V, mu, LEAST_MU * beta, &of->run[k]));
  const size_t members = (size_t)of->members, constraints = (size_t)it->constraints;
  PetscCall(PetscMalloc1(members * members, &of->factor));
  for (PetscInt l = 0; l < of->members; l++)
    for (PetscInt j = 0; j <= l; j++)
      of->factor[l * members + (size_t)j] = W[(size_t)of->member[l] * columns->count + of->member[j]];
  for (PetscInt j = 0; j < of->members; j++)
    of->factor[j * members + (size_t)j] +=
        PetscMax(2 * beta - PetscMax(mu[columns->block[of->member[j]]], LEAST_MU * beta), LEAST_REST * beta);
  PetscCall(Factorise(of->members, of->factor));
  PetscCall(PetscCalloc2(members * constraints, &of->of_w, constraints * constraints, &of->gram));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- P^-1 */

/* z <- P^-1 r for the filters of one run */
static PetscErrorCode SolveRun(PsdPreconditioner it, const Run *run, const PetscReal r[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  const PetscInt K = columns->K[run->region], count = run->count, ld = K + 1;
  const size_t at = columns->at[run->first];
  const PetscReal *E;
  const PsdVariance *variance = PsdLevelGetVariance(it->level, run->region, &E);
  PetscReal *A = it->work, *A0 = it->components;
  PetscCall(PsdGemmDouble('N', 'N', K, count, count, r + at, ld, run->Q, count, A, K));
  if (E) PetscCall(PsdGemmDouble('T', 'N', variance->K, count, K, E, K, A, K, A0, variance->K));
  for (PetscInt c = 0; c < count; c++) {
    const PetscReal rest = 1 / (variance->rest * run->gamma[c] + 1);
    PetscReal *column = A + (size_t)c * K, *known = E ? A0 + (size_t)c * variance->K : column;
    for (PetscInt k = 0; k < K && E; k++) column[k] *= rest;
    for (PetscInt k = 0; k < variance->K; k++)
      known[k] *= 1 / (variance->along[k] * run->gamma[c] + 1) - (E ? rest : 0);
  }
  if (E) {
    PetscReal *back = it->components + (size_t)variance->K * count;
    PetscCall(PsdGemmDouble('N', 'N', K, count, variance->K, E, K, A0, variance->K, back, K));
    for (size_t k = 0; k < (size_t)K * count; k++) A[k] += back[k];
  }
  PetscCall(PsdGemmDouble('N', 'T', K, count, count, A, K, run->Q, count, z + at, ld));
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveClass(PsdPreconditioner it, const OfClass *of, const PetscReal r[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const size_t *at = it->columns->at;
  for (PetscInt k = 0; k < of->runs; k++) PetscCall(SolveRun(it, &of->run[k], r, z));
  for (PetscInt k = 0; k < of->members; k++) it->last[k] = r[at[of->member[k] + 1] - 1];
  PetscCall(SolveWith(of->members, of->factor, 1, it->last));
  for (PetscInt k = 0; k < of->members; k++) z[at[of->member[k] + 1] - 1] = it->last[k];
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- projection */

/* The constraint of a column's block among those of its class. */
static PetscInt ConstraintOf(const PsdColumns *columns, PetscInt column)
{
  const PetscInt block = columns->block[column];
  return 2 * PsdBlockRegion(columns, block) + block % 2;
}

/* sums[constraint] += V.z of the columns of a class, and - w z_w of them when `last` */
static void AddConstraints(PsdPreconditioner it, const OfClass *of, const PetscReal z[], PetscBool last,
                           PetscReal sums[])
{
  const PsdColumns *columns = it->columns;
  for (PetscInt k = 0; k < of->members; k++) {
    const PetscInt j = of->member[k];
    const size_t end = columns->at[j + 1] - 1;
    PetscReal sum = last ? -it->F[end] * z[end] : 0;
    for (size_t i = columns->at[j]; i < end; i++) sum += it->F[i] * z[i];
    sums[ConstraintOf(columns, j)] += sum;
  }
}

/* P^-1 A and A'P^-1 A of one class. it->of_V[s] has P^-1 of the V of its blocks of sign s. */
static PetscErrorCode CreateConstraints(PsdPreconditioner it, OfClass *of, PetscReal *masked)
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  const PetscInt constraints = it->constraints;
  PetscReal *sums;
  PetscCall(PetscMalloc1(constraints, &sums));
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < of->members; k++) {
      const PetscInt j = of->member[k];
      for (size_t i = columns->at[j]; i < columns->at[j + 1]; i++)
        masked[i] = columns->block[j] % 2 == s ? it->F[i] : 0;
    }
    for (PetscInt k = 0; k < of->runs; k++) PetscCall(SolveRun(it, &of->run[k], masked, it->of_V[s]));
    PetscCall(PetscArrayzero(sums, constraints));
    AddConstraints(it, of, it->of_V[s], PETSC_FALSE, sums);
    for (PetscInt g = 0; g < columns->G; g++)
      for (PetscInt i = 0; i < 2; i++)
        of->gram[((size_t)2 * g + s) * constraints + (size_t)2 * g + i] = sums[(size_t)2 * g + i];
  }
  for (PetscInt k = 0; k < of->members; k++)
    of->of_w[(size_t)ConstraintOf(columns, of->member[k]) * of->members + k] =
        -it->F[columns->at[of->member[k] + 1] - 1];
  PetscCall(SolveWith(of->members, of->factor, constraints, of->of_w));
  for (PetscInt c = 0; c < constraints; c++)
    for (PetscInt k = 0; k < of->members; k++)
      of->gram[(size_t)c * constraints + ConstraintOf(columns, of->member[k])] -=
          it->F[columns->at[of->member[k] + 1] - 1] * of->of_w[(size_t)c * of->members + k];
  for (PetscInt c = 0; c < constraints; c++)
    if (!(of->gram[(size_t)c * constraints + c] > 0)) of->gram[(size_t)c * constraints + c] = 1; /* an empty block */
  PetscCall(Factorise(constraints, of->gram));
  PetscCall(PetscFree(sums));
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdPreconditioner it, const OfClass *of, PetscReal z[])
{
  PetscFunctionBeginUser;
  const PsdColumns *columns = it->columns;
  PetscReal *x = it->last;
  PetscCall(PetscArrayzero(x, it->constraints));
  AddConstraints(it, of, z, PETSC_TRUE, x);
  PetscCall(SolveWith(it->constraints, of->gram, 1, x));
  for (PetscInt k = 0; k < of->members; k++) {
    const PetscInt j = of->member[k], g = PsdBlockRegion(columns, columns->block[j]);
    const size_t end = columns->at[j + 1] - 1;
    const PetscReal *of_region = x + (size_t)2 * g;
    for (size_t i = columns->at[j]; i < end; i++) z[i] -= of_region[0] * it->of_V[0][i] + of_region[1] * it->of_V[1][i];
    for (PetscInt c = 0; c < it->constraints; c++) z[end] -= x[c] * of->of_w[(size_t)c * of->members + k];
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the object */

/* Work space of the longest run. */
static PetscErrorCode CreateWork(PsdPreconditioner it)
{
  PetscFunctionBeginUser;
  size_t most = 0, components = 0;
  for (PetscInt t = 0; t < it->columns->C; t++)
    for (PetscInt k = 0; k < it->of[t].runs; k++) {
      const Run *run = &it->of[t].run[k];
      const PetscReal *E;
      const PsdVariance *variance = PsdLevelGetVariance(it->level, run->region, &E);
      const size_t K = (size_t)it->columns->K[run->region], count = (size_t)run->count;
      most = PetscMax(most, K * count);
      if (E) components = PetscMax(components, ((size_t)variance->K + K) * count);
    }
  PetscCall(PetscMalloc3(most, &it->work, components, &it->components, PetscMax(it->columns->count, it->constraints),
                         &it->last));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPreconditionerCreate(PsdObjective objective, PsdLevel level, const PsdColumns *columns,
                                       const PetscBool active[], const PetscReal F[], const PetscReal mu[],
                                       PetscReal beta, PsdPreconditioner *preconditioner)
{
  PetscFunctionBeginUser;
  const size_t r = (size_t)columns->count, length = columns->at[columns->count];
  const PetscBool together = (PetscBool)(PsdObjectiveGroups(objective) == 1);
  PetscReal *V, *W, *masked;
  PsdPreconditioner it;
  PetscCall(PetscNew(&it));
  it->level = level;
  it->columns = columns;
  it->F = F;
  it->constraints = 2 * columns->G;
  PetscCall(PetscCalloc3(columns->C, &it->of, length, &it->of_V[0], length, &it->of_V[1]));
  PetscCall(PetscMalloc3(r * r, &V, r * r, &W, length, &masked));
  PetscCall(PsdObjectiveGrams(objective, active, F, V, W));
  for (PetscInt t = 0; t < columns->C; t++)
    if (active[together ? 0 : t]) PetscCall(CreateClass(it, t, V, W, mu, beta));
  PetscCall(CreateWork(it));
  for (PetscInt t = 0; t < columns->C; t++)
    if (it->of[t].members) PetscCall(CreateConstraints(it, &it->of[t], masked));
  PetscCall(PetscFree3(V, W, masked));
  *preconditioner = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPreconditionerDestroy(PsdPreconditioner *preconditioner)
{
  PetscFunctionBeginUser;
  PsdPreconditioner it = *preconditioner;
  if (!it) PetscFunctionReturn(0);
  for (PetscInt t = 0; t < it->columns->C; t++) {
    OfClass *of = &it->of[t];
    for (PetscInt k = 0; k < of->runs; k++) PetscCall(PetscFree2(of->run[k].gamma, of->run[k].Q));
    PetscCall(PetscFree2(of->run, of->member));
    PetscCall(PetscFree(of->factor));
    PetscCall(PetscFree2(of->of_w, of->gram));
  }
  PetscCall(PetscFree3(it->of, it->of_V[0], it->of_V[1]));
  PetscCall(PetscFree3(it->work, it->components, it->last));
  PetscCall(PetscFree(*preconditioner));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPreconditionerApply(PsdPreconditioner it, const PetscReal r[], PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(z, it->columns->at[it->columns->count]));
  for (PetscInt t = 0; t < it->columns->C; t++) {
    if (!it->of[t].members) continue;
    PetscCall(SolveClass(it, &it->of[t], r, z));
    PetscCall(Project(it, &it->of[t], z));
  }
  PetscFunctionReturn(0);
}
