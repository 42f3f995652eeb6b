/*
   PSD projection by a partial eigendecomposition, for blocks of large order and low rank (Rontsis, Goulart, Nakatsukasa, 2022).

   With A = X, or -X when Z has more than half of all eigenvalues, all positive eigenvalues of A are found with orthonormal
   Ritz vectors U, A U = U Theta + R, U'R = 0. In the basis of U and its complement A = [Theta E'; E B] with ||E||_F = ||R||_F,
   and the projection is non-expansive, so that

     || proj(A) - U Theta U' ||_F  <=  sqrt(2) ||R||_F + ||B_+||_F.

   The first term is kept below the tolerance. The second is of the order of ||R||^2 unless a positive eigenvalue was missed, and
   that none was is proved every time, by counting: the k positive Ritz values say that A has at least k positive eigenvalues,
   and it has no more than k if a Cholesky factorisation exists of

     -gamma I - A + U (Theta + (gamma + ||X||) I) U',

   for then A is less than -gamma I plus a matrix of rank k (Weyl). That costs d^3/3 at the speed of dgemm, but it lasts: any
   later X with ||X - X_proved||_F <= gamma has no more than k positive eigenvalues either, by Weyl again. gamma is half the
   distance to zero of the first unwanted Ritz value. Where that does not succeed, gamma = 0 (up to the tolerance) is tried, and
   then a complete decomposition is made. Two random vectors are among the start vectors every time, so that the search itself
   finds what is new; on the strength of that a proof is also let stand while X has moved by less than a tenth and k is the
   same, but for nine projections at most. So a miss is noticed at once when X jumps or k changes, and by the tenth projection
   always.

   The search is a block Krylov method with Rayleigh-Ritz (generalised Davidson without preconditioner): the space grows by
   the residuals of the wanted vectors and is restarted with the best of it. Products X V with all of them at once read X
   once, which is what a product costs.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "base/eigen.h"
#include <petscblaslapack.h>

#define GUARDS PSD_CONE_GUARDS /* beyond the wanted ones */
#define RANDOM 2               /* new start vectors every time */
#define NEAR 0.1               /* of ||X||: how far a proof is trusted beyond its reach, ... */
#define PROVE_EVERY 10         /* ... and for how many projections less one */
#define MOST_ROUNDS 40         /* products before a complete decomposition is cheaper */

/* A team takes part when so many products with X are expected: dealing it out costs two passes over X or so. */
#define SPREAD_COLUMNS 60

/* as -cone_partial numbers them; NULL: the one here */
static const char *const solvers[] = {NULL, "krylovschur", "lobpcg", "gd", "jd"};

typedef struct {
  PetscInt d, most, wanted_most; /* most: vectors in the space */
  PsdEps eps;                    /* NULL: psdnet's own */
  void *complete;                /* PsdConeLapack's, made when it is needed */
  PetscRandom random;
  PetscReal *Q, *AQ;         /* d x most: orthonormal basis, X times it (signed) */
  PetscReal *U, *AU;         /* d x most: Ritz vectors and their products */
  PetscReal *H, *Y, *theta;  /* most x most, most */
  PetscReal *triangle;       /* most x most */
  PetscReal *residual;       /* most: norms */
  PetscReal *proof;          /* d x d */
  PetscInt size;             /* of the space now */
  PetscInt columns;          /* X was multiplied with so many vectors */
  PetscInt known;            /* Ritz pairs in U and theta at the end of a search */
  PsdTeamMatrix team_matrix; /* products by a team; NULL: by this rank alone */
  PetscBool team_serves;     /* the team serves, and has the matrix at hand */
} Partial;

static PetscErrorCode SetUp(PsdCone cone, void **kernel)
{
  PetscFunctionBeginUser;
  const size_t d = cone->blocks->d;
  Partial *it;
  PetscCall(PetscNew(&it));
  it->d = cone->blocks->d;
  if (cone->team.size > 1) PetscCall(PsdTeamMatrixCreate(cone->team.comm, it->d, &it->team_matrix));
  *kernel = it;
  if (cone->team.rank > 0) PetscFunctionReturn(0); /* only serves */
  it->wanted_most = PetscMax(1, it->d / 4);
  it->most = PetscMin(it->d, 4 * (it->wanted_most + GUARDS) + 8);
  const size_t most = it->most;
  if (cone->partial > 0) PetscCall(PsdEpsCreate(it->d, solvers[cone->partial], it->team_matrix, &it->eps));
  PetscCall(PetscRandomCreate(PETSC_COMM_SELF, &it->random));
  PetscCall(PetscRandomSetInterval(it->random, -1, 1));
  PetscCall(PetscMalloc4(d * most, &it->Q, d * most, &it->AQ, d * most, &it->U, d * most, &it->AU));
  PetscCall(PetscMalloc5(most * most, &it->H, most * most, &it->Y, most, &it->theta, most * most, &it->triangle, most,
                         &it->residual));
  PetscCall(PetscMalloc1(d * d, &it->proof));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *kernel)
{
  PetscFunctionBeginUser;
  Partial *it = kernel;
  PetscCall(PsdEpsDestroy(&it->eps));
  PetscCall(PsdTeamMatrixDestroy(&it->team_matrix));
  if (it->complete) PetscCall((*PsdConeLapack.destroy)(it->complete));
  PetscCall(PetscRandomDestroy(&it->random));
  PetscCall(PetscFree4(it->Q, it->AQ, it->U, it->AU));
  PetscCall(PetscFree5(it->H, it->Y, it->theta, it->triangle, it->residual));
  PetscCall(PetscFree(it->proof));
  PetscCall(PetscFree(kernel));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the space */

/* C (rows x columns) = scale op(A) B + add C, all by columns */
static PetscErrorCode Product(const char transpose[], PetscInt rows, PetscInt columns, PetscInt inner, PetscReal scale,
                              const PetscReal *A, PetscInt lda, const PetscReal *B, PetscInt ldb, PetscReal add,
                              PetscReal *C, PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscBLASInt m = (PetscBLASInt)rows, n = (PetscBLASInt)columns, k = (PetscBLASInt)inner;
  const PetscBLASInt a = (PetscBLASInt)lda, b = (PetscBLASInt)ldb, c = (PetscBLASInt)ldc;
  if (rows == 0 || columns == 0) PetscFunctionReturn(0);
  PetscCallBLAS("BLASgemm", BLASgemm_(transpose, "N", &m, &n, &k, &scale, A, &a, B, &b, &add, C, &c));
  PetscCall(PetscLogFlops(2.0 * rows * (PetscLogDouble)columns * inner));
  PetscFunctionReturn(0);
}

/* Columns of norm 1; those of norm `least` or below are dropped: what is left of them is rounding. */
static PetscInt NormalizeColumns(PetscInt d, PetscInt count, PetscReal *W, PetscReal least)
{
  PetscInt kept = 0;
  for (PetscInt k = 0; k < count; k++) {
    PetscReal *from = W + (size_t)k * d, *to = W + (size_t)kept * d, square = 0;
    for (PetscInt i = 0; i < d; i++) square += from[i] * from[i];
    const PetscReal norm = PetscSqrtReal(square);
    if (!(norm > least)) continue;
    for (PetscInt i = 0; i < d; i++) to[i] = from[i] / norm;
    kept++;
  }
  return kept;
}

/* W <- an orthonormal basis of its columns (of norm 1), by Gram-Schmidt twice; those that depend on others are dropped. */
static PetscErrorCode OrthonormalizeBlock(Partial *it, PetscReal *W, PetscInt *count)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  PetscInt kept = 0;
  for (PetscInt k = 0; k < *count; k++) {
    PetscReal *w = W + (size_t)k * d, *to = W + (size_t)kept * d, norm = 1;
    for (int pass = 0; pass < 2 && norm > 0; pass++) {
      if (kept > 0) {
        const PetscBLASInt rows = (PetscBLASInt)d, columns = (PetscBLASInt)kept, one = 1;
        const PetscReal plus = 1, minus = -1, zero = 0;
        PetscCallBLAS("BLASgemv", BLASgemv_("T", &rows, &columns, &plus, W, &rows, w, &one, &zero, it->triangle, &one));
        PetscCallBLAS("BLASgemv",
                      BLASgemv_("N", &rows, &columns, &minus, W, &rows, it->triangle, &one, &plus, w, &one));
      }
      PetscReal square = 0;
      for (PetscInt i = 0; i < d; i++) square += w[i] * w[i];
      norm = PetscSqrtReal(square);
      if (norm <= 1e-8) norm = 0; /* depends on those before it */
      for (PetscInt i = 0; i < d && norm > 0; i++) w[i] /= norm;
    }
    if (norm == 0) continue;
    if (to != w) PetscCall(PetscArraycpy(to, w, d));
    kept++;
  }
  *count = kept;
  PetscFunctionReturn(0);
}

/* AW = sign X W */
static PetscErrorCode Multiply(Partial *it, PetscReal sign, const PetscReal *X, PetscInt count, const PetscReal *W,
                               PetscReal *AW)
{
  PetscFunctionBeginUser;
  const PetscReal zero = 0;
  PetscBLASInt order, columns;
  if (it->team_serves) {
    PetscCall(PsdTeamMatrixMultiply(it->team_matrix, sign, count, W, AW));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(it->d, &order));
  PetscCall(PetscBLASIntCast(count, &columns));
  PetscCallBLAS("BLASsymm", BLASsymm_("L", "U", &order, &columns, &sign, X, &order, W, &order, &zero, AW, &order));
  PetscCall(PetscLogFlops(2.0 * it->d * (PetscLogDouble)it->d * count));
  PetscFunctionReturn(0);
}

/* Appends the `count` vectors behind the basis, orthonormal to it and to each other, with their products. */
static PetscErrorCode Extend(Partial *it, PetscReal sign, const PetscReal *X, PetscInt count)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d, size = it->size;
  PetscReal *W = it->Q + (size_t)size * d, *AW = it->AQ + (size_t)size * d;
  count = NormalizeColumns(d, count, W, 0);
  for (int pass = 0; pass < 2; pass++) {
    PetscCall(Product("T", size, count, d, 1, it->Q, d, W, d, 0, it->triangle, it->most));
    PetscCall(Product("N", d, count, size, -1, it->Q, d, it->triangle, it->most, 1, W, d));
    count = NormalizeColumns(d, count, W, 1e-10);
  }
  PetscCall(OrthonormalizeBlock(it, W, &count));
  if (count == 0) PetscFunctionReturn(0);
  PetscCall(Multiply(it, sign, X, count, W, AW));
  /* H's new columns; its upper triangle is what dsyevd reads */
  PetscCall(Product("T", size + count, count, d, 1, it->Q, d, AW, d, 0, it->H + (size_t)size * it->most, it->most));
  it->size += count;
  it->columns += count;
  PetscFunctionReturn(0);
}

/* theta descending and Y: eigenpairs of H */
static PetscErrorCode RayleighRitz(Partial *it)
{
  PetscFunctionBeginUser;
  const PetscInt n = it->size, most = it->most;
  PsdEigen eigen;
  PetscCall(PsdEigenCreate(n, &eigen));
  for (PetscInt k = 0; k < n; k++) PetscCall(PetscArraycpy(it->triangle + (size_t)k * n, it->H + (size_t)k * most, n));
  PetscCall(PsdEigenSolve(eigen, it->triangle, it->theta));
  PetscCall(PsdEigenDestroy(&eigen));
  for (PetscInt k = 0; k < n; k++)
    PetscCall(PetscArraycpy(it->Y + (size_t)k * most, it->triangle + (size_t)(n - 1 - k) * n, n));
  for (PetscInt k = 0; k < n / 2; k++) {
    const PetscReal swap = it->theta[k];
    it->theta[k] = it->theta[n - 1 - k];
    it->theta[n - 1 - k] = swap;
  }
  PetscFunctionReturn(0);
}

/* U, AU <- the first `count` Ritz vectors; residual norms */
static PetscErrorCode RitzVectors(Partial *it, PetscInt count)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  PetscCall(Product("N", d, count, it->size, 1, it->Q, d, it->Y, it->most, 0, it->U, d));
  PetscCall(Product("N", d, count, it->size, 1, it->AQ, d, it->Y, it->most, 0, it->AU, d));
  for (PetscInt k = 0; k < count; k++) {
    const PetscReal *u = it->U + (size_t)k * d, *au = it->AU + (size_t)k * d;
    PetscReal square = 0;
    for (PetscInt i = 0; i < d; i++) square += (au[i] - it->theta[k] * u[i]) * (au[i] - it->theta[k] * u[i]);
    it->residual[k] = PetscSqrtReal(square);
  }
  PetscFunctionReturn(0);
}

/* The space becomes that of the first `count` Ritz vectors. */
static PetscErrorCode Restart(Partial *it, PetscInt count)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  PetscCall(PetscArraycpy(it->Q, it->U, (size_t)d * count));
  PetscCall(PetscArraycpy(it->AQ, it->AU, (size_t)d * count));
  for (PetscInt k = 0; k < count; k++)
    for (PetscInt l = 0; l <= k; l++) it->H[(size_t)k * it->most + l] = k == l ? it->theta[k] : 0;
  it->size = count;
  PetscFunctionReturn(0);
}

static PetscErrorCode AddRandom(Partial *it, PetscInt count)
{
  PetscFunctionBeginUser;
  PetscReal *W = it->Q + (size_t)it->size * it->d;
  for (size_t k = 0; k < (size_t)count * it->d; k++) PetscCall(PetscRandomGetValueReal(it->random, &W[k]));
  PetscFunctionReturn(0);
}

/* How far the search is: positive ones, and whether they and the sign change are known well enough. */
static PetscBool Settled(const Partial *it, PetscInt positive, PetscInt looked_at, PetscReal tolerance)
{
  PetscReal square = 0;
  for (PetscInt k = 0; k < positive; k++) square += it->residual[k] * it->residual[k];
  if (PetscSqrtReal(2 * square) > tolerance) return PETSC_FALSE;
  if (it->size == it->d) return PETSC_TRUE; /* all there is */
  /* the first one not wanted stays on its side of zero */
  return (PetscBool)(positive < looked_at && it->theta[positive] + it->residual[positive] <= tolerance);
}

/*
   Ritz pairs of sign X from the largest down to the first that is not positive, in the space that is there. found < 0: more
   than can be wanted, or no convergence.
*/
static PetscErrorCode Search(Partial *it, PetscReal sign, const PetscReal *X, PetscReal tolerance, PetscInt *found)
{
  PetscFunctionBeginUser;
  *found = -1;
  for (PetscInt round = 0; round < MOST_ROUNDS; round++) {
    PetscInt positive = 0;
    PetscCall(RayleighRitz(it));
    while (positive < it->size && it->theta[positive] > 0) positive++;
    if (positive > it->wanted_most) PetscFunctionReturn(0);
    const PetscInt looked_at = PetscMin(positive + GUARDS, it->size);
    PetscCall(RitzVectors(it, looked_at));
    if (Settled(it, positive, looked_at, tolerance)) {
      *found = positive;
      it->known = looked_at;
      PetscFunctionReturn(0);
    }
    /* Rayleigh-Ritz in eight blocks costs about what a product costs */
    const PetscInt limit = PetscMin(it->most, PetscMax(8 * looked_at, 48));
    if (it->size + looked_at > limit && it->size < it->d) {
      /* what is thrown away is the far side of the spectrum */
      const PetscInt keep = PetscMax(1, PetscMin(it->size, PetscMin(2 * looked_at, limit - looked_at)));
      PetscCall(RitzVectors(it, keep));
      PetscCall(Restart(it, keep));
    }
    /* residuals that are larger than their share of the tolerance */
    PetscReal *W = it->Q + (size_t)it->size * it->d;
    const PetscReal share = tolerance / (4 * PetscSqrtReal((PetscReal)PetscMax(1, positive)));
    PetscInt count = 0;
    for (PetscInt k = 0; k < looked_at && it->size + count < it->most; k++) {
      if (it->residual[k] <= share && k < positive) continue;
      const PetscReal *u = it->U + (size_t)k * it->d, *au = it->AU + (size_t)k * it->d;
      for (PetscInt i = 0; i < it->d; i++) W[(size_t)count * it->d + i] = au[i] - it->theta[k] * u[i];
      count++;
    }
    const PetscInt before = it->size;
    PetscCall(Extend(it, sign, X, count));
    if (it->size == before) {
      /* an invariant space: only something new can show whether there is more */
      const PetscInt some = PetscMin(RANDOM, PetscMin(it->most, it->d) - it->size);
      PetscCall(AddRandom(it, some));
      PetscCall(Extend(it, sign, X, some));
      if (it->size == before) PetscFunctionReturn(0);
    }
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- proof */

/* Whether -gamma I - sign X + U (Theta + (gamma + scale) I) U' is positive definite. */
static PetscErrorCode HasFactor(Partial *it, PetscReal sign, const PetscReal *X, PetscInt found, PetscReal gamma,
                                PetscReal scale, PetscBool *has)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  const PetscReal one = 1;
  PetscBLASInt order, terms, info;
  PetscCall(PetscBLASIntCast(d, &order));
  PetscCall(PetscBLASIntCast(found, &terms));
  for (PetscInt column = 0; column < d; column++) {
    const PetscReal *restrict from = X + (size_t)column * d;
    PetscReal *restrict to = it->proof + (size_t)column * d;
    for (PetscInt row = 0; row <= column; row++) to[row] = -sign * from[row];
    to[column] -= gamma;
  }
  /* AQ is free by now */
  for (PetscInt k = 0; k < found; k++)
    for (PetscInt i = 0; i < d; i++)
      it->AQ[(size_t)k * d + i] = PetscSqrtReal(it->theta[k] + gamma + scale) * it->U[(size_t)k * d + i];
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &order, &terms, &one, it->AQ, &order, &one, it->proof, &order));
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, it->proof, &order, &info));
  PetscCall(PetscLogFlops(1.0 / 3 * d * (PetscLogDouble)d * d));
  *has = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

/* Whether no more than `found` eigenvalues are positive: by the last proof if it reaches so far or is trusted, else by a new one. guard: a
   Ritz value that is not positive, or 0. */
static PetscErrorCode Prove(Partial *it, PsdBlockState *state, PetscReal sign, const PetscReal x[], const PetscReal *X,
                            PetscInt found, PetscReal guard, PetscReal tolerance, PetscBool *proved)
{
  PetscFunctionBeginUser;
  const PetscInt m = it->d * (it->d + 1) / 2;
  PsdConeProof *proof = &state->proof;
  PetscReal square = 0, norm = 0;
  *proved = PETSC_TRUE;
  for (PetscInt k = 0; k < m; k++) norm += x[k] * x[k];
  norm = PetscSqrtReal(norm);
  if (norm == 0) PetscFunctionReturn(0);
  if (proof->x && proof->sign == sign && proof->count == found) {
    for (PetscInt k = 0; k < m; k++) square += (x[k] - proof->x[k]) * (x[k] - proof->x[k]);
    const PetscReal moved = PetscSqrtReal(square);
    if (moved <= proof->margin) PetscFunctionReturn(0);
    if (moved <= NEAR * norm && ++proof->trusted < PROVE_EVERY) PetscFunctionReturn(0);
  }
  proof->trusted = 0;
  proof->margin = -guard / 2;
  if (proof->margin > 0) PetscCall(HasFactor(it, sign, X, found, proof->margin, norm, proved));
  if (proof->margin <= 0 || !*proved) {
    proof->margin = 0;
    PetscCall(HasFactor(it, sign, X, found, -2 * tolerance, norm, proved));
  }
  if (!*proved) PetscFunctionReturn(0);
  if (!proof->x) PetscCall(PetscMalloc1(m, &proof->x));
  PetscCall(PetscArraycpy(proof->x, x, m));
  proof->sign = sign;
  proof->count = found;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- projection */

/* The start: last time's vectors (the factor's, after a complete decomposition), and random ones. */
static PetscErrorCode Start(Partial *it, const PsdBlockState *state, PetscReal sign, const PetscReal *X)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d, most = PetscMin(it->most, it->wanted_most + GUARDS + RANDOM);
  PetscInt count = PetscMin(state->kept, most - RANDOM);
  it->size = 0;
  if (count > 0) {
    PetscCall(PetscArraycpy(it->Q, state->V, (size_t)d * count));
  } else if (sign > 0 && state->rank_Z > 0) {
    count = PetscMin(state->rank_Z, most - RANDOM);
    PetscCall(PetscArraycpy(it->Q, state->F, (size_t)d * count));
  }
  it->size = count;
  PetscCall(AddRandom(it, PetscMin(RANDOM, d - count)));
  it->size = 0;
  PetscCall(Extend(it, sign, X, count + PetscMin(RANDOM, d - count)));
  PetscFunctionReturn(0);
}

static PetscErrorCode SearchByEps(Partial *it, const PsdBlockState *state, PetscReal sign, PetscReal *X,
                                  PetscReal tolerance, PetscInt *found)
{
  PetscFunctionBeginUser;
  const PetscBool kept = (PetscBool)(state->kept > 0);
  const PetscInt last = sign > 0 ? PetscMax(state->rank_Z, 0) : it->d - state->rank_Z;
  const PetscInt wanted = PetscMin(last + 1, it->wanted_most);
  const PetscInt start = PetscMin(kept ? state->kept : sign > 0 ? PetscMax(state->rank_Z, 0) : 0, wanted);
  PetscInt pairs = 0, columns = 0;
  PetscCall(PsdEpsSolve(it->eps, it->team_serves, sign, X, wanted, start, kept ? state->V : state->F, tolerance,
                        PetscMin(it->wanted_most + 1, it->most), &pairs, it->theta, it->U, &columns));
  it->columns += columns;
  it->known = pairs;
  *found = 0;
  while (*found < pairs && it->theta[*found] > 0) (*found)++;
  if (*found == pairs && pairs < it->d) *found = -1;
  PetscFunctionReturn(0);
}

/* Remembers the vectors, positive ones and guards, for the next time. */
static PetscErrorCode KeepVectors(Partial *it, PsdBlockState *state, PetscInt count)
{
  PetscFunctionBeginUser;
  if (!state->V) PetscCall(PetscMalloc1((size_t)it->d * PsdConeMostKept(it->d), &state->V));
  state->kept = PetscMin(count, it->wanted_most + GUARDS);
  PetscCall(PetscArraycpy(state->V, it->U, (size_t)it->d * state->kept));
  PetscFunctionReturn(0);
}

/* Z from the side that was found: F, or, from the negative side, z = x + N with F left for later. */
static PetscErrorCode Finish(PsdCone cone, Partial *it, PsdBlockState *state, PetscReal sign, PetscInt found,
                             const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  PetscReal *factor = it->AQ;
  if (sign > 0) {
    PetscCall(PsdBlockStateReserve(state, d, found));
    factor = state->F;
  }
  for (PetscInt k = 0; k < found; k++)
    for (PetscInt i = 0; i < d; i++) factor[(size_t)k * d + i] = PetscSqrtReal(it->theta[k]) * it->U[(size_t)k * d + i];
  state->rank_Z = sign > 0 ? found : d - found;
  if (z) PetscCall(PsdPackProduct(d, found, factor, z));
  if (sign > 0) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < cone->blocks->m; k++) z[k] += x[k];
  PetscCall(PetscMalloc1(cone->blocks->m, &state->unfactored));
  PetscCall(PetscArraycpy(state->unfactored, z, cone->blocks->m));
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectCompletely(PsdCone cone, Partial *it, PsdBlockState *state, const PetscReal x[],
                                        PetscReal *X, PetscReal z[])
{
  PetscFunctionBeginUser;
  if (!it->complete) PetscCall((*PsdConeLapack.setup)(cone, &it->complete));
  PetscCall((*PsdConeLapack.project)(cone, it->complete, state, x, X, 0, z));
  state->columns = it->columns; /* what it cost to find out */
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectHere(PsdCone cone, Partial *it, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                                  PetscReal tolerance, PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  /* without z the caller wants the factor of Z itself */
  const PetscReal sign = state->rank_Z > d / 2 && z ? -1 : 1;
  const PetscInt wanted = sign > 0 ? state->rank_Z : d - state->rank_Z;
  PetscBool proved = PETSC_TRUE;
  PetscInt found = -1;
  it->columns = 0;
  /* what is random depends on block and iteration alone: a run that is continued from a file goes the same way */
  PetscCall(PetscRandomSetSeed(it->random, (unsigned long)(cone->iteration * 2 * cone->blocks->pairs + state->block)));
  PetscCall(PetscRandomSeed(it->random));
  if (state->rank_Z < 0 || wanted > it->wanted_most) {
    PetscCall(ProjectCompletely(cone, it, state, x, X, z));
    PetscFunctionReturn(0);
  }
  if (tolerance == 0) {
    found = it->known = 0; /* X = 0 */
  } else if (it->eps) {
    PetscCall(SearchByEps(it, state, sign, X, tolerance, &found));
  } else {
    PetscCall(Start(it, state, sign, X));
    PetscCall(Search(it, sign, X, tolerance, &found));
  }
  if (found >= 0) {
    const PetscReal guard = found < it->known ? it->theta[found] : 0;
    PetscCall(Prove(it, state, sign, x, X, found, guard, tolerance, &proved));
  }
  if (found < 0 || !proved) {
    PetscCall(PetscInfo(NULL, "order %" PetscInt_FMT ": %s; complete decomposition\n", d,
                        found < 0 ? "partial decomposition does not settle" : "a positive eigenvalue was missed"));
    PetscCall(ProjectCompletely(cone, it, state, x, X, z));
    PetscFunctionReturn(0);
  }
  state->columns = it->columns;
  PetscCall(KeepVectors(it, state, it->known));
  PetscCall(Finish(cone, it, state, sign, found, x, z));
  PetscFunctionReturn(0);
}

/* The team's first rank projects; the others multiply their parts of X with its vectors. */
static PetscErrorCode Project(PsdCone cone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                              PetscReal tolerance, PetscReal z[])
{
  PetscFunctionBeginUser;
  Partial *it = kernel;
  if (cone->team.rank > 0) {
    PetscCall(PsdTeamMatrixServe(it->team_matrix));
    PetscFunctionReturn(0);
  }
  it->team_serves = (PetscBool)(it->team_matrix && state->rank_Z >= 0 &&
                                (cone->choice == PSD_CONE_SLEPC || state->columns > SPREAD_COLUMNS));
  if (it->team_serves) PetscCall(PsdTeamMatrixLoad(it->team_matrix, X));
  PetscCall(ProjectHere(cone, it, state, x, X, tolerance, z));
  if (it->team_matrix) PetscCall(PsdTeamMatrixRelease(it->team_matrix));
  it->team_serves = PETSC_FALSE;
  PetscFunctionReturn(0);
}

const PsdConeOps PsdConeSlepc = {"slepc", SetUp, Project, Destroy};
