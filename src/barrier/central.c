/*
   The point of the primal-dual method: where it begins, whether it is inside, and what it bounds.
*/
#include "central_impl.h"
#include "base/gemm.h"
#include <math.h>
#include <petscblaslapack.h>

#define START_PART 0.5  /* of nu0, where the path begins; ... */
#define START_SIZE 0.25 /* ... and of the first beta: the norms of all smat(A'nu) there */

static PetscInt Groups(const PsdLoss *loss, PetscInt C)
{
  return loss->ops->separable || C == 1 ? C : 1;
}

PetscErrorCode PsdCentralCreate(PsdBlocks blocks, const PsdLoss *loss, PetscInt n, PetscReal *A, PetscReal *Y,
                                PetscReal *weights, PsdCentral *central)
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
  it->weights = weights;
  PsdWeightRows(n, it->D, weights, A);
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
  PetscCall(PetscFree(it->weights));
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

const PetscReal *PsdCentralGetWeights(PsdCentral central)
{
  return central->weights;
}

/* ---------------------------------------------------------------- the point */

/* M = A'nu, C columns of D, nu being n x C row-major, A' with weights */
static PetscErrorCode Adjoint(PsdCentral it, const PetscReal nu[], PetscReal M[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmDouble('N', 'T', it->D, it->C, it->n, it->A, it->D, nu, it->C, M, it->D));
  PetscFunctionReturn(0);
}

static PetscReal DualValue(PsdCentral it, const PetscReal nu[])
{
  return PsdWeightedDualDerivatives(it->loss, it->n, it->C, it->weights, nu, it->Y, NULL, NULL);
}

PetscReal PsdCentralBound(PsdCentral it, PetscReal nu[])
{
  const PetscReal part = it->point.beta > it->point.goal ? it->point.goal / it->point.beta : 1;
  for (size_t k = 0; k < (size_t)it->n * it->C; k++) nu[k] = part * it->point.nu[k];
  return DualValue(it, nu);
}

/* X of one pair and sign, both triangles. */
static void FormX(PsdCentral it, PetscInt pair, PetscInt s, PetscReal X[])
{
  const PsdShape shape = it->blocks->region[pair % it->blocks->G];
  const size_t d = (size_t)shape.d;
  const PetscReal theta = it->point.theta[2 * pair + s], sign = s == 0 ? -1 : 1;
  PsdUnpack(shape.d, it->M + PsdCentralPairAt(it, pair), X);
  for (size_t j = 0; j < d; j++)
    for (size_t i = 0; i <= j; i++) X[i * d + j] = X[j * d + i] *= sign;
  for (size_t k = 0; k < d; k++) X[k * d + k] += k + 1 < d ? theta : it->point.beta - theta;
}

static PetscErrorCode Scale(PsdCentral it, PetscInt pair, PetscBool *done)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->blocks->region[pair % it->blocks->G].d;
  PetscReal *const X[2] = {it->full[0], it->full[1]};
  const PetscReal *const Z[2] = {PsdCentralSquare(it, it->point.Z, 2 * pair),
                                 PsdCentralSquare(it, it->point.Z, 2 * pair + 1)};
  PsdScaling scaling = PsdCentralScaling(it, pair);
  for (PetscInt s = 0; s < 2; s++) FormX(it, pair, s, X[s]);
  PetscCall(PsdScalerFind(it->scaler, d, X, Z, &scaling, done));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralScale(PsdCentral it, PetscBool *done)
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
  const PetscReal loss = PsdWeightedValue(it->loss, it->n, it->C, it->weights, it->by_sample, it->Y);
  const PetscReal mu = loss / barriers * (it->point.beta / it->point.goal);
  for (PetscInt block = 0; block < 2 * pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    PetscReal *Z = PsdCentralSquare(it, it->point.Z, block);
    FormX(it, block / 2, block % 2, Z);
    PetscCall(PetscBLASIntCast(d, &order));
    PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &order, Z, &order, &info));
    if (info == 0) PetscCallBLAS("LAPACKpotri", LAPACKpotri_("U", &order, Z, &order, &info));
    const PetscReal size = info == 0 ? mu : 0; /* where X is not finite: no point inside, from which there is no step */
    for (PetscInt c = 0; c < d; c++)
      for (PetscInt r = 0; r <= c; r++) Z[r * d + c] = Z[c * d + r] *= size;
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
    largest = PetscMax(largest, PetscSqrtReal(PsdSquare(it->blocks->region[pair % it->blocks->G].m,
                                                        it->M + PsdCentralPairAt(it, pair))));
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
  PetscCall(PsdCentralScale(it, inside));
  PetscFunctionReturn(0);
}
