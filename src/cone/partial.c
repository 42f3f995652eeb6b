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
   then a complete decomposition is asked for. Two random vectors are among the start vectors every time, so that the search itself
   finds what is new; on the strength of that a proof is also let stand while X has moved by less than a tenth and k is the
   same, but for nine projections at most. So a miss is noticed at once when X jumps or k changes, and by the tenth projection
   always.

   The search is that of an EPS, kept from SetUp on (eps.c); `columns` counts products of X with a vector, which is what it costs.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "eps.h"
#include "team_matrix.h"
#include <petscblaslapack.h>

#define NEAR 0.1       /* of ||X||: how far a proof is trusted beyond its reach, ... */
#define PROVE_EVERY 10 /* ... and for how many projections less one */

/* A team takes part when so many products with X are expected: dealing it out costs two passes over X or so. */
#define SPREAD_COLUMNS 60

typedef struct {
  PetscInt d, wanted_most;
  PsdEps eps;
  PetscReal *U, *theta;      /* d x PsdEpsMostPairs: eigenpairs that were found */
  PetscReal *scaled;         /* as U: its columns, scaled */
  PetscReal *proof;          /* d x d */
  PetscInt known;            /* pairs in U and theta at the end of a search */
  PetscInt columns;          /* X was multiplied with so many vectors */
  PsdTeamMatrix team_matrix; /* products by a team; NULL: by this rank alone */
  PetscBool team_serves;     /* the team serves, and has the matrix at hand */
  PetscReal sign;            /* of the block sign X at hand, ... */
  const PetscReal *X;        /* ... its upper triangle, d x d by columns */
} Partial;

/* AV = sign X V, as a PsdEpsProduct. */
static PetscErrorCode Multiply(void *context, PetscInt count, const PetscReal V[], PetscReal AV[])
{
  PetscFunctionBeginUser;
  const Partial *it = context;
  const PetscReal zero = 0;
  PetscBLASInt order, columns;
  if (it->team_serves) {
    PetscCall(PsdTeamMatrixMultiply(it->team_matrix, it->sign, count, V, AV));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(it->d, &order));
  PetscCall(PetscBLASIntCast(count, &columns));
  PetscCallBLAS("BLASsymm",
                BLASsymm_("L", "U", &order, &columns, &it->sign, it->X, &order, V, &order, &zero, AV, &order));
  PetscCall(PetscLogFlops(2.0 * it->d * (PetscLogDouble)it->d * count));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(PsdCone cone, PetscInt order, void **kernel)
{
  PetscFunctionBeginUser;
  const size_t d = order;
  Partial *it;
  PetscCall(PetscNew(&it));
  it->d = order;
  if (cone->team.size > 1) PetscCall(PsdTeamMatrixCreate(cone->team.comm, it->d, &it->team_matrix));
  *kernel = it;
  if (cone->team.rank > 0) PetscFunctionReturn(0); /* only serves */
  it->wanted_most = PetscMax(1, it->d / 4);
  const PsdEpsMatrix block = {PETSC_COMM_SELF, it->d, it->d, Multiply, it};
  PetscCall(PsdEpsCreate(&block, it->wanted_most, cone->eps_type, &it->eps));
  const size_t most = PsdEpsMostPairs(it->eps);
  PetscCall(PetscMalloc4(d * most, &it->U, d * most, &it->scaled, most, &it->theta, d * d, &it->proof));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *kernel)
{
  PetscFunctionBeginUser;
  Partial *it = kernel;
  PetscCall(PsdEpsDestroy(&it->eps));
  PetscCall(PsdTeamMatrixDestroy(&it->team_matrix));
  PetscCall(PetscFree4(it->U, it->scaled, it->theta, it->proof));
  PetscCall(PetscFree(kernel));
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
  for (PetscInt k = 0; k < found; k++)
    for (PetscInt i = 0; i < d; i++)
      it->scaled[(size_t)k * d + i] = PetscSqrtReal(it->theta[k] + gamma + scale) * it->U[(size_t)k * d + i];
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &order, &terms, &one, it->scaled, &order, &one, it->proof, &order));
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
  const PetscReal norm = PetscSqrtReal(PsdSquare(m, x));
  *proved = PETSC_TRUE;
  if (norm == 0) PetscFunctionReturn(0);
  if (proof->x && proof->sign == sign && proof->count == found) {
    const PetscReal moved = PetscSqrtReal(PsdSquareDistance(m, x, proof->x));
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

/* Positive pairs of sign X; found < 0: more than can be wanted, or no convergence. Starts from last time's vectors, those of the factor after a
   complete decomposition. What is random depends on block and iteration alone. */
static PetscErrorCode Search(PsdCone cone, Partial *it, const PsdBlockState *state, PetscReal sign, const PetscReal *X,
                             PetscReal tolerance, PetscInt *found)
{
  PetscFunctionBeginUser;
  const PetscBool kept = (PetscBool)(state->kept > 0);
  const PetscInt last = sign > 0 ? state->rank_Z : it->d - state->rank_Z;
  const PetscInt start = kept ? state->kept : sign > 0 ? last : 0;
  const unsigned long seed =
      (unsigned long)cone->iteration * 2 * (unsigned long)cone->blocks->pairs + (unsigned long)state->block;
  it->sign = sign;
  it->X = X;
  PetscCall(PsdEpsSolve(it->eps, last + 1, start, kept ? state->V : state->F, seed, tolerance, &it->known, it->theta,
                        it->U, &it->columns));
  *found = 0;
  while (*found < it->known && it->theta[*found] > 0) (*found)++;
  if (*found == it->known && it->known < it->d) *found = -1;
  PetscFunctionReturn(0);
}

/* Remembers the vectors, positive ones and guards, for the next time. */
static PetscErrorCode KeepVectors(Partial *it, PsdBlockState *state, PetscInt count)
{
  PetscFunctionBeginUser;
  if (!state->V) PetscCall(PetscMalloc1((size_t)it->d * PsdConeMostKept(it->d), &state->V));
  state->kept = PetscMin(count, PsdConeMostKept(it->d));
  PetscCall(PetscArraycpy(state->V, it->U, (size_t)it->d * state->kept));
  PetscFunctionReturn(0);
}

/* Z from the side that was found: F, or, from the negative side, z = x + N with F left for later. */
static PetscErrorCode Finish(PsdCone cone, Partial *it, PsdBlockState *state, PetscReal sign, PetscInt found,
                             const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d, m = d * (d + 1) / 2;
  PetscReal *factor = it->scaled;
  if (sign > 0) {
    PetscCall(PsdBlockStateReserve(state, found));
    factor = state->F;
  }
  for (PetscInt k = 0; k < found; k++)
    for (PetscInt i = 0; i < d; i++) factor[(size_t)k * d + i] = PetscSqrtReal(it->theta[k]) * it->U[(size_t)k * d + i];
  state->rank_Z = sign > 0 ? found : d - found;
  if (z) PetscCall(PsdConePackProduct(cone, d, found, factor, z));
  if (sign > 0) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < m; k++) z[k] += x[k];
  if (!state->Z) PetscCall(PetscMalloc1(m, &state->Z));
  PetscCall(PetscArraycpy(state->Z, z, m));
  state->unfactored = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectHere(PsdCone cone, Partial *it, PsdBlockState *state, const PetscReal x[],
                                  const PetscReal *X, PetscReal tolerance, PetscReal z[], PetscBool *settled)
{
  PetscFunctionBeginUser;
  const PetscInt d = it->d;
  /* without z the caller wants the factor of Z itself */
  const PetscReal sign = state->rank_Z > d / 2 && z ? -1 : 1;
  const PetscInt wanted = sign > 0 ? state->rank_Z : d - state->rank_Z;
  PetscInt found = 0;
  it->columns = it->known = 0;
  *settled = (PetscBool)(state->rank_Z >= 0 && wanted <= it->wanted_most);
  if (*settled) {
    if (tolerance > 0) PetscCall(Search(cone, it, state, sign, X, tolerance, &found)); /* else X = 0 */
    *settled = (PetscBool)(found >= 0);
    if (*settled) {
      const PetscReal guard = found < it->known ? it->theta[found] : 0;
      PetscCall(Prove(it, state, sign, x, X, found, guard, tolerance, settled));
    }
    if (!*settled)
      PetscCall(PetscInfo(NULL, "order %" PetscInt_FMT ": %s; complete decomposition\n", d,
                          found < 0 ? "partial decomposition does not settle" : "a positive eigenvalue was missed"));
  }
  state->columns = it->columns;
  if (!*settled) PetscFunctionReturn(0);
  PetscCall(KeepVectors(it, state, it->known));
  PetscCall(Finish(cone, it, state, sign, found, x, z));
  PetscFunctionReturn(0);
}

/* The team's first rank projects; the others multiply their parts of X with its vectors. */
static PetscErrorCode Project(PsdCone cone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                              PetscReal tolerance, PetscReal z[], PetscBool *settled)
{
  PetscFunctionBeginUser;
  Partial *it = kernel;
  *settled = PETSC_TRUE;
  if (cone->team.rank > 0) {
    PetscCall(PsdTeamMatrixServe(it->team_matrix));
    PetscFunctionReturn(0);
  }
  it->team_serves = (PetscBool)(it->team_matrix && state->rank_Z >= 0 &&
                                (cone->choice != PSD_CONE_AUTO || state->columns > SPREAD_COLUMNS));
  if (it->team_serves) PetscCall(PsdTeamMatrixLoad(it->team_matrix, X));
  PetscCall(ProjectHere(cone, it, state, x, X, tolerance, z, settled));
  if (it->team_matrix) PetscCall(PsdTeamMatrixRelease(it->team_matrix));
  it->team_serves = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* The proof's matrix; of the space few pages are touched. */
static void Memory(const PsdSizes *s, PetscReal d, PsdMemory *memory)
{
  (void)s;
  const PetscReal square = PSD_BYTES_REAL * d * d;
  PsdMemoryAdd(memory, "proof", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, square, square);
}

/* Four sweeps over X with ten vectors each, bound by memory; X to a square and Z back. */
static PsdCost Cost(PetscReal d, const PsdRates *rates)
{
  enum { PRODUCTS = 4, VECTORS = 10 };
  const PsdCost product = PsdCostWork(2 * d * d * VECTORS, rates->gemm / 3);
  return PsdCostSum(PsdCostTimes(PRODUCTS, product), PsdCostMove(6 * PSD_BYTES_REAL * (d * (d + 1) / 2), rates));
}

const PsdConeOps PsdConePartial = {.name = "partial",
                                   .old_name = "slepc",
                                   .help = "those of the smaller side",
                                   .complete = PETSC_FALSE,
                                   .uses_team = PETSC_TRUE,
                                   .setup = SetUp,
                                   .project = Project,
                                   .destroy = Destroy,
                                   .memory = Memory,
                                   .cost = Cost};
