/*
   A Newton iteration on the central path.

   The two matrices of a pair are diagonalised together, V'X V = I and V'X'V = diag(b): in the coordinates of V the second
   derivatives of both log determinants are diagonal, 1 and 1/(b_i b_j), and features become svec(V'Phi V).
*/
#include "central.h"
#include <math.h>
#include "base/eigen.h"
#include "base/gemm.h"
#include "newton_system.h"
#include <petscblaslapack.h>

#define SHRINK 0.15     /* mu, from centre to centre */
#define CENTRAL 1       /* decrement over mu, from which on a full step has ended at a centre */
#define LEAST_MU 1e-15  /* of where it begins */
#define INSIDE 0.95     /* of the way to the boundary */
#define ARMIJO 1e-4     /* of the gain that the slope promises */
#define START_SIZE 0.25 /* of beta: the norm of all smat(A'nu) at the start */
#define MOST_HALVINGS 40
/* What has come much too near to the boundary comes away from it by doubling its distance. The steps to a centre may become as many
   as the samples, and are not more than this many where directions are right. */
#define MOST_STEPS(n) (100 + 2 * (n))

struct _p_PsdCentral {
  PsdBlocks blocks;
  const PsdLoss *loss;
  PetscInt n, C, D, groups, group; /* groups of `group` classes that go together */
  PetscInt *at;                    /* G + 1: regions in D */
  PetscReal *A, *Y;
  PsdCentralPoint point;
  PsdEigen eigen;
  PsdNewtonSystem system;

  PetscReal *M;                /* A'nu: C columns of D */
  PetscReal *V, *b;            /* pairs x d_max^2, pairs x d_max */
  PetscReal *J;                /* C x D: svec(V'JV) */
  PetscReal *Psi;              /* C x n x D */
  PetscReal *Q, *S0, *u[2];    /* C x D */
  PetscReal *weight, *r3;      /* C x G x 2 */
  PetscReal *slope, *H;        /* C x n, by classes */
  PetscReal *dnu, *S, *r2;     /* C x n; C x D; C x D */
  PetscReal *dtheta;           /* C x G x 2 */
  PetscReal *change;           /* eigenvalues of all relative changes: pairs x 2 x d_max */
  PetscReal *by_sample[3];     /* n x C: work */
  PetscReal *full[3], *lambda; /* d_max^2; d_max */
  PetscReal *Z, *values;       /* eigenvectors and values of all Z: 2 pairs x d_max^2, 2 pairs x d_max */
  PetscReal largest;           /* of the values */
  PetscBool decomposed;        /* they are of the direction at hand */
};

static PetscInt Groups(const PsdLoss *loss, PetscInt C)
{
  return loss->ops->separable || C == 1 ? C : 1;
}

/* Where pair number t G + g has its svecs in C x D */
static size_t PairAt(PsdCentral it, PetscInt pair)
{
  const PetscInt G = it->blocks->G;
  return (size_t)(pair / G) * it->D + (size_t)it->at[pair % G];
}

PetscErrorCode PsdCentralCreate(PsdBlocks blocks, const PsdLoss *loss, PetscInt n, PetscReal *A, PetscReal *Y,
                                PsdCentral *central)
{
  PetscFunctionBeginUser;
  PsdCentral it;
  PetscCall(PetscNew(&it));
  it->blocks = blocks;
  it->loss = loss;
  it->n = n;
  it->C = blocks->C;
  it->D = blocks->D;
  it->groups = Groups(loss, it->C);
  it->group = it->C / it->groups;
  it->A = A;
  it->Y = Y;
  const size_t samples = (size_t)n * it->C, features = (size_t)it->D * it->C, pairs = (size_t)blocks->pairs;
  const size_t square = (size_t)blocks->d_max * blocks->d_max;
  PetscCall(PetscMalloc1(blocks->G + 1, &it->at));
  for (PetscInt g = 0; g < blocks->G; g++) it->at[g] = blocks->region[g].at;
  it->at[blocks->G] = it->D;
  PetscCall(PetscMalloc5(samples, &it->point.nu, 2 * pairs, &it->point.theta, features, &it->M, pairs * square, &it->V,
                         pairs * blocks->d_max, &it->b));
  PetscCall(PetscMalloc6(features, &it->J, samples * it->D, &it->Psi, features, &it->Q, features, &it->S0, features,
                         &it->u[0], features, &it->u[1]));
  PetscCall(PetscMalloc6(2 * pairs, &it->weight, 2 * pairs, &it->r3, samples, &it->slope, samples, &it->H, samples,
                         &it->dnu, features, &it->S));
  PetscCall(PetscMalloc4(features, &it->r2, 2 * pairs, &it->dtheta, 2 * pairs * blocks->d_max, &it->change,
                         blocks->d_max, &it->lambda));
  PetscCall(PetscMalloc6(samples, &it->by_sample[0], samples, &it->by_sample[1], samples, &it->by_sample[2], square,
                         &it->full[0], square, &it->full[1], square, &it->full[2]));
  PetscCall(PetscMalloc2(2 * pairs * square, &it->Z, 2 * pairs * blocks->d_max, &it->values));
  PetscCall(PsdEigenCreate(blocks->d_max, &it->eigen));
  PetscCall(PsdNewtonSystemCreate(n, it->group, blocks->G, it->at, &it->system));
  *central = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralDestroy(PsdCentral *central)
{
  PetscFunctionBeginUser;
  PsdCentral it = *central;
  if (!it) PetscFunctionReturn(0);
  PetscCall(PsdNewtonSystemDestroy(&it->system));
  PetscCall(PsdEigenDestroy(&it->eigen));
  PetscCall(PetscFree6(it->by_sample[0], it->by_sample[1], it->by_sample[2], it->full[0], it->full[1], it->full[2]));
  PetscCall(PetscFree4(it->r2, it->dtheta, it->change, it->lambda));
  PetscCall(PetscFree6(it->weight, it->r3, it->slope, it->H, it->dnu, it->S));
  PetscCall(PetscFree6(it->J, it->Psi, it->Q, it->S0, it->u[0], it->u[1]));
  PetscCall(PetscFree5(it->point.nu, it->point.theta, it->M, it->V, it->b));
  PetscCall(PetscFree2(it->Z, it->values));
  PetscCall(PetscFree(it->at));
  PetscCall(PetscFree(it->A));
  PetscCall(PetscFree(it->Y));
  PetscCall(PetscFree(*central));
  PetscFunctionReturn(0);
}

PsdCentralPoint *PsdCentralGetPoint(PsdCentral central)
{
  return &central->point;
}

const PetscReal *PsdCentralGetTargets(PsdCentral central)
{
  return central->Y;
}

/* ---------------------------------------------------------------- the point */

/* M = A'nu, C columns of D, nu being n x C row-major */
static PetscErrorCode Adjoint(PsdCentral it, const PetscReal nu[], PetscReal M[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'T', it->D, it->C, it->n, it->A, it->D, nu, it->C, M, it->D));
  PetscFunctionReturn(0);
}

static PetscReal DualValue(PsdCentral it, PetscReal mu, const PetscReal nu[])
{
  return (*it->loss->ops->dual_barrier)(it->loss, it->n, it->C, mu, nu, it->Y, NULL, NULL);
}

/* L(0) shared by all barriers: a gap of the order of the objective. */
static PetscErrorCode FindFirstMu(PsdCentral it)
{
  PetscFunctionBeginUser;
  PetscReal barriers = 2 * (PetscReal)it->n * (PetscReal)it->C;
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++)
    barriers += 2 * (PetscReal)it->blocks->region[pair % it->blocks->G].d;
  PetscCall(PetscArrayzero(it->by_sample[0], (size_t)it->n * it->C));
  it->point.first_mu = (*it->loss->ops->value)(it->loss, it->n, it->C, it->by_sample[0], it->Y) / barriers;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralStart(PsdCentral it, PetscReal beta, const PetscReal nu0[])
{
  PetscFunctionBeginUser;
  PetscReal largest = 0;
  PetscCall(Adjoint(it, nu0, it->M));
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++)
    largest = PetscMax(largest,
                       PetscSqrtReal(PsdSquare(it->blocks->region[pair % it->blocks->G].m, it->M + PairAt(it, pair))));
  const PetscReal part = largest > 0 ? PetscMin(0.5, START_SIZE * beta / largest) : 0.5;
  for (size_t k = 0; k < (size_t)it->n * it->C; k++) it->point.nu[k] = part * nu0[k];
  for (PetscInt k = 0; k < 2 * it->blocks->pairs; k++) it->point.theta[k] = beta / 2;
  PetscCall(FindFirstMu(it));
  it->point.beta = beta;
  it->point.mu = it->point.first_mu;
  it->point.steps = 0;
  it->point.value = DualValue(it, 0, it->point.nu);
  PetscFunctionReturn(0);
}

/* X of one pair and sign, both triangles. */
static void FormX(PsdCentral it, PetscInt pair, PetscInt s, PetscReal X[])
{
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  const size_t d = (size_t)shape.d;
  const PetscReal theta = it->point.theta[2 * pair + s], sign = s == 0 ? -1 : 1;
  PsdUnpack(shape.d, it->M + PairAt(it, pair), X);
  for (size_t j = 0; j < d; j++)
    for (size_t i = 0; i <= j; i++) X[i * d + j] = X[j * d + i] *= sign;
  for (size_t k = 0; k < d; k++) X[k * d + k] += k + 1 < d ? theta : it->point.beta - theta;
}

static void Transpose(PetscInt d, PetscReal X[])
{
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = 0; i < j; i++) {
      const PetscReal x = X[i * d + j];
      X[i * d + j] = X[j * d + i];
      X[j * d + i] = x;
    }
}

/* X <- R'^-1 X, or R^-1 X, of the upper triangle R */
static PetscErrorCode SolveTriangle(char trans, PetscInt order, const PetscReal R[], PetscReal X[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt d;
  PetscCall(PetscBLASIntCast(order, &d));
  PetscCallBLAS("BLAStrsm", BLAStrsm_("L", "U", &trans, "N", &d, &d, &one, R, &d, X, &d));
  PetscFunctionReturn(0);
}

/* V and b of a pair: X = R'R, R'^-1 X' R^-1 = W diag(b) W', V = R^-1 W */
static PetscErrorCode Diagonalise(PsdCentral it, PetscInt pair, PetscBool *done)
{
  PetscFunctionBeginUser;
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  PetscReal *R = it->full[0], *W = it->V + (size_t)pair * it->blocks->d_max * it->blocks->d_max;
  PetscReal *b = it->b + (size_t)pair * it->blocks->d_max;
  PetscBLASInt d, info;
  PetscCall(PetscBLASIntCast(shape.d, &d));
  FormX(it, pair, 0, R);
  FormX(it, pair, 1, W);
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &d, R, &d, &info));
  *done = (PetscBool)(info == 0);
  if (!*done) PetscFunctionReturn(0);
  PetscCall(SolveTriangle('T', shape.d, R, W));
  Transpose(shape.d, W);
  PetscCall(SolveTriangle('T', shape.d, R, W));
  const PetscReal size = PsdLargestEntry(shape.d, W);
  *done = (PetscBool)(size > 0 && PsdIsModerate(size));
  if (!*done) PetscFunctionReturn(0);
  PetscCall(PsdEigenSolveUpTo(it->eigen, shape.d, W, b));
  *done = (PetscBool)(b[0] > 0);
  PetscCall(SolveTriangle('N', shape.d, R, W));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralResume(PsdCentral it, PetscBool *inside)
{
  PetscFunctionBeginUser;
  PetscCall(FindFirstMu(it));
  it->point.value = DualValue(it, 0, it->point.nu);
  *inside = (PetscBool)!PetscIsInfOrNanReal(DualValue(it, 1, it->point.nu));
  if (*inside) PetscCall(Adjoint(it, it->point.nu, it->M));
  for (PetscInt pair = 0; pair < it->blocks->pairs && *inside; pair++) PetscCall(Diagonalise(it, pair, inside));
  PetscFunctionReturn(0);
}

/* svec(V'XV) of a symmetric X, both triangles there */
static PetscErrorCode Transform(PsdCentral it, PetscInt d, const PetscReal V[], const PetscReal X[], PetscReal svec[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, X, d, V, d, it->full[1], d));
  PetscCall(PsdGemmDouble('T', 'N', d, d, d, V, d, it->full[1], d, it->full[2], d));
  PsdPack(d, it->full[2], svec);
  PetscFunctionReturn(0);
}

/* What a pair has in the Newton system: features, J, Q, S0 = svec(X^-1 - X'^-1) mu, columns of theta. */
static PetscErrorCode FillPair(PsdCentral it, PetscInt pair)
{
  PetscFunctionBeginUser;
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  const PetscInt d = shape.d, t = pair / it->blocks->G;
  const size_t at = PairAt(it, pair), inside = (size_t)shape.at;
  const PetscReal *V = it->V + (size_t)pair * it->blocks->d_max * it->blocks->d_max;
  const PetscReal *b = it->b + (size_t)pair * it->blocks->d_max, mu = it->point.mu;
  PetscReal *X = it->full[0], *weight = it->weight + 2 * (size_t)pair, *trace = it->r3 + 2 * (size_t)pair;
  for (PetscInt i = 0; i < it->n; i++) {
    PsdUnpack(d, it->A + (size_t)i * it->D + inside, X);
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r < c; r++) X[r * d + c] = X[c * d + r];
    PetscCall(Transform(it, d, V, X, it->Psi + ((size_t)t * it->n + (size_t)i) * it->D + inside));
  }
  PetscCall(PetscArrayzero(X, (size_t)d * d));
  for (PetscInt k = 0; k < d; k++) X[k * d + k] = k + 1 < d ? 1 : -1;
  PetscCall(Transform(it, d, V, X, it->J + at));
  weight[0] = weight[1] = trace[0] = trace[1] = 0;
  for (PetscInt c = 0, k = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++, k++) {
      const PetscReal inverse = 1 / (b[r] * b[c]), j = it->J[at + (size_t)k];
      it->Q[at + (size_t)k] = mu * (1 + inverse);
      it->S0[at + (size_t)k] = r == c ? mu * (1 - 1 / b[c]) : 0;
      it->u[0][at + (size_t)k] = mu * j;
      it->u[1][at + (size_t)k] = -mu * inverse * j;
      weight[0] += mu * j * j;
      weight[1] += mu * inverse * j * j;
      if (r == c) trace[0] += mu * j;
      if (r == c) trace[1] += mu * j / b[c];
    }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- Newton's direction */

/* Right-hand sides: slopes; Q^-1 S0; u'Q^-1 S0 - mu <J, X^-1> and - mu <J, X'^-1>. */
static void FillRightSides(PsdCentral it)
{
  const PetscInt n = it->n, C = it->C;
  for (size_t k = 0; k < (size_t)C * it->D; k++) it->r2[k] = it->S0[k] / it->Q[k];
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++) {
    const size_t at = PairAt(it, pair), m = (size_t)it->blocks->region[pair % it->blocks->G].m;
    for (PetscInt s = 0; s < 2; s++) {
      PetscReal sum = 0;
      for (size_t k = at; k < at + m; k++) sum += it->u[s][k] * it->r2[k];
      it->r3[2 * pair + s] = sum - it->r3[2 * pair + s];
    }
  }
  (*it->loss->ops->dual_barrier)(it->loss, n, C, it->point.mu, it->point.nu, it->Y, it->by_sample[0], it->by_sample[1]);
  for (PetscInt t = 0; t < C; t++)
    for (PetscInt i = 0; i < n; i++) {
      it->slope[(size_t)t * n + i] = it->by_sample[0][(size_t)i * C + t];
      it->H[(size_t)t * n + i] = it->by_sample[1][(size_t)i * C + t];
    }
}

/* smat of m relative to X, or of -m relative to X', with J's part: both triangles. */
static void RelativeChange(PsdCentral it, PetscInt pair, PetscInt s, const PetscReal m[], PetscReal E[])
{
  const PetscInt d = it->blocks->region[pair % it->blocks->G].d;
  const PetscReal *J = it->J + PairAt(it, pair), *b = it->b + (size_t)pair * it->blocks->d_max;
  const PetscReal dtheta = it->dtheta[2 * pair + s], sign = s == 0 ? -1 : 1;
  for (PetscInt c = 0, k = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++, k++) {
      const PetscReal unit = (r == c ? 1 : PetscSqrtReal(0.5)) / (s == 0 ? 1 : PetscSqrtReal(b[r] * b[c]));
      E[r * d + c] = E[c * d + r] = unit * (sign * m[k] + dtheta * J[k]);
    }
}

/* Eigenvalues of all relative changes of X along the direction. */
static PetscErrorCode FindChanges(PsdCentral it)
{
  PetscFunctionBeginUser;
  PetscReal *m;
  PetscCall(PetscMalloc1(it->D, &m));
  for (PetscInt t = 0; t < it->C; t++) {
    PetscCall(PsdGemmDouble('N', 'N', it->D, 1, it->n, it->Psi + (size_t)t * it->n * it->D, it->D,
                            it->dnu + (size_t)t * it->n, it->n, m, it->D));
    for (PetscInt g = 0; g < it->blocks->G; g++)
      for (PetscInt s = 0; s < 2; s++) {
        const PetscInt pair = t * it->blocks->G + g;
        RelativeChange(it, pair, s, m + it->at[g], it->full[0]);
        PetscCall(PsdEigenSolveUpTo(it->eigen, it->blocks->region[g].d, it->full[0],
                                    it->change + ((size_t)pair * 2 + (size_t)s) * it->blocks->d_max));
      }
  }
  PetscCall(PetscFree(m));
  PetscFunctionReturn(0);
}

static PetscBool IsFinite(size_t count, const PetscReal x[])
{
  PetscReal sum = 0;
  for (size_t k = 0; k < count; k++) sum += PetscAbsReal(x[k]);
  return (PetscBool)!PetscIsInfOrNanReal(sum);
}

static PetscErrorCode SolveGroups(PsdCentral it, PetscBool *done)
{
  PetscFunctionBeginUser;
  *done = PETSC_TRUE;
  for (PetscInt k = 0; k < it->groups && *done; k++) {
    const size_t classes = (size_t)k * it->group, samples = classes * it->n, features = classes * it->D;
    const size_t thetas = classes * 2 * it->blocks->G;
    const PsdNewtonData data = {.Psi = it->Psi + samples * it->D,
                                .H = it->H + samples,
                                .Q = it->Q + features,
                                .u = {it->u[0] + features, it->u[1] + features},
                                .weight = it->weight + thetas};
    PetscCall(PsdNewtonSystemFactor(it->system, &data, done));
    if (*done)
      PetscCall(PsdNewtonSystemSolve(it->system, it->slope + samples, it->r2 + features, it->r3 + thetas,
                                     it->dnu + samples, it->S + features, it->dtheta + thetas));
  }
  const size_t pairs = (size_t)it->blocks->pairs;
  *done = (PetscBool)(*done && IsFinite((size_t)it->n * it->C, it->dnu) && IsFinite((size_t)it->D * it->C, it->S) &&
                      IsFinite(2 * pairs, it->dtheta));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralDirection(PsdCentral it, PetscBool *done)
{
  PetscFunctionBeginUser;
  *done = PETSC_TRUE;
  it->decomposed = PETSC_FALSE;
  PetscCall(Adjoint(it, it->point.nu, it->M));
  for (PetscInt pair = 0; pair < it->blocks->pairs && *done; pair++) PetscCall(Diagonalise(it, pair, done));
  for (PetscInt pair = 0; pair < it->blocks->pairs && *done; pair++) PetscCall(FillPair(it, pair));
  if (!*done) PetscFunctionReturn(0);
  FillRightSides(it);
  PetscCall(SolveGroups(it, done));
  if (*done) PetscCall(FindChanges(it));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- step */

/* What goes over the eigenvalues of all changes: the most negative one, the sum of squares, sums of logarithms. */
static PetscReal OverChanges(PsdCentral it, PetscReal (*term)(PetscReal step, PetscReal e), PetscReal step,
                             PetscBool add)
{
  PetscReal total = 0;
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++)
    for (PetscInt k = 0; k < 2 * it->blocks->region[pair % it->blocks->G].d; k++) {
      const PetscInt d = it->blocks->region[pair % it->blocks->G].d;
      const PetscReal e = it->change[((size_t)pair * 2 + (size_t)(k / d)) * it->blocks->d_max + (size_t)(k % d)];
      const PetscReal value = (*term)(step, e);
      total = add ? total + value : PetscMax(total, value);
    }
  return total;
}

static PetscReal Outwards(PetscReal step, PetscReal e)
{
  (void)step;
  return -e;
}

static PetscReal SquareOf(PetscReal step, PetscReal e)
{
  (void)step;
  return e * e;
}

static PetscReal Logarithm(PetscReal step, PetscReal e)
{
  return log1p(step * e);
}

/* nu + step dnu, with sums over classes that stay 0 where they are to */
static void Candidate(PsdCentral it, PetscReal step, PetscReal nu[])
{
  const PetscInt n = it->n, C = it->C;
  const PetscBool together = (PetscBool)(it->group > 1);
  for (PetscInt i = 0; i < n; i++) {
    PetscReal others = 0;
    PetscInt own = 0;
    for (PetscInt t = 0; t < C; t++) {
      nu[(size_t)i * C + t] = it->point.nu[(size_t)i * C + t] + step * it->dnu[(size_t)t * n + i];
      if (it->Y[(size_t)i * C + t] > 0) own = t;
      else others += nu[(size_t)i * C + t];
    }
    if (together) nu[(size_t)i * C + own] = -others;
  }
}

PetscErrorCode PsdCentralMove(PsdCentral it, PetscBool *moved)
{
  PetscFunctionBeginUser;
  const PetscReal mu = it->point.mu, before = DualValue(it, mu, it->point.nu);
  PetscReal squares = 0;
  for (size_t k = 0; k < (size_t)it->n * it->C; k++) squares += it->H[k] * it->dnu[k] * it->dnu[k];
  const PetscReal decrement = squares + mu * OverChanges(it, SquareOf, 0, PETSC_TRUE);
  const PetscReal outwards = OverChanges(it, Outwards, 0, PETSC_FALSE);
  const PetscReal rounding = 100 * PETSC_MACHINE_EPSILON * PetscAbsReal(before);
  PetscReal step = outwards > 0 ? PetscMin(1, INSIDE / outwards) : 1, gain = -INFINITY;
  for (PetscInt k = 0; k < MOST_HALVINGS; k++, step /= 2) {
    Candidate(it, step, it->by_sample[2]);
    gain = DualValue(it, mu, it->by_sample[2]) - before + mu * OverChanges(it, Logarithm, step, PETSC_TRUE);
    if (gain >= ARMIJO * step * decrement - rounding) break;
  }
  const PetscBool moves = (PetscBool)(gain >= -rounding);
  if (moves) {
    PetscCall(PetscArraycpy(it->point.nu, it->by_sample[2], (size_t)it->n * it->C));
    for (PetscInt k = 0; k < 2 * it->blocks->pairs; k++) it->point.theta[k] += step * it->dtheta[k];
    it->point.value = DualValue(it, 0, it->point.nu);
  }
  PetscCall(PetscInfo(NULL, "mu %.2e, decrement %.2e mu, step %.3g, dual value %.12g\n", (double)mu,
                      (double)(decrement / mu), (double)(moves ? step : 0), (double)it->point.value));
  if (moves && step == 1 && decrement < CENTRAL * mu)
    it->point.mu = PetscMax(SHRINK * mu, LEAST_MU * it->point.first_mu);
  it->point.steps = it->point.mu < mu ? 0 : it->point.steps + 1;
  *moved = (PetscBool)(it->point.steps == 0 || (gain > rounding && it->point.steps < MOST_STEPS(it->n)));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- network */

/* Z = mu (X^-1 - X^-1 dX X^-1) of one pair and sign, d x d, upper triangle at least; dX such that S is the system's. */
static PetscErrorCode FormZ(PsdCentral it, PetscInt pair, PetscInt s, PetscReal Z[])
{
  PetscFunctionBeginUser;
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  const PetscInt d = shape.d;
  const size_t at = PairAt(it, pair);
  const PetscReal *V = it->V + (size_t)pair * it->blocks->d_max * it->blocks->d_max;
  const PetscReal *b = it->b + (size_t)pair * it->blocks->d_max, *dtheta = it->dtheta + 2 * (size_t)pair;
  PetscReal *E = it->full[0], *VV = it->full[1], *m;
  PetscCall(PetscMalloc1(shape.m, &m));
  for (PetscInt k = 0; k < shape.m; k++) {
    const size_t j = at + (size_t)k;
    m[k] = (it->S[j] - it->S0[j] + it->u[0][j] * dtheta[0] + it->u[1][j] * dtheta[1]) / it->Q[j];
  }
  RelativeChange(it, pair, s, m, E);
  for (PetscInt k = 0; k < d * d; k++) E[k] = it->point.mu * ((k % (d + 1) == 0) - E[k]);
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++) VV[c * d + r] = V[c * d + r] / (s == 0 ? 1 : PetscSqrtReal(b[c]));
  PetscCall(PsdGemmDouble('N', 'T', d, d, d, E, d, VV, d, it->full[2], d));
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, VV, d, it->full[2], d, Z, d));
  PetscCall(PetscFree(m));
  PetscFunctionReturn(0);
}

/* Z of all blocks by eigenvalues and vectors, once for a direction. */
static PetscErrorCode DecomposeAll(PsdCentral it)
{
  PetscFunctionBeginUser;
  const size_t d_max = (size_t)it->blocks->d_max;
  if (it->decomposed) PetscFunctionReturn(0);
  it->largest = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    PetscReal *Z = it->Z + (size_t)block * d_max * d_max, *values = it->values + (size_t)block * d_max;
    PetscCall(FormZ(it, block / 2, block % 2, Z));
    PetscCall(PsdEigenSolveUpTo(it->eigen, d, Z, values));
    it->largest = PetscMax(it->largest, values[d - 1]);
  }
  it->decomposed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralNetwork(PsdCentral it, PetscReal least, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  const size_t d_max = (size_t)it->blocks->d_max;
  PetscReal *F = it->full[0];
  PetscCall(DecomposeAll(it));
  neurons->N = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt pair = block / 2, g = pair % it->blocks->G, d = it->blocks->region[g].d;
    const PetscReal *V = it->Z + (size_t)block * d_max * d_max, *values = it->values + (size_t)block * d_max;
    PetscInt first = 0;
    while (first < d && !(values[first] > least * it->largest && values[first] > 0)) first++;
    for (PetscInt c = first; c < d; c++)
      for (PetscInt r = 0; r < d; r++) F[(c - first) * d + r] = V[c * d + r] * PetscSqrtReal(values[c]);
    PsdDecompose(d, d - first, F, block % 2 == 0 ? 1 : -1, g, pair / it->blocks->G, neurons);
  }
  PetscFunctionReturn(0);
}

/* S of a network, C columns of D, and the sum of its weights */
static PetscReal Assemble(PsdCentral it, const PsdNeurons *neurons, PetscReal S[])
{
  PetscReal weight = 0;
  for (size_t k = 0; k < (size_t)it->C * it->D; k++) S[k] = 0;
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt g = neurons->region[k], d = it->blocks->region[g].d;
    const PetscReal *filter = neurons->filter + (size_t)k * neurons->f, alpha = neurons->weight[k];
    PetscReal *own = S + (size_t)neurons->class[k] * it->D + (size_t)it->at[g];
    for (PetscInt c = 0, j = 0; c < d; c++)
      for (PetscInt r = 0; r <= c; r++, j++)
        own[j] += alpha * (r == c ? 1 : PETSC_SQRT2) * (r + 1 < d ? filter[r] : 1) * (c + 1 < d ? filter[c] : 1);
    weight += PetscAbsReal(alpha);
  }
  return weight;
}

PetscErrorCode PsdCentralObjective(PsdCentral it, const PsdNeurons *neurons, PetscReal *objective)
{
  PetscFunctionBeginUser;
  const PetscReal weight = Assemble(it, neurons, it->M);
  PetscCall(PsdGemmDouble('T', 'N', it->C, it->n, it->D, it->M, it->D, it->A, it->D, it->by_sample[0], it->C));
  *objective = (*it->loss->ops->value)(it->loss, it->n, it->C, it->by_sample[0], it->Y) + it->point.beta * weight;
  PetscFunctionReturn(0);
}
