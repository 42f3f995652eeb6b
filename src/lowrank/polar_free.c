/*
   The largest s [u;1]'M[u;1] over the sphere, block by block: on a complete level from M itself. Otherwise by Rayleigh and
   Ritz: from the solution among the filters of a coarse level, the subspace is extended by the preconditioned residual
   of theta u = s (M1 u + m2),

     t = E (theta I - s M_K)^-1 E'r + (r - E E'r)/theta,

   M_K being M1 among the components E. What M1 has beyond them is small beside theta, so that a few products with M1, each
   a pass over the patches in double precision, are enough. The value is off by about r't.
*/
#include "polar_free.h"
#include "base/base.h"
#include "base/eigen.h"
#include "base/gemm.h"
#include "moments.h"

#define MOST_STEPS 24
#define ACCURACY 1e-13 /* of the value */
#define CONTENDERS 0.9 /* blocks whose coarse value is below this part of the largest are not looked at again */
#define LEAST_GAP 0.01 /* of theta: as far as the preconditioner goes to an eigenvalue */

/* One block that is looked at. */
typedef struct {
  PetscInt block, g, t, f, K;
  PetscReal sign, value, estimate; /* estimate: of the value's error */
  PetscReal theta, m4;
  PetscInt steps;
  PetscReal *e, *Q, *start; /* of M_K, K and K x K; its solution, K */
  PetscReal *m2;            /* s M2, f */
  PetscReal *basis, *image; /* f x MOST_STEPS, and s M1 times it */
  PetscReal *u, *residual;  /* f */
} Contender;

/* ---------------------------------------------------------------- among the filters of a level */

typedef struct {
  PsdLevel level;
  PetscInt blocks;
  PetscReal *value, *theta;
  PetscReal **e, **Q, **u; /* by pair and by block, on the pair's rank */
} Coarse;

static PetscErrorCode EvaluatePair(void *context, PetscInt pair, PetscInt K, PetscReal M[])
{
  PetscFunctionBeginUser;
  Coarse *it = context;
  const PetscInt d = K + 1;
  PsdLargestForm forms[2];
  PsdEigen eigen;
  PetscCall(PetscMalloc1(K, &it->e[pair]));
  PetscCall(PetscMalloc1((size_t)K * K, &it->Q[pair]));
  for (PetscInt s = 0; s < 2; s++) PetscCall(PetscMalloc1(K, &it->u[2 * pair + s]));
  for (PetscInt s = 0; s < 2; s++) forms[s].u = it->u[2 * pair + s];
  for (PetscInt l = 0; l < K; l++) PetscCall(PetscArraycpy(it->Q[pair] + (size_t)l * K, M + (size_t)l * d, l + 1));
  PetscCall(PsdEigenCreate(K, &eigen));
  PetscCall(PsdEigenSolve(eigen, it->Q[pair], it->e[pair]));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdLargestFormFind(K, it->e[pair], it->Q[pair], M + (size_t)K * d, M[(size_t)d * d - 1], forms));
  for (PetscInt s = 0; s < 2; s++) {
    it->value[2 * pair + s] = forms[s].value;
    it->theta[2 * pair + s] = forms[s].theta;
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- products */

typedef struct {
  PsdProblem problem;
  const PetscReal *nu;
  const PetscInt *count;
  PetscInt n, contenders;
  Contender *contender;
  PetscBool linear; /* m2 and m4, not M1 u */
  PetscReal **result;
  PetscReal *products;
} Pass;

static PetscErrorCode MultiplyTile(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Pass *pass = context;
  const PetscInt patches = pass->count[g], rows = count * patches;
  const PetscReal *activation = pass->problem->activation;
  for (PetscInt k = 0; k < pass->contenders; k++) {
    const Contender *it = &pass->contender[k];
    const PetscReal *nu = pass->nu + (size_t)it->t * pass->n + first, scale = it->sign / (PetscReal)patches;
    PetscReal *result = pass->result[k];
    if (it->g != g) continue;
    if (pass->linear) {
      for (PetscInt i = 0; i < rows; i++) pass->products[i] = activation[1] / 2 * scale * nu[i / patches];
      for (PetscInt i = 0; i < count; i++) result[it->f] += it->sign * activation[2] * nu[i];
    } else {
      PetscCall(PsdGemmDouble('T', 'N', rows, 1, it->f, x, it->f, it->u, it->f, pass->products, rows));
      for (PetscInt i = 0; i < rows; i++) pass->products[i] *= activation[0] * scale * nu[i / patches];
    }
    PetscCall(PsdGemmDouble('N', 'N', it->f, 1, rows, x, it->f, pass->products, rows, it->residual, it->f));
    for (PetscInt i = 0; i < it->f; i++) result[i] += it->residual[i];
  }
  PetscFunctionReturn(0);
}

/* result[k] <- s M1 u of contender k, or s m2 and s m4 */
static PetscErrorCode Multiply(Pass *pass, PsdPatchMatrix patches, PetscBool linear)
{
  PetscFunctionBeginUser;
  pass->linear = linear;
  for (PetscInt k = 0; k < pass->contenders; k++)
    PetscCall(PetscArrayzero(pass->result[k], (size_t)pass->contender[k].f + 1));
  PetscCall(PsdPatchMatrixPass(patches, MultiplyTile, pass));
  for (PetscInt k = 0; k < pass->contenders; k++)
    PetscCall(PsdSumArray(pass->problem->comm, MPIU_REAL, (size_t)pass->contender[k].f + 1, pass->result[k]));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- one contender */

static PetscReal Product(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* u <- u less what the basis has of it, twice, over its length; returns whether anything is left */
static PetscBool Orthogonalise(Contender *it)
{
  const PetscReal before = PetscSqrtReal(Product(it->f, it->u, it->u));
  for (int again = 0; again < 2; again++)
    for (PetscInt k = 0; k < it->steps; k++) {
      const PetscReal *q = it->basis + (size_t)k * it->f, part = Product(it->f, q, it->u);
      for (PetscInt i = 0; i < it->f; i++) it->u[i] -= part * q[i];
    }
  const PetscReal after = PetscSqrtReal(Product(it->f, it->u, it->u));
  if (!(after > 1e-13 * before)) return PETSC_FALSE;
  for (PetscInt i = 0; i < it->f; i++) it->u[i] /= after;
  return PETSC_TRUE;
}

/* Value, theta and residual within the basis, to which (u, image) was added. */
static PetscErrorCode Ritz(Contender *it)
{
  PetscFunctionBeginUser;
  const PetscInt k = it->steps;
  PetscReal *A, *e, *b;
  PsdLargestForm forms[2];
  PsdEigen eigen;
  PetscCall(PetscMalloc5((size_t)k * k, &A, k, &e, k, &b, k, &forms[0].u, k, &forms[1].u));
  PetscCall(PsdGemmDouble('T', 'N', k, k, it->f, it->basis, it->f, it->image, it->f, A, k));
  PetscCall(PsdGemmDouble('T', 'N', k, 1, it->f, it->basis, it->f, it->m2, it->f, b, k));
  PetscCall(PsdEigenCreate(k, &eigen));
  PetscCall(PsdEigenSolve(eigen, A, e));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdLargestFormFind(k, e, A, b, it->m4, forms));
  it->value = forms[0].value;
  it->theta = forms[0].theta;
  for (PetscInt i = 0; i < it->f; i++) {
    PetscReal u = 0, Mu = it->m2[i];
    for (PetscInt j = 0; j < k; j++) {
      u += it->basis[(size_t)j * it->f + i] * forms[0].u[j];
      Mu += it->image[(size_t)j * it->f + i] * forms[0].u[j];
    }
    it->residual[i] = Mu - it->theta * u;
  }
  PetscCall(PetscFree5(A, e, b, forms[0].u, forms[1].u));
  PetscFunctionReturn(0);
}

/* u <- the preconditioned residual */
static PetscErrorCode Precondition(Contender *it, PsdLevel level)
{
  PetscFunctionBeginUser;
  const PetscInt K = it->K, f = it->f;
  const PetscReal *r = it->residual;
  PetscReal *inner, *rotated, *back, least = LEAST_GAP * PetscAbsReal(it->theta);
  PetscCall(PetscMalloc3(K, &inner, K, &rotated, f, &back));
  PetscCall(PsdLevelFromPatches(level, it->g, 1, r, f, inner, K));
  PetscCall(PsdGemmDouble('T', 'N', K, 1, K, it->Q, K, inner, K, rotated, K));
  /* minus what the part beyond the components makes of it */
  for (PetscInt k = 0; k < K; k++) rotated[k] *= 1 / PetscMax(it->theta - it->sign * it->e[k], least) - 1 / it->theta;
  PetscCall(PsdGemmDouble('N', 'N', K, 1, K, it->Q, K, rotated, K, inner, K));
  PetscCall(PsdLevelToPatches(level, it->g, 1, inner, K, back, f));
  for (PetscInt i = 0; i < f; i++) it->u[i] = back[i] + r[i] / it->theta;
  it->estimate = Product(f, r, it->u);
  PetscCall(PetscFree3(inner, rotated, back));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all of them */

static PetscErrorCode ContenderCreate(MPI_Comm comm, PsdLevel level, const Coarse *coarse, PetscInt block, PetscInt C,
                                      PetscInt f, Contender *it)
{
  PetscFunctionBeginUser;
  const PetscInt *K;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PsdLevelGetSizes(level, NULL, NULL, &K, NULL);
  *it = (Contender){.block = block, .g = block / (2 * C), .t = block / 2 % C, .f = f, .sign = block % 2 ? -1 : 1};
  it->K = K[it->g];
  it->value = coarse->value[block];
  it->theta = coarse->theta[block];
  const PetscMPIInt owner = (PetscMPIInt)(block / 2 % ranks), width = (PetscMPIInt)it->K;
  PetscCall(PetscMalloc3(it->K, &it->e, (size_t)it->K * it->K, &it->Q, it->K, &it->start));
  PetscCall(PetscMalloc5((size_t)f + 1, &it->m2, (size_t)f * MOST_STEPS, &it->basis, (size_t)f * MOST_STEPS, &it->image,
                         f, &it->u, f, &it->residual));
  if (rank == owner) {
    PetscCall(PetscArraycpy(it->e, coarse->e[block / 2], it->K));
    PetscCall(PetscArraycpy(it->Q, coarse->Q[block / 2], (size_t)it->K * it->K));
    PetscCall(PetscArraycpy(it->start, coarse->u[block], it->K));
  }
  PetscCallMPI(MPI_Bcast(it->e, width, MPIU_REAL, owner, comm));
  PetscCallMPI(MPI_Bcast(it->Q, width * width, MPIU_REAL, owner, comm));
  PetscCallMPI(MPI_Bcast(it->start, width, MPIU_REAL, owner, comm));
  PetscCall(PsdLevelToPatches(level, it->g, 1, it->start, it->K, it->u, f));
  PetscFunctionReturn(0);
}

static PetscErrorCode ContenderDestroy(Contender *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(it->e, it->Q, it->start));
  PetscCall(PetscFree5(it->m2, it->basis, it->image, it->u, it->residual));
  PetscFunctionReturn(0);
}

/* Extends the subspaces of all contenders until each value is known. */
static PetscErrorCode Refine(PsdLevel level, PsdPatchMatrix patches, Pass *pass)
{
  PetscFunctionBeginUser;
  PetscBool known = PETSC_FALSE;
  PetscCall(Multiply(pass, patches, PETSC_TRUE));
  for (PetscInt k = 0; k < pass->contenders; k++) {
    Contender *it = &pass->contender[k];
    PetscCall(PetscArraycpy(it->m2, pass->result[k], it->f));
    it->m4 = pass->result[k][it->f];
  }
  for (PetscInt step = 0; step < MOST_STEPS && !known; step++) {
    for (PetscInt k = 0; k < pass->contenders; k++)
      if (!Orthogonalise(&pass->contender[k]))
        PetscCall(PetscArrayzero(pass->contender[k].u, pass->contender[k].f)); /* nothing is left to be found */
    PetscCall(Multiply(pass, patches, PETSC_FALSE));
    known = PETSC_TRUE;
    for (PetscInt k = 0; k < pass->contenders; k++) {
      Contender *it = &pass->contender[k];
      PetscCall(PetscArraycpy(it->basis + (size_t)it->steps * it->f, it->u, it->f));
      PetscCall(PetscArraycpy(it->image + (size_t)it->steps * it->f, pass->result[k], it->f));
      it->steps++;
      PetscCall(Ritz(it));
      PetscCall(Precondition(it, level));
      if (it->estimate > ACCURACY * PetscAbsReal(it->value)) known = PETSC_FALSE;
    }
    PetscCallMPI(MPI_Bcast(&known, 1, MPIU_BOOL, 0, pass->problem->comm));
  }
  PetscFunctionReturn(0);
}

/* The blocks that may have the largest value, and what is found of them. */
static PetscErrorCode LookAgain(PsdProblem problem, PsdPatchMatrix patches, PsdLevel level, const Coarse *coarse,
                                const PetscReal nu[], PetscReal *polar)
{
  PetscFunctionBeginUser;
  const PetscInt *f;
  size_t rows = 0;
  Pass pass = {.problem = problem, .nu = nu};
  PsdPatchMatrixGetSizes(patches, &pass.n, NULL, &pass.count, &f);
  for (PetscInt g = 0; g < problem->blocks->G; g++)
    rows = PetscMax(rows, (size_t)PsdPatchMatrixGetTile(patches) * pass.count[g]);
  PetscCall(PetscMalloc3(coarse->blocks, &pass.contender, coarse->blocks, &pass.result, rows, &pass.products));
  for (PetscInt block = 0; block < coarse->blocks; block++) {
    if (coarse->value[block] < CONTENDERS * *polar) continue;
    const PetscInt own = f[block / (2 * problem->blocks->C)], k = pass.contenders++;
    PetscCall(ContenderCreate(problem->comm, level, coarse, block, problem->blocks->C, own, &pass.contender[k]));
    PetscCall(PetscMalloc1((size_t)own + 1, &pass.result[k]));
  }
  PetscCall(Refine(level, patches, &pass));
  for (PetscInt k = 0; k < pass.contenders; k++) {
    *polar = PetscMax(*polar, pass.contender[k].value);
    PetscCall(PetscInfo(NULL, "block %" PetscInt_FMT ": coarse %.12g, polar %.15g after %" PetscInt_FMT " steps\n",
                        pass.contender[k].block, (double)coarse->value[pass.contender[k].block],
                        (double)pass.contender[k].value, pass.contender[k].steps));
    PetscCall(PetscFree(pass.result[k]));
    PetscCall(ContenderDestroy(&pass.contender[k]));
  }
  PetscCall(PetscFree3(pass.contender, pass.result, pass.products));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPolarFree(PsdProblem problem, PsdPatchMatrix patches, PsdLevel level, const PetscReal nu[],
                            PetscReal *polar)
{
  PetscFunctionBeginUser;
  const PetscInt pairs = problem->blocks->pairs;
  const PetscBool complete = PsdLevelIsComplete(level);
  Coarse coarse = {.level = level, .blocks = 2 * pairs};
  PetscCall(PetscCalloc5(2 * pairs, &coarse.value, 2 * pairs, &coarse.theta, pairs, &coarse.e, pairs, &coarse.Q,
                         2 * pairs, &coarse.u));
  PetscCall(PsdMomentsEach(problem, level, complete, nu, EvaluatePair, &coarse));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, (size_t)coarse.blocks, coarse.value));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, (size_t)coarse.blocks, coarse.theta));
  *polar = 0;
  for (PetscInt block = 0; block < coarse.blocks; block++) *polar = PetscMax(*polar, coarse.value[block]);
  if (!complete && *polar > 0) PetscCall(LookAgain(problem, patches, level, &coarse, nu, polar));
  PetscCallMPI(MPI_Bcast(polar, 1, MPIU_REAL, 0, problem->comm));
  for (PetscInt pair = 0; pair < pairs; pair++) {
    PetscCall(PetscFree(coarse.e[pair]));
    PetscCall(PetscFree(coarse.Q[pair]));
    for (PetscInt s = 0; s < 2; s++) PetscCall(PetscFree(coarse.u[2 * pair + s]));
  }
  PetscCall(PetscFree5(coarse.value, coarse.theta, coarse.e, coarse.Q, coarse.u));
  PetscFunctionReturn(0);
}
