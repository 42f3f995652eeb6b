/*
   Projection of symmetric blocks onto the positive semidefinite cone (docs/mathematics.md, section 2, "PSD step").

   Blocks that are vectors are projected onto the second-order cone by their owners, at once; the rest is about
   matrices. Blocks are independent. A rank projects those it owns, one after the other; with more ranks than pairs of
   blocks, large blocks are sent to teams of ranks. Which kernel does it is chosen by order and by the rank the block
   had last time, because a partial decomposition pays only when few eigenvalues are wanted.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "eps_block.h"
#include "second_order.h"
#include <petscblaslapack.h>
#include <stdio.h>

PetscErrorCode PsdConeCreate(PsdCone *cone)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(cone));
  (*cone)->choice = PSD_CONE_AUTO;
  (*cone)->eps_type = PSD_EPS_BLOCK;
  PetscCall(PetscCalloc1(PsdConeKernels, &(*cone)->uses));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateStates(PsdCone cone)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(PetscCalloc1(blocks->local, &cone->state[s]));
    for (PetscInt k = 0; k < blocks->local; k++) {
      cone->state[s][k].rank_Z = -1;
      cone->state[s][k].block = 2 * (blocks->first + k) + s;
      cone->state[s][k].d = PsdBlocksOwn(blocks, k).d;
    }
    cone->work_state[s].rank_Z = -1;
  }
  for (PetscInt k = 0; k < cone->team.blocks; k++) {
    cone->work_state[k].block = cone->team.block[k];
    cone->work_state[k].d = PsdBlocksPair(blocks, cone->team.block[k] / 2).d;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateWorkspace(PsdCone cone)
{
  PetscFunctionBeginUser;
  const size_t d = cone->blocks->d_max, few = d / 4;
  if (cone->shared) PetscCall(PetscMalloc2(cone->blocks->m_max, &cone->x, 2 * cone->blocks->local, &cone->requests));
  if (d > PSD_CONE_SMALL_ORDER) PetscCall(PetscMalloc2(d * few, &cone->last_F, few * few, &cone->products));
  PetscCall(PetscMalloc3(d * d, &cone->X, d, &cone->lambda, d * PSD_CONE_PANEL, &cone->panel));
  PetscCall(PsdEigenCreate(cone->blocks->d_max, &cone->eigen));
  PetscFunctionReturn(0);
}

static PetscErrorCode FindOrders(PsdCone cone)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = cone->blocks;
  PetscCall(PetscMalloc1(blocks->G, &cone->order));
  for (PetscInt g = 0; g < blocks->G; g++) {
    PetscInt k = 0;
    if (blocks->region[g].vector) continue;
    while (k < cone->orders && cone->order[k] != blocks->region[g].d) k++;
    if (k == cone->orders) cone->order[cone->orders++] = blocks->region[g].d;
  }
  PetscCall(PetscCalloc1(PsdConeKernels * cone->orders, &cone->kernel)); /* of vectors alone: none */
  PetscFunctionReturn(0);
}

void **PsdConeKernel(PsdCone cone, PetscInt which, PetscInt d)
{
  PetscInt k = 0;
  while (cone->order[k] != d) k++;
  return &cone->kernel[which * cone->orders + k];
}

/* Those that may be used: the one that was chosen, or of those that `auto` takes, and a complete one for what does not settle. */
static PetscErrorCode SetUpKernels(PsdCone cone, PetscInt d)
{
  PetscFunctionBeginUser;
  const PetscBool automatic = (PetscBool)(cone->choice == PSD_CONE_AUTO);
  const PetscBool large = (PetscBool)(d > PSD_CONE_SMALL_ORDER);
  for (PetscInt k = 0; k < PsdConeKernels; k++) {
    const PsdConeOps *ops = PsdConeTable[k];
    PetscBool used = (PetscBool)(k == cone->choice || k == PsdConeFirst(PETSC_TRUE, PETSC_FALSE));
    if (automatic && large && k == PsdConeFirst(PETSC_FALSE, PETSC_TRUE)) used = PETSC_TRUE;
    if (automatic && large && cone->team.size > 1 && k == PsdConeFirst(PETSC_TRUE, PETSC_TRUE)) used = PETSC_TRUE;
    if (used && (ops->uses_team || cone->team.rank == 0)) PetscCall((*ops->setup)(cone, d, PsdConeKernel(cone, k, d)));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeSetUp(PsdCone cone, PsdBlocks blocks)
{
  PetscFunctionBeginUser;
  const PetscBool asked = (PetscBool)(cone->choice != PSD_CONE_AUTO && PsdConeTable[cone->choice]->uses_team);
  PetscMPIInt ranks;
  PetscCallMPI(MPI_Comm_size(blocks->comm, &ranks));
  cone->blocks = blocks;
  cone->shared = (PetscBool)(ranks > blocks->pairs && (blocks->d_max > PSD_CONE_TEAM_ORDER || asked));
  if (cone->shared) PetscCall(PsdConeTeamCreate(blocks, &cone->team));
  else PetscCall(PsdConeTeamCreateAlone(&cone->team));
  PetscCall(CreateStates(cone));
  PetscCall(CreateWorkspace(cone));
  PetscCall(FindOrders(cone));
  for (PetscInt k = 0; k < cone->orders; k++) PetscCall(SetUpKernels(cone, cone->order[k]));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- choice

   Complete: about 140 d^3 ps on one core. Partial: X times `columns` vectors, 2 d^2 flops each at some 15 GF/s, and as much
   again for everything else (docs/performance.md has the measurements): it pays while columns < d/2. Where nothing is known
   yet, four products with all wanted vectors and guards are expected. Counts rather than clocks decide, so that runs can be
   repeated and ranks of a team agree. */
PetscInt PsdConeChoose(PsdCone cone, const PsdBlockState *state)
{
  const PetscInt d = state->d, wanted = PetscMin(state->rank_Z, d - state->rank_Z);
  if (cone->choice != PSD_CONE_AUTO) return cone->choice;
  if (d <= PSD_CONE_SMALL_ORDER) return PsdConeFirst(PETSC_TRUE, PETSC_FALSE);
  const PetscInt complete = PsdConeFirst(PETSC_TRUE, (PetscBool)(cone->team.size > 1));
  if (state->rank_Z < 0) return complete;
  const PetscInt expected = state->columns > 0 ? PetscMax(state->columns, wanted) : 4 * (wanted + 4);
  return expected < d / 2 ? PsdConeFirst(PETSC_FALSE, PETSC_TRUE) : complete;
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
  return PetscMax(PetscMin(summable, progress), 4 * PsdEigenFloor(state->d, norm));
}

/* ||F F' - G G'||_F: sqrt(||F'F||^2 + ||G'G||^2 - 2 ||F'G||^2); cancellation makes it zero at 1e-8 of its parts. */
static PetscErrorCode FactorDistance(PsdCone cone, PetscInt d, PetscInt p, const PetscReal F[], PetscInt q,
                                     const PetscReal G[], PetscReal *distance)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1, zero = 0;
  PetscReal squares[3] = {0, 0, 0};
  const PetscReal *left[3] = {F, G, F}, *right[3] = {F, G, G};
  const PetscInt rows[3] = {p, q, p}, columns[3] = {p, q, q};
  PetscBLASInt order, brows, bcolumns;
  PetscCall(PetscBLASIntCast(d, &order));
  for (int k = 0; k < 3; k++) {
    PetscCall(PetscBLASIntCast(rows[k], &brows));
    PetscCall(PetscBLASIntCast(columns[k], &bcolumns));
    if (brows == 0 || bcolumns == 0) continue;
    PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &brows, &bcolumns, &order, &one, left[k], &order, right[k], &order,
                                        &zero, cone->products, &brows));
    for (PetscInt l = 0; l < rows[k] * columns[k]; l++) squares[k] += cone->products[l] * cone->products[l];
  }
  *distance = PetscSqrtReal(PetscMax(0, squares[0] + squares[1] - 2 * squares[2]));
  PetscFunctionReturn(0);
}

/* Whether the change of Z can be followed: its factor is known and has few columns. */
static PetscBool HasFewColumns(PsdCone cone, const PsdBlockState *state)
{
  const PetscBool few = (PetscBool)(state->rank_Z >= 0 && state->rank_Z <= state->d / 4);
  return (PetscBool)(cone->last_F && few && !state->unfactored);
}

/* By the kernel, or, on the first rank of a team, by a complete one when that does not settle. */
static PetscErrorCode Run(PsdCone cone, PetscInt which, PsdBlockState *state, const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d, m = d * (d + 1) / 2, complete = PsdConeFirst(PETSC_TRUE, PETSC_FALSE);
  const PetscReal norm = cone->team.rank == 0 ? PetscSqrtReal(PsdSquare(m, x)) : 0;
  PetscBool settled;
  PetscCall((*PsdConeTable[which]->project)(cone, *PsdConeKernel(cone, which, d), state, x, cone->X,
                                            Tolerance(cone, state, norm), z, &settled));
  if (settled) PetscFunctionReturn(0);
  const PetscInt columns = state->columns;
  PetscCall(
      (*PsdConeTable[complete]->project)(cone, *PsdConeKernel(cone, complete, d), state, x, cone->X, 0, z, &settled));
  state->columns = columns; /* what it cost to find out */
  PetscFunctionReturn(0);
}

/* One block by the kernel that suits it; its team takes part. x, z on the team's first rank, z may be NULL. */
static PetscErrorCode ProjectBlock(PsdCone cone, PsdBlockState *state, const PetscReal x[], PetscReal z[])
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d, last_rank = state->rank_Z;
  const PetscBool follow = HasFewColumns(cone, state);
  PetscInt which = PsdConeChoose(cone, state);
  if (cone->team.size > 1) PetscCallMPI(MPI_Bcast(&which, 1, MPIU_INT, 0, cone->team.comm));
  if (!PsdConeTable[which]->uses_team && cone->team.rank > 0) PetscFunctionReturn(0);
  if (cone->choice == PSD_CONE_AUTO && d > PSD_CONE_SMALL_ORDER)
    PetscCall(PetscInfo(NULL,
                        "cone: %s for order %" PetscInt_FMT ", last rank %" PetscInt_FMT
                        ", last products with %" PetscInt_FMT " vectors, team of %d\n",
                        PsdConeTable[which]->name, d, state->rank_Z, state->columns, (int)cone->team.size));
  if (cone->team.rank == 0) PsdUnpack(d, x, cone->X);
  if (follow) PetscCall(PetscArraycpy(cone->last_F, state->F, (size_t)last_rank * d));
  state->unfactored = PETSC_FALSE;
  PetscCall(Run(cone, which, state, x, z));
  state->change = -1;
  if (follow && HasFewColumns(cone, state))
    PetscCall(FactorDistance(cone, d, last_rank, cone->last_F, state->rank_Z, state->F, &state->change));
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
  state->unfactored = PETSC_FALSE;
  state->rank_Z = state->kept = state->columns = 0;
  state->change = -1;
  state->proof.count = -1;
  PetscFunctionReturn(0);
}

/* The factor of a vector is the vector itself. */
static PetscErrorCode TakeVector(PsdBlockState *state, const PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscCall(PsdBlockStateReserve(state, 1));
  PetscCall(PetscArraycpy(state->F, z, state->d));
  state->rank_Z = z[state->d - 1] > 0 ? 1 : 0;
  state->kept = state->columns = 0;
  state->change = -1;
  PetscFunctionReturn(0);
}

/* A vector of this rank's, number k. */
static PetscErrorCode ProjectVector(PsdCone cone, PetscInt k, const PetscReal *x[2], PetscReal *z[2])
{
  PetscFunctionBeginUser;
  const PsdShape own = PsdBlocksOwn(cone->blocks, k);
  for (PetscInt s = 0; s < 2; s++) {
    if (cone->state[s][k].zero) {
      PetscCall(LeaveZero(own.m, &cone->state[s][k], z[s] + own.at));
      continue;
    }
    PsdVectorProject(own.f, x[s] + own.at, z[s] + own.at);
    PetscCall(TakeVector(&cone->state[s][k], z[s] + own.at));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectVectors(PsdCone cone, const PetscReal *x[2], PetscReal *z[2])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < cone->blocks->local; k++)
    if (PsdBlocksOwn(cone->blocks, k).vector) PetscCall(ProjectVector(cone, k, x, z));
  PetscFunctionReturn(0);
}

static PetscErrorCode ProjectOwn(PsdCone cone, const PetscReal *x[2], PetscReal *z[2])
{
  PetscFunctionBeginUser;
  for (PetscInt s = 0; s < 2; s++)
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PsdBlockState *state = &cone->state[s][k];
      const PsdShape own = PsdBlocksOwn(cone->blocks, k);
      if (own.vector) continue;
      if (state->zero) PetscCall(LeaveZero(own.m, state, z[s] + own.at));
      else PetscCall(ProjectBlock(cone, state, x[s] + own.at, z[s] + own.at));
    }
  PetscFunctionReturn(0);
}

/* What the team's first rank found, on its way to the owner. */
static PetscErrorCode ReturnFactor(PsdCone cone, const PsdBlockState *from, PetscMPIInt owner, PetscInt block)
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)from->rank_Z * (size_t)from->d;
  PetscCallMPI(MPI_Send(&from->rank_Z, 1, MPIU_INT, owner, (PetscMPIInt)(2 * block), cone->blocks->comm));
  PetscCall(PsdSendArray(cone->blocks->comm, owner, (PetscMPIInt)(2 * block + 1), MPIU_REAL, length, from->F));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReceiveFactor(PsdCone cone, PsdBlockState *to, PetscMPIInt root, PetscInt block, PetscReal z[])
{
  PetscFunctionBeginUser;
  PetscCallMPI(
      MPI_Recv(&to->rank_Z, 1, MPIU_INT, root, (PetscMPIInt)(2 * block), cone->blocks->comm, MPI_STATUS_IGNORE));
  PetscCall(PsdBlockStateReserve(to, to->rank_Z));
  PetscCall(PsdReceiveArray(cone->blocks->comm, root, (PetscMPIInt)(2 * block + 1), MPIU_REAL,
                            (size_t)to->rank_Z * (size_t)to->d, to->F));
  PetscCall(PsdConePackProduct(cone, to->d, to->rank_Z, to->F, z));
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
  PetscMPIInt rank;
  PetscInt sent = 0;
  PetscCallMPI(MPI_Comm_rank(blocks->comm, &rank));
  for (PetscInt k = 0; k < 2 * blocks->local; k++) {
    const PetscInt block = 2 * blocks->first + k;
    const PsdShape own = PsdBlocksOwn(blocks, k / 2);
    const PetscMPIInt root = PsdConeTeamRoot(blocks, block);
    if (root != rank && !own.vector)
      PetscCallMPI(MPI_Isend(x[k % 2] + own.at, (PetscMPIInt)own.m, MPIU_REAL, root, (PetscMPIInt)(2 * block),
                             blocks->comm, &cone->requests[sent++]));
  }
  for (PetscInt k = 0; k < cone->team.blocks; k++) {
    const PetscInt block = cone->team.block[k], pair = block / 2, s = block % 2;
    const PetscMPIInt owner = PsdBlocksOwner(blocks, pair);
    if (PsdBlocksPair(blocks, pair).vector) continue;
    if (owner == rank && cone->team.rank == 0) {
      const PetscInt local = pair - blocks->first, at = PsdBlocksOwn(blocks, local).at;
      PetscCall(ProjectBlock(cone, &cone->state[s][local], x[s] + at, z[s] + at));
    } else {
      if (cone->team.rank == 0)
        PetscCallMPI(MPI_Recv(cone->x, (PetscMPIInt)PsdBlocksPair(blocks, pair).m, MPIU_REAL, owner,
                              (PetscMPIInt)(2 * block), blocks->comm, MPI_STATUS_IGNORE));
      PetscCall(ProjectBlock(cone, &cone->work_state[k], cone->x, NULL));
      if (cone->team.rank == 0) PetscCall(ReturnFactor(cone, &cone->work_state[k], owner, block));
    }
  }
  for (PetscInt k = 0; k < 2 * blocks->local; k++) {
    const PetscInt block = 2 * blocks->first + k;
    const PetscMPIInt root = PsdConeTeamRoot(blocks, block);
    const PsdShape own = PsdBlocksOwn(blocks, k / 2);
    if (root != rank && !own.vector)
      PetscCall(ReceiveFactor(cone, &cone->state[k % 2][k / 2], root, block, z[k % 2] + own.at));
  }
  PetscCallMPI(MPI_Waitall((PetscMPIInt)sent, cone->requests, MPI_STATUSES_IGNORE));
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
  PetscCall(ProjectVectors(cone, x, z));
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

/* A block that was projected from its negative side is known by Z itself: its factor, complete. */
static PetscErrorCode Factorize(PsdCone cone, PsdBlockState *state)
{
  PetscFunctionBeginUser;
  const PetscInt d = state->d, columns = state->columns, kept = state->kept;
  const PetscReal *lambda = cone->lambda;
  PetscInt negative = 0;
  PsdUnpack(d, state->Z, cone->X);
  PetscCall(PsdEigenSolveUpTo(cone->eigen, d, cone->X, cone->lambda));
  while (negative < d && lambda[negative] <= PsdEigenFloor(d, PetscAbsReal(lambda[d - 1]))) negative++;
  PetscCall(PsdConeTakeDecomposition(state, negative, lambda, cone->X));
  state->columns = columns;
  state->kept = kept;
  state->unfactored = PETSC_FALSE;
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
  local->count = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PetscInt rank;
      const PetscReal *F;
      PetscReal *column, *weight;
      PetscCall(PsdConeGetFactor(cone, s, k, &rank, &F));
      PetscCall(PsdFactorsAppend(local, cone->blocks->first + k, rank, &column, &weight));
      for (PetscInt term = 0; term < rank; term++) {
        const PetscInt d = cone->state[s][k].d;
        PetscCall(PetscArraycpy(column + (size_t)term * local->d, F + (size_t)term * d, d));
        weight[term] = s == 0 ? 1 : -1;
      }
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeRefactor(PsdCone cone, Vec Z[2])
{
  PetscFunctionBeginUser;
  for (PetscInt s = 0; s < 2; s++) {
    const PetscReal *z;
    PetscCall(VecGetArrayRead(Z[s], &z));
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PsdBlockState *state = &cone->state[s][k];
      const PsdShape own = PsdBlocksOwn(cone->blocks, k);
      if (own.vector) {
        PetscCall(TakeVector(state, z + own.at));
        continue;
      }
      if (!state->Z) PetscCall(PetscMalloc1(own.m, &state->Z));
      PetscCall(PetscArraycpy(state->Z, z + own.at, own.m));
      state->unfactored = PETSC_TRUE;
    }
    PetscCall(VecRestoreArrayRead(Z[s], &z));
  }
  PetscFunctionReturn(0);
}

/* Kernels by their numbers of projections; the only one by its name, if it is the one that was asked for. */
static void DescribeUse(PsdCone cone, const PetscInt uses[], size_t size, char text[])
{
  const char *asked = cone->choice == PSD_CONE_AUTO ? "auto" : PsdConeTable[cone->choice]->name;
  PetscInt different = 0, only = 0;
  if (cone->orders == 0) {
    snprintf(text, size, "second-order");
    return;
  }
  for (PetscInt k = 0; k < PsdConeKernels; k++) {
    different += uses[k] > 0;
    if (uses[k] > 0) only = k;
  }
  if (different <= 1 && (cone->choice == PSD_CONE_AUTO || cone->choice == only)) {
    snprintf(text, size, "%s", PsdConeTable[only]->name);
    return;
  }
  int length = snprintf(text, size, "%s:", asked);
  for (PetscInt k = 0; k < PsdConeKernels && (size_t)length < size; k++)
    if (uses[k] > 0)
      length += snprintf(text + length, size - (size_t)length, " %s %" PetscInt_FMT, PsdConeTable[k]->name, uses[k]);
}

PetscErrorCode PsdConeGetUse(PsdCone cone, size_t size, char text[])
{
  PetscFunctionBeginUser;
  PetscInt *uses;
  PetscCall(PetscMalloc1(PsdConeKernels, &uses));
  PetscCallMPI(MPI_Allreduce(cone->uses, uses, (PetscMPIInt)PsdConeKernels, MPIU_INT, MPI_SUM, cone->blocks->comm));
  DescribeUse(cone, uses, size, text);
  PetscCall(PetscFree(uses));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConeDestroy(PsdCone *cone)
{
  PetscFunctionBeginUser;
  if (!*cone) PetscFunctionReturn(0);
  const PetscInt orders = (*cone)->orders;
  for (PetscInt k = 0; k < PsdConeKernels * orders; k++)
    if ((*cone)->kernel[k]) PetscCall((*PsdConeTable[k / orders]->destroy)((*cone)->kernel[k]));
  PetscCall(PetscFree((*cone)->kernel));
  PetscCall(PetscFree((*cone)->order));
  PetscCall(PetscFree((*cone)->uses));
  for (PetscInt s = 0; s < 2 && (*cone)->blocks; s++) {
    for (PetscInt k = 0; k < (*cone)->blocks->local; k++) PetscCall(PsdBlockStateDestroy(&(*cone)->state[s][k]));
    PetscCall(PetscFree((*cone)->state[s]));
    PetscCall(PsdBlockStateDestroy(&(*cone)->work_state[s]));
  }
  if ((*cone)->blocks) PetscCall(PsdConeTeamDestroy(&(*cone)->team));
  PetscCall(PetscFree2((*cone)->x, (*cone)->requests));
  PetscCall(PetscFree2((*cone)->last_F, (*cone)->products));
  PetscCall(PetscFree3((*cone)->X, (*cone)->lambda, (*cone)->panel));
  PetscCall(PsdEigenDestroy(&(*cone)->eigen));
  PetscCall(PetscFree(*cone));
  PetscFunctionReturn(0);
}
