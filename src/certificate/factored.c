/*
   The certificate of a network with large patches: loss from its filters, bounds of R* from products with few vectors, the dual
   function along the ray.

   R*(A'nu) is the largest of the blocks' bounds. Each is that of cone/schur_polar.h for B = [V Q], V the region's basis and Q the
   block's own filters, which are nearly the vectors at which the bound is attained. Beyond B

     s w'M1w  =  sum s a (nu_it/count) (x.w)^2  <=  max(0, max s a nu_it/count) kappa ||w||^2,

   kappa that of the region's basis (kappa.h): more vectors only lower it. Pairs are looked at by batches: one pass over the
   patches makes the products of a batch, their sums over ranks go to one rank each, and that one has the small work.
*/
#include "factored.h"
#include "base/base.h"
#include "base/long_product.h"
#include "base/rounding.h"
#include "block_basis.h"
#include "certificate.h"
#include "cone/schur_polar.h"
#include "filter_sums.h"
#include "kappa.h"
#include "problem/sample_sums.h"
#include "ray.h"
#include <petscblaslapack.h>

#define BATCH_BYTES ((size_t)256 << 20) /* of products W on a rank */
#define SMALLEST 1e-60                  /* largest |a w| that the unit of sums in single precision follows */

PetscInt PsdFactoredLeading = 32;

struct _p_PsdFactored {
  PsdProblem problem;
  PsdPatchMatrix patches;
  PsdCoordinates *basis; /* G; K = 0: none */
  PetscReal *kappa;      /* G */
};

/* What is summed of nu for each pair, over all samples. */
typedef struct {
  PetscReal size;      /* sum_i |nu_it| ||Phi_ig|| */
  PetscReal hidden;    /* a bound of ||error of smat(A'nu)_gt||_F because of the features, and of nu itself */
  PetscReal sum;       /* sum_i nu_it */
  PetscReal far[2];    /* max s a nu_it/count, s = +1, -1; at least 0 */
  PetscReal trace;     /* of M1 */
  PetscReal rounding;  /* a bound of the error of W and M4 */
  PetscReal roundings; /* that go into a sum over the patches */
} Pair;

typedef struct {
  PsdFactored of;
  const PsdNeurons *neurons;
  PetscReal *nu, *each; /* n_local x C, in the domain: with the samples' weights, and without */
  Pair *pair;
  PetscReal *guess; /* 2 pairs */
  PetscReal *computed;
  PetscReal *hidden; /* pairs: what errors may hide of R*, on the rank that has the pair's sums, later on all */
  PetscReal level;   /* a bound below it is good enough */
  PsdFactoredPoint *point;
} Bounds;

/* ---------------------------------------------------------------- the object */

PetscErrorCode PsdFactoredCreate(PsdProblem problem, PsdPatchMatrix patches, const PsdBasis basis[],
                                 PsdFactored *factored)
{
  PetscFunctionBeginUser;
  const PetscInt G = problem->blocks->G;
  size_t room = (size_t)(problem->memory * 1024 * 1024);
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(PetscNew(factored));
  (*factored)->problem = problem;
  (*factored)->patches = patches;
  PetscCall(PetscCalloc2(G, &(*factored)->basis, G, &(*factored)->kappa));
  for (PetscInt g = 0; g < G; g++) {
    PsdCoordinates *own = &(*factored)->basis[g];
    if (basis[g].K == 0) continue;
    PetscCall(PsdCoordinatesCreate(problem->comm, patches, g, basis[g].K, basis[g].V, room, own));
    if (own->z) room -= PetscMin(room, PsdCoordinatesBytes(patches, own));
    PetscCall(PsdKappaProve(problem->comm, patches, own, PSD_KAPPA_AUTO, &(*factored)->kappa[g]));
    PetscCall(PetscInfo(NULL, "kappa of region %" PetscInt_FMT ": %g\n", g, (double)(*factored)->kappa[g]));
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}

PetscReal PsdFactoredGetKappa(PsdFactored factored, PetscInt g)
{
  return factored->kappa[g];
}

PetscErrorCode PsdFactoredDestroy(PsdFactored *factored)
{
  PetscFunctionBeginUser;
  if (!*factored) PetscFunctionReturn(0);
  for (PetscInt g = 0; g < (*factored)->problem->blocks->G; g++)
    PetscCall(PsdCoordinatesDestroy(&(*factored)->basis[g]));
  PetscCall(PetscFree2((*factored)->basis, (*factored)->kappa));
  PetscCall(PetscFree(*factored));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the dual point */

static PetscErrorCode BoundsCreate(PsdFactored of, const PsdNeurons *neurons, PsdFactoredPoint *point, Bounds *it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = of->problem;
  const size_t length = (size_t)problem->n_local * problem->blocks->C, pairs = (size_t)problem->blocks->pairs;
  *it = (Bounds){.of = of, .neurons = neurons, .point = point};
  PetscCall(PetscMalloc2(length, &it->nu, length, &it->each));
  PetscCall(PetscCalloc4(pairs, &it->pair, 2 * pairs, &it->guess, 2 * pairs, &it->computed, pairs, &it->hidden));
  PetscCall(PetscArraycpy(it->each, point->nu, length));
  for (size_t k = 0; k < 2 * pairs; k++) {
    it->guess[k] = point->blocks[k].theta;
    point->blocks[k] = (PsdBlockBound){0};
  }
  if (point->u) PetscCall(PetscArrayzero(point->u, 2 * pairs * problem->blocks->f_max));
  PetscFunctionReturn(0);
}

static PetscErrorCode BoundsDestroy(Bounds *it)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(it->nu, it->each));
  PetscCall(PetscFree4(it->pair, it->guess, it->computed, it->hidden));
  PetscFunctionReturn(0);
}

/* What sample i adds to its pairs. */
static void AddSample(Bounds *it, PetscInt i, PetscReal domain, const PetscReal norm[], const PetscReal error[],
                      const PetscInt of_sample[], PsdPairSum sums[])
{
  const PsdProblem problem = it->of->problem;
  const PetscInt C = problem->blocks->C, G = problem->blocks->G;
  const PetscReal a = problem->activation[0], *nu = it->nu + (size_t)i * C;
  for (PetscInt t = 0; t < C; t++) {
    PsdPairSumAdd(&sums[t], nu[t]);
    for (PetscInt g = 0; g < G; g++) {
      Pair *pair = &it->pair[t * G + g];
      const PetscReal each = a * nu[t] / (PetscReal)of_sample[g];
      pair->size += PetscAbsReal(nu[t]) * norm[g];
      pair->hidden += PetscAbsReal(nu[t]) * (error[g] + domain * norm[g]);
      pair->far[0] = PetscMax(pair->far[0], each);
      pair->far[1] = PetscMax(pair->far[1], -each);
    }
  }
}

/* Over all ranks: what is added, and the largest. */
static PetscErrorCode ReducePairs(Bounds *it, const PsdPairSum sums[])
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const PetscInt pairs = problem->blocks->pairs, G = problem->blocks->G;
  PetscReal *all, *far;
  PetscMPIInt ranks, count;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PetscMPIIntCast(2 * pairs, &count));
  PetscCall(PetscMalloc2(3 * pairs, &all, 2 * pairs, &far));
  for (PetscInt p = 0; p < pairs; p++) {
    const Pair *pair = &it->pair[p];
    PetscCall(PetscArraycpy(all + 3 * (size_t)p, ((PetscReal[]){pair->size, pair->hidden, sums[p / G].high}), 3));
    PetscCall(PetscArraycpy(far + 2 * (size_t)p, pair->far, 2));
  }
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, 3 * (size_t)pairs, all));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, far, count, MPIU_REAL, MPI_MAX, problem->comm));
  for (PetscInt p = 0; p < pairs; p++) {
    Pair *pair = &it->pair[p];
    const PetscReal *sum = all + 3 * (size_t)p;
    pair->size = sum[0];
    pair->hidden = sum[1];
    pair->sum = sum[2];
    /* c sum nu: of a sum in twice the precision, over ranks, and the product */
    pair->rounding = PsdRoundings(4 + (PetscReal)ranks) * pair->size;
    for (int s = 0; s < 2; s++) pair->far[s] = far[2 * p + s];
  }
  PetscCall(PetscFree2(all, far));
  PetscFunctionReturn(0);
}

/* nu pulled into the domain, what is summed of it, and the two numbers of the squared loss, in `ray`. */
static PetscErrorCode LookAtPoint(Bounds *it, PsdDualPoint *ray)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const PetscInt C = problem->blocks->C, G = problem->blocks->G;
  const PetscReal *norm, *error, domain = PsdRoundings(PsdDomainRoundings(problem));
  const PetscInt *of_sample;
  PsdPointSums sums = {.size = 0};
  PsdPairSum *sum;
  PetscCall(PetscCalloc1(C, &sum));
  (*problem->loss.ops->to_domain)(&problem->loss, problem->n_local, C, it->each, problem->Y);
  PetscCall(PetscArraycpy(it->nu, it->each, (size_t)problem->n_local * C));
  PsdWeightRows(problem->n_local, C, problem->weights, it->nu);
  PetscCall(PsdPatchMatrixGetBounds(it->of->patches, &norm, &error));
  PsdPatchMatrixGetSizes(it->of->patches, NULL, NULL, &of_sample, NULL);
  for (PetscInt i = 0; i < problem->n_local; i++) {
    PsdPointSumsAdd(&sums, C, PsdWeightOf(problem->weights, i), it->each + (size_t)i * C, problem->Y + (size_t)i * C);
    AddSample(it, i, domain, norm + (size_t)i * G, error + (size_t)i * G, of_sample, sum);
  }
  *ray = (PsdDualPoint){.nu = it->each};
  PetscCall(PsdPointSumsFinish(&sums, problem, ray));
  PetscCall(ReducePairs(it, sum));
  PetscCall(PetscFree(sum));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- products */

/* A pair's basis, and room for its sums. */
static PetscErrorCode ProductCreate(const Bounds *it, PetscInt p, PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const PetscInt G = problem->blocks->G, g = p % G, f = problem->blocks->region[g].f;
  const PsdCoordinates *basis = &it->of->basis[g];
  *product = (PsdBlockProduct){.g = g, .t = p / G, .f = f, .k = f, .leading = f};
  (void)frexp(PetscMax(PetscMax(it->pair[p].far[0], it->pair[p].far[1]), SMALLEST), &product->exponent);
  if (basis->K > 0) {
    product->V = basis;
    PetscCall(PsdBlockBasisMake(problem->comm, it->neurons, PsdFactoredLeading, product));
    const size_t left = (size_t)(product->k - product->leading);
    PetscCall(PetscMalloc1((size_t)product->k * (product->k + 1), &product->inner));
    if (product->N) PetscCall(PetscMalloc1(left * left, &product->beyond));
  }
  PetscCall(PetscMalloc1((size_t)f * (product->leading + product->mixed + 1), &product->W));
  PetscFunctionReturn(0);
}

static PetscErrorCode ProductDestroy(PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(product->Q));
  PetscCall(PetscFree(product->N));
  PetscCall(PetscFree(product->W));
  PetscCall(PetscFree(product->inner));
  PetscCall(PetscFree(product->beyond));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- blocks */

/* B = [V Q]; PetscFree. NULL: the identity. */
static PetscErrorCode JoinBasis(const PsdBlockProduct *product, PetscReal **B)
{
  PetscFunctionBeginUser;
  *B = NULL;
  if (!product->V) PetscFunctionReturn(0);
  const size_t of_V = (size_t)product->f * product->V->K, of_Q = (size_t)product->f * product->own;
  PetscCall(PetscMalloc1(of_V + of_Q, B));
  PetscCall(PetscArraycpy(*B, product->V->V, of_V));
  PetscCall(PetscArraycpy(*B + of_V, product->Q, of_Q));
  PetscFunctionReturn(0);
}

/* kappa times `beyond` and all that it may be less than it should be, of order k - L; PetscFree. NULL: there is none. */
static PetscErrorCode WidenBeyond(const PsdBlockProduct *product, PetscReal kappa, PetscReal error, PetscReal **wide)
{
  PetscFunctionBeginUser;
  const size_t left = (size_t)(product->k - product->leading);
  *wide = NULL;
  if (!product->beyond) PetscFunctionReturn(0);
  const PetscReal unit = ldexp(kappa, 2 * (product->exponent + product->V->exponent));
  PetscCall(PetscMalloc1(left * left, wide));
  for (size_t k = 0; k < left * left; k++) (*wide)[k] = unit * (PetscReal)product->beyond[k];
  for (size_t k = 0; k < left; k++) (*wide)[k * (left + 1)] += kappa * error * (1 + PsdRoundings(8));
  PetscFunctionReturn(0);
}

/* The bounds of a pair's two blocks, on the rank that has all sums. */
static PetscErrorCode BoundPair(Bounds *it, PetscInt p, const PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  Pair *pair = &it->pair[p];
  const PetscReal kappa = it->of->kappa[product->g];
  const PetscInt left = product->k - product->leading;
  PetscReal *B, *beyond;
  PsdBlockErrors errors;
  PetscCall(JoinBasis(product, &B));
  PsdBlockProductsErrors(product, pair->roundings, pair->size, B ? PsdNormBound(product->f * product->k, B) : 0,
                         product->N ? PsdNormBound(left * product->mixed, product->N) : 1, &errors);
  PetscCall(WidenBeyond(product, kappa, errors.beyond, &beyond));
  pair->rounding += errors.W;
  it->hidden[p] = 2 * (pair->hidden + pair->rounding);
  const PsdSchurBlock block = {.f = product->f,
                               .k = product->k,
                               .leading = product->leading,
                               .mixed = product->mixed,
                               .B = B,
                               .N = product->N,
                               .W = product->W,
                               .inner = product->inner,
                               .beyond = beyond,
                               .M4 = problem->activation[2] * pair->sum,
                               .error = PsdRoundUp(pair->rounding),
                               .inner_error = PsdRoundUp(errors.inner),
                               .far = {PsdRoundUp(pair->far[0] * kappa), PsdRoundUp(pair->far[1] * kappa)}};
  PsdSchurPolar polar;
  PetscCall(PsdSchurPolarCreate(&block, &polar));
  for (int s = 0; s < 2; s++) {
    const PetscInt k = 2 * p + s;
    PsdSchurSide side = {.side = {it->guess[k], 0},
                         .u = it->point->u ? it->point->u + (size_t)k * problem->blocks->f_max : NULL};
    PetscCall(PsdSchurPolarBound(polar, s == 0 ? 1 : -1, it->level, &side));
    const PetscReal size = PetscAbsReal(side.side.theta) + PetscAbsReal(side.side.phi);
    const PetscReal more = 2 * pair->hidden + PsdRoundings(4) * size + PSD_TINY;
    const PetscReal bound = side.side.theta + side.side.phi + more;
    it->point->blocks[k] = (PsdBlockBound){side.side.theta, side.side.phi, bound <= PETSC_MAX_REAL ? bound : INFINITY};
    it->computed[k] = side.computed;
  }
  PetscCall(PsdSchurPolarDestroy(&polar));
  PetscCall(PetscFree(B));
  PetscCall(PetscFree(beyond));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReduceTo(MPI_Comm comm, PetscMPIInt owner, MPI_Datatype type, size_t length, void *numbers)
{
  PetscFunctionBeginUser;
  PetscMPIInt rank, count;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMPIIntCast((PetscInt)length, &count));
  PetscCallMPI(MPI_Reduce(rank == owner ? MPI_IN_PLACE : numbers, numbers, count, type, MPI_SUM, owner, comm));
  PetscFunctionReturn(0);
}

/* The sums of a pair over all ranks on the rank that is to have them. */
static PetscErrorCode ReduceProduct(Bounds *it, PetscInt p, PetscMPIInt owner, PsdBlockProduct *product)
{
  PetscFunctionBeginUser;
  const MPI_Comm comm = it->of->problem->comm;
  const size_t k = (size_t)product->k, left = k - (size_t)product->leading;
  const size_t width = (size_t)product->leading + (size_t)product->mixed + 1;
  Pair *pair = &it->pair[p];
  PetscReal sums[] = {product->trace, product->zz, product->zx, product->z, product->square_x, product->square_z};
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(ReduceTo(comm, owner, MPIU_REAL, (size_t)product->f * width, product->W));
  if (product->inner) PetscCall(ReduceTo(comm, owner, MPIU_REAL, k * (k + 1), product->inner));
  if (product->beyond) PetscCall(ReduceTo(comm, owner, MPI_FLOAT, left * left, product->beyond));
  PetscCall(PsdSumArray(comm, MPIU_REAL, 6, sums));
  product->trace = pair->trace = sums[0];
  product->zz = sums[1];
  product->zx = sums[2];
  product->z = sums[3];
  product->square_x = sums[4];
  product->square_z = sums[5];
  pair->roundings = PsdBlockProductsRoundings(it->of->patches, product->g);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &pair->roundings, 1, MPIU_REAL, MPI_MAX, comm));
  pair->roundings += 2 * (PetscReal)ranks;
  PetscFunctionReturn(0);
}

/* Pairs first, first + 1, ..., with the patches of one pass. */
static PetscErrorCode BoundBatch(Bounds *it, PetscInt first, PetscInt count)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  PsdBlockProduct *products;
  PetscMPIInt rank, ranks;
  PetscCallMPI(MPI_Comm_rank(problem->comm, &rank));
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PetscCalloc1(count, &products));
  for (PetscInt k = 0; k < count; k++) PetscCall(ProductCreate(it, first + k, &products[k]));
  PetscCall(PsdBlockProductsAdd(it->of->patches, problem->activation, problem->blocks->C, it->nu, count, products));
  for (PetscInt k = 0; k < count; k++) {
    const PetscMPIInt owner = (PetscMPIInt)(k % ranks);
    PetscCall(ReduceProduct(it, first + k, owner, &products[k]));
    if (rank != owner) PetscCall(ProductDestroy(&products[k]));
  }
  for (PetscInt k = rank; k < count; k += ranks) {
    PetscCall(BoundPair(it, first + k, &products[k]));
    PetscCall(ProductDestroy(&products[k]));
  }
  PetscCall(PetscFree(products));
  PetscFunctionReturn(0);
}

/* How many pairs a batch has: as many as there is room for, and one for each rank at least. */
static PetscErrorCode BatchSize(const Bounds *it, PetscInt *count)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = it->of->problem->blocks;
  PetscMPIInt ranks;
  size_t most = 1;
  PetscCallMPI(MPI_Comm_size(it->of->problem->comm, &ranks));
  for (PetscInt p = 0; p < blocks->pairs; p++) {
    const PetscInt g = p % blocks->G, f = blocks->region[g].f, K = it->of->basis[g].K;
    const size_t own = K > 0 ? (size_t)PsdBlockBasisFilters(it->neurons, g, p / blocks->G) : 0, k = (size_t)K + own;
    const size_t width = (K > 0 ? (size_t)PsdBlockBasisLeading(K, PsdFactoredLeading) : (size_t)f) + own + 1;
    most = PetscMax(most, ((size_t)f * (width + own) + 3 * k * k / 2) * sizeof(PetscReal));
  }
  *count = PetscMin(blocks->pairs, PetscMax((PetscInt)ranks, (PetscInt)(BATCH_BYTES / most)));
  PetscFunctionReturn(0);
}

/* The results of every rank on all. */
static PetscErrorCode ShareBounds(Bounds *it)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const size_t blocks = 2 * (size_t)problem->blocks->pairs;
  PetscCall(
      PsdSumArray(problem->comm, MPIU_REAL, blocks * sizeof(PsdBlockBound) / sizeof(PetscReal), it->point->blocks));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, blocks, it->computed));
  PetscCall(PsdSumArray(problem->comm, MPIU_REAL, blocks / 2, it->hidden));
  if (it->point->u) PetscCall(PsdSumArray(problem->comm, MPIU_REAL, blocks * problem->blocks->f_max, it->point->u));
  PetscFunctionReturn(0);
}

/* The bounds of all blocks, and R*. */
static PetscErrorCode BoundAll(Bounds *it, PsdPointPolar *polar)
{
  PetscFunctionBeginUser;
  const PetscInt pairs = it->of->problem->blocks->pairs;
  PetscInt count = 1;
  PetscCall(BatchSize(it, &count));
  PetscCall(PsdEventBegin(PSD_EVENT_POLAR));
  for (PetscInt first = 0; first < pairs; first += count)
    PetscCall(BoundBatch(it, first, PetscMin(count, pairs - first)));
  PetscCall(ShareBounds(it));
  PetscCall(PsdEventEnd(PSD_EVENT_POLAR));
  *polar = (PsdPointPolar){0, 0, 0};
  for (PetscInt k = 0; k < 2 * pairs; k++) {
    polar->computed = PetscMax(polar->computed, it->computed[k]);
    polar->bound = PetscMax(polar->bound, it->point->blocks[k].bound);
    polar->hidden = PetscMax(polar->hidden, it->hidden[k / 2]);
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- the certificate */

#define A_LITTLE 0.01

/* A bound below *level is good enough: for each part of beta that R* is above it the dual value falls by what D falls by on the
   ray, which is beta sum |alpha| near the solution, and more where nu is at an edge of the domain, as with the Huber loss. D is
   concave, so that a chord is not less steep than D is beside nu. */
static PetscErrorCode GoodEnough(PsdProblem problem, const PsdDualPoint *point, PetscReal weight, PetscReal primal,
                                 PetscReal target, PetscReal *level)
{
  PetscFunctionBeginUser;
  const PsdDualRay ray = PsdDualRayOf(problem, point);
  PetscReal here, before, unused, fall;
  *level = PETSC_NINFINITY;
  if (!(target > 0)) PetscFunctionReturn(0);
  PetscCall(PsdDualOnRay(&ray, 1, &here, &unused));
  PetscCall(PsdDualOnRay(&ray, 1 - A_LITTLE, &before, &unused));
  fall = PetscMax(problem->beta * weight, (here - before) / A_LITTLE);
  if (!(fall <= PETSC_MAX_REAL)) fall = problem->beta * weight; /* nu is not in the domain but for rounding */
  const PetscReal share = primal > 0 ? fall / primal : 1;
  *level = problem->beta * (1 + PetscMin(0.1, 0.15 * target / PetscMax(0.02, share)));
  PetscFunctionReturn(0);
}

/* The witness's multipliers are of M without its component tau J, tau = (tr M1 - M4)/d; the sides of this rank's pairs. */
static PetscErrorCode TakeWitness(Bounds *it, const PsdDualPoint *ray, const PsdPointPolar *polar, PetscReal dual,
                                  PsdWitness witness)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const PsdBlocks blocks = problem->blocks;
  PsdPolarSide *sides;
  PetscCall(PetscMalloc1(2 * (size_t)blocks->local, &sides));
  for (PetscInt k = 0; k < 2 * blocks->local; k++) {
    const PetscInt p = blocks->first + k / 2;
    const PetscReal M4 = problem->activation[2] * it->pair[p].sum;
    const PetscReal tau = (it->pair[p].trace - M4) / (PetscReal)blocks->region[p % blocks->G].d;
    const PsdBlockBound *block = &it->point->blocks[2 * p + k % 2];
    sides[k] = (PsdPolarSide){block->theta - (k % 2 ? -tau : tau), block->phi + (k % 2 ? -tau : tau)};
  }
  PetscCall(PsdWitnessTakeSides(witness, problem, dual > 0 ? ray : NULL, polar, sides));
  PetscCall(PetscFree(sides));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindDual(Bounds *it, const PsdDualPoint *point, PsdWitness witness, PetscReal *dual,
                               PetscReal *plain)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = it->of->problem;
  const PsdDualRay ray = PsdDualRayOf(problem, point);
  PsdPointPolar polar;
  PetscReal value, rounding, unused;
  PetscCall(BoundAll(it, &polar));
  PetscCall(PsdDualAlongRay(&ray, problem->beta / polar.bound * (1 - 2 * PETSC_MACHINE_EPSILON), &value, &rounding));
  *dual = PsdRoundDown(value - rounding);
  PetscCall(PsdDualAlongRay(&ray, problem->beta / polar.computed, plain, &unused));
  PetscCall(PetscInfo(NULL, "R*/beta %g, dual %.12g\n", (double)(polar.bound / problem->beta), (double)*dual));
  if (!witness) PetscFunctionReturn(0);
  PetscCall(TakeWitness(it, point, &polar, *dual, witness));
  *dual = PetscMin(*dual, witness->bound);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdFactoredCertify(PsdFactored factored, const PsdNeurons *neurons, PsdFactoredPoint *point,
                                  PetscReal target, PsdWitness witness, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = factored->problem;
  PsdNetworkMatrix network = {0};
  PsdPrimalPoint primal;
  PsdDualPoint ray;
  Bounds bounds;
  PetscReal unrounded;
  PetscCall(PsdPhaseBegin(PSD_PHASE_CERTIFY));
  PetscCall(PsdFiltersEvaluate(problem, factored->patches, neurons, &primal, &network.weight, &network.weight_error));
  PsdCertificateSetPrimal(problem, &network, &primal, certificate);
  PetscCall(BoundsCreate(factored, neurons, point, &bounds));
  PetscCall(LookAtPoint(&bounds, &ray));
  PetscCall(GoodEnough(problem, &ray, network.weight, certificate->primal, target, &bounds.level));
  PetscCall(FindDual(&bounds, &ray, witness, &certificate->dual, &unrounded));
  PsdCertificateSetGap(certificate, unrounded);
  PetscCall(PsdCertificateCheck(problem, certificate));
  PetscCall(BoundsDestroy(&bounds));
  PetscCall(PsdPhaseEnd(PSD_PHASE_CERTIFY));
  PetscFunctionReturn(0);
}
