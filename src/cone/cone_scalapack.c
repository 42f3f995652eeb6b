/*
   PSD projection of one block over a team of ranks: a complete eigendecomposition by ScaLAPACK (pdsyevd).

   The team's first rank has X and keeps F; the others take part. X is dealt out in square blocks over a grid of ranks that
   is as square as their number allows. Where ScaLAPACK fails, or X is of a size that it might fail at, the first rank
   decomposes X by itself, which is still there.
*/
#include "cone_impl.h"
#include "base/base.h"

#define BLOCK 32

int Csys2blacs_handle(MPI_Comm);
void Cfree_blacs_system_handle(int);
void Cblacs_gridinit(int *, const char *, int, int);
void Cblacs_gridinfo(int, int *, int *, int *, int *);
void Cblacs_gridexit(int);
int numroc_(const int *, const int *, const int *, const int *, const int *);
void descinit_(int *, const int *, const int *, const int *, const int *, const int *, const int *, const int *,
               const int *, int *);
void pdsyevd_(const char *, const char *, const int *, double *, const int *, const int *, const int *, double *,
              double *, const int *, const int *, const int *, double *, const int *, int *, const int *, int *);

typedef struct {
  MPI_Comm comm;
  int d, handle, context, rows, columns, row, column; /* the grid, and this rank's place in it */
  int local_rows, local_columns, description[9];
  PetscReal *matrix, *vectors, *lambda, *work, *whole; /* whole: d x d on every rank of the team */
  int *iwork, lwork, liwork;
} Scalapack;

static PetscErrorCode CreateGrid(Scalapack *it)
{
  PetscFunctionBeginUser;
  const int block = BLOCK, zero = 0;
  PetscMPIInt size;
  int info;
  PetscCallMPI(MPI_Comm_size(it->comm, &size));
  it->rows = 1;
  for (int k = 1; k * k <= size; k++)
    if (size % k == 0) it->rows = k;
  it->columns = size / it->rows;
  it->handle = Csys2blacs_handle(it->comm);
  it->context = it->handle;
  Cblacs_gridinit(&it->context, "R", it->rows, it->columns);
  Cblacs_gridinfo(it->context, &it->rows, &it->columns, &it->row, &it->column);
  it->local_rows = numroc_(&it->d, &block, &it->row, &zero, &it->rows);
  it->local_columns = numroc_(&it->d, &block, &it->column, &zero, &it->columns);
  const int ld = PetscMax(1, it->local_rows);
  descinit_(it->description, &it->d, &it->d, &block, &block, &zero, &zero, &it->context, &ld, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "descinit returned %d", info);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUp(PsdCone cone, PetscInt order, void **kernel)
{
  PetscFunctionBeginUser;
  const size_t d = order;
  const int query = -1, one = 1;
  double optimal;
  int integers, info;
  Scalapack *it;
  PetscCall(PetscNew(&it));
  it->comm = cone->team.comm;
  it->d = (int)order;
  PetscCall(CreateGrid(it));
  const size_t local = (size_t)PetscMax(1, it->local_rows) * (size_t)PetscMax(1, it->local_columns);
  PetscCall(PetscMalloc4(local, &it->matrix, local, &it->vectors, d, &it->lambda, d * d, &it->whole));
  pdsyevd_("V", "U", &it->d, it->matrix, &one, &one, it->description, it->lambda, it->vectors, &one, &one,
           it->description, &optimal, &query, &integers, &query, &info);
  /* the query forgets what pdormtr wants */
  it->lwork = (int)optimal + 2 * it->d + BLOCK * (it->local_rows + it->local_columns + 2 * BLOCK);
  it->liwork = PetscMax(integers, 7 * it->d + 8 * it->columns + 2);
  PetscCall(PetscMalloc2(it->lwork, &it->work, it->liwork, &it->iwork));
  *kernel = it;
  PetscFunctionReturn(0);
}

/* Where the local entry (i, j) is in the whole matrix. */
static inline size_t Place(const Scalapack *it, int i, int j)
{
  const size_t row = (size_t)(i / BLOCK * it->rows + it->row) * BLOCK + (size_t)(i % BLOCK);
  const size_t column = (size_t)(j / BLOCK * it->columns + it->column) * BLOCK + (size_t)(j % BLOCK);
  return column * (size_t)it->d + row;
}

/* One message a column: their lengths stay ints. */
static PetscErrorCode Broadcast(const Scalapack *it, PetscReal *whole)
{
  PetscFunctionBeginUser;
  for (int j = 0; j < it->d; j++) PetscCallMPI(MPI_Bcast(whole + (size_t)j * it->d, j + 1, MPIU_REAL, 0, it->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode Gather(Scalapack *it, PetscMPIInt rank)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(it->whole, (size_t)it->d * it->d));
  for (int j = 0; j < it->local_columns; j++)
    for (int i = 0; i < it->local_rows; i++)
      it->whole[Place(it, i, j)] = it->vectors[(size_t)j * PetscMax(1, it->local_rows) + i];
  for (int j = 0; j < it->d; j++) {
    PetscReal *column = it->whole + (size_t)j * it->d;
    PetscCallMPI(MPI_Reduce(rank == 0 ? MPI_IN_PLACE : column, column, it->d, MPIU_REAL, MPI_SUM, 0, it->comm));
  }
  PetscFunctionReturn(0);
}

/* lambda and this rank's part of the vectors of X, which is the same on all ranks; *done likewise. */
static PetscErrorCode Decompose(Scalapack *it, const PetscReal *X, PetscBool *done)
{
  PetscFunctionBeginUser;
  const int one = 1;
  int info;
  *done = PsdIsModerate(PsdLargestEntry(it->d, X));
  if (!*done) PetscFunctionReturn(0);
  for (int j = 0; j < it->local_columns; j++)
    for (int i = 0; i < it->local_rows; i++)
      it->matrix[(size_t)j * PetscMax(1, it->local_rows) + i] = X[Place(it, i, j)];
  pdsyevd_("V", "U", &it->d, it->matrix, &one, &one, it->description, it->lambda, it->vectors, &one, &one,
           it->description, it->work, &it->lwork, it->iwork, &it->liwork, &info);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &info, 1, MPI_INT, MPI_LOR, it->comm));
  *done = (PetscBool)(info == 0);
  if (!*done) PetscCall(PetscInfo(NULL, "pdsyevd of order %d failed\n", it->d));
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdCone cone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                              PetscReal tolerance, PetscReal z[], PetscBool *settled)
{
  PetscFunctionBeginUser;
  Scalapack *it = kernel;
  PetscMPIInt rank;
  PetscBool done;
  (void)x, (void)tolerance;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  PetscCall(Broadcast(it, X));
  PetscCall(Decompose(it, X, &done));
  *settled = (PetscBool)(done || rank > 0); /* the first rank sees to it */
  state->columns = 0;
  if (done) PetscCall(Gather(it, rank));
  if (!done || rank > 0) PetscFunctionReturn(0);
  const PetscReal floor = PsdConeFloor(it->d, PetscMax(-it->lambda[0], it->lambda[it->d - 1]));
  PetscInt negative = 0;
  while (negative < it->d && it->lambda[negative] <= floor) negative++;
  PetscCall(PsdConeTakeDecomposition(state, negative, it->lambda, it->whole));
  if (z) PetscCall(PsdConePackProduct(cone, it->d, state->rank_Z, state->F, z));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *kernel)
{
  PetscFunctionBeginUser;
  Scalapack *it = kernel;
  PetscCall(PetscFree4(it->matrix, it->vectors, it->lambda, it->whole));
  PetscCall(PetscFree2(it->work, it->iwork));
  Cblacs_gridexit(it->context);
  Cfree_blacs_system_handle(it->handle);
  PetscCall(PetscFree(kernel));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* The whole of the vectors on every rank; parts of X and of the vectors, and what pdsyevd wants, about as much again. */
static void Memory(const PsdSizes *s, PetscReal d, PsdMemory *memory)
{
  const PetscReal team = PetscMax(1, PetscFloorReal((PetscReal)s->ranks / (2 * (PetscReal)s->pairs)));
  const PetscReal bytes = PSD_BYTES_REAL * d * d * (1 + 4 / team);
  PsdMemoryAdd(memory, "complete decomposition", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, bytes, bytes);
}

/* As one rank by itself: an upper end, as what a small team gains goes into its messages at orders of a few hundred. */
static PsdCost Cost(PetscReal d, const PsdRates *rates)
{
  const PetscReal cube = d * d * d;
  return (PsdCost){.seconds = rates->eigen * cube, .flops = 9 * cube};
}

const PsdConeOps PsdConeScalapack = {.name = "scalapack",
                                     .old_name = NULL,
                                     .help = "all, over a team of ranks",
                                     .complete = PETSC_TRUE,
                                     .uses_team = PETSC_TRUE,
                                     .setup = SetUp,
                                     .project = Project,
                                     .destroy = Destroy,
                                     .memory = Memory,
                                     .cost = Cost};
