/*
   An iteration of the primal-dual method: one factorisation, two directions.

   The first direction, to where everything complementary is 0, tells how much mu may fall, and what a second one has to correct.
   Both are written in the coordinates of the scaling (scaling.h), where features are the rows of Psi, svec(V'Phi V).
*/
#include "central_impl.h"
#include "base/gemm.h"

#define INSIDE 0.9       /* of the way to the boundary */
#define SHORT 0.02       /* a first direction that does not go so far says little: mu is to fall ... */
#define CAUTIOUS 0.5     /* ... by this factor */
#define LEAST_STEP 1e-10 /* that is a step */
#define REACHED 1e-12    /* relative distance to beta that is none */

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
  const size_t at = PsdCentralPairAt(it, pair), inside = (size_t)shape.at;
  const PsdScaling scaling = PsdCentralScaling(it, pair);
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
  (void)PsdWeightedDualDerivatives(it->loss, n, C, it->weights, it->point.nu, it->Y, it->dends[0], it->dends[1]);
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
  const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max,
                  *second = PsdCentralSquare(it, it->second, block);
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
  const size_t at = PsdCentralPairAt(it, pair), m = (size_t)it->blocks->region[pair % it->blocks->G].m;
  const PsdScaling scaling = PsdCentralScaling(it, pair);
  PetscReal *trace = it->r3 + 2 * (size_t)pair, *svec = it->r2 + at;
  for (size_t k = 0; k < m; k++) it->S0[at + k] = 0;
  for (PetscInt s = 0; s < 2; s++) {
    FormTarget(it, 2 * pair + s, aim, it->full[0]);
    PetscCall(Congruence(it, d, scaling.E[s], it->full[0], it->full[1]));
    PsdPack(d, it->full[1], svec);
    trace[s] = 0;
    for (PetscInt c = 0, k = 0; c < d; c++)
      for (PetscInt r = 0; r <= c; r++, k++) {
        const size_t here = at + (size_t)k;
        const PetscReal unit = s == 0 ? 1 : 1 / (scaling.b[r] * scaling.b[c]);
        const PetscReal target = svec[k] - unit * aim->dbeta * it->K[here];
        it->S0[here] += s == 0 ? target : -target;
        trace[s] += it->J[here] * target;
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
    const size_t at = PsdCentralPairAt(it, pair), m = (size_t)it->blocks->region[pair % it->blocks->G].m;
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
  const PetscReal *J = it->J + PsdCentralPairAt(it, pair), *K = it->K + PsdCentralPairAt(it, pair);
  const PetscReal dtheta = it->dtheta[block], sign = s == 0 ? -1 : 1;
  const PetscReal *lambda = it->lambda + (size_t)block * it->blocks->d_max, *E = PsdCentralSquare(it, it->E, block);
  PetscReal *change = it->full[0], *dX = PsdCentralSquare(it, it->dX, block), *dZ = PsdCentralSquare(it, it->dZ, block);
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
    PetscCall(LeastRelative(it, block, PsdCentralSquare(it, it->dX, block), &of_X));
    PetscCall(LeastRelative(it, block, PsdCentralSquare(it, it->dZ, block), &of_Z));
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
    const PetscReal *dX = PsdCentralSquare(it, it->dX, block), *dZ = PsdCentralSquare(it, it->dZ, block);
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
    PetscReal *second = PsdCentralSquare(it, it->second, block), *product = it->full[0];
    PetscCall(PsdGemmDouble('N', 'N', d, d, d, PsdCentralSquare(it, it->dX, block), d,
                            PsdCentralSquare(it, it->dZ, block), d, product, d));
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
  PetscReal *Z = PsdCentralSquare(it, it->point.Z, block), *change = it->full[1];
  PetscCall(Congruence(it, d, PsdCentralSquare(it, it->E, block), PsdCentralSquare(it, it->dZ, block), it->full[0]));
  PetscCall(Congruence(it, d, PsdCentralSquare(it, it->V, block / 2), it->full[0], change));
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
  PetscCall(PsdCentralScale(it, done));
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
