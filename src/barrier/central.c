/*
   An iteration of the primal-dual method: one factorisation, two directions.

   The first direction, to where everything complementary is 0, tells how much mu may fall, and what a second one has to correct.
   Both are written in the coordinates of the scaling (scaling.h), where features are the rows of Psi, svec(V'Phi V).
*/
#include "central.h"
#include <math.h>
#include "base/eigen.h"
#include "base/gemm.h"
#include "newton_system.h"
#include "scaling.h"
#include <petscblaslapack.h>

#define INSIDE 0.9       /* of the way to the boundary */
#define START_PART 0.5   /* of nu0, where the path begins; ... */
#define START_SIZE 0.25  /* ... and of the first beta: the norms of all smat(A'nu) there */
#define SHORT 0.02       /* a first direction that does not go so far says little: mu is to fall ... */
#define CAUTIOUS 0.5     /* ... by this factor */
#define LEAST_STEP 1e-10 /* that is a step */
#define REACHED 1e-12    /* relative distance to beta that is none */

struct _p_PsdCentral {
  PsdBlocks blocks;
  const PsdLoss *loss;
  PetscInt n, C, D, groups, group; /* groups of `group` classes that go together */
  PetscInt *at;                    /* G + 1: regions in D */
  PetscReal *A, *Y;
  PsdCentralPoint point;
  PsdEigen eigen;
  PsdScaler scaler;
  PsdNewtonSystem *system; /* of each group */

  PetscReal *M;                  /* A'nu: C columns of D */
  PetscReal *V, *b, *E, *lambda; /* scalings: pairs x d_max^2, pairs x d_max; 2 pairs x d_max^2, 2 pairs x d_max */
  PetscReal *J, *K;              /* C x D: svec(V'JV), svec(V'ee'V) */
  PetscReal *Psi;                /* C x n x D */
  PetscReal *Q, *S0, *u[2];      /* C x D */
  PetscReal *weight, *r3;        /* C x G x 2 */
  PetscReal *slope, *H;          /* C x n, by classes */
  PetscReal *room[2];            /* n x C: distances to both ends of D's domain */
  PetscReal *r1, *r2;            /* C x n; C x D */
  PetscReal *dnu, *S;            /* the direction: C x n; C x D; ... */
  PetscReal *dtheta, dbeta;      /* ... C x G x 2; of beta; ... */
  PetscReal *dX, *dZ;            /* ... of blocks, as R of scaling.h: 2 pairs x d_max^2; ... */
  PetscReal *dends[2];           /* ... of the ends' multipliers */
  PetscReal *second, *ends[2];   /* what the second direction corrects, as dX and as the multipliers are */
  PetscReal barriers;            /* eigenvalues and ends */
  PetscReal *by_sample;          /* n x C: work */
  PetscReal *full[4], *values;   /* d_max^2; d_max */
  PetscReal *vectors, *size;     /* of all Z: 2 pairs x d_max^2, 2 pairs x d_max */
  PetscReal largest;             /* of the sizes */
  PetscBool decomposed;          /* they are of the point at hand */
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
  const size_t d = (size_t)blocks->d_max, square = d * d;
  PetscCall(PetscMalloc1(blocks->G + 1, &it->at));
  for (PetscInt g = 0; g < blocks->G; g++) it->at[g] = blocks->region[g].at;
  it->at[blocks->G] = it->D;
  PetscCall(PetscMalloc6(samples, &it->point.nu, 2 * pairs, &it->point.theta, 2 * pairs * square, &it->point.Z, samples,
                         &it->point.ends[0], samples, &it->point.ends[1], features, &it->M));
  PetscCall(PetscMalloc6(pairs * square, &it->V, pairs * d, &it->b, 2 * pairs * square, &it->E, 2 * pairs * d,
                         &it->lambda, features, &it->J, features, &it->K));
  PetscCall(PetscMalloc7(samples * it->D, &it->Psi, features, &it->Q, features, &it->S0, features, &it->u[0], features,
                         &it->u[1], 2 * pairs, &it->weight, 2 * pairs, &it->r3));
  PetscCall(PetscMalloc6(samples, &it->slope, samples, &it->H, samples, &it->room[0], samples, &it->room[1], samples,
                         &it->r1, features, &it->r2));
  PetscCall(PetscMalloc7(samples, &it->dnu, features, &it->S, 2 * pairs, &it->dtheta, 2 * pairs * square, &it->dX,
                         2 * pairs * square, &it->dZ, samples, &it->dends[0], samples, &it->dends[1]));
  PetscCall(PetscMalloc4(2 * pairs * square, &it->second, samples, &it->ends[0], samples, &it->ends[1], samples,
                         &it->by_sample));
  PetscCall(PetscMalloc7(square, &it->full[0], square, &it->full[1], square, &it->full[2], square, &it->full[3], d,
                         &it->values, 2 * pairs * square, &it->vectors, 2 * pairs * d, &it->size));
  PetscCall(PsdEigenCreate(blocks->d_max, &it->eigen));
  PetscCall(PsdScalerCreate(blocks->d_max, &it->scaler));
  PetscCall(PetscCalloc1(it->groups, &it->system));
  for (PetscInt k = 0; k < it->groups; k++)
    PetscCall(PsdNewtonSystemCreate(n, it->group, blocks->G, it->at, &it->system[k]));
  *central = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralDestroy(PsdCentral *central)
{
  PetscFunctionBeginUser;
  PsdCentral it = *central;
  if (!it) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < it->groups; k++) PetscCall(PsdNewtonSystemDestroy(&it->system[k]));
  PetscCall(PetscFree(it->system));
  PetscCall(PsdScalerDestroy(&it->scaler));
  PetscCall(PsdEigenDestroy(&it->eigen));
  PetscCall(PetscFree7(it->full[0], it->full[1], it->full[2], it->full[3], it->values, it->vectors, it->size));
  PetscCall(PetscFree4(it->second, it->ends[0], it->ends[1], it->by_sample));
  PetscCall(PetscFree7(it->dnu, it->S, it->dtheta, it->dX, it->dZ, it->dends[0], it->dends[1]));
  PetscCall(PetscFree6(it->slope, it->H, it->room[0], it->room[1], it->r1, it->r2));
  PetscCall(PetscFree7(it->Psi, it->Q, it->S0, it->u[0], it->u[1], it->weight, it->r3));
  PetscCall(PetscFree6(it->V, it->b, it->E, it->lambda, it->J, it->K));
  PetscCall(PetscFree6(it->point.nu, it->point.theta, it->point.Z, it->point.ends[0], it->point.ends[1], it->M));
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

static PetscReal DualValue(PsdCentral it, const PetscReal nu[])
{
  return (*it->loss->ops->dual_derivatives)(it->loss, it->n, it->C, nu, it->Y, NULL, NULL);
}

PetscReal PsdCentralBound(PsdCentral it, PetscReal nu[])
{
  const PetscReal part = it->point.beta > it->point.goal ? it->point.goal / it->point.beta : 1;
  for (size_t k = 0; k < (size_t)it->n * it->C; k++) nu[k] = part * it->point.nu[k];
  return DualValue(it, nu);
}

static PetscReal *SquareOf(PsdCentral it, PetscReal *all, PetscInt block)
{
  return all + (size_t)block * it->blocks->d_max * it->blocks->d_max;
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

/* The scaling of a pair. */
static PsdScaling ScalingOf(PsdCentral it, PetscInt pair)
{
  const size_t d = (size_t)it->blocks->d_max;
  return (PsdScaling){.V = SquareOf(it, it->V, pair),
                      .b = it->b + (size_t)pair * d,
                      .E = {SquareOf(it, it->E, 2 * pair), SquareOf(it, it->E, 2 * pair + 1)},
                      .lambda = {it->lambda + (size_t)(2 * pair) * d, it->lambda + (size_t)(2 * pair + 1) * d}};
}

static PetscErrorCode Scale(PsdCentral it, PetscInt pair, PetscBool *done)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->blocks->region[pair % it->blocks->G].d;
  PetscReal *const X[2] = {it->full[0], it->full[1]};
  const PetscReal *const Z[2] = {SquareOf(it, it->point.Z, 2 * pair), SquareOf(it, it->point.Z, 2 * pair + 1)};
  PsdScaling scaling = ScalingOf(it, pair);
  for (PetscInt s = 0; s < 2; s++) FormX(it, pair, s, X[s]);
  PetscCall(PsdScalerFind(it->scaler, d, X, Z, &scaling, done));
  PetscFunctionReturn(0);
}

/* What is complementary: sums of eigenvalues' products over all blocks, and of distances with their multipliers. */
static PetscErrorCode ScaleAll(PsdCentral it, PetscBool *done)
{
  PetscFunctionBeginUser;
  const PetscInt pairs = it->blocks->pairs;
  PetscReal sum = 0;
  *done = PETSC_TRUE;
  it->barriers = 0;
  PetscCall(Adjoint(it, it->point.nu, it->M));
  for (PetscInt pair = 0; pair < pairs && *done; pair++) PetscCall(Scale(it, pair, done));
  for (PetscInt block = 0; block < 2 * pairs && *done; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    sum += PsdSquare(d, it->lambda + (size_t)block * it->blocks->d_max);
    it->barriers += d;
  }
  (*it->loss->ops->dual_room)(it->loss, it->n, it->C, it->point.nu, it->Y, it->room[0], it->room[1]);
  for (PetscInt side = 0; side < 2; side++)
    for (size_t k = 0; k < (size_t)it->n * it->C; k++) {
      if (PetscIsInfReal(it->room[side][k])) continue;
      *done = (PetscBool)(*done && it->room[side][k] > 0 && it->point.ends[side][k] > 0);
      sum += it->room[side][k] * it->point.ends[side][k];
      it->barriers++;
    }
  it->point.mu = sum / it->barriers;
  PetscFunctionReturn(0);
}

/* Complementary with X and with distances, as far as L(0), times what beta has to come down by, shared by all barriers. */
static PetscErrorCode StartMultipliers(PsdCentral it)
{
  PetscFunctionBeginUser;
  const PetscInt pairs = it->blocks->pairs;
  PetscBLASInt order, info;
  PetscReal barriers = 2 * (PetscReal)it->n * (PetscReal)it->C;
  for (PetscInt pair = 0; pair < pairs; pair++) barriers += 2 * (PetscReal)it->blocks->region[pair % it->blocks->G].d;
  PetscCall(PetscArrayzero(it->by_sample, (size_t)it->n * it->C));
  const PetscReal loss = (*it->loss->ops->value)(it->loss, it->n, it->C, it->by_sample, it->Y);
  const PetscReal mu = loss / barriers * (it->point.beta / it->point.goal);
  for (PetscInt block = 0; block < 2 * pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    PetscReal *Z = SquareOf(it, it->point.Z, block);
    FormX(it, block / 2, block % 2, Z);
    PetscCall(PetscBLASIntCast(d, &order));
    PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, Z, &order, &info));
    PetscCallBLAS("LAPACKpotri", LAPACKpotri_("U", &order, Z, &order, &info));
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r <= c; r++) Z[r * d + c] = Z[c * d + r] *= mu;
  }
  (*it->loss->ops->dual_room)(it->loss, it->n, it->C, it->point.nu, it->Y, it->room[0], it->room[1]);
  for (PetscInt side = 0; side < 2; side++)
    for (size_t k = 0; k < (size_t)it->n * it->C; k++) it->point.ends[side][k] = mu / it->room[side][k];
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralStart(PsdCentral it, PetscReal beta, const PetscReal nu0[])
{
  PetscFunctionBeginUser;
  PetscReal largest = 0;
  for (size_t k = 0; k < (size_t)it->n * it->C; k++) it->point.nu[k] = START_PART * nu0[k];
  PetscCall(Adjoint(it, it->point.nu, it->M));
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++)
    largest = PetscMax(largest,
                       PetscSqrtReal(PsdSquare(it->blocks->region[pair % it->blocks->G].m, it->M + PairAt(it, pair))));
  it->point.goal = beta;
  it->point.beta = PetscMax(beta, largest / START_SIZE);
  it->decomposed = PETSC_FALSE;
  for (PetscInt k = 0; k < 2 * it->blocks->pairs; k++) it->point.theta[k] = it->point.beta / 2;
  PetscCall(StartMultipliers(it));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralResume(PsdCentral it, PetscBool *inside)
{
  PetscFunctionBeginUser;
  it->decomposed = PETSC_FALSE;
  PetscCall(ScaleAll(it, inside));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the system */

/* svec(V'XV) of a symmetric X, both triangles there */
static PetscErrorCode Transform(PsdCentral it, PetscInt d, const PetscReal V[], const PetscReal X[], PetscReal svec[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, X, d, V, d, it->full[1], d));
  PetscCall(PsdGemmDouble('T', 'N', d, d, d, V, d, it->full[1], d, it->full[2], d));
  PsdPack(d, it->full[2], svec);
  PetscFunctionReturn(0);
}

/* What a pair has in the Newton system: features, J, Q, columns of theta. */
static PetscErrorCode FillPair(PsdCentral it, PetscInt pair)
{
  PetscFunctionBeginUser;
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  const PetscInt d = shape.d, t = pair / it->blocks->G;
  const size_t at = PairAt(it, pair), inside = (size_t)shape.at;
  const PsdScaling scaling = ScalingOf(it, pair);
  const PetscReal *V = scaling.V, *b = scaling.b;
  PetscReal *X = it->full[0], *weight = it->weight + 2 * (size_t)pair;
  for (PetscInt i = 0; i < it->n; i++) {
    PsdUnpack(d, it->A + (size_t)i * it->D + inside, X);
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r < c; r++) X[r * d + c] = X[c * d + r];
    PetscCall(Transform(it, d, V, X, it->Psi + ((size_t)t * it->n + (size_t)i) * it->D + inside));
  }
  PetscCall(PetscArrayzero(X, (size_t)d * d));
  for (PetscInt k = 0; k < d; k++) X[k * d + k] = k + 1 < d ? 1 : -1;
  PetscCall(Transform(it, d, V, X, it->J + at));
  weight[0] = weight[1] = 0;
  for (PetscInt c = 0, k = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++, k++) {
      const size_t here = at + (size_t)k;
      const PetscReal inverse = 1 / (b[r] * b[c]), j = it->J[here];
      it->K[here] = (r == c ? 1 : PETSC_SQRT2) * V[r * d + d - 1] * V[c * d + d - 1];
      it->Q[here] = 1 + inverse;
      it->u[0][here] = j;
      it->u[1][here] = -inverse * j;
      weight[0] += j * j;
      weight[1] += inverse * j * j;
    }
  PetscFunctionReturn(0);
}

/* slope and H: of D, to which ends add their multipliers over their distances. By classes. */
static void FillSamples(PsdCentral it)
{
  const PetscInt n = it->n, C = it->C;
  (*it->loss->ops->dual_derivatives)(it->loss, n, C, it->point.nu, it->Y, it->dends[0], it->dends[1]);
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt t = 0; t < C; t++) {
      const size_t k = (size_t)i * C + t, to = (size_t)t * n + i;
      it->slope[to] = it->dends[0][k];
      it->H[to] = it->dends[1][k] + it->point.ends[0][k] / it->room[0][k] + it->point.ends[1][k] / it->room[1][k];
    }
}

static PetscErrorCode FactorGroup(PsdCentral it, PetscInt k, PetscBool *done)
{
  PetscFunctionBeginUser;
  const size_t classes = (size_t)k * it->group, samples = classes * it->n, features = classes * it->D;
  const PsdNewtonData data = {.Psi = it->Psi + samples * it->D,
                              .H = it->H + samples,
                              .Q = it->Q + features,
                              .u = {it->u[0] + features, it->u[1] + features},
                              .weight = it->weight + classes * 2 * it->blocks->G};
  PetscCall(PsdNewtonSystemFactor(it->system[k], &data, done));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- directions */

/* Where a direction is to go. */
typedef struct {
  PetscReal mu, dbeta;
  PetscBool second; /* with what `second` and `ends` correct */
} Aim;

/* What becomes of one sign's X^-1 and of the correction in R's coordinates: aim.mu diag(1/lambda) - second */
static void FormTarget(PsdCentral it, PetscInt block, const Aim *aim, PetscReal R[])
{
  const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
  const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max, *second = SquareOf(it, it->second, block);
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++)
      R[c * d + r] = (r == c ? aim->mu / lambda[c] : 0) - (aim->second ? second[c * d + r] : 0);
}

/* E R E' */
static PetscErrorCode Congruence(PsdCentral it, PetscInt d, const PetscReal E[], const PetscReal R[],
                                 PetscReal result[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'T', d, d, d, R, d, E, d, it->full[3], d));
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, E, d, it->full[3], d, result, d));
  PetscFunctionReturn(0);
}

/* S0 and what <J,Z> is made of, of a pair; beta's change is one of X. */
static PetscErrorCode FillTargets(PsdCentral it, PetscInt pair, const Aim *aim)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->blocks->region[pair % it->blocks->G].d;
  const size_t at = PairAt(it, pair), m = (size_t)it->blocks->region[pair % it->blocks->G].m;
  const PsdScaling scaling = ScalingOf(it, pair);
  PetscReal *trace = it->r3 + 2 * (size_t)pair, *svec = it->r2 + at;
  for (size_t k = 0; k < m; k++) it->S0[at + k] = -aim->dbeta * it->K[at + k] * (2 - it->Q[at + k]);
  for (PetscInt s = 0; s < 2; s++) {
    FormTarget(it, 2 * pair + s, aim, it->full[0]);
    PetscCall(Congruence(it, d, scaling.E[s], it->full[0], it->full[1]));
    PsdPack(d, it->full[1], svec);
    trace[s] = 0;
    for (size_t k = 0; k < m; k++) {
      it->S0[at + k] += s == 0 ? svec[k] : -svec[k];
      trace[s] += it->J[at + k] * (svec[k] - (s == 0 ? 1 : it->Q[at + k] - 1) * aim->dbeta * it->K[at + k]);
    }
  }
  PetscFunctionReturn(0);
}

/* Right-hand sides: slopes with ends; Q^-1 S0; u'Q^-1 S0 - <J, Z> of both signs. */
static PetscErrorCode FillRightSides(PsdCentral it, const Aim *aim)
{
  PetscFunctionBeginUser;
  const PetscInt n = it->n, C = it->C;
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++) PetscCall(FillTargets(it, pair, aim));
  for (size_t k = 0; k < (size_t)C * it->D; k++) it->r2[k] = it->S0[k] / it->Q[k];
  for (PetscInt pair = 0; pair < it->blocks->pairs; pair++) {
    const size_t at = PairAt(it, pair), m = (size_t)it->blocks->region[pair % it->blocks->G].m;
    for (PetscInt s = 0; s < 2; s++) {
      PetscReal sum = 0;
      for (size_t k = at; k < at + m; k++) sum += it->u[s][k] * it->r2[k];
      it->r3[2 * pair + s] = sum - it->r3[2 * pair + s];
    }
  }
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt t = 0; t < C; t++) {
      const size_t k = (size_t)i * C + t, to = (size_t)t * n + i;
      it->r1[to] = it->slope[to];
      for (PetscInt side = 0; side < 2; side++)
        it->r1[to] += (side == 0 ? 1 : -1) * (aim->mu - (aim->second ? it->ends[side][k] : 0)) / it->room[side][k];
    }
  PetscFunctionReturn(0);
}

/* dX and dZ of a block; m: smat^-1 of V'(A'dnu)V */
static PetscErrorCode BlockDirection(PsdCentral it, PetscInt block, const Aim *aim, const PetscReal m[])
{
  PetscFunctionBeginUser;
  const PetscInt pair = block / 2, s = block % 2, d = it->blocks->region[pair % it->blocks->G].d;
  const PetscReal *J = it->J + PairAt(it, pair), *K = it->K + PairAt(it, pair);
  const PetscReal dtheta = it->dtheta[block], sign = s == 0 ? -1 : 1;
  const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max, *E = SquareOf(it, it->E, block);
  PetscReal *change = it->full[0], *dX = SquareOf(it, it->dX, block), *dZ = SquareOf(it, it->dZ, block);
  for (PetscInt c = 0, k = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++, k++)
      change[r * d + c] = change[c * d + r] =
          (r == c ? 1 : PetscSqrtReal(0.5)) * (sign * m[k] + dtheta * J[k] + aim->dbeta * K[k]);
  PetscCall(PsdGemmDouble('N', 'N', d, d, d, change, d, E, d, it->full[1], d));
  PetscCall(PsdGemmDouble('T', 'N', d, d, d, E, d, it->full[1], d, dX, d));
  FormTarget(it, block, aim, dZ);
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r < d; r++) dZ[c * d + r] -= dX[c * d + r] + (r == c ? lambda[c] : 0);
  PetscFunctionReturn(0);
}

/* Of the multipliers of the ends: their products with distances are to be aim.mu less what is corrected. */
static void EndsDirection(PsdCentral it, const Aim *aim)
{
  for (PetscInt i = 0; i < it->n; i++)
    for (PetscInt t = 0; t < it->C; t++)
      for (PetscInt side = 0; side < 2; side++) {
        const size_t k = (size_t)i * it->C + t;
        const PetscReal change = (side == 0 ? 1 : -1) * it->dnu[(size_t)t * it->n + i], z = it->point.ends[side][k];
        const PetscReal product = aim->mu - (aim->second ? it->ends[side][k] : 0) - z * change;
        it->dends[side][k] = PetscIsInfReal(it->room[side][k]) ? 0 : product / it->room[side][k] - z;
      }
}

static PetscBool IsFinite(size_t count, const PetscReal x[])
{
  PetscReal sum = 0;
  for (size_t k = 0; k < count; k++) sum += PetscAbsReal(x[k]);
  return (PetscBool)!PetscIsInfOrNanReal(sum);
}

static PetscErrorCode BlockDirections(PsdCentral it, const Aim *aim)
{
  PetscFunctionBeginUser;
  PetscReal *m;
  PetscCall(PetscMalloc1(it->D, &m));
  for (PetscInt t = 0; t < it->C; t++) {
    PetscCall(PsdGemmDouble('N', 'N', it->D, 1, it->n, it->Psi + (size_t)t * it->n * it->D, it->D,
                            it->dnu + (size_t)t * it->n, it->n, m, it->D));
    for (PetscInt g = 0; g < it->blocks->G; g++)
      for (PetscInt s = 0; s < 2; s++)
        PetscCall(BlockDirection(it, 2 * (t * it->blocks->G + g) + s, aim, m + it->at[g]));
  }
  PetscCall(PetscFree(m));
  PetscFunctionReturn(0);
}

/* The direction of a group of classes, which the system at hand is of. */
static PetscErrorCode SolveGroup(PsdCentral it, PetscInt k)
{
  PetscFunctionBeginUser;
  const size_t classes = (size_t)k * it->group, samples = classes * it->n, features = classes * it->D;
  const size_t thetas = classes * 2 * it->blocks->G;
  PetscCall(PsdNewtonSystemSolve(it->system[k], it->r1 + samples, it->r2 + features, it->r3 + thetas, it->dnu + samples,
                                 it->S + features, it->dtheta + thetas));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindDirection(PsdCentral it, const Aim *aim, PetscBool *done)
{
  PetscFunctionBeginUser;
  const size_t pairs = (size_t)it->blocks->pairs;
  PetscCall(FillRightSides(it, aim));
  for (PetscInt k = 0; k < it->groups; k++) PetscCall(SolveGroup(it, k));
  *done = (PetscBool)(IsFinite((size_t)it->n * it->C, it->dnu) && IsFinite((size_t)it->D * it->C, it->S) &&
                      IsFinite(2 * pairs, it->dtheta));
  if (!*done) PetscFunctionReturn(0);
  it->dbeta = aim->dbeta;
  PetscCall(BlockDirections(it, aim));
  EndsDirection(it, aim);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- steps */

/* The smallest eigenvalue of R relative to diag(lambda). */
static PetscErrorCode LeastRelative(PsdCentral it, PetscInt block, const PetscReal R[], PetscReal *least)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
  const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max;
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++) it->full[0][c * d + r] = R[c * d + r] / PetscSqrtReal(lambda[r] * lambda[c]);
  const PetscReal size = PsdLargestEntry(d, it->full[0]);
  *least = 0;
  if (size == 0) PetscFunctionReturn(0);
  PetscCall(PsdEigenSolveUpTo(it->eigen, d, it->full[0], it->values));
  *least = it->values[0];
  PetscFunctionReturn(0);
}

/* How far it is to the boundary along the direction, 1 at most. */
static PetscErrorCode FindRoom(PsdCentral it, PetscReal *room)
{
  PetscFunctionBeginUser;
  PetscReal outwards = 1;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    PetscReal of_X, of_Z;
    PetscCall(LeastRelative(it, block, SquareOf(it, it->dX, block), &of_X));
    PetscCall(LeastRelative(it, block, SquareOf(it, it->dZ, block), &of_Z));
    outwards = PetscMax(outwards, -PetscMin(of_X, of_Z));
  }
  for (PetscInt i = 0; i < it->n; i++)
    for (PetscInt t = 0; t < it->C; t++)
      for (PetscInt side = 0; side < 2; side++) {
        const size_t k = (size_t)i * it->C + t;
        const PetscReal change = (side == 0 ? 1 : -1) * it->dnu[(size_t)t * it->n + i];
        outwards = PetscMax(outwards, -change / it->room[side][k]);
        if (!PetscIsInfReal(it->room[side][k]))
          outwards = PetscMax(outwards, -it->dends[side][k] / it->point.ends[side][k]);
      }
  *room = 1 / outwards;
  PetscFunctionReturn(0);
}

/* mu after a step. */
static PetscReal MuAfter(PsdCentral it, PetscReal step)
{
  PetscReal sum = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    const PetscReal *dX = SquareOf(it, it->dX, block), *dZ = SquareOf(it, it->dZ, block);
    const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max;
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r < d; r++) {
        const PetscReal own = r == c ? lambda[c] : 0;
        sum += (own + step * dX[c * d + r]) * (own + step * dZ[c * d + r]);
      }
  }
  for (PetscInt i = 0; i < it->n; i++)
    for (PetscInt t = 0; t < it->C; t++)
      for (PetscInt side = 0; side < 2; side++) {
        const size_t k = (size_t)i * it->C + t;
        const PetscReal change = (side == 0 ? 1 : -1) * it->dnu[(size_t)t * it->n + i];
        if (PetscIsInfReal(it->room[side][k])) continue;
        sum += (it->room[side][k] + step * change) * (it->point.ends[side][k] + step * it->dends[side][k]);
      }
  return sum / it->barriers;
}

/* What the first direction leaves to be corrected: products of its changes, 2/(lambda_r + lambda_c) times their symmetric part. */
static PetscErrorCode FindCorrections(PsdCentral it)
{
  PetscFunctionBeginUser;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max;
    PetscReal *second = SquareOf(it, it->second, block), *product = it->full[0];
    PetscCall(
        PsdGemmDouble('N', 'N', d, d, d, SquareOf(it, it->dX, block), d, SquareOf(it, it->dZ, block), d, product, d));
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r < d; r++)
        second[c * d + r] = (product[c * d + r] + product[r * d + c]) / (lambda[r] + lambda[c]);
  }
  for (PetscInt i = 0; i < it->n; i++)
    for (PetscInt t = 0; t < it->C; t++)
      for (PetscInt side = 0; side < 2; side++) {
        const size_t k = (size_t)i * it->C + t;
        it->ends[side][k] = (side == 0 ? 1 : -1) * it->dnu[(size_t)t * it->n + i] * it->dends[side][k];
      }
  PetscFunctionReturn(0);
}

/* nu + step dnu, with sums over classes that stay 0 where they are to */
static void MoveNu(PsdCentral it, PetscReal step)
{
  const PetscInt n = it->n, C = it->C;
  const PetscBool together = (PetscBool)(it->group > 1);
  for (PetscInt i = 0; i < n; i++) {
    PetscReal others = 0, *nu = it->point.nu + (size_t)i * C;
    PetscInt own = 0;
    for (PetscInt t = 0; t < C; t++) {
      nu[t] += step * it->dnu[(size_t)t * n + i];
      if (it->Y[(size_t)i * C + t] > 0) own = t;
      else others += nu[t];
    }
    if (together) nu[own] = -others;
  }
}

/* Z + step V E dZ E'V' */
static PetscErrorCode MoveZ(PsdCentral it, PetscInt block, PetscReal step)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
  PetscReal *Z = SquareOf(it, it->point.Z, block), *change = it->full[1];
  PetscCall(Congruence(it, d, SquareOf(it, it->E, block), SquareOf(it, it->dZ, block), it->full[0]));
  PetscCall(Congruence(it, d, SquareOf(it, it->V, block / 2), it->full[0], change));
  for (PetscInt c = 0; c < d; c++)
    for (PetscInt r = 0; r <= c; r++) Z[r * d + c] = Z[c * d + r] += step * (change[c * d + r] + change[r * d + c]) / 2;
  PetscFunctionReturn(0);
}

static PetscErrorCode Move(PsdCentral it, PetscReal step)
{
  PetscFunctionBeginUser;
  PsdCentralPoint *point = &it->point;
  MoveNu(it, step);
  for (PetscInt k = 0; k < 2 * it->blocks->pairs; k++) point->theta[k] += step * it->dtheta[k];
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) PetscCall(MoveZ(it, block, step));
  for (PetscInt side = 0; side < 2; side++)
    for (size_t k = 0; k < (size_t)it->n * it->C; k++) point->ends[side][k] += step * it->dends[side][k];
  point->beta += step * it->dbeta;
  if (point->beta <= point->goal * (1 + REACHED)) point->beta = point->goal;
  it->decomposed = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The matrix of the point at hand, factorised. */
static PetscErrorCode Prepare(PsdCentral it, PetscBool *done)
{
  PetscFunctionBeginUser;
  PetscCall(ScaleAll(it, done));
  for (PetscInt pair = 0; pair < it->blocks->pairs && *done; pair++) PetscCall(FillPair(it, pair));
  if (!*done) PetscFunctionReturn(0);
  FillSamples(it);
  for (PetscInt k = 0; k < it->groups && *done; k++) PetscCall(FactorGroup(it, k, done));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralStep(PsdCentral it, PetscBool *moved)
{
  PetscFunctionBeginUser;
  const PetscReal down = it->point.goal - it->point.beta;
  Aim aim = {.mu = 0, .dbeta = down};
  PetscReal room, part = CAUTIOUS;
  PetscCall(Prepare(it, moved));
  if (*moved) PetscCall(FindDirection(it, &aim, moved));
  if (!*moved) PetscFunctionReturn(0);
  PetscCall(FindRoom(it, &room));
  if (room > SHORT) {
    part = PetscMin(1, PetscPowRealInt(MuAfter(it, room) / it->point.mu, 3));
    PetscCall(FindCorrections(it));
  }
  aim = (Aim){.mu = part * it->point.mu, .dbeta = (1 - part) * down, .second = (PetscBool)(room > SHORT)};
  PetscCall(FindDirection(it, &aim, moved));
  if (!*moved) PetscFunctionReturn(0);
  PetscCall(FindRoom(it, &room));
  const PetscReal step = PetscMin(1, INSIDE * room);
  PetscCall(PetscInfo(NULL, "beta %.3g of the goal, mu %.2e, to be %.2g of it, step %.3g\n",
                      (double)(it->point.beta / it->point.goal), (double)it->point.mu, (double)part, (double)step));
  *moved = (PetscBool)(step >= LEAST_STEP);
  if (*moved) PetscCall(Move(it, step));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- network */

/* Z of all blocks by eigenvalues and vectors, once for a point. */
static PetscErrorCode DecomposeAll(PsdCentral it)
{
  PetscFunctionBeginUser;
  if (it->decomposed) PetscFunctionReturn(0);
  it->largest = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    PetscReal *vectors = SquareOf(it, it->vectors, block), *size = it->size + (size_t)block * it->blocks->d_max;
    PetscCall(PetscArraycpy(vectors, SquareOf(it, it->point.Z, block), (size_t)d * d));
    PetscCall(PsdEigenSolveUpTo(it->eigen, d, vectors, size));
    it->largest = PetscMax(it->largest, size[d - 1]);
  }
  it->decomposed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralNetwork(PsdCentral it, PetscReal least, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  PetscReal *F = it->full[0];
  PetscCall(DecomposeAll(it));
  neurons->N = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt pair = block / 2, g = pair % it->blocks->G, d = it->blocks->region[g].d;
    const PetscReal *V = SquareOf(it, it->vectors, block), *size = it->size + (size_t)block * it->blocks->d_max;
    PetscInt first = 0;
    while (first < d && !(size[first] > least * it->largest && size[first] > 0)) first++;
    for (PetscInt c = first; c < d; c++)
      for (PetscInt r = 0; r < d; r++) F[(c - first) * d + r] = V[c * d + r] * PetscSqrtReal(size[c]);
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
  PetscCall(PsdGemmDouble('T', 'N', it->C, it->n, it->D, it->M, it->D, it->A, it->D, it->by_sample, it->C));
  *objective = (*it->loss->ops->value)(it->loss, it->n, it->C, it->by_sample, it->Y) + it->point.goal * weight;
  PetscFunctionReturn(0);
}
