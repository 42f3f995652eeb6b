/*
   The polar of a block that is known on a subspace.

   Let B span the subspace, u = B v + w with B'w = 0, W = M1 B, and let s w'M1w <= far ||w||^2. With T = W - B C and
   t = M2 - B c for whatever C and c, w'W v = w'T v and w'M2 = w't, so that for theta > far, D = theta - far,

     theta ||u||^2 - s u'M1u - 2 s M2'u  >=  v'(theta B'B - s B'W)v - 2 s (B'M2)'v - 2 s w'(T v + t) + D ||w||^2
                                         >=  v'(theta B'B - s B'W)v - 2 s (B'M2)'v - ||T v + t||^2 / D.

   So [u;1]' s M [u;1] <= theta + phi for every unit u when, of order k + 1,

     [ theta B'B - s B'W   -s B'M2 ;  .   phi - s M4 ] - [T t]'[T t]/D   is positive semidefinite.

   This is the matrix of PsdPolarProve for s M~ = s [B'W B'M2; . M4] + [T t]'[T t]/D, but for B'B >= (1 - defect) I. It stays
   positive semidefinite when theta grows, as D does. Errors of norm e of either part are made up for by e on the diagonal.

   The theta at which theta + phi is least is found as in polar_large.c: the bound is that of the matrix
   H = [s B'W s T'; s T far I], of which u(theta) = (theta I - H)^-1 [s B'M2; s t] has the parts v and w = s (T v + t)/D.
*/
#include "schur_polar.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "blocks.h"
#include <petscblaslapack.h>

#define ACCURACY 1e-11 /* of the least theta + phi */
#define MOST_FACTORIZATIONS 80
#define NEARLY 1e-6     /* of a form that is as large as it can be */
#define FIRST_STEP 1e-5 /* a guess is the multiplier of a matrix that is singular there */

struct _p_PsdSchurPolar {
  PetscInt f, k, n;           /* n = k + 1 */
  PetscBool whole;            /* the subspace is everything: there is no w */
  int exponent;               /* all numbers below have been divided by 2^exponent */
  PetscInt leading, mixed, m; /* m = leading + mixed + 1 */
  const PetscReal *B;         /* f x k */
  const PetscReal *N;         /* (k - leading) x mixed, or NULL */
  PetscReal *rest;            /* f x m: [T P t] */
  PetscReal *inner;           /* n x n: [B'M1 B B'M2; . M4] */
  PetscReal *outer;           /* n x n: [T t]'[T t], or what is not below it */
  PetscReal far[2];
  PetscReal inner_error; /* bounds of the norms of their errors, ... */
  PetscReal outer_error;
  PetscReal defect; /* ... and of B'B - I */
  PetscReal size;   /* about ||M||, ... */
  PetscReal noise;  /* ... and what is below its errors */
  PetscBool finite;
  PetscReal *U;               /* k x k: factor of theta I - s inner - outer/D */
  PetscReal *matrix, *svec;   /* n x n, and the same packed */
  PetscReal *v, *c, *x, *rhs; /* k, n, n, k: w = [T t] c, of which [T P t] P'c is known */
};

/* What a step of the search has found at theta. */
typedef struct {
  PetscReal theta, D, form; /* form = M2'(theta I - H)^-1 M2 */
  PetscReal square, slope;  /* ||u||^2 and u'(theta I - H)^-1 u */
} Step;

/* ---------------------------------------------------------------- the small matrices */

static void ScaleBy(int exponent, size_t count, PetscReal x[])
{
  for (size_t k = 0; k < count; k++) x[k] = ldexp(x[k], -exponent);
}

static void Measure(size_t count, const PetscReal x[], PetscReal *largest, PetscReal *sum)
{
  for (size_t k = 0; k < count; k++) {
    *largest = PetscMax(*largest, PetscAbsReal(x[k]));
    *sum += PetscAbsReal(x[k]);
  }
}

/* All entries below 1, which is exact but for what underflows. */
static void Scale(PsdSchurPolar it, PsdSchurBlock *block)
{
  const size_t count = (size_t)it->f * it->m, inner = block->inner ? (size_t)it->k * it->n : 0;
  const size_t left = (size_t)(it->k - it->leading), beyond = block->beyond ? left * left : 0;
  const PetscReal others[] = {block->M4, block->error, block->inner_error, block->far[0], block->far[1]};
  PetscReal largest = 0, sum = 0, square = 0;
  Measure(sizeof(others) / sizeof(*others), others, &largest, &sum);
  Measure(count, block->W, &largest, &sum);
  Measure(inner, block->inner, &largest, &sum);
  Measure(beyond, block->beyond, &square, &sum);
  largest = PetscMax(largest, PetscSqrtReal(square));
  it->finite = (PetscBool)(sum <= PETSC_MAX_REAL);
  it->exponent = 0;
  if (!it->finite || largest == 0) return;
  (void)frexp(largest, &it->exponent);
  ScaleBy(it->exponent, count, block->W);
  ScaleBy(it->exponent, inner, block->inner);
  ScaleBy(2 * it->exponent, beyond, block->beyond);
  ScaleBy(it->exponent, 1, &block->M4);
  ScaleBy(it->exponent, 1, &block->error);
  ScaleBy(it->exponent, 1, &block->inner_error);
  ScaleBy(it->exponent, 2, block->far);
}

/* it->defect: ||B'B - I||_F, by a product in it->matrix */
static PetscErrorCode Defect(PsdSchurPolar it, PetscReal B_norm)
{
  PetscFunctionBeginUser;
  PetscCall(PsdProductTransposed(it->k, it->k, it->f, it->B, it->B, PetscMax(1, it->k), it->matrix));
  for (PetscInt j = 0; j < it->k; j++) it->matrix[(size_t)j * it->k + j] -= 1;
  it->defect = PsdNormBound(it->k * it->k, it->matrix) +
               PsdRoundings(PsdProductRoundings((PetscReal)it->f) + 1) * (B_norm * B_norm + 1);
  PetscFunctionReturn(0);
}

static PetscErrorCode Gemm(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, PetscReal alpha,
                           const PetscReal A[], PetscInt lda, const PetscReal B[], PetscInt ldb, PetscReal C[],
                           PetscInt ldc)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  const PetscInt sizes[] = {m, n, k, lda, ldb, ldc};
  PetscBLASInt s[6];
  for (int i = 0; i < 6; i++) PetscCall(PetscBLASIntCast(PetscMax(i < 3 ? 0 : 1, sizes[i]), &s[i]));
  if (m > 0 && n > 0 && k > 0)
    PetscCallBLAS("BLASgemm",
                  BLASgemm_(&transA, &transB, &s[0], &s[1], &s[2], &alpha, A, &s[3], B, &s[4], &one, C, &s[5]));
  PetscCall(PetscLogFlops(2.0 * m * n * (PetscLogDouble)k));
  PetscFunctionReturn(0);
}

/* C (rows x m) <- A [P 0; 0 1] of A, rows x n */
static PetscErrorCode TimesP(PsdSchurPolar it, PetscInt rows, const PetscReal A[], PetscReal C[])
{
  PetscFunctionBeginUser;
  const size_t L = (size_t)it->leading, k = (size_t)it->k, r = (size_t)rows;
  const PetscReal *from = A + r * L;
  PetscReal *to = C + r * L;
  PetscCall(PetscArraycpy(C, A, r * L));
  if (it->N) {
    PetscCall(PetscArrayzero(to, r * (size_t)it->mixed));
    PetscCall(
        Gemm('N', 'N', rows, it->mixed, it->k - it->leading, 1, from, rows, it->N, it->k - it->leading, to, rows));
  } else PetscCall(PetscArraycpy(to, from, r * (k - L)));
  PetscCall(PetscArraycpy(C + r * (size_t)(it->m - 1), A + r * k, r));
  PetscFunctionReturn(0);
}

/* [T P t] <- W - B C, C the first k rows of `inner` times P. */
static PetscErrorCode Subtract(PsdSchurPolar it)
{
  PetscFunctionBeginUser;
  PetscReal *rows, *C;
  PetscCall(PetscMalloc2((size_t)it->k * it->n, &rows, (size_t)it->k * it->m, &C));
  for (PetscInt j = 0; j < it->n; j++)
    PetscCall(PetscArraycpy(rows + (size_t)j * it->k, it->inner + (size_t)j * it->n, it->k));
  PetscCall(TimesP(it, it->k, rows, C));
  PetscCall(Gemm('N', 'N', it->f, it->m, it->k, -1, it->B, it->f, C, it->k, it->rest, it->f));
  PetscCall(PetscFree2(rows, C));
  PetscFunctionReturn(0);
}

/* The last row of `inner`, and its mean with its transpose. */
static void Symmetrize(PsdSchurPolar it, PetscReal M4)
{
  const size_t n = (size_t)it->n, k = (size_t)it->k;
  for (size_t j = 0; j < k; j++) {
    for (size_t i = 0; i < j; i++)
      it->inner[j * n + i] = it->inner[i * n + j] = (it->inner[j * n + i] + it->inner[i * n + j]) / 2;
    it->inner[j * n + k] = it->inner[k * n + j];
  }
  it->inner[k * n + k] = M4;
}

/* The first k rows of `inner`, as they are given, or B'W. */
static PetscErrorCode MakeInner(PsdSchurPolar it, const PsdSchurBlock *block, PetscReal B_norm, PetscReal W_norm)
{
  PetscFunctionBeginUser;
  const size_t n = (size_t)it->n, k = (size_t)it->k;
  const PetscReal f = (PetscReal)it->f, rounds = PsdRoundings(PsdProductRoundings(f) + 2);
  PetscCall(PetscArrayzero(it->inner, n * n));
  if (!block->inner) {
    PetscCall(PsdProductTransposed(it->k, it->n, it->f, it->B, it->rest, it->n, it->inner));
    it->inner_error =
        (2 + it->defect) * block->error + rounds * (B_norm * W_norm + PsdNormBound(it->n * it->n, it->inner));
    PetscFunctionReturn(0);
  }
  for (size_t j = 0; j <= k; j++)
    for (size_t i = 0; i < k; i++) it->inner[j * n + i] = block->inner[j < k && j < i ? i * k + j : j * k + i];
  /* M4, and what of B'M2 is there twice */
  it->inner_error = 2 * block->inner_error + block->error;
  PetscFunctionReturn(0);
}

/* `whole` (n x n) <- P A P' of A, m x m */
static PetscErrorCode Spread(PsdSchurPolar it, const PetscReal A[], PetscReal whole[])
{
  PetscFunctionBeginUser;
  const PetscInt L = it->leading, left = it->k - L, mixed = it->mixed, m = it->m, n = it->n;
  PetscReal *half;
  PetscCall(PetscCalloc1((size_t)n * m, &half)); /* P A */
  for (PetscInt j = 0; j < m; j++) {
    PetscCall(PetscArraycpy(half + (size_t)j * n, A + (size_t)j * m, L));
    half[(size_t)j * n + n - 1] = A[(size_t)j * m + m - 1];
  }
  PetscCall(Gemm('N', 'N', left, m, mixed, 1, it->N, left, A + L, m, half + L, n));
  PetscCall(PetscArrayzero(whole, (size_t)n * n));
  PetscCall(PetscArraycpy(whole, half, (size_t)n * L));
  PetscCall(PetscArraycpy(whole + (size_t)n * (n - 1), half + (size_t)n * (m - 1), n));
  PetscCall(Gemm('N', 'T', n, left, mixed, 1, half + (size_t)n * L, n, it->N, left, whole + (size_t)n * L, n));
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

/* A <- (I - NN') A (I - NN'), symmetric of order k - L, both triangles. */
static PetscErrorCode Deflate(PsdSchurPolar it, PetscReal A[])
{
  PetscFunctionBeginUser;
  const PetscInt left = it->k - it->leading, mixed = it->mixed;
  PetscReal *AN, *NA;
  PetscCall(PetscMalloc2((size_t)left * mixed, &AN, (size_t)left * mixed, &NA));
  PetscCall(PetscArrayzero(AN, (size_t)left * mixed));
  PetscCall(Gemm('N', 'N', left, mixed, left, 1, A, left, it->N, left, AN, left));
  PetscCall(Gemm('N', 'T', left, left, mixed, -1, AN, left, it->N, left, A, left));
  PetscCall(PetscArrayzero(NA, (size_t)left * mixed));
  PetscCall(Gemm('T', 'N', mixed, left, left, 1, it->N, left, A, left, NA, mixed));
  PetscCall(Gemm('N', 'N', left, left, mixed, -1, it->N, left, NA, mixed, A, left));
  PetscCall(PetscFree2(AN, NA));
  PetscFunctionReturn(0);
}

/* Doubles `outer`, as it stands for half of ||T v + t||^2, and adds what P leaves out; the error of that. */
static PetscErrorCode AddBeyond(PsdSchurPolar it, PetscReal beyond[], PetscReal N_square)
{
  PetscFunctionBeginUser;
  const PetscInt L = it->leading, left = it->k - L;
  const size_t n = (size_t)it->n, width = (size_t)left;
  for (size_t j = 0; j < width; j++)
    for (size_t i = 0; i < j; i++) beyond[i * width + j] = beyond[j * width + i];
  const PetscReal norm = PsdNormBound(left * left, beyond), projector = 1 + N_square;
  PetscCall(Deflate(it, beyond));
  for (size_t k = 0; k < n * n; k++) it->outer[k] *= 2;
  for (size_t j = 0; j < width; j++)
    for (size_t i = 0; i < width; i++)
      it->outer[(j + (size_t)L) * n + i + (size_t)L] += beyond[j * width + i] + beyond[i * width + j];
  it->outer_error = 2 * it->outer_error + PsdRoundings(8 * ((PetscReal)left + 4)) * projector * projector * norm;
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdSchurPolar it, const PsdSchurBlock *block)
{
  PetscFunctionBeginUser;
  const PetscInt entries = it->f * it->m, left = it->k - it->leading;
  const PetscReal f = (PetscReal)it->f, n = (PetscReal)it->n, lost = f * n * n * PSD_TINY;
  const PetscReal B_norm = PsdNormBound(it->f * it->k, it->B), W_norm = PsdNormBound(entries, it->rest);
  const PetscReal N_square = it->N ? PetscSqr(PsdNormBound(left * it->mixed, it->N)) : 0;
  const PetscReal P_square = 1 + N_square, rounds = PsdRoundings(PsdProductRoundings(f) + 2);
  PetscCall(Defect(it, B_norm));
  PetscCall(MakeInner(it, block, B_norm, W_norm));
  const PetscReal C_norm = PsdNormBound(it->n * it->n, it->inner);
  PetscCall(Subtract(it));
  const PetscReal rest = PsdNormBound(entries, it->rest);
  const PetscReal rest_error =
      block->error + PsdRoundings(n + 2) * (W_norm + B_norm * C_norm * PetscSqrtReal(P_square)) + lost;
  PetscReal *small = it->N ? it->matrix : it->outer;
  PetscCall(PsdProductTransposed(it->m, it->m, it->f, it->rest, it->rest, it->m, small));
  it->outer_error = (2 * rest + rest_error) * rest_error + rounds * rest * rest + lost;
  it->inner_error += lost;
  if (!it->N) PetscFunctionReturn(0);
  PetscCall(Spread(it, small, it->outer));
  it->outer_error = P_square * (it->outer_error + PsdRoundings(2 * n + 4) * rest * rest);
  PetscCall(AddBeyond(it, block->beyond, N_square));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSchurPolarCreate(const PsdSchurBlock *block, PsdSchurPolar *polar)
{
  PetscFunctionBeginUser;
  PsdSchurPolar it;
  PsdSchurBlock scaled = *block;
  PetscCall(PetscNew(&it));
  it->f = block->f;
  it->k = block->k;
  it->n = it->k + 1;
  it->leading = block->leading;
  it->mixed = block->mixed;
  it->m = it->leading + it->mixed + 1;
  it->whole = (PetscBool)(it->k == it->f);
  it->B = block->B;
  it->N = block->N;
  it->rest = block->W;
  const size_t k = (size_t)it->k, n = (size_t)it->n;
  PetscCall(PetscMalloc4(n * n, &it->inner, n * n, &it->outer, k * k, &it->U, n * n, &it->matrix));
  PetscCall(PetscMalloc5(n * (n + 1) / 2, &it->svec, k, &it->v, n, &it->c, n, &it->x, k, &it->rhs));
  Scale(it, &scaled);
  if (it->B) {
    PetscCall(Project(it, &scaled));
  } else {
    for (PetscInt j = 0; j < it->n; j++)
      PetscCall(PetscArraycpy(it->inner + (size_t)j * n, it->rest + (size_t)j * k, it->k));
    it->inner_error = 2 * scaled.error + PsdRoundings(2) * PsdNormBound(it->f * it->n, it->rest);
  }
  if (it->whole) {
    PetscCall(PetscArrayzero(it->outer, n * n));
    it->outer_error = 0;
  }
  Symmetrize(it, scaled.M4);
  PetscCall(PetscArraycpy(it->far, scaled.far, 2));
  for (PetscInt j = 0; j < it->n; j++) it->size += it->outer[(size_t)j * n + j];
  it->noise = it->inner_error + PetscSqrtReal(it->outer_error);
  it->size = PsdNormBound(it->n * it->n, it->inner) + 2 * PetscSqrtReal(it->size) + PetscMax(it->far[0], it->far[1]) +
             it->noise;
  *polar = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSchurPolarDestroy(PsdSchurPolar *polar)
{
  PetscFunctionBeginUser;
  PsdSchurPolar it = *polar;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PetscFree4(it->inner, it->outer, it->U, it->matrix));
  PetscCall(PetscFree5(it->svec, it->v, it->c, it->x, it->rhs));
  PetscCall(PetscFree(*polar));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the search */

static PetscReal Far(const PsdSchurPolar it, PetscReal s)
{
  return it->far[s > 0 ? 0 : 1];
}

/* theta - far, rounded down; infinite where there is no complement */
static PetscReal Distance(const PsdSchurPolar it, PetscReal s, PetscReal theta)
{
  return it->whole ? INFINITY : (theta - Far(it, s)) * (1 - PsdRoundings(4));
}

/* U <- Cholesky factor of theta I - s inner - outer/D, order k; whether there is one. */
static PetscErrorCode Factor(PsdSchurPolar it, PetscReal s, PetscReal theta, PetscReal D, PetscBool *definite)
{
  PetscFunctionBeginUser;
  PetscBLASInt order, ld, info = 0;
  PetscCall(PetscBLASIntCast(it->k, &order));
  ld = PetscMax(1, order);
  for (PetscInt j = 0; j < it->k; j++) {
    const PetscReal *inner = it->inner + (size_t)j * it->n, *outer = it->outer + (size_t)j * it->n;
    PetscReal *to = it->U + (size_t)j * it->k;
    for (PetscInt i = 0; i <= j; i++) to[i] = -s * inner[i] - outer[i] / D;
    to[j] += theta;
  }
  if (order > 0) PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, it->U, &ld, &info));
  PetscCall(PetscLogFlops(1.0 / 3 * it->k * (PetscLogDouble)it->k * it->k));
  *definite = (PetscBool)(info == 0);
  PetscFunctionReturn(0);
}

/* x <- (U'U)^-1 x, and ||U'^-1 x||^2 */
static PetscErrorCode Solve(PsdSchurPolar it, PetscReal x[], PetscReal *form)
{
  PetscFunctionBeginUser;
  const PetscBLASInt one = 1;
  const PetscReal unit = 1;
  PetscBLASInt order;
  *form = 0;
  if (it->k == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(it->k, &order));
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "T", "N", &order, &one, &unit, it->U, &order, x, &order));
  *form = PsdSquare(it->k, x);
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", "N", "N", &order, &one, &unit, it->U, &order, x, &order));
  PetscFunctionReturn(0);
}

/* y <- outer x, of order n */
static PetscErrorCode Outer(PsdSchurPolar it, const PetscReal x[], PetscReal y[])
{
  PetscFunctionBeginUser;
  const PetscBLASInt one = 1;
  const PetscReal unit = 1, zero = 0;
  PetscBLASInt n;
  PetscCall(PetscBLASIntCast(it->n, &n));
  PetscCallBLAS("BLASgemv", BLASgemv_("N", &n, &n, &unit, it->outer, &n, x, &one, &zero, y, &one));
  PetscFunctionReturn(0);
}

static PetscReal Dot(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;
  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* (v, c) <- (theta I - H)^-1 (v, c), w = [T t] c: with S = U'U, S v_new = v + s T'w/D, w_new = (w + s T v_new)/D. The dot
   product of the two goes to *product. */
static PetscErrorCode Invert(PsdSchurPolar it, PetscReal s, PetscReal D, PetscReal *product)
{
  PetscFunctionBeginUser;
  PetscReal form;
  PetscCall(Outer(it, it->c, it->x)); /* [T t]'w */
  const PetscReal w_square = Dot(it->n, it->c, it->x);
  for (PetscInt i = 0; i < it->k; i++) it->rhs[i] = it->v[i] + s * it->x[i] / D;
  PetscCall(PetscArraycpy(it->v, it->rhs, it->k));
  PetscCall(Solve(it, it->v, &form));
  *product = form + w_square / D;
  for (PetscInt i = 0; i < it->n; i++) it->c[i] = (it->c[i] + (i < it->k ? s * it->v[i] : 0)) / D;
  PetscFunctionReturn(0);
}

/* v and c of u(theta); U is the factor at theta. */
static PetscErrorCode SolveAt(PsdSchurPolar it, PetscReal s, Step *step)
{
  PetscFunctionBeginUser;
  const PetscReal *inner = it->inner + (size_t)it->k * it->n, *outer = it->outer + (size_t)it->k * it->n;
  for (PetscInt i = 0; i < it->k; i++) it->v[i] = s * inner[i] + outer[i] / step->D;
  PetscCall(Solve(it, it->v, &step->form));
  step->form += outer[it->k] / step->D;
  for (PetscInt i = 0; i < it->n; i++) it->c[i] = s * (i < it->k ? it->v[i] : 1) / step->D;
  PetscCall(Outer(it, it->c, it->x));
  step->square = PsdSquare(it->k, it->v) + Dot(it->n, it->c, it->x);
  PetscFunctionReturn(0);
}

/* u'(theta I - H)^-1 u; v and c are lost. */
static PetscErrorCode SlopeAt(PsdSchurPolar it, PetscReal s, Step *step)
{
  PetscFunctionBeginUser;
  PetscCall(Invert(it, s, step->D, &step->slope));
  PetscFunctionReturn(0);
}

/* An interval that has the minimiser in it. Not below the spectrum of H: what its diagonal says. Not above it: its norm, and
   ||M2||, with which phi is at most ||M2|| there. */
static void Bracket(const PsdSchurPolar it, PetscReal s, PetscReal *low, PetscReal *high, PetscReal *linear)
{
  const size_t n = (size_t)it->n, k = (size_t)it->k;
  PetscReal inner = 0, trace = 0, square = it->outer[k * n + k];
  *low = it->whole ? -it->size : Far(it, s) + PetscSqrtReal(it->outer_error);
  for (size_t j = 0; j < k; j++) {
    inner += PsdSquare(it->k, it->inner + j * n);
    trace += it->outer[j * n + j];
    square += it->inner[k * n + j] * it->inner[k * n + j];
    *low = PetscMax(*low, s * it->inner[j * n + j]);
  }
  *linear = PetscSqrtReal(square);
  *high = (PetscMax(PetscSqrtReal(inner), it->whole ? 0 : Far(it, s)) + PetscSqrtReal(trace)) * (1 + 1e-10) + *linear +
          1e-12 * it->size + 2 * it->noise;
}

/* Where to go on after a theta that is not above the spectrum: by growing steps until one is, then by halves. */
static PetscReal Above(PetscReal theta, PetscReal high, PetscBool seen, PetscReal *step)
{
  const PetscReal next = theta + *step;
  *step *= 4;
  return seen || next >= high ? theta + (high - theta) / 2 : next;
}

/* side <- theta and phi, M4 apart, of the least theta + phi, or of one that is below `level`, not proved. */
static PetscErrorCode Search(PsdSchurPolar it, PetscReal s, PetscReal level, PsdPolarSide *side)
{
  PetscFunctionBeginUser;
  const PetscReal guess = side->theta;
  PetscReal low, high, linear;
  PetscBool seen = PETSC_FALSE; /* high is a theta that was tried */
  Bracket(it, s, &low, &high, &linear);
  *side = (PsdPolarSide){high, linear};
  PetscReal theta = guess > low && guess < high ? guess * (1 + FIRST_STEP) : low + 0.3 * (high - low);
  PetscReal step = 4 * FIRST_STEP * (PetscAbsReal(theta) + 1e-3 * it->size);
  for (int count = 0; count < MOST_FACTORIZATIONS && side->theta + side->phi > level; count++) {
    Step at = {.theta = theta, .D = Distance(it, s, theta)};
    PetscBool definite = PETSC_FALSE;
    if (at.D > 0) PetscCall(Factor(it, s, theta, at.D, &definite));
    if (!definite) {
      low = theta;
      theta = Above(theta, high, seen, &step);
      if (high - low <= 4 * PETSC_MACHINE_EPSILON * it->size) break;
      continue;
    }
    PetscCall(SolveAt(it, s, &at));
    const PetscReal length = PetscSqrtReal(at.square), bound = theta + at.form;
    if (bound < side->theta + side->phi) *side = (PsdPolarSide){theta, at.form};
    if (length < 1) {
      high = theta;
      seen = PETSC_TRUE;
    } else low = theta;
    if (high - low <= ACCURACY * it->size) break;
    /* what the form of H has at u/length: when that is the bound, it is the least one */
    if (length > 0 && bound - (theta - at.form / at.square + 2 * at.form / length) <= ACCURACY * it->size) break;
    PetscReal next = low;
    if (length > 0) {
      PetscCall(SlopeAt(it, s, &at));
      next = theta + at.square / at.slope * (length - 1);
    }
    theta = next > low && next < high ? next : low + (high - low) / 2;
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the proof */

/* Raises theta and phi until they are proved for M itself. */
static PetscErrorCode Prove(PsdSchurPolar it, PetscReal s, PsdPolarSide *side)
{
  PetscFunctionBeginUser;
  const size_t entries = (size_t)it->n * it->n;
  const PetscReal D = Distance(it, s, side->theta);
  PetscReal *work;
  if (!(D > 0) || !(it->defect < 0.25)) {
    side->theta = side->phi = INFINITY;
    PetscFunctionReturn(0);
  }
  for (size_t i = 0; i < entries; i++) it->matrix[i] = s * it->inner[i] + it->outer[i] / D;
  PsdPack(it->n, it->matrix, it->svec);
  const PetscReal rounding =
      PsdRoundings(8) * (PsdNormBound(it->n * it->n, it->inner) + PsdNormBound(it->n * it->n, it->outer) / D);
  PetscCall(PetscMalloc1(entries, &work));
  PetscCall(PsdPolarProve(it->k, it->svec, 1, work, side));
  PetscCall(PetscFree(work));
  const PetscReal error = PsdRoundUp(it->inner_error + it->outer_error / D + rounding);
  side->theta += error;
  side->phi += error + PsdRoundings(2) * PetscAbsReal(side->phi);
  side->theta += (2 * it->defect + PsdRoundings(4)) * PetscAbsReal(side->theta);
  if (!(PetscAbsReal(side->theta) + PetscAbsReal(side->phi) <= PETSC_MAX_REAL)) side->theta = side->phi = INFINITY;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- where the form is large */

static PetscReal Length(PsdSchurPolar it)
{
  (void)Outer(it, it->c, it->x);
  return PetscSqrtReal(PetscMax(0, PsdSquare(it->k, it->v) + Dot(it->n, it->c, it->x)));
}

/* u += scale (B v + [T P t] P'c) */
static PetscErrorCode Lift(PsdSchurPolar it, PetscReal scale, PetscReal u[])
{
  PetscFunctionBeginUser;
  PetscReal *c;
  if (!it->B)
    for (PetscInt i = 0; i < it->f; i++) u[i] += scale * it->v[i];
  else PetscCall(Gemm('N', 'N', it->f, 1, it->k, scale, it->B, it->f, it->v, it->k, u, it->f));
  if (it->whole) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(it->m, &c));
  PetscCall(TimesP(it, 1, it->c, c)); /* (P'c)' = c'P */
  PetscCall(Gemm('N', 'N', it->f, 1, it->m, scale, it->rest, it->f, c, it->m, u, it->f));
  PetscCall(PetscFree(c));
  PetscFunctionReturn(0);
}

/* u <- a unit vector along x */
static void Normalize(PetscInt f, PetscReal u[])
{
  const PetscReal length = PetscSqrtReal(PsdSquare(f, u));
  for (PetscInt i = 0; i < f; i++) u[i] = length > 0 ? u[i] / length : (i == 0);
}

/* v and c <- the eigenvector of H's largest eigenvalue among the vectors that they can say, by inverse iteration at theta, whose
   factor is there; its eigenvalue. */
static PetscErrorCode Eigenvector(PsdSchurPolar it, PetscReal s, const Step *at, PetscReal *lambda)
{
  PetscFunctionBeginUser;
  enum { STEPS = 6 };
  PetscReal product;
  for (PetscInt i = 0; i < it->k; i++) it->v[i] = 1 + (PetscReal)(i * 7 % 11) / 11; /* at right angles to nothing */
  PetscCall(PetscArrayzero(it->c, it->n));
  *lambda = PETSC_MIN_REAL;
  for (int step = 0; step < STEPS; step++) {
    const PetscReal length = Length(it);
    if (!(length > 0)) PetscFunctionReturn(0);
    for (PetscInt i = 0; i < it->k; i++) it->v[i] /= length;
    for (PetscInt i = 0; i < it->n; i++) it->c[i] /= length;
    PetscCall(Invert(it, s, at->D, &product));
    *lambda = at->theta - 1 / product;
  }
  PetscFunctionReturn(0);
}

/* z <- a vector with B'z = 0 */
static PetscErrorCode Outside(PsdSchurPolar it, PetscReal z[])
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < it->f; i++) z[i] = 1 + (PetscReal)(i * 7 % 11) / 11;
  for (int twice = 0; twice < 2; twice++)
    for (PetscInt j = 0; j < it->k; j++) {
      const PetscReal *b = it->B + (size_t)j * it->f, along = Dot(it->f, b, z);
      for (PetscInt i = 0; i < it->f; i++) z[i] -= along * b[i];
    }
  PetscFunctionReturn(0);
}

/* A unit vector along which H is as large as it can be. Beyond the subspace and [T t] it is `far`. */
static PetscErrorCode Top(PsdSchurPolar it, PetscReal s, const Step *at, PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscReal lambda;
  PetscCall(Eigenvector(it, s, at, &lambda));
  PetscCall(PetscArrayzero(z, it->f));
  /* where T is nothing but rounding, an eigenvector in its range would be as well */
  if (!it->whole && (it->k == 0 || Far(it, s) > lambda - NEARLY * it->size)) PetscCall(Outside(it, z));
  else PetscCall(Lift(it, 1, z));
  Normalize(it->f, z);
  PetscFunctionReturn(0);
}

/* u(theta); where it is short (the hard case), with as much of the eigenvector as makes its length 1. */
static PetscErrorCode FindVector(PsdSchurPolar it, PetscReal s, PetscReal theta, PetscReal u[])
{
  PetscFunctionBeginUser;
  Step at = {.theta = theta, .D = Distance(it, s, theta)};
  PetscBool definite = PETSC_FALSE;
  PetscCall(PetscArrayzero(u, it->f));
  if (at.D > 0) PetscCall(Factor(it, s, theta, at.D, &definite));
  if (definite) {
    PetscReal *z;
    PetscCall(SolveAt(it, s, &at));
    PetscCall(Lift(it, 1, u));
    if (at.square < 1) {
      PetscCall(PetscMalloc1(it->f, &z));
      PetscCall(Top(it, s, &at, z));
      /* ||u + more z|| = 1: of the two, the shorter way */
      const PetscReal along = Dot(it->f, u, z), left = 1 - at.square;
      const PetscReal more = left / (PetscAbsReal(along) + PetscSqrtReal(along * along + left));
      for (PetscInt i = 0; i < it->f; i++) u[i] += (along < 0 ? -more : more) * z[i];
      PetscCall(PetscFree(z));
    }
  }
  Normalize(it->f, u);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdSchurPolarBound(PsdSchurPolar it, PetscReal s, PetscReal level, PsdSchurSide *side)
{
  PetscFunctionBeginUser;
  const PetscReal M4 = s * it->inner[(size_t)it->n * it->n - 1];
  PsdPolarSide found = {ldexp(side->side.theta, -it->exponent), 0};
  if (side->u) PetscCall(PetscArrayzero(side->u, it->f));
  if (!it->finite || it->size == 0) {
    side->side.theta = side->side.phi = side->computed = it->finite ? 0 : INFINITY;
    PetscFunctionReturn(0);
  }
  PetscCall(Search(it, s, ldexp(level, -it->exponent) - M4, &found));
  if (side->u) PetscCall(FindVector(it, s, found.theta, side->u));
  found.phi += M4;
  side->computed = ldexp(found.theta + found.phi, it->exponent);
  PetscCall(Prove(it, s, &found));
  side->side = (PsdPolarSide){ldexp(found.theta, it->exponent), ldexp(found.phi, it->exponent)};
  PetscFunctionReturn(0);
}
