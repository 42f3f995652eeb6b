/*
   The subspace that a block is known on: the leading components of the region's patches, and the filters of the network that is
   certified, as far as they add to them. Filters are nearly the vectors at which the block's bound is attained.
*/
#include "block_basis.h"
#include <petscblaslapack.h>
#include "base/base.h"
#include "base/long_product.h"

#define DEPENDENT 1e-6 /* a filter that has less than this beside the others adds nothing */
#define LEADING 6      /* one in so many vectors of a basis is multiplied with M1, and the own filters */

/* q <- what it has at right angles to the first k columns of B */
static PetscErrorCode Subtract(PetscInt f, PetscInt k, const PetscReal B[], PetscReal q[], PetscReal along[])
{
  PetscFunctionBeginUser;
  const PetscBLASInt one = 1;
  const PetscReal unit = 1, minus = -1, zero = 0;
  PetscBLASInt bf, bk;
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCall(PetscBLASIntCast(k, &bk));
  if (k == 0) PetscFunctionReturn(0);
  PetscCallBLAS("BLASgemv", BLASgemv_("T", &bf, &bk, &unit, B, &bf, q, &one, &zero, along, &one));
  PetscCallBLAS("BLASgemv", BLASgemv_("N", &bf, &bk, &minus, B, &bf, along, &one, &unit, q, &one));
  PetscFunctionReturn(0);
}

/* q <- what it has at right angles to V and the first `own` columns of Q, of length 1; its length before that. Once is not enough
   where little is left. */
static PetscErrorCode Orthogonalize(PetscInt f, PetscInt K, const PetscReal V[], PetscInt own, const PetscReal Q[],
                                    PetscReal q[], PetscReal along[], PetscReal *length)
{
  PetscFunctionBeginUser;
  for (int round = 0; round < 2; round++) {
    PetscCall(Subtract(f, K, V, q, along));
    PetscCall(Subtract(f, own, Q, q, along));
    const PetscReal norm = PetscSqrtReal(PsdSquare(f, q));
    if (round == 0) *length = norm;
    for (PetscInt i = 0; i < f && norm > 0; i++) q[i] /= norm;
  }
  PetscFunctionReturn(0);
}

static PetscBool IsOfPair(const PsdNeurons *neurons, PetscInt j, const PsdBlockProduct *product)
{
  return (PetscBool)(neurons->region[j] == product->g && neurons->class[j] == product->t);
}

/* Q: the filters of a pair, as far as they are not in the span of V and each other. */
static PetscErrorCode MakeFilters(const PsdNeurons *neurons, PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const PetscInt f = product->f, K = product->V->K;
  PetscReal *along;
  PetscCall(PetscMalloc1(f, &along));
  for (PetscInt j = 0; j < neurons->N && K + product->own < f; j++) {
    PetscReal *q = product->Q + (size_t)product->own * f, length = 0;
    if (!IsOfPair(neurons, j, product)) continue;
    PetscCall(PetscArraycpy(q, neurons->filter + (size_t)j * neurons->f, f));
    PetscCall(Orthogonalize(f, K, product->V->V, product->own, product->Q, q, along, &length));
    if (length > DEPENDENT) product->own++;
  }
  PetscCall(PetscFree(along));
  PetscFunctionReturn(0);
}

/* N: an orthonormal basis of the filters' coordinates after the first L. */
static PetscErrorCode MakeMixed(const PsdNeurons *neurons, PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const PetscInt f = product->f, K = product->V->K, L = product->leading, left = K + product->own - L;
  PetscReal *along;
  PetscCall(PetscMalloc1(left, &along));
  for (PetscInt j = 0; j < neurons->N && product->mixed < left; j++) {
    const PetscReal *u = neurons->filter + (size_t)j * neurons->f;
    PetscReal *c = product->N + (size_t)product->mixed * left, length = 0;
    if (!IsOfPair(neurons, j, product)) continue;
    PetscCall(PsdProductTransposed(K - L, 1, f, product->V->V + (size_t)L * f, u, left, c));
    PetscCall(PsdProductTransposed(product->own, 1, f, product->Q, u, left, c + K - L));
    PetscCall(Orthogonalize(left, 0, NULL, product->mixed, product->N, c, along, &length));
    if (length > DEPENDENT) product->mixed++;
  }
  PetscCall(PetscFree(along));
  PetscFunctionReturn(0);
}

PetscInt PsdBlockBasisFilters(const PsdNeurons *neurons, PetscInt g, PetscInt t)
{
  PetscInt count = 0;
  for (PetscInt j = 0; j < neurons->N; j++) count += neurons->region[j] == g && neurons->class[j] == t;
  return count;
}

PetscInt PsdBlockBasisLeading(PetscInt K, PetscInt least)
{
  return PetscMin(K, PetscMax(least, K / LEADING));
}

/* B and P of a pair, made by rank 0. */
PetscErrorCode PsdBlockBasisMake(MPI_Comm comm, const PsdNeurons *neurons, PetscInt least, PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const PetscInt f = product->f, K = product->V->K, filters = PsdBlockBasisFilters(neurons, product->g, product->t);
  const PetscInt most = PetscMin(filters, f - K);
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMalloc1((size_t)f * most, &product->Q));
  if (rank == 0) PetscCall(MakeFilters(neurons, product));
  PetscCallMPI(MPI_Bcast(&product->own, 1, MPIU_INT, 0, comm));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)f * product->own, product->Q));
  product->k = K + product->own;
  product->leading = PsdBlockBasisLeading(K, least);
  const PetscInt left = product->k - product->leading;
  product->mixed = product->own;
  if (product->leading == K) PetscFunctionReturn(0);
  product->mixed = 0;
  PetscCall(PetscMalloc1((size_t)left * PetscMin(filters, left) + 1, &product->N)); /* never NULL */
  if (rank == 0) PetscCall(MakeMixed(neurons, product));
  PetscCallMPI(MPI_Bcast(&product->mixed, 1, MPIU_INT, 0, comm));
  PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)left * product->mixed, product->N));
  PetscFunctionReturn(0);
}
