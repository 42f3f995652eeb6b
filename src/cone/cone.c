/*
   Projection of symmetric blocks onto the positive semidefinite cone (docs/mathematics.md, section 2, "PSD step").

   Blocks are independent. A rank projects those it owns, one after the other; with more ranks than pairs of blocks, large
   blocks are sent to teams of ranks. Which kernel does it is chosen by order and by the rank the block had last time,
   because a partial decomposition pays only when few eigenvalues are wanted.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "base/eigen.h"
#include <petscblaslapack.h>
#include <stdio.h>

static const PsdConeOps *const kernels[PSD_CONE_KERNELS] = {&PsdConeLapack, &PsdConeSlepc, &PsdConeScalapack};

PetscErrorCode PsdConeCreate(PsdCone *cone)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(cone));
  (*cone)->choice = PSD_CONE_AUTO;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetFromOptions(PsdCone cone)
{
  PetscFunctionBeginUser;
  static const char *const names[] = {"auto", "lapack", "slepc", "scalapack", NULL};
  static const char *const partial[] = {"block", "krylovschur", "lobpcg", "gd", "jd", NULL};
  static const char *const drivers[] = {"auto", "syevd", "syevr", NULL};
  PetscInt choice = 0, driver = 0;
  PetscCall(PsdOptionEnum("-cone", "kernel of the PSD projection", names, &choice, NULL));
  cone->choice = choice == 0 ? PSD_CONE_AUTO : (PsdConeKernel)(choice - 1);
  PetscCall(PsdOptionEnum("-cone_partial", "solver of partial decompositions: psdnet's own, or a SLEPc EPS", partial,
                          &cone->partial, NULL));
  PetscCall(PsdOptionEnum("-cone_lapack", "complete, LAPACK's range of positive eigenvalues, or by the last rank",
                          drivers, &driver, NULL));
  cone->driver = (PsdConeDriver)driver;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks)
{
  PetscFunctionBeginUser;
  const size_t square = (size_t)blocks->d * blocks->d;
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  cone->blocks = blocks;
  cone->shared =
      (PetscBool)(ranks > blocks->pairs && (blocks->d > PSD_CONE_TEAM_ORDER || cone->choice == PSD_CONE_SCALAPACK ||
                                            cone->choice == PSD_CONE_SLEPC));
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(PetscCalloc1(blocks->local, &cone->state[s]));
    for (PetscInt k = 0; k < blocks->local; k++) {
      cone->state[s][k].rank_Z = -1;
      cone->state[s][k].block = 2 * (blocks->first + k) + s;
    }
    cone->work_state[s].rank_Z = -1;
  }
  if (cone->shared) {
    PetscCall(PsdConeTeamCreate(blocks, &cone->team));
    for (PetscInt k = 0; k < cone->team.blocks; k++) cone->work_state[k].block = cone->team.block[k];
    PetscCall(PetscMalloc1(blocks->m, &cone->x));
  } else {
    PetscCallMPI(MPI_Comm_dup(PETSC_COMM_SELF, &cone->team.comm));
    cone->team.size = 1;
  }
  PetscCall(PetscMalloc1(square, &cone->X));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- choice

   Complete: about 140 d^3 ps on one core. Partial: X times `columns` vectors, 2 d^2 flops each at some 15 GF/s, and as much
   again for everything else (docs/performance.md has the measurements): it pays while columns < d/2. Where nothing is known
   yet, four products with all wanted vectors and guards are expected. Counts rather than clocks decide, so that runs can be
   repeated and ranks of a team agree. */
PsdConeKernel PsdConeChoose(PsdCone cone, const PsdBlockState *state)
{
  const PetscInt d = cone->blocks->d, wanted = PetscMin(state->rank_Z, d - state->rank_Z);
  const PsdConeKernel complete = cone->team.size > 1 ? PSD_CONE_SCALAPACK : PSD_CONE_LAPACK;
  if (cone->choice != PSD_CONE_AUTO) return cone->choice;
  if (d <= PSD_CONE_SMALL_ORDER) return PSD_CONE_LAPACK;
  if (state->rank_Z < 0) return complete;
  const PetscInt expected = state->columns > 0 ? PetscMax(state->columns, wanted) : 4 * (wanted + 4);
  return expected < d / 2 ? PSD_CONE_SLEPC : complete;
}

/* ---------------------------------------------------------------- projection */

/*
   The error allowed to a partial projection: summable over iterations, a twentieth of what the last iteration moved the
   block, and not below what rounding does to a complete one.
*/
static PetscReal Tolerance(PsdCone cone, const PsdBlockState *state, PetscReal norm)
{
  const PetscReal t = (PetscReal)cone->iteration, summable = 0.1 * norm / (t * PetscSqrtReal(t));
  const PetscReal progress = state->change >= 0 ? state->change / 20 : 0.01 * norm;
  return PetscMax(PetscMin(summable, progress), 4 * PsdConeFloor(cone->blocks->d, norm));
}

/* ||F F' - G G'||_F: sqrt(||F'F||^2 + ||G'G||^2 - 2 ||F'G||^2); cancellation makes it zero at 1e-8 of its parts. */
static PetscErrorCode FactorDistance(PetscInt d, PetscInt p, const PetscReal F[], PetscInt q, const PetscReal G[],
                                     PetscReal *distance)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscReal squares[3] = {0, 0, 0}, *product;
  const PetscReal *left[3] = {F, G, F}, *right[3] = {F, G, G};
  const PetscInt rows[3] = {p, q, p}, columns[3] = {p, q, q};
  PetscBLASInt order, brows, bcolumns;
  PetscCall(PetscBLASIntCast(d, &order));
  PetscCall(PetscMalloc1((size_t)PetscMax(p, q) * PetscMax(p, q) + 1, &product));
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscBLASIntCast(rows[k], &brows));
    PetscCall(PetscBLASIntCast(columns[k], &bcolumns));
    if (brows == 0 || bcolumns == 0) continue;
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &brows, &bcolumns, &order, &one, left[k], &order, right[k], &order,
                                        &zero, product, &brows));
    for (PetscInt l = 0; l < rows[k] * columns[k]; l++) squares[k] += product[l] * product[l];
  }
  PetscCall(PetscFree(product));
  *distance = PetscSqrtReal(PetscMax(0, squares[0] + squares[1] - 2 * squares[2]));
  PetscFunctionReturn(0);
}

/* One block by the kernel that suits it; its team takes part. x, z on the team's first rank, z may be NULL. */
static PetscErrorCode ProjectBlock(PsdCone cone, PsdBlockState *state, const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d, last_rank = state->rank_Z;
  PsdConeKernel which = PsdConeChoose(cone, state);
  PetscReal norm = 0, *last_F = NULL;
  PetscMPIInt chosen = (PetscMPIInt)which;
  if (cone->team.size > 1) PetscCallMPI(MPI_Bcast(&chosen, 1, MPI_INT, 0, cone->team.comm));
  which = (PsdConeKernel)chosen;
  if (which == PSD_CONE_LAPACK && cone->team.rank > 0) PetscFunctionReturn(0);
  if (cone->choice == PSD_CONE_AUTO && d > PSD_CONE_SMALL_ORDER)
    PetscCall(PetscInfo(NULL,
                        "cone: %s for order %" PetscInt_FMT ", last rank %" PetscInt_FMT
                        ", last products with %" PetscInt_FMT " vectors, team of %d\n",
                        kernels[which]->name, d, state->rank_Z, state->columns, (int)cone->team.size));
  if (!cone->kernel[which]) PetscCall((*kernels[which]->setup)(cone, &cone->kernel[which]));
  if (cone->team.rank == 0) {
    PsdUnpack(d, x, cone->X);
    for (PetscInt k = 0; k < cone->blocks->m; k++) norm += x[k] * x[k];
  }
  const PetscBool follow =
      (PetscBool)(d > PSD_CONE_SMALL_ORDER && last_rank >= 0 && last_rank <= d / 4 && !state->unfactored);
  if (follow) {
    PetscCall(PetscMalloc1((size_t)last_rank * d + 1, &last_F));
    PetscCall(PetscArraycpy(last_F, state->F, (size_t)last_rank * d));
  }
  PetscCall(PetscFree(state->unfactored));
  PetscCall((*kernels[which]->project)(cone, cone->kernel[which], state, x, cone->X,
                                       Tolerance(cone, state, PetscSqrtReal(norm)), z));
  state->change = -1;
  if (follow && state->rank_Z <= d / 4 && !state->unfactored)
    PetscCall(FactorDistance(d, last_rank, last_F, state->rank_Z, state->F, &state->change));
  PetscCall(PetscFree(last_F));
  cone->uses[which]++;
  PetscFunctionReturn(0);
}

void PsdConeSetZero(PsdCone cone, PetscInt k, PetscBool zero)
{
  for (PetscInt s = 0; s < 2; s++) {
    PsdBlockState *state = &cone->state[s][k];
    const PetscBool was = state->zero;
    state->zero = (PetscBool)(zero && !cone->shared);
    if (was && !state->zero) state->rank_Z = -1; /* nothing is known of its X */
  }
}

static PetscErrorCode LeaveZero(PetscInt m, PsdBlockState *state, PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(z, m));
  PetscCall(PetscFree(state->unfactored));
  state->rank_Z = state->kept = state->columns = 0;
  state->change = -1;
  state->proof.count = -1;
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectOwn(PsdCone cone, const PetscReal *x[2], PetscReal *z[2])
{
  PetscFunctionBeginUser;
  const size_t m = cone->blocks->m;
  for (PetscInt s = 0; s < 2; s++)
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PsdBlockState *state = &cone->state[s][k];
      if (state->zero) PetscCall(LeaveZero((PetscInt)m, state, z[s] + k * m));
      else PetscCall(ProjectBlock(cone, state, x[s] + k * m, z[s] + k * m));
    }
  PetscFunctionReturn(0);
}

/* What the team's first rank found, on its way to the owner. */
static PetscErrorCode ReturnFactor(PsdCone cone, const PsdBlockState *from, PetscMPIInt owner, PetscInt block)
{
  PetscFunctionBeginUser;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(from->rank_Z * cone->blocks->d, &length));
  PetscCallMPI(MPI_Send(&from->rank_Z, 1, MPIU_INT, owner, (PetscMPIInt)(2 * block), cone->blocks->comm));
  PetscCallMPI(MPI_Send(from->F, length, MPIU_REAL, owner, (PetscMPIInt)(2 * block + 1), cone->blocks->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReceiveFactor(PsdCone cone, PsdBlockState *to, PetscMPIInt root, PetscInt block, PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d;
  PetscMPIInt length;
  PetscCallMPI(
      MPI_Recv(&to->rank_Z, 1, MPIU_INT, root, (PetscMPIInt)(2 * block), cone->blocks->comm, MPI_STATUS_IGNORE));
  PetscCall(PsdBlockStateReserve(to, d, to->rank_Z));
  PetscCall(PetscMPIIntCast(to->rank_Z * d, &length));
  PetscCallMPI(
      MPI_Recv(to->F, length, MPIU_REAL, root, (PetscMPIInt)(2 * block + 1), cone->blocks->comm, MPI_STATUS_IGNORE));
  PetscCall(PsdPackProduct(d, to->rank_Z, to->F, z));
  PetscFunctionReturn(0);
}

/*
   With teams: owners send X where it is another rank's to work on, everyone works, and F comes back. A block's X and z are in
   place when its owner is the team's first rank.
*/
static PetscErrorCode ProjectShared(PsdCone cone, const PetscReal *x[2], PetscReal *z[2])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  const size_t m = blocks->m;
  PetscMPIInt rank, length;
  MPI_Request *requests;
  PetscInt sent = 0;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  PetscCall(PetscMPIIntCast(blocks->m, &length));
  PetscCall(PetscMalloc1(2 * blocks->local + 1, &requests));
  for (PetscInt k = 0; k < 2 * blocks->local; k++) {
    const PetscInt block = 2 * blocks->first + k;
    const PetscMPIInt root = PsdConeTeamRoot(blocks, block);
    if (root != rank)
      PetscCallMPI(MPI_Isend(x[k % 2] + (size_t)(k / 2) * m, length, MPIU_REAL, root, (PetscMPIInt)(2 * block),
                             blocks->comm, &requests[sent++]));
  }
  for (PetscInt k = 0; k < cone->team.blocks; k++) {
    const PetscInt block = cone->team.block[k], pair = block / 2, s = block % 2;
    const PetscMPIInt owner = PsdBlocksOwner(blocks, pair);
    if (owner == rank && cone->team.rank == 0) {
      const PetscInt local = pair - blocks->first;
      PetscCall(ProjectBlock(cone, &cone->state[s][local], x[s] + (size_t)local * m, z[s] + (size_t)local * m));
    } else {
      if (cone->team.rank == 0)
        PetscCallMPI(
            MPI_Recv(cone->x, length, MPIU_REAL, owner, (PetscMPIInt)(2 * block), blocks->comm, MPI_STATUS_IGNORE));
      PetscCall(ProjectBlock(cone, &cone->work_state[k], cone->x, NULL));
      if (cone->team.rank == 0) PetscCall(ReturnFactor(cone, &cone->work_state[k], owner, block));
    }
  }
  for (PetscInt k = 0; k < 2 * blocks->local; k++) {
    const PetscInt block = 2 * blocks->first + k;
    const PetscMPIInt root = PsdConeTeamRoot(blocks, block);
    if (root != rank)
      PetscCall(ReceiveFactor(cone, &cone->state[k % 2][k / 2], root, block, z[k % 2] + (size_t)(k / 2) * m));
  }
  PetscCallMPI(MPI_Waitall((PetscMPIInt)sent, requests, MPI_STATUSES_IGNORE));
  PetscCall(PetscFree(requests));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeProject(PsdCone cone, Vec X[2], Vec Z[2])
{
  PetscFunctionBeginUser;
  const PetscReal *x[2];
  PetscReal *z[2];
  const PetscLogDouble start = MPI_Wtime();
  PetscCall(PsdEventBegin(PSD_EVENT_PROJECT));
  cone->iteration++;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecGetArrayRead(X[s], &x[s]));
    PetscCall(VecGetArray(Z[s], &z[s]));
  }
  if (cone->shared) PetscCall(ProjectShared(cone, x, z));
  else PetscCall(ProjectOwn(cone, x, z));
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecRestoreArray(Z[s], &z[s]));
    PetscCall(VecRestoreArrayRead(X[s], &x[s]));
  }
  PetscCall(PsdEventEnd(PSD_EVENT_PROJECT));
  cone->seconds += MPI_Wtime() - start;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- states and factors */

PetscErrorCode PsdBlockStateReserve(PsdBlockState *state, PetscInt d, PetscInt rank)
{
  PetscFunctionBeginUser;
  const size_t numbers = (size_t)d * rank;
  if (numbers <= state->room && state->F) PetscFunctionReturn(0);
  PetscCall(PetscFree(state->F));
  PetscCall(PetscMalloc1(PetscMax(1, numbers), &state->F));
  state->room = numbers;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeTakeDecomposition(PsdBlockState *state, PetscInt d, PetscInt negative, const PetscReal lambda[],
                                        const PetscReal V[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdBlockStateReserve(state, d, d - negative));
  state->rank_Z = d - negative;
  for (PetscInt k = 0; k < state->rank_Z; k++) {
    const PetscReal scale = PetscSqrtReal(PetscMax(0, lambda[negative + k]));
    const PetscReal *v = V + (size_t)(negative + k) * d;
    for (PetscInt i = 0; i < d; i++) state->F[(size_t)k * d + i] = scale * v[i];
  }
  state->kept = 0; /* a partial projection starts from F */
  state->columns = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdPackProduct(PetscInt d, PetscInt rank, const PetscReal F[], PetscReal z[])
{
  PetscFunctionBeginUser;
  enum { PANEL = 48 };
  const PetscReal one = 1, zero = 0;
  PetscReal *panel;
  PetscBLASInt rows, width, terms, ld;
  if (rank == 0) {
    PetscCall(PetscArrayzero(z, (size_t)d * (d + 1) / 2));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(d, &ld));
  PetscCall(PetscBLASIntCast(rank, &terms));
  PetscCall(PetscMalloc1((size_t)d * PANEL, &panel));
  for (PetscInt first = 0; first < d; first += PANEL) {
    width = (PetscBLASInt)PetscMin(PANEL, d - first);
    rows = (PetscBLASInt)first + width;
    PetscCallBLAS("BLASgemm",
                  BLASgemm_("N", "T", &rows, &width, &terms, &one, F, &ld, F + first, &ld, &zero, panel, &rows));
    for (PetscInt j = 0; j < width; j++) {
      const PetscInt column = first + j;
      const PetscReal *restrict from = panel + (size_t)j * rows;
      for (PetscInt i = 0; i < column; i++) z[i] = PETSC_SQRT2 * from[i];
      z[column] = from[column];
      z += column + 1;
    }
  }
  PetscCall(PetscFree(panel));
  PetscFunctionReturn(0);
}

/* A block that was projected from its negative side is known by Z itself: its factor, complete. */
static PetscErrorCode Factorize(PsdCone cone, PsdBlockState *state)
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d;
  PetscReal *lambda;
  PsdEigen eigen;
  PetscInt negative = 0;
  PetscCall(PetscMalloc1(d, &lambda));
  PetscCall(PsdEigenCreate(d, &eigen));
  PsdUnpack(d, state->unfactored, cone->X);
  PetscCall(PsdEigenSolve(eigen, cone->X, lambda));
  while (negative < d && lambda[negative] <= PsdConeFloor(d, PetscAbsReal(lambda[d - 1]))) negative++;
  const PetscInt columns = state->columns, kept = state->kept;
  PetscCall(PsdConeTakeDecomposition(state, d, negative, lambda, cone->X));
  state->columns = columns;
  state->kept = kept;
  PetscCall(PetscFree(state->unfactored));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeGetFactor(PsdCone cone, PetscInt s, PetscInt k, PetscInt *rank, const PetscReal *F[])
{
  PetscFunctionBeginUser;
  PsdBlockState *state = &cone->state[s][k];
  if (state->unfactored) PetscCall(Factorize(cone, state));
  *rank = state->rank_Z;
  *F = state->F;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeGetFactors(PsdCone cone, PsdFactors *local)
{
  PetscFunctionBeginUser;
  const PetscInt d = cone->blocks->d;
  local->count = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PetscInt rank;
      const PetscReal *F;
      PetscReal *column, *weight;
      PetscCall(PsdConeGetFactor(cone, s, k, &rank, &F));
      PetscCall(PsdFactorsAppend(local, cone->blocks->first + k, rank, &column, &weight));
      PetscCall(PetscArraycpy(column, F, (size_t)rank * d));
      for (PetscInt term = 0; term < rank; term++) weight[term] = s == 0 ? 1 : -1;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeRefactor(PsdCone cone, Vec Z[2])
{
  PetscFunctionBeginUser;
  const PetscInt m = cone->blocks->m;
  for (PetscInt s = 0; s < 2; s++) {
    const PetscReal *z;
    PetscCall(VecGetArrayRead(Z[s], &z));
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PsdBlockState *state = &cone->state[s][k];
      if (!state->unfactored) PetscCall(PetscMalloc1(m, &state->unfactored));
      PetscCall(PetscArraycpy(state->unfactored, z + (size_t)k * m, m));
    }
    PetscCall(VecRestoreArrayRead(Z[s], &z));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeGetUse(PsdCone cone, size_t size, char text[])
{
  PetscFunctionBeginUser;
  PetscInt uses[PSD_CONE_KERNELS];
  PetscCall(PetscArraycpy(uses, cone->uses, PSD_CONE_KERNELS));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, uses, PSD_CONE_KERNELS, MPIU_INT, MPI_SUM, cone->blocks->comm));
  PetscInt different = 0, only = 0;
  for (PetscInt k = 0; k < PSD_CONE_KERNELS; k++) {
    different += uses[k] > 0;
    if (uses[k] > 0) only = k;
  }
  if (different <= 1 && (cone->choice == PSD_CONE_AUTO || (PetscInt)cone->choice == only)) {
    PetscCall(PetscStrncpy(text, kernels[only]->name, size));
    PetscFunctionReturn(0);
  }
  int length = snprintf(text, size, "%s:", cone->choice == PSD_CONE_AUTO ? "auto" : kernels[cone->choice]->name);
  for (PetscInt k = 0; k < PSD_CONE_KERNELS && (size_t)length < size; k++)
    if (uses[k] > 0)
      length += snprintf(text + length, size - (size_t)length, " %s %" PetscInt_FMT, kernels[k]->name, uses[k]);
  PetscFunctionReturn(0);
}

static PetscErrorCode BlockStateDestroy(PsdBlockState *state)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(state->V));
  PetscCall(PetscFree(state->proof.x));
  PetscCall(PetscFree(state->F));
  PetscCall(PetscFree(state->unfactored));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeDestroy(PsdCone *cone)
{
  PetscFunctionBeginUser;
  if (!*cone) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < PSD_CONE_KERNELS; k++)
    if ((*cone)->kernel[k]) PetscCall((*kernels[k]->destroy)((*cone)->kernel[k]));
  for (PetscInt s = 0; s < 2 && (*cone)->blocks; s++) {
    for (PetscInt k = 0; k < (*cone)->blocks->local; k++) PetscCall(BlockStateDestroy(&(*cone)->state[s][k]));
    PetscCall(PetscFree((*cone)->state[s]));
    PetscCall(BlockStateDestroy(&(*cone)->work_state[s]));
  }
  if ((*cone)->blocks) PetscCall(PsdConeTeamDestroy(&(*cone)->team));
  PetscCall(PetscFree((*cone)->x));
  PetscCall(PetscFree((*cone)->X));
  PetscCall(PetscFree(*cone));
  PetscFunctionReturn(0);
}
